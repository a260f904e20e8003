/* prometheus.relabel: the labels of samples through relabel rules. What became of a series is
 * remembered: max_cache_size series, or each for cache_ttl after its last sample. Works where a
 * batch is. Spec: pipelines B.3. */
#include "components/common/relabel.h"
#include "components/common/metrics_receiver.h"
#include "components/common/sample_stage.h"
#include "components/common/settings.h"

#define EXPIRE_AT_ONCE 10000 /* series in one turn; the rest in the next ones */

struct args {
    struct capsule_list forward_to;
    i64 max_cache_size;
    struct dur cache_ttl;
    struct relabel_rules rules;
};
struct exports {
    struct capsule_ref receiver, rules;
};
struct plan {
    const struct args *args;
    struct relabel *rules;
};
struct shared {
    struct sample_output output;
    struct metric *processed, *written, *misses, *hits, *deletes, *expired, *size;
};
struct self {
    struct sample_stage stage;
    const struct plan *plan;
    struct timer *expiry;
    bool limit_told;
};

static const struct row arg_rows[] = {
    ATTR(struct args, cache_ttl,
         .doc = "How long what became of a series is remembered after its last sample; needs "
                "max_cache_size = 0.",
         .def = "\"0s\""),
    METRICS_FORWARD_TO(struct args, forward_to),
    ATTR(struct args, max_cache_size,
         .doc = "Series whose result is remembered; 0: those of cache_ttl.", .def = "100000"),
    RELABEL_RULE_BLOCKS(struct args, rules),
};
static const struct schema args_schema = SCHEMA(struct args, arg_rows);

static const struct row export_rows[] = {
    METRICS_RECEIVER_EXPORT(struct exports, receiver),
    RELABEL_RULES_EXPORT(struct exports, rules),
};
static const struct schema exports_schema = SCHEMA(struct exports, export_rows);

#define M "alloy_prometheus_relabel_"
static const struct metric_desc processed_desc = {.name = M "metrics_processed",
                                                  .help = "Samples received.",
                                                  .kind = METRIC_COUNTER},
                                written_desc = {.name = M "metrics_written",
                                                .help = "Samples handed on.",
                                                .kind = METRIC_COUNTER},
                                misses_desc = {.name = M "cache_misses",
                                               .help = "Lookups of series not yet known.",
                                               .kind = METRIC_COUNTER},
                                hits_desc = {.name = M "cache_hits",
                                             .help = "Lookups of series known already.",
                                             .kind = METRIC_COUNTER},
                                deletes_desc = {.name = M "cache_deletes",
                                                .help = "Series forgotten at their stale marker.",
                                                .kind = METRIC_COUNTER},
                                expired_desc = {.name = M "cache_ttl_evictions",
                                                .help = "Series forgotten after cache_ttl.",
                                                .kind = METRIC_COUNTER},
                                size_desc = {.name = M "cache_size",
                                             .help = "Series that are remembered.",
                                             .kind = METRIC_GAUGE};

static int check_cache(struct prepare *p, const struct args *a)
{
    if (a->max_cache_size < 0)
        return setting_fault(p, "max_cache_size", "max_cache_size must be >= 0; got %lld",
                             (long long)a->max_cache_size);
    if (a->max_cache_size > UINT32_MAX / 2)
        return setting_fault(p, "max_cache_size", "max_cache_size must be at most %u",
                             UINT32_MAX / 2);
    if (a->max_cache_size && a->cache_ttl.ns)
        return setting_fault(p, "cache_ttl",
                             "max_cache_size and cache_ttl are mutually exclusive; set "
                             "max_cache_size to 0 to use cache_ttl");
    if (!a->max_cache_size && !a->cache_ttl.ns)
        return setting_fault(p, "max_cache_size", "one of max_cache_size or cache_ttl must be set");
    if (a->cache_ttl.ns && a->cache_ttl.ns < 60 * NS_PER_SEC)
        return setting_fault(p, "cache_ttl", "cache_ttl must be at least 1m");
    return 0;
}

static int prepare(struct prepare *p, const void *args, void *plan_)
{
    struct plan *plan = plan_;
    int err = check_cache(p, args);

    plan->args = args;
    int rules = relabel_prepare(p, &plan->args->rules, RELABEL_NAMES_CLASSIC, &plan->rules);
    return err ? err : rules;
}

/* --- control loop --- */

static void publish(struct comp *c)
{
    const struct plan *plan = c->plan;
    struct exports e = {.receiver.c = comp_sink(c, &capsule_metrics_receiver, 0, SIGNALS_METRICS),
                        .rules.c = relabel_capsule(plan->rules)};

    comp_export(c, &e);
    capsule_unref(e.receiver.c);
    capsule_unref(e.rules.c);
}

static int create(struct comp *c, char **ret_err)
{
    struct shared *sh = c->shared;

    sample_output_init(&sh->output, c);
    sh->processed = comp_metric(c, &processed_desc, NULL, 0);
    sh->written = comp_metric(c, &written_desc, NULL, 0);
    sh->misses = comp_metric(c, &misses_desc, NULL, 0);
    sh->hits = comp_metric(c, &hits_desc, NULL, 0);
    sh->deletes = comp_metric(c, &deletes_desc, NULL, 0);
    sh->expired = comp_metric(c, &expired_desc, NULL, 0);
    sh->size = comp_metric(c, &size_desc, NULL, 0);
    publish(c);
    return 0;
}

static int configure(struct comp *c, const void *old_plan, char **ret_err)
{
    if (old_plan) publish(c);
    return 0;
}

/* --- workers --- */

static bool change(void *arg, struct label_set *s)
{
    struct self *self = arg;
    bool limited = false, kept = relabel_apply(self->plan->rules, s, &limited);

    relabel_tell_limited(self->stage.flow.shard->comp->log, limited, &self->limit_told);
    return kept;
}

static void taken(void *arg, const struct sample_counts *n)
{
    struct self *self = arg;
    const struct shared *sh = self->stage.flow.shard->comp->shared;

    metric_add(sh->processed, n->samples);
    metric_add(sh->written, n->written);
    metric_add(sh->misses, n->misses);
    metric_add(sh->hits, n->hits);
    metric_add(sh->deletes, n->deletes);
    metric_set(sh->size, lru_count(self->stage.cache));
}

static const struct sample_stage_rules stage_rules = {
    .change = change, .taken = taken, .shows = true};

/* A long cache is gone through over several turns. */
static void on_expiry(void *arg)
{
    struct self *self = arg;
    const struct shared *sh = self->stage.flow.shard->comp->shared;
    i64 ttl = self->plan->args->cache_ttl.ns;
    i64 before = loop_now(self->stage.flow.shard->worker->loop) - ttl;
    u32 n = lru_expire(self->stage.cache, before, EXPIRE_AT_ONCE);

    metric_add(sh->expired, n);
    metric_set(sh->size, lru_count(self->stage.cache));
    timer_start(self->expiry, n == EXPIRE_AT_ONCE ? NS_PER_MS : ttl / 4);
}

static void arm(struct self *self)
{
    timer_stop(self->expiry);
    if (self->plan->args->cache_ttl.ns)
        timer_start(self->expiry, self->plan->args->cache_ttl.ns / 4);
}

static int run(struct shard *s)
{
    struct self *self = s->self;
    const struct shared *sh = s->comp->shared;

    self->plan = s->plan;
    self->expiry = timer_new(s->worker->loop, on_expiry, self);
    sample_stage_init(&self->stage, s, &stage_rules, self, &sh->output,
                      (u32)self->plan->args->max_cache_size, &self->plan->args->forward_to);
    arm(self);
    return 0;
}

static int apply(struct shard *s, const void *plan)
{
    struct self *self = s->self;

    self->plan = plan;
    self->limit_told = false;
    sample_stage_apply(&self->stage, (u32)self->plan->args->max_cache_size,
                       &self->plan->args->forward_to);
    arm(self);
    return 0;
}

static void stop(struct shard *s)
{
    log_stage_stop(&((struct self *)s->self)->stage.flow);
}

static void shard_done(struct shard *s)
{
    struct self *self = s->self;

    metric_set(((struct shared *)s->comp->shared)->size, 0);
    timer_free(self->expiry);
    sample_stage_done(&self->stage);
}

static enum push push(struct shard *s, u32 port, struct batch *b)
{
    return sample_stage_push(&((struct self *)s->self)->stage, b);
}

DEFINE_COMPONENT(prometheus_relabel) = {
    .name = "prometheus.relabel",
    .summary = "Rewrites, keeps and drops series by relabelling rules.",
    .example = "prometheus.relabel \"default\" {\n"
               "  forward_to = [prometheus.echo.default.receiver]\n"
               "\n"
               "  rule {\n"
               "    source_labels = [\"instance\"]\n"
               "    target_label  = \"host\"\n"
               "  }\n"
               "}\n"
               "\n"
               "prometheus.echo \"default\" { }\n",
    .stability = STABILITY_GA,
    .args = &args_schema,
    .exports = &exports_schema,
    .placement = PLACE_EACH,
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
    .push = push,
    .taps_itself = true,
};
