#!/usr/bin/env python3
"""The floors rule, checked: quoted includes never point up or sideways, and each floor's objects use only the libraries allowed there.

usage: floors.py BUILD_FOLDER      (the archives lib<folder>.a must have been built)
"""
import os
import re
import subprocess
import sys

FLOOR = {"base": 0, "parser": 1, "net": 1, "proto": 1, "value": 2, "telemetry": 2, "stdlib": 3, "runtime": 4,
         "components": 5, "ui": 6, "cmd": 7}

# What a folder may see besides itself and lower floors is nothing; what it may NOT see of the lower ones:
RUNTIME_FROM_TELEMETRY = {"telemetry/batch.h", "telemetry/sink.h", "telemetry/ack.h"}
COMPONENTS_FROM_RUNTIME = {"runtime/component.h"}
UI_FROM_TELEMETRY = {"telemetry/exposition.h", "telemetry/batch.h", "telemetry/sink.h", "telemetry/ack.h"}

# Symbol prefixes of the libraries, and the folders that may call them.
LIBRARIES = [
    (r"ev_", {"net"}),
    (r"curl_", {"net"}),
    (r"nghttp2_", {"net"}),
    (r"(SSL|BIO|X509|OPENSSL|ERR|PEM|TLS|EVP_PKEY|SSL_CTX)_", {"net", "base"}),
    (r"(EVP|HMAC|SHA\d|MD5|RAND)_", {"base", "net"}),
    (r"http_parser_|http_should_keep_alive", {"net"}),
    (r"protobuf_c_", {"proto", "telemetry"}),
    (r"pcre2_", {"base"}),
    (r"json_(loads|loadb|load_file|dumps|delete|object_|array_|string_|integer_|real_|incref|decref)", {"base", "value", "stdlib"}),
    (r"yaml_", {"base", "value", "stdlib"}),
    (r"(deflate|inflate|gz\w*|crc32|adler32|compress|uncompress)(Init|End|$)", {"base"}),
    (r"libdeflate_", {"base"}),
    (r"ZSTD_", {"base"}),
    (r"snappy_", {"base"}),
    (r"LZ4F?_", {"base"}),
    (r"BZ2_", {"base"}),
    (r"sd_(journal|bus|id128)_", {"components"}),
    (r"MMDB_", {"components"}),
    (r"crypt(_r)?$", {"components"}),
    (r"pthread_mutex_", {"runtime", "net"}),
]


def folder_of(path):
    return path.split(os.sep, 1)[0]


def sources():
    out = []
    for folder in FLOOR:
        for root, _, names in os.walk(folder):
            out += [os.path.join(root, n) for n in sorted(names) if n.endswith((".c", ".h", ".def"))]
    return out


def may_include(src, target):
    """None when fine, else the reason."""
    a, b = folder_of(src), folder_of(target)
    if b not in FLOOR:
        return None
    if a == b:
        parts = src.split(os.sep)
        if a == "components" and not src.endswith("_test.c") and len(parts) > 2:
            mine, theirs = parts[1], target.split("/")[1] if "/" in target else ""
            if theirs not in (mine, "common") and target.count("/") > 1:
                return "a component never includes another folder's component"
        return None
    if FLOOR[b] > FLOOR[a]:
        return f"points up: {a} is floor {FLOOR[a]}, {b} is floor {FLOOR[b]}"
    if FLOOR[b] == FLOOR[a]:
        return f"points sideways: {a} and {b} are siblings on floor {FLOOR[a]}"
    test = src.endswith("_test.c")
    if a == "runtime" and b == "telemetry" and target not in RUNTIME_FROM_TELEMETRY and not test:
        return "of telemetry the runtime sees only batch.h, sink.h and ack.h"
    if a == "components" and b == "runtime" and target not in COMPONENTS_FROM_RUNTIME and not test:
        return "of the runtime a component sees only component.h"
    if a == "ui" and b == "components":
        return "the ui sees no component"
    if a == "ui" and b == "telemetry" and target not in UI_FROM_TELEMETRY and not test:
        return "of telemetry the ui sees only the exposition writer"
    return None


def check_includes():
    faults = []
    for src in sources():
        with open(src, encoding="utf-8") as f:
            for n, line in enumerate(f, 1):
                m = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
                why = m and may_include(src, m[1])
                if why:
                    faults.append(f"{src}:{n}: includes {m[1]}: {why}")
    return faults


def undefined(archive):
    r = subprocess.run(["nm", "-u", "-A", archive], capture_output=True, text=True)
    for line in r.stdout.splitlines():
        m = re.search(r":([^:\s]+\.o):\s+U\s+(\S+)", line)
        if m:
            yield m[1], m[2].split("@")[0]


def defined(build):
    """What our own archives define: base/yaml.h is ours although it begins like libyaml."""
    names = set()
    for folder in FLOOR:
        r = subprocess.run(["nm", "--defined-only", "--extern-only", "--format=posix", os.path.join(build, f"lib{folder}.a")],
                           capture_output=True, text=True)
        names.update(line.split()[0] for line in r.stdout.splitlines() if line.count(" ") > 1)
    return names


def check_symbols(build):
    faults = []
    ours = defined(build)
    for folder in FLOOR:
        archive = os.path.join(build, f"lib{folder}.a")
        if not os.path.exists(archive):
            continue
        for obj, sym in undefined(archive):
            if sym in ours:
                continue
            for pattern, allowed in LIBRARIES:
                if re.match(pattern, sym) and folder not in allowed:
                    faults.append(f"{folder}/{obj}: uses {sym}, allowed only in {', '.join(sorted(allowed))}")
                    break
    return sorted(set(faults))


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    faults = check_includes() + check_symbols(sys.argv[1])
    for f in faults:
        print(f)
    print(f"floors: {len(faults)} faults in {len(sources())} files")
    sys.exit(1 if faults else 0)


main()
