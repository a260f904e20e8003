/* The address that a probe goes to: one, by the module's choice, asked for anew each time. */
#include <arpa/inet.h>
#include <stdlib.h>
#include "components/prometheus/blackbox/probe.h"

static bool parse(const char *ip, int port, struct sockaddr_storage *to, socklen_t *len)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)to;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)to;

    *to = (struct sockaddr_storage){0};
    if (inet_pton(AF_INET, ip, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons((u16)port);
        *len = sizeof(*v4);
        return true;
    }
    if (inet_pton(AF_INET6, ip, &v6->sin6_addr) != 1) return false;
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons((u16)port);
    *len = sizeof(*v6);
    return true;
}

static bool wants_v6(const struct probe *p)
{
    return p->m->ip->preferred.n == 0 || str_is(p->m->ip->preferred, "ip6");
}

static bool take(struct probe *p, struct str ip)
{
    struct sockaddr_storage sa;
    socklen_t len;
    char text[sizeof(p->ip)];

    if (ip.n > 2 && ip.p[0] == '[') ip = str_sub(ip, 1, ip.n - 1);
    if (ip.n >= sizeof(text)) return false;
    snprintf(text, sizeof(text), STR_FMT, STR_ARG(ip));
    if (!parse(text, p->port, &sa, &len)) return false;
    p->addr = sa;
    p->addr_len = len;
    memcpy(p->ip, text, sizeof(text));
    return true;
}

/* The first of the preferred protocol; else, where that is allowed, the last of the other, which is
 * blackbox_exporter's choice. */
static bool choose(struct probe *p, struct str list)
{
    struct str other = {0};

    while (list.n > 0) {
        struct str ip = str_cut(&list, ',');
        bool v6 = str_chr(ip, ':') >= 0;
        if (v6 == wants_v6(p)) return take(p, ip);
        other = ip;
    }
    return other.n > 0 && p->m->ip->fallback && take(p, other);
}

static void go_on(struct probe *p, const char *addrs, const char *err)
{
    p->lookup_seconds = (f64)(probe_now(p) - p->asked_at) / 1e9;
    if (!addrs)
        probe_fail(p, "the target's address cannot be found: %s", err);
    else if (!choose(p, str_of(addrs)))
        probe_fail(p, "the target has no %s address, and ip_protocol_fallback is %s: %s",
                   wants_v6(p) ? "IPv6" : "IPv4", p->m->ip->fallback ? "of no use" : "off", addrs);
    else
        p->resolved(p);
}

static void on_resolved(void *arg, const char *addrs, const char *err)
{
    struct probe *p = arg;

    p->query = NULL;
    go_on(p, addrs, err);
}

static bool find_source(struct probe *p)
{
    struct str ip = p->m->ip->source;
    char text[64];

    if (ip.n == 0) return true;
    snprintf(text, sizeof(text), STR_FMT, STR_ARG(ip));
    return parse(text, 0, &p->source, &p->source_len);
}

void probe_resolve(struct probe *p, struct str host, int port, void (*fn)(struct probe *p))
{
    struct resolver *r = net_resolver(p->comp->host->net);

    p->asked = true;
    p->resolved = fn;
    p->port = port;
    p->asked_at = probe_now(p);
    if (!find_source(p)) {
        probe_fail(p, "source_ip_address is no address: " STR_FMT, STR_ARG(p->m->ip->source));
        return;
    }
    if (host.n == 0 || host.n > 255) {
        probe_fail(p, "the target names no host");
        return;
    }
    if (take(p, host)) {
        p->ip[0] = 0; /* it is not chosen yet */
        go_on(p, arena_strdup(&p->arena, host), NULL);
        return;
    }
    resolver_forget(r, host); /* what is measured is a lookup */
    char *known = resolver_start(r, p->worker->loop, host, on_resolved, p, &p->query);
    if (!known) return;
    go_on(p, known, NULL);
    free(known);
}
