/* Byte streams on the server's connections (conn.c): a protocol that hands over what came in and
 * keeps what was not used. The bytes of a paused connection wait in its `held`; then the kernel's
 * window closes. */
#include "net/stream_server.h"

#include "base/xalloc.h"
#include "net/conn.h"

#define BUFFER         ((size_t)64 * 1024)
#define HANDSHAKE_TIME (10 * NS_PER_SEC)

struct stream_listener {
    struct http_listener *l;
};

/* What c->session points to. */
struct stream {
    struct stream_conn pub;
    struct conn *c;
    struct buf rest;
    bool paused;
    enum stream_end end;
    const char *text;
};

static const struct stream_handler *handler_of(const struct conn *c)
{
    return c->member->stream;
}

static struct stream *stream_of(const struct stream_conn *pub)
{
    return container_of(pub, struct stream, pub);
}

static void end(struct stream *s, enum stream_end why)
{
    s->end = why;
    conn_close(s->c);
}

/* --- bytes --- */

static size_t give(struct stream *s, struct str bytes)
{
    struct conn *c = s->c;

    return handler_of(c)->data(c->member->arg, &s->pub, bytes);
}

/* Straight from where they were read; what is not used is kept. Returns how many were taken. */
static size_t give_new(struct stream *s, struct str bytes)
{
    size_t used = give(s, bytes);
    size_t keep = MIN(bytes.n - used, s->c->conf->buffer);

    if (s->c->dead || s->paused) return used;
    buf_add(&s->rest, bytes.p + used, keep);
    if (used == 0 && keep < bytes.n) end(s, STREAM_TOO_BIG);
    return used + keep;
}

static size_t give_gathered(struct stream *s, struct str bytes)
{
    size_t take = MIN(s->c->conf->buffer - s->rest.n, bytes.n);

    buf_add(&s->rest, bytes.p, take);
    size_t used = give(s, buf_view(&s->rest));
    if (s->c->dead) return take;
    buf_consume(&s->rest, used);
    if (used == 0 && !s->paused && s->rest.n == s->c->conf->buffer) end(s, STREAM_TOO_BIG);
    if (s->rest.n == 0) buf_done(&s->rest); /* an idle connection owns no memory */
    return take;
}

static size_t on_input(struct conn *c, const char *p, size_t n)
{
    struct stream *s = c->session;
    size_t at = 0;

    while (at < n && !s->paused && !c->dead)
        at += (s->rest.n ? give_gathered : give_new)(s, str_n(p + at, n - at));
    return c->dead ? n : at;
}

/* --- events --- */

static void end_if_done(struct stream *s)
{
    struct conn *c = s->c;

    if (c->dead || s->paused || c->held.n || c->resuming) return;
    if (c->saw_eof)
        end(s, STREAM_EOF);
    else if (c->draining)
        end(s, STREAM_LEFT);
}

/* A handler that paused may have left whole messages. */
static void on_resumed(struct conn *c)
{
    struct stream *s = c->session;

    if (!s->paused && s->rest.n) give_gathered(s, STR(""));
    end_if_done(s);
}

static void on_eof(struct conn *c)
{
    end_if_done(c->session);
}

static void arm_idle(struct conn *c)
{
    i64 idle = c->conf->h.idle_timeout;

    conn_arm(c, idle > 0 ? MAX(c->last_read + idle, loop_now(c->loop) + NS_PER_MS) : 0);
}

static void on_timeout(struct conn *c)
{
    struct stream *s = c->session;

    if (!s)
        conn_close(c);
    else if (s->paused || c->last_read + c->conf->h.idle_timeout > loop_now(c->loop))
        conn_arm(c, loop_now(c->loop) + c->conf->h.idle_timeout -
                        (s->paused ? 0 : loop_now(c->loop) - c->last_read));
    else
        end(s, STREAM_IDLE);
}

static void on_drain(struct conn *c)
{
    if (c->session)
        end_if_done(c->session);
    else
        conn_close(c);
}

static void refused(struct conn *c)
{
    const struct stream_handler *h = handler_of(c);

    if (h->refused && !c->draining)
        h->refused(c->member->arg, str_of(c->peer),
                   c->handshake_err ? c->handshake_err : "TLS handshake: not finished in time");
}

static void on_closed(struct conn *c)
{
    struct stream *s = c->session;
    const char *text = NULL;
    char why[128];

    if (!s) {
        refused(c);
        return;
    }
    if (c->error) {
        s->end = STREAM_ERROR;
        text = strerror_r(-c->error, why, sizeof(why));
    }
    handler_of(c)->closed(c->member->arg, &s->pub, buf_view(&s->rest), s->end, text);
}

static void on_free(struct conn *c)
{
    struct stream *s = c->session;

    if (s) buf_done(&s->rest);
    free(s);
}

static void nothing(struct conn *c)
{
    (void)c;
}

static const struct conn_proto stream_proto = {
    .input = on_input,
    .drained = nothing,
    .resumed = on_resumed,
    .timeout = on_timeout,
    .eof = on_eof,
    .drain = on_drain,
    .closed = on_closed,
    .free = on_free,
};

void stream_start(struct conn *c)
{
    struct stream *s = xnew(struct stream);

    *s = (struct stream){
        .c = c,
        .end = STREAM_LEFT,
        .pub = {
            .peer = str_of(c->peer), .peer_ip = str_of(c->peer_ip), .loop = c->loop, ._conn = c}};
    buf_init(&s->rest, c->conf->buffer);
    c->session = s;
    arm_idle(c);
    if (handler_of(c)->opened) handler_of(c)->opened(c->member->arg, &s->pub);
}

/* --- the handler's side --- */

void stream_conn_pause(struct stream_conn *pub)
{
    stream_of(pub)->paused = true;
}

void stream_conn_resume(struct stream_conn *pub)
{
    struct stream *s = stream_of(pub);

    if (!s->paused) return;
    s->paused = false;
    conn_resume(s->c);
}

void stream_conn_close(struct stream_conn *pub)
{
    end(stream_of(pub), STREAM_LEFT);
}

/* --- listeners --- */

static struct server_conf *conf_of(const struct stream_conf *conf)
{
    struct server_conf *c = server_conf_new(&(struct http_conf){
        .read_header_timeout = HANDSHAKE_TIME, .max_conns = conf->max_conns, .tls = conf->tls});

    c->h.idle_timeout = conf->idle_timeout;
    c->proto = &stream_proto;
    c->buffer = conf->buffer ? conf->buffer : BUFFER;
    return c;
}

int stream_listener_open(struct listeners *ls, const char *network, const char *addr,
                         const struct stream_conf *conf, struct stream_listener **ret,
                         char **ret_err)
{
    struct http_listener *l;
    int r = listener_open(ls, network, addr, conf_of(conf), &l, ret_err);

    if (r != 0) return r;
    *ret = xnew(struct stream_listener);
    (*ret)->l = l;
    return 0;
}

void stream_listener_update(struct stream_listener *l, const struct stream_conf *conf)
{
    listener_update(l->l, conf_of(conf));
}

struct str stream_listener_addr(const struct stream_listener *l)
{
    return http_listener_addr(l->l);
}

void stream_listener_leave(struct stream_listener *l)
{
    http_listener_leave(l->l);
}

void stream_listener_serve(struct stream_listener *l, struct loop *loop,
                           const struct stream_handler *h, void *arg)
{
    struct member *m = listener_join(l->l, loop, arg);

    ASSERT(h->data && h->closed);
    m->stream = xnew(struct stream_handler);
    *m->stream = *h;
}

void stream_listener_unserve(struct stream_listener *l, struct loop *loop, i64 grace,
                             void (*done)(void *arg), void *arg)
{
    http_listener_unserve(l->l, loop, grace, done, arg);
}

void stream_listener_close(struct stream_listener *l)
{
    if (!l) return;
    http_listener_close(l->l);
    free(l);
}
