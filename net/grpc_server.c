/* The server's side of unary gRPC: checks of a request, its message, and the answer.
 * The five bytes before the message were split off while it was received (request.c), so that the
 * message is a blob without copying. */
#include <errno.h>
#include "base/digest.h"
#include "net/grpc_private.h"
#include "net/request.h"

#define DETAILS_MAX ((size_t)64 * 1024)

bool grpc_is(const struct http_req *r)
{
    struct str type = http_req_header(r, STR("content-type")), prefix = STR("application/grpc");

    return str_starts(type, prefix) &&
           (type.n == prefix.n || type.p[prefix.n] == '+' || type.p[prefix.n] == ';');
}

bool grpc_split_path(struct str path, struct str *ret_service, struct str *ret_method)
{
    if (path.n && path.p[0] == '/') path = str_sub(path, 1, path.n);
    ssize_t slash = str_rchr(path, '/');

    if (slash < 0) return false;
    *ret_service = str_sub(path, 0, (size_t)slash);
    *ret_method = str_sub(path, (size_t)slash + 1, path.n);
    return true;
}

/* --- checks --- */

struct refusal {
    int http; /* 0: none */
    struct grpc_status status;
};

static struct refusal refuse(struct http_req *r, int http, enum grpc_code code, const char *form,
                             struct str what)
{
    char *text = arena_printf(r->arena, form, STR_ARG(what));

    return (struct refusal){http, {.code = code, .message = str_of(text)}};
}

static bool timeout_is_valid(struct str s)
{
    if (s.n < 2 || s.n > 9 || !memchr("HMSmun", s.p[s.n - 1], 6)) return false;
    for (size_t i = 0; i + 1 < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9') return false;
    return true;
}

static bool binary_is_valid(struct str value)
{
    struct buf out = BUF_INIT(DETAILS_MAX);
    bool ok = base64_decode(&out, BASE64_STD_RAW, value, NULL) == 0 && !buf_err(&out);

    buf_done(&out);
    return ok;
}

static const struct http_header *bad_binary(const struct http_req *r)
{
    for (size_t i = 0; i < r->n_headers; i++)
        if (str_ends(r->headers[i].name, STR("-bin")) && !binary_is_valid(r->headers[i].value))
            return &r->headers[i];
    return NULL;
}

/* What grpc answers with an HTTP status of its own, in its order. */
static struct refusal check(struct http_req *r)
{
    struct str timeout = http_req_header(r, STR("grpc-timeout"));
    const struct http_header *binary;

    if (!grpc_is(r))
        return refuse(r, 415, GRPC_INVALID_ARGUMENT,
                      "invalid gRPC request content-type \"" STR_FMT "\"",
                      http_req_header(r, STR("content-type")));
    if (!str_is(r->method, "POST"))
        return refuse(r, 405, GRPC_INTERNAL,
                      "received a HEADERS frame with :method \"" STR_FMT "\" which should be POST",
                      r->method);
    if (timeout.p && !timeout_is_valid(timeout))
        return refuse(r, 400, GRPC_INTERNAL, "malformed grpc-timeout: \"" STR_FMT "\"", timeout);
    if ((binary = bad_binary(r)))
        return refuse(r, 400, GRPC_INTERNAL, "malformed binary metadata in header \"" STR_FMT "\"",
                      binary->name);
    return (struct refusal){0};
}

/* --- the message --- */

static struct grpc_status error(struct http_req *r, enum grpc_code code, const char *text)
{
    return (struct grpc_status){.code = code, .message = str_of(text)};
}

struct grpc_status grpc_too_large(struct http_req *r, size_t limit)
{
    struct request *q = request_of(r);
    i64 n = q->n_frame == GRPC_FRAME ? (i64)grpc_frame_length(q->frame)
                                     : q->content_length - GRPC_FRAME;

    return error(r, GRPC_RESOURCE_EXHAUSTED,
                 arena_printf(r->arena, "grpc: received message larger than max (%lld vs. %zu)",
                              (long long)n, limit));
}

static struct grpc_status decompress(struct http_req *r, enum codec codec, size_t limit,
                                     struct budget *budget, struct blob **ret)
{
    struct buf out = BUF_INIT(limit);
    const char *why = "broken";
    int e = grpc_decompress(codec, blob_view(r->body), limit, &out, &why);

    if (e == 0) {
        *ret = blob_take_buf(&out, budget);
        if (*ret) return (struct grpc_status){0};
        e = -ENOMEM;
    }
    buf_done(&out);
    if (e == -E2BIG)
        return error(r, GRPC_RESOURCE_EXHAUSTED,
                     arena_printf(r->arena,
                                  "grpc: message after decompression larger than max (%zu vs. %zu)",
                                  limit + 1, limit));
    if (e == -ENOMEM)
        return error(r, GRPC_RESOURCE_EXHAUSTED, "grpc: out of memory for the message");
    return error(
        r, GRPC_INTERNAL,
        arena_printf(r->arena, "grpc: failed to decompress the received message: %s", why));
}

static struct grpc_status take(struct http_req *r, struct blob **ret)
{
    *ret = http_req_take_body(r);
    return (struct grpc_status){0};
}

static struct grpc_status read_framed(struct http_req *r, size_t limit, struct budget *budget,
                                      struct blob **ret)
{
    const struct request *q = request_of(r);
    struct str encoding = http_req_header(r, STR("grpc-encoding"));
    enum codec codec = CODEC_NONE;

    if (q->n_frame < GRPC_FRAME)
        return error(r, GRPC_INTERNAL, q->n_frame ? "unexpected EOF" : "EOF");
    if (grpc_frame_length(q->frame) > limit) return grpc_too_large(r, limit);
    if (r->body->n < grpc_frame_length(q->frame)) return error(r, GRPC_INTERNAL, "unexpected EOF");
    if (q->overrun)
        return error(r, GRPC_INTERNAL, "grpc: more than one message in a unary request");
    if (q->frame[0] > 1) return error(r, GRPC_INTERNAL, "grpc: received unexpected payload format");
    if (encoding.n && !grpc_encoding_parse(encoding, &codec))
        return error(r, GRPC_UNIMPLEMENTED,
                     arena_printf(r->arena,
                                  "grpc: Decompressor is not installed for grpc-encoding \"" STR_FMT
                                  "\"",
                                  STR_ARG(encoding)));
    if (q->frame[0] == 0) return take(r, ret);
    if (codec == CODEC_NONE)
        return error(r, GRPC_INTERNAL, "grpc: compressed flag set with identity or empty encoding");
    return decompress(r, codec, limit, budget, ret);
}

struct grpc_status grpc_read_message(struct http_req *r, size_t limit, struct budget *budget,
                                     struct blob **ret)
{
    struct refusal no = check(r);
    struct str service, method;

    if (no.http) return no.status;
    if (!grpc_split_path(r->path, &service, &method))
        return error(
            r, GRPC_UNIMPLEMENTED,
            arena_printf(r->arena, "malformed method name: \"" STR_FMT "\"", STR_ARG(r->path)));
    return read_framed(r, limit, budget, ret);
}

/* --- the answer --- */

static struct str encoded_message(struct http_req *r, struct str text)
{
    struct buf b = BUF_INIT(DETAILS_MAX);

    grpc_message_encode(&b, text.n > DETAILS_MAX / 4 ? str_sub(text, 0, DETAILS_MAX / 4) : text);
    struct str s = arena_str(r->arena, buf_view(&b));
    buf_done(&b);
    return s;
}

/* The details as they came, or made of the delay; empty when there are none. */
static struct str encoded_details(struct http_req *r, const struct grpc_status *s)
{
    struct buf status = BUF_INIT(DETAILS_MAX), text = BUF_INIT(2 * DETAILS_MAX);
    struct str out = {0};

    if (s->details.n)
        buf_str(&status, s->details);
    else if (s->retry_delay > 0)
        grpc_status_encode(s, &status);
    if (status.n && !buf_err(&status)) {
        base64_encode(&text, BASE64_STD_RAW, status.p, status.n);
        out = arena_str(r->arena, buf_view(&text));
    }
    buf_done(&status);
    buf_done(&text);
    return out;
}

static size_t add(struct http_header *h, size_t n, struct str name, struct str value)
{
    h[n] = (struct http_header){name, value};
    return n + 1;
}

static size_t status_headers(struct http_req *r, const struct grpc_status *s, struct http_header *h,
                             size_t n)
{
    struct str details = s->code == GRPC_OK ? (struct str){0} : encoded_details(r, s);

    n = add(h, n, STR("grpc-status"), str_of(arena_printf(r->arena, "%d", (int)s->code)));
    n = add(h, n, STR("grpc-message"), encoded_message(r, s->message));
    return details.n ? add(h, n, STR("grpc-status-details-bin"), details) : n;
}

static void respond_error(struct http_req *r, const struct grpc_status *s)
{
    struct http_header h[4];
    size_t n = add(h, 0, STR("content-type"), STR("application/grpc"));
    struct refusal no = check(r);

    n = status_headers(r, s, h, n);
    http_respond(
        r, &(struct http_answer){.status = no.http ? no.http : 200, .headers = h, .n_headers = n});
}

/* The codec of the request when it was used, and when the answer gains by it. */
static enum codec answer_codec(struct http_req *r, struct str message)
{
    enum codec c = CODEC_NONE;

    if (request_of(r)->frame[0] != 1 || message.n == 0) return CODEC_NONE;
    return grpc_encoding_parse(http_req_header(r, STR("grpc-encoding")), &c) ? c : CODEC_NONE;
}

static void put_message(struct buf *body, enum codec codec, struct str message)
{
    u8 frame[GRPC_FRAME] = {0};

    buf_add(body, frame, sizeof(frame));
    if (codec == CODEC_NONE)
        buf_str(body, message);
    else
        codec_compress(codec, CODEC_LEVEL_DEFAULT, message, body); /* an error stays in body */
    if (buf_err(body)) return;
    grpc_frame(frame, codec != CODEC_NONE, body->n - GRPC_FRAME);
    memcpy(body->p, frame, sizeof(frame));
}

void grpc_respond(struct http_req *r, const struct grpc_status *s, struct str message)
{
    if (s->code != GRPC_OK) {
        respond_error(r, s);
        return;
    }
    struct buf body = BUF_INIT(2 * message.n + DETAILS_MAX);
    enum codec codec = answer_codec(r, message);
    put_message(&body, codec, message);
    if (buf_err(&body)) {
        buf_done(&body);
        respond_error(r,
                      &(struct grpc_status){.code = GRPC_INTERNAL,
                                            .message = STR("grpc: failed to encode the answer")});
        return;
    }
    struct http_header h[2], trailers[3];
    size_t n = add(h, 0, STR("content-type"), STR("application/grpc"));
    if (codec != CODEC_NONE) n = add(h, n, STR("grpc-encoding"), str_of(grpc_encoding_name(codec)));
    size_t n_trailers = status_headers(r, s, trailers, 0);
    http_respond(r, &(struct http_answer){.status = 200,
                                          .headers = h,
                                          .n_headers = n,
                                          .body = buf_view(&body),
                                          .trailers = trailers,
                                          .n_trailers = n_trailers});
    buf_done(&body);
}
