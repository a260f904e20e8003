/* What every reader of a tree needs: the operators as written, and a walk over all expressions. */
#include "parser/ast.h"

static const char *const op_texts[] = {
    [OP_OR] = "||", [OP_AND] = "&&", [OP_EQ] = "==", [OP_NE] = "!=", [OP_LT] = "<",  [OP_LE] = "<=",
    [OP_GT] = ">",  [OP_GE] = ">=",  [OP_ADD] = "+", [OP_SUB] = "-", [OP_MUL] = "*", [OP_DIV] = "/",
    [OP_MOD] = "%", [OP_POW] = "^",  [OP_NOT] = "!", [OP_NEG] = "-",
};

const char *op_text(enum op op)
{
    return op_texts[op];
}

struct walk {
    bool (*fn)(void *arg, const struct expr *e);
    void *arg;
};

static void walk_expr(const struct walk *w, const struct expr *e);

static void walk_list(const struct walk *w, struct expr *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        walk_expr(w, list[i]);
}

static void walk_fields(const struct walk *w, const struct field *fields, size_t n)
{
    for (size_t i = 0; i < n; i++)
        walk_expr(w, fields[i].value);
}

/* Recursion is bounded by the parser's PARSE_DEPTH_MAX. */
static void walk_expr(const struct walk *w, const struct expr *e)
{
    if (!w->fn(w->arg, e)) return;
    switch (e->kind) {
    case EXPR_NULL:
    case EXPR_BOOL:
    case EXPR_NUMBER:
    case EXPR_FLOAT:
    case EXPR_STRING:
    case EXPR_IDENT: break;
    case EXPR_ACCESS: walk_expr(w, e->access.of); break;
    case EXPR_INDEX:
        walk_expr(w, e->index.of);
        walk_expr(w, e->index.index);
        break;
    case EXPR_CALL:
        walk_expr(w, e->call.fn);
        walk_list(w, e->call.args, e->call.n);
        break;
    case EXPR_UNARY: walk_expr(w, e->unary.of); break;
    case EXPR_BINARY:
        walk_expr(w, e->binary.l);
        walk_expr(w, e->binary.r);
        break;
    case EXPR_PAREN: walk_expr(w, e->paren); break;
    case EXPR_ARRAY: walk_list(w, e->array.items, e->array.n); break;
    case EXPR_OBJECT: walk_fields(w, e->object.fields, e->object.n); break;
    }
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
