/* stage.luhn: numbers that pass Luhn's check are replaced in the line. */
#include <errno.h>
#include "components/loki/process/luhn.h"
#include "components/loki/process/stage.h"

struct args {
    struct str delimiters;
    i64 min_length;
    struct str replacement, skip_regex;
    struct opt_str source;
};
struct plan {
    const struct args *args;
    struct luhn luhn;
    struct regex *skip;
};

static const struct row rows[] = {
    ATTR(struct args, delimiters, .doc = "Characters that may stand between the digits.",
         .def = "\"\""),
    ATTR(struct args, min_length, .doc = "Fewest digits of a number.", .def = "13"),
    ATTR(struct args, replacement, .doc = "What stands in a number's place.",
         .def = "\"**REDACTED**\""),
    ATTR(struct args, skip_regex, .doc = "RE2 expression; numbers inside its matches stay.",
         .def = "\"\""),
    ATTR(struct args, source,
         .doc = "Extracted value to read; the result becomes the line. The line when left out."),
};
const struct schema luhn_stage_schema = SCHEMA(struct args, rows);

static int prepare(struct prepare *p, const void *args, const struct span *span, void *plan)
{
    const struct args *a = args;
    struct plan *out = plan;

    out->args = a;
    out->luhn =
        (struct luhn){.replacement = a->replacement.n ? a->replacement : STR("**REDACTED**"),
                      .delimiters = a->delimiters,
                      .min_length = a->min_length > 0 ? a->min_length : 13};
    if (a->source.set && a->source.s.n == 0)
        return stage_fault(p, stage_at(p, span, "source"), "empty source");
    if (a->skip_regex.n) out->skip = stage_regex(p, stage_at(p, span, "skip_regex"), a->skip_regex);
    return a->skip_regex.n && !out->skip ? -EINVAL : 0;
}

/* Matches of skip_regex, looked for as far as numbers ask. */
struct skipping {
    struct stage_run *r;
    const struct regex *re;
    ssize_t ov[2]; /* the match not yet passed */
    bool begun, over;
};

static void next_match(struct skipping *s, struct str text)
{
    size_t from = !s->begun ? 0 : (size_t)s->ov[1] + (s->ov[1] == s->ov[0]);
    int rc = from > text.n ? 0 : regex_match(s->re, text, from, s->ov, 1);

    s->begun = true;
    s->over = rc != 1;
    if (rc == REGEX_LIMIT) stage_regex_limited(s->r);
}

static bool skip(void *arg, struct str text, size_t from, size_t to)
{
    struct skipping *s = arg;

    if (!s->begun) next_match(s, text);
    while (!s->over && (size_t)s->ov[1] <= from)
        next_match(s, text);
    return !s->over && (size_t)s->ov[0] <= from && to <= (size_t)s->ov[1];
}

/* The text to read. Values that are no strings are not read. */
static bool find_text(struct entry *e, const struct opt_str *source, struct str *ret)
{
    const struct ex_value *v = source->set ? ex_get(e->extracted, source->s) : NULL;

    *ret = e->line;
    if (!source->set) return true;
    if (!v || v->type != EX_STRING) return false;
    *ret = v->s;
    return true;
}

static enum stage_result run(struct stage_run *r, struct entry *e)
{
    const struct plan *plan = r->plan;
    struct luhn l = plan->luhn;
    struct skipping s = {.r = r, .re = plan->skip};
    struct str text;

    if (!find_text(e, &plan->args->source, &text)) return STAGE_PASS;
    struct buf b = BUF_INIT(text.n * (l.replacement.n + 1) + 1);
    if (plan->skip) {
        l.skip = skip;
        l.arg = &s;
    }
    size_t n = luhn_replace(&l, text, &b);
    if (n == 0)
        e->line = text;
    else if (!buf_err(&b))
        e->line = arena_str(e->scratch, buf_view(&b));
    else
        stage_dropped(r, STR("luhn_no_memory")); /* what may hold a number does not go on */
    enum stage_result result = buf_err(&b) ? STAGE_DROP : STAGE_PASS;
    buf_done(&b);
    return result;
}

const struct stage_ops luhn_stage = {
    .plan_size = sizeof(struct plan),
    .prepare = prepare,
    .run = run,
};
