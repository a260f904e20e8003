/* loadavg: the load averages. */
#include "components/prometheus/unix/collector.h"

#include <errno.h>

static int collect(struct collect *c)
{
    static const char *const names[][2] = {{"node_load1", "1m load average."},
                                           {"node_load5", "5m load average."},
                                           {"node_load15", "15m load average."}};
    struct str text, fields[3];
    int r = unix_read(c, &text, ROOT_PROC, "loadavg");

    if (r) return unix_read_failed(c, r, ROOT_PROC, "loadavg");
    if (unix_fields(text, fields, 3) < 3)
        return collect_fail(c, -EINVAL, "loadavg has fewer than three numbers");
    for (size_t i = 0; i < 3; i++) {
        f64 v;

        if (unix_f64(fields[i], &v))
            return collect_fail(c, -EINVAL, "\"" STR_FMT "\" in loadavg is no number",
                                STR_ARG(fields[i]));
        expo_gauge1(c->out, names[i][0], names[i][1], v);
    }
    return COLLECT_OK;
}

const struct collector_def collector_loadavg = {
    .name = "loadavg", .default_on = true, .collect = collect};
