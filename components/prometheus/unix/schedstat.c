/* schedstat: what the scheduler did, by CPU. */
#include "components/prometheus/unix/collector.h"

#include <errno.h>

static void add_line(struct collect *c, struct str line)
{
    struct str part[10];
    u64 run, wait, slices;

    if (unix_fields(line, part, 10) < 10 || !str_starts(part[0], STR("cpu"))) return;
    if (unix_u64(part[7], &run) || unix_u64(part[8], &wait) || unix_u64(part[9], &slices)) return;

    struct expo_label cpu = EXPO_LS("cpu", str_sub(part[0], 3, part[0].n));
    expo_counter1(c->out, "node_schedstat_running_seconds_total",
                  "Number of seconds CPU spent running a process.", (f64)run / 1e9, cpu);
    expo_counter1(c->out, "node_schedstat_waiting_seconds_total",
                  "Number of seconds spent by processing waiting for this CPU.", (f64)wait / 1e9,
                  cpu);
    expo_counter1(c->out, "node_schedstat_timeslices_total",
                  "Number of timeslices executed by CPU.", slices, cpu);
}

static int collect(struct collect *c)
{
    struct str text, line;
    int r = unix_read(c, &text, ROOT_PROC, "schedstat");

    if (r == -ENOENT) return COLLECT_NO_DATA;
    if (r) return unix_read_failed(c, r, ROOT_PROC, "schedstat");
    while (unix_line(&text, &line))
        add_line(c, line);
    return COLLECT_OK;
}

const struct collector_def collector_schedstat = {
    .name = "schedstat", .default_on = true, .collect = collect};
