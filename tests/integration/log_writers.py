"""Logs as programs write and rotate them, with a number in each physical line, so that a receiver can count: plain lines, CRI lines behind
kubelet's symlink, blocks of several lines. One thread writes all of them; a rotation happens between two writes, so that none of the ways loses a
line by itself."""
import gzip
import os
import re
import shutil
import threading
import time

NUMBER = re.compile(r"#(\d{8});")
LEVELS = ("debug", "INFO", "warn", "nothing", "Error")


def numbers(text):
    """The physical lines that an entry is made of."""
    return [int(n) for n in NUMBER.findall(text)]


def plain_line(i):
    return b"#%08d; a line of level %s with %s\n" % (i, LEVELS[i * 7 % 5].encode(), b"x" * (i * 37 % 90))


def block_line(i):
    """A block begins with [, and has one to five lines."""
    first = i % 4 == 0 or i % 7 == 0
    return b"%s#%08d; %s%s\n" % (b"[" if first else b"    at ", i, LEVELS[i // 4 % 5].encode() if first else b"frame", b"y" * (i * 11 % 40))


def cri_line(i):
    """Every third line is a part whose rest is the next line."""
    when = time.time_ns()
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(when // 10**9))
    return b"%s.%09dZ stdout %s #%08d; level=%s\n" % (stamp.encode(), when % 10**9, b"P" if i % 3 == 0 else b"F", i, LEVELS[i // 3 % 5].encode())


class Log:
    """A file that is written to; `path` is what the agent is told."""

    def __init__(self, path, line=plain_line):
        self.path = self.real = str(path)
        self.line, self.n, self.generation = line, 0, 0
        self.open()

    def open(self):
        self.f = open(self.real, "ab", buffering=0)

    def write(self, lines):
        self.f.write(b"".join(self.line(i) for i in range(self.n, self.n + lines)))
        self.n += lines

    def complete(self):
        """Not a part of a CRI line at the end, whose rest would be waited for."""
        if self.line is cri_line and self.n % 3 == 1:
            self.write(1)

    def reopen(self):
        self.f.close()
        self.open()

    def rotated(self):
        """The rotated files as (generation, path), the youngest first."""
        folder, base = os.path.split(self.real)
        found = []
        for name in os.listdir(folder):
            m = re.fullmatch(re.escape(base) + r"\.(\d+)(\.gz)?", name)
            if m:
                found.append((int(m[1]), os.path.join(folder, name)))
        return sorted(found)

    def shift(self):
        """app.log.1 becomes app.log.2, and so on, the oldest first."""
        for n, path in reversed(self.rotated()):
            os.rename(path, f"{self.real}.{n + 1}{'.gz' if path.endswith('.gz') else ''}")

    def close(self):
        self.f.close()


def pack(path):
    """As logrotate does: the time is kept, the plain file goes when the packed one is whole."""
    with open(path, "rb") as src, gzip.open(path + ".gz", "wb", compresslevel=1) as dst:
        shutil.copyfileobj(src, dst)
    shutil.copystat(path, path + ".gz")
    os.unlink(path)


# --- rotations: each takes the log and the number of lines that come late, to the old file ---

def by_rename(log, late=0):
    log.shift()
    os.rename(log.real, log.real + ".1")
    log.write(late)  # the writer has not been told yet
    log.reopen()


def by_rename_create(log, late=0):
    """An empty new file is there before the writer goes over to it."""
    log.shift()
    os.rename(log.real, log.real + ".1")
    open(log.real, "ab").close()
    log.write(late)
    log.reopen()


def by_rename_and_gzip(log, late=0):
    by_rename(log, late)
    pack(log.real + ".1")


def by_rename_and_later_gzip(log, late=0):
    """delaycompress: the rotation before this one is packed."""
    if os.path.exists(log.real + ".1"):
        pack(log.real + ".1")
    by_rename_create(log, late)


def by_date(log, late=0):
    log.generation += 1
    os.rename(log.real, f"{log.real}-20261130{log.generation:04}")
    log.write(late)
    log.reopen()


def by_copytruncate(log, late=0):
    log.shift()
    shutil.copy2(log.real, log.real + ".1")
    os.truncate(log.real, 0)


def by_copytruncate_and_gzip(log, late=0):
    by_copytruncate(log)
    pack(log.real + ".1")


def by_kubelet(log, late=0):
    """The file behind the symlink gets the time as a suffix; the one before it is packed. The runtime is told at once."""
    log.generation += 1
    folder, base = os.path.split(log.real)
    for name in os.listdir(folder):
        if re.fullmatch(re.escape(base) + r"\.2026\d{4}-\d{6}", name):
            pack(os.path.join(folder, name))
    os.rename(log.real, f"{log.real}.20261130-{log.generation:06}")
    log.reopen()


def kubelet_log(folder, name):
    """A CRI log of kubelet: containers/NAME.log -> pods/NAME/0.log."""
    (folder / "pods" / name).mkdir(parents=True)
    (folder / "containers").mkdir(exist_ok=True)
    log = Log(folder / "pods" / name / "0.log", cri_line)
    log.path = str(folder / "containers" / f"{name}.log")
    os.symlink(log.real, log.path)
    return log


ROTATIONS = (by_rename, by_rename_create, by_rename_and_gzip, by_rename_and_later_gzip, by_date, by_copytruncate, by_copytruncate_and_gzip)


class Logger:
    """Writes to all logs at a steady rate (lines a second to each), in a thread; do(f) runs f between two writes."""

    def __init__(self, logs, rate):
        self.logs, self.rate = logs, rate
        self.lock, self.done = threading.Lock(), threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.failure = None

    def run(self):
        start, written = time.monotonic(), 0
        try:
            while not self.done.wait(0.01):
                due = int((time.monotonic() - start) * self.rate)
                with self.lock:
                    for log in self.logs:
                        log.write(due - written)
                written = due
        except Exception as e:  # told by stop()
            self.failure = e

    def do(self, f, *args, **kw):
        with self.lock:
            return f(*args, **kw)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self.done.set()
        self.thread.join()
        assert self.failure is None, self.failure
