"""prometheus.scrape: labels, markers and reports of targets that answer, lie and go; every setting of it, seen at a remote write endpoint."""
import gzip
import json
import math
import time

import pytest

from prom_backend import Prometheus
from scrape_world import OPENMETRICS, TEXT, Target, plain, scrape, to
from weirproc import await_that

pytestmark = pytest.mark.core
LATEST = ["--stability.level=experimental"]


@pytest.fixture
def target():
    t = Target()
    yield t
    t.close()


@pytest.fixture
def prom():
    b = Prometheus()
    yield b
    b.close()


def arrives(prom, name, **labels):
    """The first sample of that name with a value."""
    def found():
        return [s for s in prom.samples(name, **labels) if not s.stale]

    return prom.wait_for(found, what=f"a sample {name} {labels}")[0]


def last_error(w, name="s"):
    infos = json.loads(w.get(f"/api/v0/web/components/prometheus.scrape.{name}").body)["debugInfo"]
    return [dict((a["name"], a["value"].get("value", "")) for a in t["body"] if "value" in a) for t in infos]


def fails(w, prom, text, name="s"):
    """The scrape fails, and says that."""
    prom.wait_for(lambda: any(s.value == 0 for s in prom.samples("up", job=name)), what="up 0")
    await_that(f"the error {text!r}", lambda: any(text in t.get("last_error", "") for t in last_error(w, name)))


# --- labels, markers, reports ---

def test_labels_and_markers(weir, target, prom):
    target.body = b'# TYPE h histogram\nh_bucket{le="1"} 3\nm{zone="b"} 5\nempty{job=""} 1\n'
    targets = f'[{{"__address__" = "{target.address}", "zone" = "a", "instance" = "i", "__meta_x" = "y"}}]'
    w = weir(scrape(targets) + to(prom))
    assert arrives(prom, "h_bucket").labels == (("__name__", "h_bucket"), ("instance", "i"), ("job", "s"), ("le", "1.0"), ("zone", "a"))
    first = arrives(prom, "m", exported_zone="b", zone="a")
    assert arrives(prom, "empty", job="s").value == 1
    report = ["up", "scrape_duration_seconds", "scrape_samples_scraped", "scrape_samples_post_metric_relabeling", "scrape_series_added"]
    times = {n: arrives(prom, n, job="s", instance="i", zone="a").time for n in report}
    assert set(times.values()) == {first.time}
    assert not prom.samples("scrape_timeout_seconds")
    assert prom.values("scrape_series_added")[0] == 3

    target.body = b"other 1\n"
    prom.wait_for(lambda: any(s.stale for s in prom.samples("m")), what="the marker of a series that ended")
    target.body = b"broken\n"
    gone = prom.wait_for(lambda: [s for s in prom.samples("other") if s.stale], what="markers when a scrape fails")
    down = prom.wait_for(lambda: [s for s in prom.samples("up") if s.value == 0], what="up 0")
    assert gone[0].time == down[0].time
    n = len(prom.samples("up"))
    prom.wait_for(lambda: len(prom.samples("up")) > n + 2, what="more failed scrapes")
    assert len([s for s in prom.samples("other") if s.stale]) == 1, "markers are sent once"
    target.body = b"other 2\n"
    prom.wait_for(lambda: prom.samples("other")[-1].value == 2, what="it is back")
    back = [s for s in prom.samples("scrape_series_added") if s.time == prom.samples("other")[-1].time]
    assert not back or back[0].value == 0
    assert w.log.count('msg="scrape failed"') == 1 and 'msg="scrape succeeds again"' in w.log


def test_honor_labels(weir, target, prom):
    target.body = b'a{job="mine",exported_job="x",instance=""} 1\n'
    weir(scrape(target.one, name="no") + scrape(target.one, "honor_labels = true", "yes") + to(prom))
    assert dict(arrives(prom, "a", job="no").labels) == {"__name__": "a", "job": "no", "instance": "i", "exported_job": "x",
                                                        "exported_exported_job": "mine"}
    assert dict(arrives(prom, "a", job="mine").labels) == {"__name__": "a", "job": "mine", "exported_job": "x"}


def test_extra_metrics(weir, target, prom):
    target.body = b"a 1\nb 2\n"
    weir(scrape(target.one, "extra_metrics = true\n sample_limit = 9") + to(prom))
    assert arrives(prom, "scrape_timeout_seconds").value == 1
    assert arrives(prom, "scrape_sample_limit").value == 9
    assert arrives(prom, "scrape_body_size_bytes").value == 8


def test_a_target_that_goes(weir, target, prom, tmp_path):
    """By discovery: markers about two intervals later, with the time of the first tick that was missed."""
    listed = tmp_path / "targets.json"
    listed.write_text(json.dumps([{"targets": [target.address], "labels": {"instance": "i"}}]))
    found = f'discovery.file "d" {{\n files = ["{listed}"]\n refresh_interval = "100ms"\n}}\n'
    target.body = b"a 1\n"
    w = weir(found + scrape("discovery.file.d.targets") + to(prom))
    arrives(prom, "a")
    listed.write_text("[]")
    names = ["a", "up", "scrape_duration_seconds", "scrape_samples_scraped", "scrape_samples_post_metric_relabeling", "scrape_series_added"]
    for name in names:
        prom.wait_for(lambda: [s for s in prom.samples(name) if s.stale], what=f"the marker of {name}")
        *before, marker = prom.samples(name)
        assert marker.stale and not any(s.stale for s in before)
        assert abs(marker.time - before[-1].time - 1000) < 200, (before[-1], marker)
    await_that("it is not shown any more", lambda: last_error(w) == [])
    asked = len(target.requests)
    listed.write_text(json.dumps([{"targets": [target.address], "labels": {"instance": "i"}}]))
    await_that("it is back", lambda: len(target.requests) > asked + 1)
    prom.wait_for(lambda: not prom.samples("a")[-1].stale, what="samples again")


def test_targets_that_are_none(weir, target, prom):
    target.body = b"a 1\n"
    bad = ['{"instance" = "none"}', '{"__address__" = "h/p"}', f'{{"__address__" = "{target.address}", "__scrape_timeout__" = "1m"}}',
           f'{{"__address__" = "{target.address}", "__scrape_interval__" = "0s"}}']
    one = f'{{"__address__" = "{target.address}", "instance" = "i"}}'
    w = weir(scrape(f"[{', '.join([*bad, one, one])}]") + to(prom))
    arrives(prom, "a")
    for text in ("no address", "is not a valid hostname", "scrape timeout cannot be greater than scrape interval", "scrape interval cannot be 0"):
        assert text in w.log
    assert w.metric("prometheus_target_sync_failed_total", scrape_job="s") == 4
    assert w.metric("prometheus_target_scrape_pool_targets", scrape_job="s") == 1
    assert w.metric("prometheus_scrape_targets_gauge") == 6


def test_settings_of_a_target(weir, target, prom):
    """Labels of a target win over the arguments."""
    target.body = b"a 1\n"
    own = ('{"__metrics_path__" = "/own", "__param_module" = "b", "__scrape_interval__" = "500ms", "__scrape_timeout__" = "300ms", '
           f'"__address__" = "{target.address}", "job" = "own"}}')
    usual = f'{{"__address__" = "{target.address}"}}'
    settings = 'metrics_path = "/usual"\n params = { module = ["a", "c d"], "z&" = ["=1"] }'
    w = weir(scrape(f"[{own}, {usual}]", settings) + to(prom))
    arrives(prom, "a", job="own")
    arrives(prom, "a", job="s", instance=target.address)
    seen = {r.path: r.headers["X-Prometheus-Scrape-Timeout-Seconds"] for r in target.requests}
    assert seen == {"/own?module=b&module=c%20d&z%26=%3D1": "0.3", "/usual?module=a&module=c%20d&z%26=%3D1": "1"}
    await_that("they are shown", lambda: {t["url"] for t in last_error(w)} == {f"http://{target.address}{p}" for p in seen})


# --- what is asked for ---

def test_request(weir, target, prom):
    target.body = b"a 1\n"
    ways = {
        "usual": "",
        "plain": "enable_compression = false\n http_headers = { \"X-Mine\" = [\"1\"] }",
        "proto": "scrape_native_histograms = true",
        "some": 'scrape_protocols = ["PrometheusText0.0.4", "PrometheusProto"]',
        "utf8": 'metric_name_validation_scheme = "utf8"\n metric_name_escaping_scheme = "allow-utf-8"\n scrape_protocols = ["OpenMetricsText1.0.0"]',
    }
    weir("".join(scrape(target.one, f'metrics_path = "/{k}"\n {v}', k) for k, v in ways.items()) + to(prom))
    for k in ways:
        arrives(prom, "a", job=k)
    seen = {r.path[1:]: r.headers for r in target.requests}
    assert seen["usual"]["Accept"] == (
        "application/openmetrics-text;version=1.0.0;escaping=underscores;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,"
        "text/plain;version=1.0.0;escaping=underscores;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2")
    assert seen["proto"]["Accept"].startswith(
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,application/openmetrics-text;version=1.0.0")
    assert seen["some"]["Accept"] == (
        "text/plain;version=0.0.4;q=0.6,application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.5,*/*;q=0.4")
    assert seen["utf8"]["Accept"] == "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,*/*;q=0.5"
    assert (seen["usual"]["Accept-Encoding"], seen["plain"]["Accept-Encoding"]) == ("gzip", "identity")
    assert seen["plain"]["X-Mine"] == "1" and seen["usual"]["User-Agent"].startswith("Weir/")


def test_redirects(weir, target, prom):
    def handle(h):
        if h.path == "/metrics":
            h.server.status, h.server.headers = 302, {"Location": "/elsewhere"}
        else:
            h.server.status, h.server.headers = 200, {}
        plain(h)

    target.body, target.handle = b"a 1\n", handle
    w = weir(scrape(target.one, name="yes") + scrape(target.one, "follow_redirects = false", "no") + to(prom))
    arrives(prom, "a", job="yes")
    fails(w, prom, "server returned HTTP status 302 Found", "no")


# --- answers that are not well ---

def test_gzip(weir, target, prom):
    target.body, target.gzip = b"a 1\n", gzip.compress(b"a 1\n")[:-9]
    w = weir(scrape(target.one) + to(prom))
    fails(w, prom, "the gzip body is broken")
    target.gzip = True
    arrives(prom, "a")


@pytest.mark.parametrize("limit, error", [('body_size_limit = "1MiB"', "body size limit exceeded"), ("", "context deadline exceeded")])
def test_a_body_without_an_end(weir, target, prom, limit, error):
    """With a limit it is given up there; without one the time is over before 256 MiB came: slowly, line by line."""
    def handle(h):
        h.send_response(200)
        h.send_header("Content-Type", TEXT)
        h.end_headers()
        line = b"a" * 1000 + b" 1\n"
        while True:
            h.wfile.write(line * (1000 if limit else 1))
            time.sleep(0 if limit else 0.01)

    target.handle = handle
    w = weir(scrape(target.one, limit + "\n extra_metrics = true") + to(prom))
    fails(w, prom, error)
    assert not prom.samples("a" * 1000)
    if limit:
        assert arrives(prom, "scrape_body_size_bytes").value == -1
        assert w.metric("prometheus_target_scrapes_exceeded_body_size_limit_total") >= 1


def test_a_bomb(weir, target, prom):
    """What is small packed and large unpacked is stopped at the limit."""
    target.gzip = gzip.compress(b"# " + b"x" * (64 << 20))
    w = weir(scrape(target.one, 'body_size_limit = "1MiB"') + to(prom))
    fails(w, prom, "body size limit exceeded")


def test_bodies_are_part_of_the_budget(weir, target, prom):
    """A scrape may not hold more than the process may."""
    target.gzip = gzip.compress(b"# " + b"x" * (40 << 20))
    w = weir(scrape(target.one, "enable_compression = true") + to(prom), "--data-budget=16MiB")
    fails(w, prom, "no memory for the answer")
    target.gzip, target.body = False, b"# " + b"x" * (40 << 20)
    n = len(target.requests)
    await_that("more scrapes", lambda: len(target.requests) > n + 1)
    assert "no memory for the answer" in last_error(w)[0]["last_error"]
    target.body = b"a 1\n"
    arrives(prom, "a")


def test_targets_that_stall(weir, target, prom):
    """One byte at a time, a head that does not end, nothing at all: scrape_timeout ends each, and the other target is not held up."""
    def slow(h):
        if h.path == "/silent":
            time.sleep(20)
        h.wfile.write(b"HTTP/1.1 200 OK\r\n")
        if h.path == "/body":
            h.wfile.write(b"Content-Length: 1000000\r\n\r\n")
        for _ in range(2000):
            h.wfile.write(b"a")
            time.sleep(0.01)

    good = Target(b"good 1\n")
    target.handle = slow
    paths = ("silent", "head", "body")
    w = weir("".join(scrape(target.one, f'metrics_path = "/{p}"', p) for p in paths) + scrape(good.one, name="good") + to(prom))
    arrives(prom, "good")
    for p in paths:
        fails(w, prom, "context deadline exceeded", p)
        took = arrives(prom, "scrape_duration_seconds", job=p)
        assert took.value >= 0.9
    good.close()


def test_statuses(weir, target, prom):
    target.status, target.body = 503, b"a 1\n"
    w = weir(scrape(target.one) + to(prom))
    fails(w, prom, "server returned HTTP status 503 Service Unavailable")
    assert not prom.samples("a") and prom.values("scrape_samples_scraped")[0] == 0


def test_a_port_that_is_closed(weir, prom, ports):
    port = ports(1)[0]
    w = weir(scrape(f'[{{"__address__" = "127.0.0.1:{port}"}}]') + to(prom))
    fails(w, prom, f'Get "http://127.0.0.1:{port}/metrics": dial tcp 127.0.0.1:{port}: connect: connection refused')


def test_failure_log(weir, target, prom, tmp_path):
    log = tmp_path / "failures.json"
    target.status = 500
    w = weir(scrape(target.one, f'scrape_failure_log_file = "{log}"') + to(prom))
    await_that("two lines", lambda: log.exists() and len(log.read_text().splitlines()) >= 2)
    line = json.loads(log.read_text().splitlines()[0])
    assert set(line) == {"time", "level", "msg", "job_name", "target"}
    assert line["msg"] == "server returned HTTP status 500 Internal Server Error" and line["level"] == "ERROR"
    assert line["job_name"] == "s" and line["target"] == f"http://{target.address}/metrics"
    log.rename(tmp_path / "rotated")
    w.reload(w.config.read_text() + "// changed\n" + scrape("[]", name="more"))
    w.reload(w.config.read_text().replace('"1s"', '"2s"'))
    await_that("a new file", lambda: log.exists() and log.read_text())


# --- limits ---

LIMITS = [
    ("sample_limit = 2", b"a 1\nb 2\nc 3\n", "sample limit exceeded", "prometheus_target_scrapes_exceeded_sample_limit_total"),
    ("label_limit = 3", b'a{x="1"} 1\n', "label_limit exceeded (metric: a, number of labels: 4, limit: 3)",
     "prometheus_target_scrape_pool_exceeded_label_limits_total"),
    ("label_name_length_limit = 8", b'a{a_long_name="1"} 1\n',
     "label_name_length_limit exceeded (metric: a, label name: a_long_name, length: 11, limit: 8)",
     "prometheus_target_scrape_pool_exceeded_label_limits_total"),
    ("label_value_length_limit = 4", b'a{x="12345"} 1\n', "label_value_length_limit exceeded (metric: a, label name: x, length: 5, limit: 4)",
     "prometheus_target_scrape_pool_exceeded_label_limits_total"),
]


@pytest.mark.parametrize("setting, body, error, metric", LIMITS, ids=[x[0].split()[0] for x in LIMITS])
def test_limits(weir, target, prom, setting, body, error, metric):
    target.body = body
    w = weir(scrape(target.one, setting) + to(prom))
    fails(w, prom, error)
    assert not prom.samples("a")
    assert w.metric(metric) >= 1
    assert prom.values("scrape_samples_scraped")[0] >= 1
    target.body = b"ok 1\n"
    arrives(prom, "ok")


def test_target_limit(weir, target, prom):
    target.body = b"a 1\n"
    two = f'[{{"__address__" = "{target.address}", "instance" = "x"}}, {{"__address__" = "{target.address}", "instance" = "y"}}]'
    w = weir(scrape(two, "target_limit = 1") + to(prom))
    for i in "xy":
        prom.wait_for(lambda: prom.values("up", instance=i), what="up")
        assert prom.values("up", instance=i)[0] == 0
    assert all("target_limit exceeded (number of targets: 2, limit: 1)" in t["last_error"] for t in last_error(w))
    assert not target.requests and w.metric("prometheus_target_scrape_pool_exceeded_target_limit_total") >= 1
    w.reload(w.config.read_text().replace("target_limit = 1", "target_limit = 2"))
    arrives(prom, "a", instance="x")


# --- expositions ---

BROKEN = [
    (b"a\n", "line 1: expected a value"), (b"a 1\nb x\n", "line 2"), (b"a{b=\"c} 1\n", "line 1"), (b"a{b=\"c\" 1\n", "line 1"),
    (b"1a 2\n", "line 1: expected a series"), (b"a 1 2 3\n", "line 1"), (b"a 1 1.5\n", "line 1"), (b"# TYPE a wrong\na 1\n", "invalid metric type"),
    (b"a{b=\"\xff\"} 1\n", "invalid UTF-8 label value"), (b"a{b=\"1\",b=\"2\"} 1\n", "is not unique"), (b"{b=\"1\"} 1\n", "missing metric name"),
    (b"a 1\r\n", "line 1"), (b"# HELP a \xff\na 1\n", "UTF-8"), (b'{"a b"} 1\n', "invalid metric name or label names"),
    (b'a{"b c"="d"} 1\n', "invalid metric name or label names"), (b"a 0x1p-2\n", "line 1"),
]


def test_broken_lines(weir, prom):
    """Each target breaks in its own way; nothing of any of them gets through, and each says why."""
    targets = [Target(b"good 1\n" + body) for body, _ in BROKEN]
    listed = ", ".join(f'{{"__address__" = "{t.address}", "instance" = "{i}"}}' for i, t in enumerate(targets))
    w = weir(scrape(f"[{listed}]") + to(prom))
    for i, (body, error) in enumerate(BROKEN):
        prom.wait_for(lambda: prom.values("up", instance=str(i)), what="up")
        assert prom.values("up", instance=str(i))[0] == 0, body

    def errors():
        return {t["url"]: t.get("last_error", "") for t in last_error(w)}

    await_that("all errors are shown", lambda: len([e for e in errors().values() if e]) == len(BROKEN))
    shown = errors()
    for t, (body, error) in zip(targets, BROKEN):
        error = error.replace("line 2", "line 3").replace("line 1", "line 2")
        assert error in shown[f"http://{t.address}/metrics"], body
        t.close()
    assert not prom.samples("good") and not prom.samples("a")


def test_values(weir, target, prom):
    huge = "v" * 200_000
    target.body = (f'n NaN\ni +Inf\nm -Inf\ne 1e300\nz -0\nl{{x="{huge}"}} 1\n  spaced   {{ a = "b" , }}   3  \nq{{x="\\\\\\"\\n\\t"}} 1\n'
                   'd 1\nd 2\nnoeol 7').encode()
    w = weir(scrape(target.one) + to(prom))
    assert arrives(prom, "n").bits == 0x7FF8000000000001
    assert arrives(prom, "i").value == math.inf and arrives(prom, "m").value == -math.inf
    assert arrives(prom, "e").value == 1e300 and arrives(prom, "z").bits == 1 << 63
    assert arrives(prom, "l", x=huge).value == 1 and arrives(prom, "spaced", a="b").value == 3
    assert arrives(prom, "q", x='\\"\n\\t').value == 1
    assert arrives(prom, "noeol").value == 7
    assert set(prom.values("d")) == {1}, "the first of two is kept"
    assert w.metric("prometheus_target_scrapes_sample_duplicate_timestamp_total") >= 1
    assert prom.values("scrape_samples_post_metric_relabeling")[0] == prom.values("scrape_samples_scraped")[0] == 11


def test_timestamps(weir, target, prom):
    now = int(time.time() * 1000) - 60_000
    target.body = f"t 1 {now}\nu 2\nfuture 3 {now + 3_600_000}\n".encode()
    w = weir(scrape(target.one, name="yes") + scrape(target.one, "honor_timestamps = false", "no") +
             scrape(target.one, "track_timestamps_staleness = true", "track") + to(prom))
    assert arrives(prom, "t", job="yes").time == now and arrives(prom, "u", job="yes").time > now
    assert arrives(prom, "t", job="no").time > now and arrives(prom, "future", job="no").time < now + 3_000_000
    assert arrives(prom, "t", job="track").time == now
    assert not prom.samples("future", job="yes")
    assert w.metric("prometheus_target_scrapes_sample_out_of_bounds_total", component_id="prometheus.scrape.yes") >= 1
    target.body = b"v 1\n"
    for job in ("no", "track"):
        prom.wait_for(lambda: [s for s in prom.samples("t", job=job) if s.stale], what="a marker")
    prom.wait_for(lambda: [s for s in prom.samples("u", job="yes") if s.stale], what="a marker")
    assert not [s for s in prom.samples("t", job="yes") if s.stale], "series with times of their own get no markers"


def test_ticks_are_aligned(weir, target, prom):
    """Equal distances, whatever the machine does, when the tick was met nearly."""
    target.body = b"a 1\n"
    weir(scrape(target.one, interval="300ms") + to(prom))
    prom.wait_for(lambda: len(prom.samples("a")) >= 12, what="twelve samples")
    times = [s.time for s in prom.samples("a")]
    assert times == sorted(set(times)), "no tick twice"
    phases = [t % 300 for t in times]
    assert max(phases.count(p) for p in phases) >= 3, times


# --- OpenMetrics ---

OM = b"""# TYPE foo counter
# HELP foo A counter.
foo_total{a="b"} 17.0 # {trace_id="abc"} 0.67 1520879607.789
foo_created{a="b"} 1520872607.123
# TYPE bar histogram
bar_bucket{le="1"} 2 # {trace_id="x"} 0.5
bar_bucket{le="+Inf"} 3
bar_count 3
bar_sum 4.5
# TYPE t_seconds gauge
# UNIT t_seconds seconds
t_seconds 5 1520879607.5
# EOF
"""


def test_openmetrics(weir, target, prom):
    target.body, target.type = OM, OPENMETRICS
    w = weir(scrape(target.one) + to(prom, endpoint="send_exemplars = true"))
    assert arrives(prom, "foo_total", a="b").value == 17
    assert arrives(prom, "foo_created", a="b").value == 1520872607.123
    assert arrives(prom, "bar_bucket", le="1.0").value == 2
    assert arrives(prom, "t_seconds").time == 1520879607500
    prom.wait_for(lambda: len(prom.samples("foo_total")) >= 4, what="four scrapes")
    one, = prom.exemplars("foo_total")
    assert (one.labels, one.value, one.time) == ((("trace_id", "abc"),), 0.67, 1520879607789)
    assert len(prom.exemplars("bar_bucket")) == 1, "one without a time is the same as long as its labels and value are"
    target.body = OM.replace(b"abc", b"def").replace(b"607.789", b"608.789")
    prom.wait_for(lambda: len(prom.exemplars("foo_total")) == 2, what="the next exemplar")
    target.body = OM.replace(b"abc", b"old").replace(b"607.789", b"600.789")
    await_that("an old one is counted", lambda: w.metric("prometheus_target_scrapes_exemplar_out_of_order_total") >= 1)
    assert len(prom.exemplars("foo_total")) == 2


BROKEN_OM = [
    (b"a 1\n", "does not end with # EOF"), (b"a 1\n# EOF\nb 2\n", "unexpected data after # EOF"), (b"a  1\n# EOF\n", "line 1"),
    (b"\na 1\n# EOF\n", "line 1"), (b"# other\na 1\n# EOF\n", "expected # HELP"), (b"# UNIT a seconds\na 1\n# EOF\n", "not a suffix of metric"),
    (b"a 1 NaN\n# EOF\n", "line 1"), (b'a 1 # {x="y"}\n# EOF\n', "line 1"), (b'a{b="c"d="e"} 1\n# EOF\n', "comma"),
]


def test_broken_openmetrics(weir, prom):
    targets = [Target(body, OPENMETRICS) for body, _ in BROKEN_OM]
    listed = ", ".join(f'{{"__address__" = "{t.address}", "instance" = "{i}"}}' for i, t in enumerate(targets))
    w = weir(scrape(f"[{listed}]") + to(prom))
    for i in range(len(targets)):
        prom.wait_for(lambda: prom.values("up", instance=str(i)), what="up")
        assert prom.values("up", instance=str(i))[0] == 0, BROKEN_OM[i]
    await_that("all errors are shown", lambda: len([t for t in last_error(w) if t.get("last_error")]) == len(targets))
    shown = {t["url"]: t["last_error"] for t in last_error(w)}
    for t, (body, error) in zip(targets, BROKEN_OM):
        assert error in shown[f"http://{t.address}/metrics"], body
        t.close()


def test_types_of_answers(weir, prom):
    """Unknown and missing types: the fallback, or a failure."""
    odd, none, empty = Target(b"a 1\n", "application/json"), Target(b"a 1\n", None), Target(b"", "image/png")
    all_of = ", ".join(f'{{"__address__" = "{t.address}", "instance" = "{i}"}}' for t, i in ((odd, "odd"), (none, "none"), (empty, "empty")))
    w = weir(scrape(f"[{all_of}]", name="text") + scrape(f"[{all_of}]", 'scrape_fallback_protocol = "OpenMetricsText1.0.0"', "om") + to(prom))
    arrives(prom, "a", job="text", instance="odd")
    arrives(prom, "a", job="text", instance="none")
    fails(w, prom, "does not end with # EOF", "om")
    assert arrives(prom, "up", job="om", instance="empty").value == 1, "nothing is a success of nothing"
    for t in (odd, none, empty):
        t.close()


# --- others ---

def test_own_metrics_in_memory(weir, prom):
    weir('prometheus.exporter.self "own" { }\n' + scrape("prometheus.exporter.self.own.targets") + to(prom))
    arrives(prom, "alloy_build_info")


def test_self_metrics(weir, target, prom):
    target.body = b"a 1\n"
    w = weir(scrape(target.one, "honor_metadata = true") + to(prom), *LATEST)
    arrives(prom, "a")
    text = w.get("/metrics").text
    for name in ("scrape_pools_total", "scrape_pools_failed_total", "scrape_pool_reloads_total", "scrape_pool_reloads_failed_total",
                 "scrape_pool_exceeded_target_limit_total", "scrape_pool_target_limit", "scrape_pool_targets", "scrape_pool_symboltable_items",
                 "scrape_pool_sync_total", "sync_length_seconds_sum", "sync_length_histogram_seconds_bucket", "sync_failed_total",
                 "scrapes_exceeded_body_size_limit_total", "scrapes_cache_flush_forced_total", "interval_length_seconds_count",
                 "interval_length_histogram_seconds_count", "reload_length_seconds_count", "scrapes_exceeded_sample_limit_total",
                 "scrapes_sample_duplicate_timestamp_total", "scrapes_sample_out_of_order_total", "scrapes_sample_out_of_bounds_total",
                 "scrape_pool_exceeded_label_limits_total", "scrapes_exceeded_native_histogram_bucket_limit_total",
                 "scrapes_exemplar_out_of_order_total", "scrape_duration_seconds_count", "metadata_cache_entries", "metadata_cache_bytes"):
        assert f"\nprometheus_target_{name}{{" in text, name
    assert w.metric("prometheus_target_interval_length_seconds_count", interval="1s") is not None
    await_that("intervals are counted", lambda: w.metric("prometheus_target_interval_length_seconds_count", interval="1s") >= 2)
    w.reload(w.config.read_text().replace('"1s"', '"2s"').replace('"s"\n', '"t"\n'))
    await_that("labels follow", lambda: w.metric("prometheus_target_interval_length_seconds_count", interval="2s") is not None)
    assert w.metric("prometheus_target_interval_length_seconds_count", interval="1s") is None
    await_that("a reload is counted", lambda: w.metric("prometheus_target_scrape_pool_reloads_total") == 1)


def test_what_is_shown(weir, target, prom):
    target.body = b"a 1\n"
    w = weir(scrape(target.one) + to(prom))
    arrives(prom, "a")
    await_that("it is up", lambda: last_error(w) and last_error(w)[0]["health"] == "up")
    t, = last_error(w)
    assert t["job"] == "s" and t["url"] == f"http://{target.address}/metrics" and "last_error" not in t
    assert t["last_scrape"].startswith("20") and t["last_scrape_duration"].endswith("s")
    target.status = 500
    await_that("it is down", lambda: last_error(w)[0]["health"] == "down" and "500" in last_error(w)[0]["last_error"])


def test_clustering_is_told(weir, target, prom):
    w = weir(scrape(target.one, "clustering {\n enabled = true\n }") + to(prom))
    await_that("a warning", lambda: "every target is scraped by each agent that has it" in w.log)
