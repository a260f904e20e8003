#!/usr/bin/env python3
"""The figures of the log path, Weir and peers interleaved: prints Markdown tables for RESULTS.md.

usage: logs.py --weir BINARY [--fluent-bit BINARY] [--syslog-ng BINARY] [--runs N] [--size BYTES] [--files N] [SCENARIO]...
scenarios: long short files   (default: all)

long: a file of lines of 143 bytes on average, short: of 40 bytes; from the first to the last line, through the seed's pipeline, into a sink that
decodes and counts. files: that many files that nobody writes to, watched.
"""
import argparse
import os
import pathlib
import subprocess
import tempfile

from table import HERE, interleaved

EXPECT = ["--expect", "cluster=bench", "--expect", "environment=test"]


def generate(path, shape, size):
    subprocess.run([str(HERE / "loggen"), "-o", str(path), "-b", size, "-s", shape], check=True, stdout=subprocess.DEVNULL)
    return str(path)


class Plan:
    def __init__(self, a, folder):
        self.a, self.folder = a, pathlib.Path(folder)
        self.logs = {}
        self.weir = f"{a.weir} run --server.http.listen-addr=127.0.0.1:{{{{http_port}}}} --storage.path={{{{work}}}}/data --workers={a.workers} {{{{config}}}}"

    def log(self, shape):
        if shape not in self.logs:
            self.logs[shape] = generate(self.folder / f"{shape}.log", shape, self.a.size)
        return self.logs[shape]

    def tail(self, shape):
        more = [*EXPECT, "--log", self.log(shape), "--limit", "300"]
        out = [("weir", "logs", self.weir, str(HERE / "weir/logs.alloy"), more)]
        if self.a.fluent_bit:
            parsers = ["--config", str(HERE / "peers/fluent-bit-parsers.conf")]
            out.append(("fluent-bit", "logs", f"{self.a.fluent_bit} -c {{{{config}}}}", str(HERE / "peers/fluent-bit-logs.yaml"), parsers + more))
        if self.a.syslog_ng:
            cmd = f"{self.a.syslog_ng} -F --no-caps -f {{{{config}}}} -R {{{{work}}}}/persist -c {{{{work}}}}/ctl --pidfile {{{{work}}}}/pid"
            out.append(("syslog-ng", "logs", cmd, str(HERE / "peers/syslog-ng.conf"), more))
        return out

    def idle_files(self):
        many = self.folder / "many"
        if not many.exists():
            many.mkdir()
            for i in range(self.a.files):
                (many / f"{i:05}.log").write_text(f"seq={i + 1} info the only line of this file\n")
        ready = ["--ready", "http://127.0.0.1:12345/-/ready", "--log", str(many), "--settle", "15", "--seconds", "30"]
        return [("weir", "idle", self.weir, str(HERE / "weir/files.alloy"), ready)]

    def of(self, scenario):
        return self.idle_files() if scenario == "files" else self.tail({"long": "plain", "short": "short"}[scenario])


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--weir", required=True)
    ap.add_argument("--fluent-bit")
    ap.add_argument("--syslog-ng")
    ap.add_argument("--runs", type=int, default=3)
    ap.add_argument("--size", default="1G", help="of each log file")
    ap.add_argument("--files", type=int, default=5000)
    ap.add_argument("--workers", type=int, default=1)
    ap.add_argument("--out", default=os.devnull, help="append raw results as JSON lines")
    ap.add_argument("scenarios", nargs="*", default=["long", "short", "files"])
    a = ap.parse_args()
    a.weir = os.path.abspath(a.weir)
    with tempfile.TemporaryDirectory() as folder:
        plan = Plan(a, folder)
        for scenario in a.scenarios:
            interleaved(scenario, lambda: plan.of(scenario), a.runs, a.out)


main()
