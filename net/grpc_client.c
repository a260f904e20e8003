/* The client's side of unary gRPC on HTTP/2 channels: frame before the message, timeout header, and
 * the status out of whatever came back. */
#include <errno.h>
#include "base/arena.h"
#include "base/digest.h"
#include "base/num.h"
#include "base/xalloc.h"
#include "net/grpc_channel.h"
#include "net/grpc_private.h"

#define STATUS_MAX ((size_t)256 * 1024)

struct grpc_call_handle {
    struct channel_call call;
    struct arena arena;
    u8 frame[GRPC_FRAME];
    size_t limit;
    void (*done)(void *arg, const struct grpc_status *s, struct str message, i64 elapsed);
    void *arg;
};

/* An answer as HTTP has it. */
struct answer {
    int status;
    const struct http_header *headers; /* and trailers */
    size_t n_headers;
    struct str body;
};

/* --- the status of an answer --- */

static struct grpc_status status(enum grpc_code code, const char *text)
{
    return (struct grpc_status){.code = code, .message = str_of(text)};
}

/* Never sent: it may be tried again. */
static struct grpc_status status_unconnected(struct grpc_call_handle *g)
{
    const char *what = g->call.fail == HTTP_TLS ? "transport: authentication handshake failed: "
                       : g->call.fail == HTTP_BROKEN ? ""
                                                     : "transport: Error while dialing: ";

    return status(GRPC_UNAVAILABLE, arena_printf(&g->arena, "connection error: desc = \"%s%s\"",
                                                 what, g->call.error));
}

/* Without an answer nothing is known of the request: everything that another try may mend is
 * Unavailable, more than with the Go library, which takes most resets for internal errors that are
 * for good. */
static struct grpc_status status_of_reset(struct grpc_call_handle *g, u32 code)
{
    enum grpc_code c = code == NGHTTP2_CANCEL                ? GRPC_CANCELED
                       : code == NGHTTP2_INADEQUATE_SECURITY ? GRPC_PERMISSION_DENIED
                                                             : GRPC_UNAVAILABLE;

    return status(c, arena_printf(&g->arena, "stream terminated by RST_STREAM with error code: %s",
                                  nghttp2_http2_strerror(code)));
}

static const struct {
    int http;
    enum grpc_code code;
} from_http[] = {
    {400, GRPC_INTERNAL},      {401, GRPC_UNAUTHENTICATED}, {403, GRPC_PERMISSION_DENIED},
    {404, GRPC_UNIMPLEMENTED}, {429, GRPC_UNAVAILABLE},     {502, GRPC_UNAVAILABLE},
    {503, GRPC_UNAVAILABLE},   {504, GRPC_UNAVAILABLE},
};

static enum grpc_code code_from_http(int http)
{
    for (size_t i = 0; i < ARRAY_LEN(from_http); i++)
        if (from_http[i].http == http) return from_http[i].code;
    return GRPC_UNKNOWN;
}

static struct str header(const struct answer *r, const char *name)
{
    return http_header_get(r->headers, r->n_headers, str_of(name));
}

static bool is_grpc(struct str type)
{
    struct str prefix = STR("application/grpc");

    return str_starts(type, prefix) &&
           (type.n == prefix.n || type.p[prefix.n] == '+' || type.p[prefix.n] == ';');
}

/* An answer that is not gRPC's: a proxy's, or another server's. */
static struct grpc_status status_of_http(struct grpc_call_handle *g, const struct answer *r)
{
    struct str type = header(r, "content-type");
    char *first =
        r->status == 200
            ? arena_strdup(&g->arena, (struct str){0})
            : arena_printf(&g->arena, "unexpected HTTP status code received from server: %d (%s)",
                           r->status, http_status_text(r->status));
    const char *second =
        is_grpc(type) ? ""
        : type.n
            ? arena_printf(&g->arena, "transport: received unexpected content-type \"" STR_FMT "\"",
                           STR_ARG(type))
            : "malformed header: missing HTTP content-type";

    return status(code_from_http(r->status),
                  arena_printf(&g->arena, "%s%s%s", first, *first && *second ? "; " : "", second));
}

static struct str decoded_message(struct grpc_call_handle *g, struct str text)
{
    struct buf b = BUF_INIT(STATUS_MAX);

    grpc_message_decode(&b, text);
    struct str s = arena_str(&g->arena, buf_view(&b));
    buf_done(&b);
    return s;
}

/* The details hold the whole status; they win over code and message when they can be read. */
static void add_details(struct grpc_call_handle *g, struct str text, struct grpc_status *s)
{
    struct buf b = BUF_INIT(STATUS_MAX);
    struct grpc_status whole;

    if (text.n && base64_decode(&b, BASE64_STD_RAW, text, NULL) == 0 && !buf_err(&b)) {
        struct str bytes = arena_str(&g->arena, buf_view(&b));
        if (grpc_status_decode(bytes, &whole) == 0) *s = whole;
    }
    buf_done(&b);
}

static struct grpc_status status_of_answer(struct grpc_call_handle *g, const struct answer *r)
{
    struct str code = header(r, "grpc-status");
    u64 n;

    if (r->status != 200 || !is_grpc(header(r, "content-type"))) return status_of_http(g, r);
    if (!code.p) return status(GRPC_INTERNAL, "server closed the stream without sending trailers");
    if (num_parse_u64(code, &n) != 0)
        return status(GRPC_INTERNAL,
                      arena_printf(&g->arena, "transport: malformed grpc-status: \"" STR_FMT "\"",
                                   STR_ARG(code)));
    struct grpc_status s = {.code = grpc_code_of(n),
                            .message = decoded_message(g, header(r, "grpc-message"))};
    add_details(g, header(r, "grpc-status-details-bin"), &s);
    return s;
}

/* --- its message --- */

static struct grpc_status too_large(struct grpc_call_handle *g, size_t n)
{
    return status(GRPC_RESOURCE_EXHAUSTED,
                  arena_printf(&g->arena, "grpc: received message larger than max (%zu vs. %zu)", n,
                               g->limit));
}

static struct grpc_status decompress(struct grpc_call_handle *g, struct str encoding, struct str in,
                                     struct str *ret)
{
    enum codec codec = CODEC_NONE;
    struct buf out = BUF_INIT(g->limit);

    if (!grpc_encoding_parse(encoding, &codec) || codec == CODEC_NONE)
        return status(GRPC_INTERNAL,
                      arena_printf(&g->arena,
                                   "grpc: compressed message with grpc-encoding \"" STR_FMT "\"",
                                   STR_ARG(encoding)));
    int e = grpc_decompress(codec, in, g->limit, &out, NULL);
    if (e == 0) *ret = arena_str(&g->arena, buf_view(&out));
    buf_done(&out);
    if (e == -E2BIG)
        return status(GRPC_RESOURCE_EXHAUSTED, "grpc: message after decompression larger than max");
    return e ? status(GRPC_INTERNAL, "grpc: failed to decompress the received message")
             : (struct grpc_status){0};
}

/* Of a response over the limit only the beginning was kept; its trailers may be missing. */
static bool is_over(const struct grpc_call_handle *g, const struct answer *r, size_t *ret_n)
{
    u8 frame[GRPC_FRAME];

    if (r->status != 200 || r->body.n < GRPC_FRAME || !is_grpc(header(r, "content-type")))
        return false;
    memcpy(frame, r->body.p, sizeof(frame));
    *ret_n = grpc_frame_length(frame);
    return *ret_n > g->limit;
}

static struct grpc_status read_message(struct grpc_call_handle *g, const struct answer *r,
                                       struct str *ret)
{
    u8 frame[GRPC_FRAME];

    if (r->body.n == 0)
        return status(GRPC_INTERNAL, "received no response message from a unary call");
    if (r->body.n < GRPC_FRAME) return status(GRPC_INTERNAL, "unexpected EOF");
    memcpy(frame, r->body.p, sizeof(frame));
    size_t n = grpc_frame_length(frame);
    if (n != r->body.n - GRPC_FRAME)
        return status(GRPC_INTERNAL, n > r->body.n - GRPC_FRAME
                                         ? "unexpected EOF"
                                         : "received more than one response message");
    *ret = str_sub(r->body, GRPC_FRAME, r->body.n);
    if (frame[0] == 0) return (struct grpc_status){0};
    return decompress(g, header(r, "grpc-encoding"), *ret, ret);
}

static struct grpc_status judge_answer(struct grpc_call_handle *g, struct str *ret_message)
{
    const struct h2_call *h = &g->call.h2;
    const struct answer r = {h->status, h->headers.v, h->headers.n, buf_view(&h->answer)};
    size_t n;

    if (is_over(g, &r, &n)) return too_large(g, n);
    if (h->truncated && r.status == 200)
        return status(GRPC_INTERNAL, "received more than one response message");
    struct grpc_status s = status_of_answer(g, &r);
    return s.code == GRPC_OK ? read_message(g, &r, ret_message) : s;
}

static struct grpc_status outcome(struct grpc_call_handle *g, struct str *ret_message)
{
    const struct h2_call *h = &g->call.h2;

    if (g->call.outcome == CALL_DEADLINE)
        return status(GRPC_DEADLINE_EXCEEDED, "context deadline exceeded");
    if (g->call.outcome == CALL_UNCONNECTED) return status_unconnected(g);
    if (g->call.outcome == CALL_IMPOSSIBLE) return status(GRPC_INTERNAL, g->call.error);
    switch (h->end) {
    case H2_ENDED: return judge_answer(g, ret_message);
    case H2_RESET: return status_of_reset(g, h->error_code);
    case H2_REFUSED: return status_of_reset(g, NGHTTP2_REFUSED_STREAM);
    case H2_LOST: return status(GRPC_UNAVAILABLE, h->why);
    case H2_HUGE: break;
    }
    return status(GRPC_INTERNAL, "peer header list size exceeded limit");
}

static void on_over(struct channel_call *call)
{
    struct grpc_call_handle *g = container_of(call, struct grpc_call_handle, call);
    struct str message = {0};
    struct grpc_status s = outcome(g, &message);

    g->done(g->arg, &s, message, call->elapsed);
}

static void on_release(struct channel_call *call)
{
    struct grpc_call_handle *g = container_of(call, struct grpc_call_handle, call);

    arena_done(&g->arena);
    free(g);
}

/* --- starting --- */

/* The finest unit whose number fits eight digits, rounded up. */
static const char *timeout_text(struct arena *a, i64 ns)
{
    static const struct {
        i64 ns;
        char unit;
    } units[] = {{1, 'n'},
                 {1000, 'u'},
                 {NS_PER_MS, 'm'},
                 {NS_PER_SEC, 'S'},
                 {60 * NS_PER_SEC, 'M'},
                 {3600 * NS_PER_SEC, 'H'}};
    size_t i = 0;

    while (i + 1 < ARRAY_LEN(units) && (ns - 1) / units[i].ns + 1 > 99999999)
        i++;
    return arena_printf(a, "%lld%c", (long long)((ns - 1) / units[i].ns + 1), units[i].unit);
}

struct head {
    struct arena *arena;
    nghttp2_nv *nv;
    size_t n;
};

static void add(struct head *h, struct str name, struct str value)
{
    h->nv[h->n++] = (nghttp2_nv){(u8 *)(uintptr_t)name.p, (u8 *)(uintptr_t)value.p, name.n, value.n,
                                 NGHTTP2_NV_FLAG_NONE};
}

static void add_text(struct head *h, const char *name, const char *value)
{
    add(h, str_of(name), str_of(value));
}

/* Belong to HTTP/1 connections, or are ours to say. */
static bool is_ours(struct str name)
{
    static const char *const names[] = {
        "host",    "connection", "keep-alive",   "proxy-connection", "transfer-encoding",
        "upgrade", "te",         "content-type", "content-length"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_is(name, names[i])) return true;
    return false;
}

static bool is_name(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.'))
            return false;
    }
    return s.n > 0;
}

static bool is_value(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < 0x20 || s.p[i] > 0x7e) return false;
    return true;
}

static struct str lower(struct arena *a, struct str s)
{
    char *p = arena_strdup(a, s);

    for (size_t i = 0; i < s.n; i++)
        if (p[i] >= 'A' && p[i] <= 'Z') p[i] = (char)(p[i] | 0x20);
    return str_n(p, s.n);
}

/* Values of "-bin" keys are bytes, and travel as base64. */
static struct str wire_value(struct arena *a, struct str name, struct str value)
{
    struct buf b = BUF_INIT(STATUS_MAX);

    if (!str_ends(name, STR("-bin"))) return arena_str(a, value);
    base64_encode(&b, BASE64_STD_RAW, value.p, value.n);
    struct str text = arena_str(a, buf_view(&b));
    buf_done(&b);
    return text;
}

/* NULL, or why it cannot be sent. */
static const char *add_metadata(struct head *h, const struct http_header *m)
{
    struct str name = lower(h->arena, m->name), value = wire_value(h->arena, name, m->value);

    if (is_ours(name)) return NULL;
    if (!is_name(name))
        return arena_printf(
            h->arena, "header key \"" STR_FMT "\" contains illegal characters not in [0-9a-z-_.]",
            STR_ARG(name));
    if (!is_value(value))
        return arena_printf(h->arena,
                            "header key \"" STR_FMT
                            "\" contains value with non-printable ASCII characters",
                            STR_ARG(name));
    add(h, name, value);
    return NULL;
}

/* A "host" among the metadata is the authority. */
static struct str authority(struct arena *a, const struct grpc_call *call, const struct url *u)
{
    struct str set = http_header_get(call->metadata, call->n_metadata, STR("host"));
    bool v6 = str_chr(u->host, ':') >= 0;

    if (set.n) return arena_str(a, set);
    char *host = arena_printf(a, v6 ? "[" STR_FMT "]" : STR_FMT, STR_ARG(u->host));
    return str_of(u->port ? arena_printf(a, "%s:%d", host, u->port) : host);
}

static const char *fill_head(struct grpc_call_handle *g, const struct grpc_call *call,
                             const struct url *u)
{
    struct head h = {&g->arena, arena_array(&g->arena, nghttp2_nv, call->n_metadata + 9), 0};
    const char *error = NULL;

    add_text(&h, ":method", "POST");
    add(&h, STR(":scheme"), arena_str(&g->arena, u->scheme));
    add(&h, STR(":path"), arena_str(&g->arena, u->path));
    add(&h, STR(":authority"), authority(&g->arena, call, u));
    add_text(&h, "content-type", "application/grpc");
    add_text(&h, "te", "trailers");
    add_text(&h, "grpc-accept-encoding", "gzip");
    if (call->timeout > 0) add_text(&h, "grpc-timeout", timeout_text(&g->arena, call->timeout));
    if (call->codec != CODEC_NONE) add_text(&h, "grpc-encoding", grpc_encoding_name(call->codec));
    for (size_t i = 0; i < call->n_metadata && !error; i++)
        error = add_metadata(&h, &call->metadata[i]);
    g->call.h2.head = h.nv;
    g->call.h2.n_head = h.n;
    return error;
}

static void fill_body(struct grpc_call_handle *g, const struct grpc_call *call)
{
    struct iovec *v = arena_array(&g->arena, struct iovec, call->n_message + 1);

    grpc_frame(g->frame, call->codec != CODEC_NONE, call->message_len);
    v[0] = (struct iovec){g->frame, sizeof(g->frame)};
    if (call->n_message) memcpy(v + 1, call->message, call->n_message * sizeof(*v));
    g->call.h2.body = v;
    g->call.h2.n_body = call->n_message + 1;
    g->call.h2.body_len = call->message_len + GRPC_FRAME;
}

static struct grpc_call_handle *handle_new(const struct grpc_call *call)
{
    struct grpc_call_handle *g = xnew(struct grpc_call_handle);

    ASSERT(call->message_len <= UINT32_MAX);
    arena_init(&g->arena, 0);
    g->limit = call->max_response;
    g->done = call->done;
    g->arg = call->arg;
    g->call.timeout = call->timeout;
    g->call.over = on_over;
    g->call.release = on_release;
    g->call.h2.arena = &g->arena;
    g->call.h2.max_answer = call->max_response + GRPC_FRAME;
    return g;
}

struct grpc_call_handle *grpc_start(struct http_client *c, const struct grpc_call *call)
{
    struct grpc_call_handle *g = handle_new(call);
    struct grpc_channels *cs = http_client_channels(c);
    struct url u;
    char *why = NULL;
    const char *error;

    if (url_parse(call->url, &u, &why) != 0) {
        error = arena_strdup(&g->arena, str_of(why));
        free(why);
    } else {
        fill_body(g, call);
        error = fill_head(g, call, &u);
    }
    if (error)
        channel_call_refuse(cs, &g->call, error);
    else
        channel_call_start(cs, call->target, &u, &g->call);
    return g;
}

void grpc_cancel(struct grpc_call_handle *g)
{
    channel_call_cancel(&g->call);
}
