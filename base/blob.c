/* Shared bytes with a count: allocation charged to a budget before it is made, given back when the last reference goes. */
#include "base/blob.h"

#include <errno.h>
#include <stdlib.h>
#include "base/assert.h"
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
