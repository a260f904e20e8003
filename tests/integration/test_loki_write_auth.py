"""loki.write: how it signs in, over TLS, through proxies, and what it says of itself."""
import base64
import json
import ssl
import urllib.parse

import pytest

from certs import Authority
from loki_backend import Answer, Loki
from small_server import Small
from weirproc import await_that, http

pytestmark = pytest.mark.core


def config(port, *endpoints):
    blocks = "".join(f'  endpoint {{\n    batch_wait = "20ms"\n    min_backoff_period = "50ms"\n    max_backoff_period = "200ms"\n{e}\n  }}\n'
                     for e in endpoints)
    return (f'loki.source.api "in" {{\n  http {{\n    listen_address = "127.0.0.1"\n    listen_port = {port}\n  }}\n'
            f'  labels = {{ job = "x" }}\n  forward_to = [loki.write.out.receiver]\n}}\nloki.write "out" {{\n{blocks}}}\n')


def send(port, line, **headers):
    r = http("POST", f"http://127.0.0.1:{port}/loki/api/v1/raw", line.encode(), {"Content-Type": "text/plain", **headers})
    assert r.status == 204, r.text


def header(loki, name):
    return loki.requests[-1].headers.get(name)


def test_headers_and_credentials(weir, ports, tmp_path):
    """One endpoint for each way, all to the same server by different paths of the query."""
    port = ports(1)[0]
    token = tmp_path / "token"
    token.write_text("first\n")
    secret = tmp_path / "secret"
    secret.write_text("file-pass\n")
    ways = {
        "basic": 'basic_auth {\n username = "u"\n password = "p:w"\n}',
        "basicfile": f'basic_auth {{\n username = "u"\n password_file = "{secret}"\n}}',
        "bearer": 'bearer_token = "tok"',
        "bearerfile": f'bearer_token_file = "{token}"',
        "scheme": 'authorization {\n type = "GenieKey"\n credentials = "c"\n}',
        "url": "",
        "headers": 'headers = { "X-One" = "1", "User-Agent" = "mine", "X-Scope-OrgID" = "from-header" }',
        "tenant": 'tenant_id = "acme"\n headers = { "X-Scope-OrgID" = "not-me" }',
    }
    seen = {}

    def handle(h):
        way = urllib.parse.parse_qs(urllib.parse.urlsplit(h.path).query).get("way", ["?"])[0]
        h.rfile.read(int(h.headers["Content-Length"]))
        seen[way] = dict(h.headers)
        h.send_response(204)
        h.end_headers()

    server = Small(handle)
    url = {w: f"{server.url}/loki/api/v1/push?way={w}" for w in ways}
    url["url"] = url["url"].replace("//", "//me:pw@", 1)
    w = weir(config(port, *(f'    url = "{url[k]}"\n    name = "{k}"\n    {v}' for k, v in ways.items())))
    send(port, "hello")
    await_that("each endpoint was sent to", lambda: len(seen) == len(ways))

    def basic(text):
        return "Basic " + base64.b64encode(text).decode()

    got = {k: v.get("Authorization") for k, v in seen.items()}
    assert got["basic"] == basic(b"u:p:w")
    assert got["basicfile"] == basic(b"u:file-pass")
    assert got["bearer"] == "Bearer tok"
    assert got["bearerfile"] == "Bearer first"
    assert got["scheme"] == "GenieKey c"
    assert got["url"] == basic(b"me:pw")
    assert got["headers"] is None
    assert seen["headers"]["X-One"] == "1" and seen["headers"]["X-Scope-OrgID"] == "from-header"
    assert seen["headers"]["User-Agent"].startswith("Weir/")
    assert "custom header key already exists, skipping" in w.log
    assert seen["tenant"]["X-Scope-OrgID"] == "acme" and "X-Scope-OrgID" not in seen["basic"]
    ids = {v["X-Agent-Id"] for v in seen.values()} | {v["X-Alloy-Id"] for v in seen.values()}
    assert len(ids) == 1 and seen["basic"]["Content-Type"] == "application/x-protobuf" and seen["basic"]["Content-Encoding"] == "snappy"

    token.write_text("second\n")  # replaced by whoever renews it

    def renewed():
        send(port, "again")
        return seen["bearerfile"]["Authorization"] == "Bearer second"

    await_that("the new token is sent", renewed, step=0.2)
    assert "p:w" not in w.log and "file-pass" not in w.log and "me:pw" not in w.log
    server.close()


def test_oauth2(weir, loki, ports):
    port, asked = ports(1)[0], []

    def handle(h):
        body = urllib.parse.parse_qs(h.rfile.read(int(h.headers["Content-Length"])).decode())
        asked.append((h.headers.get("Authorization"), body))
        if len(asked) == 1:
            h.send_response(503)
            h.send_header("Content-Length", "0")
            h.end_headers()
            return
        answer = json.dumps({"access_token": f"t{len(asked)}", "token_type": "bearer", "expires_in": 3600}).encode()
        h.send_response(200)
        h.send_header("Content-Type", "application/json")
        h.send_header("Content-Length", str(len(answer)))
        h.end_headers()
        h.wfile.write(answer)

    tokens = Small(handle)
    w = weir(config(port, f'    url = "{loki.url}"\n    oauth2 {{\n      client_id = "id"\n      client_secret = "s3cr3t"\n'
                          f'      token_url = "{tokens.url}/token"\n      scopes = ["a", "b"]\n'
                          '      endpoint_params = { audience = "logs" }\n    }'))
    send(port, "one")
    loki.wait(1)
    assert header(loki, "Authorization") == "Bearer t2"
    assert asked[1][1]["grant_type"] == ["client_credentials"] and asked[1][1]["scope"] == ["a b"]
    assert asked[1][1]["audience"] == ["logs"]
    send(port, "two")
    loki.wait(2)
    assert len(asked) == 2  # it holds for an hour
    loki.respond = lambda n, headers: Answer(401 if headers["Authorization"] == "Bearer t2" else 204)
    send(port, "three")  # it was revoked: another one is asked for, and nothing is dropped
    loki.wait(3)
    assert header(loki, "Authorization") == "Bearer t3"
    assert "s3cr3t" not in w.log
    tokens.close()


@pytest.fixture
def pki(tmp_path):
    return Authority(tmp_path / "pki")


def test_tls_with_client_certificates(weir, ports, pki):
    port = ports(1)[0]
    cert, key = pki.leaf("server")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    context.load_verify_locations(pki.cert)
    context.verify_mode = ssl.CERT_REQUIRED
    mine, my_key = pki.leaf("client")
    loki = Loki(tls=context)
    bare = f'    url = "{loki.url}"\n    tls_config {{\n      ca_file = "{pki.cert}"\n    }}'
    full = bare.replace("ca_file", f'cert_file = "{mine}"\n      key_file = "{my_key}"\n      ca_file')
    w = weir(config(port, bare))
    send(port, "one")
    await_that("it is told", lambda: "an endpoint does not take entries" in w.log)
    assert w.health("loki.write.out")["state"] == "unhealthy"
    assert w.reload(config(port, full)).status == 200
    loki.wait(1)
    await_that("all is well", lambda: w.health("loki.write.out")["state"] == "healthy")
    loki.close()


def test_through_a_proxy(weir, loki, ports):
    """A proxy is asked for whole URLs; no_proxy goes past it."""
    port, asked = ports(1)[0], []

    def handle(h):
        asked.append((h.command, h.path))
        h.rfile.read(int(h.headers.get("Content-Length", 0)))
        h.send_response(204)
        h.end_headers()

    proxy = Small(handle)
    weir(config(port, f'    url = "http://loki.invalid/loki/api/v1/push"\n    proxy_url = "{proxy.url}"',
                f'    url = "{loki.url}"\n    proxy_url = "{proxy.url}"\n    no_proxy = "127.0.0.1"'))
    send(port, "one")
    loki.wait(1)
    await_that("the proxy is asked", lambda: asked)
    assert set(asked) == {("POST", "http://loki.invalid/loki/api/v1/push")}
    proxy.close()
