"""What was answered with success arrives, whatever the backend does; refusals say how long to wait."""
import base64
import json
import signal
import subprocess
import threading

import pytest

from configs import FAST_RETRY, pipeline
from weirproc import await_that, http

pytestmark = pytest.mark.core
JSON = {"Content-Type": "application/json"}


def spans(n, first=0):
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [
        {"traceId": f"{i + 1:032x}", "spanId": f"{i + 1:016x}", "name": f"s{i}", "startTimeUnixNano": "1", "endTimeUnixNano": "2"}
        for i in range(first, first + n)]}]}]}).encode()


def send(port, n, first=0):
    return http("POST", f"http://127.0.0.1:{port}/v1/traces", spans(n, first), JSON)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_retryable_answers_are_tried_again(weir, backend, ports, status):
    port = ports(1)[0]
    w = weir(pipeline(port, backend.url, exporter=FAST_RETRY))
    backend.respond = lambda n: (status, {}, b"", 0) if n < 3 else (200, {}, b"", 0)
    assert send(port, 10).status == 200
    await_that("they arrive at the fourth attempt", lambda: backend.count() == 10)
    assert len(backend.requests) == 4
    assert "Exporting failed. Will retry the request after interval." in w.log
    await_that("they are counted", lambda: w.metric("otelcol_exporter_sent_spans_total") == 10)


@pytest.mark.parametrize("status", [400, 401, 404, 413, 500])
def test_permanent_answers_are_not(weir, backend, ports, status):
    port = ports(1)[0]
    w = weir(pipeline(port, backend.url, exporter=FAST_RETRY))
    backend.respond = (status, {}, b"", 0)
    assert send(port, 10).status == 200
    await_that("it is counted as failed", lambda: w.metric("otelcol_exporter_send_failed_spans_total") == 10)
    assert len(backend.requests) == 1
    assert "Exporting failed. Dropping data." in w.log and "dropped_items=10" in w.log


def test_retry_after_is_a_lower_bound(weir, backend, ports):
    port = ports(1)[0]
    weir(pipeline(port, backend.url, exporter=FAST_RETRY))
    backend.respond = lambda n: (503, {"Retry-After": "2"}, b"", 0) if n == 0 else (200, {}, b"", 0)
    assert send(port, 1).status == 200
    await_that("it arrives", lambda: backend.count() == 1)
    assert backend.requests[1][3] - backend.requests[0][3] >= 1.9


def test_a_dead_backend_that_comes_back_gets_everything(weir, backend, ports):
    port = ports(1)[0]
    w = weir(pipeline(port, backend.url, exporter=FAST_RETRY))
    backend.respond = (503, {}, b"", 0)
    for i in range(20):
        assert send(port, 50, i * 50).status == 200
    await_that("it has failed some times", lambda: len(backend.requests) >= 5)
    backend.respond = (200, {}, b"", 0)
    await_that("everything arrives", lambda: backend.count() == 1000)
    assert len({r["span_id"] for r in backend.records}) == 1000
    assert w.metric("otelcol_exporter_send_failed_spans_total") in (None, 0)


def test_a_full_queue_refuses_with_a_time_to_wait(weir, backend, ports):
    port = ports(1)[0]
    w = weir(pipeline(port, backend.url, batch='timeout = "10ms"\n send_batch_size = 10\n send_batch_max_size = 10',
                      exporter=FAST_RETRY + "\n sending_queue {\n queue_size = 3\n num_consumers = 1\n }"))
    backend.respond = (503, {}, b"", 0)
    accepted, refused = 0, None
    for i in range(200):
        r = send(port, 10, i * 10)
        if r.status == 200:
            accepted += 10
        else:
            refused = r
            break
    assert refused is not None and refused.status in (429, 503), "the queue never filled"
    assert int(refused.headers["Retry-After"]) >= 1
    assert json.loads(refused.body)["code"] in (8, 14)
    assert w.metric("otelcol_receiver_refused_spans_total") == 10
    backend.respond = (200, {}, b"", 0)
    await_that("what was answered with 200 arrives", lambda: backend.count() == accepted)
    await_that("and the receiver takes again", lambda: send(port, 10, 5000).status == 200)


def test_a_full_queue_tells_grpc_clients_how_long_to_wait(weir, backend, ports):
    port, grpc = ports(2)
    weir(pipeline(port, backend.url, grpc_port=grpc, batch='timeout = "10ms"\n send_batch_size = 10\n send_batch_max_size = 10',
                  exporter=FAST_RETRY + "\n sending_queue {\n queue_size = 3\n num_consumers = 1\n }"), "--workers=1")
    backend.respond = (503, {}, b"", 0)
    await_that("the queue fills", lambda: send(port, 10).status == 503)
    span = b"\x0a\x07\x12\x05\x12\x03\x2a\x01n"  # resource spans, scope spans, a span named n
    r = subprocess.run(["curl", "-s", "--max-time", "20", "--http2-prior-knowledge", "-D", "-", "-o", "/dev/null", "-H", "Content-Type: application/grpc",
                        "-H", "TE: trailers", "--data-binary", "@-",
                        f"http://127.0.0.1:{grpc}/opentelemetry.proto.collector.trace.v1.TraceService/Export"],
                       input=b"\0" + len(span).to_bytes(4, "big") + span, capture_output=True, timeout=30)
    fields = dict(line.split(": ", 1) for line in r.stdout.decode().replace("\r", "").splitlines() if ": " in line)
    assert fields["grpc-status"] == "14", r.stdout
    details = fields["grpc-status-details-bin"]
    assert b"type.googleapis.com/google.rpc.RetryInfo" in base64.b64decode(details + "=" * (-len(details) % 4))
    backend.respond = (200, {}, b"", 0)
    await_that("and the receiver takes again", lambda: send(port, 10).status == 200)


def test_without_a_queue_the_client_waits_for_the_backend(weir, backend, ports):
    port = ports(1)[0]
    config = f'''
otelcol.receiver.otlp "r" {{
  http {{ endpoint = "127.0.0.1:{port}" }}
  output {{ traces = [otelcol.exporter.otlphttp.e.input] }}
}}
otelcol.exporter.otlphttp "e" {{
  retry_on_failure {{ enabled = false }}
  sending_queue {{ enabled = false }}
  client {{ endpoint = "{backend.url}" }}
}}'''
    weir(config)
    backend.respond = (200, {}, b"", 0.3)
    assert send(port, 1).status == 200 and backend.count() == 1
    backend.respond = (503, {"Retry-After": "7"}, b"", 0)
    r = send(port, 1)
    assert r.status == 503 and int(r.headers["Retry-After"]) >= 1
    backend.respond = (400, {}, b"", 0)
    assert send(port, 1).status in (400, 500)


def test_stopping_drains_what_is_pending(weir, backend, ports):
    port = ports(1)[0]
    w = weir(pipeline(port, backend.url, batch='timeout = "60s"\n send_batch_size = 100000\n send_batch_max_size = 0'))
    for i in range(10):
        assert send(port, 100, i * 100).status == 200
    assert backend.count() == 0
    assert w.stop() == 0
    assert backend.count() == 1000 and not backend.faults


def test_reloads_under_load_lose_nothing(weir, sink, otlpgen, ports):
    port, grpc = ports(2)
    s = sink("-s", "-e", "environment=development")
    config = lambda v: pipeline(port, f"http://127.0.0.1:{s.port}", grpc_port=grpc, compression="none",
                                actions=[("environment", "development"), ("generation", str(v))])
    w = weir(config(0), "--workers=2")
    result = {}
    load = threading.Thread(target=lambda: result.update(otlpgen(port, "-c", 4, "-b", 64, "-d", 4, "-r", 20000)))
    load.start()
    generation = 0
    while load.is_alive():
        generation += 1
        assert w.reload(config(generation)).status == 200
        load.join(0.1)
    assert generation > 5
    assert result["errors"] == 0
    await_that("all of it arrives", lambda: s.stats()["unique"] >= result["spans"])
    stats = s.stats()
    assert stats["duplicates"] == 0 and stats["decode_errors"] == 0 and stats["expected_missing"] == 0


@pytest.mark.parametrize("how", [[], ["-g"]])
def test_full_speed_on_two_workers_loses_nothing(weir, sink, otlpgen, ports, how):
    port, grpc = ports(2)
    s = sink("-s", "-e", "cluster.name=rancher-cluster")
    w = weir(pipeline(port, f"http://127.0.0.1:{s.port}", grpc_port=grpc, compression="none", batch='timeout = "1s"\n send_batch_size = 1024'),
             "--workers=2")
    r = otlpgen(grpc if how else port, "-c", 4, "-b", 512, "-d", 2, *how)
    assert r["errors"] == 0 and r["spans"] > 0
    await_that("all of it arrives", lambda: s.stats()["unique"] >= r["spans"])
    stats = s.stats()
    assert stats["duplicates"] == 0 and stats["expected_missing"] == 0 and stats["decode_errors"] == 0
    assert w.stop() == 0


def test_grpc_exporter_to_a_grpc_endpoint(weir, sink, otlpgen, ports):
    port, grpc = ports(2)
    s = sink("-s", "-e", "cluster.name=rancher-cluster")
    w = weir(pipeline(port, f"127.0.0.1:{s.port}", grpc_port=grpc, kind="otlp"))
    r = otlpgen(grpc, "-c", 4, "-b", 512, "-d", 3, "-g")
    await_that("all of it arrives", lambda: s.stats()["unique"] >= r["spans"])
    await_that("it is counted", lambda: w.metric("otelcol_exporter_sent_spans_total") >= r["spans"])
    stats = s.stats()
    assert stats["decode_errors"] == 0 and stats["duplicates"] == 0 and stats["expected_missing"] == 0
    assert "Dropping data" not in w.log and "Will retry" not in w.log


def test_a_second_signal_kills_a_stop_that_hangs(weir, backend, ports):
    port = ports(1)[0]
    w = weir(pipeline(port, backend.url))
    backend.respond = (200, {}, b"", 20)
    assert send(port, 1).status == 200
    await_that("it is being sent", lambda: len(backend.requests) == 1)
    w.signal(signal.SIGTERM)
    await_that("it has begun to stop", lambda: w.p.poll() is not None or "shutting down" in w.log or "stopping" in w.log)
    w.signal(signal.SIGTERM)
    assert await_that("it is gone at once", lambda: w.p.poll() is not None, 15)
    w.expected_exit = w.p.returncode
    assert w.p.returncode != 0
