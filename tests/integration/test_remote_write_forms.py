"""prometheus.remote_write: what requests carry, in 1.0 and 2.0: metadata, exemplars, native histograms, and all of it after a restart."""
import dataclasses
import signal
import time

import pytest

from prom_backend import Answer, Exemplar, Histogram, Metadata, Prometheus, STALE, Series, V1, V2
from rw_world import config, endpoint, post_v1, post_v2, queue
from weirproc import await_that

pytestmark = pytest.mark.core
TWO = ' protobuf_message = "io.prometheus.write.v2.Request"\n'
EXPERIMENTAL = "--stability.level=experimental"
SEND = ' send_native_histograms = true\n metadata_config {\n send_interval = "1s"\n }\n'
NOW = int(time.time() * 1000)


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


def histogram(labels, **more):
    return Histogram(tuple(sorted(labels.items())), **dict(
        dict(time=NOW, count=9, sum=7.5, schema=3, zero_threshold=1e-6, zero_count=2, positive_spans=[(0, 2), (3, 1)], positive=[1, 2, -2],
             negative_spans=[(-5, 1)], negative=[2]), **more))


WHOLE = histogram({"__name__": "h", "a": "1"}, reset_hint=2)
FLOATS = histogram({"__name__": "h", "a": "2"}, count=6.5, zero_count=0.5, positive=[1.0, 2.5, 0.25], negative=[2.25])
MARKER = Histogram((("__name__", "h"), ("a", "3")), time=NOW, sum=0.0)
CUSTOM = histogram({"__name__": "h", "a": "4"}, schema=-53, zero_threshold=0.0, zero_count=0, negative_spans=[], negative=[], custom=[0.5, 1.0, 10.0],
                   count=4, start=NOW - 1000)
EXEMPLAR = Exemplar((("__name__", "c_total"),), (("trace_id", "abc"), ("b", "2")), 0.5, NOW - 5)


def same(got, want):
    clean = dict(request=0, sum_bits=0)
    return [dataclasses.replace(h, **clean) for h in got] == [dataclasses.replace(h, **clean) for h in want]


def some_series():
    return [Series({"__name__": "c_total"}, floats=[(NOW, 3.0)], exemplars=[EXEMPLAR], meta=Metadata("counter", "how many", "")),
            Series({"__name__": "nan"}, floats=[(NOW, 0x7FF8000000000001), (NOW + 1, STALE), (NOW + 2, -0.0)], meta=Metadata("gauge", "", "s")),
            Series({"__name__": "lat_bucket", "le": "+Inf"}, floats=[(NOW, 1.0)], meta=Metadata("histogram", "how long", "seconds")),
            Series({"__name__": "lat_count"}, floats=[(NOW, 1.0)], meta=Metadata("histogram", "how long", "seconds"))]


def some_histograms(*histograms):
    return [Series(list(h.labels), histograms=[h], meta=Metadata("histogram", "native", "")) for h in histograms]


def all_there(b, histograms):
    await_that("the floats are there", lambda: len({(s.labels, s.time) for s in b.samples()}) == 6)
    await_that("the histograms are there", lambda: len({h.labels for h in b.histograms()}) >= len(histograms))
    for h in histograms:
        got = b.histograms(**dict(h.labels))
        assert same(got[:1], [h]), (got, h)
    await_that("the exemplar is there", lambda: b.exemplars())
    x = b.exemplars()[0]
    assert (x.of, dict(x.labels), x.value, x.time) == (EXEMPLAR.of, dict(EXEMPLAR.labels), EXEMPLAR.value, EXEMPLAR.time)
    got = {s.time - NOW: s.bits for s in b.samples("nan")}
    assert got == {0: 0x7FF8000000000001, 1: STALE, 2: 1 << 63}


def test_everything_in_1(weir, prom, ports):
    port = ports(1)[0]
    w = weir(config(port, endpoint(prom, queue() + SEND)))
    post_v2(port, some_series() + some_histograms(WHOLE, FLOATS, CUSTOM))
    all_there(prom, [WHOLE, FLOATS])
    assert {r.headers["Content-Type"] for r in prom.requests} == {V1}
    want = {"c_total": Metadata("counter", "how many", ""), "nan": Metadata("gauge", "", "s"), "lat": Metadata("histogram", "how long", "seconds"),
            "h": Metadata("histogram", "native", "")}
    await_that("the metadata is there", lambda: prom.metadata() == want)
    # Custom buckets do not exist in 1.0.
    await_that("it is counted", lambda: w.metric("prometheus_remote_storage_histograms_dropped_total", reason="nhcb_in_rw1_not_supported") == 1)
    assert len(prom.histograms()) == 2
    n = w.metric("prometheus_remote_storage_metadata_total")
    await_that("it comes again", lambda: w.metric("prometheus_remote_storage_metadata_total") > n)
    assert w.metric("prometheus_remote_storage_exemplars_total") == 1 and w.metric("prometheus_remote_storage_histograms_total") == 2


def test_everything_in_2(weir, prom, ports):
    port = ports(1)[0]
    w = weir(config(port, endpoint(prom, queue() + SEND + TWO), more='external_labels = { zone = "z" }'), EXPERIMENTAL)
    post_v2(port, some_series() + some_histograms(WHOLE, FLOATS, CUSTOM))
    await_that("all is there", lambda: prom.count() >= 6 and len(prom.histograms()) >= 3 and prom.exemplars())
    assert {r.headers["Content-Type"] for r in prom.requests} == {V2}
    for h in (WHOLE, FLOATS, CUSTOM):
        want = dataclasses.replace(h, labels=tuple(sorted(h.labels + (("zone", "z"),))))
        assert same(prom.histograms(**dict(want.labels)), [want])
    assert prom.exemplars()[0].of == (("__name__", "c_total"), ("zone", "z"))
    m = prom.metadata()  # by series here: each names its family's
    assert m["lat_bucket"] == m["lat_count"] == Metadata("histogram", "how long", "seconds")
    assert m["c_total"] == Metadata("counter", "how many", "") and m["h"].help == "native"
    assert w.metric("prometheus_remote_storage_samples_total") == 6


@pytest.mark.parametrize("two", [False, True], ids=["1.0", "2.0"])
def test_everything_after_a_kill(weir, prom, ports, two):
    """What was in the log goes out of it, metadata too."""
    port = ports(1)[0]
    text = config(port, endpoint(prom, queue() + SEND + (TWO if two else "")))
    prom.down()
    w = weir(text, EXPERIMENTAL)
    post_v2(port, some_series() + some_histograms(WHOLE, FLOATS))
    w.expected_exit = -signal.SIGKILL
    w.signal(signal.SIGKILL)
    w.p.wait()
    prom.up()
    weir(text, EXPERIMENTAL, f"--storage.path={w.folder / 'data'}")
    all_there(prom, [WHOLE, FLOATS])
    name = "lat_bucket" if two else "lat"
    await_that("the metadata is there", lambda: prom.metadata().get(name) == Metadata("histogram", "how long", "seconds"))
    assert prom.metadata()["c_total"].help == "how many"


def test_metadata_on_disk_that_is_damaged(weir, prom, ports):
    port = ports(1)[0]
    text = config(port, endpoint(prom, queue() + SEND))
    prom.down()
    w = weir(text)
    post_v2(port, some_series())
    assert w.stop() == 0
    kept = w.folder / "data" / "prometheus.remote_write.out" / "log" / "families"
    raw = bytearray(kept.read_bytes())
    raw[12] ^= 1  # of the first
    kept.write_bytes(bytes(raw) + b"\\xff" * 5)
    prom.up()
    again = weir(text, f"--storage.path={w.folder / 'data'}")
    await_that("the others are there", lambda: {"nan", "lat"} <= set(prom.metadata()))
    assert "c_total" not in prom.metadata() and again.log.count("kept on disk is damaged") == 1
    assert len(kept.read_bytes()) < len(raw)


def test_what_is_not_to_be_sent(weir, prom, other, ports):
    """send_exemplars, send_native_histograms and metadata_config are each endpoint's own."""
    port = ports(1)[0]
    without = ' send_exemplars = false\n metadata_config {\n send = false\n }\n'
    w = weir(config(port, endpoint(prom, queue() + without), endpoint(other, queue() + SEND)))
    post_v2(port, some_series() + some_histograms(WHOLE, FLOATS))
    all_there(other, [WHOLE, FLOATS])
    await_that("the metadata is there", lambda: other.metadata())
    await_that("the floats are there", lambda: prom.count() == 6)
    assert not prom.exemplars() and not prom.histograms() and not prom.metadata()
    assert w.metric("prometheus_remote_storage_histograms_pending") == 0


def test_metadata_of_1_comes_through(weir, prom, ports):
    port = ports(1)[0]
    weir(config(port, endpoint(prom, queue() + ' metadata_config {\n send_interval = "200ms"\n max_samples_per_send = 2\n }\n')))
    want = {f"m{i}": Metadata("gauge", f"help {i}", "") for i in range(5)}
    post_v1(port, [Series({"__name__": "m0"}, floats=[(NOW, 1.0)])], want)
    await_that("all of it is there", lambda: prom.metadata() == want)
    want["m3"] = Metadata("counter", "another", "bytes")
    post_v1(port, [Series({"__name__": "m0"}, floats=[(NOW + 1, 1.0)])], {"m3": want["m3"]})
    await_that("what changed is there", lambda: prom.metadata() == want)


def test_a_2_server_that_wrote_nothing(weir, prom, ports):
    """A server that speaks 1.0 only answers 204 to what it does not understand: counted as failed, not as delivered."""
    port = ports(1)[0]
    prom.respond = Answer(204, headers={"X-None": "1"})
    w = weir(config(port, endpoint(prom, queue() + TWO)), EXPERIMENTAL)
    post_v2(port, some_series()[:1])
    await_that("it is told", lambda: "got 2xx, but PRW 2.0 response header statistics indicate" in w.log)
    assert w.metric("prometheus_remote_storage_samples_failed_total") == 1 and w.metric("prometheus_remote_storage_samples_total") == 0
