#!/usr/bin/env python3
"""The figures of configurations: checking, loading and reloading them. Prints Markdown tables for RESULTS.md.

usage: config.py --weir BINARY [--load BINARY] [--runs N] [--components N] [SCENARIO]...
scenarios (default: all):
  seed      weir check of the seed's configuration
  big       weir check of 10,000 components, and with --load the stages of loading them (see README.md)
  change    one component of 10,000 changes in a running process: CPU of the control loop
  traffic   OTLP load alone, during 100 reloads, and while an imported module changes: refusals, losses, latency

CPU is user + system time from the kernel's own accounting (schedstat, rusage), in ms: it means the same on a busy machine, though a busy
machine's caches make it larger. Latencies are wall time, and mean something on a quiet machine only.
"""
import argparse
import collections
import json
import os
import pathlib
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
SINK_PORT, OTLP_PORT, GRPC_PORT, HTTP_PORT = 19019, 14328, 14329, 12355
EVALUATED = b'msg="finished node evaluation"'


def row(*cells):
    print("| " + " | ".join(str(c) for c in cells) + " |", flush=True)


def table(title, *heads):
    print(f"\n### {title}\n")
    row(*heads)
    row(*["---"] * len(heads))


def spread(values, digits=1):
    """median (least-most)"""
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f}-{max(values):.{digits}f})"


# ---- processes ----

def cpu_of(argv):
    """CPU ms and wall ms of a command that must succeed."""
    out = subprocess.DEVNULL
    t = time.monotonic()
    p = subprocess.Popen(argv, stdout=out, stderr=out)
    _, status, usage = os.wait4(p.pid, 0)
    p.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - t
    if p.returncode:
        sys.exit(f"{' '.join(argv)} ended with {p.returncode}")
    return (usage.ru_utime + usage.ru_stime) * 1000, wall * 1000


def thread_ms(pid, tid):
    return int(pathlib.Path(f"/proc/{pid}/task/{tid}/schedstat").read_text().split()[0]) / 1e6


def process_ms(pid):
    return sum(thread_ms(pid, t) for t in os.listdir(f"/proc/{pid}/task"))


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), 0.5).close()
        return True
    except OSError:
        return False


def await_that(what, condition, limit=60.0):
    stop = time.monotonic() + limit
    while not condition():
        if time.monotonic() > stop:
            sys.exit(f"not within {limit:.0f} s: {what}")
        time.sleep(0.01)


class Weir:
    def __init__(self, binary, folder, text, flags=()):
        self.config, self.log_path = folder / "config.alloy", folder / "log"
        self.config.write_text(text)
        with open(self.log_path, "wb") as log:
            self.p = subprocess.Popen([binary, "run", f"--server.http.listen-addr=127.0.0.1:{HTTP_PORT}", f"--storage.path={folder / 'data'}",
                                       *flags, str(self.config)], stdout=log, stderr=log, cwd=folder)
        await_that("weir is ready", self.is_ready)

    def is_ready(self):
        if self.p.poll() is not None:
            sys.exit(f"weir ended with {self.p.returncode}:\n{self.log_path.read_text()[-2000:]}")
        try:
            return urllib.request.urlopen(f"http://127.0.0.1:{HTTP_PORT}/-/ready", timeout=5).status == 200
        except OSError:
            return False

    def write(self, text, path=None):
        """As editors and deployments do: beside, then renamed."""
        path = path or self.config
        beside = path.with_suffix(".new")
        beside.write_text(text)
        beside.rename(path)

    def reload(self):
        """Begin and end on the monotonic clock; a reload that fails ends the run."""
        t = time.monotonic()
        urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{HTTP_PORT}/-/reload", method="POST"), timeout=60).read()
        return t, time.monotonic()

    def evaluated(self):
        return self.log_path.read_bytes().count(EVALUATED)

    def control_ms(self):
        return thread_ms(self.p.pid, self.p.pid)  # the control loop is the main thread

    def stop(self):
        self.p.send_signal(signal.SIGTERM)
        self.p.wait(40)


def generated(components, *options):
    return subprocess.run([sys.executable, str(HERE / "genconfig.py"), str(components), *options], capture_output=True, text=True, check=True).stdout


# ---- checking and loading ----

def seed(a, folder):
    path = str(HERE.parent / "docs/images/seed.alloy")
    runs = [cpu_of([a.weir, "check", path]) for _ in range(max(a.runs, 3) * 10)]
    table("seed", "command", "runs", "CPU ms, exec to exit", "wall ms, exec to exit")
    row("weir check", len(runs), spread([r[0] for r in runs]), spread([r[1] for r in runs]))


def big(a, folder):
    mixes = {"all runnable": ["--own"], "all runnable, with foreach": ["--own", "--foreach"], "metrics, logs and traces": []}
    table(f"big: weir check of {a.components} components", "mix", "KiB", "runs", "CPU ms, exec to exit", "wall ms, exec to exit")
    for name, options in mixes.items():
        path = folder / "big.alloy"
        path.write_text(generated(a.components, *options))
        runs = [cpu_of([a.weir, "check", "--stability.level=experimental", str(path)]) for _ in range(max(a.runs, 3) * 3)]
        row(name, path.stat().st_size // 1024, len(runs), spread([r[0] for r in runs]), spread([r[1] for r in runs]))
    if a.load:
        for options in ("--own",), ("--own", "--foreach"):
            (folder / "big.alloy").write_text(generated(a.components, *options))
            print(f"\nStages of a load ({' '.join(options)}):\n\n```")
            sys.stdout.flush()
            subprocess.run([a.load, str(folder / "big.alloy")], check=True)
            print("```", flush=True)


# ---- one of many changes ----

def one_change(w, text):
    """Of one reload: CPU ms of the control loop until the answer and for a second after it, of the process, wall ms, nodes evaluated."""
    w.write(text)
    control, process, nodes = w.control_ms(), process_ms(w.p.pid), w.evaluated()
    begin, end = w.reload()
    answered = w.control_ms() - control
    time.sleep(1)
    return answered, w.control_ms() - control, process_ms(w.p.pid) - process, (end - begin) * 1000, w.evaluated() - nodes


def change(a, folder):
    texts = [generated(a.components, "--own", "--change"), generated(a.components, "--own")]
    w = Weir(a.weir, folder, texts[1], ["--workers=1"])  # watching, as by default: what it does is counted too
    time.sleep(1)
    w.reload()  # the first one also pays for what the start left to do
    runs = [one_change(w, texts[i % 2]) for i in range(max(a.runs, 3) * 4)]
    w.stop()
    table(f"change: one of {a.components} components", "runs", "control loop, CPU ms until answered", "and a second after", "process, CPU ms",
          "wall ms until answered", "nodes evaluated")
    row(len(runs), *[spread([r[i] for r in runs]) for i in range(4)], spread([r[4] for r in runs], 0))


# ---- reloads under load ----

def pipeline(generation, by_module):
    """The pipeline of the trace figures and an attribute that changes, in the configuration or in an imported module."""
    text = (HERE / "weir/traces.alloy").read_text()
    action = f'  action {{\n    key    = "generation"\n    value  = "g{generation}"\n    action = "upsert"\n  }}\n\n'
    ports = {"{{compression}}": "none", "{{grpc_port}}": str(GRPC_PORT), "{{otlp_port}}": str(OTLP_PORT), "{{sink}}": f"127.0.0.1:{SINK_PORT}"}
    for key, value in ports.items():
        text = text.replace(key, value)
    if not by_module:
        return text.replace('attributes "default" {\n', 'attributes "default" {\n' + action)
    text = text.replace("traces = [otelcol.exporter.otlphttp.default.input]", "traces = [own.marked.default.input]")
    return text + '\nimport.file "own" {\n  filename = "module.alloy"\n}\n\nown.marked "default" {\n  to = [otelcol.exporter.otlphttp.default.input]\n}\n'


def module(generation):
    return f'''declare "marked" {{
  argument "to" {{ }}

  otelcol.processor.attributes "generation" {{
    action {{
      key    = "generation"
      value  = "g{generation}"
      action = "upsert"
    }}

    output {{
      traces = argument.to.value
    }}
  }}

  export "input" {{
    value = otelcol.processor.attributes.generation.input
  }}
}}
'''


def reloads(w, folder, windows):
    for i in range(1, 101):
        w.write(pipeline(i, False))
        windows.append(w.reload())
        time.sleep(0.05)


def module_changes(w, folder, windows):
    """The file is found changed by watching; what follows it is over within the next one's time."""
    for i in range(1, 26):
        begin = time.monotonic()
        w.write(module(i), folder / "module.alloy")
        time.sleep(0.6)
        windows.append((begin, time.monotonic()))


def no_changes(w, folder, windows):
    time.sleep(6)


def requests_of(path):
    """[(begin, end, taken)] in seconds"""
    out = []
    for line in path.read_text().splitlines():
        begin, end, taken = map(int, line.split())
        out.append((begin / 1e6, end / 1e6, taken))
    return sorted(out)


AFTER = 0.01  # s after the answer: the workers apply what is new


def during(requests, windows):
    """The latencies of the requests that were under way while a change was, or just after."""
    out, i = [], 0
    for begin, end, _ in requests:
        while i < len(windows) and windows[i][1] + AFTER < begin:
            i += 1
        if i < len(windows) and windows[i][0] < end:
            out.append((end - begin) * 1000)
    return out


def percentile(values, p):
    v = sorted(values)
    return v[min(len(v) - 1, int(len(v) * p))] if v else float("nan")


def sink_stats():
    with urllib.request.urlopen(f"http://127.0.0.1:{SINK_PORT}/stats", timeout=30) as r:
        return json.loads(r.read())["ports"][0]


def traffic_run(a, folder, rate, act, by_module):
    folder = pathlib.Path(tempfile.mkdtemp(dir=folder))
    (folder / "module.alloy").write_text(module(0))
    sink = subprocess.Popen([str(HERE / "sink"), "-p", str(SINK_PORT), "-s", "-e", "deployment.cluster=bench"], stdout=subprocess.DEVNULL)
    await_that("the sink listens", lambda: answers(SINK_PORT))
    w = Weir(a.weir, folder, pipeline(0, by_module), ["--workers=1", "--config.watch=false"])
    times = folder / "times"
    argv = [str(HERE / "otlpgen"), "-p", str(OTLP_PORT), "-c", "4", "-b", "512", "-d", "300", "-t", str(times)] + (["-r", str(rate)] if rate else [])
    windows = []
    gen = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    time.sleep(1)
    nodes = w.evaluated()
    control = w.control_ms()
    act(w, folder, windows)
    control = w.control_ms() - control
    nodes = w.evaluated() - nodes
    time.sleep(0.5)
    gen.send_signal(signal.SIGTERM)  # it waits for its answers
    report = json.loads(gen.communicate(timeout=60)[0])
    stop = time.monotonic() + 30
    while sink_stats()["unique"] < report["spans"] and time.monotonic() < stop:
        time.sleep(0.1)
    k = sink_stats()
    w.stop()
    sink.terminate()
    sink.wait()
    return dict(report=report, sink=k, requests=requests_of(times), windows=windows, nodes=nodes, control=control)


KINDS = {  # name: (what happens, whether what changes is in a module)
    "no reload": (no_changes, False),
    "100 reloads": (reloads, False),
    "no module change": (no_changes, True),
    "25 module changes": (module_changes, True),
}


def of_kind(name, runs):
    """One line: all requests of all runs together."""
    count = lambda key: sum(r["report"][key] for r in runs)
    all_ms = [(end - begin) * 1000 for r in runs for begin, end, _ in r["requests"]]
    within = [ms for r in runs for ms in during(r["requests"], r["windows"])]
    changes = sum(len(r["windows"]) for r in runs)
    took = [(end - begin) * 1000 for r in runs for begin, end in r["windows"]]
    lost = sum(r["report"]["spans"] - r["sink"]["unique"] for r in runs)
    row(name, len(runs), count("spans"), count("refused") + count("errors"), lost, sum(r["sink"]["duplicates"] for r in runs),
        *[f"{percentile(all_ms, p):.2f}" for p in (0.5, 0.99)], f"{max(all_ms):.1f}",
        f"{percentile(within, 0.99):.2f} of {len(within)}" if within else "", f"{statistics.median(took):.1f}" if took else "",
        f"{sum(r['control'] for r in runs) / changes:.2f}" if changes else "", f"{sum(r['nodes'] for r in runs) / changes:.1f}" if changes else "")


def traffic(a, folder):
    for rate in a.rates:
        results = collections.defaultdict(list)
        for _ in range(a.runs):  # in turns, so that the machine's drift falls on all alike
            for name, (act, by_module) in KINDS.items():
                results[name].append(traffic_run(a, folder, rate, act, by_module))
        table(f"traffic: {f'{rate} spans/s' if rate else 'closed loop'}, 512 spans a request, 4 connections, one worker", "meanwhile", "runs", "spans taken",
              "refused", "lost", "duplicates", "p50 ms", "p99 ms", "max ms", "p99 ms of requests during a change", "a change, wall ms",
              "control loop, CPU ms a change", "nodes evaluated a change")
        for name, runs in results.items():
            of_kind(name, runs)


SCENARIOS = {"seed": seed, "big": big, "change": change, "traffic": traffic}


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--weir", required=True)
    ap.add_argument("--load", help="the binary that `make -C bench load` builds")
    ap.add_argument("--runs", type=int, default=3)
    ap.add_argument("--components", type=int, default=10000)
    ap.add_argument("--rates", type=int, nargs="*", default=[100000, 0], help="spans/s of traffic; 0: as fast as they are taken")
    ap.add_argument("scenarios", nargs="*", default=list(SCENARIOS))
    a = ap.parse_args()
    a.weir = os.path.abspath(a.weir)
    a.load = a.load and os.path.abspath(a.load)
    for name in a.scenarios or SCENARIOS:
        with tempfile.TemporaryDirectory() as folder:
            SCENARIOS[name](a, pathlib.Path(folder))


main()
