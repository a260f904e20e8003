"""prometheus.scrape: labels, markers and reports of targets that answer, lie and go; the agent's own metrics in memory."""
import gzip
import http.server
import threading

import pytest

from weirproc import await_that

pytestmark = pytest.mark.core


class Target(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        self.body, self.type, self.headers, self.status = b"", "text/plain; version=0.0.4", {}, 200
        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self):
        return f"127.0.0.1:{self.server_address[1]}"


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def do_GET(self):
        t = self.server
        t.asked = dict(self.headers)
        body = gzip.compress(t.body) if "gzip" in self.headers.get("Accept-Encoding", "") else t.body
        self.send_response(t.status)
        self.send_header("Content-Type", t.type)
        if body is not t.body:
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def target():
    t = Target()
    yield t
    t.shutdown()
    t.server_close()


def config(targets, more=""):
    return f'''
prometheus.exporter.self "own" {{ }}
prometheus.scrape "s" {{
  targets         = {targets}
  forward_to      = [prometheus.echo.out.receiver]
  job_name        = "j"
  scrape_interval = "1s"
  scrape_timeout  = "1s"
  {more}
}}
prometheus.echo "out" {{ }}
'''


def one(target):
    return f'[{{"__address__" = "{target.address}", "zone" = "a", "instance" = "i"}}]'


def await_text(w, text):
    await_that(f"a sample {text}", lambda: text in w.out, 60)


def test_labels_and_markers(weir, target):
    target.body = b'# TYPE h histogram\nh_bucket{le="1"} 3\nm{zone="b"} 5\n'
    w = weir(config(one(target)))
    await_text(w, 'h_bucket{instance="i",job="j",le="1.0",zone="a"} 3 ')
    await_text(w, 'm{exported_zone="b",instance="i",job="j",zone="a"} 5 ')
    await_text(w, 'up{instance="i",job="j",zone="a"} 1 ')
    target.body = b"other 1\n"
    await_text(w, 'm{exported_zone="b",instance="i",job="j",zone="a"} NaN ')
    target.body = b"broken\n"
    await_text(w, 'other{instance="i",job="j",zone="a"} NaN ')
    await_text(w, 'up{instance="i",job="j",zone="a"} 0 ')
    assert "escaping=underscores" in target.asked["Accept"]


def test_sample_limit(weir, target):
    target.body = b"a 1\nb 2\nc 3\n"
    w = weir(config(one(target), "sample_limit = 2"))
    await_text(w, 'scrape_samples_scraped{instance="i",job="j",zone="a"} 3 ')
    await_text(w, 'up{instance="i",job="j",zone="a"} 0 ')
    assert "\na{" not in w.out


def test_own_metrics_in_memory(weir):
    w = weir(config("prometheus.exporter.self.own.targets"))
    await_text(w, "alloy_build_info{")
