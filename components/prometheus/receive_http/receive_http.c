/* prometheus.receive_http: takes remote write requests of both versions. One shard per worker; the
 * socket is opened by the instance and survives a reload. Clients are answered when the next queue
 * has taken their samples. */
#include "components/prometheus/receive_http/receive.h"

#include <errno.h>

#include "components/common/settings.h"

#define A struct receive_args
static const struct row arg_rows[] = {
    ATTR(A, accepted_remote_write_protobuf_messages,
         .doc = "Messages that are accepted: prometheus.WriteRequest (1.0), "
                "io.prometheus.write.v2.Request (2.0).",
         .def = "[\"prometheus.WriteRequest\"]"),
    ATTR(A, append_metadata, .doc = "Hand on type, help and unit of metrics.", .def = "false"),
    ATTR(A, enable_type_and_unit_labels,
         .doc = "Type and unit of 2.0 series become the labels __type__ and __unit__.",
         .def = "false"),
    METRICS_FORWARD_TO(A, forward_to),
    ATTR(A, graceful_shutdown_timeout,
         .doc = "Time that requests get to finish when the server ends.", .def = "\"30s\""),
    BLOCK(A, grpc, &server_grpc_schema, .doc = "A gRPC server; there is nothing that it serves."),
    BLOCK(A, http, &server_http_schema, .doc = "The HTTP server."),
};
static const struct schema args_schema = SCHEMA(A, arg_rows);
#undef A

static int accept_message(struct prepare *p, struct receive_plan *plan, struct str name)
{
    if (str_is(name, "prometheus.WriteRequest"))
        plan->accepts[RW_V1] = true;
    else if (str_is(name, "io.prometheus.write.v2.Request"))
        plan->accepts[RW_V2] = true;
    else
        return setting_fault(p, "accepted_remote_write_protobuf_messages",
                             "unknown remote write protobuf message \"" STR_FMT
                             "\"; known: prometheus.WriteRequest, io.prometheus.write.v2.Request",
                             STR_ARG(name));
    return 0;
}

static int prepare(struct prepare *p, const void *args, void *plan_)
{
    struct receive_plan *plan = plan_;
    const struct receive_args *a = plan->args = args;
    const struct str_list *names = &a->accepted_remote_write_protobuf_messages;
    int err = 0;

    if (!names->n)
        err = setting_fault(p, "accepted_remote_write_protobuf_messages",
                            "at least one message must be accepted");
    for (size_t i = 0; i < names->n; i++)
        if (accept_message(p, plan, names->v[i])) err = -EINVAL;
    server_grpc_unused(p);
    int http = server_http_prepare(p, &a->http);
    return err ? err : http;
}

/* --- the instance --- */

static int create(struct comp *c, char **ret_err)
{
    static const struct metric_desc connections = {
        .name = "prometheus_receive_http_tcp_connections",
        .help = "Current number of accepted TCP connections.",
        .kind = METRIC_GAUGE};
    const struct metric_label http[] = {{"protocol", "http"}};
    struct receive_shared *sh = c->shared;

    sample_output_init(&sh->output, c);
    sh->connections = comp_metric(c, &connections, http, 1);
    return 0;
}

static f64 connections_of(void *arg)
{
    const struct receive_shared *sh = arg;

    return sh->listening ? listening_connections(sh->listening) : 0;
}

static int configure(struct comp *c, const void *old_plan, char **ret_err)
{
    const struct receive_plan *plan = c->plan;
    struct receive_shared *sh = c->shared;
    struct listening *before = sh->listening;
    struct listening_conf conf;
    struct arena arena;

    arena_init(&arena, 0);
    int r = server_http_conf(&plan->args->http, c->host, &arena, &conf, ret_err);
    if (r == 0) {
        conf.http.max_body = RECEIVE_BODY_MAX;
        r = listening_set(&sh->listening, c->host, &conf, ret_err);
    }
    if (r == 0 && sh->listening != before)
        log_info(c->log, "listening for remote write requests",
                 F_STR("address", listening_addr(sh->listening)));
    tls_server_unref(conf.http.tls);
    arena_done(&arena);
    metric_fn(sh->connections, connections_of, sh);
    return r;
}

static void leave(struct comp *c)
{
    listening_leave(((struct receive_shared *)c->shared)->listening, NULL);
}

static void destroy(struct comp *c)
{
    listening_unref(((struct receive_shared *)c->shared)->listening);
}

/* --- shards --- */

void receive_stopped_when_idle(void *arg)
{
    struct receive *self = arg;

    if (!self->stopping || !serving_idle(&self->serving) || !http_calls_idle(&self->calls) ||
        fanout_holds(self->out))
        return;
    self->stopping = false; /* once */
    shard_stopped(self->shard);
}

static void on_ready(void *arg)
{
    http_calls_ready(&((struct receive *)arg)->calls);
}

static i64 grace(const struct receive *self)
{
    const struct host *h = self->shard->comp->host;

    return MIN(self->plan->args->graceful_shutdown_timeout.ns, h->stop_deadline / 2);
}

static void take_plan(struct receive *self, const struct receive_plan *plan)
{
    self->plan = plan;
    fanout_set(self->out, &plan->args->forward_to);
    http_calls_timeout(&self->calls, plan->args->http.server_write_timeout.ns);
}

static int run(struct shard *s)
{
    struct receive *self = s->self;

    *self = (struct receive){.shard = s, .shared = s->comp->shared};
    series_keeper_init(&self->keeper, s->comp->host->series);
    self->builder = sample_builder_new(s->comp->host->data_budget);
    self->out = fanout_new(s, on_ready, self);
    http_calls_init(&self->calls, s, &receive_calls, self);
    take_plan(self, s->plan);
    serving_init(&self->serving, &receive_handler, self, receive_stopped_when_idle);
    serving_set(&self->serving, self->shared->listening, s->worker->loop, 0);
    return 0;
}

static int apply(struct shard *s, const void *plan)
{
    struct receive *self = s->self;

    take_plan(self, plan);
    serving_set(&self->serving, self->shared->listening, s->worker->loop, grace(self));
    on_ready(self); /* what is parked may find room now */
    return 0;
}

static void stop(struct shard *s)
{
    struct receive *self = s->self;

    self->stopping = true;
    serving_set(&self->serving, NULL, s->worker->loop, grace(self));
    receive_stopped_when_idle(self);
}

static void shard_done(struct shard *s)
{
    struct receive *self = s->self;

    serving_done(&self->serving);
    http_calls_done(&self->calls);
    fanout_free(self->out);
    sample_builder_free(self->builder);
    series_keeper_done(&self->keeper);
}

DEFINE_COMPONENT(prometheus_receive_http) = {
    .name = "prometheus.receive_http",
    .summary = "Receives samples over the remote write protocol.",
    .example = "prometheus.receive_http \"default\" {\n"
               "  http {\n"
               "    listen_address = \"127.0.0.1\"\n"
               "    listen_port    = 9999\n"
               "  }\n"
               "  forward_to = [prometheus.echo.default.receiver]\n"
               "}\n"
               "\n"
               "prometheus.echo \"default\" { }\n",
    .stability = STABILITY_GA,
    .args = &args_schema,
    .placement = PLACE_EACH,
    .plan_size = sizeof(struct receive_plan),
    .shared_size = sizeof(struct receive_shared),
    .self_size = sizeof(struct receive),
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
