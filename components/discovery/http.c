/* discovery.http: targets that a server lists, asked for every refresh_interval. A refresh that
 * fails leaves the targets as they are. One worker. */
#include <errno.h>

#include "base/num.h"
#include "components/common/http_endpoint.h"
#include "components/common/target_export.h"
#include "components/common/target_groups.h"

#define ANSWER_MAX ((size_t)256 << 20)
#define SOURCE     STR("http")

/* --- arguments --- */

struct args {
    struct str url;
    struct dur refresh_interval;
    struct http_client_args client;
};

static const struct row arg_rows[] = {
    ATTR(struct args, url, .required = true, .doc = "Where the list of targets is."),
    ATTR(struct args, refresh_interval, .def = "\"1m\"", .doc = "How often to ask for it."),
    HTTP_CLIENT_ROWS(struct args, client.),
};
static const struct rule arg_rules[] = {HTTP_CLIENT_RULE};
static void validate(const void *args, const struct span *at, struct diags *diags);
static const struct schema args_schema =
    SCHEMA(struct args, arg_rows, .rules = arg_rules, .n_rules = ARRAY_LEN(arg_rules),
           .validate = validate);

static const char *url_fault(struct str url)
{
    ssize_t scheme = str_find(url, STR("://"));

    if (scheme < 0) return "url must begin with http:// or https://";
    struct str name = str_sub(url, 0, (size_t)scheme);
    struct str host = str_sub(url, (size_t)scheme + 3, url.n);
    if (!str_ieq(name, STR("http")) && !str_ieq(name, STR("https")))
        return "url must begin with http:// or https://";
    return host.n == 0 || host.p[0] == '/' || host.p[0] == '?' ? "url has no host" : NULL;
}

static void validate(const void *args, const struct span *at, struct diags *diags)
{
    const struct args *a = args;
    const char *fault = a->url.p ? url_fault(a->url) : NULL;

    if (fault)
        diag_error(diags, DIAG_VALUE_INVALID, schema_span(&args_schema, at, "url"), "%s", fault);
    if (a->refresh_interval.ns <= 0)
        diag_error(diags, DIAG_VALUE_INVALID, schema_span(&args_schema, at, "refresh_interval"),
                   "refresh_interval must be greater than 0");
    http_client_args_check(&a->client, &args_schema, at, diags);
}

struct plan {
    const struct args *args;
    struct http_header headers[2];
};
struct shared {
    struct http_endpoint *endpoint; /* of the newest plan; shards take a reference */
    struct metric *failures;
};
struct self {
    struct shard *shard;
    struct http_endpoint *endpoint;
    struct http_request *request;
    struct timer *timer;
    struct target_export out;
    char *told; /* the last fault, so that it is told once */
};

static int prepare(struct prepare *p, const void *args, void *plan_)
{
    struct plan *plan = plan_;
    struct buf seconds = BUF_INIT(64);

    plan->args = args;
    num_f64_plain(&seconds, (f64)plan->args->refresh_interval.ns / (f64)NS_PER_SEC);
    plan->headers[0] = (struct http_header){STR("Accept"), STR("application/json")};
    plan->headers[1] = (struct http_header){STR("X-Prometheus-Refresh-Interval-Seconds"),
                                            arena_str(p->arena, buf_view(&seconds))};
    buf_done(&seconds);
    return 0;
}

/* --- a refresh --- */

static const struct args *args_of(const struct self *s)
{
    return ((const struct plan *)s->shard->plan)->args;
}

/* Takes the text. */
static void failed(struct self *s, char *why)
{
    metric_inc(((const struct shared *)s->shard->comp->shared)->failures);
    comp_health(s->shard->comp, HEALTH_UNHEALTHY, "%s", why);
    if (!s->told || strcmp(s->told, why) != 0)
        log_error(s->shard->comp->log, "the targets stay as they are, a refresh failed",
                  F_STR("url", args_of(s)->url), F_CSTR("err", why));
    free(s->told);
    s->told = why;
}

static bool is_json(struct str type)
{
    struct str media = str_trim(str_cut(&type, ';'));
    struct str more = str_trim(type);

    if (!str_ieq(media, STR("application/json"))) return false;
    return more.n == 0 || str_ieq(more, STR("charset=utf-8")) ||
           str_ieq(more, STR("charset=\"utf-8\""));
}

static char *answer_fault(const struct http_result *r)
{
    struct str type = http_header_get(r->headers, r->n_headers, STR("Content-Type"));

    if (r->fail != HTTP_OK) return xprintf("%s", r->error);
    if (r->status != 200) return xprintf("server returned HTTP status %d", r->status);
    if (!is_json(type))
        return xprintf("unsupported content type \"" STR_FMT "\"; application/json is expected",
                       STR_ARG(type));
    return NULL;
}

static char *publish(struct self *s, struct str body)
{
    const struct target_groups_conf conf = {STR("__meta_url"), args_of(s)->url};
    struct target_list list = {0};
    struct arena arena;
    const char *err = NULL;
    char *why = NULL;

    arena_init(&arena, 0);
    int r = target_groups_json(body, &conf, &arena, &list, &err);
    struct value targets = target_list_value(&list);
    if (r == 0)
        target_export_set(&s->out, SOURCE, targets);
    else
        value_unref(targets);
    if (r) why = xprintf("cannot read the list of targets: %s", err);
    arena_done(&arena);
    return why;
}

static void on_answer(void *arg, const struct http_result *r)
{
    struct self *s = arg;
    char *why = answer_fault(r);

    s->request = NULL;
    if (!why) why = publish(s, r->body);
    timer_start(s->timer, args_of(s)->refresh_interval.ns);
    if (why) {
        failed(s, why);
        return;
    }
    if (s->told) log_info(s->shard->comp->log, "the targets are refreshed again");
    free(s->told);
    s->told = NULL;
    comp_health(s->shard->comp, HEALTH_HEALTHY, "refreshed the targets");
}

static void refresh(void *arg)
{
    struct self *s = arg;
    const struct plan *plan = s->shard->plan;
    const struct http_call call = {.method = STR("GET"),
                                   .url = plan->args->url,
                                   .headers = plan->headers,
                                   .n_headers = ARRAY_LEN(plan->headers),
                                   .timeout = plan->args->refresh_interval.ns,
                                   .max_response = ANSWER_MAX,
                                   .done = on_answer,
                                   .arg = s};

    s->request =
        http_request_start(s->endpoint, s->shard->worker, s->shard->comp->host->offload, &call);
}

/* --- life --- */

static const struct metric_desc failures_desc = {.name = "prometheus_sd_http_failures_total",
                                                 .help = "Number of HTTP service discovery "
                                                         "refresh failures.",
                                                 .kind = METRIC_COUNTER};

static int create(struct comp *c, char **ret_err)
{
    ((struct shared *)c->shared)->failures = comp_metric(c, &failures_desc, NULL, 0);
    target_export_none(c);
    return 0;
}

static int configure(struct comp *c, const void *old, char **ret_err)
{
    const struct plan *plan = c->plan;
    struct shared *sh = c->shared;
    struct http_endpoint *e =
        http_endpoint_new(&(struct http_endpoint_conf){.args = &plan->args->client,
                                                       .user_agent = c->host->user_agent},
                          ret_err);

    if (!e) return -EINVAL;
    http_endpoint_unref(sh->endpoint);
    sh->endpoint = e;
    return 0;
}

static void connect_to(struct self *s)
{
    s->endpoint = http_endpoint_ref(((struct shared *)s->shard->comp->shared)->endpoint);
    timer_start(s->timer, 0);
}

static void disconnect(struct self *s)
{
    if (s->request) http_request_cancel(s->request);
    s->request = NULL;
    http_endpoint_unref(s->endpoint);
    s->endpoint = NULL;
    if (s->timer) timer_stop(s->timer);
}

static int run(struct shard *shard)
{
    struct self *s = shard->self;

    s->shard = shard;
    s->timer = timer_new(shard->worker->loop, refresh, s);
    target_export_init(&s->out, shard);
    connect_to(s);
    return 0;
}

/* The old targets stay until the new ones are there. */
static int apply(struct shard *shard, const void *plan)
{
    struct self *s = shard->self;

    disconnect(s);
    target_export_restart(&s->out);
    connect_to(s);
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

    disconnect(s);
    timer_free(s->timer);
    target_export_done(&s->out);
    free(s->told);
}

static void destroy(struct comp *c)
{
    http_endpoint_unref(((struct shared *)c->shared)->endpoint);
}

DEFINE_COMPONENT(discovery_http) = {
    .name = "discovery.http",
    .summary = "Fetches a list of targets over HTTP.",
    .example = "discovery.http \"default\" {\n\turl = \"http://127.0.0.1:8080/targets\"\n}\n",
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
