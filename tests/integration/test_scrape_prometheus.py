"""prometheus.scrape and prometheus.remote_write with the real Prometheus as the backend, asked through its HTTP API."""
import math

import pytest

from certs import Authority
from prometheus_peer import PrometheusServer
from scrape_world import OPENMETRICS, Target, plain, scrape
from weirproc import await_that

BODY = b"""# TYPE requests_total counter
requests_total{code="200",path="/a b"} 17
requests_total{code="500",path="\\"\\\\"} 3
# TYPE h histogram
h_bucket{le="1"} 2
h_bucket{le="+Inf"} 3
h_sum 4.5
h_count 3
nan NaN
big 1.7976931348623157e+308
"""


@pytest.fixture
def prometheus(tmp_path):
    p = PrometheusServer(tmp_path / "prometheus", "--enable-feature=exemplar-storage,native-histograms")
    yield p
    p.close()


def to(prometheus, more=""):
    return f'''
prometheus.remote_write "out" {{
  external_labels = {{ cluster = "c1", job = "never" }}
  endpoint {{
    url = "{prometheus.url}"
    send_exemplars = true
    {more}
    queue_config {{
      batch_send_deadline = "50ms"
    }}
  }}
}}
'''


def test_series_up_and_staleness(weir, prometheus):
    target, other = Target(BODY), Target(b"other 1\n")
    weir(scrape(target.one) + scrape(other.one, name="o") + to(prometheus))
    await_that("the series", lambda: prometheus.value('big{job="s"}') is not None)
    mine = {"cluster": "c1", "instance": "i", "job": "s"}
    want = [({"__name__": "big"}, 1.7976931348623157e308), ({"__name__": "h_bucket", "le": "+Inf"}, 3.0), ({"__name__": "h_bucket", "le": "1.0"}, 2.0),
            ({"__name__": "h_count"}, 3.0), ({"__name__": "h_sum"}, 4.5), ({"__name__": "nan"}, math.nan),
            ({"__name__": "requests_total", "code": "200", "path": "/a b"}, 17.0),
            ({"__name__": "requests_total", "code": "500", "path": '"\\'}, 3.0)]

    def comparable(vector):
        return sorted((sorted(labels.items()), repr(v)) for labels, v in vector)

    got = prometheus.query('{job="s",__name__!~"scrape_.*|up"}')
    assert comparable(got) == comparable([({**mine, **labels}, v) for labels, v in want])
    assert prometheus.value('up{job="s"}') == 1 and prometheus.value('scrape_samples_scraped{job="s"}') == 8

    target.body = BODY.replace(b"big", b"# big")  # a series ends: gone at once, not after five minutes
    await_that("staleness of one series", lambda: prometheus.value('big{job="s"}') is None)
    assert prometheus.value('h_sum{job="s"}') == 4.5
    target.close()  # the target dies
    await_that("up is 0", lambda: prometheus.value('up{job="s"}') == 0)
    assert prometheus.query('{job="s",__name__!~"scrape_.*|up"}') == []
    (_, down), = [(k, v) for k, v in prometheus.samples('up{job="s"}').items()]
    (_, last), = [(k, v) for k, v in prometheus.samples('h_sum{job="s"}').items()]
    first_zero = next(t for t, v in down if v == 0)
    assert first_zero - last[-1][0] <= 1.5, "the marker comes with the first scrape that fails"
    assert prometheus.value('up{job="o"}') == 1
    other.close()


def test_a_target_that_discovery_drops(weir, prometheus, tmp_path):
    target = Target(b"a 1\n")
    listed = tmp_path / "t.yml"
    listed.write_text(f"- targets: ['{target.address}']\n")
    weir(f'discovery.file "d" {{\n files = ["{listed}"]\n refresh_interval = "100ms"\n}}\n' + scrape("discovery.file.d.targets") + to(prometheus))
    await_that("it is up", lambda: prometheus.value('up{job="s"}') == 1 and prometheus.value("a") == 1)
    listed.write_text("[]\n")
    await_that("nothing is left of it", lambda: prometheus.query('{job="s"}') == [], limit=90)
    target.close()


def test_two_https_targets(weir, prometheus, tmp_path):
    """With a token that is renewed, one checked by an authority, one not checked at all."""
    authority, stranger = Authority(tmp_path / "ca"), Authority(tmp_path / "other", "stranger")
    token = tmp_path / "token"
    token.write_text("first")

    def guarded(h):
        h.server.status = 200 if h.headers.get("Authorization") == "Bearer " + token.read_text() else 401
        plain(h)

    one, two = Target(b"a 1\n", tls=authority.leaf("one")), Target(b"a 2\n", tls=stranger.leaf("two"))
    one.handle = two.handle = guarded
    auth = f'scheme = "https"\n bearer_token_file = "{token}"\n'
    w = weir(scrape(one.one, auth + f'tls_config {{\n ca_file = "{authority.cert}"\n }}', "one")
             + scrape(two.one, auth + "tls_config {\n insecure_skip_verify = true\n }", "two")
             + scrape(two.one, auth + f'tls_config {{\n ca_file = "{authority.cert}"\n }}', "never") + to(prometheus))
    for job, value in (("one", 1), ("two", 2)):
        await_that(job, lambda: prometheus.value(f'a{{job="{job}"}}') == value)
        assert prometheus.value(f'up{{job="{job}"}}') == 1
    await_that("a certificate of nobody's", lambda: prometheus.value('up{job="never"}') == 0)
    assert "tls:" in w.log
    token.write_text("second")
    n = len(two.requests)
    await_that("the new token is sent", lambda: two.requests[-1].headers["Authorization"] == "Bearer second" and len(two.requests) > n + 1)
    await_that("still up", lambda: prometheus.value('up{job="two"}') == 1)
    assert "first" not in w.log and "second" not in w.log
    one.close()
    two.close()


def test_exemplars(weir, prometheus):
    target = Target(b'# TYPE foo counter\nfoo_total 17 # {trace_id="abc"} 0.67\n# EOF\n', OPENMETRICS)
    weir(scrape(target.one) + to(prometheus))

    def found():
        return prometheus.ask("query_exemplars", query="foo_total", start="0", end="99999999999")

    await_that("an exemplar", found)
    series, = found()
    assert series["seriesLabels"]["cluster"] == "c1"
    assert [(e["labels"], e["value"]) for e in series["exemplars"]] == [({"trace_id": "abc"}, "0.67")]
    target.close()
