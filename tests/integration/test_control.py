"""The control half from outside: the http block, paths and methods, watched configurations, signals, names and defaults."""
import base64
import gzip
import json
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import urllib.request
import zlib

import pytest

from certs import Authority
from configs import pipeline
from weirproc import await_that, free_ports, http

pytestmark = pytest.mark.core

AUTH = 'http {\n  auth {\n    basic {\n      username = "u"\n      password = "p"\n    }\n    %s\n  }\n}\n'
LOGIN = {"Authorization": "Basic " + base64.b64encode(b"u:p").decode()}


def test_basic_authentication(weir):
    w = weir(AUTH % "", wait=False)
    await_that("the port opens", lambda: "now listening for http traffic" in w.log)
    r = w.get("/-/ready")
    assert r.status == 401 and r.headers["WWW-Authenticate"] == 'Basic realm="Restricted"' and r.body == b""
    assert w.get("/-/ready", headers=LOGIN).status == 200
    assert w.get("/-/ready", headers={"Authorization": "Basic " + base64.b64encode(b"u:q").decode()}).status == 401
    w.config.write_text(AUTH % 'filter {\n      paths = ["/metrics"]\n    }')
    assert http("POST", w.url + "/-/reload", b"", LOGIN).status == 200
    assert w.get("/-/ready").status == 200 and w.get("/metrics").status == 401
    assert w.reload(AUTH % 'filter {\n      paths = ["/-/"]\n      authenticate_matching_paths = false\n    }').status == 200
    assert w.get("/-/ready").status == 200 and w.get("/metrics").status == 401
    assert w.reload("").status == 200 and w.get("/metrics").status == 200
    assert 'msg="failed to authenticate request" service=http path=/-/ready err=unauthorized' in w.log


def test_tls_is_switched_without_rebinding(weir, tmp_path):
    key, cert = tmp_path / "k.pem", tmp_path / "c.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                    "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)], check=True,
                   capture_output=True)
    w = weir("")
    on = f'http {{\n  tls {{\n    cert_file = "{cert}"\n    key_file = "{key}"\n  }}\n}}\n'
    assert w.reload(on).status == 200
    trust = ssl.create_default_context(cafile=str(cert))
    with urllib.request.urlopen(f"https://127.0.0.1:{w.http_port}/-/ready", context=trust) as r:
        assert r.read() == b"Alloy is ready.\n"
    w.config.write_text(on.replace("c.pem", "gone.pem"))  # never cleartext instead
    w.signal(signal.SIGHUP)
    await_that("the missing file is said", lambda: "failed to reload config" in w.log and "gone.pem" in w.log)
    with urllib.request.urlopen(f"https://127.0.0.1:{w.http_port}/-/ready", context=trust) as r:
        assert r.status == 200
    w.config.write_text("")
    w.signal(signal.SIGHUP)
    await_that("cleartext is back", lambda: "applying non-TLS config to HTTP server" in w.log.split("applying TLS config")[-1])
    assert w.get("/-/ready").status == 200


CLIENT_AUTH = [  # type, CA given; answered without a certificate, with a foreign one, with one of the CA
    ("NoClientCert", False, True, True, True),
    ("RequestClientCert", True, True, True, True),
    ("RequireAnyClientCert", True, False, True, True),
    ("VerifyClientCertIfGiven", True, True, False, True),
    ("RequireAndVerifyClientCert", True, False, False, True),
    ("RequireAndVerifyClientCert", False, False, False, False),
]


@pytest.mark.parametrize("kind,ca,plain,foreign,known", CLIENT_AUTH)
def test_client_certificates(weir, tmp_path, kind, ca, plain, foreign, known):
    ours, theirs = Authority(tmp_path / "ca"), Authority(tmp_path / "other", "other")
    cert, key = ours.leaf("server")
    w = weir("", wait=True)
    authority = f'client_ca_file = "{ours.cert}"' if ca else ""
    assert w.reload(f'''http {{
  tls {{
    cert_file        = "{cert}"
    key_file         = "{key}"
    client_auth_type = "{kind}"
    {authority}
  }}
}}''').status == 200

    def answers(pair):
        trust = ssl.create_default_context(cafile=str(ours.cert))
        if pair:
            trust.load_cert_chain(*map(str, pair))
        try:
            with urllib.request.urlopen(f"https://127.0.0.1:{w.http_port}/-/ready", context=trust, timeout=10) as r:
                return r.status == 200
        except OSError:
            return False

    assert [answers(None), answers(theirs.leaf("stranger")), answers(ours.leaf("friend"))] == [plain, foreign, known]


def test_tls_versions_and_suites(weir, tmp_path):
    cert, key = Authority(tmp_path / "ca").leaf("server", key_type=("rsa:2048",))
    w = weir("")
    assert w.reload(f'''http {{
  tls {{
    cert_file         = "{cert}"
    key_file          = "{key}"
    max_version       = "TLS12"
    cipher_suites     = ["TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"]
    curve_preferences = ["CurveP384"]
  }}
}}''').status == 200

    def handshake(**limits):
        c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        c.check_hostname, c.verify_mode = False, ssl.CERT_NONE
        if "version" in limits:
            c.minimum_version = limits["version"]
        if "suites" in limits:
            c.set_ciphers(limits["suites"])
        try:
            with socket.create_connection(("127.0.0.1", w.http_port), 10) as s, c.wrap_socket(s) as t:
                return t.version(), t.cipher()[0]
        except ssl.SSLError:
            return None

    assert handshake() == ("TLSv1.2", "ECDHE-RSA-AES256-GCM-SHA384")
    assert handshake(version=ssl.TLSVersion.TLSv1_3) is None
    assert handshake(suites="ECDHE-RSA-AES128-GCM-SHA256") is None


def test_paths_and_methods(weir):
    w = weir("", "--server.http.ui-path-prefix=/agent/")
    for method in ("GET", "POST", "PUT", "DELETE"):
        assert http(method, w.url + "/-/ready").text == "Alloy is ready.\n"
    assert http("POST", w.url + "/-/reload").text == "config reloaded\n"
    assert http("GET", w.url + "/-/reload").text == "config reloaded\n"
    assert http("DELETE", w.url + "/-/reload").status == 405
    assert json.loads(w.get("/agent/api/v0/web/components").body) == []
    peers = json.loads(w.get("/agent/api/v0/web/peers").body)
    assert len(peers) == 1 and peers[0]["isSelf"] and peers[0]["state"] == "participant" and peers[0]["addr"].endswith(str(w.http_port))
    assert w.get("/agent/").headers["Content-Type"] == "text/html; charset=utf-8"
    assert w.get("/agent").headers["Content-Type"] == "text/html; charset=utf-8"  # redirected to /agent/
    assert w.get("/api/v0/web/components").status == 404
    r = w.get("/agent/api/v0/web/modules/x/components")
    assert (r.status, r.text) == (500, "module not found\n")
    r = w.get("/api/v0/component/nothing.x/metrics")
    assert (r.status, r.text) == (400, 'failed to parse URL path "/api/v0/component/nothing.x/metrics": invalid path\n')
    assert r.headers["X-Content-Type-Options"] == "nosniff"


def test_answers_are_compressed_on_request(weir):
    w = weir("")
    plain = w.get("/api/v0/web/peers")
    assert plain.headers["Content-Type"] == "text/plain; charset=utf-8"
    packed = w.get("/api/v0/web/peers", headers={"Accept-Encoding": "br, gzip;q=1.0"})
    assert packed.headers["Content-Encoding"] == "gzip" and packed.headers["Content-Type"] is None
    assert gzip.decompress(packed.body) == plain.body
    packed = w.get("/api/v0/web/peers", headers={"Accept-Encoding": "deflate"})
    assert zlib.decompress(packed.body) == plain.body
    packed = w.get("/metrics", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"
    assert b"process_open_fds" in gzip.decompress(packed.body)
    assert w.get("/metrics", headers={"Accept-Encoding": "gzip;q=0"}).headers["Content-Encoding"] is None


def test_a_watched_file_is_loaded(weir, backend, ports):
    port = ports(1)[0]
    w = weir("")
    w.config.write_text(pipeline(port, backend.url))
    await_that("the new configuration runs", lambda: len(w.components()) == 4)
    w.config.write_text("otelcol.broken {")
    await_that("the fault is said", lambda: "failed to reload config" in w.log)
    assert len(w.components()) == 4


def test_a_swapped_configmap_is_loaded(weir_binary, tmp_path, backend, ports):
    """Kubernetes mounts a ConfigMap as symbolic links through ..data, which is swapped as a whole."""
    mount = tmp_path / "mount"
    for n, text in (("1", ""), ("2", pipeline(ports(1)[0], backend.url))):
        (mount / f"..{n}").mkdir(parents=True)
        (mount / f"..{n}" / "config.alloy").write_text(text)
    (mount / "..data").symlink_to("..1")
    (mount / "config.alloy").symlink_to("..data/config.alloy")
    port = free_ports(1)[0]
    log = tmp_path / "log"
    with open(log, "wb") as f:
        p = subprocess.Popen([weir_binary, "run", f"--server.http.listen-addr=127.0.0.1:{port}", f"--storage.path={tmp_path / 'data'}",
                              str(mount / "config.alloy")], stderr=f, stdout=f)
    try:
        await_that("weir runs", lambda: b"weir is running" in log.read_bytes())
        (mount / "..next").symlink_to("..2")
        os.rename(mount / "..next", mount / "..data")
        await_that("the swap is seen", lambda: len(json.loads(http("GET", f"http://127.0.0.1:{port}/api/v0/web/components").body)) == 4)
    finally:
        p.terminate()
        assert p.wait(40) == 0, log.read_text()


def test_a_directory_of_files(weir_binary, tmp_path, backend, ports):
    folder = tmp_path / "conf"
    folder.mkdir()
    (folder / "a.alloy").write_text("logging {\n  level = \"debug\"\n}\n")
    (folder / "b.river").write_text(pipeline(ports(1)[0], backend.url))
    (folder / "note.txt").write_text("not a configuration")
    r = subprocess.run([weir_binary, "check", str(folder)], capture_output=True, text=True)
    assert (r.returncode, r.stdout, r.stderr) == (0, "", "")


def test_a_watched_directory_is_loaded(weir_binary, tmp_path):
    folder = tmp_path / "conf"
    folder.mkdir()
    port = free_ports(1)[0]
    log = tmp_path / "log"
    with open(log, "wb") as f:
        p = subprocess.Popen([weir_binary, "run", f"--server.http.listen-addr=127.0.0.1:{port}", f"--storage.path={tmp_path / 'data'}",
                              str(folder)], stderr=f, stdout=f)
    try:
        await_that("an empty directory runs", lambda: b"weir is running" in log.read_bytes())
        (folder / "a.alloy").write_text('local.file "a" {\n  filename = "/etc/hostname"\n}\n')
        await_that("the new file is loaded", lambda: len(json.loads(http("GET", f"http://127.0.0.1:{port}/api/v0/web/components").body)) == 1)
    finally:
        p.terminate()
        assert p.wait(40) == 0, log.read_text()


def test_called_as_alloy(weir_binary, tmp_path):
    alloy = tmp_path / "alloy"
    alloy.symlink_to(pathlib.Path(weir_binary).resolve())
    r = subprocess.run([alloy, "--version"], capture_output=True, text=True)
    assert r.returncode == 0 and r.stdout.startswith("alloy, version v") and len(r.stdout.splitlines()) == 6
    r = subprocess.run([weir_binary, "--version"], capture_output=True, text=True)
    assert r.stdout.startswith("weir, version v")


def test_json_log(weir):
    w = weir('logging {\n  format = "json"\n  level = "debug"\n}\n')
    lines = [json.loads(line) for line in w.log.splitlines()]
    listening = [line for line in lines if line["msg"] == "now listening for http traffic"]
    assert listening[0]["service"] == "http" and listening[0]["addr"] == f"127.0.0.1:{w.http_port}"
    assert list(listening[0])[:3] == ["ts", "level", "msg"]


def test_stop_within_its_deadline_while_the_backend_hangs(weir, backend, ports, root):
    """Data that cannot be delivered does not keep the process beyond 25 seconds; a second signal ends it at once."""
    port, dead = ports(2)
    w = weir(pipeline(port, f"http://127.0.0.1:{dead}"))
    http("POST", f"http://127.0.0.1:{port}/v1/traces", (root / "examples/trace.json").read_bytes(), {"Content-Type": "application/json"})
    w.signal(signal.SIGTERM)
    await_that("the stop is said", lambda: "shutting down" in w.log)
    try:
        w.p.wait(0.5)
    except subprocess.TimeoutExpired:
        w.signal(signal.SIGTERM)
        w.expected_exit = -signal.SIGTERM
    assert w.p.wait(5) in (0, -signal.SIGTERM)
