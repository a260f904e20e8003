"""An imitation of the Docker Engine API over a Unix socket (or, given a number, a TCP port): as much of it as log readers use, with the log files of containers kept as the engine
keeps them (the lines a process wrote, cut at 16 KiB, each piece with its stream and time), and every way in which a real one fails on command.

    engine = Engine(path)                       engine.down(), engine.up()      the daemon stops (all connections cut), and is there again
    c = engine.run("web", tty=False)            c.out("a line"), c.err("x")     written by its process, now or at `when` (ns)
    c.stop(), c.start(), c.remove(), c.partial("no end of line yet")
    engine.cut(n)                               every stream is cut n bytes after now, in the middle of a frame or not
    engine.requests, engine.headers             (method, path with query) of each request; headers of the last
    engine.streams                              how many log streams are open
    engine.mute = True                          requests for logs are taken and never answered
    engine.token = "x"                          whoever comes without it is answered 401
    engine.bytes_sent                           of logs
"""
import datetime
import json
import os
import socket
import socketserver
import threading
import time
import urllib.parse

PIECE = 16384


def stamp(ns):
    """RFC 3339 with all nine digits, as the engine prints it."""
    seconds, rest = divmod(ns, 10**9)
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S") + f".{rest:09d}Z"


class Record:
    __slots__ = ("stream", "time", "text")

    def __init__(self, stream, when, text):
        self.stream, self.time, self.text = stream, when, text


class Container:
    def __init__(self, engine, name, tty=False, labels=None, ports=(), networks=None, mode="bridge"):
        self.engine, self.name, self.tty = engine, name, tty
        self.id = os.urandom(32).hex()
        self.labels, self.ports, self.mode = labels or {}, list(ports), mode
        self.networks = {"bridge": ("net-bridge", "172.17.0.2")} if networks is None else networks
        self.running, self.removed = True, False
        self.finished = 0
        self.log = []
        self.refuse = None  # (status, message) of requests for logs

    # --- what its process does ---

    def write(self, stream, line, when=None, end=b"\n"):
        data = line if isinstance(line, bytes) else line.encode()
        if self.tty:
            stream = 1
        with self.engine.changed:
            when = time.time_ns() if when is None else when
            while len(data) > PIECE:
                self.log.append(Record(stream, when, data[:PIECE]))
                data, when = data[PIECE:], when + 1
            self.log.append(Record(stream, when, data + (b"\r\n" if self.tty and end else end)))
            self.engine.changed.notify_all()

    def out(self, line, when=None):
        self.write(1, line, when)

    def err(self, line, when=None):
        self.write(2, line, when)

    def stop(self):
        with self.engine.changed:
            self.running, self.finished = False, time.time_ns()
            self.engine.changed.notify_all()

    def start(self):
        with self.engine.changed:
            self.running = True
            self.engine.changed.notify_all()

    def remove(self):
        with self.engine.changed:
            self.running, self.removed = False, True
            self.engine.containers.remove(self)
            self.engine.changed.notify_all()

    # --- what the engine says of it ---

    def inspect(self):
        finished = stamp(self.finished) if self.finished else "0001-01-01T00:00:00Z"
        return {"Id": self.id, "Name": "/" + self.name, "Created": "2026-01-02T03:04:05.5Z", "HostConfig": {"NetworkMode": self.mode},
                "Config": {"Tty": self.tty, "Labels": self.labels, "Image": "image:1", "Env": ["APP_NAME=" + self.name, "PATH=/bin"]},
                "State": {"Status": "running" if self.running else "exited", "Running": self.running, "FinishedAt": finished, "Pid": os.getpid(),
                          "StartedAt": "2026-01-02T03:04:06Z"}}

    def summary(self):
        return {"Id": self.id, "Names": ["/" + self.name], "Labels": self.labels, "State": "running", "HostConfig": {"NetworkMode": self.mode},
                "Ports": self.ports,
                "NetworkSettings": {"Networks": {name: {"NetworkID": n, "IPAddress": ip} for name, (n, ip) in self.networks.items()}}}

    def encode(self, r):
        data = stamp(r.time).encode() + b" " + r.text
        return data if self.tty else bytes([r.stream, 0, 0, 0]) + len(data).to_bytes(4, "big") + data


class Cut(Exception):
    pass


class Engine:
    def __init__(self, path, version="1.47"):
        self.path, self.version = path if isinstance(path, int) else str(path), version
        self.changed = threading.Condition(threading.RLock())
        self.containers, self.requests = [], []
        self.networks = [{"Id": "net-bridge", "Name": "bridge", "Scope": "local", "Internal": False, "Ingress": False, "Labels": {}}]
        self.streams = self.bytes_sent = 0
        self.cut_after = None  # bytes of logs until every stream is cut
        self.head_ping = True
        self.mute, self.token = False, None
        self.server, self.connections, self.generation = None, set(), 0
        self.up()

    def run(self, name, **how):
        with self.changed:
            c = Container(self, name, **how)
            self.containers.append(c)
        return c

    def cut(self, n):
        self.cut_after = n

    def count(self, part):
        return sum(1 for _, path in list(self.requests) if part in path)

    # --- listening ---

    def up(self):
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                outer.connections.add(self.request)
                try:
                    while outer.answer(self):
                        pass
                except (OSError, Cut, ValueError):
                    pass
                finally:
                    outer.connections.discard(self.request)

        kind = socketserver.TCPServer if isinstance(self.path, int) else socketserver.UnixStreamServer

        class Server(socketserver.ThreadingMixIn, kind):
            daemon_threads = True
            request_queue_size = 64
            allow_reuse_address = True

            def handle_error(self, request, client_address):
                pass

        self.unlink()
        self.server = Server(("127.0.0.1", self.path) if isinstance(self.path, int) else self.path, Handler)
        threading.Thread(target=self.server.serve_forever, kwargs=dict(poll_interval=0.02), daemon=True).start()

    def unlink(self):
        if not isinstance(self.path, int) and os.path.exists(self.path):
            os.unlink(self.path)

    def down(self):
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None
            self.unlink()
        with self.changed:
            self.generation += 1
            self.changed.notify_all()
        for c in list(self.connections):
            try:
                c.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    close = down

    # --- requests ---

    def answer(self, h):
        line = h.rfile.readline().decode()
        if not line:
            return False
        method, target, _ = line.split()
        self.headers = {}
        for field in iter(h.rfile.readline, b"\r\n"):
            if not field:
                return False
            name, _, value = field.decode().partition(":")
            self.headers[name.lower()] = value.strip()
        with self.changed:
            self.requests.append((method, target))
        if self.token and self.headers.get("authorization") != f"Bearer {self.token}":
            self.refuse(h, 401, "who are you")
            return True
        url = urllib.parse.urlsplit(target)
        query = dict(urllib.parse.parse_qsl(url.query))
        if url.path == "/_ping":
            if method == "HEAD" and not self.head_ping:
                self.say(h, method, 405, b"")
            else:
                self.say(h, method, 200, b"OK", {"Api-Version": self.version})
            return True
        parts = url.path.split("/")
        if not parts[1].startswith("v1."):
            self.refuse(h, 400, "no version in the path")
            return True
        self.last_version = parts[1]
        path = "/" + "/".join(parts[2:])
        if path == "/networks":
            self.json(h, self.networks)
        elif path == "/version":
            self.json(h, {"Version": "27.1"})
        elif path == "/containers/json":
            self.list(h, query)
        else:
            return self.of_container(h, parts[3], parts[4] if len(parts) > 4 else "", query)
        return True

    def say(self, h, method, status, body, headers=None):
        head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n" + "".join(f"{k}: {v}\r\n" for k, v in (headers or {}).items())
        h.wfile.write(head.encode() + b"\r\n" + (b"" if method == "HEAD" else body))

    def json(self, h, value, status=200):
        self.say(h, "GET", status, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def refuse(self, h, status, message):
        self.json(h, {"message": message}, status)

    def list(self, h, query):
        filters = json.loads(query.get("filters", "{}"))
        with self.changed:
            found = [c for c in self.containers if c.running and self.matches(c, filters)]
            self.json(h, [c.summary() for c in found])

    @staticmethod
    def matches(c, filters):
        for name, values in filters.items():
            wanted = [v for v, on in values.items() if on]
            if name == "label" and not any(v in c.labels or dict([v.partition("=")[::2]]).items() <= c.labels.items() for v in wanted):
                return False
            if name == "name" and not any(v in c.name for v in wanted):
                return False
        return True

    def of_container(self, h, id, what, query):
        with self.changed:
            c = next((c for c in self.containers if c.id == id), None)
        if not c:
            self.refuse(h, 404, f"No such container: {id}")
        elif what == "json":
            self.json(h, c.inspect())
        elif c.refuse:
            self.refuse(h, *c.refuse)
        elif self.mute:
            h.rfile.read(1)  # until the client has had enough
            return False
        else:
            assert query["follow"] == "1" and query["timestamps"] == "1" and query["stdout"] == "1" and query["stderr"] == "1", query
            self.stream(h, c, int(query["since"]) * 10**9)
            return False
        return True

    # --- logs ---

    def stream(self, h, c, since):
        with self.changed:
            self.streams += 1
        try:
            kind = "application/vnd.docker.raw-stream" if c.tty else "application/vnd.docker.multiplexed-stream"
            h.wfile.write(f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
            self.follow(h, c, since)
            h.wfile.write(b"0\r\n\r\n")
        finally:
            with self.changed:
                self.streams -= 1

    def follow(self, h, c, since):
        """The log from `since` on, and what comes, until the container has stopped."""
        at, generation = 0, self.generation
        while True:
            with self.changed:
                while at >= len(c.log) and c.running and generation == self.generation:
                    self.changed.wait(0.2)
                    if at >= len(c.log) and self.is_gone(h):
                        return
                records, running = c.log[at:at + 200], c.running
                if generation != self.generation:
                    raise Cut
                if not records and not running:
                    return
            at += len(records)
            self.send(h, b"".join(c.encode(r) for r in records if r.time >= since))

    @staticmethod
    def is_gone(h):
        h.request.setblocking(False)
        try:
            return h.request.recv(1, socket.MSG_PEEK) == b""
        except BlockingIOError:
            return False
        finally:
            h.request.setblocking(True)

    def send(self, h, data):
        if not data:
            return
        if self.cut_after is not None and self.cut_after < len(data):
            part, self.cut_after = data[:self.cut_after], None
            if part:
                h.wfile.write(b"%x\r\n" % len(data) + part)
            raise Cut
        if self.cut_after is not None:
            self.cut_after -= len(data)
        h.wfile.write(b"%x\r\n" % len(data) + data + b"\r\n")
        self.bytes_sent += len(data)
