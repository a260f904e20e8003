/* Chained hash table in parts. Each part doubles when it holds as many nodes as chains; the new
 * array is allocated outside of the lock, and thrown away when another thread was faster. */
#include "telemetry/intern.h"

#include <stdlib.h>
#include "base/spin.h"
#include "base/xalloc.h"

#define PART_MIN 32 /* chains of a part at first */

struct intern_part {
    struct spin lock;
    struct intern_node **chains;
    size_t n_chains, n;
};

void intern_init(struct intern *t, bool (*same)(const struct intern_node *node, const void *key))
{
    t->same = same;
    t->parts = xcalloc(INTERN_PARTS, sizeof(*t->parts));
    for (size_t i = 0; i < INTERN_PARTS; i++) {
        t->parts[i].n_chains = PART_MIN;
        t->parts[i].chains = xcalloc(PART_MIN, sizeof(struct intern_node *));
    }
}

void intern_done(struct intern *t)
{
    for (size_t i = 0; i < INTERN_PARTS; i++)
        free(t->parts[i].chains);
    free(t->parts);
}

size_t intern_count(const struct intern *t)
{
    size_t n = 0;

    for (size_t i = 0; i < INTERN_PARTS; i++) {
        spin_lock(&t->parts[i].lock);
        n += t->parts[i].n;
        spin_unlock(&t->parts[i].lock);
    }
    return n;
}

static struct intern_part *part_of(struct intern *t, u32 hash)
{
    return &t->parts[hash % INTERN_PARTS];
}

static struct intern_node **chain_of(struct intern_part *p, u32 hash)
{
    return &p->chains[hash / INTERN_PARTS & (p->n_chains - 1)];
}

/* Part locked. Counts are not zero here: who drops the last reference unlinks in the same lock. */
static struct intern_node *find(struct intern *t, struct intern_part *p, u32 hash, const void *key)
{
    for (struct intern_node *n = *chain_of(p, hash); n; n = n->next)
        if (n->hash == hash && t->same(n, key)) {
            refs_get(&n->refs);
            return n;
        }
    return NULL;
}

struct intern_node *intern_find(struct intern *t, u32 hash, const void *key)
{
    struct intern_part *p = part_of(t, hash);

    spin_lock(&p->lock);
    struct intern_node *n = find(t, p, hash, key);
    spin_unlock(&p->lock);
    return n;
}

/* Part locked: into larger chains; gives the old ones back. */
static struct intern_node **rehash(struct intern_part *p, struct intern_node **chains, size_t n)
{
    struct intern_node **old = p->chains;
    size_t n_old = p->n_chains;

    p->chains = chains;
    p->n_chains = n;
    for (size_t i = 0; i < n_old; i++)
        for (struct intern_node *node = old[i], *next; node; node = next) {
            struct intern_node **chain = chain_of(p, node->hash);
            next = node->next;
            node->next = *chain;
            *chain = node;
        }
    return old;
}

static void grow(struct intern_part *p, size_t n_chains)
{
    struct intern_node **chains = xcalloc(n_chains * 2, sizeof(struct intern_node *));

    spin_lock(&p->lock);
    if (p->n_chains == n_chains) chains = rehash(p, chains, n_chains * 2);
    spin_unlock(&p->lock);
    free(chains);
}

struct intern_node *intern_put(struct intern *t, struct intern_node *mine, const void *key)
{
    struct intern_part *p = part_of(t, mine->hash);
    size_t full = 0;

    spin_lock(&p->lock);
    struct intern_node *found = find(t, p, mine->hash, key);
    if (!found) {
        struct intern_node **chain = chain_of(p, mine->hash);
        mine->next = *chain;
        *chain = mine;
        if (++p->n > p->n_chains) full = p->n_chains;
    }
    spin_unlock(&p->lock);
    if (full) grow(p, full);
    return found ? found : mine;
}

/* One that is not the last is dropped without the lock; the last only inside, where nobody can find
 * the node any more. */
static bool drop_unless_last(struct intern_node *node)
{
    u32 n = atomic_load_explicit(&node->refs.n, memory_order_relaxed);

    while (n > 1)
        if (atomic_compare_exchange_weak_explicit(&node->refs.n, &n, n - 1, memory_order_acq_rel,
                                                  memory_order_relaxed))
            return true;
    return false;
}

static void unlink_node(struct intern_part *p, struct intern_node *node)
{
    struct intern_node **at = chain_of(p, node->hash);

    while (*at != node)
        at = &(*at)->next;
    *at = node->next;
    p->n--;
}

bool intern_unref(struct intern *t, struct intern_node *node)
{
    if (drop_unless_last(node)) return false;
    struct intern_part *p = part_of(t, node->hash);

    spin_lock(&p->lock);
    bool last = refs_put(&node->refs);
    if (last) unlink_node(p, node);
    spin_unlock(&p->lock);
    return last;
}
