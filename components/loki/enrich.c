/* loki.enrich: log entries get labels of the target that has the same value in a label. Targets are
 * indexed when the configuration is read; what became of a label set is remembered. Works where a
 * batch is. */
#include "base/map.h"
#include "components/common/label_stage.h"
#include "components/common/loki_receiver.h"
#include "components/common/settings.h"
#include "components/common/targets.h"

#define CACHE_MAX 10000

struct args {
    struct capsule_list forward_to;
    struct str target_match_label, logs_match_label;
    struct str_list labels_to_copy;
    struct value targets;
};
struct plan {
    const struct args *args;
    struct str logs_label;
    struct map by_value; /* places in the list; of targets with the same value the last counts */
};
struct self {
    struct label_stage stage;
    const struct plan *plan;
};

static const struct row arg_rows[] = {
    ATTR(struct args, forward_to, .doc = "Receivers of the entries.", .required = true,
         .capsule = &capsule_logs_receiver, .signals = SIGNALS_LOGS),
    ATTR(struct args, labels_to_copy, .doc = "Labels of the target to copy; none: all of them."),
    ATTR(struct args, logs_match_label,
         .doc = "Label of the entries to look targets up by; none: target_match_label.",
         .def = "\"\""),
    ATTR(struct args, target_match_label, .doc = "Label of the targets to look up.",
         .required = true),
    TARGETS_ATTR(struct args, targets, "Targets that labels are copied from."),
};
static const struct schema args_schema = SCHEMA(struct args, arg_rows);

/* --- targets by their value --- */

/* Places in the list, as pointers: 0 is none. */
static void *place(size_t i)
{
    return (void *)(uintptr_t)(i + 1);
}

static void free_index(void *map)
{
    map_done(map, NULL);
}

static int prepare(struct prepare *p, const void *args, void *plan_)
{
    struct plan *plan = plan_;
    const struct args *a = plan->args = args;
    struct label_set set;

    plan->logs_label = a->logs_match_label.n ? a->logs_match_label : a->target_match_label;
    arena_cleanup(p->arena, free_index, &plan->by_value);
    label_set_init(&set);
    for (size_t i = 0; i < targets_count(a->targets); i++) {
        target_load(a->targets, i, &set);
        struct str value = label_set_get(&set, a->target_match_label);
        if (value.n > 0) map_put(&plan->by_value, value, place(i));
    }
    label_set_done(&set);
    return 0;
}

static int create(struct comp *c, char **ret_err)
{
    loki_receiver_export(c);
    return 0;
}

/* --- entries --- */

static bool change(void *arg, struct label_set *s)
{
    const struct plan *plan = ((struct self *)arg)->plan;
    struct str value = label_set_get(s, plan->logs_label);
    size_t at = value.n ? (size_t)(uintptr_t)map_get(&plan->by_value, value) : 0;

    if (!at) return true;
    target_copy(plan->args->targets, at - 1, &plan->args->labels_to_copy, s);
    return true;
}

static const struct label_stage_rules stage_rules = {.change = change, .keeps_empty = true};

static int run(struct shard *s)
{
    struct self *self = s->self;

    self->plan = s->plan;
    label_stage_init(&self->stage, s, &stage_rules, self, CACHE_MAX, &self->plan->args->forward_to);
    return 0;
}

static int apply(struct shard *s, const void *plan)
{
    struct self *self = s->self;

    self->plan = plan;
    label_stage_apply(&self->stage, CACHE_MAX, &self->plan->args->forward_to);
    return 0;
}

static void stop(struct shard *s)
{
    log_stage_stop(&((struct self *)s->self)->stage.log);
}

static void shard_done(struct shard *s)
{
    label_stage_done(&((struct self *)s->self)->stage);
}

static enum push push(struct shard *s, u32 port, struct batch *b)
{
    return label_stage_push(&((struct self *)s->self)->stage, b);
}

DEFINE_COMPONENT(loki_enrich) = {
    .name = "loki.enrich",
    .summary = "Adds labels of matching targets to log entries.",
    .example = "loki.enrich \"default\" {\n"
               "  forward_to         = [loki.echo.default.receiver]\n"
               "  targets            = [{\"host\" = \"web-1\", \"zone\" = \"a\"}]\n"
               "  target_match_label = \"host\"\n"
               "  logs_match_label   = \"hostname\"\n"
               "}\n"
               "\n"
               "loki.echo \"default\" { }\n",
    .stability = STABILITY_EXPERIMENTAL,
    .args = &args_schema,
    .exports = &loki_receiver_schema,
    .placement = PLACE_EACH,
    .plan_size = sizeof(struct plan),
    .self_size = sizeof(struct self),
    .prepare = prepare,
    .create = create,
    .run = run,
    .apply = apply,
    .stop = stop,
    .shard_done = shard_done,
    .push = push,
};
