"""Runs agents by turns and prints what bench.py says of them as a Markdown table: for run.py and logs.py."""
import json
import pathlib
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent


def one(scenario, name, cmd, conf, extra, out):
    argv = [sys.executable, str(HERE / "bench.py"), scenario, "--name", name, "--cmd", cmd, "--config", conf, "--runs", "1", "--out", out, *extra]
    r = subprocess.run(argv, capture_output=True, text=True)
    if r.returncode:
        print(f"{name}: {(r.stderr or r.stdout).strip().splitlines()[-1:]}", file=sys.stderr)
        return None
    return json.loads(r.stdout.splitlines()[0])


SHOWN = ["cpu_s_per_mspan", "cpu_s_per_msample", "cpu_s_per_gb", "lines_per_cpu_s", "wire_bytes_per_line", "wire_bytes_per_sample", "delivered_vs_scraped", "scrapes_vs_ideal", "mean_lag_ms", "unique", "missing", "delivered_spans_per_s", "peak_rss_mb", "lost", "duplicates", "refused", "errors", "p50_ms", "p99_ms", "out_bytes_per_span",
         "ready_ms", "cpu_to_ready_ms", "rss_mb", "pss_mb", "cpu_ms_per_30s", "threads", "sent", "delivered", "calib_ms"]


def show(scenario, results):
    names = [k for k in SHOWN if any(k in r for rs in results.values() for r in rs)]
    print(f"\n### {scenario}\n\n| agent | runs | " + " | ".join(names) + " |\n|" + "---|" * (len(names) + 2))
    for agent, rs in results.items():
        cells = []
        for k in names:
            vals = [statistics.mean(r[k]) if isinstance(r[k], list) else r[k] for r in rs if r.get(k) is not None]
            cells.append(f"{statistics.median(vals):g} ({min(vals):g}-{max(vals):g})" if vals else "")
        print(f"| {agent} | {len(rs)} | " + " | ".join(cells) + " |", flush=True)


def interleaved(scenario, agents, runs, out):
    """Each pass runs every agent once, so that the machine's drift falls on all alike. agents(): (name, bench.py scenario, command, config, more
    arguments) of each."""
    results = {}
    for _ in range(runs):
        for name, kind, cmd, conf, extra in agents():
            res = one(kind, name, cmd, conf, extra, out)
            if res:
                results.setdefault(name, []).append(res)
    show(scenario, results)
    return results
