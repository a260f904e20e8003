"""The log components' own metrics: dashboards and alerts written for Alloy find their series by the same names. components/reference.json says
which there are."""
import json
import re
import subprocess

import pytest

from weirproc import await_that, http

pytestmark = pytest.mark.core

# What the reference calls otherwise than its program does, and why.
ELSEWHERE = {
    # The documentation leaves out the prefix that the program puts before them, as before all others of the family.
    "gelf_target_entries_total": "loki_source_gelf_target_entries_total",
    "gelf_target_parsing_errors_total": "loki_source_gelf_target_parsing_errors_total",
}

CONFIG = """
loki.source.api "in" {
  http {
    listen_address = "127.0.0.1"
    listen_port = PORT0
  }
  labels = { job = "api", tier = "x" }
  forward_to = [loki.process.all.receiver]
}
loki.process "all" {
  forward_to = [loki.relabel.all.receiver, loki.enrich.all.receiver]
  stage.cri {
    max_partial_line_size = 5
    max_partial_line_size_truncate = true
    max_partial_lines = 1
  }
  stage.truncate {
    rule {
      limit = "60B"
    }
  }
  stage.match {
    selector = "{job=\\"api\\"} |~ \\"^drop\\""
    action = "drop"
  }
  stage.limit {
    rate = 1
    burst = 1
    drop = true
    by_label_name = "tier"
  }
}
loki.relabel "all" {
  forward_to = [loki.secretfilter.all.receiver]
  rule {
    target_label = "more"
    replacement = "1"
  }
}
loki.enrich "all" {
  targets = [{ __address__ = "a", job = "api" }]
  target_match_label = "job"
  forward_to = [loki.echo.all.receiver]
}
loki.secretfilter "all" {
  forward_to = [loki.write.all.receiver]
  redact_with = "gone"
  rate = 0.99999
}
loki.echo "all" { }
loki.write "all" {
  endpoint {
    url = "URL"
    batch_wait = "50ms"
  }
}
loki.source.file "all" {
  targets = [{ __path__ = "FILE" }]
  forward_to = [loki.write.all.receiver]
}
loki.source.syslog "all" {
  listener {
    address = "127.0.0.1:PORT1"
  }
  forward_to = [loki.write.all.receiver]
}
loki.source.gelf "all" {
  listen_address = "127.0.0.1:PORT2"
  forward_to = [loki.write.all.receiver]
}
local.file_match "all" {
  path_targets = [{ __path__ = "FILE" }]
}
discovery.docker "all" {
  host = "unix:///nowhere/docker.sock"
}
discovery.relabel "all" {
  targets = discovery.docker.all.targets
}
loki.source.docker "all" {
  host = "unix:///nowhere/docker.sock"
  targets = discovery.relabel.all.output
  forward_to = [loki.write.all.receiver]
}
JOURNAL
otelcol.exporter.loki "all" {
  forward_to = [loki.write.all.receiver]
}
"""
JOURNAL = """
loki.source.journal "all" {
  path = "/nowhere/journal"
  forward_to = [loki.write.all.receiver]
}
"""
LINES = ["2026-01-01T00:00:00Z stdout P a", "2026-01-01T00:00:00Z stdout F bcdefghij", "drop this", "a" * 100, "b" * 100]
SECRET = "ghp_" + "a1B2c3D4e" * 4  # what loki.secretfilter takes for a token


def families(w):
    return set(re.findall(r"^# TYPE (\S+) ", w.get("/metrics").text, re.M))


def runnable(weir_binary):
    """The log components that this build can run."""
    table = json.loads(subprocess.run([weir_binary, "explain", "--json"], capture_output=True, check=True).stdout)
    return {c["name"] for c in table if c.get("runs_here", True) and c["name"].startswith("loki.")}


def test_names_are_alloys(weir, loki, ports, root, tmp_path, weir_binary):
    (tmp_path / "a.log").write_text("one\n")
    taken, here = ports(3), runnable(weir_binary)
    text = CONFIG.replace("URL", loki.url).replace("FILE", str(tmp_path / "a.log"))
    text = text.replace("JOURNAL", JOURNAL if "loki.source.journal" in here else "")
    for i, port in enumerate(taken):
        text = text.replace(f"PORT{i}", str(port))
    there = set(re.findall(r'^([a-z_.]+) "', text, re.M))
    assert here <= there, f"add to the configuration of this test: {here - there}"
    reference = json.loads((root / "components/reference.json").read_text())
    wanted = {n: {ELSEWHERE.get(m, m) for m in reference[n].get("metrics", [])} for n in there}
    assert sum(map(len, wanted.values())) > 35

    w = weir(text, "--stability.level=experimental")
    for line in [SECRET, *LINES]:
        assert http("POST", f"http://127.0.0.1:{taken[0]}/loki/api/v1/raw", line.encode(), {"Content-Type": "text/plain"}).status == 204
    loki.wait(2)

    def lacking():
        have = families(w)
        return {n: sorted(names - have) for n, names in wanted.items() if names - have}

    try:
        await_that("series found on workers are shown", lambda: not lacking())
    except AssertionError:
        raise AssertionError(f"Alloy has, and here are not: {lacking()}") from None
