/* stage.match: entries that a selector chooses run through stages of their own, or are dropped. The
 * inner stages follow this one in the pipeline; the others skip them. */
#include <errno.h>
#include "base/xalloc.h"
#include "components/loki/process/selector.h"

struct args {
    struct str selector, action, drop_counter_reason, pipeline_name;
    struct one_of_list stages;
};
struct plan {
    const struct args *args;
    struct selector *selector;
    bool drop;
};

static const struct row rows[] = {
    ATTR(struct args, selector, .doc = "LogQL stream selector, with line filters.",
         .required = true),
    ATTR(struct args, action, .doc = "What becomes of entries that match.", .def = "\"keep\""),
    ATTR(struct args, drop_counter_reason, .doc = "Reason under which dropped entries are counted.",
         .def = "\"match_stage\""),
    ATTR(struct args, pipeline_name, .doc = "A name without effect, kept for old configurations."),
    STAGE_ROW(struct args, stages),
};
const struct schema match_stage_schema = SCHEMA(struct args, rows);

static int check(struct prepare *p, const struct args *a, const struct span *span)
{
    bool drop = str_is(a->action, "drop");

    if (a->selector.n == 0)
        return stage_fault(p, stage_at(p, span, "selector"),
                           "selector statement required for match stage");
    if (!drop && !str_is(a->action, "keep"))
        return stage_fault(p, stage_at(p, span, "action"),
                           "match stage action should be 'keep' or 'drop'");
    if (!drop && a->stages.n == 0)
        return stage_fault(p, span,
                           "match stage requires at least one additional stage to be defined in "
                           "'- stages'");
    if (drop && a->stages.n > 0)
        return stage_fault(p, span,
                           "match stage configured to drop entries cannot contains stages");
    return 0;
}

static int prepare(struct prepare *p, const void *args, const struct span *span, void *plan)
{
    const struct args *a = args;
    struct plan *out = plan;
    char *err = NULL;

    if (check(p, a, span)) return -EINVAL;
    out->args = a;
    out->drop = str_is(a->action, "drop");
    out->selector = selector_parse(a->selector, &err);
    if (out->selector) {
        arena_cleanup(p->arena, (void (*)(void *))selector_free, out->selector);
        return 0;
    }
    stage_fault(p, stage_at(p, span, "selector"), "invalid selector syntax for match stage: %s",
                err);
    free(err);
    return -EINVAL;
}

static const struct one_of_list *inner(const void *args)
{
    return &((const struct args *)args)->stages;
}

/* As at the start of the pipeline, labels are extracted values. */
static void extract_labels(struct entry *e)
{
    const struct label_set *set = entry_labels(e);

    for (u32 i = 0; i < set->n; i++) {
        const struct ex_value *v = ex_get(e->extracted, set->v[i].name);
        bool same = v && v->type == EX_STRING && str_eq(v->s, set->v[i].value);
        if (!same) ex_put_str(e->extracted, set->v[i].name, set->v[i].value);
    }
}

static enum stage_result run(struct stage_run *r, struct entry *e)
{
    const struct plan *plan = r->plan;

    if (!selector_matches(plan->selector, r, e)) return STAGE_SKIP;
    if (!plan->drop) {
        extract_labels(e);
        return STAGE_PASS;
    }
    stage_dropped(r, plan->args->drop_counter_reason);
    return STAGE_DROP;
}

const struct stage_ops match_stage = {
    .plan_size = sizeof(struct plan),
    .prepare = prepare,
    .run = run,
    .inner = inner,
};
