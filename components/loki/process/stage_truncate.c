/* stage.truncate: what is longer than a limit is cut, by bytes, and may get a suffix within it. */
#include <errno.h>
#include "base/buf.h"
#include "components/loki/process/stage.h"

enum place { LINE, LABEL, METADATA, EXTRACTED, PLACES };
static const char *const place_names[PLACES] = {"line", "label", "structured_metadata",
                                                "extracted"};

struct rule_args {
    struct bytesize limit;
    struct str_list sources;
    struct str source_type, suffix;
};
struct args {
    struct {
        struct rule_args *v;
        size_t n;
    } rule;
};
struct rule_plan {
    enum place place;
    size_t limit;
    const struct rule_args *args;
};
struct plan {
    struct rule_plan *v;
    size_t n;
};
struct state {
    struct metric *counters[PLACES];
};

static const struct row rule_rows[] = {
    ATTR(struct rule_args, limit, .doc = "Most bytes that are kept, the suffix included.",
         .required = true),
    ATTR(struct rule_args, sources, .doc = "Names of what is cut; all when left out."),
    ATTR(struct rule_args, source_type, .doc = "What is cut.", .def = "\"line\"",
         .one_of = ONE_OF_TEXT("line", "label", "structured_metadata", "extracted")),
    ATTR(struct rule_args, suffix, .doc = "What a cut text ends with."),
};
static const struct schema rule_schema = SCHEMA(struct rule_args, rule_rows);
static const struct row rows[] = {
    BLOCKS(struct args, rule, &rule_schema, .doc = "What is cut, in order.", .required = true),
};
const struct schema truncate_stage_schema = SCHEMA(struct args, rows);

static const struct metric_desc truncated_desc = {
    .name = "loki_process_truncated_fields_total",
    .help = "Texts that stage.truncate cut, by where they were.",
    .kind = METRIC_COUNTER};

static enum place place_of(struct str name)
{
    int i = PLACES - 1;

    while (i > 0 && !str_is(name, place_names[i]))
        i--;
    return (enum place)i;
}

static int prepare_rule(struct prepare *p, const struct rule_args *a, const struct span *span,
                        struct rule_plan *out)
{
    *out = (struct rule_plan){place_of(a->source_type), (size_t)a->limit.n, a};
    if (a->limit.n <= 0) return stage_fault(p, span, "limit must be greater than zero");
    if ((size_t)a->limit.n < a->suffix.n)
        return stage_fault(p, span, "suffix length cannot exceed limit");
    if (out->place == LINE && a->sources.n)
        return stage_fault(p, span, "sources cannot be set when source_type is 'line'");
    return 0;
}

static int prepare(struct prepare *p, const void *args, const struct span *span, void *plan)
{
    const struct args *a = args;
    struct plan *out = plan;

    out->v = arena_array(p->arena, struct rule_plan, a->rule.n + 1);
    for (size_t i = 0; i < a->rule.n; i++)
        if (prepare_rule(p, &a->rule.v[i], span, &out->v[out->n++])) return -EINVAL;
    return 0;
}

static void open_stage(struct stage_run *r)
{
    struct state *s = r->state;

    for (int i = 0; i < PLACES; i++)
        s->counters[i] =
            stage_metric(r, &truncated_desc, &(struct metric_label){"field", place_names[i]}, 1);
}

/* --- cutting --- */

struct cut {
    struct stage_run *r;
    struct entry *e;
    const struct rule_plan *rule;
    bool *done; /* by place */
};

static bool cut_text(const struct cut *c, struct str *text)
{
    struct str suffix = c->rule->args->suffix;

    if (text->n <= c->rule->limit) return false;
    text->n = c->rule->limit - suffix.n; /* without a suffix it stays a view */
    if (suffix.n) {
        char *p = arena_alloc(c->e->scratch, c->rule->limit);
        memcpy(p, text->p, text->n);
        memcpy(p + text->n, suffix.p, suffix.n);
        *text = str_n(p, c->rule->limit);
    }
    c->done[c->rule->place] = true;
    metric_inc(((struct state *)c->r->state)->counters[c->rule->place]);
    return true;
}

static void cut_line(const struct cut *c)
{
    cut_text(c, &c->e->line);
}

static bool named(const struct cut *c, struct str name)
{
    const struct str_list *l = &c->rule->args->sources;

    for (size_t i = 0; i < l->n; i++)
        if (str_eq(l->v[i], name)) return true;
    return l->n == 0;
}

static void cut_labels(const struct cut *c)
{
    const struct label_set *set = entry_labels(c->e);
    u32 n = set->n;
    struct label *all = arena_memdup(c->e->scratch, set->v, n * sizeof(*all));

    for (u32 i = 0; i < n; i++)
        if (named(c, all[i].name) && cut_text(c, &all[i].value))
            entry_label_put(c->e, all[i].name, all[i].value);
}

static void cut_metadata(const struct cut *c)
{
    for (u32 i = 0; i < c->e->n_meta; i++) {
        struct label pair = c->e->meta[i];
        if (named(c, pair.name) && cut_text(c, &pair.value))
            entry_meta_put(c->e, pair.name, pair.value);
    }
}

static void cut_extracted(const struct cut *c)
{
    const struct ex_value **values;
    struct str *names;
    size_t n = ex_sorted(c->e->extracted, c->e->scratch, &names, &values);

    for (size_t i = 0; i < n; i++) {
        if (values[i]->type != EX_STRING || !named(c, names[i])) continue;
        struct str text = values[i]->s;
        if (cut_text(c, &text)) ex_put_str(c->e->extracted, names[i], text);
    }
}

/* The kinds of what was cut, in order of their names, under "truncated". */
static void note(struct entry *e, const bool *done)
{
    static const enum place sorted[] = {EXTRACTED, LABEL, LINE, METADATA};
    struct buf b = BUF_INIT(256);

    for (size_t i = 0; i < ARRAY_LEN(sorted); i++)
        if (done[sorted[i]]) buf_printf(&b, "%s%s", b.n ? "," : "", place_names[sorted[i]]);
    if (b.n) ex_put_str(e->extracted, STR("truncated"), arena_str(e->scratch, buf_view(&b)));
    buf_done(&b);
}

static enum stage_result run(struct stage_run *r, struct entry *e)
{
    static void (*const cutters[PLACES])(const struct cut *c) = {cut_line, cut_labels, cut_metadata,
                                                                 cut_extracted};
    const struct plan *plan = r->plan;
    bool done[PLACES] = {0};

    for (size_t i = 0; i < plan->n; i++) {
        struct cut c = {r, e, &plan->v[i], done};
        cutters[plan->v[i].place](&c);
    }
    note(e, done);
    return STAGE_PASS;
}

const struct stage_ops truncate_stage = {
    .plan_size = sizeof(struct plan),
    .state_size = sizeof(struct state),
    .prepare = prepare,
    .open = open_stage,
    .run = run,
};
