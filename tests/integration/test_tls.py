"""TLS of the receiver and of both exporters, with real certificates: each argument is seen to take effect."""
import ssl
import subprocess

import pytest

from backend import Backend
from certs import Authority
from configs import direct
from weirproc import await_that

pytestmark = pytest.mark.core
SPAN = b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"a","traceId":"%s","spanId":"%s"}]}]}]}' % (b"1" * 32, b"2" * 16)


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    class Pki:
        ours = Authority(tmp_path_factory.mktemp("ours"))
        theirs = Authority(tmp_path_factory.mktemp("theirs"), "others")
        server, client = ours.leaf("server"), ours.leaf("client")
        rsa = ours.leaf("rsa", key_type=("rsa:2048",))
        named = ours.leaf("named", ("DNS:tempo.example",))
        stranger = theirs.leaf("stranger")
    return Pki


def block(kind="tls", **values):
    """A block of text attributes; other values are written as they are."""
    return f"{kind} {{\n" + "".join(f"  {k} = {v if isinstance(v, Raw) else quoted(v)}\n" for k, v in values.items()) + "}\n"


class Raw(str):
    pass


def quoted(v):
    return '"' + str(v).replace("\\", "\\\\").replace("\n", "\\n") + '"'


def post(port, *argv, scheme="https", host="localhost"):
    """Status that curl gets for a span, or None where there is no connection."""
    r = subprocess.run(["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--resolve", f"{host}:{port}:127.0.0.1", "-H", "Content-Type: application/json", "--data-binary",
                        "@-", *map(str, argv), f"{scheme}://{host}:{port}/v1/traces"], input=SPAN, capture_output=True, timeout=30)
    return int(r.stdout) if r.returncode == 0 else None


def trust(authority):
    return "--cacert", authority.cert


def test_a_server_certificate(weir, backend, ports, pki):
    port, = ports(1)
    weir(direct(port, backend.url, block(cert_file=pki.server[0], key_file=pki.server[1])))
    assert post(port, *trust(pki.ours)) == 200
    assert post(port, *trust(pki.theirs)) is None
    assert post(port, scheme="http") in (None, 400)
    await_that("the span arrives", lambda: backend.count() == 1)


def test_a_server_certificate_written_out(weir, backend, ports, pki):
    port, = ports(1)
    weir(direct(port, backend.url, block(cert_pem=pki.server[0].read_text(), key_pem=pki.server[1].read_text())))
    assert post(port, *trust(pki.ours)) == 200


@pytest.mark.parametrize("protocol", ["http", "grpc"])
def test_clients_need_a_certificate(weir, backend, ports, pki, protocol):
    port, = ports(1)
    weir(direct(port, backend.url, block(cert_file=pki.server[0], key_file=pki.server[1], client_ca_file=pki.ours.cert), protocol=protocol))

    def good(pair=None):
        own = ("--cert", pair[0], "--key", pair[1]) if pair else ()
        return post(port, *trust(pki.ours), *own)

    taken = 200 if protocol == "http" else 415
    assert (good(), good(pki.stranger), good(pki.client)) == (None, None, taken)


def test_versions_ciphers_and_curves(weir, backend, ports, pki):
    new, old, curve = ports(3)
    pair = dict(cert_file=pki.rsa[0], key_file=pki.rsa[1])
    weir("\n".join(direct(p, backend.url, block(**pair, **more), names=(f"i{n}", f"o{n}"))
                   for n, (p, more) in enumerate([
                       (new, dict(min_version="1.3")),
                       (old, dict(max_version="1.2", cipher_suites=Raw('["TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"]'))),
                       (curve, dict(curve_preferences=Raw('["P256"]')))])))
    ca = trust(pki.ours)
    assert (post(new, *ca), post(new, *ca, "--tls-max", "1.2")) == (200, None)
    assert (post(old, *ca), post(old, *ca, "--tlsv1.3")) == (200, None)
    assert post(old, *ca, "--ciphers", "ECDHE-RSA-AES128-GCM-SHA256") is None
    assert post(old, *ca, "--ciphers", "ECDHE-RSA-AES256-GCM-SHA384") == 200
    assert (post(curve, *ca, "--curves", "P-256"), post(curve, *ca, "--curves", "X25519")) == (200, None)


def test_a_renewed_certificate_is_taken(weir, backend, ports, pki, tmp_path):
    port, = ports(1)
    cert, key = tmp_path / "c.pem", tmp_path / "c.key"
    cert.write_bytes(pki.stranger[0].read_bytes()), key.write_bytes(pki.stranger[1].read_bytes())
    weir(direct(port, backend.url, block(cert_file=cert, key_file=key, reload_interval="1s")))
    assert (post(port, *trust(pki.theirs)), post(port, *trust(pki.ours))) == (200, None)
    cert.write_bytes(pki.server[0].read_bytes()), key.write_bytes(pki.server[1].read_bytes())
    await_that("the new certificate is shown", lambda: post(port, *trust(pki.ours)) == 200, step=0.2)


@pytest.fixture
def tls_backend(pki):
    """tls_backend(pair, client_authority=None): a Backend behind TLS."""
    running = []

    def start(pair, client_authority=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*map(str, pair))
        if client_authority:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(str(client_authority.cert))
        b = Backend(tls=context)
        running.append(b)
        return b

    yield start
    for b in running:
        b.close()


CLIENTS = {
    "ca_file": (lambda p: dict(ca_file=p.ours.cert), "server", None, True),
    "ca_pem": (lambda p: dict(ca_pem=p.ours.cert.read_text()), "server", None, True),
    "another authority": (lambda p: dict(ca_file=p.theirs.cert), "server", None, False),
    "no authority": (lambda p: {}, "server", None, False),
    "skip_verify": (lambda p: dict(insecure_skip_verify=Raw("true")), "stranger", None, True),
    "name": (lambda p: dict(ca_file=p.ours.cert), "named", None, False),
    "server_name": (lambda p: dict(ca_file=p.ours.cert, server_name="tempo.example"), "named", None, True),
    "no certificate of ours": (lambda p: dict(ca_file=p.ours.cert), "server", "ours", False),
    "cert_file": (lambda p: dict(ca_file=p.ours.cert, cert_file=p.client[0], key_file=p.client[1]), "server", "ours", True),
    "cert_pem": (lambda p: dict(ca_file=p.ours.cert, cert_pem=p.client[0].read_text(), key_pem=p.client[1].read_text()), "server", "ours", True),
    "system and ours": (lambda p: dict(ca_file=p.ours.cert, include_system_ca_certs_pool=Raw("true")), "server", None, True),
}


@pytest.mark.parametrize("case", CLIENTS)
def test_the_http_exporter(weir, ports, pki, tls_backend, case):
    tls, pair, asks, works = CLIENTS[case]
    backend = tls_backend(getattr(pki, pair), getattr(pki, asks) if asks else None)
    port, = ports(1)
    w = weir(direct(port, backend.url, client=block(**tls(pki))))
    assert post(port, scheme="http") == 200
    if works:
        await_that("the span arrives", lambda: backend.count() == 1)
    else:
        await_that("it is refused", lambda: "Will retry" in w.log)
        assert (backend.count(), w.health("otelcol.exporter.otlphttp.out")["state"]) == (0, "unhealthy")


@pytest.mark.parametrize("case", CLIENTS)
def test_the_grpc_exporter(weir, ports, pki, backend, case):
    """The other end is Weir's receiver, which is tested against other clients above."""
    tls, pair, asks, works = CLIENTS[case]
    cert, key = getattr(pki, pair)
    front, behind = ports(2)
    asked = dict(client_ca_file=getattr(pki, asks).cert) if asks else {}
    weir(direct(behind, backend.url, block(cert_file=cert, key_file=key, **asked), protocol="grpc"))
    w = weir(direct(front, f"localhost:{behind}", client=block(**tls(pki)), kind="otlp"))
    assert post(front, scheme="http") == 200
    if works:
        await_that("the span arrives", lambda: backend.count() == 1)
    else:
        await_that("it is refused", lambda: "Will retry" in w.log)
        assert (backend.count(), w.health("otelcol.exporter.otlp.out")["state"]) == (0, "unhealthy")
