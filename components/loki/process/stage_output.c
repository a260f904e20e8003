/* stage.output: an extracted value becomes the line. */
#include "components/loki/process/stage.h"

struct args {
    struct str source;
};

static const struct row rows[] = {
    ATTR(struct args, source, .doc = "Name of the extracted value.", .required = true),
};
const struct schema output_stage_schema = SCHEMA(struct args, rows);

static int prepare(struct prepare *p, const void *args, const struct span *span, void *plan)
{
    const struct args *a = args;

    *(struct str *)plan = a->source;
    if (a->source.n > 0) return 0;
    return stage_fault(p, stage_at(p, span, "source"),
                       "output source value is required if output is specified");
}

static enum stage_result run(struct stage_run *r, struct entry *e)
{
    const struct str *source = r->plan;
    const struct ex_value *v = ex_get(e->extracted, *source);
    struct str text;

    if (v && ex_string(v, e->scratch, &text)) e->line = text;
    return STAGE_PASS;
}

const struct stage_ops output_stage = {
    .plan_size = sizeof(struct str),
    .prepare = prepare,
    .run = run,
};
