"""prometheus.remote_write: what was written to the log arrives at every endpoint, whatever the endpoints do and however the process ends."""
import signal
import time

import pytest

from prom_backend import V1, Answer, Prometheus, Series, encode_v1, snappy
from weirproc import await_that, http

pytestmark = pytest.mark.core
FAST = 'queue_config {\n batch_send_deadline = "50ms"\n min_backoff = "30ms"\n max_backoff = "200ms"\n }\n'
HEADERS = {"Content-Type": V1, "Content-Encoding": "snappy", "X-Prometheus-Remote-Write-Version": "0.1.0"}


@pytest.fixture
def prom():
    b = Prometheus()
    yield b
    b.close()


@pytest.fixture
def other():
    b = Prometheus()
    yield b
    b.close()


def endpoint(b, more=FAST):
    return f'endpoint {{\n url = "{b.url}"\n {more} }}\n'


def config(port, *endpoints, more=""):
    return f"""
prometheus.receive_http "in" {{
  http {{
    listen_address = "127.0.0.1"
    listen_port = {port}
  }}
  forward_to = [prometheus.remote_write.out.receiver]
}}
prometheus.remote_write "out" {{
  {"".join(endpoints)}
  {more}
}}
"""


class Sender:
    """Pushes numbered samples of some series; knows which were acknowledged."""

    def __init__(self, port, series=3):
        self.port, self.series, self.n, self.acked = port, series, 0, []
        self.start = int(time.time() * 1000)

    def send(self, count=30, tries=1):
        numbers = range(self.n, self.n + count)
        self.n += count
        body = snappy(encode_v1([Series({"__name__": "n", "s": str(i % self.series)}, floats=[(self.start + i, float(i))]) for i in numbers]))
        for _ in range(tries):
            try:
                status = http("POST", f"http://127.0.0.1:{self.port}/api/v1/metrics/write", body, HEADERS, timeout=5).status
            except OSError:
                status = 0
            if status in (200, 204):
                self.acked += numbers
                return True
            time.sleep(0.05)
        return False


def settled(b, sender):
    await_that("everything acknowledged is there", lambda: set(map(float, sender.acked)) <= {s.value for s in b.samples("n")}, 60)


def test_external_labels_only_where_absent(weir, prom, ports):
    port = ports(1)[0]
    weir(config(port, endpoint(prom), more='external_labels = { s = "no", zone = "z" }'))
    s = Sender(port)
    assert s.send(3, tries=100)
    settled(prom, s)
    assert {x.labels for x in prom.samples("n")} == {(("__name__", "n"), ("s", str(i)), ("zone", "z")) for i in range(3)}
    r = prom.requests[0]
    assert r.headers["X-Prometheus-Remote-Write-Version"] == "0.1.0" and r.headers["User-Agent"].startswith("Weir/")


def test_an_outage_loses_nothing(weir, prom, ports):
    port = ports(1)[0]
    weir(config(port, endpoint(prom)))
    s = Sender(port)
    assert s.send(tries=100)
    settled(prom, s)
    prom.down()
    for _ in range(50):
        assert s.send(tries=10)
    prom.up()
    settled(prom, s)


def test_a_kill_goes_on_where_it_stopped(weir, prom, ports):
    port = ports(1)[0]
    s = Sender(port)
    w = weir(config(port, endpoint(prom)))
    assert s.send(tries=100)
    prom.down()
    for _ in range(20):
        assert s.send(tries=10)
    w.expected_exit = -signal.SIGKILL
    w.signal(signal.SIGKILL)
    w.p.wait()
    prom.up()
    weir(config(port, endpoint(prom)), f"--storage.path={w.folder / 'data'}")
    settled(prom, s)


def test_refused_for_good_is_not_repeated(weir, prom, ports):
    port = ports(1)[0]
    w = weir(config(port, endpoint(prom)))
    prom.respond = lambda n, headers: Answer(400, body=b"no such thing") if n == 0 else Answer(200)
    s = Sender(port)
    assert s.send(3, tries=100)
    await_that("it was refused", lambda: "non-recoverable error" in w.log, 60)
    assert "server returned HTTP status 400 Bad Request: no such thing" in w.log


def test_a_dead_endpoint_holds_up_no_other(weir, prom, other, ports):
    port = ports(1)[0]
    other.respond = Answer(503)
    weir(config(port, endpoint(prom), endpoint(other)))
    s = Sender(port)
    for _ in range(20):
        assert s.send(tries=100)
    settled(prom, s)
    other.respond = Answer(200)
    settled(other, s)


def test_rules_drop_series(weir, prom, ports):
    port = ports(1)[0]
    rule = FAST + 'write_relabel_config {\n source_labels = ["s"]\n regex = "1"\n action = "drop"\n }\n'
    weir(config(port, endpoint(prom, rule)))
    s = Sender(port)
    assert s.send(tries=100)
    await_that("the others are there", lambda: {0.0, 2.0, 27.0, 29.0} <= {x.value for x in prom.samples("n")}, 60)
    assert all(dict(x.labels)["s"] != "1" for x in prom.samples("n"))
