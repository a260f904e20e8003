/* arp: entries of the ARP table, by device. */
#include "components/prometheus/unix/collector.h"

#include <errno.h>
#include "base/map.h"
#include "components/common/settings.h"

static int prepare(struct collector_prepare *pr, void *plan)
{
    if (pr->args->arp.netlink)
        setting_no_effect(pr->p, "arp/netlink",
                          "the table is read from /proc/net/arp, which has the same entries");
    return unix_filter_init(pr, plan, "arp/device_include", pr->args->arp.device_include,
                            "arp/device_exclude", pr->args->arp.device_exclude);
}

static void count(struct map *devices, struct str name)
{
    size_t n = (size_t)(uintptr_t)map_get(devices, name);

    map_put(devices, name, (void *)(uintptr_t)(n + 1));
}

static int collect(struct collect *c)
{
    struct map devices = {0};
    struct str text, line, part[6];
    int r = unix_read(c, &text, ROOT_PROC, "net/arp");

    if (r) return unix_read_failed(c, r, ROOT_PROC, "net/arp");
    unix_line(&text, &line); /* the heads of the columns */
    while (unix_line(&text, &line))
        if (unix_fields(line, part, 6) == 6 && unix_filter_shows(c->plan, part[5]))
            count(&devices, part[5]);
    map_each (&devices, e)
        expo_gauge1(c->out, "node_arp_entries", "ARP entries by device", (f64)(uintptr_t)e->value,
                    EXPO_LS("device", e->key));
    map_done(&devices, NULL);
    return COLLECT_OK;
}

const struct collector_def collector_arp = {.name = "arp",
                                            .default_on = true,
                                            .plan_size = sizeof(struct unix_filter),
                                            .prepare = prepare,
                                            .collect = collect};
