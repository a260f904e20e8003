/* stage.static_labels: labels with fixed values. */
#include <errno.h>
#include "components/loki/process/stage.h"

struct args {
    struct str_map values;
};

static const struct row rows[] = {
    ATTR(struct args, values, .doc = "Label values by label name; empty ones are left out.",
         .required = true),
};
const struct schema static_labels_stage_schema = SCHEMA(struct args, rows);

static int prepare(struct prepare *p, const void *args, const struct span *span, void *plan)
{
    const struct args *a = args;
    struct label_list *out = plan;
    struct label *v = arena_array(p->arena, struct label, a->values.n + 1);

    for (size_t i = 0; i < a->values.n; i++) {
        const struct str_pair *pair = &a->values.v[i];
        if (stage_label_name(p, stage_at(p, span, "values"), pair->key)) return -EINVAL;
        if (pair->value.n) v[out->n++] = (struct label){pair->key, pair->value};
    }
    out->v = v;
    return 0;
}

static enum stage_result run(struct stage_run *r, struct entry *e)
{
    entry_labels_put(e, r->plan);
    return STAGE_PASS;
}

const struct stage_ops static_labels_stage = {
    .plan_size = sizeof(struct label_list),
    .prepare = prepare,
    .run = run,
};
