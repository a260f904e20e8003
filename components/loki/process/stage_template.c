/* stage.template: an extracted value made of others. */
#include <errno.h>
#include "components/loki/process/entry_data.h"

struct args {
    struct str source, template;
};
struct plan {
    struct str source;
    const struct template *template;
};
struct state {
    struct buf work;
};

static const struct row rows[] = {
    ATTR(struct args, source,
         .doc = "Extracted value to set; an empty result removes it. Its text before is .Value.",
         .required = true),
    ATTR(struct args, template,
         .doc = "Go template over the extracted values, .Value and .Entry (the line), with the "
                "functions of Sprig.",
         .required = true),
};
const struct schema template_stage_schema = SCHEMA(struct args, rows);

static int prepare(struct prepare *p, const void *args, const struct span *span, void *out)
{
    const struct args *a = args;
    struct plan *plan = out;
    if (a->source.n == 0)
        return stage_fault(p, stage_at(p, span, "source"), "template source value is required");
    plan->source = a->source;
    plan->template = stage_template(p, stage_at(p, span, "template"), a->template);
    return plan->template ? 0 : -EINVAL;
}

static void open_stage(struct stage_run *r)
{
    struct state *s = r->state;
    buf_init(&s->work, OUTPUT_MAX);
}

static enum stage_result run(struct stage_run *r, struct entry *e)
{
    const struct plan *plan = r->plan;
    struct state *s = r->state;
    struct entry_data d = {.e = e, .with_line = true};
    const struct ex_value *v = ex_get(e->extracted, plan->source);
    struct str text;
    if (v && ex_string(v, e->scratch, &d.value) && !d.value.p) d.value = STR("");
    if (!entry_template(r, plan->template, &d, &s->work, &text)) return STAGE_PASS;
    if (text.n > 0)
        ex_put_str(e->extracted, plan->source, text);
    else
        ex_del(e->extracted, plan->source);
    return STAGE_PASS;
}

static void close_stage(struct stage_run *r)
{
    struct state *s = r->state;
    buf_done(&s->work);
}

const struct stage_ops template_stage = {
    .plan_size = sizeof(struct plan),
    .state_size = sizeof(struct state),
    .prepare = prepare,
    .open = open_stage,
    .run = run,
    .close = close_stage,
};
