"""discovery.relabel, loki.relabel, loki.enrich: targets and labels of entries, and how rules travel between components."""
import json

import pytest

from echoes import echoes, record, send_records, source
from test_live import ON, Stream
from weirproc import await_that

pytestmark = pytest.mark.core

FLAGS = ("--stability.level=experimental",)


def plain(v):
    """A value of the API as Python has it."""
    if v["type"] == "array":
        return [plain(x) for x in v["value"]]
    if v["type"] == "object":
        return {m["key"]: plain(m["value"]) for m in v["value"]}
    return v.get("value")


def export(w, id, name):
    answer = w.get(f"/api/v0/web/components/{id}")
    assert answer.status == 200, answer.text
    for e in json.loads(answer.body)["exports"]:
        if e["name"] == name:
            return plain(e["value"])
    return None


TARGETS = '''
discovery.relabel "first" {
  targets = [
    {"__address__" = "a:80", "app" = "Web", "port" = 8080, "empty" = ""},
    {"__address__" = "b:80", "app" = "db"},
    {"__address__" = "c:80", "app" = "web"},
  ]
  rule {
    source_labels = ["app"]
    action        = "lowercase"
    target_label  = "app"
  }
  rule {
    source_labels = ["app"]
    regex         = "%s"
    action        = "keep"
  }
}

discovery.relabel "second" {
  targets = discovery.relabel.first.output
  rule {
    source_labels = ["__address__"]
    regex         = "(.*):(.*)"
    target_label  = "host.name"
    replacement   = "$1"
  }
}
'''


def test_targets_through_two_components(weir):
    w = weir(TARGETS % "web")
    assert export(w, "discovery.relabel.second", "output") == [
        {"__address__": "a:80", "app": "web", "host.name": "a", "port": "8080"},
        {"__address__": "c:80", "app": "web", "host.name": "c"}]
    assert w.reload(TARGETS % "db").status == 200
    await_that("the other targets", lambda: export(w, "discovery.relabel.second", "output") == [
        {"__address__": "b:80", "app": "db", "host.name": "b"}])


def test_targets_are_shown(weir):
    w = weir(ON + TARGETS % "db")
    s = Stream(w.url + "/api/v0/web/debug/discovery.relabel.first")
    await_that("the stream is open", lambda: s.status == 200)
    w.reload(ON + TARGETS % "web")
    items = await_that("items", lambda: len(s.items) >= 3 and s.items)
    assert items[0] == ('{"__address__"="a:80", "app"="Web", "empty"="", "port"="8080"} => '
                        '{"__address__"="a:80", "app"="web", "port"="8080"}')
    assert items[1] == '{"__address__"="b:80", "app"="db"} => {}'
    s.p.kill()
    s.p.wait()


def test_faults_of_rules(weir):
    config = TARGETS % "web"
    w = weir(config)
    for bad, message in ((config.replace("lowercase", "lower"), 'unrecognized action type \\"lower\\"'),
                         (config.replace('regex         = "(.*):(.*)"', 'regex = "("'), "error parsing regexp: missing closing )"),
                         (config.replace('"host.name"', '"a-$1"'), "is invalid 'target_label' for replace action")):
        answer = w.reload(bad)
        assert answer.status == 400 and message.replace("\\", "") in answer.text.replace("\\", ""), answer.text
    assert len(export(w, "discovery.relabel.second", "output")) == 2


RELABEL = '''
loki.relabel "r" {
  forward_to     = [loki.echo.out.receiver]
  max_cache_size = 4
  rule {
    source_labels = ["app"]
    regex         = "drop.*"
    action        = "drop"
  }
  rule {
    source_labels = ["app", "exporter"]
    separator     = "/"
    target_label  = "job"
  }
  rule {
    regex  = "exporter"
    action = "labeldrop"
  }
}
'''


def hinted(line, app):
    return record(line, app=app, loki__attribute__labels="app", loki__format="raw")


def test_entries(weir, ports):
    port = ports(1)[0]
    w = weir(RELABEL + source(port, "loki.relabel.r.receiver"))
    for i in range(3):
        assert send_records(port, [hinted(f"one {i}", "web"), hinted(f"two {i}", "dropped"), hinted(f"three {i}", f"n{i}")]).status == 200
    got = await_that("six entries", lambda: len(echoes(w)) >= 6 and echoes(w))
    assert sorted(map(repr, got)) == sorted([f'{{app="web", job="web/OTLP"}} one {i}' for i in range(3)] +
                                            [f'{{app="n{i}", job="n{i}/OTLP"}} three {i}' for i in range(3)])
    assert w.metric("loki_relabel_entries_processed") == 9 and w.metric("loki_relabel_entries_written") == 6
    assert w.metric("loki_relabel_cache_misses") >= 5
    assert w.metric("loki_relabel_cache_misses") + w.metric("loki_relabel_cache_hits") == 9
    assert w.metric("loki_relabel_cache_size") >= 1


def test_rules_change_in_a_reload(weir, ports):
    port = ports(1)[0]
    w = weir(RELABEL + source(port, "loki.relabel.r.receiver"))
    send_records(port, [hinted("before", "web")])
    await_that("an entry", lambda: echoes(w))
    assert w.reload((RELABEL + source(port, "loki.relabel.r.receiver")).replace('"/"', '"-"')).status == 200

    def arrives_with_new_rules():
        send_records(port, [hinted("after", "web")])
        return any('job="web-OTLP"' in e.labels for e in echoes(w))

    await_that("the new rules", arrives_with_new_rules, step=0.2)


def test_entries_are_shown(weir, ports):
    port = ports(1)[0]
    w = weir(ON + RELABEL + source(port, "loki.relabel.r.receiver"))
    s = Stream(w.url + "/api/v0/web/debug/loki.relabel.r")
    await_that("the stream is open", lambda: s.status == 200)
    send_records(port, [hinted("kept", "web"), hinted("gone", "drop1")])
    items = await_that("items", lambda: len(s.items) >= 2 and s.items)
    assert sorted(items) == ['entry: gone, labels: {app="drop1", exporter="OTLP"} => <dropped>',
                             'entry: kept, labels: {app="web", exporter="OTLP"} => {app="web", job="web/OTLP"}']
    s.p.kill()
    s.p.wait()


ENRICH = '''
loki.enrich "e" {
  forward_to         = [loki.echo.out.receiver]
  target_match_label = "host"
  logs_match_label   = "app"
  targets            = [
    {"host" = "web", "zone" = "a", "rack" = "1", "__meta" = "m"},
    {"host" = "db", "zone" = ""},
  ]
  %s
}
'''


@pytest.mark.parametrize("more,web", (('labels_to_copy = ["zone", "none"]', '{app="web", exporter="OTLP", zone="a"}'),
                                      ("", '{__meta="m", app="web", exporter="OTLP", host="web", rack="1", zone="a"}')))
def test_enrich(weir, ports, more, web):
    port = ports(1)[0]
    w = weir(ENRICH % more + source(port, "loki.enrich.e.receiver"), *FLAGS)
    send_records(port, [hinted("1", "web"), hinted("2", "other"), record("3", loki__format="raw")])
    got = await_that("three entries", lambda: len(echoes(w)) >= 3 and echoes(w))
    assert {e.line: e.labels for e in got} == {"1": web, "2": '{app="other", exporter="OTLP"}', "3": '{exporter="OTLP"}'}
