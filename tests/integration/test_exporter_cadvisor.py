"""prometheus.exporter.cadvisor on this machine's control groups; a group that an engine knows has its name, image and labels."""
import contextlib
import os
import pathlib

import pytest

from docker_engine import Engine
from node_exporter_peer import get, parse
from weirproc import await_that

CGROUP = pathlib.Path("/sys/fs/cgroup")


def page(w, name="c"):
    return parse(get(f"{w.url}/api/v0/component/prometheus.exporter.cadvisor.{name}/metrics"))


def labels_of(families, name):
    return [dict(key[1]) for key in families[name].samples]


@contextlib.contextmanager
def group(name):
    """A control group of this name for the time of the test; needs the right to make one."""
    top = CGROUP if (CGROUP / "cgroup.controllers").exists() else CGROUP / "cpu"
    parent = top / f"weir-test-{os.getpid()}"
    try:
        parent.mkdir()
    except OSError as error:
        pytest.skip(f"no control group can be made here: {error}")
    try:
        (parent / name).mkdir()
        yield f"/{parent.name}/{name}"
    finally:
        for folder in (parent / name, parent):
            if folder.exists():
                folder.rmdir()


@pytest.mark.core
def test_machine_and_root(weir, tmp_path):
    w = weir(f'''
prometheus.exporter.cadvisor "c" {{ docker_host = "unix://{tmp_path}/nobody.sock" }}
prometheus.exporter.cadvisor "few" {{
  docker_host               = "unix://{tmp_path}/nobody.sock"
  enabled_metrics           = ["memory", "cpu_topology"]
  disable_root_cgroup_stats = true
  docker_only               = true
}}
''')
    ours = page(w)
    assert ours["container_last_seen"].type == "gauge"
    assert {"id": "/"} in labels_of(ours, "container_last_seen")
    [(key, cores)] = ours["machine_cpu_cores"].samples.items()
    assert cores == os.cpu_count() and {k for k, _ in key[1]} == {"machine_id", "system_uuid", "boot_id"}
    [memory] = ours["machine_memory_bytes"].samples.values()
    assert memory == os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert "container_processes" not in ours and "container_memory_usage_bytes" in ours
    few = page(w, "few")
    assert not any(name.startswith("container_") and name != "container_scrape_error" for name in few)
    assert "machine_cpu_cores" in few
    await_that("the warning", lambda: "the Docker engine cannot be asked" in w.log)


@pytest.mark.core
def test_docker(weir, tmp_path):
    engine = Engine(tmp_path / "docker.sock")
    c = engine.run("web", labels={"com.example.team": "blue"})
    try:
        with group(c.id) as path:
            w = weir(f'''
prometheus.exporter.cadvisor "c" {{
  docker_host            = "unix://{tmp_path}/docker.sock"
  env_metadata_allowlist = ["APP_"]
  docker_only            = true
}}
prometheus.exporter.cadvisor "bare" {{
  docker_host                  = "unix://{tmp_path}/docker.sock"
  store_container_labels       = false
  raw_cgroup_prefix_allowlist  = ["/weir-test-{os.getpid()}"]
  docker_only                  = true
}}
''')
            ours = page(w)
            seen = {e["id"]: e for e in labels_of(ours, "container_start_time_seconds")}
            assert seen[path] == {"id": path, "name": "web", "image": "image:1", "container_label_com_example_team": "blue",
                                  "container_env_app_name": "web"}
            assert path.rsplit("/", 1)[0] not in seen
            start = next(v for k, v in ours["container_start_time_seconds"].samples.items() if ("id", path) in k[1])
            assert start == 1767323046
            [version] = labels_of(ours, "cadvisor_version_info")
            assert version["dockerVersion"] == "27.1"
            bare = {e["id"]: e for e in labels_of(page(w, "bare"), "container_start_time_seconds")}
            assert bare[path] == {"id": path, "name": "web", "image": "image:1"}
            assert path.rsplit("/", 1)[0] in bare
            engine.down()
            assert {"id": path} not in labels_of(page(w), "container_start_time_seconds")  # docker_only, and nobody knows it
            engine.up()
    finally:
        engine.close()


@pytest.mark.core
@pytest.mark.parametrize("setting,says", [
    ('enabled_metrics = ["cpus"]', 'unsupported metric "cpus"'),
    ('docker_host = "ftp://x"', "ftp"),
])
def test_refused(weir, setting, says):
    w = weir(f'prometheus.exporter.cadvisor "c" {{\n {setting}\n}}\n', wait=False)
    w.expected_exit = 1
    await_that("the refusal", lambda: w.p.poll() is not None)
    assert says in w.log + w.out
