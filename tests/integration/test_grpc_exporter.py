"""Arguments of otelcol.exporter.otlp, seen from a receiver of Weir's that turns what arrives into attributes."""
import pytest

from configs import FAST_RETRY
from test_arguments import JSON, action, chain, spans
from weirproc import await_that, free_ports, http

pytestmark = pytest.mark.core


def sender(port, endpoint, client="", exporter=""):
    return f'''
otelcol.receiver.otlp "in" {{
  http {{
    endpoint = "127.0.0.1:{port}"
  }}
  output {{
    traces = [otelcol.exporter.otlp.out.input]
  }}
}}
otelcol.exporter.otlp "out" {{
  {exporter}
  client {{
    endpoint = "{endpoint}"
    tls {{
      insecure = true
    }}
    {client}
  }}
}}
'''


@pytest.fixture
def pair(weir, backend):
    """pair(client, *seen, exporter): sends a span through an exporter with these settings; the metadata keys `seen` as they arrived."""
    def run(client, *seen, exporter="", endpoint=None):
        front, behind = free_ports(2)
        actions = "".join(action(action="insert", key=k, from_context=f"metadata.{k}") for k in seen) or action(action="delete", key="none")
        weir(chain(behind, backend.url, protocol="grpc", receiver="include_metadata = true", processor=actions))
        run.weir = weir(sender(front, endpoint or f"127.0.0.1:{behind}", client, exporter))
        assert http("POST", f"http://127.0.0.1:{front}/v1/traces", spans(*({"name": f"s{i}"} for i in range(20))), JSON).status == 200
        await_that("the spans arrive", lambda: backend.count() == 20)
        return backend.records[0]["attributes"]
    return run


@pytest.mark.parametrize("codec, name", [("gzip", "gzip"), ("snappy", "snappy"), ("zstd", "zstd"), ("none", None)])
def test_compression(pair, codec, name):
    assert pair(f'compression = "{codec}"', "grpc-encoding").get("grpc-encoding") == name


def test_headers_and_agent(pair):
    got = pair('headers = {"X-Own" = "1"}', "x-own", "user-agent", "content-type")
    assert (got["x-own"], got["content-type"]) == ("1", "application/grpc")
    assert got["user-agent"].startswith("Weir/")


def test_authority(pair):
    assert "tempo.example" in pair('authority = "tempo.example"', ":authority", "host").values()


@pytest.mark.parametrize("client", ['balancer_name = "round_robin"', 'balancer_name = "pick_first"', 'keepalive {\nping_wait = "1s"\nping_response_timeout = "1s"\n}',
                                    'read_buffer_size = "8KiB"\nwrite_buffer_size = "8KiB"'])
def test_settings_of_connections(pair, client):
    pair(client)


@pytest.mark.parametrize("wait", [True, False])
def test_waiting_for_a_connection(weir, backend, wait):
    """With wait_for_ready a call without a connection goes on until its timeout; without, it fails at once."""
    front, behind = free_ports(2)
    w = weir(sender(front, f"127.0.0.1:{behind}", f"wait_for_ready = {str(wait).lower()}", FAST_RETRY + '\ntimeout = "30s"'))
    assert http("POST", f"http://127.0.0.1:{front}/v1/traces", spans({"name": "s"}), JSON).status == 200
    if not wait:
        await_that("the call fails", lambda: "Will retry" in w.log)
    weir(chain(behind, backend.url, protocol="grpc"))
    await_that("the span arrives", lambda: backend.count() == 1)
    assert ("Will retry" in w.log) == (not wait)
