"""otelcol.exporter.loki: records sent over OTLP/HTTP, entries as loki.echo prints them."""
import json

import pytest

from echoes import echoes, record, send_records, source
from weirproc import await_that

pytestmark = pytest.mark.core


def test_entries_of_one_request(weir, ports):
    port = ports(1)[0]
    w = weir(source(port, "loki.echo.out.receiver"))
    records = [record("plain <text>", more={"severityNumber": 17, "severityText": "error"}, user="u"),
               record({"a": 1, "b": {"c": True}}, time=0, loki__format="logfmt"),
               record("raw", loki__format="raw", pod="p", loki__attribute__labels=["pod"])]
    answer = send_records(port, records, {"service.name": "web", "service.namespace": "shop", "cloud.region": "eu",
                                          "loki.resource.labels": "cloud.region"})
    assert answer.status == 200
    got = await_that("three entries", lambda: len(echoes(w)) >= 3 and {e.line: e for e in echoes(w)})
    base = 'cloud_region="eu", exporter="OTLP", job="shop/web"'
    first = next(e for e in got.values() if e.line.startswith('{"body"'))
    assert json.loads(first.line) == {"body": "plain <text>", "severity": "error", "attributes": {"user": "u"},
                                      "resources": {"service.name": "web", "service.namespace": "shop"}}
    assert first.labels == "{" + base + ', level="ERROR"}' and first.time == "2023-11-14T22:13:20Z"
    second = got["a=1 b_c=true resource_service.name=web resource_service.namespace=shop"]
    assert second.labels == "{" + base + "}" and not second.time.startswith(("2023", "1970"))
    assert got["raw"].labels == "{" + base + ', pod="p"}'
    assert w.metric("otelcol_exporter_loki_entries_processed") == 3


def test_a_format_nobody_knows(weir, ports):
    port = ports(1)[0]
    w = weir(source(port, "loki.echo.out.receiver"))
    assert send_records(port, [record("x", loki__format="xml"), record("y", loki__format="raw")]).status == 200
    await_that("the other entry", lambda: [e.line for e in echoes(w)] == ["y"])
    assert 'msg="failed to convert log to loki entry"' in w.log
    assert 'err="invalid format xml. Expected one of: json, logfmt, raw"' in w.log
    assert w.metric("otelcol_exporter_loki_entries_failed") == 1 and w.metric("otelcol_exporter_loki_entries_total") == 2


def test_many_records_with_many_labels(weir, ports):
    port = ports(1)[0]
    w = weir(source(port, "loki.echo.out.receiver"))
    records = [record(f"line {i}", loki__format="raw", n=f"{i % 50}", loki__attribute__labels="n") for i in range(2000)]
    assert send_records(port, records).status == 200
    await_that("all entries", lambda: w.metric("otelcol_exporter_loki_entries_processed") == 2000)
    got = await_that("2000 lines", lambda: len(echoes(w)) == 2000 and echoes(w))
    for n in range(50):
        lines = [int(e.line[5:]) for e in got if f'n="{n}"' in e.labels]
        assert lines == list(range(n, 2000, 50))
