/* vmstat: counters of virtual memory, those that the setting names. */
#include "components/prometheus/unix/collector.h"

#include <errno.h>

struct plan {
    struct regex *fields;
};

static int prepare(struct collector_prepare *pr, void *plan)
{
    return unix_regex(pr, "vmstat/fields", pr->args->vmstat.fields, &((struct plan *)plan)->fields);
}

static void add(struct collect *c, struct str key, f64 v)
{
    const char *help =
        arena_printf(c->arena, "/proc/vmstat information field " STR_FMT ".", STR_ARG(key));

    expo_untyped1(c->out, unix_metric_name(c, "node_vmstat_", key, ""),
                  expo_keep(c->out, str_of(help)), v);
}

static int collect(struct collect *c)
{
    const struct plan *plan = c->plan;
    struct str text, line, part[2];
    int r = unix_read(c, &text, ROOT_PROC, "vmstat");

    if (r) return unix_read_failed(c, r, ROOT_PROC, "vmstat");
    while (unix_line(&text, &line)) {
        f64 v;

        if (unix_fields(line, part, 2) < 2 || !unix_matches(plan->fields, part[0])) continue;
        if (unix_f64(part[1], &v))
            return collect_fail(c, -EINVAL, "\"" STR_FMT "\" in vmstat is no value", STR_ARG(line));
        add(c, part[0], v);
    }
    return COLLECT_OK;
}

const struct collector_def collector_vmstat = {.name = "vmstat",
                                               .default_on = true,
                                               .plan_size = sizeof(struct plan),
                                               .prepare = prepare,
                                               .collect = collect};
