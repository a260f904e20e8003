/* An nghttp2 session fed from a wire and drained into its output, once per turn however many calls
 * were started. A stream outlives its call: the call is let go of with the end of the answer or a
 * cancel, the stream when both sides have closed it. */
#include "net/h2_client.h"

#include <errno.h>
#include "base/assert.h"
#include "base/num.h"
#include "base/xalloc.h"

#define CONN_WINDOW     (1 << 20)
#define HEADERS_MAX     ((size_t)256 * 1024)
#define HEADER_OVERHEAD 32 /* RFC 9113 */
#define OUT_HIGH                                                                                   \
    ((size_t)256 * 1024) /* output waiting for the socket: above it nothing is produced;           \
                            write_buffer overrides */
#define OUT_LEAST    ((size_t)32 * 1024)
#define OUT_MOST     ((size_t)1024 * 1024)
#define DROP_MAX     ((size_t)1 << 20) /* of an answer over its limit that is read on */
#define PING_TIMEOUT (20 * NS_PER_SEC)
#define PING_LEAST   (10 * NS_PER_SEC) /* gRPC's own floor: servers answer more with GOAWAY */

struct h2_conn {
    struct loop *loop;
    struct wire *wire;
    nghttp2_session *ng;
    struct list streams;
    size_t n_live; /* streams that nghttp2 counts */
    bool ready, leaving, pumping, dead, full /* of output */;
    struct msg pump;
    struct timer *timer;
    i64 ping_every, ping_timeout, ping_due, last_read;
    bool ping_idle, freed;
    size_t out_high;
    const struct h2_events *events;
    void *arg;
};

struct h2_stream {
    struct list node;
    struct h2_conn *conn;
    struct h2_call *call; /* NULL: over, the stream only waits for its end */
    i32 id;
    bool head_sent;
};

static void wake(struct h2_conn *c);

/* --- the end of a call --- */

static void let_go(struct h2_stream *t)
{
    t->call->stream = NULL;
    t->call = NULL;
}

static void call_over(struct h2_stream *t, enum h2_end end, u32 error_code)
{
    struct h2_call *call = t->call;

    if (!call) return;
    call->end = end;
    call->error_code = error_code;
    let_go(t);
    call->over(call);
}

static void reset(struct h2_stream *t, u32 code)
{
    (void)nghttp2_submit_rst_stream(t->conn->ng, NGHTTP2_FLAG_NONE, t->id,
                                    code); /* without memory the stream just stays open */
    wake(t->conn);
}

void h2_cancel(struct h2_call *call)
{
    struct h2_stream *t = call->stream;

    if (!t) return;
    let_go(t);
    reset(t, NGHTTP2_CANCEL);
}

void h2_call_done(struct h2_call *c)
{
    vec_done(&c->headers);
    buf_done(&c->answer);
}

static void stream_free(struct h2_stream *t)
{
    list_del(&t->node);
    t->conn->n_live--;
    free(t);
}

/* --- the answer --- */

static struct h2_stream *stream_of(nghttp2_session *ng, i32 id)
{
    return nghttp2_session_get_stream_user_data(ng, id);
}

static void refuse_headers(struct h2_stream *t)
{
    call_over(t, H2_HUGE, 0);
    reset(t, NGHTTP2_CANCEL);
}

/* An interim answer (1xx) is followed by another: each status starts over. */
static void take_status(struct h2_call *call, struct str value)
{
    i64 n = 0;

    (void)num_parse_i64(value, &n); /* nghttp2 has checked that it is three digits */
    call->status = (int)n;
    vec_clear(&call->headers);
}

static int on_header(nghttp2_session *ng, const nghttp2_frame *f, const uint8_t *name,
                     size_t n_name, const uint8_t *value, size_t n_value, uint8_t flags, void *arg)
{
    struct h2_stream *t = f->hd.type == NGHTTP2_HEADERS ? stream_of(ng, f->hd.stream_id) : NULL;
    struct h2_call *call = t ? t->call : NULL;
    struct str key = str_n((const char *)name, n_name), text = str_n((const char *)value, n_value);

    if (!call) return 0;
    call->header_bytes += n_name + n_value + HEADER_OVERHEAD;
    if (call->header_bytes > HEADERS_MAX)
        refuse_headers(t);
    else if (str_is(key, ":status"))
        take_status(call, text);
    else
        vec_push(&call->headers,
                 ((struct http_header){arena_str(call->arena, key), arena_str(call->arena, text)}));
    return 0;
}

/* What is over the limit is dropped; an answer that does not end is ended. */
static void drop(struct h2_stream *t, size_t n)
{
    struct h2_call *call = t->call;

    call->truncated = true;
    call->dropped += n;
    if (call->dropped <= DROP_MAX) return;
    call_over(t, H2_ENDED, 0);
    reset(t, NGHTTP2_CANCEL);
}

static int on_data(nghttp2_session *ng, uint8_t flags, int32_t id, const uint8_t *p, size_t n,
                   void *arg)
{
    struct h2_stream *t = stream_of(ng, id);

    if (!t || !t->call) return 0;
    struct h2_call *call = t->call;
    size_t take = MIN(n, call->max_answer - call->answer.n);
    buf_add(&call->answer, p, take);
    if (buf_err(&call->answer)) return NGHTTP2_ERR_CALLBACK_FAILURE;
    if (take < n) drop(t, n - take);
    return 0;
}

/* A server may answer before it has read the whole request: the rest of it is not sent. */
static void answer_ended(struct h2_stream *t)
{
    bool unsent = t->call && t->call->sent < t->call->body_len;

    call_over(t, H2_ENDED, 0);
    if (unsent) reset(t, NGHTTP2_CANCEL);
}

/* --- what the server says of the connection --- */

static void on_settings(struct h2_conn *c)
{
    if (c->ready) {
        c->events->room(c->arg);
        return;
    }
    c->ready = true;
    c->events->ready(c->arg);
}

static void arm(struct h2_conn *c);

static int on_frame(nghttp2_session *ng, const nghttp2_frame *f, void *arg)
{
    struct h2_conn *c = arg;
    struct h2_stream *t = f->hd.stream_id ? stream_of(ng, f->hd.stream_id) : NULL;

    switch (f->hd.type) {
    case NGHTTP2_SETTINGS:
        if (!(f->hd.flags & NGHTTP2_FLAG_ACK)) on_settings(c);
        break;
    case NGHTTP2_GOAWAY:
        c->leaving = true;
        c->events->room(c->arg);
        break;
    case NGHTTP2_HEADERS:
    case NGHTTP2_DATA:
        if (t && f->hd.flags & NGHTTP2_FLAG_END_STREAM) answer_ended(t);
        break;
    default: break;
    }
    return 0;
}

/* nghttp2 ends streams above a GOAWAY's last one with REFUSED_STREAM. What never left is as good as
 * refused. */
static int on_close(nghttp2_session *ng, int32_t id, uint32_t code, void *arg)
{
    struct h2_conn *c = arg;
    struct h2_stream *t = stream_of(ng, id);

    if (!t) return 0;
    bool refused = code == NGHTTP2_REFUSED_STREAM || !t->head_sent;
    call_over(t, refused ? H2_REFUSED : H2_RESET, code);
    stream_free(t);
    arm(c);
    c->events->room(c->arg);
    return 0;
}

static int on_sent(nghttp2_session *ng, const nghttp2_frame *f, void *arg)
{
    struct h2_stream *t = f->hd.type == NGHTTP2_HEADERS ? stream_of(ng, f->hd.stream_id) : NULL;

    if (t) t->head_sent = true;
    return 0;
}

/* --- the body: copied once, from the caller's pieces behind each frame's head --- */

static ssize_t plan_data(nghttp2_session *ng, int32_t id, uint8_t *buf, size_t room,
                         uint32_t *flags, nghttp2_data_source *src, void *arg)
{
    struct h2_stream *t = src->ptr;

    if (!t->call) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE; /* its reset is on the way */
    size_t left = t->call->body_len - t->call->sent;
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (left <= room) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)MIN(left, room);
}

static void copy_body(struct h2_call *call, struct buf *out, size_t n)
{
    call->sent += n;
    while (n > 0) {
        const struct iovec *v = &call->body[call->iov];
        size_t take = MIN(n, v->iov_len - call->at);
        if (take) buf_add(out, (const char *)v->iov_base + call->at, take);
        n -= take;
        call->at += take;
        if (call->at < v->iov_len) continue;
        call->iov++;
        call->at = 0;
    }
}

static int send_data(nghttp2_session *ng, nghttp2_frame *f, const uint8_t *head, size_t n,
                     nghttp2_data_source *src, void *arg)
{
    struct h2_conn *c = arg;
    struct h2_stream *t = src->ptr;
    struct buf *out = wire_out(c->wire);

    if (!t->call) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    c->full = wire_waiting(c->wire) >= c->out_high;
    if (c->full) return NGHTTP2_ERR_WOULDBLOCK; /* asked again for the same frame */
    ASSERT(f->data.padlen == 0);
    buf_add(out, head, 9);
    copy_body(t->call, out, n);
    return buf_err(out) ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

/* --- output --- */

static void lost(struct h2_conn *c, enum http_fail fail, const char *text);

static void produce(struct h2_conn *c)
{
    const uint8_t *p;

    c->full = false;
    while (!c->full) {
        ssize_t n = nghttp2_session_mem_send(
            c->ng, &p); /* frames of data do not pass here, see send_data */
        if (n < 0) {
            lost(c, HTTP_BROKEN, nghttp2_strerror((int)n));
            return;
        }
        if (n == 0) return;
        buf_add(wire_out(c->wire), p, (size_t)n);
        c->full = wire_waiting(c->wire) >= c->out_high;
    }
}

static void conn_release(struct h2_conn *c)
{
    nghttp2_session_del(c->ng);
    timer_free(c->timer);
    free(c);
}

static void on_pump(struct msg *m)
{
    struct h2_conn *c = container_of(m, struct h2_conn, pump);

    c->pumping = false;
    if (c->freed) {
        conn_release(c);
        return;
    }
    if (c->dead) return;
    produce(c);
    if (c->dead) return;
    wire_flush(c->wire);
    if (c->full && wire_waiting(c->wire) == 0) wake(c); /* the socket takes more */
    if ((c->leaving && c->n_live == 0) ||
        (!nghttp2_session_want_read(c->ng) && !nghttp2_session_want_write(c->ng)))
        lost(c, HTTP_BROKEN,
             c->leaving ? "the server closed the connection"
                        : "the server does not keep to HTTP/2");
}

static void wake(struct h2_conn *c)
{
    if (c->pumping) return;
    c->pumping = true;
    loop_defer(c->loop, &c->pump);
}

/* --- keepalive: a ping after silence; no answer in time, and the connection counts as lost --- */

static bool wants_pings(const struct h2_conn *c)
{
    return c->ready && c->ping_every > 0 && (c->ping_idle || c->n_live > 0);
}

static void arm(struct h2_conn *c)
{
    i64 now = loop_now(c->loop), at = c->ping_due      ? c->ping_due
                                      : wants_pings(c) ? c->last_read + c->ping_every
                                                       : 0;

    if (c->dead) return;
    if (at)
        timer_start(c->timer, MAX(at - now, NS_PER_MS));
    else
        timer_stop(c->timer);
}

static void ping(struct h2_conn *c)
{
    if (c->ping_due || nghttp2_submit_ping(c->ng, NGHTTP2_FLAG_NONE, NULL) != 0) return;
    c->ping_due = loop_now(c->loop) + c->ping_timeout;
    wake(c);
}

static void on_timer(void *arg)
{
    struct h2_conn *c = arg;
    i64 now = loop_now(c->loop);

    if (c->ping_due && c->ping_due <= now) {
        lost(c, HTTP_BROKEN, "keepalive ping failed to receive ACK within timeout");
        return;
    }
    if (wants_pings(c) && c->last_read + c->ping_every <= now) ping(c);
    arm(c);
}

void h2_probe(struct h2_call *call, i64 since)
{
    struct h2_conn *c = call->stream->conn;

    if (c->dead || c->last_read > since) return;
    ping(c);
    arm(c);
}

/* --- the wire --- */

static void end_calls(struct h2_conn *c, const char *why)
{
    list_each (&c->streams, node) {
        struct h2_stream *t = list_item(node, struct h2_stream, node);
        if (t->call) t->call->why = arena_strdup(t->call->arena, str_of(why));
        call_over(t, t->head_sent ? H2_LOST : H2_REFUSED, 0);
        stream_free(t);
    }
}

/* The session stays until h2_free: this may be inside one of its callbacks. */
static void lost(struct h2_conn *c, enum http_fail fail, const char *text)
{
    if (c->dead) return;
    c->dead = true;
    timer_stop(c->timer);
    wire_free(c->wire);
    c->wire = NULL;
    end_calls(c, text);
    c->events->failed(c->arg, fail, text);
}

static void on_lost(void *arg, enum http_fail fail, const char *text)
{
    lost(arg, fail, text);
}

static void on_input(void *arg, const char *p, size_t n)
{
    struct h2_conn *c = arg;

    c->last_read = loop_now(c->loop);
    c->ping_due = 0; /* whoever sends is alive */
    ssize_t took = nghttp2_session_mem_recv(c->ng, (const uint8_t *)p, n);
    if (c->dead) return;
    if (took < 0)
        lost(c, HTTP_BROKEN,
             c->ready ? nghttp2_strerror((int)took)
                      : "error reading server preface: the server does not speak HTTP/2");
    else
        wake(c);
}

static void on_drained(void *arg)
{
    wake(arg);
}

static void on_open(void *arg)
{
    struct h2_conn *c = arg;
    const nghttp2_settings_entry iv[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, (uint32_t)HEADERS_MAX}};

    if (nghttp2_submit_settings(c->ng, NGHTTP2_FLAG_NONE, iv, ARRAY_LEN(iv)) != 0 ||
        nghttp2_session_set_local_window_size(c->ng, NGHTTP2_FLAG_NONE, 0, CONN_WINDOW) != 0)
        lost(c, HTTP_BROKEN, "out of memory");
    else
        wake(c);
}

static const struct wire_ops wire_ops = {
    .ready = on_open, .input = on_input, .drained = on_drained, .failed = on_lost};

/* --- life --- */

static nghttp2_session *session_new(struct h2_conn *c)
{
    nghttp2_session_callbacks *cb;
    nghttp2_option *opt;
    nghttp2_session *ng = NULL;

    if (nghttp2_session_callbacks_new(&cb) != 0) return NULL;
    nghttp2_session_callbacks_set_on_header_callback(cb, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(cb, on_frame);
    nghttp2_session_callbacks_set_on_frame_send_callback(cb, on_sent);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(cb, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(cb, on_close);
    nghttp2_session_callbacks_set_send_data_callback(cb, send_data);
    if (nghttp2_option_new(&opt) == 0) {
        nghttp2_option_set_max_settings(opt, 32);
        nghttp2_option_set_max_continuations(opt, 8);
        (void)nghttp2_session_client_new2(&ng, cb, c, opt); /* ng stays NULL when memory is out */
        nghttp2_option_del(opt);
    }
    nghttp2_session_callbacks_del(cb);
    return ng;
}

struct h2_conn *h2_dial(struct loop *l, const struct h2_conf *conf)
{
    struct h2_conn *c = xnew(struct h2_conn);
    struct wire_conf wire = conf->wire;

    c->loop = l;
    c->events = conf->events;
    c->arg = conf->arg;
    c->pump.fn = on_pump;
    c->ping_every = conf->ping_every > 0 ? MAX(conf->ping_every, PING_LEAST) : 0;
    c->ping_timeout = conf->ping_timeout > 0 ? conf->ping_timeout : PING_TIMEOUT;
    c->ping_idle = conf->ping_idle;
    c->out_high = conf->write_buffer ? MIN(MAX(conf->write_buffer, OUT_LEAST), OUT_MOST) : OUT_HIGH;
    c->last_read = loop_now(l);
    c->timer = timer_new(l, on_timer, c);
    list_init(&c->streams);
    c->ng = session_new(c);
    ASSERT(c->ng); /* only memory can be missing, and little of it */
    wire.ops = &wire_ops;
    wire.arg = c;
    c->wire = wire_dial(l, &wire);
    return c;
}

/* A pump may be queued, and we may be inside nghttp2: memory goes with the next pump. */
void h2_free(struct h2_conn *c)
{
    if (!c) return;
    if (!c->dead) {
        c->dead = true;
        timer_stop(c->timer);
        wire_free(c->wire);
        end_calls(c, "the connection is closing");
    }
    c->freed = true;
    wake(c);
}

/* --- calls --- */

static size_t allowed(const struct h2_conn *c)
{
    return nghttp2_session_get_remote_settings(c->ng, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
}

bool h2_leaves(const struct h2_conn *c)
{
    return c->leaving || c->dead;
}

bool h2_can_start(const struct h2_conn *c)
{
    return c->ready && !h2_leaves(c) && c->n_live < allowed(c) &&
           nghttp2_session_check_request_allowed(c->ng);
}

size_t h2_in_flight(const struct h2_conn *c)
{
    return c->n_live;
}

static void call_reset(struct h2_call *call)
{
    call->sent = call->iov = call->at = call->header_bytes = 0;
    call->status = 0;
    call->truncated = false;
    call->dropped = 0;
    vec_clear(&call->headers);
    buf_done(&call->answer);
    buf_init(&call->answer, call->max_answer);
}

void h2_start(struct h2_conn *c, struct h2_call *call)
{
    struct h2_stream *t = xnew(struct h2_stream);
    nghttp2_data_provider source = {.source.ptr = t, .read_callback = plan_data};

    ASSERT(h2_can_start(c));
    call_reset(call);
    t->conn = c;
    t->call = call;
    call->stream = t;
    list_add_tail(&c->streams, &t->node);
    c->n_live++;
    t->id = nghttp2_submit_request(c->ng, NULL, call->head, call->n_head, &source, t);
    if (t->id < 0) { /* memory, or the last stream number was used */
        c->leaving = true;
        call_over(t, H2_REFUSED, 0);
        stream_free(t);
        return;
    }
    arm(c);
    wake(c);
}
