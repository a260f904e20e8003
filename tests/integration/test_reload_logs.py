"""Reloads that change the arguments of one log component after the other, while lines come from a file, over syslog and as pushes: none is lost
or out of order, and no port closes."""
import itertools
import socket
import threading

import pytest

from weirproc import await_that, http

pytestmark = pytest.mark.core

# Each with two forms; a reload changes one of them.
FORMS = {
    "file": ("", "tail_from_end = true"),
    "syslog": ("", 'max_message_length = 4096'),
    "syslog_labels": ('kind = "a"', 'kind = "b"'),
    "api": ('labels = { job = "api" }', 'labels = { job = "api", more = "1" }'),
    "process": ("", 'stage.static_labels { values = { added = "1" } }'),
    "relabel": ("1", "2"),
    "secret": ("one", "two"),
    "write": ('batch_wait = "20ms"', 'batch_wait = "40ms"\n    batch_size = "1KiB"'),
    "external": ("{}", '{ e = "1" }'),
}

CONFIG = """
loki.source.file "in" {
  targets = [{ __path__ = "%(path)s", job = "file" }]
  forward_to = [loki.process.p.receiver]
  %(file)s
}
loki.source.syslog "in" {
  listener {
    address = "127.0.0.1:%(syslog_port)d"
    labels = { job = "syslog", %(syslog_labels)s }
    %(syslog)s
  }
  forward_to = [loki.process.p.receiver]
}
loki.source.api "in" {
  http {
    listen_address = "127.0.0.1"
    listen_port = %(api_port)d
  }
  forward_to = [loki.process.p.receiver]
  %(api)s
}
loki.process "p" {
  forward_to = [loki.relabel.r.receiver]
  %(process)s
}
loki.relabel "r" {
  forward_to = [loki.secretfilter.s.receiver]
  rule {
    target_label = "form"
    replacement = "%(relabel)s"
  }
}
loki.secretfilter "s" {
  forward_to = [loki.write.w.receiver]
  redact_with = "%(secret)s"
}
loki.write "w" {
  endpoint {
    url = "%(url)s"
    %(write)s
  }
  external_labels = %(external)s
}
"""


class Lines:
    """Three writers that go on until stopped; counts what each has got rid of."""

    def __init__(self, path, syslog_port, api_port):
        self.path, self.api, self.over = path, f"http://127.0.0.1:{api_port}/loki/api/v1/raw", threading.Event()
        self.sent = {"file": 0, "syslog": 0, "api": 0}
        self.refused = 0
        self.socket = socket.create_connection(("127.0.0.1", syslog_port), 10)
        self.threads = [threading.Thread(target=self.run, args=(name, how)) for name, how in
                        (("file", self.write), ("syslog", self.message), ("api", self.push))]
        for t in self.threads:
            t.start()

    def run(self, name, how):
        for i in itertools.count():
            if self.over.wait(0.002):
                return
            how(f"{name} {i}")
            self.sent[name] = i + 1

    def write(self, line):
        with open(self.path, "a") as f:
            f.write(line + "\n")

    def message(self, line):
        self.socket.sendall(f"<13>1 2026-01-01T00:00:00Z h a - - - {line}\n".encode())

    def push(self, line):
        while http("POST", self.api, line.encode(), {"Content-Type": "text/plain"}).status != 204:
            self.refused += 1

    def stop(self):
        self.over.set()
        for t in self.threads:
            t.join()
        self.socket.close()


def test_nothing_is_lost_while_arguments_change(weir, loki, ports, tmp_path):
    syslog_port, api_port = ports(2)
    path = tmp_path / "a.log"
    path.write_text("")
    now = {name: forms[0] for name, forms in FORMS.items()}

    def config():
        return CONFIG % dict(now, path=path, url=loki.url, syslog_port=syslog_port, api_port=api_port)

    w = weir(config(), "--stability.level=experimental")
    lines = Lines(path, syslog_port, api_port)
    try:
        for step in [*FORMS] * 2:
            seen = loki.count()
            await_that("lines come", lambda: loki.count() > seen)
            now[step] = FORMS[step][now[step] == FORMS[step][0]]
            r = w.reload(config())
            assert r.status == 200, f"{step}: {r.text}"
    finally:
        lines.stop()
    wanted = {name: [f"{name} {i}" for i in range(n)] for name, n in lines.sent.items()}
    await_that("every line is there", lambda: loki.count() >= sum(map(len, wanted.values())), 30)
    got = {name: [e.line for e in loki.entries() if e.line.startswith(name)] for name in wanted}
    for name, want in wanted.items():
        assert set(got[name]) >= set(want), f"{name}: {len(set(want) - set(got[name]))} of {len(want)} are missing"
    for name in ("file", "syslog"):
        assert len(got[name]) == len(set(got[name])), f"{name}: lines came twice"
    for name, want in wanted.items():
        by_stream = {}
        for e in loki.entries():
            if e.line.startswith(name):
                by_stream.setdefault(e.labels, []).append(int(e.line.split()[1]))
        for labels, numbers in by_stream.items():
            assert numbers == sorted(numbers), f"{labels} is out of order"
    assert lines.refused == 0
