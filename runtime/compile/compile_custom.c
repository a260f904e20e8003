/* What a module looks like from outside: arguments with what its body does with them, exports with
 * what they pass on; and an instance judged by that. Of imported modules nothing is known before
 * they are fetched. */
#include "runtime/compile/compile.h"

#include "value/fault.h"
#include "value/static_type.h"

/* ---- the face of a body ---- */

static const struct expr *attr_value(const struct block *b, const char *name)
{
    for (size_t i = 0; i < b->body.n; i++)
        if (b->body.stmts[i].kind == STMT_ATTR && str_is(b->body.stmts[i].attr->name, name))
            return b->body.stmts[i].attr->value;
    return NULL;
}

/* Whatever is no literal may turn out to be true. */
static bool is_required(const struct block *argument)
{
    const struct expr *optional = attr_value(argument, "optional");
    return !optional || (optional->kind == EXPR_BOOL && !optional->b) ||
           optional->kind == EXPR_NULL;
}

void faces_open(struct compiler *c)
{
    for (u32 i = 0; i < c->n; i++) {
        const struct node *n = &c->nodes[i];
        if (n->kind != NODE_ARGUMENT || !n->block->has_label ||
            map_has(&c->arguments, n->block->label))
            continue;
        struct argument_face *f = arena_new(&c->u->arena, struct argument_face);
        f->required = is_required(n->block);
        map_put(&c->arguments, n->block->label, f);
    }
}

static const struct row *renamed(struct arena *a, const struct row *row, const char *name)
{
    struct row *copy = arena_memdup(a, row, sizeof(*row));
    copy->name = name;
    return copy;
}

/* NULL: none that is known. */
static const struct row *row_of_element(struct arena *a, const struct row *list)
{
    if (list->kind != K_CAPSULE_LIST && list->kind != K_STR_LIST) return NULL;
    struct row *row = arena_memdup(a, list, sizeof(*list));
    row->kind = list->kind == K_STR_LIST ? K_STR : K_CAPSULE;
    return row;
}

/* The first use that says something is what instances are judged by. */
void argument_seen(struct compiler *c, const struct node *argument, const struct traversal *t)
{
    struct argument_face *f = map_get(&c->arguments, argument->block->label);
    bool says_something = t->row && t->use != USE_PART && t->row->kind != K_ANY &&
                          !kind_is_block(t->row->kind) && t->row->kind != K_LABEL;
    if (!f || f->row || !says_something) return;
    const struct row *row = t->use == USE_ELEMENT ? row_of_element(&c->u->arena, t->row) : t->row;
    if (row) f->row = renamed(&c->u->arena, row, "value");
}

static void add_export(struct compiler *c, const struct node *n, const struct expr *value)
{
    struct export_face *f = arena_new(&c->u->arena, struct export_face);
    struct type_env env = {.type_of = type_of_expr, .arg = c};
    struct traversal t;
    while (value->kind == EXPR_PAREN)
        value = value->paren;
    f->type = static_type_of(value, &env);
    if (traversal_of(value, &t)) {
        struct target to = graph_resolve(c, &t);
        const struct row *row = to.node && t.n == to.used + 1 ? export_row(c, &to, &t) : NULL;
        if (row && to.node->kind != NODE_ARGUMENT)
            f->row = renamed(&c->u->arena, row, arena_strdup(&c->u->arena, n->block->label));
    }
    map_put(&c->exports, n->block->label, f);
}

/* Edges to arguments show what goes through them, now that it is known. */
static void type_arguments(struct compiler *c)
{
    for (u32 i = 0; i < c->n; i++)
        for (size_t e = 0; e < c->nodes[i].n_edges; e++) {
            struct edge *edge = &c->nodes[i].edges[e];
            struct compiler *there = compiler_out(c, edge->up);
            const struct node *to = &there->nodes[edge->to];
            if (to->kind != NODE_ARGUMENT || !edge->to_row) continue;
            const struct argument_face *f = map_get(&there->arguments, to->block->label);
            if (f && f->row) edge->to_row = f->row;
        }
}

void faces_close(struct compiler *c)
{
    type_arguments(c);
    for (u32 i = 0; i < c->n; i++) {
        const struct node *n = &c->nodes[i];
        if (n->kind != NODE_EXPORT || !n->block->has_label || map_has(&c->exports, n->block->label))
            continue;
        const struct expr *value = attr_value(n->block, "value");
        if (value) add_export(c, n, value);
    }
}

/* ---- an instance ---- */

const struct compiler *custom_face(struct compiler *c, const struct node *n)
{
    const struct node *target = &compiler_out(c, n->custom.up)->nodes[n->custom.rank];
    bool fits = n->kind == NODE_CUSTOM && names_fit(target, &n->custom);
    return fits && target->kind == NODE_DECLARE ? target->declare->body : NULL;
}

static void unknown_argument(struct compiler *c, const struct compiler *face, const struct attr *a)
{
    struct suggestion near = {0};
    map_each (&face->arguments, e)
        suggestion_offer(&near, a->name, e->key);
    struct diag *d = diag_error(c->diags, DIAG_MODULE_ARGUMENT, a->name_span,
                                "Provided argument \"" STR_FMT "\" is not defined in the module",
                                STR_ARG(a->name));
    suggestion_hint(&near, c->diags, d);
}

static void check_given(struct compiler *c, const struct compiler *face, const struct block *b,
                        const struct type_env *env)
{
    for (size_t i = 0; i < b->body.n; i++) {
        const struct attr *a = b->body.stmts[i].attr;
        if (b->body.stmts[i].kind != STMT_ATTR) continue;
        const struct argument_face *f = map_get(&face->arguments, a->name);
        if (!f)
            unknown_argument(c, face, a);
        else if (f->row)
            static_check(f->row, a->value, env, c->diags);
    }
}

void custom_check(struct compiler *c, const struct node *n, const struct type_env *env)
{
    const struct compiler *face = custom_face(c, n);
    if (!face) return;
    check_given(c, face, n->block, env);
    map_each (&face->arguments, e)
        if (((const struct argument_face *)e->value)->required && !attr_value(n->block, e->key.p))
            diag_error(c->diags, DIAG_MODULE_ARGUMENT, n->block->header_span,
                       "missing required argument \"" STR_FMT "\" to module", STR_ARG(e->key));
}
