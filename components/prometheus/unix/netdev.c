/* netdev: traffic of network devices, and their addresses. */
#include "components/prometheus/unix/collector.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>

#define COLUMNS 16

struct plan {
    struct unix_filter filter;
    bool addresses;
};

static int prepare(struct collector_prepare *pr, void *to)
{
    struct plan *plan = to;

    plan->addresses = pr->args->netdev.address_info;
    return unix_filter_init(pr, &plan->filter, "netdev/device_include",
                            pr->args->netdev.device_include, "netdev/device_exclude",
                            pr->args->netdev.device_exclude);
}

static const char *const columns[COLUMNS] = {
    "receive_bytes",  "receive_packets",  "receive_errs",       "receive_drop",
    "receive_fifo",   "receive_frame",    "receive_compressed", "receive_multicast",
    "transmit_bytes", "transmit_packets", "transmit_errs",      "transmit_drop",
    "transmit_fifo",  "transmit_colls",   "transmit_carrier",   "transmit_compressed",
};

static void add(struct collect *c, struct str device, const char *name, u64 v)
{
    const char *help = arena_printf(c->arena, "Network device statistic %s.", name);

    expo_counter1(c->out, unix_metric_name(c, "node_network_", str_of(name), "_total"),
                  expo_keep(c->out, str_of(help)), v, EXPO_LS("device", device));
}

/* "  eth0: 1 2 ..."; long numbers stand right behind the colon. */
static int add_line(struct collect *c, struct str line)
{
    const struct plan *plan = c->plan;
    ssize_t colon = str_rchr(line, ':');
    struct str part[COLUMNS];
    u64 v;

    if (colon < 0) return 0;
    struct str device = str_trim(str_sub(line, 0, (size_t)colon));
    if (!unix_filter_shows(&plan->filter, device)) return 0;
    if (unix_fields(str_sub(line, (size_t)colon + 1, line.n), part, COLUMNS) < COLUMNS)
        return collect_fail(c, -EINVAL, "device " STR_FMT " has fewer than 16 numbers in net/dev",
                            STR_ARG(device));
    for (size_t i = 0; i < COLUMNS; i++)
        if (unix_u64(part[i], &v) == 0) add(c, device, columns[i], v);
    if (unix_read_u64(c, &v, ROOT_SYS, "class/net/" STR_FMT "/statistics/rx_nohandler",
                      STR_ARG(device)) == 0)
        add(c, device, "receive_nohandler", v);
    return 0;
}

/* --- addresses: of all devices, whatever is shown of their traffic --- */

static u32 prefix_of(const u8 *mask, size_t n)
{
    u32 bits = 0;

    for (size_t i = 0; i < n; i++)
        bits += (u32)__builtin_popcount(mask[i]);
    return bits;
}

static const char *scope4(const struct in_addr *a)
{
    u32 ip = ntohl(a->s_addr);

    if (ip >> 24 == 127 || ip >> 16 == 0xa9fe || ip >> 8 == 0xe00000) return "link-local";
    return ip == 0 || ip == UINT32_MAX || ip >> 28 == 14 ? "" : "global";
}

static const char *scope6(const struct in6_addr *a)
{
    if (IN6_IS_ADDR_LOOPBACK(a) || IN6_IS_ADDR_LINKLOCAL(a) || IN6_IS_ADDR_MC_LINKLOCAL(a))
        return "link-local";
    if (IN6_IS_ADDR_MC_NODELOCAL(a)) return "interface-local";
    return IN6_IS_ADDR_UNSPECIFIED(a) || IN6_IS_ADDR_MULTICAST(a) ? "" : "global";
}

static void add_address(struct collect *c, const struct ifaddrs *i)
{
    char text[INET6_ADDRSTRLEN], bits[8];
    const char *scope;
    u32 prefix;

    if (!i->ifa_addr || !i->ifa_netmask) return;
    if (i->ifa_addr->sa_family == AF_INET) {
        const struct sockaddr_in *a = (const void *)i->ifa_addr, *m = (const void *)i->ifa_netmask;
        inet_ntop(AF_INET, &a->sin_addr, text, sizeof(text));
        prefix = prefix_of((const u8 *)&m->sin_addr, sizeof(m->sin_addr));
        scope = scope4(&a->sin_addr);
    } else if (i->ifa_addr->sa_family == AF_INET6) {
        const struct sockaddr_in6 *a = (const void *)i->ifa_addr, *m = (const void *)i->ifa_netmask;
        inet_ntop(AF_INET6, &a->sin6_addr, text, sizeof(text));
        prefix = prefix_of((const u8 *)&m->sin6_addr, sizeof(m->sin6_addr));
        scope = scope6(&a->sin6_addr);
    } else {
        return;
    }
    snprintf(bits, sizeof(bits), "%u", prefix);
    expo_gauge1(c->out, "node_network_address_info", "node network address by device", 1,
                EXPO_L("device", i->ifa_name), EXPO_L("address", text), EXPO_L("netmask", bits),
                EXPO_L("scope", scope));
}

static int add_addresses(struct collect *c)
{
    struct ifaddrs *all;

    if (getifaddrs(&all) < 0)
        return collect_fail(c, -errno, "addresses of the devices: %s", strerror(errno));
    for (const struct ifaddrs *i = all; i; i = i->ifa_next)
        add_address(c, i);
    freeifaddrs(all);
    return 0;
}

static int collect(struct collect *c)
{
    const struct plan *plan = c->plan;
    struct str text, line;
    int r = unix_read(c, &text, ROOT_PROC, "net/dev");

    if (r) return unix_read_failed(c, r, ROOT_PROC, "net/dev");
    /* Two lines of heads. */
    for (size_t i = 0; !r && unix_line(&text, &line); i++)
        if (i >= 2) r = add_line(c, line);
    return r || !plan->addresses ? r : add_addresses(c);
}

const struct collector_def collector_netdev = {.name = "netdev",
                                               .default_on = true,
                                               .plan_size = sizeof(struct plan),
                                               .prepare = prepare,
                                               .collect = collect};
