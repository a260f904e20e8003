"""An OTLP/HTTP endpoint in plain Python: decodes what arrives independently of Weir's own code, and misbehaves on command."""
import gzip
import http.server
import json
import socketserver
import threading
import time
import zlib


def fields(data):
    """(number, wire type, value) of each field of a protobuf message."""
    i = 0

    def varint():
        nonlocal i
        v = shift = 0
        while True:
            b = data[i]
            i += 1
            v |= (b & 127) << shift
            if b < 128:
                return v
            shift += 7

    while i < len(data):
        tag = varint()
        number, kind = tag >> 3, tag & 7
        if kind == 0:
            yield number, kind, varint()
        elif kind == 1:
            yield number, kind, data[i:i + 8]
            i += 8
        elif kind == 5:
            yield number, kind, data[i:i + 4]
            i += 4
        elif kind == 2:
            n = varint()
            assert i + n <= len(data), "a length points past the end"
            yield number, kind, data[i:i + n]
            i += n
        else:
            raise ValueError(f"wire type {kind}")


def any_value(data):
    for number, _, v in fields(data):
        if number == 1:
            return v.decode()
        if number == 2:
            return bool(v)
        if number == 3:
            return v - (1 << 64) if v >> 63 else v
        if number == 4:
            import struct
            return struct.unpack("<d", v)[0]
        if number == 5:
            return [any_value(x) for n, _, x in fields(v) if n == 1]
        if number == 6:
            return dict(key_value(x) for n, _, x in fields(v) if n == 1)
        if number == 7:
            return v
    return None


def key_value(data):
    key, value = "", None
    for number, _, v in fields(data):
        if number == 1:
            key = v.decode()
        elif number == 2:
            value = any_value(v)
    return key, value


def sub(data, number):
    return [v for n, _, v in fields(data) if n == number]


def text(data, number):
    got = sub(data, number)
    return got[-1].decode() if got else ""


# attributes field of the record messages: span, log record, number data point
RECORDS = {"traces": (2, 2, 9), "logs": (2, 2, 6)}


def decode(signal, body):
    """Records of an export request: dicts with name, ids, attributes, resource."""
    out = []
    for rs in sub(body, 1):
        resource = {}
        for r in sub(rs, 1):
            resource = dict(key_value(kv) for kv in sub(r, 1))
        for scope in sub(rs, 2):
            for rec in sub(scope, 2):
                if signal == "metrics":
                    out += points(rec, resource)
                    continue
                d = dict(resource=resource, attributes=dict(key_value(kv) for kv in sub(rec, RECORDS[signal][2])))
                if signal == "traces":
                    d.update(name=text(rec, 5), trace_id=(sub(rec, 1) or [b""])[0].hex(), span_id=(sub(rec, 2) or [b""])[0].hex())
                else:
                    body_values = sub(rec, 5)
                    d.update(body=any_value(body_values[0]) if body_values else None, severity=text(rec, 3))
                out.append(d)
    return out


def points(metric, resource):
    out = []
    for kind, attrs in ((5, 7), (7, 7), (9, 9), (10, 1), (11, 7)):
        for data in sub(metric, kind):
            for p in sub(data, 1):
                out.append(dict(resource=resource, name=text(metric, 1), attributes=dict(key_value(kv) for kv in sub(p, attrs))))
    return out


PATHS = {"/v1/traces": "traces", "/v1/metrics": "metrics", "/v1/logs": "logs"}
UNPACK = {"": bytes, "identity": bytes, "gzip": gzip.decompress, "deflate": zlib.decompress, "zlib": zlib.decompress}


class Backend:
    """respond: (status, headers, body, delay seconds) or a function of the request number giving that. tls: an ssl context to serve with."""

    def __init__(self, port=0, tls=None):
        self.requests, self.records, self.faults = [], [], []
        self.respond = (200, {}, b"", 0)
        self.lock = threading.Lock()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args):
                pass

            def do_POST(self):
                outer.take(self)

        class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
            daemon_threads = True
            allow_reuse_address = True
            request_queue_size = 128

        self.server = Server(("127.0.0.1", port), Handler)
        self.port = self.server.server_address[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, kwargs=dict(poll_interval=0.05), daemon=True).start()

    def body_of(self, h):
        if h.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return h.rfile.read(int(h.headers.get("Content-Length", 0)))
        out = b""
        while True:
            n = int(h.rfile.readline().split(b";")[0], 16)
            chunk = h.rfile.read(n)
            h.rfile.readline()
            if n == 0:
                return out
            out += chunk

    def take(self, h):
        body = self.body_of(h)
        with self.lock:
            number = len(self.requests)
            self.requests.append((h.path, dict(h.headers.items()), body, time.monotonic()))
        status, headers, answer, delay = self.respond(number) if callable(self.respond) else self.respond
        if status == 200:
            self.keep(h, body)
        if delay:
            time.sleep(delay)
        try:
            h.send_response(status)
            for k, v in headers.items():
                h.send_header(k, v)
            h.send_header("Content-Length", str(len(answer)))
            h.end_headers()
            h.wfile.write(answer)
        except OSError:
            h.close_connection = True

    def keep(self, h, body):
        try:
            plain = UNPACK[h.headers.get("Content-Encoding", "")](body)
            if h.headers.get("Content-Type") == "application/json":
                records = json.loads(plain)["resourceSpans"]
            else:
                records = decode(PATHS[h.path], plain)
            with self.lock:
                self.records += records
        except Exception as e:  # the test looks at faults
            with self.lock:
                self.faults.append(repr(e))

    def count(self):
        with self.lock:
            return len(self.records)

    def close(self):
        self.server.shutdown()
        self.server.server_close()
