/* One node's body: the schema check with what is known of references, then the references
 * themselves: edges of the graph, names that do not exist, fields that are not exported, and the
 * gates of the standard library. Spec: language.md 9, runtime.md 20. */
#include "runtime/compile.h"
#include "stdlib/stdlib.h"
#include "value/fault.h"

#define SUGGESTIONS_MAX 100

struct visit {
    struct compiler *c;
    struct node *n;
    size_t cap; /* of n->edges */
};

/* ---- types known without evaluating ---- */

static struct static_type capsule_of(const struct row *row)
{
    return (struct static_type){.known = true,
                                .type = V_CAPSULE,
                                .capsule = row->capsule ? row->capsule->name : row->capsule_name,
                                .signals = row->signals};
}

static struct static_type type_of_row(const struct row *row);

static struct static_type secret_of(const struct capsule_type *type)
{
    return (struct static_type){.known = true, .type = V_CAPSULE, .capsule = type->name};
}

static struct static_type type_of_shape(const struct row *row)
{
    const struct shape *s = row->shape;
    if (!s) return (struct static_type){0};
    if (s->form != SHAPE_LIST) return (struct static_type){.known = true, .type = V_OBJECT};
    struct static_type elem = type_of_row(s->rows);
    return (struct static_type){.known = true,
                                .type = V_ARRAY,
                                .is_list = elem.known,
                                .elem = elem.type,
                                .signals = row->signals,
                                .elem_capsule = elem.capsule};
}

/* Kinds that may be unset stay unknown: null is taken everywhere. */
static struct static_type type_of_row(const struct row *row)
{
    switch (row->kind) {
    case K_BOOL: return (struct static_type){.known = true, .type = V_BOOL};
    case K_I64:
    case K_F64: return (struct static_type){.known = true, .type = V_NUMBER};
    case K_STR:
    case K_DUR:
    case K_BYTES: return (struct static_type){.known = true, .type = V_STRING};
    case K_CAPSULE: return capsule_of(row);
    case K_CAPSULE_LIST:
        return (struct static_type){.known = true,
                                    .type = V_ARRAY,
                                    .is_list = true,
                                    .elem = V_CAPSULE,
                                    .signals = row->signals,
                                    .elem_capsule = capsule_of(row).capsule};
    case K_SECRET: return secret_of(&capsule_secret);
    case K_OPT_SECRET: return secret_of(&capsule_opt_secret);
    case K_STR_MAP:
    case K_SECRET_MAP: return (struct static_type){.known = true, .type = V_OBJECT};
    case K_ANY: return type_of_shape(row);
    case K_OPT_STR:
    case K_OPT_I64:
    case K_OPT_F64:
    case K_OPT_BOOL:
    case K_OPT_DUR:
    case K_STR_LIST:
    case BLOCK_KINDS:
    case K_LABEL: break;
    }
    return (struct static_type){0};
}

/* The export a chain ends at; NULL when it is the whole node, or a field inside an export. */
static const struct row *export_row(const struct node *to, const struct traversal *t, size_t used)
{
    if (!to->def || !to->def->exports || used >= t->n) return NULL;
    return schema_row(to->def->exports, t->names[used]);
}

static struct static_type type_of_expr(void *arg, const struct expr *e)
{
    struct traversal t;
    size_t used;
    if (!traversal_of(e, &t)) return (struct static_type){0};
    const struct node *to = graph_resolve(arg, &t, &used);
    const struct row *row = to ? export_row(to, &t, used) : NULL;
    return row && t.n == used + 1 ? type_of_row(row) : (struct static_type){0};
}

/* ---- edges ---- */

static void add_edge(struct visit *v, const struct node *to, const struct traversal *t,
                     const struct row *to_row)
{
    struct node *n = v->n;
    if (n->n_edges == v->cap) {
        v->cap = v->cap ? v->cap * 2 : 4;
        struct edge *grown = arena_array(&v->c->t->arena, struct edge, v->cap);
        if (n->n_edges) memcpy(grown, n->edges, n->n_edges * sizeof(*grown));
        n->edges = grown;
    }
    n->edges[n->n_edges++] = (struct edge){
        .to = (u32)(to - v->c->nodes.v), .span = t->span, .from_row = t->row, .to_row = to_row};
}

static void hint_field(struct diags *diags, struct diag *d, const struct schema *exports,
                       struct str name)
{
    struct suggestion near = {0};
    for (size_t i = 0; i < exports->n_rows; i++)
        suggestion_offer(&near, name, str_of(exports->rows[i].name));
    suggestion_hint(&near, diags, d);
    if (!near.best.p && exports->n_rows == 1)
        diag_hint(diags, d, "it exports `%s`", exports->rows[0].name);
}

/* A component whose exports are known has no other fields. */
static void check_field(struct visit *v, const struct node *to, const struct traversal *t,
                        size_t used)
{
    if (!to->def || used >= t->n || export_row(to, t, used)) return;
    struct diag *d = diag_error(v->c->diags, DIAG_EVAL_FIELD, t->spans[used],
                                "field \"" STR_FMT "\" does not exist", STR_ARG(t->names[used]));
    if (to->def->exports)
        hint_field(v->c->diags, d, to->def->exports, t->names[used]);
    else
        diag_hint(v->c->diags, d, "%s exports nothing", to->id);
}

/* ---- the standard library ---- */

static void check_func(struct visit *v, const struct traversal *t)
{
    struct buf name = BUF_INIT(SIZE_MAX / 2);
    traversal_text(t, t->n, &name);
    const struct func *f = stdlib_find(buf_view(&name));
    buf_done(&name);
    if (!f) return;
    if (f->deprecated)
        diag_add(v->c->diags, SEV_WARNING, DIAG_DEPRECATED, t->span,
                 "this stdlib function is deprecated; please refer to the documentation for "
                 "updated usage and alternatives");
    if (f->experimental && v->c->o->min_stability < STABILITY_EXPERIMENTAL)
        diag_error(v->c->diags, DIAG_STABILITY, t->span,
                   "%s is at stability level \"experimental\", which is below the minimum allowed "
                   "stability level \"%s\". "
                   "Use --stability.level command-line flag to enable \"experimental\" features",
                   f->name, stability_name(v->c->o->min_stability));
}

/* ---- one reference ---- */

static void hint_node(struct visit *v, struct diag *d, struct str name)
{
    if (++v->c->suggestions > SUGGESTIONS_MAX) return;
    struct suggestion near = {0};
    map_each (&v->c->t->by_id, e)
        if (((struct node *)e->value)->kind == NODE_COMPONENT)
            suggestion_offer(&near, name, e->key);
    suggestion_hint(&near, v->c->diags, d);
}

/* Names of the module scope that are no nodes. */
static bool in_module_scope(struct str name)
{
    return str_is(name, "module_path");
}

static void unresolved(struct visit *v, const struct traversal *t)
{
    if (stdlib_has(t->names[0])) {
        check_func(v, t);
        return;
    }
    if (in_module_scope(t->names[0]) || map_has(&v->c->namespaces, t->names[0])) return;
    struct buf name = BUF_INIT(SIZE_MAX / 2);
    traversal_text(t, t->n, &name);
    struct diag *d = diag_error(v->c->diags, DIAG_REFERENCE, t->span,
                                "component \"" STR_FMT "\" does not exist or is out of scope",
                                STR_ARG(buf_view(&name)));
    buf_reset(&name);
    traversal_text(t, t->n > 1 ? t->n - 1 : t->n,
                   &name); /* the last name is most often the export */
    hint_node(v, d, buf_view(&name));
    buf_done(&name);
}

static void visit_reference(void *arg, const struct traversal *t)
{
    struct visit *v = arg;
    size_t used;
    struct node *to = graph_resolve(v->c, t, &used);
    if (!to) {
        unresolved(v, t);
        return;
    }
    if (stdlib_has(t->names[0]))
        diag_add(v->c->diags, SEV_WARNING, DIAG_SHADOW, t->span,
                 "a component is shadowing an existing stdlib name");
    check_field(v, to, t, used);
    add_edge(v, to, t, export_row(to, t, used));
}

void references_check(struct compiler *c, struct node *n)
{
    struct type_env env = {.type_of = type_of_expr, .arg = c};
    struct visit v = {.c = c, .n = n};
    const struct schema *args = n->def ? n->def->args : NULL;
    if (args) check_body(args, n->block, &n->block->body, &env, c->diags);
    traversal_each(&n->block->body, args, visit_reference, &v);
}

/* ---- what an edge means ---- */

static bool is_receiver(const struct row *row)
{
    return row && (row->kind == K_CAPSULE || row->kind == K_CAPSULE_LIST) &&
           (row->signals & (SIGNALS_ANY | SIGNALS_PROFILES));
}

bool edge_is_flow(const struct edge *e)
{
    return is_receiver(e->to_row);
}

u32 edge_signals(const struct edge *e)
{
    if (!is_receiver(e->to_row))
        return e->to_row ? e->to_row->signals & SIGNALS_TARGETS : SIGNALS_NONE;
    u32 given =
        e->from_row && (e->from_row->signals & SIGNALS_ANY) ? e->from_row->signals : SIGNALS_ANY;
    return given & e->to_row->signals & SIGNALS_ANY;
}
