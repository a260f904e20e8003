"""prometheus.scrape: protobuf, native histograms and their limits, classic ones that become native, times at which counters began."""
import struct
import time

import pytest

from loki_backend import put_bytes, put_varint
from prom_backend import Prometheus, put_double, put_number, put_zigzag
from scrape_world import OPENMETRICS, PROTOBUF, Target, scrape, to
from weirproc import await_that

pytestmark = pytest.mark.core
COUNTER, GAUGE, SUMMARY, UNTYPED, HISTOGRAM, GAUGE_HISTOGRAM = range(6)
FIELD = {COUNTER: 3, GAUGE: 2, SUMMARY: 4, UNTYPED: 5, HISTOGRAM: 7, GAUGE_HISTOGRAM: 7}
V2_ONLY = 'protobuf_message = "io.prometheus.write.v2.Request"'  # 1.0 has no custom buckets
NATIVE = "scrape_native_histograms = true"


@pytest.fixture
def target():
    t = Target(type=PROTOBUF)
    yield t
    t.close()


@pytest.fixture
def prom():
    b = Prometheus()
    yield b
    b.close()


def stamp(ms):
    return put_number(1, ms // 1000) + put_number(2, ms % 1000 * 1_000_000)


def exemplar(labels, value, ms=None):
    pairs = b"".join(put_bytes(1, put_bytes(1, k.encode()) + put_bytes(2, v.encode())) for k, v in labels.items())
    return pairs + put_double(2, value) + (put_bytes(3, stamp(ms)) if ms else b"")


def family(name, kind, *values, labels=None):
    """One message of the stream; values: messages of its kind."""
    pairs = b"".join(put_bytes(1, put_bytes(1, k.encode()) + put_bytes(2, v.encode())) for k, v in (labels or {}).items())
    m = put_bytes(1, name.encode()) + put_bytes(2, b"Help.") + put_number(3, kind)
    m += b"".join(put_bytes(4, pairs + put_bytes(FIELD[kind], v)) for v in values)
    return put_varint(len(m)) + m


def histogram(schema, spans, deltas, count, total=1.5, buckets=(), exemplars=(), start=0):
    out = put_number(1, count) + put_double(2, total)
    out += b"".join(put_bytes(3, put_number(1, n) + put_double(2, le)) for le, n in buckets)
    if spans:
        out += put_number(5, put_zigzag(schema)) + put_double(6, 1e-128)
        out += b"".join(put_bytes(12, put_number(1, put_zigzag(o)) + put_number(2, n)) for o, n in spans)
        out += put_bytes(13, b"".join(put_varint(put_zigzag(d)) for d in deltas))
    out += put_bytes(15, stamp(start)) if start else b""
    return out + b"".join(put_bytes(16, e) for e in exemplars)


def first(prom, name, **labels):
    return prom.wait_for(lambda: prom.histograms(name, **labels), what=f"a histogram {name} {labels}")[0]


def scalar(prom, name, **labels):
    return prom.wait_for(lambda: [s for s in prom.samples(name, **labels) if not s.stale], what=f"{name} {labels}")[0]


def world(weir, prom, *scrapes):
    return weir("".join(scrapes) + to(prom, endpoint="send_exemplars = true\n send_native_histograms = true\n" + V2_ONLY), "--stability.level=experimental")


def test_families(weir, target, prom):
    target.body = (family("c_total", COUNTER, put_double(1, 5) + put_bytes(2, exemplar({"id": "x"}, 0.5, 1520879607789)), labels={"a": "b"})
                   + family("g", GAUGE, put_double(1, -2.5)) + family("u", UNTYPED, put_double(1, float("inf")))
                   + family("s", SUMMARY, put_number(1, 7) + put_double(2, 3.5) + put_bytes(3, put_double(1, 0.99) + put_double(2, 9)))
                   + family("h", HISTOGRAM, histogram(0, [], [], 4, buckets=[(1, 2), (2.5, 3)])))
    w = world(weir, prom, scrape(target.one, 'scrape_protocols = ["PrometheusProto", "PrometheusText0.0.4"]'))
    assert scalar(prom, "c_total", a="b").value == 5 and scalar(prom, "g").value == -2.5 and scalar(prom, "u").value == float("inf")
    assert (scalar(prom, "s_count").value, scalar(prom, "s_sum").value, scalar(prom, "s", quantile="0.99").value) == (7, 3.5, 9)
    assert [scalar(prom, "h_bucket", le=le).value for le in ("1.0", "2.5", "+Inf")] == [2, 3, 4]
    prom.wait_for(lambda: len(prom.samples("g")) > 2, what="three scrapes")
    one, = prom.exemplars("c_total")
    assert (one.labels, one.value, one.time) == ((("id", "x"),), 0.5, 1520879607789)
    target.body = target.body[:-3]
    prom.wait_for(lambda: 0 in prom.values("up"), what="a message cut short fails the scrape")
    prom.wait_for(lambda: [s for s in prom.samples("g") if s.stale], what="markers")
    assert "cut short" in w.log or "broken" in w.log


def test_native_histograms(weir, target, prom):
    """Native alone, with classic, and not at all."""
    now = int(time.time() * 1000) - 10_000
    shown = [exemplar({"id": str(i)}, i, now + i) for i in (3, 1, 2)] + [exemplar({"id": "no time"}, 1)]
    target.body = family("h", HISTOGRAM, histogram(2, [(0, 3), (2, 1)], [1, 1, 1, -2], 7, buckets=[(1, 4)], exemplars=shown), labels={"a": "b"})
    world(weir, prom, scrape(target.one, NATIVE, "native"), scrape(target.one, NATIVE + "\n scrape_classic_histograms = true", "both"),
          scrape(target.one, 'scrape_protocols = ["PrometheusProto"]', "classic"))
    for job in ("native", "both"):
        h = first(prom, "h", job=job, a="b")
        assert (h.schema, h.count, h.sum, h.positive_spans, h.positive) == (2, 7, 1.5, [(0, 3), (2, 1)], [1, 1, 1, -2])
    assert scalar(prom, "h_bucket", job="both", le="1.0").value == 4
    assert scalar(prom, "h_bucket", job="classic", le="+Inf").value == 7
    assert not prom.samples("h_bucket", job="native") and not prom.histograms("h", job="classic")
    prom.wait_for(lambda: len(prom.histograms("h", job="native")) >= 3, what="three scrapes")
    assert [e.value for e in prom.exemplars("h", job="native")] == [1, 2, 3], "in order, once, those with a time"
    target.body = family("h", HISTOGRAM, histogram(2, [(0, 1)], [8], 8, exemplars=[*shown, exemplar({"id": "4"}, 4, now + 4)]), labels={"a": "b"})
    prom.wait_for(lambda: len(prom.exemplars("h", job="native")) > 3, what="the new one")
    assert [e.value for e in prom.exemplars("h", job="native")] == [1, 2, 3, 4]
    target.body = family("other", GAUGE, put_double(1, 1))
    prom.wait_for(lambda: [s for s in prom.samples("h", job="native") if s.stale], what="a marker for the histogram's series")


def test_bucket_limits(weir, target, prom):
    """Buckets are merged until they are few enough; where that cannot be, the scrape fails."""
    target.body = family("h", HISTOGRAM, histogram(3, [(0, 16)], [1] + [0] * 15, 16))
    two = Target(family("h", HISTOGRAM, histogram(-4, [(-3, 1), (2, 1), (2, 1)], [1, 0, 0], 3)), PROTOBUF)
    w = world(weir, prom, scrape(target.one, NATIVE + "\n native_histogram_bucket_limit = 5", "five"),
              scrape(target.one, NATIVE + "\n native_histogram_min_bucket_factor = 1.9", "factor"),
              scrape(two.one, NATIVE + "\n native_histogram_bucket_limit = 2", "none"))
    h = first(prom, "h", job="five")
    counts, total = [], 0
    for d in h.positive:
        total += d
        counts.append(total)
    assert h.schema < 3 and len(counts) <= 5 and sum(counts) == 16 == h.count
    assert first(prom, "h", job="factor").schema == 0
    prom.wait_for(lambda: prom.values("up", job="none"), what="up")
    assert prom.values("up", job="none")[0] == 0 and not prom.histograms("h", job="none")
    assert w.metric("prometheus_target_scrapes_exceeded_native_histogram_bucket_limit_total", component_id="prometheus.scrape.none") >= 1
    assert "histogram bucket limit exceeded" in w.log
    two.close()


CLASSIC = b"""# TYPE h histogram
h_bucket{a="1",le="1"} 2
h_bucket{a="1",le="2"} 2
h_bucket{a="1",le="3"} 2
h_bucket{a="1",le="4"} 2
h_bucket{a="1",le="5"} 7
h_bucket{a="1",le="+Inf"} 8
h_count{a="1"} 8
h_sum{a="1"} 30.5
h_bucket{a="2",le="1"} 0.5
h_count{a="2"} 2
# TYPE bad histogram
bad_bucket{le="1"} 5
bad_bucket{le="+Inf"} 3
bad_count 3
# TYPE g gauge
g 1
h_count{b="not below its type"} 1
"""


def test_classic_histograms_become_native(weir, prom):
    t = Target(CLASSIC)
    nhcb = "convert_classic_histograms_to_nhcb = true"
    w = world(weir, prom, scrape(t.one, nhcb, "one"), scrape(t.one, nhcb + "\n scrape_classic_histograms = true", "both"))
    h = first(prom, "h", a="1", job="one")
    assert (h.schema, h.custom, h.count, h.sum) == (-53, [1, 2, 3, 4, 5], 8, 30.5)
    assert (h.positive_spans, h.positive) == ([(0, 1), (3, 2)], [2, 3, -4])
    h = first(prom, "h", a="2", job="one")
    assert (h.custom, h.count, h.positive_spans, h.positive) == ([1], 2.0, [(0, 2)], [0.5, 1.5])
    assert scalar(prom, "g", job="one").value == 1 and scalar(prom, "h_count", job="one", b="not below its type").value == 1
    assert not prom.samples("h_bucket", job="one") and not prom.histograms("bad")
    assert first(prom, "h", a="1", job="both").count == 8 and scalar(prom, "h_bucket", job="both", a="1", le="5.0").value == 7
    await_that("what is none is told", lambda: "a classic histogram is not converted" in w.log)
    assert prom.values("scrape_samples_scraped", job="one")[0] == 5
    t.body = b"g 1\n"
    prom.wait_for(lambda: len([s for s in prom.samples("h", job="one") if s.stale]) == 2, what="markers")
    t.close()


def test_nhcb_of_protobuf(weir, target, prom):
    """Those that are native already stay."""
    target.body = (family("h", HISTOGRAM, histogram(2, [(0, 1)], [3], 3, buckets=[(1, 2)]))
                   + family("c", HISTOGRAM, histogram(0, [], [], 4, buckets=[(1, 2), (2.5, 3)])))
    world(weir, prom, scrape(target.one, NATIVE + "\n convert_classic_histograms_to_nhcb = true"))
    assert first(prom, "h").schema == 2
    h = first(prom, "c")
    assert (h.schema, h.custom, h.positive, h.count) == (-53, [1, 2.5], [2, -1, 0], 4)
    assert {x.schema for x in prom.histograms("h")} == {2} and not prom.samples("h_bucket") and not prom.samples("c_bucket")


def test_times_at_which_counters_began(weir, target, prom):
    start = int(time.time()) * 1000 - 60_000
    om = Target(f"""# TYPE foo counter
foo_total{{a="b"}} 17
foo_created{{a="b"}} {start / 1000}
# TYPE s summary
s{{quantile="0.5"}} 1
s_count 2
s_sum 3
s_created {start / 1000}
# TYPE g_created gauge
g_created 5
# EOF
""".encode(), OPENMETRICS)
    target.body = (family("c_total", COUNTER, put_double(1, 5) + put_bytes(3, stamp(start)))
                   + family("h", HISTOGRAM, histogram(2, [(0, 1)], [3], 3, start=start)))
    world(weir, prom, scrape(om.one, "start_timestamp_zero_ingestion = true", "om"),
          scrape(target.one, NATIVE + "\n start_timestamp_zero_ingestion = true", "pb"))
    for name, labels in (("foo_total", {"a": "b"}), ("s_count", {}), ("s_sum", {}), ("c_total", {})):
        prom.wait_for(lambda: len(prom.samples(name, **labels)) >= 3, what=name)
        zero, *rest = prom.samples(name, **labels)
        assert (zero.value, zero.time) == (0, start) and all(s.value for s in rest), name
    prom.wait_for(lambda: len(prom.histograms("h")) >= 3, what="h")
    zero, *rest = prom.histograms("h")
    assert (zero.count, zero.time) == (0, start) and all(x.count == 3 for x in rest)
    assert scalar(prom, "g_created").value == 5 and not prom.samples("foo_created") and not prom.samples("s_created")
    assert scalar(prom, "s", quantile="0.5").value == 1
    again = int(time.time() * 1000)
    om.body = om.body.replace(f"foo_created{{a=\"b\"}} {start / 1000}".encode(), f"foo_created{{a=\"b\"}} {again / 1000}".encode())
    prom.wait_for(lambda: [s for s in prom.samples("foo_total") if s.value == 0 and abs(s.time - again) <= 1], what="the zero of a counter that began again")
    om.close()
