"""loki.process between a file and a push endpoint: the seed's pipeline, bad input, entries that stages hold over reloads and kill -9."""
import os
import re
import signal

import pytest

from weirproc import await_that

pytestmark = pytest.mark.core

SEED = '''
  stage.static_labels {
    values = { cluster = "main", env = "prod" }
  }
  stage.regex {
    expression = "(?i)(?P<level>debug|info|warn|error|fatal)"
  }
  stage.labels {
    values = { level = "" }
  }
'''
BLOCKS = '''
  stage.multiline {
    firstline     = "^\\\\["
    max_wait_time = "%s"
  }
'''


def config(loki, path, stages):
    return f"""
loki.source.file "f" {{
  targets    = [{{__path__ = "{path}", job = "t"}}]
  forward_to = [loki.process.p.receiver]
}}
loki.process "p" {{
  forward_to = [loki.write.w.receiver]
{stages}
}}
loki.write "w" {{
  endpoint {{
    url        = "{loki.url}"
    batch_wait = "100ms"
  }}
}}
"""


@pytest.fixture
def agent(weir, tmp_path):
    """agent(config): a process over one and the same storage; the one before has ended."""
    return lambda text, **kw: weir(text, f"--storage.path={tmp_path / 'data'}", **kw)


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "app.log"
    path.touch()
    return path


def labels(entry):
    return dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', entry.labels))


def append(path, data):
    with open(path, "ab", buffering=0) as f:
        f.write(data)


def test_seed_pipeline(weir, loki, log):
    append(log, b"INFO started\nnothing to see\nan Error here\n")
    weir(config(loki, log, SEED))
    await_that("three lines", lambda: loki.count() == 3)
    assert {(labels(e).get("level"), e.line) for e in loki.entries()} == {
        ("INFO", "INFO started"), (None, "nothing to see"), ("Error", "an Error here")}
    for e in loki.entries():
        assert labels(e) | {"level": ""} == {"cluster": "main", "env": "prod", "job": "t", "level": "", "filename": str(log)}


def test_many_short_lines(weir, loki, log):
    """Lines of 40 bytes, several levels, so that streams alternate: all arrive, each stream in order."""
    levels = [b"debug", b"INFO", b"warn", b"none", b"Error"]
    n = 60_000 if os.environ.get("WEIR_SANITIZED") else 300_000
    append(log, b"".join(b"%08d %-8s and some twenty more\n" % (i, levels[i % 5]) for i in range(n)))
    weir(config(loki, log, SEED))
    await_that(f"{n} lines", lambda: loki.count() >= n, step=0.2)
    by_level = {}
    for e in loki.entries():
        by_level.setdefault(labels(e).get("level"), []).append(int(e.line[:8]))
    assert sum(len(v) for v in by_level.values()) == n and len(by_level) == 5
    for level, got in by_level.items():
        assert got == sorted(got), f"{level} is out of order"


def test_bad_input(weir, loki, log):
    """What no stage can make sense of passes through, and the agent goes on."""
    stages = SEED + BLOCKS % "100ms" + '''
  stage.json { expressions = { a = "" } }
  stage.logfmt { mapping = { b = "" } }
  stage.docker { }
  stage.cri { }
  stage.decolorize { }
'''
    size = (1 if os.environ.get("WEIR_SANITIZED") else 10) << 20
    lines = [b"x" * size, b"nul \0 byte", b"bad \xff\xfe utf8", b"\x1b[", b"", b"{", b'{"log":', b"2026 stdout P", b"=" * 1000, b'a="\\', b"last"]
    append(log, b"\n".join(lines) + b"\n")
    w = weir(config(loki, log, stages))
    await_that("the last line", lambda: "last" in loki.lines(), step=0.1)
    assert len(loki.entries()) >= len(lines) - 1
    assert max(len(e.line) for e in loki.entries()) == size
    assert w.get("/-/ready").status == 200


def test_catastrophic_expression(weir, loki, log):
    """An expression that would search for ever is given up for the entry, counted, and said once."""
    append(log, b"a" * 40 + b"b\nfine\n" + (b"a" * 40 + b"b\n") * 3)
    w = weir(config(loki, log, '  stage.regex { expression = "^(?P<x>(((a+)+)+)+)$" }\n'))
    await_that("five lines", lambda: loki.count() == 5)
    assert loki.lines() == ["a" * 40 + "b", "fine"] + ["a" * 40 + "b"] * 3
    assert w.metric("weir_loki_process_regex_limited_total") == 4
    assert w.log.count("a regular expression took too many steps") == 1


def test_held_lines_survive_a_kill(agent, loki, log):
    """The position does not pass a block whose end has not come."""
    stages = BLOCKS % "1h"
    append(log, b"before\n[1] first\n  second\n")
    w = agent(config(loki, log, stages))
    await_that("what is not held", lambda: loki.lines() == ["before"])
    await_that("all is read", lambda: w.metric("loki_source_file_read_lines_total", path=str(log)) == 3)
    w.signal(signal.SIGKILL)
    w.p.wait()
    w.expected_exit = -signal.SIGKILL
    w = agent(config(loki, log, stages))
    await_that("read again", lambda: w.metric("loki_source_file_read_lines_total", path=str(log)))
    append(log, b"  third\n[2] next\n")
    await_that("the block", lambda: "[1] first\n  second\n  third" in loki.lines())


def test_new_stages_take_over(weir, loki, log):
    """What the old stages hold comes out of them; with the same stages it stays where it is."""
    w = weir(config(loki, log, BLOCKS % "1h"))
    append(log, b"[1] a\n")
    await_that("the line is read", lambda: w.metric("loki_source_file_read_lines_total", path=str(log)) == 1)
    w.reload(config(loki, log, BLOCKS % "1h") + 'loki.echo "other" { }\n')
    append(log, b"b\n")
    await_that("the line is read", lambda: w.metric("loki_source_file_read_lines_total", path=str(log)) == 2)
    assert loki.lines() == []
    w.reload(config(loki, log, SEED))
    await_that("the block", lambda: loki.lines() == ["[1] a\nb"])
    append(log, b"c\n")
    await_that("a line of the new stages", lambda: loki.lines() == ["[1] a\nb", "c"])
    assert labels(loki.entries()[-1])["cluster"] == "main"


def test_stop_sends_what_is_held(agent, loki, log):
    w = agent(config(loki, log, BLOCKS % "1h"))
    append(log, b"[1] a\nb\n")
    await_that("the lines are read", lambda: w.metric("loki_source_file_read_lines_total", path=str(log)) == 2)
    w.stop()
    assert loki.lines() == ["[1] a\nb"]


def test_metrics_of_entries(weir, loki, log):
    stages = '''
  stage.metrics {
    metric.counter {
      name      = "lines"
      match_all = true
      action    = "inc"
    }
  }
  stage.drop {
    expression          = "noise"
    drop_counter_reason = "noisy"
  }
'''
    append(log, b"one\nnoise\ntwo\n")
    w = weir(config(loki, log, stages))
    await_that("two lines", lambda: loki.lines() == ["one", "two"])
    await_that("the metric", lambda: w.metric("loki_process_custom_lines", job="t") == 3)
    assert w.metric("loki_process_dropped_lines_total", reason="noisy") == 1
    w.reload(config(loki, log, ""))
    await_that("the metric is gone", lambda: "loki_process_custom_lines" not in w.get("/metrics").text)


def test_limit_holds_back_the_source(weir, loki, log):
    stages = '  stage.limit {\n    rate  = 200\n    burst = 10\n  }\n'
    append(log, b"".join(b"%d\n" % i for i in range(300)))
    weir(config(loki, log, stages))
    await_that("some lines", lambda: loki.count() > 20)
    assert loki.count() < 300
    await_that("all lines", lambda: loki.count() == 300)
    assert loki.lines() == [str(i) for i in range(300)]


def test_faults_are_placed(weir, loki, log):
    w = weir(config(loki, log, '  stage.match {\n    selector = "{a=1}"\n    action   = "drop"\n  }\n'), wait=False)
    await_that("the end", lambda: w.p.poll() is not None)
    assert "invalid stage config invalid selector syntax for match stage: parse error at line 1, col 4" in w.log
    assert w.p.returncode == 1
    w.expected_exit = 1
