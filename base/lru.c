/* A table of chains and a list by age over one array of entries, all by number. */
#include "base/lru.h"

#include <stdlib.h>
#include "base/budget.h"
#include "base/hash.h"
#include "base/xalloc.h"

#define FIRST 64u
#define NONE  UINT32_MAX

struct entry {
    void *key, *value;
    i64 used;
    u32 next;         /* in its chain, or among the free ones */
    u32 newer, older; /* by the last use */
};
struct lru {
    struct lru_conf conf;
    struct entry *v;
    u32 n, cap;            /* n: entries that were ever used */
    u32 free, n_free;      /* of these, taken out again */
    u32 *chains, n_chains; /* a power of two, at least cap */
    u32 newest, oldest;
};

struct lru *lru_new(const struct lru_conf *conf)
{
    struct lru *c = xnew(struct lru);

    c->conf = *conf;
    if (!c->conf.max) c->conf.max = NONE - 1;
    c->newest = c->oldest = c->free = NONE;
    return c;
}

static void let_go(struct lru *c, const struct entry *e)
{
    c->conf.let_go(c->conf.arg, e->key, e->value);
}

void lru_free(struct lru *c)
{
    if (!c) return;
    for (u32 i = c->newest; i != NONE; i = c->v[i].older)
        let_go(c, &c->v[i]);
    free(c->v);
    free(c->chains);
    free(c);
}

u32 lru_count(const struct lru *c)
{
    return c->n - c->n_free;
}

/* --- by age --- */

static void take_out(struct lru *c, u32 i)
{
    struct entry *e = &c->v[i];

    *(e->newer == NONE ? &c->newest : &c->v[e->newer].older) = e->older;
    *(e->older == NONE ? &c->oldest : &c->v[e->older].newer) = e->newer;
}

static void put_first(struct lru *c, u32 i)
{
    c->v[i].newer = NONE;
    c->v[i].older = c->newest;
    *(c->newest == NONE ? &c->oldest : &c->v[c->newest].newer) = i;
    c->newest = i;
}

/* --- lookup --- */

static u32 *chain_of(const struct lru *c, const void *key)
{
    return &c->chains[hash_mix((u64)(uintptr_t)key, 0) & (c->n_chains - 1)];
}

static u32 find(const struct lru *c, const void *key)
{
    u32 i = c->n ? *chain_of(c, key) : NONE;

    while (i != NONE && c->v[i].key != key)
        i = c->v[i].next;
    return i;
}

bool lru_get(struct lru *c, const void *key, i64 now, void **ret)
{
    u32 i = find(c, key);

    if (i == NONE) return false;
    c->v[i].used = now;
    if (c->newest != i) {
        take_out(c, i);
        put_first(c, i);
    }
    *ret = c->v[i].value;
    return true;
}

static void link_entry(struct lru *c, u32 i)
{
    u32 *chain = chain_of(c, c->v[i].key);

    c->v[i].next = *chain;
    *chain = i;
}

static void unlink_entry(struct lru *c, u32 i)
{
    u32 *at = chain_of(c, c->v[i].key);

    while (*at != i)
        at = &c->v[*at].next;
    *at = c->v[i].next;
}

static u32 chains_for(u32 cap)
{
    u32 n = FIRST;

    while (n < cap)
        n *= 2;
    return n;
}

/* Only when no entry is free. */
static bool grow(struct lru *c)
{
    u32 cap = MIN(c->conf.max, MAX(FIRST, c->cap * 2)), n_chains = chains_for(cap);
    u32 *chains = budget_alloc(n_chains * sizeof(*chains));
    struct entry *v = chains ? budget_realloc(c->v, cap * sizeof(*v)) : NULL;

    if (!v) {
        free(chains);
        return false;
    }
    c->v = v;
    c->cap = cap;
    free(c->chains);
    c->chains = chains;
    c->n_chains = n_chains;
    memset(chains, 0xFF, n_chains * sizeof(*chains));
    for (u32 i = 0; i < c->n; i++)
        link_entry(c, i);
    return true;
}

static void drop(struct lru *c, u32 i)
{
    unlink_entry(c, i);
    take_out(c, i);
    let_go(c, &c->v[i]);
    c->v[i].next = c->free;
    c->free = i;
    c->n_free++;
}

/* A place for one more; NONE when there is no memory. */
static u32 place(struct lru *c)
{
    if (!c->n_free && c->n == c->cap) {
        if (c->cap == c->conf.max)
            drop(c, c->oldest);
        else if (!grow(c))
            return NONE;
    }
    if (!c->n_free) return c->n++;
    u32 i = c->free;
    c->free = c->v[i].next;
    c->n_free--;
    return i;
}

bool lru_put(struct lru *c, void *key, void *value, i64 now)
{
    u32 i = place(c);

    if (i == NONE) return false;
    c->v[i].key = key;
    c->v[i].value = value;
    c->v[i].used = now;
    link_entry(c, i);
    put_first(c, i);
    return true;
}

bool lru_del(struct lru *c, const void *key)
{
    u32 i = find(c, key);

    if (i != NONE) drop(c, i);
    return i != NONE;
}

u32 lru_expire(struct lru *c, i64 before, u32 n)
{
    u32 gone = 0;

    while (gone < n && c->oldest != NONE && c->v[c->oldest].used < before) {
        drop(c, c->oldest);
        gone++;
    }
    return gone;
}
