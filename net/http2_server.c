/* HTTP/2 on a server connection: an nghttp2 session fed from the connection and drained into its
 * output. Output is produced once per turn, however many answers were given; what a peer may make
 * us do for nothing (pings, settings, resets, empty frames) draws from one bucket of tokens. */
#include <nghttp2/nghttp2.h>
#include "base/xalloc.h"
#include "net/conn.h"
#include "net/http1.h"
#include "net/http2_stream.h"

#define STREAM_WINDOW (1 << 20)
#define CONN_WINDOW   (4 << 20)
#define OUT_HIGH                                                                                   \
    ((size_t)256 * 1024) /* output waiting for the socket: above it nothing is read or produced;   \
                            write_buffer overrides */
#define OUT_LEAST ((size_t)16 * 1024)
#define OUT_MOST  ((size_t)1024 * 1024)
#define CHECK_EVERY                                                                                \
    (5 * NS_PER_SEC) /* deadlines of streams are looked at this often while there are streams */
#define SHUTDOWN_WAIT NS_PER_SEC /* a peer that does not answer the ping of a shutdown */

static struct http2 *of(struct conn *c)
{
    return c->session;
}

/* --- output --- */

static bool out_is_full(const struct conn *c)
{
    size_t hint = c->conf->h.write_buffer;

    return c->out.n - c->out_at >= (hint ? MIN(MAX(hint, OUT_LEAST), OUT_MOST) : OUT_HIGH);
}

static bool over(const struct http2 *s)
{
    return !nghttp2_session_want_read(s->ng) && !nghttp2_session_want_write(s->ng);
}

static void produce(struct http2 *s)
{
    const uint8_t *p;

    while (!s->c->dead && !out_is_full(s->c)) {
        ssize_t n = nghttp2_session_mem_send(s->ng, &p);
        if (n < 0) {
            conn_close(s->c);
            return;
        }
        if (n == 0) break;
        buf_add(&s->c->out, p, (size_t)n);
    }
}

static void pump(struct http2 *s)
{
    struct conn *c = s->c;

    produce(s);
    if (c->dead) return;
    if (over(s)) c->close_after = true;
    if (conn_has_output(c))
        conn_flush(c);
    else if (c->close_after)
        conn_linger(c);
}

static void on_pump(struct msg *m)
{
    struct http2 *s = container_of(m, struct http2, pump);

    s->pumping = false;
    if (!s->c->dead && !s->c->close_after) pump(s);
}

void http2_wake(struct http2 *s)
{
    if (s->pumping || s->c->dead) return;
    s->pumping = true;
    loop_defer(s->c->loop, &s->pump);
}

/* The socket took everything: more may be waiting in the session, and reading may have been paused.
 */
static void drained(struct conn *c)
{
    http2_wake(of(c));
    if (c->held.n) conn_resume(c);
}

/* --- the end of a connection --- */

static const uint8_t shutdown_ping[8] = "shutdown";

static void go_away(struct http2 *s, uint32_t code)
{
    nghttp2_session_terminate_session(s->ng, code);
    http2_wake(s);
}

/* Announces the end, and finds out with a ping when the peer knows it: streams it opened before
 * then are still served. */
static void begin_shutdown(struct http2 *s)
{
    if (s->shutdown) return;
    s->shutdown = SHUTDOWN_ANNOUNCED;
    s->shutdown_due = loop_now(s->c->loop) + SHUTDOWN_WAIT;
    nghttp2_submit_shutdown_notice(s->ng);
    nghttp2_submit_ping(s->ng, NGHTTP2_FLAG_NONE, shutdown_ping);
    http2_arm(s);
    http2_wake(s);
}

static void finish_if_idle(struct http2 *s)
{
    if (s->shutdown == SHUTDOWN_FINAL && s->n_streams == 0) go_away(s, NGHTTP2_NO_ERROR);
}

static void final_shutdown(struct http2 *s)
{
    if (s->shutdown == SHUTDOWN_FINAL) return;
    s->shutdown = SHUTDOWN_FINAL;
    nghttp2_submit_goaway(s->ng, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(s->ng),
                          NGHTTP2_NO_ERROR, NULL, 0);
    finish_if_idle(s);
    http2_wake(s);
}

static void drain(struct conn *c)
{
    begin_shutdown(of(c));
}

/* --- abuse --- */

#define TOKENS_MAX   1000
#define TOKENS_PER_S 100

/* False when the peer has made us work for nothing too often; the session is told to end. */
static bool spend(struct http2 *s)
{
    i64 now = loop_now(s->c->loop);
    i64 more = (now - s->tokens_at) / (NS_PER_SEC / TOKENS_PER_S);

    if (more > 0) {
        s->tokens = (int)MIN((i64)TOKENS_MAX, s->tokens + more);
        s->tokens_at = now;
    }
    if (s->tokens-- > 0) return true;
    go_away(s, NGHTTP2_ENHANCE_YOUR_CALM);
    return false;
}

/* gRPC's rule: between two answers, two pings that come too early are forgiven. */
static void judge_ping(struct http2 *s)
{
    const struct http_conf *conf = &s->c->conf->h;
    i64 now = loop_now(s->c->loop);
    i64 min = s->n_streams == 0 && conf->ping_idle_interval > 0 ? conf->ping_idle_interval
                                                                : conf->ping_min_interval;
    bool early = min > 0 && s->last_ping && now - s->last_ping < min;
    static const char why[] = "too_many_pings";

    s->last_ping = now;
    if (!early || ++s->early_pings <= 2) return;
    nghttp2_submit_goaway(s->ng, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(s->ng),
                          NGHTTP2_ENHANCE_YOUR_CALM, (const uint8_t *)why, sizeof(why) - 1);
    go_away(s, NGHTTP2_ENHANCE_YOUR_CALM);
}

static void on_ping(struct http2 *s, const nghttp2_ping *f)
{
    if (!(f->hd.flags & NGHTTP2_FLAG_ACK)) {
        judge_ping(s);
        return;
    }
    s->ping_due = 0;
    if (s->shutdown == SHUTDOWN_ANNOUNCED && memcmp(f->opaque_data, shutdown_ping, 8) == 0)
        final_shutdown(s);
}

/* Some clients (curl) also reset streams that are over, which costs nothing. */
static bool costs_a_token(const nghttp2_frame *f, bool of_live_stream)
{
    switch (f->hd.type) {
    case NGHTTP2_SETTINGS:
    case NGHTTP2_PING: return !(f->hd.flags & NGHTTP2_FLAG_ACK);
    case NGHTTP2_PRIORITY: return true;
    case NGHTTP2_RST_STREAM: return of_live_stream;
    case NGHTTP2_DATA: return f->hd.length == 0 && !(f->hd.flags & NGHTTP2_FLAG_END_STREAM);
    default: return false;
    }
}

/* --- nghttp2's callbacks --- */

static struct http2_stream *stream_of(nghttp2_session *ng, int32_t id)
{
    return nghttp2_session_get_stream_user_data(ng, id);
}

static int on_begin_headers(nghttp2_session *ng, const nghttp2_frame *f, void *arg)
{
    struct http2 *s = arg;

    if (f->hd.type != NGHTTP2_HEADERS || f->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
    nghttp2_session_set_stream_user_data(ng, f->hd.stream_id, http2_stream_new(s, f->hd.stream_id));
    http2_arm(s);
    return 0;
}

static int on_header(nghttp2_session *ng, const nghttp2_frame *f, const uint8_t *name,
                     size_t n_name, const uint8_t *value, size_t n_value, uint8_t flags, void *arg)
{
    struct http2_stream *t = f->hd.type == NGHTTP2_HEADERS ? stream_of(ng, f->hd.stream_id) : NULL;

    if (t)
        http2_stream_header(t, str_n((const char *)name, n_name),
                            str_n((const char *)value, n_value));
    return 0;
}

static int on_frame(nghttp2_session *ng, const nghttp2_frame *f, void *arg)
{
    struct http2 *s = arg;
    struct http2_stream *t = f->hd.stream_id ? stream_of(ng, f->hd.stream_id) : NULL;

    if (costs_a_token(f, t != NULL) && !spend(s)) return 0;
    if (f->hd.type == NGHTTP2_PING) on_ping(s, &f->ping);
    if (!t || (f->hd.type != NGHTTP2_HEADERS && f->hd.type != NGHTTP2_DATA)) return 0;
    bool ends = f->hd.flags & NGHTTP2_FLAG_END_STREAM;
    if (f->hd.type == NGHTTP2_HEADERS && f->headers.cat == NGHTTP2_HCAT_REQUEST)
        http2_stream_headers_end(t, ends);
    if (ends) http2_stream_end(t);
    return 0;
}

static int on_data(nghttp2_session *ng, uint8_t flags, int32_t id, const uint8_t *p, size_t n,
                   void *arg)
{
    struct http2_stream *t = stream_of(ng, id);

    if (t) http2_stream_data(t, (const char *)p, n);
    return 0;
}

static int on_close(nghttp2_session *ng, int32_t id, uint32_t code, void *arg)
{
    struct http2 *s = arg;
    struct http2_stream *t = stream_of(ng, id);

    if (!t) return 0;
    http2_stream_free(t);
    s->idle_since = loop_now(s->c->loop);
    finish_if_idle(s);
    http2_arm(s);
    return 0;
}

static nghttp2_session *session_new(struct http2 *s)
{
    nghttp2_session_callbacks *cb;
    nghttp2_option *opt;
    nghttp2_session *ng = NULL;

    if (nghttp2_session_callbacks_new(&cb) != 0) return NULL;
    nghttp2_session_callbacks_set_on_begin_headers_callback(cb, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(cb, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(cb, on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(cb, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(cb, on_close);
    if (nghttp2_option_new(&opt) == 0) {
        nghttp2_option_set_no_closed_streams(opt,
                                             1); /* closed streams are not kept for priorities */
        nghttp2_option_set_max_settings(opt, 32);
        nghttp2_option_set_max_continuations(opt, 8);
        nghttp2_option_set_stream_reset_rate_limit(
            opt, UINT64_MAX,
            UINT64_MAX); /* it counts resets of dead streams: spend() counts better */
        (void)nghttp2_session_server_new2(&ng, cb, s, opt); /* ng stays NULL when memory is out */
        nghttp2_option_del(opt);
    }
    nghttp2_session_callbacks_del(cb);
    return ng;
}

/* --- time --- */

static i64 sooner(i64 a, i64 b)
{
    return !a ? b : !b ? a : MIN(a, b);
}

/* Settings whose zero or negative value means never. */
static i64 after(i64 from, i64 wait)
{
    return wait > 0 ? from + wait : 0;
}

void http2_arm(struct http2 *s)
{
    const struct http_conf *h = &s->c->conf->h;
    i64 now = loop_now(s->c->loop), due = sooner(s->shutdown_due, s->ping_due);

    due = sooner(due, s->age_due);
    if (s->n_streams) {
        due = sooner(due, now + CHECK_EVERY);
    } else {
        due = sooner(due, after(s->idle_since, h->idle_timeout));
        due = sooner(due, after(s->idle_since, h->max_conn_idle));
    }
    if (!s->ping_due && h->ping_every > 0)
        due = sooner(due, MAX(s->c->last_read + h->ping_every, now + NS_PER_MS));
    conn_arm(s->c, due);
}

/* Keepalive: a ping after silence; no answer in time ends the connection. False when it did. */
static bool keep_alive(struct http2 *s, i64 now)
{
    const struct http_conf *h = &s->c->conf->h;

    if (s->ping_due && s->ping_due <= now) {
        conn_close(s->c);
        return false;
    }
    if (!s->ping_due && h->ping_every > 0 && s->c->last_read + h->ping_every <= now) {
        s->ping_due = now + (h->ping_timeout > 0 ? h->ping_timeout : 20 * NS_PER_SEC);
        nghttp2_submit_ping(s->ng, NGHTTP2_FLAG_NONE, NULL);
        http2_wake(s);
    }
    return true;
}

/* Age, then its grace; silence. False when the connection was closed. */
static bool keep_age(struct http2 *s, i64 now)
{
    const struct http_conf *h = &s->c->conf->h;
    bool idle = s->n_streams == 0;

    if (s->age_due && s->age_due <= now) {
        if (s->aged) {
            conn_close(s->c);
            return false;
        }
        s->aged = true;
        s->age_due = after(now, h->max_conn_age_grace);
        begin_shutdown(s);
    }
    bool silent = idle && ((h->idle_timeout > 0 && s->idle_since + h->idle_timeout <= now) ||
                           (h->max_conn_idle > 0 && s->idle_since + h->max_conn_idle <= now));
    if (!silent) return true;
    if (s->shutdown && now >= s->idle_since + SHUTDOWN_WAIT && s->shutdown_due == 0) return true;
    begin_shutdown(s);
    s->idle_since = now; /* the shutdown has its own deadline */
    return true;
}

static void timeout(struct conn *c)
{
    struct http2 *s = of(c);
    i64 now = loop_now(c->loop);

    if (s->shutdown_due && s->shutdown_due <= now) {
        s->shutdown_due = 0;
        final_shutdown(s);
    }
    if (!keep_alive(s, now) || !keep_age(s, now)) return;
    list_each (&s->streams, node)
        http2_stream_check(list_item(node, struct http2_stream, node), now);
    http2_wake(s);
    http2_arm(s);
}

/* --- the connection's side --- */

static size_t input(struct conn *c, const char *p, size_t n)
{
    struct http2 *s = of(c);

    if (out_is_full(c))
        return 0; /* the peer does not read its answers: no more requests until it does */
    ssize_t took = nghttp2_session_mem_recv(s->ng, (const uint8_t *)p, n);
    if (c->dead) return n;
    if (took == NGHTTP2_ERR_BAD_CLIENT_MAGIC || took == NGHTTP2_ERR_NOMEM) {
        conn_close(c);
        return n;
    }
    if (took < 0)
        nghttp2_session_terminate_session(s->ng, took == NGHTTP2_ERR_FLOODED
                                                     ? NGHTTP2_ENHANCE_YOUR_CALM
                                                     : NGHTTP2_PROTOCOL_ERROR);
    http2_wake(s);
    return n;
}

/* A message whose length is known (by content-length, or gRPC's frame) has its blob made to
 * measure. */
static size_t expects(const struct conn *c)
{
    const struct http2 *s = c->session;
    size_t n = 0;

    list_each (&s->streams, node) {
        const struct http2_stream *t = list_item(node, struct http2_stream, node);
        const struct blob *b = t->q.pub.body;
        if (b && !t->ended && (t->q.framed || t->q.content_length > 0)) n += b->cap - b->n;
    }
    return n;
}

static void closed(struct conn *c)
{
    list_each (&of(c)->streams, node)
        request_gone(&list_item(node, struct http2_stream, node)->q);
}

static void on_free(struct conn *c)
{
    struct http2 *s = of(c);

    list_each (&s->streams, node)
        http2_stream_free(list_item(node, struct http2_stream, node));
    nghttp2_session_del(s->ng);
    free(s);
}

const struct conn_proto http2_proto = {
    .input = input,
    .expects = expects,
    .drained = drained,
    .timeout = timeout,
    .drain = drain,
    .closed = closed,
    .free = on_free,
};

static int submit_settings(struct http2 *s)
{
    const struct http_conf *h = &s->c->conf->h;
    const nghttp2_settings_entry iv[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, h->max_streams},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE,
         (uint32_t)MIN(h->max_header_bytes, (size_t)UINT32_MAX)},
    };
    int r = nghttp2_submit_settings(s->ng, NGHTTP2_FLAG_NONE, iv, ARRAY_LEN(iv));

    return r ? r : nghttp2_session_set_local_window_size(s->ng, NGHTTP2_FLAG_NONE, 0, CONN_WINDOW);
}

/* gRPC spreads the ends of connections made together: the age varies by a tenth. */
static i64 age_of(const struct http_conf *h)
{
    return h->max_conn_age > 0 ? (i64)((f64)h->max_conn_age * (0.9 + 0.2 * random_unit())) : 0;
}

static struct http2 *session_start(struct conn *c)
{
    struct http2 *s = xnew(struct http2);
    i64 now = loop_now(c->loop);

    s->c = c;
    s->pump.fn = on_pump;
    list_init(&s->streams);
    s->idle_since = s->tokens_at = now;
    s->tokens = TOKENS_MAX;
    s->age_due = after(now, age_of(&c->conf->h));
    s->ng = session_new(s);
    ASSERT(s->ng); /* only memory can be missing, and little of it */
    return s;
}

static void adopt(struct conn *c, struct http2 *s)
{
    c->session = s;
    c->proto = &http2_proto;
    if (submit_settings(s) != 0) {
        conn_close(c);
        return;
    }
    if (c->draining) begin_shutdown(s);
    http2_arm(s);
    http2_wake(s);
}

void http2_start(struct conn *c)
{
    adopt(c, session_start(c));
}

/* The settings come as base64url without padding, RFC 7540 3.2.1. */
static int decode_settings(struct str text, struct buf *out)
{
    struct buf padded = BUF_INIT(2048);

    buf_str(&padded, text);
    while (padded.n % 4)
        buf_ch(&padded, '=');
    int r = buf_err(&padded) ? -EINVAL : base64_decode(out, BASE64_URL, buf_view(&padded), NULL);
    buf_done(&padded);
    return r;
}

int http2_upgrade(struct conn *c, struct str settings, struct request *first)
{
    struct buf payload = BUF_INIT(1024);
    struct http2 *s = session_start(c);
    bool head = str_is(first->pub.method, "HEAD");

    if (decode_settings(settings, &payload) != 0 ||
        nghttp2_session_upgrade2(s->ng, (const uint8_t *)(payload.p ? payload.p : ""), payload.n,
                                 head, NULL) != 0) {
        buf_done(&payload);
        nghttp2_session_del(s->ng);
        free(s);
        return -EINVAL;
    }
    buf_done(&payload);
    buf_str(&c->out,
            STR("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"));
    struct http2_stream *t = http2_stream_new(s, 1);
    nghttp2_session_set_stream_user_data(s->ng, 1, t);
    http2_stream_copy(t, first);
    adopt(c, s);
    if (!c->dead) {
        http2_stream_headers_end(t, true);
        http2_stream_end(t);
    }
    return 0;
}
