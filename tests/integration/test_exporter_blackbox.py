"""prometheus.exporter.blackbox beside Debian's prometheus-blackbox-exporter: the same modules, the same targets, the same families. And what
it says of its settings, its targets, and of servers that do not answer."""
import gzip
import http.server
import re
import shutil
import socket
import socketserver
import ssl
import struct
import subprocess
import threading
import time
import urllib.parse

import pytest

from certs import Authority
from node_exporter_peer import get, parse
from weirproc import await_that, free_ports, http as ask

# Measured, so never the same.
MEASURED = re.compile(r"probe_(duration_seconds|dns_lookup_time_seconds|http_duration_seconds|dns_duration_seconds|icmp_duration_seconds)")


class Pages(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self):
        path = self.path.split("?")[0]
        if path == "/ok":
            self.answer(200, b"hello world", X_Kind="good", Last_Modified="Tue, 14 Nov 2023 22:13:20 GMT")
        elif path == "/gzip":
            self.answer(200, gzip.compress(b"hello " * 100), Content_Encoding="gzip")
        elif path == "/chunks":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"5\r\nhello\r\n0\r\n\r\n")
        elif path == "/there":
            self.answer(302, b"moved", Location="/cookie", Set_Cookie="seen=yes; Path=/")
        elif path == "/cookie":
            self.answer(200 if self.headers.get("Cookie") == "seen=yes" else 403, b"c")
        elif path == "/loop":
            self.answer(302, Location="loop")
        elif path == "/auth":
            self.answer(200 if self.headers.get("Authorization") == "Basic dTpw" else 401)
        elif path == "/stall":
            time.sleep(20)
        else:
            self.answer(404, b"no")

    do_HEAD = do_GET

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(200, self.headers.get("X-Sent", "").encode() + b":" + body)

    def log_message(self, *_):
        pass


class Lines(socketserver.StreamRequestHandler):
    """Greets, and takes STARTTLS."""

    def handle(self):
        self.wfile.write(b"220 mail.example ESMTP\r\n")
        for line in self.rfile:
            if line.strip() == b"STARTTLS":
                self.wfile.write(b"220 go\r\n")
                self.wfile.flush()
                try:
                    with self.server.tls.wrap_socket(self.request, server_side=True) as s:
                        s.sendall(b"")
                        s.recv(100)
                except OSError:
                    pass
                return
            self.wfile.write(b"250-" + line.strip() + b"\r\n250 done\r\n")


def name(text):
    return b"".join(bytes([len(p)]) + p.encode() for p in text.split(".")) + b"\0"


def dns_answer(query):
    """An address for every A; an SOA for every SOA; NXDOMAIN for the rest."""
    ident, question = query[:2], query[12:]
    kind = struct.unpack(">H", question[-4:-2])[0]
    soa = name("ns.example.com") + name("me.example.com") + struct.pack(">5I", 2024, 1, 2, 3, 4)
    data = {1: b"\x7f\0\0\1", 6: soa, 16: b"\x05a \"b\\", 15: b"\0\x0a" + name("mail.example.com")}.get(kind)
    record = b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 60, len(data)) + data if data else b""
    extra = b"\xc0\x0c" + struct.pack(">HHIH", 28, 1, 60, 16) + b"\0" * 15 + b"\1" if data else b""
    return ident + struct.pack(">HHHHH", 0x8580 if data else 0x8583, 1, bool(data), 0, bool(data)) + question + record + extra


class DnsUdp(socketserver.BaseRequestHandler):
    def handle(self):
        data, s = self.request
        s.sendto(dns_answer(data), self.client_address)


class DnsTcp(socketserver.BaseRequestHandler):
    def handle(self):
        try:
            n, = struct.unpack(">H", self.request.recv(2))
            answer = dns_answer(self.request.recv(n))
            self.request.sendall(struct.pack(">H", len(answer)) + answer)
        except (OSError, struct.error):
            pass


class Threads(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def handle_error(self, *_):  # clients that refuse the certificate
        pass


class Web(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass


@pytest.fixture
def world(tmp_path):
    """Servers of every kind on ports of their own."""
    ca = Authority(tmp_path / "ca")
    cert, key = ca.leaf("server")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(cert, key)
    web, secure, lines, dns, dot = free_ports(5)
    servers = [Web(("127.0.0.1", web), Pages), Web(("127.0.0.1", secure), Pages), Threads(("127.0.0.1", lines), Lines),
               socketserver.ThreadingUDPServer(("127.0.0.1", dns), DnsUdp), Threads(("127.0.0.1", dns), DnsTcp),
               Threads(("127.0.0.1", dot), DnsTcp)]
    servers[2].tls = tls
    for s in (servers[1], servers[5]):
        s.socket = tls.wrap_socket(s.socket, server_side=True, do_handshake_on_connect=False)
    for s in servers:
        threading.Thread(target=s.serve_forever, daemon=True).start()
    yield {"web": f"http://127.0.0.1:{web}", "secure": f"https://127.0.0.1:{secure}", "lines": f"127.0.0.1:{lines}", "dns": f"127.0.0.1:{dns}",
           "dot": f"127.0.0.1:{dot}", "ca": str(ca.cert), "nobody": f"127.0.0.1:{free_ports(1)[0]}"}
    for s in servers:
        s.shutdown()
        s.server_close()


MODULES = """
modules:
  http:      {prober: http, timeout: 20s, http: {preferred_ip_protocol: ip4}}
  strict:    {prober: http, http: {preferred_ip_protocol: ip4, valid_status_codes: [404], valid_http_versions: ["HTTP/1.1"], fail_if_not_ssl: true}}
  stays:     {prober: http, http: {preferred_ip_protocol: ip4, follow_redirects: false, valid_status_codes: [302]}}
  matches:   {prober: http, http: {preferred_ip_protocol: ip4, fail_if_body_not_matches_regexp: ["w.rld"],
              fail_if_header_not_matches: [{header: X-Kind, regexp: "^g"}], fail_if_header_matches: [{header: None, regexp: x, allow_missing: true}]}}
  refuses:   {prober: http, http: {preferred_ip_protocol: ip4, fail_if_body_matches_regexp: [hello]}}
  gzip:      {prober: http, http: {preferred_ip_protocol: ip4, compression: gzip, headers: {Accept-Encoding: gzip}}}
  small:     {prober: http, http: {preferred_ip_protocol: ip4, body_size_limit: 5B}}
  post:      {prober: http, http: {preferred_ip_protocol: ip4, method: POST, body: stuff, headers: {X-Sent: yes},
              fail_if_body_not_matches_regexp: ["^yes:stuff$"]}}
  auth:      {prober: http, http: {preferred_ip_protocol: ip4, basic_auth: {username: u, password: p}}}
  head:      {prober: http, http: {preferred_ip_protocol: ip4, method: HEAD}}
  tls:       {prober: http, http: {preferred_ip_protocol: ip4, fail_if_ssl: false, tls_config: {ca_file: "%(ca)s"}}}
  unsure:    {prober: http, http: {preferred_ip_protocol: ip4, tls_config: {insecure_skip_verify: true}}}
  only6:     {prober: http, http: {preferred_ip_protocol: ip6, ip_protocol_fallback: false}}
  tcp:       {prober: tcp, tcp: {preferred_ip_protocol: ip4}}
  tcp_tls:   {prober: tcp, tcp: {preferred_ip_protocol: ip4, tls: true, tls_config: {ca_file: "%(ca)s"}}}
  mail:      {prober: tcp, tcp: {preferred_ip_protocol: ip4, tls_config: {ca_file: "%(ca)s"}, query_response: [
              {expect: "^220 ([^ ]+) ESMTP"}, {send: "EHLO me"}, {expect: "^250 done"},
              {send: STARTTLS}, {expect: "^220"}, {starttls: true}]}}
  other:     {prober: tcp, timeout: 3s, tcp: {preferred_ip_protocol: ip4, query_response: [{expect: "^SSH"}]}}
  dns:       {prober: dns, dns: {preferred_ip_protocol: ip4, query_name: example.com, query_type: A,
              validate_answer_rrs: {fail_if_not_matches_regexp: ["example.com.\\t60\\tIN\\tA\\t127.*"]},
              validate_additional_rrs: {fail_if_matches_regexp: ["AAAA\\t::2"]}}}
  serial:    {prober: dns, dns: {preferred_ip_protocol: ip4, query_name: example.com, query_type: SOA, transport_protocol: tcp,
              validate_answer_rrs: {fail_if_none_matches_regexp: ["ns.example.com. me.example.com. 2024 1 2 3 4"]}}}
  texts:     {prober: dns, dns: {preferred_ip_protocol: ip4, query_name: example.com, query_type: TXT,
              validate_answer_rrs: {fail_if_matches_regexp: ["TXT.*b"]}}}
  none:      {prober: dns, dns: {preferred_ip_protocol: ip4, query_name: example.com, query_type: NS}}
  none_good: {prober: dns, dns: {preferred_ip_protocol: ip4, query_name: example.com, query_type: NS, valid_rcodes: [NXDOMAIN]}}
  dot:       {prober: dns, dns: {preferred_ip_protocol: ip4, query_name: example.com, query_type: MX, transport_protocol: tcp, dns_over_tls: true,
              tls_config: {ca_file: "%(ca)s"}}}
  icmp:      {prober: icmp, icmp: {preferred_ip_protocol: ip4, payload_size: 100, ttl: 7}}
"""
# Later than Debian's 0.23.
INFO = """  info: {prober: tcp, tcp: {preferred_ip_protocol: ip4, query_response: [
         {expect: "^220 ([^ ]+) (E)SMTP", send: "HI ${1}", labels: [{name: host, value: "${1}"}, {name: kind, value: "x${2}"}]},
         {expect: "^250-HI mail.example$"}]}}
"""
# module, target, whether it succeeds
PROBES = [("http", "{web}/ok", 1), ("http", "{web}/none", 0), ("http", "{web}/chunks", 1), ("http", "{web}/there", 1), ("http", "{web}/loop", 0),
          ("http", "{nobody}", 0), ("strict", "{web}/none", 0), ("strict", "{secure}/none", 0), ("stays", "{web}/there", 1),
          ("matches", "{web}/ok", 1), ("matches", "{web}/cookie", 0), ("refuses", "{web}/ok", 0), ("gzip", "{web}/gzip", 1), ("gzip", "{web}/ok", 0),
          ("small", "{web}/ok", 0), ("post", "{web}/x", 1), ("auth", "{web}/auth", 1), ("http", "{web}/auth", 0), ("head", "{web}/ok", 1),
          ("tls", "{secure}/ok", 1), ("http", "{secure}/ok", 0), ("unsure", "{secure}/ok", 1), ("only6", "{web}/ok", 0), ("tcp", "{lines}", 1),
          ("tcp", "{nobody}", 0), ("tcp_tls", "{dot}", 1), ("mail", "{lines}", 1), ("other", "{lines}", 0), ("dns", "{dns}", 1),
          ("serial", "{dns}", 1), ("texts", "{dns}", 0), ("none", "{dns}", 0), ("none_good", "{dns}", 1), ("dot", "{dot}", 1)]
# Where the two differ: a body over the limit is not counted up to it.
EXCUSED = {("small", "{web}/ok"): {"probe_http_uncompressed_body_length"},
           ("gzip", "{web}/ok"): {"probe_http_uncompressed_body_length"}}


def config(world, more=""):
    return f'prometheus.exporter.blackbox "b" {{\n  config = `{MODULES % world}`\n{more}}}\n'


def probe(w, module, target, **more):
    query = urllib.parse.urlencode({"module": module, "target": target})
    return ask("GET", f"{w.url}/api/v0/component/prometheus.exporter.blackbox.b/metrics?{query}", timeout=60, **more)


def value(families, family):
    return families[family].samples[(family, ())]


@pytest.mark.core
def test_probes_succeed_and_fail(weir, world):
    w = weir(config(world))
    for module, target, want in PROBES:
        answer = probe(w, module, target.format(**world))
        assert answer.status == 200, answer.text
        assert value(parse(answer.text), "probe_success") == want, f"{module} {target}\n{answer.text}\n{w.log[-1500:]}"
    log = w.log
    for why in ("the status is 404, not 2xx", "the body matches expression 1 of fail_if_body_matches_regexp", "connection refused",
                "the response code is NXDOMAIN", "the body has more than 5 bytes", "no IPv6 address", "a record matches fail_if_matches_regexp"):
        assert why in log, why


class BlackboxExporter:
    def __init__(self, folder, world):
        program = shutil.which("prometheus-blackbox-exporter") or shutil.which("blackbox_exporter")
        if not program:
            pytest.skip("prometheus-blackbox-exporter is not installed")
        port, = free_ports(1)
        (folder / "blackbox.yml").write_text(MODULES % world)
        self.url = f"http://127.0.0.1:{port}/probe"
        self.process = subprocess.Popen([program, f"--config.file={folder / 'blackbox.yml'}", f"--web.listen-address=127.0.0.1:{port}"],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def probe(self, module, target):
        return get(f"{self.url}?{urllib.parse.urlencode({'module': module, 'target': target})}")

    def ready(self):
        try:
            socket.create_connection(("127.0.0.1", urllib.parse.urlsplit(self.url).port), 1).close()
            return True
        except OSError:
            return False

    def close(self):
        self.process.terminate()
        self.process.wait(60)


def compare(ours, theirs, excused):
    faults = [f"{n}: only on one side" for n in set(ours) ^ set(theirs)]
    for n in set(ours) & set(theirs):
        a, b = ours[n], theirs[n]
        if (a.type, a.help) != (b.type, b.help):
            faults.append(f"{n}: {a.type} {a.help!r}, not {b.type} {b.help!r}")
        if set(a.samples) != set(b.samples):
            faults.append(f"{n}: {sorted(a.samples)}, not {sorted(b.samples)}")
        elif not MEASURED.fullmatch(n) and n not in excused and a.samples != b.samples:
            faults.append(f"{n}: {a.samples}, not {b.samples}")
    return faults


def test_same_as_blackbox_exporter(weir, world, tmp_path):
    peer = BlackboxExporter(tmp_path, world)
    try:
        w = weir(config(world))
        await_that("the peer answers", peer.ready)
        faults = []
        for module, target, _ in PROBES:
            where = target.format(**world)
            ours, theirs = parse(probe(w, module, where).text), parse(peer.probe(module, where))
            faults += [f"{module} {target}: {f}" for f in compare(ours, theirs, EXCUSED.get((module, target), ()))]
        assert not faults, "\n".join(faults)
    finally:
        peer.close()


@pytest.mark.core
def test_what_was_heard_as_labels(weir, world):
    w = weir(config(dict(world)).replace("\n`\n", "\n" + INFO + "`\n"))
    families = parse(probe(w, "info", world["lines"]).text)
    assert value(families, "probe_success") == 1, w.log
    assert families["probe_expect_info"].samples == {("probe_expect_info", (("host", "mail.example"), ("kind", "xE"))): 1}


def test_icmp(weir, world):
    w = weir(config(world))
    families = parse(probe(w, "icmp", "127.0.0.1").text)
    if "no ICMP socket may be opened" in w.log:
        pytest.skip("neither raw sockets nor ping_group_range allow ICMP here")
    assert value(families, "probe_success") == 1 and value(families, "probe_icmp_reply_hop_limit") > 0


@pytest.mark.core
def test_the_time_of_a_probe(weir, world):
    w = weir(config(world, '  probe_timeout_offset = "100ms"\n'))
    started = time.monotonic()
    families = parse(probe(w, "strict", world["web"] + "/stall", headers={"X-Prometheus-Scrape-Timeout-Seconds": "1.1"}).text)
    assert time.monotonic() - started < 15
    assert value(families, "probe_success") == 0 and value(families, "probe_duration_seconds") >= 0.9
    assert probe(w, "http", world["web"], headers={"X-Prometheus-Scrape-Timeout-Seconds": "soon"}).status == 500
    assert probe(w, "no_such", "x").status == 400
    assert probe(w, "http", "").status == 400


@pytest.mark.core
def test_targets_are_scraped(weir, world):
    w = weir(config(world, f"""
  target {{
    name    = "page"
    address = "{world['web']}/ok"
    module  = "http"
    labels  = {{ env = "test", job = "lost" }}
  }}
""") + """
prometheus.scrape "s" {
  targets         = prometheus.exporter.blackbox.b.targets
  forward_to      = [prometheus.echo.out.receiver]
  scrape_interval = "1s"
  scrape_timeout  = "1s"
}
prometheus.echo "out" { }
""", "--stability.level=experimental", env={"HOSTNAME": "h1"})
    await_that("it is probed", lambda: re.search(r"^probe_success\{.*\} 1", w.out, re.M))
    line = next(line for line in w.out.splitlines() if line.startswith("probe_success"))
    assert all(label in line for label in ('env="test"', 'instance="h1"', 'job="integrations/blackbox/page"')), line


@pytest.mark.core
def test_modules_of_a_file_and_targets_of_others(weir, world, tmp_path):
    (tmp_path / "b.yml").write_text(MODULES % world)
    w = weir(f"""prometheus.exporter.blackbox "b" {{
  config_file = "{tmp_path}/b.yml"
  targets     = [{{"name" = "n", "__address__" = "{world['web']}/ok", "module" = "http", "more" = "x"}}]
}}
""")
    assert value(parse(probe(w, "http", world["web"] + "/ok").text), "probe_success") == 1
    (tmp_path / "b.yml").write_text("modules:\n  http: {prober: ftp}\n")
    w.reload(w.config.read_text() + "\n")
    w2 = weir(w.config.read_text())
    await_that("the fault is told", lambda: 'module "http": prober "ftp" is not valid' in w2.health("prometheus.exporter.blackbox.b")["message"])


@pytest.mark.core
def test_settings_that_exclude_each_other(weir_binary, tmp_path):
    for body, why in (("", "config or config_file must be set"), ('config = "a: 1"\nconfig_file = "x"', "config and config_file are mutually exclusive"),
                      ('config = "modules: {}"\ntargets = [{"name" = "a"}]', "all targets must have an `address` or an `__address__` label"),
                      ('config = "modules: {}"\ntargets = [{"address" = "a"}]', "all targets must have a `name`"),
                      ('config = "modules: {}"\ntargets = [{"address" = "a", "name" = "b"}]\ntarget {\nname = "a"\naddress = "b"\n}',
                       "the block `target` and the attribute `targets` are mutually exclusive")):
        (tmp_path / "c.alloy").write_text(f'prometheus.exporter.blackbox "b" {{\n{body}\n}}\n')
        p = subprocess.run([weir_binary, "check", "c.alloy"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert p.returncode == 1 and why in p.stderr, p.stderr


@pytest.mark.core
@pytest.mark.parametrize("text, why", [
    ("modules: {a: {prober: grpc}}", 'module "a": the prober "grpc" is not part of this build'),
    ("modules: {a: {prober: http, http: {fail_if_body_matches_regexp: ['(']}}}", 'http.fail_if_body_matches_regexp: "("'),
    ("modules: {a: {prober: http, http: {compression: br}}}", 'http.compression: "br" cannot be read by this build'),
    ("modules: {a: {prober: http, http: {compression: gzip, headers: {accept-encoding: identity}}}}", "Accept-Encoding"),
    ("modules: {a: {prober: dns, dns: {query_type: A}}}", "dns.query_name must be set"),
    ("modules: {a: {prober: dns, dns: {query_name: x, query_type: AAAAA}}}", 'dns.query_type "AAAAA" is not valid'),
    ("modules: {a: {prober: http, http: {no_such: 1}}}", "no_such"),
    ("modules: {a: {prober: icmp, icmp: {ttl: 256}}}", "ttl"),
    ("modulse: {}", 'unknown setting "modulse"'),
    ("modules: [", "invalid blackbox configuration: yaml: line"),
])
def test_faults_of_modules(weir_binary, tmp_path, text, why):
    (tmp_path / "c.alloy").write_text(f'prometheus.exporter.blackbox "b" {{\n  config = `{text}`\n}}\n')
    p = subprocess.run([weir_binary, "check", "c.alloy"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert p.returncode == 1 and why in p.stderr, p.stderr
