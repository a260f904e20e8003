/* stage.pattern: captures of a LogQL pattern become extracted values, as views of the text. */
#include <errno.h>
#include "base/utf8.h"
#include "components/loki/process/pattern.h"
#include "components/loki/process/stage.h"

struct args {
    struct str pattern;
    struct opt_str source;
    bool labels_from_groups;
};
struct plan {
    const struct args *args;
    struct pattern pattern;
    struct str *names;
};

static const struct row rows[] = {
    ATTR(struct args, pattern, .doc = "LogQL pattern; its named captures are extracted.",
         .required = true),
    ATTR(struct args, source, .doc = "Extracted value to match; the line when left out."),
    ATTR(struct args, labels_from_groups, .doc = "Set labels from the captures as well."),
};
const struct schema pattern_stage_schema = SCHEMA(struct args, rows);

static int prepare(struct prepare *p, const void *args, const struct span *span, void *plan)
{
    const struct args *a = args;
    struct plan *out = plan;
    const char *err;
    u32 n = 0;

    out->args = a;
    if (a->pattern.n == 0)
        return stage_fault(p, stage_at(p, span, "pattern"), "pattern is required");
    if (a->source.set && a->source.s.n == 0)
        return stage_fault(p, stage_at(p, span, "source"), "empty source");
    if (pattern_compile(a->pattern, p->arena, &out->pattern, &err))
        return stage_fault(p, stage_at(p, span, "pattern"), "failed to parse pattern: %s", err);
    out->names = arena_array(p->arena, struct str, out->pattern.named);
    for (u32 i = 0; i < out->pattern.n; i++)
        if (out->pattern.parts[i].name.n) out->names[n++] = out->pattern.parts[i].name;
    return 0;
}

static enum stage_result run(struct stage_run *r, struct entry *e)
{
    const struct plan *plan = r->plan;
    struct str text, *values;

    if (!entry_source(e, &plan->args->source, &text)) return STAGE_PASS;
    values = arena_array(e->scratch, struct str, plan->pattern.named);
    u32 n = pattern_match(&plan->pattern, text, values);
    for (u32 i = 0; i < n; i++) {
        ex_put_str(e->extracted, plan->names[i], values[i]);
        bool label = plan->args->labels_from_groups && utf8_valid(values[i]);
        if (label) entry_label_put(e, plan->names[i], values[i]);
    }
    return STAGE_PASS;
}

const struct stage_ops pattern_stage = {
    .plan_size = sizeof(struct plan),
    .prepare = prepare,
    .run = run,
};
