/* Checking without running. What needs no evaluation is decoded for real, so that it is judged by
 * the very rules of a load; of the rest the types are judged as far as they are known. Nothing
 * stops at the first fault. */
#include "value/check.h"

#include "base/assert.h"
#include "value/decode_int.h"
#include "value/fault.h"
#include "value/member.h"
#include "value/static_type.h"

struct check {
    const struct type_env *env;
    struct diags *diags;
};

/* --- constants --- */

static bool is_constant(const struct expr *e)
{
    if (e->kind == EXPR_IDENT || e->kind == EXPR_CALL) return false;
    const struct expr *child;
    for (size_t i = 0; (child = expr_child(e, i)); i++)
        if (!is_constant(child)) return false;
    return true;
}

static bool body_is_constant(const struct body *b)
{
    for (size_t i = 0; i < b->n; i++) {
        const struct stmt *s = &b->stmts[i];
        if (s->kind == STMT_ATTR ? !is_constant(s->attr->value)
                                 : !body_is_constant(&s->block->body))
            return false;
    }
    return true;
}

/* The faults of operators and the like in what can be computed. */
static void constant_parts(struct check *c, const struct expr *e)
{
    struct value v;
    if (is_constant(e)) {
        if (!eval_expr(e, NULL, &v, c->diags)) value_unref(v);
        return;
    }
    const struct expr *child;
    for (size_t i = 0; (child = expr_child(e, i)); i++)
        constant_parts(c, child);
}

/* --- attributes --- */

/* Alloy's components compare with the zero of a type to see what was set. */
static bool is_empty(struct value v)
{
    switch ((enum vtype)v.type) {
    case V_NULL: return true;
    case V_BOOL: return !v.b;
    case V_NUMBER: return value_num_f64(v) == 0;
    case V_STRING: return v.text->n == 0;
    case V_ARRAY: return v.array->n == 0;
    case V_OBJECT: return v.object->n == 0;
    case V_FUNCTION:
    case V_CAPSULE: return false;
    }
    UNREACHABLE();
}

/* Decodes into scratch memory of the row's kind: rows without binding have kinds all the same. */
static void constant_attr(struct check *c, struct body_walk *w, const struct row *row,
                          const struct expr *e)
{
    struct arena arena;
    struct value v;
    if (eval_expr(e, NULL, &v, c->diags)) return;
    if (v.type == V_NULL || (w->s->size == 0 && is_empty(v))) body_null(w, row);
    arena_init(&arena, 0);
    void *member = arena_alloc(&arena, kind_size(row->kind));
    decode_value(row, v, e, &arena, member, c->diags);
    arena_done(&arena);
    value_unref(v);
}

static void attribute(struct check *c, struct body_walk *w, const struct attr *a)
{
    const struct row *row = body_attr(w, a);
    if (row && is_constant(a->value)) {
        constant_attr(c, w, row, a->value);
        return;
    }
    constant_parts(c, a->value);
    if (row && w->s->size == 0) body_unsure(w, row);
    if (row) static_check(row, a->value, c->env, c->diags);
}

/* --- blocks --- */

static void body(struct check *c, const struct schema *s, const struct block *block,
                 const struct body *b);

static void map_body(struct check *c, const struct body *b)
{
    for (size_t i = 0; i < b->n; i++) {
        const struct stmt *s = &b->stmts[i];
        if (s->kind == STMT_ATTR)
            constant_parts(c, s->attr->value);
        else
            diag_error(c->diags, DIAG_BODY_KIND, s->block->header_span,
                       "nested blocks not supported here");
    }
}

static void block(struct check *c, struct body_walk *w, const struct block *b)
{
    const struct one_of_def *variant;
    const struct row *row = body_block(w, b, &variant);
    if (!row) return;
    const struct schema *sub = variant ? variant->sub : row->sub;
    if (row->kind == K_MAP_BLOCK || !sub)
        map_body(c, &b->body);
    else if (!sub->opaque)
        body(c, sub, b, &b->body);
}

/* --- bodies --- */

static void constant_body(struct check *c, const struct schema *s, const struct block *block_,
                          const struct body *b)
{
    struct arena arena;
    struct decode d = {.diags = c->diags, .arena = &arena, .warn = true};
    arena_init(&arena, 0);
    decode_into(&d, s, block_, b, arena_alloc(&arena, s->size));
    arena_done(&arena);
}

static void walk_body(struct check *c, const struct schema *s, const struct block *block_,
                      const struct body *b)
{
    struct body_walk w;
    body_walk_init(&w, s, block_, c->diags, true);
    for (size_t i = 0; i < b->n; i++) {
        if (b->stmts[i].kind == STMT_ATTR)
            attribute(c, &w, b->stmts[i].attr);
        else
            block(c, &w, b->stmts[i].block);
    }
    body_end(&w);
    body_walk_done(&w);
}

static void body(struct check *c, const struct schema *s, const struct block *block_,
                 const struct body *b)
{
    if (s->size > 0 && body_is_constant(b))
        constant_body(c, s, block_, b);
    else
        walk_body(c, s, block_, b);
}

void check_body(const struct schema *s, const struct block *block_, const struct body *b,
                const struct type_env *env, struct diags *diags)
{
    struct check c = {env, diags};
    if (!s->opaque) body(&c, s, block_, b);
}
