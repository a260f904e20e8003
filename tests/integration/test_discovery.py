"""discovery.http, discovery.file, discovery.process and discovery.dns: what they export, and what they keep when their source fails."""
import json
import os
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from weirproc import await_that

pytestmark = pytest.mark.core


def exported(w, local_id):
    body = json.loads(w.get(f"/api/v0/web/components/{local_id}").body)
    targets = next(e for e in body["exports"] if e["name"] == "targets")["value"]
    return [{m["key"]: m["value"]["value"] for m in t["value"]} for t in targets["value"]]


def addresses(w, local_id):
    return sorted(t.get("__address__", "") for t in exported(w, local_id))


def metric(w, name):
    lines = [line for line in w.get("/metrics").text.splitlines() if line.startswith(name)]
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines)


class Lister:
    """A server that lists targets."""

    def __init__(self):
        self.status, self.type, self.body, self.requests = 200, "application/json; charset=utf-8", b"[]", []
        lister = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                lister.requests.append({k.lower(): v for k, v in self.headers.items()} | {"path": self.path})
                self.send_response(lister.status)
                self.send_header("Content-Type", lister.type)
                self.send_header("Content-Length", str(len(lister.body)))
                self.end_headers()
                self.wfile.write(lister.body)

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/targets?x=1"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def list(self, *groups):
        self.body = json.dumps(groups).encode()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def lister():
    server = Lister()
    yield server
    server.close()


def test_http(weir, lister):
    lister.list({"targets": ["a:1", "b:2"], "labels": {"job": "x"}}, {"targets": ["c:3"]})
    w = weir(f'''
discovery.http "d" {{
  url              = "{lister.url}"
  refresh_interval = "200ms"
  bearer_token     = "secret"
}}
''')
    await_that("three targets", lambda: len(exported(w, "discovery.http.d")) == 3)
    assert exported(w, "discovery.http.d") == [
        {"__address__": "a:1", "__meta_url": lister.url, "job": "x"},
        {"__address__": "b:2", "__meta_url": lister.url, "job": "x"},
        {"__address__": "c:3", "__meta_url": lister.url}]
    request = lister.requests[0]
    assert request["accept"] == "application/json" and request["x-prometheus-refresh-interval-seconds"] == "0.2"
    assert request["authorization"] == "Bearer secret" and request["path"] == "/targets?x=1" and request["user-agent"].startswith("Weir/")

    def fails(why, **change):
        before = {k: getattr(lister, k) for k in change}
        for k, v in change.items():
            setattr(lister, k, v)
        await_that(why, lambda: why in w.health("discovery.http.d")["message"])
        assert w.health("discovery.http.d")["state"] == "unhealthy"
        assert addresses(w, "discovery.http.d") == ["a:1", "b:2", "c:3"]
        for k, v in before.items():
            setattr(lister, k, v)
        await_that("healthy again", lambda: w.health("discovery.http.d")["state"] == "healthy")

    fails("HTTP status 503", status=503)
    fails('unsupported content type "text/html"', type="text/html")
    fails("cannot read the list of targets", body=b'[{"targets": [1]}]')
    fails("cannot read the list of targets", body=b'[{"targets": ["a:1"]')
    assert metric(w, "prometheus_sd_http_failures_total") >= 4
    lister.list({"targets": ["d:4"]})
    await_that("the new target", lambda: addresses(w, "discovery.http.d") == ["d:4"])
    lister.list()
    await_that("no targets", lambda: addresses(w, "discovery.http.d") == [])


def test_file(weir, tmp_path):
    folder = tmp_path / "sd"
    folder.mkdir()
    (folder / "a.json").write_text('[{"targets": ["a:1"], "labels": {"job": "j"}}]')
    (folder / "b.yml").write_text("- targets: ['b:1']\n")
    (folder / "c.txt").write_text("no targets")
    w = weir(f'''
discovery.file "d" {{
  files = ["{folder}/*.json", "{folder}/*.yml", "{folder}/?.json"]
}}
''')
    await_that("two targets", lambda: len(exported(w, "discovery.file.d")) == 2)
    found = {t["__address__"]: t for t in exported(w, "discovery.file.d")}
    assert found["a:1"] == {"__address__": "a:1", "__meta_filepath": str(folder / "a.json"), "job": "j"}
    assert found["b:1"] == {"__address__": "b:1", "__meta_filepath": str(folder / "b.yml")}
    assert f'filename="{folder}/a.json"' in w.get("/metrics").text

    (folder / "d.json").write_text('[{"targets": ["d:1", "d:2"]}]')  # noticed, long before refresh_interval
    await_that("a new file", lambda: addresses(w, "discovery.file.d") == ["a:1", "b:1", "d:1", "d:2"])
    (folder / "a.json").write_text("[{")
    await_that("a broken file", lambda: w.health("discovery.file.d")["state"] == "unhealthy")
    assert str(folder / "a.json") in w.health("discovery.file.d")["message"]
    assert addresses(w, "discovery.file.d") == ["a:1", "b:1", "d:1", "d:2"]
    assert metric(w, "prometheus_sd_file_read_errors_total") >= 1
    (folder / "a.json").unlink()
    await_that("it is gone", lambda: addresses(w, "discovery.file.d") == ["b:1", "d:1", "d:2"])
    await_that("healthy again", lambda: w.health("discovery.file.d")["state"] == "healthy")


def test_process(weir):
    sleeper = subprocess.Popen(["sleep", "600"], cwd="/")
    try:
        w = weir('''
discovery.process "d" {
  refresh_interval = "200ms"
  join             = [{ pod = "p", extra = "x" }]
  discover_config {
    uid      = true
    username = true
  }
}
''')
        def mine():
            return [t for t in exported(w, "discovery.process.d") if t.get("__process_pid__") == str(sleeper.pid)]
        await_that("the process", mine)
        found = mine()[0]
        assert found["__meta_process_commandline"] == "sleep 600" and found["__meta_process_cwd"] == "/"
        assert found["__meta_process_exe"] == os.readlink(f"/proc/{sleeper.pid}/exe") and found["__meta_process_uid"] == str(os.getuid())
        assert {"pod": "p", "extra": "x"} in exported(w, "discovery.process.d")
    finally:
        sleeper.kill()
        sleeper.wait()
    await_that("it is gone", lambda: not mine())


def test_dns_of_a_name_that_nobody_knows(weir):
    """What a name server answers is for unit tests; here nobody answers, or says that there is no such name: the component goes on."""
    w = weir('''
discovery.dns "d" {
  names            = ["weir-test.invalid"]
  type             = "a"
  port             = 80
  refresh_interval = "500ms"
}
''')
    await_that("lookups", lambda: metric(w, "prometheus_sd_dns_lookups_total") >= 1)
    assert exported(w, "discovery.dns.d") == []


@pytest.mark.parametrize("config, message", [
    ('discovery.http "d" { url = "ftp://x" }', "url must begin with http:// or https://"),
    ('discovery.http "d" { url = "http:///x" }', "url has no host"),
    ('discovery.file "d" { files = ["/x/y.txt"] }', "not valid for file discovery"),
    ('discovery.file "d" { files = ["/x/[.json"] }', "malformed"),
    ('discovery.dns "d" {\n names = ["a"]\n type = "A"\n}', "a port is required"),
    ('discovery.dns "d" {\n names = ["a"]\n type = "TXT"\n}', "TXT"),
    ('discovery.process "d" { refresh_interval = "0s" }', "refresh_interval must be greater than 0"),
])
def test_faults_are_told_by_check(weir_binary, tmp_path, config, message):
    path = tmp_path / "config.alloy"
    path.write_text(config + "\n")
    r = subprocess.run([weir_binary, "check", path], capture_output=True, text=True)
    assert r.returncode != 0 and message in r.stdout + r.stderr
