#!/usr/bin/env python3
"""A configuration of N components as generators write them: genconfig.py [N] [--own] [--foreach] [--change] > big.alloy

Chains of ten that feed each other: targets from literals through discovery.relabel rules into scrapes and remote writes,
files through loki.process stages into loki.write, and OTLP processors into an exporter; between them literals, expressions
and calls of the standard library. In one chain of five, one link is an instance of a declare (which counts as one component;
what is inside it is not counted). --own uses only components of the OTLP path, and one receiver, so that it can be run.
--foreach: one OTLP chain of fifty is a foreach block (experimental). --change: one argument of one component in the middle of
a chain in the middle of the file has another value."""
import sys

DECLARES = {
    "metrics": '''declare "zoned" {
\targument "targets" { }

\targument "zone" {
\t\toptional = true
\t\tdefault  = "z"
\t}

\tdiscovery.relabel "zone" {
\t\ttargets = argument.targets.value

\t\trule {
\t\t\ttarget_label = "zone"
\t\t\treplacement  = argument.zone.value
\t\t}
\t}

\texport "output" {
\t\tvalue = discovery.relabel.zone.output
\t}
}
''',
    "logs": '''declare "labelled" {
\targument "forward_to" { }

\targument "app" { }

\tloki.process "app" {
\t\tforward_to = argument.forward_to.value

\t\tstage.static_labels {
\t\t\tvalues = {app = argument.app.value}
\t\t}
\t}

\texport "receiver" {
\t\tvalue = loki.process.app.receiver
\t}
}
''',
    "traces": '''declare "marked" {
\targument "to" { }

\targument "team" {
\t\toptional = true
\t\tdefault  = "none"
\t}

\totelcol.processor.attributes "team" {
\t\taction {
\t\t\tkey    = "team"
\t\t\tvalue  = argument.team.value
\t\t\taction = "upsert"
\t\t}

\t\toutput {
\t\t\ttraces = argument.to.value
\t\t}
\t}

\texport "input" {
\t\tvalue = otelcol.processor.attributes.team.input
\t}
}
''',
}


def has_instance(i):
    return i % 5 == 2



def relabel(i, k, above, kind="discovery.relabel"):
    targets = f"{kind}.{above}.output" if above else \
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
    if has_instance(i):
        out[3] = f'zoned "r{i}_3" {{\n\ttargets = discovery.relabel.r{i}_2.output\n\tzone    = "z{i % 9}"\n}}\n'
        out[4] = relabel(i, 4, f"r{i}_3", "zoned")
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
        kind = "labelled" if has_instance(i) and k == 2 else "loki.process"
        to = f"{kind}.p{i}_{k + 1}.receiver" if k < 7 else f"loki.write.l{i}.receiver"
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
    if has_instance(i):
        out[3] = f'labelled "p{i}_3" {{\n\tforward_to = [loki.process.p{i}_4.receiver]\n\tapp        = "a-" + "{i}"\n}}\n'
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


def processor(i, k, to, changed):
    if k % 2:
        body = f'''\taction {{
\t\tkey    = "env-{k}"
\t\tvalue  = "{'changed' if changed else 'prod'}-" + "{i}"
\t\taction = "upsert"
\t}}
'''
    else:
        body = f'\ttimeout         = "{1 + k}s"\n\tsend_batch_size = 100 * {k + 1} + {i % 1000}\n'
    return f'''otelcol.processor.{kind_of(k)} "t{i}_{k}" {{
{body}
\toutput {{
\t\ttraces = [{to}]
\t}}
}}
'''


def kind_of(k):
    return "attributes" if k % 2 else "batch"


def each(i):
    """Nine processors made by a foreach, and what they feed."""
    return [f'''foreach "each{i}" {{
\tcollection = [1, 2, 3, 4, 5, 6, 7, 8, 9]
\tvar        = "n"

\ttemplate {{
\t\totelcol.processor.attributes "n" {{
\t\t\taction {{
\t\t\t\tkey    = "n"
\t\t\t\tvalue  = n * 10
\t\t\t\taction = "upsert"
\t\t\t}}

\t\t\toutput {{
\t\t\t\ttraces = [otelcol.exporter.otlphttp.o{i}.input]
\t\t\t}}
\t\t}}
\t}}
}}
''', exporter(i)]


def receiver(i, to):
    return f'''otelcol.receiver.otlp "t{i}" {{
\thttp {{
\t\tendpoint = "127.0.0.1:{10000 + i % 50000}"
\t}}

\toutput {{
\t\ttraces = [{to}]
\t}}
}}
'''


def exporter(i):
    return f'''otelcol.exporter.otlphttp "o{i}" {{
\tclient {{
\t\tendpoint = "http://tempo-{i}.example:4318"
\t\theaders  = {{"x-tenant" = "t{i}"}}
\t}}
}}
'''


def traces(i):
    """Ten: a receiver (or one more processor, where only one receiver is wanted), eight processors, an exporter."""
    ids = [f"otelcol.processor.{kind_of(k)}.t{i}_{k}.input" for k in range(8)] + [f"otelcol.exporter.otlphttp.o{i}.input"]
    out = [processor(i, k, ids[k + 1], i == CHANGED and k == 5) for k in range(8)]
    if has_instance(i):
        out[3] = f'marked "t{i}_3" {{\n\tto   = [{ids[4]}]\n\tteam = "team-{i % 9}"\n}}\n'
        out[2] = processor(i, 2, f"marked.t{i}_3.input", False)
    first = processor(i, 9, ids[0], False) if OWN and i > 0 else receiver(i, ids[0])
    return [first, *out, exporter(i)]


NUMBERS = [int(a) for a in sys.argv[1:] if a.isdigit()]
CHAINS = (NUMBERS[0] if NUMBERS else 10000) // 10
OWN = "--own" in sys.argv
CHANGED = CHAINS // 2 // 3 * 3 + 2 if "--change" in sys.argv else -1  # a chain of traces in either mix


def main():
    kinds = [traces] if OWN else [metrics, logs, traces]
    sys.stdout.write("logging {\n\tlevel = \"info\"\n}\n\n")
    sys.stdout.write("\n".join(DECLARES[k.__name__] for k in kinds))
    for i in range(CHAINS):
        make = kinds[i % len(kinds)]
        if make is traces and "--foreach" in sys.argv and i % 50 == 44:
            make = each
        sys.stdout.write("\n" + "\n".join(make(i)))


main()
