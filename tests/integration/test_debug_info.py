"""What sources show of their targets: debugInfo of the API, under Alloy's names."""
import json
import os

import pytest

from docker_engine import Engine
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


def test_containers(weir, loki, tmp_path):
    engine = Engine(tmp_path / "engine.sock")
    web, sick = engine.run("web"), engine.run("sick")
    sick.refuse = (501, "configured logging driver does not support reading")
    target = lambda c: f'{{ __meta_docker_container_id = "{c.id}", job = "t" }}'
    w = weir(f'''
loki.source.docker "d" {{
  host       = "unix://{engine.path}"
  targets    = [{target(web)}, {target(sick)}]
  forward_to = [loki.write.out.receiver]
}}
loki.write "out" {{
  endpoint {{
    url        = "{loki.url}"
    batch_wait = "50ms"
  }}
}}
''')
    shown = lambda: {t["id"]: t for t in blocks(debug_info(w, "loki.source.docker.d"), "targets_info")}
    await_that("both containers are looked at", lambda: len(shown()) == 2 and shown()[web.id]["is_running"] and shown()[sick.id]["last_error"])
    assert "does not support reading" in shown()[sick.id]["last_error"]
    assert shown()[sick.id]["is_running"] is False
    web.out("a line", 1700000007 * 10**9 + 5)
    await_that("its second is delivered", lambda: shown()[web.id]["read_offset"] == "1700000007")
    assert shown()[web.id] == {"id": web.id, "last_error": "", "labels": '{job="t"}', "is_running": True, "read_offset": "1700000007"}
    sick.refuse = None
    await_that("it can be read", lambda: shown()[sick.id]["is_running"])
    assert shown()[sick.id]["last_error"] == ""
    engine.down()
    await_that("the engine is missed", lambda: all("cannot reach the Docker engine" in t["last_error"] for t in shown().values()))
    assert not any(t["is_running"] for t in shown().values())
