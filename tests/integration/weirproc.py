"""Processes of the tests: Weir itself, the counting sink, and small helpers around sockets and waiting."""
import json
import os
import random
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

LIMIT = float(os.environ.get("WEIR_TEST_LIMIT", "60"))  # the longest any condition is awaited, seconds
SANITIZED = bool(os.environ.get("WEIR_SANITIZED"))  # a build whose memory and speed are not the release build's


def _own_ports():
    """Below the range that outgoing connections take their ports from, each at most once in a run, and of processes that run tests beside each
    other none that another one may give out: between here and the program that binds the port nobody else gets it by chance."""
    at, of = (int(os.environ.get(k, d).lstrip("gw")) for k, d in (("PYTEST_XDIST_WORKER", "0"), ("PYTEST_XDIST_WORKER_COUNT", "1")))
    ports = list(range(10000 + at, 32000, of))
    random.shuffle(ports)
    return iter(ports)


_candidates = _own_ports()


def _is_free(port):
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", port))
            return True
        except OSError:
            return False


def free_ports(n):
    free = (p for p in _candidates if _is_free(p))
    return [next(free) for _ in range(n)]


def await_that(what, condition, limit=LIMIT, step=0.02):
    """Waits until condition() is true and returns its value; fails with `what` when it does not become so."""
    stop = time.monotonic() + limit
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > stop:
            raise AssertionError(f"not within {limit:.0f} s: {what}")
        time.sleep(step)


def port_open(port):
    try:
        socket.create_connection(("127.0.0.1", port), 0.5).close()
        return True
    except OSError:
        return False


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")


def http(method, url, body=None, headers=None, timeout=30):
    """One request; statuses are values here, not exceptions."""
    req = urllib.request.Request(url, data=body, headers=headers or {}, method=method)
    try:
        with urllib.request.urlopen(req, timeout=timeout) as r:
            return Answer(r.status, r.headers, r.read())
    except urllib.error.HTTPError as e:
        return Answer(e.code, e.headers, e.read())


class Weir:
    """A Weir process with its configuration in a folder of its own."""

    def __init__(self, binary, folder, config, flags=(), env=None, path=None):
        folder.mkdir(parents=True)
        self.folder, self.binary = folder, binary
        self.http_port = free_ports(1)[0]
        self.config = path or folder / "config.alloy"
        if not path:
            self.config.write_text(config)
        self.log_path, self.out_path = folder / "log", folder / "out"
        self.expected_exit = 0
        argv = [binary, "run", f"--server.http.listen-addr=127.0.0.1:{self.http_port}", f"--storage.path={folder / 'data'}", *flags,
                str(self.config)]
        with open(self.log_path, "wb") as log, open(self.out_path, "wb") as out:
            self.p = subprocess.Popen(argv, stdout=out, stderr=log, stdin=subprocess.DEVNULL, env=dict(os.environ, **(env or {})))

    @property
    def log(self):
        return self.log_path.read_text(errors="replace")

    @property
    def out(self):
        return self.out_path.read_text(errors="replace")

    @property
    def url(self):
        return f"http://127.0.0.1:{self.http_port}"

    def wait_ready(self):
        def ready():
            assert self.p.poll() is None, f"weir ended with {self.p.returncode}:\n{self.log}\n{self.out}"
            try:
                return self.get("/-/ready", timeout=2).status == 200
            except OSError:
                return False

        await_that("weir is ready", ready)

    def get(self, path, timeout=30, headers=None):
        return http("GET", self.url + path, timeout=timeout, headers=headers)

    def post(self, path, body=b"", timeout=30):
        return http("POST", self.url + path, body, timeout=timeout)

    def reload(self, config=None):
        if config is not None:
            self.config.write_text(config)
        return self.post("/-/reload")

    def metric(self, name, **labels):
        """Sum of the samples of that name whose labels include these; None when there is none."""
        total = None
        for line in self.get("/metrics").text.splitlines():
            m = re.match(r"^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$", line)
            if not m or m[1] != name:
                continue
            have = dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', m[2] or ""))
            if all(have.get(k) == v for k, v in labels.items()):
                total = (total or 0) + float(m[3])
        return total

    def components(self):
        return json.loads(self.get("/api/v0/web/components").body)

    def health(self, local_id):
        for c in self.components():
            if c["localID"] == local_id:
                return c["health"]
        return None

    def status_kib(self, key):
        with open(f"/proc/{self.p.pid}/status") as f:
            for line in f:
                if line.startswith(key + ":"):
                    return int(line.split()[1])
        raise AssertionError(key)

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.p.pid}/fd"))

    def connections(self, port):
        """How many clients are connected to that port of it."""
        here = f":{port:04X}"
        with open("/proc/net/tcp") as f:
            rows = [line.split() for line in f]
        return sum(1 for r in rows if r[1].endswith(here) and r[3] == "01")

    def signal(self, sig):
        self.p.send_signal(sig)

    def stop(self, limit=40):
        """SIGTERM; returns the exit code."""
        if self.p.poll() is None:
            self.p.send_signal(signal.SIGTERM)
        try:
            return self.p.wait(limit)
        except subprocess.TimeoutExpired:
            self.p.kill()
            self.p.wait()
            raise AssertionError(f"weir did not stop within {limit} s:\n{self.log[-4000:]}")

    def finish(self):
        code = self.stop()
        log = self.log
        for sign in ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "WARNING: ThreadSanitizer", "runtime error:", "assertion"):
            assert sign not in log, log[-8000:]
        assert code == self.expected_exit, f"exit code {code}:\n{log[-4000:]}"


class LoadSink:
    def __init__(self, binary, port, args, log):
        self.port = port
        with open(log, "wb") as f:
            self.p = subprocess.Popen([binary, "-p", str(port), *map(str, args)], stdout=f, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        await_that("the sink listens", lambda: port_open(port))

    def ask(self, path):
        return http("GET", f"http://127.0.0.1:{self.port}{path}")

    def stats(self):
        return json.loads(self.ask("/stats").body)["ports"][0]

    def close(self):
        self.p.kill()
        self.p.wait()
