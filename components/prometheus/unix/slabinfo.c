/* slabinfo: caches of the kernel's objects. */
#include "components/prometheus/unix/collector.h"

#include <errno.h>

static const char *const columns[][2] = {
    {"node_slabinfo_active_objects",
     "The number of objects that are currently active (i.e., in use)."},
    {"node_slabinfo_objects",
     "The total number of allocated objects (i.e., objects that are both in use and not in use)."},
    {"node_slabinfo_object_size_bytes", "The size of objects in this slab, in bytes."},
    {"node_slabinfo_objects_per_slab", "The number of objects stored in each slab."},
    {"node_slabinfo_pages_per_slab", "The number of pages allocated for each slab."},
};

static int collect(struct collect *c)
{
    struct str text, line, part[1 + ARRAY_LEN(columns)];
    int r = unix_read(c, &text, ROOT_PROC, "slabinfo");
    u64 v;

    if (r) return unix_read_failed(c, r, ROOT_PROC, "slabinfo");
    while (unix_line(&text, &line)) {
        if (unix_fields(line, part, ARRAY_LEN(part)) < ARRAY_LEN(part)) continue;
        for (size_t i = 0; i < ARRAY_LEN(columns); i++) /* the heads have no numbers */
            if (unix_u64(part[1 + i], &v) == 0)
                expo_gauge1(c->out, columns[i][0], columns[i][1], v, EXPO_LS("slab", part[0]));
    }
    return COLLECT_OK;
}

const struct collector_def collector_slabinfo = {.name = "slabinfo", .collect = collect};
