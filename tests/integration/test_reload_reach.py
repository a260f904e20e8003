"""How far a change reaches: among many components only what depends on it is evaluated, and data on its way does not notice."""
import json
import re
import subprocess
import sys

import pytest

from configs import pipeline
from weirproc import await_that

pytestmark = pytest.mark.core


def generated(root, port, *options):
    out = subprocess.run([sys.executable, str(root / "bench/genconfig.py"), "300", "--own", *options], capture_output=True, text=True, check=True)
    return out.stdout.replace("127.0.0.1:10000", f"127.0.0.1:{port}")


def evaluated(w, config):
    """The ids of the nodes that this reload evaluates, in order, and its counts."""
    before = len(w.log)
    assert w.reload(config).status == 200
    await_that("it is committed", lambda: "scheduling loaded components" in w.log[before:])
    new = w.log[before:]
    return re.findall(r'msg="finished node evaluation".* node_id=(\S+)', new), dict(re.findall(r" (added|changed|removed|left)=(\d+)", new))


def test_one_of_many(weir, root, ports):
    port = ports(1)[0]
    plain = generated(root, port)
    w = weir(plain, "--config.watch=false")
    nodes, counts = evaluated(w, generated(root, port, "--change"))
    assert len(nodes) == 1 and nodes[0].startswith("otelcol.processor.attributes.t")
    assert (counts["added"], counts["changed"], counts["removed"]) == ("0", "1", "0") and int(counts["left"]) >= 299
    nodes, counts = evaluated(w, generated(root, port, "--change"))
    assert nodes == [] and counts["changed"] == "0"
    nodes, _ = evaluated(w, plain)
    assert len(nodes) == 1


def test_the_argument_of_a_module(weir, root, ports):
    port = ports(1)[0]
    plain = generated(root, port)
    w = weir(plain, "--config.watch=false")
    changed = plain.replace('team = "team-2"', 'team = "team-two"', 1)
    assert changed != plain
    nodes, counts = evaluated(w, changed)
    assert sorted(nodes) == ["marked.t2_3", "otelcol.processor.attributes.team"]  # argument.team has another value, by the same block
    assert counts["changed"] == "2" and counts["added"] == counts["removed"] == "0"


def test_the_body_of_a_declare_reaches_its_instances(weir, root, ports):
    port = ports(1)[0]
    plain = generated(root, port)
    w = weir(plain, "--config.watch=false")
    instances = plain.count('\nmarked "')
    nodes, counts = evaluated(w, plain.replace('key    = "team"', 'key    = "crew"', 1))
    assert nodes.count("otelcol.processor.attributes.team") == instances > 1
    assert not any(n.startswith(("otelcol.processor.attributes.t2", "otelcol.exporter")) for n in nodes)
    assert int(counts["left"]) >= 290


MODULE = '''declare "marked" {{
  argument "to" {{ }}

  otelcol.processor.attributes "generation" {{
    action {{
      key    = "generation"
      value  = "{}"
      action = "upsert"
    }}
    output {{
      traces = argument.to.value
    }}
  }}

  export "input" {{
    value = otelcol.processor.attributes.generation.input
  }}
}}
'''
USE = '''
import.file "own" {{
  filename = "{}"
}}

own.marked "default" {{
  to = [otelcol.exporter.otlphttp.default.input]
}}
'''


@pytest.fixture
def load(tool):
    """load(port): a load without end; .terminate() has it end when what it sent is answered."""
    started = []

    def start(port):
        argv = [tool("otlpgen"), "-p", str(port), "-c", "4", "-b", "64", "-d", "300", "-r", "10000"]
        started.append(subprocess.Popen(argv, stdout=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for p in started:
        p.kill()


def test_module_changes_under_load_refuse_and_lose_nothing(weir, sink, load, ports, tmp_path):
    port = ports(1)[0]
    s = sink("-s", "-e", "generation=last")
    module = tmp_path / "module.alloy"

    def write(generation):
        beside = tmp_path / "module.new"
        beside.write_text(MODULE.format(generation))
        beside.rename(module)

    write(0)
    text = pipeline(port, f"http://127.0.0.1:{s.port}", compression="none", actions=[("environment", "development")])
    w = weir(text.replace("otelcol.exporter.otlphttp.default.input", "own.marked.default.input") + USE.format(module), "--workers=2")
    generator = load(port)
    await_that("data arrives", lambda: s.stats()["unique"] > 0)
    for generation in [1, 2, 3, 4, "last"]:
        seen = w.log.count("node_id=otelcol.processor.attributes.generation")
        write(generation)
        await_that(f"generation {generation} is evaluated", lambda: w.log.count("node_id=otelcol.processor.attributes.generation") > seen)
    done = s.stats()["expected_ok"]
    await_that("data goes through the last one", lambda: s.stats()["expected_ok"] > done)
    generator.terminate()
    result = json.loads(generator.communicate(timeout=60)[0])
    assert result["errors"] == 0 and result["refused"] == 0
    await_that("all of it arrives", lambda: s.stats()["unique"] >= result["spans"])
    stats = s.stats()
    assert stats["duplicates"] == 0 and stats["decode_errors"] == 0
    assert stats["expected_ok"] > 0 and stats["expected_missing"] > 0  # after the last change, and before it
