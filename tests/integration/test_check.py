"""The commands that only read: hostile texts end in bounded time and memory with a reason, and what `fmt` and the name `alloy` promise."""
import json
import os
import re
import subprocess

import pytest

from weirproc import SANITIZED

pytestmark = pytest.mark.core
MIB = 1 << 20


@pytest.fixture
def run(weir_binary, tmp_path):
    """run(*args, text=...) -> the finished process, with its peak memory in KiB and its CPU seconds."""
    def call(*args, text=b"", program=weir_binary):
        env = dict(os.environ, NO_COLOR="1")
        out, err = tmp_path / "stdout", tmp_path / "stderr"
        given = tmp_path / "stdin"
        given.write_bytes(text)
        with open(out, "wb") as o, open(err, "wb") as e, open(given, "rb") as i:
            p = subprocess.Popen([program, *args], stdin=i, stdout=o, stderr=e, cwd=tmp_path, env=env)
            _, status, usage = os.wait4(p.pid, 0)
            p.returncode = os.waitstatus_to_exitcode(status)
        p.out, p.err = out.read_text(errors="replace"), err.read_text(errors="replace")
        p.kib, p.cpu = usage.ru_maxrss, usage.ru_utime + usage.ru_stime
        assert p.returncode in (0, 1), p.err[-2000:]
        if not SANITIZED:
            assert p.cpu < 20
        return p
    return call


def test_ten_mib_of_statements(run):
    text = b'otelcol.exporter.otlphttp "x" {\n  client { endpoint = "http://127.0.0.1:4318" }\n}\n' + b"// a comment\n" * (10 * MIB // 13)
    p = run("check", "-", text=text)
    assert p.returncode == 0 and p.err == ""
    assert SANITIZED or p.kib < 400 * 1024


def test_ten_mib_of_one_line(run):
    p = run("check", "-", text=b'x "y" { a = [' + b"1," * (5 * MIB) + b"] }")
    assert p.returncode == 1 and "x" in p.err
    assert len(p.err) < 100_000  # the long line is not shown


@pytest.mark.parametrize("text, code", [
    (b"a = @\n" * 20000, "PARSE_FAULTS"),
    (b"\xff" * 20000, "PARSE_FAULTS"),
    (b"(" * MIB, "PARSE_STATEMENT"),
    (b"a = " + b"(" * MIB, "PARSE_DEPTH"),
    (b"a {\n" * 100000, "PARSE_DEPTH"),
    (b"a = " + b"-" * MIB + b"1", "PARSE_DEPTH"),
], ids=["statements", "bytes", "brackets", "expressions", "blocks", "operators"])
def test_endless_faults_of_syntax(run, text, code):
    p = run("check", "--format=json", "-", text=text)
    found = json.loads(p.out)
    assert code in [d["code"] for d in found]
    assert len(found) <= 20001


def test_ten_thousand_faults_of_meaning(run):
    """Each is told, with its place; suggestions stop where they would cost the square."""
    text = b"".join(b'otelcol.processor.batch "b%d" {\n  output { traces = [otelcol.processor.batch.c%d.input] }\n  x = 1\n}\n' % (i, i)
                    for i in range(10000))
    p = run("check", "--format=json", "-", text=text)
    found = json.loads(p.out)
    assert [d["code"] for d in found].count("REFERENCE") == 10000
    assert [d["code"] for d in found].count("ATTR_UNKNOWN") == 10000


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_other_encodings(run, encoding, tmp_path):
    path = tmp_path / "c.alloy"
    path.write_bytes("\ufefflogging { level = \"inf\" }\n".encode(encoding))
    p = run("check", "c.alloy")
    assert p.returncode == 1
    assert ("UTF-32" if "32" in encoding else "c.alloy:1:19: \"inf\"") in p.err


def test_large_yaml(run, tmp_path):
    """Ten MiB of configuration in one block, and a thousand ConfigMaps: faults at the very end are shown where they stand."""
    (tmp_path / "v.yaml").write_text("alloy:\n  configMap:\n    content: |\n" + "      // a comment\n" * (10 * MIB // 19) + "      a = 1\n")
    p = run("check", "v.yaml")
    assert f"v.yaml:{10 * MIB // 19 + 4}:7: unrecognized attribute a" in p.err
    one = "kind: ConfigMap\napiVersion: v1\ndata:\n  c.alloy: |\n    logging { }\n"
    (tmp_path / "m.yaml").write_text("---\n".join([one] * 1000 + [one.replace("logging", "loggin")]))
    p = run("check", "m.yaml")
    assert p.returncode == 1 and "m.yaml:6005:" in p.err and p.err.count("Error: m.yaml") == 1


def test_write_keeps_the_permissions(run, tmp_path):
    path = tmp_path / "c.alloy"
    path.write_text("a=1\n")
    path.chmod(0o640)
    inode = path.stat().st_ino
    assert run("fmt", "-w", "c.alloy").returncode == 0
    assert path.read_text() == "a = 1\n"
    assert path.stat().st_mode & 0o777 == 0o640 and path.stat().st_ino == inode
    os.utime(path, (1, 1))
    assert run("fmt", "-w", "c.alloy").returncode == 0
    assert path.stat().st_mtime == 1  # in form already: not written


@pytest.mark.parametrize("args, text", [
    (("fmt", "-"), "encountered errors during formatting"),
    (("validate", "-"), "validation failed"),
    (("fmt", "a", "b"), "accepts at most 1 arg"),
])
def test_called_alloy_the_last_line_is_dated(run, weir_binary, tmp_path, args, text):
    (tmp_path / "alloy").symlink_to(weir_binary)
    p = run(*args, text=b"a =\n", program=str(tmp_path / "alloy"))
    last = p.err.splitlines()[-2:]
    assert p.returncode == 1
    assert last[0].startswith("Error: " + text)
    assert re.fullmatch(r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d collector server run finished with error: " + re.escape(last[0][len("Error: "):]), last[1])


@pytest.mark.parametrize("command", ["check", "validate"])
def test_settings_of_a_stability_level(run, command):
    """What `run` refuses for stability.level these refuse, too."""
    text = b'loki.write "w" {\n  endpoint {\n    url = "http://127.0.0.1:1/push"\n    queue_config {\n      min_shards = 2\n    }\n  }\n}\n'
    p = run(command, "-", text=text)
    assert p.returncode == 1 and "changing queue_config requires stability.level flag to be experimental" in p.err + p.out
    assert run(command, "--stability.level=experimental", "-", text=text).returncode == 0
