"""prometheus.remote_write: reloads with samples under way, and senders that become more and fewer."""
import threading
import time

import pytest

from prom_backend import Answer, Prometheus
from rw_world import Sender, arrived, config, endpoint, in_order, queue, settled
from weirproc import await_that

pytestmark = pytest.mark.core
OUT = "prometheus.remote_write.out"
RULE = 'write_relabel_config {\n source_labels = ["s"]\n regex = "%s"\n action = "%s"\n %s }\n'

NAMED = 'name = "e"\n' + queue()


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


def reload(w, text):
    r = w.reload(text)
    assert r.status == 200, r.text


def test_external_labels_change(weir, prom, ports):
    """What waits gets the new ones too; no sample is lost or doubled."""
    port = ports(1)[0]
    w = weir(config(port, endpoint(prom), more='external_labels = { zone = "a" }'))
    s = Sender(port, series=1)
    assert s.send(tries=100)
    settled(prom, s)
    prom.respond = Answer(503)
    assert s.send(tries=100)
    reload(w, config(port, endpoint(prom), more='external_labels = { zone = "b", more = "x" }'))
    assert s.send(tries=100)
    prom.respond = Answer(200)
    settled(prom, s)
    values = {labels: [x.value for x in v] for labels, v in prom.series().items()}
    old, new = (("__name__", "n"), ("s", "0"), ("zone", "a")), (("__name__", "n"), ("more", "x"), ("s", "0"), ("zone", "b"))
    assert set(values) == {old, new}
    assert values[old] + values[new] == list(map(float, range(90))) and len(values[old]) in (30, 60)


def test_rules_change(weir, prom, ports):
    port = ports(1)[0]
    w = weir(config(port, endpoint(prom, NAMED + RULE % ("1", "drop", ""))))
    s = Sender(port)
    assert s.send(3, tries=100)
    await_that("the others are there", lambda: arrived(prom) == {0.0, 2.0})
    reload(w, config(port, endpoint(prom, NAMED + RULE % ("2", "drop", ""))))
    assert s.send(3, tries=100)
    await_that("the others are there", lambda: arrived(prom) == {0.0, 2.0, 3.0, 4.0})
    reload(w, config(port, endpoint(prom, NAMED + RULE % ("(.*)", "replace", 'target_label = "t"\n replacement = "x$1"\n'))))
    assert s.send(3, tries=100)
    await_that("all are there", lambda: arrived(prom) == {0.0, 2.0, 3.0, 4.0, 6.0, 7.0, 8.0})
    assert {dict(x.labels).get("t") for x in prom.samples("n") if x.value >= 6} == {"x0", "x1", "x2"}
    assert w.metric("prometheus_remote_storage_samples_dropped_total", reason="dropped_series") == 2


def test_endpoints_come_and_go(weir, prom, other, ports):
    """A new one begins with what comes from then on; one that goes is told of with what it had not got, and its place in the log is forgotten."""
    port = ports(1)[0]
    w = weir(config(port, endpoint(prom)))
    s = Sender(port)
    assert s.send(tries=100)
    settled(prom, s)
    reload(w, config(port, endpoint(prom), endpoint(other)))
    later = Sender(port)
    later.n = 1000
    assert later.send(tries=100)
    settled(prom, later)
    settled(other, later)
    assert arrived(other) == set(map(float, later.acked))
    other.respond = Answer(503)
    assert later.send(tries=100)
    await_that("it fails", lambda: "Failed to send batch" in w.log)
    log = w.folder / "data" / OUT / "log"
    assert len(list(log.glob("*.mark"))) == 2
    reload(w, config(port, endpoint(prom)))
    await_that("it is said", lambda: "an endpoint was removed: what it had not got is dropped" in w.log)
    line = next(x for x in w.log.splitlines() if "an endpoint was removed" in x)
    assert "samples_waiting=30" in line and other.url in line
    await_that("its place is forgotten", lambda: len(list(log.glob("*.mark"))) == 1)
    await_that("its trouble too", lambda: w.health(OUT)["state"] == "healthy")
    assert w.metric("prometheus_remote_storage_samples_pending", url=other.url) is None


def test_a_url_that_changes_keeps_what_waits(weir, prom, other, ports):
    """One endpoint for another: what the old one had not got goes to the new one, at a reload and over a restart."""
    port = ports(1)[0]
    prom.respond = Answer(503)
    w = weir(config(port, endpoint(prom)))
    s = Sender(port)
    assert s.send(tries=100)
    reload(w, config(port, endpoint(other)))
    settled(other, s)
    other.respond = Answer(503)
    more = Sender(port)
    more.n = 1000
    assert more.send(tries=100)
    assert w.stop() == 0
    prom.respond = Answer(200)
    weir(config(port, endpoint(prom)), f"--storage.path={w.folder / 'data'}")
    settled(prom, more)


def test_settings_change_in_the_middle(weir, prom, ports):
    """Reloads of everything an endpoint has while samples flow: none is lost, none is out of order."""
    port = ports(1)[0]
    variants = [queue(), queue(max_samples_per_send=7, capacity=20), queue(min_shards=4), queue(min_shards=2, max_shards=3),
                queue() + ' remote_timeout = "5s"\n', queue() + ' headers = { "X-A" = "1" }\n', queue() + ' send_exemplars = false\n']
    w = weir(config(port, endpoint(prom, 'name = "e"\n' + variants[0])))
    s, over = Sender(port, series=20), threading.Event()

    def load():
        while not over.is_set():
            s.send(60)

    t = threading.Thread(target=load, daemon=True)
    t.start()
    for v in variants[1:] + variants[:1]:
        reload(w, config(port, endpoint(prom, 'name = "e"\n' + v)))
        n, sent = len(s.acked), len(prom.requests)
        await_that("samples flow, in and out", lambda: len(s.acked) > n + 120 and len(prom.requests) > sent + 3)
    over.set()
    t.join()
    settled(prom, s)
    in_order(prom)
    assert "X-A" in {k for r in prom.requests for k in r.headers}


def test_senders_become_more_and_fewer(weir, prom, ports):
    """A slow endpoint gets more requests at a time, and fewer when the load is gone; the order of each series stays."""
    port = ports(1)[0]
    prom.respond = Answer(200, delay=0.05)
    w = weir(config(port, endpoint(prom, queue(max_samples_per_send=50, batch_send_deadline='"10ms"'))))
    s = Sender(port, series=100)

    def grew():
        assert s.send(2000, tries=100)
        return (w.metric("prometheus_remote_storage_shards") or 0) >= 3

    await_that("there are more senders", grew, 120)
    assert "Remote storage resharding" in w.log
    settled(prom, s)
    in_order(prom)
    most = w.metric("prometheus_remote_storage_shards")
    prom.respond = Answer(200)

    def shrank():
        assert s.send(20, tries=100)
        time.sleep(0.1)
        return w.metric("prometheus_remote_storage_shards") < most

    await_that("there are fewer senders", shrank, 120)
    settled(prom, s)
    in_order(prom)
