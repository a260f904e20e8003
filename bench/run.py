#!/usr/bin/env python3
"""The figures of the trace path, Weir and peers interleaved: prints a Markdown table for RESULTS.md.

usage: run.py --weir BINARY [--otelcol BINARY] [--fluent-bit BINARY] [--runs N] [--seconds S] [SCENARIO]...
scenarios: idle plain gzip grpc grpc-out workers live overload outage   (default: all)

Each pass runs every agent once, so that the machine's drift falls on all alike; medians over the passes are quoted.
"""
import argparse
import os
import pathlib
import tempfile

from table import interleaved

HERE = pathlib.Path(__file__).resolve().parent
COLLECTOR = pathlib.Path.home() / ".cache/weir-tests/otelcol-0.158.0/src/otelcol-weir-test"
OTHER_PORT = 14317  # of the protocol that is not loaded
EXPECT = ["--expect", "deployment.cluster=bench", "--expect", "deployment.environment=test"]
SCENARIOS = ["idle", "plain", "gzip", "grpc", "grpc-out", "workers", "live", "overload", "outage"]
BUDGET = "--data-budget=64MiB"


def config(name, folder, compression, grpc=False):
    """{{otlp_port}} is where the load goes: to the gRPC listener when grpc, else to the HTTP one."""
    text = (HERE / name).read_text().replace("{{compression}}", compression)
    if grpc:
        text = text.replace("{{otlp_port}}", str(OTHER_PORT)).replace("{{grpc_port}}", "{{otlp_port}}")
    text = text.replace("{{grpc_port}}", str(OTHER_PORT))
    path = pathlib.Path(folder) / f"{compression}-{'grpc' if grpc else 'http'}-{pathlib.Path(name).name}"
    path.write_text(text)
    return str(path)


class Plan:
    """What is run for one scenario: (agent name, bench.py scenario, command, config, more arguments)."""

    def __init__(self, a, folder):
        self.a, self.folder = a, folder
        self.weir = a.weir + " run --server.http.listen-addr=127.0.0.1:{{http_port}} --storage.path={{work}}/data"

    def agents(self, comp, extra, grpc=False):
        f = self.folder
        out = [("weir", "traces", f"{self.weir} --workers=1 {{{{config}}}}", config("weir/traces.alloy", f, comp, grpc), extra)]
        if self.a.otelcol:
            out.append(("otelcol", "traces", f"{self.a.otelcol} --config {{{{config}}}}", config("peers/otelcol-traces.yaml", f, comp, grpc), extra))
        if self.a.fluent_bit and comp == "none" and not grpc:
            out.append(("fluent-bit", "traces", f"{self.a.fluent_bit} -c {{{{config}}}}", config("peers/fluent-bit-traces.yaml", f, comp), extra))
        return out

    def watched(self, cmd, extra):
        """The plain load while nobody, a reader of rates, and readers of texts watch."""
        conf = pathlib.Path(config("weir/traces.alloy", self.folder, "none"))
        on = conf.with_name("live-" + conf.name)
        on.write_text("livedebugging {\n  enabled = true\n}\n" + conf.read_text())
        debug = "/api/v0/web/debug/otelcol.processor.attributes.default"
        watch = {"nobody": [], "graph": ["/api/v0/web/graph?window=1"], "debug-1%": [debug + "?sampleProb=0.01"], "debug": [debug]}
        return [(name, "traces", cmd, str(on), extra + [x for p in paths for x in ("--watch", p)]) for name, paths in watch.items()]

    def of(self, scenario):
        t = ["--seconds", str(self.a.seconds), *EXPECT]
        w = lambda n, more="": f"{self.weir} --workers={n} {more} {{{{config}}}}"
        plain, outgrpc = config("weir/traces.alloy", self.folder, "none"), config("weir/traces-grpc.alloy", self.folder, "none", True)
        if scenario == "idle":
            return [("weir", "idle", w(2), plain, ["--ready", "http://127.0.0.1:12345/-/ready"])]
        if scenario == "plain":
            return self.agents("none", t)
        if scenario == "gzip":
            return self.agents("gzip", t)
        if scenario == "grpc":
            return self.agents("none", t + ["--grpc"], True)
        if scenario == "grpc-out":
            return [("weir", "traces", w(1), outgrpc, t + ["--grpc"])]
        if scenario == "workers":
            return [(f"weir-{n}w", "traces", w(n), plain, t) for n in (1, 2)]
        if scenario == "live":
            return self.watched(w(1), t)
        if scenario == "overload":
            slow = t + ["--sink-args", "-D 200"]
            return [("weir", "traces", w(2), plain, slow), ("weir-64MiB", "traces", w(2, BUDGET), plain, slow)]
        return [("weir", "outage", w(2), plain, EXPECT), ("weir-64MiB", "outage", w(2, BUDGET), plain, EXPECT)]


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--weir", required=True)
    ap.add_argument("--otelcol", default=str(COLLECTOR) if COLLECTOR.exists() else None)
    ap.add_argument("--fluent-bit")
    ap.add_argument("--runs", type=int, default=3)
    ap.add_argument("--seconds", type=float, default=10)
    ap.add_argument("--out", default=os.devnull, help="append raw results as JSON lines")
    ap.add_argument("scenarios", nargs="*", default=SCENARIOS)
    a = ap.parse_args()
    a.weir = os.path.abspath(a.weir)
    with tempfile.TemporaryDirectory() as folder:
        plan = Plan(a, folder)
        for scenario in a.scenarios:
            results = interleaved(scenario, lambda: plan.of(scenario), a.runs, a.out)
            if scenario == "workers":
                show_threads(results)


def show_threads(results):
    for agent, rs in results.items():
        print(f"\n{agent}, CPU seconds by thread in the last run: {rs[-1]['cpu_by_thread']}")


main()
