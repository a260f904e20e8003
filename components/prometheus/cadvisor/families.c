/* The families of a container, most of them by a table. Names, types, help and labels: cAdvisor's.
 */
#include <math.h>
#include <stdlib.h>
#include "base/num.h"
#include "components/prometheus/cadvisor/container.h"

#define EXTRA_MAX 4

const char *const cad_set_names[CAD_SETS] = {
    [CAD_CPU] = "cpu",
    [CAD_SCHED] = "sched",
    [CAD_PERCPU] = "percpu",
    [CAD_MEMORY] = "memory",
    [CAD_MEMORY_NUMA] = "memory_numa",
    [CAD_CPU_LOAD] = "cpuLoad",
    [CAD_DISK_IO] = "diskIO",
    [CAD_DISK] = "disk",
    [CAD_NETWORK] = "network",
    [CAD_TCP] = "tcp",
    [CAD_ADVTCP] = "advtcp",
    [CAD_UDP] = "udp",
    [CAD_APP] = "app",
    [CAD_PROCESS] = "process",
    [CAD_HUGETLB] = "hugetlb",
    [CAD_PERF] = "perf_event",
    [CAD_REFERENCED] = "referenced_memory",
    [CAD_TOPOLOGY] = "cpu_topology",
    [CAD_RESCTRL] = "resctrl",
    [CAD_CPUSET] = "cpuset",
    [CAD_OOM] = "oom_event",
    [CAD_PRESSURE] = "pressure",
};

void cad_add(const struct cad_show *s, enum expo_type type, const char *name, const char *help,
             f64 v, const struct expo_label *extra, size_t n_extra)
{
    struct expo_label *l = arena_array(s->a, struct expo_label, s->n_base + n_extra);

    if (isnan(v)) return;
    memcpy(l, s->base, s->n_base * sizeof(*l));
    if (n_extra) memcpy(l + s->n_base, extra, n_extra * sizeof(*l));
    expo_sample(expo_family(s->e, type, name, help), NULL, v, l, s->n_base + n_extra);
}

/* --- one number each --- */

struct simple {
    enum cad_set set;
    enum expo_type type;
    const char *name, *help;
    size_t offset;
    bool limited; /* only of groups with a quota */
};
#define ROW(set_, type_, name_, member, help_, ...)                                                \
    {                                                                                              \
        .set = (set_), .type = (type_), .name = (name_), .help = (help_),                          \
        .offset = offsetof(struct cad_stats, member), __VA_ARGS__                                  \
    }
#define C EXPO_COUNTER
#define G EXPO_GAUGE
static const struct simple simple[] = {
    ROW(CAD_CPU, C, "container_cpu_user_seconds_total", cpu_user,
        "Cumulative user cpu time consumed in seconds."),
    ROW(CAD_CPU, C, "container_cpu_system_seconds_total", cpu_system,
        "Cumulative system cpu time consumed in seconds."),
    ROW(CAD_CPU, C, "container_cpu_cfs_periods_total", periods,
        "Number of elapsed enforcement period intervals.", .limited = true),
    ROW(CAD_CPU, C, "container_cpu_cfs_throttled_periods_total", throttled,
        "Number of throttled period intervals.", .limited = true),
    ROW(CAD_CPU, C, "container_cpu_cfs_throttled_seconds_total", throttled_time,
        "Total time duration the container has been throttled.", .limited = true),
    ROW(CAD_CPU, C, "container_cpu_cfs_burst_periods_total", bursts,
        "Number of periods when burst occurs.", .limited = true),
    ROW(CAD_CPU, C, "container_cpu_cfs_burst_seconds_total", burst_time,
        "Total time duration the container has been bursted.", .limited = true),
    ROW(CAD_SCHED, C, "container_cpu_schedstat_run_seconds_total", sched_run,
        "Time duration the processes of the container have run on the CPU."),
    ROW(CAD_SCHED, C, "container_cpu_schedstat_runqueue_seconds_total", sched_wait,
        "Time duration processes of the container have been waiting on a runqueue."),
    ROW(CAD_SCHED, C, "container_cpu_schedstat_run_periods_total", sched_periods,
        "Number of times processes of the cgroup have run on the cpu"),
    ROW(CAD_MEMORY, G, "container_memory_cache", cache, "Number of bytes of page cache memory."),
    ROW(CAD_MEMORY, G, "container_memory_rss", rss, "Size of RSS in bytes."),
    ROW(CAD_MEMORY, G, "container_memory_kernel_usage", kernel,
        "Size of kernel memory allocated in bytes."),
    ROW(CAD_MEMORY, G, "container_memory_mapped_file", mapped,
        "Size of memory mapped files in bytes."),
    ROW(CAD_MEMORY, G, "container_memory_swap", swap, "Container swap usage in bytes."),
    ROW(CAD_MEMORY, C, "container_memory_failcnt", failcnt, "Number of memory usage hits limits"),
    ROW(CAD_MEMORY, G, "container_memory_usage_bytes", usage,
        "Current memory usage in bytes, including all memory regardless of when it was accessed"),
    ROW(CAD_MEMORY, G, "container_memory_max_usage_bytes", max_usage,
        "Maximum memory usage recorded in bytes"),
    ROW(CAD_MEMORY, G, "container_memory_working_set_bytes", working_set,
        "Current working set in bytes."),
    ROW(CAD_MEMORY, G, "container_memory_total_active_file_bytes", active_file,
        "Current total active file in bytes."),
    ROW(CAD_MEMORY, G, "container_memory_total_inactive_file_bytes", inactive_file,
        "Current total inactive file in bytes."),
    ROW(CAD_CPUSET, G, "container_memory_migrate", migrate, "Memory migrate status."),
    ROW(CAD_PROCESS, G, "container_processes", processes,
        "Number of processes running inside the container."),
    ROW(CAD_PROCESS, G, "container_file_descriptors", fds,
        "Number of open file descriptors for the container."),
    ROW(CAD_PROCESS, G, "container_sockets", sockets, "Number of open sockets for the container."),
    ROW(CAD_PROCESS, G, "container_threads_max", threads_max,
        "Maximum number of threads allowed inside the container, infinity if value is zero"),
    ROW(CAD_PROCESS, G, "container_threads", threads,
        "Number of threads running inside the container"),
    ROW(CAD_OOM, C, "container_oom_events_total", oom,
        "Count of out of memory events observed for the container"),
    ROW(CAD_PRESSURE, C, "container_pressure_cpu_stalled_seconds_total", cpu_p.full,
        "Total time duration no tasks in the container could make progress due to CPU congestion."),
    ROW(CAD_PRESSURE, C, "container_pressure_cpu_waiting_seconds_total", cpu_p.some,
        "Total time duration tasks in the container have waited due to CPU congestion."),
    ROW(CAD_PRESSURE, C, "container_pressure_memory_stalled_seconds_total", memory_p.full,
        "Total time duration no tasks in the container could make progress due to memory "
        "congestion."),
    ROW(CAD_PRESSURE, C, "container_pressure_memory_waiting_seconds_total", memory_p.some,
        "Total time duration tasks in the container have waited due to memory congestion."),
    ROW(CAD_PRESSURE, C, "container_pressure_io_stalled_seconds_total", io_p.full,
        "Total time duration no tasks in the container could make progress due to IO congestion."),
    ROW(CAD_PRESSURE, C, "container_pressure_io_waiting_seconds_total", io_p.some,
        "Total time duration tasks in the container have waited due to IO congestion."),
};

static void show_simple(const struct cad_show *s, const struct cad_stats *st)
{
    for (size_t i = 0; i < ARRAY_LEN(simple); i++) {
        const struct simple *r = &simple[i];
        if (!cad_has(s->sets, r->set) || (r->limited && isnan(st->quota))) continue;
        cad_add(s, r->type, r->name, r->help,
                *(const f64 *)(const void *)((const char *)st + r->offset), NULL, 0);
    }
}

/* --- CPU --- */

static void show_cpu(const struct cad_show *s, const struct cad_stats *st)
{
    static const char name[] = "container_cpu_usage_seconds_total",
                      help[] = "Cumulative cpu time consumed in seconds.";
    char cpu[24];

    if (!cad_has(s->sets, CAD_CPU)) return;
    if (st->percpu.n == 0 || !cad_has(s->sets, CAD_PERCPU)) {
        if (st->cpu_total > 0) cad_add(s, C, name, help, st->cpu_total, &EXPO_L("cpu", "total"), 1);
        return;
    }
    for (size_t i = 0; i < st->percpu.n; i++) {
        (void)snprintf(cpu, sizeof(cpu), "cpu%02zu", i);
        if (st->percpu.v[i] > 0) cad_add(s, C, name, help, st->percpu.v[i], &EXPO_L("cpu", cpu), 1);
    }
}

/* --- memory --- */

static void show_failures(const struct cad_show *s, const struct cad_stats *st)
{
    static const char *const scopes[] = {"container", "hierarchy"};

    if (!cad_has(s->sets, CAD_MEMORY)) return;
    for (int i = 0; i < 4; i++) {
        const struct expo_label l[] = {EXPO_L("failure_type", i % 2 ? "pgmajfault" : "pgfault"),
                                       EXPO_L("scope", scopes[i / 2])};
        cad_add(s, C, "container_memory_failures_total",
                "Cumulative count of memory allocation failures.",
                i % 2 ? st->pgmajfault : st->pgfault, l, 2);
    }
}

/* v1 "file=12 N0=3 N1=9" and "hierarchical_file=..."; v2 "file N0=4096", in bytes. */
static void show_numa_line(const struct cad_show *s, struct str line)
{
    struct str type, node, count;
    bool all = str_starts(line, STR("hierarchical_"));
    f64 page = s->h->unified ? 4096 : 1;

    if (all) line = str_sub(line, 13, line.n);
    if (!cad_field(&line, &type)) return;
    type = str_cut(&type, '=');
    if (!str_is(type, "file") && !str_is(type, "anon") && !str_is(type, "unevictable")) return;
    while (cad_field(&line, &node)) {
        count = node;
        node = str_cut(&count, '=');
        if (!count.p || node.n < 2 || node.p[0] != 'N') continue;
        const struct expo_label l[] = {EXPO_LS("type", type),
                                       EXPO_L("scope", all ? "hierarchy" : "container"),
                                       EXPO_LS("node", str_sub(node, 1, node.n))};
        cad_add(s, G, "container_memory_numa_pages", "Number of used pages per NUMA node",
                cad_f64(count) / page, l, 3);
    }
}

static void show_numa(const struct cad_show *s, struct str lines)
{
    struct str line;

    while (cad_line(&lines, &line))
        show_numa_line(s, line);
}

/* --- huge pages --- */

static void show_hugetlb(const struct cad_show *s, const char *at, const char *name)
{
    static const char *const sizes[] = {"64KB", "512KB", "1MB", "2MB", "16MB",
                                        "32MB", "512MB", "1GB", "2GB", "16GB"};
    bool v2 = s->h->unified;

    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        const char *base = arena_printf(s->a, "%s%s/hugetlb.%s", at, name, sizes[i]);
        const struct expo_label l = EXPO_L("pagesize", sizes[i]);
        f64 usage = cad_number(s->a, v2 ? "%s.current" : "%s.usage_in_bytes", base);
        if (isnan(usage)) continue;
        f64 fails = v2 ? cad_key(cad_read(s->a, "%s.events", base), "max")
                       : cad_number(s->a, "%s.failcnt", base);
        cad_add(s, G, "container_hugetlb_usage_bytes", "Current hugepage usage in bytes", usage, &l,
                1);
        cad_add(s, C, "container_hugetlb_failcnt", "Number of hugepage usage hits limits", fails,
                &l, 1);
        if (!v2)
            cad_add(s, G, "container_hugetlb_max_usage_bytes",
                    "Maximum hugepage usage recorded in bytes",
                    cad_number(s->a, "%s.max_usage_in_bytes", base), &l, 1);
    }
}

/* --- devices --- */

static void show_disk(const struct cad_show *s, const struct cad_disk *d)
{
    const struct expo_label device = EXPO_LS("device", d->device);
    const struct str major = str_of(arena_printf(s->a, "%llu", (unsigned long long)d->major)),
                     minor = str_of(arena_printf(s->a, "%llu", (unsigned long long)d->minor));

    cad_add(s, C, "container_fs_reads_bytes_total", "Cumulative count of bytes read", d->read_bytes,
            &device, 1);
    cad_add(s, C, "container_fs_writes_bytes_total", "Cumulative count of bytes written",
            d->write_bytes, &device, 1);
    cad_add(s, C, "container_fs_reads_total", "Cumulative count of reads completed", d->reads,
            &device, 1);
    cad_add(s, C, "container_fs_writes_total", "Cumulative count of writes completed", d->writes,
            &device, 1);
    for (size_t i = 0; i < d->n_ops; i++) {
        const struct expo_label l[] = {device, EXPO_LS("major", major), EXPO_LS("minor", minor),
                                       EXPO_LS("operation", d->ops[i].name)};
        cad_add(s, C, "container_blkio_device_usage_total", "Blkio Device bytes usage",
                cad_f64(d->ops[i].value), l, 4);
    }
}

/* --- what it is, and what it may --- */

static f64 limit(f64 v)
{
    return v > 4611686018427387904.0 ? 0 : v; /* 2^62: none */
}

static void show_spec(const struct cad_show *s, const struct cad_container *c,
                      const struct cad_stats *st)
{
    i64 made = MAX(st->changed, s->booted), created = c->created ? c->created : made;
    i64 started = c->started ? c->started : created;

    cad_add(s, G, "container_start_time_seconds",
            "Start time of the container since unix epoch in seconds.", (f64)(started / NS_PER_SEC),
            NULL, 0);
    cad_add(s, G, "container_last_seen", "Last time a container was seen by the exporter",
            (f64)(s->now / NS_PER_SEC), NULL, 0);
    cad_add(s, G, "container_health_state", "The result of the container's health check", c->health,
            NULL, 0);
    if (st->has_cpu) {
        cad_add(s, G, "container_spec_cpu_period", "CPU period of the container.", st->period, NULL,
                0);
        cad_add(s, G, "container_spec_cpu_quota", "CPU quota of the container.", st->quota, NULL,
                0);
        cad_add(s, G, "container_spec_cpu_shares", "CPU share of the container.", st->shares, NULL,
                0);
    }
    if (!st->has_memory) return;
    cad_add(s, G, "container_spec_memory_limit_bytes", "Memory limit for the container.",
            limit(st->limit), NULL, 0);
    cad_add(s, G, "container_spec_memory_swap_limit_bytes", "Memory swap limit for the container.",
            limit(st->swap_limit), NULL, 0);
    cad_add(s, G, "container_spec_memory_reservation_limit_bytes",
            "Memory reservation limit for the container.", limit(st->reservation), NULL, 0);
}

void cad_show_container(const struct cad_show *s, const struct cad_container *c,
                        const struct cad_stats *st)
{
    const char *name = str_is(c->name, "/") ? "" : c->name.p;

    show_spec(s, c, st);
    show_simple(s, st);
    show_cpu(s, st);
    show_failures(s, st);
    show_numa(s, st->numa_stat);
    if (cad_has(s->sets, CAD_PROCESS))
        cad_add(s, G, "container_ulimits_soft",
                "Soft ulimit values for the container root process. Unlimited if -1, except "
                "priority and nice",
                st->max_open_files, &EXPO_L("ulimit", "max_open_files"), 1);
    if (cad_has(s->sets, CAD_HUGETLB) && s->h->at[CAD_C_HUGETLB])
        show_hugetlb(s, s->h->at[CAD_C_HUGETLB], name);
    for (size_t i = 0; i < st->disks.n; i++)
        show_disk(s, &st->disks.v[i]);
    if (!name[0]) cad_show_filesystems(s, st);
    cad_show_network(s, c);
}
