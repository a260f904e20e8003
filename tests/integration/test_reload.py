"""Reload by itself: what changes on disk is followed, what is broken changes nothing and is told, what is unchanged keeps its connections."""
import http.client as http_client
import http.server as http_server
import json
import os
import pathlib
import shutil
import socket
import subprocess
import threading
import time

import pytest

from backend import Backend
from configs import FAST_RETRY, direct, pipeline
from weirproc import await_that, port_open

pytestmark = pytest.mark.core

CHANGED = "the configuration changed on disk; reloading"
TRACE = (pathlib.Path(__file__).resolve().parents[2] / "examples/trace.json").read_bytes()


def batches(*names):
    """A configuration of components that need nothing."""
    return "".join(f'otelcol.processor.batch "{n}" {{\n\toutput {{ }}\n}}\n' for n in names)


def labels(w):
    return {c["label"] for c in w.components()}


def await_labels(w, *names):
    await_that(f"{names} run", lambda: labels(w) == set(names))


def put(path, text):
    beside = path.with_name(path.name + ".new")
    beside.write_text(text)
    os.replace(beside, path)


# --- a mounted ConfigMap ---

class ConfigMap:
    """A mount as the kubelet makes and updates it: payload folders with a time in their name, ..data leads to the newest, the files are
    links through it."""

    def __init__(self, mount, **files):
        self.mount, self.version = mount, 0
        mount.mkdir(parents=True)
        self.update(**files)

    def update(self, **files):
        old = os.readlink(self.mount / "..data") if self.version else None
        self.version += 1
        folder = f"..2026_11_25_10_00_{self.version:02}.{self.version:09}"
        (self.mount / folder).mkdir()
        for name, text in files.items():
            (self.mount / folder / f"{name}.alloy").write_text(text)
        (self.mount / "..data_tmp").symlink_to(folder)
        os.replace(self.mount / "..data_tmp", self.mount / "..data")
        for name in files:
            if not (self.mount / f"{name}.alloy").is_symlink():
                (self.mount / f"{name}.alloy").symlink_to(f"..data/{name}.alloy")
        for link in self.mount.glob("*.alloy"):
            if link.name[:-6] not in files:
                link.unlink()
        if old:
            shutil.rmtree(self.mount / old)


def test_many_swaps_of_a_mounted_file(weir, tmp_path):
    cm = ConfigMap(tmp_path / "mount", config=batches("v0"))
    w = weir(None, path=tmp_path / "mount" / "config.alloy")
    for i in range(1, 4):
        cm.update(config=batches(f"v{i}"))
        await_labels(w, f"v{i}")
    for i in range(4, 60):  # faster than anybody could follow
        cm.update(config=batches(f"v{i}"))
    await_labels(w, "v59")
    assert w.log.count(CHANGED) < 30 and "failed to reload" not in w.log


def test_a_mounted_folder(weir, tmp_path):
    cm = ConfigMap(tmp_path / "mount", a=batches("a"), b=batches("b"))
    w = weir(None, path=tmp_path / "mount")
    assert labels(w) == {"a", "b"}
    cm.update(a=batches("a"), b=batches("b2"))
    await_labels(w, "a", "b2")
    cm.update(a=batches("a"), b=batches("b2"), c=batches("c"))
    await_labels(w, "a", "b2", "c")
    cm.update(c=batches("c"))
    await_labels(w, "c")
    cm.update(c=batches("c") + "}")
    await_that("the fault is told", lambda: "failed to reload config" in w.log)
    assert labels(w) == {"c"}
    cm.update(c=batches("d"))
    await_labels(w, "d")


def test_a_swap_to_a_broken_configuration_and_back(weir, tmp_path):
    cm = ConfigMap(tmp_path / "mount", config=batches("a"))
    w = weir(None, path=tmp_path / "mount" / "config.alloy")
    cm.update(config=batches("b") + "nothing.like.this \"x\" { }\n")
    await_that("the fault is told", lambda: "failed to reload config" in w.log)
    assert labels(w) == {"a"} and "nothing.like.this" in w.log
    assert "The last reload failed" in w.get("/").text
    cm.update(config=batches("a"))  # what runs: a load of it must clear the alarm
    await_that("it is told that all is well", lambda: "config reloaded" in w.log)
    assert "The last reload failed" not in w.get("/").text


class SlowServer(http_server.ThreadingHTTPServer):
    """Answers when it is let; counts who has asked."""
    daemon_threads = True

    def __init__(self):
        self.let, self.asked = threading.Event(), threading.Semaphore(0)
        outer = self

        class Handler(http_server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.asked.release()
                outer.let.wait(30)
                body = b'declare "d" { }'
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.let.set()
        self.shutdown()
        self.server_close()

    def imported(self):
        return f'import.http "slow" {{\n\turl = "http://127.0.0.1:{self.server_address[1]}/"\n\tpoll_timeout = "30s"\n}}\n'


def test_a_swap_during_the_first_load(weir, tmp_path):
    with SlowServer() as s:
        cm = ConfigMap(tmp_path / "mount", config=s.imported() + batches("a"))
        w = weir(None, path=tmp_path / "mount" / "config.alloy", wait=False)
        s.asked.acquire()
        cm.update(config=s.imported() + batches("b"))
        s.let.set()
        w.wait_ready()
        await_labels(w, "b")


def test_a_swap_during_a_reload(weir, tmp_path):
    with SlowServer() as s:
        cm = ConfigMap(tmp_path / "mount", config=batches("a"))
        w = weir(None, path=tmp_path / "mount" / "config.alloy")
        cm.update(config=s.imported() + batches("b"))
        s.asked.acquire()
        cm.update(config=batches("c"))
        time.sleep(0.6)  # the change is seen while the load waits for its module
        assert labels(w) == {"a"}
        s.let.set()
        await_labels(w, "c")


# --- files that people and programs write ---

def test_a_file_renamed_over(weir):
    """So do editors, and so looks a subPath mount that is made anew."""
    w = weir(batches("a"))
    put(w.config, batches("b"))
    await_labels(w, "b")


def test_truncated_and_then_written(weir):
    """The empty file in between is a configuration of nothing, and must not be loaded."""
    w = weir(batches("a"))
    w.config.write_text("")
    time.sleep(0.7)  # more than twice the time that a file must rest
    w.config.write_text(batches("a", "b"))
    await_labels(w, "a", "b")
    assert w.log.count(CHANGED) == 1 and "removed=1" not in w.log


def test_written_by_vim(weir):
    """The old file becomes the backup, a new one is written, the backup goes."""
    w = weir(batches("a"))
    backup = w.config.with_name("config.alloy~")
    os.replace(w.config, backup)
    w.config.write_text(batches("b"))
    os.chmod(w.config, 0o644)
    backup.unlink()
    await_labels(w, "b")
    assert "failed to reload" not in w.log


def test_rewritten_in_place_slowly(weir):
    """For longer than any period of rest, with pauses: every prefix at a line's end is a valid configuration, none of them is loaded."""
    w = weir(batches("a", "b", "c"))
    with open(w.config, "w", buffering=1) as f:
        for pause in [0.05] * 60 + [0.8] * 4:
            f.write(batches(f"n{int(time.monotonic_ns())}"))
            f.flush()
            time.sleep(pause)
        f.write(batches("last"))
        assert labels(w) == {"a", "b", "c"} and CHANGED not in w.log
    await_that("the whole of it runs", lambda: "last" in labels(w))
    assert len(labels(w)) == 65 and w.log.count(CHANGED) == 1


def test_a_file_that_goes_and_comes_back(weir):
    w = weir(batches("a"))
    text = w.config.read_text()
    w.config.unlink()
    await_that("it is told", lambda: "failed to reload config" in w.log)
    assert "no such file or directory" in w.log
    assert labels(w) == {"a"} and w.metric("alloy_config_last_load_successful") == 0
    w.config.write_text(text)
    await_that("it is well again", lambda: w.metric("alloy_config_last_load_successful") == 1)
    assert labels(w) == {"a"} and "added=0 changed=0 removed=0 left=1" in w.log


def test_a_folder_of_files(weir, tmp_path):
    folder = tmp_path / "conf"
    folder.mkdir()
    (folder / "a.alloy").write_text(batches("a"))
    w = weir(None, path=folder)
    (folder / "b.river").write_text(batches("b"))
    await_labels(w, "a", "b")
    with open(folder / "notes.log", "w") as busy:  # no concern of it, however long it is written
        busy.write("x")
        busy.flush()
        put(folder / "a.alloy", batches("a2"))
        await_labels(w, "a2", "b")
    (folder / "b.river").unlink()
    await_labels(w, "a2")
    (folder / "a.alloy").rename(folder / "a.off")
    await_labels(w)


def test_a_touch_is_no_reload(weir):
    w = weir(batches("a"))
    os.utime(w.config)
    put(w.config, batches("a"))
    time.sleep(0.8)
    put(w.config, batches("b"))
    await_labels(w, "b")
    assert w.log.count(CHANGED) == 1


@pytest.mark.parametrize("how", ["off", "alloy"])
def test_not_watched(weir, weir_binary, tmp_path, how):
    """The flag turns it off; called as alloy it is off unless asked for."""
    alloy = tmp_path / "alloy"
    alloy.symlink_to(weir_binary)
    kw = dict(binary=str(alloy)) if how == "alloy" else {}
    quiet = weir(batches("a"), *(["--config.watch=false"] if how == "off" else []), **kw)
    watching = weir(None, path=quiet.config, **(dict(kw) if how == "off" else {}))
    put(quiet.config, batches("b"))
    await_labels(watching, "b")
    time.sleep(0.3)
    assert labels(quiet) == {"a"}
    assert quiet.reload().status == 200 and labels(quiet) == {"b"}


def test_asked_for_as_alloy_it_watches(weir, weir_binary, tmp_path):
    alloy = tmp_path / "alloy"
    alloy.symlink_to(weir_binary)
    w = weir(batches("a"), "--config.watch", binary=str(alloy))
    put(w.config, batches("b"))
    await_labels(w, "b")


@pytest.mark.parametrize("limit", ["max_inotify_instances", "max_inotify_watches"])
def test_without_inotify_it_polls(weir, weir_binary, tmp_path, limit):
    inner = f'echo 0 > /proc/sys/user/{limit} && exec "$0" "$@"'
    if subprocess.run(["unshare", "-r", "sh", "-c", inner, "true"], capture_output=True).returncode != 0:
        pytest.skip("no user namespaces here")
    script = tmp_path / "weir"
    script.write_text(f"#!/bin/sh\nexec unshare -r sh -c '{inner}' {weir_binary} \"$@\"\n")
    script.chmod(0o755)
    w = weir(batches("a"), binary=str(script))
    for name in ("b", "c"):
        put(w.config, batches(name))
        await_labels(w, name)
    assert w.log.count("the system does not report changes of files") == 1


# --- what is left alone keeps its connections ---

class Line:
    """One TCP connection over which traces are posted; anything that ends it shows."""

    def __init__(self, port):
        self.c = http_client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.c.connect()
        self.name = self.c.sock.getsockname()

    def post(self):
        self.c.request("POST", "/v1/traces", TRACE, {"Content-Type": "application/json"})
        r = self.c.getresponse()
        r.read()
        assert r.status == 200 and self.c.sock and self.c.sock.getsockname() == self.name


class Knocker(threading.Thread):
    """Connects again and again; counts refusals."""

    def __init__(self, *ports):
        super().__init__(daemon=True)
        self.ports, self.done, self.tried, self.refused, self.broken = ports, False, 0, 0, None
        await_that("all ports are open", lambda: all(port_open(p) for p in ports))  # the agent is ready a little earlier
        self.start()

    def run(self):
        try:
            self.knock()
        except OSError as e:
            self.broken = e

    def knock(self):
        while not self.done:
            for p in self.ports:
                self.tried += 1
                try:
                    socket.create_connection(("127.0.0.1", p), 30).close()
                except ConnectionRefusedError:
                    self.refused += 1
                time.sleep(0.001)  # the machine has so many ports to connect from

    def finish(self):
        self.done = True
        self.join()
        assert not self.broken, self.broken
        assert self.tried > 20 and self.refused == 0, f"{self.refused} of {self.tried} refused"


def as_module(kind, body, tmp_path):
    """(configuration with that body inside a module of that kind, flags, module's id)."""
    flags = ["--stability.level=experimental"]
    if kind == "root":
        return body, flags, ""
    if kind == "foreach":
        return f'foreach "f" {{\n\tcollection = ["one"]\n\tvar = "x"\n\ttemplate {{\n{body}\n\t}}\n}}\n', flags, "foreach.f/foreach_one_1"
    declare = f'declare "d" {{\n{body}\n}}\n'
    if kind == "declare":
        return declare + 'd "x" { }\n', flags, "d.x"
    lib = tmp_path / "lib.alloy"
    put(lib, declare)
    return f'import.file "lib" {{\n\tfilename = "{lib}"\n}}\nlib.d "x" {{ }}\n', flags, "lib.d.x"


KINDS = ["root", "declare", "foreach", "import"]


@pytest.mark.parametrize("kind", KINDS)
def test_connections_survive_fifty_reloads(weir, backend, ports, tmp_path, kind):
    """Of the body around the receiver: something else in it changes each time."""
    port = ports(1)[0]
    config = lambda v: as_module(kind, pipeline(port, backend.url) + batches(f"v{v}"), tmp_path)
    text, flags, module = config(0)
    w = weir(text, *flags)
    line, knocker = Line(port), Knocker(port)
    for v in range(1, 51):
        line.post()
        r = w.reload(config(v)[0])
        assert r.status == 200, r.text
        if kind == "import":
            await_that("the new body runs", lambda: w.get(f"/api/v0/web/components/{module}/otelcol.processor.batch.v{v}").status == 200)
    line.post()
    knocker.finish()
    await_that("all of it arrives", lambda: backend.count() == 51)
    assert w.log.count("Starting HTTP server") == 1
    assert w.health("otelcol.receiver.otlp.default") or module


@pytest.mark.parametrize("kind", KINDS)
def test_queues_survive_a_reload(weir, ports, tmp_path, kind):
    """The endpoint is away; what was taken waits in the queue, over reloads around it, and is delivered once."""
    port, away = ports(2)
    body = direct(port, f"http://127.0.0.1:{away}", exporter=FAST_RETRY)
    text, flags, module = as_module(kind, body, tmp_path)
    w = weir(text, *flags)
    line = Line(port)
    for _ in range(5):
        line.post()
    await_that("it is refused", lambda: "Will retry" in w.log or "refused" in w.log)
    for v in range(3):
        assert w.reload(as_module(kind, body + batches(f"v{v}"), tmp_path)[0]).status == 200
    line.post()
    b = Backend(away)
    try:
        await_that("all of it arrives", lambda: b.count() == 6)
        time.sleep(0.3)
        assert b.count() == 6
    finally:
        b.close()


# --- the line of a commit ---

def commits(w):
    """What the lines say behind their message."""
    return [l.replace('"', "").split("controller_id= ", 1)[1] for l in w.log.splitlines() if "scheduling loaded components" in l]


def test_a_commit_is_told_in_one_line(weir, ports):
    def config(timeout, *names):
        return (f'otelcol.processor.batch "c" {{\n\ttimeout = "{timeout}"\n\toutput {{ }}\n}}\n'
                'declare "d" {\n' + batches("in") + batches(*names) + '}\nd "x" { }\n')

    w = weir(config("1s", "old") + batches("gone"))
    assert w.reload(config("2s", "new")).status == 200
    assert w.reload(config("2s", "new")).status == 200
    assert w.reload(config("2s", *(f"n{i}" for i in range(9)))).status == 200
    told = commits(w)
    assert told[0].startswith("added=5 changed=0 removed=0 left=0") and "nodes=" not in told[0]
    assert "added=1 changed=1 removed=2 left=2" in told[1]
    which = told[1].split("nodes=")[1]
    assert set(which.split()) == {"~otelcol.processor.batch.c", "+d.x/otelcol.processor.batch.new", "-d.x/otelcol.processor.batch.old",
                                  "-otelcol.processor.batch.gone"}
    assert told[2].strip() == "added=0 changed=0 removed=0 left=4"
    assert "added=9 changed=0 removed=1 left=3" in told[3]
    assert told[3].count("+d.x/") == 5 and "+..." in told[3]


# --- a broken configuration changes nothing ---

BROKEN = [
    # name, text, what is said, whether it counts as read
    ("syntax", 'otelcol.processor.batch "b" {\n', "expected", False),
    ("encoding", None, "UTF-8", False),
    ("unknown", 'otelcol.processor.bach "b" { }\n', "otelcol.processor.bach", True),
    ("reference", 'local.file "f" {\n\tfilename = local.file.g.content\n}\n', "local.file.g", True),
    ("cycle", 'local.file "f" {\n\tfilename = local.file.f.content\n}\n', "local.file.f", True),
    ("evaluation", 'otelcol.processor.batch "b" {\n\tsend_batch_size = 1 / 0\n\toutput { }\n}\n', "divi", True),
    ("argument", 'otelcol.processor.batch "b" {\n\tnothing = 1\n\toutput { }\n}\n', "nothing", True),
    ("prepare", 'otelcol.processor.batch "b" {\n\tsend_batch_size = 10\n\tsend_batch_max_size = 5\n\toutput { }\n}\n', "send_batch_max_size", True),
    ("body", 'declare "m" {\n\texport "x" {\n\t\tvalue = 1 / 0\n\t}\n}\nm "b" { }\n', "divi", True),
    ("module argument", 'declare "m" {\n\targument "x" { }\n}\nm "b" { }\n', 'missing required argument "x"', True),
    ("import", 'import.file "m" {\n\tfilename = "/nothing/here"\n}\n', "no such file or directory", True),
    ("import member", 'import.string "m" {\n\tcontent = ""\n}\nm.d "b" { }\n', "componentName", True),
]


@pytest.mark.parametrize("name,text,said,read", BROKEN, ids=[b[0] for b in BROKEN])
def test_a_broken_configuration_changes_nothing(weir, backend, ports, name, text, said, read):
    port = ports(1)[0]
    good = pipeline(port, backend.url)
    w = weir(good, "--config.watch=false")
    line = Line(port)
    line.post()
    failures, hash_before = w.metric("alloy_config_load_failures_total") or 0, w.metric("alloy_config_last_load_success_timestamp_seconds")
    # the broken load would also remove everything, and begin something new
    if text is None:
        w.config.write_bytes(b'otelcol.processor.batch "\xff\xfe" { }\n')
    else:
        w.config.write_text(batches("fresh") + text)
    r = w.reload()
    assert r.status == 400 and said in r.text, r.text
    assert "failed to reload config" in w.log and any(said.replace('"', '\\"') in l for l in w.log.splitlines() if "failed to reload" in l)
    page = w.get("/").text
    assert "The last reload failed" in page and said.replace('"', "&quot;").replace("'", "&#39;") in page.replace("&#34;", "&quot;")
    assert w.metric("alloy_config_last_load_successful") == (1 if read else 0)
    assert (w.metric("alloy_config_load_failures_total") or 0) == failures + (0 if read else 1)
    if not read:
        assert w.metric("alloy_config_last_load_success_timestamp_seconds") == hash_before
    assert labels(w) == {"default"} and len(w.components()) == 4
    assert all(c["health"]["state"] == "healthy" for c in w.components())
    line.post()
    assert w.reload(good).status == 200
    assert "The last reload failed" not in w.get("/").text and w.metric("alloy_config_last_load_successful") == 1
    line.post()
    await_that("all of it arrived", lambda: backend.count() == 3)


def test_unreadable(weir, backend, ports):
    w = weir(batches("a"), "--config.watch=false")
    w.config.unlink()
    r = w.reload()
    assert r.status == 400 and "no such file or directory" in r.text and str(w.config) in r.text
    assert w.metric("alloy_config_last_load_successful") == 0
    assert w.metric("alloy_config_hash", sha256="0" * 64) == 1
    assert "no such file or directory" in w.get("/").text and labels(w) == {"a"}


def test_a_taken_port_is_health_and_no_fault_of_the_load(weir, backend, ports):
    a, b = ports(2)
    w = weir(pipeline(a, backend.url))
    with socket.create_server(("127.0.0.1", b)):
        extra = f'otelcol.receiver.otlp "b" {{\n\thttp {{\n\t\tendpoint = "127.0.0.1:{b}"\n\t}}\n\toutput {{ }}\n}}\n'
        assert w.reload(pipeline(a, backend.url) + extra).status == 200
        await_that("it is unhealthy", lambda: w.health("otelcol.receiver.otlp.b")["state"] == "unhealthy")
        assert "address already in use" in w.health("otelcol.receiver.otlp.b")["message"]
        assert w.health("otelcol.receiver.otlp.default")["state"] == "healthy"
