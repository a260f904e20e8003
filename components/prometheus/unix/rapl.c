/* rapl: energy that parts of the processors have used. Readable by root only on most kernels. */
#include "components/prometheus/unix/values.h"

#include <errno.h>

/* "package-0": the index 0 of "package". */
static struct str split(struct str name, struct str *ret_index)
{
    ssize_t dash = str_chr(name, '-');
    u64 index;

    *ret_index = STR("0");
    if (dash < 0 || dash != str_rchr(name, '-')) return name;
    struct str tail = str_sub(name, (size_t)dash + 1, name.n);
    if (tail.n > 9 || unix_u64(tail, &index)) return name;
    *ret_index = tail;
    return str_sub(name, 0, (size_t)dash);
}

static int collect_zone(struct collect *c, struct str zone)
{
    const char *folder = arena_printf(c->arena, "class/powercap/%s", zone.p);
    struct str index, name = unix_text(c, ROOT_SYS, "%s/name", folder);
    u64 used;

    if (name.n == 0) return 0; /* a kind of zones, such as "intel-rapl" itself */
    int r = unix_read_u64(c, &used, ROOT_SYS, "%s/energy_uj", folder);
    if (r == -EACCES || r == -EPERM) return COLLECT_NO_DATA;
    if (r == -ENOENT) return 0;
    if (r) return unix_read_failed(c, r, ROOT_SYS, "%s/energy_uj", folder);
    name = split(name, &index);
    expo_counter1(
        c->out, unix_metric_name(c, "node_rapl_", name, "_joules_total"),
        expo_keep(c->out, str_of(arena_printf(c->arena, "Current RAPL " STR_FMT " value in joules",
                                              STR_ARG(name)))),
        (f64)used / 1000000.0, EXPO_LS("index", index),
        EXPO_L("path", unix_path(c, ROOT_SYS, "%s", folder)));
    return 0;
}

static int collect(struct collect *c)
{
    struct unix_names names;
    int r = unix_class(c, &names, "class/powercap");

    for (size_t i = 0; r == 0 && i < names.n; i++)
        r = collect_zone(c, names.v[i]);
    return r;
}

const struct collector_def collector_rapl = {
    .name = "rapl", .default_on = true, .collect = collect};
