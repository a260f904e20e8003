/* otelcol.receiver.otlp: takes OTLP over HTTP and gRPC. One shard per worker; sockets are opened by
 * the instance and survive a reload, connections live on one worker, and a batch starts its way
 * there. Clients are answered when the next queue has taken their data. Source: spec D.2. */
#include "components/otelcol/receiver_otlp.h"

#include <errno.h>

#include "components/common/otlp_tap.h"
#include "components/common/settings.h"

#define MIB        ((i64)1 << 20)
#define FOREVER    (INT64_MAX / 4) /* a limit of time that is never reached */
#define STOP_GRACE (5 * NS_PER_SEC)

/* --- arguments --- */

#define K struct receiver_otlp_server_parameters
static const struct row server_parameters_rows[] = {
    ATTR(K, max_connection_age, .doc = "Age at which a connection is asked to close; 0s for never.",
         .def = "\"0s\""),
    ATTR(K, max_connection_age_grace,
         .doc = "Time that calls of an aged connection get to finish; 0s for no limit.",
         .def = "\"0s\""),
    ATTR(K, max_connection_idle,
         .doc = "Time without calls after which a connection is closed; 0s for never.",
         .def = "\"0s\""),
    ATTR(K, time, .doc = "Silence of a client after which it is pinged.", .def = "\"2h\""),
    ATTR(K, timeout, .doc = "Time that a ping may stay unanswered.", .def = "\"20s\""),
};
static const struct schema server_parameters_schema = SCHEMA(K, server_parameters_rows);
#undef K

static const struct row enforcement_rows[] = {
    ATTR(struct receiver_otlp_enforcement, min_time,
         .doc = "Shortest time between two pings of a client.", .def = "\"5m\""),
    ATTR(struct receiver_otlp_enforcement, permit_without_stream, .def = "false",
         .doc = "Let clients ping while no call is under way; otherwise once in two hours."),
};
static const struct schema enforcement_schema =
    SCHEMA(struct receiver_otlp_enforcement, enforcement_rows);

static const struct row keepalive_rows[] = {
    BLOCK(struct receiver_otlp_keepalive, enforcement_policy, &enforcement_schema,
          .doc = "What pings of clients are accepted."),
    BLOCK(struct receiver_otlp_keepalive, server_parameters, &server_parameters_schema,
          .doc = "Age and pings of connections."),
};
static const struct schema keepalive_schema =
    SCHEMA(struct receiver_otlp_keepalive, keepalive_rows);

#define G struct receiver_otlp_grpc_args
static const struct row grpc_rows[] = {
    ATTR(G, auth, .doc = "Handler of an otelcol.auth component that checks calls.",
         .capsule = &capsule_otelcol_handler),
    ATTR(G, endpoint, .doc = "Address to listen on.", .def = "\"0.0.0.0:4317\""),
    ATTR(G, include_metadata, .doc = "Keep the call's metadata for components further on.",
         .def = "false"),
    ATTR(G, max_concurrent_streams,
         .doc = "Most calls at a time on one connection; 0 for the default.", .def = "0"),
    ATTR(G, max_recv_msg_size, .doc = "Largest message, in whole MiB.", .def = "\"4MiB\""),
    ATTR(G, read_buffer_size, .doc = "Size of the buffer that a connection is read into.",
         .def = "\"512KiB\""),
    ATTR(G, transport, .doc = "Kind of socket: tcp, tcp4, tcp6 or unix.", .def = "\"tcp\""),
    ATTR(G, write_buffer_size,
         .doc = "Size of the buffer that answers are written from; 0B for the default.",
         .def = "\"0B\""),
    BLOCK(G, keepalive, &keepalive_schema, .doc = "Age and pings of connections."),
    BLOCK_PTR(G, tls, &otel_tls_server_schema,
              .doc = "TLS of the server; without it connections are in clear text."),
};
static const struct schema grpc_schema = SCHEMA(G, grpc_rows);
#undef G

#define H struct receiver_otlp_http_args
static const struct row http_rows[] = {
    ATTR(H, auth, .doc = "Handler of an otelcol.auth component that checks requests.",
         .capsule = &capsule_otelcol_handler),
    ATTR(H, compression_algorithms,
         .doc = "Values of Content-Encoding that are accepted; the empty one is for none.",
         .def = "[\"\", \"gzip\", \"zstd\", \"zlib\", \"snappy\", \"deflate\", \"lz4\"]"),
    ATTR(H, endpoint, .doc = "Address to listen on.", .def = "\"0.0.0.0:4318\""),
    ATTR(H, idle_timeout, .doc = "Time that a connection may wait for its next request.",
         .def = "\"1m\""),
    ATTR(H, include_metadata, .doc = "Keep the request's headers for components further on.",
         .def = "false"),
    ATTR(H, keep_alives_enabled, .doc = "Let clients use a connection for several requests.",
         .def = "true"),
    ATTR(H, logs_url_path, .doc = "Path that takes logs.", .def = "\"/v1/logs\""),
    ATTR(H, max_request_body_size, .doc = "Largest body, compressed or not.", .def = "\"20MiB\""),
    ATTR(H, metrics_url_path, .doc = "Path that takes metrics.", .def = "\"/v1/metrics\""),
    ATTR(H, read_header_timeout, .doc = "Time for the headers of a request.", .def = "\"1m\""),
    ATTR(H, read_timeout, .doc = "Time for a whole request; 0s for no limit.", .def = "\"0s\""),
    ATTR(H, traces_url_path, .doc = "Path that takes traces.", .def = "\"/v1/traces\""),
    ATTR(H, write_timeout, .doc = "Time for writing an answer; 0s for no limit.", .def = "\"30s\""),
    BLOCK(H, cors, &cors_schema, .doc = "Requests from browsers on other origins."),
    BLOCK_PTR(H, tls, &otel_tls_server_schema,
              .doc = "TLS of the server; without it connections are in clear text."),
};
static const struct schema http_schema = SCHEMA(H, http_rows);
#undef H

#define A struct receiver_otlp_args
static const struct row arg_rows[] = {
    BLOCK(A, debug_metrics, &otel_debug_metrics_schema, .doc = "The component's own metrics."),
    BLOCK_PTR(A, grpc, &grpc_schema, .doc = "OTLP over gRPC; off without this block."),
    BLOCK_PTR(A, http, &http_schema, .doc = "OTLP over HTTP; off without this block."),
    BLOCK(A, output, &otel_output_schema, .doc = "Where received data goes.", .required = true),
};
static const struct schema args_schema = SCHEMA(A, arg_rows);
#undef A

/* --- prepare --- */

static int prepare_endpoint(struct prepare *p, const char *path, struct str network,
                            struct str endpoint)
{
    struct str host;
    int port;
    char *err;
    if (str_is(network, "unix") || hostport_parse(endpoint, -1, &host, &port, &err) == 0) return 0;
    int r = setting_fault(p, path, "invalid address \"" STR_FMT "\": %s", STR_ARG(endpoint), err);
    free(err);
    return r;
}

static int prepare_paths(struct prepare *p, const struct receiver_otlp_http_args *a,
                         struct receiver_otlp_plan *plan)
{
    static const char *const names[SIGNAL_COUNT] = {"traces_url_path", "metrics_url_path",
                                                    "logs_url_path"};
    const struct str paths[SIGNAL_COUNT] = {a->traces_url_path, a->metrics_url_path,
                                            a->logs_url_path};
    int r = 0;
    for (enum signal s = 0; s < SIGNAL_COUNT; s++) {
        if (paths[s].n == 0)
            r = setting_fault(p, arena_printf(p->arena, "http/%s", names[s]), "%s cannot be empty",
                              names[s]);
        else
            plan->path[s] = paths[s].p[0] == '/'
                                ? paths[s]
                                : str_of(arena_printf(p->arena, "/" STR_FMT, STR_ARG(paths[s])));
    }
    return r;
}

static void prepare_encodings(struct prepare *p, const struct str_list *l)
{
    enum codec codec;
    for (size_t i = 0; i < l->n; i++)
        if (!codec_by_name(l->v[i], &codec))
            setting_no_effect(
                p, "http/compression_algorithms",
                arena_printf(p->arena, "\"" STR_FMT "\" is not known", STR_ARG(l->v[i])));
}

static int prepare_http(struct prepare *p, const struct receiver_otlp_http_args *a,
                        struct receiver_otlp_plan *plan)
{
    const int results[] = {
        prepare_endpoint(p, "http/endpoint", STR("tcp"), a->endpoint),
        auth_prepare_server(p, "http/auth", a->auth),
        prepare_paths(p, a, plan),
        a->tls ? otel_tls_prepare(p, "http/tls", a->tls) : 0,
        a->max_request_body_size.n < 0
            ? setting_fault(p, "http/max_request_body_size", "must not be negative")
            : 0,
    };
    prepare_encodings(p, &a->compression_algorithms);
    if (!cors_on(&a->cors) && span_written(p->block, "http/cors/allowed_headers"))
        setting_no_effect(p, "http/cors/allowed_headers", "CORS is off without allowed_origins");
    plan->http_limit =
        (size_t)(a->max_request_body_size.n > 0 ? a->max_request_body_size.n : 20 * MIB);
    for (size_t i = 0; i < ARRAY_LEN(results); i++)
        if (results[i] < 0) return results[i];
    return 0;
}

static int prepare_transport(struct prepare *p, struct str transport)
{
    static const char *const known[] = {"tcp", "tcp4", "tcp6", "unix"};
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (str_is(transport, known[i])) return 0;
    return setting_fault(p, "grpc/transport",
                         "unknown network \"" STR_FMT
                         "\": tcp, tcp4, tcp6 and unix can be listened on",
                         STR_ARG(transport));
}

static int prepare_grpc(struct prepare *p, const struct receiver_otlp_grpc_args *a,
                        struct receiver_otlp_plan *plan)
{
    i64 whole = a->max_recv_msg_size.n / MIB * MIB;
    const int results[] = {
        prepare_transport(p, a->transport),
        prepare_endpoint(p, "grpc/endpoint", a->transport, a->endpoint),
        auth_prepare_server(p, "grpc/auth", a->auth),
        a->tls ? otel_tls_prepare(p, "grpc/tls", a->tls) : 0,
        a->max_concurrent_streams < 0 || a->max_concurrent_streams > UINT32_MAX
            ? setting_fault(p, "grpc/max_concurrent_streams", "must be between 0 and %u",
                            UINT32_MAX)
            : 0,
    };
    plan->grpc_limit = (size_t)(whole > 0 ? MIN(whole, (i64)UINT32_MAX) : 4 * MIB);
    for (size_t i = 0; i < ARRAY_LEN(results); i++)
        if (results[i] < 0) return results[i];
    return 0;
}

static int prepare(struct prepare *p, const void *args, void *plan_)
{
    struct receiver_otlp_plan *plan = plan_;
    const struct receiver_otlp_args *a = plan->args = args;
    plan->signals = otel_output_signals(&a->output);
    int http = a->http ? prepare_http(p, a->http, plan) : 0;
    int grpc = a->grpc ? prepare_grpc(p, a->grpc, plan) : 0;
    return http < 0 ? http : grpc;
}

/* --- metrics --- */

#define PER_SIGNAL(verb, text)                                                                     \
    {                                                                                              \
        {.name = "otelcol_receiver_" verb "_spans_total",                                          \
         .help = "Number of spans " text,                                                          \
         .kind = METRIC_COUNTER},                                                                  \
            {.name = "otelcol_receiver_" verb "_metric_points_total",                              \
             .help = "Number of metric points " text,                                              \
             .kind = METRIC_COUNTER},                                                              \
            {.name = "otelcol_receiver_" verb "_log_records_total",                                \
             .help = "Number of log records " text,                                                \
             .kind = METRIC_COUNTER},                                                              \
    }
static const struct metric_desc accepted_desc[SIGNAL_COUNT] =
    PER_SIGNAL("accepted", "taken over by the pipeline.");
static const struct metric_desc refused_desc[SIGNAL_COUNT] =
    PER_SIGNAL("refused", "that the pipeline did not take.");

static int create(struct comp *c, char **ret_err)
{
    (void)ret_err;
    static const char *const transports[OTLP_TRANSPORTS] = {"http", "grpc"};
    struct receiver_otlp_shared *sh = c->shared;
    char *receiver = xprintf("otlp/%s", c->id);
    for (enum otlp_transport t = 0; t < OTLP_TRANSPORTS; t++) {
        const struct metric_label labels[] = {
            {"receiver", receiver},
            {"transport", transports[t]},
            {"otel_scope_name", "go.opentelemetry.io/collector/receiver/receiverhelper"},
            {"otel_scope_version", ""},
            {"otel_scope_schema_url", ""},
        };
        for (enum signal s = 0; s < SIGNAL_COUNT; s++) {
            sh->accepted[t][s] = comp_metric(c, &accepted_desc[s], labels, ARRAY_LEN(labels));
            sh->refused[t][s] = comp_metric(c, &refused_desc[s], labels, ARRAY_LEN(labels));
        }
    }
    free(receiver);
    rpc_metrics_server(c, sh->rpc);
    return 0;
}

/* --- sockets --- */

static i64 or_forever(i64 ns)
{
    return ns > 0 ? ns : FOREVER;
}

static void http_conf_of(const struct comp *c, const struct receiver_otlp_plan *plan,
                         struct listening_conf *ret)
{
    const struct receiver_otlp_http_args *a = plan->args->http;
    *ret = (struct listening_conf){0};
    if (!a) return;
    ret->network = "tcp";
    ret->addr = a->endpoint.p;
    ret->http = (struct http_conf){.max_body = plan->http_limit,
                                   .read_header_timeout = or_forever(a->read_header_timeout.ns),
                                   .read_timeout = a->read_timeout.ns,
                                   .write_timeout = or_forever(a->write_timeout.ns),
                                   .idle_timeout = or_forever(a->idle_timeout.ns),
                                   .no_keepalive = !a->keep_alives_enabled,
                                   .budget = c->host->data_budget};
}

static void grpc_conf_of(const struct comp *c, const struct receiver_otlp_plan *plan,
                         struct listening_conf *ret)
{
    const struct receiver_otlp_grpc_args *a = plan->args->grpc;
    *ret = (struct listening_conf){0};
    if (!a) return;
    const struct receiver_otlp_server_parameters *k = &a->keepalive.server_parameters;
    const struct receiver_otlp_enforcement *e = &a->keepalive.enforcement_policy;
    ret->network = a->transport.p;
    ret->addr = a->endpoint.p;
    ret->http = (struct http_conf){
        .h2_only = true,
        .max_body = plan->grpc_limit + 5,
        .idle_timeout = FOREVER,
        .max_streams = (u32)a->max_concurrent_streams,
        .max_conn_age = k->max_connection_age.ns,
        .max_conn_age_grace = k->max_connection_age_grace.ns,
        .max_conn_idle = k->max_connection_idle.ns,
        .ping_every = k->time.ns > 0 ? k->time.ns : 7200 * NS_PER_SEC,
        .ping_timeout = k->timeout.ns > 0 ? k->timeout.ns : 20 * NS_PER_SEC,
        .ping_min_interval = e->min_time.ns > 0 ? e->min_time.ns : 300 * NS_PER_SEC,
        .ping_idle_interval = e->permit_without_stream ? 0 : 7200 * NS_PER_SEC,
        .read_buffer = (size_t)a->read_buffer_size.n,
        .write_buffer = (size_t)a->write_buffer_size.n,
        .budget = c->host->data_budget};
}

static int tls_of(const struct otel_tls_args *a, struct http_conf *conf, char **ret_err)
{
    struct tls_conf tls;
    if (!a) return 0;
    otel_tls_conf(a, &tls);
    conf->tls = tls_server_new(&tls, true, ret_err);
    return conf->tls ? 0 : -EINVAL;
}

static int listen_on(struct comp *c, enum otlp_transport t, const struct otel_tls_args *tls,
                     struct listening_conf *conf, char **ret_err)
{
    struct receiver_otlp_shared *sh = c->shared;
    int r = tls_of(tls, &conf->http, ret_err);
    if (r < 0) return r;
    r = listening_set(&sh->listening[t], c->host, conf, ret_err);
    tls_server_unref(conf->http.tls);
    return r;
}

static int listen_on_all(struct comp *c, const struct receiver_otlp_args *a,
                         struct listening_conf conf[OTLP_TRANSPORTS], char **ret_err)
{
    int r = listen_on(c, OTLP_HTTP, a->http ? a->http->tls : NULL, &conf[OTLP_HTTP], ret_err);
    if (r < 0) return r;
    return listen_on(c, OTLP_GRPC, a->grpc ? a->grpc->tls : NULL, &conf[OTLP_GRPC], ret_err);
}

static void log_started(struct comp *c, enum otlp_transport t, const struct listening *before)
{
    static const char *const started[OTLP_TRANSPORTS] = {"Starting HTTP server",
                                                         "Starting GRPC server"};
    const struct listening *now = ((struct receiver_otlp_shared *)c->shared)->listening[t];
    if (now && now != before) log_info(c->log, started[t], F_STR("endpoint", listening_addr(now)));
}

/* When one of the two cannot be opened, the other does not stay behind: nobody would answer who
 * connects to it. */
static int configure(struct comp *c, const void *old_plan, char **ret_err)
{
    (void)old_plan;
    const struct receiver_otlp_plan *plan = c->plan;
    struct receiver_otlp_shared *sh = c->shared;
    struct listening *before[OTLP_TRANSPORTS];
    struct listening_conf conf[OTLP_TRANSPORTS];
    http_conf_of(c, plan, &conf[OTLP_HTTP]);
    grpc_conf_of(c, plan, &conf[OTLP_GRPC]);
    for (enum otlp_transport t = 0; t < OTLP_TRANSPORTS; t++) {
        before[t] = sh->listening[t] ? listening_ref(sh->listening[t]) : NULL;
        listening_leave(sh->listening[t], &conf[t]); /* so that the two may swap their addresses */
    }
    int r = listen_on_all(c, plan->args, conf, ret_err);
    for (enum otlp_transport t = 0; t < OTLP_TRANSPORTS; t++) {
        if (r == 0) log_started(c, t, before[t]);
        listening_unref(r < 0 ? sh->listening[t] : before[t]);
        if (r < 0) sh->listening[t] = before[t];
    }
    return r;
}

static void leave(struct comp *c)
{
    struct receiver_otlp_shared *sh = c->shared;
    for (enum otlp_transport t = 0; t < OTLP_TRANSPORTS; t++)
        listening_leave(sh->listening[t], NULL);
}

static void destroy(struct comp *c)
{
    struct receiver_otlp_shared *sh = c->shared;
    for (enum otlp_transport t = 0; t < OTLP_TRANSPORTS; t++)
        listening_unref(sh->listening[t]);
}

/* --- shards --- */

/* Runs whenever something that a stopping shard waits for has ended. */
static void stopped_when_idle(void *arg)
{
    struct receiver_otlp *self = arg;
    if (!self->stopping || !serving_idle(&self->serving[OTLP_HTTP]) ||
        !serving_idle(&self->serving[OTLP_GRPC]) || !otel_outputs_idle(&self->outputs))
        return;
    self->stopping = false; /* once */
    shard_stopped(self->shard);
}

static void serve(struct receiver_otlp *self)
{
    for (enum otlp_transport t = 0; t < OTLP_TRANSPORTS; t++)
        serving_set(&self->serving[t], self->shared->listening[t], self->shard->worker->loop,
                    STOP_GRACE);
}

static int run(struct shard *s)
{
    struct receiver_otlp *self = s->self;
    *self = (struct receiver_otlp){.shard = s, .plan = s->plan, .shared = s->comp->shared};
    list_init(&self->calls);
    otel_outputs_init(&self->outputs, s, stopped_when_idle, self);
    otel_outputs_set(&self->outputs, &self->plan->args->output);
    serving_init(&self->serving[OTLP_HTTP], &otlp_http_handler, self, stopped_when_idle);
    serving_init(&self->serving[OTLP_GRPC], &otlp_grpc_handler, self, stopped_when_idle);
    serve(self);
    return 0;
}

static int apply(struct shard *s, const void *plan)
{
    struct receiver_otlp *self = s->self;
    self->plan = plan;
    otel_outputs_set(&self->outputs, &self->plan->args->output);
    serve(self);
    return 0;
}

static void stop(struct shard *s)
{
    struct receiver_otlp *self = s->self;
    self->stopping = true;
    for (enum otlp_transport t = 0; t < OTLP_TRANSPORTS; t++)
        serving_set(&self->serving[t], NULL, s->worker->loop,
                    MIN(STOP_GRACE, s->comp->host->stop_deadline / 4));
    stopped_when_idle(self);
}

static void shard_done(struct shard *s)
{
    struct receiver_otlp *self = s->self;
    for (enum otlp_transport t = 0; t < OTLP_TRANSPORTS; t++)
        serving_done(&self->serving[t]);
    otlp_calls_forget(self);
    otel_outputs_free(&self->outputs);
}

DEFINE_COMPONENT(otelcol_receiver_otlp) = {
    .name = "otelcol.receiver.otlp",
    .summary = "Receives traces, metrics and logs over OTLP, by HTTP and gRPC.",
    .example = "otelcol.receiver.otlp \"default\" {\n"
               "  grpc { }\n"
               "\n"
               "  http { }\n"
               "\n"
               "  output {\n"
               "    traces = [otelcol.exporter.otlphttp.default.input]\n"
               "  }\n"
               "}\n"
               "\n"
               "otelcol.exporter.otlphttp \"default\" {\n"
               "  client {\n"
               "    endpoint = \"http://tempo:4318\"\n"
               "  }\n"
               "}\n",
    .stability = STABILITY_GA,
    .args = &args_schema,
    .placement = PLACE_EACH,
    .plan_size = sizeof(struct receiver_otlp_plan),
    .shared_size = sizeof(struct receiver_otlp_shared),
    .self_size = sizeof(struct receiver_otlp),
    .prepare = prepare,
    .create = create,
    .configure = configure,
    .leave = leave,
    .run = run,
    .apply = apply,
    .stop = stop,
    .shard_done = shard_done,
    .destroy = destroy,
    .tap = otlp_tap,
};
