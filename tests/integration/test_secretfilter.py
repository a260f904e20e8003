"""loki.secretfilter from a push to what a Loki gets: redaction, configurations of gitleaks, sampling, counters, reload."""
import hashlib
import subprocess

import pytest

from loki_backend import parse_labels
from weirproc import await_that, http

pytestmark = pytest.mark.core

FLAGS = ("--stability.level=public-preview",)
CONFIG = '''
loki.source.api "in" {
  http {
    listen_address = "127.0.0.1"
    listen_port    = %(port)d
  }
  labels     = { env = "prod" }
  forward_to = [loki.secretfilter.secrets.receiver]
}

loki.secretfilter "secrets" {
  forward_to = [loki.write.out.receiver]
  %(args)s
}

loki.write "out" {
  endpoint {
    url        = "%(url)s"
    batch_wait = "50ms"
  }
}
'''
# Put together, so that nobody's scanner takes this file for a leak.
TOKEN = "gh" + "p_" + "a8Jk2lQ9zXc4Vb7Nm1Pw5Rt3Yu6Ho0Fg2DsE"
AWS = "AK" + "IA" + "IOSFODNN7QWERTYU"


def config(loki, port, args=""):
    return CONFIG % {"port": port, "args": args, "url": loki.url}


def push(port, *lines):
    answer = http("POST", f"http://127.0.0.1:{port}/loki/api/v1/raw", "\n".join(lines).encode(), {"Content-Type": "text/plain"})
    assert answer.status in (200, 204), answer.text


def counted(w, name, **labels):
    return w.metric(f"loki_secretfilter_{name}", component_id="loki.secretfilter.secrets", **labels)


def test_redacts_and_counts(weir, loki, ports):
    port, = ports(1)
    w = weir(config(loki, port, 'redact_with  = "<$SECRET_NAME:$SECRET_HASH>"\n  origin_label = "env"'), *FLAGS)
    push(port, f"pushed with {TOKEN}, and {TOKEN} again", "nothing here", f"id={AWS} end")
    loki.wait(3)
    digest = hashlib.sha1(TOKEN.encode()).hexdigest()
    assert loki.lines() == [f"pushed with <github-pat:{digest}>, and <github-pat:{digest}> again", "nothing here",
                            f"id=<aws-access-token:{hashlib.sha1(AWS.encode()).hexdigest()}> end"]
    await_that("the counters", lambda: counted(w, "secrets_redacted_total") == 3)
    assert counted(w, "secrets_redacted_by_category_total", rule="github-pat", origin="prod") == 2
    assert counted(w, "processing_duration_seconds_count") == 3
    assert counted(w, "entries_bypassed_total") == 0 and counted(w, "lines_timed_out_total") == 0
    assert TOKEN not in w.log


def test_percent_rate_and_reload(weir, loki, ports):
    port, = ports(1)
    w = weir(config(loki, port), *FLAGS)
    push(port, f"a {TOKEN}")
    loki.wait(1)
    w.reload(config(loki, port, "redact_percent = 100"))
    push(port, f"b {TOKEN}")
    loki.wait(2)
    w.reload(config(loki, port, "rate = 0"))
    push(port, f"c {TOKEN}")
    loki.wait(3)
    assert loki.lines() == [f"a {TOKEN[:8]}...", "b REDACTED", f"c {TOKEN}"]
    await_that("the bypassed entry", lambda: counted(w, "entries_bypassed_total") == 1)


def test_gitleaks_config(weir, loki, ports, tmp_path):
    port, = ports(1)
    rules = tmp_path / "gitleaks.toml"
    rules.write_text(f"""
title = "ours"
[extend]
useDefault = true
disabledRules = ["github-pat"]

[[rules]]
id = "internal-token"
regex = '''secret_tok_([0-9a-z]{{8}})'''
keywords = ["secret_tok_"]
  [[rules.allowlists]]
  regexes = ['^0000']
""")
    args = f'gitleaks_config = "{rules}"\n  redact_with = "[$SECRET_NAME]"'
    w = weir(config(loki, port, args), *FLAGS)
    push(port, "secret_tok_ab12cd34 secret_tok_00001111", TOKEN, AWS)
    loki.wait(3)
    assert loki.lines() == ["secret_tok_[internal-token] secret_tok_00001111", TOKEN, "[aws-access-token]"]
    rules.write_text("[[rules]]\nid = 'x'\nregexp = 'y'\n")
    broken = w.reload(config(loki, port, args + '\n  redact_percent = 50'))
    assert f'{rules}:3: a rule has no key "regexp"' in broken.text + w.log
    push(port, "secret_tok_ab12cd34")  # what ran goes on
    loki.wait(4)
    assert loki.lines()[-1] == "secret_tok_[internal-token]"


def test_timeouts(weir, loki, ports):
    """A limit that nothing can hold: what was not looked through is labelled, or dropped."""
    port, = ports(1)
    w = weir(config(loki, port, 'processing_timeout = "1ns"\n  label_timed_out = true'), *FLAGS)
    push(port, "token=1 password=2")
    loki.wait(1)
    assert parse_labels(loki.entries()[0].labels)["secretfilter"] == "timed-out"
    w.reload(config(loki, port, 'processing_timeout = "1ns"\n  drop_on_timeout = true'))
    push(port, "token=1 password=2")
    await_that("the dropped line", lambda: counted(w, "lines_dropped_total") == 1)
    assert counted(w, "lines_timed_out_total") == 2 and loki.count() == 1


def test_faults(weir_binary, tmp_path):
    conf = tmp_path / "c.alloy"
    conf.write_text('loki.secretfilter "s" {\n  forward_to = []\n  rate = 2\n}\n')
    r = subprocess.run([weir_binary, "check", *FLAGS, str(conf)], capture_output=True, text=True)
    assert r.returncode != 0 and "rate must be between 0.0 and 1.0" in r.stdout + r.stderr
