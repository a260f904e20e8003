/* What every reader of a tree needs: the operators as written, the parts of an expression, and a
 * walk over all expressions. */
#include "parser/ast.h"

#include "base/assert.h"

static const char *const op_texts[] = {
    [OP_OR] = "||", [OP_AND] = "&&", [OP_EQ] = "==", [OP_NE] = "!=", [OP_LT] = "<",  [OP_LE] = "<=",
    [OP_GT] = ">",  [OP_GE] = ">=",  [OP_ADD] = "+", [OP_SUB] = "-", [OP_MUL] = "*", [OP_DIV] = "/",
    [OP_MOD] = "%", [OP_POW] = "^",  [OP_NOT] = "!", [OP_NEG] = "-",
};

const char *op_text(enum op op)
{
    return op_texts[op];
}

static const struct expr *of_two(const struct expr *first, const struct expr *second, size_t i)
{
    return i == 0 ? first : i == 1 ? second : NULL;
}

const struct expr *expr_child(const struct expr *e, size_t i)
{
    switch (e->kind) {
    case EXPR_NULL:
    case EXPR_BOOL:
    case EXPR_NUMBER:
    case EXPR_FLOAT:
    case EXPR_STRING:
    case EXPR_IDENT: return NULL;
    case EXPR_ACCESS: return of_two(e->access.of, NULL, i);
    case EXPR_INDEX: return of_two(e->index.of, e->index.index, i);
    case EXPR_CALL: return i == 0 ? e->call.fn : i <= e->call.n ? e->call.args[i - 1] : NULL;
    case EXPR_UNARY: return of_two(e->unary.of, NULL, i);
    case EXPR_BINARY: return of_two(e->binary.l, e->binary.r, i);
    case EXPR_PAREN: return of_two(e->paren, NULL, i);
    case EXPR_ARRAY: return i < e->array.n ? e->array.items[i] : NULL;
    case EXPR_OBJECT: return i < e->object.n ? e->object.fields[i].value : NULL;
    }
    UNREACHABLE();
}

struct walk {
    bool (*fn)(void *arg, const struct expr *e);
    void *arg;
};

/* Recursion is bounded by the parser's PARSE_DEPTH_MAX. */
static void walk_expr(const struct walk *w, const struct expr *e)
{
    const struct expr *child;
    if (!w->fn(w->arg, e)) return;
    for (size_t i = 0; (child = expr_child(e, i)); i++)
        walk_expr(w, child);
}

static void walk_body(const struct walk *w, const struct body *b)
{
    for (size_t i = 0; i < b->n; i++) {
        const struct stmt *s = &b->stmts[i];
        if (s->kind == STMT_ATTR)
            walk_expr(w, s->attr->value);
        else
            walk_body(w, &s->block->body);
    }
}

void ast_walk(const struct body *b, bool (*fn)(void *arg, const struct expr *e), void *arg)
{
    walk_body(&(struct walk){fn, arg}, b);
}
