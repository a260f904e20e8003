"""The examples, run as they stand but for their addresses: what a reader would see."""
import json

import pytest

from loki_backend import Loki
from weirproc import await_that, http

pytestmark = pytest.mark.core

BACKEND = "http://localhost:14318"


def example(root, name, **replaced):
    """The text with each address replaced, each of which it must have; what it reads lies beside the original."""
    text = (root / "examples/river" / name).read_text()
    for old, new in replaced.items():
        assert old in text, f"{name} says nothing of {old}"
        text = text.replace(old, new)
    return text.replace("module_path", json.dumps(str(root / "examples/river")))


def send(root, port):
    r = http("POST", f"http://127.0.0.1:{port}/v1/traces", (root / "examples/trace.json").read_bytes(), {"Content-Type": "application/json"})
    assert r.status == 200


def test_modules(weir, root, backend, ports):
    orders, billing = ports(2)
    w = weir(example(root, "modules.river", **{BACKEND: backend.url, "127.0.0.1:14001": f"127.0.0.1:{orders}",
                                               "127.0.0.1:14002": f"127.0.0.1:{billing}"}), "--stability.level=experimental")
    send(root, orders)
    send(root, billing)
    await_that("a span of each team", lambda: backend.count() == 2)
    with backend.lock:
        assert sorted(r["attributes"]["team"] for r in backend.records) == ["billing", "orders"]
    assert w.get("/-/healthy").status == 200


def test_own_log(weir, root, backend):
    w = weir(example(root, "own_log.river", **{BACKEND: backend.url}))

    def sent():
        with backend.lock:
            return [json.loads(r["body"]) | r["attributes"] for r in backend.records]

    await_that("the last line of the start", lambda: any("weir is running" in r["msg"] for r in sent()))
    assert all(r["host.name"] for r in sent())
    assert any("weir is running" in json.loads(line)["msg"] for line in w.log.splitlines())


APP_LOG = """2026-11-30T10:00:00Z INFO order 1 taken
2026-11-30T10:00:01Z DEBUG cart of 3 things
2026-11-30T10:00:02Z ERROR payment failed
Traceback:
  line 1
2026-11-30T10:00:03Z INFO order 2 taken
"""


def test_logs(weir, root, loki, tmp_path):
    archive = Loki()
    logs = tmp_path / "apps/shop"
    logs.mkdir(parents=True)
    (logs / "shop.log").write_text(APP_LOG)
    (logs / "shop-debug.log").write_text("2026-11-30T10:00:00Z INFO not for Loki\n")
    try:
        weir(example(root, "logs.river", **{"/var/log/apps": str(tmp_path / "apps"), "http://localhost:3100/loki/api/v1/push": loki.url,
                                            "http://localhost:3101/loki/api/v1/push": archive.url}))
        for backend, tenant in ((loki, ""), (archive, "archive")):
            backend.wait(3)
            assert sorted(e.line.split(" ", 1)[1] for e in backend.entries()) == [
                "ERROR payment failed\nTraceback:\n  line 1", "INFO order 1 taken", "INFO order 2 taken"]
            assert {r.tenant for r in backend.requests} == {tenant}
            assert all('cluster="example"' in text and 'job="apps"' in text and "filename=" not in text for _, text in backend.streams())
    finally:
        archive.close()
