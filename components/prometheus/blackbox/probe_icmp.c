/* The ICMP prober: one echo. A datagram socket of the kernel's own ping where the range of groups
 * allows it, else a raw one, which root and CAP_NET_RAW may have. */
#include "components/prometheus/blackbox/probe.h"

#include <errno.h>
#include <netinet/in.h>
#include <unistd.h>
#include "components/prometheus/blackbox/icmp_packet.h"

struct icmp_probe {
    int fd;
    bool raw, replied;
    struct io *io;
    struct icmp_echo echo;
    f64 setup, rtt;
    i64 sent;
    int hops; /* of the reply; -1: not known */
};

static bool set(int fd, int level, int option, int v)
{
    return setsockopt(fd, level, option, &v, sizeof(v)) == 0;
}

/* --- the socket --- */

static int open_socket(struct probe *p)
{
    struct icmp_probe *s = p->state;
    int family = s->echo.v6 ? AF_INET6 : AF_INET;
    int protocol = s->echo.v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
    bool only_raw = p->m->args->icmp.dont_fragment && !s->echo.v6;

    if (!only_raw) s->fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
    s->raw = s->fd < 0;
    if (s->raw) s->fd = socket(family, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
    return s->fd < 0 ? -errno : 0;
}

static bool set_options(struct probe *p)
{
    struct icmp_probe *s = p->state;
    int ttl = (int)p->m->args->icmp.ttl;
    bool good = true;

    if (s->echo.v6) {
        if (ttl > 0) good = set(s->fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, ttl);
        (void)set(s->fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1); /* without: it is not shown */
    } else {
        if (ttl > 0) good = set(s->fd, IPPROTO_IP, IP_TTL, ttl);
        if (p->m->args->icmp.dont_fragment)
            good = good && set(s->fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO);
        (void)set(s->fd, IPPROTO_IP, IP_RECVTTL, 1);
    }
    if (good && p->source_len)
        good = bind(s->fd, (struct sockaddr *)&p->source, p->source_len) == 0;
    return good && connect(s->fd, (struct sockaddr *)&p->addr, p->addr_len) == 0;
}

/* --- the reply --- */

static int hops_of(struct msghdr *m)
{
    int hops = -1;

    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        bool v4 = c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TTL;
        bool v6 = c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_HOPLIMIT;
        if (v4 || v6) memcpy(&hops, CMSG_DATA(c), sizeof(hops));
    }
    return hops;
}

static void on_readable(void *arg, int events)
{
    struct probe *p = arg;
    struct icmp_probe *s = p->state;
    char packet[65536];
    _Alignas(struct cmsghdr) char control[256];
    struct iovec iov = {packet, sizeof(packet)};
    struct msghdr m = {.msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = control,
                       .msg_controllen = sizeof(control)};
    ssize_t n = recvmsg(s->fd, &m, 0);

    if (n < 0 && errno != EAGAIN && errno != EINTR)
        probe_fail(p, "the target cannot be reached: %s", strerror(errno));
    if (n < 0) return;
    struct str text = str_n(packet, (size_t)n);
    if (s->raw && !s->echo.v6) text = icmp_behind_ip(text);
    if (!icmp_is_reply(&s->echo, text, !s->raw)) return; /* another's */
    s->rtt = (f64)(probe_now(p) - s->sent) / 1e9;
    s->hops = hops_of(&m);
    probe_end(p, true);
}

/* --- life --- */

static void ask(struct probe *p)
{
    struct icmp_probe *s = p->state;
    struct buf packet = BUF_INIT(1 << 17);
    i64 from = probe_now(p);

    s->echo = (struct icmp_echo){.v6 = p->addr.ss_family == AF_INET6,
                                 .id = (u16)random_u64(),
                                 .seq = (u16)random_u64(),
                                 .payload = (size_t)p->m->args->icmp.payload_size};
    int err = open_socket(p);
    if (err) {
        probe_fail(p,
                   "no ICMP socket may be opened (%s): net.ipv4.ping_group_range must contain the "
                   "agent's group, or it must run as root or with CAP_NET_RAW%s",
                   strerror(-err),
                   p->m->args->icmp.dont_fragment ? "; dont_fragment needs the latter" : "");
        return;
    }
    if (!set_options(p)) {
        probe_fail(p, "the socket cannot be set up: %s", strerror(errno));
        return;
    }
    icmp_request(&s->echo, &packet);
    s->sent = probe_now(p);
    s->setup = (f64)(s->sent - from) / 1e9;
    ssize_t n = buf_err(&packet) ? -1 : send(s->fd, packet.p, packet.n, MSG_NOSIGNAL);
    buf_done(&packet);
    if (n < 0)
        probe_fail(p, "the packet cannot be sent: %s", strerror(errno));
    else
        s->io = io_new(p->worker->loop, s->fd, IO_READ, on_readable, p);
}

static void begin(struct probe *p)
{
    struct icmp_probe *s = p->state;

    s->fd = -1;
    s->hops = -1;
    probe_resolve(p, p->target, 0, ask);
}

static void done(struct probe *p)
{
    struct icmp_probe *s = p->state;

    io_free(s->io);
    if (s->fd >= 0) close(s->fd);
}

static void families(struct probe *p)
{
    const struct icmp_probe *s = p->state;
    struct expo_family *f =
        expo_gauge(p->out, "probe_icmp_duration_seconds", "Duration of icmp request by phase");

    expo_add(f, p->lookup_seconds, EXPO_L("phase", "resolve"));
    expo_add(f, s->setup, EXPO_L("phase", "setup"));
    expo_add(f, s->rtt, EXPO_L("phase", "rtt"));
    if (s->hops >= 0)
        expo_gauge1(p->out, "probe_icmp_reply_hop_limit", "Replied packet hop limit (TTL for ipv4)",
                    s->hops);
}

const struct prober_ops prober_icmp = {
    .state_size = sizeof(struct icmp_probe), .begin = begin, .done = done, .families = families};
