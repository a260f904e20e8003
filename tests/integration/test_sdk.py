"""OpenTelemetry SDKs as clients: Python over gRPC and HTTP/protobuf, JavaScript over HTTP/JSON."""
import subprocess

import pytest

import peers
from configs import pipeline
from weirproc import await_that

PYTHON_CLIENT = '''
import logging, sys
from opentelemetry import trace, metrics
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
kind, endpoint = sys.argv[1:]
if kind == "grpc":
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
    from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
    spans, points = OTLPSpanExporter(endpoint=endpoint, insecure=True), OTLPMetricExporter(endpoint=endpoint, insecure=True)
else:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http import Compression
    spans = OTLPSpanExporter(endpoint=endpoint + "/v1/traces", compression=Compression.Gzip)
    points = OTLPMetricExporter(endpoint=endpoint + "/v1/metrics")
resource = Resource.create({"service.name": "sdk-test"})
provider = TracerProvider(resource=resource)
provider.add_span_processor(BatchSpanProcessor(spans))
tracer = provider.get_tracer("t")
for i in range(100):
    with tracer.start_as_current_span(f"span {i}", attributes={"i": i, "list": ["a", "b"], "ok": True, "f": 1.5}) as s:
        s.add_event("event", {"k": "v"})
provider.shutdown()
meters = MeterProvider(resource=resource, metric_readers=[PeriodicExportingMetricReader(points)])
m = meters.get_meter("m")
m.create_counter("requests").add(3, {"path": "/"})
m.create_histogram("latency").record(0.2, {"path": "/"})
meters.shutdown()
'''

NODE_CLIENT = '''
const { BasicTracerProvider, BatchSpanProcessor } = require("@opentelemetry/sdk-trace-base");
const { OTLPTraceExporter } = require("@opentelemetry/exporter-trace-otlp-http");
const { resourceFromAttributes } = require("@opentelemetry/resources");
const exporter = new OTLPTraceExporter({ url: process.argv[2] + "/v1/traces" });
const provider = new BasicTracerProvider({
  resource: resourceFromAttributes({ "service.name": "js-test" }), spanProcessors: [new BatchSpanProcessor(exporter)] });
const tracer = provider.getTracer("t");
for (let i = 0; i < 100; i++) tracer.startSpan("span " + i, { attributes: { i, ok: true, f: 1.5, list: ["a", "b"] } }).end();
provider.forceFlush().then(() => provider.shutdown()).catch(e => { console.error(e); process.exit(1); });
'''


@pytest.fixture
def chain(weir, backend, ports):
    http_port, grpc_port = ports(2)
    weir(pipeline(http_port, backend.url, grpc_port=grpc_port, signals=("traces", "metrics", "logs")))
    return http_port, grpc_port


def check_spans(backend, service):
    spans = await_that("a hundred spans", lambda: (s := [r for r in backend.records if "span_id" in r]) and len(s) >= 100 and s)
    assert not backend.faults
    assert sorted(s["attributes"]["i"] for s in spans) == list(range(100))
    for s in spans:
        a = s["attributes"]
        assert s["resource"]["service.name"] == service and a["cluster.name"] == "rancher-cluster" and a["environment"] == "development"
        assert a["list"] == ["a", "b"] and a["ok"] is True and a["f"] == 1.5


@pytest.mark.parametrize("kind", ["grpc", "http"])
def test_python_sdk(chain, backend, kind):
    http_port, grpc_port = chain
    endpoint = f"127.0.0.1:{grpc_port}" if kind == "grpc" else f"http://127.0.0.1:{http_port}"
    r = subprocess.run([peers.python_sdk(), "-c", PYTHON_CLIENT, kind, endpoint], capture_output=True, text=True, timeout=60)
    assert r.returncode == 0 and "Failed to export" not in r.stderr, r.stderr
    check_spans(backend, "sdk-test")
    points = await_that("two metrics", lambda: (p := [r for r in backend.records if "span_id" not in r]) and len(p) >= 2 and p)
    assert {p["name"] for p in points} >= {"requests", "latency"}
    assert all(p["attributes"]["cluster.name"] == "rancher-cluster" and p["attributes"]["path"] == "/" for p in points)


def test_javascript_sdk(chain, backend, tmp_path):
    home = peers.node_sdk()
    script = home / "client.js"
    script.write_text(NODE_CLIENT)
    r = subprocess.run(["node", str(script), f"http://127.0.0.1:{chain[0]}"], capture_output=True, text=True, timeout=60, cwd=home)
    assert r.returncode == 0 and not r.stderr, r.stderr
    check_spans(backend, "js-test")
