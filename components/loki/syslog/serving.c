/* One listener at work: connections and datagrams become messages; nobody is read from while the
 * outputs are full, or before the name of the sender's host is known. */
#include "components/loki/syslog/serving.h"

#define NAME_TIME NS_PER_SEC /* then a host counts as nameless */

struct peer {
    struct list node;
    struct syslog_serving *sv;
    struct stream_conn *c;
    struct syslog_framing framing;
    char *host; /* owned; NULL: not known yet */
    i64 since;
};
struct waiting {
    struct list node;
    i64 since;
    bool cut;
    char ip[48];
    size_t n;
    char bytes[];
};

/* --- connections --- */

/* Messages of what came in; what is left stays in *in. False: no room. */
static bool take_all(struct peer *p, struct str *in, bool last, bool *ret_broken)
{
    struct syslog_serving *sv = p->sv;
    const char *why = NULL;

    for (;;) {
        struct str before = *in, msg;
        struct syslog_framing framing = p->framing;
        enum syslog_frame got = syslog_frame_next(&p->framing, in, last, &msg, &why);
        *ret_broken = got == FRAME_BROKEN;
        if (got == FRAME_BROKEN) syslog_complain(sv, p->c->peer, why, *in);
        if (got == FRAME_MORE || got == FRAME_BROKEN) return true;
        if (syslog_take(sv, msg, p->c->peer_ip, str_of(p->host)) < 0) {
            p->framing = framing;
            *in = before;
            syslog_starve(sv->self);
            return false;
        }
        if (got == FRAME_CUT)
            syslog_complain(sv, p->c->peer, "longer than max_message_length", msg);
        if (got == FRAME_SHORT)
            syslog_complain(sv, p->c->peer, "the connection ended before the message did", msg);
        if (syslog_blocked(sv->self)) return false;
    }
}

static void on_refused(void *arg, struct str peer, const char *text)
{
    struct syslog_serving *sv = arg;
    u64 left_out;

    if (!sv->self ||
        !syslog_may_log(&sv->self->bad, loop_now(sv->self->shard->worker->loop), &left_out))
        return;
    log_warn(sv->self->shard->comp->log, "error initializing syslog stream", F_CSTR("err", text),
             F_STR("peer", peer), F_UINT("not_logged", left_out));
}

static void first_byte(struct peer *p, struct str in)
{
    char *err = xprintf("invalid or unsupported framing. first byte: '%c'",
                        (u8)in.p[0] >= ' ' && (u8)in.p[0] < 0x7f ? in.p[0] : '?');

    on_refused(p->sv, p->c->peer, err);
    free(err);
}

static size_t on_data(void *arg, struct stream_conn *c, struct str bytes)
{
    struct peer *p = c->user;
    struct str in = bytes;
    bool broken = false;

    (void)arg;
    if (!p->sv->self) return bytes.n;
    if (!p->host || syslog_blocked(p->sv->self)) {
        stream_conn_pause(c);
        return 0;
    }
    if (p->framing.kind == FRAMING_UNKNOWN && !p->framing.raw && bytes.n &&
        !strchr("0123456789<", bytes.p[0])) {
        first_byte(p, bytes);
        broken = true;
    } else if (!take_all(p, &in, false, &broken)) {
        stream_conn_pause(c);
    }
    size_t used = bytes.n - in.n;
    if (broken) stream_conn_close(c);
    return broken ? bytes.n : used;
}

static void on_opened(void *arg, struct stream_conn *c)
{
    struct syslog_serving *sv = arg;
    struct peer *p = xnew(struct peer);

    *p = (struct peer){.sv = sv, .c = c, .since = loop_now(c->loop), .framing = sv->conf->framing};
    c->user = p;
    list_add_tail(&sv->peers, &p->node);
    struct str host = sv->names ? reverse_names_get(sv->names, c->peer_ip) : STR("");
    if (host.p)
        p->host = str_dup(host);
    else
        syslog_tick_soon(sv->self);
}

/* Without a name yet, or room: what is left of the last message cannot wait for either. */
static void take_rest(struct peer *p, struct str rest)
{
    bool broken;

    if (!p->host) p->host = xstrdup("");
    if (rest.n && !syslog_blocked(p->sv->self)) (void)take_all(p, &rest, true, &broken);
}

static void on_closed(void *arg, struct stream_conn *c, struct str rest, enum stream_end end,
                      const char *text)
{
    static const char *const why[] = {
        [STREAM_EOF] = "closed by the peer",
        [STREAM_IDLE] = "idle",
        [STREAM_LEFT] = "closed by this agent",
        [STREAM_TOO_BIG] = "a message without an end",
        [STREAM_ERROR] = "lost",
    };
    struct peer *p = c->user;
    struct syslog_serving *sv = p->sv;

    (void)arg;
    if (sv->self) {
        if (end != STREAM_TOO_BIG && p->framing.kind != FRAMING_UNKNOWN) take_rest(p, rest);
        log_debug(sv->self->shard->comp->log, "syslog connection closed", F_STR("remote", c->peer),
                  F_CSTR("reason", text ? text : why[end]));
    }
    list_del(&p->node);
    free(p->host);
    free(p);
}

static const struct stream_handler stream_handler = {
    .opened = on_opened, .data = on_data, .closed = on_closed, .refused = on_refused};

/* --- datagrams --- */

static void lost_for_memory(struct syslog_serving *sv)
{
    u64 left_out;

    metric_inc(sv->self->shared->lost);
    if (syslog_may_log(&sv->self->lost, loop_now(sv->self->shard->worker->loop), &left_out))
        log_error(sv->self->shard->comp->log,
                  "a syslog message was lost: no memory; raise the data budget or lower the load",
                  F_UINT("not_logged", left_out));
}

static void take_datagram(struct syslog_serving *sv, struct str in, bool cut, struct str ip,
                          struct str host)
{
    struct syslog_framing f = sv->conf->framing;
    enum syslog_frame got;
    const char *why = NULL;
    struct str msg;

    if (cut) syslog_complain(sv, ip, "a datagram longer than max_message_length", in);
    while ((got = syslog_frame_next(&f, &in, true, &msg, &why)) != FRAME_MORE) {
        if (got == FRAME_BROKEN) {
            syslog_complain(sv, ip, why, in);
            return;
        }
        if (syslog_take(sv, msg, ip, host) < 0) lost_for_memory(sv);
        if (got == FRAME_SHORT && !cut)
            syslog_complain(sv, ip, "a datagram shorter than its message", msg);
    }
}

static void take_waiting(struct syslog_serving *sv, struct waiting *w, struct str host)
{
    list_del(&w->node);
    sv->n_waiting--;
    take_datagram(sv, str_n(w->bytes, w->n), w->cut, str_of(w->ip), host);
    free(w);
}

/* Those of one host (any: .p NULL) that have waited since `before`. */
static void take_waiting_of(struct syslog_serving *sv, struct str ip, struct str host, i64 before)
{
    list_each (&sv->waiting, at) {
        struct waiting *w = list_item(at, struct waiting, node);
        if ((!ip.p || str_is(ip, w->ip)) && w->since <= before) take_waiting(sv, w, host);
    }
}

static void wait_for_name(struct syslog_serving *sv, struct str bytes, bool cut, struct str ip)
{
    struct waiting *w = xmalloc(sizeof(*w) + bytes.n);

    w->since = loop_now(sv->self->shard->worker->loop);
    w->cut = cut;
    w->n = bytes.n;
    (void)snprintf(w->ip, sizeof(w->ip), STR_FMT, STR_ARG(ip));
    memcpy(w->bytes, bytes.p, bytes.n);
    list_add_tail(&sv->waiting, &w->node);
    sv->n_waiting++;
    syslog_tick_soon(sv->self);
}

static bool on_datagram(void *arg, struct str bytes, bool cut, struct str ip)
{
    struct syslog_serving *sv = arg;
    struct budget *budget = sv->self->shard->comp->host->data_budget;

    if (!syslog_blocked(sv->self) && budget && !budget_has(budget, (i64)bytes.n + 4096))
        syslog_starve(sv->self);
    if (syslog_blocked(sv->self)) {
        udp_listener_pause(sv->port->datagrams);
        return false;
    }
    struct str host = sv->names ? reverse_names_get(sv->names, ip) : STR("");
    if (!host.p && sv->n_waiting < sv->conf->queue) {
        wait_for_name(sv, bytes, cut, ip);
        return true;
    }
    if (sv->n_waiting) /* a host's order is kept */
        take_waiting_of(sv, ip, host.p ? host : STR(""), INT64_MAX);
    take_datagram(sv, bytes, cut, ip, host.p ? host : STR(""));
    return true;
}

static void on_rest(void *arg, u32 lost)
{
    struct syslog_serving *sv = arg;
    u64 left_out;

    if (lost == 0) return;
    metric_add(sv->self->shared->lost, lost);
    if (syslog_may_log(&sv->self->lost, loop_now(sv->self->shard->worker->loop), &left_out))
        log_warn(sv->self->shard->comp->log,
                 "datagrams were lost in the kernel: they came faster than they were taken",
                 F_STR("address", udp_listener_addr(sv->port->datagrams)), F_UINT("lost", lost),
                 F_UINT("not_logged", left_out));
}

static const struct udp_handler udp_handler = {.datagram = on_datagram, .rest = on_rest};

/* --- names --- */

static void name_known(struct peer *p, struct str host)
{
    p->host = str_dup(host);
    stream_conn_resume(p->c);
}

static void on_name(void *arg, struct str ip)
{
    struct syslog_serving *sv = arg;
    char *host = xstrdup(reverse_names_get(sv->names, ip).p);

    if (!host) return; /* forgotten already */
    list_each (&sv->peers, at) {
        struct peer *p = list_item(at, struct peer, node);
        if (!p->host && str_eq(p->c->peer_ip, ip)) name_known(p, str_of(host));
    }
    if (!syslog_blocked(sv->self)) take_waiting_of(sv, ip, str_of(host), INT64_MAX);
    free(host);
}

bool syslog_serving_tick(struct syslog_serving *sv)
{
    i64 before = loop_now(sv->self->shard->worker->loop) - NAME_TIME;
    bool waits = !sv->port;

    list_each (&sv->peers, at) {
        struct peer *p = list_item(at, struct peer, node);
        if (!p->host && p->since <= before) name_known(p, STR(""));
        waits |= !p->host;
    }
    list_each (&sv->waiting, at) {
        struct waiting *w = list_item(at, struct waiting, node);
        if (w->since > before || syslog_blocked(sv->self)) break;
        struct str host = sv->names ? reverse_names_get(sv->names, str_of(w->ip)) : STR("");
        take_waiting(sv, w, host.p ? host : STR(""));
    }
    return waits || sv->n_waiting;
}

/* --- life --- */

static void start(struct syslog_serving *sv)
{
    struct loop *loop = sv->self->shard->worker->loop;

    if (!sv->port || sv->serves) return;
    sv->serves = true;
    if (sv->port->stream)
        stream_listener_serve(sv->port->stream, loop, &stream_handler, sv);
    else
        udp_listener_serve(sv->port->datagrams, loop, &udp_handler, sv);
}

static void set_names(struct syslog_serving *sv)
{
    struct shard *s = sv->self->shard;

    reverse_names_free(sv->names);
    sv->names = sv->conf->relabel ? reverse_names_new(s->comp->host->offload, s->worker->loop,
                                                      sv->conf->host_cache, on_name, sv)
                                  : NULL;
}

struct syslog_serving *syslog_serving_new(struct syslog_source *self, struct syslog_conf *conf,
                                          struct syslog_port *port)
{
    struct syslog_serving *sv = xnew(struct syslog_serving);

    sv->self = self;
    sv->conf = syslog_conf_ref(conf);
    sv->port = port;
    list_init(&sv->peers);
    list_init(&sv->waiting);
    list_add_tail(&self->serving, &sv->node);
    set_names(sv);
    start(sv);
    return sv;
}

void syslog_serving_set(struct syslog_serving *sv, struct syslog_conf *conf,
                        struct syslog_port *port)
{
    struct syslog_conf *old = sv->conf;

    if (port && !sv->port)
        sv->port = port;
    else
        syslog_port_unref(port);
    if (old != conf) {
        syslog_memo_clear(sv);
        sv->conf = syslog_conf_ref(conf);
        if (!old->relabel != !conf->relabel || old->host_cache != conf->host_cache) set_names(sv);
        syslog_conf_unref(old);
        list_each (&sv->peers, at) {
            struct peer *p = list_item(at, struct peer, node);
            struct syslog_framing f = conf->framing;
            f.kind = p->framing.kind;
            f.skip = p->framing.skip;
            f.skip_line = p->framing.skip_line;
            p->framing = f;
            if (!p->host && !sv->names) name_known(p, STR(""));
        }
    }
    start(sv);
}

static void serving_free(void *arg)
{
    struct syslog_serving *sv = arg;
    struct syslog_source *self = sv->self;

    list_del(&sv->node);
    list_each (&sv->waiting, at)
        free(list_item(at, struct waiting, node));
    reverse_names_free(sv->names);
    syslog_memo_clear(sv);
    syslog_conf_unref(sv->conf);
    syslog_port_unref(sv->port);
    free(sv);
    if (self) syslog_left(self);
}

void syslog_serving_leave(struct syslog_serving *sv, i64 grace)
{
    struct loop *loop = sv->self->shard->worker->loop;

    list_del(&sv->node);
    list_add_tail(&sv->self->leaving, &sv->node);
    if (sv->serves && sv->port->datagrams) {
        udp_listener_unserve(sv->port->datagrams);
        if (!syslog_blocked(sv->self)) take_waiting_of(sv, (struct str){0}, STR(""), INT64_MAX);
    }
    if (sv->serves && sv->port->stream)
        stream_listener_unserve(sv->port->stream, loop, grace, serving_free, sv);
    else
        serving_free(sv);
}

void syslog_serving_forget(struct syslog_serving *sv)
{
    reverse_names_free(sv->names);
    sv->names = NULL;
    list_del(&sv->node);
    sv->self = NULL;
}

void syslog_serving_resume(struct syslog_serving *sv)
{
    list_each (&sv->peers, at) {
        struct peer *p = list_item(at, struct peer, node);
        if (p->host) stream_conn_resume(p->c);
    }
    if (sv->serves && sv->port->datagrams) udp_listener_resume(sv->port->datagrams);
}
