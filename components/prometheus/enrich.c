/* prometheus.enrich: samples get labels of the target that has the same values in some labels.
 * Targets are indexed when the configuration is read; what became of a series is remembered. Works
 * where a batch is. */
#include "base/map.h"
#include "components/common/metrics_receiver.h"
#include "components/common/sample_stage.h"
#include "components/common/settings.h"
#include "components/common/targets.h"

#define CACHE_MAX 1000000

struct args {
    struct capsule_list forward_to;
    struct str_map target_to_metric_match;
    struct str target_match_label, metrics_match_label;
    struct str_list labels_to_copy;
    struct value targets;
};
struct match {
    struct str target, metric;
};
struct plan {
    const struct args *args;
    struct match *matches;
    size_t n_matches;
    struct map by_values; /* places in the list; of targets with the same values the last counts */
};
struct shared {
    struct sample_output output;
    struct metric *targets;
};
struct self {
    struct sample_stage stage;
    const struct plan *plan;
};

static const struct row arg_rows[] = {
    METRICS_FORWARD_TO(struct args, forward_to),
    ATTR(struct args, labels_to_copy, .doc = "Labels of the target to copy; none: all of them."),
    ATTR(struct args, metrics_match_label,
         .doc = "Label of the samples to look targets up by; use target_to_metric_match.",
         .def = "\"\"", .deprecated = true),
    ATTR(struct args, target_match_label,
         .doc = "Label of the targets to look up; use target_to_metric_match.", .def = "\"\"",
         .deprecated = true),
    ATTR(struct args, target_to_metric_match,
         .doc = "Which label of the targets must equal which label of the samples; all of them."),
    TARGETS_ATTR(struct args, targets, "Targets that labels are copied from."),
};
static const struct schema args_schema = SCHEMA(struct args, arg_rows);

static const struct metric_desc targets_desc = {.name = "prometheus_target_cache_size",
                                                .help = "Targets that samples can match.",
                                                .kind = METRIC_GAUGE};

/* --- targets by their values --- */

/* The values of some labels as one key; false when one is missing. */
static bool key_of(const struct plan *plan, const struct label_set *s, bool metric, struct buf *key)
{
    buf_reset(key);
    for (size_t i = 0; i < plan->n_matches; i++) {
        const struct match *m = &plan->matches[i];
        struct str value = label_set_get(s, metric ? m->metric : m->target);
        if (!value.n) return false;
        buf_str(key, value);
        buf_ch(key, '\xff'); /* in no UTF-8 text */
    }
    return !buf_err(key);
}

#define KEY_MAX ((size_t)1 << 20)

static void index_targets(struct plan *plan)
{
    struct label_set set;
    struct buf key = BUF_INIT(KEY_MAX);

    label_set_init(&set);
    for (size_t i = 0; i < targets_count(plan->args->targets); i++) {
        target_load(plan->args->targets, i, &set);
        if (key_of(plan, &set, false, &key)) /* 0 is none */
            map_put(&plan->by_values, buf_view(&key), (void *)(uintptr_t)(i + 1));
    }
    label_set_done(&set);
    buf_done(&key);
}

static void take_matches(struct prepare *p, struct plan *plan)
{
    const struct args *a = plan->args;
    const struct str_map *m = &a->target_to_metric_match;

    plan->n_matches = m->n ? m->n : 1;
    plan->matches = arena_array(p->arena, struct match, plan->n_matches);
    for (size_t i = 0; i < m->n; i++)
        plan->matches[i] = (struct match){m->v[i].key, m->v[i].value};
    if (!m->n)
        plan->matches[0] =
            (struct match){a->target_match_label, a->metrics_match_label.n ? a->metrics_match_label
                                                                           : a->target_match_label};
}

static void free_index(void *map)
{
    map_done(map, NULL);
}

static int prepare(struct prepare *p, const void *args, void *plan_)
{
    struct plan *plan = plan_;
    const struct args *a = plan->args = args;

    arena_cleanup(p->arena, free_index, &plan->by_values);
    if (!a->target_to_metric_match.n && !a->target_match_label.n)
        return setting_fault(p, "target_to_metric_match",
                             "target_to_metric_match or target_match_label must be set");
    if (a->target_to_metric_match.n && span_written(p->block, "target_match_label"))
        setting_no_effect(p, "target_match_label", "target_to_metric_match is set");
    if (a->target_to_metric_match.n && span_written(p->block, "metrics_match_label"))
        setting_no_effect(p, "metrics_match_label", "target_to_metric_match is set");
    take_matches(p, plan);
    index_targets(plan);
    return 0;
}

/* --- control loop --- */

static int create(struct comp *c, char **ret_err)
{
    struct shared *sh = c->shared;

    sample_output_init(&sh->output, c);
    sh->targets = comp_metric(c, &targets_desc, NULL, 0);
    metrics_receiver_export(c);
    return 0;
}

static int configure(struct comp *c, const void *old_plan, char **ret_err)
{
    const struct plan *plan = c->plan;

    metric_set(((struct shared *)c->shared)->targets, (i64)plan->by_values.live);
    return 0;
}

/* --- samples --- */

static bool change(void *arg, struct label_set *s)
{
    const struct plan *plan = ((struct self *)arg)->plan;
    struct buf key = BUF_INIT(KEY_MAX);
    size_t at = key_of(plan, s, true, &key)
                    ? (size_t)(uintptr_t)map_get(&plan->by_values, buf_view(&key))
                    : 0;

    buf_done(&key);
    if (!at) return true;
    target_copy(plan->args->targets, at - 1, &plan->args->labels_to_copy, s);
    return true;
}

static const struct sample_stage_rules stage_rules = {.change = change};

/* --- workers --- */

static int run(struct shard *s)
{
    struct self *self = s->self;
    const struct shared *sh = s->comp->shared;

    self->plan = s->plan;
    sample_stage_init(&self->stage, s, &stage_rules, self, &sh->output, CACHE_MAX,
                      &self->plan->args->forward_to);
    return 0;
}

static int apply(struct shard *s, const void *plan)
{
    struct self *self = s->self;

    self->plan = plan;
    sample_stage_apply(&self->stage, CACHE_MAX, &self->plan->args->forward_to);
    return 0;
}

static void stop(struct shard *s)
{
    log_stage_stop(&((struct self *)s->self)->stage.flow);
}

static void shard_done(struct shard *s)
{
    sample_stage_done(&((struct self *)s->self)->stage);
}

static enum push push(struct shard *s, u32 port, struct batch *b)
{
    return sample_stage_push(&((struct self *)s->self)->stage, b);
}

DEFINE_COMPONENT(prometheus_enrich) = {
    .name = "prometheus.enrich",
    .summary = "Adds labels of matching targets to samples.",
    .example = "prometheus.enrich \"default\" {\n"
               "  forward_to = [prometheus.echo.default.receiver]\n"
               "  targets    = [{host = \"web-1\", zone = \"a\"}]\n"
               "\n"
               "  target_to_metric_match = {\n"
               "    host = \"hostname\",\n"
               "  }\n"
               "}\n"
               "\n"
               "prometheus.echo \"default\" { }\n",
    .stability = STABILITY_EXPERIMENTAL,
    .args = &args_schema,
    .exports = &metrics_receiver_schema,
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
};
