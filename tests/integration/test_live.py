"""Live debugging and graph streams, read by real clients while telemetry flows: the checks, the texts, slow and gone readers, reload, the end."""
import json
import re
import signal
import socket
import subprocess
import threading
import time

import pytest

from configs import pipeline
from weirproc import LIMIT, SANITIZED, await_that, http, port_open

pytestmark = pytest.mark.core

ON = "livedebugging {\n  enabled = true\n}\n"
DELIMITER = "|;|"
RECEIVER = "otelcol.receiver.otlp.default"
DISABLED = "the live debugging service is disabled. Check the documentation to find out how to enable it\n"


class Stream:
    """curl -N on a live stream; what it has brought so far."""

    def __init__(self, url, *flags):
        self.p = subprocess.Popen(["curl", "-sSN", "-D", "/dev/stderr", *flags, url], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self._out, self._head = b"", b""
        self._threads = [threading.Thread(target=self._read, args=a, daemon=True) for a in ((self.p.stdout, "_out"), (self.p.stderr, "_head"))]
        for t in self._threads:
            t.start()

    def _read(self, pipe, name):
        while piece := pipe.read1(65536):
            setattr(self, name, getattr(self, name) + piece)

    @property
    def text(self):
        return self._out.decode()

    @property
    def items(self):
        """The whole ones."""
        return self.text.split(DELIMITER)[:-1]

    @property
    def status(self):
        m = re.search(rb"^HTTP/\S+ (\d+)", self._head)
        return int(m[1]) if m else None

    @property
    def head(self):
        return self._head.decode()

    def begun(self):
        await_that("the stream begins", lambda: self.status is not None)
        return self

    def ended(self, limit=LIMIT):
        code = self.p.wait(limit)
        for t in self._threads:
            t.join()
        return code

    def close(self):
        self.p.kill()
        self.p.wait()


@pytest.fixture
def listen():
    """listen(weir, path, *curl flags) -> a Stream that has begun."""
    streams = []

    def start(w, path, *flags):
        streams.append(Stream(w.url + "/api/v0/web/" + path, *flags))
        return streams[-1].begun()

    yield start
    for s in streams:
        s.close()


def send(port, names, signal_="traces"):
    records = {
        "traces": ("resourceSpans", "scopeSpans", "spans", lambda n: {"traceId": "0102030405060708090a0b0c0d0e0f10", "spanId": "0102030405060708",
                                                                    "name": n, "startTimeUnixNano": "1", "endTimeUnixNano": "2"}),
        "logs": ("resourceLogs", "scopeLogs", "logRecords", lambda n: {"timeUnixNano": "1", "body": {"stringValue": n}}),
        "metrics": ("resourceMetrics", "scopeMetrics", "metrics",
                    lambda n: {"name": n, "gauge": {"dataPoints": [{"timeUnixNano": "1", "asInt": "1"}, {"timeUnixNano": "2", "asInt": "2"}]}}),
    }
    resource, scope, record, make = records[signal_]
    body = {resource: [{scope: [{record: [make(n) for n in names]}]}]}
    r = http("POST", f"http://127.0.0.1:{port}/v1/{signal_}", json.dumps(body).encode(), {"Content-Type": "application/json"})
    assert r.status == 200, r.text


@pytest.fixture
def agent(weir, backend, ports):
    """agent(prefix of the configuration) -> Weir with a pipeline of all signals; .otlp is its port."""

    def start(before=ON, *flags):
        port = ports(1)[0]
        config = pipeline(port, backend.url, signals=("traces", "metrics", "logs"), batch='timeout = "10ms"')
        w = weir(before + config, *flags)
        w.otlp, w.pipeline = port, config
        return w

    return start


def test_texts_of_what_flows(agent, listen):
    w = agent()
    receiver = listen(w, f"debug/{RECEIVER}")
    edited = listen(w, "debug/otelcol.processor.attributes.default")
    assert receiver.status == 200 and "Transfer-Encoding: chunked" in receiver.head
    for i in range(3):
        send(w.otlp, [f"span-{i}"])
    send(w.otlp, ["a line"], "logs")
    send(w.otlp, ["a.metric"], "metrics")
    await_that("all is shown", lambda: len(receiver.items) == 5 and "a.metric" in edited.text and "a line" in edited.text)
    assert [re.search(r"Name +: (\S+)", t)[1] for t in receiver.items[:3]] == ["span-0", "span-1", "span-2"]
    assert all(t.startswith("Resource") for t in receiver.items) and "a line" in receiver.items[3]
    assert "cluster.name" in edited.text and "cluster.name" not in receiver.text
    live = {c["name"]: c["liveDebuggingEnabled"] for c in w.components()}
    assert live == {"otelcol.receiver.otlp": True, "otelcol.processor.batch": True, "otelcol.processor.attributes": True, "otelcol.exporter.otlphttp": False}


def test_checks_come_in_order(agent):
    w = agent("")
    for wanted in (RECEIVER, "nothing", "otelcol.exporter.otlphttp.default"):
        r = w.get(f"/api/v0/web/debug/{wanted}")
        assert (r.status, r.text) == (500, DISABLED)
        assert r.headers["X-Content-Type-Options"] == "nosniff"
    assert w.reload(ON + w.pipeline).status == 200
    for wanted, text in (("nothing", "component not found"), ("livedebugging", "component not found"),
                         (f"no.such.module/{RECEIVER}", "component not found"),
                         ("otelcol.exporter.otlphttp.default", 'the component "otelcol.exporter.otlphttp" does not support live debugging')):
        r = w.get(f"/api/v0/web/debug/{wanted}")
        assert (r.status, r.text) == (500, text + "\n")


PROBABILITY = "Invalid sample probability\n"
WINDOW = "Invalid window: must be an integer between 1 and 60\n"


def test_a_bad_parameter_is_said_and_the_stream_goes_on(agent, listen):
    w = agent()
    bad = [(listen(w, f"debug/{RECEIVER}?sampleProb={p}"), PROBABILITY) for p in ("1.5", "-0.1", "x", "NaN")]
    bad += [(listen(w, f"graph?window={s}"), WINDOW) for s in ("0", "61", "1.5", "x")]
    send(w.otlp, ["shown"])
    await_that("items come", lambda: all(len(s.items) > 0 for s, _ in bad))
    for s, fault in bad:
        assert s.status == 400 and "X-Content-Type-Options: nosniff" in s.head
        assert s.text.startswith(fault) and len(s.items[0]) > len(fault)


def test_sampling(agent, listen):
    w = agent()
    some, none, everything = (listen(w, f"debug/{RECEIVER}?sampleProb={p}") for p in ("0.5", "0", "1.0"))
    for i in range(200):
        send(w.otlp, [f"span-{i}"])
    await_that("all are there", lambda: len(everything.items) == 200 and "span-" in some.text)
    assert none.text == ""
    assert 50 <= len(some.items) <= 150  # seven standard deviations


def test_http2_and_http10(agent, listen):
    w = agent()
    two = listen(w, f"debug/{RECEIVER}", "--http2-prior-knowledge")
    one = listen(w, f"debug/{RECEIVER}", "--http1.0")
    assert two.head.startswith("HTTP/2 200") and "chunked" not in one.head
    send(w.otlp, ["both"])
    await_that("both have it", lambda: len(two.items) == 1 and len(one.items) == 1)
    assert two.text == one.text


def rates(stream):
    """What the graph stream has told so far, by component and type: sums of rates."""
    total = {}
    for item in stream.items:
        for r in json.loads(item):
            assert list(r) == ["componentID", "targetComponentIDs", "type", "rate"]
            key = r["componentID"], r["type"]
            total[key] = total.get(key, 0) + r["rate"]
    return total


def test_graph_stream(agent, listen):
    w = agent("")  # works without the block
    s = listen(w, "graph?window=1")
    await_that("idle windows are told", lambda: "[]" in s.items)
    send(w.otlp, ["a", "b", "c"])
    send(w.otlp, ["l"], "logs")
    send(w.otlp, ["m", "n"], "metrics")  # two points each: metrics count
    expected = {(c, t): n for c in (RECEIVER, "otelcol.processor.batch.default", "otelcol.processor.attributes.default")
                for t, n in (("otel_trace", 3), ("otel_log", 1), ("otel_metric", 2))}
    await_that("all rates are told", lambda: rates(s) == expected)
    targets = {r["componentID"]: r["targetComponentIDs"] for item in s.items for r in json.loads(item)}
    assert targets[RECEIVER] == ["otelcol.processor.batch.default"]
    assert targets["otelcol.processor.attributes.default"] == ["otelcol.exporter.otlphttp.default"]
    longer = listen(w, "graph?window=2")
    send(w.otlp, ["a", "b", "c"])
    await_that("a longer window divides", lambda: rates(longer).get((RECEIVER, "otel_trace")) == 1.5)
    r = w.get("/api/v0/web/graph/no.such.module")
    assert (r.status, r.text) == (500, "module not found\n")


MODULES = '''
declare "stage" {
  argument "out" { }
  otelcol.processor.attributes "inner" {
    action {
      key    = "stage"
      value  = "inner"
      action = "upsert"
    }
    output {
      traces = argument.out.value
    }
  }
  export "input" {
    value = otelcol.processor.attributes.inner.input
  }
}
stage "one" {
  out = [otelcol.exporter.otlphttp.default.input]
}
otelcol.receiver.otlp "default" {
  http {
    endpoint = "127.0.0.1:%d"
  }
  output {
    traces = [stage.one.input]
  }
}
otelcol.exporter.otlphttp "default" {
  client {
    endpoint = "%s"
  }
}
'''


def test_components_inside_modules(weir, backend, ports, listen):
    port = ports(1)[0]
    w = weir(ON + MODULES % (port, backend.url))
    inner = "stage.one/otelcol.processor.attributes.inner"
    texts, root, module = listen(w, f"debug/{inner}"), listen(w, "graph?window=1"), listen(w, "graph/stage.one?window=1")
    send(port, ["deep"])
    await_that("it is shown", lambda: "stage" in texts.text and rates(module) and rates(root))
    assert rates(root) == {(RECEIVER, "otel_trace"): 1} and rates(module) == {(inner, "otel_trace"): 1}
    told = {r["componentID"]: r["targetComponentIDs"] for s in (root, module) for item in s.items for r in json.loads(item)}
    assert told == {RECEIVER: [inner], inner: ["otelcol.exporter.otlphttp.default"]}
    r = w.get("/api/v0/web/debug/stage.one")
    assert (r.status, r.text) == (500, 'the component "stage" does not support live debugging\n')
    assert w.get("/api/v0/web/debug/stage.one/nothing").text == "component not found\n"


def test_turning_it_off_silences_streams(agent, listen):
    w = agent()
    before, graph = listen(w, f"debug/{RECEIVER}"), listen(w, "graph?window=1")
    send(w.otlp, ["one"])
    await_that("it is shown", lambda: len(before.items) == 1 and rates(graph))
    assert w.reload(w.pipeline).status == 200
    assert w.get(f"/api/v0/web/debug/{RECEIVER}").text == DISABLED
    told = rates(graph)
    send(w.otlp, ["two"])
    assert w.reload(ON + w.pipeline).status == 200
    after = listen(w, f"debug/{RECEIVER}")
    fresh = listen(w, "graph?window=1")
    send(w.otlp, ["three"])
    await_that("the new streams have it", lambda: len(after.items) == 1 and rates(fresh))
    windows = len(graph.items)
    await_that("the old graph stream goes on", lambda: len(graph.items) > windows)
    assert len(before.items) == 1 and rates(graph) == told
    assert before.p.poll() is None and graph.p.poll() is None


def test_a_stream_follows_its_component_over_reloads(agent, listen):
    w = agent()
    s = listen(w, f"debug/{RECEIVER}")
    assert w.reload(ON).status == 200  # all components go
    assert w.get(f"/api/v0/web/debug/{RECEIVER}").text == "component not found\n"
    assert w.reload(ON + w.pipeline).status == 200
    await_that("the receiver is back", lambda: port_open(w.otlp))
    send(w.otlp, ["back"])
    await_that("the new one is shown", lambda: len(s.items) == 1)


def slow_reader(w, path):
    """A client that asks for a stream and reads nothing."""
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.connect(("127.0.0.1", w.http_port))
    s.sendall(f"GET {path} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
    return s


def test_a_slow_reader_loses_items_and_holds_nothing_up(agent, backend):
    w = agent()
    before = w.status_kib("VmRSS")
    with slow_reader(w, f"/api/v0/web/debug/{RECEIVER}"):
        names = [f"span-{i}-" + "x" * 1000 for i in range(500)]  # about 700 kB of text a request

        def flood():
            send(w.otlp, names)
            return "items are left out" in w.log

        await_that("items are lost", flood, step=0)
        for _ in range(20):
            send(w.otlp, names)
        assert w.get("/-/ready").status == 200
        assert w.log.count("items are left out") == 1
    assert w.status_kib("VmHWM") - before < (64 if not SANITIZED else 512) * 1024


def test_readers_that_leave_are_forgotten(agent, listen):
    w = agent()
    limit = 32
    first = [listen(w, f"debug/{RECEIVER}") for _ in range(limit)]
    r = w.get(f"/api/v0/web/debug/{RECEIVER}")
    assert (r.status, r.text) == (503, "too many live debugging streams are open\n")
    graphs = [listen(w, "graph?window=60") for _ in range(limit)]
    assert w.get("/api/v0/web/graph").status == 503
    send(w.otlp, ["all"])
    await_that("everybody has it", lambda: all(len(s.items) == 1 for s in first))
    for s in first + graphs:
        s.close()

    def room():
        s = Stream(f"{w.url}/api/v0/web/debug/{RECEIVER}").begun()
        ok = s.status == 200
        s.close()
        return ok

    await_that("there is room again", room)


def test_open_streams_do_not_hold_up_the_end(agent, listen):
    w = agent()
    streams = [listen(w, f"debug/{RECEIVER}"), listen(w, f"debug/{RECEIVER}", "--http2-prior-knowledge"), listen(w, "graph?window=60"),
               listen(w, f"debug/{RECEIVER}", "--http1.0")]
    stuck = slow_reader(w, f"/api/v0/web/debug/{RECEIVER}")
    began = time.monotonic()
    w.signal(signal.SIGTERM)
    assert w.p.wait(LIMIT) == 0
    assert time.monotonic() - began < 15  # an end that waits for them takes all of its half minute
    assert [s.ended() for s in streams] == [0, 0, 0, 0]  # whole answers: curl has no complaint
    stuck.close()


def test_authentication_comes_first(agent):
    block = 'http {\n  auth {\n    basic {\n      username = "u"\n      password = "p"\n    }\n  }\n}\n'
    w = agent(ON)
    assert w.reload(ON + block + w.pipeline).status == 200
    assert w.get(f"/api/v0/web/debug/{RECEIVER}").status == 401
    assert w.get("/api/v0/web/graph").status == 401
    s = Stream(f"{w.url}/api/v0/web/debug/{RECEIVER}", "-u", "u:p").begun()
    send(w.otlp, ["seen"])
    await_that("it is shown", lambda: len(s.items) == 1)
    s.close()


def test_below_a_prefix(agent, listen):
    w = agent(ON, "--server.http.ui-path-prefix=/weir")
    assert w.get(f"/api/v0/web/debug/{RECEIVER}").status == 404
    s = Stream(f"{w.url}/weir/api/v0/web/debug/{RECEIVER}").begun()
    send(w.otlp, ["seen"])
    await_that("it is shown", lambda: len(s.items) == 1)
    s.close()
