/* zfs: statistics of the ZFS module, of pools and of data sets. */
#include "components/prometheus/unix/collector.h"

#include <errno.h>

#define ROOT "spl/kstat/zfs"

/* Families of untyped numbers whose help is the name of the statistic. */
static struct expo_family *family(struct collect *c, const char *prefix, const char *group,
                                  struct str field)
{
    const char *help = arena_printf(c->arena, "kstat.zfs.misc.%s." STR_FMT, group, STR_ARG(field));

    return expo_untyped(c->out, unix_metric_name(c, prefix, field, ""),
                        expo_keep(c->out, str_of(help)));
}

/* --- name, type, data --- */

/* What follows the line of titles. False: there is none. */
static bool skip_titles(struct str *text)
{
    struct str line, f[4];

    while (unix_line(text, &line))
        if (unix_fields(line, f, 4) == 3 && str_is(f[0], "name") && str_is(f[1], "type") &&
            str_is(f[2], "data"))
            return true;
    return false;
}

/* Types 3 and 4 are numbers of 64 bits; others are left out. */
static bool read_number(const struct str *fields, f64 *ret)
{
    return (str_is(fields[1], "3") || str_is(fields[1], "4")) && unix_f64(fields[2], ret) == 0;
}

static int collect_group(struct collect *c, const char *file, const char *prefix)
{
    struct str text, line, f[3];
    f64 v;
    int r = unix_read(c, &text, ROOT_PROC, ROOT "/%s", file);

    if (r) return 0; /* groups come and go with versions */
    if (!skip_titles(&text))
        return collect_fail(c, -EINVAL, "did not parse a single \"%s\" metric", file);
    while (unix_line(&text, &line))
        if (unix_fields(line, f, 3) == 3 && read_number(f, &v))
            expo_add(family(c, prefix, file, f[0]), v);
    return 0;
}

/* --- pools --- */

#define IO_FIELDS 32
/* A line of titles that begins with nread, then numbers. */
static void collect_io(struct collect *c, struct str pool)
{
    struct str text, line, titles[IO_FIELDS], f[IO_FIELDS];
    size_t n = 0;
    f64 v;

    if (unix_read(c, &text, ROOT_PROC, ROOT "/%s/io", pool.p)) return;
    while (n < 12 && unix_line(&text, &line)) {
        n = unix_fields(line, titles, IO_FIELDS);
        if (n == 0 || !str_is(titles[0], "nread")) n = 0;
    }
    while (n > 0 && unix_line(&text, &line)) {
        size_t values = unix_fields(line, f, IO_FIELDS);
        for (size_t i = 0; i < n && i < values; i++)
            if (unix_f64(f[i], &v) == 0)
                expo_add(family(c, "node_zfs_zpool_", "io", titles[i]), v, EXPO_LS("zpool", pool));
    }
}

static void collect_objset(struct collect *c, struct str pool, struct str file)
{
    struct str text, line, f[3], dataset = STR("");
    f64 v;

    if (unix_read(c, &text, ROOT_PROC, ROOT "/%s/%s", pool.p, file.p) || !skip_titles(&text))
        return;
    while (unix_line(&text, &line)) {
        if (unix_fields(line, f, 3) < 3) continue;
        if (str_is(f[0], "dataset_name")) /* it may have blanks */
            dataset = str_n(f[2].p, (size_t)(line.p + line.n - f[2].p));
        else if (str_is(f[1], "4") && unix_f64(f[2], &v) == 0)
            expo_add(family(c, "node_zfs_zpool_dataset_", "objset", f[0]), v,
                     EXPO_LS("zpool", pool), EXPO_LS("dataset", dataset));
    }
}

static void collect_state(struct collect *c, struct str pool)
{
    static const char *const states[] = {"online",  "degraded", "faulted",  "offline",
                                         "removed", "unavail",  "suspended"};
    struct str state = unix_text(c, ROOT_PROC, ROOT "/%s/state", pool.p);
    struct expo_family *f = expo_gauge(c->out, "node_zfs_zpool_state", "kstat.zfs.misc.state");

    for (size_t i = 0; state.n > 0 && i < ARRAY_LEN(states); i++)
        expo_add(f, str_ieq(state, str_of(states[i])), EXPO_LS("zpool", pool),
                 EXPO_L("state", states[i]));
}

static void collect_pool(struct collect *c, struct str pool)
{
    struct unix_names files;

    if (unix_list(c, &files, ROOT_PROC, ROOT "/%s", pool.p)) return; /* a file of the module */
    collect_io(c, pool);
    collect_state(c, pool);
    for (size_t i = 0; i < files.n; i++)
        if (str_starts(files.v[i], STR("objset-"))) collect_objset(c, pool, files.v[i]);
}

static int collect(struct collect *c)
{
    static const char *const groups[][2] = {{"abdstats", "node_zfs_abd_"},
                                            {"arcstats", "node_zfs_arc_"},
                                            {"dbufstats", "node_zfs_dbuf_"},
                                            {"dmu_tx", "node_zfs_dmu_tx_"},
                                            {"dnodestats", "node_zfs_dnode_"},
                                            {"fm", "node_zfs_fm_"},
                                            {"vdev_cache_stats", "node_zfs_vdev_cache_"},
                                            {"vdev_mirror_stats", "node_zfs_vdev_mirror_"},
                                            {"xuio_stats", "node_zfs_xuio_"},
                                            {"zfetchstats", "node_zfs_zfetch_"},
                                            {"zil", "node_zfs_zil_"}};
    struct unix_names names;
    int r = unix_list(c, &names, ROOT_PROC, ROOT);

    if (r == -ENOENT) return COLLECT_NO_DATA;
    if (r) return unix_read_failed(c, r, ROOT_PROC, ROOT);
    for (size_t i = 0; r == 0 && i < ARRAY_LEN(groups); i++)
        r = collect_group(c, groups[i][0], groups[i][1]);
    for (size_t i = 0; r == 0 && i < names.n; i++)
        collect_pool(c, names.v[i]);
    return r;
}

const struct collector_def collector_zfs = {.name = "zfs", .default_on = true, .collect = collect};
