/* pressure: how long tasks waited for CPU, memory, I/O and interrupts. */
#include "components/prometheus/unix/collector.h"

#include <errno.h>

static const struct {
    const char *file, *line, *name, *help;
} sums[] = {
    {"cpu", "some", "node_pressure_cpu_waiting_seconds_total",
     "Total time in seconds that processes have waited for CPU time"},
    {"io", "some", "node_pressure_io_waiting_seconds_total",
     "Total time in seconds that processes have waited due to IO congestion"},
    {"io", "full", "node_pressure_io_stalled_seconds_total",
     "Total time in seconds no process could make progress due to IO congestion"},
    {"memory", "some", "node_pressure_memory_waiting_seconds_total",
     "Total time in seconds that processes have waited for memory"},
    {"memory", "full", "node_pressure_memory_stalled_seconds_total",
     "Total time in seconds no process could make progress due to memory congestion"},
    {"irq", "full", "node_pressure_irq_stalled_seconds_total",
     "Total time in seconds no process could make progress due to IRQ congestion"},
};

/* "some avg10=0.00 avg60=0.00 avg300=0.00 total=123", in microseconds. */
static bool total_of(struct str text, const char *which, u64 *ret)
{
    struct str line, field;

    while (unix_line(&text, &line)) {
        if (!unix_field(&line, &field) || !str_is(field, which)) continue;
        while (unix_field(&line, &field))
            if (str_starts(field, STR("total=")))
                return unix_u64(str_sub(field, STR("total=").n, field.n), ret) == 0;
    }
    return false;
}

static int collect(struct collect *c)
{
    size_t found = 0;
    u64 us;

    for (size_t i = 0; i < ARRAY_LEN(sums); i++) {
        struct str text;
        int r = unix_read(c, &text, ROOT_PROC, "pressure/%s", sums[i].file);

        /* The kernel has it not (irq is newer than the others), or it was switched off. */
        if (r == -ENOENT || r == -EOPNOTSUPP) continue;
        if (r) return unix_read_failed(c, r, ROOT_PROC, "pressure/%s", sums[i].file);
        if (!total_of(text, sums[i].line, &us)) continue;
        expo_counter1(c->out, sums[i].name, sums[i].help, (f64)us / 1e6);
        found++;
    }
    return found > 0 ? COLLECT_OK : COLLECT_NO_DATA;
}

const struct collector_def collector_pressure = {
    .name = "pressure", .default_on = true, .collect = collect};
