/* softirqs: how often each soft interrupt ran, by CPU. */
#include "components/prometheus/unix/cpu_table.h"

static void add(struct collect *c, struct str name, const struct str *cpus,
                const struct str *counters, size_t n, struct str rest)
{
    struct expo_family *f =
        expo_counter(c->out, "node_softirqs_functions_total", "Softirq counts per CPU.");
    u64 v;

    for (size_t i = 0; i < n; i++)
        if (unix_u64(counters[i], &v) == 0)
            expo_add(f, v, EXPO_LS("cpu", cpu_table_number(cpus[i])), EXPO_LS("type", name));
}

static int collect(struct collect *c)
{
    return cpu_table_read(c, "softirqs", add);
}

const struct collector_def collector_softirqs = {.name = "softirqs", .collect = collect};
