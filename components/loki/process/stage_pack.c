/* stage.pack: labels and line as one JSON object, the new line; the labels leave. */
#include <errno.h>
#include <stdlib.h>
#include "base/json.h"
#include "components/loki/process/stage.h"

#define PACKED_MAX ((size_t)256 << 20)

struct args {
    struct str_list labels;
    bool ingest_timestamp;
};
struct plan {
    struct label_list names; /* sorted */
    bool ingest_timestamp;
};

static const struct row rows[] = {
    ATTR(struct args, labels, .doc = "Names of the labels, or extracted values, to pack.",
         .required = true),
    ATTR(struct args, ingest_timestamp, .doc = "Give the entry the current time.", .def = "true"),
};
const struct schema pack_stage_schema = SCHEMA(struct args, rows);

static int by_name(const void *a, const void *b)
{
    return str_cmp(((const struct label *)a)->name, ((const struct label *)b)->name);
}

static int prepare(struct prepare *p, const void *args, const struct span *span, void *plan)
{
    const struct args *a = args;
    struct label *v = arena_array(p->arena, struct label, a->labels.n + 1);
    u32 n = 0;

    for (size_t i = 0; i < a->labels.n; i++)
        v[i].name = a->labels.v[i];
    qsort(v, a->labels.n, sizeof(*v), by_name);
    for (size_t i = 0; i < a->labels.n; i++)
        if (n == 0 || !str_eq(v[n - 1].name, v[i].name)) v[n++] = v[i];
    *(struct plan *)plan = (struct plan){{v, n}, a->ingest_timestamp};
    return 0;
}

static void pack_values(const struct plan *plan, struct entry *e, struct json_out *j)
{
    struct str text;

    for (u32 i = 0; i < plan->names.n; i++) {
        struct str name = plan->names.v[i].name;
        const struct ex_value *v = ex_get(e->extracted, name);
        if (!v || !ex_string(v, e->scratch, &text)) continue;
        json_key(j, name);
        json_str(j, text);
        entry_label_del(e, name);
    }
}

static enum stage_result run(struct stage_run *r, struct entry *e)
{
    const struct plan *plan = r->plan;
    struct buf b = BUF_INIT(PACKED_MAX);
    struct json_out j = {.b = &b, .html = true};

    json_obj(&j);
    pack_values(plan, e, &j);
    json_key(&j, STR("_entry"));
    json_str(&j, e->line);
    json_obj_end(&j);
    if (!buf_err(&b)) e->line = arena_str(e->scratch, buf_view(&b));
    buf_done(&b);
    if (plan->ingest_timestamp) e->time = clock_real(r->clock);
    return STAGE_PASS;
}

const struct stage_ops pack_stage = {
    .plan_size = sizeof(struct plan),
    .prepare = prepare,
    .run = run,
};
