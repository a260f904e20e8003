/* A table of chains and a list by age over one array of entries, all by number. The array doubles
 * until it has reached the maximum: a small set of streams costs little. */
#include "components/common/label_cache.h"

#include <stdlib.h>

#include "base/budget.h"
#include "base/hash.h"
#include "base/xalloc.h"

#define FIRST 64u
#define NONE  UINT32_MAX

struct entry {
    struct labels *in, *out;
    u32 next;         /* in its chain */
    u32 newer, older; /* by the last use */
};
struct label_cache {
    struct entry *v;
    u32 n, cap, max;
    u32 *chains, n_chains; /* a power of two, at least cap */
    u32 newest, oldest;
};

struct label_cache *label_cache_new(u32 max)
{
    struct label_cache *c = xnew(struct label_cache);

    c->max = max;
    c->newest = c->oldest = NONE;
    return c;
}

void label_cache_free(struct label_cache *c)
{
    if (!c) return;
    for (u32 i = 0; i < c->n; i++) {
        labels_unref(c->v[i].in);
        labels_unref(c->v[i].out);
    }
    free(c->v);
    free(c->chains);
    free(c);
}

u32 label_cache_count(const struct label_cache *c)
{
    return c->n;
}

static u32 *chain_of(const struct label_cache *c, const struct labels *in)
{
    return &c->chains[hash_mix((u64)(uintptr_t)in, 0) & (c->n_chains - 1)];
}

/* --- by age --- */

static void take_out(struct label_cache *c, u32 i)
{
    struct entry *e = &c->v[i];

    *(e->newer == NONE ? &c->newest : &c->v[e->newer].older) = e->older;
    *(e->older == NONE ? &c->oldest : &c->v[e->older].newer) = e->newer;
}

static void put_first(struct label_cache *c, u32 i)
{
    c->v[i].newer = NONE;
    c->v[i].older = c->newest;
    *(c->newest == NONE ? &c->oldest : &c->v[c->newest].newer) = i;
    c->newest = i;
}

/* --- lookup --- */

bool label_cache_get(struct label_cache *c, const struct labels *in, struct labels **ret)
{
    if (!c->n) return false;
    for (u32 i = *chain_of(c, in); i != NONE; i = c->v[i].next)
        if (c->v[i].in == in) {
            if (c->newest != i) {
                take_out(c, i);
                put_first(c, i);
            }
            *ret = c->v[i].out;
            return true;
        }
    return false;
}

static void link_entry(struct label_cache *c, u32 i)
{
    u32 *chain = chain_of(c, c->v[i].in);

    c->v[i].next = *chain;
    *chain = i;
}

static void unlink_entry(struct label_cache *c, u32 i)
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

static bool grow(struct label_cache *c)
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

/* The place of the oldest, which leaves. */
static u32 reuse(struct label_cache *c)
{
    u32 i = c->oldest;

    unlink_entry(c, i);
    take_out(c, i);
    labels_unref(c->v[i].in);
    labels_unref(c->v[i].out);
    return i;
}

bool label_cache_put(struct label_cache *c, struct labels *in, struct labels *out)
{
    if (c->n == c->cap && c->cap < c->max && !grow(c)) return false;
    u32 i = c->n < c->cap ? c->n++ : reuse(c);

    c->v[i].in = labels_ref(in);
    c->v[i].out = out ? labels_ref(out) : NULL;
    link_entry(c, i);
    put_first(c, i);
    return true;
}
