/* Finds the references of a body: one walk over statements that knows the schema row it is in, one
 * over expressions. */
#include "runtime/compile/traversal.h"

struct walk {
    traversal_fn fn;
    void *arg;
    const struct row *row;
    struct str attr;
};

static size_t chain_length(const struct expr *e)
{
    size_t n = 1;
    for (; e->kind == EXPR_ACCESS; e = e->access.of)
        n++;
    return e->kind == EXPR_IDENT ? n : 0;
}

bool traversal_of(const struct expr *e, struct traversal *ret)
{
    size_t n = chain_length(e);
    if (n == 0) return false;
    *ret = (struct traversal){.n = MIN(n, (size_t)TRAVERSAL_MAX), .span = e->span, .expr = e};
    const struct expr *at = e;
    for (size_t i = n; i-- > 1; at = at->access.of)
        if (i < TRAVERSAL_MAX) {
            ret->names[i] = at->access.name;
            ret->spans[i] = at->access.name_span;
        }
    ret->names[0] = at->s;
    ret->spans[0] = at->span;
    ret->span.start = at->span.start;
    return true;
}

void traversal_text(const struct traversal *t, size_t n, struct buf *out)
{
    for (size_t i = 0; i < n && i < t->n; i++) {
        if (i > 0) buf_ch(out, '.');
        buf_str(out, t->names[i]);
    }
}

/* What a child of e is to the attribute, when e is that. */
static enum traversal_use use_of_child(const struct expr *e, enum traversal_use use)
{
    if (e->kind == EXPR_PAREN) return use;
    return e->kind == EXPR_ARRAY && use == USE_WHOLE ? USE_ELEMENT : USE_PART;
}

static void walk_expr(struct walk *w, const struct expr *e, enum traversal_use use)
{
    struct traversal t;
    if (traversal_of(e, &t)) {
        t.row = w->row;
        t.use = use;
        t.attr = w->attr;
        w->fn(w->arg, &t);
        return;
    }
    const struct expr *child;
    for (size_t i = 0; (child = expr_child(e, i)); i++)
        walk_expr(w, child, use_of_child(e, use));
}

static const struct schema *sub_schema(const struct schema *s, struct str name)
{
    const struct one_of_def *variant = NULL;
    const struct row *row = s ? schema_block(s, name, &variant) : NULL;
    return variant ? variant->sub : row ? row->sub : NULL;
}

static void walk_body(struct walk *w, const struct body *body, const struct schema *schema)
{
    for (size_t i = 0; i < body->n && !(schema && schema->opaque); i++) {
        const struct stmt *st = &body->stmts[i];
        if (st->kind == STMT_BLOCK) {
            walk_body(w, &st->block->body, sub_schema(schema, st->block->name));
            continue;
        }
        w->row = schema ? schema_row(schema, st->attr->name) : NULL;
        w->attr = st->attr->name;
        walk_expr(w, st->attr->value, USE_WHOLE);
    }
}

void traversal_each(const struct body *body, const struct schema *schema, traversal_fn fn,
                    void *arg)
{
    struct walk w = {.fn = fn, .arg = arg};
    walk_body(&w, body, schema);
}
