#!/usr/bin/env python3
"""The figures of the metric path, Weir and peers interleaved: prints Markdown tables for RESULTS.md.

usage: metrics.py --weir BINARY [--prometheus BINARY] [--vmagent BINARY] [--runs N] [--seconds N] [SCENARIO]...
scenarios: narrow wide million host   (default: narrow wide)

narrow: 100 targets of 1,000 series every second; wide: 20 of 10,000; million: 100 of 10,000 every 15 seconds, long enough for two scrapes of all;
host: the agent's own host metrics every 15 seconds. Scrape, two external labels, remote write with its log on disk, into a sink that decodes
and counts.
"""
import argparse
import os

from table import HERE, interleaved

EXPECT = ["--expect", "cluster=bench", "--expect", "environment=test"]
LOADS = {
    "narrow": ["--targets", "100", "--series", "1000"],
    "wide": ["--targets", "20", "--series", "10000"],
    "million": ["--targets", "100", "--series", "10000", "--interval", "15s", "--warmup", "20"],
}


class Plan:
    def __init__(self, a):
        self.a = a
        self.weir = f"{a.weir} run --server.http.listen-addr=127.0.0.1:{{{{http_port}}}} --storage.path={{{{work}}}}/data --workers={a.workers} {{{{config}}}}"

    def agents(self):
        yield "weir", self.weir, HERE / "weir/metrics.alloy"
        if self.a.prometheus:
            yield "prometheus-agent", (f"{self.a.prometheus} --enable-feature=agent --config.file={{{{config}}}} --storage.agent.path={{{{work}}}}/data "
                                       "--web.listen-address=127.0.0.1:{{http_port}}"), HERE / "peers/prometheus.yml"
        if self.a.vmagent:
            yield "vmagent", (f"{self.a.vmagent} -promscrape.config={{{{config}}}} -remoteWrite.url=http://{{{{sink}}}}/api/v1/write "
                              "-remoteWrite.tmpDataPath={{work}}/data -httpListenAddr=127.0.0.1:{{http_port}}"), HERE / "peers/vmagent.yml"

    def of(self, scenario):
        if scenario == "host":
            ready = ["--ready", "http://127.0.0.1:12345/-/ready", "--settle", "20", "--seconds", "60"]
            return [("weir", "idle", self.weir, str(HERE / "weir/host.alloy"), ready)]
        more = [*EXPECT, *LOADS[scenario], "--seconds", str(self.a.seconds)]
        return [(name, "metrics", cmd, str(conf), more) for name, cmd, conf in self.agents()]


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--weir", required=True)
    ap.add_argument("--prometheus")
    ap.add_argument("--vmagent")
    ap.add_argument("--runs", type=int, default=3)
    ap.add_argument("--seconds", type=int, default=60)
    ap.add_argument("--workers", type=int, default=1)
    ap.add_argument("--out", default=os.devnull, help="append raw results as JSON lines")
    ap.add_argument("scenarios", nargs="*", default=["narrow", "wide"])
    a = ap.parse_args()
    a.weir = os.path.abspath(a.weir)
    plan = Plan(a)
    for scenario in a.scenarios:
        interleaved(scenario, lambda: plan.of(scenario), a.runs, a.out)


main()
