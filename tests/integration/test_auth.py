"""otelcol.auth.* on both sides of a connection, TLS, and secrets out of files."""
import base64
import subprocess

import pytest

from configs import direct
from weirproc import await_that, http

pytestmark = pytest.mark.core
JSON = {"Content-Type": "application/json"}
SPAN = b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"a","traceId":"%s","spanId":"%s"}]}]}]}' % (b"1" * 32, b"2" * 16)


def config(port, endpoint, handlers, server="", client="", exporter=""):
    return handlers + direct(port, endpoint, server, exporter, client)


def basic(user, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def test_basic_server(weir, backend, ports):
    port, = ports(1)
    users = "alice:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ="
    weir(config(port, backend.url, f'otelcol.auth.basic "h" {{\n htpasswd {{\n inline = "{users}"\n }}\n}}',
                server="auth = otelcol.auth.basic.h.handler"))
    url = f"http://127.0.0.1:{port}/v1/traces"
    r = http("POST", url, SPAN, JSON)
    assert (r.status, r.text) == (401, '{"code":16,"message":"no basic auth provided"}')
    r = http("POST", url, SPAN, dict(JSON, **basic("alice", "wrong")))
    assert (r.status, r.text) == (401, '{"code":16,"message":"invalid credentials"}')
    r = http("POST", url, SPAN, dict(JSON, Authorization="Bearer x"))
    assert (r.status, r.text) == (401, '{"code":16,"message":"invalid authorization scheme prefix"}')
    assert http("POST", url, SPAN, dict(JSON, **basic("alice", "secret"))).status == 200
    await_that("the span arrives", lambda: backend.count() == 1)


def test_bearer_on_both_sides_follows_its_file(weir, backend, ports, tmp_path):
    port, = ports(1)
    token = tmp_path / "token"
    token.write_text("one")
    handlers = f'''local.file "token" {{
  filename  = "{token}"
  is_secret = true
}}
otelcol.auth.bearer "h" {{
  token = local.file.token.content
}}'''
    weir(config(port, backend.url, handlers, server="auth = otelcol.auth.bearer.h.handler", client="auth = otelcol.auth.bearer.h.handler"))
    url = f"http://127.0.0.1:{port}/v1/traces"

    def send(value):
        return http("POST", url, SPAN, dict(JSON, Authorization=f"Bearer {value}")).status

    assert (send("two"), send("one")) == (401, 200)
    await_that("it arrives", lambda: backend.count() == 1)
    assert backend.requests[0][1]["Authorization"] == "Bearer one"
    token.write_text("two")
    await_that("the new token is taken", lambda: send("two") == 200)
    assert send("one") == 401
    await_that("it arrives", lambda: backend.count() == 2)
    assert backend.requests[-1][1]["Authorization"] == "Bearer two"


def test_basic_follows_its_file_and_says_when_it_cannot(weir, backend, ports, tmp_path):
    port, = ports(1)
    users, other = tmp_path / "users", tmp_path / "other"
    users.write_text("alice:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n")
    other.write_text("bob:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n")
    text = config(port, backend.url, f'otelcol.auth.basic "h" {{\n htpasswd {{\n file = "{users}"\n }}\n}}',
                  server="auth = otelcol.auth.basic.h.handler")
    w = weir(text)

    def sends(user):
        return http("POST", f"http://127.0.0.1:{port}/v1/traces", SPAN, dict(JSON, **basic(user, "secret"))).status == 200

    assert sends("alice") and not sends("bob")
    users.unlink()
    await_that("it says so", lambda: w.health("otelcol.auth.basic.h")["state"] == "unhealthy")
    assert w.health("otelcol.auth.basic.h")["message"].startswith("failed to read credentials: ")
    assert sends("alice")  # the users of before
    assert w.reload(text.replace(str(users), str(other))).status == 200
    await_that("all is well", lambda: w.health("otelcol.auth.basic.h")["state"] == "healthy")
    assert sends("bob") and not sends("alice")


def test_headers_from_the_client(weir, backend, ports):
    port, = ports(1)
    handlers = '''otelcol.auth.headers "h" {
  header {
    key          = "X-Scope-OrgID"
    from_context = "X-Tenant"
  }
  header {
    key            = "X-User"
    from_attribute = "username"
  }
  header {
    key    = "X-Fixed"
    value  = "new"
    action = "insert"
  }
  header {
    key    = "X-Gone"
    action = "delete"
  }
}
otelcol.auth.basic "in" {
  htpasswd {
    inline = "bob:secret"
  }
}'''
    weir(config(port, backend.url, handlers, server="include_metadata = true\n auth = otelcol.auth.basic.in.handler",
                client='auth = otelcol.auth.headers.h.handler\n headers = { "X-Fixed" = "old", "X-Gone" = "x", "X-Kept" = "y" }'))
    headers = dict(JSON, **basic("bob", "secret"), **{"X-Tenant": "team-a"})
    assert http("POST", f"http://127.0.0.1:{port}/v1/traces", SPAN, headers).status == 200
    await_that("it arrives", lambda: backend.count() == 1)
    got = backend.requests[0][1]
    assert (got["X-Scope-OrgID"], got["X-User"], got["X-Fixed"], got["X-Kept"]) == ("team-a", "bob", "old", "y")
    assert "X-Gone" not in got


def test_a_client_handler_does_not_check_requests(weir, backend, ports):
    port, = ports(1)
    handlers = 'otelcol.auth.headers "h" {\n header {\n key = "a"\n value = "b"\n }\n}'
    w = weir(config(port, backend.url, handlers, server="auth = otelcol.auth.headers.h.handler"), wait=False)
    w.expected_exit = 1
    assert w.p.wait(30) == 1
    assert "this handler does not support server authentication" in w.log + w.out


@pytest.fixture
def certificate(tmp_path):
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", cert, "-days",
                    "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"], check=True, capture_output=True)
    return cert, key


@pytest.mark.parametrize("kind", ["otlphttp", "otlp"])
def test_tls_between_two_of_us(weir, backend, ports, certificate, kind):
    cert, key = certificate
    front, back = ports(2)
    protocol = "grpc" if kind == "otlp" else "http"
    weir(direct(back, backend.url, f'tls {{\n cert_file = "{cert}"\n key_file = "{key}"\n }}', protocol=protocol, names=("back", "out")) +
         direct(front, f"{'https://' if kind == 'otlphttp' else ''}localhost:{back}", client=f'tls {{\n ca_file = "{cert}"\n }}', kind=kind,
                names=("front", "tls")))
    assert http("POST", f"http://127.0.0.1:{front}/v1/traces", SPAN, JSON).status == 200
    await_that("it arrives", lambda: backend.count() == 1)
