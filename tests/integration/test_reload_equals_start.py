"""A reload ends where a start would: configurations made at random, with modules in modules, are loaded one over another; what runs then
is compared with what a fresh process makes of the last one."""
import json
import random

import pytest

from weirproc import http

ROUNDS = 12


class Maker:
    """Random configurations: each a small change or a new draw, now and then one with a fault."""

    def __init__(self, seed, folder):
        self.r = random.Random(seed)
        self.folder, self.files = folder, 0
        (folder / "value.txt").write_text("first")

    def expr(self, names):
        return self.r.choice([f'"{self.r.randrange(4)}"', f'"a" + "{self.r.randrange(3)}"', 'string.to_upper("x")', *names])

    def sink(self, label):
        return (f'otelcol.exporter.otlphttp "{label}" {{\n  client {{\n    endpoint = "http://127.0.0.1:{self.r.choice([9, 10])}"\n'
                "  }\n}\n")

    def action(self, names):
        return f'  action {{\n    key    = "k{self.r.randrange(3)}"\n    value  = {self.expr(names)}\n    action = "upsert"\n  }}\n'

    def processor(self, label, to, names):
        """Its text, and where it takes data."""
        kind, body = "attributes", self.action(names)
        if self.r.random() < 0.5:
            kind, body = "batch", f'  timeout = "{self.r.choice([1, 2])}s"\n'
        text = f'otelcol.processor.{kind} "{label}" {{\n{body}  output {{\n    traces = [{to}]\n  }}\n}}\n'
        return text, f"otelcol.processor.{kind}.{label}.input"

    def declare(self, name, inner=None):
        names = ["argument.text.value", "module_path"]
        body = 'argument "to" { }\nargument "text" {\n  optional = true\n  default  = "none"\n}\n'
        to = "argument.to.value[0]"
        if inner and self.r.random() < 0.6:
            body += f'{inner} "in" {{\n  to   = argument.to.value\n  text = {self.expr(names)}\n}}\n'
            to = f"{inner}.in.input"
        for i in range(self.r.randrange(3)):
            text, to = self.processor(f"p{i}", to, names)
            body += text
        return f'declare "{name}" {{\n{body}export "input" {{ value = {to} }}\n}}\n'

    def foreach(self):
        items = self.r.sample(["a", "b", "c d", "e"], self.r.randrange(4))
        return (f'foreach "each" {{\n  collection = {json.dumps(items)}\n  var        = "item"\n  template {{\n'
                f'    otelcol.processor.attributes "x" {{\n{self.action(["item", "local.file.v.content"])}'
                "      output {\n        traces = [otelcol.exporter.otlphttp.s0.input]\n      }\n    }\n  }\n}\n")

    def imports(self):
        kind = self.r.choice(["string", "file"])
        text = self.declare("part")
        if kind == "string":
            return f'import.string "lib" {{\n  content = `{text}`\n}}\n'
        self.files += 1  # never written again: it would change what runs
        path = self.folder / f"lib{self.files}.alloy"
        path.write_text(text)
        return f'import.file "lib" {{\n  filename = "{path}"\n  detector = "poll"\n}}\n'

    def config(self):
        out = ['logging {\n  level = "warn"\n}\n', f'local.file "v" {{\n  filename = "{self.folder}/value.txt"\n}}\n', self.sink("s0")]
        kinds = ["inner", "outer"]
        out += [self.declare("inner"), self.declare("outer", "inner")]
        if self.r.random() < 0.7:
            out.append(self.imports())
            kinds.append("lib.part")
        if self.r.random() < 0.7:
            out.append(self.foreach())
        to = "otelcol.exporter.otlphttp.s0.input"
        for i in range(self.r.randrange(1, 5)):
            kind = self.r.choice(kinds)
            out.append(f'{kind} "i{i}" {{\n  to   = [{to}]\n  text = {self.expr(["local.file.v.content"])}\n}}\n')
            to = f"{kind}.i{i}.input"
        if self.r.random() < 0.15:
            out.append(self.r.choice(['nothing.here "x" { }\n', 'local.file "w" { }\n', 'inner "bad" { more = 1 }\n', "}\n"]))
        self.r.shuffle(out)
        return "".join(out)


def settled(component, folder):
    component = json.loads(json.dumps(component).replace(str(folder), "FOLDER"))  # module_path
    c = {k: component[k] for k in ("name", "localID", "moduleID", "arguments", "exports")}
    c["state"] = component["health"]["state"]
    for key in ("referencesTo", "referencedBy", "dataFlowEdgesTo", "createdModuleIDs"):
        c[key] = sorted(component.get(key, []))
    return c


def picture(agent, module=""):
    """Every component of a module and of those below it, with all that can be known of it from outside."""
    path = f"/api/v0/web/modules/{module}/components" if module else "/api/v0/web/components"
    out = []
    for c in json.loads(agent.get(path).body):
        full = f"{module}/{c['localID']}" if module else c["localID"]
        out.append(settled(json.loads(agent.get(f"/api/v0/web/components/{full}").body), agent.folder))
        for below in c.get("createdModuleIDs", []):
            out += picture(agent, below)
    return sorted(out, key=lambda c: (c["moduleID"], c["localID"]))


@pytest.mark.core
@pytest.mark.parametrize("seed", range(3))
def test_a_reload_ends_where_a_start_would(weir, tmp_path, seed):
    maker = Maker(seed, tmp_path)
    flags = ("--stability.level=experimental", "--config.watch=false")
    config = 'logging {\n  level = "warn"\n}\n'
    agent = weir(config, *flags)
    for _ in range(ROUNDS):
        tried = maker.config()
        answer = agent.reload(tried)
        if answer.status == 200:
            config = tried
    fresh = weir(config, *flags)
    assert config.count("\n") > 10, "nearly every configuration was refused"
    assert picture(agent) == picture(fresh), config
