"""prometheus.scrape: how it signs in, TLS, proxies, HTTP/2 left out."""
import base64

import pytest

from certs import Authority
from prom_backend import Prometheus
from scrape_world import Target, plain, scrape, to
from small_server import Small, Tokens
from weirproc import await_that, http

pytestmark = pytest.mark.core


@pytest.fixture
def prom():
    b = Prometheus()
    yield b
    b.close()


@pytest.fixture
def target():
    t = Target(b"a 1\n")
    yield t
    t.close()


def up(prom, job, value=1):
    prom.wait_for(lambda: value in prom.values("up", job=job), what=f"up {value} of {job}")


def basic(text):
    return "Basic " + base64.b64encode(text).decode()


def test_credentials(weir, target, prom, tmp_path):
    password, token = tmp_path / "password", tmp_path / "token"
    password.write_text("file-pass\n")
    token.write_text("first\n")
    tokens = Tokens()
    ways = {
        "none": "", "basic": 'basic_auth {\n username = "u"\n password = "p:w"\n}',
        "basicfile": f'basic_auth {{\n username = "u"\n password_file = "{password}"\n}}',
        "bearer": 'bearer_token = "tok"', "bearerfile": f'bearer_token_file = "{token}"',
        "scheme": 'authorization {\n type = "GenieKey"\n credentials = "c"\n}',
        "oauth2": f'oauth2 {{\n client_id = "me"\n client_secret = "hush"\n token_url = "{tokens.url}/token"\n scopes = ["x"]\n}}',
    }
    w = weir("".join(scrape(target.one, f'metrics_path = "/{k}"\n {v}', k) for k, v in ways.items()) + to(prom))
    for k in ways:
        up(prom, k)
    got = {r.path[1:]: r.headers.get("Authorization") for r in target.requests}
    assert got == {"none": None, "basic": basic(b"u:p:w"), "basicfile": basic(b"u:file-pass"), "bearer": "Bearer tok", "bearerfile": "Bearer first",
                   "scheme": "GenieKey c", "oauth2": "Bearer t1"}
    assert tokens.asked[0]["scope"] == ["x"] and len(tokens.asked) == 1
    token.write_text("second\n")
    await_that("the new token is sent", lambda: any(r.headers.get("Authorization") == "Bearer second" for r in target.requests[-20:]))
    token.unlink()
    up(prom, "bearerfile", 0)
    assert "p:w" not in w.log and "hush" not in w.log and "file-pass" not in w.log
    tokens.close()


def test_tls(weir, prom, tmp_path):
    authority = Authority(tmp_path / "ca")
    good, name = Target(b"a 1\n", tls=authority.leaf("good")), Target(b"a 1\n", tls=authority.leaf("name", names=("DNS:other.example",)))
    ca = f'ca_file = "{authority.cert}"'
    ways = {"ca": (good, ca, 1), "skip": (good, "insecure_skip_verify = true", 1), "unknown": (good, "", 0), "wrongname": (name, ca, 0),
            "servername": (name, ca + '\n server_name = "other.example"', 1), "nohttp2": (good, ca + "\n}\n enable_http2 = false\n", 1)}
    text = ""
    for k, (t, tls, _) in ways.items():
        close = "" if "}" in tls else "}"
        text += scrape(t.one, f'scheme = "https"\n tls_config {{\n {tls}\n {close}', k)
    w = weir(text + to(prom))
    for k, (_, _, value) in ways.items():
        up(prom, k, value)
    assert "tls:" in w.log
    good.close()
    name.close()


def test_proxies(weir, target, prom):
    asked = []

    def forward(h):
        asked.append(h.path)
        body = http("GET", h.path).body
        h.send_response(200)
        h.send_header("Content-Type", "text/plain")
        h.send_header("Content-Length", str(len(body)))
        h.end_headers()
        h.wfile.write(body)

    proxy = Small(forward)
    weir(scrape(target.one, f'proxy_url = "{proxy.url}"', "proxied") + scrape(target.one, f'proxy_url = "{proxy.url}"\n no_proxy = "127.0.0.1"', "direct")
         + to(prom))
    up(prom, "proxied")
    up(prom, "direct")
    assert set(asked) == {f"http://{target.address}/metrics"}
    proxy.close()


def test_settings_change_while_it_runs(weir, target, prom):
    """A reload gives the next request other credentials; series go on without markers."""
    def handle(h):
        h.server.status = 200 if h.headers.get("Authorization") == "Bearer two" else 401
        plain(h)

    target.handle = handle
    w = weir(scrape(target.one, 'bearer_token = "one"') + to(prom))
    up(prom, "s", 0)
    w.reload(w.config.read_text().replace('"one"', '"two"'))
    up(prom, "s")
    w.reload(w.config.read_text().replace("bearer_token =", "extra_metrics = true\n bearer_token ="))
    prom.wait_for(lambda: prom.samples("scrape_timeout_seconds"), what="the new setting")
    assert not [s for s in prom.samples("a") if s.stale]
