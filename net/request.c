/* The life of a request up to its answer. */
#include "net/request.h"

#include "base/digest.h"
#include "base/xalloc.h"
#include "net/conn.h"
#include "net/grpc.h"

#define BODY_FIRST ((size_t)4096) /* blob of a body of unknown length */

void request_init(struct request *q, struct conn *c, const struct request_ops *ops)
{
    *q = (struct request){.c = c, .ops = ops, .content_length = -1};
    arena_init(&q->arena, 0);
    q->pub.arena = &q->arena;
    q->pub.loop = c->loop;
    q->pub.tls = c->ssl != NULL;
    q->pub.peer = str_of(c->peer);
    q->pub.peer_ip = str_of(c->peer_ip);
    q->pub.body_limit = c->conf->h.max_body;
    q->pub._conn = c;
}

void request_done(struct request *q)
{
    blob_unref(q->pub.body);
    q->pub.body = NULL;
    arena_done(&q->arena);
}

/* %XX decoded into the arena; false on a broken escape or a NUL. */
static bool percent_decode(struct arena *a, struct str s, struct str *ret)
{
    if (str_chr(s, '%') < 0) {
        *ret = s;
        return true;
    }
    char *out = arena_alloc(a, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] != '%') {
            out[n++] = s.p[i];
            continue;
        }
        if (i + 2 >= s.n || hex_digit(s.p[i + 1]) < 0 || hex_digit(s.p[i + 2]) < 0) return false;
        out[n++] = (char)(hex_digit(s.p[i + 1]) * 16 + hex_digit(s.p[i + 2]));
        i += 2;
    }
    *ret = str_n(out, n);
    return !memchr(out, 0, n);
}

/* "http://host/path" (absolute form) is the same as "/path". */
static struct str origin_form(struct str target)
{
    ssize_t sep = str_find(target, STR("://"));

    if (target.n == 0 || target.p[0] == '/' || sep <= 0) return target;
    struct str rest = str_sub(target, (size_t)sep + 3, target.n);
    ssize_t slash = str_chr(rest, '/');
    return slash < 0 ? STR("/") : str_sub(rest, (size_t)slash, rest.n);
}

bool request_set_target(struct request *q, struct str target)
{
    struct str t = origin_form(target), path = str_cut(&t, '?');

    q->pub.target = target;
    q->pub.query = t;
    if (path.n == 0 || (path.p[0] != '/' && !str_is(path, "*"))) return false;
    return percent_decode(&q->arena, path, &q->pub.path);
}

static void too_large(struct request *q)
{
    const struct http_handler *h = &q->c->member->handler;

    if (h->too_large) {
        q->seen = true;
        h->too_large(q->c->member->arg, &q->pub);
    } else if (q->framed) {
        struct grpc_status s = grpc_too_large(&q->pub, q->pub.body_limit);
        grpc_respond(&q->pub, &s, (struct str){0});
    } else {
        http_respond_text(&q->pub, 413, STR("request body too large\n"));
    }
}

static void no_memory(struct request *q)
{
    static const struct http_header later[] = {
        {STR("Retry-After"), STR("1")}, {STR("Content-Type"), STR("text/plain; charset=utf-8")}};
    static const struct grpc_status unavailable = {.code = GRPC_UNAVAILABLE,
                                                   .message =
                                                       STR("out of memory for request bodies"),
                                                   .retry_delay = NS_PER_SEC};

    if (q->framed)
        grpc_respond(&q->pub, &unavailable, (struct str){0});
    else
        http_respond(&q->pub,
                     &(struct http_answer){.status = 503,
                                           .headers = later,
                                           .n_headers = 2,
                                           .body = STR("out of memory for request bodies\n")});
}

bool request_begin(struct request *q, i64 content_length)
{
    const struct http_handler *h = &q->c->member->handler;

    q->started = loop_now(q->c->loop);
    q->content_length = content_length;
    if (h->headers) {
        q->seen = true;
        h->headers(q->c->member->arg, &q->pub);
        if (q->answered) return false;
    }
    q->framed = q->pub.version == 20 && grpc_is(&q->pub);
    size_t extra = q->framed ? sizeof(q->frame) : 0;
    if (content_length > 0 && (u64)content_length > (u64)q->pub.body_limit + extra) {
        too_large(q);
        return false;
    }
    if (content_length < 0 || q->framed)
        return true; /* grown while it comes, or made when its length is known */
    q->pub.body = blob_new((size_t)content_length, q->c->conf->h.budget);
    if (!q->pub.body) no_memory(q);
    return q->pub.body != NULL;
}

/* Doubles, so that a body of unknown length is copied at most twice; never over the limit. */
static bool make_room(struct request *q, size_t n)
{
    struct blob *b = q->pub.body;

    if (!b) {
        q->pub.body = blob_new(MIN(MAX(n, BODY_FIRST), q->pub.body_limit), q->c->conf->h.budget);
        return q->pub.body != NULL;
    }
    if (n <= b->cap - b->n) return true;
    size_t want = MIN(MAX(b->n + n, 2 * b->cap), q->pub.body_limit);
    return blob_grow(b, want) == 0 || blob_grow(b, b->n + n) == 0;
}

/* The frame tells the size of the message: its blob is made to measure. */
static bool open_frame(struct request *q)
{
    u32 n = (u32)q->frame[1] << 24 | (u32)q->frame[2] << 16 | (u32)q->frame[3] << 8 | q->frame[4];

    if (n > q->pub.body_limit) {
        too_large(q);
        return false;
    }
    q->pub.body = blob_new(n, q->c->conf->h.budget);
    if (!q->pub.body) no_memory(q);
    return q->pub.body != NULL;
}

static bool add_framed(struct request *q, const char *p, size_t n)
{
    for (; n > 0 && q->n_frame < sizeof(q->frame); n--) {
        q->frame[q->n_frame++] = (u8)*p++;
        if (q->n_frame == sizeof(q->frame) && !open_frame(q)) return false;
    }
    if (n == 0) return true;
    struct blob *b = q->pub.body;
    size_t take = MIN(n, b->cap - b->n);
    if (take) memcpy(b->p + b->n, p, take);
    b->n += take;
    q->overrun |= take < n; /* not kept: a unary call has one message */
    return true;
}

bool request_add(struct request *q, const char *p, size_t n)
{
    size_t have = q->pub.body ? q->pub.body->n : 0;

    if (q->answered) return false;
    if (q->framed) return add_framed(q, p, n);
    if (n > q->pub.body_limit - MIN(have, q->pub.body_limit)) {
        too_large(q);
        return false;
    }
    if (!make_room(q, n)) {
        no_memory(q);
        return false;
    }
    memcpy(q->pub.body->p + q->pub.body->n, p, n);
    q->pub.body->n += n;
    return true;
}

void request_complete(struct request *q)
{
    if (q->answered) return;
    if (!q->pub.body && !(q->pub.body = blob_new(0, NULL))) {
        no_memory(q);
        return;
    }
    q->seen = true;
    q->c->member->handler.request(q->c->member->arg, &q->pub);
}

void request_gone(struct request *q)
{
    const struct http_handler *h = &q->c->member->handler;

    if (q->stream.open) http_stream_lost(&q->stream);
    if (!q->seen || q->answered) return;
    q->answered = true;
    if (h->gone) h->gone(q->c->member->arg, &q->pub);
}

void http_respond(struct http_req *r, const struct http_answer *a)
{
    struct request *q = request_of(r);

    ASSERT(!q->answered);
    q->answered = true;
    q->ops->respond(q, a);
}

void http_respond_text(struct http_req *r, int status, struct str text)
{
    static const struct http_header type[] = {
        {STR("Content-Type"), STR("text/plain; charset=utf-8")}};

    http_respond(
        r, &(struct http_answer){.status = status, .headers = type, .n_headers = 1, .body = text});
}

struct blob *http_req_take_body(struct http_req *r)
{
    struct blob *b = r->body;

    r->body = NULL;
    return b;
}
