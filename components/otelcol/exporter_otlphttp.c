/* otelcol.exporter.otlphttp: sends OTLP over HTTP, protobuf or JSON. Queue, batching and retries
 * are components/common/sending.h, the life of an attempt is components/common/otlp_exporter.h;
 * this file makes requests and judges answers. One shard per worker. Source: spec D.8. */
#include <errno.h>

#include "components/common/otel_output.h"
#include "components/common/otel_tls.h"
#include "components/common/otlp_exporter.h"
#include "components/common/otlp_status.h"
#include "components/common/retry_after.h"
#include "components/common/settings.h"

#define ANSWER_MAX ((size_t)64 << 10) /* bytes of an answer that are read */

struct compression_args {
    i64 level;
};
struct cookies_args {
    bool enabled;
};
struct client_args {
    struct str endpoint, compression, proxy_url;
    struct capsule_ref auth;
    bool disable_keep_alives, force_attempt_http2;
    struct str_map headers;
    struct dur http2_ping_timeout, http2_read_idle_timeout, idle_conn_timeout, timeout;
    i64 max_conns_per_host, max_idle_conns_per_host, max_idle_conns;
    struct bytesize read_buffer_size, write_buffer_size;
    struct compression_args *compression_params;
    struct otel_tls_args tls;
    struct cookies_args *cookies;
};
struct args {
    struct str encoding, logs_endpoint, metrics_endpoint, traces_endpoint;
    struct client_args client;
    struct sending_queue_args sending_queue;
    struct sending_retry_args retry_on_failure;
    struct otel_debug_metrics debug_metrics;
};

struct plan {
    struct otlp_exporter_plan exporter;
    const struct args *args;
};

/* --- arguments --- */

static const struct row compression_rows[] = {
    ATTR(struct compression_args, level,
         .doc = "Level of the compressor; its range depends on the algorithm.", .required = true),
};
static const struct schema compression_schema = SCHEMA(struct compression_args, compression_rows);

static const struct row cookies_rows[] = {
    ATTR(struct cookies_args, enabled, .doc = "Keep the server's cookies and send them back.",
         .def = "false"),
};
static const struct schema cookies_schema = SCHEMA(struct cookies_args, cookies_rows);

#define C struct client_args
static const struct row client_rows[] = {
    ATTR(C, auth, .doc = "Handler of an otelcol.auth component that signs requests.",
         .capsule = &capsule_otelcol_handler),
    ATTR(C, compression,
         .doc = "Compression of requests: gzip, zlib, deflate, snappy, zstd, or none.",
         .def = "\"gzip\"",
         .one_of = ONE_OF_TEXT("gzip", "zlib", "deflate", "snappy", "zstd", "none", "")),
    ATTR(C, disable_keep_alives, .doc = "Use each connection for one request only.",
         .def = "false"),
    ATTR(C, endpoint, .doc = "Base URL; the path of each signal is appended.", .required = true),
    ATTR(C, force_attempt_http2, .doc = "Try HTTP/2 on TLS connections.", .def = "true"),
    ATTR(C, headers, .doc = "Additional headers of each request.", .def = "{}"),
    ATTR(C, http2_ping_timeout, .doc = "Time an HTTP/2 ping may stay unanswered.",
         .def = "\"15s\""),
    ATTR(C, http2_read_idle_timeout,
         .doc = "Silence on an HTTP/2 connection after which it is pinged; 0s for never.",
         .def = "\"0s\""),
    ATTR(C, idle_conn_timeout,
         .doc = "Time after which an unused connection is closed; 0s for never.",
         .def = "\"1m30s\""),
    ATTR(C, max_conns_per_host, .doc = "Most connections to one host; 0 for no limit.", .def = "0"),
    ATTR(C, max_idle_conns, .doc = "Most unused connections that are kept; 0 for no limit.",
         .def = "100"),
    ATTR(C, max_idle_conns_per_host,
         .doc = "Most unused connections kept to one host; 0 for the default.", .def = "0"),
    ATTR(C, proxy_url, .doc = "HTTP proxy to send requests through.", .def = "\"\""),
    ATTR(C, read_buffer_size,
         .doc = "Size of the buffer that answers are read into; 0B for the default.",
         .def = "\"0B\""),
    ATTR(C, timeout, .doc = "Time for one whole attempt; 0s for no limit.", .def = "\"30s\""),
    ATTR(C, write_buffer_size, .doc = "Size of the buffer that requests are written from.",
         .def = "\"512KiB\""),
    BLOCK_PTR(C, compression_params, &compression_schema, .doc = "Tuning of the compressor."),
    BLOCK_PTR(C, cookies, &cookies_schema, .doc = "Cookies of the server."),
    BLOCK(C, tls, &otel_tls_client_schema, .doc = "TLS to the server."),
};
static const struct schema client_schema = SCHEMA(C, client_rows);
#undef C

static const struct row arg_rows[] = {
    ATTR(struct args, encoding, .doc = "Encoding of the payload: proto or json.",
         .def = "\"proto\""),
    ATTR(struct args, logs_endpoint,
         .doc = "Whole URL for logs; empty: the client's endpoint and /v1/logs.", .def = "\"\""),
    ATTR(struct args, metrics_endpoint,
         .doc = "Whole URL for metrics; empty: the client's endpoint and /v1/metrics.",
         .def = "\"\""),
    ATTR(struct args, traces_endpoint,
         .doc = "Whole URL for traces; empty: the client's endpoint and /v1/traces.",
         .def = "\"\""),
    BLOCK(struct args, client, &client_schema, .doc = "The server and how to talk to it.",
          .required = true),
    BLOCK(struct args, debug_metrics, &otel_debug_metrics_schema,
          .doc = "The component's own metrics."),
    BLOCK(struct args, retry_on_failure, &sending_retry_schema,
          .doc = "Retries of what failed for a while."),
    BLOCK(struct args, sending_queue, &sending_queue_schema, .doc = "Data that waits to be sent."),
};
static const struct schema args_schema = SCHEMA(struct args, arg_rows);

/* --- prepare --- */

static int url_of(struct prepare *p, const char *path, struct str whole, struct str base,
                  const char *suffix, struct str *ret)
{
    struct url url;
    char *err;
    if (whole.n == 0) {
        if (str_ends(base, STR("/"))) base.n--;
        whole = str_of(arena_printf(p->arena, STR_FMT "%s", STR_ARG(base), suffix));
        path = "client/endpoint";
    }
    if (url_parse(whole, &url, &err) < 0) {
        int r = setting_fault(p, path, "endpoint must be a valid URL: %s", err);
        free(err);
        return r;
    }
    *ret = whole;
    return 0;
}

static int prepare_urls(struct prepare *p, const struct args *a, struct plan *plan)
{
    static const char *const paths[SIGNAL_COUNT] = {"traces_endpoint", "metrics_endpoint",
                                                    "logs_endpoint"};
    static const char *const suffixes[SIGNAL_COUNT] = {"/v1/traces", "/v1/metrics", "/v1/logs"};
    const struct str whole[SIGNAL_COUNT] = {a->traces_endpoint, a->metrics_endpoint,
                                            a->logs_endpoint};
    bool any = a->client.endpoint.n > 0;
    for (enum signal s = 0; s < SIGNAL_COUNT; s++)
        any = any || whole[s].n > 0;
    if (!any) return setting_fault(p, "client/endpoint", "at least one endpoint must be specified");
    for (enum signal s = 0; s < SIGNAL_COUNT; s++) {
        if (whole[s].n == 0 && a->client.endpoint.n == 0) continue; /* this signal is not taken */
        int r =
            url_of(p, paths[s], whole[s], a->client.endpoint, suffixes[s], &plan->exporter.url[s]);
        if (r < 0) return r; /* the same base would be blamed three times */
    }
    return 0;
}

/* Levels as the algorithms have them; what has none takes 0 and -1 only, for "the default". */
static int prepare_level(struct prepare *p, const struct client_args *c, struct payload_format *f)
{
    static const struct {
        enum codec codec;
        i64 min, max;
    } ranges[] = {{CODEC_GZIP, -2, 9}, {CODEC_ZLIB, -2, 9}, {CODEC_ZSTD, 1, 22}};
    f->level = CODEC_LEVEL_DEFAULT;
    if (!c->compression_params) return 0;
    i64 level = c->compression_params->level, min = -1, max = 0;
    for (size_t i = 0; i < ARRAY_LEN(ranges); i++)
        if (ranges[i].codec == f->codec) {
            min = ranges[i].min;
            max = ranges[i].max;
        }
    bool unset = level == 0 || level == -1;
    if (!unset && (level < min || level > max))
        return setting_fault(p, "client/compression_params/level",
                             "unsupported compression type and level " STR_FMT " - %lld",
                             STR_ARG(c->compression), (long long)level);
    if (level == -2) level = 1; /* Huffman coding only: the fastest level comes nearest */
    if (level > 0) f->level = (int)level;
    return 0;
}

static int prepare_format(struct prepare *p, const struct args *a, struct payload_format *f)
{
    f->json = str_is(a->encoding, "json");
    int r = 0;
    if (!f->json && !str_is(a->encoding, "proto"))
        r = setting_fault(p, "encoding", "invalid encoding type " STR_FMT, STR_ARG(a->encoding));
    f->codec = otlp_exporter_codec(a->client.compression);
    return prepare_level(p, &a->client, f) < 0 ? -EINVAL : r;
}

static int prepare_client(struct prepare *p, const struct client_args *c)
{
    int r = otel_tls_prepare(p, "client/tls", &c->tls);
    struct url url;
    char *err;
    if (c->proxy_url.n > 0 && url_parse(c->proxy_url, &url, &err) < 0) {
        r = setting_fault(p, "client/proxy_url", "invalid proxy URL: %s", err);
        free(err);
    }
    for (size_t i = 0; i < c->headers.n; i++)
        setting_header(p, span_at(p->block, "client/headers"), c->headers.v[i].key,
                       c->headers.v[i].value);
    if (c->http2_read_idle_timeout.ns > 0)
        setting_no_effect(p, "client/http2_read_idle_timeout",
                          "TCP keepalive probes are sent instead of HTTP/2 pings");
    static const char *const names[] = {"client/max_conns_per_host",      "client/max_idle_conns",
                                        "client/max_idle_conns_per_host", "client/timeout",
                                        "client/idle_conn_timeout",       "client/read_buffer_size",
                                        "client/write_buffer_size"};
    const i64 values[] = {
        c->max_conns_per_host,   c->max_idle_conns,     c->max_idle_conns_per_host, c->timeout.ns,
        c->idle_conn_timeout.ns, c->read_buffer_size.n, c->write_buffer_size.n};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (values[i] < 0) r = setting_fault(p, names[i], "must not be negative");
    return r;
}

static int prepare(struct prepare *p, const void *args, void *plan_)
{
    struct plan *plan = plan_;
    const struct args *a = plan->args = args;
    const int results[] = {
        prepare_urls(p, a, plan),
        prepare_format(p, a, &plan->exporter.format),
        prepare_client(p, &a->client),
        auth_prepare_client(p, "client/auth", a->client.auth),
        sending_prepare(p, &a->sending_queue, &a->retry_on_failure, &plan->exporter.sending),
    };
    for (size_t i = 0; i < ARRAY_LEN(results); i++)
        if (results[i] < 0) return results[i];
    return 0;
}

/* --- one attempt --- */

static const struct plan *plan_of(const struct otlp_exporter *e)
{
    return container_of(e->plan, const struct plan, exporter);
}

static void headers_of(struct otlp_exporter *e, const struct client_info *client,
                       struct auth_headers *h)
{
    const struct client_args *c = &plan_of(e)->args->client;
    const struct payload_format *f = &e->plan->format;
    *h = (struct auth_headers){.arena = &e->request};
    auth_headers_add(h, STR("Content-Type"),
                     f->json ? STR("application/json") : STR("application/x-protobuf"));
    if (f->codec != CODEC_NONE) auth_headers_add(h, STR("Content-Encoding"), c->compression);
    otlp_exporter_headers(e, &c->headers, auth_of(c->auth), client, h);
}

/* False: the body is of the announced type and cannot be read. */
static bool answer_readable(struct otlp_attempt *a, const struct http_result *res)
{
    struct otlp_exporter *e = a->exporter;
    enum signal s = a->req->batch->signal;
    struct str type = http_header_get(res->headers, res->n_headers, STR("content-type"));
    struct otlp_partial partial = {0};
    int r = 0;
    if (str_is(type, "application/x-protobuf"))
        r = otlp_response_parse(res->body, &partial);
    else if (str_is(type, "application/json") && res->body.n > 0)
        r = otlp_response_parse_json(res->body, &e->request, s, &partial);
    if (r == 0) otlp_exporter_partial(e, s, &partial);
    arena_reset(&e->request);
    return r == 0;
}

/* "rpc error: code = Unavailable desc = error exporting items, request to URL responded with HTTP
 * Status Code 503, Message=..., Details=[]" */
static void status_text(const struct otlp_attempt *a, const struct http_result *res,
                        struct buf *out)
{
    struct grpc_status status;
    buf_printf(out,
               "rpc error: code = %s desc = error exporting items, request to " STR_FMT
               " responded with HTTP Status Code %d",
               grpc_code_name(otlp_code_of_http(res->status)), STR_ARG(a->url), res->status);
    if (res->status >= 400 && res->status < 600 && grpc_status_decode(res->body, &status) == 0)
        buf_printf(out, ", Message=" STR_FMT ", Details=[]", STR_ARG(status.message));
}

static bool status_retryable(int status)
{
    return status == 429 || status == 502 || status == 503 || status == 504;
}

static i64 asked_delay(const struct otlp_attempt *a, const struct http_result *res)
{
    if (res->status != 429 && res->status != 503) return 0;
    return retry_after_parse(http_header_get(res->headers, res->n_headers, STR("retry-after")),
                             clock_real(a->exporter->shard->comp->host->clock));
}

static void refused(struct otlp_attempt *a, const struct http_result *res)
{
    struct buf text = BUF_INIT(ANSWER_MAX + 4096);
    status_text(a, res, &text);
    bool retry = status_retryable(res->status);
    otlp_attempt_end(a, &(struct send_result){.verdict = retry ? SEND_RETRY : SEND_PERMANENT,
                                              .grpc_code = (int)otlp_code_of_http(res->status),
                                              .delay = asked_delay(a, res),
                                              .text = text.p});
    buf_done(&text);
}

static void answered(void *arg, const struct http_result *res)
{
    struct otlp_attempt *a = arg;
    if (res->fail != HTTP_OK) {
        char *text = xprintf("failed to make an HTTP request: Post \"" STR_FMT "\": %s",
                             STR_ARG(a->url), res->error ? res->error : "failed");
        otlp_attempt_end(a, &(struct send_result){.verdict = SEND_RETRY, .text = text});
        free(text);
        return;
    }
    if (res->status < 200 || res->status > 299) {
        refused(a, res);
        return;
    }
    if (answer_readable(a, res))
        otlp_attempt_end(a, &(struct send_result){.verdict = SEND_OK});
    else
        otlp_attempt_end(
            a, &(struct send_result){.verdict = SEND_PERMANENT,
                                     .text = "error parsing the answer's partial success"});
}

static void *start(struct otlp_attempt *a)
{
    struct otlp_exporter *e = a->exporter;
    struct auth_headers headers;
    headers_of(e, a->req->batch->client, &headers);
    return http_client_start(e->shard->worker->http,
                             &(struct http_call){.target = e->target,
                                                 .method = STR("POST"),
                                                 .url = a->url,
                                                 .headers = headers.v,
                                                 .n_headers = headers.n,
                                                 .body = a->payload.iov,
                                                 .n_body = a->payload.n_iov,
                                                 .body_len = a->payload.len,
                                                 .timeout = plan_of(e)->args->client.timeout.ns,
                                                 .max_response = ANSWER_MAX,
                                                 .truncate = true,
                                                 .done = answered,
                                                 .arg = a});
}

static void cancel(void *call)
{
    http_client_cancel(call);
}

static const struct otlp_transport transport = {.start = start, .cancel = cancel};

/* --- life --- */

static int create(struct comp *c, char **ret_err)
{
    (void)ret_err;
    otlp_exporter_create(c, "otlphttp");
    return 0;
}

/* A limit of the whole instance as one worker's part: each has connections of its own. 0: none. */
static size_t part_of(i64 limit, u32 workers)
{
    return limit == 0 ? 0 : (size_t)MAX(limit / workers, 1);
}

static void target_conf(const struct client_args *a, u32 workers, struct http_target_conf *ret)
{
    i64 idle = a->max_idle_conns_per_host > 0 ? MIN(a->max_idle_conns_per_host, a->max_idle_conns)
                                              : a->max_idle_conns;
    *ret = (struct http_target_conf){.proxy_url = a->proxy_url,
                                     .proxy_from_env = a->proxy_url.n == 0,
                                     .http2 = a->force_attempt_http2,
                                     .no_keepalive = a->disable_keep_alives,
                                     .follow_redirects = true,
                                     .max_conns_per_host = part_of(a->max_conns_per_host, workers),
                                     .max_idle_conns = part_of(idle, workers),
                                     .idle_conn_timeout = a->idle_conn_timeout.ns,
                                     .keepalive_ping_every = a->http2_read_idle_timeout.ns,
                                     .keepalive_ping_timeout = a->http2_ping_timeout.ns,
                                     .read_buffer = (size_t)a->read_buffer_size.n,
                                     .write_buffer = (size_t)a->write_buffer_size.n,
                                     .cookies = a->cookies && a->cookies->enabled};
    otel_tls_conf(&a->tls, &ret->tls);
}

static int configure(struct comp *c, const void *old_plan, char **ret_err)
{
    (void)old_plan;
    const struct plan *plan = c->plan;
    struct http_target_conf target;
    target_conf(&plan->args->client, comp_shards(c), &target);
    return otlp_exporter_configure(c, &target, ret_err);
}

static int run(struct shard *s)
{
    return otlp_exporter_run(s, &transport);
}

DEFINE_COMPONENT(otelcol_exporter_otlphttp) = {
    .name = "otelcol.exporter.otlphttp",
    .summary = "Sends traces, metrics and logs to an OTLP/HTTP endpoint.",
    .example = "otelcol.exporter.otlphttp \"default\" {\n"
               "  client {\n"
               "    endpoint = \"http://localhost:4318\"\n"
               "  }\n"
               "}\n",
    .stability = STABILITY_GA,
    .args = &args_schema,
    .exports = &otel_input_schema,
    .placement = PLACE_EACH,
    .plan_size = sizeof(struct plan),
    .shared_size = sizeof(struct otlp_exporter_shared),
    .self_size = sizeof(struct otlp_exporter),
    .prepare = prepare,
    .create = create,
    .configure = configure,
    .run = run,
    .apply = otlp_exporter_apply,
    .stop = otlp_exporter_stop,
    .shard_done = otlp_exporter_shard_done,
    .destroy = otlp_exporter_destroy,
    .push = otlp_exporter_push,
};
