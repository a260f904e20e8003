"""prometheus.exporter.process beside Debian's prometheus-process-exporter on the same processes: families, types, help, labels, gauges."""
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest

from node_exporter_peer import get, parse
from weirproc import await_that, free_ports

# Processes of the test's own, so that nothing comes or goes: a parent with a name for itself, its child, and one with threads.
SLEEPER = "import sys, threading, subprocess, time\n" \
          "if sys.argv[1] == 'family': subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)', 'kin-' + sys.argv[2]])\n" \
          "if sys.argv[1] == 'threads': [threading.Thread(target=time.sleep, args=(600,), daemon=True).start() for _ in range(3)]\n" \
          "print('up', flush=True)\nsys.stdin.read()\n"
MATCHERS = [("{{.Matches.kind}} {{.Comm}} {{.Username}}", r"only-%s-(?P<kind>family|threads)")]
# What moves between the looks of two programs at processes that wait.
STEADY = re.compile("namedprocess_namegroup_(num_procs|num_threads|open_filedesc|worst_fd_ratio|oldest_start_time_seconds|states|threads_wchan|"
                    "thread_count|memory_bytes)")
LATER = {"process_exporter_build_info"}


def page(w):
    return f"{w.url}/api/v0/component/prometheus.exporter.process.p/metrics"


@pytest.fixture
def tag(tmp_path):
    """Two groups of processes whose command lines have this word."""
    word = f"t{time.monotonic_ns()}"
    started = []
    for kind in ("family", "threads"):
        p = subprocess.Popen([sys.executable, "-c", SLEEPER, kind, word, f"only-{word}-{kind}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             start_new_session=True)
        started.append(p)
        assert p.stdout.readline() == b"up\n"
    yield word
    for p in started:
        os.killpg(p.pid, signal.SIGKILL)
        p.wait(60)


def config(tag, more=""):
    blocks = "".join(f"  matcher {{\n    name = \"{name}\"\n    cmdline = [`{line % tag}`]\n  }}\n" for name, line in MATCHERS)
    return f'prometheus.exporter.process "p" {{\n{blocks}{more}}}\n'


class ProcessExporter:
    def __init__(self, folder, tag):
        program = shutil.which("prometheus-process-exporter") or shutil.which("process-exporter")
        if not program:
            pytest.skip("prometheus-process-exporter is not installed")
        port, = free_ports(1)
        (folder / "process.yml").write_text("process_names:\n" + "".join(
            f"  - name: '{name}'\n    cmdline: ['{line % tag}']\n" for name, line in MATCHERS))
        self.url = f"http://127.0.0.1:{port}/metrics"
        self.process = subprocess.Popen([program, "-config.path", str(folder / "process.yml"), "-web.listen-address", f"127.0.0.1:{port}"],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def close(self):
        self.process.terminate()
        self.process.wait(60)


@pytest.fixture
def peer(tmp_path, tag):
    exporter = ProcessExporter(tmp_path, tag)
    yield exporter
    exporter.close()


def compare(ours, theirs):
    theirs = {name: f for name, f in theirs.items() if name.startswith("namedprocess_")}
    faults = [f"{name}: only on one side" for name in set(ours) ^ set(theirs) if name not in LATER]
    for name in set(ours) & set(theirs):
        a, b = ours[name], theirs[name]
        if (a.type, a.help) != (b.type, b.help):
            faults.append(f"{name}: {a.type} {a.help!r}, not {b.type} {b.help!r}")
        if set(a.samples) != set(b.samples):
            faults.append(f"{name}: {sorted(set(a.samples) ^ set(b.samples))[:4]}")
        elif STEADY.fullmatch(name):
            faults += [f"{key}: {a.samples[key]}, not {value}" for key, value in b.samples.items()
                       if abs(a.samples[key] - value) > 0.1 * abs(value)]
    return faults


def test_same_as_process_exporter(weir, tag, peer):
    w = weir(config(tag))
    end = time.monotonic() + 60
    while True:  # the peer may still be starting; a state may change between two looks
        try:
            faults = compare(parse(get(page(w))), parse(get(peer.url)))
        except OSError as error:
            faults = [str(error)]
        if not faults:
            return
        assert time.monotonic() < end, "\n".join(faults)


@pytest.mark.core
def test_groups_children_and_settings(weir, tag):
    w = weir(config(tag))
    found = parse(get(page(w)))["namedprocess_namegroup_num_procs"].samples
    counts = {dict(key[1])["groupname"].split()[0]: value for key, value in found.items()}
    assert counts == {"family": 2, "threads": 1}
    assert w.reload(config(tag, "  track_children = false\n  track_threads = false\n  gather_smaps = false\n")).status == 200

    def alone():
        families = parse(get(page(w)))
        samples = families.get("namedprocess_namegroup_num_procs")
        return families if samples and sorted(samples.samples.values()) == [1, 1] else None

    families = await_that("children are left out", alone)
    assert not [name for name in families if "_thread_" in name]
    assert "proportionalResident" not in str(families["namedprocess_namegroup_memory_bytes"].samples)


@pytest.mark.core
def test_no_procfs_is_told(weir, tmp_path):
    w = weir(f'prometheus.exporter.process "p" {{\n  procfs_path = "{tmp_path}/none"\n  matcher {{\n    comm = ["x"]\n  }}\n}}\n')
    await_that("it is unhealthy", lambda: w.health("prometheus.exporter.process.p")["state"] == "unhealthy")
    assert "No such file or directory" in w.health("prometheus.exporter.process.p")["message"]
    families = parse(get(page(w)))
    assert families["namedprocess_scrape_errors"].samples[("namedprocess_scrape_errors", ())] >= 1
    assert "processes cannot be read" in w.log


@pytest.mark.core
def test_faults_have_their_place(weir_binary, tmp_path):
    (tmp_path / "c.alloy").write_text('prometheus.exporter.process "p" {\n  matcher {\n    comm = ["x"]\n  }\n  matcher {\n    name = "{{.Nmae}}"\n'
                                      '    cmdline = ["("]\n  }\n  matcher { }\n}\n')
    p = subprocess.run([weir_binary, "check", "c.alloy"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert p.returncode == 1
    assert "c.alloy:7:15: bad cmdline expression" in p.stderr
    assert "c.alloy:6:12: bad name template: there is no field Nmae" in p.stderr
    assert "c.alloy:9:3: a matcher needs comm, exe or cmdline" in p.stderr
