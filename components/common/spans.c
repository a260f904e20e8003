/* Places of settings inside a component's block. */
#include "components/common/spans.h"

static const struct block *inner_block(const struct block *b, struct str name, size_t nth)
{
    for (size_t i = 0; i < b->body.n; i++) {
        const struct stmt *s = &b->body.stmts[i];
        if (s->kind == STMT_BLOCK && str_eq(s->block->name, name) && nth-- == 0) return s->block;
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

/* Follows path as far as it is written. True: to its end. */
static bool follow(const struct block *block, const char *path, struct span *ret)
{
    struct str rest = str_of(path);
    *ret = block->header_span;
    while (rest.n > 0) {
        struct str name = str_cut(&rest, '/');
        const struct stmt *attr = rest.n == 0 ? inner_attr(block, name) : NULL;
        const struct block *inner = attr ? NULL : inner_block(block, name, 0);
        if (attr) {
            *ret = attr->attr->value->span;
            return true;
        }
        if (!inner) return false;
        block = inner;
        *ret = block->header_span;
    }
    return true;
}

struct span span_at(const struct block *block, const char *path)
{
    struct span at = NO_SPAN;
    if (block) follow(block, path, &at);
    return at;
}

bool span_written(const struct block *block, const char *path)
{
    struct span at;
    return block && follow(block, path, &at);
}

struct span span_in(const struct block *block, const char *name, size_t n, const char *path)
{
    const struct block *inner = block ? inner_block(block, str_of(name), n) : NULL;
    return inner ? span_at(inner, path) : span_at(block, "");
}

const struct block *block_in(const struct block *block, const char *name, size_t n)
{
    return block ? inner_block(block, str_of(name), n) : NULL;
}
