/* otelcol.exporter.otlp: sends OTLP over gRPC. Queue, batching and retries are
 * components/common/sending.h, the life of an attempt is components/common/otlp_exporter.h; this
 * file makes calls and judges statuses. One shard per worker.
 * Source: spec D.7. */
#include "components/common/grpc_endpoint.h"
#include "components/common/otel_output.h"
#include "components/common/otel_tls.h"
#include "components/common/otlp_exporter.h"
#include "components/common/otlp_status.h"
#include "components/common/rpc_metrics.h"
#include "components/common/settings.h"
#include "net/grpc.h"

#define ANSWER_MAX ((size_t)4 << 20) /* as the library of the reference has it */

struct keepalive_args {
    struct dur ping_wait, ping_response_timeout;
    bool ping_without_stream;
};
struct client_args {
    struct str endpoint, compression, authority, balancer_name;
    struct capsule_ref auth;
    struct str_map headers;
    struct bytesize read_buffer_size, write_buffer_size;
    bool wait_for_ready;
    struct otel_tls_args tls;
    struct keepalive_args *keepalive;
};
struct args {
    struct dur timeout;
    struct client_args client;
    struct sending_queue_args sending_queue;
    struct sending_retry_args retry_on_failure;
    struct otel_debug_metrics debug_metrics;
};

struct plan {
    struct otlp_exporter_plan exporter; /* urls: http(s)://host:port/package.Service/Export */
    const struct args *args;
    bool tls;
    enum codec wire; /* what grpc-encoding says; the compressor's has another name for snappy */
};

struct shared {
    struct otlp_exporter_shared exporter;
    struct rpc_metrics rpc[SIGNAL_COUNT];
};

/* --- arguments --- */

static const struct row keepalive_rows[] = {
    ATTR(struct keepalive_args, ping_response_timeout, .doc = "Time a ping may stay unanswered.",
         .def = "\"0s\""),
    ATTR(struct keepalive_args, ping_wait,
         .doc = "Silence on the connection after which it is pinged; 0s for never.",
         .def = "\"0s\""),
    ATTR(struct keepalive_args, ping_without_stream, .doc = "Ping while no call is under way, too.",
         .def = "false"),
};
static const struct schema keepalive_schema = SCHEMA(struct keepalive_args, keepalive_rows);

#define C struct client_args
static const struct row client_rows[] = {
    ATTR(C, auth, .doc = "Handler of an otelcol.auth component that signs calls.",
         .capsule = &capsule_otelcol_handler),
    ATTR(C, authority, .doc = "Value of :authority instead of the endpoint's host and port.",
         .def = "\"\""),
    ATTR(C, balancer_name,
         .doc = "How calls spread over the endpoint's addresses: pick_first or round_robin.",
         .def = "\"round_robin\"", .one_of = ONE_OF_TEXT("pick_first", "round_robin")),
    ATTR(C, compression, .doc = "Compression of messages: gzip, snappy, zstd, or none.",
         .def = "\"gzip\"",
         .one_of = ONE_OF_TEXT("gzip", "zlib", "deflate", "snappy", "zstd", "none", "")),
    ATTR(C, endpoint,
         .doc = "Host and port, optionally with http://, https:// or dns:/// in front.",
         .required = true),
    ATTR(C, headers, .doc = "Additional metadata of each call.", .def = "{}"),
    ATTR(C, read_buffer_size,
         .doc = "Size of the buffer that answers are read into; 0B for the default.",
         .def = "\"0B\""),
    ATTR(C, wait_for_ready, .doc = "Let calls wait for a connection instead of failing.",
         .def = "false"),
    ATTR(C, write_buffer_size, .doc = "Size of the buffer that requests are written from.",
         .def = "\"512KiB\""),
    BLOCK_PTR(C, keepalive, &keepalive_schema, .doc = "Pings that keep the connection alive."),
    BLOCK(C, tls, &otel_tls_client_schema, .doc = "TLS to the server; on unless insecure is set."),
};
static const struct schema client_schema = SCHEMA(C, client_rows);
#undef C

static const struct row arg_rows[] = {
    ATTR(struct args, timeout, .doc = "Time for one attempt.", .def = "\"5s\""),
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

static bool wants_tls(const struct otel_tls_args *a, const struct grpc_endpoint *e)
{
    return !a->insecure || e->https || a->ca_file.n > 0 || a->ca_pem.n > 0;
}

static int prepare_endpoint(struct prepare *p, const struct client_args *c, struct plan *plan)
{
    struct grpc_endpoint e;
    char *err;
    if (grpc_endpoint_parse(c->endpoint, &e, &err) < 0) {
        int r = setting_fault(p, "client/endpoint", "%s", err);
        free(err);
        return r;
    }
    if (e.dns_server)
        setting_no_effect(p, "client/endpoint", "names are resolved by the system's DNS servers");
    plan->tls = wants_tls(&c->tls, &e);
    char *base = grpc_endpoint_base(&e, plan->tls);
    for (enum signal s = 0; s < SIGNAL_COUNT; s++)
        plan->exporter.url[s] =
            str_of(arena_printf(p->arena, "%s/%s/Export", base, otlp_service_name(s)));
    free(base);
    return 0;
}

/* gRPC's snappy is the framed form, whatever its name says. */
static int prepare_compression(struct prepare *p, const struct client_args *c, struct plan *plan)
{
    plan->wire = otlp_exporter_codec(c->compression);
    if (plan->wire == CODEC_ZLIB)
        return setting_fault(p, "client/compression",
                             "unsupported compression type \"" STR_FMT "\"",
                             STR_ARG(c->compression));
    plan->exporter.format = (struct payload_format){
        .codec = plan->wire == CODEC_SNAPPY ? CODEC_SNAPPY_FRAMED : plan->wire,
        .level = CODEC_LEVEL_DEFAULT};
    return 0;
}

static int prepare(struct prepare *p, const void *args, void *plan_)
{
    struct plan *plan = plan_;
    const struct args *a = plan->args = args;
    const int results[] = {
        prepare_endpoint(p, &a->client, plan),
        prepare_compression(p, &a->client, plan),
        otel_tls_prepare(p, "client/tls", &a->client.tls),
        auth_prepare_client(p, "client/auth", a->client.auth),
        a->timeout.ns < 0 ? setting_fault(p, "timeout", "`timeout` must be non-negative") : 0,
        sending_prepare(p, &a->sending_queue, &a->retry_on_failure, &plan->exporter.sending),
    };
    for (size_t i = 0; i < a->client.headers.n; i++)
        setting_header(p, span_at(p->block, "client/headers"), a->client.headers.v[i].key,
                       a->client.headers.v[i].value);
    for (size_t i = 0; i < ARRAY_LEN(results); i++)
        if (results[i] < 0) return results[i];
    return 0;
}

/* --- one attempt --- */

static const struct plan *plan_of(const struct otlp_exporter *e)
{
    return container_of(e->plan, const struct plan, exporter);
}

static void metadata_of(struct otlp_exporter *e, const struct client_info *client,
                        struct auth_headers *h)
{
    const struct client_args *c = &plan_of(e)->args->client;
    *h = (struct auth_headers){.arena = &e->request};
    otlp_exporter_headers(e, &c->headers, auth_of(c->auth), client, h);
    if (c->authority.n > 0) auth_headers_set(h, STR("host"), c->authority);
}

static void refused(struct otlp_attempt *a, const struct grpc_status *s)
{
    bool retry_info = s->retry_delay > 0 || str_find(s->details, STR("google.rpc.RetryInfo")) >= 0;
    char *text = xprintf("rpc error: code = %s desc = " STR_FMT, grpc_code_name(s->code),
                         STR_ARG(s->message));
    otlp_attempt_end(a, &(struct send_result){.verdict = otlp_code_retryable(s->code, retry_info)
                                                             ? SEND_RETRY
                                                             : SEND_PERMANENT,
                                              .grpc_code = (int)s->code,
                                              .delay = s->retry_delay,
                                              .text = text});
    free(text);
}

static void answered(void *arg, const struct grpc_status *s, struct str message, i64 elapsed)
{
    struct otlp_attempt *a = arg;
    const struct shared *sh = a->exporter->shard->comp->shared;
    struct otlp_partial partial = {0};
    rpc_metrics_observe(&sh->rpc[a->req->batch->signal], elapsed, a->req->batch->bytes, message.n);
    if (s->code != GRPC_OK) {
        refused(a, s);
        return;
    }
    if (otlp_response_parse(message, &partial) == 0)
        otlp_exporter_partial(a->exporter, a->req->batch->signal, &partial);
    otlp_attempt_end(a, &(struct send_result){.verdict = SEND_OK});
}

static void *start(struct otlp_attempt *a)
{
    struct otlp_exporter *e = a->exporter;
    struct auth_headers metadata;
    metadata_of(e, a->req->batch->client, &metadata);
    return grpc_start(e->shard->worker->http,
                      &(struct grpc_call){.target = e->target,
                                          .url = a->url,
                                          .metadata = metadata.v,
                                          .n_metadata = metadata.n,
                                          .message = a->payload.iov,
                                          .n_message = a->payload.n_iov,
                                          .message_len = a->payload.len,
                                          .codec = plan_of(e)->wire,
                                          .timeout = plan_of(e)->args->timeout.ns,
                                          .max_response = ANSWER_MAX,
                                          .done = answered,
                                          .arg = a});
}

static void cancel(void *call)
{
    grpc_cancel(call);
}

static const struct otlp_transport transport = {.start = start, .cancel = cancel};

/* --- life --- */

static int create(struct comp *c, char **ret_err)
{
    (void)ret_err;
    struct shared *sh = c->shared;
    rpc_metrics_client(c, sh->rpc);
    otlp_exporter_create(c, "otlp");
    return 0;
}

static void target_conf(const struct plan *plan, struct http_target_conf *ret)
{
    const struct client_args *a = &plan->args->client;
    *ret = (struct http_target_conf){.proxy_from_env = true,
                                     .round_robin = str_is(a->balancer_name, "round_robin"),
                                     .wait_for_ready = a->wait_for_ready,
                                     .read_buffer = (size_t)MAX(a->read_buffer_size.n, 0),
                                     .write_buffer = (size_t)MAX(a->write_buffer_size.n, 0)};
    if (a->keepalive) {
        ret->keepalive_ping_every = a->keepalive->ping_wait.ns;
        ret->keepalive_ping_timeout = a->keepalive->ping_response_timeout.ns;
        ret->keepalive_without_calls = a->keepalive->ping_without_stream;
    }
    otel_tls_conf(&a->tls, &ret->tls);
    if (ret->tls.server_name.n == 0) ret->tls.server_name = a->authority;
}

static int configure(struct comp *c, const void *old_plan, char **ret_err)
{
    (void)old_plan;
    struct http_target_conf target;
    target_conf(c->plan, &target);
    return otlp_exporter_configure(c, &target, ret_err);
}

static int run(struct shard *s)
{
    return otlp_exporter_run(s, &transport);
}

DEFINE_COMPONENT(otelcol_exporter_otlp) = {
    .name = "otelcol.exporter.otlp",
    .summary = "Sends traces, metrics and logs to an OTLP/gRPC endpoint.",
    .example = "otelcol.exporter.otlp \"default\" {\n"
               "  client {\n"
               "    endpoint = \"tempo:4317\"\n"
               "\n"
               "    tls {\n"
               "      insecure = true\n"
               "    }\n"
               "  }\n"
               "}\n",
    .stability = STABILITY_GA,
    .args = &args_schema,
    .exports = &otel_input_schema,
    .placement = PLACE_EACH,
    .plan_size = sizeof(struct plan),
    .shared_size = sizeof(struct shared),
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
