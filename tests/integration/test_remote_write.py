"""prometheus.remote_write: what was written to the log arrives at every endpoint, whatever the endpoints do and however the process ends."""
import signal

import pytest

from prom_backend import Answer, Prometheus
from rw_world import FAST, Sender, config, endpoint, in_order, settled
from weirproc import await_that

pytestmark = pytest.mark.core


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
