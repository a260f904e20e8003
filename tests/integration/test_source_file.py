"""loki.source.file: numbered lines, written and rotated in every way while the agent is reloaded, stopped, started and killed. Every line
arrives, in order; what repeats is what had been read since the last saved position."""
import gzip
import os
import shutil
import signal
import threading
import time

import pytest

from weirproc import await_that

pytestmark = pytest.mark.core


def config(loki, path, extra="", more_targets="", arguments=""):
    return f"""
loki.source.file "f" {{
  targets    = [{{__path__ = "{path}", job = "t"}}{more_targets}]
  forward_to = [loki.write.w.receiver]
  {arguments}
}}
loki.write "w" {{
  endpoint {{
    url        = "{loki.url}"
    batch_wait = "100ms"
    min_backoff_period = "50ms"
    max_backoff_period = "200ms"
    {extra}
  }}
}}
"""


class Writer:
    """Appends numbered lines; opens the file anew after a rotation, as a logger that is told does."""

    def __init__(self, path):
        self.path, self.n = path, 0
        self.f = open(path, "ab", buffering=0)

    def write(self, lines):
        self.f.write(b"".join(b"line %07d of the log\n" % i for i in range(self.n, self.n + lines)))
        self.n += lines

    def reopen(self):
        self.f.close()
        self.f = open(self.path, "ab", buffering=0)

    def rename(self, suffix, late=0):
        os.rename(self.path, f"{self.path}{suffix}")
        self.write(late)  # the writer has not been told yet
        self.reopen()

    def copytruncate(self, suffix):
        shutil.copy2(self.path, f"{self.path}{suffix}")
        os.truncate(self.path, 0)

    def pack(self, suffix):
        """As logrotate does: under another name until it is whole, the time kept."""
        plain = f"{self.path}{suffix}"
        with open(plain, "rb") as src, gzip.open(f"{plain}.gz", "wb") as dst:
            shutil.copyfileobj(src, dst)
        shutil.copystat(plain, f"{plain}.gz")
        os.unlink(plain)


def numbers(loki):
    return [int(line.split()[1]) for line in loki.lines()]


def complete(loki, n):
    """Each of n lines is there."""
    return len(set(numbers(loki))) >= n


def first_seen(got):
    seen, out = set(), []
    for i in got:
        if i not in seen:
            seen.add(i)
            out.append(i)
    return out


def check(loki, n, repeats=0):
    try:
        await_that(f"{n} lines", lambda: complete(loki, n), step=0.1)
    except AssertionError:
        lacking = sorted(set(range(n)) - set(numbers(loki)))
        raise AssertionError(f"{len(lacking)} of {n} lines are missing, {lacking[:3]} to {lacking[-3:]}") from None
    got = numbers(loki)
    assert first_seen(got) == list(range(n))
    assert len(got) - n <= repeats, f"{len(got) - n} lines came twice"


@pytest.fixture
def agent(weir, tmp_path):
    """agent(config): a process over one and the same storage; the one before has ended."""
    return lambda text, **kw: weir(text, f"--storage.path={tmp_path / 'data'}", **kw)


@pytest.fixture
def positions(tmp_path):
    return tmp_path / "data" / "loki.source.file.f" / "positions.yml"


def test_follows_and_rotates(agent, positions, loki, tmp_path):
    log = Writer(tmp_path / "app.log")
    log.write(1000)
    w = agent(config(loki, log.path))
    for i in range(1, 6):
        log.write(300)
        log.rename(f".{i}", late=50)
        log.write(300)
        if i % 2:
            log.pack(f".{i}")
    check(loki, log.n)
    await_that("the position is saved", lambda: positions.exists() and f'"{os.path.getsize(log.path)}"' in positions.read_text(), limit=5)
    (_, labels), = loki.streams()
    assert labels == f'{{filename="{log.path}", job="t"}}'
    assert w.metric("loki_source_file_read_lines_total", path=str(log.path)) == log.n
    assert w.metric("loki_source_file_files_active_total") == 1
    assert "start tailing file" in w.log


def test_copytruncate_while_the_endpoint_is_down(weir, loki, tmp_path):
    log = Writer(tmp_path / "app.log")
    weir(config(loki, log.path))
    log.write(500)
    check(loki, log.n)
    loki.down()
    log.write(500)
    log.copytruncate(".1")
    log.write(40)
    log.pack(".1")
    loki.up()
    check(loki, log.n)


def test_rotated_while_stopped(agent, loki, tmp_path):
    log = Writer(tmp_path / "app.log")
    log.write(500)
    w = agent(config(loki, log.path))
    check(loki, log.n)
    for rotate in ((lambda: log.rename(".1"), lambda: (log.rename(".2"), log.pack(".2")), lambda: log.copytruncate(".3"),
                                lambda: (log.rename(".4"), log.write(70), log.rename(".5"), log.pack(".4")))):
        assert w.stop() == 0
        log.write(300)
        rotate()
        log.write(100)
        w = agent(config(loki, log.path))
        check(loki, log.n)


def test_everything_at_once(agent, loki, tmp_path):
    """Writing and rotating go on in a thread, while the agent is reloaded, stopped, killed, and the endpoint fails now and then."""
    log = Writer(tmp_path / "app.log")
    done = threading.Event()

    def write():
        i = 0
        while not done.is_set():
            log.write(40)
            i += 1
            if i % 25 == 0:
                log.rename(f".{i}", late=3)
            if i % 50 == 0:
                log.pack(f".{i}")
            time.sleep(0.004)

    t = threading.Thread(target=write)
    w = agent(config(loki, log.path))
    # What is rotated away before it was ever seen is nobody's to find.
    await_that("the file is followed", lambda: "start tailing file" in w.log)
    t.start()
    kills = 0
    try:
        for k in range(6):
            n = log.n
            await_that("some lines more", lambda: log.n > n + 1500)
            if k % 3 == 0:
                assert w.reload(config(loki, log.path, arguments=f'file_match {{ sync_period = "{k + 3}s" }}')).status == 200
            elif k % 3 == 1:
                assert w.stop() == 0
                w = agent(config(loki, log.path))
            else:
                w.p.send_signal(signal.SIGKILL)
                w.p.wait()
                w.expected_exit = w.p.returncode
                kills += 1
                w = agent(config(loki, log.path))
    finally:
        done.set()
        t.join()
    check(loki, log.n, repeats=kills * 25000)


def test_ten_thousand_files(weir, loki, tmp_path):
    folder = tmp_path / "many"
    folder.mkdir()
    n = 2000 if "WEIR_SANITIZED" in os.environ else 10000
    for i in range(n):
        (folder / f"{i}.log").write_text(f"line {i} a\n")
    w = weir(config(loki, f"{folder}/*.log", arguments='file_match {\n enabled = true\n sync_period = "1s"\n }'))
    await_that("a line of each", lambda: loki.count() == n, step=0.2)
    for i in range(0, n, 100):
        with open(folder / f"{i}.log", "a") as f:
            f.write(f"line {i} b\n")
    await_that("the lines that were added", lambda: loki.count() == n + n // 100, step=0.1)
    (folder / "new.log").write_text("line 0 c\n")
    await_that("the file that came", lambda: loki.count() == n + n // 100 + 1, step=0.1)
    os.unlink(folder / "new.log")
    await_that("it is let go of", lambda: w.metric("loki_source_file_files_active_total") == n)


def test_a_positions_file_cut_short(agent, positions, loki, tmp_path):
    log = Writer(tmp_path / "app.log")
    log.write(10)
    w = agent(config(loki, log.path))
    check(loki, log.n)
    assert w.stop() == 0
    text = positions.read_text()
    positions.write_text(text[:text.index("job")])  # within a quoted text
    again = agent(config(loki, log.path), wait=False)
    await_that("it ends", lambda: again.p.poll() is not None)
    assert f"invalid yaml positions file [{positions}]: yaml: line" in again.log + again.out
    again.expected_exit = again.p.returncode
    assert again.p.returncode != 0
