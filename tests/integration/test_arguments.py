"""Arguments of the receiver, the processors and the HTTP exporter, one by one: each is seen to take effect from outside."""
import gzip
import json
import socket
import subprocess
import threading
import time

import pytest

from configs import FAST_RETRY
from weirproc import LIMIT, await_that, http

pytestmark = pytest.mark.core
JSON = {"Content-Type": "application/json"}


def attributes(**values):
    kinds = {str: "stringValue", bool: "boolValue", int: "intValue", float: "doubleValue"}
    return [{"key": k.replace("_", "."), "value": {kinds[type(v)]: v}} for k, v in values.items()]


def spans(*each, **resource):
    return json.dumps({"resourceSpans": [{"resource": {"attributes": attributes(**resource)}, "scopeSpans": [{"scope": {"name": "lib", "version": "1"}, "spans": [
        dict({"traceId": "1" * 32, "spanId": f"{i + 1:016x}"}, **s) for i, s in enumerate(each)]}]}]}).encode()


def logs(*each, **resource):
    return json.dumps({"resourceLogs": [{"resource": {"attributes": attributes(**resource)}, "scopeLogs": [{"logRecords": list(each)}]}]}).encode()


def gauges(*names, **resource):
    return json.dumps({"resourceMetrics": [{"resource": {"attributes": attributes(**resource)}, "scopeMetrics": [{"metrics": [
        {"name": n, "gauge": {"dataPoints": [{"asInt": "1", "timeUnixNano": "1"}]}} for n in names]}]}]}).encode()


def chain(port, endpoint, receiver="", processor="", kind="attributes", exporter="", client="", signals=("traces",), protocol="http"):
    outputs = lambda to: "output {\n" + "".join(f"{s} = [{to}]\n" for s in signals) + "}"  # noqa: E731
    first = f"otelcol.processor.{kind}.p.input" if processor else "otelcol.exporter.otlphttp.out.input"
    middle = f'otelcol.processor.{kind} "p" {{\n{processor}\n{outputs("otelcol.exporter.otlphttp.out.input")}\n}}' if processor else ""
    return f'''
otelcol.receiver.otlp "in" {{
  {protocol} {{
    endpoint = "127.0.0.1:{port}"
    {receiver}
  }}
  {outputs(first)}
}}
{middle}
otelcol.exporter.otlphttp "out" {{
  {exporter}
  client {{
    endpoint = "{endpoint}"
    {client}
  }}
}}
'''


@pytest.fixture
def start(weir, backend, ports):
    """start(**of chain): a Weir between .url and the backend."""
    def run(**parts):
        run.port, = ports(1)
        run.url = f"http://127.0.0.1:{run.port}"
        flags, before = parts.pop("flags", ()), parts.pop("before", "")
        run.weir = weir(before + chain(run.port, parts.pop("endpoint", backend.url), **parts), *flags)
        return run

    run.send = lambda body, signal="traces", **headers: http("POST", f"{run.url}/v1/{signal}", body, dict(JSON, **headers))
    return run


# --- receiver

def test_paths_of_the_receiver(start, backend):
    start(receiver='traces_url_path = "/a"\nlogs_url_path = "/b/c"\nmetrics_url_path = "/d"', signals=("traces", "logs", "metrics"))
    bodies = {"/a": spans({"name": "s"}), "/b/c": logs({"body": {"stringValue": "l"}}), "/d": gauges("g")}
    assert [http("POST", start.url + p, b, JSON).status for p, b in bodies.items()] == [200] * 3
    assert http("POST", start.url + "/v1/traces", spans({"name": "s"}), JSON).status == 404
    await_that("all arrive", lambda: backend.count() == 3)


def test_listed_encodings_only(start):
    import gzip
    import zlib
    start(receiver='compression_algorithms = ["", "gzip"]')
    body = spans({"name": "s"})
    assert start.send(body).status == 200
    assert start.send(gzip.compress(body), **{"Content-Encoding": "gzip"}).status == 200
    assert start.send(zlib.compress(body), **{"Content-Encoding": "deflate"}).status == 400


def reads_until_closed(port, limit):
    """Seconds until an idle connection that has had one answer is closed."""
    s = socket.create_connection(("127.0.0.1", port))
    s.settimeout(limit)
    s.sendall(b"POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
    begin = time.monotonic()
    while s.recv(4096):
        pass
    return time.monotonic() - begin


def test_idle_connections_are_closed(start):
    start(receiver='idle_timeout = "300ms"')
    assert 0.2 < reads_until_closed(start.port, LIMIT) < LIMIT


def test_without_keep_alive_the_connection_is_closed(start):
    start(receiver="keep_alives_enabled = false")
    assert start.send(spans({"name": "s"})).headers["Connection"] == "close"
    assert reads_until_closed(start.port, LIMIT) < LIMIT


@pytest.mark.parametrize("setting, sent", [("read_timeout", b"POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n{"),
                                           ("read_header_timeout", b"POST /v1/traces HTTP/1.1\r\nHos")])
def test_slow_senders_are_cut_off(start, setting, sent):
    start(receiver=f'{setting} = "300ms"')
    s = socket.create_connection(("127.0.0.1", start.port))
    s.settimeout(LIMIT)
    begin = time.monotonic()
    s.sendall(sent)
    while s.recv(4096):
        pass
    assert 0.2 < time.monotonic() - begin < LIMIT


def test_cors_headers(start):
    start(receiver='cors {\nallowed_origins = ["https://*.example.org"]\nallowed_headers = ["X-Own"]\nexposed_headers = ["X-Seen"]\nmax_age = 77\n}')

    def ask(origin, headers="x-own"):
        return http("OPTIONS", start.url + "/v1/traces", None, {"Origin": origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": headers})

    r = ask("https://a.example.org")
    assert (r.headers["Access-Control-Allow-Origin"], r.headers["Access-Control-Max-Age"]) == ("https://a.example.org", "77")
    assert "x-own" in r.headers["Access-Control-Allow-Headers"].lower()
    assert ask("https://evil.org").headers["Access-Control-Allow-Origin"] is None
    assert ask("https://a.example.org", "x-other").headers["Access-Control-Allow-Headers"] is None
    r = start.send(spans({"name": "s"}), Origin="https://a.example.org")
    assert (r.headers["Access-Control-Expose-Headers"], r.headers["Access-Control-Allow-Credentials"]) == ("X-Seen", "true")


# --- batch

def test_batches_by_metadata(start, backend):
    start(receiver="include_metadata = true", kind="batch", processor='timeout = "400ms"\nmetadata_keys = ["X-Tenant"]\nmetadata_cardinality_limit = 2',
          flags=["--workers=1"])
    for i in range(6):
        assert start.send(spans({"name": f"t{i % 2}"}), **{"X-Tenant": f"t{i % 2}"}).status == 200
    assert start.send(spans({"name": "t3"}), **{"X-Tenant": "t3"}).status == 500
    await_that("all arrive", lambda: backend.count() == 6)
    assert len(backend.requests) == 2
    assert start.weir.metric("otelcol_processor_batch_metadata_cardinality", processor="batch/otelcol.processor.batch.p") == 2


def test_batch_sizes(start, backend):
    start(kind="batch", processor='timeout = "30s"\nsend_batch_size = 10\nsend_batch_max_size = 12')
    assert start.send(spans(*({"name": "s"} for _ in range(30)))).status == 200
    await_that("full batches are sent", lambda: backend.count() >= 24)
    assert backend.count() == 24
    assert start.weir.metric("otelcol_processor_batch_batch_size_trigger_send_total") == 2
    assert start.weir.stop() == 0
    await_that("the rest is sent on stop", lambda: backend.count() == 30)


def test_a_timeout_of_zero_sends_at_once(start, backend):
    start(kind="batch", processor='timeout = "0s"\nsend_batch_size = 1000')
    assert start.send(spans({"name": "s"})).status == 200
    await_that("it arrives", lambda: backend.count() == 1)


# --- attributes

MARK = 'action {\nkey = "hit"\nvalue = true\naction = "insert"\n}\n'


def hits(backend):
    return sorted(r.get("name") or r.get("body") for r in backend.records if r["attributes"].get("hit"))


SPANS = ({"name": "get /a", "kind": 2, "attributes": attributes(code=200, who="bob")}, {"name": "put /b", "kind": 3, "attributes": attributes(code=500)},
         {"name": "idle", "kind": 1})

FILTERED = {
    'include {\nmatch_type = "strict"\nspan_names = ["get /a", "idle"]\n}': ["get /a", "idle"],
    'include {\nmatch_type = "regexp"\nspan_names = ["^(get|put) "]\n}': ["get /a", "put /b"],
    'exclude {\nmatch_type = "strict"\nspan_kinds = ["SPAN_KIND_SERVER"]\n}': ["idle", "put /b"],
    'include {\nmatch_type = "strict"\nattribute {\nkey = "code"\nvalue = 500\n}\n}': ["put /b"],
    'include {\nmatch_type = "regexp"\nattribute {\nkey = "code"\nvalue = "^2..$"\n}\n}': ["get /a"],
    'include {\nmatch_type = "strict"\nattribute {\nkey = "code"\n}\nattribute {\nkey = "who"\n}\n}': ["get /a"],
    'include {\nmatch_type = "strict"\nservices = ["shop"]\n}\nexclude {\nmatch_type = "regexp"\nspan_names = ["idle"]\n}': ["get /a", "put /b"],
    'include {\nmatch_type = "strict"\nservices = ["other"]\n}': [],
    'include {\nmatch_type = "strict"\nresource {\nkey = "service.name"\nvalue = "shop"\n}\nspan_names = ["idle"]\n}': ["idle"],
    'include {\nmatch_type = "strict"\nlibrary {\nname = "lib"\nversion = "1"\n}\n}': ["get /a", "idle", "put /b"],
    'include {\nmatch_type = "strict"\nlibrary {\nname = "lib"\nversion = "2"\n}\n}': [],
}


@pytest.mark.parametrize("filters", FILTERED)
def test_filters_of_spans(start, backend, filters):
    start(processor=MARK + filters)
    assert start.send(spans(*SPANS, service_name="shop")).status == 200
    await_that("all arrive", lambda: backend.count() == 3)
    assert hits(backend) == FILTERED[filters]


LOGS = ({"body": {"stringValue": "disk full"}, "severityText": "ERROR", "severityNumber": 17}, {"body": {"stringValue": "ok"}, "severityText": "INFO", "severityNumber": 9},
        {"body": {"stringValue": "vague"}})
FILTERED_LOGS = {
    'include {\nmatch_type = "strict"\nlog_bodies = ["ok"]\n}': ["ok"],
    'include {\nmatch_type = "regexp"\nlog_severity_texts = ["^E"]\n}': ["disk full"],
    'include {\nmatch_type = "strict"\nlog_severity {\nmin = "WARN"\nmatch_undefined = true\n}\n}': ["disk full", "vague"],
    'exclude {\nmatch_type = "strict"\nlog_severity {\nmin = "INFO"\nmatch_undefined = false\n}\n}': ["vague"],
}


@pytest.mark.parametrize("filters", FILTERED_LOGS)
def test_filters_of_logs(start, backend, filters):
    start(processor=MARK + filters, signals=("logs",))
    assert start.send(logs(*LOGS), "logs").status == 200
    await_that("all arrive", lambda: backend.count() == 3)
    assert hits(backend) == FILTERED_LOGS[filters]


@pytest.mark.parametrize("filters, want", [('include {\nmatch_type = "strict"\nmetric_names = ["cpu"]\n}', ["cpu"]),
                                           ('exclude {\nmatch_type = "regexp"\nmetric_names = ["^c"]\n}', ["mem"])])
def test_filters_of_metrics(start, backend, filters, want):
    start(processor=MARK + filters, signals=("metrics",))
    assert start.send(gauges("cpu", "mem"), "metrics").status == 200
    await_that("all arrive", lambda: backend.count() == 2)
    assert hits(backend) == want


def action(**values):
    return "action {\n" + "".join(f"{k} = {v if k == 'value' else json.dumps(v)}\n" for k, v in values.items()) + "}\n"


ACTIONS = [
    (action(action="insert", key="s", value='"new"'), dict(s="old"), dict(s="old")),
    (action(action="insert", key="n", value="1.5"), {}, dict(n=1.5)),
    (action(action="update", key="s", value="7"), dict(s="old"), dict(s=7)),
    (action(action="update", key="n", value="7"), {}, {}),
    (action(action="UPSERT", key="n", from_attribute="s"), dict(s="x"), dict(s="x", n="x")),
    (action(action="delete", key="s"), dict(s="x", t=1), dict(t=1)),
    (action(action="delete", pattern="^s"), dict(s1="x", s2=2, t=1), dict(t=1)),
    (action(action="hash", key="s"), dict(s="x"), dict(s="2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881")),
    (action(action="hash", pattern="^b"), dict(b=True), dict(b="4bf5122f344554c53bde2ebb8cd2b7e3d1600ad631c385a5d7cce23c7785459a")),
    (action(action="extract", key="s", pattern=r"^(?P<a>\w+)-(?P<b>\w+)$"), dict(s="x-y", b=1), dict(s="x-y", b="y", a="x")),
    (action(action="convert", key="s", converted_type="int"), dict(s="12"), dict(s=12)),
    (action(action="convert", key="s", converted_type="int"), dict(s="x"), dict(s="x")),
    (action(action="convert", key="s", converted_type="double"), dict(s=3), dict(s=3.0)),
    (action(action="convert", key="s", converted_type="string"), dict(s=True), dict(s="true")),
    (action(action="insert", key="l", value='["a", 1, {k = true}]'), {}, dict(l=["a", 1, {"k": True}])),
    (action(action="insert", key="c", from_context="client.address"), {}, dict(c="127.0.0.1")),
    (action(action="insert", key="c", from_context="metadata.X-Two"), {}, dict(c="v")),
    (action(action="insert", key="c", from_context="x-two"), {}, dict(c="v")),
    (action(action="insert", key="c", from_context="x-none"), {}, {}),
]


def test_actions(weir, backend, ports):
    """All at once, each behind a path of its own receiver."""
    config, urls = "", ports(len(ACTIONS))
    for n, (block, _, _) in enumerate(ACTIONS):
        one = chain(urls[n], backend.url, receiver="include_metadata = true", processor=block)
        config += one.replace('"in"', f'"in{n}"').replace('"p"', f'"p{n}"').replace(".p.", f".p{n}.").replace('"out"', f'"out{n}"').replace(".out.", f".out{n}.")
    weir(config)
    for n, (_, before, _) in enumerate(ACTIONS):
        body = spans({"name": str(n), "attributes": attributes(**before)})
        assert http("POST", f"http://127.0.0.1:{urls[n]}/v1/traces", body, dict(JSON, **{"X-Two": "v"})).status == 200
    await_that("all arrive", lambda: backend.count() == len(ACTIONS))
    got = {int(r["name"]): r["attributes"] for r in backend.records}
    assert {n: got[n] for n in got} == {n: after for n, (_, _, after) in enumerate(ACTIONS)}


# --- the HTTP exporter

@pytest.mark.parametrize("codec", ["gzip", "snappy", "zstd", "none", ""])  # deflate and zlib: the next test
def test_compression_of_the_exporter(weir, sink, ports, codec):
    port, = ports(1)
    end = sink("-d")
    weir(chain(port, f"http://127.0.0.1:{end.port}", client=f'compression = "{codec}"'))
    assert http("POST", f"http://127.0.0.1:{port}/v1/traces", spans(*({"name": "s"} for _ in range(50))), JSON).status == 200
    await_that("all are decoded", lambda: end.stats()["records"] == 50)


@pytest.mark.parametrize("codec, name", [("gzip", "gzip"), ("zlib", "zlib"), ("deflate", "deflate"), ("snappy", "snappy"), ("zstd", "zstd"), ("none", None)])
def test_the_encoding_is_named(start, backend, codec, name):
    start(client=f'compression = "{codec}"\nheaders = {{"X-Own" = "1"}}')
    assert start.send(spans({"name": "s"})).status == 200
    await_that("it arrives", lambda: backend.requests)
    headers = backend.requests[0][1]
    assert (headers.get("Content-Encoding"), headers["X-Own"]) == (name, "1")
    assert headers["User-Agent"].startswith("Weir/")
    if codec in ("gzip", "zlib", "deflate", "none"):
        await_that("it is decoded", lambda: backend.count() == 1)


def test_levels_of_compression(weir, backend, ports):
    each = ports(2)
    body = spans(*({"name": f"name{i * 7919 % 1000}", "attributes": attributes(a=i * i, b=f"v{i % 13}")} for i in range(2000)))
    for port, level in zip(each, (1, 9)):
        weir(chain(port, backend.url, client=f'compression = "gzip"\ncompression_params {{\nlevel = {level}\n}}'))
        assert http("POST", f"http://127.0.0.1:{port}/v1/traces", body, JSON).status == 200
        await_that("it arrives", lambda: backend.count() == 2000 * (1 + each.index(port)))
    fast, small = (len(r[2]) for r in backend.requests)
    assert small < fast


def test_connections_are_not_kept(start, backend):
    seen = []
    backend.respond = lambda n: (seen.append(backend.requests[n][1].get("Connection")), (200, {}, b"", 0))[1]
    start(client="disable_keep_alives = true")
    for i in range(3):
        assert start.send(spans({"name": "s"})).status == 200
        await_that("it arrives", lambda: backend.count() == i + 1)
    await_that("no connection is left", lambda: connections_to(backend.port) == 0)


def connections_to(port):
    there = f":{port:04X}"
    with open("/proc/net/tcp") as f:
        return sum(1 for r in map(str.split, f) if r[2].endswith(there) and r[3] == "01")


def test_idle_client_connections_are_closed(start, backend):
    start(client='idle_conn_timeout = "1s"')
    assert start.send(spans({"name": "s"})).status == 200
    await_that("it arrives", lambda: backend.count() == 1)
    assert connections_to(backend.port) == 1
    await_that("it is closed when idle", lambda: connections_to(backend.port) == 0, limit=LIMIT)


class Concurrency:
    """Makes a backend slow and counts the most requests that it had at a time."""

    def __init__(self, backend, delay):
        self.now = self.seen = 0
        self.lock = threading.Lock()
        self.delay = delay
        backend.respond = self.respond

    def respond(self, number):
        with self.lock:
            self.now += 1
            self.seen = max(self.seen, self.now)
        time.sleep(self.delay)
        with self.lock:
            self.now -= 1
        return 200, {}, b"", 0


def test_connections_of_a_host_are_limited(start, backend):
    backend.respond = (200, {}, b"", 0.3)
    start(client="max_conns_per_host = 2")
    for _ in range(8):
        assert start.send(spans({"name": "s"})).status == 200
    most = 0
    while backend.count() < 8:
        most = max(most, connections_to(backend.port))
        time.sleep(0.02)
    assert 0 < most <= 2


def test_a_call_has_a_timeout(start, backend):
    backend.respond = lambda n: (200, {}, b"", 2 if n == 0 else 0)
    start(client='timeout = "300ms"', exporter=FAST_RETRY)
    assert start.send(spans({"name": "s"})).status == 200
    await_that("it is tried again", lambda: len(backend.requests) == 2)


def test_cookies(start, backend):
    backend.respond = (200, {"Set-Cookie": "session=7; Path=/"}, b"", 0)
    start(client="cookies {\nenabled = true\n}", flags=["--workers=1"])
    for i in range(2):
        assert start.send(spans({"name": "s"})).status == 200
        await_that("it arrives", lambda: backend.count() == i + 1)
    assert [r[1].get("Cookie") for r in backend.requests] == [None, "session=7"]


def test_a_proxy(start, backend):
    start(client=f'proxy_url = "{backend.url}"', endpoint="http://tempo.invalid:4318")
    assert start.send(spans({"name": "s"})).status == 200
    await_that("the proxy is asked", lambda: backend.requests)
    assert backend.requests[0][0] == "http://tempo.invalid:4318/v1/traces"
    assert backend.requests[0][1]["Host"] == "tempo.invalid:4318"


def test_endpoints_of_signals(start, backend):
    start(exporter=f'traces_endpoint = "{backend.url}/t"\nlogs_endpoint = "{backend.url}/l"\nmetrics_endpoint = "{backend.url}/m"', signals=("traces", "logs", "metrics"),
          endpoint="http://127.0.0.1:1")
    assert [start.send(spans({"name": "s"})).status, start.send(logs({"body": {"stringValue": "l"}}), "logs").status, start.send(gauges("g"), "metrics").status] == [200] * 3
    await_that("all arrive", lambda: len(backend.requests) == 3)
    assert sorted(r[0] for r in backend.requests) == ["/l", "/m", "/t"]


def test_giving_up(start, backend):
    backend.respond = (503, {}, b"", 0)
    start(exporter='retry_on_failure {\ninitial_interval = "50ms"\nmax_interval = "100ms"\nmax_elapsed_time = "500ms"\n}')
    assert start.send(spans({"name": "s"})).status == 200
    await_that("it is given up", lambda: "no more retries left" in start.weir.log)
    assert start.weir.metric("otelcol_exporter_send_failed_spans_total") == 1
    assert 3 <= len(backend.requests) <= 14


def test_no_retry(start, backend):
    backend.respond = (503, {}, b"", 0)
    start(exporter="retry_on_failure {\nenabled = false\n}")
    assert start.send(spans({"name": "s"})).status == 200
    await_that("it is given up", lambda: start.weir.metric("otelcol_exporter_send_failed_spans_total") == 1)
    assert len(backend.requests) == 1


@pytest.mark.parametrize("status, answer, wait", [(400, 400, None), (401, 401, None), (404, 404, None), (429, 429, "7"), (500, 500, None), (503, 503, "7")])
def test_without_a_queue_the_client_is_told(start, backend, status, answer, wait):
    backend.respond = (status, {"Retry-After": "7"}, b"", 0)
    start(exporter="sending_queue {\nenabled = false\n}\nretry_on_failure {\nenabled = false\n}")
    r = start.send(spans({"name": "s"}))
    assert (r.status, r.headers["Retry-After"]) == (answer, wait)
    assert f"responded with HTTP Status Code {status}" in r.text


@pytest.mark.parametrize("sizer, size, taken", [("requests", 3, 3), ("items", 35, 3), ("bytes", 3000, 0)])
def test_the_size_of_the_queue(start, backend, sizer, size, taken):
    backend.respond = (503, {}, b"", 0)
    start(exporter=f'sending_queue {{\nsizer = "{sizer}"\nqueue_size = {size}\n}}', flags=["--workers=1"])
    answers = [start.send(spans(*({"name": f"s{i}"} for i in range(10)))) for _ in range(12)]
    statuses = [r.status for r in answers]
    assert statuses == sorted(statuses) and statuses[-1] == 503 and (not taken or statuses.count(200) == taken)
    assert (answers[-1].headers["Retry-After"], json.loads(answers[-1].text)["message"]) == ("1", "sending queue is full")
    held = start.weir.metric("otelcol_exporter_queue_size", data_type="traces")
    assert start.weir.metric("otelcol_exporter_queue_capacity", data_type="traces") == size
    assert held == {"requests": 3, "items": 30}.get(sizer, held) and size * 0.7 < held <= size
    begin = time.monotonic()
    assert start.weir.stop() == 0
    assert time.monotonic() - begin < LIMIT  # who was refused is not waited for


def test_backoff_grows(start, backend):
    backend.respond = lambda n: (503 if n < 4 else 200, {}, b"", 0)
    start(exporter='retry_on_failure {\ninitial_interval = "100ms"\nmultiplier = 2\nrandomization_factor = 0\nmax_interval = "250ms"\n}')
    assert start.send(spans({"name": "s"})).status == 200
    await_that("it arrives", lambda: backend.count() == 1)
    times = [r[3] for r in backend.requests]
    for gap, least in zip((b - a for a, b in zip(times, times[1:])), (0.1, 0.2, 0.25, 0.25)):
        assert least - 0.02 < gap < least + 2


def test_consumers_bound_what_is_in_flight(start, backend):
    most = Concurrency(backend, 0.2)
    start(exporter="sending_queue {\nnum_consumers = 2\n}")
    for _ in range(8):
        assert start.send(spans({"name": "s"})).status == 200
    await_that("all arrive", lambda: backend.count() == 8)
    assert most.seen == 2


# --- the gRPC receiver

def message(*names):
    """An ExportTraceServiceRequest with spans of these names."""
    def field(n, body):
        size, out = len(body), bytes([n << 3 | 2])
        while size > 127:
            out, size = out + bytes([size & 127 | 128]), size >> 7
        return out + bytes([size]) + body

    each = b"".join(field(2, field(1, b"\1" * 16) + field(2, b"\2" * 8) + field(5, n.encode())) for n in names)
    return field(1, field(2, each))


def grpc_call(port, body, *argv, url=None, compressed=0):
    """(grpc-status, grpc-message) of an export call that curl makes. It may wait on for ever when it is answered before all was sent: hence --max-time."""
    r = subprocess.run(["curl", "-s", "--max-time", "5", "--http2-prior-knowledge", "-D", "-", "-o", "/dev/null", "-H", "Content-Type: application/grpc", "-H", "TE: trailers", "--data-binary",
                        "@-", *argv, f"{url or f'http://127.0.0.1:{port}'}/opentelemetry.proto.collector.trace.v1.TraceService/Export"],
                       input=bytes([compressed]) + len(body).to_bytes(4, "big") + body, capture_output=True, timeout=30)
    fields = dict(line.split(": ", 1) for line in r.stdout.decode().replace("\r", "").splitlines() if ": " in line)
    return int(fields.get("grpc-status", -1)), fields.get("grpc-message", "")


def test_grpc_metadata_and_size(start, backend):
    start(protocol="grpc", receiver='include_metadata = true\nmax_recv_msg_size = "1MiB"', processor=action(action="insert", key="c", from_context="x-two"))
    assert grpc_call(start.port, message("a"), "-H", "X-Two: v") == (0, "")
    # Small on the wire: curl 7.88 may hang when the answer comes before the end of its upload.
    assert grpc_call(start.port, gzip.compress(message("b" * (1 << 21))), "-H", "Grpc-Encoding: gzip", compressed=1)[0] == 8
    await_that("it arrives", lambda: backend.count() == 1)
    assert backend.records[0]["attributes"] == {"c": "v"}


def test_a_unix_socket(weir, backend, tmp_path):
    path = tmp_path / "socket"
    weir(chain(0, backend.url, protocol="grpc").replace('endpoint = "127.0.0.1:0"', f'transport = "unix"\nendpoint = "{path}"'))
    assert grpc_call(0, message("a"), "--unix-socket", str(path), url="http://localhost") == (0, "")
    await_that("it arrives", lambda: backend.count() == 1)


def test_grpc_auth(weir, backend, ports):
    port, = ports(1)
    weir('otelcol.auth.bearer "h" {\n token = "t"\n}\n' + chain(port, backend.url, protocol="grpc", receiver="auth = otelcol.auth.bearer.h.handler"))
    assert grpc_call(port, message("a"))[0] == 16
    assert grpc_call(port, message("a"), "-H", "Authorization: Bearer t") == (0, "")


SETTINGS, PING, GOAWAY = 4, 6, 7


class Frames:
    """A client of HTTP/2 that opens no stream: it reads the server's frames one by one."""

    def __init__(self, port):
        self.s = socket.create_connection(("127.0.0.1", port))
        self.s.settimeout(LIMIT)
        self.s.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0")
        self.buffer = b""

    def exactly(self, n):
        while len(self.buffer) < n:
            more = self.s.recv(65536)
            if not more:
                return None
            self.buffer += more
        out, self.buffer = self.buffer[:n], self.buffer[n:]
        return out

    def next(self, *types):
        """(type, payload) of the next frame of these types; None at the end of the connection."""
        while True:
            try:
                head = self.exactly(9)
            except ConnectionResetError:
                return None
            if not head:
                return None
            body = self.exactly(int.from_bytes(head[:3], "big"))
            if head[3] in types and not head[4] & 1:
                return head[3], body

    def ping(self):
        self.s.sendall(b"\0\0\x08\6\0\0\0\0\0" + b"12345678")


def test_streams_at_a_time(start):
    start(protocol="grpc", receiver="max_concurrent_streams = 7")
    _, body = Frames(start.port).next(SETTINGS)
    settings = {int.from_bytes(body[i:i + 2], "big"): int.from_bytes(body[i + 2:i + 6], "big") for i in range(0, len(body), 6)}
    assert settings[3] == 7


def keepalive(block, **values):
    return f"keepalive {{\n{block} {{\n" + "".join(f"{k} = {json.dumps(v)}\n" for k, v in values.items()) + "}\n}"


@pytest.mark.parametrize("setting", ["max_connection_age", "max_connection_idle"])
def test_connections_end(start, setting):
    start(protocol="grpc", receiver=keepalive("server_parameters", **{setting: "500ms"}, **({"max_connection_age_grace": "100ms"} if setting.endswith("age") else {})))
    c, begin = Frames(start.port), time.monotonic()
    assert c.next(GOAWAY)
    while c.next(GOAWAY):
        pass
    assert 0.3 < time.monotonic() - begin < LIMIT


def test_silent_clients_are_pinged(start):
    start(protocol="grpc", receiver=keepalive("server_parameters", time="1s", timeout="500ms"))
    c, begin = Frames(start.port), time.monotonic()
    assert c.next(PING)[0] == PING
    while c.next(GOAWAY):
        pass
    assert 1 < time.monotonic() - begin < LIMIT  # the ping was not answered


@pytest.mark.parametrize("min_time, permit, calm", [("1h", True, True), ("1ms", True, False), ("1ms", False, True)])
def test_pings_of_clients(start, min_time, permit, calm):
    start(protocol="grpc", receiver=keepalive("enforcement_policy", min_time=min_time, permit_without_stream=permit))
    c = Frames(start.port)
    for _ in range(5):
        time.sleep(0.02)
        c.ping()
    if calm:
        assert int.from_bytes(c.next(GOAWAY)[1][4:8], "big") == 11
    else:
        c.s.settimeout(0.5)
        with pytest.raises(socket.timeout):
            c.next(GOAWAY)


# --- the debug exporter and local.file

def debugged(port, exporter):
    return f'''
otelcol.receiver.otlp "in" {{
  http {{
    endpoint = "127.0.0.1:{port}"
  }}
  output {{
    traces = [otelcol.exporter.debug.out.input]
  }}
}}
otelcol.exporter.debug "out" {{
  {exporter}
}}
'''


@pytest.mark.parametrize("level, said, unsaid", [("basic", ['spans'], ["trace-id", "Span #0", "first"]), ("normal", ["first"], ["Span #0"]),
                                                 ("detailed", ["Span #0", "Name           : first"], [])])
def test_verbosity(weir, ports, tmp_path, level, said, unsaid):
    port, = ports(1)
    out = tmp_path / "out.txt"
    weir(debugged(port, f'verbosity = "{level}"\nuse_internal_logger = false\noutput_paths = ["{out}"]'), "--stability.level=experimental")
    assert http("POST", f"http://127.0.0.1:{port}/v1/traces", spans({"name": "first"}), JSON).status == 200
    await_that("it is printed", lambda: out.exists() and said[-1] in out.read_text())
    assert not [word for word in unsaid if word in out.read_text()]


def test_sampling_of_the_log(weir, ports):
    port, = ports(1)
    w = weir(debugged(port, "sampling_initial = 2\nsampling_thereafter = 4"), "--stability.level=experimental", "--workers=1")
    for _ in range(10):
        assert http("POST", f"http://127.0.0.1:{port}/v1/traces", spans({"name": "s"}), JSON).status == 200
    await_that("the last sample is there", lambda: w.log.count("msg=Traces") >= 4)
    assert 4 <= w.log.count("msg=Traces") <= 6  # a second may begin in between


def test_output_to_stdout(weir, ports):
    port, = ports(1)
    w = weir(debugged(port, 'use_internal_logger = false\nverbosity = "detailed"\noutput_paths = ["stdout"]'), "--stability.level=experimental")
    assert http("POST", f"http://127.0.0.1:{port}/v1/traces", spans({"name": "first"}), JSON).status == 200
    await_that("it is printed", lambda: "Name           : first" in w.out)


@pytest.mark.parametrize("how", ['detector = "poll"\npoll_frequency = "200ms"', 'detector = "fsnotify"'])
def test_a_file_is_followed(start, backend, tmp_path, how):
    file = tmp_path / "value"
    file.write_text("one")
    extra = f'local.file "f" {{\nfilename = "{file}"\n{how}\n}}\n'
    start(processor=f'action {{\nkey = "v"\naction = "upsert"\nvalue = local.file.f.content\n}}\n', client="", before=extra)

    def value():
        seen = backend.count()
        assert start.send(spans({"name": "s"})).status == 200
        await_that("it arrives", lambda: backend.count() > seen)
        return backend.records[-1]["attributes"]["v"]

    assert value() == "one"
    file.write_text("two")
    await_that("the change is seen", lambda: value() == "two", step=0.1)
    (tmp_path / "new").write_text("three")
    (tmp_path / "new").rename(file)
    await_that("the replacement is seen", lambda: value() == "three", step=0.1)
    file.unlink()
    await_that("health says so", lambda: start.weir.health("local.file.f")["state"] == "unhealthy")
    assert value() == "three"
    file.write_text("four")
    await_that("it is back", lambda: value() == "four", step=0.1)
    assert start.weir.health("local.file.f")["state"] == "healthy"


@pytest.mark.parametrize("secret", [True, False])
def test_secrets_are_not_shown(start, tmp_path, secret):
    file = tmp_path / "value"
    file.write_text("hush-hush")
    start(before=f'local.file "f" {{\nfilename = "{file}"\nis_secret = {str(secret).lower()}\n}}\n')
    shown = start.weir.get("/api/v0/web/components/local.file.f").text
    assert ("hush-hush" in shown, "(secret)" in shown) == (not secret, secret)
