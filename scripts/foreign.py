#!/usr/bin/env python3
"""foreign.py components/reference.json > foreign_data.c

Every component of the data file as constants of components/foreign_data.h. Runs at build time; standard library only.
Equal tables (TLS, proxies, queues) are written once. The examples are the smallest configurations that satisfy the tables."""
import json, re, sys

KINDS = {"bool": "K_BOOL", "number": "K_F64", "string": "K_STR", "duration": "K_DUR", "secret": "K_SECRET",
         "list(string)": "K_STR_LIST", "map(string)": "K_STR_MAP", "map(secret)": "K_SECRET_MAP", "any": "K_ANY"}
# Capsules and what flows into them.
CAPSULES = {"otelcol.Consumer": "SIGNALS_ANY", "otelcol.Handler": "0", "loki.LogsReceiver": "SIGNALS_LOGS",
            "prometheus.MetricsReceiver": "SIGNALS_METRICS", "pyroscope.ProfilesReceiver": "SIGNALS_PROFILES", "RelabelRules": "0"}
TARGETS = "list(map(string))"  # by these names they are targets, whose values are made texts whatever they are
TARGET_NAMES = ("targets", "path_targets", "join", "output")
SIGNAL_NAMES = {"traces": "SIGNALS_TRACES", "metrics": "SIGNALS_METRICS", "logs": "SIGNALS_LOGS"}
STABILITY = {"generally-available": "STABILITY_GA", "public-preview": "STABILITY_PUBLIC_PREVIEW",
             "experimental": "STABILITY_EXPERIMENTAL", None: "STABILITY_GA"}
RULES = {"at_most_one": "RULE_AT_MOST_ONE", "exactly_one": "RULE_EXACTLY_ONE", "at_least_one": "RULE_AT_LEAST_ONE",
         "requires": "RULE_REQUIRES"}
UNITS = {"ns": 1, "ms": 10**6, "s": 10**9}


def words(names, last):
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + f" {last} " + names[-1]


def message(kind, names):
    if kind == "requires":
        return f"{names[0]} needs " + (names[1] if len(names) == 2 else "one of " + words(names[1:], "or"))
    if len(names) == 1:
        return f"{names[0]} must be set"
    amount = {"at_most_one": "at most", "exactly_one": "exactly", "at_least_one": "at least"}[kind]
    return f"{amount} one of {words(names, 'and')} {'may' if kind == 'at_most_one' else 'must'} be set"


def literal(v):
    """A JSON value as an expression of the language."""
    if isinstance(v, dict):
        return "{" + ", ".join(f"{json.dumps(k)} = {literal(x)}" for k, x in v.items()) + "}"
    if isinstance(v, list):
        return "[" + ", ".join(map(literal, v)) + "]"
    return json.dumps(v, ensure_ascii=False)


def least(bound):
    m = re.fullmatch(r"(\d+)([a-z]+)", str(bound))
    return int(m[1]) * UNITS[m[2]] if m else bound


class Pool:
    """Things written once: number of each."""
    def __init__(self):
        self.items, self.at = [], {}

    def add(self, item):
        if item not in self.at:
            self.at[item] = len(self.items)
            self.items.append(item)
        return self.at[item]


class Texts:
    def __init__(self):
        self.at, self.n, self.list = {}, 1, []

    def add(self, s):
        if s is None:
            return 0
        if s not in self.at:
            self.at[s] = self.n
            self.list.append(s)
            self.n += len(s.encode()) + 1
        return self.at[s]


class Maker:
    def __init__(self):
        self.texts, self.tables, self.shapes = Texts(), Pool(), Pool()
        self.rows, self.rules, self.variants, self.components, self.choices = [], [], [], [], [0]
        self.table_ranges, self.lists = {}, {}

    # --- pieces that are equal are shared ---

    def run(self, kind, store, items):
        """First index of a run of equal items in a store."""
        key = (kind, tuple(items))
        if key not in self.lists:
            self.lists[key] = len(store)
            store.extend(items)
        return self.lists[key]

    def choice_list(self, names):
        return self.run("choices", self.choices, [self.texts.add(n) for n in names] + [0]) if names else 0

    def table(self, rows, rules):
        return self.tables.add((self.run("rows", self.rows, rows), len(rows), self.run("rules", self.rules, rules), len(rules))) + 1

    # --- rows ---

    def row(self, name, kind, default=None, capsule=None, choices=(), sub=0, n=0, flags=(), signals="0", stability=None, bound=0):
        return (f"{{{self.texts.add(name)}, {self.texts.add(default)}, {self.texts.add(capsule)}, {self.choice_list(choices)}, {sub}, {n}, "
                f"{kind}, {' | '.join('FOREIGN_' + f for f in flags) or 0}, {signals}, {STABILITY[stability]}, {bound}}}")

    def typed(self, t, fields=()):
        """kind, and what else a row of this type has."""
        plain = re.sub(r"^capsule\((.*)\)$", r"\1", t)
        if t in KINDS:
            return {"kind": KINDS[t]}
        if plain in CAPSULES:
            return {"kind": "K_CAPSULE", "capsule": plain, "signals": CAPSULES[plain]}
        form, inner = re.fullmatch(r"(list|map|object)\(?(.*?)\)?", t).groups()
        if form == "list" and inner in CAPSULES:
            return {"kind": "K_CAPSULE_LIST", "capsule": inner, "signals": CAPSULES[inner]}
        if t == "object":
            rows = [self.argument(f) for f in fields]
        else:
            rows = [self.row("element", **self.typed(inner, fields))]
        forms = {"list": "SHAPE_LIST", "map": "SHAPE_MAP", "object": "SHAPE_OBJECT"}
        return self.shaped(t, forms[form], rows)

    def shaped(self, t, form, rows):
        shape = self.shapes.add((self.texts.add(t), self.run("rows", self.rows, rows), len(rows), form))
        return {"kind": "K_ANY", "sub": shape + 1}

    def targets(self):
        target = self.shaped("map(string)", "SHAPE_TARGET", [self.row("element", **self.typed("any"))])
        return {**self.shaped(TARGETS, "SHAPE_LIST", [self.row("element", **target)]), "signals": "SIGNALS_TARGETS"}

    def type_of(self, a):
        if a["type"] == TARGETS and a["name"] in TARGET_NAMES:
            return self.targets()
        return self.typed(a["type"], a.get("object_fields", ()))

    def argument(self, a, bounds=None):
        what = self.type_of(a)
        flags = [f for f, on in (("REQUIRED", a.get("required")), ("DEPRECATED", a.get("deprecated")),
                                 ("FOLD_CASE", a.get("fold_case"))) if on]
        if a.get("optional_secret"):
            what["kind"] = "K_OPT_SECRET"
        if a.get("bytesize"):
            what["kind"] = "K_BYTES"
        if what["kind"] == "K_CAPSULE_LIST" and a["name"] in SIGNAL_NAMES:
            what["signals"] = SIGNAL_NAMES[a["name"]]
        if a["name"] in (bounds or {}):
            flags.append("HAS_MIN")
            what["bound"] = least(bounds[a["name"]])
        return self.row(a["name"], default=default_of(a, what["kind"]), choices=choices_of(a, what["kind"]), flags=flags,
                        stability=a.get("stability"), **what)

    # --- bodies ---

    def block(self, b, blocks, groups):
        kind = "K_BLOCKS" if b.get("repeatable") else "K_BLOCK_PTR" if b.get("absent") else "K_BLOCK"
        flags = [f for f, on in (("REQUIRED", b.get("required")), ("DEPRECATED", b.get("deprecated"))) if on]
        return self.row(b["path"][-1], kind, sub=self.body(b, b["path"], blocks, groups), flags=flags)

    def group(self, name, members, blocks, groups):
        """The row of an ordered group. Its variants have their place before their tables are made: they may hold the group."""
        first, n = len(self.variants), len(members)
        self.variants.extend([None] * n)
        inner = groups | {name: (first, n)}
        for i, b in enumerate(members):
            self.variants[first + i] = f"{{{self.texts.add(b['path'][-1])}, {self.body(b, b['path'], blocks, inner)}}}"
        return self.row(name, "K_ONE_OF", sub=first + 1, n=n)

    def inner_blocks(self, path, blocks, groups):
        own = [b for b in blocks if b["path"][:-1] == path]
        rows, seen = [], set()
        for b in own:
            name = b.get("ordered_group")
            if b.get("recursive"):
                rows.append(self.row(name, "K_ONE_OF", sub=groups[name][0] + 1, n=groups[name][1]))
            elif not name:
                rows.append(self.block(b, blocks, groups))
            elif name not in seen:
                seen.add(name)
                rows.append(self.group(name, [x for x in own if x.get("ordered_group") == name], blocks, groups))
        return rows

    def body(self, x, path, blocks, groups):
        bounds = {r[1]: r[2] for r in x.get("rules", ()) if r[0] == "min"}
        rows = [self.argument(a, bounds) for a in x["arguments"]]
        if x.get("labels"):
            rows.append(self.row("label", "K_LABEL", flags=["REQUIRED"]))
        rows += self.inner_blocks(path, blocks, groups)
        rules = [self.rule(r[0], r[1:]) for r in x.get("rules", ()) if r[0] != "min"]
        return self.table(rows, rules)

    def rule(self, kind, names):
        texts = [str(self.texts.add(n)) for n in names]
        return f"{{{{{', '.join(texts)}}}, {self.texts.add(message(kind, names))}, {RULES[kind]}}}"

    def exports(self, rows):
        return self.table([self.row(e["name"], **(self.type_of(e) | ({"kind": "K_OPT_SECRET"} if e.get("optional_secret") else {})))
                           for e in rows], []) if rows else 0

    def component(self, name, c):
        flags = [f for f, on in (("COMMUNITY", c["community"]), ("REMOVED", c.get("removed"))) if on]
        args = self.body(c, [], c["blocks"], {})
        self.components.append(
            f"{{{self.texts.add(name)}, {self.texts.add(c['summary'] or None)}, {self.texts.add(example(name, c))}, {args}, "
            f"{self.exports(c['exports'])}, {STABILITY[c['stability']]}, {' | '.join('FOREIGN_' + f for f in flags) or 0}}}")


def default_of(a, kind):
    v = a.get("default")
    known = v is not None and not a.get("required") and not a.get("computed") and not kind.startswith("K_CAPSULE")
    if kind == "K_DUR" and v == "infinity":
        return None  # no text of the language says it
    return literal(v) if known else None


def choices_of(a, kind):
    """What Alloy takes: the documented values, the default, and for a setting that may be left out the empty text."""
    if kind not in ("K_STR", "K_STR_LIST") or not all(isinstance(v, str) for v in a.get("enum", ())):
        return []
    named = list(a.get("enum", ()))
    default = a.get("default")
    if named and isinstance(default, str) and default not in named:
        named.append(default)
    if named and kind == "K_STR" and not a.get("required") and not default and "" not in named:
        named.append("")
    return named


# --- examples ---

PEERS = {
    "loki.LogsReceiver": ("loki.write.default.receiver", 'loki.write "default" {\n  endpoint {\n    url = "http://loki:3100/loki/api/v1/push"\n  }\n}\n'),
    "prometheus.MetricsReceiver": ("prometheus.remote_write.default.receiver",
                        'prometheus.remote_write "default" {\n  endpoint {\n    url = "http://mimir:9009/api/v1/push"\n  }\n}\n'),
    "pyroscope.ProfilesReceiver": ("pyroscope.write.default.receiver", 'pyroscope.write "default" {\n  endpoint {\n    url = "http://pyroscope:4040"\n  }\n}\n'),
    "otelcol.Consumer": ("otelcol.exporter.otlphttp.default.input",
                         'otelcol.exporter.otlphttp "default" {\n  client {\n    endpoint = "http://collector:4318"\n  }\n}\n'),
    "otelcol.Handler": ("otelcol.auth.basic.default.handler", 'otelcol.auth.basic "default" {\n  username = "weir"\n  password = "secret"\n}\n'),
}
SAMPLES = {"bool": "true", "number": "1", "duration": '"1m"', "secret": '"secret"', "list(string)": '["a"]', "map(string)": '{ a = "b" }',
           TARGETS: '[{ "__address__" = "localhost:9100" }]', "list(number)": "[1, 2]"}
PLACES = [("url", '"http://localhost:8080"'), ("endpoint", '"localhost:4317"'), ("address", '"localhost:9100"'), ("path", '"/var/lib/example"'),
          ("file", '"/etc/example"'), ("host", '"localhost"'), ("port", '"8080"')]


def sample(a, needs):
    """An expression for a required setting; notes in needs what it refers to."""
    inner = re.sub(r"^(list|capsule)\((.*)\)$", r"\2", a["type"])
    if inner in PEERS:
        needs.add(inner)
        return f"[{PEERS[inner][0]}]" if a["type"].startswith("list") else PEERS[inner][0]
    if a.get("enum"):
        return json.dumps(a["enum"][0]) if a["type"] == "string" else json.dumps(a["enum"][:1])
    if a.get("bytesize"):
        return '"1MB"'
    if a["type"] in SAMPLES:
        return SAMPLES[a["type"]]
    return next((v for word, v in PLACES if word in a["name"]), '"example"')


def wanted(x):
    """Names that rules ask for."""
    return {r[1] for r in x.get("rules", ()) if r[0] in ("exactly_one", "at_least_one")}


def example_body(x, path, blocks, indent, needs):
    asked = wanted(x)
    shown = [a for a in x["arguments"] if a.get("required") or a["name"] in asked]
    width = max((len(a["name"]) for a in shown), default=0)
    out = [f"{indent}{a['name']:{width}} = {sample(a, needs)}" for a in shown]
    for b in blocks:
        name = b["path"][-1]
        if b["path"][:-1] != path or not (b.get("required") or name in asked or name == "output"):
            continue
        inner = example_body(b, b["path"], blocks, indent + "  ", needs)
        if not inner and name == "output":
            inner = [f"{indent}  {a['name']} = {sample(a, needs)}" for a in b["arguments"]]
        label = ' "example"' if b.get("labels") else ""
        out += ([""] if out else []) + [f"{indent}{name}{label} {{"] + inner + [f"{indent}}}"]
    return out


def example(name, c):
    needs = set()
    inner = example_body(c, [], c["blocks"], "  ", needs)
    own = f'{name} "example" {{ }}\n' if not inner else f'{name} "example" {{\n' + "\n".join(inner) + "\n}\n"
    return own + "".join("\n" + PEERS[n][1] for n in sorted(needs))


# --- the file ---

def c_string(s):
    out = "".join({'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r", "?": "\\?"}.get(chr(b)) or
                  (chr(b) if 32 <= b < 127 else f"\\{b:03o}") for b in s.encode())
    return f'"{out}\\0"'


def write(m, out):
    def array(decl, items):
        out.write(f"KNOWN const {decl}[] = {{\n" + ",\n".join(f"    {i}" for i in items) + "\n};\n")
    out.write('/* Made by scripts/foreign.py from components/reference.json. */\n#include "base/signal.h"\n'
              '#include "components/foreign_data.h"\n#include "value/schema.h"\n\n'
              '/* Pages of their own: nobody who never asks has them in memory. */\n'
              '#define KNOWN __attribute__((section("known_components")))\n\n')
    out.write("KNOWN const char foreign_text[] =\n    \"\\0\"\n" + "\n".join("    " + c_string(s) for s in m.texts.list) + ";\n")
    array("u32 foreign_choices", m.choices)
    array("struct foreign_row foreign_rows", m.rows)
    array("struct foreign_table foreign_tables", [f"{{{', '.join(map(str, t))}}}" for t in m.tables.items])
    array("struct foreign_variant foreign_variants", m.variants)
    array("struct foreign_shape foreign_shapes", [f"{{{', '.join(map(str, s))}}}" for s in m.shapes.items])
    array("struct foreign_rule foreign_rules", m.rules)
    array("struct foreign_component foreign_components", m.components)
    out.write(f"const size_t foreign_n_tables = {len(m.tables.items)}, foreign_n_components = {len(m.components)};\n")


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        reference = json.load(f)
    m = Maker()
    for name in sorted(reference):
        m.component(name, reference[name])
    write(m, sys.stdout)


main()
