/* prometheus.scrape: asks targets for their metrics, and sends the samples on. Targets are spread
 * over the workers by hash. Spec: pipelines C.2. */
#include <errno.h>

#include "components/common/sample_tap.h"
#include "components/common/metrics_receiver.h"
#include "components/common/settings.h"
#include "components/prometheus/scrape/scrape.h"
#include "telemetry/histogram.h"
#include "value/args_equal.h"

/* Connections are kept from scrape to scrape, whatever the number of targets: as in Prometheus. */
#define IDLE_CONNS 20000

/* --- arguments --- */

#define PROTOCOLS                                                                                  \
    ONE_OF_TEXT("PrometheusProto", "OpenMetricsText1.0.0", "OpenMetricsText0.0.1",                 \
                "PrometheusText1.0.0", "PrometheusText0.0.4")
#define LIMIT(name_, doc_) ATTR(A, name_, .def = "0", .unsigned_bits = 32, .doc = doc_)

static const struct row list_rows[] = {{.doc = "Values.", .kind = K_STR_LIST}};
static const struct shape params_shape = {.form = SHAPE_MAP,
                                          .name = "map(list(string))",
                                          .rows = list_rows,
                                          .n_rows = ARRAY_LEN(list_rows)};

typedef __typeof__(((struct scrape_args *)NULL)->clustering) clustering_args;
static const struct row clustering_rows[] = {
    ATTR(clustering_args, enabled, .required = true,
         .doc = "Share the targets with other agents of a cluster.")};
static const struct schema clustering_schema = SCHEMA(clustering_args, clustering_rows);

#define A struct scrape_args
static const struct row arg_rows[] = {
    METRICS_FORWARD_TO(A, forward_to),
    TARGETS_ATTR(A, targets, "What to scrape."),
    ATTR(A, body_size_limit, .def = "\"0B\"",
         .doc = "Answers of so many bytes, unpacked, fail the scrape; 0: 256 MiB."),
    ATTR(A, convert_classic_histograms_to_nhcb, .def = "false",
         .doc = "Make native histograms with custom buckets of classic ones."),
    ATTR(A, start_timestamp_zero_ingestion, .def = "false", .stability = STABILITY_EXPERIMENTAL,
         .doc = "Send a zero at the time a counter began."),
    ATTR(A, enable_compression, .def = "true", .doc = "Ask for compressed answers."),
    ATTR(A, enable_protobuf_negotiation, .def = "false", .deprecated = true,
         .doc = "Has no effect: scrape_protocols says what is asked for."),
    ATTR(A, enable_type_and_unit_labels, .def = "false", .stability = STABILITY_EXPERIMENTAL,
         .doc = "Add the type and the unit of metrics as labels."),
    ATTR(A, extra_metrics, .def = "false", .doc = "Report timeout, limit and body size as well."),
    ATTR(A, honor_labels, .def = "false", .doc = "Exposed labels win over the target's."),
    ATTR(A, honor_timestamps, .def = "true", .doc = "Take the times that the target exposes."),
    ATTR(A, honor_metadata, .def = "false", .stability = STABILITY_EXPERIMENTAL,
         .doc = "Send types, units and help texts on."),
    ATTR(A, job_name, .def = "\"\"",
         .doc = "Label job of targets without one; the component's id."),
    LIMIT(label_limit, "Most labels of a series; 0: any number."),
    LIMIT(label_name_length_limit, "Longest name of a label; 0: any."),
    LIMIT(label_value_length_limit, "Longest value of a label; 0: any."),
    ATTR(A, metric_name_escaping_scheme, .def = "\"underscores\"",
         .one_of = ONE_OF_TEXT("allow-utf-8", "underscores", "dots", "values"),
         .doc = "How targets are asked to escape names."),
    ATTR(A, metric_name_validation_scheme, .def = "\"legacy\"",
         .one_of = ONE_OF_TEXT("utf8", "legacy"), .doc = "Which names are valid."),
    ATTR(A, metrics_path, .def = "\"/metrics\"", .doc = "Path of targets without one."),
    LIMIT(native_histogram_bucket_limit, "Most buckets of a native histogram; 0: any number."),
    ATTR(A, native_histogram_min_bucket_factor, .def = "0",
         .doc = "Least growth from bucket to bucket of native histograms."),
    ATTR(A, params, .shape = &params_shape, .doc = "Parameters of requests."),
    LIMIT(sample_limit, "Most samples of a scrape; 0: any number."),
    ATTR(A, scheme, .def = "\"http\"", .doc = "Scheme of targets without one."),
    ATTR(A, scrape_classic_histograms, .def = "false",
         .doc = "Take classic buckets of native histograms, too."),
    ATTR(A, scrape_failure_log_file, .def = "\"\"", .doc = "A file for failed scrapes."),
    ATTR(A, scrape_fallback_protocol, .def = "\"PrometheusText0.0.4\"", .one_of = PROTOCOLS,
         .doc = "What an answer of an unknown type is taken for."),
    ATTR(A, scrape_interval, .def = "\"1m\"", .doc = "How often targets are scraped."),
    ATTR(A, scrape_native_histograms, .def = "false", .doc = "Take native histograms."),
    ATTR(A, scrape_protocols,
         .def = "[\"OpenMetricsText1.0.0\", \"OpenMetricsText0.0.1\", \"PrometheusText1.0.0\", "
                "\"PrometheusText0.0.4\"]",
         .one_of = PROTOCOLS, .doc = "Formats that targets are asked for, best first."),
    ATTR(A, scrape_timeout, .def = "\"10s\"", .doc = "How long a scrape may take."),
    LIMIT(target_limit, "With more targets every scrape fails; 0: any number."),
    ATTR(A, track_timestamps_staleness, .def = "false",
         .doc = "Markers also for series with times of their own."),
    BLOCK(A, clustering, &clustering_schema, .doc = "Sharing targets with other agents."),
    HTTP_CLIENT_ROWS(A, client.),
};
#undef A
static void validate(const void *args, const struct span *at, struct diags *diags);
static const struct rule arg_rules[] = {HTTP_CLIENT_RULE};
static const struct schema args_schema =
    SCHEMA(struct scrape_args, arg_rows, .rules = arg_rules, .n_rules = ARRAY_LEN(arg_rules),
           .validate = validate);

static bool has_protocol(const struct scrape_args *a, const char *name, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_is(a->scrape_protocols.v[i], name)) return true;
    return false;
}

static void check_protocols(const struct scrape_args *a, const struct span *at, struct diags *diags)
{
    const struct str_list *l = &a->scrape_protocols;
    struct span where = schema_span(&args_schema, at, "scrape_protocols");

    for (size_t i = 0; i < l->n; i++)
        if (has_protocol(a, l->v[i].p, i))
            diag_error(diags, DIAG_VALUE_INVALID, where,
                       "duplicate scrape protocol \"" STR_FMT
                       "\": make sure the scrape protocols provided are unique",
                       STR_ARG(l->v[i]));
}

static bool is_default_list(const struct scrape_args *a)
{
    static const char *const list[] = {"OpenMetricsText1.0.0", "OpenMetricsText0.0.1",
                                       "PrometheusText1.0.0", "PrometheusText0.0.4"};

    if (a->scrape_protocols.n != ARRAY_LEN(list)) return false;
    for (size_t i = 0; i < ARRAY_LEN(list); i++)
        if (!str_is(a->scrape_protocols.v[i], list[i])) return false;
    return true;
}

/* Shown where it is written: a short interval with the timeout left out is the usual mistake. */
static void late_timeout(const struct scrape_args *a, const struct span *at, struct diags *diags)
{
    struct span timeout = schema_span(&args_schema, at, "scrape_timeout"),
                interval = schema_span(&args_schema, at, "scrape_interval");
    bool left_out = memcmp(&timeout, &at[0], sizeof(timeout)) == 0;
    struct buf b = BUF_INIT(200);

    buf_cstr(&b, "scrape_timeout (");
    prom_duration_format(&b, a->scrape_timeout.ns);
    buf_cstr(&b, ") greater than scrape_interval (");
    prom_duration_format(&b, a->scrape_interval.ns);
    struct diag *d = diag_error(diags, DIAG_VALUE_INVALID, left_out ? interval : timeout,
                                "%s) for scrape config with job name \"" STR_FMT "\"", b.p,
                                STR_ARG(a->job_name));
    if (left_out)
        diag_hint(diags, d,
                  "scrape_timeout is 10s when it is left out: set it to the interval, or less");
    buf_done(&b);
}

static void validate(const void *args, const struct span *at, struct diags *diags)
{
    const struct scrape_args *a = args;

    http_client_args_check(&a->client, &args_schema, at, diags);
    check_protocols(a, at, diags);
    if (a->scrape_native_histograms && !is_default_list(a) &&
        !has_protocol(a, "PrometheusProto", a->scrape_protocols.n))
        diag_error(diags, DIAG_VALUE_INVALID,
                   schema_span(&args_schema, at, "scrape_native_histograms"),
                   "scrape_native_histograms is set to true, but PrometheusProto is not in "
                   "scrape_protocols");
    if (str_is(a->metric_name_escaping_scheme, "allow-utf-8") &&
        !str_is(a->metric_name_validation_scheme, "utf8"))
        diag_error(diags, DIAG_VALUE_INVALID,
                   schema_span(&args_schema, at, "metric_name_escaping_scheme"),
                   "metric_name_escaping_scheme cannot be set to 'allow-utf-8' while "
                   "metric_name_validation_scheme is not set to 'utf8'");
    if (a->scrape_timeout.ns > a->scrape_interval.ns) late_timeout(a, at, diags);
}

/* --- debug info --- */

struct infos {
    struct {
        struct scrape_target_info *v;
        size_t n;
    } target;
};
static const struct row info_rows[] = {
    ATTR(struct scrape_target_info, job, .doc = "The job."),
    ATTR(struct scrape_target_info, url, .doc = "What is asked."),
    ATTR(struct scrape_target_info, health, .doc = "up, down, or unknown before the first scrape."),
    ATTR(struct scrape_target_info, labels, .doc = "Labels of its series."),
    ATTR(struct scrape_target_info, last_error, .doc = "Why the last scrape failed."),
    ATTR(struct scrape_target_info, last_scrape, .doc = "When it was scraped last."),
    ATTR(struct scrape_target_info, last_scrape_duration, .doc = "How long that took."),
};
static const struct schema info_schema = SCHEMA(struct scrape_target_info, info_rows);
static const struct row infos_rows[] = {
    BLOCKS(struct infos, target, &info_schema, .doc = "Targets that are scraped."),
};
static const struct schema infos_schema = SCHEMA(struct infos, infos_rows);

static struct scrape_view *view_of(struct scrape_shared *sh, int i)
{
    spin_lock(&sh->lock);
    struct scrape_view *v = sh->views[i];
    if (v) refs_get(&v->refs);
    spin_unlock(&sh->lock);
    return v;
}

static void unref_view(void *v)
{
    scrape_view_unref(v);
}

/* The views live as long as what is made of them. */
static void debug_info(struct comp *c, struct arena *a, void *out)
{
    struct infos *infos = out;
    struct scrape_view *views[METRIC_WRITERS];
    size_t n = 0;

    for (int i = 0; i < METRIC_WRITERS; i++) {
        views[i] = view_of(c->shared, i);
        if (!views[i]) continue;
        arena_cleanup(a, unref_view, views[i]);
        n += views[i]->n;
    }
    infos->target.v = arena_array(a, struct scrape_target_info, n + 1);
    for (int i = 0; i < METRIC_WRITERS; i++)
        for (size_t k = 0; views[i] && k < views[i]->n; k++)
            infos->target.v[infos->target.n++] = views[i]->v[k];
}

/* --- plan --- */

static void warn(struct prepare *p, bool set, const char *name, const char *why)
{
    if (set) setting_no_effect(p, name, why);
}

static int prepare(struct prepare *p, const void *args, void *plan_)
{
    struct scrape_plan *plan = plan_;
    const struct scrape_args *a = args;
    struct buf accept = BUF_INIT(4096);

    plan->args = a;
    plan->max_schema = histogram_schema_of_factor(a->native_histogram_min_bucket_factor);
    plan->utf8 = str_is(a->metric_name_validation_scheme, "utf8");
    scrape_accept(a, &accept);
    plan->accept = arena_str(p->arena, buf_view(&accept));
    buf_done(&accept);
    warn(p, a->clustering.enabled, "clustering/enabled",
         "agents do not share targets yet: every target is scraped by each agent that has it, "
         "so give each a part of the targets, or run one agent");
    return 0;
}

/* --- control loop --- */

static int create(struct comp *c, char **ret_err)
{
    struct scrape_shared *sh = c->shared;

    scrape_meters_create(c, sh->meters);
    sample_output_init(&sh->output, c);
    return 0;
}

static int make_endpoints(struct comp *c, const struct scrape_plan *plan, char **ret_err)
{
    struct scrape_shared *sh = c->shared;
    struct http_endpoint_conf conf = {.args = &plan->args->client,
                                      .user_agent = c->host->user_agent,
                                      .max_idle_conns = IDLE_CONNS};
    const struct http_endpoint_conf own = {.user_agent = c->host->user_agent,
                                           .unix_socket = str_of(c->host->memory_socket)};
    struct http_endpoint *e = http_endpoint_new(&conf, ret_err);

    if (!e) return -EINVAL;
    if (!sh->memory) sh->memory = http_endpoint_new(&own, ret_err);
    if (!sh->memory) {
        http_endpoint_unref(e);
        return -EINVAL;
    }
    http_endpoint_unref(sh->endpoint);
    sh->endpoint = e;
    return 0;
}

static int configure(struct comp *c, const void *old, char **ret_err)
{
    const struct scrape_plan *plan = c->plan, *was = old;
    struct scrape_shared *sh = c->shared;

    if (sh->endpoint && was &&
        args_equal(&http_client_args_schema, &was->args->client, &plan->args->client))
        return 0;
    return make_endpoints(c, plan, ret_err);
}

static void destroy(struct comp *c)
{
    struct scrape_shared *sh = c->shared;

    http_endpoint_unref(sh->endpoint);
    http_endpoint_unref(sh->memory);
    for (int i = 0; i < METRIC_WRITERS; i++)
        scrape_view_unref(sh->views[i]);
}

/* --- shards --- */

static int run(struct shard *shard)
{
    struct scraper *s = shard->self;

    scraper_start(s, shard);
    scraper_apply(s, shard->plan);
    return 0;
}

static int apply(struct shard *shard, const void *plan)
{
    scraper_apply(shard->self, plan);
    return 0;
}

static void stop(struct shard *shard)
{
    scraper_stop(shard->self);
}

static void shard_done(struct shard *shard)
{
    scraper_done(shard->self);
}

DEFINE_COMPONENT(prometheus_scrape) = {
    .name = "prometheus.scrape",
    .summary = "Scrapes targets and sends their samples on.",
    .example = "prometheus.scrape \"default\" {\n"
               "\ttargets    = [{\"__address__\" = \"localhost:9100\"}]\n"
               "\tforward_to = [prometheus.echo.default.receiver]\n"
               "}\n\n"
               "prometheus.echo \"default\" { }\n",
    .stability = STABILITY_GA,
    .args = &args_schema,
    .debug = &infos_schema,
    .placement = PLACE_EACH,
    .plan_size = sizeof(struct scrape_plan),
    .shared_size = sizeof(struct scrape_shared),
    .self_size = sizeof(struct scraper),
    .prepare = prepare,
    .create = create,
    .configure = configure,
    .run = run,
    .apply = apply,
    .stop = stop,
    .shard_done = shard_done,
    .destroy = destroy,
    .debug_info = debug_info,
    .tap = sample_tap,
};
