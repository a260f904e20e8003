/* stage.regex: named groups of the first match become extracted values, as views of the text. */
#include <errno.h>
#include "base/utf8.h"
#include "components/loki/process/stage.h"

#define FEW_GROUPS 16

struct args {
    struct str expression;
    struct opt_str source;
    bool labels_from_groups;
};
struct group {
    struct str name;
    int number;
};
struct plan {
    const struct args *args;
    struct regex *re;
    struct group *groups; /* the named ones */
    size_t n, n_ov;
};

static const struct row rows[] = {
    ATTR(struct args, expression, .doc = "RE2 expression; its named groups are extracted.",
         .required = true),
    ATTR(struct args, source, .doc = "Extracted value to search; the line when left out."),
    ATTR(struct args, labels_from_groups, .doc = "Set labels from the groups as well."),
};
const struct schema regex_stage_schema = SCHEMA(struct args, rows);

static void find_groups(struct arena *a, struct plan *plan)
{
    int n = regex_groups(plan->re);

    plan->groups = arena_array(a, struct group, (size_t)n + 1);
    for (int i = 1; i <= n; i++) {
        struct str name = regex_group_name(plan->re, i);
        if (name.n) plan->groups[plan->n++] = (struct group){name, i};
    }
    plan->n_ov = plan->n ? (size_t)plan->groups[plan->n - 1].number + 1 : 0;
}

static int prepare(struct prepare *p, const void *args, const struct span *span, void *plan)
{
    const struct args *a = args;
    struct plan *out = plan;

    out->args = a;
    if (a->expression.n == 0)
        return stage_fault(p, stage_at(p, span, "expression"), "expression is required");
    if (a->source.set && a->source.s.n == 0)
        return stage_fault(p, stage_at(p, span, "source"), "empty source");
    out->re = stage_regex(p, stage_at(p, span, "expression"), a->expression);
    if (!out->re) return -EINVAL;
    find_groups(p->arena, out);
    if (out->n == 0)
        diag_add(p->diags, SEV_WARNING, DIAG_COMPONENT_BUILD, *stage_at(p, span, "expression"),
                 "nothing is extracted: the expression has no named group, such as (?P<name>...)");
    return 0;
}

static void take(const struct plan *plan, struct entry *e, struct str text, const ssize_t *ov)
{
    for (size_t i = 0; i < plan->n; i++) {
        const struct group *g = &plan->groups[i];
        ssize_t from = ov[2 * g->number], to = ov[2 * g->number + 1];
        struct str value = from < 0 ? STR("") : str_sub(text, (size_t)from, (size_t)to);
        ex_put_str(e->extracted, g->name, value);
        if (plan->args->labels_from_groups && utf8_valid(value)) entry_label_put(e, g->name, value);
    }
}

static enum stage_result run(struct stage_run *r, struct entry *e)
{
    const struct plan *plan = r->plan;
    ssize_t few[2 * FEW_GROUPS], *ov = few;
    struct str text;

    if (!entry_source(e, &plan->args->source, &text)) return STAGE_PASS;
    if (plan->n_ov > FEW_GROUPS) ov = arena_array(e->scratch, ssize_t, 2 * plan->n_ov);
    if (stage_match(r, plan->re, text, ov, plan->n_ov)) take(plan, e, text, ov);
    return STAGE_PASS;
}

const struct stage_ops regex_stage = {
    .plan_size = sizeof(struct plan),
    .prepare = prepare,
    .run = run,
};
