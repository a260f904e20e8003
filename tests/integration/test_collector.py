"""The OpenTelemetry Collector on both sides of Weir."""
import json
import subprocess

import pytest

import peers
from configs import pipeline
from weirproc import await_that, http, port_open


@pytest.fixture
def collector(tmp_path):
    """collector(config) -> the process, listening; stopped at the end."""
    running = []

    def start(config, port):
        n = len(running)
        path = tmp_path / f"col{n}.yaml"
        path.write_text(config)
        log = open(tmp_path / f"col{n}.log", "wb")
        p = subprocess.Popen([peers.collector(), "--config", str(path)], stdout=log, stderr=subprocess.STDOUT)
        running.append(p)
        await_that("the Collector listens", lambda: p.poll() is None and port_open(port))
        return p

    yield start
    for p in running:
        p.terminate()
        p.wait(20)


def backend_config(grpc, http_port, out):
    return f"""
receivers:
  otlp:
    protocols:
      grpc: {{endpoint: "127.0.0.1:{grpc}"}}
      http: {{endpoint: "127.0.0.1:{http_port}"}}
exporters:
  file: {{path: "{out}", flush_interval: 100ms}}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines:
    traces: {{receivers: [otlp], exporters: [file]}}
    metrics: {{receivers: [otlp], exporters: [file]}}
    logs: {{receivers: [otlp], exporters: [file]}}
"""


def front_config(port, exporter, endpoint):
    return f"""
receivers:
  otlp:
    protocols:
      http: {{endpoint: "127.0.0.1:{port}"}}
exporters:
  {exporter}: {{endpoint: "{endpoint}", tls: {{insecure: true}}}}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines:
    traces: {{receivers: [otlp], exporters: [{exporter}]}}
"""


def spans_of(path):
    out = []
    if path.exists():
        for line in path.read_text().splitlines():
            for rs in json.loads(line).get("resourceSpans", []):
                for ss in rs.get("scopeSpans", []):
                    out += [(rs.get("resource", {}), ss.get("scope", {}), s) for s in ss["spans"]]
    return out


@pytest.mark.parametrize("kind", ["otlp", "otlphttp"])
def test_collector_weir_collector(weir, collector, ports, root, tmp_path, kind):
    front, weir_http, weir_grpc, back_grpc, back_http = ports(5)
    out = tmp_path / "out.json"
    collector(backend_config(back_grpc, back_http, out), back_http)
    endpoint = f"127.0.0.1:{back_grpc}" if kind == "otlp" else f"http://127.0.0.1:{back_http}"
    w = weir(pipeline(weir_http, endpoint, grpc_port=weir_grpc, kind=kind))
    to_weir = f"127.0.0.1:{weir_grpc}" if kind == "otlp" else f"http://127.0.0.1:{weir_http}"
    collector(front_config(front, kind, to_weir), front)
    body = (root / "examples/trace.json").read_bytes()
    r = http("POST", f"http://127.0.0.1:{front}/v1/traces", body, {"Content-Type": "application/json"})
    assert r.status == 200
    (resource, scope, span), = await_that("the span comes out", lambda: spans_of(out))
    want = json.loads(body)["resourceSpans"][0]
    assert resource == want["resource"] and scope == want["scopeSpans"][0]["scope"]
    sent = want["scopeSpans"][0]["spans"][0]
    extra = [{"key": "cluster.name", "value": {"stringValue": "rancher-cluster"}}, {"key": "environment", "value": {"stringValue": "development"}}]
    assert span["attributes"] == sent["attributes"] + extra
    assert {k: span[k] for k in sent if k != "attributes"} == {k: sent[k] for k in sent if k != "attributes"}
    await_that("it is counted", lambda: w.metric("otelcol_exporter_sent_spans_total") == 1)


def test_weir_speaks_as_the_collector_does(weir, collector, backend, ports, tmp_path):
    """The same requests to both receivers: the same status, content type and body."""
    ours, grpc, back_grpc, theirs = ports(4)
    weir(pipeline(ours, backend.url, grpc_port=grpc, signals=("traces", "metrics", "logs")))
    collector(backend_config(back_grpc, theirs, tmp_path / "o"), theirs)
    json_type, proto = {"Content-Type": "application/json"}, {"Content-Type": "application/x-protobuf"}
    asked = [
        ("POST", "/v1/traces", json_type, b'{"test": "connectivity"}'), ("POST", "/v1/traces", json_type, b"{}"),
        ("POST", "/v1/metrics", json_type, b"{}"), ("POST", "/v1/logs", proto, b""), ("POST", "/v1/traces", proto, b""),
        ("GET", "/v1/traces", json_type, None), ("POST", "/v1/traces", {"Content-Type": "text/plain"}, b"x"), ("POST", "/nothing", json_type, b"{}"),
        ("POST", "/v1/traces", dict(json_type, **{"Content-Encoding": "br"}), b"x"),
    ]
    for method, path, headers, body in asked:
        a, b = (http(method, f"http://127.0.0.1:{p}{path}", body, headers) for p in (ours, theirs))
        assert (a.status, a.headers["Content-Type"]) == (b.status, b.headers["Content-Type"]), (method, path, headers)
        if a.headers["Content-Type"] == "application/json":
            assert json.loads(a.body) == json.loads(b.body), (method, path, headers)
        else:
            assert a.body.strip() == b.body.strip(), (method, path, headers)
    broken = [(json_type, b"{"), (json_type, b'{"resourceSpans":5}'), (proto, b"\xff"), (json_type, b"")]
    for headers, body in broken:
        a, b = (http("POST", f"http://127.0.0.1:{p}/v1/traces", body, headers) for p in (ours, theirs))
        assert (a.status, a.headers["Content-Type"]) == (b.status, b.headers["Content-Type"]), body
