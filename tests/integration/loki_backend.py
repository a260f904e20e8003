"""A Loki push endpoint in plain Python: takes POST /loki/api/v1/push, undoes snappy and protobuf by itself (nothing of Weir's code, no library),
keeps every entry in the order of arrival, and misbehaves on command.

    loki.entries(), loki.lines(), loki.streams(), loki.count(), loki.wait(n)       what was accepted
    loki.requests                                                                  every request, with its answer
    loki.respond = Answer(503), Answer(hang=True), Answer(cut=True), or f(number, headers) -> Answer
    loki.down(), loki.up()                                                         the port closed with all its connections, and open again

Bodies are decoded when somebody asks, so that the sender is not measured with them.
"""
import http.server
import json
import re
import socket
import socketserver
import threading
import time
from dataclasses import dataclass, field

from weirproc import LIMIT


# --- snappy, block format ---

def unsnappy(data):
    size = shift = i = 0
    while True:
        b = data[i]
        i += 1
        size |= (b & 127) << shift
        if b < 128:
            break
        shift += 7
        assert shift < 35, "snappy: the length does not end"
    out, end = bytearray(), len(data)
    while i < end:
        tag = data[i]
        kind = tag & 3
        if kind == 0:
            n = tag >> 2
            i += 1
            if n >= 60:
                wide = n - 59
                n = int.from_bytes(data[i:i + wide], "little")
                i += wide
            n += 1
            assert i + n <= end, "snappy: a literal points past the end"
            out += data[i:i + n]
            i += n
            continue
        if kind == 1:
            n = ((tag >> 2) & 7) + 4
            back = (tag >> 5) << 8 | data[i + 1]
            i += 2
        elif kind == 2:
            n = (tag >> 2) + 1
            back = data[i + 1] | data[i + 2] << 8
            i += 3
        else:
            n = (tag >> 2) + 1
            back = int.from_bytes(data[i + 1:i + 5], "little")
            i += 5
        have = len(out)
        assert 0 < back <= have, "snappy: a copy points before the start"
        if back >= n:
            out += out[have - back:have - back + n]
        else:
            piece = bytes(out[have - back:])
            out += (piece * (n // back + 1))[:n]
    assert len(out) == size, f"snappy: {len(out)} bytes where {size} are announced"
    return bytes(out)


# --- protobuf ---

def fields(data, i=0, end=None):
    """(number, wire type, value or (from, to)) of each field between i and end."""
    end = len(data) if end is None else end
    while i < end:
        v = data[i]
        i += 1
        if v >= 128:
            v, i = varint(data, i - 1)
        number, kind = v >> 3, v & 7
        if kind == 0 or kind == 2:
            v = data[i]
            i += 1
            if v >= 128:
                v, i = varint(data, i - 1)
            if kind == 0:
                yield number, kind, v
                continue
            assert i + v <= end, "protobuf: a length points past the end"
            yield number, kind, (i, i + v)
            i += v
        elif kind == 1 or kind == 5:
            n = 8 if kind == 1 else 4
            yield number, kind, (i, i + n)
            i += n
        else:
            raise ValueError(f"protobuf: wire type {kind}")
    assert i == end, "protobuf: a field points past the end"


def varint(data, i):
    v = shift = 0
    while True:
        b = data[i]
        i += 1
        v |= (b & 127) << shift
        if b < 128:
            return v, i
        shift += 7
        assert shift < 70, "protobuf: a number does not end"


def signed(v):
    return v - (1 << 64) if v >> 63 else v


def text(data, at):
    return data[at[0]:at[1]].decode("utf-8", "surrogateescape")


@dataclass
class Entry:
    __slots__ = ("time", "line", "meta", "labels", "tenant", "request")
    time: int
    line: str
    meta: list  # pairs, in order
    labels: str  # as sent: {a="b", c="d"}
    tenant: str
    request: int

    def __repr__(self):
        return f"<{self.labels} {self.time} {self.line[:60]!r}>"


def decode_time(data, at):
    seconds = nanos = 0
    for number, kind, v in fields(data, *at):
        assert kind == 0 and number in (1, 2), "an unknown field of a Timestamp"
        if number == 1:
            seconds = signed(v)
        else:
            nanos = v
    assert 0 <= nanos < 10**9
    return seconds * 10**9 + nanos


def decode_pair(data, at):
    pair = ["", ""]
    for number, kind, v in fields(data, *at):
        assert kind == 2 and number in (1, 2), "an unknown field of a LabelPair"
        pair[number - 1] = text(data, v)
    return tuple(pair)


def decode_entry(data, at):
    when, line, meta = None, "", []
    for n, k, v in fields(data, *at):
        assert k == 2 and n in (1, 2, 3), f"field {n} of an Entry"
        if n == 1:
            when = decode_time(data, v)
        elif n == 2:
            line = text(data, v)
        else:
            meta.append(decode_pair(data, v))
    assert when is not None, "an entry without a timestamp"
    return when, line, meta


def usual_entry(data, i, end):
    """The same for a time of this century and a line, without metadata, by the shortest way; None: look closely."""
    if end - i < 12 or data[i] != 0x0a or data[i + 2] != 8 or data[i + 8] != 0x10 or data[i + 6] < 128 or data[i + 7] > 127:
        return None
    stamp_end = i + 2 + data[i + 1]
    seconds = data[i + 3] & 127 | (data[i + 4] & 127) << 7 | (data[i + 5] & 127) << 14 | (data[i + 6] & 127) << 21 | data[i + 7] << 28
    nanos, i = varint(data, i + 9)
    if i != stamp_end or nanos >= 10**9 or i >= end or data[i] != 0x12:
        return None
    size, i = varint(data, i + 1)
    if i + size != end or data[stamp_end - 1] > 127:
        return None
    return seconds * 10**9 + nanos, data[i:end].decode("utf-8", "surrogateescape"), []


def decode_push(data, tenant="", request=0):
    """The entries of a PushRequest; whatever Loki does not know is a fault here."""
    out = []
    for number, kind, stream in fields(data):
        assert (number, kind) == (1, 2), f"field {number} of a PushRequest"
        labels, entries = None, []
        for n, k, v in fields(data, *stream):
            assert k == 2 and n in (1, 2), f"field {n} of a Stream"
            if n == 1:
                labels = text(data, v)
            else:
                entries.append(v)
        assert labels is not None, "a stream without labels"
        assert entries, "a stream without entries"
        for at in entries:
            when, line, meta = usual_entry(data, *at) or decode_entry(data, at)
            out.append(Entry(when, line, meta, labels, tenant, request))
    return out


LABEL = re.compile(r'\s*([^\s={},"]+)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(?:,|$)')
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "\\": "\\", '"': '"'}


def parse_labels(labels):
    """The text {a="b", c="d"} as a dict."""
    assert labels[0] == "{" and labels[-1] == "}", labels
    inside, out, at = labels[1:-1], {}, 0
    while at < len(inside):
        m = LABEL.match(inside, at)
        assert m, f"labels {labels!r}"
        out[m.group(1)] = re.sub(r"\\(x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8}|.)",
                                 lambda e: ESCAPES.get(e.group(1)) or chr(int(e.group(1)[1:], 16)), m.group(2))
        at = m.end()
    return out


# --- the endpoint ---

@dataclass
class Answer:
    """status 2xx: the entries count as accepted. delay: seconds before the answer. cut: the connection is closed instead of an answer (with a 2xx
    status after the entries were taken: an answer that got lost). hang: no answer at all until the endpoint is closed or answers otherwise."""
    status: int = 204
    body: bytes = b""
    headers: dict = field(default_factory=dict)
    delay: float = 0
    cut: bool = False
    hang: bool = False


@dataclass
class Request:
    number: int
    path: str
    headers: dict
    size: int  # of the body as sent
    at: float  # monotonic, when the body was in
    body: bytes
    answer: Answer
    accepted: bool
    done: float = 0  # when the answer left

    @property
    def tenant(self):
        return self.headers.get("X-Scope-OrgID", "")


class Loki:
    def __init__(self, port=0, tls=None, path="/loki/api/v1/push"):
        self.path, self.tls = path, tls
        self.lock = threading.Condition()
        self.requests, self.faults = [], []
        self.body_bytes = self.wire_bytes = 0  # of accepted requests; with the heads
        self.in_flight = self.most_in_flight = 0
        self._respond = Answer()
        self._entries, self._decoded, self._decoding = [], 0, threading.Lock()
        self.connections = set()
        self.released = threading.Event()
        self.server = None
        self.port = port
        self.up()

    @property
    def url(self):
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}{self.path}"

    @property
    def respond(self):
        return self._respond

    @respond.setter
    def respond(self, answer):
        """What hangs is let go (its connection is cut), so that it meets the new answer."""
        self._respond = answer
        released, self.released = self.released, threading.Event()
        released.set()

    # --- listening ---

    def up(self):
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1

            def setup(self):
                self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                outer.connections.add(self.request)
                super().setup()

            def finish(self):
                outer.connections.discard(self.request)
                try:
                    super().finish()
                except OSError:
                    pass

            def log_message(self, *args):
                pass

            def do_POST(self):
                outer.take(self)

        class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
            daemon_threads = True
            allow_reuse_address = True
            request_queue_size = 128

            def handle_error(self, request, client_address):
                pass  # a client that went away

        self.server = Server(("127.0.0.1", self.port), Handler)
        self.port = self.server.server_address[1]
        if self.tls:
            self.server.socket = self.tls.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, kwargs=dict(poll_interval=0.02), daemon=True).start()

    def down(self):
        """Nobody listens any more, connections are reset."""
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None
        for c in list(self.connections):
            try:
                c.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.respond = self._respond

    close = down

    # --- taking requests ---

    def take(self, h):
        body = h.rfile.read(int(h.headers["Content-Length"]))
        released = self.released
        with self.lock:
            number = len(self.requests)
            headers = dict(h.headers.items())
            answer = self._respond(number, headers) if callable(self._respond) else self._respond
            accepted = 200 <= answer.status < 300 and not answer.hang
            request = Request(number, h.path, headers, len(body), time.monotonic(), body, answer, accepted)
            self.requests.append(request)
            self.in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self.in_flight)
            if accepted:
                self.body_bytes += len(body)
                self.wire_bytes += len(body) + len(h.requestline) + 4 + sum(len(k) + len(v) + 4 for k, v in headers.items())
            else:
                request.body = b""
            self.lock.notify_all()
        try:
            self.answer(h, self.answer_to(request), released)
        finally:
            with self.lock:
                self.in_flight -= 1
                request.done = time.monotonic()

    def answer_to(self, request):
        return request.answer

    def answer(self, h, answer, released):
        if answer.hang:
            released.wait()
        elif answer.delay:
            released.wait(answer.delay)
        if answer.hang or answer.cut:
            h.close_connection = True
            h.connection.shutdown(socket.SHUT_RDWR)
            return
        try:
            h.send_response(answer.status)
            for k, v in answer.headers.items():
                h.send_header(k, v)
            if answer.status != 204:
                h.send_header("Content-Length", str(len(answer.body)))
            h.end_headers()
            if answer.status != 204:
                h.wfile.write(answer.body)
            h.wfile.flush()
        except OSError:
            h.close_connection = True

    # --- what arrived ---

    def _decode(self):
        with self._decoding:
            while self._decoded < len(self.requests):
                r = self.requests[self._decoded]
                self._decoded += 1
                if r.accepted:
                    self._decode_one(r)

    def _decode_one(self, r):
        try:
            kind, encoding = r.headers.get("Content-Type", ""), r.headers.get("Content-Encoding", "")
            assert kind == "application/x-protobuf", f"Content-Type {kind}"
            assert encoding in ("", "snappy"), f"Content-Encoding {encoding}"  # Loki takes x-protobuf to be snappy either way
            self._entries += decode_push(unsnappy(r.body), r.tenant, r.number)
        except Exception as e:  # looked at below
            self.faults.append(f"request {r.number}: {e!r}")
        r.body = b""

    def entries(self):
        """All entries in the order in which they arrived."""
        self._decode()
        assert not self.faults, self.faults
        return self._entries

    def lines(self, **labels):
        """The lines, of the streams with these labels."""
        wanted = labels.items()
        kept = {}

        def wants(text):
            if text not in kept:
                kept[text] = wanted <= parse_labels(text).items()
            return kept[text]

        return [e.line for e in self.entries() if not wanted or wants(e.labels)]

    def streams(self):
        """{(tenant, labels text): entries in order}"""
        out = {}
        for e in self.entries():
            out.setdefault((e.tenant, e.labels), []).append(e)
        return out

    def count(self):
        return len(self.entries())

    def accepted(self):
        with self.lock:
            return [r for r in self.requests if r.accepted]

    def wait(self, n, timeout=LIMIT):
        """Until n entries are there (or more)."""
        end = time.monotonic() + timeout
        while self.count() < n:
            left = end - time.monotonic()
            assert left > 0, f"{self.count()} of {n} entries after {timeout} s, {len(self.requests)} requests"
            with self.lock:
                if self._decoded >= len(self.requests):
                    self.lock.wait(min(left, 0.5))

    def wait_requests(self, n, timeout=LIMIT):
        """Until n requests came in, whatever the answers."""
        with self.lock:
            ok = self.lock.wait_for(lambda: len(self.requests) >= n, timeout)
            assert ok, f"{len(self.requests)} of {n} requests after {timeout} s"

    def forget(self):
        """Starts over with what is kept; the answers stay as they are."""
        self._decode()
        with self.lock:
            self.requests, self._entries, self._decoded = [], [], 0
            self.body_bytes = self.wire_bytes = self.most_in_flight = 0


def push_body(streams):
    """A JSON push request for {labels: [(time, line), ...]}, for the senders of the tests."""
    return json.dumps({"streams": [{"stream": parse_labels(labels), "values": [[str(t), line] for t, line in values]}
                                   for labels, values in streams.items()]}).encode()


# --- writing protobuf and snappy, for senders ---

def put_varint(v):
    out = bytearray()
    while v > 127:
        out.append(v & 127 | 128)
        v >>= 7
    out.append(v)
    return bytes(out)


def put_bytes(number, data):
    return put_varint(number << 3 | 2) + put_varint(len(data)) + data


def encode_push(streams):
    """The PushRequest of {labels: [(time, line[, {meta}]), ...]} as protobuf."""
    out = b""
    for labels, values in streams.items():
        stream = [put_bytes(1, labels.encode())]
        for when, line, *meta in values:
            stamp = b"\x08" + put_varint(when // 10**9 & (1 << 64) - 1) + b"\x10" + put_varint(when % 10**9)
            entry = put_bytes(1, stamp) + put_bytes(2, line.encode("utf-8", "surrogateescape"))
            for k, v in (meta[0] if meta else {}).items():
                entry += put_bytes(3, put_bytes(1, k.encode()) + put_bytes(2, v.encode()))
            stream.append(put_bytes(2, entry))
        out += put_bytes(1, b"".join(stream))
    return out


def snappy(data):
    """Block format with literals alone: valid, not small."""
    out = put_varint(len(data))
    for i in range(0, len(data), 65536):
        piece = data[i:i + 65536]
        out += bytes([61 << 2]) + (len(piece) - 1).to_bytes(2, "little") + piece
    return out
