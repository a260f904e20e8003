/* meminfo_numa: memory by NUMA node. */
#include "components/prometheus/unix/collector.h"

#include <errno.h>

static void add(struct collect *c, enum expo_type type, struct str key, const char *suffix,
                const char *node, f64 v)
{
    while (key.n > 0 && (key.p[key.n - 1] == ')' || key.p[key.n - 1] == ':'))
        key.n--;
    const char *name = unix_metric_name(c, "node_memory_numa_", key, suffix);
    const char *help =
        arena_printf(c->arena, "Memory information field %s.", name + STR("node_memory_numa_").n);
    expo_add(expo_family(c->out, type, name, expo_keep(c->out, str_of(help))), v,
             EXPO_L("node", node));
}

/* "Node 0 MemTotal: 5 kB"; huge pages are counted without a unit. */
static void add_memory(struct collect *c, const char *node, struct str text)
{
    struct str line, part[5];
    f64 v;

    while (unix_line(&text, &line)) {
        size_t n = unix_fields(line, part, 5);
        if (n < 4 || unix_f64(part[3], &v)) continue;
        add(c, EXPO_GAUGE, part[2], "", node, n == 5 && str_is(part[4], "kB") ? v * 1024 : v);
    }
}

static void add_counters(struct collect *c, const char *node, struct str text)
{
    struct str line, part[2];
    f64 v;

    while (unix_line(&text, &line))
        if (unix_fields(line, part, 2) == 2 && unix_f64(part[1], &v) == 0)
            add(c, EXPO_COUNTER, part[0], "_total", node, v);
}

static int collect(struct collect *c)
{
    struct unix_names names;
    struct str text;
    u64 number;
    int r = unix_list(c, &names, ROOT_SYS, "devices/system/node");

    if (r == -ENOENT) return COLLECT_NO_DATA;
    if (r) return unix_read_failed(c, r, ROOT_SYS, "devices/system/node");
    for (size_t i = 0; i < names.n; i++) {
        const char *node = names.v[i].p + 4;
        if (!str_starts(names.v[i], STR("node")) || unix_u64(str_of(node), &number)) continue;
        if (unix_read(c, &text, ROOT_SYS, "devices/system/node/node%s/meminfo", node) == 0)
            add_memory(c, node, text);
        if (unix_read(c, &text, ROOT_SYS, "devices/system/node/node%s/numastat", node) == 0)
            add_counters(c, node, text);
    }
    return COLLECT_OK;
}

const struct collector_def collector_meminfo_numa = {.name = "meminfo_numa", .collect = collect};
