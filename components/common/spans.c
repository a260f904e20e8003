/* Places of settings inside a component's block. */
#include "components/common/spans.h"

static const struct block *inner_block(const struct block *b, struct str name, size_t nth)
{
    for (size_t i = 0; i < b->body.n; i++) {
        const struct stmt *s = &b->body.stmts[i];
        if (s->kind == STMT_BLOCK && str_eq(s->block->name, name) && nth-- == 0)
            return s->block;
    }
    return NULL;
}

static const struct stmt *inner_attr(const struct block *b, struct str name)
{
    for (size_t i = 0; i < b->body.n; i++)
        if (b->body.stmts[i].kind == STMT_ATTR && str_eq(b->body.stmts[i].attr->name, name))
            return &b->body.stmts[i];
    return NULL;
}

struct span span_at(const struct block *block, const char *path)
{
    if (!block)
        return NO_SPAN;
    struct str rest = str_of(path);
    while (rest.n > 0) {
        struct str name = str_cut(&rest, '/');
        const struct stmt *attr = inner_attr(block, name);
        if (attr)
            return attr->attr->value->span;
        const struct block *inner = inner_block(block, name, 0);
        if (!inner)
            break;
        block = inner;
    }
    return block->header_span;
}

struct span span_in(const struct block *block, const char *name, size_t n, const char *path)
{
    const struct block *inner = block ? inner_block(block, str_of(name), n) : NULL;
    return inner ? span_at(inner, path) : span_at(block, "");
}
