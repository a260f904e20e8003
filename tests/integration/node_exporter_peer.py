"""Debian's prometheus-node-exporter as a peer, and expositions taken apart so that two can be compared."""
import re
import shutil
import subprocess
import urllib.request

import pytest

SAMPLE = re.compile(r'^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')


class Family:
    def __init__(self, name):
        self.name, self.help, self.type, self.samples = name, None, None, {}


def parse(text):
    """{family name: Family}; samples by their sorted labels. The form of our own expositions and of client libraries only."""
    families = {}
    for line in text.splitlines():
        if line.startswith(("# HELP ", "# TYPE ")):
            _, what, name, rest = (line + " ").split(" ", 3)
            family = families.setdefault(name, Family(name))
            setattr(family, what.lower(), rest.strip())
        elif line:
            match = SAMPLE.match(line)
            assert match, f"not a sample: {line!r}"
            name, labels, value = match.groups()
            base = next((n for n in (name, re.sub("_(bucket|sum|count)$", "", name)) if n in families), None)
            assert base, f"a sample without its family: {line!r}"
            key = (name, tuple(sorted(LABEL.findall(labels or ""))))
            assert key not in families[base].samples, f"twice: {line!r}"
            families[base].samples[key] = float(value)
    return families


def get(url):
    with urllib.request.urlopen(url, timeout=60) as answer:
        return answer.read().decode()


class NodeExporter:
    def __init__(self, port, *flags):
        program = shutil.which("prometheus-node-exporter") or shutil.which("node_exporter")
        if not program:
            pytest.skip("prometheus-node-exporter is not installed")
        self.url = f"http://127.0.0.1:{port}/metrics"
        self.process = subprocess.Popen([program, f"--web.listen-address=127.0.0.1:{port}", *flags],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def close(self):
        self.process.terminate()
        self.process.wait(60)
