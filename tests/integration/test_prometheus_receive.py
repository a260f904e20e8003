"""prometheus.receive_http: remote write of both versions, its statuses and headers; what passes prometheus.relabel, prometheus.enrich and
prometheus.echo behind it."""
import http.client
import re
import socket
import threading

import pytest

from prom_backend import STALE, V1, V2, Exemplar, Histogram, Metadata, Prometheus, Series, encode_v1, encode_v2, snappy
from test_live import ON, Stream
from weirproc import await_that, port_open
from weirproc import http as request

pytestmark = pytest.mark.core

BOTH = 'accepted_remote_write_protobuf_messages = ["prometheus.WriteRequest", "io.prometheus.write.v2.Request"]'
WRITTEN = "X-Prometheus-Remote-Write-"


@pytest.fixture
def prom():
    b = Prometheus()
    yield b
    b.close()


def receiver(port, to="prometheus.echo.out.receiver", more="", http_more=""):
    return f'''
prometheus.receive_http "in" {{
  http {{
    listen_address = "127.0.0.1"
    listen_port    = {port}
    {http_more}
  }}
  forward_to = [{to}]
  {more}
}}
'''


ECHO = 'prometheus.echo "out" { }\n'


def send(port, body, content_type=V1, encoding="snappy", packed=True, path="/api/v1/metrics/write", method="POST"):
    headers = {}
    if content_type:
        headers["Content-Type"] = content_type
    if encoding:
        headers["Content-Encoding"] = encoding
    return request(method, f"http://127.0.0.1:{port}{path}", snappy(body) if packed else body, headers)


def echoed(w):
    """The lines of samples on standard output."""
    return [line for line in w.out.splitlines() if re.match(r'[a-z_:{].* \S+ -?[0-9.]+( # .*)?$', line)]


def await_lines(w, want):
    await_that(f"lines {want}", lambda: echoed(w) == want or len(echoed(w)) > len(want), 60)
    assert echoed(w) == want


UP = Series({"__name__": "up", "instance": "a:80", "job": "x"}, [(1700000000000, 1.0)])


def test_versions(weir, ports):
    [port] = ports(1)
    w = weir(receiver(port, more=BOTH + "\nappend_metadata = true") + ECHO)
    both = [UP, Series({"__name__": "odd", "quoted": 'a"b\\c\nd'}, [(1, 0.5), (2, STALE)])]
    lines = ['up{instance="a:80",job="x"} 1 1700000000000', 'odd{quoted="a\\"b\\\\c\\nd"} 0.5 1', 'odd{quoted="a\\"b\\\\c\\nd"} NaN 2']
    a = send(port, encode_v1(both, {"up": Metadata("gauge", "Is it up.")}))
    assert (a.status, a.body) == (204, b"")
    assert not [h for h in a.headers if h.lower().startswith(WRITTEN.lower())]
    await_lines(w, lines)
    assert "# HELP up Is it up.\n# TYPE up gauge\n" in w.out
    both[0].meta = Metadata("gauge", "Is it still up.")
    a = send(port, encode_v2(both), V2)
    assert (a.status, a.body) == (204, b"")
    assert [a.headers[WRITTEN + x + "-Written"] for x in ("Samples", "Histograms", "Exemplars")] == ["3", "0", "0"]
    await_lines(w, lines * 2)
    assert "# HELP up Is it still up.\n# TYPE up gauge\n" in w.out
    # without headers that say otherwise it is 1.0, packed with snappy
    c = http.client.HTTPConnection("127.0.0.1", port)
    c.request("POST", "/api/v1/metrics/write", snappy(encode_v1([UP])))
    assert c.getresponse().status == 204
    c.close()
    assert send(port, encode_v1([UP]), "application/x-protobuf;proto=prometheus.WriteRequest").status == 204
    await_lines(w, lines * 2 + lines[:1] * 2)
    assert w.metric("prometheus_forwarded_samples_total", component_id="prometheus.receive_http.in") == 8
    assert w.metric("prometheus_receive_http_request_duration_seconds_count", status_code="204", route="api_v1_metrics_write") == 4


def test_histograms_and_exemplars(weir, ports):
    [port] = ports(1)
    w = weir(receiver(port, more=BOTH) + 'prometheus.echo "out" {\n format = "openmetrics"\n}\n')
    h = Histogram((), 5, 10, 2.5, 3, 1e-9, 1, [], [], [(-2, 2), (1, 1)], [4, -1, 2])
    ex = Exemplar((), (("trace_id", "abc"),), 1.5, 7000)
    body = [Series({"__name__": "calls_total"}, [(1500, 3.0)], [], [ex]), Series({"__name__": "h"}, [], [h])]
    a = send(port, encode_v2(body), V2)
    assert [a.status] + [a.headers[WRITTEN + x + "-Written"] for x in ("Samples", "Histograms", "Exemplars")] == [204, "1", "1", "1"]
    want = ['calls_total 3 1.500 # {trace_id="abc"} 1.5 7.000', "h_count 10 0.005", "h_sum 2.5 0.005"]
    await_lines(w, want)
    assert send(port, encode_v1(body)).status == 204
    await_lines(w, want * 2)


def test_type_and_unit_labels(weir, ports):
    [port] = ports(1)
    w = weir(receiver(port, more=BOTH + "\nenable_type_and_unit_labels = true") + ECHO)
    s = Series({"__name__": "bytes", "a": "b"}, [(1, 2.0)], meta=Metadata("counter", "", "bytes"))
    assert send(port, encode_v2([s]), V2).status == 204
    await_lines(w, ['bytes{__type__="counter",__unit__="bytes",a="b"} 2 1'])


def test_refusals(weir, ports):
    [port] = ports(1)
    w = weir(receiver(port) + ECHO)
    body = encode_v1([UP])
    for status, answer in [
        (404, send(port, body, path="/api/v1/write")),
        (405, request("GET", f"http://127.0.0.1:{port}/api/v1/metrics/write")),
        (415, send(port, body, "application/json")),
        (415, send(port, encode_v2([UP]), V2)),  # not among those accepted
        (415, send(port, body, "application/x-protobuf;proto=other.Message")),
        (415, send(port, body, encoding="gzip")),
        (400, send(port, body, packed=False)),
        (400, send(port, body[:-3])),
        (400, send(port, b"", packed=False)),
        (204, send(port, b"")),  # a message without anything in it
    ]:
        assert answer.status == status, (status, answer.status, answer.text)
    assert echoed(w) == []


def varint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def test_limits(weir, ports):
    """Too large as it is sent, or as it would be unpacked: 413, before anything of that size is read or made."""
    [port] = ports(1)
    w = weir(receiver(port) + ECHO)
    before = w.status_kib("VmHWM")
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    c.putrequest("POST", "/api/v1/metrics/write")
    for name, value in (("Content-Type", V1), ("Content-Encoding", "snappy"), ("Content-Length", str(101 << 20))):
        c.putheader(name, value)
    c.endheaders()
    r = c.getresponse()
    assert r.status == 413 and b"larger" in r.read()
    c.close()
    n = (200 << 20) // 64  # copies of 64 bytes
    bomb = varint(1 + 64 * n) + b"\x00a" + b"\xfe\x01\x00" * n
    r = send(port, bomb, packed=False)
    assert r.status == 413, (r.status, r.text)
    assert w.status_kib("VmHWM") - before < 64 << 10
    assert send(port, encode_v1([UP])).status == 204
    await_lines(w, ['up{instance="a:80",job="x"} 1 1700000000000'])


def test_bodies_that_are_broken(weir, ports):
    """Each prefix, and each with a byte changed: 400 or taken for what it says, never more, and the next client is served."""
    [port] = ports(1)
    w = weir(receiver(port, more=BOTH) + ECHO)
    h = Histogram((), 5, 10, 2.5, 3, 1e-9, 1, [], [], [(-2, 2), (1, 1)], [4, -1, 2])
    for body, kind in ((encode_v1([UP, Series({"__name__": "h"}, [], [h])]), V1), (encode_v2([UP, Series({"__name__": "h"}, [], [h])]), V2)):
        for i in range(1, len(body), 3):
            assert send(port, body[:i], kind).status in (204, 400)
            changed = body[:i] + bytes([body[i] ^ 0x85]) + body[i + 1:]
            assert send(port, changed, kind).status in (204, 400)
        packed = snappy(body)
        for i in range(0, len(packed), 3):
            assert send(port, packed[:i] + bytes([packed[i] ^ 0x41]) + packed[i + 1:], kind, packed=False).status in (204, 400, 413)
    assert send(port, encode_v1([UP])).status == 204
    assert w.health("prometheus.receive_http.in")["state"] == "healthy"


def test_a_full_pipeline_makes_clients_wait(weir, ports, backend):
    """503 and when to come again, while the queue behind is full; what was acknowledged arrives."""
    [port] = ports(1)
    backend.respond = (503, {}, b"", 0)
    weir(receiver(port, "otelcol.receiver.prometheus.r.receiver") + f'''
otelcol.receiver.prometheus "r" {{
  output {{
    metrics = [otelcol.exporter.otlphttp.out.input]
  }}
}}
otelcol.exporter.otlphttp "out" {{
  sending_queue {{
    queue_size    = 3
    num_consumers = 1
  }}
  retry_on_failure {{
    initial_interval = "50ms"
    max_interval     = "100ms"
    max_elapsed_time = "0s"
  }}
  client {{
    endpoint = "{backend.url}"
  }}
}}
''')
    statuses, acked = [], []
    for i in range(10):
        r = send(port, encode_v1([Series({"__name__": "n", "i": str(i), "instance": "a:80", "job": "x"}, [(1700000000000, 1.0)])]))
        statuses.append(r.status)
        if r.status == 204:
            acked.append(str(i))
        else:
            assert r.status == 503 and int(r.headers["Retry-After"]) >= 1, (r.status, r.text)
    assert statuses[0] == 204 and 503 in statuses, statuses
    backend.respond = (200, {}, b"", 0)
    arrived = lambda: {r["attributes"].get("i") for r in list(backend.records)}
    await_that("what was acknowledged", lambda: set(acked) <= arrived())
    await_that("there is room again", lambda: send(port, encode_v1([UP])).status == 204)


def test_reloads_under_load(weir, ports, prom):
    """Clients send all the time while the configuration is loaded again and again: nobody is refused for good, nothing acknowledged is lost."""
    [port] = ports(1)
    text = lambda i: receiver(port, "prometheus.remote_write.out.receiver", BOTH if i % 2 else "") + f'''
prometheus.remote_write "out" {{
  endpoint {{
    url = "{prom.url}"
    queue_config {{
      batch_send_deadline = "50ms"
    }}
  }}
  external_labels = {{ load = "{i % 3}" }}
}}
'''
    w = weir(text(0))
    done, acked, others = threading.Event(), [], []

    def client(c):
        i = 0
        while not done.is_set():
            body = encode_v1([Series({"__name__": "n", "c": str(c)}, [(1700000000000 + i, float(i))])])
            try:
                status = send(port, body).status
            except OSError as e:
                status = repr(e)
            if status == 204:
                acked.append((c, i))
                i += 1
            elif status != 503:
                others.append(status)

    threads = [threading.Thread(target=client, args=(c,)) for c in range(3)]
    for t in threads:
        t.start()
    try:
        for i in range(1, 9):
            n = len(acked)
            await_that("requests pass", lambda: len(acked) > n + 20)
            assert w.reload(text(i)).status == 200
    finally:
        done.set()
        for t in threads:
            t.join()
    assert not others, others[:5]
    got = lambda: {(int(dict(s.labels)["c"]), int(s.value)) for s in prom.samples("n")}
    await_that("all that was acknowledged", lambda: set(acked) <= got())


def test_series_that_are_refused(weir, ports):
    [port] = ports(1)
    w = weir(receiver(port, more=BOTH) + ECHO)
    bad = [Series({"job": "nameless"}, [(1, 1.0)]), Series([("__name__", "x"), ("a", "1"), ("a", "2")], [(1, 1.0)]), UP]
    line = 'up{instance="a:80",job="x"} 1 1700000000000'
    a = send(port, encode_v1(bad))
    assert (a.status, a.body) == (204, b"")
    await_lines(w, [line])
    a = send(port, encode_v2(bad), V2)
    assert a.status == 400 and "a series has no name" in a.text
    assert a.headers[WRITTEN + "Samples-Written"] == "1"
    await_lines(w, [line] * 2)
    assert w.log.count("some samples of a remote write request are passed over") == 2


def test_reload_keeps_the_socket(weir, ports):
    [first, second] = ports(2)
    w = weir(receiver(first) + ECHO)
    s = socket.create_connection(("127.0.0.1", first))
    w.reload(receiver(first, more=BOTH) + ECHO)
    assert send(first, encode_v2([UP]), V2).status == 204
    s.close()
    w.reload(receiver(second, more=BOTH) + ECHO)
    await_that("the new port", lambda: port_open(second))
    await_that("the old port to close", lambda: not port_open(first))
    assert send(second, encode_v1([UP])).status == 204


RULES = '''
  rule {
    source_labels = ["job"]
    regex         = "drop.*"
    action        = "drop"
  }
  rule {
    source_labels = ["instance"]
    regex         = "(.*):.*"
    target_label  = "host"
  }
  rule {
    regex  = "instance"
    action = "labeldrop"
  }
'''


def relabel(rules, to="prometheus.echo.out.receiver", more=""):
    return f'prometheus.relabel "r" {{\n  forward_to = [{to}]\n  {more}\n{rules}}}\n'


def cache(w, name):
    return w.metric("alloy_prometheus_relabel_" + name, component_id="prometheus.relabel.r") or 0


def test_relabel(weir, ports):
    [port] = ports(1)
    w = weir(receiver(port, "prometheus.relabel.r.receiver") + relabel(RULES) + ECHO)
    gone = Series({"__name__": "gone", "job": "dropped"}, [(1, 1.0)])
    for i in range(3):
        assert send(port, encode_v1([UP, gone])).status == 204
    line = 'up{host="a",job="x"} 1 1700000000000'
    await_lines(w, [line] * 3)
    assert [cache(w, n) for n in ("metrics_processed", "metrics_written", "cache_size")] == [6, 3, cache(w, "cache_misses")]
    assert cache(w, "cache_hits") + cache(w, "cache_misses") == 6
    size = cache(w, "cache_size")
    end = Series(UP.labels, [(1700000000001, STALE)])
    assert send(port, encode_v1([end])).status == 204  # relabelled all the same, then forgotten
    await_lines(w, [line] * 3 + ['up{host="a",job="x"} NaN 1700000000001'])
    assert cache(w, "cache_deletes") == 1 and cache(w, "cache_size") <= size
    w.reload(receiver(port, "prometheus.relabel.r.receiver") + relabel('rule {\n target_label = "site"\n replacement = "s"\n}\n') + ECHO)
    assert send(port, encode_v1([UP])).status == 204
    await_that("the new rules", lambda: echoed(w)[-1] == 'up{instance="a:80",job="x",site="s"} 1 1700000000000', 60)


def test_relabel_histograms_and_what_becomes_empty(weir, ports):
    [port] = ports(1)
    w = weir(receiver(port, "prometheus.relabel.r.receiver") + relabel('rule {\n regex = "__name__|a"\n action = "labeldrop"\n}\n') + ECHO)
    h = Histogram((), 5, 1, 2.5, 3, 0.0, 1)
    assert send(port, encode_v1([Series({"__name__": "h", "a": "b"}, [], [h]), Series({"__name__": "h", "c": "d"}, [], [h])])).status == 204
    await_that("the one that has labels left", lambda: '_count{c="d"} 1 5' in w.out, 60)
    assert cache(w, "metrics_written") == 1


def test_relabel_arguments(weir):
    for more, why in [
        ("max_cache_size = -1", "max_cache_size must be >= 0; got -1"),
        ("max_cache_size = 0", "one of max_cache_size or cache_ttl must be set"),
        ('cache_ttl = "2m"', "mutually exclusive"),
        ('max_cache_size = 0\n cache_ttl = "10s"', "at least 1m"),
    ]:
        w = weir(relabel("", more=more) + ECHO, wait=False)
        await_that("the refusal", lambda: w.p.poll() is not None, 60)
        w.expected_exit = 1
        assert why in w.log


def test_relabel_live(weir, ports):
    [port] = ports(1)
    w = weir(receiver(port, "prometheus.relabel.r.receiver") + relabel(RULES) + ECHO + ON)
    s = Stream(w.url + "/api/v0/web/debug/prometheus.relabel.r")
    try:
        s.begun()
        gone = Series({"__name__": "gone", "job": "dropped"}, [(1, 1.0)])
        assert send(port, encode_v1([UP, gone])).status == 204
        items = await_that("items", lambda: len(s.items) >= 2 and s.items, 60)
        assert items == ['{__name__="up", instance="a:80", job="x"} => {__name__="up", host="a", job="x"}', '{__name__="gone", job="dropped"} => {}']
    finally:
        s.close()


ENRICH = '''
prometheus.enrich "e" {
  forward_to = [prometheus.echo.out.receiver]
  targets    = [
    {"host" = "a", "env" = "prod", "zone" = "z1"},
    {"host" = "b", "env" = "prod", "zone" = "z2"},
    {"host" = "b", "env" = "test", "zone" = "z3"},
  ]
  %s
}
'''


@pytest.mark.parametrize("how, want", [
    ('target_to_metric_match = {"host" = "hostname", "env" = "env"}',
     ['m{env="prod",host="a",hostname="a",zone="z1"} 1 1', 'm{env="test",host="b",hostname="b",zone="z3"} 1 1', 'm{hostname="b"} 1 1']),
    ('target_match_label = "host"\n metrics_match_label = "hostname"\n labels_to_copy = ["zone"]',
     ['m{env="prod",hostname="a",zone="z1"} 1 1', 'm{env="test",hostname="b",zone="z3"} 1 1', 'm{hostname="b",zone="z3"} 1 1']),
])
def test_enrich(weir, ports, how, want):
    [port] = ports(1)
    w = weir(receiver(port, "prometheus.enrich.e.receiver") + ENRICH % how + ECHO, "--stability.level=experimental")
    body = [Series({"__name__": "m", **labels}, [(1, 1.0)])
            for labels in ({"env": "prod", "hostname": "a"}, {"env": "test", "hostname": "b"}, {"hostname": "b"})]
    assert send(port, encode_v1(body)).status == 204
    await_lines(w, want)
    assert w.metric("prometheus_target_cache_size", component_id="prometheus.enrich.e") == (3 if "env" in how else 2)
