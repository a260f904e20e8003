"""prometheus.remote_write: its log on disk: full, damaged, expired, and a process that is killed again and again."""
import os
import random
import resource
import signal
import struct
import subprocess
import threading
import time

import pytest

from prom_backend import Answer, Prometheus, Series
from rw_world import Sender, arrived, config, endpoint, in_order, post_v1, queue, settled
from weirproc import SANITIZED, await_that

pytestmark = pytest.mark.core
OUT = "prometheus.remote_write.out"
MAGIC = struct.pack("<I", 0x676C6457)


@pytest.fixture
def prom():
    b = Prometheus()
    yield b
    b.close()


@pytest.fixture
def other():
    b = Prometheus()
    yield b
    b.close()


def kill(w):
    w.expected_exit = -signal.SIGKILL
    w.signal(signal.SIGKILL)
    w.p.wait()


def log_folder(w):
    return w.folder / "data" / "prometheus.remote_write.out" / "log"


def segments(w):
    return sorted(log_folder(w).glob("*.seg"))


def records(data):
    """Offsets of the records of a segment."""
    out, at = [], data.find(MAGIC)
    while at >= 0:
        out.append(at)
        at = data.find(MAGIC, at + 8)
    return out


# --- damage ---

def left_behind(weir, prom, port, pushes=12):
    """What a killed process leaves: pushes of 30 samples, one record each. The data folder, the sender, the segment."""
    s = Sender(port)
    prom.down()
    w = weir(config(port, endpoint(prom)))
    for _ in range(pushes):
        assert s.send(tries=100)
    kill(w)
    segment, = segments(w)
    assert len(records(segment.read_bytes())) == pushes
    return w.folder / "data", s, segment


def read_back(weir, prom, port, data, want):
    prom.up()
    w = weir(config(port, endpoint(prom)), f"--storage.path={data}")
    await_that("what can be kept arrives", lambda: want <= arrived(prom))
    after = Sender(port)
    after.n = 100000
    assert after.send(tries=100)
    settled(prom, after)
    assert arrived(prom) == want | set(map(float, after.acked))
    in_order(prom)
    return w


def without(s, *pushes):
    gone = {float(i) for p in pushes for i in range(p * 30, p * 30 + 30)}
    return set(map(float, s.acked)) - gone


def told(w, segment, offset):
    lines = [x for x in w.log.splitlines() if "is damaged and is skipped" in x]
    assert len(lines) == 1 and str(segment.name) in lines[0] and f"offset={offset} " in lines[0], lines


def test_a_log_that_was_cut_short(weir, prom, ports):
    port = ports(1)[0]
    data, s, segment = left_behind(weir, prom, port)
    at = records(segment.read_bytes())
    os.truncate(segment, at[-1] + 20)  # the last record lacks its end
    w = read_back(weir, prom, port, data, without(s, 11))
    told(w, segment, at[-1])


@pytest.mark.parametrize("where", ["head", "payload", "length"])
def test_a_log_with_a_flipped_bit(weir, prom, ports, where):
    port = ports(1)[0]
    data, s, segment = left_behind(weir, prom, port)
    raw = bytearray(segment.read_bytes())
    at = records(raw)
    raw[at[5] + {"head": 0, "length": 6, "payload": 30}[where]] ^= 0x10
    segment.write_bytes(raw)
    w = read_back(weir, prom, port, data, without(s, 5))
    told(w, segment, at[5])
    assert w.metric("prometheus_remote_write_wal_corruptions_total") >= 1


def test_a_log_whose_series_are_damaged(weir, prom, ports):
    """The record that names the series is gone: their samples cannot be sent, which is counted and said; later files are whole."""
    port = ports(1)[0]
    data, s, segment = left_behind(weir, prom, port)
    raw = bytearray(segment.read_bytes())
    raw[records(raw)[0] + 30] ^= 1
    segment.write_bytes(raw)
    w = read_back(weir, prom, port, data, set())
    told(w, segment, 0)
    assert "the record that names their series is damaged" in w.log
    assert w.metric("prometheus_remote_storage_samples_dropped_total", reason="unintentionally_dropped_series") == 330


def test_garbage_in_the_folder(weir, prom, ports):
    port = ports(1)[0]
    data, s, segment = left_behind(weir, prom, port)
    mark, = segment.parent.glob("*.mark")
    mark.write_bytes(os.urandom(40))
    (segment.parent / "00000000.seg").write_bytes(b"x" * 100)
    (segment.parent / "99999999999.seg").write_bytes(b"x")
    (segment.parent / "00000009.seg").write_bytes(random.Random(5).randbytes(100000))
    w = read_back(weir, prom, port, data, set(map(float, s.acked)))
    assert "a mark of the log cannot be read" in w.log


def test_cut_while_it_runs(weir, prom, ports):
    """Somebody empties the file under a running process: said once, and what comes afterwards arrives."""
    port = ports(1)[0]
    prom.respond = Answer(503)
    w = weir(config(port, endpoint(prom, queue(capacity=1, max_samples_per_send=1))))
    s = Sender(port)
    for _ in range(5):
        assert s.send(tries=100)
    os.truncate(segments(w)[0], 0)
    prom.respond = Answer(200)
    after = Sender(port)
    after.n = 100000
    await_that("the damage is found", lambda: "is damaged and is skipped" in w.log)
    assert after.send(tries=100)
    settled(prom, after)
    assert w.log.count("is damaged and is skipped") == 1


# --- a full disk ---

def limited(tmp_path, binary):
    """Weir with a file size limit it cannot pass (what a full disk does, of files that grow): 64 KiB."""
    script = tmp_path / "limited"
    script.write_text(f'#!/bin/sh\ntrap "" XFSZ\nulimit -f 128\nexec {binary} "$@"\n')
    script.chmod(0o755)
    return str(script)


class Disk:
    """A small tmpfs in a mount namespace of its own, in which the process runs; skipped where that is not permitted."""

    def __init__(self, tmp_path, binary, size="256k"):
        self.folder = tmp_path / "disk"
        self.folder.mkdir()
        inner = f'mount -t tmpfs -o size={size} none {self.folder} && exec "$0" "$@"'
        if subprocess.run(["unshare", "-rm", "sh", "-c", inner, "true"], capture_output=True).returncode != 0:
            pytest.skip("no mount namespaces here")
        self.binary = tmp_path / "on_disk"
        self.binary.write_text(f"#!/bin/sh\nexec unshare -rm sh -c '{inner}' {binary} \"$@\"\n")
        self.binary.chmod(0o755)

    def inside(self, w):
        """The folder, seen from without."""
        return f"/proc/{w.p.pid}/root{self.folder}"


def test_a_full_disk(weir, weir_binary, prom, ports, tmp_path):
    """The sender is refused until the endpoint is back and files can go; what was acknowledged arrives, and it is said once."""
    disk, port = Disk(tmp_path, weir_binary), ports(1)[0]
    prom.respond = Answer(503)
    w = weir(config(port, endpoint(prom)), f"--storage.path={disk.folder / 'data'}", binary=str(disk.binary))
    s = Sender(port, series=500)
    assert s.send(500, tries=100)
    refused = 0
    while refused < 3:
        refused += not s.send(2000, timeout=1)
        assert s.n < 1_000_000, "256 KiB were never full"
    lines = [x for x in w.log.splitlines() if "the log on disk does not take samples" in x]
    assert len(lines) == 1 and "No space left on device" in lines[0] and "log" in lines[0]
    await_that("it is unhealthy", lambda: "No space left" in w.health(OUT)["message"])
    prom.respond = Answer(200)
    settled(prom, s)
    assert s.send(2000, tries=200)
    settled(prom, s)
    in_order(prom)
    await_that("all is well", lambda: w.health(OUT)["state"] == "healthy")
    assert w.log.count("the log on disk takes samples again") == 1


def test_a_disk_that_is_full_of_others(weir, weir_binary, prom, ports, tmp_path):
    """The disk has no byte left though the endpoint has everything: senders wait until somebody frees some."""
    disk, port = Disk(tmp_path, weir_binary), ports(1)[0]
    w = weir(config(port, endpoint(prom)), f"--storage.path={disk.folder / 'data'}", binary=str(disk.binary))
    s = Sender(port)
    assert s.send(tries=100)
    settled(prom, s)
    ballast = f"{disk.inside(w)}/ballast"
    with open(ballast, "wb", buffering=0) as f:
        try:
            while True:
                f.write(b"x" * 512)
        except OSError:
            pass
    for _ in range(500):
        if not s.send(300, timeout=1):
            break
    assert "the log on disk does not take samples" in w.log
    os.unlink(ballast)
    assert s.send(tries=200)
    settled(prom, s)


def test_a_file_that_may_not_grow(weir, weir_binary, prom, ports, tmp_path):
    port = ports(1)[0]
    prom.respond = Answer(503)
    w = weir(config(port, endpoint(prom)), binary=limited(tmp_path, weir_binary))
    s = Sender(port, series=200)
    refused = 0
    while refused < 1 and s.n < 2_000_000:
        refused += not s.send(1000, tries=1 if s.n else 100, timeout=1)
    prom.respond = Answer(200)
    settled(prom, s)
    assert refused and "the log on disk does not take samples" in w.log
    assert s.send(tries=200)
    settled(prom, s)


def test_a_folder_that_cannot_be_made(weir, prom, ports, tmp_path):
    """Said, with its name; healthy it is not."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "prometheus.remote_write.out").write_text("in the way")
    w = weir(config(ports(1)[0], endpoint(prom)), f"--storage.path={data}")
    await_that("it is unhealthy", lambda: w.health(OUT)["state"] == "unhealthy")
    assert "prometheus.remote_write.out" in w.health(OUT)["message"] and "the log on disk does not take samples" in w.log


# --- what expires ---

WAL = 'wal {\n min_keepalive_time = "1s"\n max_keepalive_time = "2s"\n truncate_frequency = "1s"\n }\n'


def test_what_is_too_old_in_the_log_goes(weir, prom, other, ports):
    """An endpoint that is away for longer than max_keepalive_time loses the oldest files, which is counted and said; the other has everything."""
    port = ports(1)[0]
    prom.respond = Answer(503)
    w = weir(config(port, endpoint(prom), endpoint(other), more=WAL))
    s = Sender(port)

    def given_up():
        assert s.send(tries=100)
        time.sleep(0.1)
        return "samples are given up: they are older than max_keepalive_time" in w.log

    await_that("files are given up", given_up)
    lost = w.metric("prometheus_remote_storage_samples_dropped_total", reason="too_old", url=prom.url)
    prom.respond = Answer(200)
    settled(other, s)
    last = Sender(port)
    last.n = 1_000_000
    assert last.send(tries=100)
    settled(prom, last)
    in_order(prom)
    kept = arrived(prom) - set(map(float, last.acked))
    assert kept == set(map(float, s.acked[len(s.acked) - len(kept):]))  # the newest of them, without a hole
    lost = w.metric("prometheus_remote_storage_samples_dropped_total", reason="too_old", url=prom.url)
    assert lost == len(s.acked) - len(kept)
    assert len(segments(w)) <= 4


def test_files_go_when_they_are_delivered(weir, prom, ports):
    """truncate_frequency closes a file; one that every endpoint has goes, whatever the keepalive times."""
    port = ports(1)[0]
    w = weir(config(port, endpoint(prom), more='wal {\n truncate_frequency = "300ms"\n }'))
    s = Sender(port)

    def moved_on():
        assert s.send(tries=100)
        return segments(w)[-1].name >= "00000004.seg"

    await_that("files were closed", moved_on, step=0.1)
    settled(prom, s)
    await_that("the others are gone", lambda: len(segments(w)) <= 2)
    assert w.metric("prometheus_remote_write_wal_truncate_duration_seconds_count") >= 2


# --- killed again and again ---

class Load(threading.Thread):
    """Pushes until it is told to end; what was acknowledged counts."""

    def __init__(self, sender):
        super().__init__(daemon=True)
        self.sender, self.over = sender, False

    def run(self):
        while not self.over:
            if not self.sender.send(60, timeout=5):
                time.sleep(0.02)


def test_twenty_kills_at_random_moments(weir, prom, ports):
    """What was acknowledged, that is, written to the log, arrives, though the process is killed twenty times, now and then with an endpoint that
    does not answer; nothing is out of order."""
    seed = int(os.environ.get("WEIR_SEED", random.randrange(1 << 30)))
    print("seed", seed)
    rng, port = random.Random(seed), ports(1)[0]
    s, data = Sender(port, series=50), None
    load = Load(s)
    load.start()
    for i in range(20):
        prom.respond = rng.choice([Answer(200), Answer(200), Answer(503), Answer(200, delay=0.05), lambda n, h: Answer(200, cut=n % 7 == 0)])
        wal = 'wal {\n truncate_frequency = "%dms"\n }' % rng.choice([100, 1000, 7200000])
        w = weir(config(port, endpoint(prom, queue(capacity=rng.choice([100, 10000]), max_samples_per_send=rng.choice([7, 2000]))), more=wal),
                 *([f"--storage.path={data}"] if data else []))
        data = data or w.folder / "data"
        time.sleep(rng.random() * (0.8 if SANITIZED else 0.3))
        kill(w)
    load.over = True
    load.join()
    prom.respond = Answer(200)
    weir(config(port, endpoint(prom)), f"--storage.path={data}")
    assert s.send(tries=100)
    settled(prom, s)
    in_order(prom)
    assert len(s.acked) > 1000
