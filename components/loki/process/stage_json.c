/* stage.json: values of a JSON object become extracted values. Expressions that are paths of field
 * names, which most are, are answered by one pass over the text (jmespath/paths.h); only when there
 * are others is a tree built, and then it answers all. */
#include <errno.h>
#include <stdlib.h>
#include "components/loki/jmespath/jmespath.h"
#include "components/loki/jmespath/paths.h"
#include "components/loki/process/stage.h"

#define FEW_FIELDS 32
/* Text made of an object or a list. */
#define COMPOSITE_MAX ((size_t)64 << 20)

struct args {
    struct str_map expressions;
    struct str regex;
    bool drop_malformed;
    struct opt_str source;
};
struct field {
    struct str name;
    struct jmespath *expr;
};
struct plan {
    const struct args *args;
    struct field *fields; /* the place of one is its slot among the paths */
    u32 n;
    bool tree;
    struct path_set paths;
    struct regex *re; /* NULL: none */
};

static const struct row rows[] = {
    ATTR(struct args, expressions,
         .doc = "JMESPath expressions by the name they are extracted to; an empty one is the name.",
         .def = "null"),
    ATTR(struct args, regex, .doc = "Top-level keys that match are extracted as well.",
         .def = "\"\""),
    ATTR(struct args, drop_malformed, .doc = "Drop entries that are no JSON object."),
    ATTR(struct args, source, .doc = "Extracted value to parse; the line when left out."),
};
const struct schema json_stage_schema = SCHEMA(struct args, rows);

/* --- compiling --- */

static void warn_unknown(struct prepare *p, const struct span *span, const struct field *f)
{
    struct str name = jmespath_unknown(f->expr);

    if (!name.p) return;
    diag_add(p->diags, SEV_WARNING, DIAG_COMPONENT_BUILD, *stage_at(p, span, "expressions"),
             "\"" STR_FMT "\" is never extracted: its expression calls " STR_FMT
             "(), which JMESPath does not have",
             STR_ARG(f->name), STR_ARG(name));
}

static int compile_field(struct prepare *p, const struct span *span, const struct str_pair *pair,
                         struct field *f)
{
    struct str text = pair->value.n ? pair->value : pair->key;
    char *err = NULL;

    *f = (struct field){pair->key, jmespath_new(text, &err)};
    if (f->expr) {
        arena_cleanup(p->arena, (void (*)(void *))jmespath_free, f->expr);
        warn_unknown(p, span, f);
    } else {
        stage_fault(p, stage_at(p, span, "expressions"),
                    "could not compile JMES expression of \"" STR_FMT "\": %s", STR_ARG(pair->key),
                    err);
    }
    free(err);
    return f->expr ? 0 : -EINVAL;
}

static int compile_fields(struct prepare *p, const struct span *span, const struct str_map *m,
                          struct plan *plan)
{
    const struct str *names;
    int rc = 0;

    plan->fields = arena_array(p->arena, struct field, m->n + 1);
    path_set_init(&plan->paths, p->arena);
    for (; plan->n < m->n; plan->n++) {
        struct field *f = &plan->fields[plan->n];

        if (compile_field(p, span, &m->v[plan->n], f)) {
            rc = -EINVAL;
            continue;
        }
        size_t n = jmespath_path(f->expr, &names);
        if (n) path_set_add(&plan->paths, names, n, plan->n);
        if (!n) plan->tree = true;
    }
    return rc;
}

static int prepare(struct prepare *p, const void *args, const struct span *span, void *plan)
{
    const struct args *a = args;
    struct plan *out = plan;

    out->args = a;
    if (a->expressions.n == 0 && a->regex.n == 0)
        return stage_fault(p, span, "JMES expressions or regex is required");
    if (a->source.set && a->source.s.n == 0)
        return stage_fault(p, stage_at(p, span, "source"), "empty source");
    if (a->regex.n) out->re = stage_regex(p, stage_at(p, span, "regex"), a->regex);
    if (a->regex.n && !out->re) return -EINVAL;
    return compile_fields(p, span, &a->expressions, out);
}

/* --- results --- */

static bool composite_text(const struct jv *v, struct arena *a, struct str *ret)
{
    struct buf b = BUF_INIT(COMPOSITE_MAX);
    bool ok = jv_write(v, true, &b) && !buf_err(&b);

    if (ok) *ret = arena_str(a, buf_view(&b));
    buf_done(&b);
    return ok;
}

/* What JSON cannot say leaves its key alone. */
static void extract(struct entry *e, struct str name, const struct jv *v)
{
    struct ex_value x = {.type = EX_STRING};

    switch (v->type) {
    case JV_NULL: x.type = EX_NULL; break;
    case JV_BOOL: x = (struct ex_value){.type = EX_BOOL, .b = v->b}; break;
    case JV_NUMBER: x = (struct ex_value){.type = EX_FLOAT, .f = v->num}; break;
    case JV_STRING: x.s = v->str; break;
    case JV_ARRAY:
    case JV_OBJECT:
        if (!composite_text(v, e->scratch, &x.s)) return;
        break;
    }
    ex_put(e->extracted, name, x);
}

/* --- the two ways --- */

struct matching {
    struct stage_run *r;
    const struct regex *re;
};

static bool key_matches(void *arg, struct str key)
{
    const struct matching *m = arg;

    return stage_match(m->r, m->re, key, NULL, 0);
}

static int extract_paths(struct stage_run *r, struct entry *e, struct str text)
{
    const struct plan *plan = r->plan;
    struct jv few[FEW_FIELDS];
    struct matching m = {r, plan->re};
    struct path_scan scan = {.slots = few, .n_slots = plan->n, .arg = &m};

    if (plan->n > FEW_FIELDS) scan.slots = arena_array(e->scratch, struct jv, plan->n);
    if (plan->re) scan.wants = key_matches;
    if (path_set_scan(&plan->paths, text, e->scratch, &scan)) return -EBADMSG;
    for (u32 i = 0; i < plan->n; i++)
        extract(e, plan->fields[i].name, &scan.slots[i]);
    for (u32 i = 0; i < scan.n_extra; i++)
        extract(e, scan.extra[i].key, &scan.extra[i].value);
    return 0;
}

static void search(struct entry *e, const struct field *f, const struct jv *doc)
{
    const char *err;
    struct jv v;

    if (jmespath_search(f->expr, doc, e->scratch, &v, &err) == 0) extract(e, f->name, &v);
}

static int extract_tree(struct stage_run *r, struct entry *e, struct str text)
{
    const struct plan *plan = r->plan;
    struct matching m = {r, plan->re};
    const char *err;
    struct jv doc;

    if (jv_parse(text, e->scratch, &doc, &err)) return -EBADMSG;
    if (doc.type == JV_NULL) doc = jv_obj(NULL, 0);
    if (doc.type != JV_OBJECT) return -EBADMSG;
    for (u32 i = 0; i < plan->n; i++)
        search(e, &plan->fields[i], &doc);
    for (u32 i = 0; plan->re && i < doc.n; i++)
        if (key_matches(&m, doc.members[i].key))
            extract(e, doc.members[i].key, &doc.members[i].value);
    return 0;
}

static enum stage_result run(struct stage_run *r, struct entry *e)
{
    const struct plan *plan = r->plan;
    struct str text;

    if (!entry_source(e, &plan->args->source, &text)) return STAGE_PASS;
    int rc = plan->tree ? extract_tree(r, e, text) : extract_paths(r, e, text);
    return rc && plan->args->drop_malformed ? STAGE_DROP : STAGE_PASS;
}

const struct stage_ops json_stage = {
    .plan_size = sizeof(struct plan),
    .prepare = prepare,
    .run = run,
};
