"""A gRPC endpoint that answers what no server should: the exporter says so, goes on, stays small, and delivers once the endpoint is honest."""
import os
import random
import socket
import struct
import threading
import time

import pytest

from configs import FAST_RETRY, pipeline
from test_hostile import frame
from weirproc import SANITIZED, await_that, http

pytestmark = pytest.mark.core

SETTINGS = frame(4, 0, 0, b"") + frame(4, 1, 0, b"")


def header(name, value):
    """HPACK: literal, not indexed, no Huffman."""
    return b"\x00" + bytes([len(name)]) + name + bytes([len(value)]) + value


HEAD = b"\x88" + header(b"content-type", b"application/grpc")
ANSWERS = [
    lambda: os.urandom(2000),
    lambda: b"HTTP/1.1 400 no\r\n\r\n",
    lambda: SETTINGS + os.urandom(500),
    lambda: SETTINGS + frame(1, 4, 1, os.urandom(60)),
    lambda: SETTINGS + frame(1, 4, 1, HEAD) + frame(0, 1, 1, b"\0\xff\xff\xff\xffabc"),
    lambda: SETTINGS + frame(1, 4, 1, HEAD) + frame(0, 0, 1, b"\1\0\0\0\5hello") + frame(1, 5, 1, header(b"grpc-status", b"14")),
    lambda: SETTINGS + frame(1, 5, 1, HEAD + header(b"grpc-status", b"8") + header(b"grpc-status-details-bin", b"////====AA")),
    lambda: SETTINGS + frame(1, 5, 1, HEAD + header(b"grpc-status", b"14") + header(b"grpc-message", b"%zz%e2%82")),
    lambda: SETTINGS + frame(1, 4, 1, header(b"x" * 100, b"y" * 120) * 300),
    lambda: SETTINGS + frame(1, 4, 1, header(b":status", b"100")) * 5000,
    lambda: SETTINGS + frame(1, 0, 1, HEAD) + frame(9, 0, 1, header(b"a", b"b") * 1000) * 500,
    lambda: SETTINGS + frame(7, 0, 0, struct.pack(">II", 0, 11) + b"x" * 5000),
    lambda: SETTINGS + frame(3, 0, 1, struct.pack(">I", 7)),
    lambda: SETTINGS + frame(6, 0, 0, b"12345678") * 20000,
    lambda: SETTINGS + frame(8, 0, 1, struct.pack(">I", 0x7FFFFFFF)) * 3,
    lambda: SETTINGS + frame(0, 0, 1, b"x" * 16000) * 100,
    lambda: SETTINGS + frame(5, 4, 1, struct.pack(">I", 2) + HEAD),
    lambda: frame(4, 0, 0, struct.pack(">HI", 4, 0)),
    lambda: frame(4, 0, 0, struct.pack(">HI", 3, 0)),
]


class HostileServer:
    """Each connection gets the next of ANSWERS, some of them in small pieces, some ended by a reset."""

    def __init__(self, port):
        self.count = 0
        self.listener = socket.create_server(("127.0.0.1", port), backlog=128)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                c, _ = self.listener.accept()
            except OSError:
                return
            self.count += 1
            threading.Thread(target=self.answer, args=(c, self.count), daemon=True).start()

    def answer(self, c, number):
        rng = random.Random(number)
        with c:
            try:
                c.settimeout(2)
                c.recv(65536)
                data = ANSWERS[number % len(ANSWERS)]()
                pieces = 7 if rng.random() < 0.3 else len(data)
                for at in range(0, min(len(data), 80 * pieces), pieces):
                    c.sendall(data[at:at + pieces])
                time.sleep(rng.random() * 0.02)
                if rng.random() < 0.2:
                    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            except OSError:
                pass  # the exporter has closed first, as it should

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def test_the_exporter_survives_a_hostile_endpoint(weir, sink, ports, root):
    port, endpoint = ports(2)
    hostile = HostileServer(endpoint)
    exporter = 'timeout = "1s"\n' + FAST_RETRY.replace("500ms", "20ms").replace("100ms", "10ms")
    w = weir(pipeline(port, f"127.0.0.1:{endpoint}", kind="otlp", batch='timeout = "5ms"', exporter=exporter), "--workers=2")
    body = (root / "examples/trace.json").read_bytes()

    def send():
        return http("POST", f"http://127.0.0.1:{port}/v1/traces", body, {"Content-Type": "application/json"}).status

    def bothered():
        send()
        return hostile.count > 10 * len(ANSWERS)

    await_that("every answer was given ten times", bothered)
    assert w.status_kib("VmRSS") < (600 << 10 if SANITIZED else 64 << 10) and w.descriptors() < 64
    hostile.close()
    honest = sink("-d")
    assert w.reload(pipeline(port, f"127.0.0.1:{honest.port}", kind="otlp", exporter=exporter)).status == 200
    await_that("an honest endpoint gets its spans", lambda: send() == 200 and honest.stats()["records"] > 0)
