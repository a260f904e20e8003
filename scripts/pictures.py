#!/usr/bin/env python3
"""Draws the pictures of the documents: docs/images/X.alloy -> X.dot (by `weir graph`) -> X.svg (by Graphviz).

usage: pictures.py WEIR [--check]     --check changes nothing and fails when a .dot is out of date; what Graphviz makes of it depends on
                                      its version, so an .svg must only be there
"""
import glob
import os
import subprocess
import sys


def read(path):
    try:
        with open(path, encoding="utf-8") as f:
            return f.read()
    except FileNotFoundError:
        return None


def draw(weir, source):
    return subprocess.run([weir, "graph", "--dot", source], capture_output=True, text=True, check=True).stdout


def main():
    args = [a for a in sys.argv[1:] if a != "--check"]
    sources = sorted(glob.glob("docs/images/*.alloy"))
    if len(args) != 1 or not sources:
        sys.exit(__doc__)
    stale = 0
    for source in sources:
        base = source[:-len(".alloy")]
        dot = draw(args[0], source)
        if read(base + ".dot") == dot and os.path.exists(base + ".svg"):
            continue
        stale += 1
        if "--check" in sys.argv:
            print(f"{base}.dot is out of date: run make pictures")
            continue
        with open(base + ".dot", "w", encoding="utf-8") as f:
            f.write(dot)
        subprocess.run(["dot", "-Tsvg", base + ".dot", "-o", base + ".svg"], check=True)
    print(f"pictures: {len(sources)}, {stale} {'stale' if '--check' in sys.argv else 'drawn'}")
    sys.exit(1 if stale and "--check" in sys.argv else 0)


main()
