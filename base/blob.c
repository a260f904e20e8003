/* Shared bytes with a count: allocation charged to a budget before it is made, given back when the
 * last reference goes. */
#include "base/blob.h"

#include <errno.h>
#include <stdlib.h>
#include "base/assert.h"
#include "base/buf.h"
#include "base/xalloc.h"

static bool charge(struct budget *budget, size_t n)
{
    return n <= PTRDIFF_MAX && (!budget || budget_take(budget, (i64)n));
}

static void uncharge(struct budget *budget, size_t n)
{
    if (budget) budget_give(budget, (i64)n);
}

struct blob *blob_new(size_t cap, struct budget *budget)
{
    if (!charge(budget, cap)) return NULL;
    char *p = budget_alloc(cap);
    if (!p) {
        uncharge(budget, cap);
        return NULL;
    }
    struct blob *b = xnew(struct blob);
    refs_init(&b->refs);
    b->budget = budget;
    b->cap = cap;
    b->p = p;
    return b;
}

int blob_grow(struct blob *b, size_t cap)
{
    ASSERT(refs_sole(&b->refs));
    if (cap <= b->cap) return 0;
    size_t more = cap - b->cap;
    if (!charge(b->budget, more)) return -ENOMEM;
    char *p = budget_realloc(b->p, cap);
    if (!p) {
        uncharge(b->budget, more);
        return -ENOMEM;
    }
    b->p = p;
    b->cap = cap;
    return 0;
}

/* What a buf keeps in reserve is given back when it is more than an eighth. */
static char *trim(char *p, size_t n, size_t *cap)
{
    if (*cap - n <= n / 8) return p;
    char *smaller = budget_realloc(p, MAX(n, 1));
    if (!smaller) return p;
    *cap = MAX(n, 1);
    return smaller;
}

struct blob *blob_take_buf(struct buf *from, struct budget *budget)
{
    size_t cap = MAX(from->cap, 1);
    struct blob *b = xnew(struct blob);
    refs_init(&b->refs);
    char *p = buf_take(from, &b->n);
    b->p = trim(p, b->n, &cap);
    b->cap = cap;
    b->budget = budget;
    if (budget) budget_force(budget, (i64)cap);
    return b;
}

struct blob *blob_ref(struct blob *b)
{
    refs_get(&b->refs);
    return b;
}

void blob_unref(struct blob *b)
{
    if (!b || !refs_put(&b->refs)) return;
    uncharge(b->budget, b->cap);
    free(b->p);
    free(b);
}
