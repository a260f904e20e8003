/* The tables of prometheus.exporter.unix. */
#include "components/prometheus/unix/args.h"

#include <stdlib.h>

#define OF(block) __typeof__(((struct unix_args *)NULL)->block)
#define DEVICE_ROWS(T)                                                                             \
    ATTR(T, device_exclude, .doc = "Devices that are left out, as a regular expression.",          \
         .def = "\"\""),                                                                           \
        ATTR(T, device_include, .doc = "The devices that are shown, as a regular expression.",     \
             .def = "\"\"")

static const struct row arp_rows[] = {
    DEVICE_ROWS(OF(arp)),
    ATTR(OF(arp), netlink, .doc = "Asks the kernel by netlink instead of reading /proc/net/arp.",
         .def = "false"),
};
static const struct row bcache_rows[] = {
    ATTR(OF(bcache), priority_stats, .doc = "Shows the priority statistics, which cost more.",
         .def = "false"),
};
static const struct row cpu_rows[] = {
    ATTR(OF(cpu), bugs_include, .doc = "Bugs that are shown, as a regular expression.",
         .def = "\"\""),
    ATTR(OF(cpu), flags_include, .doc = "Flags that are shown, as a regular expression.",
         .def = "\"\""),
    ATTR(OF(cpu), guest, .doc = "Shows node_cpu_guest_seconds_total.", .def = "false"),
    ATTR(OF(cpu), info, .doc = "Shows node_cpu_info.", .def = "false"),
};
static const struct row disk_rows[] = {
    ATTR(OF(disk), device_exclude, .doc = "Devices that are left out, as a regular expression.",
         .def = "\"^(ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\\\\d+n\\\\d+p)\\\\d+$\""),
    ATTR(OF(disk), device_include, .doc = "The devices that are shown, as a regular expression.",
         .def = "\"\""),
};
static const struct row ethtool_rows[] = {
    DEVICE_ROWS(OF(ethtool)),
    ATTR(OF(ethtool), metrics_include, .doc = "Statistics that are shown, as a regular expression.",
         .def = "\".*\""),
};
static const struct row filesystem_rows[] = {
    ATTR(OF(filesystem), fs_types_exclude,
         .doc = "File system types that are left out, as a regular expression.",
         .def = "\"^(autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|fusectl|"
                "hugetlbfs|iso9660|mqueue|nsfs|overlay|proc|procfs|pstore|rpc_pipefs|securityfs|"
                "selinuxfs|squashfs|sysfs|tracefs)$\""),
    ATTR(OF(filesystem), mount_points_exclude,
         .doc = "Mount points that are left out, as a regular expression.",
         .def = "\"^/(dev|proc|run/credentials/.+|sys|var/lib/docker/.+)($|/)\""),
    ATTR(OF(filesystem), mount_timeout,
         .doc = "How long a mount may take to answer before it is marked as stuck.",
         .def = "\"5s\""),
};
static const struct row hwmon_rows[] = {
    ATTR(OF(hwmon), chip_exclude, .doc = "Chips that are left out, as a regular expression.",
         .def = "\"\""),
    ATTR(OF(hwmon), chip_include, .doc = "The chips that are shown, as a regular expression.",
         .def = "\"\""),
};
static const struct row ipvs_rows[] = {
    ATTR(OF(ipvs), backend_labels, .doc = "Labels that tell backends apart; none: all of them."),
};
static const struct row ntp_rows[] = {
    ATTR(OF(ntp), ip_ttl, .doc = "Time to live of the requests.", .def = "1"),
    ATTR(OF(ntp), local_offset_tolerance,
         .doc = "How far the local clock may be off and still be judged sane.", .def = "\"1ms\""),
    ATTR(OF(ntp), max_distance, .doc = "The largest distance to the root that is judged sane.",
         .def = "\"3.46608s\""),
    ATTR(OF(ntp), protocol_version, .doc = "Version of the protocol.", .def = "4"),
    ATTR(OF(ntp), server, .doc = "The server that is asked.", .def = "\"127.0.0.1\""),
    ATTR(OF(ntp), server_is_local, .doc = "The server runs on this machine, whatever its address.",
         .def = "false"),
};
static const struct row netclass_rows[] = {
    ATTR(OF(netclass), ignore_invalid_speed_device,
         .doc = "Leaves out devices whose speed is not known.", .def = "false"),
    ATTR(OF(netclass), ignored_devices, .doc = "Devices left out, as a regular expression.",
         .def = "\"^$\""),
};
static const struct row netdev_rows[] = {
    ATTR(OF(netdev), address_info, .doc = "Shows the addresses of the devices.", .def = "false"),
    DEVICE_ROWS(OF(netdev)),
};
static const struct row netstat_rows[] = {
    ATTR(OF(netstat), fields, .doc = "Fields that are shown, as a regular expression.",
         .def = "\"^(.*_(InErrors|InErrs)|Ip_Forwarding|Ip(6|Ext)_(InOctets|OutOctets)|Icmp6?_("
                "InMsgs|OutMsgs)|TcpExt_(Listen.*|Syncookies.*|TCPSynRetrans|TCPTimeouts)|Tcp_("
                "ActiveOpens|InSegs|OutSegs|OutRsts|PassiveOpens|RetransSegs|CurrEstab)|Udp6?_("
                "InDatagrams|OutDatagrams|NoPorts|RcvbufErrors|SndbufErrors))$\""),
};
static const struct row perf_rows[] = {
    ATTR(OF(perf), cache_profilers, .doc = "Cache profilers that are on; none: all."),
    ATTR(OF(perf), cpus, .doc = "CPUs that are measured: \"0-3,7\", \"1-16:5\"; none: all.",
         .def = "\"\""),
    ATTR(OF(perf), disable_cache_profilers, .doc = "No cache profilers.", .def = "false"),
    ATTR(OF(perf), disable_hardware_profilers, .doc = "No hardware profilers.", .def = "false"),
    ATTR(OF(perf), disable_software_profilers, .doc = "No software profilers.", .def = "false"),
    ATTR(OF(perf), hardware_profilers, .doc = "Hardware profilers that are on; none: all."),
    ATTR(OF(perf), software_profilers, .doc = "Software profilers that are on; none: all."),
    ATTR(OF(perf), tracepoint, .doc = "Tracepoints that are counted."),
};
static const struct row powersupply_rows[] = {
    ATTR(OF(powersupply), ignored_supplies, .doc = "Supplies left out, as a regular expression.",
         .def = "\"^$\""),
};
static const struct row runit_rows[] = {
    ATTR(OF(runit), service_dir, .doc = "The folder of runit's services.",
         .def = "\"/etc/service\""),
};
/* The address of the service may come from its own environment, as its tools read it. */
static void supervisord_url(struct arena *a, void *member)
{
    const char *url = getenv("SUPERVISORD_URL");

    *(struct str *)member =
        str_of(arena_strdup(a, str_of(url && *url ? url : "http://localhost:9001/RPC2")));
}
static const struct row supervisord_rows[] = {
    ATTR(OF(supervisord), url, .doc = "Where supervisord's XML-RPC is served.",
         .def_fn = supervisord_url),
};
static const struct row sysctl_rows[] = {
    ATTR(OF(sysctl), include, .doc = "Values of sysctl that are numbers.", .def = "[]"),
    ATTR(OF(sysctl), include_info, .doc = "Values of sysctl that are texts.", .def = "[]"),
};
static const struct row systemd_rows[] = {
    ATTR(OF(systemd), enable_restarts, .doc = "Shows how often services were restarted.",
         .def = "false"),
    ATTR(OF(systemd), start_time, .doc = "Shows when units were started.", .def = "false"),
    ATTR(OF(systemd), task_metrics, .doc = "Shows the tasks of units.", .def = "false"),
    ATTR(OF(systemd), unit_exclude, .doc = "Units that are left out, as a regular expression.",
         .def = "\".+\\\\.(automount|device|mount|scope|slice)\""),
    ATTR(OF(systemd), unit_include, .doc = "The units that are shown, as a regular expression.",
         .def = "\".+\""),
};
static const struct row tapestats_rows[] = {
    ATTR(OF(tapestats), ignored_devices, .doc = "Devices left out, as a regular expression.",
         .def = "\"^$\""),
};
static const struct row textfile_rows[] = {
    ATTR(OF(textfile), directory, .doc = "Folder of *.prom files; none: nothing is read.",
         .def = "\"\""),
};
static const struct row vmstat_rows[] = {
    ATTR(OF(vmstat), fields, .doc = "Fields that are shown, as a regular expression.",
         .def = "\"^(oom_kill|pgpg|pswp|pg.*fault).*\""),
};

#define TABLE(name) static const struct schema name##_schema = SCHEMA(OF(name), name##_rows)
TABLE(arp);
TABLE(bcache);
TABLE(cpu);
TABLE(disk);
TABLE(ethtool);
TABLE(filesystem);
TABLE(hwmon);
TABLE(ipvs);
TABLE(ntp);
TABLE(netclass);
TABLE(netdev);
TABLE(netstat);
TABLE(perf);
TABLE(powersupply);
TABLE(runit);
TABLE(supervisord);
TABLE(sysctl);
TABLE(systemd);
TABLE(tapestats);
TABLE(textfile);
TABLE(vmstat);

#define PART(name, what) BLOCK(struct unix_args, name, &name##_schema, .doc = what)
static const struct row arg_rows[] = {
    ATTR(struct unix_args, disable_collectors, .doc = "Collectors taken from the defaults.",
         .def = "[]"),
    ATTR(struct unix_args, enable_collectors,
         .doc = "Collectors added; what is named here is on, whatever else is said.", .def = "[]"),
    ATTR(struct unix_args, include_exporter_metrics,
         .doc = "Shows metrics about the exporter's own requests.", .def = "false"),
    ATTR(struct unix_args, procfs_path, .doc = "Where the proc file system is.",
         .def = "\"/proc\""),
    ATTR(struct unix_args, rootfs_path, .doc = "Where the machine's root is.", .def = "\"/\""),
    ATTR(struct unix_args, set_collectors, .doc = "The collectors to run instead of the defaults."),
    ATTR(struct unix_args, sysfs_path, .doc = "Where the sys file system is.", .def = "\"/sys\""),
    ATTR(struct unix_args, udev_data_path, .doc = "Where udev's data is.",
         .def = "\"/run/udev/data\""),
    PART(arp, "ARP entries."),
    PART(bcache, "Caches of block devices."),
    PART(cpu, "Time and facts of CPUs."),
    PART(disk, "Disks."),
    PART(ethtool, "What network drivers tell."),
    PART(filesystem, "File systems."),
    PART(hwmon, "Sensors."),
    PART(ipvs, "Load balancing of the kernel."),
    PART(ntp, "The clock against a server's."),
    PART(netclass, "Facts of network devices."),
    PART(netdev, "Traffic of network devices."),
    PART(netstat, "Counters of network protocols."),
    PART(perf, "Performance counters of the kernel."),
    PART(powersupply, "Power supplies."),
    PART(runit, "Services of runit."),
    PART(supervisord, "Services of supervisord."),
    PART(sysctl, "Settings of the kernel."),
    PART(systemd, "Units of systemd."),
    PART(tapestats, "Tape drives."),
    PART(textfile, "Metrics that others write into files."),
    PART(vmstat, "Counters of virtual memory."),
};
const struct schema unix_args_schema = SCHEMA(struct unix_args, arg_rows);
