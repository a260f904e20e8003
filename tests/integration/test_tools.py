"""The commands for people at a terminal, with the programs they are used with: Graphviz, shells, a co-process."""
import json
import os
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET

import pytest

pytestmark = pytest.mark.core

MODULES = """
declare "送る" {
  argument "to" { }

  otelcol.processor.batch "批次" {
    output {
      traces = argument.to.value
    }
  }

  export "in" {
    value = otelcol.processor.batch.批次.input
  }
}

otelcol.receiver.otlp "in" {
  http { }

  output {
    traces = [送る.a.in]
  }
}

送る "a" {
  to = [otelcol.exporter.debug.d.input]
}

otelcol.exporter.debug "d" { }
"""


def needs(program):
    if not shutil.which(program):
        pytest.skip(f"{program} is not installed")


def call(*args, text=""):
    r = subprocess.run(args, input=text.encode(), capture_output=True, timeout=60)
    assert r.returncode == 0, r.stderr.decode()
    return r.stdout.decode()


def titles(svg, kind):
    """The titles of an SVG's groups of a class."""
    out = set()
    for g in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}g"):
        if g.get("class") == kind:
            out.add(g.find("{http://www.w3.org/2000/svg}title").text)
    return out


# --- graph ---

def test_graphviz_draws_modules(weir_binary):
    needs("dot")
    svg = call("dot", "-Tsvg", text=call(weir_binary, "graph", "-", text=MODULES))
    assert titles(svg, "node") == {"otelcol.receiver.otlp.in", "送る.a/otelcol.processor.batch.批次", "otelcol.exporter.debug.d"}
    assert titles(svg, "cluster") == {"cluster_送る.a"}
    assert titles(svg, "edge") == {"otelcol.receiver.otlp.in->送る.a/otelcol.processor.batch.批次",
                                   "送る.a/otelcol.processor.batch.批次->otelcol.exporter.debug.d"}


def test_the_seed_has_its_flows(weir_binary, root):
    """Every link of the user's configuration, with its signal, in the direction the data goes."""
    d = json.loads(call(weir_binary, "graph", "--json", str(root / "docs/images/seed.alloy")))
    assert len(d["nodes"]) == 15
    assert {(e["from"], e["to"], e["signal"]) for e in d["edges"]} == {
        ("discovery.kubernetes.pods", "loki.source.kubernetes.pods", "targets"),
        ("loki.source.kubernetes.pods", "loki.process.pods", "logs"),
        ("loki.process.pods", "loki.write.default", "logs"),
        ("prometheus.exporter.unix.default", "prometheus.scrape.node_exporter", "targets"),
        ("discovery.kubernetes.nodes", "prometheus.scrape.kubelet", "targets"),
        ("discovery.kubernetes.nodes", "prometheus.scrape.cadvisor", "targets"),
        ("prometheus.scrape.node_exporter", "prometheus.remote_write.mimir", "metrics"),
        ("prometheus.scrape.kubelet", "prometheus.remote_write.mimir", "metrics"),
        ("prometheus.scrape.cadvisor", "prometheus.remote_write.mimir", "metrics"),
        ("otelcol.receiver.otlp.default", "otelcol.processor.batch.default", "traces"),
        ("otelcol.processor.batch.default", "otelcol.processor.attributes.default", "traces"),
        ("otelcol.processor.attributes.default", "otelcol.exporter.otlphttp.default", "traces"),
    }


def test_a_large_graph_is_drawn_at_once(weir_binary):
    chain = "".join(f'otelcol.processor.batch "b{i}" {{\n  output {{\n    traces = [otelcol.processor.batch.b{i + 1}.input]\n  }}\n}}\n'
                    for i in range(10_000))
    text = chain + 'otelcol.processor.batch "b10000" {\n  output { }\n}\n'
    d = json.loads(call(weir_binary, "graph", "--json", "-", text=text))
    assert len(d["nodes"]) == 10_001 and len(d["edges"]) == 10_000
    near = json.loads(call(weir_binary, "graph", "--json", "--focus=otelcol.processor.batch.b9990", "-", text=text))
    assert len(near["nodes"]) == 10_001


# --- completion ---

BASH = r"""
source <("$1" completion bash)
try() { COMP_WORDS=("$weir" "$@"); COMP_CWORD=$#; _weir; echo "${COMPREPLY[*]}"; }
weir=$1
try grap; try check --form; try check --format = j; try explain constants.o; try run c; try fmt -- --
"""

ZSH = r"""
autoload -Uz compinit; compinit -u -D
source <("$1" completion zsh)
_describe() { print -r -- "${(@P)2}" }
_files() { print files "$PREFIX" }
compset() { : }
weir=$1
try() { words=("$weir" "$@"); CURRENT=$#words; _weir }
try grap; try check --format=j; try explain constants.o; try run c
"""

FISH = r"""
set -gx PATH (path dirname $argv[1]) $PATH
weir completion fish | source
for line in "weir grap" "weir check --format=j" "weir check --format j" "weir explain constants.o" "weir run c"
    complete -C $line
end
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "config.alloy").touch()
    return tmp_path


def shell(folder, *command):
    r = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, env=dict(os.environ, HOME=str(folder)))
    return r.stdout, r.stderr


def test_bash_completes(weir_binary, folder):
    out, err = shell(folder, "bash", "--norc", "-c", BASH, "bash", weir_binary)
    assert out.splitlines() == ["graph", "--format", "json", "constants.os", "config.alloy", ""], err


def test_zsh_completes(weir_binary, folder):
    needs("zsh")
    out, err = shell(folder, "zsh", "-f", "-c", ZSH, "zsh", weir_binary)
    lines = out.splitlines()
    assert lines[0].startswith("graph:") and lines[1].startswith("--format=json:"), err
    assert lines[2].startswith("constants.os:") and lines[3].startswith("files"), err


def test_fish_completes(weir_binary, folder):
    needs("fish")
    bin_dir = folder / "bin"
    bin_dir.mkdir()
    (bin_dir / "weir").symlink_to(weir_binary)
    out, err = shell(folder, "fish", "--no-config", "-c", FISH, str(bin_dir / "weir"))
    words = [line.split("\t")[0] for line in out.splitlines()]
    assert words == ["graph", "--format=json", "json", "constants.os", "config.alloy"], err


# --- eval as a co-process ---

def test_eval_answers_each_line_at_once(weir_binary):
    p = subprocess.Popen([weir_binary, "eval", "--lines=json", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    for text, value in (("1 +\n1", 2), ('"' + "x" * 3_000_000 + '"', "x" * 3_000_000), ("{a = [true]}", {"a": [True]})):
        p.stdin.write(json.dumps(text).encode() + b"\n")
        p.stdin.flush()
        assert json.loads(p.stdout.readline()) == value
    p.stdin.write(b'"1 + \\u0000"\n')
    p.stdin.flush()
    assert json.loads(p.stdout.readline())["start"] == [1, 5]
    p.stdin.close()
    assert p.wait(10) == 0 and p.stdout.read() == b""


def test_eval_says_what_it_cannot_read_or_write(weir_binary):
    r = subprocess.run(["sh", "-c", '"$0" eval - <&-', weir_binary], capture_output=True, text=True)
    assert r.returncode == 1 and "cannot read standard input" in r.stderr
    r = subprocess.run(["sh", "-c", 'echo 1 | "$0" eval - >/dev/full', weir_binary], capture_output=True, text=True)
    assert r.returncode == 1 and "cannot write" in r.stderr


# --- explain ---

def test_everything_is_explained(weir_binary, root):
    known = json.loads(call(weir_binary, "explain", "--json"))
    names = {t["name"] for t in known}
    reference = json.loads((root / "components/reference.json").read_text())
    assert set(reference) <= names
    assert {"logging", "http", "tracing", "remotecfg", "livedebugging", "declare", "argument", "export", "foreach", "import.file",
            "import.string", "import.http", "import.git", "string.format", "constants.os"} <= names
    for t in known:
        assert t["summary"], t["name"]


def test_examples_pass_the_check(weir_binary):
    """Those of blocks and of components that run here; an example that belongs into a module shows one."""
    for t in json.loads(call(weir_binary, "explain", "--json")):
        if t.get("example") and t.get("runs_here", True):
            call(weir_binary, "check", "--stability.level=experimental", "--feature.community-components.enabled", "-",
                 text=t["example"])


def test_text_fits_a_terminal(weir_binary):
    """Sentences are wrapped; only values and types without a space may stand out."""
    for name in ("otelcol.exporter.otlp", "loki.process", "prometheus.scrape", "logging"):
        for line in call(weir_binary, "explain", name).splitlines():
            assert len(line) <= 100 or not re.search(r"\w \w+ \w", line[92:]), line
