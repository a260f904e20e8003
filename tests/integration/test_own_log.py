"""The agent's own log as a source: write_to of the logging block, what is sent, what is not, and how it ends."""
import json
import re

import pytest

from weirproc import await_that

pytestmark = pytest.mark.core

FLAGS = ("--stability.level=experimental",)
TO_BACKEND = '''
logging {
  %s
  write_to = [otelcol.receiver.loki.own.receiver]
}

otelcol.receiver.loki "own" {
  output {
    logs = [otelcol.exporter.otlphttp.out.input]
  }
}

otelcol.exporter.otlphttp "out" {
  client {
    endpoint = "%s"
  }
}
'''


def lines(backend):
    with backend.lock:
        return [r["body"] for r in backend.records]


def test_every_written_line_arrives(weir, backend):
    w = weir(TO_BACKEND % ("", backend.url))
    await_that("the last line of the start", lambda: any("weir is running" in x for x in lines(backend)))
    got = lines(backend)
    assert got[0].endswith("\n") and "weir is starting" in got[0]  # held lines too, each with its LF
    assert [x for x in w.log.splitlines(keepends=True) if "weir is running" in x] == [x for x in got if "weir is running" in x]
    assert backend.records[0]["attributes"] == {"component": "alloy", "loki.attribute.labels": "component"}
    assert backend.records[0]["resource"] == {}
    w.post("/-/reload")
    await_that("lines of a reload", lambda: any("config reloaded" in x for x in lines(backend)))
    assert len(set(lines(backend))) == len(lines(backend)) and backend.faults == []


def test_json_and_level(weir, backend):
    w = weir(TO_BACKEND % ('level = "warn"\n  format = "json"', backend.url))
    w.config.write_text("nonsense")
    w.post("/-/reload")
    await_that("the failed reload", lambda: lines(backend))
    records = [json.loads(x) for x in lines(backend)]
    assert {r["level"] for r in records} <= {"warn", "error"} and list(records[0])[:2] == ["ts", "level"]


def test_what_follows_from_a_line_is_not_sent_again(weir):
    """loki.echo writes a line for each entry it gets; without the mark this would never end."""
    w = weir('logging {\n  write_to = [loki.echo.e.receiver]\n}\nloki.echo "e" { }\n')
    echoed = 'msg="received log entry" component_path=/ component_id=loki.echo.e entry='
    await_that("entries are echoed", lambda: r'msg=\"weir is running\"' in w.log)  # quoted once more: inside an echo
    w.post("/-/reload")
    await_that("entries of the reload", lambda: r'msg=\"config reloaded\"' in w.log)

    def counts():
        log = w.log.splitlines()
        return sum(echoed in x for x in log), sum(echoed not in x for x in log)

    await_that("every line is echoed once", lambda: counts()[0] == counts()[1])
    assert not re.search(r'entry="[^\n]*received log entry', w.log)
    assert re.search(r'entry="ts=\S+ level=info msg=\\"weir is running\\"\\n" entry_timestamp=\d{4}-\S+Z '
                     r'labels="{component=\\"alloy\\"}" structured_metadata={}', w.log)


def test_write_to_is_changed_by_a_reload(weir, backend):
    w = weir("")
    assert w.reload(TO_BACKEND % ("", backend.url)).status == 200
    await_that("lines after the reload", lambda: any("config reloaded" in x for x in lines(backend)))
    assert w.reload("").status == 200
    before = len(w.log.splitlines())
    w.post("/-/reload")
    w.post("/-/reload")
    await_that("the exporter is gone", lambda: "otelcol.exporter" not in w.get("/metrics").text)
    later = w.log.splitlines()[before:]
    assert later and not [x for x in lines(backend) if x.rstrip("\n") in later]


def test_a_dead_receiver_delays_nobody(weir, ports):
    """The exporter's queue fills; the agent writes its log, reloads and stops as ever."""
    w = weir(TO_BACKEND % ("", f"http://127.0.0.1:{ports(1)[0]}"))
    for _ in range(20):
        assert w.reload().status == 200
    assert w.log.count("config reloaded") >= 20
