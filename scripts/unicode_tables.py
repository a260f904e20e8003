#!/usr/bin/env python3
"""Writes base/unicode_tables.h: the Unicode facts of base/utf8.h as sorted ranges.

Usage: scripts/unicode_tables.py > base/unicode_tables.h
The facts are those of the unicodedata module of the Python that runs it; the output names its Unicode version.
"""
import sys
import unicodedata

LAST = 0x10FFFF
SPACES = [0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B),
          0x2028, 0x2029, 0x202F, 0x205F, 0x3000]


def ranges(points):
    """Sorted code points as [first, last] runs."""
    out = []
    for c in points:
        if out and out[-1][1] == c - 1:
            out[-1][1] = c
        else:
            out.append([c, c])
    return out


def of_category(*prefixes):
    return [c for c in range(LAST + 1) if unicodedata.category(chr(c)).startswith(prefixes)]


def simple_lower(c):
    if c == 0x130:  # the one character whose full mapping is longer than its simple one
        return 0x69
    s = chr(c).lower()
    return ord(s) if len(s) == 1 else c


def simple_upper(c):
    """Where the full mapping is a string, the simple one is the title case, if that is one character."""
    for s in (chr(c).upper(), chr(c).title()):
        if len(s) == 1:
            return ord(s)
    return c


def case_runs(mapping):
    """[first, last, stride, delta]: runs of equal difference, of neighbours or of every second character."""
    out = []
    for c in range(LAST + 1):
        if 0xD800 <= c <= 0xDFFF or (delta := mapping(c) - c) == 0:
            continue
        if out and out[-1][3] == delta:
            run = out[-1]
            step = c - run[1]
            if step == run[2] or (run[0] == run[1] and step in (1, 2)):
                run[1], run[2] = c, step
                continue
        out.append([c, c, 1, delta])
    return out


def emit(kind, name, rows):
    print(f"\nstatic const struct {kind} {name}[] = {{")
    line = "   "
    for row in rows:
        cell = " {" + ", ".join(str(v) if v < 0 or (kind == "case_run" and i >= 2) else f"0x{v:X}"
                                for i, v in enumerate(row)) + "},"
        if len(line) + len(cell) > 100:
            print(line)
            line = "   "
        line += cell
    print(line)
    print("};")


def main():
    print(f"/* Unicode {unicodedata.unidata_version} ranges. Written by scripts/unicode_tables.py; do not edit. */")
    print("#ifndef BASE_UNICODE_TABLES_H\n#define BASE_UNICODE_TABLES_H\n\n#include \"base/common.h\"\n")
    print("struct code_range {\n    u32 first, last;\n};\n")
    print("struct case_run {\n    u32 first, last;\n    i32 stride, delta;\n};")
    emit("code_range", "letter_ranges", ranges(of_category("L")))
    emit("code_range", "digit_ranges", ranges(of_category("Nd")))
    emit("code_range", "space_ranges", ranges(SPACES))
    emit("code_range", "print_ranges", ranges(sorted(of_category("L", "M", "N", "P", "S") + [0x20])))
    emit("case_run", "lower_runs", case_runs(simple_lower))
    emit("case_run", "upper_runs", case_runs(simple_upper))
    print("\n#endif")


if __name__ == "__main__":
    sys.exit(main())
