/* stage.structured_metadata, stage.structured_metadata_drop: pairs that go with an entry without
 * being labels. A label that becomes metadata leaves the labels. */
#include <errno.h>
#include "base/utf8.h"
#include "components/loki/process/stage.h"

struct args {
    struct str_map values;
    struct str regex;
};
struct plan {
    const struct str_pair *v; /* name, source */
    size_t n;
    struct regex *re; /* NULL: none */
};

static const struct row rows[] = {
    ATTR(struct args, values,
         .doc = "Names of extracted values or labels by the name of the metadata; an empty one is "
                "the same name.",
         .def = "{}"),
    ATTR(struct args, regex, .doc = "RE2 expression for names to take under their own name."),
};
const struct schema structured_metadata_stage_schema = SCHEMA(struct args, rows);

static int prepare(struct prepare *p, const void *args, const struct span *span, void *plan)
{
    const struct args *a = args;
    struct plan *out = plan;
    struct str_pair *v = arena_array(p->arena, struct str_pair, a->values.n + 1);

    for (size_t i = 0; i < a->values.n; i++) {
        struct str name = a->values.v[i].key, source = a->values.v[i].value;
        if (stage_label_name(p, stage_at(p, span, "values"), name)) return -EINVAL;
        v[i] = (struct str_pair){name, source.n ? source : name};
    }
    *out = (struct plan){.v = v, .n = a->values.n};
    if (a->regex.n && !(out->re = stage_regex(p, stage_at(p, span, "regex"), a->regex)))
        return -EINVAL;
    return 0;
}

/* Loki takes UTF-8 only. */
static bool usable(const struct ex_value *v, struct arena *scratch, struct str *ret)
{
    return ex_string(v, scratch, ret) && utf8_valid(*ret);
}

static void from_extracted(const struct plan *plan, struct entry *e)
{
    struct str text;

    for (size_t i = 0; i < plan->n; i++) {
        const struct ex_value *v = ex_get(e->extracted, plan->v[i].value);
        if (v && usable(v, e->scratch, &text)) entry_meta_put(e, plan->v[i].key, text);
    }
}

static void from_extracted_names(struct stage_run *r, const struct regex *re, struct entry *e)
{
    const struct ex_value **values;
    struct str *names, text;
    size_t n = ex_sorted(e->extracted, e->scratch, &names, &values);

    for (size_t i = 0; i < n; i++)
        if (stage_match(r, re, names[i], NULL, 0) && usable(values[i], e->scratch, &text))
            entry_meta_put(e, names[i], text);
}

static void from_labels(const struct plan *plan, struct entry *e)
{
    for (size_t i = 0; i < plan->n; i++) {
        struct str value = entry_label(e, plan->v[i].value);
        if (!value.p) continue;
        entry_meta_put(e, plan->v[i].key, value);
        entry_label_del(e, plan->v[i].value);
    }
}

static void from_label_names(struct stage_run *r, const struct regex *re, struct entry *e)
{
    const struct label_set *set = entry_labels(e);
    struct label *all = arena_memdup(e->scratch, set->v, set->n * sizeof(*all));

    for (u32 i = 0, n = set->n; i < n; i++)
        if (stage_match(r, re, all[i].name, NULL, 0)) {
            entry_meta_put(e, all[i].name, all[i].value);
            entry_label_del(e, all[i].name);
        }
}

static enum stage_result run(struct stage_run *r, struct entry *e)
{
    const struct plan *plan = r->plan;

    from_extracted(plan, e);
    if (plan->re) from_extracted_names(r, plan->re, e);
    from_labels(plan, e);
    if (plan->re) from_label_names(r, plan->re, e);
    return STAGE_PASS;
}

const struct stage_ops structured_metadata_stage = {
    .plan_size = sizeof(struct plan),
    .prepare = prepare,
    .run = run,
};

/* --- stage.structured_metadata_drop --- */

struct drop_args {
    struct str_list values;
};

static const struct row drop_rows[] = {
    ATTR(struct drop_args, values, .doc = "Names of the metadata to remove.", .required = true),
};
const struct schema structured_metadata_drop_stage_schema = SCHEMA(struct drop_args, drop_rows);

static int prepare_drop(struct prepare *p, const void *args, const struct span *span, void *plan)
{
    const struct drop_args *a = args;

    *(const struct drop_args **)plan = a;
    if (a->values.n) return 0;
    return stage_fault(p, stage_at(p, span, "values"),
                       "structured_metadata_drop stage config cannot be empty");
}

static enum stage_result run_drop(struct stage_run *r, struct entry *e)
{
    const struct drop_args *const *a = r->plan;

    for (size_t i = 0; e->n_meta && i < (*a)->values.n; i++)
        entry_meta_del(e, (*a)->values.v[i]);
    return STAGE_PASS;
}

const struct stage_ops structured_metadata_drop_stage = {
    .plan_size = sizeof(struct drop_args *),
    .prepare = prepare_drop,
    .run = run_drop,
};
