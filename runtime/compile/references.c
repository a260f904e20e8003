/* One node's body: the schema check with what is known of references, then the references
 * themselves: edges of the graph, names that do not exist, fields that are not exported, and the
 * gates of the standard library. Spec: language.md 9, runtime.md 20. */
#include "runtime/compile/compile.h"
#include "stdlib/stdlib.h"
#include "value/fault.h"

struct visit {
    struct compiler *c;
    struct node *n;
};

/* ---- where a chain leads ---- */

static struct node *find_id(const struct compiler *c, const struct traversal *t, size_t *ret_used)
{
    struct buf id = BUF_INIT(SIZE_MAX / 2);
    struct node *found = NULL;
    for (size_t n = 1; n <= t->n && !found; n++) {
        if (n > 1) buf_ch(&id, '.');
        buf_str(&id, t->names[n - 1]);
        found = map_get(&c->t->by_id, buf_view(&id));
        if (found) *ret_used = n;
    }
    buf_done(&id);
    return found;
}

static bool is_variable(const struct compiler *c, struct str name)
{
    return c->t->kind == TEMPLATE_FOREACH && str_eq(c->t->var, name);
}

/* Only the template of a foreach sees the values of the body around it. */
struct target graph_resolve(const struct compiler *c, const struct traversal *t)
{
    struct target to = {0};
    for (; c; c = c->outer, to.up++) {
        to.variable = is_variable(c, t->names[0]);
        if (!to.variable) to.node = find_id(c, t, &to.used);
        if (to.variable || to.node || c->t->kind != TEMPLATE_FOREACH) break;
    }
    return to;
}

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

const struct row *export_row(struct compiler *c, const struct target *to, const struct traversal *t)
{
    const struct node *n = to->node;
    if (!n->def || to->used >= t->n) return NULL;
    if (n->kind != NODE_CUSTOM)
        return n->def->exports ? schema_row(n->def->exports, t->names[to->used]) : NULL;
    const struct compiler *face = custom_face(compiler_out(c, to->up), n);
    const struct export_face *f = face ? map_get(&face->exports, t->names[to->used]) : NULL;
    return f ? f->row : NULL;
}

static struct static_type type_of_custom(struct compiler *c, const struct target *to,
                                         const struct traversal *t)
{
    const struct compiler *face = custom_face(compiler_out(c, to->up), to->node);
    const struct export_face *f = face ? map_get(&face->exports, t->names[to->used]) : NULL;
    return f ? f->type : (struct static_type){0};
}

/* A node as a whole: its exports. */
static struct static_type type_of_node(const struct node *n)
{
    bool known = n->kind == NODE_COMPONENT && n->def;
    return (struct static_type){.known = known, .type = V_OBJECT};
}

static struct static_type type_of_chain(struct compiler *c, const struct traversal *t)
{
    struct target to = graph_resolve(c, t);
    if (!to.node) return (struct static_type){0};
    if (t->n == to.used) return type_of_node(to.node);
    if (t->n != to.used + 1) return (struct static_type){0};
    if (to.node->kind == NODE_CUSTOM) return type_of_custom(c, &to, t);
    const struct row *row = export_row(c, &to, t);
    return row ? type_of_row(row) : (struct static_type){0};
}

/* ---- types of the standard library ---- */

static const struct func *find_func(const struct traversal *t)
{
    struct buf name = BUF_INIT(SIZE_MAX / 2);
    traversal_text(t, t->n, &name);
    const struct func *f = stdlib_find(buf_view(&name));
    buf_done(&name);
    return f;
}

static struct static_type type_of_call(struct compiler *c, const struct expr *call)
{
    static const struct {
        const char *returns;
        enum vtype type;
    } types[] = {{"string", V_STRING}, {"number", V_NUMBER}, {"bool", V_BOOL},
                 {"list(", V_ARRAY},   {"array", V_ARRAY},   {"map(", V_OBJECT},
                 {"object", V_OBJECT}};
    struct traversal t;
    if (!traversal_of(call->call.fn, &t)) return (struct static_type){0};
    struct target to = graph_resolve(c, &t);
    const struct func *f = to.node || to.variable ? NULL : find_func(&t);
    for (size_t i = 0; f && i < ARRAY_LEN(types); i++)
        if (str_starts(str_of(f->returns), str_of(types[i].returns)))
            return (struct static_type){.known = true, .type = types[i].type};
    return (struct static_type){0};
}

struct static_type type_of_expr(void *compiler, const struct expr *e)
{
    struct traversal t;
    if (e->kind == EXPR_CALL) return type_of_call(compiler, e);
    return traversal_of(e, &t) ? type_of_chain(compiler, &t) : (struct static_type){0};
}

/* ---- fields ---- */

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

static struct diag *no_field(struct visit *v, const struct traversal *t, size_t used)
{
    return diag_error(v->c->diags, DIAG_EVAL_FIELD, t->spans[used],
                      "field \"" STR_FMT "\" does not exist", STR_ARG(t->names[used]));
}

/* A component whose exports are known has no other fields. */
static void check_field(struct visit *v, const struct target *to, const struct traversal *t)
{
    const struct component_def *def = to->node->def;
    if (!def || export_row(v->c, to, t)) return;
    struct diag *d = no_field(v, t, to->used);
    if (def->exports)
        hint_field(v->c->diags, d, def->exports, t->names[to->used]);
    else
        diag_hint(v->c->diags, d, "%s exports nothing", to->node->id);
}

static void check_custom_field(struct visit *v, const struct target *to, const struct traversal *t)
{
    const struct compiler *face = custom_face(compiler_out(v->c, to->up), to->node);
    if (!face || map_has(&face->exports, t->names[to->used])) return;
    struct diag *d = no_field(v, t, to->used);
    struct suggestion near = {0};
    map_each (&face->exports, e)
        suggestion_offer(&near, t->names[to->used], e->key);
    suggestion_hint(&near, v->c->diags, d);
    if (face->exports.live == 0) diag_hint(v->c->diags, d, "%s exports nothing", to->node->id);
}

/* ---- the standard library ---- */

static void deprecated_func(struct visit *v, const struct traversal *t, const char *instead)
{
    struct diag *d = diag_add(v->c->diags, SEV_WARNING, DIAG_DEPRECATED, t->span,
                              "this stdlib function is deprecated; please refer to the "
                              "documentation for updated usage and alternatives");
    diag_hint(v->c->diags, d, "use `%s`", instead);
}

static void check_func(struct visit *v, const struct traversal *t)
{
    const struct func *f = find_func(t);
    if (!f) return;
    if (f->deprecated) deprecated_func(v, t, stdlib_instead(f)->name);
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
    if (!may_suggest(v->c, v->c->n)) return;
    struct suggestion near = {0};
    map_each (&v->c->t->by_id, e)
        if (node_is_component(e->value)) suggestion_offer(&near, name, e->key);
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
    if (in_module_scope(t->names[0])) return;
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

/* An argument of an instance is given on to the body: what that does with it is what counts. */
static const struct row *row_of_argument(struct compiler *c, const struct node *n, struct str name)
{
    const struct compiler *face = n->kind == NODE_CUSTOM ? custom_face(c, n) : NULL;
    const struct argument_face *f = face ? map_get(&face->arguments, name) : NULL;
    return f ? f->row : NULL;
}

static void reference(struct visit *v, const struct target *to, const struct traversal *t)
{
    struct edge e = {.to = node_number(compiler_out(v->c, to->up), to->node),
                     .up = to->up,
                     .span = t->span,
                     .from_row = t->row,
                     .to_row = export_row(v->c, to, t)};
    if (to->used < t->n) e.field = t->names[to->used];
    if (to->used < t->n && to->node->kind == NODE_CUSTOM)
        check_custom_field(v, to, t);
    else if (to->used < t->n)
        check_field(v, to, t);
    if (to->node->kind == NODE_ARGUMENT && t->n == to->used + 1)
        argument_seen(compiler_out(v->c, to->up), to->node, t);
    node_add_edge(v->c, v->n, e);
}

static void visit_reference(void *arg, const struct traversal *found)
{
    struct visit *v = arg;
    struct traversal t = *found;
    struct target to = graph_resolve(v->c, &t);
    if (to.variable) {
        v->c->notes[node_number(v->c, v->n)].unknown = true;
        return;
    }
    if (!to.node) {
        unresolved(v, &t);
        return;
    }
    if (stdlib_has(t.names[0]))
        diag_add(v->c->diags, SEV_WARNING, DIAG_SHADOW, t.span,
                 "a component is shadowing an existing stdlib name");
    if (!t.row) t.row = row_of_argument(v->c, v->n, t.attr);
    reference(v, &to, &t);
}

static bool lacks_template(const struct node *n)
{
    return n->kind == NODE_FOREACH && !foreach_template(n->block);
}

void body_check(struct compiler *c, struct node *n)
{
    struct type_env env = {.type_of = type_of_expr, .arg = c};
    if (!n->def || !n->def->args) return;
    if (lacks_template(n) && !c->o->check) {
        diag_error(c->diags, DIAG_BLOCK_MISSING, n->block->span,
                   "Failed to build component: the block template is missing in the foreach block");
        return;
    }
    check_body(n->def->args, n->block, &n->block->body, &env, c->diags);
    if (n->kind == NODE_CUSTOM) custom_check(c, n, &env);
}

void references_check(struct compiler *c, struct node *n)
{
    struct visit v = {.c = c, .n = n};
    traversal_each(&n->block->body, n->def ? n->def->args : NULL, visit_reference, &v);
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
