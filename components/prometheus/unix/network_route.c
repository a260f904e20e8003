/* network_route: unicast routes of all routing tables, and how many each device has. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include "base/map.h"
#include "components/prometheus/unix/netlink.h"

#define TEXT_MAX (INET6_ADDRSTRLEN + 8)

struct run {
    struct collect *c;
    struct netlink_links links;
    struct map seen;   /* routes of several tables may be alike: shown once */
    struct map counts; /* by device */
};
struct route {
    struct str dest, src, gateway, hops;
    u32 device, priority;
};

/* Numbers of include/uapi/linux/rtnetlink.h; names as node_exporter has them. */
static const struct {
    u8 number;
    const char *name;
} protocols[] = {
    {RTPROT_UNSPEC, "unspec"}, {RTPROT_REDIRECT, "redirect"}, {RTPROT_KERNEL, "kernel"},
    {RTPROT_BOOT, "boot"},     {RTPROT_STATIC, "static"},     {RTPROT_GATED, "gated"},
    {RTPROT_RA, "ra"},         {RTPROT_MRT, "mrt"},           {RTPROT_ZEBRA, "zebra"},
    {RTPROT_BIRD, "bird"},     {RTPROT_DNROUTED, "dnrouted"}, {RTPROT_XORP, "xorp"},
    {RTPROT_NTK, "ntk"},       {RTPROT_DHCP, "dhcp"},         {RTPROT_MROUTED, "mrouted"},
    {RTPROT_BABEL, "babel"},   {RTPROT_BGP, "bgp"},           {RTPROT_ISIS, "isis"},
    {RTPROT_OSPF, "ospf"},     {RTPROT_RIP, "rip"},           {RTPROT_EIGRP, "eigrp"},
};

static const char *protocol_name(u8 number)
{
    for (size_t i = 0; i < ARRAY_LEN(protocols); i++)
        if (protocols[i].number == number) return protocols[i].name;
    return "unknown";
}

static struct str address(struct collect *c, struct str raw)
{
    char text[TEXT_MAX];

    if (raw.n != 4 && raw.n != 16) return STR("");
    inet_ntop(raw.n == 4 ? AF_INET : AF_INET6, raw.p, text, sizeof(text));
    return arena_str(c->arena, str_of(text));
}

static struct str network(struct collect *c, struct str raw, u8 bits)
{
    if (bits == 0) return STR("default");
    return str_of(arena_printf(c->arena, STR_FMT "/%u", STR_ARG(address(c, raw)), bits));
}

static void read_attrs(struct str attrs, struct route *to)
{
    struct netlink_attr a;

    while (netlink_attr(&attrs, &a)) {
        if (a.type == RTA_DST) to->dest = a.value;
        if (a.type == RTA_PREFSRC) to->src = a.value;
        if (a.type == RTA_GATEWAY) to->gateway = a.value;
        if (a.type == RTA_MULTIPATH) to->hops = a.value;
        if (a.type == RTA_OIF) to->device = netlink_u32(a.value);
        if (a.type == RTA_PRIORITY) to->priority = netlink_u32(a.value);
    }
}

static void count(struct run *run, struct str device)
{
    size_t n = (size_t)(uintptr_t)map_get(&run->counts, device);

    map_put(&run->counts, device, (void *)(uintptr_t)(n + 1));
}

static bool is_new(struct run *run, const struct expo_label *labels, size_t n)
{
    struct buf key = BUF_INIT(4096);

    for (size_t i = 0; i < n; i++) {
        buf_str(&key, labels[i].value);
        buf_ch(&key, '\n');
    }
    bool had = map_has(&run->seen, buf_view(&key));
    if (!had) map_put(&run->seen, buf_view(&key), run);
    buf_done(&key);
    return !had;
}

static void show(struct run *run, const struct rtmsg *rt, const struct route *route, u32 device,
                 struct str gateway, const char *weight)
{
    struct collect *c = run->c;
    struct str name = netlink_link_name(&run->links, device);
    const struct expo_label labels[] = {
        EXPO_LS("device", name),
        EXPO_LS("src", address(c, route->src)),
        EXPO_LS("dest", network(c, route->dest, rt->rtm_dst_len)),
        EXPO_LS("gw", address(c, gateway)),
        EXPO_L("priority", arena_printf(c->arena, "%u", route->priority)),
        EXPO_L("proto", protocol_name(rt->rtm_protocol)),
        EXPO_L("weight", weight),
    };

    count(run, name);
    if (is_new(run, labels, ARRAY_LEN(labels)))
        expo_sample(
            expo_gauge(c->out, "node_network_route_info", "network routing table information"),
            NULL, 1, labels, ARRAY_LEN(labels));
}

static struct str gateway_of(struct str attrs)
{
    struct netlink_attr a;

    while (netlink_attr(&attrs, &a))
        if (a.type == RTA_GATEWAY) return a.value;
    return STR("");
}

static void show_hops(struct run *run, const struct rtmsg *rt, const struct route *route)
{
    struct str rest = route->hops;
    struct rtnexthop hop;

    while (rest.n >= sizeof(hop)) {
        memcpy(&hop, rest.p, sizeof(hop));
        if (hop.rtnh_len < sizeof(hop) || hop.rtnh_len > rest.n) return;
        show(run, rt, route, (u32)hop.rtnh_ifindex,
             gateway_of(str_sub(rest, sizeof(hop), hop.rtnh_len)),
             arena_printf(run->c->arena, "%d", hop.rtnh_hops + 1));
        rest = str_sub(rest, MIN((size_t)RTNH_ALIGN(hop.rtnh_len), rest.n), rest.n);
    }
}

static int take(void *arg, u16 type, struct str body)
{
    struct str attrs = netlink_attrs(body, sizeof(struct rtmsg));
    struct route route = {0};
    struct rtmsg rt;

    if (type != RTM_NEWROUTE || body.n < sizeof(rt)) return 0;
    memcpy(&rt, body.p, sizeof(rt));
    if (rt.rtm_type != RTN_UNICAST) return 0;
    read_attrs(attrs, &route);
    if (route.hops.n > 0)
        show_hops(arg, &rt, &route);
    else
        show(arg, &rt, &route, route.device, route.gateway, "");
    return 0;
}

static int collect(struct collect *c)
{
    struct run run = {.c = c};
    struct rtmsg rt = {0};
    int r = netlink_links(c, &run.links);

    if (!r)
        r = netlink_ask(c,
                        &(struct netlink_ask){.protocol = NETLINK_ROUTE,
                                              .type = RTM_GETROUTE,
                                              .dump = true,
                                              .body = str_n((const char *)&rt, sizeof(rt))},
                        take, &run);
    map_each (&run.counts, e)
        expo_gauge1(c->out, "node_network_routes", "network routes by interface",
                    (f64)(uintptr_t)e->value, EXPO_LS("device", e->key));
    map_done(&run.counts, NULL);
    map_done(&run.seen, NULL);
    return r;
}

const struct collector_def collector_network_route = {.name = "network_route", .collect = collect};
