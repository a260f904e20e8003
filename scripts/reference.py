#!/usr/bin/env python3
"""reference.py FACTS.json WEIR > components/reference.json

Cuts the facts about Alloy's components (names, types, defaults, required; one JSON object by component name) down to the
components this build registers, and to what the registry test compares. FACTS.json is not part of the repository."""
import json, subprocess, sys


def argument(a):
    kept = {k: a[k] for k in ("name", "type", "required", "default", "enum") if k in a}
    if a.get("format") == "bytesize":
        kept["bytesize"] = True
    if a.get("default_expr"):
        kept["computed"] = True
    if str(a.get("default_from", "")).endswith("applied late"):
        kept["late"] = True  # the schema may say the effective default or none
    return kept


def block(b):
    kept = {k: b[k] for k in ("path", "required", "repeatable", "labels", "ordered_group", "freeform") if b.get(k)}
    kept["arguments"] = [argument(a) for a in b["arguments"]]
    return kept


def component(c):
    return {"stability": c["stability"], "community": c["community"],
            "arguments": [argument(a) for a in c["arguments"]],
            "blocks": [block(b) for b in c["blocks"]],
            "exports": [{"name": e["name"], "type": e["type"]} for e in c["exports"]]}


def main():
    with open(sys.argv[1]) as f:
        facts = json.load(f)
    listed = json.loads(subprocess.run([sys.argv[2], "explain", "--json"], check=True, stdout=subprocess.PIPE).stdout)
    names = sorted(c["name"] for c in (listed["components"] if isinstance(listed, dict) else listed))
    out = ",\n".join(f"{json.dumps(n)}: {json.dumps(component(facts[n]))}" for n in names if n in facts)
    print("{\n" + out + "\n}")


main()
