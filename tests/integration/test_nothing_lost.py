"""Nothing lost, as little as possible twice, over the whole agent: loki.source.file -> loki.process -> loki.write with two endpoints. Lines are
numbered and counted at receivers of the tests' own. What each component does by itself is in test_source_file.py, test_process.py and
test_loki_write.py; everything in an order made by a seed in test_logs_chaos.py."""
import os
import random
import re
import shutil
import socket
import subprocess
import threading
import time

import pytest

from log_world import Agent, Receiver, await_all, config, endpoint, stages
from log_writers import (Log, Logger, block_line, by_copytruncate_and_gzip, by_kubelet, by_rename, by_rename_and_gzip, by_rename_and_later_gzip,
                         kubelet_log, numbers, plain_line)
from loki_backend import Answer
from weirproc import SANITIZED, await_that, port_open

RATE = 200 if SANITIZED else 400  # lines a second to each log


@pytest.fixture
def agent(weir_binary, tmp_path):
    a = Agent(weir_binary, tmp_path)
    yield a
    a.close()


@pytest.fixture
def live():
    r = Receiver()
    yield r
    r.down()


@pytest.fixture
def other():
    r = Receiver()
    yield r
    r.down()


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "logs").mkdir()
    return tmp_path / "logs"


def text(logs, receivers, name="seed", write="", more=""):
    targets = [{"__path__": log.path, "kind": kind} for log, kind in logs.items()]
    return config(targets, stages(name), [endpoint(r, more) for r in receivers], write)


def keeps_pace(live, logs):
    """What is written by now arrives at the live endpoint."""
    until = {log: log.n for log in logs}
    await_that("the live endpoint has it", lambda: all(live.has(log, n) for log, n in until.items()))


def more_lines(log, n):
    until = log.n + n
    await_that("some lines more", lambda: log.n >= until)


def no_repeats(receivers, logs):
    for r in receivers:
        assert {log.path: r.repeats(log) for log in logs} == {log.path: 0 for log in logs}


# --- reloaded, stopped, started, rotated, with one endpoint down ---

@pytest.mark.core
def test_rotations_reloads_and_restarts_while_one_endpoint_is_down(agent, live, other, folder, tmp_path):
    """The other endpoint is down from the second moment to the last. No line comes twice, as no process was killed: also those that stages held when
    the agent was stopped were delivered, or on disk, before their position was saved."""
    kinds = {Log(folder / "renamed.log"): "plain", Log(folder / "truncated.log"): "plain", Log(folder / "packed.log"): "plain",
             Log(folder / "blocks.log", block_line): "blocks", kubelet_log(tmp_path, "pod"): "cri"}
    logs = list(kinds)
    ways = dict(zip(logs, (by_rename, by_copytruncate_and_gzip, by_rename_and_gzip, by_rename_and_later_gzip, by_kubelet)))
    agent.start(text(kinds, (live, other)))
    logger = Logger(logs, RATE)

    def rotate():
        for log in logs:
            logger.do(ways[log], log, late=3)

    with logger:
        agent.wait_positions(logs)
        other.down()
        for i in range(3):
            more_lines(logs[0], RATE // 4)
            rotate()
            agent.reload(text(kinds, (live, other), ("staging", "plain", "seed")[i]), by_signal=i % 2 == 0)
            keeps_pace(live, logs)
            if i > 0:
                agent.stop()
                assert "read again after the next start" not in agent.w.log
                more_lines(logs[0], RATE // 4)
                rotate()
                agent.start(text(kinds, (live, other), ("plain", "seed")[i % 2]))
                keeps_pace(live, logs)
        assert other.counted <= live.counted // 2
        held = max(max(other.seen(log), default=-1) for log in logs)
    for log in logs:
        log.complete()
    other.up()
    await_all(logs, (live, other))
    no_repeats((live, other), logs)
    assert held < min(log.n for log in logs) // 2, "the other endpoint was not down for most of the run"
    await_that("the log on disk is let go of", lambda: not list((tmp_path / "data" / "loki.write.w").glob("wal/*.seg")))
    agent.stop()


# --- real loggers ---

LOGROTATE = """
{path} {{
  rotate 100
  missingok
  size 1
  {how}
}}
"""


class Logrotate:
    def __init__(self, folder, path, how):
        if not shutil.which("logrotate"):
            pytest.skip("logrotate is not installed")
        self.conf, self.state = folder / "logrotate.conf", folder / "logrotate.state"
        self.conf.write_text(LOGROTATE.format(path=path, how=how))
        self.conf.chmod(0o644)

    def __call__(self):
        r = subprocess.run(["logrotate", "--force", "--state", str(self.state), str(self.conf)], capture_output=True, text=True, timeout=60)
        assert r.returncode == 0, r.stderr


RSYSLOG = """
global(workDirectory="{d}")
module(load="imtcp")
template(name="as-it-came" type="string" string="%msg%\\n")
ruleset(name="to-file") {{ action(type="omfile" file="{path}" template="as-it-came" asyncWriting="off" flushOnTXEnd="on") }}
input(type="imtcp" address="127.0.0.1" port="{port}" ruleset="to-file")
"""


class Rsyslog:
    """The real rsyslogd writing what it gets over TCP to a file; a Log for the tests."""

    def __init__(self, folder, path, port):
        if not shutil.which("rsyslogd"):
            pytest.skip("rsyslogd is not installed")
        self.path, self.n, self.pid = str(path), 0, folder / "rsyslog.pid"
        conf = folder / "rsyslog.conf"
        conf.write_text(RSYSLOG.format(d=folder, path=path, port=port))
        self.p = subprocess.Popen(["rsyslogd", "-n", "-f", str(conf), "-i", str(self.pid)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        await_that("rsyslogd listens", lambda: port_open(port))
        self.socket = socket.create_connection(("127.0.0.1", port))

    def write(self, lines):
        self.socket.sendall(b"".join(b"<14>Nov 30 10:00:00 host app: " + plain_line(i) for i in range(self.n, self.n + lines)))
        self.n += lines

    def close(self):
        self.socket.close()
        self.p.terminate()
        self.p.wait(20)


def rotated_while(agent, kinds, live, other, logger, rotate):
    """Rotations while it runs, is reloaded, stopped and killed; the other endpoint fails meanwhile."""
    logs = list(kinds)
    agent.start(text(kinds, (live, other)))
    with logger:
        agent.wait_positions(logs)
        other.down()
        for step in (lambda: None, lambda: agent.reload(text(kinds, (live, other), "staging"), by_signal=True), agent.stop, agent.kill):
            more_lines(logs[0], RATE // 4)
            step()
            rotate()
            more_lines(logs[0], RATE // 4)
            rotate()
            if agent.w.p.poll() is not None:
                agent.start(text(kinds, (live, other), "staging"))
            keeps_pace(live, logs)
        other.up()
    await_all(logs, (live, other))
    agent.stop()


def test_rsyslog_and_logrotate(agent, live, other, folder, tmp_path, ports):
    """rsyslogd writes, logrotate renames and compresses, and tells rsyslogd to open its file again."""
    path = folder / "syslog.log"
    log = Rsyslog(tmp_path, path, ports(1)[0])
    try:
        log.write(10)
        await_that("rsyslogd writes", path.exists)
        rotate = Logrotate(tmp_path, path, f"compress\n  delaycompress\n  postrotate\n    kill -HUP $(cat {log.pid})\n  endscript")
        rotated_while(agent, {log: "plain"}, live, other, Logger([log], RATE), rotate)
        assert len(list(folder.glob("*.gz"))) >= 6
    finally:
        log.close()


@pytest.mark.parametrize("how", ["copytruncate\n  compress", "create\n  dateext\n  dateformat -%Y%m%d-%s", "nocreate\n  compress"])
def test_logrotate(agent, live, other, folder, tmp_path, how):
    """The writer waits while logrotate runs: what is written between a copy and the truncation is lost to everybody."""
    log = Log(folder / "app.log")
    rotate = Logrotate(tmp_path, log.path, how)
    logger = Logger([log], RATE)

    def rotate_and_reopen():
        if "dateext" in how:
            time.sleep(1.05)  # the names it makes are different in each second only
        rotate()
        log.reopen()

    rotated_while(agent, {log: "plain"}, live, other, logger, lambda: logger.do(rotate_and_reopen))


# --- kill -9 ---

LINE = 40


def saved_line(agent):
    """The number of the first line that the saved position does not cover."""
    return int(re.search(r'fixed\.log\n.*\n *: "(\d+)"', agent.positions.read_text())[1]) // LINE


class Stalls:
    """How long this machine let somebody wait who does what saving positions takes: a timer, a small file on disk, a rename."""

    def __init__(self, folder):
        self.path, self.seen, self.done = str(folder / "stalls"), [], threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self):
        while not self.done.is_set():
            began = time.monotonic()
            time.sleep(0.05)
            with open(self.path + ".new", "w") as f:
                f.write("x")
                f.flush()
                os.fdatasync(f.fileno())
            os.rename(self.path + ".new", self.path)
            self.seen.append((time.monotonic(), time.monotonic() - began - 0.05))

    def since(self, moment):
        return sum(late for ended, late in self.seen if ended >= moment and late > 0.02)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()


class Delivered:
    """What one process has brought to all of the receivers, and when: what it need not send again once that is saved."""

    def __init__(self, receivers, log):
        self.log, self.receivers, self.history = log, receivers, []
        self.before = [self.arrived(r) for r in receivers]

    def arrived(self, r):
        r.count_new()
        return len(r.files.get(self.log.path, ()))

    def look(self):
        now = time.monotonic()
        self.history.append((now, min(max(r.files.get(self.log.path, [])[had:], default=-1) + 1
                                      for r, had in zip(self.receivers, self.before) if self.arrived(r) >= had)))

    def by(self, moment):
        return max((n for t, n in self.history if t < moment), default=0)


@pytest.mark.core
@pytest.mark.parametrize("seed", [11, 12])
def test_killed_at_random_moments(agent, live, other, folder, tmp_path, seed):
    """No line is lost; those since the last saved position repeat, and no others; a position is at most two seconds older than what both endpoints
    have."""
    rng = random.Random(seed)
    log = Log(folder / "fixed.log", lambda i: b"#%08d; INFO %s\n" % (i, b"z" * (LINE - 17)))
    setup = text({log: "plain"}, (live, other))
    may_repeat = set()
    with Logger([log], RATE) as logger, Stalls(tmp_path) as stalls:
        for answer, at_least in ((Answer(), 2.5), (Answer(503), 0), (Answer(), 0), (Answer(503), 2.5)):
            other.respond = answer
            delivered = Delivered((live, other), log)
            agent.start(setup)
            agent.wait_positions([log])
            keeps_pace(live, [log])
            end = time.monotonic() + at_least + rng.uniform(0.2, 1)
            while time.monotonic() < end:
                delivered.look()
                time.sleep(0.05)
            killed = time.monotonic()
            agent.kill()
            saved = saved_line(agent)
            assert saved >= delivered.by(killed - 2 - stalls.since(killed - 4)), "the saved position is older than two seconds"
            may_repeat.update(range(saved, logger.do(lambda: log.n)))
        agent.start(setup)
        keeps_pace(live, [log])
    other.respond = Answer()
    await_all([log], (live, other))
    assert repeated(live.files[log.path]) <= may_repeat
    agent.stop()


def repeated(ns):
    seen, twice = set(), set()
    for n in ns:
        (twice if n in seen else seen).add(n)
    return twice


# --- one timestamp, back-pressure, shutdown ---

@pytest.mark.core
def test_lines_of_one_timestamp(agent, live, other, folder):
    path = folder / "same.log"
    path.write_text("".join(f"2026-11-30T10:00:00Z #{i:08d}; INFO\n" for i in range(100)) + "2026-11-30T10:00:00Z the same\n" * 2)
    stamp = ('stage.regex { expression = "^(?P<time>\\\\S+)" }\n  stage.timestamp {\n    source = "time"\n    format = "RFC3339"\n'
             '    action_on_failure = "skip"\n  }\n')
    agent.start(config([{"__path__": path, "kind": "plain"}], stages("seed") + stamp, [endpoint(live), endpoint(other)]))
    for r in (live, other):
        r.wait(102)
        for entries in r.streams().values():
            times = [e.time for e in entries]
            assert times == sorted(set(times)) and times[0] == 1796032800 * 10**9, "Loki takes two equal lines of one time for one"
            assert times[-1] < times[0] + 1000
        assert [n for e in r.entries() for n in numbers(e.line)] == list(range(100))
        assert r.lines().count("2026-11-30T10:00:00Z the same") == 2
    agent.stop()


@pytest.mark.core
def test_back_pressure(agent, live, other, folder, tmp_path):
    """Both endpoints are down and the log on disk is small: reading stops, memory stays bounded, a stop says what is left, and all arrives."""
    log = Log(folder / "app.log", lambda i: b"#%08d; %s\n" % (i, random.Random(i).randbytes(500).hex().encode()))
    total = 20_000  # of a kilobyte, which do not compress well
    log.write(total)
    setup = text({log: "plain"}, (live, other), write='wal { max_size = "1MiB" }', more='queue_config { drain_timeout = "2s" }')
    live.down()
    other.down()
    agent.start(setup)
    w = agent.w
    read = lambda: w.metric("loki_source_file_read_lines_total") or 0  # noqa: E731
    await_that("the log on disk is full", lambda: sum(f.stat().st_size for f in tmp_path.glob("data/loki.write.w/wal/*.seg")) > 700_000)
    before = -1
    while before != read():  # nothing is read any more
        before = read()
        time.sleep(0.5)
    assert 0 < before < total * 3 // 4
    assert sum(f.stat().st_size for f in tmp_path.glob("data/loki.write.w/wal/*")) < 2 << 20
    if not SANITIZED:
        assert w.status_kib("VmHWM") < 100 << 10
    started = time.monotonic()
    agent.stop()
    assert time.monotonic() - started < 32
    assert "read again after the next start" in agent.w.log
    for r in (live, other):
        assert f"127.0.0.1:{r.port}" in agent.w.log
    live.up()
    agent.start(setup)
    other.up()
    await_all([log], (live, other))
    for r in (live, other):  # what only one of them had, or its log, when the agent was stopped
        assert r.repeats(log) <= before
    agent.stop()


# --- compressed files ---

@pytest.mark.core
def test_compressed_rotation_with_restarts(agent, live, other, folder, tmp_path):
    """Only what is rotated and compressed is read, as app.log.*.gz, while the agent is stopped and killed in the middle."""
    log = Log(folder / "app.log")
    setup = config([{"__path__": f"{folder}/app.log-*.gz", "kind": "plain"}], stages("seed"), [endpoint(live), endpoint(other)],
                   source='decompression {\n enabled = true\n format = "gz"\n }\n file_match {\n enabled = true\n sync_period = "200ms"\n }')

    def rotate(lines):
        log.write(lines)
        log.generation += 1
        plain = folder / f"tmp.{log.generation}"
        os.rename(log.path, plain)
        log.reopen()
        packed = folder / f"app.log-{log.generation:03}.gz"
        subprocess.run(["gzip", "-c", str(plain)], stdout=open(f"{packed}.part", "wb"), check=True)
        os.unlink(plain)
        os.rename(f"{packed}.part", packed)

    def seen(r):
        r.count_new()
        return {n for ns in r.files.values() for n in ns}

    def arrived():
        return all(len(seen(r)) == log.n for r in (live, other))

    agent.start(setup)
    rotate(2000)
    await_that("the first file", arrived)
    for end in (agent.stop, agent.kill):
        live.respond = Answer(delay=0.1)
        rotate(20000)
        await_that("it is being read", lambda: len(seen(live)) > log.n - 20000)
        end()
        rotate(1000)
        live.respond = Answer()
        agent.start(setup)
        await_that("all of it", arrived)
    for r in (live, other):
        r.check_order()
        assert set(range(log.n)) == seen(r)
    agent.stop()
    for r in (live, other):
        total = sum(len(ns) for ns in r.files.values())
        assert total <= log.n + 22000, "more than the file that was being read came twice"


# --- nginx in front ---

NGINX = """
daemon off; master_process off; pid {d}/pid; error_log {d}/error.log;
events {{}}
http {{
  access_log off;
  client_body_temp_path {d}/b; proxy_temp_path {d}/p; fastcgi_temp_path {d}/f; uwsgi_temp_path {d}/u; scgi_temp_path {d}/s;
  client_max_body_size 64m;
  limit_req_zone $binary_remote_addr zone=slow:1m rate=100r/s;
  server {{
    listen 127.0.0.1:{port};
    location / {{ limit_req zone=slow burst=2 nodelay; proxy_read_timeout 300ms; proxy_pass http://127.0.0.1:{upstream}; }}
  }}
}}
"""


@pytest.fixture
def nginx(tmp_path, ports, other):
    """In front of the other endpoint: 502 when that is down, 504 when it is slow, 503 when there are too many requests."""
    if not shutil.which("nginx"):
        pytest.skip("nginx is not installed")
    port = ports(1)[0]
    (tmp_path / "nginx").mkdir()
    conf = tmp_path / "nginx" / "nginx.conf"
    conf.write_text(NGINX.format(d=tmp_path / "nginx", port=port, upstream=other.port))
    p = subprocess.Popen(["nginx", "-c", str(conf), "-p", str(tmp_path / "nginx")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    await_that("nginx listens", lambda: port_open(port))
    yield f"http://127.0.0.1:{port}/loki/api/v1/push"
    p.terminate()
    p.wait(20)


def test_a_failing_proxy(agent, live, other, nginx, folder):
    log = Log(folder / "app.log")
    agent.start(text({log: "plain"}, (live, other)).replace(other.url, nginx))
    status = lambda code: agent.w.metric("loki_write_request_duration_seconds_count", status_code=code)  # noqa: E731
    with Logger([log], RATE):
        await_that("a line through the proxy", lambda: other.count() > 0)
        for code, fail in (("502", other.down), ("504", lambda: setattr(other, "respond", Answer(hang=True)))):
            fail()
            await_that(f"the proxy answers {code}", lambda: status(code))
            keeps_pace(live, [log])
            if other.server is None:
                other.up()
            other.respond = Answer()
    agent.stop()
    log.write(20_000)
    agent.start(text({log: "plain"}, (live, other), more='queue_config { min_shards = 8 }').replace(other.url, nginx).replace("64KiB", "8KiB"))
    await_all([log], (live, other))
    assert status("503"), "the limit was not reached"
    assert not agent.w.metric("loki_write_dropped_entries_total")
    agent.stop()
