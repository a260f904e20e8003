"""prometheus.exporter.statsd: what comes in by each way, what is scraped, what a reload keeps; beside statsd_exporter where it is installed."""
import os
import random
import shutil
import socket
import stat
import subprocess

import pytest

from node_exporter_peer import get, parse
from weirproc import await_that, free_ports, port_open

MAPPING = r"""
defaults:
  ttl: 0s
mappings:
- match: "test.dispatcher.*.*.*"
  name: "dispatcher_events_total"
  labels: {processor: "$1", action: "$2", outcome: "${3}_x", job: "test_dispatcher"}
- match: "*.signup.*.*"
  name: "signup_events_total"
  match_metric_type: counter
  labels: {provider: "$2", outcome: "$3", job: "${1}_server"}
- match: 'servers\.(.*)\.net\.([a-z0-9-]+)\.(.*)'
  match_type: regex
  name: "servers_net_${3}"
  labels: {hostname: "${1}", device: "${2}"}
- match: "hist.*"
  name: "hist_$1"
  observer_type: histogram
  histogram_options: {buckets: [0.01, 0.1, 1]}
  scale: 2
  help: "A histogram."
- match: "secret.*"
  name: "dropped"
  action: drop
- match: "hl.*"
  name: "hl"
  honor_labels: true
  labels: {tag: "$1"}
"""
LINES = r"""foo:1|c
foo:2|c|@0.1
bar.baz-qux--x:3.5|g
bar.baz-qux--x:+2|g
bar.baz-qux--x:-1|g
9lives:1|c
timer:200|ms
timer:300|ms|@0.5
h:0.25|h
d:7|d
foo:300|g
foo_sum:1|c
tagged:1|c|#a:b,c:d
tagged:1|c|#a:b,c
lib#x=y,z=w:1|c
inf,x=y:2|c
sfx[a=b,c=d].rest:1|c
sfx[a=b:1|c
mixed,a=b:1|c|#c:d
packed:1:2:3|ms|#q:r
packed2:1:2|c
multi:1|c:2|c:3|g
noparts:1
nocolon
:1|c
neg:-1|c
set:x|s
bad:abc|c
bad:1|zz
bad:1|c|@x
bad:1|c||@1
test.dispatcher.Foo.send.success:1|c
foo_product.signup.facebook.failure:1|c
foo_product.signup.facebook.failure:1|g
servers.h1.net.eth0.bytes:5|c
hist.a:0.25|h
hist.a:500|ms|@0.25
secret.x:1|c
hl.one:1|c|#tag:two
hl.one:1|c
timer_count:1|c
weird.ünïcode:1|c
esc:1|c|#p:"q\z"
"""
CONFIG = """
prometheus.exporter.statsd "in" {
  listen_udp = "%s"
  listen_tcp = "%s"
  %s
}
"""


def page(w, name="in"):
    return get(f"{w.url}/api/v0/component/prometheus.exporter.statsd.{name}/metrics")


def value(text, name, **labels):
    family = parse(text).get(name)
    return family and family.samples.get((name, tuple(sorted(labels.items()))))


def await_value(w, want, name, **labels):
    await_that(f"{name} = {want}", lambda: value(page(w), name, **labels) == want)


def stream(port, data):
    with socket.create_connection(("127.0.0.1", port)) as s:
        s.sendall(data)


def many():
    r = random.Random(1)
    return LINES + "".join(f"rt:{r.randrange(4000) / 8}|ms\n" for _ in range(400))


@pytest.mark.core
def test_ways_in(weir, ports, tmp_path):
    udp, tcp = ports(2)
    path = tmp_path / "in.sock"
    w = weir(CONFIG % (f"127.0.0.1:{udp}", f"127.0.0.1:{tcp}", f'listen_unixgram = "{path}"\n unix_socket_mode = "640"\n read_buffer = 65536'))
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o640
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"u:1|c\nu:2|c\r\n", ("127.0.0.1", udp))
    socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"x:5|g", str(path))
    stream(tcp, b"t:4|c\nt:1|c")
    await_value(w, 3, "u")
    await_value(w, 5, "x")
    await_value(w, 5, "t")
    text = page(w)
    for name, want in {"udp_packets": 1, "unixgram_packets": 1, "tcp_connections": 1, "lines": 6, "samples": 5}.items():
        assert value(text, f"statsd_exporter_{name}_total") == want, name
    w.stop()
    assert not path.exists()


@pytest.mark.core
def test_what_is_wrong(weir, ports):
    [tcp] = ports(1)
    w = weir(CONFIG % ("", f"127.0.0.1:{tcp}", ""))
    stream(tcp, b"ok:1|c\n" + b"x" * 70000)
    await_value(w, 1, "statsd_exporter_tcp_too_long_lines_total")
    stream(tcp, b"broken\nok:1|c\n")
    await_value(w, 2, "ok")
    assert value(page(w), "statsd_exporter_sample_errors_total", reason="malformed_line") == 1
    assert w.health("prometheus.exporter.statsd.in")["state"] == "healthy"


@pytest.mark.core
def test_scraped(weir, ports, tmp_path):
    """The way it is used: the target goes to prometheus.scrape, which brings the series into the pipeline."""
    [tcp] = ports(1)
    w = weir(CONFIG % ("", f"127.0.0.1:{tcp}", "") + """
prometheus.scrape "own" {
  targets         = prometheus.exporter.statsd.in.targets
  forward_to      = [prometheus.echo.out.receiver]
  scrape_interval = "1s"
  scrape_timeout  = "1s"
}
prometheus.echo "out" { }
""")
    stream(tcp, b"app.requests:3|c|#code:200\n")
    want = ('code="200"', 'instance="prometheus.exporter.statsd.in"', 'job="integrations/statsd"')

    def seen():
        return any(line.startswith("app_requests{") and all(x in line for x in want) for line in w.out.splitlines())
    await_that("the series at the echo", seen)


@pytest.mark.core
def test_reload(weir, ports, tmp_path):
    """Series survive new mappings; a broken file changes nothing; a moved port serves."""
    tcp, other = ports(2)
    mapping = tmp_path / "map.yaml"
    mapping.write_text("mappings:\n- {match: 'a.*', name: one, labels: {x: $1}}\n")
    extra = f'mapping_config_path = "{mapping}"'
    w = weir(CONFIG % ("", f"127.0.0.1:{tcp}", extra))
    stream(tcp, b"a.b:1|c\n")
    await_value(w, 1, "one", x="b")
    mapping.write_text("mappings:\n- {match: 'a.*', name: 'b-c'}\n")
    config = CONFIG % ("", f"127.0.0.1:{other}", extra + "\n cache_size = 5")
    assert w.reload(config).status != 200
    assert "b-c" in w.log
    mapping.write_text("mappings:\n- {match: 'a.*', name: two, labels: {x: $1}}\n")
    assert w.reload(config).status == 200
    await_that("the new port", lambda: port_open(other))
    stream(other, b"a.b:1|c\n")
    await_value(w, 1, "two", x="b")
    assert value(page(w), "one", x="b") == 1
    await_that("the old port is closed", lambda: not port_open(tcp))


@pytest.mark.core
def test_relay(weir, ports):
    [tcp] = ports(1)
    peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    peer.bind(("127.0.0.1", 0))
    peer.settimeout(60)
    w = weir(CONFIG % ("", f"127.0.0.1:{tcp}",
                       f'relay_addr = "127.0.0.1:{peer.getsockname()[1]}"\n relay_packet_length = 20'))
    stream(tcp, b"a:1|c\nb:1|c\nccccccc:1|c\n" + b"d" * 40 + b":1|c\n")
    assert peer.recv(100) == b"a:1|c\nb:1|c\n"
    assert peer.recv(100) == b"ccccccc:1|c\n"
    assert w.metric("statsd_exporter_relay_long_lines_total") == 1
    assert w.metric("statsd_exporter_relay_lines_relayed_total") == 3
    assert w.metric("statsd_exporter_relay_packets_total") == 2


@pytest.mark.core
def test_ends_of_life(weir, ports, tmp_path):
    [tcp] = ports(1)
    mapping = tmp_path / "map.yaml"
    mapping.write_text("defaults: {ttl: 1s}\nmappings:\n- {match: 'keep.*', name: keep, ttl: 1h}\n")
    w = weir(CONFIG % ("", f"127.0.0.1:{tcp}", f'mapping_config_path = "{mapping}"'))
    stream(tcp, b"keep.a:1|c\ngo:1|g\n")
    await_value(w, 1, "keep")
    await_that("the end of a series", lambda: value(page(w), "go") is None)
    assert value(page(w), "keep") == 1


@pytest.mark.core
@pytest.mark.parametrize("setting,says", [
    ('listen_udp = ""\n listen_tcp = ""', "at least one of"),
    ('cache_type = "fifo"', 'unsupported cache type "fifo"'),
    ('event_flush_interval = "0s"', "must be greater than 0"),
    ('mapping_config_path = "/nowhere/map.yaml"', "failed to read mapping config file: open /nowhere/map.yaml"),
])
def test_refused(weir, setting, says):
    w = weir(f'prometheus.exporter.statsd "in" {{\n {setting}\n}}\n', wait=False)
    w.expected_exit = 1
    await_that("the refusal", lambda: w.p.poll() is not None)
    assert says in w.log + w.out


# What the oracle says otherwise, on purpose: how often the queue was flushed and the cache asked, and what only one of the two has.
DIFFERENT = {"statsd_exporter_build_info", "statsd_exporter_event_queue_flushed_total", "statsd_metric_mapper_cache_gets_total",
             "statsd_metric_mapper_cache_hits_total", "statsd_exporter_series", "statsd_exporter_series_bytes",
             "statsd_exporter_mapping_regex_limit_total"}


def of_statsd(text):
    return {name: (f.type, f.help, f.samples) for name, f in parse(text).items()
            if name not in DIFFERENT and not name.startswith(("go_", "process_", "promhttp_"))}


def test_same_as_statsd_exporter(weir, tmp_path):
    binary = os.environ.get("STATSD_EXPORTER") or shutil.which("prometheus-statsd-exporter") or shutil.which("statsd_exporter")
    if not binary:
        pytest.skip("statsd_exporter is not installed (no package of Debian has it; STATSD_EXPORTER=path names one)")
    tcp, their_tcp, their_web = free_ports(3)
    mapping = tmp_path / "map.yaml"
    mapping.write_text(MAPPING)
    w = weir(CONFIG % ("", f"127.0.0.1:{tcp}", f'mapping_config_path = "{mapping}"'))
    peer = subprocess.Popen([binary, f"--web.listen-address=127.0.0.1:{their_web}", "--statsd.listen-udp=",
                             f"--statsd.listen-tcp=127.0.0.1:{their_tcp}", f"--statsd.mapping-config={mapping}"],
                            stderr=subprocess.DEVNULL)
    try:
        await_that("the peer", lambda: port_open(their_tcp) and port_open(their_web))
        for port in (tcp, their_tcp):
            stream(port, many().encode())
        await_that("all lines", lambda: value(page(w), "rt_count") == 400 or value(page(w), "statsd_exporter_lines_total") == 443)
        theirs = f"http://127.0.0.1:{their_web}/metrics"
        connections = ("statsd_exporter_tcp_connections_total",)
        await_that("the same", lambda: {k: v for k, v in of_statsd(page(w)).items() if k not in connections}
                   == {k: v for k, v in of_statsd(get(theirs)).items() if k not in connections})
    finally:
        peer.terminate()
        peer.wait()
