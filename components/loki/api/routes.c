/* Paths, checks and bodies of loki.source.api. Source: spec A.8's neighbours in Alloy's source
 * facts: the paths of Loki's push API with and without its prefix. */
#include <errno.h>

#include "base/codec.h"
#include "components/loki/api/api.h"

const struct api_route api_routes[API_ROUTES] = {
    {"/loki/api/v1/push", "POST", "loki_api_v1_push", API_PUSH},
    {"/api/v1/push", "POST", "api_v1_push", API_PUSH},
    {"/loki/api/v1/raw", "POST", "loki_api_v1_raw", API_RAW},
    {"/api/v1/raw", "POST", "api_v1_raw", API_RAW},
    {"/ready", "GET", "ready", API_READY},
};

#define TENANT_MAX 150

/* --- metrics --- */

static const f64 second_bounds[] = {.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 25, 50, 100};
static const f64 byte_bounds[] = {1 << 20,  2.5 * (1 << 20), 5 << 20,   10 << 20,
                                  25 << 20, 50 << 20,        100 << 20, 250 << 20};
static const struct metric_desc seconds_desc = {
    .name = "loki_source_api_request_duration_seconds",
    .help = "Time (in seconds) spent serving HTTP requests.",
    .kind = METRIC_HISTOGRAM,
    .bounds = second_bounds,
    .n_bounds = ARRAY_LEN(second_bounds)};
static const struct metric_desc inflight_desc = {.name = "loki_source_api_inflight_requests",
                                                 .help = "Current number of inflight requests.",
                                                 .kind = METRIC_GAUGE};
static const struct metric_desc in_desc = {
    .name = "loki_source_api_request_message_bytes",
    .help = "Size (in bytes) of messages received in the request.",
    .kind = METRIC_HISTOGRAM,
    .bounds = byte_bounds,
    .n_bounds = ARRAY_LEN(byte_bounds)};
static const struct metric_desc out_desc = {.name = "loki_source_api_response_message_bytes",
                                            .help = "Size (in bytes) of messages sent in response.",
                                            .kind = METRIC_HISTOGRAM,
                                            .bounds = byte_bounds,
                                            .n_bounds = ARRAY_LEN(byte_bounds)};

static struct api_meters *meters_of(struct api *self, const struct api_route *route)
{
    struct api_meters *m = &self->meters[route - api_routes];
    const struct metric_label labels[] = {{"method", route->method}, {"route", route->name}};

    if (m->inflight) return m;
    m->inflight = shard_metric(self->shard, &inflight_desc, labels, 2);
    m->in_bytes = shard_metric(self->shard, &in_desc, labels, 2);
    m->out_bytes = shard_metric(self->shard, &out_desc, labels, 2);
    return m;
}

static struct metric *seconds_of(struct api *self, const struct api_request *q, int status)
{
    char code[16];
    const struct metric_label labels[] = {{"method", q->route->method},
                                          {"route", q->route->name},
                                          {"status_code", code},
                                          {"ws", "false"}};

    for (size_t i = 0; i < API_STATUSES; i++) {
        if (q->meters->by_status[i].status == status) return q->meters->by_status[i].seconds;
        if (q->meters->by_status[i].status) continue;
        (void)snprintf(code, sizeof(code), "%d", status);
        q->meters->by_status[i].status = status;
        return q->meters->by_status[i].seconds =
                   shard_metric(self->shard, &seconds_desc, labels, ARRAY_LEN(labels));
    }
    return NULL;
}

static void meter_answer(struct api *self, const struct http_req *r, int status, size_t n)
{
    const struct api_request *q = r->user;

    if (!q || !q->meters) return;
    i64 took = loop_now(self->shard->worker->loop) - q->started;
    metric_add(q->meters->inflight, -1);
    metric_observe(q->meters->out_bytes, (f64)n);
    metric_observe(seconds_of(self, q, status), (f64)took / NS_PER_SEC);
}

/* --- answers --- */

void api_answer(struct api *self, struct http_req *r, int status, const char *text, i64 wait)
{
    struct str body = text ? str_of(arena_printf(r->arena, "%s\n", text)) : STR("");
    struct http_header headers[2] = {{STR("Content-Type"), STR("text/plain; charset=utf-8")}};
    size_t n = text ? 1 : 0;

    if (wait > 0)
        headers[n++] = (struct http_header){
            STR("Retry-After"),
            str_of(
                arena_printf(r->arena, "%lld", (long long)((wait + NS_PER_SEC - 1) / NS_PER_SEC)))};
    if (status >= 500 || status == 400)
        log_debug(self->shard->comp->log, "request refused", F_INT("status", status),
                  F_STR("peer", r->peer), F_CSTR("err", text ? text : ""));
    meter_answer(self, r, status, body.n);
    http_respond(r, &(struct http_answer){
                        .status = status, .headers = headers, .n_headers = n, .body = body});
}

/* A client at fault: its operator may have nothing but this log. */
static void bad_request(struct api *self, struct http_req *r, int status, const char *text)
{
    log_warn(self->shard->comp->log, "failed to parse request", F_CSTR("err", text),
             F_STR("peer", r->peer));
    api_answer(self, r, status, text, 0);
}

static void no_memory(struct api *self, struct http_req *r)
{
    api_answer(self, r, 503, "data refused due to high memory usage", NS_PER_SEC);
}

/* --- headers --- */

static const struct api_route *route_of(const struct http_req *r, bool *ret_other_method)
{
    for (size_t i = 0; i < API_ROUTES; i++) {
        if (!str_is(r->path, api_routes[i].path)) continue;
        if (str_is(r->method, api_routes[i].method)) return &api_routes[i];
        *ret_other_method = true;
    }
    return NULL;
}

static void on_headers(void *arg, struct http_req *r)
{
    struct api *self = arg;
    bool other_method = false;
    const struct api_route *route = route_of(r, &other_method);

    if (!route) {
        api_answer(self, r, other_method ? 405 : 404, other_method ? NULL : "404 page not found",
                   0);
        return;
    }
    struct api_request *q = arena_new(r->arena, struct api_request);
    q->route = route;
    q->started = loop_now(self->shard->worker->loop);
    q->meters = meters_of(self, route);
    metric_add(q->meters->inflight, 1);
    r->user = q;
    r->body_limit = self->plan->limit;
    if (!budget_has(self->shard->comp->host->data_budget, 1) && route->kind != API_READY)
        no_memory(self, r);
}

static const char *larger(struct api *self, struct http_req *r, struct str told)
{
    return arena_printf(r->arena, "received message larger than max (" STR_FMT " vs %zu)",
                        STR_ARG(told.n ? told : STR("more")), self->plan->limit);
}

static void on_too_large(void *arg, struct http_req *r)
{
    bad_request(arg, r, 413, larger(arg, r, http_req_header(r, STR("content-length"))));
}

/* --- bodies --- */

static bool is_json(const struct http_req *r)
{
    struct str type = http_req_header(r, STR("content-type"));

    return str_ieq(str_trim(str_cut(&type, ';')), STR("application/json"));
}

/* "deflate" with the header of zlib, as HTTP has it, or without, as Loki's clients write it. */
static enum codec deflate_of(struct str body)
{
    const u8 *p = (const u8 *)body.p;
    bool zlib = body.n >= 2 && (p[0] & 15) == 8 && ((p[0] << 8) | p[1]) % 31 == 0;

    return zlib ? CODEC_ZLIB : CODEC_DEFLATE;
}

/* How the body is packed, outermost first. False: the encoding is none of Loki's. */
static bool codecs_of(const struct http_req *r, const struct api_request *q, struct str body,
                      enum codec v[2])
{
    struct str name = http_req_header(r, STR("content-encoding"));
    bool proto = q->route->kind == API_PUSH && !is_json(r), snappy = str_is(name, "snappy");

    v[0] = CODEC_NONE;
    v[1] = proto ? CODEC_SNAPPY : CODEC_NONE; /* named or not */
    if (name.n == 0 || (snappy && proto)) return true;
    v[0] = snappy                    ? CODEC_SNAPPY
           : str_is(name, "gzip")    ? CODEC_GZIP
           : str_is(name, "deflate") ? deflate_of(body)
                                     : CODEC_NONE;
    return v[0] != CODEC_NONE;
}

/* 0 with *body replaced; else it was answered. */
static int unpack(struct api *self, struct http_req *r, enum codec codec, struct blob **body)
{
    struct budget *budget = self->shard->comp->host->data_budget;
    struct buf plain = BUF_INIT(self->plan->limit);
    const char *err = NULL;

    if (codec == CODEC_NONE) return 0;
    int res = codec_decompress(codec, blob_view(*body), self->plan->limit, &plain, &err);
    struct blob *made = res == 0 ? blob_take_buf(&plain, budget) : NULL;
    buf_done(&plain);
    if (made) {
        blob_unref(*body);
        *body = made;
        return 0;
    }
    if (res == 0 || res == -ENOMEM)
        no_memory(self, r);
    else if (res == -E2BIG)
        bad_request(self, r, 413, larger(self, r, (struct str){0}));
    else
        bad_request(self, r, 400,
                    arena_printf(r->arena, "%s: %s", codec_name(codec), err ? err : "broken"));
    return -1;
}

static struct str tenant_of(const struct http_req *r)
{
    struct str id = http_req_header(r, STR("x-scope-orgid"));

    return id.n <= TENANT_MAX ? id : (struct str){0};
}

static void take(struct api *self, struct http_req *r, struct blob *bytes)
{
    struct log_builder *b = log_builder_new(self->shard->comp->host->data_budget);
    const struct api_request *q = r->user;
    const struct api_body body = {.kind = q->route->kind,
                                  .json = is_json(r),
                                  .bytes = bytes,
                                  .tenant = tenant_of(r),
                                  .arena = r->arena};
    char *err = NULL;
    int res = api_read_body(self, &body, b, &err);

    if (res == 0 || res == -EINVAL) {
        if (err)
            log_warn(self->shard->comp->log, "at least one entry failed to be processed",
                     F_CSTR("err", err), F_STR("peer", r->peer));
        api_submit(self, r, b, err);
    } else if (res == -ENOMEM) {
        free(err);
        no_memory(self, r);
    } else {
        bad_request(self, r, 400, err ? err : "the body is not a push request");
        free(err);
    }
    log_builder_free(b);
}

static void on_request(void *arg, struct http_req *r)
{
    struct api *self = arg;
    const struct api_request *q = r->user;
    struct budget *budget = self->shard->comp->host->data_budget;
    enum codec codecs[2];

    if (q->route->kind == API_READY) {
        meter_answer(self, r, 200, 5);
        http_respond_text(r, 200, STR("ready"));
        return;
    }
    struct blob *body = http_req_take_body(r);
    if (!body) body = blob_new(0, budget);
    if (!body) {
        no_memory(self, r);
        return;
    }
    metric_observe(q->meters->in_bytes, (f64)body->n);
    if (!codecs_of(r, q, blob_view(body), codecs))
        bad_request(self, r, 400,
                    arena_printf(r->arena, "Content-Encoding \"" STR_FMT "\" not supported",
                                 STR_ARG(http_req_header(r, STR("content-encoding")))));
    else if (unpack(self, r, codecs[0], &body) == 0 && unpack(self, r, codecs[1], &body) == 0)
        take(self, r, body);
    blob_unref(body);
}

const struct http_handler api_handler = {
    .headers = on_headers, .request = on_request, .gone = api_gone, .too_large = on_too_large};
