/* buddyinfo: free blocks of memory by size. */
#include "components/prometheus/unix/collector.h"

#include <errno.h>

/* "Node 0, zone Normal 5 4 3": blocks of 1, 2, 4 ... pages. */
static void add_line(struct collect *c, struct str line)
{
    struct expo_family *f =
        expo_gauge(c->out, "node_buddyinfo_blocks", "Count of free blocks according to size.");
    struct str part[4 + 32];
    size_t n = unix_fields(line, part, ARRAY_LEN(part));
    u64 v;

    if (n < 5) return;
    part[1].n -= str_ends(part[1], STR(","));
    for (size_t i = 4; i < n; i++) {
        char size[8];

        snprintf(size, sizeof(size), "%zu", i - 4);
        if (unix_u64(part[i], &v) == 0)
            expo_add(f, v, EXPO_LS("node", part[1]), EXPO_LS("zone", part[3]),
                     EXPO_L("size", size));
    }
}

static int collect(struct collect *c)
{
    struct str text, line;
    int r = unix_read(c, &text, ROOT_PROC, "buddyinfo");

    if (r) return unix_read_failed(c, r, ROOT_PROC, "buddyinfo");
    while (unix_line(&text, &line))
        add_line(c, line);
    return COLLECT_OK;
}

const struct collector_def collector_buddyinfo = {.name = "buddyinfo", .collect = collect};
