"""A server of a few lines for the tests that need just that: a proxy, a server of tokens, a source of targets."""
import http.server as servers
import json
import socketserver
import threading
import urllib.parse


class Small:
    """A server of a few lines: handle(handler) answers each request, whatever its method."""

    def __init__(self, handle):
        class Handler(servers.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                handle(self)

            do_GET = do_CONNECT = do_POST

            def log_message(self, *args):
                pass

        class Server(socketserver.ThreadingMixIn, servers.HTTPServer):
            daemon_threads = True

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, kwargs=dict(poll_interval=0.02), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Tokens(Small):
    """OAuth 2, client credentials: tokens t1, t2 ... that hold for an hour."""

    def __init__(self):
        self.asked = []  # forms
        super().__init__(self.answer)

    def answer(self, h):
        self.asked.append(urllib.parse.parse_qs(h.rfile.read(int(h.headers["Content-Length"])).decode()))
        body = json.dumps({"access_token": f"t{len(self.asked)}", "token_type": "bearer", "expires_in": 3600}).encode()
        h.send_response(200)
        h.send_header("Content-Type", "application/json")
        h.send_header("Content-Length", str(len(body)))
        h.end_headers()
        h.wfile.write(body)
