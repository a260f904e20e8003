"""Debian's prometheus as the backend: it takes remote write, and is asked through its HTTP API."""
import json
import shutil
import subprocess
import urllib.parse

import pytest

from weirproc import await_that, free_ports, http


class PrometheusServer:
    def __init__(self, folder, *flags):
        program = shutil.which("prometheus")
        if not program:
            pytest.skip("prometheus is not installed")
        folder.mkdir()
        (folder / "prometheus.yml").write_text("global: {}\n")
        self.port = free_ports(1)[0]
        self.log = open(folder / "log", "wb")
        self.process = subprocess.Popen(
            [program, f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data", f"--web.listen-address=127.0.0.1:{self.port}",
             "--web.enable-remote-write-receiver", *flags], stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL)
        await_that("prometheus is ready", self._ready)

    def _ready(self):
        assert self.process.poll() is None, "prometheus has ended"
        try:
            return http("GET", self.base + "/-/ready", timeout=5).status == 200
        except OSError:
            return False

    @property
    def base(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self):
        return self.base + "/api/v1/write"

    def ask(self, path, **query):
        answer = json.loads(http("GET", f"{self.base}/api/v1/{path}?{urllib.parse.urlencode(query, doseq=True)}").body)
        assert answer["status"] == "success", answer
        return answer["data"]

    def query(self, expr, **more):
        """The vector now: [(labels, value)]."""
        return [(r["metric"], float(r["value"][1])) for r in self.ask("query", query=expr, **more)["result"]]

    def value(self, expr):
        """The one value of a vector, or None."""
        found = self.query(expr)
        assert len(found) <= 1, found
        return found[0][1] if found else None

    def samples(self, selector, back="10m"):
        """{labels as a frozenset: [(time, value)]}, as they are stored; markers are not among them."""
        return {frozenset(r["metric"].items()): [(t, float(v)) for t, v in r["values"]]
                for r in self.ask("query", query=f"{selector}[{back}]")["result"]}

    def close(self):
        self.process.terminate()
        self.process.wait(60)
        self.log.close()
