"""nginx in front of the backend: refusing, slow, limiting."""
import json
import re
import shutil
import subprocess

import pytest

from configs import FAST_RETRY, pipeline
from weirproc import await_that, http, port_open

CONFIG = """
daemon off; master_process off; pid {d}/pid; error_log {d}/error.log;
events {{}}
http {{
  access_log {d}/access.log;
  client_body_temp_path {d}/b; proxy_temp_path {d}/p; fastcgi_temp_path {d}/f; uwsgi_temp_path {d}/u; scgi_temp_path {d}/s;
  client_max_body_size 64m;
  limit_req_zone $binary_remote_addr zone=slow:1m rate=2r/s;
  limit_req_status 429;
  server {{
    listen 127.0.0.1:{port};
    location /limited/ {{ limit_req zone=slow; proxy_pass {upstream}/; }}
    location /down/ {{ add_header Retry-After 1 always; return 503; }}
    location /cut/ {{ return 444; }}
    location /slow/ {{ proxy_read_timeout 1s; proxy_pass {upstream}/; }}
    location / {{ proxy_pass {upstream}/; }}
  }}
}}
"""


@pytest.fixture
def nginx(tmp_path, ports, backend):
    if not shutil.which("nginx"):
        pytest.skip("nginx is not installed")
    port = ports(1)[0]
    conf = tmp_path / "nginx.conf"
    conf.write_text(CONFIG.format(d=tmp_path, port=port, upstream=backend.url))
    p = subprocess.Popen(["nginx", "-c", str(conf), "-p", str(tmp_path)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    await_that("nginx listens", lambda: port_open(port))
    yield f"http://127.0.0.1:{port}"
    p.terminate()
    p.wait(20)


def send(port, n, first=0):
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [
        {"traceId": f"{i + 1:032x}", "spanId": f"{i + 1:016x}", "name": "n"} for i in range(first, first + n)]}]}]}).encode()
    return http("POST", f"http://127.0.0.1:{port}/v1/traces", body, {"Content-Type": "application/json"})


def test_a_rate_limit_slows_but_loses_nothing(weir, backend, nginx, ports):
    port = ports(1)[0]
    w = weir(pipeline(port, nginx + "/limited", exporter=FAST_RETRY, batch='timeout = "10ms"\n send_batch_size = 10\n send_batch_max_size = 10'))
    for i in range(8):
        assert send(port, 10, i * 10).status == 200
    await_that("all arrive", lambda: backend.count() == 80)
    assert len({r["span_id"] for r in backend.records}) == 80
    assert "429" in w.log


def test_a_backend_down_and_up_again(weir, backend, nginx, ports):
    port = ports(1)[0]
    w = weir(pipeline(port, nginx + "/down", exporter=FAST_RETRY))
    for i in range(5):
        assert send(port, 10, i * 10).status == 200
    await_that("it was refused twice", lambda: w.log.count("Exporting failed. Will retry") >= 2)
    assert w.reload(pipeline(port, nginx, exporter=FAST_RETRY)).status == 200
    await_that("the queue survives the reload and all arrive", lambda: backend.count() == 50)


def test_a_slow_backend_is_given_up_by_nginx_and_tried_again(weir, backend, nginx, ports):
    port = ports(1)[0]
    w = weir(pipeline(port, nginx + "/slow", exporter=FAST_RETRY))
    backend.respond = lambda n: (200, {}, b"", 3) if n == 0 else (200, {}, b"", 0)
    assert send(port, 10).status == 200
    await_that("it was sent twice", lambda: len(backend.requests) == 2)
    await_that("the second answer counts", lambda: w.metric("otelcol_exporter_sent_spans_total") == 10)
    assert "HTTP Status Code 504" in w.log
    assert len({r["span_id"] for r in backend.records}) == 10


def test_retry_after_from_nginx_is_waited_for(weir, backend, nginx, ports):
    port = ports(1)[0]
    w = weir(pipeline(port, nginx + "/down", exporter=FAST_RETRY))
    assert send(port, 10).status == 200
    await_that("it will be tried again", lambda: "Will retry the request after interval." in w.log)
    wait = re.search(r"interval=([0-9.]+)(m?s)", w.log)
    assert float(wait[1]) * (0.001 if wait[2] == "ms" else 1) >= 1, wait[0]


def test_cut_connections_are_retried(weir, backend, nginx, ports):
    port = ports(1)[0]
    w = weir(pipeline(port, nginx + "/cut", exporter=FAST_RETRY))
    assert send(port, 10).status == 200
    await_that("it was tried again", lambda: w.log.count("Exporting failed. Will retry") >= 2)
    assert w.reload(pipeline(port, nginx, exporter=FAST_RETRY)).status == 200
    await_that("all arrive", lambda: backend.count() == 10)


def test_large_bodies_through_nginx(weir, sink, otlpgen, nginx, backend, ports):
    port = ports(1)[0]
    weir(pipeline(port, nginx))
    r = otlpgen(port, "-c", 2, "-b", 512, "-d", 1, "-r", 20000)
    await_that("all arrive", lambda: backend.count() >= r["spans"])
    assert not backend.faults
