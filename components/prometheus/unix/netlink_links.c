/* Names of network devices by their numbers. */
#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include "components/prometheus/unix/netlink.h"

#define LINKS_MAX 65536

struct gathering {
    struct collect *c;
    struct netlink_links *to;
    size_t cap;
};

static struct netlink_link *add(struct gathering *g)
{
    struct netlink_links *to = g->to;

    if (to->n == g->cap) {
        g->cap = MAX(g->cap * 2, (size_t)16);
        struct netlink_link *more = arena_array(g->c->arena, struct netlink_link, g->cap);
        if (to->n > 0) memcpy(more, to->v, to->n * sizeof(*more));
        to->v = more;
    }
    return &to->v[to->n++];
}

static int take(void *arg, u16 type, struct str body)
{
    struct gathering *g = arg;
    struct str attrs = netlink_attrs(body, sizeof(struct ifinfomsg));
    struct netlink_attr a;
    struct ifinfomsg info;

    if (type != RTM_NEWLINK || attrs.n == 0 || g->to->n >= LINKS_MAX) return 0;
    memcpy(&info, body.p, sizeof(info));
    while (netlink_attr(&attrs, &a))
        if (a.type == IFLA_IFNAME)
            *add(g) = (struct netlink_link){(u32)info.ifi_index,
                                            arena_str(g->c->arena, netlink_text(a.value))};
    return 0;
}

static int by_index(const void *a, const void *b)
{
    const struct netlink_link *x = a, *y = b;

    return x->index < y->index ? -1 : x->index > y->index;
}

int netlink_links(struct collect *c, struct netlink_links *ret)
{
    struct gathering g = {.c = c, .to = ret};
    struct ifinfomsg info = {0};
    struct buf body = BUF_INIT(256);
    u32 mask = RTEXT_FILTER_SKIP_STATS;

    *ret = (struct netlink_links){0};
    buf_add(&body, &info, sizeof(info));
    netlink_put(&body, IFLA_EXT_MASK, str_n((const char *)&mask, sizeof(mask)));
    int r = netlink_ask(
        c,
        &(struct netlink_ask){
            .protocol = NETLINK_ROUTE, .type = RTM_GETLINK, .dump = true, .body = buf_view(&body)},
        take, &g);
    buf_done(&body);
    if (ret->n > 0) qsort(ret->v, ret->n, sizeof(*ret->v), by_index);
    return r;
}

struct str netlink_link_name(const struct netlink_links *links, u32 index)
{
    const struct netlink_link key = {.index = index}, *found;

    if (links->n == 0) return STR("");
    found = bsearch(&key, links->v, links->n, sizeof(key), by_index);
    return found ? found->name : STR("");
}
