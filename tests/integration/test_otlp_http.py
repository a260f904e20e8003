"""The receiver's HTTP face: codes, bodies, content types, encodings, limits, CORS."""
import gzip
import json
import zlib

import pytest

from configs import pipeline
from weirproc import SANITIZED, await_that, http

pytestmark = pytest.mark.core
JSON = {"Content-Type": "application/json"}
PROTO = {"Content-Type": "application/x-protobuf"}


@pytest.fixture
def chain(weir, backend, ports):
    port, grpc = ports(2)

    def start(**kw):
        w = weir(pipeline(port, backend.url, grpc_port=grpc, **kw))
        w.otlp, w.grpc = f"http://127.0.0.1:{port}", grpc
        return w

    return start


def test_the_seed_payload_arrives_with_its_attributes(chain, backend, root):
    w = chain()
    r = http("POST", w.otlp + "/v1/traces", (root / "examples/trace.json").read_bytes(), JSON)
    assert (r.status, r.text, r.headers["Content-Type"]) == (200, '{"partialSuccess":{}}', "application/json")
    await_that("the span arrives", lambda: backend.count() == 1)
    assert not backend.faults
    span = backend.records[0]
    assert span["name"] == "餵食作業"
    assert span["trace_id"] == "5b8efff798038103d269b633813fc60c" and span["span_id"] == "eee19b7ec3c1b174"
    assert span["resource"]["service.name"] == "ranch-management-system"
    assert span["attributes"]["ranch.area.zone"] == "A區"
    assert span["attributes"]["cluster.name"] == "rancher-cluster"
    assert span["attributes"]["environment"] == "development"
    path, headers, _, _ = backend.requests[0]
    assert path == "/v1/traces"
    assert headers["Content-Encoding"] == "gzip" and headers["Content-Type"] == "application/x-protobuf"
    assert headers["User-Agent"].startswith("Weir/")


def test_connectivity_probe_and_empty_requests(chain, backend):
    w = chain()
    for body in (b'{"test": "connectivity"}', b"{}", b"null", b'{"resourceSpans": []}'):
        r = http("POST", w.otlp + "/v1/traces", body, JSON)
        assert (r.status, r.text) == (200, '{"partialSuccess":{}}'), body
    r = http("POST", w.otlp + "/v1/traces", b"", PROTO)
    assert (r.status, r.body, r.headers["Content-Type"]) == (200, b"\x0a\x00", "application/x-protobuf")
    assert backend.count() == 0


@pytest.mark.parametrize("method,path,headers,body,status,say", [
    ("GET", "/v1/traces", JSON, None, 405, "405 method not allowed, supported: [POST]"),
    ("PUT", "/v1/traces", JSON, b"{}", 405, "405 method not allowed, supported: [POST]"),
    ("POST", "/v1/traces", {"Content-Type": "text/plain"}, b"{}", 415,
     "415 unsupported media type, supported: [application/json, application/x-protobuf]"),
    ("POST", "/v1/metrics", JSON, b"{}", 404, "404 page not found"),
    ("POST", "/elsewhere", JSON, b"{}", 404, "404 page not found"),
])
def test_refusals_in_text(chain, method, path, headers, body, status, say):
    r = http(method, chain().otlp + path, body, headers)
    assert (r.status, r.text.strip()) == (status, say)
    assert r.headers["Content-Type"].startswith("text/plain")


def test_a_body_that_does_not_decode_is_400_with_a_status(chain):
    w = chain()
    for body in (b"", b"{", b"[]", b'{"resourceSpans": 5}', b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"zz"}]}]}]}'):
        r = http("POST", w.otlp + "/v1/traces", body, JSON)
        assert r.status == 400, (body, r.text)
        assert json.loads(r.body)["code"] == 3 and json.loads(r.body)["message"], body
    for body in (b"\xff", b"\x0a\x05abc", b"\x0a\x02\x12\xff"):
        r = http("POST", w.otlp + "/v1/traces", body, PROTO)
        assert r.status == 400 and r.headers["Content-Type"] == "application/x-protobuf", body
        assert r.body.startswith(b"\x08\x03"), "google.rpc.Status with code 3"


def test_encodings(chain, backend, root):
    w = chain()
    plain = (root / "examples/trace.json").read_bytes()
    for name, body in (("gzip", gzip.compress(plain)), ("deflate", zlib.compress(plain)), ("zlib", zlib.compress(plain))):
        r = http("POST", w.otlp + "/v1/traces", body, dict(JSON, **{"Content-Encoding": name}))
        assert r.status == 200, (name, r.text)
    await_that("three spans", lambda: backend.count() == 3)
    r = http("POST", w.otlp + "/nowhere", b"x", dict(JSON, **{"Content-Encoding": "br"}))
    assert r.status == 400 and json.loads(r.body)["message"] == "unsupported Content-Encoding: br"
    r = http("POST", w.otlp + "/v1/traces", b"not gzip", dict(JSON, **{"Content-Encoding": "gzip"}))
    assert r.status == 400


def test_body_limits_hold_for_raw_and_unpacked_bodies(chain):
    w = chain(receiver_http='max_request_body_size = "1MiB"')
    big = b" " * (2 << 20) + b"{}"
    assert http("POST", w.otlp + "/v1/traces", big, JSON).status == 400
    bomb = gzip.compress(b" " * (512 << 20), 9)
    assert len(bomb) < 1 << 20
    before = w.status_kib("VmHWM")
    for _ in range(5):
        assert http("POST", w.otlp + "/v1/traces", bomb, dict(JSON, **{"Content-Encoding": "gzip"})).status == 400
    assert w.status_kib("VmHWM") - before < (256 << 10 if SANITIZED else 64 << 10)


def test_unknown_json_fields_and_snake_case(chain, backend):
    w = chain()
    body = json.dumps({"resource_spans": [{"unknown": {"deep": [1, 2, {"x": None}]}, "scopeSpans": [{"spans": [
        {"traceId": "5B8EFFF798038103D269B633813FC60C", "spanId": "EEE19B7EC3C1B174", "name": "n", "startTimeUnixNano": 1,
         "kind": "SPAN_KIND_SERVER", "newField": True}]}]}]}).encode()
    r = http("POST", w.otlp + "/v1/traces", body, JSON)
    assert r.status == 200, r.text
    await_that("the span arrives", lambda: backend.count() == 1)
    assert backend.records[0]["trace_id"] == "5b8efff798038103d269b633813fc60c"


def test_cors(chain):
    w = chain(receiver_http='cors {\n allowed_origins = ["https://*.example.com"]\n max_age = 60\n }')
    ask = {"Origin": "https://app.example.com", "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    r = http("OPTIONS", w.otlp + "/v1/traces", None, ask)
    assert r.status in (200, 204)
    assert r.headers["Access-Control-Allow-Origin"] == "https://app.example.com"
    assert r.headers["Access-Control-Allow-Credentials"] == "true"
    assert r.headers["Access-Control-Max-Age"] == "60"
    r = http("POST", w.otlp + "/v1/traces", b"{}", dict(JSON, Origin="https://evil.test"))
    assert r.status == 200 and r.headers["Access-Control-Allow-Origin"] is None


def test_metrics_and_logs_go_the_same_way(chain, backend):
    w = chain(signals=("traces", "metrics", "logs"))
    metrics = {"resourceMetrics": [{"scopeMetrics": [{"metrics": [
        {"name": "requests", "sum": {"aggregationTemporality": 2, "isMonotonic": True,
                                     "dataPoints": [{"asInt": "5", "timeUnixNano": "1", "attributes": []}]}}]}]}]}
    logs = {"resourceLogs": [{"scopeLogs": [{"logRecords": [{"timeUnixNano": "1", "severityText": "INFO", "body": {"stringValue": "hello"}}]}]}]}
    assert http("POST", w.otlp + "/v1/metrics", json.dumps(metrics).encode(), JSON).text == '{"partialSuccess":{}}'
    assert http("POST", w.otlp + "/v1/logs", json.dumps(logs).encode(), JSON).text == '{"partialSuccess":{}}'
    await_that("both arrive", lambda: backend.count() == 2)
    assert not backend.faults
    for record in backend.records:
        assert record["attributes"]["cluster.name"] == "rancher-cluster"
    assert {r[0] for r in backend.requests} == {"/v1/metrics", "/v1/logs"}


def test_json_out(chain, backend, root):
    w = chain(exporter='encoding = "json"', compression="none")
    http("POST", w.otlp + "/v1/traces", (root / "examples/trace.json").read_bytes(), JSON)
    await_that("it arrives", lambda: backend.count() == 1)
    sent = json.loads((root / "examples/trace.json").read_text())
    got = json.loads(backend.requests[0][2])
    want = sent["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    span = got["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    assert {k: span[k] for k in want if k != "attributes"} == {k: want[k] for k in want if k != "attributes"}
    assert span["attributes"][:4] == want["attributes"]
    assert span["attributes"][4:] == [{"key": "cluster.name", "value": {"stringValue": "rancher-cluster"}},
                                      {"key": "environment", "value": {"stringValue": "development"}}]
