"""Bytes nobody should send: each ends in a clear refusal, memory stays bounded, and the next honest client is served."""
import os
import random
import socket
import struct

import pytest

from configs import pipeline
from weirproc import SANITIZED, await_that, http

pytestmark = pytest.mark.core


@pytest.fixture
def target(weir, backend, ports):
    port, grpc = ports(2)
    w = weir(pipeline(port, backend.url, grpc_port=grpc, receiver_http='read_header_timeout = "1s"'))
    w.otlp, w.grpc = port, grpc
    yield w
    assert http("POST", f"http://127.0.0.1:{port}/v1/traces", b"{}", {"Content-Type": "application/json"}).status == 200
    assert w.status_kib("VmRSS") < (600 << 10 if SANITIZED else 96 << 10)


def talk(port, data, limit=10):
    """Sends data, reads until the peer closes or `limit` seconds pass."""
    s = socket.create_connection(("127.0.0.1", port), limit)
    s.settimeout(limit)
    out = b""
    try:
        s.sendall(data)
        while True:
            got = s.recv(65536)
            if not got:
                break
            out += got
    except (ConnectionError, socket.timeout):
        pass
    s.close()
    return out


def status_of(raw):
    return int(raw.split(b" ", 2)[1]) if raw.startswith(b"HTTP/1.") else None


@pytest.mark.parametrize("data,statuses", [
    (b"GARBAGE\r\n\r\n", {400, 505}),
    (b"\x00\xff\x00\xff" * 64 + b"\r\n\r\n", {400, None}),
    (b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n", {400, 413}),
    (b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", {400}),
    (b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n", {400}),
    (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: " + b"b" * (1 << 20) + b"\r\n\r\n", {400, 431}),
    (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"".join(b"H%d: v\r\n" % i for i in range(100000)) + b"\r\n", {400, 431}),
])
def test_broken_http1(target, data, statuses):
    assert status_of(talk(target.otlp, data)) in statuses


def test_a_slow_client_is_cut(target):
    s = socket.create_connection(("127.0.0.1", target.otlp))
    s.sendall(b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nX-A: ")
    s.settimeout(20)
    got = s.recv(4096)
    assert got == b"" or status_of(got) in (400, 408)
    s.close()


def frame(kind, flags, stream, payload):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


@pytest.mark.parametrize("data", [
    PREFACE + os.urandom(4096),
    PREFACE + frame(4, 0, 0, b"") + frame(0, 0, 1, b"x" * 100),
    PREFACE + frame(4, 0, 0, b"") + frame(1, 0, 1, b"\xff" * 64),
    PREFACE + frame(4, 0, 0, struct.pack(">HI", 4, 0xFFFFFFFF)),
    PREFACE + frame(4, 0, 0, b"") + frame(6, 0, 0, b"12345678") * 20000,
    PREFACE + frame(4, 0, 0, b"") + frame(4, 0, 0, b"") * 20000,
    PREFACE + frame(4, 0, 0, b"") + b"".join(
        frame(1, 4, 2 * i + 1, b"\x83\x86\x84\x41\x01a") + frame(3, 0, 2 * i + 1, struct.pack(">I", 8)) for i in range(20000)),
], ids=["noise", "data-on-idle", "bad-hpack", "bad-window", "ping-flood", "settings-flood", "rapid-reset"])
@pytest.mark.parametrize("which", ["grpc", "otlp"])
def test_broken_http2(target, data, which):
    talk(getattr(target, which), data, 3)


def test_grpc_over_http1_is_refused(target):
    assert status_of(talk(target.grpc, b"POST /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")) in (None, 400, 404, 415, 426, 505)


def test_random_bodies_are_400_or_200(target):
    rng = random.Random(7)
    for i in range(300):
        body = rng.randbytes(rng.randrange(1, 400))
        for kind in ("application/x-protobuf", "application/json"):
            r = http("POST", f"http://127.0.0.1:{target.otlp}/v1/traces", body, {"Content-Type": kind})
            assert r.status in (200, 400), (i, kind, body)


def test_deep_nesting_is_refused(target):
    deep = b'{"resourceSpans":' + b"[" * 200000
    r = http("POST", f"http://127.0.0.1:{target.otlp}/v1/traces", deep, {"Content-Type": "application/json"})
    assert r.status == 400
    value = b""
    for _ in range(20000):
        inner = b"\x0a" + varint(len(value)) + value
        value = b"\x2a" + varint(len(inner)) + inner
    kv = b"\x12" + varint(len(value)) + value
    for number in (b"\x0a", b"\x0a", b"\x0a"):
        kv = number + varint(len(kv)) + kv
    r = http("POST", f"http://127.0.0.1:{target.otlp}/v1/traces", kv, {"Content-Type": "application/x-protobuf"})
    assert r.status in (200, 400)


def varint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def test_many_idle_connections(target):
    socks = [socket.create_connection(("127.0.0.1", target.otlp)) for _ in range(500)]
    assert http("POST", f"http://127.0.0.1:{target.otlp}/v1/traces", b"{}", {"Content-Type": "application/json"}).status == 200
    for s in socks:
        s.close()
    await_that("they are gone", lambda: len(os.listdir(f"/proc/{target.p.pid}/fd")) < 200)
