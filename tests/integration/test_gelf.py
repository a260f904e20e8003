"""loki.source.gelf: datagrams whole, in chunks and compressed, and what is wrong with them."""
import gzip
import json
import os
import random
import socket
import zlib

import pytest

from weirproc import await_that

pytestmark = pytest.mark.core

CONFIG = '''
loki.relabel "rules" {
  forward_to = []
  rule {
    action = "labelmap"
    regex  = "__gelf_message_(.+)"
  }
}
loki.source.gelf "in" {
  listen_address = "127.0.0.1:%d"
  forward_to     = [loki.write.out.receiver]
  relabel_rules  = loki.relabel.rules.rules
  %s
}
loki.write "out" {
  endpoint {
    url        = "%s"
    batch_wait = "50ms"
  }
}
'''


class Sender:
    def __init__(self, port):
        self.s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.s.connect(("127.0.0.1", port))

    def send(self, data):
        self.s.send(data)

    def chunks(self, data, size=100, order=None, leave_out=()):
        pieces = [data[i:i + size] for i in range(0, len(data), size)]
        ident = os.urandom(8)
        numbers = list(range(len(pieces)))
        if order:
            order.shuffle(numbers)
        for i in numbers:
            if i not in leave_out:
                self.send(b"\x1e\x0f" + ident + bytes([i, len(pieces)]) + pieces[i])


def message(text, **more):
    return json.dumps({"version": "1.1", "host": "web1", "short_message": text, "timestamp": 1796072400.25, "level": 4, **more}).encode()


def counter(w, name):
    return w.metric(f"loki_source_gelf_target_{name}_total", component_id="loki.source.gelf.in")


def test_what_arrives(weir, loki, ports):
    [port] = ports(1)
    w = weir(CONFIG % (port, "use_incoming_timestamp = true", loki.url))
    s = Sender(port)
    long = "x" * 5000
    s.send(message("plain", _user=7, facility="f"))
    s.send(gzip.compress(message("gzip")))
    s.send(zlib.compress(message("zlib")))
    s.chunks(message("chunks " + long), order=random.Random(1))
    s.chunks(gzip.compress(message("packed " + "".join(random.Random(2).choices("0123456789abcdef", k=4000)))), order=random.Random(3))
    loki.wait(5)
    got = {json.loads(e.line)["short_message"].split()[0]: e for e in loki.entries()}
    assert set(got) == {"plain", "gzip", "zlib", "chunks", "packed"}
    assert json.loads(got["plain"].line) == json.loads(message("plain", _user=7, facility="f"))
    assert got["plain"].labels == '{facility="f", host="web1", level="warning", version="1.1"}'
    assert got["gzip"].labels == '{host="web1", level="warning", version="1.1"}'
    assert {e.time for e in loki.entries()} == {1796072400250000000}
    assert json.loads(got["chunks"].line)["short_message"] == "chunks " + long
    assert counter(w, "entries") == 5 and counter(w, "parsing_errors") == 0


def test_what_is_wrong_is_counted(weir, loki, ports):
    [port] = ports(1)
    w = weir(CONFIG % (port, "", loki.url))
    s = Sender(port)
    s.send(b"no JSON")
    s.send(b"\x1f\x8bbroken")
    s.send(b"\x1e\x0f")
    s.send(b"\x1e\x0fIDIDIDID\x05\x02text")
    s.send(gzip.compress(b" " * (5 << 20)))
    s.send(b"")
    s.chunks(message("never whole " + "y" * 500), leave_out={2})
    s.send(message("the last"))
    loki.wait(1)
    assert [json.loads(x)["short_message"] for x in loki.lines()] == ["the last"]
    await_that("all are counted, the one without its chunk after five seconds", lambda: counter(w, "parsing_errors") == 7)
    assert "error while reading gelf message" in w.log


def test_reload(weir, loki, ports):
    one, two = ports(2)
    w = weir(CONFIG % (one, "", loki.url))
    Sender(one).send(message("one"))
    loki.wait(1)
    assert w.reload(CONFIG % (one, "use_incoming_timestamp = true", loki.url)).status == 200
    Sender(one).send(message("two"))
    loki.wait(2)
    assert w.reload(CONFIG % (two, "", loki.url)).status == 200
    await_that("the new address", lambda: w.log.count("listening for GELF UDP messages") == 2)
    Sender(two).send(message("three"))
    loki.wait(3)
    assert [json.loads(e.line)["short_message"] for e in loki.entries()] == ["one", "two", "three"]
