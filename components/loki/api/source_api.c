/* loki.source.api: takes what Loki's clients push (protobuf and JSON), and raw lines. One shard per
 * worker; the socket is opened by the instance and survives a reload. Clients are answered when the
 * next queue has taken their entries. */
#include "components/loki/api/api.h"

#include "components/common/settings.h"

#define SIZE_DEFAULT ((i64)100 << 20)

#define A struct api_args
static const struct row arg_rows[] = {
    ATTR(A, forward_to, .doc = "Where the entries go.", .required = true,
         .capsule = &capsule_logs_receiver, .signals = SIGNALS_LOGS),
    ATTR(A, graceful_shutdown_timeout,
         .doc = "Time that requests get to finish when the server ends.", .def = "\"30s\""),
    ATTR(A, labels, .doc = "Labels of every entry.", .def = "{}"),
    ATTR(A, max_send_message_size, .doc = "Largest body, compressed or not.", .def = "\"100MiB\""),
    RELABEL_RULES_ATTR(A, relabel_rules),
    ATTR(A, use_incoming_timestamp, .doc = "Keep the time that an entry was sent with.",
         .def = "false"),
    BLOCK(A, grpc, &server_grpc_schema, .doc = "A gRPC server; there is nothing that it serves."),
    BLOCK(A, http, &server_http_schema, .doc = "The HTTP server."),
};
static const struct schema args_schema = SCHEMA(A, arg_rows);
#undef A

static int prepare(struct prepare *p, const void *args, void *plan_)
{
    struct api_plan *plan = plan_;
    const struct api_args *a = plan->args = args;

    plan->limit =
        (size_t)(a->max_send_message_size.n > 0 ? a->max_send_message_size.n : SIZE_DEFAULT);
    server_grpc_unused(p);
    return server_http_prepare(p, &a->http);
}

/* --- the instance --- */

static int create(struct comp *c, char **ret_err)
{
    static const struct metric_desc entries = {.name = "loki_source_api_entries_written",
                                               .help = "Total number of entries written.",
                                               .kind = METRIC_COUNTER};
    static const struct metric_desc connections = {
        .name = "loki_source_api_tcp_connections",
        .help = "Current number of accepted TCP connections.",
        .kind = METRIC_GAUGE};
    const struct metric_label http[] = {{"protocol", "http"}};
    struct api_shared *sh = c->shared;

    (void)ret_err;
    sh->entries = comp_metric(c, &entries, NULL, 0);
    sh->connections = comp_metric(c, &connections, http, 1);
    return 0;
}

static f64 connections_of(void *arg)
{
    const struct api_shared *sh = arg;

    return sh->listening ? listening_connections(sh->listening) : 0;
}

static int configure(struct comp *c, const void *old_plan, char **ret_err)
{
    const struct api_plan *plan = c->plan;
    struct api_shared *sh = c->shared;
    struct listening *before = sh->listening;
    struct listening_conf conf;
    struct arena arena;

    (void)old_plan;
    arena_init(&arena, 0);
    int r = server_http_conf(&plan->args->http, c->host, &arena, &conf, ret_err);
    if (r == 0) {
        conf.http.max_body = plan->limit;
        r = listening_set(&sh->listening, c->host, &conf, ret_err);
    }
    if (r == 0 && sh->listening != before)
        log_info(c->log, "listening for log entries",
                 F_STR("address", listening_addr(sh->listening)));
    tls_server_unref(conf.http.tls);
    arena_done(&arena);
    metric_fn(sh->connections, connections_of, sh);
    return r;
}

static void leave(struct comp *c)
{
    listening_leave(((struct api_shared *)c->shared)->listening, NULL);
}

static void destroy(struct comp *c)
{
    listening_unref(((struct api_shared *)c->shared)->listening);
}

/* --- shards --- */

void api_stopped_when_idle(void *arg)
{
    struct api *self = arg;

    if (!self->stopping || !serving_idle(&self->serving) || !api_idle(self)) return;
    self->stopping = false; /* once */
    shard_stopped(self->shard);
}

static i64 grace(const struct api *self)
{
    const struct host *h = self->shard->comp->host;

    return MIN(self->plan->args->graceful_shutdown_timeout.ns, h->stop_deadline / 2);
}

static int run(struct shard *s)
{
    struct api *self = s->self;

    *self = (struct api){.shard = s, .plan = s->plan, .shared = s->comp->shared};
    list_init(&self->calls);
    list_init(&self->parked);
    label_set_init(&self->labels);
    self->tick = timer_new(s->worker->loop, api_tick, self);
    self->out = fanout_new(s, api_ready, self);
    fanout_set(self->out, &self->plan->args->forward_to);
    serving_init(&self->serving, &api_handler, self, api_stopped_when_idle);
    serving_set(&self->serving, self->shared->listening, s->worker->loop, 0);
    return 0;
}

static int apply(struct shard *s, const void *plan)
{
    struct api *self = s->self;

    self->plan = plan;
    fanout_set(self->out, &self->plan->args->forward_to);
    serving_set(&self->serving, self->shared->listening, s->worker->loop, grace(self));
    api_ready(self); /* what is parked may find room now */
    return 0;
}

static void stop(struct shard *s)
{
    struct api *self = s->self;

    self->stopping = true;
    serving_set(&self->serving, NULL, s->worker->loop, grace(self));
    api_stopped_when_idle(self);
}

static void shard_done(struct shard *s)
{
    struct api *self = s->self;

    serving_done(&self->serving);
    api_forget(self);
    timer_free(self->tick);
    fanout_free(self->out);
    label_set_done(&self->labels);
}

DEFINE_COMPONENT(loki_source_api) = {
    .name = "loki.source.api",
    .summary = "Receives log entries that Loki's clients push over HTTP.",
    .example = "loki.source.api \"default\" {\n"
               "  http {\n"
               "    listen_address = \"127.0.0.1\"\n"
               "    listen_port    = 3500\n"
               "  }\n"
               "  forward_to = [loki.echo.default.receiver]\n"
               "}\n"
               "\n"
               "loki.echo \"default\" { }\n",
    .stability = STABILITY_GA,
    .args = &args_schema,
    .placement = PLACE_EACH,
    .plan_size = sizeof(struct api_plan),
    .shared_size = sizeof(struct api_shared),
    .self_size = sizeof(struct api),
    .prepare = prepare,
    .create = create,
    .configure = configure,
    .leave = leave,
    .run = run,
    .apply = apply,
    .stop = stop,
    .shard_done = shard_done,
    .destroy = destroy,
};
