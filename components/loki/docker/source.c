/* loki.source.docker: reads the logs of containers through the Engine API, and hands them on. Each
 * container's place is saved when its lines were delivered. One worker. */
#include <errno.h>

#include "base/xalloc.h"
#include "components/common/targets.h"
#include "components/loki/docker/docker.h"
#include "value/args_equal.h"

#define DELIVERY_WAIT (8 * NS_PER_SEC) /* at a stop; the whole shutdown has 25 s */

/* --- arguments --- */

static void validate_client(const void *args, const struct span *at, struct diags *diags);
static const struct row client_rows[] = {HTTP_CLIENT_ROWS(struct http_client_args, )};
static const struct rule client_rules[] = {HTTP_CLIENT_RULE};
static const struct schema client_schema =
    SCHEMA(struct http_client_args, client_rows, .rules = client_rules,
           .n_rules = ARRAY_LEN(client_rules), .validate = validate_client);

static void validate_client(const void *args, const struct span *at, struct diags *diags)
{
    http_client_args_check(args, &client_schema, at, diags);
}

#define A struct docker_args
static const struct row arg_rows[] = {
    ATTR(A, forward_to, .required = true, .doc = "Where to send log entries.",
         .capsule = &capsule_logs_receiver, .signals = SIGNALS_LOGS),
    ATTR(A, host, .required = true,
         .doc = "Address of the engine: unix:///var/run/docker.sock, tcp://, http:// or https://."),
    BLOCK(A, http_client_config, &client_schema,
          .doc = "Settings of the HTTP client, for http:// and https:// hosts."),
    ATTR(A, labels, .def = "{}", .doc = "Labels of all entries; they win over the target's."),
    ATTR(A, refresh_interval, .def = "\"1m\"",
         .doc = "Timeout of requests to http:// and https:// hosts (streams of logs go on)."),
    RELABEL_RULES_ATTR(A, relabel_rules),
    TARGETS_ATTR(A, targets, "Containers to read the logs of: __meta_docker_container_id."),
};
#undef A
static void validate(const void *args, const struct span *at, struct diags *diags);
static const struct schema args_schema = SCHEMA(struct docker_args, arg_rows, .validate = validate);

static void validate(const void *args, const struct span *at, struct diags *diags)
{
    const struct docker_args *a = args;

    if (a->refresh_interval.ns <= 0)
        diag_error(diags, DIAG_VALUE_INVALID, schema_span(&args_schema, at, "refresh_interval"),
                   "refresh_interval must be greater than 0");
}

/* --- what it shows --- */

struct info {
    struct str id, last_error, labels, read_offset;
    bool is_running;
};
struct infos {
    struct {
        struct info *v;
        size_t n;
    } targets_info;
};

static const struct row info_rows[] = {
    ATTR(struct info, id, .required = true, .doc = "The container."),
    ATTR(struct info, last_error, .required = true,
         .doc = "Why its log cannot be read now; empty: it can."),
    ATTR(struct info, labels, .required = true,
         .doc = "Labels of the entries of its standard output."),
    ATTR(struct info, is_running, .required = true, .doc = "Whether its log is being followed."),
    ATTR(struct info, read_offset, .required = true,
         .doc = "The second, since 1970, up to which its lines were delivered."),
};
static const struct schema info_schema = SCHEMA(struct info, info_rows);

static const struct row infos_rows[] = {
    BLOCKS(struct infos, targets_info, &info_schema, .doc = "Containers whose logs are read."),
};
static const struct schema infos_schema = SCHEMA(struct infos, infos_rows);

static struct info info_of(struct target_status *s, struct arena *a)
{
    return (struct info){.id = arena_str(a, str_of(s->name)),
                         .last_error = arena_str(a, str_of(s->error)),
                         .labels = arena_str(a, str_of(s->labels)),
                         .read_offset =
                             str_of(arena_printf(a, "%lld", (long long)target_status_offset(s))),
                         .is_running = target_status_is_running(s)};
}

static void debug_info(struct comp *c, struct arena *a, void *out)
{
    struct infos *infos = out;
    struct status_list *l = status_board_get(&((struct docker_shared *)c->shared)->board);

    if (!l) return;
    infos->targets_info.v = arena_array(a, struct info, l->n);
    for (size_t i = 0; i < l->n; i++)
        infos->targets_info.v[infos->targets_info.n++] = info_of(l->v[i], a);
    status_list_unref(l);
}

static int prepare(struct prepare *p, const void *args, void *plan_)
{
    struct docker_plan *plan = plan_;

    plan->args = args;
    return docker_host_prepare(p, plan->args->host, "http_client_config",
                               &plan->args->http_client_config, &plan->host);
}

/* --- control loop --- */

static const struct metric_desc entries_desc = {
    .name = "loki_source_docker_target_entries_total",
    .help = "Total number of successful entries sent to the Docker target",
    .kind = METRIC_COUNTER};
static const struct metric_desc faults_desc = {
    .name = "loki_source_docker_target_parsing_errors_total",
    .help = "Total number of parsing errors while receiving Docker messages",
    .kind = METRIC_COUNTER};

static int create(struct comp *c, char **ret_err)
{
    struct docker_shared *sh = c->shared;

    sh->entries = comp_metric(c, &entries_desc, NULL, 0);
    sh->faults = comp_metric(c, &faults_desc, NULL, 0);
    return positions_load(c, &sh->positions, ret_err);
}

static bool same_engine(const struct docker_plan *a, const struct docker_plan *b)
{
    return str_eq(a->args->host, b->args->host) &&
           a->args->refresh_interval.ns == b->args->refresh_interval.ns &&
           args_equal(&client_schema, &a->args->http_client_config, &b->args->http_client_config);
}

static int configure(struct comp *c, const void *old, char **ret_err)
{
    const struct docker_plan *plan = c->plan;
    struct docker_shared *sh = c->shared;

    if (sh->endpoint && old && same_engine(old, plan)) return 0;
    struct http_endpoint *e =
        docker_endpoint(c, &plan->host, &plan->args->http_client_config, ret_err);
    if (!e) return -EINVAL;
    http_endpoint_unref(sh->endpoint);
    sh->endpoint = e;
    return 0;
}

static void destroy(struct comp *c)
{
    struct docker_shared *sh = c->shared;

    http_endpoint_unref(sh->endpoint);
    positions_free(sh->positions);
    status_board_set(&sh->board, NULL);
}

/* --- what containers report --- */

static void container_free_value(void *t)
{
    container_free(t);
}

void docker_source_drop(struct docker_source *s, struct container *t)
{
    (void)map_del(&s->containers, str_of(t->id));
    container_free(t);
    docker_source_health(s, NULL);
    docker_source_show(s);
}

void docker_source_show(struct docker_source *s)
{
    struct status_list *l = status_list_new(s->containers.live);

    map_each (&s->containers, e)
        status_list_add(l, container_status(e->value));
    status_board_set(&s->shared->board, l);
}

void docker_source_health(struct docker_source *s, const char *what)
{
    if (what)
        comp_health(s->shard->comp, HEALTH_UNHEALTHY, "%s", what);
    else if (s->troubled == 0 && !s->away)
        comp_health(s->shard->comp, HEALTH_HEALTHY, "reading logs of containers");
}

void docker_source_unreachable(struct docker_source *s, const char *error)
{
    if (!s->away)
        log_error(s->shard->comp->log, "logs of containers cannot be read, trying again",
                  F_CSTR("err", error));
    if (s->away && strcmp(s->away, error) == 0) return;
    free(s->away);
    s->away = xstrdup(error);
    docker_source_health(s, error);
    docker_source_show(s);
}

void docker_source_reached(struct docker_source *s)
{
    if (!s->away) return;
    free(s->away);
    s->away = NULL;
    log_info(s->shard->comp->log, "the Docker engine answers again");
    docker_source_health(s, NULL);
    docker_source_show(s);
}

/* --- the shard --- */

static bool is_settled(const struct docker_source *s)
{
    map_each (&s->containers, e)
        if (!container_is_settled(e->value)) return false;
    return log_source_idle(&s->out);
}

static void stopped(struct docker_source *s)
{
    timer_stop(s->stopping);
    positions_save(s->shared->positions);
    positions_stop(s->shared->positions);
    shard_stopped(s->shard);
}

static void on_room(void *arg)
{
    struct docker_source *s = arg;

    map_each (&s->containers, e)
        container_room(e->value);
}

static void connect_to(struct docker_source *s, const struct docker_plan *plan)
{
    s->docker = docker_new(s->shard, &plan->host, s->shared->endpoint,
                           plan->host.takes_settings ? plan->args->refresh_interval.ns : 0);
}

static int run(struct shard *shard)
{
    struct docker_source *s = shard->self;
    const struct docker_plan *plan = shard->plan;

    s->shard = shard;
    s->shared = shard->comp->shared;
    log_source_init(&s->out, shard, &plan->args->forward_to, on_room, s);
    positions_start(s->shared->positions, shard);
    forget_init(s);
    connect_to(s, plan);
    docker_targets_apply(s, plan);
    return 0;
}

/* Calls of the old client are ended by the containers themselves. */
static void reconnect(struct docker_source *s, const struct docker_plan *plan)
{
    struct docker *old = s->docker;

    forget_again(s);
    connect_to(s, plan);
    map_each (&s->containers, e)
        container_reconnect(e->value);
    docker_free(old);
}

static int apply(struct shard *shard, const void *plan_)
{
    struct docker_source *s = shard->self;
    const struct docker_plan *plan = plan_;

    log_source_apply(&s->out, &plan->args->forward_to);
    if (!same_engine(shard->plan, plan)) reconnect(s, plan);
    docker_targets_apply(s, plan);
    return 0;
}

/* What was read is given some time to be delivered, so that its positions can be saved. */
static void look_whether_settled(void *arg)
{
    struct docker_source *s = arg;
    i64 waited = loop_now(s->shard->worker->loop) - s->stop_began;

    if (is_settled(s) || waited >= DELIVERY_WAIT)
        stopped(s);
    else
        timer_start(s->stopping, 20 * NS_PER_MS);
}

static void stop(struct shard *shard)
{
    struct docker_source *s = shard->self;

    map_each (&s->containers, e)
        container_halt(e->value);
    positions_save(s->shared->positions);
    s->stop_began = loop_now(shard->worker->loop);
    s->stopping = timer_new(shard->worker->loop, look_whether_settled, s);
    look_whether_settled(s);
}

static void shard_done(struct shard *shard)
{
    struct docker_source *s = shard->self;

    if (!s->shard) return;
    map_done(&s->containers, container_free_value);
    free(s->away);
    forget_done(s);
    docker_free(s->docker);
    timer_free(s->stopping);
    positions_stop(s->shared->positions);
    log_source_done(&s->out);
}

DEFINE_COMPONENT(loki_source_docker) = {
    .name = "loki.source.docker",
    .summary = "Reads the logs of Docker containers.",
    .example = "discovery.docker \"default\" {\n\thost = \"unix:///var/run/docker.sock\"\n}\n\n"
               "loki.source.docker \"default\" {\n"
               "\thost       = \"unix:///var/run/docker.sock\"\n"
               "\ttargets    = discovery.docker.default.targets\n"
               "\tforward_to = [loki.echo.default.receiver]\n"
               "}\n\n"
               "loki.echo \"default\" { }\n",
    .stability = STABILITY_GA,
    .args = &args_schema,
    .debug = &infos_schema,
    .placement = PLACE_ONE,
    .plan_size = sizeof(struct docker_plan),
    .shared_size = sizeof(struct docker_shared),
    .self_size = sizeof(struct docker_source),
    .prepare = prepare,
    .create = create,
    .configure = configure,
    .run = run,
    .apply = apply,
    .stop = stop,
    .shard_done = shard_done,
    .destroy = destroy,
    .debug_info = debug_info,
};
