/* softnet: what the kernel's network threads did, by CPU. */
#include "components/prometheus/unix/collector.h"

#include <errno.h>

#define COLUMN_CPU 12

static const struct {
    size_t column;
    enum expo_type type;
    const char *name, *help;
} columns[] = {
    {0, EXPO_COUNTER, "node_softnet_processed_total", "Number of processed packets"},
    {1, EXPO_COUNTER, "node_softnet_dropped_total", "Number of dropped packets"},
    {2, EXPO_COUNTER, "node_softnet_times_squeezed_total",
     "Number of times processing packets ran out of quota"},
    {8, EXPO_COUNTER, "node_softnet_cpu_collision_total",
     "Number of collision occur while obtaining device lock while transmitting"},
    {9, EXPO_COUNTER, "node_softnet_received_rps_total",
     "Number of times cpu woken up received_rps"},
    {10, EXPO_COUNTER, "node_softnet_flow_limit_count_total",
     "Number of times flow limit has been reached"},
    {11, EXPO_GAUGE, "node_softnet_backlog_len", "Softnet backlog status"},
};

/* Older kernels have fewer columns; the number of the CPU is among the newest. */
static int add_line(struct collect *c, struct str line, size_t number)
{
    struct str part[COLUMN_CPU + 1];
    size_t n = unix_fields(line, part, ARRAY_LEN(part));
    u64 v, cpu = number;
    char text[24];

    if (n < 3) return collect_fail(c, -EINVAL, "softnet_stat has fewer than three columns");
    if (n > COLUMN_CPU && unix_hex(part[COLUMN_CPU], &v) == 0) cpu = v;
    snprintf(text, sizeof(text), "%llu", (unsigned long long)cpu);
    for (size_t i = 0; i < ARRAY_LEN(columns); i++)
        if (columns[i].column < n && unix_hex(part[columns[i].column], &v) == 0)
            expo_add(expo_family(c->out, columns[i].type, columns[i].name, columns[i].help), v,
                     EXPO_L("cpu", text));
    return 0;
}

static int collect(struct collect *c)
{
    struct str text, line;
    int r = unix_read(c, &text, ROOT_PROC, "net/softnet_stat");

    if (r) return unix_read_failed(c, r, ROOT_PROC, "net/softnet_stat");
    for (size_t i = 0; !r && unix_line(&text, &line); i++)
        r = add_line(c, line, i);
    return r;
}

const struct collector_def collector_softnet = {
    .name = "softnet", .default_on = true, .collect = collect};
