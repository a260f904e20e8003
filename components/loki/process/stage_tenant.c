/* stage.tenant: the label that chooses the tenant in loki.write. */
#include "components/loki/process/stage.h"

#define TENANT_LABEL STR("__tenant_id__")

struct args {
    struct str label, source, value;
};

static const struct row rows[] = {
    ATTR(struct args, label, .doc = "Label whose value is the tenant."),
    ATTR(struct args, source, .doc = "Extracted value that is the tenant."),
    ATTR(struct args, value, .doc = "The tenant itself."),
};
const struct schema tenant_stage_schema = SCHEMA(struct args, rows);

static int prepare(struct prepare *p, const void *args, const struct span *span, void *plan)
{
    const struct args *a = args;
    int given = (a->label.n > 0) + (a->source.n > 0) + (a->value.n > 0);

    *(const struct args **)plan = a;
    if (given == 0) return stage_fault(p, span, "label, source or value config are required");
    if (given > 1)
        return stage_fault(p, span,
                           "label, source and value are mutually exclusive: you should set "
                           "source, value or label but not all");
    return 0;
}

static struct str tenant(const struct args *a, struct entry *e)
{
    struct str text = a->value;

    if (a->label.n) return entry_label(e, a->label);
    if (!a->source.n) return text;
    const struct ex_value *v = ex_get(e->extracted, a->source);
    return v && ex_string(v, e->scratch, &text) ? text : STR("");
}

static enum stage_result run(struct stage_run *r, struct entry *e)
{
    const struct args *const *a = r->plan;
    struct str value = tenant(*a, e);

    if (value.n) entry_label_put(e, TENANT_LABEL, value);
    return STAGE_PASS;
}

const struct stage_ops tenant_stage = {
    .plan_size = sizeof(struct args *),
    .prepare = prepare,
    .run = run,
};
