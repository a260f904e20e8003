#!/usr/bin/env python3
"""A configuration of N components as generators write them: genconfig.py [N] [--own] > big.alloy

Chains of ten that feed each other: targets from literals through discovery.relabel rules into scrapes and remote writes,
files through loki.process stages into loki.write, and OTLP processors into an exporter; between them literals, expressions
and calls of the standard library. --own uses only components of the OTLP path."""
import sys


def relabel(i, k, above):
    targets = f"discovery.relabel.{above}.output" if above else \
        "[" + ", ".join(f'{{__address__ = "10.0.{i % 256}.{n}:9100", job = "job-{i}", zone = "z{n}"}}' for n in range(4)) + "]"
    rules = "".join(f'''
\trule {{
\t\tsource_labels = ["__address__", "job"]
\t\tregex         = "(.+):{9000 + r};(.*)"
\t\ttarget_label  = "label_{r}"
\t\treplacement   = "$1-{k}"
\t}}
''' for r in range(3))
    return f'discovery.relabel "r{i}_{k}" {{\n\ttargets = {targets}\n{rules}}}\n'


def metrics(i):
    """Ten: seven relabels, a scrape, a relabel of samples, a remote write."""
    out = [relabel(i, k, f"r{i}_{k - 1}" if k else "") for k in range(7)]
    out.append(f'''prometheus.scrape "s{i}" {{
\ttargets         = discovery.relabel.r{i}_6.output
\tforward_to      = [prometheus.relabel.m{i}.receiver]
\tscrape_interval = "{15 + i % 45}s"
\tscrape_timeout  = "10s"
}}
''')
    out.append(f'''prometheus.relabel "m{i}" {{
\tforward_to = [prometheus.remote_write.w{i}.receiver]

\trule {{
\t\tsource_labels = ["__name__"]
\t\tregex         = "go_.*|process_{i}"
\t\taction        = "drop"
\t}}
}}
''')
    out.append(f'''prometheus.remote_write "w{i}" {{
\tendpoint {{
\t\turl     = string.format("http://mimir-%d.example:%d/api/v1/push", {i}, 8000 + {i} % 100)
\t\theaders = {{"X-Scope-OrgID" = "tenant-{i}"}}
\t}}
}}
''')
    return out


def logs(i):
    """Ten: eight loki.process, a source, a write."""
    out = []
    for k in range(8):
        to = f"loki.process.p{i}_{k + 1}.receiver" if k < 7 else f"loki.write.l{i}.receiver"
        out.append(f'''loki.process "p{i}_{k}" {{
\tforward_to = [{to}]

\tstage.json {{
\t\texpressions = {{level = "level", ts = "time", msg_{k} = "message"}}
\t}}

\tstage.labels {{
\t\tvalues = {{level = "", app = "app-{i}"}}
\t}}
}}
''')
    out.append(f'''loki.source.file "f{i}" {{
\ttargets    = array.concat([{{__path__ = "/var/log/app-{i}.log", n = "{i}"}}], [{{__path__ = "/var/log/b-{i}.log"}}])
\tforward_to = [loki.process.p{i}_0.receiver]
}}
''')
    out.append(f'''loki.write "l{i}" {{
\tendpoint {{
\t\turl        = "http://loki.example:3100/loki/api/v1/push"
\t\tbatch_wait = "{1 + i % 5}s"
\t}}
\texternal_labels = {{cluster = "c{i % 7}", replica = string.to_upper("a{i}")}}
}}
''')
    return out


def traces(i):
    """Ten: a receiver, eight processors, an exporter."""
    ids = [f"otelcol.processor.{'attributes' if k % 2 else 'batch'}.t{i}_{k}.input" for k in range(8)] + \
        [f"otelcol.exporter.otlphttp.o{i}.input"]
    out = [f'''otelcol.receiver.otlp "t{i}" {{
\thttp {{
\t\tendpoint = "127.0.0.1:{10000 + i % 50000}"
\t}}

\toutput {{
\t\ttraces = [{ids[0]}]
\t}}
}}
''']
    for k in range(8):
        body = f'''\taction {{
\t\tkey    = "env-{k}"
\t\tvalue  = "prod-" + "{i}"
\t\taction = "upsert"
\t}}
''' if k % 2 else f'\ttimeout         = "{1 + k}s"\n\tsend_batch_size = 100 * {k + 1} + {i % 1000}\n'
        name = ids[k].rsplit(".", 2)
        out.append(f'''{name[0]} "{name[1]}" {{
{body}
\toutput {{
\t\ttraces = [{ids[k + 1]}]
\t}}
}}
''')
    out.append(f'''otelcol.exporter.otlphttp "o{i}" {{
\tclient {{
\t\tendpoint = "http://tempo-{i}.example:4318"
\t\theaders  = {{"x-tenant" = "t{i}"}}
\t}}
}}
''')
    return out


def main():
    numbers = [int(a) for a in sys.argv[1:] if a.isdigit()]
    kinds = [traces] if "--own" in sys.argv else [metrics, logs, traces]
    chains = (numbers[0] if numbers else 10000) // 10
    sys.stdout.write("logging {\n\tlevel = \"info\"\n}\n\n")
    for i in range(chains):
        sys.stdout.write("\n" * (i > 0) + "\n".join(kinds[i % len(kinds)](i)))


main()
