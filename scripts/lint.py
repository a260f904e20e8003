#!/usr/bin/env python3
"""Texts that a reader would copy must work: every example and every configuration in the documents is parsed, formatted and checked; what is
generated of the tables is up to date.

usage: lint.py WEIR
In Markdown, ```alloy blocks are whole configurations; ```alloy-part blocks need only parse and be formatted.
"""
import glob
import re
import subprocess
import sys


def fenced(path):
    """(line, kind, text) of each configuration block."""
    with open(path, encoding="utf-8") as f:
        text = f.read()
    for m in re.finditer(r"^```(alloy|river|alloy-part)\n(.*?)^```", text, re.S | re.M):
        yield text[:m.start()].count("\n") + 2, m[1], m[2]


def texts():
    """(where, whole configuration?, text)"""
    for path in sorted(glob.glob("examples/river/**/*.*", recursive=True)):
        with open(path, encoding="utf-8") as f:
            yield path, True, f.read()
    for path in ["README.md"] + sorted(glob.glob("docs/**/*.md", recursive=True)):
        for line, kind, text in fenced(path):
            yield f"{path}:{line}", kind != "alloy-part", text


def call(weir, args, text):
    return subprocess.run([weir, *args], input=text.encode(), capture_output=True)


def two_spaces(text):
    """Documents may indent by two spaces where `weir fmt` uses a tab."""
    return re.sub(r"^\t+", lambda m: "  " * len(m[0]), text, flags=re.M)


def faults(weir, whole, text):
    r = call(weir, ["fmt", "-"], text)
    if r.returncode:
        return "does not parse:\n" + r.stderr.decode()
    if two_spaces(r.stdout.decode()) != two_spaces(text):
        return "is not formatted as `weir fmt` would"
    if whole:
        r = call(weir, ["check", "--stability.level=experimental", "-"], text)
        if r.returncode:
            return "has faults:\n" + r.stderr.decode()
    return None


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    bad = count = 0
    for where, whole, text in texts():
        count += 1
        why = faults(sys.argv[1], whole, text)
        if why:
            bad += 1
            print(f"{where}: {why}")
    for script in ("scripts/docs.py", "scripts/pictures.py"):
        made = subprocess.run([sys.executable, script, "--check", sys.argv[1]], capture_output=True, text=True)
        if made.returncode:
            bad += 1
            print(made.stdout + made.stderr, end="")
    print(f"lint: {count} configurations, {bad} faults")
    sys.exit(1 if bad or not count else 0)


main()
