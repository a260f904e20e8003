"""What the tests of prometheus.remote_write share: configurations, a sender of numbered samples, and what must have arrived."""
import time

from prom_backend import V1, V2, Series, encode_v1, encode_v2, snappy
from weirproc import await_that, http

FAST = 'queue_config {\n batch_send_deadline = "50ms"\n min_backoff = "30ms"\n max_backoff = "200ms"\n }\n'
HEADERS = {"Content-Type": V1, "Content-Encoding": "snappy", "X-Prometheus-Remote-Write-Version": "0.1.0"}
HEADERS_V2 = {"Content-Type": V2, "Content-Encoding": "snappy", "X-Prometheus-Remote-Write-Version": "2.0.0"}


def queue(**more):
    """The block of a fast queue with these settings (values as configuration text)."""
    settings = dict({"batch_send_deadline": '"50ms"', "min_backoff": '"30ms"', "max_backoff": '"200ms"'}, **more)
    return "queue_config {\n" + "".join(f" {k} = {v}\n" for k, v in settings.items()) + "}\n"


def endpoint(b, more=FAST, url=None):
    return f'endpoint {{\n url = "{url or b.url}"\n {more} }}\n'


def config(port, *endpoints, more=""):
    return f"""
prometheus.receive_http "in" {{
  http {{
    listen_address = "127.0.0.1"
    listen_port = {port}
  }}
  accepted_remote_write_protobuf_messages = ["prometheus.WriteRequest", "io.prometheus.write.v2.Request"]
  append_metadata = true
  forward_to = [prometheus.remote_write.out.receiver]
}}
prometheus.remote_write "out" {{
  {"".join(endpoints)}
  {more}
}}
"""


def post(port, body, headers, timeout=10):
    """The status; 0: nobody answers."""
    try:
        return http("POST", f"http://127.0.0.1:{port}/api/v1/metrics/write", snappy(body), headers, timeout=timeout).status
    except OSError:
        return 0


def post_until_taken(port, body, headers):
    def taken():
        status = post(port, body, headers)
        assert status == 0 or status >= 500 or status < 300, f"refused with {status}"
        return status in (200, 204)

    await_that("the samples are taken", taken)


def post_v1(port, series, metadata=None):
    post_until_taken(port, encode_v1(series, metadata), HEADERS)


def post_v2(port, series):
    post_until_taken(port, encode_v2(series), HEADERS_V2)


class Sender:
    """Pushes numbered samples of some series; knows which were acknowledged."""

    def __init__(self, port, series=3):
        self.port, self.series, self.n, self.acked = port, series, 0, []
        self.start = int(time.time() * 1000)

    def body(self, numbers):
        return encode_v1([Series({"__name__": "n", "s": str(i % self.series)}, floats=[(self.start + i, float(i))]) for i in numbers])

    def send(self, count=30, tries=1, timeout=10):
        numbers = range(self.n, self.n + count)
        self.n += count
        body = self.body(numbers)
        for _ in range(tries):
            if post(self.port, body, HEADERS, timeout) in (200, 204):
                self.acked += numbers
                return True
            time.sleep(0.05)
        return False


def arrived(b, name="n"):
    return {s.value for s in b.samples(name)}


def settled(b, sender):
    await_that("everything acknowledged is there", lambda: set(map(float, sender.acked)) <= arrived(b), 60)


def in_order(b):
    """Samples of a series came in order; what came again (after a cut connection or a kill) begins with one that was there already."""
    for labels, samples in b.series().items():
        seen, last = set(), -1
        for s in samples:
            assert s.value > last or s.value in seen, f"{labels}: {s.value} behind {last}"
            seen.add(s.value)
            last = s.value
