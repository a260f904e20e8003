"""Fixtures: a Weir process with a configuration, backends that decode what arrives, and the load tools of bench/.

Everything listens on loopback, on free ports; conditions are awaited, never slept for. Tests marked `core` need nothing but pytest, so that
sanitizer builds run them too; the others fetch their peers themselves and skip by name when they cannot.
"""
import os
import pathlib
import subprocess

import pytest

from backend import Backend
from loki_backend import Loki
from weirproc import Weir, free_ports

ROOT = pathlib.Path(__file__).resolve().parents[2]


def pytest_configure(config):
    config.addinivalue_line("markers", "core: needs nothing from outside; runs under the sanitizers too")


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture(scope="session")
def weir_binary():
    path = os.environ.get("WEIR", str(ROOT / "build" / "weir"))
    assert os.access(path, os.X_OK), f"{path} is not built"
    return path


@pytest.fixture
def weir(weir_binary, tmp_path):
    """start(config, *flags) -> a running Weir that is ready; stopped at the end, and its end is checked. path: a file or folder that exists,
    in place of a configuration; binary: another program or name of it."""
    started = []

    def start(config, *flags, wait=True, env=None, path=None, binary=None):
        w = Weir(binary or weir_binary, tmp_path / f"w{len(started)}", config, flags, env, path)
        started.append(w)
        if wait:
            w.wait_ready()
        return w

    yield start
    for w in started:
        w.finish()


@pytest.fixture
def backend():
    b = Backend()
    yield b
    b.close()


@pytest.fixture
def loki():
    """A Loki push endpoint; see loki_backend.py."""
    b = Loki()
    yield b
    b.close()


@pytest.fixture
def ports():
    """ports(n): that many free TCP ports."""
    return free_ports


@pytest.fixture(scope="session")
def tool():
    """tool(name): path of a load tool of bench/."""

    def find(name):
        path = ROOT / "bench" / name
        assert path.exists(), f"{path} is not built: make bench-tools"
        return str(path)

    return find


@pytest.fixture
def sink(tool, tmp_path):
    """sink(*args): a running bench/sink, which counts spans by sequence number; .stats() asks it."""
    from weirproc import LoadSink

    running = []

    def start(*args):
        s = LoadSink(tool("sink"), free_ports(1)[0], args, tmp_path / f"sink{len(running)}.log")
        running.append(s)
        return s

    yield start
    for s in running:
        s.close()


@pytest.fixture
def otlpgen(tool):
    """otlpgen(port, *args): runs the generator to its end; what it prints."""
    import json

    def run(port, *args, timeout=120):
        r = subprocess.run([tool("otlpgen"), "-p", str(port), *map(str, args)], capture_output=True, text=True, timeout=timeout)
        assert r.returncode == 0, r.stderr
        return json.loads(r.stdout)

    return run
