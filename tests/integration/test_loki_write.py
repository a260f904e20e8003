"""loki.write: what was acknowledged arrives at every endpoint, in order within its stream, whatever the endpoints do and however the process
ends."""
import random
import re
import shutil
import signal
import subprocess
import threading
import time

import pytest

from loki_backend import Answer, Loki, encode_push, snappy
from weirproc import SANITIZED, await_that, http, port_open

pytestmark = pytest.mark.core
FAST = 'min_backoff_period = "50ms"\n max_backoff_period = "200ms"\n batch_wait = "50ms"\n batch_size = "8KiB"\n'
HEADERS = {"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy"}


@pytest.fixture
def other():
    b = Loki()
    yield b
    b.close()


def endpoint(url, more=FAST):
    return f'endpoint {{\n url = "{url}"\n {more} }}\n'


def config(port, *endpoints, more=""):
    return f"""
loki.source.api "in" {{
  http {{
    listen_address = "127.0.0.1"
    listen_port = {port}
  }}
  forward_to = [loki.write.out.receiver]
}}
loki.write "out" {{
  {"".join(endpoints)}
  {more}
}}
"""


def file_config(path, *endpoints, more=""):
    return f"""
loki.source.file "in" {{
  targets = [{{__path__ = "{path}", job = "f"}}]
  forward_to = [loki.write.out.receiver]
}}
loki.write "out" {{
  {"".join(endpoints)}
  {more}
}}
"""


class Sender:
    """Pushes numbered lines of some streams and knows which were acknowledged."""

    def __init__(self, port, streams=3):
        self.port, self.streams, self.n, self.acked = port, streams, 0, []

    def send(self, count=10, tries=1):
        lines = range(self.n, self.n + count)
        self.n += count
        body = {}
        for i in lines:
            body.setdefault(f'{{s="{i % self.streams}"}}', []).append((1_700_000_000_000_000_000 + i, f"line {i}"))
        packed = snappy(encode_push(body))
        for _ in range(tries):
            try:
                status = http("POST", f"http://127.0.0.1:{self.port}/loki/api/v1/push", packed, HEADERS, timeout=5).status
            except OSError:
                status = 0
            if status in (200, 204):
                self.acked += lines
                return True
            time.sleep(0.05)
        return False


def numbers(loki, labels=None):
    return [int(e.line.split()[1]) for e in loki.entries() if labels is None or e.labels == labels]


def assert_all_there(loki, sender, once=True):
    got = numbers(loki)
    missing = set(sender.acked) - set(got)
    assert not missing, f"{len(missing)} of {len(sender.acked)} are missing, {sorted(missing)[:10]}"
    if once:
        assert len(got) == len(set(got)), "lines came twice"
    for s in range(sender.streams):
        mine = numbers(loki, f'{{s="{s}"}}')
        first = list(dict.fromkeys(mine))  # by their first arrival
        assert first == sorted(first), "a stream is out of order"


def settled(loki, sender, timeout=30):
    await_that("everything acknowledged is there", lambda: set(sender.acked) <= set(numbers(loki)), timeout)


# --- the wire ---

def test_lines_arrive_as_they_were(weir, loki, ports):
    port = ports(1)[0]
    weir(config(port, endpoint(loki.url, 'batch_wait = "100ms"\n tenant_id = "acme"\n'), more='external_labels = { e = "\\"x\\\\" }'))
    lines = ["plain", "", "nul\0byte", "tab\tq\"uote", "\udcff\udcfe", "日本", "x" * 300_000]
    body = encode_push({'{a="b", z="é"}': [(i + 1, line, {"trace": str(i), "k": ""}) for i, line in enumerate(lines)]})
    assert http("POST", f"http://127.0.0.1:{port}/loki/api/v1/push", snappy(body), HEADERS).status in (200, 204)
    loki.wait(len(lines))
    got = loki.entries()
    assert [e.line for e in got] == lines
    assert got[0].meta == [("trace", "0"), ("k", "")]
    assert {e.labels for e in got} == {'{a="b", e="\\"x\\\\", z="é"}'}
    r = loki.requests[0]
    assert r.tenant == "acme" and r.headers["User-Agent"].startswith("Weir/")
    assert re.fullmatch(r"[0-9a-f-]{36}", r.headers["X-Alloy-Id"]) and r.headers["X-Alloy-Id"] == r.headers["X-Agent-Id"]


def test_few_bytes_a_line(weir, loki, tmp_path):
    log = tmp_path / "a.log"
    n = 20_000 if SANITIZED else 100_000
    words = ["GET", "POST", "/api/v1/things", "/index.html", "200", "404", "curl/7.88", "Mozilla/5.0"]
    with open(log, "w") as f:
        for i in range(n):
            f.write(f'10.0.{i % 7}.{i % 251} - - [30/Nov/2026:12:{i // 60 % 60:02}:{i % 60:02} +0000] "{random.choice(words)} {random.choice(words)}'
                    f' HTTP/1.1" 200 {i * 7 % 9999} "-" "{random.choice(words)} (X11; Linux x86_64) AppleWebKit/537.36"\n')
    weir(file_config(log, endpoint(loki.url, "")))
    loki.wait(n, 60)
    assert loki.wire_bytes / n < 60


# --- refusals ---

@pytest.mark.parametrize("answer", [Answer(500), Answer(503, b"later"), Answer(429), Answer(204, cut=True), Answer(500, cut=True)])
def test_failures_are_tried_again(weir, loki, ports, answer):
    port = ports(1)[0]
    w = weir(config(port, endpoint(loki.url)))
    sender = Sender(port)
    loki.respond = lambda n, headers: answer if n < 3 else Answer()
    assert sender.send(30)
    settled(loki, sender)
    assert_all_there(loki, sender, once=not (answer.cut and answer.status == 204))
    await_that("they are counted", lambda: w.metric("loki_write_batch_retries_total") == 3)
    assert w.metric("loki_write_dropped_entries_total") == 0


def test_a_refusal_for_good_is_counted_named_and_passed(weir, loki, ports):
    port = ports(1)[0]
    w = weir(config(port, endpoint(loki.url)))
    sender = Sender(port, streams=1)
    loki.respond = lambda n, headers: Answer(400, b"entry too far behind\nmore") if n == 0 else Answer()
    assert sender.send(5)
    await_that("it is counted", lambda: w.metric("loki_write_dropped_entries_total", reason="ingester_error") == 5)
    assert "server returned HTTP status 400 Bad Request (400): entry too far behind" in w.log
    assert 'labels="{s=\\"0\\"}"' in w.log and "entries=5" in w.log
    health = w.health("loki.write.out")
    assert health["state"] == "unhealthy" and "400" in health["message"] and "since" in health["message"]
    assert sender.send(5)
    await_that("the next ones arrive", lambda: loki.count() == 5)
    await_that("it is well again", lambda: w.health("loki.write.out")["state"] == "healthy")


def test_series_are_there_from_the_start(weir, loki, ports):
    w = weir(config(ports(1)[0], endpoint(loki.url)))
    host = f"127.0.0.1:{loki.port}"
    for reason in ("ingester_error", "rate_limited", "stream_limited", "line_too_long", "queue_is_full"):
        await_that(reason, lambda: w.metric("loki_write_dropped_entries_total", reason=reason, host=host, tenant="") == 0)
        assert w.metric("loki_write_dropped_bytes_total", reason=reason) == 0
    assert w.metric("loki_write_sent_bytes_total") == 0 and w.metric("loki_write_sent_entries_total") == 0


def test_a_slow_endpoint_gets_everything(weir, loki, ports):
    port = ports(1)[0]
    weir(config(port, endpoint(loki.url)))
    sender = Sender(port)
    loki.respond = Answer(delay=0.3)
    for _ in range(50):
        assert sender.send(100, tries=100)
    loki.respond = Answer()
    settled(loki, sender)
    assert_all_there(loki, sender)


# --- one of two is down ---

@pytest.mark.parametrize("how", ["down", "500", "429", "hang", "cut"])
def test_the_live_one_keeps_pace(weir, loki, other, ports, how):
    port = ports(1)[0]
    w = weir(config(port, endpoint(loki.url), endpoint(other.url, FAST + 'remote_timeout = "1s"\n')))
    sender = Sender(port)
    if how == "down":
        other.down()
    else:
        other.respond = {"500": Answer(500), "429": Answer(429), "hang": Answer(hang=True), "cut": Answer(500, cut=True)}[how]
    for i in range(150):
        assert sender.send(100, tries=100)
    settled(loki, sender)
    assert_all_there(loki, sender)
    assert other.count() == 0
    await_that("it is said", lambda: w.health("loki.write.out")["state"] == "unhealthy")
    if how == "down":
        other.up()
    other.respond = Answer()
    settled(other, sender)
    assert_all_there(other, sender, once=how != "hang")
    await_that("it is well", lambda: w.health("loki.write.out")["state"] == "healthy")
    assert sender.send(10)
    settled(other, sender)
    await_that("the log is empty", lambda: not list(w.folder.glob("data/loki.write.out/wal/*.seg")))


def test_a_file_goes_on_for_the_live_one(weir, loki, other, tmp_path):
    """The position moves although one endpoint is down: the log has what it lacks."""
    log = tmp_path / "a.log"
    other.down()
    w = weir(file_config(log, endpoint(loki.url), endpoint(other.url)))
    n = 0
    with open(log, "w") as f:
        for _ in range(100):
            for _ in range(500):
                f.write(f"line {n} {'x' * 60}\n")
                n += 1
            f.flush()
            time.sleep(0.02)
    loki.wait(n)
    size = log.stat().st_size
    await_that("the position is at the end", lambda: str(size) in "".join(
        p.read_text() for p in w.folder.glob("data/loki.source.file.in/positions.yml")))
    other.up()
    other.wait(n)
    assert numbers(other) == numbers(loki) == list(range(n))


# --- ends ---

def test_a_stop_with_an_endpoint_down(weir, loki, other, ports):
    port = ports(1)[0]
    text = config(port, endpoint(loki.url), endpoint(other.url))
    w = weir(text)
    other.down()
    sender = Sender(port)
    for _ in range(20):
        assert sender.send(50)
    w.p.send_signal(signal.SIGTERM)
    assert w.p.wait(30) == 0
    settled(loki, sender)
    assert "the log on disk keeps what an endpoint has not got yet" in w.log and f"127.0.0.1:{other.port}" in w.log
    other.up()
    again = restart(weir, w, text)
    settled(other, sender)
    assert_all_there(other, sender)
    assert_all_there(loki, sender)
    again.finish()


def restart(weir, w, text):
    """Another process over the same data."""
    return weir(text, f"--storage.path={w.folder / 'data'}")


@pytest.mark.parametrize("seed", range(3))
def test_killed_with_wal_loses_nothing_acknowledged(weir, loki, other, ports, seed):
    rng = random.Random(seed)
    port = ports(1)[0]
    text = config(port, endpoint(loki.url), endpoint(other.url), more="wal {\n enabled = true\n min_read_frequency = \"20ms\"\n }")
    sender = Sender(port)
    w = first = weir(text)
    for round in range(4):
        stop = threading.Event()

        def load():
            while not stop.is_set():
                sender.send(20)

        t = threading.Thread(target=load)
        t.start()
        other.respond = Answer(503) if rng.random() < 0.5 else Answer()
        time.sleep(rng.uniform(0.3, 1.2))
        w.p.kill()
        w.p.wait()
        w.expected_exit = -9
        stop.set()
        t.join()
        w = restart(weir, first, text)
    other.respond = Answer()
    assert len(sender.acked) > 100
    for backend in (loki, other):
        settled(backend, sender)
        assert_all_there(backend, sender, once=False)


def test_killed_while_an_endpoint_is_down(weir, loki, other, ports):
    """Without wal: what was spilled is kept."""
    port = ports(1)[0]
    text = config(port, endpoint(loki.url), endpoint(other.url))
    w = weir(text)
    other.respond = Answer(503)
    sender = Sender(port)
    for _ in range(50):
        assert sender.send(100)
    settled(loki, sender)
    spilled = lambda: sum(f.stat().st_size for f in w.folder.glob("data/loki.write.out/wal/*.seg"))  # noqa: E731
    await_that("what the other one lacks goes to disk", lambda: spilled() > 1000)
    before = 0
    while before != spilled():  # all of it
        before = spilled()
        time.sleep(0.5)
    w.p.kill()
    w.p.wait()
    w.expected_exit = -9
    other.respond = Answer()
    restart(weir, w, text)
    settled(other, sender)
    assert_all_there(other, sender)


def test_reloads_keep_what_waits(weir, loki, other, ports):
    port = ports(1)[0]
    first = config(port, endpoint(loki.url), endpoint(other.url))
    second = config(port, endpoint(loki.url), endpoint(other.url), more='external_labels = { x = "y" }')
    w = weir(first)
    sender = Sender(port)
    other.respond = Answer(503)
    for i in range(20):
        assert sender.send(50)
        assert w.reload(second if i % 2 == 0 else first).status == 200
    other.respond = Answer()
    for backend in (loki, other):
        settled(backend, sender)
        got = numbers(backend)
        assert len(got) == len(set(got))


# --- nginx in front ---

NGINX = """
daemon off; master_process off; pid {d}/pid; error_log {d}/error.log;
events {{}}
http {{
  access_log off;
  client_body_temp_path {d}/b; proxy_temp_path {d}/p; fastcgi_temp_path {d}/f; uwsgi_temp_path {d}/u; scgi_temp_path {d}/s;
  client_max_body_size 64m;
  limit_req_zone $binary_remote_addr zone=slow:1m rate=5r/s;
  limit_req_status 429;
  server {{
    listen 127.0.0.1:{port};
    location /limited/ {{ limit_req zone=slow; proxy_pass http://127.0.0.1:{upstream}/; }}
    location / {{ proxy_pass http://127.0.0.1:{upstream}/; }}
  }}
}}
"""


@pytest.fixture
def nginx(tmp_path, ports, loki):
    if not shutil.which("nginx"):
        pytest.skip("nginx is not installed")
    port = ports(1)[0]
    conf = tmp_path / "nginx.conf"
    conf.write_text(NGINX.format(d=tmp_path, port=port, upstream=loki.port))
    running = []

    def start():
        running.append(subprocess.Popen(["nginx", "-c", str(conf), "-p", str(tmp_path)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        await_that("nginx listens", lambda: port_open(port))
        return running[-1]

    start.url = f"http://127.0.0.1:{port}"
    yield start
    for p in running:
        p.terminate()
        p.wait(20)


def test_a_rate_limit_slows_but_loses_nothing(weir, loki, nginx, ports):
    nginx()
    port = ports(1)[0]
    w = weir(config(port, endpoint(nginx.url + "/limited/loki/api/v1/push")))
    sender = Sender(port)
    for _ in range(30):
        assert sender.send(100, tries=200)
    settled(loki, sender)
    assert_all_there(loki, sender)
    assert w.metric("loki_write_request_duration_seconds_count", status_code="429") >= 1


def test_a_proxy_that_is_restarted_under_load(weir, loki, nginx, ports):
    port = ports(1)[0]
    weir(config(port, endpoint(nginx.url + "/loki/api/v1/push")))
    sender = Sender(port)
    for _ in range(4):
        p = nginx()
        for _ in range(20):
            assert sender.send(50, tries=200)
        p.terminate()
        p.wait(20)
        assert sender.send(50, tries=200)
    nginx()
    settled(loki, sender)
    assert_all_there(loki, sender, once=False)
