"""prometheus.exporter.unix beside Debian's prometheus-node-exporter on the same machine: families, types, help, labels, values.

What differs on purpose is listed in OURS and THEIRS with its reason; anything else is a fault.
"""
import re
import shutil
import subprocess
import time

import pytest

from node_exporter_peer import NodeExporter, get, parse
from weirproc import free_ports

# Debian has 1.5.0; these labels and families came later (up to 1.10).
LATER_LABELS = {
    "node_disk_info": {"rotational"},
    "node_network_info": {"adminstate"},
    **{f"node_filesystem_{n}": {"device_error"}
       for n in ("avail_bytes", "device_error", "files", "files_free", "free_bytes", "readonly", "size_bytes")},
}
LATER = re.compile("node_(cpu_online|cpu_isolated|filesystem_mount_info|softnet_(backlog_len|cpu_collision_total|flow_limit_count_total|"
                   "received_rps_total)|pressure_irq_.*|watchdog_.*|time_zone_.*|xfs_.*|memory_.*)")
# The program itself: another one.
THEIRS = re.compile("node_exporter_build_info|node_scrape_collector_.*")
# Read with the CPU's help within microseconds of each other, or counts of what the two scrapes themselves do.
UNSTEADY = re.compile("node_(timex_.*|load.*|procs_running|sockstat_.*|netstat_Tcp_CurrEstab|entropy_available_bits|udp_queues|arp_entries|"
                      "time_seconds|filefd_allocated|nf_conntrack_entries|disk_io_now|cpu_(scaling_)?frequency_hertz)")

CONFIG = """
prometheus.exporter.unix "host" {
  set_collectors = [%s]
  cpu {
    guest = true
    info  = true
  }
  netdev {
    address_info = true
  }
  filesystem {
    mount_points_exclude = "^/(dev|proc|run|sys|mnt)($|/)"
  }
}
"""
COLLECTORS = ["arp", "buddyinfo", "conntrack", "cpu", "cpufreq", "diskstats", "entropy", "filefd", "filesystem", "interrupts", "ksmd",
              "loadavg", "meminfo", "meminfo_numa", "netclass", "netdev", "netstat", "os", "pressure", "schedstat", "slabinfo", "sockstat",
              "softnet", "stat", "time", "timex", "udp_queues", "uname", "vmstat"]
FLAGS = ["--collector.disable-defaults", "--collector.cpu.info", "--collector.netdev.address-info", "--collector.netdev.device-exclude=^$",
         "--collector.filesystem.mount-points-exclude=^/(dev|proc|run|sys|mnt)($|/)", *(f"--collector.{c}" for c in COLLECTORS)]


def page(w, name="host"):
    return f"{w.url}/api/v0/component/prometheus.exporter.unix.{name}/metrics"


def without(name, key):
    """The sample's key without the labels that came later."""
    later = LATER_LABELS.get(name, ())
    return key[0], tuple(label for label in key[1] if label[0] not in later)


def samples(family):
    return {without(family.name, key): value for key, value in family.samples.items()}


def compare(first, peer, second):
    """The faults: what the peer has and we have not, or otherwise. Its scrape lies between our two: a counter's value lies between ours."""
    faults = []
    for name, theirs in peer.items():
        if not name.startswith("node_") or THEIRS.fullmatch(name):
            continue
        ours, later = first.get(name), second.get(name)
        if not ours or not later:
            faults.append(f"{name}: missing")
            continue
        if (ours.type, ours.help) != (theirs.type, theirs.help):
            faults.append(f"{name}: {ours.type} {ours.help!r}, not {theirs.type} {theirs.help!r}")
        ours, later, theirs = samples(ours), samples(later), samples(theirs)
        if set(ours) != set(theirs):
            faults.append(f"{name}: {sorted(set(ours) ^ set(theirs))[:4]}")
        if not UNSTEADY.fullmatch(name):
            faults += [f"{key}: {ours[key]} .. {later.get(key)}, not {value}" for key, value in theirs.items()
                       if key in ours and not between(name, ours[key], value, later.get(key, ours[key]))]
    faults += [f"{name}: only here" for name in first
               if name not in peer and not LATER.fullmatch(name) and not THEIRS.fullmatch(name)]
    return faults


def between(name, low, value, high):
    low, high = min(low, high), max(low, high)
    if name.endswith("_total"):  # read one after the other: what was read late is a little ahead
        return low - 0.2 <= value <= high + 0.2
    slack = 0.3 * max(abs(low), abs(high)) + 64 * 2**20 * name.endswith("_bytes") + 1000 * ("memory" not in name)
    return low - slack <= value <= high + slack


@pytest.fixture
def peer():
    exporter = NodeExporter(free_ports(1)[0], *FLAGS)
    yield exporter
    exporter.close()


def test_same_as_node_exporter(weir, peer):
    w = weir(CONFIG % ", ".join(f'"{c}"' for c in COLLECTORS))
    end = time.monotonic() + 60
    while True:  # devices and sockets come and go with the tests beside this one
        try:
            faults = compare(parse(get(page(w))), parse(get(peer.url)), parse(get(page(w))))
        except OSError as error:  # it is still starting
            faults = [str(error)]
        if not faults:
            return
        assert time.monotonic() < end, "\n".join(faults)


@pytest.mark.core
def test_selection_and_log(weir):
    w = weir("""
prometheus.exporter.unix "few" {
  set_collectors           = ["loadavg", "stat"]
  disable_collectors       = ["stat", "uname"]
  enable_collectors        = ["uname"]
  include_exporter_metrics = true
}
""")
    families = parse(get(page(w, "few")))
    assert {dict(key[1])["collector"] for key in families["node_scrape_collector_success"].samples} == {"loadavg", "uname"}
    assert families["node_load1"].type == "gauge" and "node_forks_total" not in families
    assert "node_exporter_build_info" in families and "promhttp_metric_handler_requests_total" in families
    log = w.log
    assert "Enabled node_exporter collectors" in log
    assert re.findall(r"msg=collector .*name=(\w+)", log) == ["loadavg", "uname"]


@pytest.mark.core
def test_textfile(weir, tmp_path):
    folder = tmp_path / "text"
    folder.mkdir()
    (folder / "good.prom").write_text('# HELP jobs_total Jobs.\n# TYPE jobs_total counter\njobs_total{kind="a"} 3\nplain 1\n')
    (folder / "bad.prom").write_text("jobs_total{kind=\n")
    (folder / "timed.prom").write_text("timed 1 1700000000000\n")
    (folder / "other.txt").write_text("other 1\n")
    w = weir('prometheus.exporter.unix "text" {\n  set_collectors = ["textfile"]\n  textfile {\n    directory = "%s"\n  }\n}\n' % folder)
    families = parse(get(page(w, "text")))
    assert families["jobs_total"].samples == {("jobs_total", (("kind", "a"),)): 3}
    assert (families["jobs_total"].type, families["jobs_total"].help) == ("counter", "Jobs.")
    assert families["plain"].type == "untyped"
    assert families["node_textfile_scrape_error"].samples == {("node_textfile_scrape_error", ()): 1}
    assert [dict(key[1])["file"] for key in families["node_textfile_mtime_seconds"].samples] == [str(folder / "good.prom")]
    assert "timed" not in families and "other" not in families
    (folder / "bad.prom").unlink()
    (folder / "timed.prom").unlink()
    families = parse(get(page(w, "text")))
    assert families["node_textfile_scrape_error"].samples == {("node_textfile_scrape_error", ()): 0}


def test_promtool(weir):
    promtool = shutil.which("promtool")
    if not promtool:
        pytest.skip("promtool is not installed")
    w = weir(CONFIG % ", ".join(f'"{c}"' for c in COLLECTORS))
    checked = subprocess.run([promtool, "check", "metrics"], input=get(page(w)), text=True, capture_output=True, timeout=60)
    # It finds fault with names (node_exporter's own), not with the form: that would be "error while linting".
    assert "error while" not in checked.stderr and checked.returncode in (0, 3), checked.stderr
