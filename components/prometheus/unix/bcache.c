/* bcache: disks that cache others. */
#include "components/prometheus/unix/collector.h"

#include <errno.h>

struct plan {
    bool priority_stats; /* expensive: the kernel sorts all buckets for it */
};

static int prepare(struct collector_prepare *pr, void *plan)
{
    ((struct plan *)plan)->priority_stats = pr->args->bcache.priority_stats;
    return 0;
}

/* --- numbers for people: "1.5k", "-3.2M", "120" --- */

/* Behind the dot stand 1024ths divided by 100, not decimals: 1.9 is less than 1.10. */
static bool mantissa(struct str s, f64 *ret)
{
    struct str whole = str_cut(&s, '.');
    f64 fraction = 0;

    if (unix_f64(whole, ret)) return false;
    if (s.n > 0 && unix_f64(s, &fraction)) return false;
    *ret += fraction / 10.24;
    return true;
}

static bool human(struct str s, f64 *ret)
{
    static const char units[] = "kMGTPEZY";
    bool negative = s.n > 0 && s.p[0] == '-';
    const char *unit;
    f64 factor = 1;

    if (negative) s = str_sub(s, 1, s.n);
    if (s.n == 0) return false;
    unit = strchr(units, s.p[s.n - 1]);
    if (!unit || !*unit) {
        if (unix_f64(s, ret)) return false;
    } else {
        for (const char *u = units; u <= unit; u++)
            factor *= 1024;
        if (!mantissa(str_sub(s, 0, s.n - 1), ret)) return false;
    }
    *ret = (f64)(u64)(*ret * factor);
    if (negative) *ret = -*ret;
    return true;
}

/* --- files --- */

struct file {
    const char *file, *name, *help;
    bool counter;
    f64 factor;        /* 0: 1 */
    bool nothing_is_0; /* a 0 is not shown */
};
static const struct file set_files[] = {
    {"average_key_size", "average_key_size_sectors", "Average data per key in the btree (sectors).",
     false, 0, false},
    {"btree_cache_size", "btree_cache_size_bytes",
     "Amount of memory currently used by the btree cache.", false, 0, false},
    {"cache_available_percent", "cache_available_percent",
     "Percentage of cache device without dirty data, usable for writeback (may contain clean "
     "cached "
     "data).",
     false, 0, false},
    {"congested", "congested", "Congestion.", false, 0, false},
    {"root_usage_percent", "root_usage_percent",
     "Percentage of the root btree node in use (tree depth increases if too high).", false, 0,
     false},
    {"tree_depth", "tree_depth", "Depth of the btree.", false, 0, false},
    {"internal/active_journal_entries", "active_journal_entries",
     "Number of journal entries that are newer than the index.", false, 0, false},
    {"internal/btree_nodes", "btree_nodes", "Total nodes in the btree.", false, 0, false},
    {"internal/btree_read_average_duration_us", "btree_read_average_duration_seconds",
     "Average btree read duration.", false, 1e-9, false},
    {"internal/cache_read_races", "cache_read_races_total",
     "Counts instances where while data was being read from the cache, the bucket was reused and "
     "invalidated - i.e. where the pointer was stale after the read completed.",
     true, 0, false},
};
static const struct file backing_files[] = {
    {"dirty_data", "dirty_data_bytes", "Amount of dirty data for this backing device in the cache.",
     false, 0, false},
    {"stats_total/bypassed", "bypassed_bytes_total",
     "Amount of IO (both reads and writes) that has bypassed the cache.", true, 0, false},
    {"stats_total/cache_hits", "cache_hits_total",
     "Hits counted per individual IO as bcache sees them.", true, 0, false},
    {"stats_total/cache_misses", "cache_misses_total",
     "Misses counted per individual IO as bcache sees them.", true, 0, false},
    {"stats_total/cache_bypass_hits", "cache_bypass_hits_total",
     "Hits for IO intended to skip the cache.", true, 0, false},
    {"stats_total/cache_bypass_misses", "cache_bypass_misses_total",
     "Misses for IO intended to skip the cache.", true, 0, false},
    {"stats_total/cache_miss_collisions", "cache_miss_collisions_total",
     "Instances where data insertion from cache miss raced with write (data already present).",
     true, 0, false},
    {"stats_total/cache_readaheads", "cache_readaheads_total", "Count of times readahead occurred.",
     true, 0, true},
};
static const struct file cache_files[] = {
    {"io_errors", "io_errors", "Number of errors that have occurred, decayed by io_error_halflife.",
     false, 0, false},
    {"metadata_written", "metadata_written_bytes_total",
     "Sum of all non data writes (btree writes and all other metadata).", true, 0, false},
    {"written", "written_bytes_total", "Sum of all data that has been written to the cache.", true,
     0, false},
};

static void add(struct collect *c, const struct file *f, f64 v, const struct expo_label *labels,
                size_t n)
{
    struct expo_family *family =
        expo_family(c->out, f->counter ? EXPO_COUNTER : EXPO_GAUGE,
                    unix_metric_name(c, "node_bcache_", str_of(f->name), ""), f->help);

    expo_sample(family, NULL, f->factor != 0 ? v * f->factor : v, labels, n);
}

/* A file that is not there is 0: kernels differ in what they count. */
static int collect_files(struct collect *c, const char *folder, const struct file *files, size_t n,
                         const struct expo_label *labels, size_t n_labels)
{
    for (size_t i = 0; i < n; i++) {
        struct str text;
        f64 v = 0;
        int r = unix_read(c, &text, ROOT_SYS, "%s/%s", folder, files[i].file);
        if (r && r != -ENOENT)
            return unix_read_failed(c, r, ROOT_SYS, "%s/%s", folder, files[i].file);
        if (r == 0 && !human(str_trim(text), &v))
            return collect_fail(c, -EINVAL, "%s/%s is no number", folder, files[i].file);
        if (v != 0 || !files[i].nothing_is_0) add(c, &files[i], v, labels, n_labels);
    }
    return 0;
}

/* --- files of several lines: "rate:   1.1M/sec" --- */

/* The last word of the line that begins with `name`, without `unit` at its end. */
static bool line_value(struct str text, const char *name, const char *unit, f64 *ret)
{
    struct str line, field, last = STR("");

    while (unix_line(&text, &line)) {
        if (!str_starts(line, str_of(name))) continue;
        while (unix_field(&line, &field))
            last = field;
        if (str_ends(last, str_of(unit))) last.n -= strlen(unit);
        return human(last, ret);
    }
    *ret = 0;
    return true;
}

struct line {
    const char *line, *unit;
    struct file as;
};
static const struct line writeback_lines[] = {
    {"target:",
     "",
     {.name = "dirty_target_bytes",
      .help = "Current dirty data target threshold for this backing device in bytes."}},
    {"rate:",
     "/sec",
     {.name = "writeback_rate",
      .help = "Current writeback rate for this backing device in bytes."}},
    {"proportional:",
     "",
     {.name = "writeback_rate_proportional_term",
      .help = "Current result of proportional controller, part of writeback rate"}},
    {"integral:",
     "",
     {.name = "writeback_rate_integral_term",
      .help = "Current result of integral controller, part of writeback rate"}},
    {"change:",
     "/sec",
     {.name = "writeback_change",
      .help = "Last writeback rate change step for this backing device."}},
};
static const struct line priority_lines[] = {
    {"Unused:",
     "%",
     {.name = "priority_stats_unused_percent",
      .help = "The percentage of the cache that doesn't contain any data."}},
    {"Metadata:",
     "%",
     {.name = "priority_stats_metadata_percent", .help = "Bcache's metadata overhead."}},
};

static int collect_lines(struct collect *c, const char *file, const struct line *lines, size_t n,
                         const struct expo_label *labels)
{
    struct str text;
    f64 v;
    int r = unix_read(c, &text, ROOT_SYS, "%s", file);

    if (r) return unix_read_failed(c, r, ROOT_SYS, "%s", file);
    for (size_t i = 0; i < n; i++) {
        if (!line_value(text, lines[i].line, lines[i].unit, &v))
            return collect_fail(c, -EINVAL, "%s: \"%s\" has no number", file, lines[i].line);
        add(c, &lines[i].as, v, labels, 2);
    }
    return 0;
}

/* --- devices --- */

static bool is_numbered(struct str name, const char *prefix)
{
    size_t n = strlen(prefix);

    return str_starts(name, str_of(prefix)) && name.n > n && name.p[n] >= '0' && name.p[n] <= '9';
}

static int collect_backing(struct collect *c, const char *folder, struct str uuid, struct str name)
{
    const struct expo_label labels[] = {EXPO_LS("uuid", uuid), EXPO_LS("backing_device", name)};
    int r = collect_lines(c, arena_printf(c->arena, "%s/writeback_rate_debug", folder),
                          writeback_lines, ARRAY_LEN(writeback_lines), labels);

    return r ? r : collect_files(c, folder, backing_files, ARRAY_LEN(backing_files), labels, 2);
}

static int collect_cache(struct collect *c, const char *folder, struct str uuid, struct str name)
{
    const struct expo_label labels[] = {EXPO_LS("uuid", uuid), EXPO_LS("cache_device", name)};
    int r = collect_files(c, folder, cache_files, ARRAY_LEN(cache_files), labels, 2);

    if (r || !((const struct plan *)c->plan)->priority_stats) return r;
    return collect_lines(c, arena_printf(c->arena, "%s/priority_stats", folder), priority_lines,
                         ARRAY_LEN(priority_lines), labels);
}

static int collect_set(struct collect *c, struct str uuid)
{
    const char *root = arena_printf(c->arena, "fs/bcache/%s", uuid.p);
    struct expo_label label = EXPO_LS("uuid", uuid);
    struct unix_names names;
    int r = unix_list(c, &names, ROOT_SYS, "%s", root);

    if (r) return unix_read_failed(c, r, ROOT_SYS, "%s", root);
    r = collect_files(c, root, set_files, ARRAY_LEN(set_files), &label, 1);
    for (size_t i = 0; r == 0 && i < names.n; i++) {
        const char *folder = arena_printf(c->arena, "%s/%s", root, names.v[i].p);
        if (is_numbered(names.v[i], "bdev"))
            r = collect_backing(c, folder, uuid, names.v[i]);
        else if (is_numbered(names.v[i], "cache"))
            r = collect_cache(c, folder, uuid, names.v[i]);
    }
    return r;
}

static int collect(struct collect *c)
{
    struct unix_names names;
    int r = unix_list(c, &names, ROOT_SYS, "fs/bcache");

    if (r == -ENOENT) return COLLECT_OK;
    if (r) return unix_read_failed(c, r, ROOT_SYS, "fs/bcache");
    for (size_t i = 0; r == 0 && i < names.n; i++)
        if (str_chr(names.v[i], '-') >= 0) r = collect_set(c, names.v[i]);
    return r;
}

const struct collector_def collector_bcache = {.name = "bcache",
                                               .default_on = true,
                                               .plan_size = sizeof(struct plan),
                                               .prepare = prepare,
                                               .collect = collect};
