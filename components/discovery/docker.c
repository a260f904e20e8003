/* discovery.docker: the running containers of a Docker engine as targets, asked for every
 * refresh_interval. Two requests make one refresh; a refresh that fails leaves the targets as they
 * are. One worker. */
#include <errno.h>

#include "base/xalloc.h"
#include "components/common/docker.h"
#include "components/common/settings.h"
#include "components/common/target_export.h"
#include "components/discovery/docker_targets.h"

#define ANSWER_MAX ((size_t)64 << 20)
#define SOURCE     STR("Docker")
#define SAY_EVERY  (60 * NS_PER_SEC) /* that an engine cannot be asked */

/* --- arguments --- */

struct filter {
    struct str name;
    struct str_list values;
};
struct args {
    struct str host, host_networking_host;
    i64 port;
    struct dur refresh_interval;
    bool match_first_network;
    struct {
        struct filter *v;
        size_t n;
    } filter;
    struct http_client_args client;
};

static const struct row filter_rows[] = {
    ATTR(struct filter, name, .required = true, .doc = "What to filter by, as in the Engine API."),
    ATTR(struct filter, values, .required = true, .doc = "Values of which one must match."),
};
static const struct schema filter_schema = SCHEMA(struct filter, filter_rows);

static const struct row arg_rows[] = {
    BLOCKS(struct args, filter, &filter_schema, .doc = "Containers to list; all must match."),
    ATTR(struct args, host, .required = true,
         .doc = "Address of the engine: unix:///var/run/docker.sock, tcp://, http:// or https://."),
    ATTR(struct args, host_networking_host, .def = "\"localhost\"",
         .doc = "Address of containers that use the host's network."),
    ATTR(struct args, match_first_network, .def = "true",
         .doc = "Of a container with several networks take only the first, by name."),
    ATTR(struct args, port, .def = "80", .doc = "Port of containers that have no TCP port."),
    ATTR(struct args, refresh_interval, .def = "\"1m\"", .doc = "How often to ask the engine."),
    HTTP_CLIENT_ROWS(struct args, client.),
};
static const struct rule arg_rules[] = {HTTP_CLIENT_RULE};
static void validate(const void *args, const struct span *at, struct diags *diags);
static const struct schema args_schema =
    SCHEMA(struct args, arg_rows, .rules = arg_rules, .n_rules = ARRAY_LEN(arg_rules),
           .validate = validate);

static void validate(const void *args, const struct span *at, struct diags *diags)
{
    const struct args *a = args;

    if (a->refresh_interval.ns <= 0)
        diag_error(diags, DIAG_VALUE_INVALID, schema_span(&args_schema, at, "refresh_interval"),
                   "refresh_interval must be greater than 0");
    http_client_args_check(&a->client, &args_schema, at, diags);
}

struct plan {
    const struct args *args;
    struct docker_host host;
    const char *list; /* path of the request for containers */
};
struct shared {
    struct http_endpoint *endpoint; /* of the newest plan; shards take a reference */
};
struct self {
    struct shard *shard;
    struct docker *docker;
    struct docker_call *call;
    struct timer *timer;
    struct target_export out;
    struct arena arena; /* of a refresh: the containers, while networks are asked for */
    struct buf body;    /* their answer, which texts point into */
    struct docker_containers containers;
    bool failing;
    i64 said; /* when it was logged */
};

/* --- plan --- */

/* {"name":{"value":true}}; values of filters with one name come together. */
static void filters_json(const struct args *a, struct buf *out)
{
    struct json_out j = {.b = out};

    json_obj(&j);
    for (size_t i = 0; i < a->filter.n; i++) {
        bool seen = false;
        for (size_t k = 0; k < i; k++)
            seen |= str_eq(a->filter.v[k].name, a->filter.v[i].name);
        if (seen) continue;
        json_key(&j, a->filter.v[i].name);
        json_obj(&j);
        for (size_t k = i; k < a->filter.n; k++) {
            const struct filter *f = &a->filter.v[k];
            for (size_t v = 0; v < f->values.n && str_eq(f->name, a->filter.v[i].name); v++) {
                json_key(&j, f->values.v[v]);
                json_bool(&j, true);
            }
        }
        json_obj_end(&j);
    }
    json_obj_end(&j);
}

static const char *list_path(const struct args *a, struct arena *arena)
{
    struct buf json = BUF_INIT(1 << 20), path = BUF_INIT(1 << 22);

    buf_cstr(&path, "/containers/json");
    if (a->filter.n) {
        filters_json(a, &json);
        buf_cstr(&path, "?filters=");
        docker_escape(&path, buf_view(&json));
    }
    const char *copy = arena_strdup(arena, buf_view(&path));
    buf_done(&json);
    buf_done(&path);
    return copy;
}

static int prepare(struct prepare *p, const void *args, void *plan_)
{
    struct plan *plan = plan_;

    plan->args = args;
    plan->list = list_path(plan->args, p->arena);
    return docker_host_prepare(p, plan->args->host, "", &plan->args->client, &plan->host);
}

/* --- a refresh --- */

static void refresh_done(struct self *s)
{
    s->containers = (struct docker_containers){0};
    buf_done(&s->body);
    arena_reset(&s->arena);
    timer_start(s->timer, ((const struct plan *)s->shard->plan)->args->refresh_interval.ns);
}

static void failed(struct self *s, const char *what, const char *why)
{
    i64 now = loop_now(s->shard->worker->loop);

    if (!s->failing || now - s->said >= SAY_EVERY) {
        log_error(s->shard->comp->log, "the targets stay as they are, a refresh failed",
                  F_CSTR("during", what), F_CSTR("err", why));
        s->said = now;
    }
    comp_health(s->shard->comp, HEALTH_UNHEALTHY, "%s: %s", what, why);
    s->failing = true;
    refresh_done(s);
}

static void publish(struct self *s, const struct docker_networks *networks)
{
    const struct args *a = ((const struct plan *)s->shard->plan)->args;
    struct target_list list = {0};
    int r = docker_targets(
        &s->containers, networks,
        &(struct docker_targets_conf){.port = a->port,
                                      .host_networking_host = a->host_networking_host,
                                      .match_first_network = a->match_first_network},
        &list);
    struct value targets = target_list_value(&list);

    if (r != 0) {
        value_unref(targets);
        failed(s, "error while making targets", "out of memory");
        return;
    }
    target_export_set(&s->out, SOURCE, targets);
    if (s->failing) log_info(s->shard->comp->log, "the Docker engine answers again");
    s->failing = false;
    comp_health(s->shard->comp, HEALTH_HEALTHY, "listed containers");
    refresh_done(s);
}

static void on_networks(void *arg, const struct docker_result *r)
{
    struct self *s = arg;
    struct docker_networks networks = {0};
    const char *err = r->error;

    s->call = NULL;
    if (!err) (void)docker_read_networks(r->body, &s->arena, &networks, &err);
    if (err)
        failed(s, "error while computing network labels", err);
    else
        publish(s, &networks);
}

static void on_containers(void *arg, const struct docker_result *r)
{
    struct self *s = arg;
    const char *err = r->error;

    s->call = NULL;
    buf_init(&s->body, ANSWER_MAX);
    buf_str(&s->body, r->body);
    if (!err && buf_err(&s->body)) err = "out of memory";
    if (!err) (void)docker_read_containers(buf_view(&s->body), &s->arena, &s->containers, &err);
    if (err) {
        failed(s, "error while listing containers", err);
        return;
    }
    s->call = docker_start(s->docker, &(struct docker_request){.path = "/networks",
                                                               .max_response = ANSWER_MAX,
                                                               .done = on_networks,
                                                               .arg = s});
}

static void refresh(void *arg)
{
    struct self *s = arg;
    const struct plan *plan = s->shard->plan;

    s->call = docker_start(s->docker, &(struct docker_request){.path = plan->list,
                                                               .max_response = ANSWER_MAX,
                                                               .done = on_containers,
                                                               .arg = s});
}

/* --- life --- */

static int create(struct comp *c, char **ret_err)
{
    target_export_none(c);
    return 0;
}

static int configure(struct comp *c, const void *old, char **ret_err)
{
    const struct plan *plan = c->plan;
    struct shared *sh = c->shared;
    struct http_endpoint *e = docker_endpoint(c, &plan->host, &plan->args->client, ret_err);

    if (!e) return -EINVAL;
    http_endpoint_unref(sh->endpoint);
    sh->endpoint = e;
    return 0;
}

static void connect_to(struct self *s, const struct plan *plan)
{
    const struct shared *sh = s->shard->comp->shared;
    i64 timeout = plan->host.takes_settings ? plan->args->refresh_interval.ns : 0;

    s->docker = docker_new(s->shard, &plan->host, sh->endpoint, timeout);
    timer_start(s->timer, 0);
}

static int run(struct shard *shard)
{
    struct self *s = shard->self;

    s->shard = shard;
    arena_init(&s->arena, 0);
    s->timer = timer_new(shard->worker->loop, refresh, s);
    target_export_init(&s->out, shard);
    connect_to(s, shard->plan);
    return 0;
}

static void disconnect(struct self *s)
{
    docker_free(s->docker);
    s->docker = NULL;
    s->call = NULL;
    timer_stop(s->timer);
    buf_done(&s->body);
    arena_reset(&s->arena);
}

/* The old targets stay until the new ones are there. */
static int apply(struct shard *shard, const void *plan)
{
    struct self *s = shard->self;

    disconnect(s);
    target_export_restart(&s->out);
    connect_to(s, plan);
    return 0;
}

static void stop(struct shard *shard)
{
    struct self *s = shard->self;

    disconnect(s);
    target_export_flush(&s->out);
    shard_stopped(shard);
}

static void shard_done(struct shard *shard)
{
    struct self *s = shard->self;

    docker_free(s->docker);
    timer_free(s->timer);
    target_export_done(&s->out);
    buf_done(&s->body);
    arena_done(&s->arena);
}

static void destroy(struct comp *c)
{
    http_endpoint_unref(((struct shared *)c->shared)->endpoint);
}

DEFINE_COMPONENT(discovery_docker) = {
    .name = "discovery.docker",
    .summary = "Discovers the containers of a Docker engine.",
    .example = "discovery.docker \"default\" {\n\thost = \"unix:///var/run/docker.sock\"\n}\n",
    .stability = STABILITY_GA,
    .args = &args_schema,
    .exports = &target_exports_schema,
    .placement = PLACE_ONE,
    .plan_size = sizeof(struct plan),
    .shared_size = sizeof(struct shared),
    .self_size = sizeof(struct self),
    .prepare = prepare,
    .create = create,
    .configure = configure,
    .run = run,
    .apply = apply,
    .stop = stop,
    .shard_done = shard_done,
    .destroy = destroy,
    .taps_itself = true,
};
