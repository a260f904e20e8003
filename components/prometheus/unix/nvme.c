/* nvme: what NVMe controllers say of themselves. */
#include "components/prometheus/unix/values.h"

static int collect(struct collect *c)
{
    struct unix_names names;
    int r = unix_class(c, &names, "class/nvme");

    for (size_t i = 0; r == 0 && i < names.n; i++) {
        const char *folder = arena_printf(c->arena, "class/nvme/%s", names.v[i].p);
        expo_gauge1(c->out, "node_nvme_info",
                    "Non-numeric data from /sys/class/nvme/<device>, value is always 1.", 1,
                    EXPO_LS("device", names.v[i]),
                    unix_text_label(c, "firmware_revision", folder, "firmware_rev"),
                    unix_text_label(c, "model", folder, "model"),
                    unix_text_label(c, "serial", folder, "serial"),
                    unix_text_label(c, "state", folder, "state"));
    }
    return r;
}

const struct collector_def collector_nvme = {
    .name = "nvme", .default_on = true, .collect = collect};
