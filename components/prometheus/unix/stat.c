/* stat: what /proc/stat tells beside the CPUs. */
#include "components/prometheus/unix/collector.h"

#include <errno.h>

static const struct {
    const char *key, *name, *help;
    enum expo_type type;
} fields[] = {
    {"btime", "node_boot_time_seconds", "Node boot time, in unixtime.", EXPO_GAUGE},
    {"ctxt", "node_context_switches_total", "Total number of context switches.", EXPO_COUNTER},
    {"intr", "node_intr_total", "Total number of interrupts serviced.", EXPO_COUNTER},
    {"processes", "node_forks_total", "Total number of forks.", EXPO_COUNTER},
    {"procs_blocked", "node_procs_blocked",
     "Number of processes blocked waiting for I/O to complete.", EXPO_GAUGE},
    {"procs_running", "node_procs_running", "Number of processes in runnable state.", EXPO_GAUGE},
};

static void add(struct collect *c, struct str key, struct str value)
{
    u64 v;

    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        if (str_is(key, fields[i].key) && unix_u64(value, &v) == 0)
            expo_add(expo_family(c->out, fields[i].type, fields[i].name, fields[i].help), v);
}

static int collect(struct collect *c)
{
    struct str text, line, part[2];
    int r = unix_read(c, &text, ROOT_PROC, "stat");

    if (r) return unix_read_failed(c, r, ROOT_PROC, "stat");
    while (unix_line(&text, &line))
        if (unix_fields(line, part, 2) == 2) add(c, part[0], part[1]);
    return COLLECT_OK;
}

const struct collector_def collector_stat = {
    .name = "stat", .default_on = true, .collect = collect};
