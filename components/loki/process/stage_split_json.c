/* stage.split_json: a JSON array becomes one entry for each element, with the element's text as its
 * line. What is no array passes. */
#include <errno.h>
#include "base/json.h"
#include "components/loki/process/stage.h"

struct args {
    struct opt_str source;
};

static const struct row rows[] = {
    ATTR(struct args, source, .doc = "Extracted value to split; the line when left out."),
};
const struct schema split_json_stage_schema = SCHEMA(struct args, rows);

/* Calls on each element of the array; false when the text is no array, or goes on behind it. */
static bool each(struct str text, struct arena *scratch,
                 void (*on)(struct stage_run *r, struct entry *e, struct str element),
                 struct stage_run *r, struct entry *e)
{
    struct json_in j;
    bool first = true;

    json_in_init(&j, text, scratch);
    if (json_value(&j) != JSON_ARR) return false;
    while (json_next_elem(&j, &first)) {
        while (j.p < j.end && strchr(" \t\r\n", *j.p))
            j.p++;
        const char *from = j.p;
        if (json_skip(&j)) return false;
        if (on) on(r, e, str_n(from, (size_t)(j.p - from)));
    }
    return !j.err && json_value(&j) == JSON_END;
}

static void emit(struct stage_run *r, struct entry *e, struct str element)
{
    stage_emit(r, e, element);
}

/* Read twice: nothing may be sent on before the whole is known to be an array. */
static enum stage_result run(struct stage_run *r, struct entry *e)
{
    const struct args *args = r->plan;
    struct str text;

    if (!entry_source(e, &args->source, &text)) return STAGE_PASS;
    if (!each(text, e->scratch, NULL, r, e)) return STAGE_PASS;
    each(text, e->scratch, emit, r, e);
    return STAGE_DROP;
}

/* There is nothing to compile: the plan is a copy of the arguments. */
static int prepare(struct prepare *p, const void *args, const struct span *span, void *plan)
{
    const struct args *a = args;

    *(struct args *)plan = *a;
    if (a->source.set && a->source.s.n == 0)
        return stage_fault(p, stage_at(p, span, "source"), "source cannot be empty");
    return 0;
}

const struct stage_ops split_json_stage = {
    .plan_size = sizeof(struct args),
    .prepare = prepare,
    .run = run,
};
