/* loki.relabel: the labels of log entries through relabel rules. What became of a label set is
 * remembered (max_cache_size sets). Works where a batch is. Spec: pipelines B.3. */
#include "components/common/label_stage.h"
#include "components/common/relabel.h"
#include "components/common/settings.h"

struct args {
    struct capsule_list forward_to;
    i64 max_cache_size;
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
    struct metric *processed, *written, *misses, *hits, *size;
};
struct self {
    struct label_stage stage;
    const struct plan *plan;
    bool limit_told;
};

static const struct row arg_rows[] = {
    ATTR(struct args, forward_to, .doc = "Receivers of the relabelled entries.", .required = true,
         .capsule = &capsule_logs_receiver, .signals = SIGNALS_LOGS),
    ATTR(struct args, max_cache_size, .doc = "Label sets whose result is remembered.",
         .def = "10000", .min = 1, .has_min = true, .max = 100000000, .has_max = true),
    RELABEL_RULE_BLOCKS(struct args, rules),
};
static const struct schema args_schema = SCHEMA(struct args, arg_rows);

static const struct row export_rows[] = {
    ATTR(struct exports, receiver, .doc = "Takes log entries from other components.",
         .capsule = &capsule_logs_receiver, .signals = SIGNALS_LOGS),
    RELABEL_RULES_EXPORT(struct exports, rules),
};
static const struct schema exports_schema = SCHEMA(struct exports, export_rows);

static const struct metric_desc processed_desc = {.name = "loki_relabel_entries_processed",
                                                  .help = "Log entries received.",
                                                  .kind = METRIC_COUNTER},
                                written_desc = {.name = "loki_relabel_entries_written",
                                                .help = "Log entries handed on.",
                                                .kind = METRIC_COUNTER},
                                misses_desc = {.name = "loki_relabel_cache_misses",
                                               .help = "Lookups of label sets not yet known.",
                                               .kind = METRIC_COUNTER},
                                hits_desc = {.name = "loki_relabel_cache_hits",
                                             .help = "Lookups of label sets known already.",
                                             .kind = METRIC_COUNTER},
                                size_desc = {.name = "loki_relabel_cache_size",
                                             .help = "Label sets that are remembered.",
                                             .kind = METRIC_GAUGE};

static int prepare(struct prepare *p, const void *args, void *plan_)
{
    struct plan *plan = plan_;

    plan->args = args;
    return relabel_prepare(p, &plan->args->rules, RELABEL_NAMES_CLASSIC, &plan->rules);
}

/* --- control loop --- */

static void publish(struct comp *c)
{
    const struct plan *plan = c->plan;
    struct exports e = {.receiver.c = comp_sink(c, &capsule_logs_receiver, 0, SIGNALS_LOGS),
                        .rules.c = relabel_capsule(plan->rules)};

    comp_export(c, &e);
    capsule_unref(e.receiver.c);
    capsule_unref(e.rules.c);
}

static int create(struct comp *c, char **ret_err)
{
    struct shared *sh = c->shared;

    sh->processed = comp_metric(c, &processed_desc, NULL, 0);
    sh->written = comp_metric(c, &written_desc, NULL, 0);
    sh->misses = comp_metric(c, &misses_desc, NULL, 0);
    sh->hits = comp_metric(c, &hits_desc, NULL, 0);
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

    relabel_tell_limited(self->stage.log.shard->comp->log, limited, &self->limit_told);
    return kept;
}

static void taken(void *arg, const struct label_counts *n)
{
    struct self *self = arg;
    const struct shared *sh = self->stage.log.shard->comp->shared;

    metric_add(sh->processed, n->entries);
    metric_add(sh->written, n->written);
    metric_add(sh->misses, n->misses);
    metric_add(sh->hits, n->hits);
    metric_set(sh->size, lru_count(self->stage.cache));
}

static const struct label_stage_rules stage_rules = {
    .change = change, .taken = taken, .shows = true};

static int run(struct shard *s)
{
    struct self *self = s->self;

    self->plan = s->plan;
    label_stage_init(&self->stage, s, &stage_rules, self, (u32)self->plan->args->max_cache_size,
                     &self->plan->args->forward_to);
    return 0;
}

static int apply(struct shard *s, const void *plan)
{
    struct self *self = s->self;

    self->plan = plan;
    self->limit_told = false;
    label_stage_apply(&self->stage, (u32)self->plan->args->max_cache_size,
                      &self->plan->args->forward_to);
    return 0;
}

static void stop(struct shard *s)
{
    log_stage_stop(&((struct self *)s->self)->stage.log);
}

static void shard_done(struct shard *s)
{
    struct self *self = s->self;

    metric_set(((struct shared *)s->comp->shared)->size, 0);
    label_stage_done(&self->stage);
}

static enum push push(struct shard *s, u32 port, struct batch *b)
{
    return label_stage_push(&((struct self *)s->self)->stage, b);
}

DEFINE_COMPONENT(loki_relabel) = {
    .name = "loki.relabel",
    .summary = "Rewrites the labels of log entries by relabelling rules.",
    .example = "loki.relabel \"default\" {\n"
               "  forward_to = [loki.echo.default.receiver]\n"
               "\n"
               "  rule {\n"
               "    source_labels = [\"app\"]\n"
               "    target_label  = \"job\"\n"
               "  }\n"
               "}\n"
               "\n"
               "loki.echo \"default\" { }\n",
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
