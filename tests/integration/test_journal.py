"""loki.source.journal over journals that systemd-journal-remote writes: what is read, from where, and which cursor is saved."""
import json
import os
import shutil
import subprocess
import time

import pytest

from echoes import echoes
from weirproc import await_that

WRITER = "/lib/systemd/systemd-journal-remote"
BOOT = "0123456789abcdef0123456789abcdef"


@pytest.fixture(autouse=True)
def needs_a_journal(weir_binary):
    if not os.access(WRITER, os.X_OK):
        pytest.skip("systemd-journal-remote is not installed: no journals to read")
    if "nosystemd" in subprocess.run([weir_binary, "--version"], capture_output=True, text=True).stdout:
        pytest.skip("this build has no journal (libsystemd was missing)")


class Journal:
    """Entries go in by the export format; each write is a file of its own, as rotation makes them."""

    def __init__(self, folder):
        self.folder, self.files, self.n = folder, 0, 0
        folder.mkdir(parents=True, exist_ok=True)

    def write(self, entries, ago=0):
        text = b""
        for fields in entries:
            self.n += 1
            real = int((time.time() - ago) * 1e6) + self.n
            head = {"__REALTIME_TIMESTAMP": real, "__MONOTONIC_TIMESTAMP": 1_000_000 + self.n, "_BOOT_ID": BOOT}
            text += "".join(f"{k}={v}\n" for k, v in {**head, **fields}.items()).encode() + b"\n"
        self.files += 1
        # Written beside and moved: a reader sees whole files.
        temp = self.folder.parent / f"new{self.files}.journal"
        r = subprocess.run([WRITER, "-o", str(temp), "-"], input=text, capture_output=True)
        assert r.returncode == 0, r.stderr
        shutil.move(temp, self.folder / f"t{self.files}.journal")

    def lines(self, *texts, ago=0, **fields):
        self.write([{"MESSAGE": t, "PRIORITY": "6", "_SYSTEMD_UNIT": "a.service", **fields} for t in texts], ago)


@pytest.fixture
def journal(tmp_path):
    return Journal(tmp_path / "journal")


RULES = '''
loki.relabel "rules" {
  forward_to = []
  rule {
    source_labels = ["__journal__systemd_unit"]
    target_label  = "unit"
  }
  rule {
    source_labels = ["__journal_priority_keyword"]
    target_label  = "level"
  }
}

loki.echo "out" { }
'''


def config(journal, more="", to="loki.echo.out.receiver"):
    return f'''
loki.source.journal "read" {{
  forward_to    = [{to}]
  path          = "{journal.folder}"
  relabel_rules = loki.relabel.rules.rules
  {more}
}}
''' + RULES


def lines(w):
    return [e.line for e in echoes(w)]


def positions(w):
    path = w.folder / "data" / "loki.source.journal.read" / "positions.yml"
    return path.read_text() if path.exists() else ""


def test_labels_lines_and_times(weir, journal):
    journal.write([{"MESSAGE": "hello", "PRIORITY": "3", "_SYSTEMD_UNIT": "ssh.service"}, {"PRIORITY": "3", "_SYSTEMD_UNIT": "x.service"},
                   {"MESSAGE": "no unit"}])
    w = weir(config(journal, 'labels = {"env" = "test", "job" = "loses"}'))
    got = await_that("two entries", lambda: len(echoes(w)) == 2 and {e.line: e for e in echoes(w)})
    assert got["hello"].labels == '{env="test", job="loki.source.journal.read", level="error", unit="ssh.service"}'
    assert got["no unit"].labels == '{env="test", job="loki.source.journal.read"}'
    assert abs(time.time() - time.mktime(time.strptime(got["hello"].time[:19], "%Y-%m-%dT%H:%M:%S")) + time.timezone) < 600
    assert w.metric("loki_source_journal_target_lines_total") == 2
    assert w.metric("loki_source_journal_target_parsing_errors_total", error="no_message") == 1
    assert w.health("loki.source.journal.read") ["message"] == "journal tailer is running"


def test_follows_and_goes_on_after_a_restart(weir, journal, weir_binary):
    journal.lines("1", "2")
    w = weir(config(journal))
    await_that("what is there", lambda: lines(w) == ["1", "2"])
    journal.lines("3")
    await_that("what is written meanwhile", lambda: lines(w) == ["1", "2", "3"])
    await_that("the cursor is saved", lambda: "cursor-loki.source.journal.read" in positions(w) and 'labels: ""' in positions(w))
    assert w.stop() == 0
    journal.lines("4", "5")
    again = weir(config(journal), f"--storage.path={w.folder / 'data'}")
    await_that("the rest", lambda: len(lines(again)) >= 2)
    journal.lines("6")
    await_that("and on", lambda: "6" in lines(again))
    assert lines(again) == ["4", "5", "6"]


def test_bursts(weir, journal):
    journal.lines(*(f"line {i}" for i in range(3000)))
    w = weir(config(journal))
    await_that("all lines", lambda: len(lines(w)) >= 3000)
    assert lines(w) == [f"line {i}" for i in range(3000)]


def test_as_json(weir, journal):
    journal.write([{"MESSAGE": "<x>", "PRIORITY": "6", "_PID": "7"}])
    w = weir(config(journal, "format_as_json = true"))
    line = await_that("an entry", lambda: lines(w) and lines(w)[0])
    assert "\\u003cx\\u003e" in line
    fields = json.loads(line)
    assert fields["MESSAGE"] == "<x>" and fields["_PID"] == "7" and list(fields) == sorted(fields)


def test_matches(weir, journal):
    journal.write([{"MESSAGE": "a6", "_SYSTEMD_UNIT": "a.service", "PRIORITY": "6"}, {"MESSAGE": "b6", "_SYSTEMD_UNIT": "b.service", "PRIORITY": "6"},
                   {"MESSAGE": "c6", "_SYSTEMD_UNIT": "c.service", "PRIORITY": "6"}, {"MESSAGE": "a3", "_SYSTEMD_UNIT": "a.service", "PRIORITY": "3"}])
    w = weir(config(journal, 'matches = "_SYSTEMD_UNIT=a.service  _SYSTEMD_UNIT=b.service PRIORITY=6"'))
    await_that("the matching ones", lambda: sorted(lines(w)) == ["a6", "b6"])
    assert w.reload(config(journal, 'matches = "_SYSTEMD_UNIT=a.service + PRIORITY=6"')).status == 200
    health = await_that("it is unhealthy", lambda: (h := w.health("loki.source.journal.read"))["state"] == "unhealthy" and h)
    assert health["message"] == 'error creating journal tailer: matches: "+" is not FIELD=value'
    assert w.reload(config(journal)).status == 200
    await_that("it is healthy again", lambda: w.health("loki.source.journal.read")["state"] == "healthy")
    journal.lines("later")
    await_that("it reads on", lambda: "later" in lines(w))
    assert lines(w).count("a6") == 1


@pytest.mark.parametrize("age,want", (('max_age = "1h"', ["new"]), ('max_age = "0s"', ["old", "new"]), ("", ["new"])))
def test_max_age(weir, journal, age, want):
    journal.lines("old", ago=8 * 3600)
    journal.lines("new")
    w = weir(config(journal, age))
    await_that("the last one", lambda: "new" in lines(w))
    assert lines(w) == want


def test_the_position_of_an_earlier_agent(weir, journal, tmp_path):
    journal.lines("1", "2")
    first = weir(config(journal))
    await_that("what is there", lambda: lines(first) == ["1", "2"])
    cursor = await_that("the cursor", lambda: [x.split(": ", 1)[1] for x in positions(first).splitlines() if x.startswith("  : ")])[0]
    first.stop()
    legacy = tmp_path / "promtail.yml"
    legacy.write_text(f'positions:\n  cursor-journal: "{cursor}"\n')
    journal.lines("3")
    w = weir(config(journal, f'legacy_position {{\n    file = "{legacy}"\n    name = "journal"\n  }}'))
    await_that("what came after", lambda: "3" in lines(w))
    assert lines(w) == ["3"]


def test_the_cursor_waits_for_delivery(weir, journal, backend):
    """The backend is away: nothing may count as read. When it is back everything arrives."""
    journal.lines("1", "2", "3")
    to = 'otelcol.receiver.loki.out.receiver'
    out = f'''
otelcol.receiver.loki "out" {{
  output {{
    logs = [otelcol.exporter.otlphttp.out.input]
  }}
}}

otelcol.exporter.otlphttp "out" {{
  retry_on_failure {{
    initial_interval = "100ms"
    max_interval     = "200ms"
  }}
  client {{
    endpoint = "{backend.url}"
  }}
}}
'''
    backend.close()
    w = weir(config(journal, to=to) + out)
    await_that("it was tried", lambda: (w.metric("loki_source_journal_target_lines_total") or 0) == 3)
    # Positions are written within a second of a change; so many attempts take longer, and no cursor may be there.
    await_that("it was tried for more than a second", lambda: w.log.count("Exporting failed. Will retry") >= 10)
    assert "cursor-" not in positions(w)
    w.signal(9)
    w.p.wait()
    w.expected_exit = -9
    again = weir(config(journal))
    await_that("all of it again", lambda: lines(again) == ["1", "2", "3"])


def test_no_journal_there(weir, journal):
    w = weir(config(journal).replace(str(journal.folder), str(journal.folder) + "/none"))
    health = await_that("it is unhealthy", lambda: (h := w.health("loki.source.journal.read"))["state"] == "unhealthy" and h)
    assert health["message"].startswith("error creating journal tailer: failed to open the journal: ")
