/* ntp: the time of a server (RFC 5905), against the machine's clock, and whether it can be trusted.
 * The question's time is a random number, so that an answer shows that the server read it. */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "components/common/settings.h"
#include "components/prometheus/unix/collector.h"
#include "net/http.h"

#define PACKET     48
#define PATIENCE   NS_PER_SEC /* as ntpdate has it */
#define PORT       123
#define EPOCH      2208988800u /* seconds from 1900 to 1970 */
#define MODE_ASK   3
#define MODE_TELL  4
#define DAY        (86400 * NS_PER_SEC)
#define POLL_MAX   ((i64)1 << 17) /* seconds; RFC 5905, MAXPOLL */
#define SPREAD_MAX 16.0           /* seconds; MAXDISP */

struct plan {
    const char *host, *port;
    int version, ttl;
    f64 max_distance; /* seconds */
    i64 tolerance;    /* ns */
};
struct state {
    i64 leap_day; /* ns since 1970: the midnight of a leap second, told the day before */
};

/* --- settings --- */

static bool is_loopback(const char *host)
{
    struct in6_addr a6;
    struct in_addr a4;

    if (inet_pton(AF_INET, host, &a4) == 1) return ntohl(a4.s_addr) >> 24 == 127;
    return inet_pton(AF_INET6, host, &a6) == 1 && IN6_IS_ADDR_LOOPBACK(&a6);
}

static int read_server(struct collector_prepare *pr, struct plan *plan)
{
    struct str server = pr->args->ntp.server, host = server;
    int port = PORT;
    struct in6_addr a6;

    plan->host = arena_strdup(pr->arena, server);
    if (inet_pton(AF_INET6, plan->host, &a6) != 1 &&
        hostport_parse(server, PORT, &host, &port, NULL) < 0)
        return setting_fault(pr->p, "ntp/server", "\"" STR_FMT "\" is no host, nor host:port",
                             STR_ARG(server));
    plan->host = arena_strdup(pr->arena, host);
    plan->port = arena_printf(pr->arena, "%d", port);
    if (pr->args->ntp.server_is_local || is_loopback(plan->host)) return 0;
    return setting_fault(pr->p, "ntp/server",
                         "the server must have an address of this machine's own loopback, unless "
                         "server_is_local says that it may be asked with every scrape");
}

static int prepare(struct collector_prepare *pr, void *to)
{
    const __typeof__(pr->args->ntp) *a = &pr->args->ntp;
    struct plan *plan = to;

    plan->version = (int)a->protocol_version;
    plan->ttl = (int)a->ip_ttl;
    plan->max_distance = (f64)a->max_distance.ns / (f64)NS_PER_SEC;
    plan->tolerance = a->local_offset_tolerance.ns;
    if (a->protocol_version < 2 || a->protocol_version > 4)
        return setting_fault(pr->p, "ntp/protocol_version", "must be 2, 3 or 4");
    if (a->ip_ttl < 0 || a->ip_ttl > 255)
        return setting_fault(pr->p, "ntp/ip_ttl", "must be from 0 (the system's own) to 255");
    if (plan->tolerance < 0)
        return setting_fault(pr->p, "ntp/local_offset_tolerance", "must not be negative");
    return read_server(pr, plan);
}

/* --- the exchange --- */

/* Times are 64 bits, in 2^-32 seconds since 1900, and turn over in 2036: only differences count. */
static u64 ntp_time(i64 ns)
{
    u64 sec = (u64)(ns / NS_PER_SEC) + EPOCH, rest = (u64)(ns % NS_PER_SEC);

    return sec << 32 | (rest << 32) / (u64)NS_PER_SEC;
}

static f64 seconds(i64 difference)
{
    return (f64)difference / 4294967296.0;
}

static u32 be32(const u8 *p)
{
    return (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3];
}

static u64 be64(const u8 *p)
{
    return (u64)be32(p) << 32 | be32(p + 4);
}

struct answer {
    u8 leap, stratum;
    f64 root_delay, root_dispersion;
    u64 reference, origin, receive, transmit;
    u64 sent, got; /* by our clock */
};

static bool read_packet(const u8 *p, size_t n, u64 nonce, struct answer *ret)
{
    if (n < PACKET || (p[0] & 7) != MODE_TELL) return false;
    ret->leap = p[0] >> 6;
    ret->stratum = p[1];
    ret->root_delay = be32(p + 4) / 65536.0;
    ret->root_dispersion = be32(p + 8) / 65536.0;
    ret->reference = be64(p + 16);
    ret->origin = be64(p + 24);
    ret->receive = be64(p + 32);
    ret->transmit = be64(p + 40);
    return ret->origin == nonce && ret->transmit != 0;
}

static int await_answer(struct collect *c, int fd, u64 nonce, struct answer *ret)
{
    i64 end = clock_mono(c->clock) + PATIENCE, left;
    u8 packet[512];

    while ((left = end - clock_mono(c->clock)) > 0) {
        struct pollfd p = {.fd = fd, .events = POLLIN};

        if (poll(&p, 1, (int)((left + NS_PER_MS - 1) / NS_PER_MS)) < 0 && errno != EINTR)
            return -errno;
        ssize_t n = recv(fd, packet, sizeof(packet), MSG_DONTWAIT);
        ret->got = ntp_time(clock_real(c->clock));
        if (n < 0 && errno != EAGAIN && errno != EINTR) return -errno; /* nobody listens */
        if (n > 0 && read_packet(packet, (size_t)n, nonce, ret)) return 0;
    }
    return -ETIMEDOUT;
}

static int exchange(struct collect *c, int fd, struct answer *ret)
{
    const struct plan *plan = c->plan;
    u8 packet[PACKET] = {(u8)(plan->version << 3 | MODE_ASK)};
    u64 nonce = random_u64();

    for (int i = 0; i < 8; i++)
        packet[40 + i] = (u8)(nonce >> (56 - 8 * i));
    ret->sent = ntp_time(clock_real(c->clock));
    if (send(fd, packet, sizeof(packet), MSG_NOSIGNAL) < 0) return -errno;
    return await_answer(c, fd, nonce, ret);
}

static void set_ttl(int fd, int family, int ttl)
{
    if (ttl == 0) return;
    if (family == AF_INET)
        setsockopt(fd, IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl));
    else
        setsockopt(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &ttl, sizeof(ttl));
}

static int ask_address(struct collect *c, const struct addrinfo *at, struct answer *ret)
{
    const struct plan *plan = c->plan;
    int fd = socket(at->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0) return -errno;
    set_ttl(fd, at->ai_family, plan->ttl);
    int r = connect(fd, at->ai_addr, at->ai_addrlen) < 0 ? -errno : exchange(c, fd, ret);
    close(fd);
    return r;
}

static int ask(struct collect *c, struct answer *ret)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM};
    const struct plan *plan = c->plan;
    struct addrinfo *found;
    int r = getaddrinfo(plan->host, plan->port, &hints, &found);

    if (r) return collect_fail(c, -ENOENT, "the NTP server %s: %s", plan->host, gai_strerror(r));
    r = ask_address(c, found, ret);
    freeaddrinfo(found);
    return r ? collect_fail(c, r, "the NTP server %s (port %s) gave no answer: %s", plan->host,
                            plan->port, strerror(-r))
             : 0;
}

/* --- what it means --- */

struct figures {
    f64 rtt, offset, min_error, distance, reference; /* seconds */
    i64 now;                                         /* the server's time, ns since 1970 */
};

/* Since 1970; the turn of 2036 is behind us when the first bit is not set. */
static f64 unix_time(u64 t)
{
    f64 sec = (f64)(t >> 32) + (t >> 63 ? 0 : 4294967296.0);

    return t == 0 ? 0 : sec - EPOCH + (f64)(u32)t / 4294967296.0;
}

static struct figures work_out(const struct answer *a)
{
    i64 there = (i64)(a->receive - a->sent), back = (i64)(a->transmit - a->got);
    i64 rtt = MAX(there - back, (i64)0);

    return (struct figures){
        .rtt = seconds(rtt),
        .offset = seconds(there + (back - there) / 2),
        /* Answered before it was asked, or received before it was sent. */
        .min_error = seconds(MAX(MAX(-there, back), (i64)0)),
        .distance = (seconds(rtt) + a->root_delay) / 2 + a->root_dispersion,
        .reference = MAX(unix_time(a->reference), 0.0),
        .now = (i64)(unix_time(a->transmit) * (f64)NS_PER_SEC),
    };
}

static bool is_valid(const struct answer *a)
{
    i64 age = (i64)(a->transmit - a->reference);

    return a->stratum > 0 && a->stratum < 16 && a->leap != 3 && age >= 0 && age >> 32 <= POLL_MAX &&
           a->root_delay / 2 + a->root_dispersion <= SPREAD_MAX;
}

/* Servers that smear a leap second are off by up to one, a day before and after. */
static i64 tolerance(struct collect *c, const struct answer *a, i64 now)
{
    const struct plan *plan = c->plan;
    struct state *s = c->state;

    if (a->leap == 1 || a->leap == 2) s->leap_day = (now / DAY + 1) * DAY;
    bool near = s->leap_day > 0 && now > s->leap_day - DAY && now < s->leap_day + DAY;
    return plan->tolerance + (near ? NS_PER_SEC : 0);
}

static bool is_sane(struct collect *c, const struct answer *a, const struct figures *f)
{
    const struct plan *plan = c->plan;
    f64 most = (f64)tolerance(c, a, f->now) / (f64)NS_PER_SEC;

    return is_valid(a) && f->distance <= plan->max_distance && f->min_error <= most;
}

static int collect(struct collect *c)
{
    struct answer a = {0};
    int r = ask(c, &a);

    if (r) return r;
    struct figures f = work_out(&a);
    expo_gauge1(c->out, "node_ntp_stratum", "NTPD stratum.", a.stratum);
    expo_gauge1(c->out, "node_ntp_leap", "NTPD leap second indicator, 2 bits.", a.leap);
    expo_gauge1(c->out, "node_ntp_rtt_seconds", "RTT to NTPD.", f.rtt);
    expo_gauge1(c->out, "node_ntp_offset_seconds", "ClockOffset between NTP and local clock.",
                f.offset);
    expo_gauge1(c->out, "node_ntp_reference_timestamp_seconds",
                "NTPD ReferenceTime, UNIX timestamp.", f.reference);
    expo_gauge1(c->out, "node_ntp_root_delay_seconds", "NTPD RootDelay.", a.root_delay);
    expo_gauge1(c->out, "node_ntp_root_dispersion_seconds", "NTPD RootDispersion.",
                a.root_dispersion);
    expo_gauge1(c->out, "node_ntp_sanity",
                "NTPD sanity according to RFC5905 heuristics and configured limits.",
                is_sane(c, &a, &f));
    return COLLECT_OK;
}

const struct collector_def collector_ntp = {.name = "ntp",
                                            .plan_size = sizeof(struct plan),
                                            .state_size = sizeof(struct state),
                                            .prepare = prepare,
                                            .collect = collect};
