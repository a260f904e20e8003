"""Several logs, an agent over one storage folder, two endpoints; and the counting at the end: every line at each endpoint, in order within its
stream."""
import signal

from log_writers import numbers
from loki_backend import Loki, parse_labels
from weirproc import LIMIT, Weir, await_that

STAGES = {
    "seed": '''
  stage.static_labels { values = { cluster = "main", env = "prod" } }
  stage.regex { expression = "(?i)(?P<level>debug|info|warn|error|fatal)" }
  stage.labels { values = { level = "" } }
''',
    "staging": '''
  stage.static_labels { values = { cluster = "main", env = "staging" } }
  stage.regex { expression = "(?i)(?P<level>debug|info|warn|error|fatal)" }
  stage.labels { values = { level = "" } }
''',
    "plain": "",
}
GROUPS = '''
  stage.match {
    selector = "{kind=\\"cri\\"}"
    stage.cri { }
  }
  stage.match {
    selector = "{kind=\\"blocks\\"}"
    stage.multiline {
      firstline     = "^\\\\["
      max_wait_time = "500ms"
    }
  }
'''


def stages(name, grouped=True):
    return (GROUPS if grouped else "") + STAGES[name]


def endpoint(loki, more=""):
    return f'''
  endpoint {{
    url                = "{loki.url}"
    batch_wait         = "100ms"
    batch_size         = "64KiB"
    min_backoff_period = "50ms"
    max_backoff_period = "300ms"
    remote_timeout     = "2s"
    {more}
  }}
'''


def config(targets, stages, endpoints, write="", source=""):
    listed = ",\n    ".join("{" + ", ".join(f'{k} = "{v}"' for k, v in t.items()) + "}" for t in targets)
    return f'''
loki.source.file "f" {{
  targets = [
    {listed},
  ]
  forward_to = [loki.process.p.receiver]
  {source}
}}
loki.process "p" {{
  forward_to = [loki.write.w.receiver]
{stages}
}}
loki.write "w" {{
{"".join(endpoints)}
  {write}
}}
'''


class Agent:
    """One Weir after another over the same storage."""

    def __init__(self, binary, folder):
        self.binary, self.folder, self.runs, self.w = binary, folder, 0, None
        self.kills = 0

    def start(self, text, *flags, wait=True):
        self.w = Weir(self.binary, self.folder / f"w{self.runs}", text, 
                      ("--stability.level=experimental", f"--storage.path={self.folder / 'data'}", *flags))
        self.runs += 1
        if wait:
            self.w.wait_ready()

    def reload(self, text, by_signal=False):
        self.w.config.write_text(text)
        if by_signal:
            self.w.signal(signal.SIGHUP)
            return
        answer = self.w.post("/-/reload", timeout=60)
        assert answer.status == 200, answer.text

    def wait_positions(self, logs):
        """Each of the logs has a saved position."""
        def saved():
            text = self.positions.read_text() if self.positions.exists() else ""
            return all(log.path in text for log in logs)

        await_that("a position of each log is saved", saved)

    def stop(self):
        self.w.finish()

    def kill(self):
        self.w.p.kill()
        self.w.p.wait()
        self.w.expected_exit = -signal.SIGKILL
        self.kills += 1
        self.w.finish()

    def close(self):
        """At the end of a test that may have failed."""
        if self.w and self.w.p.poll() is None:
            self.w.p.kill()
            self.w.p.wait()

    @property
    def positions(self):
        return self.folder / "data" / "loki.source.file.f" / "positions.yml"


class Receiver(Loki):
    """Counts numbered lines as they come in: {filename: [numbers in order of arrival]}."""

    def __init__(self):
        self.files, self.by_stream, self.first, self.counted, self.kept = {}, {}, {}, 0, {}
        super().__init__()

    def count_new(self):
        entries = self.entries()
        for e in entries[self.counted:]:
            if e.labels not in self.kept:
                self.kept[e.labels] = parse_labels(e.labels)["filename"]
            got = numbers(e.line)
            assert got, f"an entry without a number: {e}"
            self.files.setdefault(self.kept[e.labels], []).extend(got)
            fresh = self.first.setdefault(self.kept[e.labels], set())
            self.by_stream.setdefault(e.labels, []).extend((n, e.request) for n in got if n not in fresh)
            fresh.update(got)
        self.counted = len(entries)

    def seen(self, log):
        self.count_new()
        return self.first.get(log.path, set())

    def has(self, log, n):
        return len(self.seen(log)) >= n

    def repeats(self, log):
        return len(self.files.get(log.path, ())) - len(self.seen(log))

    def missing(self, log):
        """As ranges, for messages."""
        return ranges(sorted(set(range(log.n)) - self.seen(log)))

    def check_order(self):
        """Within each stream, of the lines that had not arrived before."""
        self.count_new()
        for labels, got in self.by_stream.items():
            for i in range(1, len(got)):
                assert got[i][0] > got[i - 1][0], (
                    f"endpoint {self.port}: {labels} is out of order; (number, request): {got[max(i - 6, 0):i + 6]}")


def ranges(ns):
    out = []
    for n in ns:
        if out and n == out[-1][1] + 1:
            out[-1][1] = n
        else:
            out.append([n, n])
    return ", ".join(f"{a}-{b}" for a, b in out[:12]) + (f" and {len(out) - 12} ranges more" if len(out) > 12 else "")


def await_all(logs, receivers, limit=LIMIT):
    """Until every line of the logs is at each of the receivers; says what is missing."""
    try:
        await_that("every line", lambda: all(r.has(log, log.n) for r in receivers for log in logs), limit, step=0.1)
    except AssertionError:
        lacks = [f"endpoint {i} lacks of {log.path} (0-{log.n - 1}): {r.missing(log)}" for i, r in enumerate(receivers) for log in logs
                 if not r.has(log, log.n)]
        raise AssertionError("\n".join(lacks)) from None
    for r in receivers:
        r.check_order()
