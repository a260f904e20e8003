/* Asking the kernel over netlink: one question, its answers gathered (bounded, with a deadline) and
 * handed over one by one. A list that changed while the kernel wrote it is asked for again. A pool
 * thread; blocks for two seconds at most. */
#ifndef COMPONENTS_PROMETHEUS_UNIX_NETLINK_H
#define COMPONENTS_PROMETHEUS_UNIX_NETLINK_H

#include <linux/netlink.h>
#include "components/prometheus/unix/collector.h"

#define NETLINK_ANSWERS_MAX ((size_t)32 << 20)

struct netlink_ask {
    int protocol;    /* NETLINK_ROUTE, NETLINK_GENERIC */
    u16 type;        /* RTM_GETROUTE, the number of a family, ... */
    bool dump;       /* a list; else one answer */
    struct str body; /* what follows the header */
};
/* An answer's body, aligned to 4 bytes; what it returns but 0 ends the reading. */
typedef int netlink_each(void *arg, u16 type, struct str body);

/* 0; what each returned; or a negative code, with collect_fail's sentence unless it is -ENOENT
 * (there is no such thing) or -EOPNOTSUPP. */
int netlink_ask(struct collect *c, const struct netlink_ask *ask, netlink_each *each, void *arg);
/* Hands over the messages of a run of bytes, as the kernel answered. The same; -EBADMSG when they
 * are cut short. *ret_end: the list ended. */
int netlink_messages(struct str bytes, netlink_each *each, void *arg, bool *ret_end);

/* --- attributes --- */
struct netlink_attr {
    u16 type; /* without its flags */
    struct str value;
};
/* Cuts the next attribute; false at the end, or where the rest is none. */
bool netlink_attr(struct str *rest, struct netlink_attr *ret);
/* Those behind a message's own struct of n bytes; empty when the body is shorter. */
struct str netlink_attrs(struct str body, size_t n);
/* A number in the kernel's order; 0 when the value is shorter. */
u8 netlink_u8(struct str value);
u16 netlink_u16(struct str value);
u32 netlink_u32(struct str value);
u64 netlink_u64(struct str value);
/* Up to the NUL at its end. */
struct str netlink_text(struct str value);
/* Adds one to a question. */
void netlink_put(struct buf *to, u16 type, struct str value);

/* --- network devices by number --- */
struct netlink_link {
    u32 index;
    struct str name; /* in c->arena */
};
struct netlink_links {
    struct netlink_link *v; /* sorted by index */
    size_t n;
};
/* 0 or collect_fail. */
int netlink_links(struct collect *c, struct netlink_links *ret);
/* Empty when there is none of that number. */
struct str netlink_link_name(const struct netlink_links *links, u32 index);

#endif
