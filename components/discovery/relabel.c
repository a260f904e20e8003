/* discovery.relabel: targets through relabel rules. The whole of it happens when it is evaluated;
 * nothing runs. */
#include "base/xalloc.h"
#include "components/common/relabel.h"
#include "components/common/targets.h"

struct args {
    struct value targets;
    struct relabel_rules rules;
};
struct exports {
    struct value output;
    struct capsule_ref rules;
};
struct plan {
    const struct args *args;
    struct relabel *rules;
};

static const struct row arg_rows[] = {
    RELABEL_RULE_BLOCKS(struct args, rules),
    TARGETS_ATTR(struct args, targets, "Targets to relabel."),
};
static const struct schema args_schema = SCHEMA(struct args, arg_rows);

static const struct row export_rows[] = {
    TARGETS_EXPORT(struct exports, output,
                   "The targets that are left, relabelled, in their order."),
    RELABEL_RULES_EXPORT(struct exports, rules),
};
static const struct schema exports_schema = SCHEMA(struct exports, export_rows);

static int prepare(struct prepare *p, const void *args, void *plan_)
{
    struct plan *plan = plan_;

    plan->args = args;
    return relabel_prepare(p, &plan->args->rules, RELABEL_NAMES_ANY, &plan->rules);
}

/* --- live debugging: one item for each target --- */

struct change {
    struct value targets;
    size_t at;
    const struct label_set *after; /* NULL: dropped */
};

static int render(const void *what, struct buf *out)
{
    const struct change *c = what;
    struct label_set before;

    label_set_init(&before);
    target_load(c->targets, c->at, &before);
    target_text(&before, out);
    buf_cstr(out, " => ");
    if (c->after)
        target_text(c->after, out);
    else
        buf_cstr(out, "{}");
    label_set_done(&before);
    return buf_err(out);
}

static void show(struct comp *c, const struct change *change)
{
    if (!comp_tapped(c)) return;
    comp_tap(c,
             &(struct tap_item){.type = TAP_TARGET, .count = 1, .render = render, .what = change});
}

/* --- output --- */

static bool has_value(const struct label *l, void *arg)
{
    return l->value.n > 0;
}

static int relabel_targets(struct comp *c, const struct plan *plan, struct target_list *out,
                           bool *limited)
{
    struct value targets = plan->args->targets;
    struct label_set set;
    int err = 0;

    label_set_init(&set);
    for (size_t i = 0; i < targets_count(targets) && !err; i++) {
        target_load(targets, i, &set);
        label_set_filter(&set, has_value, NULL);
        bool kept = relabel_apply(plan->rules, &set, limited);
        show(c, &(struct change){targets, i, kept ? &set : NULL});
        if (kept) target_list_add(out, &set);
        err = set.err;
    }
    label_set_done(&set);
    return err;
}

static void export_list(struct comp *c, struct value list)
{
    const struct plan *plan = c->plan;
    struct exports e = {.output = list, .rules.c = relabel_capsule(plan->rules)};

    comp_export(c, &e);
    capsule_unref(e.rules.c);
}

static int publish(struct comp *c, char **ret_err)
{
    struct target_list out = {0};
    bool limited = false;
    int err = relabel_targets(c, c->plan, &out, &limited);
    struct value list = target_list_value(&out);

    if (err)
        *ret_err = xprintf("failed to relabel targets: %s", strerror(-err));
    else
        export_list(c, list);
    value_unref(list);
    if (limited) log_warn(c->log, RELABEL_LIMITED);
    if (!err) comp_health(c, HEALTH_HEALTHY, "targets relabelled");
    return err;
}

static int configure(struct comp *c, const void *old_plan, char **ret_err)
{
    return old_plan ? publish(c, ret_err) : 0;
}

DEFINE_COMPONENT(discovery_relabel) = {
    .name = "discovery.relabel",
    .summary = "Rewrites, keeps and drops targets by relabelling rules.",
    .example = "discovery.relabel \"web\" {\n"
               "  targets = [{\"__address__\" = \"localhost:80\", \"app\" = \"web\"}]\n"
               "\n"
               "  rule {\n"
               "    source_labels = [\"app\"]\n"
               "    target_label  = \"job\"\n"
               "  }\n"
               "}\n",
    .stability = STABILITY_GA,
    .args = &args_schema,
    .exports = &exports_schema,
    .placement = PLACE_CONTROL,
    .plan_size = sizeof(struct plan),
    .prepare = prepare,
    .create = publish,
    .configure = configure,
    .taps_itself = true,
};
