"""What sources show of their targets: debugInfo of the API, under Alloy's names."""
import json
import os

import pytest

from test_source_file import config
from weirproc import await_that

pytestmark = pytest.mark.core


def debug_info(w, id):
    return json.loads(w.get(f"/api/v0/web/components/{id}").body)["debugInfo"]


def plain(value):
    """The API's values as Python's."""
    kind, v = value["type"], value.get("value")
    if kind == "array":
        return [plain(x) for x in v]
    if kind == "object":
        return {m["key"]: plain(m["value"]) for m in v}
    return float(v) if kind == "number" else v


def blocks(info, name):
    return [{a["name"]: plain(a["value"]) for a in b["body"]} for b in info if b["name"] == name]


def test_files(weir, loki, tmp_path):
    path = tmp_path / "a.log"
    path.write_text("one\ntwo\n")
    w = weir(config(loki, path))
    shown = lambda: blocks(debug_info(w, "loki.source.file.f"), "targets_info")
    await_that("both lines are delivered", lambda: [t["read_offset"] for t in shown()] == [8])
    assert shown() == [{"path": str(path), "labels": '{job="t"}', "is_running": True, "read_offset": 8}]
    with open(path, "a") as f:
        f.write("three\n")
    await_that("the third one, too", lambda: shown()[0]["read_offset"] == 14)
    os.unlink(path)
    await_that("the file is closed", lambda: shown()[0]["is_running"] is False)


def test_listeners(weir, ports):
    open_port, = ports(1)
    w = weir(f'''
loki.source.syslog "s" {{
  listener {{
    address = "127.0.0.1:{open_port}"
    labels  = {{ job = "syslog" }}
  }}
  listener {{
    address  = "127.0.0.1:{open_port}"
    protocol = "udp"
  }}
  forward_to = []
}}
''')
    info, = debug_info(w, "loki.source.syslog.s")
    assert (info["name"], info["type"]) == ("listeners_info", "attr")
    address = f"127.0.0.1:{open_port}"
    assert plain(info["value"]) == [
        {"type": "tcp", "ready": True, "listen_address": address, "labels": '{job="syslog"}'},
        {"type": "udp", "ready": True, "listen_address": address, "labels": "{}"},
    ]
