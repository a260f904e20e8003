/* HTTP/1 on a server connection: one request at a time. A cycle is over when the body is read, the
 * answer is given and written; bytes of a pipelined next request are held by the connection
 * meanwhile. Bodies with a length are read by the kernel straight into their blob. */
#include "net/http1.h"

#include "base/num.h"
#include "base/xalloc.h"
#include "net/conn.h"
#include "net/request.h"

#define DRAIN_MAX                                                                                  \
    ((u64)1024 * 1024) /* rest of a refused body that is read to keep the connection */
#define RATE_WINDOW (20 * NS_PER_SEC)

enum state { IDLE, HEAD, BODY, CHUNKED, DONE };

struct http1 {
    struct conn *c;
    struct http1_head head;
    struct request q;
    enum state state;
    u64 left;     /* of a body with a length */
    bool flushed; /* the answer was written */
    bool keep;    /* the connection may serve another request */
    bool expects; /* the client waits for "100 Continue" */
    bool busy;    /* inside input(): it follows up on answers itself */
    i64 window_ends;
    size_t window_bytes;
    struct msg flush; /* of an answer that goes on: written together, later in the turn */
    bool flushing;
};

static struct http1 *of(struct conn *c)
{
    return c->session;
}

/* --- timers --- */

static i64 in(const struct http1 *s, i64 after)
{
    return after > 0 ? loop_now(s->c->loop) + after : 0;
}

static i64 body_due(const struct http1 *s)
{
    const struct http_conf *conf = &s->c->conf->h;
    i64 whole = conf->read_timeout > 0 ? s->q.started + conf->read_timeout : 0;
    i64 rate = conf->min_body_rate > 0 ? s->window_ends : 0;

    return !whole ? rate : !rate ? whole : MIN(whole, rate);
}

static void start_window(struct http1 *s)
{
    s->window_ends = in(s, RATE_WINDOW);
    s->window_bytes = 0;
}

static void arm(struct http1 *s)
{
    const struct http_conf *conf = &s->c->conf->h;
    i64 due = s->state == IDLE   ? in(s, s->c->draining ? FRESH_TIME : conf->idle_timeout)
              : s->state == HEAD ? in(s, conf->read_header_timeout)
              : s->state == DONE ? 0
                                 : body_due(s);
    conn_arm(s->c, due);
}

static void enter(struct http1 *s, enum state state)
{
    s->state = state;
    if (state == BODY || state == CHUNKED) start_window(s);
    arm(s);
}

/* --- answers --- */

static void add_clean(struct buf *out, struct str s)
{
    size_t at = out->n;

    buf_str(out, s);
    for (size_t i = at; i < out->n; i++)
        if (out->p[i] == '\r' || out->p[i] == '\n')
            out->p[i] = ' '; /* a value must not end its header */
}

static void add_header(struct buf *out, struct str name, struct str value)
{
    add_clean(out, name);
    buf_str(out, STR(": "));
    add_clean(out, value);
    buf_str(out, STR("\r\n"));
}

static bool has_no_body(int status)
{
    return status < 200 || status == 204 || status == 304;
}

#define LENGTH_UNKNOWN (-1)

/* Where the body ends. */
static void write_framing(struct http1 *s, int version, i64 body_len)
{
    if (body_len != LENGTH_UNKNOWN)
        buf_printf(&s->c->out, "Content-Length: %lld\r\n", (long long)body_len);
    else if (version == 1)
        buf_str(&s->c->out, STR("Transfer-Encoding: chunked\r\n"));
}

static void write_head(struct http1 *s, const struct http_answer *a, i64 body_len)
{
    struct buf *out = &s->c->out;
    int version = s->q.pub.version == 10 ? 0 : 1;

    buf_printf(out, "HTTP/1.%d %d %s\r\n", version, a->status, http_status_text(a->status));
    for (size_t i = 0; i < a->n_headers; i++)
        add_header(out, a->headers[i].name, a->headers[i].value);
    add_header(out, STR("Date"), conn_date(s->c));
    if (!has_no_body(a->status)) write_framing(s, version, body_len);
    if (!s->keep)
        buf_str(out, STR("Connection: close\r\n"));
    else if (version == 0)
        buf_str(out, STR("Connection: keep-alive\r\n"));
    buf_str(out, STR("\r\n"));
}

static void write_body(struct http1 *s, const struct http_answer *a)
{
    if (has_no_body(a->status) || str_is(s->q.pub.method, "HEAD")) return;
    if (a->blob)
        conn_send_blob(s->c, a->blob);
    else
        buf_str(&s->c->out, a->body);
}

/* A refused body is read over when that is cheap; otherwise the connection ends. */
static bool worth_keeping(const struct http1 *s)
{
    if (!s->keep || s->c->draining || s->c->conf->h.no_keepalive) return false;
    if (s->state == DONE) return true;
    return s->state == BODY && s->left <= DRAIN_MAX && !s->expects;
}

static void follow_up(struct http1 *s);

static void respond(struct request *q, const struct http_answer *a)
{
    struct http1 *s = container_of(q, struct http1, q);
    bool nested = s->busy;

    s->busy = true;
    s->keep = worth_keeping(s);
    write_head(s, a, (i64)(a->blob ? a->blob->n : a->body.n));
    write_body(s, a);
    conn_flush(s->c);
    s->busy = nested;
    if (!nested) follow_up(s);
}

/* --- answers that go on --- */

static void drained(struct conn *c);

static void on_flush(struct msg *m)
{
    struct http1 *s = container_of(m, struct http1, flush);

    s->flushing = false;
    if (s->c->dead) return;
    if (conn_has_output(s->c))
        conn_flush(s->c);
    else
        drained(s->c); /* ended when all had been written */
}

static void flush_later(struct http1 *s)
{
    if (s->flushing) return;
    s->flushing = true;
    s->flush.fn = on_flush;
    loop_defer(s->c->loop, &s->flush);
}

static bool is_chunked(const struct request *q)
{
    return q->pub.version == 11;
}

static void stream_begin(struct request *q, const struct http_answer *head)
{
    struct http1 *s = container_of(q, struct http1, q);

    ASSERT(s->state == DONE && !has_no_body(head->status));
    s->keep = is_chunked(q) && worth_keeping(s);
    write_head(s, head, LENGTH_UNKNOWN);
    flush_later(s);
}

static void stream_write(struct request *q, struct str piece)
{
    struct http1 *s = container_of(q, struct http1, q);

    if (is_chunked(q)) buf_printf(&s->c->out, "%zx\r\n", piece.n);
    buf_str(&s->c->out, piece);
    if (is_chunked(q)) buf_str(&s->c->out, STR("\r\n"));
    flush_later(s);
}

static void stream_end(struct request *q)
{
    struct http1 *s = container_of(q, struct http1, q);

    if (is_chunked(q) && !str_is(q->pub.method, "HEAD")) buf_str(&s->c->out, STR("0\r\n\r\n"));
    flush_later(s);
}

static size_t stream_pending(const struct request *q)
{
    return q->c->out.n - q->c->out_at;
}

static const struct request_ops ops = {
    .respond = respond,
    .stream_begin = stream_begin,
    .stream_write = stream_write,
    .stream_end = stream_end,
    .stream_pending = stream_pending,
};

/* An answer of our own, after which the connection ends. What the handler knows of is gone for it.
 */
static void refuse(struct http1 *s, int status, struct str text)
{
    if (s->q.answered) {
        conn_close(s->c);
        return;
    }
    request_gone(&s->q);
    s->q.answered = false;
    s->keep = false;
    http_respond_text(&s->q.pub, status, text);
}

/* --- the cycle --- */

static void end_cycle(struct http1 *s)
{
    struct conn *c = s->c;

    request_done(&s->q);
    http1_head_reset(&s->head);
    request_init(&s->q, c, &ops);
    s->flushed = s->expects = false;
    enter(s, IDLE);
    if (c->held.n) conn_resume(c);
}

static void follow_up(struct http1 *s)
{
    struct conn *c = s->c;

    if (c->dead || c->close_after || !s->q.answered || !s->flushed) return;
    if (!s->keep || (c->draining && s->state == DONE))
        conn_linger(c);
    else if (s->state == DONE)
        end_cycle(s);
}

static void drained(struct conn *c)
{
    struct http1 *s = of(c);

    s->flushed = s->q.answered && !s->q.stream.open;
    if (!s->busy) follow_up(s);
}

/* --- reading --- */

static size_t count_header(const struct http1 *s, struct str name)
{
    size_t n = 0;

    for (size_t i = 0; i < s->head.headers.n; i++)
        n += str_ieq(s->head.headers.v[i].name, name);
    return n;
}

/* Looks for a token in a comma-separated header. */
static bool has_token(struct str list, struct str token)
{
    while (list.p)
        if (str_ieq(str_trim(str_cut(&list, ',')), token)) return true;
    return false;
}

static bool wants_h2c(const struct http1 *s)
{
    const struct http_req *r = &s->q.pub;

    return !s->c->ssl && !s->c->conf->h.no_h2 && r->version == 11 &&
           has_token(http_req_header(r, STR("Upgrade")), STR("h2c")) &&
           has_token(http_req_header(r, STR("Connection")), STR("HTTP2-Settings")) &&
           count_header(s, STR("HTTP2-Settings")) == 1;
}

static void session_free(struct http1 *s)
{
    request_done(&s->q);
    http1_head_done(&s->head);
    free(s);
}

/* True when the connection speaks HTTP/2 now, and this session is gone. */
static bool upgrade(struct http1 *s)
{
    struct conn *c = s->c;

    if (!wants_h2c(s) || s->q.seen ||
        http2_upgrade(c, http_req_header(&s->q.pub, STR("HTTP2-Settings")), &s->q) != 0)
        return false;
    session_free(s);
    return true;
}

static void complete(struct http1 *s)
{
    enter(s, DONE);
    request_complete(&s->q);
}

struct refusal {
    int status;
    struct str text;
};

/* What is wrong with a head that could be parsed; status 0: nothing. */
static struct refusal judge(struct http1 *s)
{
    int version = http1_version(&s->head);
    struct str expect = http_req_header(&s->q.pub, STR("Expect"));

    if (version != 11 && version != 10)
        return (struct refusal){505, STR("HTTP version not supported\n")};
    if (s->c->conf->h.h2_only)
        return (struct refusal){505, STR("this address speaks HTTP/2 only\n")};
    if (version == 11 && count_header(s, STR("Host")) != 1)
        return (struct refusal){400, STR("400 Bad Request: missing or repeated Host header\n")};
    if (!request_set_target(&s->q, http1_target(&s->head)))
        return (struct refusal){400, STR("400 Bad Request: malformed request target\n")};
    if (expect.n && !str_ieq(expect, STR("100-continue")))
        return (struct refusal){417, STR("417 Expectation Failed\n")};
    s->expects = expect.n > 0 && version == 11;
    return (struct refusal){0};
}

static void fill(struct http1 *s)
{
    struct http_req *r = &s->q.pub;

    r->method = http1_method(&s->head);
    r->version = http1_version(&s->head);
    r->headers = s->head.headers.v;
    r->n_headers = s->head.headers.n;
    s->keep = s->head.keep_alive;
    s->left = (u64)MAX(s->head.content_length, 0);
}

static void invite_body(struct http1 *s)
{
    if (!s->expects) return;
    s->expects = false;
    buf_str(&s->c->out, STR("HTTP/1.1 100 Continue\r\n\r\n"));
    conn_flush(s->c);
}

static void head_complete(struct http1 *s)
{
    fill(s);
    struct refusal no = judge(s);
    if (no.status) {
        refuse(s, no.status, no.text);
        return;
    }
    if (!s->head.chunked && s->left == 0) {
        s->expects = false;
        enter(s, DONE);
        if (!upgrade(s) && request_begin(&s->q, 0)) complete(s);
        return;
    }
    enter(s, s->head.chunked ? CHUNKED : BODY);
    if (request_begin(&s->q, s->head.chunked ? -1 : s->head.content_length)) invite_body(s);
}

static size_t read_idle(struct http1 *s, const char *p, size_t n)
{
    enter(s, HEAD);
    return 0;
}

static size_t read_head(struct http1 *s, const char *p, size_t n)
{
    size_t took;

    switch (http1_parse(&s->head, p, n, &took)) {
    case HTTP1_MORE: break;
    case HTTP1_HEAD: head_complete(s); break;
    case HTTP1_TOO_BIG: refuse(s, 431, STR("431 Request Header Fields Too Large\n")); break;
    case HTTP1_END:
    case HTTP1_BAD: refuse(s, 400, STR("400 Bad Request\n")); break;
    }
    return took;
}

static void body_took(struct http1 *s, size_t n)
{
    s->left -= n;
    s->window_bytes += n;
    if (s->left == 0) complete(s);
}

static size_t read_body(struct http1 *s, const char *p, size_t n)
{
    size_t take = (size_t)MIN((u64)n, s->left);

    if (!s->q.answered) request_add(&s->q, p, take);
    if (s->c->dead || s->c->close_after) return take;
    body_took(s, take);
    return take;
}

static void on_chunk(void *arg, const char *p, size_t n)
{
    struct http1 *s = arg;

    s->window_bytes += n;
    if (!s->q.answered && !s->c->dead) request_add(&s->q, p, n);
}

static size_t read_chunked(struct http1 *s, const char *p, size_t n)
{
    size_t took;
    enum http1_result r = http1_parse(&s->head, p, n, &took);

    if (s->c->dead || s->c->close_after) return n;
    if (r == HTTP1_END)
        complete(s);
    else if (r != HTTP1_MORE)
        refuse(s, 400, STR("400 Bad Request\n"));
    return took;
}

static size_t read_done(struct http1 *s, const char *p, size_t n)
{
    return 0; /* the next request waits for the end of this one */
}

static size_t (*const readers[])(struct http1 *s, const char *p, size_t n) = {
    [IDLE] = read_idle,       [HEAD] = read_head, [BODY] = read_body,
    [CHUNKED] = read_chunked, [DONE] = read_done,
};

/* False when the session is over, or was replaced by HTTP/2. */
static bool goes_on(struct conn *c)
{
    return !c->dead && !c->close_after && c->proto == &http1_proto;
}

static size_t input(struct conn *c, const char *p, size_t n)
{
    struct http1 *s = of(c);
    size_t at = 0;

    s->busy = true;
    while (at < n) {
        enum state was = s->state;
        size_t took = readers[was](s, p + at, n - at);
        at += took;
        if (!goes_on(c)) return at;
        follow_up(s);
        if (!goes_on(c) || (took == 0 && s->state == was)) break;
    }
    s->busy = false;
    return at;
}

static char *place(struct conn *c, size_t *ret_n)
{
    struct http1 *s = of(c);
    struct blob *b = s->q.pub.body;

    if (s->state != BODY || s->q.answered) return NULL;
    *ret_n = b->cap - b->n;
    return b->p + b->n;
}

static void placed(struct conn *c, size_t n)
{
    struct http1 *s = of(c);

    s->busy = true;
    s->q.pub.body->n += n;
    body_took(s, n);
    s->busy = false;
    if (goes_on(c)) follow_up(s);
}

static size_t expects(const struct conn *c)
{
    const struct http1 *s = c->session;

    return s->state == BODY ? (size_t)MIN(s->left, (u64)SIZE_MAX) : 0;
}

/* --- ends --- */

static bool fast_enough(struct http1 *s)
{
    const struct http_conf *conf = &s->c->conf->h;
    i64 now = loop_now(s->c->loop);

    if (conf->read_timeout > 0 && now >= s->q.started + conf->read_timeout) return false;
    return conf->min_body_rate <= 0 || now < s->window_ends ||
           (i64)s->window_bytes >= conf->min_body_rate * (RATE_WINDOW / NS_PER_SEC);
}

static void timeout(struct conn *c)
{
    struct http1 *s = of(c);

    if (s->state == IDLE) {
        conn_close(c);
    } else if (s->state != HEAD && fast_enough(s)) {
        start_window(s);
        arm(s);
    } else {
        refuse(s, 408, STR("408 Request Timeout\n"));
    }
}

/* A client that closes its half while it waits cannot be told from one that left: like other
 * servers, ours takes it as gone. An answer that is being written is still written. */
static void eof(struct conn *c)
{
    struct http1 *s = of(c);

    s->keep = false;
    if (!s->q.answered || s->flushed || s->q.stream.open) conn_close(c);
}

static void drain(struct conn *c)
{
    if (of(c)->state == IDLE) conn_close(c);
}

static void closed(struct conn *c)
{
    request_gone(&of(c)->q);
}

static void on_free(struct conn *c)
{
    session_free(of(c));
}

const struct conn_proto http1_proto = {
    .input = input,
    .place = place,
    .placed = placed,
    .expects = expects,
    .drained = drained,
    .timeout = timeout,
    .eof = eof,
    .drain = drain,
    .closed = closed,
    .free = on_free,
};

void http1_start(struct conn *c)
{
    struct http1 *s = xnew(struct http1);

    s->c = c;
    http1_head_init(&s->head, c->conf->h.max_header_bytes, on_chunk, s);
    request_init(&s->q, c, &ops);
    c->proto = &http1_proto;
    c->session = s;
    enter(s, IDLE);
}
