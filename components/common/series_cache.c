/* A table of chains and a list by age over one array of entries, all by number, as in
 * label_cache.c; entries can be taken out one by one as well. */
#include "components/common/series_cache.h"

#include <stdlib.h>
#include "base/budget.h"
#include "base/hash.h"
#include "base/xalloc.h"

#define FIRST 64u
#define NONE  UINT32_MAX

struct entry {
    struct series *in, *out;
    i64 used;
    u32 next;         /* in its chain, or among the free ones */
    u32 newer, older; /* by the last use */
};
struct series_cache {
    struct series_keeper *keeper;
    struct entry *v;
    u32 n, cap, max;       /* n: entries that were ever used */
    u32 free, n_free;      /* of these, taken out again */
    u32 *chains, n_chains; /* a power of two, at least cap */
    u32 newest, oldest;
};

struct series_cache *series_cache_new(struct series_keeper *k, u32 max)
{
    struct series_cache *c = xnew(struct series_cache);

    c->keeper = k;
    c->max = max ? max : NONE - 1;
    c->newest = c->oldest = c->free = NONE;
    return c;
}

static void let_go(struct series_cache *c, struct entry *e)
{
    series_unref(c->keeper->table, e->in);
    if (e->out) series_retire(c->keeper, e->out);
}

void series_cache_free(struct series_cache *c)
{
    if (!c) return;
    for (u32 i = c->newest; i != NONE; i = c->v[i].older)
        let_go(c, &c->v[i]);
    free(c->v);
    free(c->chains);
    free(c);
}

u32 series_cache_count(const struct series_cache *c)
{
    return c->n - c->n_free;
}

/* --- by age --- */

static void take_out(struct series_cache *c, u32 i)
{
    struct entry *e = &c->v[i];

    *(e->newer == NONE ? &c->newest : &c->v[e->newer].older) = e->older;
    *(e->older == NONE ? &c->oldest : &c->v[e->older].newer) = e->newer;
}

static void put_first(struct series_cache *c, u32 i)
{
    c->v[i].newer = NONE;
    c->v[i].older = c->newest;
    *(c->newest == NONE ? &c->oldest : &c->v[c->newest].newer) = i;
    c->newest = i;
}

/* --- lookup --- */

static u32 *chain_of(const struct series_cache *c, const struct series *in)
{
    return &c->chains[hash_mix((u64)(uintptr_t)in, 0) & (c->n_chains - 1)];
}

static u32 find(const struct series_cache *c, const struct series *in)
{
    u32 i = c->n ? *chain_of(c, in) : NONE;

    while (i != NONE && c->v[i].in != in)
        i = c->v[i].next;
    return i;
}

bool series_cache_get(struct series_cache *c, const struct series *in, i64 now, struct series **ret)
{
    u32 i = find(c, in);

    if (i == NONE) return false;
    c->v[i].used = now;
    if (c->newest != i) {
        take_out(c, i);
        put_first(c, i);
    }
    *ret = c->v[i].out;
    return true;
}

static void link_entry(struct series_cache *c, u32 i)
{
    u32 *chain = chain_of(c, c->v[i].in);

    c->v[i].next = *chain;
    *chain = i;
}

static void unlink_entry(struct series_cache *c, u32 i)
{
    u32 *at = chain_of(c, c->v[i].in);

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
static bool grow(struct series_cache *c)
{
    u32 cap = MIN(c->max, MAX(FIRST, c->cap * 2)), n_chains = chains_for(cap);
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

static void drop(struct series_cache *c, u32 i)
{
    unlink_entry(c, i);
    take_out(c, i);
    let_go(c, &c->v[i]);
    c->v[i].next = c->free;
    c->free = i;
    c->n_free++;
}

/* A place for one more; NONE when there is no memory. */
static u32 place(struct series_cache *c)
{
    if (!c->n_free && c->n == c->cap) {
        if (c->cap == c->max)
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

void series_cache_put(struct series_cache *c, struct series *in, struct series *out, i64 now)
{
    u32 i = place(c);

    if (i == NONE) {
        if (out) series_retire(c->keeper, out);
        return;
    }
    c->v[i].in = series_ref(in);
    c->v[i].out = out;
    c->v[i].used = now;
    link_entry(c, i);
    put_first(c, i);
}

bool series_cache_del(struct series_cache *c, const struct series *in)
{
    u32 i = find(c, in);

    if (i != NONE) drop(c, i);
    return i != NONE;
}

u32 series_cache_expire(struct series_cache *c, i64 before, u32 n)
{
    u32 gone = 0;

    while (gone < n && c->oldest != NONE && c->v[c->oldest].used < before) {
        drop(c, c->oldest);
        gone++;
    }
    return gone;
}
