/* stage.labels: labels from extracted values, or from structured metadata. */
#include <errno.h>
#include "base/utf8.h"
#include "components/loki/process/stage.h"

struct args {
    struct str_map values;
    struct str source_type;
};
struct plan {
    const struct str_pair *v; /* label, source */
    size_t n;
    bool metadata;
};

static const struct row rows[] = {
    ATTR(struct args, values,
         .doc = "Names of extracted values by label name; an empty one is the label's own.",
         .required = true),
    ATTR(struct args, source_type, .doc = "Where the values are.", .def = "\"extracted\"",
         .one_of = ONE_OF_TEXT("extracted", "structured_metadata")),
};
const struct schema labels_stage_schema = SCHEMA(struct args, rows);

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
    *out = (struct plan){v, a->values.n, str_is(a->source_type, "structured_metadata")};
    return 0;
}

static bool from_metadata(const struct entry *e, struct str name, struct str *ret)
{
    for (u32 i = 0; i < e->n_meta; i++)
        if (str_eq(e->meta[i].name, name)) {
            *ret = e->meta[i].value;
            return true;
        }
    return false;
}

static bool from_extracted(struct entry *e, struct str name, struct str *ret)
{
    const struct ex_value *v = ex_get(e->extracted, name);

    return v && ex_string(v, e->scratch, ret);
}

static enum stage_result run(struct stage_run *r, struct entry *e)
{
    const struct plan *plan = r->plan;
    struct str value;

    for (size_t i = 0; i < plan->n; i++) {
        struct str source = plan->v[i].value;
        bool found =
            plan->metadata ? from_metadata(e, source, &value) : from_extracted(e, source, &value);
        if (found && utf8_valid(value)) entry_label_put(e, plan->v[i].key, value);
    }
    return STAGE_PASS;
}

const struct stage_ops labels_stage = {
    .plan_size = sizeof(struct plan),
    .prepare = prepare,
    .run = run,
};
