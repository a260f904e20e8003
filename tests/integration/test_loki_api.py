"""loki.source.api: what Loki's clients push, in their encodings, and what they are answered."""
import gzip
import json
import socket
import threading
import time
import zlib

import pytest

from loki_backend import Answer, encode_push, parse_labels, snappy
from weirproc import await_that, http, port_open

pytestmark = pytest.mark.core

NOW = 1796072400 * 10**9


def config(port, url, more="", write="", rules=""):
    return f'''
{rules}
loki.source.api "in" {{
  http {{
    listen_address = "127.0.0.1"
    listen_port    = {port}
  }}
  forward_to = [loki.write.out.receiver]
  {more}
}}
loki.write "out" {{
  endpoint {{
    url        = "{url}"
    batch_wait = "50ms"
    {write}
  }}
}}
'''


def push(port, body, path="/loki/api/v1/push", content_type="application/x-protobuf", timeout=30, **headers):
    named = {k.replace("_", "-"): v for k, v in headers.items()}
    if content_type:
        named["Content-Type"] = content_type
    return http("POST", f"http://127.0.0.1:{port}{path}", body, named, timeout)


def protobuf(streams):
    return snappy(encode_push(streams))


KEEP = "use_incoming_timestamp = true"


def test_encodings(weir, loki, ports):
    [port] = ports(1)
    w = weir(config(port, loki.url, KEEP))
    streams = {'{app="a", z="1"}': [(NOW, "one"), (NOW + 1, "two", {"trace": "t", "span": "s"})], '{app="b"}': [(NOW, "three")]}
    text = json.dumps({"streams": [{"stream": parse_labels(labels), "values": [[str(t), line, *meta] for t, line, *meta in values]}
                                   for labels, values in streams.items()]}).encode()
    raw = zlib.compressobj(wbits=-15)
    ways = [
        (protobuf(streams), {}),
        (protobuf(streams), {"Content_Encoding": "snappy"}),
        (protobuf(streams), {"content_type": None}),
        (protobuf(streams), {"path": "/api/v1/push"}),
        (gzip.compress(protobuf(streams)), {"Content_Encoding": "gzip"}),
        (text, {"content_type": "application/json"}),
        (text, {"content_type": "application/json; charset=utf-8"}),
        (gzip.compress(text), {"content_type": "application/json", "Content_Encoding": "gzip"}),
        (zlib.compress(text), {"content_type": "application/json", "Content_Encoding": "deflate"}),
        (raw.compress(text) + raw.flush(), {"content_type": "application/json", "Content_Encoding": "deflate"}),
        (snappy(text), {"content_type": "application/json", "Content_Encoding": "snappy"}),
    ]
    for i, (body, how) in enumerate(ways):
        a = push(port, body, **how)
        assert (a.status, a.body) == (204, b""), (i, a.text)
    loki.wait(3 * len(ways))
    got = loki.streams()
    assert {k for k in got} == {("", '{app="a", z="1"}'), ("", '{app="b"}')}
    assert [(e.time, e.line, e.meta) for e in got[("", '{app="a", z="1"}')]] == \
        [(NOW, "one", []), (NOW + 1, "two", [("trace", "t"), ("span", "s")])] * len(ways)
    assert [e.line for e in got[("", '{app="b"}')]] == ["three"] * len(ways)
    assert w.metric("loki_source_api_entries_written") == 3 * len(ways)
    await_that("durations", lambda: w.metric("loki_source_api_request_duration_seconds_count", route="loki_api_v1_push",
                                             status_code="204") == len(ways) - 1)
    assert w.metric("loki_source_api_inflight_requests", route="loki_api_v1_push") == 0


def test_labels_rules_tenant_and_time(weir, loki, ports):
    [port] = ports(1)
    rules = '''
loki.relabel "rules" {
  forward_to = []
  rule {
    source_labels = ["app"]
    regex         = "drop"
    action        = "drop"
  }
  rule {
    source_labels = ["__secret"]
    target_label  = "shown"
  }
}
'''
    weir(config(port, loki.url, 'labels = { cluster = "c", app_of = "weir" }\n  relabel_rules = loki.relabel.rules.rules', rules=rules))
    before = time.time_ns()
    streams = {'{app="a", __secret="x", cluster="theirs"}': [(NOW, "one")], '{app="drop"}': [(NOW, "gone")]}
    assert push(port, protobuf(streams), X_Scope_OrgID="team-1").status == 204
    loki.wait(1)
    [e] = loki.entries()
    assert (e.tenant, e.labels, e.line) == ("team-1", '{app="a", app_of="weir", cluster="c", shown="x"}', "one")
    assert before <= e.time <= time.time_ns()


def test_raw_and_ready(weir, loki, ports):
    [port] = ports(1)
    weir(config(port, loki.url, 'labels = { job = "raw" }'))
    a = push(port, b"one\r\n\ntwo\nthree", "/loki/api/v1/raw", "text/plain")
    assert (a.status, a.body) == (204, b"")
    assert push(port, b"", "/api/v1/raw").status == 204
    loki.wait(3)
    assert loki.lines(job="raw") == ["one", "two", "three"]
    a = http("GET", f"http://127.0.0.1:{port}/ready")
    assert (a.status, a.text) == (200, "ready")
    assert http("GET", f"http://127.0.0.1:{port}/loki/api/v1/push").status == 405
    assert http("GET", f"http://127.0.0.1:{port}/nothing").status == 404


def test_faults_of_clients(weir, loki, ports):
    [port] = ports(1)
    w = weir(config(port, loki.url, 'max_send_message_size = "10KiB"'))
    assert push(port, b"\xff\xff\xff").status == 400
    assert push(port, b"no snappy").status == 400
    assert push(port, b"{", content_type="application/json").status == 400
    a = push(port, b"{}", content_type="application/json", Content_Encoding="br")
    assert a.status == 400 and 'Content-Encoding "br" not supported' in a.text
    a = push(port, protobuf({'{a="1"}': [(NOW, "x" * 20000)]}))
    assert a.status == 413 and "received message larger than max" in a.text
    bomb = gzip.compress(b" " * (100 << 20))
    assert len(bomb) > 10240 or push(port, bomb, content_type="application/json", Content_Encoding="gzip").status == 413
    small = gzip.compress(b" " * (1 << 20))
    assert push(port, small, content_type="application/json", Content_Encoding="gzip").status == 413
    # Streams that can be read are sent on, whatever is wrong with the others.
    a = push(port, protobuf({'{bad': [(NOW, "lost")], '{good="1"}': [(NOW, "kept")]}))
    assert a.status == 400 and "parse error" in a.text
    loki.wait(1)
    assert loki.lines() == ["kept"]
    assert "failed to parse request" in w.log and "at least one entry failed to be processed" in w.log


def test_a_pipeline_that_is_full_is_told_to_clients(weir, loki, ports):
    """Requests are taken until the queues are full, then 503 with a time to wait; nothing that was answered with 204 is lost."""
    [port] = ports(1)
    loki.respond = Answer(503)
    weir(config(port, loki.url, KEEP, 'min_backoff_period = "50ms"\n    max_backoff_period = "200ms"\n    max_backoff_retries = 0\n'
                '    queue_config { capacity = "1MiB" }'), "--stability.level=experimental")
    sent, refused = [], None
    for i in range(400):
        a = push(port, protobuf({'{app="full"}': [(NOW + i, f"{i:04d} " + "x" * 100000)]}))
        if a.status == 204:
            sent.append(i)
        else:
            refused = a
            break
    if refused:  # with a durable spill behind it the pipeline may take everything
        assert refused.status == 503 and int(refused.headers["Retry-After"]) >= 1
    loki.respond = Answer()
    await_that("all that was taken", lambda: len({int(x[:4]) for x in loki.lines(app="full")}) >= len(sent))
    assert {int(x[:4]) for x in loki.lines(app="full")} >= set(sent)
    assert push(port, protobuf({'{app="full"}': [(NOW, "9999 again")]})).status == 204


def test_several_clients_at_once(weir, loki, ports):
    [port] = ports(1)
    weir(config(port, loki.url, KEEP), "--workers=3")
    failed = []

    def client(c):
        for i in range(50):
            a = push(port, protobuf({f'{{client="{c}"}}': [(NOW + i, f"{c}-{i}")]}))
            while a.status == 503:
                time.sleep(0.05)
                a = push(port, protobuf({f'{{client="{c}"}}': [(NOW + i, f"{c}-{i}")]}))
            if a.status != 204:
                failed.append(a.text)

    threads = [threading.Thread(target=client, args=(c,)) for c in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failed
    loki.wait(400)
    assert sorted(loki.lines()) == sorted(f"{c}-{i}" for c in range(8) for i in range(50))


def test_reload_keeps_the_port(weir, loki, ports):
    a_port, b_port = ports(2)
    w = weir(config(a_port, loki.url, 'labels = { gen = "1" }'))
    s = socket.create_connection(("127.0.0.1", a_port))
    body = protobuf({'{a="1"}': [(NOW, "x")]})
    request = b"POST /loki/api/v1/push HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % len(body) + body

    def once():
        s.sendall(request)
        return s.recv(1000)

    assert once().startswith(b"HTTP/1.1 204")
    assert w.reload(config(a_port, loki.url, 'labels = { gen = "2" }')).status == 200

    def relabelled():
        """The answer to the reload may be here before the worker of this connection has the new plan."""
        assert once().startswith(b"HTTP/1.1 204")
        return '{a="1", gen="2"}' in {e.labels for e in loki.entries()}

    await_that("the connection has the new labels", relabelled)
    assert {e.labels for e in loki.entries()} == {'{a="1", gen="1"}', '{a="1", gen="2"}'}
    assert w.reload(config(b_port, loki.url)).status == 200
    await_that("the new port", lambda: port_open(b_port))
    assert push(b_port, body).status == 204
    s.close()


def test_weir_pushes_to_weir(weir, loki, ports):
    """loki.write of one into loki.source.api of another."""
    first, second = ports(2)
    weir(config(second, loki.url, KEEP))
    weir(config(first, f"http://127.0.0.1:{second}/loki/api/v1/push", KEEP))
    for i in range(20):
        assert push(first, protobuf({'{hop="2"}': [(NOW + i, f"line {i}", {"n": str(i)})]})).status == 204
    loki.wait(20)
    assert [(e.line, e.meta) for e in loki.entries()] == [(f"line {i}", [("n", str(i))]) for i in range(20)]


def test_what_takes_no_effect_is_said(weir, loki, ports):
    [port] = ports(1)
    w = weir(config(port, loki.url, "grpc { listen_port = 0 }").replace("http {", "http {\n    http2 { max_handlers = 3 }"))
    assert '"a setting has no effect" component_path=/ component_id=loki.source.api.in setting=grpc ' in w.log and "setting=http.http2.max_handlers " in w.log


def test_503_when_nothing_takes_the_entries(weir, backend, ports):
    """Behind a queue of one request that cannot be sent: those that find no room wait for a moment, then are told to come again."""
    [port] = ports(1)
    backend.respond = (503, {}, b"", 0)
    w = weir(f'''
loki.source.api "in" {{
  http {{
    listen_address = "127.0.0.1"
    listen_port    = {port}
  }}
  forward_to = [otelcol.receiver.loki.out.receiver]
}}
otelcol.receiver.loki "out" {{
  output {{ logs = [otelcol.exporter.otlphttp.out.input] }}
}}
otelcol.exporter.otlphttp "out" {{
  sending_queue {{
    queue_size    = 2
    num_consumers = 1
  }}
  retry_on_failure {{
    initial_interval = "100ms"
    max_elapsed_time = "0s"
  }}
  client {{ endpoint = "{backend.url}" }}
}}
''')
    taken, refused = [], None
    for i in range(30):
        a = push(port, protobuf({'{a="1"}': [(NOW, f"{i}")]}))
        if a.status != 204:
            refused = a
            break
        taken.append(str(i))
    assert refused and refused.status == 503 and int(refused.headers["Retry-After"]) >= 1 and refused.text.strip()
    await_that("it is counted", lambda: (w.metric("loki_source_api_request_duration_seconds_count", status_code="503") or 0) >= 1)
    assert http("GET", f"http://127.0.0.1:{port}/ready").status == 200
    backend.respond = (200, {}, b"", 0)
    await_that("there is room again", lambda: push(port, protobuf({'{a="1"}': [(NOW, "last")]})).status == 204)

    def bodies():
        with backend.lock:
            return {r["body"] for r in backend.records}

    await_that("all that was taken", lambda: bodies() >= {*taken, "last"})
