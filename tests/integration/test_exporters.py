"""The exporters' queue modes, and what the debug exporter prints."""
import json
import threading

import pytest

from configs import FAST_RETRY, direct
from weirproc import await_that, http

pytestmark = pytest.mark.core
JSON = {"Content-Type": "application/json"}


def spans(n, first=0):
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [
        {"name": f"s{i}", "traceId": "1" * 32, "spanId": f"{first + i + 1:016x}"} for i in range(n)]}]}]}).encode()


@pytest.fixture
def send(ports):
    def post(n, first=0):
        return http("POST", post.url, spans(n, first), JSON).status

    post.port, = ports(1)
    post.url = f"http://127.0.0.1:{post.port}/v1/traces"
    return post


def test_requests_are_merged_and_split(weir, backend, send):
    weir(direct(send.port, backend.url, exporter='sending_queue {\n batch {\n min_size = 40\n max_size = 50\n flush_timeout = "300ms"\n }\n }'))
    for i in range(6):
        assert send(20, 20 * i) == 200
    assert send(120, 1000) == 200
    await_that("all arrive", lambda: backend.count() == 240)
    assert len({r["span_id"] for r in backend.records}) == 240
    assert len(backend.requests) < 7


def test_the_result_is_waited_for(weir, backend, send):
    answers = []
    backend.respond = (200, {}, b"", 0.3)
    weir(direct(send.port, backend.url, exporter="sending_queue {\n wait_for_result = true\n }"))
    t = threading.Thread(target=lambda: answers.append(send(1)))
    t.start()
    await_that("it is being sent", lambda: len(backend.requests) == 1)
    assert not answers
    t.join(30)
    assert answers == [200]


def test_a_failure_that_was_waited_for_is_told(weir, backend, send):
    backend.respond = (400, {}, b"", 0)
    w = weir(direct(send.port, backend.url, exporter="sending_queue {\n wait_for_result = true\n }"))
    r = http("POST", send.url, spans(1), JSON)
    assert (r.status, json.loads(r.body)["code"]) == (400, 3)
    assert w.metric("otelcol_receiver_refused_spans_total", transport="http") == 1


def test_callers_of_a_blocking_queue_wait_for_room(weir, backend, send):
    release = threading.Event()

    def respond(_):
        release.wait(30)
        return 200, {}, b"", 0

    backend.respond = respond
    weir(direct(send.port, backend.url, exporter="sending_queue {\n block_on_overflow = true\n queue_size = 2\n num_consumers = 1\n }"))
    answers = []
    clients = [threading.Thread(target=lambda i=i: answers.append(send(1, i))) for i in range(5)]
    for c in clients:
        c.start()
    await_that("two are in the queue", lambda: len(answers) == 2)
    release.set()
    for c in clients:
        c.join(30)
    assert answers == [200] * 5
    await_that("all arrive", lambda: backend.count() == 5)


def test_storage_is_said_not_to_be_durable(weir, backend, send):
    handler = 'otelcol.auth.bearer "any" {\n token = "x"\n}\n'
    w = weir(handler + direct(send.port, backend.url, exporter="sending_queue {\n storage = otelcol.auth.bearer.any.handler\n }"))
    assert "sending_queue.storage" in w.log and "not durable" in w.log
    assert send(1) == 200
    await_that("it arrives", lambda: backend.count() == 1)


def test_a_request_larger_than_the_queue_is_refused_for_good(weir, backend, send):
    w = weir(direct(send.port, backend.url, exporter='sending_queue {\n sizer = "items"\n queue_size = 10\n }'))
    r = http("POST", send.url, spans(11), JSON)
    assert (r.status, json.loads(r.body)["message"]) == (500, "element size too large")
    assert w.metric("otelcol_exporter_enqueue_failed_spans_total") == 11
    assert send(10) == 200


def test_health_and_metrics_tell_of_failures(weir, backend, send):
    backend.respond = (500, {}, b"", 0)
    w = weir(direct(send.port, backend.url, exporter=FAST_RETRY))
    assert send(3) == 200
    name = "otelcol.exporter.otlphttp.out"
    await_that("it is unhealthy", lambda: w.health(name)["state"] == "unhealthy")
    assert "HTTP Status Code 500" in w.health(name)["message"]
    assert w.metric("otelcol_exporter_send_failed_spans_total") == 3
    assert "Exporting failed. Dropping data." in w.log and "dropped_items=3" in w.log
    backend.respond = (200, {}, b"", 0)
    assert send(1) == 200
    await_that("it is healthy again", lambda: w.health(name)["state"] == "healthy")


def test_debug_to_a_file_and_to_the_log(weir, send, tmp_path):
    out = tmp_path / "spans.txt"
    w = weir(f'''
otelcol.receiver.otlp "in" {{
  http {{
    endpoint = "127.0.0.1:{send.port}"
  }}
  output {{
    traces = [otelcol.exporter.debug.file.input, otelcol.exporter.debug.log.input]
  }}
}}
otelcol.exporter.debug "file" {{
  use_internal_logger = false
  output_paths        = ["{out}"]
  verbosity           = "detailed"
}}
otelcol.exporter.debug "log" {{ }}
''', "--stability.level=experimental")
    assert send(2) == 200
    await_that("the file has it", lambda: out.exists() and "Span #1" in out.read_text())
    assert out.read_text().startswith('Traces\t{"resource spans": 1, "spans": 2}\n')
    assert "s1" in out.read_text()
    await_that("the log has it", lambda: "msg=Traces" in w.log)
