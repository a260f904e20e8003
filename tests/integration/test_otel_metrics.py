"""The two bridges of metrics, end to end: what a scrape finds leaves as OTLP (otelcol.receiver.prometheus), and what comes as OTLP leaves by remote
write (otelcol.exporter.prometheus)."""
import json
import time

import pytest

from otlp_metrics import NO_VALUE, attributes, request, sent
from prom_backend import V2, Histogram, Prometheus, Series, encode_v2
from test_prometheus_receive import BOTH, receiver, send
from test_scrape import Target
from weirproc import await_that, http

pytestmark = pytest.mark.core
EXPERIMENTAL = "--stability.level=experimental"


@pytest.fixture
def target():
    t = Target()
    yield t
    t.shutdown()
    t.server_close()


@pytest.fixture
def prom():
    b = Prometheus()
    yield b
    b.close()


# --- otelcol.receiver.prometheus ---

def scraping(target, backend, more="honor_metadata = true", interval="1s", instance="", to="otelcol.receiver.prometheus.r.receiver", extra=""):
    return f'''
prometheus.scrape "s" {{
  targets         = [{{"__address__" = "{target.address}"{instance}}}]
  forward_to      = [{to}]
  job_name        = "shop/web"
  scrape_interval = "{interval}"
  scrape_timeout  = "{interval}"
  {more}
}}
otelcol.receiver.prometheus "r" {{
  output {{
    metrics = [otelcol.exporter.otlphttp.out.input]
  }}
}}
otelcol.exporter.otlphttp "out" {{
  client {{
    endpoint = "{backend.url}"
  }}
}}
{extra}
'''


def first(backend, name, **attributes):
    """The first metric of that name with a point of these attributes."""
    def found():
        return next((m for m in sent(backend) if m.name == name and any(attributes.items() <= p.attributes.items() for p in m.points)), None)

    return await_that(f"a metric {name}", found)


OPEN = "application/openmetrics-text; version=1.0.0; charset=utf-8"
EXPOSITION = b"""# TYPE requests counter
# HELP requests Requests that were served.
requests_total{code="200"} 17 1700000000.5 # {trace_id="0102030405060708090a0b0c0d0e0f10",span_id="0102",who="me"} 1 1700000000.25
requests_created{code="200"} 1600000000.25
# TYPE temperature_celsius gauge
# UNIT temperature_celsius celsius
# HELP temperature_celsius How warm it is.
temperature_celsius{room="a",empty=""} -3.5
# TYPE wait_seconds histogram
# UNIT wait_seconds seconds
wait_seconds_bucket{le="0.1"} 2
wait_seconds_bucket{le="1.0"} 5 # {TRACE_ID="zz"} 0.7
wait_seconds_bucket{le="+Inf"} 6
wait_seconds_sum 4.5
wait_seconds_count 6
wait_seconds_created 1600000001
# TYPE size_bytes summary
# UNIT size_bytes bytes
size_bytes{quantile="0.5"} 100
size_bytes{quantile="0.9"} 250
size_bytes_sum 1000
size_bytes_count 9
# TYPE build info
build_info{version="1"} 1
# TYPE state stateset
state{state="on"} 1
state{state="off"} 0
# TYPE load gaugehistogram
load_bucket{le="1.0"} 1
load_bucket{le="+Inf"} 2
load_gcount 2
load_gsum 3
# TYPE nobody unknown
nobody 1
# TYPE target info
target_info{host_name="box",zone="z"} 1
# TYPE otel_scope info
otel_scope_info{otel_scope_name="lib",otel_scope_version="2",color="red"} 1
# TYPE scoped gauge
scoped{otel_scope_name="lib",otel_scope_version="2",otel_scope_schema_url="http://schema",own="x"} 1
# EOF
"""


def test_scraped_types(weir, target, backend):
    """Every type of OpenMetrics becomes what OTLP has for it."""
    target.body, target.type = EXPOSITION, OPEN
    weir(scraping(target, backend, "honor_metadata = true\n honor_timestamps = true"), EXPERIMENTAL)
    m = first(backend, "requests_total")
    assert (m.kind, m.temporality, m.monotonic, m.description, m.unit) == ("sum", 2, True, "Requests that were served.", "")
    assert m.metadata == {"prometheus.type": "counter"}
    assert m.point.value == 17 and m.point.attributes == {"code": "200"}
    assert m.point.time == 1700000000500000000 and m.point.start == 1600000000250000000
    e, = m.point.exemplars
    assert e == {"attributes": {"who": "me"}, "time": 1700000000250000000, "value": 1.0, "span": "0000000000000102",
                 "trace": "0102030405060708090a0b0c0d0e0f10"}
    m = first(backend, "temperature_celsius")
    assert (m.kind, m.unit, m.description, m.point.value, m.point.attributes) == ("gauge", "Cel", "How warm it is.", -3.5, {"room": "a"})
    assert abs(m.point.time / 1e9 - time.time()) < 60 and m.point.start == 0
    m = first(backend, "wait_seconds")
    p = m.point
    assert (m.kind, m.temporality, m.unit) == ("histogram", 2, "s")
    assert (p.bounds, p.buckets, p.count, p.sum, p.attributes, p.start) == ([0.1, 1.0], [2, 3, 1], 6, 4.5, {}, 1600000001000000000)
    assert [(e["value"], e["attributes"], e["trace"]) for e in p.exemplars] == [(0.7, {"TRACE_ID": "zz"}, "")]
    m = first(backend, "size_bytes")
    assert (m.kind, m.unit, m.point.quantiles, m.point.count, m.point.sum) == ("summary", "By", [(0.5, 100), (0.9, 250)], 9, 1000)
    m = first(backend, "build_info")
    assert (m.kind, m.temporality, m.monotonic, m.point.attributes) == ("sum", 2, False, {"version": "1"})
    m = first(backend, "state")
    assert (m.kind, {p.attributes["state"]: p.value for p in m.points}) == ("sum", {"on": 1, "off": 0})
    assert first(backend, "load_bucket", le="1.0").kind == "gauge"
    assert first(backend, "nobody").kind == "gauge"
    assert first(backend, "up").description and first(backend, "scrape_duration_seconds").unit == "s"
    assert not [m.name for m in sent(backend) if m.name.endswith("_created") or m.name in ("target_info", "otel_scope_info")]


def test_scraped_resource_and_scope(weir, target, backend):
    target.body, target.type = EXPOSITION, OPEN
    weir(scraping(target, backend, instance=', instance = "shop.example:8080"'), EXPERIMENTAL)
    m = first(backend, "scoped")
    assert m.resource == {"service.name": "shop/web", "service.instance.id": "shop.example:8080", "server.address": "shop.example",
                          "net.host.name": "shop.example", "server.port": "8080", "net.host.port": "8080", "url.scheme": "http",
                          "http.scheme": "http", "host_name": "box", "zone": "z"}
    assert m.scope == ("lib", "2", {"color": "red"}, "http://schema")
    assert m.point.attributes == {"own": "x"}
    name, version, attributes, url = first(backend, "nobody").scope
    assert name == "otelcol.receiver.prometheus" and version and not attributes and not url


def test_scraped_without_metadata(weir, target, backend):
    """As it is by default: gauges with the exact names of the series."""
    target.body, target.type = EXPOSITION, OPEN
    weir(scraping(target, backend, ""))
    for name, attributes in (("requests_total", {"code": "200"}), ("wait_seconds_bucket", {"le": "0.1"}), ("wait_seconds_sum", {}),
                             ("size_bytes", {"quantile": "0.5"})):
        m = first(backend, name, **attributes)
        assert (m.kind, m.unit, m.description, m.metadata) == ("gauge", "", "", {"prometheus.type": "unknown"}), m
    assert first(backend, "up").metadata == {"prometheus.type": "gauge"}


def test_scraped_staleness(weir, target, backend):
    """A series that is gone, and a target that is: points that say so, of the type they had."""
    target.body, target.type = EXPOSITION, OPEN
    w = weir(scraping(target, backend), EXPERIMENTAL)
    first(backend, "temperature_celsius")
    target.body = EXPOSITION.replace(b'temperature_celsius{room="a",empty=""} -3.5\n', b"")
    stale = lambda name: next((m for m in sent(backend) if m.name == name and m.point.flags == NO_VALUE), None)
    m = await_that("the gauge is marked", lambda: stale("temperature_celsius"))
    assert m.kind == "gauge" and m.point.attributes == {"room": "a"}
    assert not stale("wait_seconds")
    target.status = 500
    m = await_that("the histogram is marked", lambda: stale("wait_seconds"))
    assert m.kind == "histogram" and m.unit == "s"
    assert not stale("requests_total")  # it has times of its own
    assert await_that("the summary is marked", lambda: stale("size_bytes")).kind == "summary"
    await_that("up is 0", lambda: [m for m in sent(backend) if m.name == "up" and m.point.value == 0])
    assert "Failed to scrape Prometheus endpoint" in w.log


def test_scraped_through_relabel_and_without_job(weir, target, backend):
    target.body, target.type = b'# TYPE a counter\n# HELP a It counts.\na_total{drop="1"} 1\na_total{keep="1"} 2\nb 1\n# EOF\n', OPEN
    w = weir(scraping(target, backend, to="prometheus.relabel.r.receiver", extra='''
prometheus.relabel "r" {
  forward_to = [otelcol.receiver.prometheus.r.receiver]
  rule {
    source_labels = ["drop"]
    regex         = "1"
    action        = "drop"
  }
  rule {
    source_labels = ["__name__"]
    regex         = "b"
    target_label  = "job"
    replacement   = ""
  }
}
'''), EXPERIMENTAL)
    m = first(backend, "a_total")
    assert (m.kind, m.description, m.point.attributes) == ("sum", "It counts.", {"keep": "1"})
    await_that("the one without a job is told", lambda: "job or instance cannot be found from labels" in w.log)
    assert not [m for m in sent(backend) if m.name == "b"]


def test_native_histograms(weir, backend, ports):
    """Of remote write: exponential ones, with gaps between their spans, and those with bounds of their own."""
    [port] = ports(1)
    weir(receiver(port, "otelcol.receiver.prometheus.r.receiver", BOTH) + f'''
otelcol.receiver.prometheus "r" {{
  output {{
    metrics = [otelcol.exporter.otlphttp.out.input]
  }}
}}
otelcol.exporter.otlphttp "out" {{
  client {{
    endpoint = "{backend.url}"
  }}
}}
''', EXPERIMENTAL)
    labels = {"job": "j", "instance": "i:1", "code": "200"}
    h = Histogram((), 1700000000000, 12, 3.5, 2, 0.001, 2, [(0, 1)], [3], [(-1, 2), (2, 1)], [2, 1, 1], start=1600000000000)
    own = Histogram((), 1700000000000, 6, 4.5, -53, positive_spans=[(0, 3)], positive=[1, 1, 1], custom=[0.1, 1.0])
    r = send(port, encode_v2([Series(dict(labels, __name__="e"), histograms=[h]), Series(dict(labels, __name__="own"), histograms=[own])]), V2)
    assert r.status == 204, r.text
    m = first(backend, "e")
    p = m.point
    assert (m.kind, m.temporality, p.attributes) == ("exponential", 2, {"code": "200"})
    assert (p.scale, p.count, p.sum, p.zero_count, p.zero_threshold) == (2, 12, 3.5, 2, 0.001)
    assert p.positive == (-2, [2, 3, 0, 0, 4]) and p.negative == (-1, [3])
    assert (p.time, p.start) == (1700000000000000000, 1600000000000000000)
    p = first(backend, "own").point
    assert (p.bounds, p.buckets, p.count, p.sum) == ([0.1, 1.0], [1, 2, 3], 6, 4.5)


# --- otelcol.exporter.prometheus ---

def exporting(port, prom, arguments="", remote=""):
    return f'''
otelcol.receiver.otlp "in" {{
  http {{
    endpoint = "127.0.0.1:{port}"
  }}
  output {{
    metrics = [otelcol.exporter.prometheus.p.input]
  }}
}}
otelcol.exporter.prometheus "p" {{
  forward_to = [prometheus.remote_write.out.receiver]
  {arguments}
}}
prometheus.remote_write "out" {{
  endpoint {{
    url = "{prom.url}"
    send_native_histograms = true
    queue_config {{
      batch_send_deadline = "50ms"
    }}
    metadata_config {{
      send_interval = "100ms"
    }}
    {remote}
  }}
}}
'''


NOW = int(time.time()) * 10**9
START = NOW - 3600 * 10**9
RESOURCE = {"service__namespace": "shop", "service__name": "web", "service__instance__id": "web-1", "host__name": "box", "n": 3}


def push(port, metrics, resource=RESOURCE, scope=None):
    r = http("POST", f"http://127.0.0.1:{port}/v1/metrics", json.dumps(request(metrics, resource, scope)).encode(),
             {"Content-Type": "application/json"})
    assert r.status == 200, r.text


def at(value, when=NOW, start=START, exemplars=(), **more):
    kind = "asInt" if isinstance(value, int) else "asDouble"
    return {"timeUnixNano": str(when), "startTimeUnixNano": str(start), kind: str(value) if kind == "asInt" else value,
            "attributes": attributes(**more), "exemplars": list(exemplars)}


def gauge(name, value=1.5, unit="", **more):
    return {"name": name, "unit": unit, "gauge": {"dataPoints": [at(value, **more)]}}


def counter(name, value=5, unit="", monotonic=True, temporality=2, **more):
    return {"name": name, "unit": unit, "description": f"Help of {name}.",
            "sum": {"dataPoints": [at(value, **more)], "aggregationTemporality": temporality, "isMonotonic": monotonic}}


def histogram(name, unit="s", counts=(1, 2, 3), bounds=(0.1, 1), exemplars=(), **more):
    return {"name": name, "unit": unit, "histogram": {"aggregationTemporality": 2, "dataPoints": [{
        "timeUnixNano": str(NOW), "startTimeUnixNano": str(START), "count": str(sum(counts)), "sum": 4.5, "bucketCounts": [str(c) for c in counts],
        "explicitBounds": list(bounds), "exemplars": list(exemplars), "attributes": attributes(**more)}]}}


def exponential(name, scale=3, offset=-2, counts=(1, 0, 4), zero=2, **more):
    return {"name": name, "unit": "", "exponentialHistogram": {"aggregationTemporality": 2, "dataPoints": [{
        "timeUnixNano": str(NOW), "startTimeUnixNano": str(START), "count": str(sum(counts) + zero), "sum": 9.5, "scale": scale, "zeroCount": str(zero),
        "positive": {"offset": offset, "bucketCounts": [str(c) for c in counts]}, "attributes": attributes(**more)}]}}


def one(prom, name, **labels):
    prom.wait_for(lambda: prom.samples(name, **labels), what=name)
    s, = prom.samples(name, **labels)
    return s


def label_names(s):
    return [k for k, _ in s.labels]


@pytest.mark.parametrize("metric, name", [
    (gauge("http.server.duration", unit="ms"), "http_server_duration_milliseconds"),
    (gauge("disk.usage", unit="1"), "disk_usage_ratio"),
    (gauge("cpu", unit="%"), "cpu_percent"),
    (gauge("speed", unit="m/s"), "speed_meters_per_second"),
    (gauge("net.speed.second", unit="KBy/s"), "net_speed_second_kilobytes"),
    (gauge("weight", unit="{apples}"), "weight"),
    (gauge("odd", unit="foo.bar/fortnight"), "odd_foo_bar_per_fortnight"),
    (gauge("2xx"), "_2xx"),
    (gauge("a..b--c"), "a_b_c"),
    (counter("jobs.total.done"), "jobs_done_total"),
    (counter("io", unit="By"), "io_bytes_total"),
    (counter("memory.bytes", unit="By", monotonic=False), "memory_bytes"),
])
def test_names_with_suffixes(weir, prom, ports, metric, name):
    [port] = ports(1)
    weir(exporting(port, prom))
    push(port, [metric])
    s = one(prom, name)
    assert dict(s.labels) == {"__name__": name, "job": "shop/web", "instance": "web-1"}
    assert s.time == NOW // 10**6 and s.value in (1.5, 5)


def test_names_without_suffixes(weir, prom, ports):
    [port] = ports(1)
    weir(exporting(port, prom, "add_metric_suffixes = false"))
    push(port, [counter("jobs.done", unit="By"), gauge("a..b:c.", unit="ms")])
    assert one(prom, "jobs_done").value == 5 and one(prom, "a_b:c").value == 1.5


def test_labels(weir, prom, ports):
    [port] = ports(1)
    weir(exporting(port, prom))
    push(port, [gauge("g", http__status=200, ok=True, part=0.5, _x="u", __y="w", ____z="v", list=["a", 1], **{"1st": "z", "job": "mine"})],
         scope={"name": "lib", "version": "2", "attributes": attributes(color="red")})
    s = dict(one(prom, "g").labels)
    assert s == {"__name__": "g", "http_status": "200", "ok": "true", "part": "0.5", "key_x": "u", "key_y": "w", "__z": "v", "key_1st": "z",
                 "list": '["a",1]', "job": "mine", "instance": "web-1", "otel_scope_name": "lib", "otel_scope_version": "2"}
    info = dict(one(prom, "target_info").labels)
    assert info == {"__name__": "target_info", "job": "shop/web", "instance": "web-1", "host_name": "box", "n": "3"}
    assert not prom.samples("otel_scope_info")


def test_what_the_switches_switch(weir, prom, ports):
    [port] = ports(1)
    weir(exporting(port, prom, """include_scope_info = true
  include_scope_labels = false
  keep_identifying_resource_attributes = true
  resource_to_telemetry_conversion = true"""))
    push(port, [gauge("g", host__name="mine")], scope={"name": "lib", "version": "2", "attributes": attributes(color="red")})
    s = dict(one(prom, "g").labels)
    assert s == {"__name__": "g", "job": "shop/web", "instance": "web-1", "service_namespace": "shop", "service_name": "web",
                 "service_instance_id": "web-1", "host_name": "box", "n": "3"}
    assert dict(one(prom, "target_info").labels) == {"__name__": "target_info", "job": "shop/web", "instance": "web-1", "service_namespace": "shop",
                                                     "service_name": "web", "service_instance_id": "web-1", "host_name": "box", "n": "3"}
    assert dict(one(prom, "otel_scope_info").labels) == {"__name__": "otel_scope_info", "job": "shop/web", "instance": "web-1",
                                                         "otel_scope_name": "lib", "otel_scope_version": "2", "color": "red"}


def test_no_target_info(weir, prom, ports):
    [port] = ports(1)
    weir(exporting(port, prom, "include_target_info = false"))
    push(port, [gauge("g")], resource={"service__name": "web"})
    assert label_names(one(prom, "g")) == ["__name__", "job"]
    push(port, [gauge("h")])
    one(prom, "h")
    assert not prom.samples("target_info")


TRACED = {"timeUnixNano": str(NOW - 10**9), "asDouble": 0.4, "traceId": "0102030405060708090a0b0c0d0e0f10", "spanId": "0102030405060708",
          "filteredAttributes": attributes(who="me")}
IDS = (("span_id", "0102030405060708"), ("trace_id", "0102030405060708090a0b0c0d0e0f10"))


def test_histograms_and_exemplars(weir, prom, ports):
    [port] = ports(1)
    weir(exporting(port, prom, remote="send_exemplars = true"))
    push(port, [histogram("wait", exemplars=[TRACED], route="/"), counter("hits", exemplars=[TRACED])])
    one(prom, "wait_seconds_bucket", le="+Inf")
    got = {dict(s.labels)["le"]: s.value for s in prom.samples("wait_seconds_bucket")}
    assert got == {"0.1": 1, "1": 3, "+Inf": 6}
    assert (one(prom, "wait_seconds_sum", route="/").value, one(prom, "wait_seconds_count", route="/").value) == (4.5, 6)
    e, = prom.wait_for(lambda: prom.exemplars("wait_seconds_bucket"))
    assert (dict(e.of)["le"], e.labels, e.value, e.time) == ("1", IDS, 0.4, NOW // 10**6 - 1000)
    e, = prom.wait_for(lambda: prom.exemplars("hits_total"))
    assert e.labels == IDS


def test_exponential_histograms(weir, prom, ports):
    [port] = ports(1)
    weir(exporting(port, prom))
    push(port, [exponential("e"), exponential("fine", scale=10, offset=3, counts=(1,) * 8, zero=0), exponential("coarse", scale=-5), gauge("last")])
    one(prom, "last")
    h, = prom.wait_for(lambda: prom.histograms("e"))
    assert (h.schema, h.count, h.sum, h.zero_count, h.zero_threshold) == (3, 7, 9.5, 2, 1e-128)
    assert [length for _, length in h.positive_spans] in ([3], [1, 1]) and h.positive_spans[0][0] == -1  # index + 1
    h, = prom.histograms("fine")
    assert h.schema == 8 and h.count == 8  # merged down: two by two, twice
    assert h.positive_spans[0] == (1, 3) and h.positive == [1, 3, -1]
    assert not prom.histograms("coarse")


def test_custom_buckets(weir, prom, ports):
    [port] = ports(1)
    w = weir(exporting(port, prom, "convert_classic_histograms_to_nhcb = true", 'protobuf_message = "io.prometheus.write.v2.Request"'), EXPERIMENTAL)
    push(port, [histogram("wait")])
    h, = prom.wait_for(lambda: prom.histograms("wait_seconds"))
    assert (h.schema, h.custom, h.count, h.sum) == (-53, [0.1, 1.0], 6, 4.5)
    assert not prom.samples("wait_seconds_bucket")
    assert w.health("otelcol.exporter.prometheus.p")["state"] == "healthy"


def test_summaries(weir, prom, ports):
    [port] = ports(1)
    weir(exporting(port, prom))
    push(port, [{"name": "s", "unit": "ms", "summary": {"dataPoints": [{
        "timeUnixNano": str(NOW), "count": "7", "sum": 70.5, "quantileValues": [{"quantile": 0.5, "value": 9}, {"quantile": 0.99, "value": 30}]}]}}])
    one(prom, "s_milliseconds_count")
    assert (one(prom, "s_milliseconds_sum").value, one(prom, "s_milliseconds_count").value) == (70.5, 7)
    assert {dict(s.labels)["quantile"]: s.value for s in prom.samples("s_milliseconds")} == {"0.5": 9, "0.99": 30}


def test_what_is_dropped_and_what_is_stale(weir, prom, ports):
    [port] = ports(1)
    weir(exporting(port, prom))
    empty = gauge("gone")
    empty["gauge"]["dataPoints"][0]["flags"] = NO_VALUE
    delta = histogram("dh")
    delta["histogram"]["aggregationTemporality"] = 1
    push(port, [counter("delta", temporality=1), counter("unspecified", temporality=0), delta, empty, gauge("g", 1.0)])
    push(port, [gauge("g", 2.0, when=NOW - 10**9), gauge("last")])  # older than what was written
    one(prom, "last")
    assert one(prom, "gone").stale
    assert prom.values("g") == [1.0]
    names = {s.name for s in prom.decoded().samples}
    assert names == {"gone", "g", "last", "target_info"}


def test_start_times(weir, prom, ports):
    """A counter that was not there before begins at 0 when it started."""
    [port] = ports(1)
    weir(exporting(port, prom, "start_timestamp_zero_ingestion = true"), EXPERIMENTAL)
    push(port, [counter("c", when=NOW), gauge("g")])
    push(port, [counter("c", 8, when=NOW + 10**9), gauge("last")])
    one(prom, "last")
    assert [(s.time, s.value) for s in prom.samples("c_total")] == [(START // 10**6, 0), (NOW // 10**6, 5), (NOW // 10**6 + 1000, 8)]
    assert [(s.time, s.value) for s in prom.samples("g")] == [(NOW // 10**6, 1.5)]


@pytest.mark.parametrize("honor", [False, True])
def test_metadata(weir, prom, ports, honor):
    [port] = ports(1)
    weir(exporting(port, prom, f"honor_metadata = {str(honor).lower()}", 'protobuf_message = "io.prometheus.write.v2.Request"'), EXPERIMENTAL)
    push(port, [counter("io", unit="By"), histogram("wait")])
    one(prom, "io_bytes_total")
    one(prom, "wait_seconds_count")
    if honor:
        m = prom.metadata()["io_bytes_total"]
        assert (m.type, m.help, m.unit) == ("counter", "Help of io.", "By")
        assert prom.metadata()["wait_seconds_count"].type == "histogram"
    else:
        assert not prom.metadata()


def test_series_are_forgotten(weir, prom, ports):
    """What gets no points for gc_frequency is let go: an older time is news then."""
    [port] = ports(1)
    w = weir(exporting(port, prom, 'gc_frequency = "200ms"'))
    push(port, [gauge("g", 1.0)])
    one(prom, "g")

    def older():
        push(port, [gauge("g", 2.0, when=NOW - 1000 * 10**9)])
        time.sleep(0.5)
        return 2.0 in prom.values("g")

    await_that("it is forgotten", older)
    assert w.health("otelcol.exporter.prometheus.p")["state"] == "healthy"


def test_a_dead_endpoint_is_not_waited_for(weir, prom, ports):
    """The log of remote write takes what the endpoint does not: clients are answered, and everything arrives."""
    [port] = ports(1)
    weir(exporting(port, prom))
    prom.down()
    for i in range(20):
        push(port, [counter("n", i, when=NOW + i * 10**9)])
    prom.up()
    prom.wait_for(lambda: len(prom.samples("n_total")) >= 20, what="all samples")
    assert prom.values("n_total") == list(range(20))


def test_there_and_back(weir, prom, target, ports, backend):
    """A scrape as OTLP to another agent's receiver, and on by remote write: names and labels are what they were."""
    [port] = ports(1)
    target.body, target.type = EXPOSITION, OPEN
    weir(exporting(port, prom))
    other = scraping(target, backend).replace(backend.url, f"http://127.0.0.1:{port}")
    weir(other, EXPERIMENTAL)
    prom.wait_for(lambda: prom.samples("wait_seconds_count"), what="the scrape")
    s = dict(prom.samples("requests_total")[0].labels)
    assert (s["code"], s["job"], s["instance"]) == ("200", "shop/web", target.address)
    assert {dict(s.labels)["le"] for s in prom.samples("wait_seconds_bucket")} == {"0.1", "1", "+Inf"}
    assert prom.samples("temperature_celsius", room="a")[0].value == -3.5
    assert prom.samples("size_bytes", quantile="0.5")[0].value == 100
    assert dict(prom.samples("target_info")[0].labels)["host_name"] == "box"
