"""Targets for prometheus.scrape, and what came of them at a remote write endpoint.

    target.body, .type, .status, .headers, .gzip       the answer to the next scrapes (gzip: None: when asked for, True, False, or bytes as they are)
    target.handle = f(handler)                          another one altogether
    target.requests                                     what was asked: Request(path, headers, time)

World: a scrape with its endpoint: world(weir, prom, targets, settings) -> Weir; asked with prom_backend's functions.
"""
import gzip
import http.server
import socket
import socketserver
import ssl
import threading
import time
from collections import namedtuple

Request = namedtuple("Request", "path headers time")
TEXT = "text/plain; version=0.0.4"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
PROTOBUF = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"


class Target(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, body=b"", type=TEXT, tls=None, port=0):
        self.body, self.type, self.headers, self.status, self.gzip, self.handle = body, type, {}, 200, None, None
        self.requests, self.connections = [], []
        super().__init__(("127.0.0.1", port), Handler)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*map(str, tls))
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.serve_forever, kwargs=dict(poll_interval=0.02), daemon=True).start()

    @property
    def address(self):
        return f"127.0.0.1:{self.server_address[1]}"

    @property
    def port(self):
        return self.server_address[1]

    @property
    def one(self):
        """The list of this target, in a configuration."""
        return f'[{{"__address__" = "{self.address}", "instance" = "i"}}]'

    def handle_error(self, request, client_address):
        pass

    def process_request(self, request, client_address):
        self.connections.append(request)
        super().process_request(request, client_address)

    def close(self):
        """The port, and the connections that are kept open."""
        self.shutdown()
        self.server_close()
        for c in self.connections:
            try:
                c.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it is closed


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_GET(self):
        t = self.server
        t.requests.append(Request(self.path, dict(self.headers), time.time()))
        (t.handle or plain)(self)

    do_CONNECT = do_GET


def plain(h):
    t = h.server
    packed = "gzip" in h.headers.get("Accept-Encoding", "") if t.gzip is None else bool(t.gzip)
    body = t.gzip if isinstance(t.gzip, bytes) else gzip.compress(t.body) if packed else t.body
    h.send_response(t.status)
    if t.type is not None:
        h.send_header("Content-Type", t.type)
    if packed:
        h.send_header("Content-Encoding", "gzip")
    for k, v in t.headers.items():
        h.send_header(k, v)
    h.send_header("Content-Length", str(len(body)))
    h.end_headers()
    h.wfile.write(body)


def scrape(targets, settings="", name="s", interval="1s"):
    return f'''
prometheus.scrape "{name}" {{
  targets         = {targets}
  forward_to      = [prometheus.remote_write.out.receiver]
  job_name        = "{name}"
  scrape_interval = "{interval}"
  scrape_timeout  = "{interval}"
  {settings}
}}
'''


def to(prom, more="", endpoint=""):
    return f'''
prometheus.remote_write "out" {{
  endpoint {{
    url = "{prom.url}"
    {endpoint}
    queue_config {{
      batch_send_deadline = "50ms"
    }}
  }}
  {more}
}}
'''


def same(labels, **more):
    """The labels of a sample without those of the target."""
    return {k: v for k, v in dict(labels).items() if k not in ("job", "instance")} == more
