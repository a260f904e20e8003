/* qdisc: queuing disciplines of the network devices, those at the root. */
#include <errno.h>
#include <linux/gen_stats.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include "base/map.h"
#include "components/prometheus/unix/netlink.h"

/* Of TCA_STATS2, else of the older TCA_STATS, which has no requeues. */
struct figures {
    u64 bytes;
    u32 packets, drops, requeues, overlimits, length, backlog;
};

struct run {
    struct collect *c;
    struct netlink_links links;
    struct map seen;
};

static u32 u32_at(struct str s, size_t at)
{
    return at < s.n ? netlink_u32(str_sub(s, at, s.n)) : 0;
}

static void read_old(struct str s, struct figures *f)
{
    f->bytes = netlink_u64(s);
    f->packets = u32_at(s, 8);
    f->drops = u32_at(s, 12);
    f->overlimits = u32_at(s, 16);
    f->length = u32_at(s, 28);
    f->backlog = u32_at(s, 32);
}

static void read_queue(struct str s, struct figures *f)
{
    f->length = u32_at(s, 0);
    f->backlog = u32_at(s, 4);
    f->drops = u32_at(s, 8);
    f->requeues = u32_at(s, 12);
    f->overlimits = u32_at(s, 16);
}

static void read_new(struct str s, struct figures *f)
{
    struct netlink_attr a;

    while (netlink_attr(&s, &a)) {
        if (a.type == TCA_STATS_BASIC) {
            f->bytes = netlink_u64(a.value);
            f->packets = u32_at(a.value, 8);
        }
        if (a.type == TCA_STATS_QUEUE) read_queue(a.value, f);
    }
}

static void read_attrs(struct str attrs, struct figures *f, struct str *ret_kind)
{
    struct str rest = attrs;
    struct netlink_attr a;
    bool have_new = false;

    while (netlink_attr(&rest, &a)) {
        if (a.type == TCA_KIND) *ret_kind = netlink_text(a.value);
        if (a.type == TCA_STATS2) read_new(a.value, f);
        have_new = have_new || a.type == TCA_STATS2;
    }
    while (!have_new && netlink_attr(&attrs, &a))
        if (a.type == TCA_STATS) read_old(a.value, f);
}

static void show(struct collect *c, struct str device, struct str kind, const struct figures *f)
{
    const struct {
        const char *name, *help;
        enum expo_type type;
        f64 v;
    } values[] = {
        {"node_qdisc_bytes_total", "Number of bytes sent.", EXPO_COUNTER, (f64)f->bytes},
        {"node_qdisc_packets_total", "Number of packets sent.", EXPO_COUNTER, f->packets},
        {"node_qdisc_drops_total", "Number of packets dropped.", EXPO_COUNTER, f->drops},
        {"node_qdisc_requeues_total", "Number of packets dequeued, not transmitted, and requeued.",
         EXPO_COUNTER, f->requeues},
        {"node_qdisc_overlimits_total", "Number of overlimit packets.", EXPO_COUNTER,
         f->overlimits},
        {"node_qdisc_current_queue_length", "Number of packets currently in queue to be sent.",
         EXPO_GAUGE, f->length},
        {"node_qdisc_backlog", "Number of bytes currently in queue to be sent.", EXPO_GAUGE,
         f->backlog},
    };

    for (size_t i = 0; i < ARRAY_LEN(values); i++)
        expo_add(expo_family(c->out, values[i].type, values[i].name, values[i].help), values[i].v,
                 EXPO_LS("device", device), EXPO_LS("kind", kind));
}

/* A device has an ingress or clsact beside its root; the kernel tells some twice. */
static bool is_new(struct run *run, struct str device, struct str kind)
{
    struct str key =
        str_of(arena_printf(run->c->arena, STR_FMT " " STR_FMT, STR_ARG(device), STR_ARG(kind)));

    if (map_has(&run->seen, key)) return false;
    map_put(&run->seen, key, run);
    return true;
}

static int take(void *arg, u16 type, struct str body)
{
    struct str kind = STR(""), attrs = netlink_attrs(body, sizeof(struct tcmsg));
    struct run *run = arg;
    struct figures f = {0};
    struct tcmsg tc;

    if (type != RTM_NEWQDISC || attrs.n == 0) return 0;
    memcpy(&tc, body.p, sizeof(tc));
    if (tc.tcm_parent != 0 && tc.tcm_parent != TC_H_ROOT) return 0;
    read_attrs(attrs, &f, &kind);
    struct str device = netlink_link_name(&run->links, (u32)tc.tcm_ifindex);
    if (is_new(run, device, kind)) show(run->c, device, kind, &f);
    return 0;
}

static int collect(struct collect *c)
{
    struct run run = {.c = c};
    struct tcmsg tc = {0};
    int r = netlink_links(c, &run.links);

    if (!r)
        r = netlink_ask(c,
                        &(struct netlink_ask){.protocol = NETLINK_ROUTE,
                                              .type = RTM_GETQDISC,
                                              .dump = true,
                                              .body = str_n((const char *)&tc, sizeof(tc))},
                        take, &run);
    map_done(&run.seen, NULL);
    return r;
}

const struct collector_def collector_qdisc = {.name = "qdisc", .collect = collect};
