/* stage.label_drop, stage.label_keep: labels that leave or stay, by their exact names. */
#include "components/loki/process/stage.h"

struct args {
    struct str_list values;
};

static const struct row drop_rows[] = {
    ATTR(struct args, values, .doc = "Names of labels to remove.", .required = true),
};
static const struct row keep_rows[] = {
    ATTR(struct args, values, .doc = "Names of labels to keep; all others are removed.",
         .required = true),
};
const struct schema label_drop_stage_schema = SCHEMA(struct args, drop_rows);
const struct schema label_keep_stage_schema = SCHEMA(struct args, keep_rows);

static int names(struct prepare *p, const void *args, const struct span *span, void *plan,
                 const char *stage)
{
    const struct args *a = args;
    struct label_list *out = plan;
    struct label *v = arena_array(p->arena, struct label, a->values.n + 1);

    if (a->values.n == 0)
        return stage_fault(p, stage_at(p, span, "values"), "%s stage config cannot be empty",
                           stage);
    for (size_t i = 0; i < a->values.n; i++)
        v[i].name = a->values.v[i];
    *out = (struct label_list){v, (u32)a->values.n};
    return 0;
}

static int prepare_drop(struct prepare *p, const void *args, const struct span *span, void *plan)
{
    return names(p, args, span, plan, "labeldrop");
}

static int prepare_keep(struct prepare *p, const void *args, const struct span *span, void *plan)
{
    return names(p, args, span, plan, "labelallow");
}

static enum stage_result run_drop(struct stage_run *r, struct entry *e)
{
    entry_labels_drop(e, r->plan);
    return STAGE_PASS;
}

static enum stage_result run_keep(struct stage_run *r, struct entry *e)
{
    entry_labels_keep(e, r->plan);
    return STAGE_PASS;
}

const struct stage_ops label_drop_stage = {
    .plan_size = sizeof(struct label_list),
    .prepare = prepare_drop,
    .run = run_drop,
};
const struct stage_ops label_keep_stage = {
    .plan_size = sizeof(struct label_list),
    .prepare = prepare_keep,
    .run = run_keep,
};
