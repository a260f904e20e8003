"""prometheus.exporter.static: served as written, faults with their place."""
import subprocess

import pytest

from node_exporter_peer import get
from weirproc import await_that

pytestmark = pytest.mark.core
CONFIG = 'prometheus.exporter.static "s" {\n  text = `%s`\n}\n'
FLAG = "--stability.level=experimental"


def page(w):
    return get(f"{w.url}/api/v0/component/prometheus.exporter.static.s/metrics")


def test_served_as_written_and_reloaded(weir):
    text = "# TYPE b counter\nb{x=\"1\"} 2 1700000000000\n\n# HELP a \\\\ \na NaN"
    w = weir(CONFIG % text, FLAG)
    assert page(w) == text + "\n"
    assert w.health("prometheus.exporter.static.s")["state"] == "healthy"
    assert w.reload(CONFIG % "").status == 200
    assert page(w) == ""
    assert w.reload(CONFIG % "c{").status == 400
    assert page(w) == ""


def test_scraped_with_its_labels(weir):
    w = weir(CONFIG % "made_here{x=\"1\"} 5\n" + """
prometheus.scrape "s" {
  targets         = prometheus.exporter.static.s.targets
  forward_to      = [prometheus.echo.out.receiver]
  scrape_interval = "1s"
  scrape_timeout  = "1s"
}
prometheus.echo "out" { }
""", FLAG, env={"HOSTNAME": "h1"})
    await_that("it is scraped", lambda: "made_here" in w.out)
    line = next(line for line in w.out.splitlines() if line.startswith("made_here"))
    assert all(label in line for label in ('instance="h1"', 'job="integrations/static"', 'x="1"')), line


@pytest.mark.parametrize("text, place, why", [
    ("a 1\nb{x=} 2\n", "c.alloy:3:5: line 2, column 5 of", "expected a label value in quotes"),
    ("a{x=\"1\",x=\"2\"} 1\n", "c.alloy:2:11: line 1, column 1 of", 'label name "x" is not unique'),
    ("# TYPE a number\n", "line 1, column 1 of", 'invalid metric type "number"'),
    ("a one\n", "c.alloy:2:13: line 1, column 3 of", "expected a value behind the series"),
])
def test_faults_have_their_place(weir_binary, tmp_path, text, place, why):
    (tmp_path / "c.alloy").write_text(CONFIG % text)
    p = subprocess.run([weir_binary, "check", FLAG, "c.alloy"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert p.returncode == 1
    assert place in p.stderr and why in p.stderr
