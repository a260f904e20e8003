/* The client's side of unary gRPC on the HTTP client: frame before the message, timeout header, and the status out of whatever came back. */
#include <errno.h>
#include "base/arena.h"
#include "base/digest.h"
#include "base/num.h"
#include "base/xalloc.h"
#include "net/grpc_private.h"

#define STATUS_MAX ((size_t)256 * 1024)

struct grpc_call_handle {
    struct http_call_handle *http;
    struct arena arena;
    u8 frame[GRPC_FRAME];
    size_t limit;
    i64 timeout;
    void (*done)(void *arg, const struct grpc_status *s, struct str message, i64 elapsed);
    void *arg;
};

static void call_free(struct grpc_call_handle *g)
{
    arena_done(&g->arena);
    free(g);
}

/* --- the status of an answer --- */

static struct grpc_status status(enum grpc_code code, const char *text)
{
    return (struct grpc_status){.code = code, .message = str_of(text)};
}

static struct grpc_status status_of_failure(struct grpc_call_handle *g, const struct http_result *r)
{
    switch (r->fail) {
    case HTTP_TIMEOUT:
        if (g->timeout > 0 && r->elapsed >= g->timeout) return status(GRPC_DEADLINE_EXCEEDED, "context deadline exceeded");
        break;
    case HTTP_TLS: return status(GRPC_UNAVAILABLE, arena_printf(&g->arena, "connection error: desc = \"transport: authentication handshake failed: %s\"", r->error));
    case HTTP_CANCELLED: return status(GRPC_CANCELED, "context canceled");
    case HTTP_TOO_LARGE: return status(GRPC_RESOURCE_EXHAUSTED, r->error);
    case HTTP_BROKEN: return status(GRPC_UNAVAILABLE, arena_printf(&g->arena, "connection error: desc = \"transport: %s\"", r->error));
    case HTTP_OK:
    case HTTP_RESOLVE:
    case HTTP_CONNECT: break;
    }
    return status(GRPC_UNAVAILABLE, arena_printf(&g->arena, "connection error: desc = \"transport: Error while dialing: %s\"", r->error));
}

static const struct {
    int http;
    enum grpc_code code;
} from_http[] = {
    {400, GRPC_INTERNAL},    {401, GRPC_UNAUTHENTICATED}, {403, GRPC_PERMISSION_DENIED}, {404, GRPC_UNIMPLEMENTED},
    {429, GRPC_UNAVAILABLE}, {502, GRPC_UNAVAILABLE},     {503, GRPC_UNAVAILABLE},       {504, GRPC_UNAVAILABLE},
};

static enum grpc_code code_from_http(int http)
{
    for (size_t i = 0; i < ARRAY_LEN(from_http); i++)
        if (from_http[i].http == http) return from_http[i].code;
    return GRPC_UNKNOWN;
}

static struct str header(const struct http_result *r, const char *name)
{
    return http_header_get(r->headers, r->n_headers, str_of(name));
}

static bool is_grpc(struct str type)
{
    struct str prefix = STR("application/grpc");

    return str_starts(type, prefix) && (type.n == prefix.n || type.p[prefix.n] == '+' || type.p[prefix.n] == ';');
}

/* An answer that is not gRPC's: a proxy's, or another server's. */
static struct grpc_status status_of_http(struct grpc_call_handle *g, const struct http_result *r)
{
    struct str type = header(r, "content-type");
    char *first = r->status == 200 ? arena_strdup(&g->arena, (struct str){0})
                                   : arena_printf(&g->arena, "unexpected HTTP status code received from server: %d (%s)", r->status, http_status_text(r->status));
    const char *second = is_grpc(type) ? ""
                         : type.n      ? arena_printf(&g->arena, "transport: received unexpected content-type \"" STR_FMT "\"", STR_ARG(type))
                                       : "malformed header: missing HTTP content-type";

    return status(code_from_http(r->status), arena_printf(&g->arena, "%s%s%s", first, *first && *second ? "; " : "", second));
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

static struct grpc_status status_of_answer(struct grpc_call_handle *g, const struct http_result *r)
{
    struct str code = header(r, "grpc-status");
    u64 n;

    if (r->status != 200 || !is_grpc(header(r, "content-type"))) return status_of_http(g, r);
    if (!code.p) return status(GRPC_UNKNOWN, "server closed the stream without sending trailers");
    if (num_parse_u64(code, &n) != 0)
        return status(GRPC_INTERNAL, arena_printf(&g->arena, "transport: malformed grpc-status: \"" STR_FMT "\"", STR_ARG(code)));
    struct grpc_status s = {.code = grpc_code_of(n), .message = decoded_message(g, header(r, "grpc-message"))};
    add_details(g, header(r, "grpc-status-details-bin"), &s);
    return s;
}

/* --- its message --- */

static struct grpc_status too_large(struct grpc_call_handle *g, size_t n)
{
    return status(GRPC_RESOURCE_EXHAUSTED, arena_printf(&g->arena, "grpc: received message larger than max (%zu vs. %zu)", n, g->limit));
}

static struct grpc_status decompress(struct grpc_call_handle *g, struct str encoding, struct str in, struct str *ret)
{
    enum codec codec = CODEC_NONE;
    struct buf out = BUF_INIT(g->limit);

    if (!grpc_encoding_parse(encoding, &codec) || codec == CODEC_NONE)
        return status(GRPC_INTERNAL, arena_printf(&g->arena, "grpc: compressed message with grpc-encoding \"" STR_FMT "\"", STR_ARG(encoding)));
    int e = grpc_decompress(codec, in, g->limit, &out, NULL);
    if (e == 0) *ret = arena_str(&g->arena, buf_view(&out));
    buf_done(&out);
    if (e == -E2BIG) return status(GRPC_RESOURCE_EXHAUSTED, "grpc: message after decompression larger than max");
    return e ? status(GRPC_INTERNAL, "grpc: failed to decompress the received message") : (struct grpc_status){0};
}

/* Of a response over the limit only the beginning was kept; its trailers may be missing. */
static bool is_over(const struct grpc_call_handle *g, const struct http_result *r, size_t *ret_n)
{
    u8 frame[GRPC_FRAME];

    if (r->status != 200 || r->body.n < GRPC_FRAME || !is_grpc(header(r, "content-type"))) return false;
    memcpy(frame, r->body.p, sizeof(frame));
    *ret_n = grpc_frame_length(frame);
    return *ret_n > g->limit;
}

static struct grpc_status read_message(struct grpc_call_handle *g, const struct http_result *r, struct str *ret)
{
    u8 frame[GRPC_FRAME];

    if (r->body.n == 0) return status(GRPC_INTERNAL, "received no response message from a unary call");
    if (r->body.n < GRPC_FRAME) return status(GRPC_INTERNAL, "unexpected EOF");
    memcpy(frame, r->body.p, sizeof(frame));
    size_t n = grpc_frame_length(frame);
    if (n != r->body.n - GRPC_FRAME) return status(GRPC_INTERNAL, n > r->body.n - GRPC_FRAME ? "unexpected EOF" : "received more than one response message");
    *ret = str_sub(r->body, GRPC_FRAME, r->body.n);
    if (frame[0] == 0) return (struct grpc_status){0};
    return decompress(g, header(r, "grpc-encoding"), *ret, ret);
}

static struct grpc_status outcome(struct grpc_call_handle *g, const struct http_result *r, struct str *ret_message)
{
    size_t n;

    if (r->fail != HTTP_OK) return status_of_failure(g, r);
    if (is_over(g, r, &n)) return too_large(g, n);
    struct grpc_status s = status_of_answer(g, r);
    return s.code == GRPC_OK ? read_message(g, r, ret_message) : s;
}

static void on_done(void *arg, const struct http_result *r)
{
    struct grpc_call_handle *g = arg;
    struct str message = {0};
    struct grpc_status s = outcome(g, r, &message);

    g->http = NULL;
    g->done(g->arg, &s, message, r->elapsed);
    call_free(g);
}

/* --- starting --- */

/* The finest unit whose number fits eight digits, rounded up. */
static const char *timeout_text(struct arena *a, i64 ns)
{
    static const struct {
        i64 ns;
        char unit;
    } units[] = {{1, 'n'}, {1000, 'u'}, {NS_PER_MS, 'm'}, {NS_PER_SEC, 'S'}, {60 * NS_PER_SEC, 'M'}, {3600 * NS_PER_SEC, 'H'}};
    size_t i = 0;

    while (i + 1 < ARRAY_LEN(units) && (ns - 1) / units[i].ns + 1 > 99999999) i++;
    return arena_printf(a, "%lld%c", (long long)((ns - 1) / units[i].ns + 1), units[i].unit);
}

static size_t add(struct http_header *h, size_t n, const char *name, const char *value)
{
    h[n] = (struct http_header){str_of(name), str_of(value)};
    return n + 1;
}

static size_t all_headers(struct grpc_call_handle *g, const struct grpc_call *call, struct http_header *h)
{
    size_t n = add(h, 0, "content-type", "application/grpc");

    n = add(h, n, "te", "trailers");
    n = add(h, n, "grpc-accept-encoding", "gzip");
    if (call->timeout > 0) n = add(h, n, "grpc-timeout", timeout_text(&g->arena, call->timeout));
    if (call->codec != CODEC_NONE) n = add(h, n, "grpc-encoding", grpc_encoding_name(call->codec));
    if (call->n_metadata) memcpy(h + n, call->metadata, call->n_metadata * sizeof(*h));
    return n + call->n_metadata;
}

static struct iovec *framed(struct grpc_call_handle *g, const struct grpc_call *call)
{
    struct iovec *v = arena_array(&g->arena, struct iovec, call->n_message + 1);

    grpc_frame(g->frame, call->codec != CODEC_NONE, call->message_len);
    v[0] = (struct iovec){g->frame, sizeof(g->frame)};
    if (call->n_message) memcpy(v + 1, call->message, call->n_message * sizeof(*v));
    return v;
}

struct grpc_call_handle *grpc_start(struct http_client *c, const struct grpc_call *call)
{
    struct grpc_call_handle *g = xnew(struct grpc_call_handle);

    ASSERT(call->message_len <= UINT32_MAX);
    arena_init(&g->arena, 0);
    g->limit = call->max_response;
    g->timeout = call->timeout;
    g->done = call->done;
    g->arg = call->arg;
    struct http_header *h = arena_array(&g->arena, struct http_header, call->n_metadata + 5);
    g->http = http_client_start(c, &(struct http_call){
                                       .target = call->target,
                                       .method = STR("POST"),
                                       .url = call->url,
                                       .n_headers = all_headers(g, call, h),
                                       .headers = h,
                                       .body = framed(g, call),
                                       .n_body = call->n_message + 1,
                                       .body_len = call->message_len + GRPC_FRAME,
                                       .timeout = call->timeout,
                                       .max_response = call->max_response + GRPC_FRAME,
                                       .truncate = true, /* the frame then tells how large it was */
                                       .final_header = STR("grpc-status"),
                                       .done = on_done,
                                       .arg = g,
                                   });
    if (g->http) return g;
    call_free(g);
    return NULL;
}

void grpc_cancel(struct grpc_call_handle *g)
{
    if (!g->http) return; /* inside its own done() */
    http_client_cancel(g->http);
    call_free(g);
}
