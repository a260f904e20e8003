"""loki.process with stages that read JSON and logfmt, from a push to what a Loki gets."""
import json
import subprocess

import pytest

from loki_backend import parse_labels
from weirproc import http

pytestmark = pytest.mark.core

CONFIG = '''
loki.source.api "in" {
  http {
    listen_address = "127.0.0.1"
    listen_port    = %(port)d
  }
  labels     = { job = "push" }
  forward_to = [loki.process.stages.receiver]
}

loki.process "stages" {
  forward_to = [loki.write.out.receiver]
%(stages)s
}

loki.write "out" {
  endpoint {
    url        = "%(url)s"
    batch_wait = "50ms"
  }
}
'''


def start(weir, loki, ports, stages):
    port, = ports(1)
    return weir(CONFIG % {"port": port, "stages": stages, "url": loki.url}), port


def push(port, lines):
    body = "\n".join(lines).encode()
    answer = http("POST", f"http://127.0.0.1:{port}/loki/api/v1/raw", body, {"Content-Type": "text/plain"})
    assert answer.status in (200, 204), answer.text


def labels_of(loki, line):
    found = [parse_labels(e.labels) for e in loki.entries() if e.line == line]
    assert len(found) == 1, (line, found)
    return {k: v for k, v in found[0].items() if k != "job"}


def test_json_paths_and_expressions(weir, loki, ports):
    _, port = start(weir, loki, ports, '''
  stage.json {
    expressions = { level = "", user = "request.user.name", first = "tags[0]", n = "length(tags)", all = "request" }
    drop_malformed = true
  }
  stage.labels { values = { level = "", user = "", first = "", n = "", all = "" } }
''')
    doc = {"level": "warn", "tags": ["a", "b"], "request": {"user": {"name": "j\u00e4n"}, "html": "<x>"}}
    whole, part = json.dumps(doc), '{"level":null,"tags":[]}'
    push(port, [whole, "no json", part, '{"level":"info"'])
    loki.wait(2)
    assert labels_of(loki, whole) == {"level": "warn", "user": "j\u00e4n", "first": "a", "n": "2",
                                      "all": '{"user":{"name":"j\u00e4n"},"html":"\\u003cx\\u003e"}'}
    assert labels_of(loki, part) == {"n": "0"}
    assert loki.count() == 2


def test_order_within_a_stream_and_splitting(weir, loki, ports):
    _, port = start(weir, loki, ports, '''
  stage.split_json { }
  stage.json { expressions = { i = "", kind = "" } }
  stage.labels { values = { kind = "" } }
''')
    for base in range(0, 3000, 300):
        push(port, [json.dumps([{"i": i, "kind": f"k{i % 3}"} for i in range(at, at + 30)]) for at in range(base, base + 300, 30)])
    loki.wait(3000)
    for kind in range(3):
        assert [json.loads(line)["i"] for line in loki.lines(kind=f"k{kind}")] == list(range(kind, 3000, 3))


def test_logfmt_pattern_and_luhn(weir, loki, ports):
    _, port = start(weir, loki, ports, '''
  stage.logfmt { mapping = { level = "", request = "req" } }
  stage.pattern {
    pattern = "<method> <path> <_>"
    source  = "request"
    labels_from_groups = true
  }
  stage.luhn { }
  stage.labels { values = { level = "" } }
''')
    push(port, ['level=warn req="GET /a HTTP/1.1" card=4111111111111111', "level=info x=\"open"])
    loki.wait(2)
    assert labels_of(loki, 'level=warn req="GET /a HTTP/1.1" card=**REDACTED**') == {"level": "warn", "method": "GET", "path": "/a"}
    assert labels_of(loki, 'level=info x="open') == {"level": "info"}


def test_hostile_documents(weir, loki, ports):
    """Depth, size and multiplying expressions: entries pass, the agent lives."""
    _, port = start(weir, loki, ports, r'''
  stage.json {
    expressions = {
      a = "a", deep = "a.b.c.d",
      much = "let $l = list in map(&map(&map(&@, $l), $l), $l)[][]",
    }
  }
  stage.labels { values = { a = "", much = "" } }
''')
    nested = "[" * 600 + "]" * 600
    docs = ['{"a":' + nested + "}", '{"a":"x","list":' + json.dumps(list(range(3000))) + "}",
            '{"a":' + "9" * 400 + "}", '{' + ",".join('"a":%d' % i for i in range(20000)) + "}", '{"a":"end"}']
    push(port, docs)
    loki.wait(len(docs))
    assert labels_of(loki, docs[0]) == {}           # too deep: as if it were no JSON
    assert labels_of(loki, docs[1]) == {"a": "x"}   # the expression is stopped, the others count
    assert labels_of(loki, docs[3]) == {"a": "19999"}
    assert labels_of(loki, docs[4]) == {"a": "end"}


def test_faults_are_told_at_check(weir_binary, tmp_path):
    conf = tmp_path / "c.alloy"
    conf.write_text('''
loki.process "p" {
  forward_to = []
  stage.json { expressions = { a = "b[" } }
  stage.pattern { pattern = "<a><b>" }
  stage.json { }
}
''')
    r = subprocess.run([weir_binary, "check", str(conf)], capture_output=True, text=True)
    out = r.stdout + r.stderr
    assert r.returncode != 0
    assert 'could not compile JMES expression of "a"' in out and "two captures in a row" in out
    assert "JMES expressions or regex is required" in out
