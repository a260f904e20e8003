/* arp: entries of the ARP table, by device. */
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include "base/map.h"
#include "components/prometheus/unix/netlink.h"

struct plan {
    struct unix_filter filter;
    bool netlink;
};

static int prepare(struct collector_prepare *pr, void *to)
{
    struct plan *plan = to;

    plan->netlink = pr->args->arp.netlink;
    return unix_filter_init(pr, &plan->filter, "arp/device_include", pr->args->arp.device_include,
                            "arp/device_exclude", pr->args->arp.device_exclude);
}

static void count(struct map *devices, struct str name)
{
    size_t n = (size_t)(uintptr_t)map_get(devices, name);

    map_put(devices, name, (void *)(uintptr_t)(n + 1));
}

static int count_file(struct collect *c, struct map *devices)
{
    struct str text, line, part[6];
    int r = unix_read(c, &text, ROOT_PROC, "net/arp");

    if (r) return unix_read_failed(c, r, ROOT_PROC, "net/arp");
    unix_line(&text, &line); /* the heads of the columns */
    while (unix_line(&text, &line))
        if (unix_fields(line, part, 6) == 6) count(devices, part[5]);
    return 0;
}

/* --- by netlink --- */

struct asking {
    struct netlink_links links;
    struct map *devices;
};

/* The file does not have those that need no ARP either. */
static int take(void *arg, u16 type, struct str body)
{
    struct asking *a = arg;
    struct ndmsg nd;

    if (type != RTM_NEWNEIGH || body.n < sizeof(nd)) return 0;
    memcpy(&nd, body.p, sizeof(nd));
    if (nd.ndm_family == AF_INET && !(nd.ndm_state & NUD_NOARP))
        count(a->devices, netlink_link_name(&a->links, (u32)nd.ndm_ifindex));
    return 0;
}

static int count_netlink(struct collect *c, struct map *devices)
{
    struct asking a = {.devices = devices};
    struct ndmsg nd = {.ndm_family = AF_INET};
    int r = netlink_links(c, &a.links);

    if (r) return r;
    return netlink_ask(c,
                       &(struct netlink_ask){.protocol = NETLINK_ROUTE,
                                             .type = RTM_GETNEIGH,
                                             .dump = true,
                                             .body = str_n((const char *)&nd, sizeof(nd))},
                       take, &a);
}

static int collect(struct collect *c)
{
    const struct plan *plan = c->plan;
    struct map devices = {0};
    int r = plan->netlink ? count_netlink(c, &devices) : count_file(c, &devices);

    map_each (&devices, e)
        if (unix_filter_shows(&plan->filter, e->key))
            expo_gauge1(c->out, "node_arp_entries", "ARP entries by device",
                        (f64)(uintptr_t)e->value, EXPO_LS("device", e->key));
    map_done(&devices, NULL);
    return r;
}

const struct collector_def collector_arp = {.name = "arp",
                                            .default_on = true,
                                            .plan_size = sizeof(struct plan),
                                            .prepare = prepare,
                                            .collect = collect};
