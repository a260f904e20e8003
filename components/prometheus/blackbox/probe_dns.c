/* The DNS prober: one question over UDP, TCP or TLS, and rules about the records that come back. */
#include "components/prometheus/blackbox/probe.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include "components/prometheus/blackbox/dns_names.h"
#include "components/prometheus/blackbox/dns_wire.h"
#include "net/wire.h"

#define MESSAGE_MAX ((size_t)65535)

struct rule_state {
    size_t n;
    bool all, any;
    const char *why; /* NULL: nothing is wrong yet */
};
struct dns {
    struct wire *wire;
    int fd; /* UDP; -1: none */
    struct io *io;
    struct str host;
    struct buf question, in;
    u16 id;
    i64 dialled, sent; /* monotonic */
    f64 connect, request;
    bool succeeded;
    struct dns_reply reply;
    struct rule_state rules[DNS_SECTIONS];
    struct probe *p;
};

/* --- rules --- */

static bool re_matches(const struct regex_list *l, size_t i, struct str record)
{
    return regex_match(l->v[i], record, 0, NULL, 0) == 1;
}

static void on_record(void *arg, enum dns_section s, struct str record)
{
    struct dns *d = arg;
    const struct regex_list *rr = d->p->m->rr[s];
    struct rule_state *st = &d->rules[s];

    st->n++;
    for (size_t i = 0; !st->why && i < rr[RR_MATCHES].n; i++)
        if (re_matches(&rr[RR_MATCHES], i, record))
            st->why = arena_printf(
                &d->p->arena, "a record matches fail_if_matches_regexp: " STR_FMT, STR_ARG(record));
    for (size_t i = 0; i < rr[RR_ALL_MATCH].n; i++)
        if (!re_matches(&rr[RR_ALL_MATCH], i, record)) st->all = false;
    for (size_t i = 0; !st->why && i < rr[RR_NOT_MATCHES].n; i++)
        if (!re_matches(&rr[RR_NOT_MATCHES], i, record))
            st->why = arena_printf(&d->p->arena,
                                   "a record does not match fail_if_not_matches_regexp: " STR_FMT,
                                   STR_ARG(record));
    for (size_t i = 0; i < rr[RR_NONE_MATCHES].n; i++)
        if (re_matches(&rr[RR_NONE_MATCHES], i, record)) st->any = true;
}

static const char *judge_section(const struct dns *d, enum dns_section s)
{
    const struct regex_list *rr = d->p->m->rr[s];
    const struct rule_state *st = &d->rules[s];

    if (st->n == 0 && rr[RR_NOT_MATCHES].n > 0)
        return "there is no record for fail_if_not_matches_regexp";
    if (st->n == 0 && rr[RR_NONE_MATCHES].n > 0)
        return "there is no record for fail_if_none_matches_regexp";
    if (st->why) return st->why;
    if (rr[RR_ALL_MATCH].n > 0 && !st->all) return "not all records match fail_if_all_match_regexp";
    if (rr[RR_NONE_MATCHES].n > 0 && !st->any)
        return "no record matches fail_if_none_matches_regexp";
    return NULL;
}

static const char *judge_rcode(const struct dns *d)
{
    const struct probe_module *m = d->p->m;
    const char *name = dns_name(DNS_RCODES, d->reply.rcode);

    for (size_t i = 0; i < m->n_rcodes; i++)
        if (m->rcodes[i] == d->reply.rcode) return NULL;
    return arena_printf(&d->p->arena, "the response code is %s", name ? name : "of no known name");
}

static const char *judge(const struct dns *d)
{
    static const char *const names[DNS_SECTIONS] = {"answer", "authority section",
                                                    "additional section"};
    const char *why = judge_rcode(d);

    for (size_t s = 0; !why && s < DNS_SECTIONS; s++) {
        why = judge_section(d, (enum dns_section)s);
        if (why) why = arena_printf(&d->p->arena, "%s: %s", names[s], why);
    }
    return why;
}

static void take_reply(struct dns *d, struct str message)
{
    struct probe *p = d->p;

    d->request = (f64)(probe_now(p) - d->sent) / 1e9;
    for (size_t s = 0; s < DNS_SECTIONS; s++)
        d->rules[s] = (struct rule_state){.all = true};
    if (dns_read(message, &d->reply, on_record, d) != 0) {
        d->reply = (struct dns_reply){0};
        probe_fail(p, "the answer is no message of DNS");
        return;
    }
    d->succeeded = true;
    const char *why = judge(d);
    if (why)
        probe_fail(p, "%s", why);
    else
        probe_end(p, true);
}

/* --- UDP --- */

static void on_readable(void *arg, int events)
{
    struct dns *d = arg;
    char message[MESSAGE_MAX];
    ssize_t n = recv(d->fd, message, sizeof(message), 0);

    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n < 0)
        probe_fail(d->p, "the server cannot be reached: %s", strerror(errno));
    else if (dns_answers_to(str_n(message, (size_t)n), d->id))
        take_reply(d, str_n(message, (size_t)n));
}

static void ask_udp(struct probe *p)
{
    struct dns *d = p->state;

    d->dialled = probe_now(p);
    d->fd = socket(p->addr.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bool good = d->fd >= 0;
    if (good && p->source_len)
        good = bind(d->fd, (struct sockaddr *)&p->source, p->source_len) == 0;
    good = good && connect(d->fd, (struct sockaddr *)&p->addr, p->addr_len) == 0;
    d->sent = probe_now(p);
    d->connect = (f64)(d->sent - d->dialled) / 1e9;
    good = good && send(d->fd, d->question.p, d->question.n, MSG_NOSIGNAL) >= 0;
    if (!good)
        probe_fail(p, "the question cannot be sent: %s", strerror(errno));
    else
        d->io = io_new(p->worker->loop, d->fd, IO_READ, on_readable, d);
}

/* --- TCP and TLS: messages with their length in front --- */

static void on_ready(void *arg)
{
    struct dns *d = arg;
    struct buf *out = wire_out(d->wire);

    d->sent = probe_now(d->p);
    d->connect = (f64)(d->sent - d->dialled) / 1e9;
    buf_ch(out, (char)(d->question.n >> 8));
    buf_ch(out, (char)d->question.n);
    buf_str(out, buf_view(&d->question));
    wire_flush(d->wire);
}

static void on_input(void *arg, const char *bytes, size_t n)
{
    struct dns *d = arg;

    if (d->succeeded) return;
    buf_add(&d->in, bytes, n);
    struct str all = buf_view(&d->in);
    size_t size = all.n >= 2 ? (size_t)(u8)all.p[0] << 8 | (u8)all.p[1] : 0;
    if (buf_err(&d->in) || (all.n >= 2 && size < 12))
        probe_fail(d->p, "the answer is no message of DNS");
    else if (all.n >= 2 && all.n >= 2 + size && !dns_answers_to(str_sub(all, 2, 2 + size), d->id))
        probe_fail(d->p, "the answer is to another question");
    else if (all.n >= 2 && all.n >= 2 + size)
        take_reply(d, str_sub(all, 2, 2 + size));
}

static void on_drained(void *arg) {}

static void on_failed(void *arg, enum http_fail fail, const char *text)
{
    struct dns *d = arg;

    probe_fail(d->p, "%s", text);
}

static const struct wire_ops wire_rules = {
    .ready = on_ready, .input = on_input, .drained = on_drained, .failed = on_failed};

static void ask_tcp(struct probe *p)
{
    struct dns *d = p->state;

    d->dialled = probe_now(p);
    d->wire =
        wire_dial(p->worker->loop,
                  &(struct wire_conf){
                      .addr = p->addr,
                      .addr_len = p->addr_len,
                      .name = arena_printf(&p->arena, strchr(p->ip, ':') ? "[%s]:%d" : "%s:%d",
                                           p->ip, p->port),
                      .tls_client = p->m->args->dns.dns_over_tls ? p->m->tls : NULL,
                      .host = d->host,
                      .source = p->source_len ? (struct sockaddr *)&p->source : NULL,
                      .source_len = p->source_len,
                      .ops = &wire_rules,
                      .arg = d,
                  });
}

/* --- life --- */

static void begin(struct probe *p)
{
    struct dns *d = p->state;
    const struct dns_probe_args *a = &p->m->args->dns;
    int port = a->dns_over_tls ? 853 : 53;

    d->p = p;
    d->fd = -1;
    d->id = (u16)random_u64();
    buf_init(&d->question, MESSAGE_MAX);
    buf_init(&d->in, MESSAGE_MAX + 2);
    if (hostport_parse(p->target, port, &d->host, &port, NULL) != 0) d->host = p->target;
    const struct dns_question q = {.id = d->id,
                                   .type = p->m->query_type,
                                   .class = p->m->query_class,
                                   .recursion = a->recursion_desired,
                                   .name = a->query_name};
    if (dns_ask(&q, &d->question) != 0)
        probe_fail(p, "query_name is no name: " STR_FMT, STR_ARG(a->query_name));
    else
        probe_resolve(p, d->host, port, str_is(a->transport_protocol, "tcp") ? ask_tcp : ask_udp);
}

static void done(struct probe *p)
{
    struct dns *d = p->state;

    io_free(d->io);
    if (d->fd >= 0) close(d->fd);
    wire_free(d->wire);
    buf_done(&d->question);
    buf_done(&d->in);
}

static void families(struct probe *p)
{
    static const char *const names[DNS_SECTIONS][2] = {
        {"probe_dns_answer_rrs", "Returns number of entries in the answer resource record list"},
        {"probe_dns_authority_rrs",
         "Returns number of entries in the authority resource record list"},
        {"probe_dns_additional_rrs",
         "Returns number of entries in the additional resource record list"}};
    const struct dns *d = p->state;
    struct expo_family *f =
        expo_gauge(p->out, "probe_dns_duration_seconds", "Duration of DNS request by phase");

    expo_add(f, p->lookup_seconds, EXPO_L("phase", "resolve"));
    expo_add(f, d->connect, EXPO_L("phase", "connect"));
    expo_add(f, d->request, EXPO_L("phase", "request"));
    for (size_t s = 0; s < DNS_SECTIONS; s++)
        expo_gauge1(p->out, names[s][0], names[s][1], d->reply.n[s]);
    expo_gauge1(p->out, "probe_dns_query_succeeded",
                "Displays whether or not the query was executed successfully", d->succeeded);
    if (d->succeeded && str_is(p->m->args->dns.query_type, "SOA"))
        expo_gauge1(p->out, "probe_dns_serial", "Returns the serial number of the zone",
                    d->reply.serial);
}

const struct prober_ops prober_dns = {
    .state_size = sizeof(struct dns), .begin = begin, .done = done, .families = families};
