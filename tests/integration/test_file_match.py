"""local.file_match: what is found, what is left out, how it follows the file system, and that a large folder holds nobody up."""
import os
import time

import pytest

from test_relabel import export
from weirproc import SANITIZED, await_that

pytestmark = pytest.mark.core

ID = "local.file_match.f"


def config(targets, more='sync_period = "100ms"'):
    return f'local.file_match "f" {{\n  path_targets = [{targets}]\n  {more}\n}}\n'


def found(w):
    return export(w, ID, "targets")


def paths(w):
    return [t["__path__"] for t in found(w)]


def awaits(w, what, folder, *names):
    await_that(what, lambda: paths(w) == [str(folder / n) for n in names])


def test_files_come_and_go(weir, tmp_path):
    d = tmp_path / "logs"
    (d / "pods" / "a").mkdir(parents=True)
    (d / "b.log").touch()
    (d / "pods" / "a" / "0.log").touch()
    (d / "pods" / "a" / "0.log.gz").touch()
    w = weir(config(f'{{"__path__" = "{d}/**/*.log", "__path_exclude__" = "{d}/**/x*", "job" = "t"}}'))
    awaits(w, "two files", d, "b.log", "pods/a/0.log")
    assert found(w)[0] == {"__path__": f"{d}/b.log", "__path_exclude__": f"{d}/**/x*", "job": "t"}
    (d / "x.log").touch()
    (d / "a.log").touch()
    awaits(w, "the new one, not the excluded one", d, "a.log", "b.log", "pods/a/0.log")
    (d / "b.log").unlink()
    os.symlink(d / "pods", d / "linked")
    awaits(w, "one gone, and what a link leads to", d, "a.log", "linked/a/0.log", "pods/a/0.log")


def test_age_alternatives_and_reload(weir, tmp_path):
    for name in ("a.log", "b.txt", "c.csv"):
        (tmp_path / name).touch()
    os.utime(tmp_path / "a.log", (time.time() - 7200,) * 2)
    pattern = f'{{"__path__" = "{tmp_path}/?.{{log,txt}}"}}'
    w = weir(config(pattern, 'sync_period = "100ms"\n  ignore_older_than = "1h"'))
    awaits(w, "the young one", tmp_path, "b.txt")
    os.utime(tmp_path / "a.log")
    awaits(w, "it was changed", tmp_path, "a.log", "b.txt")
    assert w.reload(config(pattern.replace("txt", "csv"), 'sync_period = "1h"')).status == 200
    awaits(w, "the other pattern, at once", tmp_path, "a.log", "c.csv")


def test_what_cannot_be_looked_for_is_told(weir, tmp_path):
    (tmp_path / "a.log").touch()
    w = weir(config(f'{{"job" = "no path"}}, {{"__path__" = "{tmp_path}/[a"}}, {{"__path__" = "{tmp_path}/*.log"}}'))
    awaits(w, "the well-formed one", tmp_path, "a.log")
    assert 'msg="ignored a target without __path__"' in w.log
    assert 'msg="ignored a target: its pattern is malformed"' in w.log and 'err="[ is not closed"' in w.log
    answer = w.reload(config("", 'sync_period = "0s"'))
    assert answer.status == 400 and "sync_period must be greater than 0" in answer.text


def test_ten_thousand_files_hold_nobody_up(weir, tmp_path):
    d = tmp_path / "many"
    d.mkdir()
    n = 2000 if SANITIZED else 10000
    for i in range(n):
        (d / f"{i:05}.log").touch()
    w = weir(config(f'{{"__path__" = "{d}/*.log"}}', 'sync_period = "50ms"'))
    await_that("all files", lambda: len(found(w)) == n)
    (d / "new.log").touch()
    slowest = 0
    for _ in range(200):
        start = time.monotonic()
        assert w.get("/-/ready").status == 200
        slowest = max(slowest, time.monotonic() - start)
    await_that("the new one", lambda: len(found(w)) == n + 1)
    assert slowest < 2, slowest
