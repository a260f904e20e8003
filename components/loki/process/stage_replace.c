/* stage.replace: what the groups of an expression hold, in every match, becomes what a template
 * makes of it. */
#include <errno.h>
#include "base/utf8.h"
#include "components/loki/process/entry_data.h"

struct args {
    struct str expression, source, replace;
};
struct plan {
    struct opt_str source;
    const struct regex *re;
    size_t groups; /* with group 0 */
    const struct template *template;
};
struct state {
    struct buf work, result;
};

static const struct row rows[] = {
    ATTR(struct args, expression,
         .doc = "RE2 expression; what its groups match is replaced, in every match.",
         .required = true),
    ATTR(struct args, source, .doc = "Extracted value to change; the line when empty.",
         .def = "\"\""),
    ATTR(struct args, replace,
         .doc = "Go template of the new text, over the extracted values and .Value (the old text).",
         .def = "\"\""),
};
const struct schema replace_stage_schema = SCHEMA(struct args, rows);

static int prepare(struct prepare *p, const void *args, const struct span *span, void *out)
{
    const struct args *a = args;
    struct plan *plan = out;
    if (a->expression.n == 0)
        return stage_fault(p, stage_at(p, span, "expression"), "expression is required");
    plan->re = stage_regex(p, stage_at(p, span, "expression"), a->expression);
    plan->template = stage_template(p, stage_at(p, span, "replace"), a->replace);
    if (!plan->re || !plan->template) return -EINVAL;
    plan->source = (struct opt_str){.set = a->source.n > 0, .s = a->source};
    plan->groups = (size_t)regex_groups(plan->re) + 1;
    return 0;
}

static void open_stage(struct stage_run *r)
{
    struct state *s = r->state;
    buf_init(&s->work, OUTPUT_MAX);
    buf_init(&s->result, OUTPUT_MAX);
}

/* --- one entry --- */

struct replacing {
    struct stage_run *r;
    const struct plan *plan;
    struct state *s;
    struct entry *e;
    struct str text;
    size_t at;         /* what lies before is in the result */
    struct str *first; /* by group: what the first match's text became; .p NULL: did not match */
    bool any;
};

static bool replace_group(struct replacing *j, size_t group, const ssize_t *ov)
{
    struct entry_data d = {.e = j->e};
    struct str made;
    if (ov[2 * group] < 0) return true;
    d.value = str_sub(j->text, (size_t)ov[2 * group], (size_t)ov[2 * group + 1]);
    if (!d.value.p) d.value = STR("");
    if (!entry_template(j->r, j->plan->template, &d, &j->s->work, &made)) return false;
    if (!j->any) j->first[group] = made;
    if (j->at > (size_t)ov[2 * group]) return true; /* inside of another group */
    buf_str(&j->s->result, str_sub(j->text, j->at, (size_t)ov[2 * group]));
    buf_str(&j->s->result, made);
    j->at = (size_t)ov[2 * group + 1];
    return !buf_err(&j->s->result);
}

static bool replace_match(struct replacing *j, const ssize_t *ov)
{
    for (size_t g = 1; g < j->plan->groups; g++)
        if (!replace_group(j, g, ov)) return false;
    j->any = true;
    return true;
}

static size_t width_at(struct str s, size_t at)
{
    return at < s.n ? utf8_decode(str_sub(s, at, s.n), &(u32){0}, NULL) : 1;
}

/* Every match; an empty one right behind another does not count. False: leave all as it was. */
static bool replace_all(struct replacing *j, ssize_t *ov)
{
    ssize_t last = -1;
    for (size_t from = 0; from <= j->text.n;) {
        int found = regex_match(j->plan->re, j->text, from, ov, j->plan->groups);
        if (found == REGEX_LIMIT) stage_regex_limited(j->r);
        if (found != 1) return found == 0;
        bool again = ov[0] == ov[1] && ov[0] == last;
        if (!again && !replace_match(j, ov)) return false;
        last = ov[1];
        from = (size_t)ov[1] + (ov[0] == ov[1] ? width_at(j->text, (size_t)ov[1]) : 0);
    }
    return true;
}

static void finish(struct replacing *j)
{
    struct buf *b = &j->s->result;
    buf_str(b, str_sub(j->text, j->at, j->text.n));
    if (buf_err(b)) return;
    struct str text = arena_str(j->e->scratch, buf_view(b));
    if (j->plan->source.set)
        ex_put_str(j->e->extracted, j->plan->source.s, text);
    else
        j->e->line = text;
    for (size_t g = 1; g < j->plan->groups; g++) {
        struct str name = regex_group_name(j->plan->re, (int)g);
        if (name.n && j->first[g].p) ex_put_str(j->e->extracted, name, j->first[g]);
    }
}

static enum stage_result run(struct stage_run *r, struct entry *e)
{
    const struct plan *plan = r->plan;
    struct replacing j = {.r = r, .plan = plan, .s = r->state, .e = e};
    if (!entry_source(e, &plan->source, &j.text)) return STAGE_PASS;
    ssize_t *ov = arena_array(e->scratch, ssize_t, 2 * plan->groups);
    j.first = arena_array(e->scratch, struct str, plan->groups);
    buf_reset(&j.s->result);
    if (replace_all(&j, ov) && j.any) finish(&j);
    return STAGE_PASS;
}

static void close_stage(struct stage_run *r)
{
    struct state *s = r->state;
    buf_done(&s->work);
    buf_done(&s->result);
}

const struct stage_ops replace_stage = {
    .plan_size = sizeof(struct plan),
    .state_size = sizeof(struct state),
    .prepare = prepare,
    .open = open_stage,
    .run = run,
    .close = close_stage,
};
