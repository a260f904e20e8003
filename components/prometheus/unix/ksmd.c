/* ksmd: merging of equal pages. */
#include "components/prometheus/unix/collector.h"

#include <errno.h>

static const struct {
    const char *file, *name;
    enum expo_type type;
    f64 unit;
} files[] = {
    {"full_scans", "node_ksmd_full_scans_total", EXPO_COUNTER, 1},
    {"merge_across_nodes", "node_ksmd_merge_across_nodes", EXPO_GAUGE, 1},
    {"pages_shared", "node_ksmd_pages_shared", EXPO_GAUGE, 1},
    {"pages_sharing", "node_ksmd_pages_sharing", EXPO_GAUGE, 1},
    {"pages_to_scan", "node_ksmd_pages_to_scan", EXPO_GAUGE, 1},
    {"pages_unshared", "node_ksmd_pages_unshared", EXPO_GAUGE, 1},
    {"pages_volatile", "node_ksmd_pages_volatile", EXPO_GAUGE, 1},
    {"run", "node_ksmd_run", EXPO_GAUGE, 1},
    {"sleep_millisecs", "node_ksmd_sleep_seconds", EXPO_GAUGE, .001},
};

static int collect(struct collect *c)
{
    size_t found = 0;
    u64 v;

    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        int r = unix_read_u64(c, &v, ROOT_SYS, "kernel/mm/ksm/%s", files[i].file);

        if (r == -ENOENT) continue;
        if (r) return unix_read_failed(c, r, ROOT_SYS, "kernel/mm/ksm/%s", files[i].file);
        const char *help = arena_printf(c->arena, "ksmd '%s' file.", files[i].file);
        expo_add(expo_family(c->out, files[i].type, files[i].name, expo_keep(c->out, str_of(help))),
                 (f64)v * files[i].unit);
        found++;
    }
    return found > 0 ? COLLECT_OK : COLLECT_NO_DATA;
}

const struct collector_def collector_ksmd = {.name = "ksmd", .collect = collect};
