/* swap: swap areas. */
#include "components/prometheus/unix/collector.h"

static int collect(struct collect *c)
{
    struct str text, line, part[5];
    int r = unix_read(c, &text, ROOT_PROC, "swaps");
    f64 size, used, priority;

    if (r) return unix_read_failed(c, r, ROOT_PROC, "swaps");
    unix_line(&text, &line); /* heads */
    while (unix_line(&text, &line)) {
        if (unix_fields(line, part, 5) < 5 || unix_f64(part[2], &size) ||
            unix_f64(part[3], &used) || unix_f64(part[4], &priority))
            continue;
        struct expo_label device = EXPO_LS("device", part[0]), type = EXPO_LS("swap_type", part[1]);
        expo_gauge1(c->out, "node_swap_size_bytes", "Swap device size in bytes.", size * 1024,
                    device, type);
        expo_gauge1(c->out, "node_swap_used_bytes", "Swap device used in bytes.", used * 1024,
                    device, type);
        expo_gauge1(c->out, "node_swap_priority", "Swap device priority.", priority, device, type);
    }
    return COLLECT_OK;
}

const struct collector_def collector_swap = {.name = "swap", .collect = collect};
