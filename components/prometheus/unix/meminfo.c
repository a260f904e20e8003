/* meminfo: memory of the machine. */
#include "components/prometheus/unix/collector.h"

#include <errno.h>

/* "Active(anon)" is named Active_anon. */
static const char *name_of(struct collect *c, struct str key, bool bytes)
{
    struct str stem = key;

    while (stem.n > 0 && stem.p[stem.n - 1] == ')')
        stem.n--;
    return unix_metric_name(c, "node_memory_", stem, bytes ? "_bytes" : "");
}

static void add(struct collect *c, struct str key, u64 v, bool bytes)
{
    const char *name = name_of(c, key, bytes);
    const char *help =
        arena_printf(c->arena, "Memory information field %s.", name + STR("node_memory_").n);

    expo_gauge1(c->out, name, expo_keep(c->out, str_of(help)), bytes ? (f64)v * 1024 : (f64)v);
}

static int collect(struct collect *c)
{
    struct str text, line, part[3];
    int r = unix_read(c, &text, ROOT_PROC, "meminfo");

    if (r) return unix_read_failed(c, r, ROOT_PROC, "meminfo");
    while (unix_line(&text, &line)) {
        size_t n = unix_fields(line, part, 3);
        u64 v;

        if (n < 2) continue;
        if (!str_ends(part[0], STR(":")) || unix_u64(part[1], &v))
            return collect_fail(c, -EINVAL, "\"" STR_FMT "\" in meminfo is no value",
                                STR_ARG(line));
        add(c, str_sub(part[0], 0, part[0].n - 1), v, n == 3 && str_is(part[2], "kB"));
    }
    return COLLECT_OK;
}

const struct collector_def collector_meminfo = {
    .name = "meminfo", .default_on = true, .collect = collect};
