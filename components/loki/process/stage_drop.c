/* stage.drop: entries that meet all of the given conditions end here. */
#include <errno.h>
#include "base/buf.h"
#include "components/loki/process/stage.h"

#define JOINED_MAX ((size_t)256 << 20)

struct args {
    struct str drop_counter_reason, expression, separator, source, value;
    struct bytesize longer_than;
    struct dur older_than;
};
struct plan {
    const struct args *args;
    struct str *sources; /* of source, cut at commas */
    size_t n_sources;
    struct regex *re; /* of expression; NULL: none */
};

static const struct row rows[] = {
    ATTR(struct args, drop_counter_reason, .doc = "Reason under which dropped entries are counted.",
         .def = "\"drop_stage\""),
    ATTR(struct args, expression, .doc = "RE2 expression that the line or the sources match."),
    ATTR(struct args, longer_than, .doc = "Lines of more bytes are dropped.", .def = "\"0B\""),
    ATTR(struct args, older_than, .doc = "Entries of an earlier time are dropped.",
         .def = "\"0s\""),
    ATTR(struct args, separator, .doc = "What stands between the values of several sources.",
         .def = "\";\""),
    ATTR(struct args, source, .doc = "Names of extracted values, separated by commas."),
    ATTR(struct args, value, .doc = "The value that the sources have to have."),
};
const struct schema drop_stage_schema = SCHEMA(struct args, rows);

static int contradictions(struct prepare *p, const struct args *a, const struct span *span)
{
    bool any = a->source.n || a->expression.n || a->older_than.ns || a->longer_than.n;

    if (!any && !a->value.n)
        return stage_fault(p, span,
                           "drop stage config must contain at least one of `source`, "
                           "`expression`, `older_than` or `longer_than`");
    if (a->value.n && a->expression.n)
        return stage_fault(p, span,
                           "drop stage config error, `value` and `expression` cannot both be "
                           "defined at the same time");
    if (a->value.n && !a->source.n)
        return stage_fault(p, span,
                           "drop stage config must contain `source` if `value` is specified");
    return 0;
}

static void cut_sources(struct arena *arena, struct str source, struct plan *out)
{
    out->sources = arena_array(arena, struct str, source.n / 2 + 2);
    while (source.n)
        out->sources[out->n_sources++] = str_trim(str_cut(&source, ','));
}

static int prepare(struct prepare *p, const void *args, const struct span *span, void *plan)
{
    const struct args *a = args;
    struct plan *out = plan;

    out->args = a;
    if (contradictions(p, a, span)) return -EINVAL;
    cut_sources(p->arena, a->source, out);
    if (!a->expression.n) return 0;
    out->re = stage_regex(p, stage_at(p, span, "expression"), a->expression);
    return out->re ? 0 : -EINVAL;
}

static bool all_present(const struct plan *plan, struct entry *e)
{
    for (size_t i = 0; i < plan->n_sources; i++)
        if (!ex_get(e->extracted, plan->sources[i])) return false;
    return true;
}

/* The values that are there, joined; false when one cannot be text. */
static bool joined(const struct plan *plan, struct entry *e, struct str *ret)
{
    struct buf b = BUF_INIT(JOINED_MAX);
    struct str text;
    size_t found = 0;
    bool ok = true;

    for (size_t i = 0; ok && i < plan->n_sources; i++) {
        const struct ex_value *v = ex_get(e->extracted, plan->sources[i]);
        if (!v) continue;
        ok = ex_string(v, e->scratch, &text);
        if (found++) buf_str(&b, plan->args->separator);
        if (ok) buf_str(&b, text);
    }
    ok = ok && !buf_err(&b);
    if (ok) *ret = found == 1 ? text : arena_str(e->scratch, buf_view(&b));
    buf_done(&b);
    return ok;
}

static bool source_meets(struct stage_run *r, const struct plan *plan, struct entry *e)
{
    struct str text = e->line;

    if (plan->n_sources && !plan->re && !plan->args->value.n) return all_present(plan, e);
    if (plan->n_sources && !joined(plan, e, &text)) return false;
    if (plan->re) return stage_match(r, plan->re, text, NULL, 0);
    return !plan->args->value.n || str_eq(text, plan->args->value);
}

static enum stage_result run(struct stage_run *r, struct entry *e)
{
    const struct plan *plan = r->plan;
    const struct args *a = plan->args;

    if (a->longer_than.n && (i64)e->line.n <= a->longer_than.n) return STAGE_PASS;
    if (a->older_than.ns && e->time >= clock_real(r->clock) - a->older_than.ns) return STAGE_PASS;
    if (!source_meets(r, plan, e)) return STAGE_PASS;
    stage_dropped(r, a->drop_counter_reason);
    return STAGE_DROP;
}

const struct stage_ops drop_stage = {
    .plan_size = sizeof(struct plan),
    .prepare = prepare,
    .run = run,
};
