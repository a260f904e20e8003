"""prometheus.remote_write: what it does about each answer of an endpoint, and about none."""
import time
from email.utils import formatdate

import pytest

from prom_backend import Answer, Prometheus, Series
from rw_world import Sender, arrived, config, endpoint, in_order, post_v1, queue, settled
from weirproc import await_that

pytestmark = pytest.mark.core
OUT = "prometheus.remote_write.out"


@pytest.fixture
def prom():
    b = Prometheus()
    yield b
    b.close()


def first(*answers):
    """These answers, then 200."""
    return lambda n, headers: answers[n] if n < len(answers) else Answer(200)


@pytest.mark.parametrize("answer", [Answer(500), Answer(503, body=b"not now"), Answer(429), Answer(cut=True, status=500)],
                         ids=["500", "503", "429", "cut"])
def test_repeated_until_taken(weir, prom, ports, answer):
    port = ports(1)[0]
    prom.respond = first(*[answer] * 4)
    w = weir(config(port, endpoint(prom)))
    s = Sender(port)
    for _ in range(5):
        assert s.send(tries=100)
    settled(prom, s)
    in_order(prom)
    assert sorted(x.value for x in prom.samples("n")) == list(map(float, s.acked))  # no more than once
    assert w.log.count("Failed to send batch, retrying") == 1 and w.log.count("an endpoint takes samples again") == 1
    assert w.metric("prometheus_remote_storage_samples_retried_total") > 0 and w.metric("prometheus_remote_storage_samples_failed_total") == 0
    assert [r.headers.get("Retry-Attempt") for r in prom.requests[:5]] == [None, "1", "2", "3", "4"]
    assert w.metric("prometheus_remote_storage_samples_total") == len(s.acked)
    await_that("all is well", lambda: w.health(OUT)["state"] == "healthy")


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_is_waited_for(weir, prom, ports, status, form):
    port, wait = ports(1)[0], 2 if form == "seconds" else 4

    def respond(n, headers):
        value = "2" if form == "seconds" else formatdate(time.time() + wait, usegmt=True)
        return Answer(status, headers={"Retry-After": value}) if n == 0 else Answer(200)

    prom.respond = respond
    weir(config(port, endpoint(prom)))
    s = Sender(port)
    assert s.send(tries=100)
    settled(prom, s)
    # A date is cut to whole seconds.
    assert prom.requests[1].at - prom.requests[0].at >= wait - (0.05 if form == "seconds" else 1.1)


def test_an_answer_that_got_lost(weir, prom, ports):
    """The endpoint took it, nobody heard: it comes twice, in order."""
    port = ports(1)[0]
    prom.respond = first(Answer(200, cut=True), Answer(200, cut=True))
    weir(config(port, endpoint(prom)))
    s = Sender(port)
    for _ in range(5):
        assert s.send(tries=100)
    settled(prom, s)
    await_that("what got lost came again", lambda: len(prom.samples("n")) > len(s.acked))
    in_order(prom)


def test_no_answer_at_all(weir, prom, ports):
    port = ports(1)[0]
    prom.respond = first(Answer(hang=True))
    w = weir(config(port, endpoint(prom, queue() + ' remote_timeout = "300ms"\n')))
    s = Sender(port)
    assert s.send(tries=100)
    settled(prom, s)
    assert "Failed to send batch, retrying" in w.log


@pytest.mark.parametrize("answer, more", [(Answer(400, body=b"out of bounds"), ""), (Answer(409, body=b"there already"), ""), (Answer(404), ""),
                                          (Answer(429, body=b"too much"), "retry_on_http_429")], ids=["400", "409", "404", "429"])
def test_refused_once(weir, prom, ports, answer, more):
    port = ports(1)[0]
    prom.respond = first(answer)
    w = weir(config(port, endpoint(prom, queue(**({more: "false"} if more else {})))))
    post_v1(port, [Series({"__name__": "n", "s": "x"}, floats=[(int(time.time() * 1000), 1.0)])])
    await_that("it was refused", lambda: "non-recoverable error" in w.log)
    line = next(x for x in w.log.splitlines() if "non-recoverable error" in x)
    assert f"server returned HTTP status {answer.status}" in line and answer.body.decode() in line and "failedSampleCount=1" in line
    post_v1(port, [Series({"__name__": "n", "s": "x"}, floats=[(int(time.time() * 1000), 2.0)])])
    await_that("the next one is there", lambda: arrived(prom) == {2.0})
    assert len(prom.requests) == 2 and w.log.count("non-recoverable error") == 1
    assert w.metric("prometheus_remote_storage_samples_failed_total") == 1 and w.metric("prometheus_remote_storage_samples_retried_total") == 0
    assert w.metric("prometheus_remote_storage_samples_total") == 1


def test_health_says_why_and_since_when(weir, prom, ports):
    port = ports(1)[0]
    prom.respond = Answer(503, body=b"come back later")
    w = weir(config(port, endpoint(prom)))
    s = Sender(port)
    assert s.send(tries=100)
    await_that("it is unhealthy", lambda: w.health(OUT)["state"] == "unhealthy")
    assert "come back later" in w.health(OUT)["message"] and prom.url in w.health(OUT)["message"]
    prom.respond = Answer(200)
    settled(prom, s)
    await_that("it is well again", lambda: w.health(OUT)["state"] == "healthy")


def test_too_old_is_not_sent(weir, prom, ports):
    """sample_age_limit: at once, and while an endpoint does not answer."""
    port = ports(1)[0]
    w = weir(config(port, endpoint(prom, queue(sample_age_limit='"3s"'))))
    now = int(time.time() * 1000)
    post_v1(port, [Series({"__name__": "old"}, floats=[(now - 3600_000, 1.0)]), Series({"__name__": "new"}, floats=[(now + 3600_000, 2.0)])])
    await_that("the new one is there", lambda: prom.values("new") == [2.0])
    assert prom.values("old") == [] and w.metric("prometheus_remote_storage_samples_dropped_total", reason="too_old") == 1
    prom.respond = Answer(503)
    post_v1(port, [Series({"__name__": "aging"}, floats=[(int(time.time() * 1000), 1.0)])])
    await_that("it is given up", lambda: w.metric("prometheus_remote_storage_samples_dropped_total", reason="too_old") == 2)
    prom.respond = Answer(200)
    post_v1(port, [Series({"__name__": "last"}, floats=[(now + 3600_000, 3.0)])])
    await_that("the last one is there", lambda: prom.values("last") == [3.0])
    assert prom.values("aging") == []


def test_a_stop_sends_what_waits(weir, prom, ports):
    """A batch that is not due goes at the stop; what an endpoint does not take stays in the log, and is said."""
    port = ports(1)[0]
    w = weir(config(port, endpoint(prom, queue(batch_send_deadline='"10m"'))))
    s = Sender(port)
    assert s.send(tries=100)
    assert w.stop() == 0
    assert set(map(float, s.acked)) == arrived(prom)
    assert "the log on disk keeps what" not in w.log


def test_a_stop_says_what_it_could_not_deliver(weir, prom, ports):
    port = ports(1)[0]
    prom.respond = Answer(503)
    w = weir(config(port, endpoint(prom)))
    s = Sender(port)
    assert s.send(20, tries=100)
    await_that("it fails", lambda: "Failed to send batch" in w.log)
    assert w.stop() == 0
    line = next(x for x in w.log.splitlines() if "the log on disk keeps what" in x)
    assert "samples_waiting=20" in line and prom.url in line and "503" in line


def test_a_stop_does_not_wait_for_a_server_that_hangs(weir, prom, ports):
    port = ports(1)[0]
    prom.respond = Answer(hang=True)
    w = weir(config(port, endpoint(prom)))
    s = Sender(port)
    assert s.send(20, tries=100)
    prom.wait_requests(1)
    assert w.stop(60) == 0
    assert "the log on disk keeps what" in w.log
