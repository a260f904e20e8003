"""Modules of a running agent: values that flow in and out, items that come and go, content that changes under load, bodies without an end, and
configurations as large as generators make them."""
import json
import os
import threading
import time

import pytest

from configs import pipeline
from test_reload import Line, batches, put
from weirproc import SANITIZED, await_that, port_open

pytestmark = pytest.mark.core


def plain(v):
    """A value of the API as Python's."""
    kind = v["type"]
    if kind == "array":
        return [plain(x) for x in v["value"]]
    if kind == "object":
        return {m["key"]: plain(m["value"]) for m in v["value"]}
    return v.get("value")


def part(w, id, which, name):
    """An attribute of a component's arguments or exports, looked for in blocks too; None when there is none."""
    a = w.get(f"/api/v0/web/components/{id}")
    if a.status != 200:
        return None

    def search(body):
        for e in body or []:
            if e["name"] == name and e["type"] == "attr":
                return plain(e["value"])
            found = search(e.get("body")) if e["type"] == "block" else None
            if found is not None:
                return found

    return search(json.loads(a.body)[which])


def exported(w, id, name="out"):
    return part(w, id, "exports", name)


def health(w, id):
    return json.loads(w.get(f"/api/v0/web/components/{id}").body)["health"]


# --- values ---

NESTED = '''
declare "outer" {
  argument "in" { }
  declare "inner" {
    argument "in" { }
    otelcol.processor.batch "b" {
      timeout = argument.in.value
      output { }
    }
    export "out" { value = string.to_upper(argument.in.value) }
  }
  inner "x" { in = argument.in.value }
  export "out" { value = inner.x.out }
}
'''


def test_values_flow_into_modules_and_out_of_them(weir, tmp_path):
    source = tmp_path / "source"
    source.write_text("1s")
    w = weir(NESTED + f'local.file "s" {{\n  filename = "{source}"\n}}\nouter "o" {{ in = local.file.s.content }}\n'
             'declare "echo" {\n  argument "in" { }\n  export "out" { value = argument.in.value + "!" }\n}\necho "e" { in = outer.o.out }\n')
    for value in ("1s", "2s", "3m"):
        put(source, value)
        await_that(f"{value} comes out at the end", lambda: exported(w, "echo.e") == value.upper() + "!")
        assert exported(w, "outer.o") == exported(w, "outer.o/inner.x") == value.upper()
        assert part(w, "outer.o/inner.x/otelcol.processor.batch.b", "arguments", "timeout") is not None
    put(source, "no duration")
    await_that("the component in the module says it", lambda: health(w, "outer.o/inner.x/otelcol.processor.batch.b")["state"] == "unhealthy")
    assert exported(w, "echo.e") == "NO DURATION!"
    put(source, "4s")
    await_that("it is well again", lambda: health(w, "outer.o/inner.x/otelcol.processor.batch.b")["state"] == "healthy")


# --- items ---

def test_items_from_a_file_come_go_and_stay(weir, backend, ports, tmp_path):
    """Each item is a receiver; the connections of those that stay survive every change of the list."""
    a, b, c = ports(3)
    items = tmp_path / "ports.json"
    items.write_text(json.dumps([{"port": str(a)}, {"port": str(b)}]))
    w = weir(f'''
local.file "ports" {{ filename = "{items}" }}
foreach "receivers" {{
  collection = encoding.from_json(local.file.ports.content)
  var        = "item"
  id         = "port"
  template {{
    otelcol.receiver.otlp "in" {{
      http {{ endpoint = "127.0.0.1:" + item["port"] }}
      output {{ traces = [otelcol.exporter.otlphttp.out.input] }}
    }}
  }}
}}
otelcol.exporter.otlphttp "out" {{
  client {{ endpoint = "{backend.url}" }}
}}''', "--stability.level=experimental")
    line = Line(a)
    line.post()
    put(items, json.dumps([{"port": str(c)}, {"port": str(a)}]))
    await_that("the new one listens, the one that went does not", lambda: port_open(c) and not port_open(b))
    line.post()
    other = Line(c)
    other.post()
    put(items, "[")
    await_that("the fault is told", lambda: health(w, "foreach.receivers")["state"] == "unhealthy")
    line.post()
    put(items, json.dumps([{"port": str(n)} for n in (b, a, c)]))
    await_that("it is well again", lambda: port_open(b) and health(w, "foreach.receivers")["state"] == "healthy")
    line.post()
    other.post()
    put(items, "[]")
    await_that("all are gone", lambda: not any(map(port_open, (a, b, c))))
    await_that("nothing is lost", lambda: backend.count() == 6)


# --- content ---

def test_an_imported_file_changes_under_load(weir, sink, otlpgen, ports, tmp_path):
    """The receiver, the processor and the exporter stand in the imported declare; a processor between them changes with each version."""
    port = ports(1)[0]
    s = sink("-s", "-e", "environment=development")
    lib = tmp_path / "lib.alloy"

    def version(v):
        body = pipeline(port, f"http://127.0.0.1:{s.port}", compression="none", actions=[("environment", "development"), ("v", str(v))])
        put(lib, f'declare "agent" {{\n{body}\n{batches(f"v{v}")}}}\n')

    version(0)
    w = weir(f'import.file "lib" {{\n  filename = "{lib}"\n}}\nlib.agent "x" {{ }}\n', "--workers=2")
    result = {}
    load = threading.Thread(target=lambda: result.update(otlpgen(port, "-c", 4, "-b", 64, "-d", 4, "-r", 20000)))
    load.start()
    v = 0
    while load.is_alive():
        v += 1
        version(v)
        await_that("the new body runs", lambda: w.get(f"/api/v0/web/components/lib.agent.x/otelcol.processor.batch.v{v}").status == 200)
    assert v > 5 and result["errors"] == 0
    await_that("all of it arrives", lambda: s.stats()["unique"] >= result["spans"])
    stats = s.stats()
    assert stats["duplicates"] == 0 and stats["decode_errors"] == 0 and stats["expected_missing"] == 0


@pytest.mark.parametrize("kind", ["file", "string"])
def test_broken_content_keeps_the_bodies(weir, backend, ports, tmp_path, kind):
    port = ports(1)[0]
    lib = tmp_path / "lib.alloy"
    good = f'declare "d" {{\n{pipeline(port, backend.url)}\n}}\n'
    lib.write_text(good)
    source = (f'import.file "lib" {{\n  filename = "{lib}"\n}}\n' if kind == "file" else
              f'local.file "lib" {{\n  filename = "{lib}"\n}}\nimport.string "lib" {{\n  content = local.file.lib.content\n}}\n')
    w = weir(source + 'lib.d "x" { }\n')
    line = Line(port)
    ill = lambda: w.metric("alloy_component_controller_running_components", health_type="unhealthy", controller_id="")
    broken = [('declare "d" {', "expected"),
              ('otelcol.processor.batch "b" { }', "only declare and import blocks are allowed in a module"),
              ('declare "other" { }', "custom component config not found in the registry"),
              (good.replace("otelcol.processor.batch", "otelcol.processor.bach"), "otelcol.processor.bach"),
              (good.replace('timeout = "100ms"', "send_batch_size = 1 / 0"), "divi")]
    for text, why in broken:
        before = len(w.log)
        put(lib, text)
        await_that(f"the log says {why}", lambda: why in w.log[before:])
        line.post()
        await_that(f"health says {why}", ill)  # of the import, or of the instance that finds nothing in it
        assert health(w, "lib.d.x/otelcol.receiver.otlp.default")["state"] == "healthy"
        put(lib, good + f"// after {why}\n")
        await_that("it is well again", lambda: not ill())
        line.post()
    await_that("nothing was lost", lambda: backend.count() == 2 * len(broken))
    assert w.log.count("Starting HTTP server") == 1


# --- bodies without an end ---

def fails(w, why, seconds=30):
    w.expected_exit = 1
    assert w.p.wait(seconds * (10 if SANITIZED else 1)) == 1
    assert why in w.log + w.out, (w.log + w.out)[-3000:]


def test_a_file_that_imports_itself(weir, tmp_path):
    lib = tmp_path / "lib.alloy"
    text = 'import.file "again" {\n  filename = module_path + "/lib.alloy"\n}\ndeclare "d" { }\n'
    lib.write_text(text)
    config = f'import.file "lib" {{\n  filename = "{lib}"\n}}\n'
    fails(weir(config + 'lib.d "x" { }\n', wait=False), "the imported module imports itself")
    # nobody uses it: told by its health and the log alone
    w = weir(config)
    ill = lambda: w.metric("alloy_component_controller_running_components", health_type="unhealthy", controller_id="")
    assert ill() == 1 and "the imported module imports itself" in w.log
    put(lib, 'declare "d" { }\n')
    await_that("it is well again", lambda: not ill())


def test_files_that_import_each_other_twice(weir, tmp_path):
    """Two to the power of the depth, were there no end; what the outermost declares is usable."""
    for name, other in (("a", "b"), ("b", "a")):
        (tmp_path / f"{name}.alloy").write_text("".join(
            f'import.file "{label}" {{\n  filename = module_path + "/{other}.alloy"\n}}\n' for label in ("one", "two")) + 'declare "d" { }\n')
    w = weir(f'import.file "lib" {{\n  filename = "{tmp_path / "a.alloy"}"\n}}\nlib.d "x" {{ }}\n')
    assert health(w, "lib.d.x")["state"] == "healthy"
    told = [l for l in w.log.splitlines() if "failed to process imported content" in l]
    assert len(told) == 2 and all("the imported module imports itself" in l for l in told)


def test_recursive_declares(weir):
    fails(weir('declare "a" {\n  b "x" { }\n}\ndeclare "b" {\n  a "x" { }\n}\na "x" { }\n', wait=False), "cycle")
    fails(weir('declare "a" {\n  a "x" { }\n}\na "x" { }\n', wait=False), "declare.a")


@pytest.mark.skipif(SANITIZED, reason="measures memory")
def test_two_to_the_thirtieth_instances(weir):
    """Refused in bounded time and memory; as a reload it leaves what runs."""
    double = "".join(f'declare "d{i}" {{\n  d{i + 1} "x" {{ }}\n  d{i + 1} "y" {{ }}\n}}\n' for i in range(30)) + 'declare "d30" { }\nd0 "x" { }\n'
    w = weir(batches("a"), "--config.watch=false")
    r = w.reload(double)
    assert r.status == 400 and "blocks" in r.text
    assert [c["label"] for c in w.components()] == ["a"] and w.status_kib("VmHWM") < 1 << 20
    fails(weir(double, wait=False), "the modules of this configuration have more than")


# --- large ---

def library(n):
    """n declares, each of the next one's manner: an argument, defaults, a chain of processors, an export."""
    return "".join(f'''
declare "team_{i}" {{
  argument "forward" {{ comment = "where it goes" }}
  argument "batch" {{
    optional = true
    default  = {100 + i}
  }}
  otelcol.processor.attributes "tag" {{
    action {{
      key    = "team"
      value  = "team_{i}"
      action = "upsert"
    }}
    output {{ traces = [otelcol.processor.batch.collect.input] }}
  }}
  otelcol.processor.batch "collect" {{
    send_batch_size = argument.batch.value
    timeout         = "{10 + i % 90}ms"
    output {{ traces = argument.forward.value }}
  }}
  export "input" {{ value = otelcol.processor.attributes.tag.input }}
}}
''' for i in range(n))


def users(n, ns, batch, out="otelcol.exporter.otlphttp.out.input"):
    return "".join(f'{ns}team_{i} "t" {{\n  forward = [{out}]\n  batch = {batch + i}\n}}\n' for i in range(n))


def large(tmp_path, url, batch=1000, n=220):
    """More than 5,000 lines: a library of its own, one that is imported, and a foreach over a list of teams."""
    lib = tmp_path / "large.alloy"
    if not lib.exists():
        lib.write_text(library(40))
    teams = ",\n    ".join(f'{{ name = "t{i}", size = {i} }}' for i in range(200))
    return (library(n) + users(n, "", batch) + f'import.file "lib" {{\n  filename = "{lib}"\n}}\n' + users(40, "lib.", 5) + f'''
foreach "teams" {{
  collection = [
    {teams},
  ]
  var = "team"
  id  = "name"
  template {{
    otelcol.processor.batch "b" {{
      send_batch_size = team["size"] + 1
      output {{ traces = [otelcol.exporter.otlphttp.out.input] }}
    }}
  }}
}}
otelcol.exporter.otlphttp "out" {{
  client {{ endpoint = "{url}" }}
}}
''')


def test_a_large_generated_configuration(weir, backend, ports, tmp_path):
    port = ports(1)[0]
    entry = lambda i: (f'otelcol.receiver.otlp "in" {{\n  http {{ endpoint = "127.0.0.1:{port}" }}\n'
                       f'  output {{ traces = [team_{i}.t.input, lib.team_3.t.input] }}\n}}\n')
    config = large(tmp_path, backend.url) + entry(7)
    assert config.count("\n") > 5000
    w = weir(config, "--stability.level=experimental")
    line, posted = Line(port), 0

    def arrives(team):
        nonlocal posted
        line.post()
        posted += 1
        return any(r["attributes"]["team"] == team for r in backend.records)

    await_that("the way through the modules", lambda: arrives("team_7"), step=0.3)
    for i in range(3):
        assert w.reload(large(tmp_path, backend.url, batch=2000) + entry(9 + i)).status == 200
        await_that("the new way", lambda: arrives(f"team_{9 + i}"), step=0.3)
    last = [l for l in w.log.splitlines() if "scheduling loaded components" in l][-1]
    assert "added=0 changed=1 removed=0 " in last and "~otelcol.receiver.otlp.in" in last
    lib = tmp_path / "large.alloy"
    put(lib, library(40).replace('value  = "team_3"', 'value  = "changed"'))
    await_that("the imported body is the new one", lambda: arrives("changed"), step=0.3)
    assert all(c["health"]["state"] == "healthy" for c in w.components())
    assert w.stop() == 0
    assert backend.count() == 2 * posted
