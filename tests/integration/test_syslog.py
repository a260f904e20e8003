"""loki.source.syslog with real senders: util-linux' logger, rsyslog, nginx, and raw sockets for what they do not do."""
import os
import shutil
import signal
import socket
import ssl
import subprocess

import pytest

from certs import Authority
from weirproc import await_that

OUT = '''
otelcol.receiver.loki "out" {
  output { logs = [otelcol.exporter.otlphttp.out.input] }
}
otelcol.exporter.otlphttp "out" {
  client { endpoint = "%s" }
  sending_queue { num_consumers = 1 }  // several would send side by side, in no order
}
'''
RULES = '''
loki.relabel "rules" {
  forward_to = []
  rule {
    action = "labelmap"
    regex  = "__syslog_(?:message_|connection_)?(.+)"
  }
}
'''


def config(backend, listeners, rules=True):
    return OUT % backend.url + (RULES if rules else "") + f'''
loki.source.syslog "in" {{
  forward_to    = [otelcol.receiver.loki.out.receiver]
  {"relabel_rules = loki.relabel.rules.rules" if rules else ""}
  {listeners}
}}
'''


def listener(port, protocol="tcp", more=""):
    return f'''listener {{
    address  = "127.0.0.1:{port}"
    protocol = "{protocol}"
    labels   = {{ job = "syslog" }}
    {more}
  }}
'''


def entries(backend):
    """(line, labels) of all that arrived."""
    with backend.lock:
        return [(r["body"], {k: v for k, v in r["attributes"].items() if not k.startswith("loki.")}) for r in backend.records]


def lines(backend):
    return [line for line, _ in entries(backend)]


def wait_for(backend, n):
    await_that(f"{n} entries", lambda: len(lines(backend)) >= n)
    return entries(backend)


def send(port, data):
    with socket.create_connection(("127.0.0.1", port)) as s:
        s.sendall(data)


def send_udp(port, *datagrams):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for d in datagrams:
            s.sendto(d, ("127.0.0.1", port))


def counter(w, name):
    return w.metric(f"loki_source_syslog_{name}_total", component_id="loki.source.syslog.in")


# --- raw sockets ---

@pytest.mark.core
def test_labels_of_a_message(weir, backend, ports):
    [port] = ports(1)
    w = weir(config(backend, listener(port, more="label_structured_data = true\n    use_incoming_timestamp = true")))
    send(port, b'<165>1 2003-10-11T22:14:15.003Z web1 nginx 77 ID47 [ex@32473 iut="3" note="a\\]b"] \xef\xbb\xbfhello\n')
    [(line, labels)] = wait_for(backend, 1)
    host = labels.pop("hostname")
    assert line == "hello" and host == "web1"
    assert labels == {"job": "syslog", "ip_address": "127.0.0.1", "severity": "notice", "facility": "local4", "app_name": "nginx",
                      "proc_id": "77", "msg_id": "ID47", "sd_ex_32473_iut": "3", "sd_ex_32473_note": "a]b"}
    assert backend.records[0]["time"] == 1065910455003000000 if "time" in backend.records[0] else True
    assert counter(w, "entries") == 1 and counter(w, "parsing_errors") == 0


@pytest.mark.core
def test_both_framings_and_what_is_broken(weir, backend, ports):
    [port] = ports(1)
    w = weir(config(backend, listener(port), rules=False))
    head = b"<13>1 - h a p m - "
    send(port, b"%sone\n%stwo\r\n\n%sno end" % (head, head, head))
    send(port, b"".join(b"%d %s" % (len(head + t), head + t) for t in (b"three", b"fo\nur", b"five")))
    got = wait_for(backend, 6)
    assert sorted(line for line, _ in got) == ["five", "fo\nur", "no end", "one", "three", "two"]
    assert got[0][1] == {"job": "syslog"}
    send(port, b"hello\n")  # no framing at all: the connection ends
    await_that("it is said", lambda: "first byte: 'h'" in w.log)
    send(port, b"<13>Nov 30 21:00:00 h a: RFC 3164\n" + head + b"after it\n")
    send(port, head + b"\n")
    send(port, head + b"x" * 9000 + b"\n" + head + b"after the long one\n")
    got = [line for line, _ in wait_for(backend, 9)][6:]
    assert "after it" in got and "after the long one" in got
    assert [len(x) for x in got if x.startswith("xxx")] == [8192 - len(head)]
    await_that("empty ones are counted", lambda: counter(w, "empty_messages") == 1)
    assert counter(w, "parsing_errors") == 2 and counter(w, "entries") == 9
    assert "is the sender's format RFC 3164?" in w.log and "longer than max_message_length" in w.log


@pytest.mark.core
def test_datagrams(weir, backend, ports):
    [port] = ports(1)
    w = weir(config(backend, listener(port, "udp")))
    head = b"<13>1 - h a p m - "
    send_udp(port, head + b"one", head + b"two\n" + head + b"three\n", head + b"a trace\n  at line 1\n", b"%d %sfour" % (len(head) + 4, head),
             b"rubbish", head + b"y" * 9000)
    got = wait_for(backend, 6)
    assert [line for line, _ in got][:5] == ["one", "two", "three", "a trace\n  at line 1", "four"]
    assert got[5][0] == "y" * (8192 - len(head))
    assert all(labels["ip_address"] == "127.0.0.1" and "hostname" in labels for _, labels in got)
    assert counter(w, "parsing_errors") == 2


@pytest.mark.core
def test_the_name_of_the_connection(weir, backend, ports):
    """Asked once the rules look at anything; what waits for it is not lost."""
    tcp, udp = ports(2)
    rules = '''
loki.relabel "rules" {
  forward_to = []
  rule {
    source_labels = ["__syslog_connection_hostname"]
    target_label  = "name"
  }
}
'''
    weir(config(backend, listener(tcp) + listener(udp, "udp")).replace(RULES, rules))
    send(tcp, b"<13>1 - - - - - - tcp\n")
    send_udp(udp, *(b"<13>1 - - - - - - udp %d" % i for i in range(40)))
    got = wait_for(backend, 41)
    try:
        want = socket.gethostbyaddr("127.0.0.1")[0]
    except OSError:
        want = ""
    # More datagrams than may wait are sent on without the name.
    names = [labels.get("name") for line, labels in got if line == "tcp"]
    assert names == [want or None] or names[0].startswith(want)
    assert [line for line, _ in got if line != "tcp"] == [f"udp {i}" for i in range(40)]


@pytest.mark.core
def test_formats(weir, backend, ports):
    a, b, c = ports(3)
    cisco = 'syslog_format = "rfc3164"\n    use_incoming_timestamp = true\n    rfc3164_default_to_current_year = true\n' \
            '    rfc3164_cisco_components { enable_all = true }'
    weir(config(backend, listener(a, more=cisco) + listener(b, more='syslog_format = "raw"') +
                listener(c, "udp", 'syslog_format = "raw"\n    raw_format_options { use_null_terminator_delimiter = true }')))
    send(a, b"<189>269614: edge1: 000485: *Apr 11 10:02:08.125: %LINK-3-UPDOWN: Interface down\n")
    [(line, labels)] = wait_for(backend, 1)
    assert line == "Interface down" and labels["app_name"] == "%LINK-3-UPDOWN" and labels["msg_counter"] == "269614"
    assert labels["sequence"] == "000485" and labels["hostname"] == "edge1"
    send(b, b"CEF:0|a|b\n<11> with priority \n2026-11-30 begins with a digit\n")
    got = dict(wait_for(backend, 4)[1:])  # streams of a batch have no order among them
    assert set(got) == {"CEF:0|a|b", "with priority", "2026-11-30 begins with a digit"}
    assert got["with priority"]["severity"] == "error" and "severity" not in got["CEF:0|a|b"]
    send_udp(c, b"one\nline\0two\0")
    assert [x for x, _ in wait_for(backend, 6)[4:]] == ["one\nline", "two"]


@pytest.mark.core
def test_a_slow_backend_stops_the_reading(weir, backend, ports):
    """Nothing is lost over TCP while downstream is full; the memory stays bounded."""
    [port] = ports(1)
    small = OUT.replace("{ num_consumers = 1 }", "{\n    num_consumers = 1\n    queue_size = 2\n  }")
    n = 30000
    w = weir(config(backend, listener(port), rules=False).replace(OUT % backend.url, small % backend.url))
    accept, backend.respond = backend.respond, (503, {}, b"", 0)
    s = socket.create_connection(("127.0.0.1", port))
    s.settimeout(0.5)
    data = b"".join(b"<13>1 - h a p m - %06d %s\n" % (i, b"z" * 500) for i in range(n))
    sent, stuck = 0, 0
    while sent < len(data) and stuck < 3:
        try:
            sent += s.send(data[sent:sent + 65536])
            stuck = 0
        except TimeoutError:
            stuck += 1
    assert sent < len(data), "the sender was never held up"
    assert w.status_kib("VmRSS") < 120 * 1024 or os.environ.get("WEIR_SANITIZED")
    backend.respond = accept
    s.settimeout(60)
    s.sendall(data[sent:])
    s.close()
    await_that("all lines", lambda: len(lines(backend)) >= n)
    seen = [int(x[:6]) for x in lines(backend)]
    assert sorted(set(seen)) == list(range(n))


@pytest.mark.core
def test_one_address_in_use_does_not_stop_the_others(weir, backend, ports):
    good, bad = ports(2)
    taken = socket.create_server(("127.0.0.1", bad))
    w = weir(config(backend, listener(good) + listener(bad), rules=False))
    send(good, b"<13>1 - - - - - - good\n")
    assert lines_of(wait_for(backend, 1)) == ["good"]
    assert "failed to create syslog listener with provided config" in w.log and "address already in use" in w.log
    assert w.health("loki.source.syslog.in")["state"] == "unhealthy"
    taken.close()
    await_that("it is opened later", lambda: w.health("loki.source.syslog.in")["state"] == "healthy")
    send(bad, b"<13>1 - - - - - - late\n")
    assert lines_of(wait_for(backend, 2))[1] == "late"


def lines_of(got):
    return [line for line, _ in got]


@pytest.mark.core
def test_reload_keeps_connections(weir, backend, ports):
    tcp, udp, other = ports(3)
    w = weir(config(backend, listener(tcp) + listener(udp, "udp"), rules=False))
    s = socket.create_connection(("127.0.0.1", tcp))
    s.sendall(b"<13>1 - - - - - - one\n<13>1 - - - - - - tw")
    wait_for(backend, 1)
    changed = config(backend, listener(udp, "udp") + listener(tcp).replace('job = "syslog"', 'job = "changed"') + listener(other), rules=False)
    assert w.reload(changed).status == 200
    await_that("the new one listens", lambda: w.log.count("syslog listening on address") == 3)
    s.sendall(b"o\n")
    assert wait_for(backend, 2)[1] == ("two", {"job": "changed"})
    send_udp(udp, b"<13>1 - - - - - - three")
    assert lines_of(wait_for(backend, 3))[2] == "three"
    s.sendall(b"<13>1 - - - - - - four\n")
    wait_for(backend, 4)
    assert w.reload(config(backend, listener(other), rules=False)).status == 200
    await_that("the connection ends", lambda: s.recv(1) == b"")
    s.close()
    w.stop() if hasattr(w, "stop") else w.p.send_signal(signal.SIGTERM)
    assert sorted(lines(backend)) == ["four", "one", "three", "two"]


@pytest.mark.core
def test_what_is_at_fault_is_said(weir_binary, tmp_path):
    f = tmp_path / "c.alloy"
    f.write_text('''
loki.source.syslog "in" {
  forward_to = []
  listener {
    address = "nowhere"
    syslog_format = "raw"
    use_incoming_timestamp = true
  }
  listener {
    address = "127.0.0.1:1514"
    udp_queue_size = 20
    rfc3164_cisco_components { }
    raw_format_options { }
    tls_config { cert_pem = "x" }
  }
}
''')
    r = subprocess.run([weir_binary, "check", str(f)], capture_output=True, text=True)
    text = r.stdout + r.stderr
    for part in ('invalid address "nowhere"', '"use_incoming_timestamp" has no effect when syslog format is set to "raw"',
                 'rfc3164_cisco_components has no effect when syslog format is not "rfc3164"', "certificate needs its key",
                 'raw_format_options has no effect when syslog format is not "raw"', "udp_queue_size: the protocol is tcp"):
        assert part in text, text
    assert r.returncode != 0


# --- TLS ---

@pytest.mark.core
@pytest.mark.skipif(not shutil.which("openssl"), reason="no openssl")
def test_tls(weir, backend, ports, tmp_path):
    one, two = ports(2)
    ca = Authority(tmp_path / "ca")
    cert, key = ca.leaf("server")
    mine, my_key = ca.leaf("client")
    tls = f'tls_config {{\n      cert_file = "{cert}"\n      key_file  = "{key}"\n      %s\n    }}'
    w = weir(config(backend, listener(one, more=tls % "") + listener(two, more=tls % f'ca_file = "{ca.cert}"'), rules=False))
    ctx = ssl.create_default_context(cafile=str(ca.cert))

    def say(port, text, ctx=ctx):
        with socket.create_connection(("127.0.0.1", port)) as s, ctx.wrap_socket(s, server_hostname="localhost") as t:
            t.sendall(b"<13>1 - - - - - - %s\n" % text)
            t.unwrap()

    say(one, b"secret")
    assert lines_of(wait_for(backend, 1)) == ["secret"]
    send(one, b"<13>1 - - - - - - in the clear\n")
    await_that("it is said", lambda: "error initializing syslog stream" in w.log)
    try:  # in TLS 1.3 a client may be done before it is refused
        say(two, b"without a certificate")
    except OSError:
        pass
    await_that("it is refused", lambda: "peer did not return a certificate" in w.log)
    ctx.load_cert_chain(str(mine), str(my_key))
    say(two, b"with one")
    assert lines_of(wait_for(backend, 2)) == ["secret", "with one"]
    assert "tls=true" in w.log


# --- real senders ---

needs_logger = pytest.mark.skipif(not shutil.which("logger"), reason="no logger (bsdutils)")


def logger(port, *argv):
    subprocess.run(["logger", "-n", "127.0.0.1", "-P", str(port), *argv], check=True, timeout=20)


@needs_logger
def test_logger(weir, backend, ports):
    tcp, udp, old = ports(3)
    old_format = 'syslog_format = "rfc3164"'
    weir(config(backend, listener(tcp) + listener(udp, "udp") + listener(old, more=old_format) + listener(old, "udp", old_format)))
    logger(tcp, "-T", "--rfc5424", "-t", "app", "-p", "local0.err", "--id=4711", "over tcp")
    logger(tcp, "-T", "--rfc5424", "--octet-count", "-t", "app", "--msgid", "m1", "octets counted")
    logger(udp, "-d", "--rfc5424", "-t", "app", "over udp")
    logger(old, "-T", "--rfc3164", "-t", "app", "-i", "old over tcp")
    logger(old, "-d", "--rfc3164", "-t", "app", "old over udp")
    got = dict(wait_for(backend, 5))
    assert got["over tcp"]["severity"] == "error" and got["over tcp"]["facility"] == "local0" and got["over tcp"]["proc_id"] == "4711"
    assert got["octets counted"]["msg_id"] == "m1"
    assert {x["app_name"] for x in got.values()} == {"app"}
    assert got["old over tcp"]["proc_id"].isdigit() and set(got) >= {"over udp", "old over udp"}


class Rsyslog:
    """rsyslogd in the foreground, as this user: a file it follows goes to the listener."""

    def __init__(self, folder, action, driver=""):
        folder.mkdir()
        self.input = folder / "input.log"
        self.input.write_text("")
        conf = folder / "rsyslog.conf"
        conf.write_text(f'''
global(workDirectory="{folder}" {driver})
module(load="imfile" mode="inotify")
input(type="imfile" file="{self.input}" tag="fileapp:" severity="warning" facility="local3" reopenOnTruncate="on")
{action}
''')
        self.log = open(folder / "out", "wb")
        self.p = subprocess.Popen(["rsyslogd", "-n", "-f", str(conf), "-i", str(folder / "pid")], stdout=self.log, stderr=self.log)

    def write(self, *texts):
        with open(self.input, "a") as f:
            f.write("".join(t + "\n" for t in texts))

    def stop(self):
        self.p.terminate()
        try:
            self.p.wait(15)
        except subprocess.TimeoutExpired:
            self.p.kill()
            self.p.wait()
        self.log.close()


needs_rsyslog = pytest.mark.skipif(not shutil.which("rsyslogd"), reason="no rsyslog")


@needs_rsyslog
@pytest.mark.parametrize("framing", ["traditional", "octet-counted"])
def test_rsyslog(weir, backend, ports, tmp_path, framing):
    [port] = ports(1)
    weir(config(backend, listener(port, more="use_incoming_timestamp = true")))
    r = Rsyslog(tmp_path / "r", f'action(type="omfwd" target="127.0.0.1" port="{port}" protocol="tcp" tcp_framing="{framing}" '
                                'template="RSYSLOG_SyslogProtocol23Format" action.resumeRetryCount="-1" action.resumeInterval="1")')
    try:
        await_that("rsyslog runs", lambda: r.p.poll() is None)
        want = [f"line {i}" for i in range(2000)]
        r.write(*want)
        got = wait_for(backend, len(want))
        assert [line.strip() for line, labels in got if labels.get("app_name") == "fileapp"] == want
        labels = got[-1][1]
        assert labels["severity"] == "warning" and labels["facility"] == "local3"
    finally:
        r.stop()


@needs_rsyslog
def test_rsyslog_forward_format_over_udp(weir, backend, ports, tmp_path):
    """rsyslog's own format: RFC 3164 with a timestamp of RFC 3339."""
    [port] = ports(1)
    weir(config(backend, listener(port, "udp", 'syslog_format = "rfc3164"\n    use_incoming_timestamp = true')))
    r = Rsyslog(tmp_path / "r", f'action(type="omfwd" target="127.0.0.1" port="{port}" protocol="udp" template="RSYSLOG_ForwardFormat")')
    try:
        r.write("one", "two")
        got = [(line.strip(), labels) for line, labels in wait_for(backend, 2)]
        assert [line for line, labels in got if labels.get("app_name") == "fileapp"] == ["one", "two"]
    finally:
        r.stop()


@pytest.mark.skipif(not shutil.which("nginx"), reason="no nginx")
def test_nginx(weir, backend, ports, tmp_path):
    """nginx's own syslog: RFC 3164 by datagrams, with and without the host's name."""
    udp, web = ports(2)
    weir(config(backend, listener(udp, "udp", 'syslog_format = "rfc3164"')))
    conf = tmp_path / "nginx.conf"
    server = f"syslog:server=127.0.0.1:{udp},facility=local7,tag=nginx,severity=info"
    conf.write_text(f'''
daemon off;
pid {tmp_path}/pid;
error_log {tmp_path}/error.log;
events {{ }}
http {{
  client_body_temp_path {tmp_path}/b; proxy_temp_path {tmp_path}/p; fastcgi_temp_path {tmp_path}/f; uwsgi_temp_path {tmp_path}/u;
  scgi_temp_path {tmp_path}/s;
  access_log {server};
  access_log {server},nohostname;
  server {{ listen 127.0.0.1:{web}; return 204; }}
}}
''')
    p = subprocess.Popen(["nginx", "-c", str(conf), "-p", str(tmp_path)], stderr=subprocess.DEVNULL)
    try:
        def asked():
            try:
                send_get(web)
                return True
            except OSError:
                return False

        await_that("nginx answers", asked)
        got = wait_for(backend, 2)
        assert all('"GET / HTTP/1.0" 204' in line and labels["app_name"] == "nginx" for line, labels in got)
        assert all(labels["facility"] == "local7" and labels["severity"] == "informational" for _, labels in got)
    finally:
        p.terminate()
        p.wait()


def send_get(port):
    with socket.create_connection(("127.0.0.1", port), 2) as s:
        s.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert s.recv(100).startswith(b"HTTP/1.1 204")
