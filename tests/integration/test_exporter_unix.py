"""prometheus.exporter.unix beside Debian's prometheus-node-exporter on the same machine: families, types, help, labels, values.

What differs on purpose is listed in OURS and THEIRS with its reason; anything else is a fault.
"""
import re
import shutil
import subprocess
import time

import pytest

from host_peer import Ntp, Supervisord, host_bus, runit_services
from node_exporter_peer import NodeExporter, get, parse
from weirproc import free_ports

# Debian has 1.5.0; these labels and families came later (up to 1.10).
LATER_LABELS = {
    "node_disk_info": {"rotational"},
    "node_network_info": {"adminstate"},
    **{f"node_filesystem_{n}": {"device_error"}
       for n in ("avail_bytes", "device_error", "files", "files_free", "free_bytes", "readonly", "size_bytes")},
}
LATER = re.compile("node_(systemd_virtualization_info|cpu_online|cpu_isolated|filesystem_mount_info|softnet_(backlog_len|cpu_collision_total|flow_limit_count_total|"
                   "received_rps_total)|pressure_irq_.*|watchdog_.*|time_zone_.*|xfs_.*|memory_.*)")
# The program itself: another one.
THEIRS = re.compile("node_exporter_build_info|node_scrape_collector_duration_seconds")
# Read with the CPU's help within microseconds of each other, or counts of what the two scrapes themselves do.
UNSTEADY = re.compile("node_(timex_.*|load.*|procs_running|sockstat_.*|netstat_Tcp_CurrEstab|entropy_available_bits|udp_queues|arp_entries|"
                      "time_seconds|filefd_allocated|nf_conntrack_entries|disk_io_now|cpu_(scaling_)?frequency_hertz|"
                      "ntp_(offset|rtt)_seconds|perf_.*|processes_.*|tcp_connection_states|lnstat_.*|ethtool_.*|qdisc_.*|zoneinfo_.*)")

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
COLLECTORS = ["arp", "bcache", "bonding", "btrfs", "buddyinfo", "cgroups", "conntrack", "cpu", "cpufreq", "diskstats", "dmi", "drbd", "drm",
              "edac", "entropy", "ethtool", "fibrechannel", "filefd", "filesystem", "hwmon", "infiniband", "interrupts", "ipvs", "ksmd", "lnstat",
              "loadavg", "mdadm", "meminfo", "meminfo_numa", "mountstats", "netclass", "netdev", "netstat", "network_route", "nfs", "nfsd",
              "nvme", "os", "perf", "powersupplyclass", "pressure", "processes", "qdisc", "rapl", "schedstat", "selinux", "slabinfo",
              "sockstat", "softnet", "stat", "tapestats", "tcpstat", "thermal_zone", "time", "timex", "udp_queues", "uname", "vmstat", "wifi",
              "xfs", "zfs", "zoneinfo"]
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
        if name == "node_scrape_collector_success":  # where counting is forbidden, perf fails here and succeeds there, with nothing
            theirs.update((key, ours[key]) for key in ours if ("collector", "perf") in key[1])
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


def same_in_time(w, peer):
    """The faults that remain: devices and sockets come and go with the tests beside this one."""
    end = time.monotonic() + 60
    while True:
        try:
            faults = compare(parse(get(page(w))), parse(get(peer.url)), parse(get(page(w))))
        except OSError as error:  # it is still starting
            faults = [str(error)]
        if not faults or time.monotonic() > end:
            return faults


def test_same_as_node_exporter(weir, peer):
    w = weir(CONFIG % ", ".join(f'"{c}"' for c in COLLECTORS))
    faults = same_in_time(w, peer)
    assert not faults, "\n".join(faults)


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


# --- services that collectors ask ---

ASKED = """
prometheus.exporter.unix "host" {
  set_collectors = ["logind", "ntp", "runit", "supervisord", "systemd"]
  ntp {
    server = "127.0.0.1:%d"
    local_offset_tolerance = "1m"
  }
  runit {
    service_dir = "%s"
  }
  supervisord {
    url = "%s"
  }
  systemd {
    enable_restarts = true
    start_time      = true
    task_metrics    = true
    unit_exclude    = "srv-.*"
  }
}
"""


@pytest.fixture
def services(tmp_path):
    class Services:
        bus, ntp, supervisord, runit = host_bus(tmp_path / "bus"), Ntp(), Supervisord(), runit_services(tmp_path / "services")
        env = {"DBUS_SYSTEM_BUS_ADDRESS": bus.address}

        def start(self, weir):
            w = weir(ASKED % (self.ntp.port, self.runit, self.supervisord.url), env=self.env)
            if 'no collector "systemd"' in w.log:
                pytest.skip("built without libsystemd")
            return w

    yield Services()
    for service in (Services.bus, Services.ntp, Services.supervisord):
        service.close()


@pytest.mark.core
def test_asks_services(weir, services):
    families = parse(get(page(services.start(weir))))

    def value(family, /, **labels):
        return families[family].samples[family, tuple(sorted(labels.items()))]

    assert set(families["node_scrape_collector_success"].samples.values()) == {1}
    assert value("node_systemd_unit_state", name="web.service", state="active", type="notify") == 1
    assert value("node_systemd_unit_state", name="batch@1.service", state="failed", type="oneshot") == 1
    assert value("node_systemd_units", state="active") == 3
    assert value("node_systemd_system_running") == 0
    assert value("node_systemd_virtualization_info", virtualization_type="kvm") == 1
    assert not any("srv-data" in str(key) for key in families["node_systemd_unit_state"].samples)
    assert value("node_logind_sessions", seat="seat0", remote="false", type="tty", **{"class": "greeter"}) == 1
    assert value("node_ntp_stratum") == 2 and value("node_ntp_sanity") == 1
    assert value("node_supervisord_up", name="slow", group="back") == 1
    assert value("node_supervisord_exit_status", name="cron & co", group="back") == 3
    assert value("node_service_state", service="batch", supervisor="runit") == 2


def test_asked_services_as_node_exporter(weir, services, monkeypatch):
    w = services.start(weir)
    for name, text in services.env.items():
        monkeypatch.setenv(name, text)
    exporter = NodeExporter(free_ports(1)[0], "--collector.disable-defaults", "--collector.logind", "--collector.ntp", "--collector.runit",
                            "--collector.supervisord", "--collector.systemd", f"--collector.ntp.server-port={services.ntp.port}",
                            "--collector.ntp.local-offset-tolerance=1m", f"--collector.runit.servicedir={services.runit}",
                            f"--collector.supervisord.url={services.supervisord.url}", "--collector.systemd.enable-restarts-metrics",
                            "--collector.systemd.enable-start-time-metrics", "--collector.systemd.enable-task-metrics",
                            "--collector.systemd.unit-exclude=srv-.*")
    try:
        assert same_in_time(w, exporter) == []
    finally:
        exporter.close()


def every_collector(root):
    names = re.findall(r"^COLLECTOR\((\w+)\)", (root / "components/prometheus/unix/collectors.def").read_text(), re.M)
    assert len(names) > 70
    return names


def test_promtool(weir, root, services):
    promtool = shutil.which("promtool")
    if not promtool:
        pytest.skip("promtool is not installed")
    w = weir(CONFIG.replace("cpu {", 'runit {\n    service_dir = "%s"\n  }\n  supervisord {\n    url = "%s"\n  }\n  cpu {'
                            % (services.runit, services.supervisord.url)) % ", ".join(f'"{c}"' for c in every_collector(root)),
             env=services.env)
    text = get(page(w))
    assert "node_systemd_units{" in text or "no collector" in w.log
    checked = subprocess.run([promtool, "check", "metrics"], input=text, text=True, capture_output=True, timeout=60)
    # It finds fault with names (node_exporter's own), not with the form: that would be "error while linting".
    assert "error while" not in checked.stderr and checked.returncode in (0, 3), checked.stderr
