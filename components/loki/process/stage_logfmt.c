/* stage.logfmt: values of key=value pairs become extracted values. */
#include <errno.h>
#include "components/common/logfmt.h"
#include "components/loki/process/stage.h"

struct args {
    struct str_map mapping;
    struct str regex, source;
};
/* A key of the text and where its value goes. */
struct target {
    struct str key, name;
};
struct plan {
    struct target *targets;
    u32 n;
    u64 lengths; /* of the keys, modulo 64: tells most keys that are none of them */
    struct regex *re;
    struct opt_str source;
};

static const struct row rows[] = {
    ATTR(struct args, mapping,
         .doc = "Keys by the name their value is extracted to; an empty one is the name.",
         .def = "null"),
    ATTR(struct args, regex, .doc = "Keys that match are extracted as well.", .def = "\"\""),
    ATTR(struct args, source, .doc = "Extracted value to parse; the line when empty.",
         .def = "\"\""),
};
const struct schema logfmt_stage_schema = SCHEMA(struct args, rows);

static struct target *find(const struct plan *plan, struct str key)
{
    if (!(plan->lengths >> (key.n & 63) & 1)) return NULL;
    for (u32 i = 0; i < plan->n; i++)
        if (str_eq(plan->targets[i].key, key)) return &plan->targets[i];
    return NULL;
}

/* One target for each key; the last name wins. */
static void add(struct plan *plan, struct str key, struct str name)
{
    struct target *t = find(plan, key);

    if (!t) t = &plan->targets[plan->n++];
    *t = (struct target){key, name};
    plan->lengths |= UINT64_C(1) << (key.n & 63);
}

static int prepare(struct prepare *p, const void *args, const struct span *span, void *plan)
{
    const struct args *a = args;
    struct plan *out = plan;

    if (a->mapping.n == 0 && a->regex.n == 0)
        return stage_fault(p, span, "logfmt mapping or regex is required");
    out->targets = arena_array(p->arena, struct target, a->mapping.n + 1);
    for (size_t i = 0; i < a->mapping.n; i++) {
        const struct str_pair *m = &a->mapping.v[i];
        add(out, m->value.n ? m->value : m->key, m->key);
    }
    out->source = (struct opt_str){a->source, a->source.n > 0};
    if (a->regex.n) out->re = stage_regex(p, stage_at(p, span, "regex"), a->regex);
    return a->regex.n && !out->re ? -EINVAL : 0;
}

static enum stage_result run(struct stage_run *r, struct entry *e)
{
    const struct plan *plan = r->plan;
    struct logfmt l;
    struct str text;

    if (!entry_source(e, &plan->source, &text)) return STAGE_PASS;
    logfmt_init(&l, text, e->scratch);
    while (logfmt_next(&l)) {
        const struct target *t = find(plan, l.key);

        if (t) ex_put_str(e->extracted, t->name, l.value);
        if (plan->re && stage_match(r, plan->re, l.key, NULL, 0))
            ex_put_str(e->extracted, l.key, l.value);
    }
    return STAGE_PASS;
}

const struct stage_ops logfmt_stage = {
    .plan_size = sizeof(struct plan),
    .prepare = prepare,
    .run = run,
};
