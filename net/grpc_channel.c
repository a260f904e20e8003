/* A channel holds places (one for each address it may use at a time), links (connections, also
 * those that only finish), and waiting calls. Whatever changes ends in serve(): calls go to links
 * with room, and when there is none a connection is made or the calls are told why not. */
#include "net/grpc_channel.h"

#include <netdb.h>
#include <stdlib.h>
#include "base/digest.h"
#include "base/xalloc.h"
#include "net/grpc_private.h"
#include "net/http_target.h"
#include "net/resolver.h"
#include "net/tls_private.h"

/* BACKOFF is an address's, doubled with each failure, and only while another one works; RETRY_EVERY
 * that of a channel whose calls wait until it is ready. IDLE_CHECK, after the last call: does
 * anybody still hold the target? Connections made later than TLS_KEEP read the certificate files
 * again. */
#define CONNECT_TIME (20 * NS_PER_SEC)
#define BACKOFF      NS_PER_SEC
#define BACKOFF_MAX  (120 * NS_PER_SEC)
#define RETRY_EVERY  NS_PER_SEC
#define REFUSALS_MAX 5
#define IDLE_CHECK   (60 * NS_PER_SEC)
#define PLACES_MAX   16
#define TLS_KEEP     (300 * NS_PER_SEC)

struct grpc_channels {
    struct loop *loop;
    struct resolver *resolver;
    struct list channels;
    size_t n_calls;
};

struct link;

/* One address at a time out of its list. */
struct place {
    struct str addrs; /* "10.0.0.1,[fe80::1]", owned */
    struct str rest;  /* of them: not tried yet */
    struct link *link;
    i64 backoff, retry_at;
};

struct link {
    struct list node;
    struct grpc_channel *channel;
    struct place *place; /* NULL: leaving, another may take its place */
    struct h2_conn *h2;
    struct timer *timer; /* for getting ready */
    bool ready;
};

struct grpc_channel {
    struct list node;
    struct grpc_channels *all;
    struct http_target *target;
    char *host, *dial_host, *tunnel;
    int port, dial_port;
    bool tls;
    VEC(struct place *) places;
    struct list links, waiting, running;
    size_t n_calls;
    struct resolver_query *query;
    struct timer *again, *idle;
    SSL_CTX *ctx;
    i64 ctx_at;
    struct msg serve;
    bool serving, dead;
    enum http_fail fail; /* the last one */
    char *error;
};

static void serve_later(struct grpc_channel *ch);

/* --- calls --- */

static void on_call_over(struct msg *m)
{
    struct channel_call *call = container_of(m, struct channel_call, msg);

    bool cancelled = call->state == CALL_CANCELLED;
    call->state = CALL_CANCELLED; /* by over(), too late */
    if (!cancelled) call->over(call);
    h2_call_done(&call->h2);
    call->release(call);
}

static void leave_channel(struct channel_call *call)
{
    struct grpc_channel *ch = call->channel;

    list_del(&call->node);
    timer_free(call->timer);
    call->timer = NULL;
    call->channel = NULL;
    if (!ch) return;
    ch->all->n_calls--;
    if (--ch->n_calls == 0 && !ch->dead) timer_start(ch->idle, IDLE_CHECK);
}

/* Told later: we may be deep inside the session. */
static void end_call(struct grpc_channels *cs, struct channel_call *call, enum call_outcome outcome)
{
    if (call->channel) call->elapsed = loop_now(cs->loop) - call->started;
    leave_channel(call);
    call->state = CALL_OVER;
    call->outcome = outcome;
    loop_defer(cs->loop, &call->msg);
}

static void fail_call(struct grpc_channel *ch, struct channel_call *call)
{
    call->fail = ch->fail;
    call->error = arena_strdup(call->h2.arena, str_of(ch->error));
    end_call(ch->all, call, CALL_UNCONNECTED);
}

static void on_h2_over(struct h2_call *h2)
{
    struct channel_call *call = container_of(h2, struct channel_call, h2);
    struct grpc_channel *ch = call->channel;

    list_del(&call->node);
    if (h2->end == H2_REFUSED && call->refusals++ < REFUSALS_MAX) {
        call->state = CALL_WAITING;
        list_add_head(&ch->waiting, &call->node);
        serve_later(ch);
        return;
    }
    end_call(ch->all, call, CALL_ANSWERED);
}

static void on_deadline(void *arg)
{
    struct channel_call *call = arg;

    if (call->h2.stream) {
        h2_probe(&call->h2, call->started);
        h2_cancel(&call->h2);
    }
    end_call(call->channel->all, call, CALL_DEADLINE);
}

void channel_call_cancel(struct channel_call *call)
{
    bool queued = call->state == CALL_OVER;

    if (call->state == CALL_CANCELLED) return; /* inside its own over() */
    if (call->h2.stream) h2_cancel(&call->h2);
    struct loop *loop = call->channel ? call->channel->all->loop : NULL;
    leave_channel(call);
    call->state = CALL_CANCELLED;
    if (!queued) loop_defer(loop, &call->msg);
}

/* --- connections --- */

static void link_free(struct link *k)
{
    if (k->place) k->place->link = NULL;
    h2_free(k->h2);
    timer_free(k->timer);
    list_del(&k->node);
    free(k);
}

static void remember(struct grpc_channel *ch, enum http_fail fail, const char *text)
{
    free(ch->error);
    ch->error = xstrdup(text);
    ch->fail = fail;
}

static void back_off(struct grpc_channel *ch, struct place *p)
{
    p->backoff = p->backoff ? MIN(p->backoff * 2, BACKOFF_MAX) : BACKOFF;
    p->retry_at = loop_now(ch->all->loop) + p->backoff;
    p->rest = (struct str){0};
    resolver_forget(ch->all->resolver, str_of(ch->dial_host));
}

static void dial_next(struct grpc_channel *ch, struct place *p);

static void not_made(struct link *k, enum http_fail fail, const char *text)
{
    struct grpc_channel *ch = k->channel;
    struct place *p = k->place;

    remember(ch, fail, text);
    link_free(k);
    if (p && p->rest.n) {
        dial_next(ch, p);
        return;
    }
    if (p) back_off(ch, p);
    serve_later(ch);
}

static void on_failed(void *arg, enum http_fail fail, const char *text)
{
    struct link *k = arg;
    struct grpc_channel *ch = k->channel;

    if (!k->ready) {
        not_made(k, fail, text);
        return;
    }
    link_free(k);
    serve_later(ch);
}

static void on_connect_time(void *arg)
{
    struct link *k = arg;
    char *text =
        xprintf("dial tcp %s:%d: i/o timeout", k->channel->dial_host, k->channel->dial_port);

    not_made(k, HTTP_TIMEOUT, text);
    free(text);
}

static void on_ready(void *arg)
{
    struct link *k = arg;

    k->ready = true;
    timer_stop(k->timer);
    if (k->place) k->place->backoff = 0;
    serve_later(k->channel);
}

/* A link that leaves finishes its calls; its place is free for another. */
static void on_room(void *arg)
{
    struct link *k = arg;

    if (h2_leaves(k->h2) && k->place) {
        k->place->link = NULL;
        k->place = NULL;
    }
    serve_later(k->channel);
}

static const struct h2_events events = {.ready = on_ready, .room = on_room, .failed = on_failed};

/* NULL: cleartext, or *ret_err says why there is none. */
static SSL_CTX *context_of(struct grpc_channel *ch, char **ret_err)
{
    const struct tls_conf *conf = &ch->target->conf.tls;
    i64 now = loop_now(ch->all->loop),
        keep = conf->reload_interval > 0 ? conf->reload_interval : TLS_KEEP;

    if (!ch->tls || (ch->ctx && now - ch->ctx_at < keep)) return ch->ctx;
    SSL_CTX *ctx = tls_client_context(conf, ret_err);
    if (!ctx) return NULL;
    SSL_CTX_free(ch->ctx);
    ch->ctx = ctx;
    ch->ctx_at = now;
    return ctx;
}

/* A numeric address, with or without brackets. */
static bool parse_addr(struct str addr, int port, struct wire_conf *w)
{
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
                                   .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    char service[12];
    bool brackets = addr.n > 2 && addr.p[0] == '[';
    char *text = str_dup(brackets ? str_sub(addr, 1, addr.n - 1) : addr);

    (void)snprintf(service, sizeof(service), "%d", port);
    bool ok = getaddrinfo(text, service, &hints, &found) == 0;
    free(text);
    if (!ok) return false;
    memcpy(&w->addr, found->ai_addr, found->ai_addrlen);
    w->addr_len = found->ai_addrlen;
    freeaddrinfo(found);
    return true;
}

static struct h2_conf conf_of(struct grpc_channel *ch, struct link *k)
{
    const struct http_target_conf *t = &ch->target->conf;

    return (struct h2_conf){.wire = {.tunnel = str_of(ch->tunnel),
                                     .tls_conf = &t->tls,
                                     .host = str_of(ch->host),
                                     .read_size = t->read_buffer},
                            .ping_every = t->keepalive_ping_every,
                            .ping_timeout = t->keepalive_ping_timeout,
                            .ping_idle = t->keepalive_without_calls,
                            .write_buffer = t->write_buffer,
                            .events = &events,
                            .arg = k};
}

static struct link *link_new(struct grpc_channel *ch, struct place *p)
{
    struct link *k = xnew(struct link);

    k->channel = ch;
    k->place = p;
    p->link = k;
    k->timer = timer_new(ch->all->loop, on_connect_time, k);
    timer_start(k->timer, CONNECT_TIME);
    list_add_tail(&ch->links, &k->node);
    return k;
}

static void dial_next(struct grpc_channel *ch, struct place *p)
{
    struct str addr = str_cut(&p->rest, ',');
    struct link *k = link_new(ch, p);
    struct h2_conf conf = conf_of(ch, k);
    char *err = NULL;

    conf.wire.tls = context_of(ch, &err);
    if (!err && !parse_addr(addr, ch->dial_port, &conf.wire))
        err = xprintf("\"" STR_FMT "\" is no address", STR_ARG(addr));
    if (err) {
        not_made(k, HTTP_TLS, err);
        free(err);
        return;
    }
    char *name = xprintf(STR_FMT ":%d", STR_ARG(addr), ch->dial_port);
    conf.wire.name = name;
    k->h2 = h2_dial(ch->all->loop, &conf);
    free(name);
}

/* --- addresses --- */

static void place_free(struct grpc_channel *ch, size_t i)
{
    struct place *p = ch->places.v[i];

    if (p->link) p->link->place = NULL; /* serve closes it when nothing runs on it */
    free((char *)(uintptr_t)p->addrs.p);
    free(p);
    vec_remove(&ch->places, i);
}

static bool has_addr(const char *addrs, struct str one)
{
    for (struct str rest = str_of(addrs); rest.n;)
        if (str_eq(str_cut(&rest, ','), one)) return true;
    return false;
}

static struct place *find_place(struct grpc_channel *ch, struct str addrs)
{
    vec_each (&ch->places, p)
        if (str_eq((*p)->addrs, addrs)) return *p;
    return NULL;
}

static void add_place(struct grpc_channel *ch, struct str addrs)
{
    if (ch->places.n >= PLACES_MAX || find_place(ch, addrs)) return;
    struct place *p = xnew(struct place);
    p->addrs = str_n(str_dup(addrs), addrs.n);
    vec_push(&ch->places, p);
}

/* Places whose address is gone are given up; their links finish what runs. */
static void spread(struct grpc_channel *ch, const char *addrs)
{
    for (size_t i = ch->places.n; i-- > 0;)
        if (!has_addr(addrs, ch->places.v[i]->addrs)) place_free(ch, i);
    for (struct str rest = str_of(addrs); rest.n;)
        add_place(ch, str_cut(&rest, ','));
}

static void take_addrs(struct grpc_channel *ch, const char *addrs)
{
    if (ch->target->conf.round_robin) {
        spread(ch, addrs);
    } else {
        while (ch->places.n && !str_is(ch->places.v[0]->addrs, addrs))
            place_free(ch, 0);
        add_place(ch, str_of(addrs));
    }
}

static bool can_retry(const struct grpc_channel *ch, const struct place *p)
{
    return !p->link && p->retry_at <= loop_now(ch->all->loop);
}

static bool is_usable(const struct link *k)
{
    return k->place && k->ready && !h2_leaves(k->h2);
}

enum reach { UNREACHED, REACHING, REACHED };

static enum reach reach_of(const struct grpc_channel *ch)
{
    enum reach r = ch->query ? REACHING : UNREACHED;

    list_each (&ch->links, node) {
        const struct link *k = list_item(node, struct link, node);
        if (is_usable(k)) return REACHED;
        if (!k->ready && k->place) r = REACHING;
    }
    return r;
}

/* Without a connection every address is tried at once, back-off or not: the callers have their own.
 */
static void dial_places(struct grpc_channel *ch)
{
    bool all = reach_of(ch) == UNREACHED;

    for (size_t i = 0; i < ch->places.n; i++) {
        struct place *p = ch->places.v[i];
        if (p->link || (!all && !can_retry(ch, p))) continue;
        p->rest = p->addrs;
        dial_next(ch, p);
    }
}

static void on_resolved(void *arg, const char *addrs, const char *err)
{
    struct grpc_channel *ch = arg;

    ch->query = NULL;
    if (addrs) {
        take_addrs(ch, addrs);
        dial_places(ch);
        return;
    }
    char *text = xprintf("dial tcp: lookup %s: %s", ch->dial_host, err);
    remember(ch, HTTP_RESOLVE, text);
    free(text);
    serve_later(ch);
}

/* Owned. An address, or localhost. */
static char *literal_addrs(const char *host)
{
    bool v6 = strchr(host, ':'), v4 = *host >= '0' && *host <= '9';

    return v6 ? xprintf("[%s]", host) : xstrdup(v4 ? host : "127.0.0.1,[::1]");
}

static void connect_now(struct grpc_channel *ch)
{
    struct str host = str_of(ch->dial_host);

    if (ch->query) return;
    char *addrs = resolver_is_literal(host) ? literal_addrs(ch->dial_host)
                                            : resolver_start(ch->all->resolver, ch->all->loop, host,
                                                             on_resolved, ch, &ch->query);
    if (addrs) on_resolved(ch, addrs, NULL);
    free(addrs);
}

/* --- serving --- */

/* The next link in turn: it goes to the end. */
static struct link *pick(struct grpc_channel *ch)
{
    list_each (&ch->links, node) {
        struct link *k = list_item(node, struct link, node);
        if (!is_usable(k) || !h2_can_start(k->h2)) continue;
        list_del(node);
        list_add_tail(&ch->links, node);
        return k;
    }
    return NULL;
}

static void run_waiting(struct grpc_channel *ch)
{
    list_each (&ch->waiting, node) {
        struct channel_call *call = list_item(node, struct channel_call, node);
        struct link *k = pick(ch);
        if (!k) return;
        list_del(node);
        list_add_tail(&ch->running, node);
        call->state = CALL_RUNNING;
        h2_start(k->h2, &call->h2);
    }
}

/* Calls that have been through a failed attempt to connect are told; with wait_for_ready they go on
 * waiting. */
static void fail_waiting(struct grpc_channel *ch)
{
    if (ch->target->conf.wait_for_ready) {
        if (!list_empty(&ch->waiting)) timer_start(ch->again, RETRY_EVERY);
        return;
    }
    list_each (&ch->waiting, node)
        fail_call(ch, list_item(node, struct channel_call, node));
}

static bool wants_more_links(struct grpc_channel *ch)
{
    vec_each (&ch->places, p)
        if (can_retry(ch, *p)) return true;
    return false;
}

static void close_unused(struct grpc_channel *ch)
{
    list_each (&ch->links, node) {
        struct link *k = list_item(node, struct link, node);
        if (!k->place && h2_in_flight(k->h2) == 0) link_free(k);
    }
}

static void forget_error(struct grpc_channel *ch)
{
    free(ch->error);
    ch->error = NULL;
}

static void serve(struct grpc_channel *ch)
{
    run_waiting(ch);
    close_unused(ch);
    enum reach r = reach_of(ch);
    if (r == REACHED) forget_error(ch);
    if (list_empty(&ch->waiting) && !(r == REACHED && wants_more_links(ch) && ch->n_calls)) return;
    if (r == UNREACHED && ch->error) {
        fail_waiting(ch);
        forget_error(ch); /* later calls try anew */
    } else if (r == UNREACHED || wants_more_links(ch)) {
        connect_now(ch);
    }
}

static void channel_release(struct grpc_channel *ch);

static void on_serve(struct msg *m)
{
    struct grpc_channel *ch = container_of(m, struct grpc_channel, serve);

    ch->serving = false;
    if (ch->dead)
        channel_release(ch);
    else
        serve(ch);
}

static void serve_later(struct grpc_channel *ch)
{
    if (ch->serving) return;
    ch->serving = true;
    loop_defer(ch->all->loop, &ch->serve);
}

static void on_again(void *arg)
{
    connect_now(arg);
}

/* --- channels --- */

static void channel_release(struct grpc_channel *ch)
{
    while (ch->places.n)
        place_free(ch, ch->places.n - 1);
    vec_done(&ch->places);
    SSL_CTX_free(ch->ctx);
    http_target_unref(ch->target);
    free(ch->host);
    free(ch->dial_host);
    free(ch->tunnel);
    free(ch->error);
    free(ch);
}

/* Without calls. A queued serve is run first. */
static void channel_close(struct grpc_channel *ch)
{
    ASSERT(ch->n_calls == 0 && !ch->dead);
    if (ch->query) resolver_cancel(ch->query);
    list_each (&ch->links, node)
        link_free(list_item(node, struct link, node));
    timer_free(ch->again);
    timer_free(ch->idle);
    list_del(&ch->node);
    ch->dead = true;
    if (!ch->serving) channel_release(ch);
}

static void on_idle(void *arg)
{
    struct grpc_channel *ch = arg;

    if (ch->n_calls == 0 && refs_sole(&ch->target->refs)) channel_close(ch);
}

/* Channels of targets that nobody else holds are of the past. */
static void sweep(struct grpc_channels *cs)
{
    list_each (&cs->channels, node)
        on_idle(list_item(node, struct grpc_channel, node));
}

static char *tunnel_text(const struct grpc_channel *ch, struct str userinfo)
{
    const char *form = strchr(ch->host, ':') ? "[%s]:%d" : "%s:%d";
    char place[300];
    struct buf b = BUF_INIT(8192), user = BUF_INIT(1024), secret = BUF_INIT(2048);

    (void)snprintf(place, sizeof(place), form, ch->host,
                   ch->port); /* a name that does not fit does not exist */
    buf_printf(&b, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n", place, place);
    if (userinfo.n) {
        grpc_message_decode(&user, userinfo); /* URLs escape in the same way */
        base64_encode(&secret, BASE64_STD, user.p, user.n);
        buf_printf(&b, "Proxy-Authorization: Basic " STR_FMT "\r\n", STR_ARG(buf_view(&secret)));
    }
    buf_str(&b, STR("\r\n"));
    buf_done(&user);
    buf_done(&secret);
    return buf_take(&b, NULL);
}

/* gRPC asks the environment as if for https, whatever its own security, and tunnels, whatever the
 * proxy's scheme. */
static void set_route(struct grpc_channel *ch)
{
    struct url self = {.scheme = STR("https"), .host = str_of(ch->host), .port = ch->port}, proxy;
    struct str text = http_target_proxy(ch->target, &self);
    ssize_t sep = str_find(text, STR("://"));
    char *whole = xprintf("http://" STR_FMT,
                          STR_ARG(sep >= 0 ? str_sub(text, (size_t)sep + 3, text.n) : text));

    if (text.n && url_parse(str_of(whole), &proxy, NULL) == 0) {
        ch->dial_host = str_dup(proxy.host);
        ch->dial_port = proxy.port ? proxy.port : 80;
        ch->tunnel = tunnel_text(ch, proxy.userinfo);
    } else {
        ch->dial_host = xstrdup(ch->host);
        ch->dial_port = ch->port;
    }
    free(whole);
}

static struct grpc_channel *channel_new(struct grpc_channels *cs, struct http_target *t,
                                        const struct url *url, bool tls, int port)
{
    struct grpc_channel *ch = xnew(struct grpc_channel);

    ch->all = cs;
    ch->target = http_target_ref(t);
    ch->host = str_dup(url->host);
    ch->port = port;
    ch->tls = tls;
    ch->serve.fn = on_serve;
    ch->again = timer_new(cs->loop, on_again, ch);
    ch->idle = timer_new(cs->loop, on_idle, ch);
    list_init(&ch->links);
    list_init(&ch->waiting);
    list_init(&ch->running);
    set_route(ch);
    list_add_head(&cs->channels, &ch->node);
    return ch;
}

static struct grpc_channel *channel_of(struct grpc_channels *cs, struct http_target *t,
                                       const struct url *url)
{
    bool tls = str_ieq(url->scheme, STR("https"));
    int port = url->port ? url->port : tls ? 443 : 80;

    list_each (&cs->channels, node) {
        struct grpc_channel *ch = list_item(node, struct grpc_channel, node);
        if (ch->target == t && ch->tls == tls && ch->port == port && str_is(url->host, ch->host))
            return ch;
    }
    sweep(cs);
    return channel_new(cs, t, url, tls, port);
}

struct grpc_channels *grpc_channels_new(struct loop *l, struct resolver *r)
{
    struct grpc_channels *cs = xnew(struct grpc_channels);

    cs->loop = l;
    cs->resolver = r;
    list_init(&cs->channels);
    return cs;
}

static void cancel_all(struct list *calls)
{
    list_each (calls, node)
        channel_call_cancel(list_item(node, struct channel_call, node));
}

void grpc_channels_free(struct grpc_channels *cs)
{
    if (!cs) return;
    list_each (&cs->channels, node) {
        struct grpc_channel *ch = list_item(node, struct grpc_channel, node);
        cancel_all(&ch->waiting);
        cancel_all(&ch->running);
        channel_close(ch);
    }
    free(cs);
}

size_t grpc_channels_in_flight(const struct grpc_channels *cs)
{
    return cs ? cs->n_calls : 0;
}

/* --- starting --- */

static void call_init(struct channel_call *call)
{
    list_init(&call->node);
    call->h2.over = on_h2_over;
    call->msg.fn = on_call_over;
}

void channel_call_refuse(struct grpc_channels *cs, struct channel_call *call, const char *error)
{
    call_init(call);
    call->error = arena_strdup(call->h2.arena, str_of(error));
    end_call(cs, call, CALL_IMPOSSIBLE);
}

void channel_call_start(struct grpc_channels *cs, struct http_target *t, const struct url *url,
                        struct channel_call *call)
{
    struct grpc_channel *ch = channel_of(cs, t, url);

    call_init(call);
    call->channel = ch;
    call->started = loop_now(cs->loop);
    call->timer = timer_new(cs->loop, on_deadline, call);
    if (call->timeout > 0) timer_start(call->timer, call->timeout);
    list_add_tail(&ch->waiting, &call->node);
    ch->n_calls++;
    cs->n_calls++;
    timer_stop(ch->idle);
    serve_later(ch);
}
