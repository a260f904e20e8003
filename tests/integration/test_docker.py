"""discovery.docker and loki.source.docker against an imitation of the Engine API: every line once and in order, through everything that containers,
the engine, the agent and the endpoint do."""
import json
import re
import signal
import time

import pytest

from docker_engine import Engine
from loki_backend import Answer
from small_server import Tokens
from weirproc import SANITIZED, await_that

pytestmark = pytest.mark.core


@pytest.fixture
def engine(tmp_path):
    e = Engine(tmp_path / "engine.sock")
    yield e
    e.close()


class Sink:
    """The end of the pipeline, and what arrived there."""

    receiver = "loki.write.out.receiver"

    def __init__(self, loki):
        self.loki = loki

    def config(self):
        return f'''
loki.write "out" {{
  endpoint {{
    url                 = "{self.loki.url}"
    batch_wait          = "100ms"
    min_backoff_period  = "100ms"
    max_backoff_period  = "200ms"
    max_backoff_retries = 0
  }}
  wal {{
    max_size = "1MiB"
  }}
}}
'''

    def lines(self, **labels):
        return self.loki.lines(**labels)

    def fail(self):
        self.loki.respond = Answer(503)

    def work(self):
        self.loki.respond = Answer()


@pytest.fixture
def sink(loki):
    return Sink(loki)


RULES = '''
loki.relabel "rules" {
  forward_to = []
  rule {
    source_labels = ["__meta_docker_container_name"]
    regex         = "/(.*)"
    target_label  = "container"
  }
  rule {
    source_labels = ["__meta_docker_container_log_stream"]
    target_label  = "stream"
  }
}
'''


def source(engine, sink, targets="discovery.docker.d.targets", more=""):
    return sink.config() + RULES + f'''
discovery.docker "d" {{
  host             = "unix://{engine.path}"
  refresh_interval = "200ms"
}}
loki.source.docker "in" {{
  host          = "unix://{engine.path}"
  targets       = {targets}
  relabel_rules = loki.relabel.rules.rules
  labels        = {{ job = "docker" }}
  forward_to    = [{sink.receiver}]
  {more}
}}
'''


def static(*containers):
    return "[" + ", ".join(f'{{ __meta_docker_container_id = "{c.id}", __meta_docker_container_name = "/{c.name}" }}' for c in containers) + "]"


def await_lines(sink, expected, limit=60, **labels):
    """All of them, each once, in order."""
    def there():
        return len(sink.lines(**labels)) >= len(expected)

    try:
        await_that(f"{len(expected)} lines", there, limit)
    finally:
        got = sink.lines(**labels)
        assert got[:len(expected)] == expected, first_difference(got, expected)
    assert len(got) == len(expected), f"{len(got) - len(expected)} lines too many: {got[len(expected):][:3]}"


def first_difference(got, expected):
    for i, (a, b) in enumerate(zip(got, expected)):
        if a != b:
            return f"line {i}: {a[:80]!r} where {b[:80]!r} is expected ({len(got)} of {len(expected)} lines)"
    return f"{len(got)} of {len(expected)} lines"


def saved(w, name="loki.source.docker.in"):
    path = w.folder / "data" / name / "positions.yml"
    return path.read_text() if path.exists() else ""


def test_lines_of_both_streams_and_of_a_terminal(weir, engine, sink):
    web, shell = engine.run("web", labels={"com.example/tier": "front"}), engine.run("shell", tty=True)
    long = ["x" * 16384, "y" * 16385, "z" * 50000, "end"]
    for i in range(10):
        web.out(f"out {i}")
        web.err(f"err {i}")
        shell.out(f"tty {i}")
    for line in long:
        web.out(line)
        shell.out(line)
    w = weir(source(engine, sink))
    await_lines(sink, [f"out {i}" for i in range(10)] + long, container="web", stream="stdout", job="docker")
    await_lines(sink, [f"err {i}" for i in range(10)], container="web", stream="stderr")
    await_lines(sink, [f"tty {i}" for i in range(10)] + long, container="shell", stream="stdout")
    web.out("later")
    await_lines(sink, [f"out {i}" for i in range(10)] + long + ["later"], container="web", stream="stdout")
    assert engine.last_version == "v1.47"
    assert w.metric("loki_source_docker_target_entries_total") == 10 * 3 + 2 * len(long) + 1
    assert w.metric("loki_source_docker_target_parsing_errors_total") == 0


def test_what_cannot_be_read_is_told_and_skipped(weir, engine, sink):
    c = engine.run("odd")
    c.out("first")
    with engine.changed:
        c.encode_plain = c.encode
        c.encode = lambda r: c.encode_plain(r) if r.text != b"no time\n" else b"\x01\0\0\0\0\0\0\x08no time\n"
    c.out("no time")
    c.out("m" * (2 << 20))
    c.out("")
    c.out("last")
    w = weir(source(engine, sink))
    await_lines(sink, ["first", "last"], container="odd")
    assert w.metric("loki_source_docker_target_parsing_errors_total") == 1
    assert "could not extract timestamp, skipping line" in w.log
    assert "line too big, skipping" in w.log or w.log.count("skipping") == 1  # at most one such line in ten seconds


def test_an_old_engine_is_asked_by_get(weir, engine, sink):
    engine.version, engine.head_ping = "1.41", False
    engine.run("web").out("hello")
    weir(source(engine, sink))
    await_lines(sink, ["hello"], container="web")
    assert engine.last_version == "v1.41"
    assert ("GET", "/_ping") in engine.requests


def test_a_restarted_container_goes_on(weir, engine, sink):
    c = engine.run("web")
    expected = []
    w = weir(source(engine, sink))
    for life in range(3):
        for i in range(5):
            c.out(f"life {life} line {i}")
            expected.append(f"life {life} line {i}")
        await_lines(sink, expected, container="web")
        c.stop()
        await_that("the stream ends", lambda: engine.streams == 0)
        c.out(f"last words {life}")  # still in the log of the one that stopped
        expected.append(f"last words {life}")
        c.networks = {"bridge": ("net-bridge", f"172.17.0.{10 + life}")}  # another address: other target labels
        c.start()
    await_lines(sink, expected, container="web")
    assert "cannot read" not in w.log


def test_a_stopped_container_keeps_its_place(weir, engine, sink):
    """Its target goes with `docker stop`, and comes with `docker start`: what was read is not read again, over a restart of the agent either."""
    c, other = engine.run("web"), engine.run("other")
    other.out("one")
    for i in range(20):
        c.out(f"line {i}")
    w = weir(source(engine, sink))
    await_lines(sink, [f"line {i}" for i in range(20)], container="web")
    c.stop()
    c.out("said while it stopped")
    expected = [f"line {i}" for i in range(20)] + ["said while it stopped"]
    await_lines(sink, expected, container="web")
    await_that("its target is gone", lambda: engine.streams == 1, 30)
    await_that("its position is saved", lambda: c.id in saved(w))
    assert w.stop() == 0
    c.networks = {"bridge": ("net-bridge", "172.17.0.99")}
    c.start()
    c.out("again")
    w2 = weir(source(engine, sink), "--storage.path=" + str(w.folder / "data"))
    await_lines(sink, expected + ["again"], container="web")
    await_lines(sink, ["one"], container="other")
    w2.stop()
    assert saved(w).count(c.id + "\n") >= 1 and saved(w).count(f"cursor-{c.id}") == 1


def test_a_removed_container_is_let_go(weir, engine, sink):
    c = engine.run("web")
    c.out("line")
    w = weir(source(engine, sink, targets=static(c)))
    await_lines(sink, ["line"], container="web")
    await_that("its position is saved", lambda: c.id in saved(w))
    c.remove()
    await_that("it is noticed", lambda: "container no longer exists, stopping tailer" in w.log, 30)
    await_that("its position is forgotten", lambda: c.id not in saved(w))
    asked = engine.count(c.id)
    time.sleep(3)
    assert engine.count(c.id) - asked < 6
    assert w.log.count("container no longer exists") == 1


def test_a_crash_loop_costs_little(weir, engine, sink):
    c = engine.run("crash")
    w = weir(source(engine, sink, targets=static(c)))
    expected = []
    for i in range(60):
        c.out(f"start {i}")
        c.err(f"panic {i}")
        expected.append(f"start {i}")
        c.stop()
        time.sleep(0.05)
        c.start()
    await_lines(sink, expected, container="crash", stream="stdout")
    await_lines(sink, [f"panic {i}" for i in range(60)], container="crash", stream="stderr")
    assert engine.count("/logs?") < 15, engine.count("/logs?")
    about = [line for line in w.log.splitlines() if "loki.source.docker" in line]
    assert len(about) < 10, about


def test_an_engine_that_restarts(weir, engine, sink):
    c = [engine.run(f"c{i}") for i in range(5)]
    for i in range(50):
        for x in c:
            x.out(f"{x.name} {i}")
    w = weir(source(engine, sink))
    for x in c:
        await_lines(sink, [f"{x.name} {i}" for i in range(50)], container=x.name)
    engine.down()
    await_that("the outage is told", lambda: "cannot reach the Docker engine" in w.log)
    await_that("health tells it", lambda: w.health("loki.source.docker.in")["state"] == "unhealthy")
    for x in c:
        x.out("meanwhile")
    time.sleep(1.5)
    engine.up()
    for x in c:
        await_lines(sink, [f"{x.name} {i}" for i in range(50)] + ["meanwhile"], container=x.name)
    await_that("health is well again", lambda: w.health("loki.source.docker.in")["state"] == "healthy")
    told = [line for line in w.log.splitlines() if "logs of containers cannot be read" in line]
    assert len(told) == 1, told


@pytest.mark.parametrize("at", [0, 1, 7, 8, 20, 100, 1000, 16400, 40000])
def test_a_stream_that_is_cut(weir, engine, sink, at):
    """In the middle of a head, a time, a line, a joined line; and with lines of one and the same time on both sides of the cut."""
    c = engine.run("web")
    now = time.time_ns()
    expected = {1: [], 2: []}
    for i in range(300):
        stream, line = 1 + i % 2, f"line {i}" if i % 50 != 10 else f"long {i} " + "l" * 20000
        c.write(stream, line, now + i // 20)
        expected[stream].append(line)
    engine.cut(at)
    weir(source(engine, sink))
    await_lines(sink, expected[1], container="web", stream="stdout")
    await_lines(sink, expected[2], container="web", stream="stderr")
    assert engine.cut_after is None


def test_an_agent_that_stops_and_starts(weir, engine, sink):
    c = engine.run("web")
    expected, folder = [], None
    for life in range(3):
        flags = ["--storage.path=" + str(folder)] if folder else []
        for i in range(100):
            c.write(1 + i % 2, f"{life} {i}", None)
            expected.append(f"{life} {i}")
        w = weir(source(engine, sink), *flags)
        folder = folder or w.folder / "data"
        for i in range(100):
            c.write(1, f"{life} live {i}")
            expected.append(f"{life} live {i}")
        await_that("lines", lambda: len(sink.lines(container="web")) >= len(expected) - 50)
        assert w.stop() == 0
    w = weir(source(engine, sink), "--storage.path=" + str(folder))
    await_that("all lines", lambda: len(sink.lines(container="web")) >= len(expected))
    got = sink.lines(container="web")
    assert sorted(got) == sorted(expected), "lost or doubled"
    assert [g for g in got if "live" in g] == [e for e in expected if "live" in e]


def test_an_agent_that_is_killed(weir, engine, sink):
    c = engine.run("web")
    c.out("old")
    w = weir(source(engine, sink))
    await_lines(sink, ["old"], container="web")
    await_that("the position is saved", lambda: c.id in saved(w))
    time.sleep(2)
    for i in range(200):
        c.out(f"new {i}")
    await_that("some arrive", lambda: len(sink.lines(container="web")) > 1)
    w.expected_exit = -signal.SIGKILL
    w.signal(signal.SIGKILL)
    w.p.wait()
    w = weir(source(engine, sink), "--storage.path=" + str(w.folder / "data"))
    await_that("the last arrives", lambda: "new 199" in sink.lines(container="web"))
    got = sink.lines(container="web")
    assert set(got) == {"old"} | {f"new {i}" for i in range(200)}
    assert got.count("old") == 1


def test_positions_of_alloy_are_taken(weir, engine, sink, tmp_path):
    c = engine.run("web")
    base = 1700000000 * 10**9
    for i in range(10):
        c.out(f"line {i}", base + i * 10**9)
    labels = f'{{__meta_docker_container_id="{c.id}", __meta_docker_container_name="/web", job="docker"}}'
    data = tmp_path / "data"
    (data / "loki.source.docker.in").mkdir(parents=True)
    (data / "loki.source.docker.in" / "positions.yml").write_text(
        f"positions:\n  ? path: cursor-{c.id}\n    labels: '{labels}'\n  : \"1700000007\"\n")
    w = weir(source(engine, sink, targets=static(c)), f"--storage.path={data}")
    await_lines(sink, ["line 7", "line 8", "line 9"], container="web")
    positions = data / "loki.source.docker.in" / "positions.yml"
    await_that("it is saved as Alloy does", lambda: '"1700000009"' in positions.read_text() and labels in positions.read_text())
    w.stop()


def test_a_full_endpoint_stops_the_reading(weir, engine, sink):
    c = engine.run("web")
    many, size = 6000, 10000
    sink.fail()
    for i in range(many):
        c.out(f"{i} " + "b" * size)
    w = weir(source(engine, sink, targets=static(c)))
    await_that("the endpoint is tried", lambda: sink.loki.requests)

    def at_rest():
        sent = engine.bytes_sent
        time.sleep(0.5)
        return engine.bytes_sent == sent

    await_that("the engine's stream stands", at_rest)
    assert engine.bytes_sent < many * size / 2, engine.bytes_sent
    if not SANITIZED:
        assert w.status_kib("VmRSS") < 60 * 1024
    assert engine.streams == 1
    sink.work()
    await_lines(sink, [f"{i} " + "b" * size for i in range(many)], container="web")


def test_a_reload_leaves_streams_alone(weir, engine, sink):
    a, b = engine.run("a"), engine.run("b")
    a.out("one")
    b.out("one")
    w = weir(source(engine, sink, targets=static(a, b)))
    await_lines(sink, ["one"], container="a")
    await_lines(sink, ["one"], container="b")
    opened = engine.count("/logs?")
    assert w.reload(source(engine, sink, targets=static(a), more="").replace('job = "docker"', 'job = "other"')).status == 200
    await_that("b is let go", lambda: engine.streams == 1)
    a.out("two")
    await_lines(sink, ["two"], container="a", job="other")
    assert engine.count("/logs?") == opened  # other labels are no reason to read anew
    assert w.reload(source(engine, sink, targets=static(a, b))).status == 200
    b.out("two")
    await_lines(sink, ["one", "two"], container="b")


def test_logs_that_the_engine_cannot_give(weir, engine, sink):
    c = engine.run("web")
    c.refuse = (501, "configured logging driver does not support reading")
    w = weir(source(engine, sink))
    await_that("it is told", lambda: "configured logging driver does not support reading" in w.log)
    time.sleep(2)
    assert w.log.count("configured logging driver does not support reading") == 1
    assert w.health("loki.source.docker.in")["state"] == "unhealthy"
    c.refuse = None
    c.out("at last")
    await_lines(sink, ["at last"], container="web")
    assert w.health("loki.source.docker.in")["state"] == "healthy"


def test_over_http_with_authorization(weir, sink, ports, tmp_path):
    """The settings of the HTTP client, for requests and streams; a token in a file is read for each."""
    token = tmp_path / "token"
    token.write_text("one\n")
    e = Engine(ports(1)[0])
    try:
        c = e.run("web")
        c.out("first")
        client = f'''
    bearer_token_file = "{token}"
    http_headers      = {{ "X-Tenant" = ["t"] }}
'''
        w = weir(sink.config() + RULES + f'''
discovery.docker "d" {{
  host             = "http://127.0.0.1:{e.path}"
  refresh_interval = "200ms"
  {client}
}}
loki.source.docker "in" {{
  host             = "http://127.0.0.1:{e.path}"
  targets          = discovery.docker.d.targets
  refresh_interval = "500ms"
  relabel_rules    = loki.relabel.rules.rules
  forward_to       = [{sink.receiver}]
  http_client_config {{ {client} }}
}}
''')
        await_lines(sink, ["first"], container="web")
        assert e.headers["authorization"] == "Bearer one" and e.headers["x-tenant"] == "t" and e.headers["user-agent"].startswith("Weir/")
        token.write_text("two")
        await_that("the new token", lambda: e.headers.get("authorization") == "Bearer two")
        time.sleep(1)
        assert e.count("/logs?") == 1  # a stream is older than refresh_interval
        c.out("second")
        await_lines(sink, ["first", "second"], container="web")
        token.unlink()
        await_that("it is missed", lambda: w.health("discovery.docker.d")["state"] == "unhealthy")
        assert str(token) in w.health("discovery.docker.d")["message"]
    finally:
        e.close()


def test_an_engine_that_does_not_begin_to_answer(weir, sink, ports):
    """A stream may last, but not take for ever to begin: the engine hangs, and is asked again."""
    e = Engine(ports(1)[0])
    try:
        c = e.run("web")
        c.out("first")
        e.mute = True
        w = weir(sink.config() + RULES + f'''
loki.source.docker "in" {{
  host             = "http://127.0.0.1:{e.path}"
  targets          = {static(c)}
  refresh_interval = "500ms"
  relabel_rules    = loki.relabel.rules.rules
  forward_to       = [{sink.receiver}]
}}
''')
        await_that("it is asked more than once", lambda: e.count("/logs?") > 1)
        await_that("health tells it", lambda: "did not begin to answer in time" in w.health("loki.source.docker.in")["message"])
        await_that("it is asked again", lambda: e.count("/logs?") > 2)
        assert w.log.count("did not begin to answer in time") == 1
        e.mute = False
        await_lines(sink, ["first"], container="web")
        await_that("all is well", lambda: w.health("loki.source.docker.in")["state"] == "healthy")
    finally:
        e.close()


def test_a_token_is_fetched_once_and_again_when_it_is_refused(weir, sink, ports):
    e, tokens = Engine(ports(1)[0]), Tokens()
    e.token = "t1"
    try:
        c = e.run("web")
        c.out("first")
        oauth2 = f'''
  oauth2 {{
    client_id     = "id"
    client_secret = "s3cr3t"
    token_url     = "{tokens.url}/token"
  }}
'''
        w = weir(sink.config() + RULES + f'''
discovery.docker "d" {{
  host             = "http://127.0.0.1:{e.path}"
  refresh_interval = "2s"
  {oauth2}
}}
loki.source.docker "in" {{
  host          = "http://127.0.0.1:{e.path}"
  targets       = {static(c)}
  relabel_rules = loki.relabel.rules.rules
  forward_to    = [{sink.receiver}]
  http_client_config {{
    bearer_token = "t1"
  }}
}}
''')
        await_lines(sink, ["first"], container="web")
        lists = e.count("/containers/json")
        await_that("it is asked many times", lambda: e.count("/containers/json") > lists + 2)
        assert tokens.asked == [{"grant_type": ["client_credentials"]}]
        e.token = "t2"  # t1 was revoked
        await_that("another one is asked for", lambda: len(tokens.asked) == 2)
        lists = e.count("/containers/json")
        await_that("it goes on with that", lambda: e.count("/containers/json") > lists + 1)
        assert len(tokens.asked) == 2
        assert "a refresh failed" not in w.log  # nobody saw the refusal
        assert w.health("discovery.docker.d")["state"] == "healthy"
    finally:
        e.close()
        tokens.close()


def test_settings_without_effect_are_told(weir, engine):
    w = weir(f'''
discovery.docker "d" {{
  host         = "unix://{engine.path}"
  bearer_token = "x"
}}
''')
    assert "bearer_token" in w.log and "http:// and https:// only" in w.log


def exported(w, local_id="discovery.docker.d"):
    body = json.loads(w.get(f"/api/v0/web/components/{local_id}").body)
    targets = next(e for e in body["exports"] if e["name"] == "targets")["value"]
    return [{m["key"]: m["value"]["value"] for m in t["value"]} for t in targets["value"]]


def test_targets(weir, engine):
    engine.networks += [{"Id": "net-a", "Name": "a", "Scope": "local", "Internal": True, "Ingress": False, "Labels": {"team": "x"}}]
    both = {"b": ("net-bridge", "10.1.0.2"), "a": ("net-a", "10.2.0.2")}
    web = engine.run("web", labels={"com.docker.compose/service": "web"}, networks=both, mode="a", ports=[
        {"IP": "0.0.0.0", "PrivatePort": 8080, "PublicPort": 80, "Type": "tcp"}, {"PrivatePort": 53, "Type": "udp"}, {"PrivatePort": 9090, "Type": "tcp"}])
    engine.run("side", networks={}, mode=f"container:{web.id}")
    engine.run("host", networks={"host": ("net-host", "")}, mode="host")
    engine.run("none", networks={}, mode="none")
    w = weir(f'''
discovery.docker "d" {{
  host             = "unix://{engine.path}"
  refresh_interval = "200ms"
  port             = 7000
}}
discovery.docker "all" {{
  host                 = "unix://{engine.path}"
  match_first_network  = false
  filter {{
    name   = "name"
    values = ["web"]
  }}
}}
''')
    found = await_that("targets", lambda: exported(w))
    by = {(t["__meta_docker_container_name"], t["__address__"]): t for t in found}
    assert sorted(by) == [("/host", "localhost"), ("/side", "10.2.0.2:7000"), ("/web", "10.2.0.2:8080"), ("/web", "10.2.0.2:9090")]
    published, plain = by["/web", "10.2.0.2:8080"], by["/web", "10.2.0.2:9090"]
    meta = "__meta_docker_"
    assert published == {
        "__address__": "10.2.0.2:8080", meta + "container_id": web.id, meta + "container_name": "/web", meta + "container_network_mode": "a",
        meta + "container_label_com_docker_compose_service": "web", meta + "network_id": "net-a", meta + "network_name": "a",
        meta + "network_scope": "local", meta + "network_internal": "true", meta + "network_ingress": "false", meta + "network_label_team": "x",
        meta + "network_ip": "10.2.0.2", meta + "port_private": "8080", meta + "port_public": "80", meta + "port_public_ip": "0.0.0.0"}
    assert meta + "port_public" not in plain and plain[meta + "port_private"] == "9090"
    addresses = sorted(t["__address__"] for t in exported(w, "discovery.docker.all"))
    assert addresses == ["10.1.0.2:8080", "10.1.0.2:9090", "10.2.0.2:8080", "10.2.0.2:9090"]
    web.stop()
    await_that("the container goes", lambda: not [t for t in exported(w) if t["__meta_docker_container_name"] == "/web"], 15)


def test_targets_stay_while_the_engine_is_away(weir, engine):
    engine.run("web")
    w = weir(f'discovery.docker "d" {{\n  host = "unix://{engine.path}"\n  refresh_interval = "100ms"\n}}\n')
    assert await_that("targets", lambda: exported(w))
    engine.down()
    await_that("health tells it", lambda: w.health("discovery.docker.d")["state"] == "unhealthy")
    time.sleep(1)
    assert len(exported(w)) == 1
    assert len(re.findall("a refresh failed", w.log)) == 1
    engine.up()
    await_that("health is well again", lambda: w.health("discovery.docker.d")["state"] == "healthy")


@pytest.mark.parametrize("host, part", [
    ("", "host attribute must not be empty"),
    ("docker.sock", "is no address of a Docker engine"),
    ("unix://docker.sock", "by its whole path"),
    ("ssh://host", "is no address of a Docker engine"),
    ("http://host/?a=b", "neither a query nor a user name"),
])
def test_hosts_that_cannot_work(weir, host, part):
    w = weir(f'discovery.docker "d" {{\n  host = "{host}"\n}}\n', wait=False)
    assert w.p.wait(30) != 0
    assert part in w.log + w.out
    w.expected_exit = w.p.returncode
