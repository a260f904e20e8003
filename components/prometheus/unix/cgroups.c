/* cgroups: the controllers of the first version, and how many groups each has. */
#include "components/prometheus/unix/collector.h"

#include <errno.h>

static int collect(struct collect *c)
{
    struct expo_family *groups =
        expo_gauge(c->out, "node_cgroups_cgroups", "Current cgroup number of the subsystem.");
    struct expo_family *enabled =
        expo_gauge(c->out, "node_cgroups_enabled", "Current cgroup number of the subsystem.");
    struct str text, line, f[4];
    u64 n, on;
    int r = unix_read(c, &text, ROOT_PROC, "cgroups");

    if (r) return unix_read_failed(c, r, ROOT_PROC, "cgroups");
    while (unix_line(&text, &line)) {
        if (unix_fields(line, f, 4) < 4 || f[0].p[0] == '#') continue;
        if (unix_u64(f[2], &n) || unix_u64(f[3], &on))
            return collect_fail(c, -EINVAL, "cgroups has a line without numbers: " STR_FMT,
                                STR_ARG(line));
        expo_add(groups, n, EXPO_LS("subsys_name", f[0]));
        expo_add(enabled, on, EXPO_LS("subsys_name", f[0]));
    }
    return COLLECT_OK;
}

const struct collector_def collector_cgroups = {.name = "cgroups", .collect = collect};
