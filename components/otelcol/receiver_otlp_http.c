/* OTLP over HTTP: the order of checks, the bodies and the codes. Source: spec D.2, W.2b. */
#include <errno.h>

#include "components/common/otlp_status.h"
#include "components/otelcol/receiver_otlp.h"
#include "telemetry/otlp.h"

#define ERROR_MAX   512 /* longest decoder text */
#define JSON_GROWTH 8   /* a JSON number of one digit becomes a fixed64 */
#define TEXT_PLAIN  ((struct http_header){STR("Content-Type"), STR("text/plain")})

/* --- answers --- */

/* What errors are written in: the request's own type, JSON without one, nothing known otherwise. */
enum answer_type { ANSWER_JSON, ANSWER_PROTO, ANSWER_UNKNOWN };

static struct str media_type(struct str content_type)
{
    return str_trim(str_cut(&content_type, ';'));
}

static enum answer_type answer_type(const struct http_req *r)
{
    struct str type = media_type(http_req_header(r, STR("content-type")));
    if (type.n == 0 || str_ieq(type, STR("application/json"))) return ANSWER_JSON;
    return str_ieq(type, STR("application/x-protobuf")) ? ANSWER_PROTO : ANSWER_UNKNOWN;
}

/* Content type, the given header, and those of CORS. */
static void respond(struct http_req *r, int status, struct http_header type,
                    const struct http_header *extra, struct str body)
{
    const struct otlp_request *q = r->user;
    struct http_header headers[2 + CORS_HEADERS_MAX] = {type};
    size_t n = 1;
    if (extra) headers[n++] = *extra;
    for (size_t i = 0; q && i < q->n_cors; i++)
        headers[n++] = q->cors[i];
    http_respond(r, &(struct http_answer){
                        .status = status, .headers = headers, .n_headers = n, .body = body});
}

static void respond_typed(struct http_req *r, int status, bool json,
                          const struct http_header *extra, struct str body)
{
    struct http_header type = {STR("Content-Type"),
                               json ? STR("application/json") : STR("application/x-protobuf")};
    respond(r, status, type, extra, body);
}

static void respond_status(struct http_req *r, int http, const struct grpc_status *s)
{
    enum answer_type type = answer_type(r);
    if (type == ANSWER_UNKNOWN) {
        respond_typed(r, 500, true, NULL,
                      STR("{\"code\": 13, \"message\": \"failed to marshal error message\"}"));
        return;
    }
    struct buf body = BUF_INIT(64 << 10);
    struct http_header retry = {STR("Retry-After"), {0}};
    otlp_status_body(s, type == ANSWER_JSON, &body);
    if (s->retry_delay > 0)
        retry.value =
            str_of(arena_printf(r->arena, "%lld", (long long)(s->retry_delay / NS_PER_SEC)));
    respond_typed(r, http, type == ANSWER_JSON, retry.value.n > 0 ? &retry : NULL, buf_view(&body));
    buf_done(&body);
}

static void respond_ok(struct http_req *r)
{
    bool json = ((const struct otlp_request *)r->user)->json;
    respond_typed(r, 200, json, NULL, json ? STR("{\"partialSuccess\":{}}") : str_n("\x0a\x00", 2));
}

void otlp_http_answer(struct http_req *r, const struct grpc_status *s)
{
    if (s->code == GRPC_OK)
        respond_ok(r);
    else
        respond_status(r, otlp_http_status(s->code), s);
}

static void bad_request(struct http_req *r, const char *message)
{
    respond_status(
        r, 400, &(struct grpc_status){.code = GRPC_INVALID_ARGUMENT, .message = str_of(message)});
}

/* --- checks of the headers: each answers and returns false, or lets the request pass --- */

static bool check_preflight(struct receiver_otlp *self, struct http_req *r)
{
    const struct cors_args *cors = &self->plan->args->http->cors;
    struct otlp_request *q = r->user;
    if (!cors_on(cors)) return true;
    if (!cors_is_preflight(r->method, r->headers, r->n_headers)) {
        q->n_cors = cors_actual_headers(cors, r->headers, r->n_headers, r->arena, q->cors);
        return true;
    }
    struct http_header headers[CORS_HEADERS_MAX];
    size_t n = cors_preflight_headers(cors, r->headers, r->n_headers, r->arena, headers);
    http_respond(r, &(struct http_answer){.status = 204, .headers = headers, .n_headers = n});
    return false;
}

static bool check_auth(struct receiver_otlp *self, struct http_req *r)
{
    const char *why = otlp_authenticate(r, self->plan->args->http->auth);
    if (!why) return true;
    respond_status(r, 401,
                   &(struct grpc_status){.code = GRPC_UNAUTHENTICATED, .message = str_of(why)});
    return false;
}

static bool check_encoding(struct receiver_otlp *self, struct http_req *r)
{
    const struct str_list *allowed = &self->plan->args->http->compression_algorithms;
    struct otlp_request *q = r->user;
    struct str name = http_req_header(r, STR("content-encoding"));
    for (size_t i = 0; i < allowed->n; i++)
        if (str_eq(name, allowed->v[i]) && codec_by_name(name, &q->codec)) return true;
    bad_request(r, arena_printf(r->arena, "unsupported Content-Encoding: " STR_FMT, STR_ARG(name)));
    return false;
}

static bool check_path(struct receiver_otlp *self, struct http_req *r)
{
    struct otlp_request *q = r->user;
    for (enum signal s = 0; s < SIGNAL_COUNT; s++)
        if ((self->plan->signals & (1u << s)) && str_eq(r->path, self->plan->path[s])) {
            q->signal = s;
            return true;
        }
    respond(r, 404, (struct http_header){STR("Content-Type"), STR("text/plain; charset=utf-8")},
            NULL, STR("404 page not found\n"));
    return false;
}

static bool check_method(struct receiver_otlp *self, struct http_req *r)
{
    (void)self;
    if (str_is(r->method, "POST")) return true;
    respond(r, 405, TEXT_PLAIN, NULL, STR("405 method not allowed, supported: [POST]"));
    return false;
}

static bool check_type(struct receiver_otlp *self, struct http_req *r)
{
    (void)self;
    struct otlp_request *q = r->user;
    bool written = http_req_header(r, STR("content-type")).n > 0;
    enum answer_type type = answer_type(r);
    q->json = type == ANSWER_JSON;
    if (written && type != ANSWER_UNKNOWN) return true;
    respond(
        r, 415, TEXT_PLAIN, NULL,
        STR("415 unsupported media type, supported: [application/json, application/x-protobuf]"));
    return false;
}

static bool check_room(struct receiver_otlp *self, struct http_req *r)
{
    const struct otlp_request *q = r->user;
    struct grpc_status s = otlp_overload(self, q->signal);
    if (s.code == GRPC_OK) return true;
    respond_status(r, otlp_http_status(s.code), &s);
    return false;
}

static void headers_in(void *arg, struct http_req *r)
{
    static bool (*const checks[])(struct receiver_otlp *, struct http_req *) = {
        check_preflight, check_auth, check_encoding, check_path,
        check_method,    check_type, check_room};
    struct receiver_otlp *self = arg;
    receiver_request_of(self, r);
    /* Without the block the protocol was switched off; connections of before are still open. */
    if (!self->plan->args->http) {
        http_respond_text(r, 503, STR("shutting down"));
        return;
    }
    r->body_limit = self->plan->http_limit;
    for (size_t i = 0; i < ARRAY_LEN(checks); i++)
        if (!checks[i](self, r)) return;
}

/* --- the body --- */

static void too_large(void *arg, struct http_req *r)
{
    receiver_request_of(arg, r);
    bad_request(r, "http: request body too large");
}

/* Memory that could not be had is back-pressure, not the client's fault. */
static void out_of_room(struct receiver_otlp *self, struct http_req *r)
{
    (void)self;
    respond_status(r, 503,
                   &(struct grpc_status){.code = GRPC_UNAVAILABLE,
                                         .message = STR("data refused due to high memory usage"),
                                         .retry_delay = NS_PER_SEC});
}

static const char *decompress_text(int r, enum codec codec, const char *err)
{
    if (r == -E2BIG)
        return codec == CODEC_SNAPPY ? "snappy: decoded size exceeds max request body size"
                                     : "http: request body too large";
    return err ? err : "the compressed body is broken";
}

/* The whole uncompressed body, owned; NULL: it was answered. */
static struct blob *plain_body(struct receiver_otlp *self, struct http_req *r)
{
    const struct otlp_request *q = r->user;
    struct blob *body = http_req_take_body(r);
    struct budget *budget = self->shard->comp->host->data_budget;
    if (q->codec == CODEC_NONE) return body ? body : blob_new(0, budget);
    const char *err = NULL;
    struct buf plain = BUF_INIT(self->plan->http_limit);
    int res = codec_decompress(q->codec, body ? blob_view(body) : STR(""), self->plan->http_limit,
                               &plain, &err);
    blob_unref(body);
    body = res == 0 ? blob_take_buf(&plain, budget) : NULL;
    buf_done(&plain);
    if (res == -ENOMEM || (res == 0 && !body))
        out_of_room(self, r);
    else if (res < 0)
        bad_request(r, decompress_text(res, q->codec, err));
    return body;
}

static int decode_json(struct receiver_otlp *self, enum signal s, struct blob **body,
                       u32 *ret_items, char *err)
{
    struct buf wire = BUF_INIT((*body)->n * JSON_GROWTH + 4096);
    int r = otlp_from_json(s, blob_view(*body), &wire, ret_items, err, ERROR_MAX);
    if (r == 0) {
        blob_unref(*body);
        *body = blob_take_buf(&wire, self->shard->comp->host->data_budget);
    }
    buf_done(&wire);
    return r;
}

static void request_in(void *arg, struct http_req *r)
{
    struct receiver_otlp *self = arg;
    const struct otlp_request *q = receiver_request_of(self, r);
    struct blob *body = plain_body(self, r);
    char err[ERROR_MAX] = "";
    u32 items = 0;
    if (!body) return;
    int res = q->json ? decode_json(self, q->signal, &body, &items, err)
                      : otlp_validate(q->signal, blob_view(body), &items, err, sizeof(err));
    if (res == 0) {
        otlp_submit(self, r, OTLP_HTTP, body, items);
        return;
    }
    blob_unref(body);
    if (res == -ENOMEM)
        out_of_room(self, r);
    else
        bad_request(r, err[0] ? err : "the body is not a valid request");
}

const struct http_handler otlp_http_handler = {
    .headers = headers_in, .request = request_in, .gone = otlp_gone, .too_large = too_large};
