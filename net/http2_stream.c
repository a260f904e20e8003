/* One HTTP/2 stream: collects headers within their limit, feeds the request, turns the answer into
 * HEADERS, DATA and trailers. */
#include "net/http2_stream.h"

#include "base/num.h"
#include "base/xalloc.h"

#define ARENA_FIRST     2048
#define DROP_MAX        ((size_t)16 * 1024 * 1024)
#define HEADER_OVERHEAD 32 /* what RFC 9113 counts for each field besides its bytes */
#define RATE_WINDOW     (20 * NS_PER_SEC)

/* --- the answer --- */

static ssize_t read_answer(nghttp2_session *ng, int32_t id, uint8_t *buf, size_t room,
                           uint32_t *flags, nghttp2_data_source *src, void *arg)
{
    struct http2_stream *t = src->ptr;
    size_t n = MIN(room, t->n);

    memcpy(buf, t->p, n);
    t->p += n;
    t->n -= n;
    if (t->n > 0) return (ssize_t)n;
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (t->n_trailers) {
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        int r = nghttp2_submit_trailer(ng, id, t->trailers, t->n_trailers);
        if (r != 0)
            return nghttp2_is_fatal(r) ? NGHTTP2_ERR_CALLBACK_FAILURE
                                       : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    return (ssize_t)n;
}

/* HTTP/2 wants lower-case names; CR, LF and NUL must not be sent. */
static void clean(struct str s, char *to, bool lower)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (lower && c >= 'A' && c <= 'Z') c = (char)(c | 0x20);
        to[i] = c == '\r' || c == '\n' || c == '\0' ? ' ' : c;
    }
}

static nghttp2_nv nv_of(struct arena *a, struct str name, struct str value)
{
    char *text = arena_alloc(a, name.n + value.n + 1);

    clean(name, text, true);
    clean(value, text + name.n, false);
    return (nghttp2_nv){(uint8_t *)text, (uint8_t *)text + name.n, name.n, value.n,
                        NGHTTP2_NV_FLAG_NONE};
}

/* Belong to HTTP/1 connections, or are ours to set. */
static bool is_ours(struct str name)
{
    static const char *const names[] = {"connection", "keep-alive",     "transfer-encoding",
                                        "upgrade",    "content-length", "date"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_ieq(name, str_of(names[i]))) return true;
    return false;
}

static size_t add_all(struct http2_stream *t, nghttp2_nv *nv, size_t n, const struct http_header *h,
                      size_t n_h)
{
    for (size_t i = 0; i < n_h; i++)
        if (!is_ours(h[i].name)) nv[n++] = nv_of(&t->q.arena, h[i].name, h[i].value);
    return n;
}

static void take_body(struct http2_stream *t, const struct http_answer *a)
{
    if (str_is(t->q.pub.method, "HEAD")) return;
    if (a->blob) {
        t->blob = blob_ref(a->blob);
        t->p = a->blob->p;
        t->n = a->blob->n;
    } else if (a->body.n) {
        t->p = arena_memdup(&t->q.arena, a->body.p, a->body.n);
        t->n = a->body.n;
    }
}

static void take_trailers(struct http2_stream *t, const struct http_answer *a)
{
    if (a->n_trailers == 0) return;
    t->trailers = arena_array(&t->q.arena, nghttp2_nv, a->n_trailers);
    t->n_trailers = add_all(t, t->trailers, 0, a->trailers, a->n_trailers);
}

/* Status, headers and date: two more than the answer's headers. Returns how many. */
static size_t add_head(struct http2_stream *t, nghttp2_nv *nv, const struct http_answer *a)
{
    struct arena *mem = &t->q.arena;

    nv[0] = nv_of(mem, STR(":status"), str_of(arena_printf(mem, "%d", a->status)));
    size_t n = add_all(t, nv, 1, a->headers, a->n_headers);
    nv[n] = nv_of(mem, STR("date"), conn_date(t->s->c));
    return n + 1;
}

static void submit(struct http2_stream *t, const nghttp2_nv *nv, size_t n,
                   const nghttp2_data_provider *body)
{
    if (nghttp2_submit_response(t->s->ng, t->id, nv, n, body) != 0)
        nghttp2_submit_rst_stream(t->s->ng, NGHTTP2_FLAG_NONE, t->id, NGHTTP2_INTERNAL_ERROR);
    t->s->early_pings = 0;
    http2_wake(t->s);
}

static void respond(struct request *q, const struct http_answer *a)
{
    struct http2_stream *t = container_of(q, struct http2_stream, q);
    size_t body_len = a->blob ? a->blob->n : a->body.n;
    nghttp2_nv *nv = arena_array(&q->arena, nghttp2_nv, a->n_headers + 3);

    take_body(t, a);
    take_trailers(t, a);
    size_t n = add_head(t, nv, a);
    if (!t->n_trailers && a->status != 204 && a->status != 304)
        nv[n++] = nv_of(&q->arena, STR("content-length"),
                        str_of(arena_printf(&q->arena, "%zu", body_len)));
    nghttp2_data_provider source = {.source.ptr = t, .read_callback = read_answer};
    bool has_data = t->n > 0 || t->n_trailers > 0;
    submit(t, nv, n, has_data ? &source : NULL);
    i64 limit = t->s->c->conf->h.write_timeout;
    t->answer_due = limit > 0 ? loop_now(t->s->c->loop) + limit : 0;
}

/* --- answers that go on --- */

#define PENDING_MAX ((size_t)1 << 30) /* http_stream.c keeps to the stream's own limit */

/* The peer has the write timeout for the next bytes, from now. */
static void renew_answer_due(struct http2_stream *t)
{
    i64 limit = t->s->c->conf->h.write_timeout;
    bool waits = t->pending.n > t->pending_at;

    t->answer_due = waits && limit > 0 ? loop_now(t->s->c->loop) + limit : 0;
}

static void took_pending(struct http2_stream *t, size_t n)
{
    t->pending_at += n;
    if (t->pending_at >= t->pending.n / 2) { /* each byte is moved once at most */
        buf_consume(&t->pending, t->pending_at);
        t->pending_at = 0;
    }
    renew_answer_due(t);
}

static ssize_t read_pending(nghttp2_session *ng, int32_t id, uint8_t *buf, size_t room,
                            uint32_t *flags, nghttp2_data_source *src, void *arg)
{
    struct http2_stream *t = src->ptr;
    size_t n = MIN(room, t->pending.n - t->pending_at);

    if (n == 0 && t->q.stream.open) return NGHTTP2_ERR_DEFERRED;
    if (n > 0) memcpy(buf, t->pending.p + t->pending_at, n);
    took_pending(t, n);
    if (t->pending.n == 0 && !t->q.stream.open) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)n;
}

static void stream_begin(struct request *q, const struct http_answer *head)
{
    struct http2_stream *t = container_of(q, struct http2_stream, q);
    nghttp2_data_provider source = {.source.ptr = t, .read_callback = read_pending};
    bool has_body = !str_is(q->pub.method, "HEAD");
    nghttp2_nv *nv = arena_array(&q->arena, nghttp2_nv, head->n_headers + 2);
    size_t n = add_head(t, nv, head);

    buf_init(&t->pending, PENDING_MAX);
    submit(t, nv, n, has_body ? &source : NULL);
}

static void resume(struct http2_stream *t)
{
    (void)nghttp2_session_resume_data(t->s->ng, t->id); /* fails when it was not deferred */
    http2_wake(t->s);
}

static void stream_write(struct request *q, struct str piece)
{
    struct http2_stream *t = container_of(q, struct http2_stream, q);

    buf_str(&t->pending, piece);
    if (!t->answer_due) renew_answer_due(t);
    resume(t);
}

static void stream_end(struct request *q)
{
    resume(container_of(q, struct http2_stream, q));
}

static size_t stream_pending(const struct request *q)
{
    const struct http2_stream *t = container_of(q, const struct http2_stream, q);

    return t->pending.n - t->pending_at;
}

static const struct request_ops ops = {
    .respond = respond,
    .stream_begin = stream_begin,
    .stream_write = stream_write,
    .stream_end = stream_end,
    .stream_pending = stream_pending,
};

/* --- the request --- */

struct http2_stream *http2_stream_new(struct http2 *s, i32 id)
{
    struct http2_stream *t = xnew(struct http2_stream);

    t->s = s;
    t->id = id;
    t->opened = loop_now(s->c->loop);
    request_init(&t->q, s->c, &ops);
    arena_init(&t->q.arena, ARENA_FIRST);
    t->q.pub.version = 20;
    list_add_tail(&s->streams, &t->node);
    s->n_streams++;
    return t;
}

void http2_stream_free(struct http2_stream *t)
{
    request_gone(&t->q);
    list_del(&t->node);
    t->s->n_streams--;
    blob_unref(t->blob);
    buf_done(&t->pending);
    vec_done(&t->headers);
    request_done(&t->q);
    free(t);
}

/* nghttp2 has checked that pseudo headers come first and once. */
static bool pseudo(struct http2_stream *t, struct str name, struct str value)
{
    if (str_is(name, ":method"))
        t->q.pub.method = value;
    else if (str_is(name, ":path"))
        t->malformed |= !request_set_target(&t->q, value);
    else if (str_is(name, ":authority"))
        vec_push(&t->headers, ((struct http_header){STR("host"), value}));
    return name.n > 0 && name.p[0] == ':';
}

void http2_stream_header(struct http2_stream *t, struct str name, struct str value)
{
    size_t limit = t->s->c->conf->h.max_header_bytes;

    if (t->head_done) return; /* trailers of a request mean nothing to anyone here */
    t->header_bytes += name.n + value.n + HEADER_OVERHEAD;
    if (t->header_bytes > limit) t->too_big = true;
    if (t->too_big) return;
    struct str v = arena_str(&t->q.arena, value);
    if (pseudo(t, name, v)) return;
    vec_push(&t->headers, ((struct http_header){arena_str(&t->q.arena, name), v}));
}

/* Digits only; nghttp2 has refused anything else and will compare it with the body. */
static i64 content_length(const struct http_req *r, bool ends)
{
    i64 n;

    if (ends) return 0;
    return num_parse_i64(http_req_header(r, STR("content-length")), &n) == 0 && n >= 0 ? n : -1;
}

static bool host_is_doubled(const struct http2_stream *t)
{
    size_t n = 0;

    for (size_t i = 0; i < t->headers.n; i++)
        n += str_is(t->headers.v[i].name, "host");
    return n > 1 && !str_eq(t->headers.v[0].value,
                            http_header_get(t->headers.v + 1, t->headers.n - 1, STR("host")));
}

void http2_stream_headers_end(struct http2_stream *t, bool ends)
{
    struct http_req *r = &t->q.pub;

    t->head_done = true;
    t->window_ends = loop_now(t->s->c->loop) + RATE_WINDOW;
    r->headers = t->headers.v;
    r->n_headers = t->headers.n;
    if (t->too_big)
        http_respond_text(r, 431, STR("431 Request Header Fields Too Large\n"));
    else if (t->malformed || !r->path.n || host_is_doubled(t))
        http_respond_text(r, 400, STR("400 Bad Request\n"));
    else
        request_begin(&t->q, content_length(r, ends));
}

/* A client that goes on sending after its answer is told to stop late: many take the early end of a
 * stream for a failure and lose the answer. */
static void drop_data(struct http2_stream *t, size_t n)
{
    t->dropped += n;
    if (t->dropped <= DROP_MAX) return;
    nghttp2_submit_rst_stream(t->s->ng, NGHTTP2_FLAG_NONE, t->id, NGHTTP2_NO_ERROR);
    http2_wake(t->s);
}

void http2_stream_data(struct http2_stream *t, const char *p, size_t n)
{
    t->window_bytes += n;
    if (t->q.answered)
        drop_data(t, n);
    else
        request_add(&t->q, p, n);
}

void http2_stream_end(struct http2_stream *t)
{
    t->ended = true;
    if (t->head_done) request_complete(&t->q);
}

static bool is_slow(struct http2_stream *t, i64 now)
{
    const struct http_conf *h = &t->s->c->conf->h;

    if (t->answer_due && t->answer_due <= now) return true;
    if (t->ended) return false;
    if (!t->head_done)
        return h->read_header_timeout > 0 && t->opened + h->read_header_timeout <= now;
    if (h->read_timeout > 0 && t->q.started + h->read_timeout <= now) return true;
    if (h->min_body_rate <= 0 || now < t->window_ends) return false;
    bool slow = (i64)t->window_bytes < h->min_body_rate * (RATE_WINDOW / NS_PER_SEC);
    t->window_ends = now + RATE_WINDOW;
    t->window_bytes = 0;
    return slow;
}

void http2_stream_check(struct http2_stream *t, i64 now)
{
    if (is_slow(t, now))
        nghttp2_submit_rst_stream(t->s->ng, NGHTTP2_FLAG_NONE, t->id, NGHTTP2_CANCEL);
}

void http2_stream_copy(struct http2_stream *t, const struct request *first)
{
    struct arena *a = &t->q.arena;

    t->q.pub.method = arena_str(a, first->pub.method);
    t->malformed = !request_set_target(&t->q, arena_str(a, first->pub.target));
    for (size_t i = 0; i < first->pub.n_headers; i++) {
        const struct http_header *h = &first->pub.headers[i];
        vec_push(&t->headers,
                 ((struct http_header){arena_str(a, h->name), arena_str(a, h->value)}));
    }
}
