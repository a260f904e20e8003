/* Last times of streams: a hash table by the address of the label set, of which there is one in the
 * process, and a list in order of use. Indexes are one more than the place in v, 0 is none. */
#include "components/loki/process/last_times.h"

#include <stdlib.h>
#include "base/hash.h"
#include "base/xalloc.h"

static struct last_time *at(const struct last_times *t, u32 i)
{
    return &t->v[i - 1];
}

static u32 *slot(const struct last_times *t, const struct labels *l)
{
    return &t->slots[hash_mix((u64)(uintptr_t)l, 0x9E3779B97F4A7C15u) & (t->n_slots - 1)];
}

/* --- order of use --- */

static void unlink_use(struct last_times *t, u32 i)
{
    struct last_time *x = at(t, i);
    if (x->newer)
        at(t, x->newer)->older = x->older;
    else
        t->newest = x->older;
    if (x->older)
        at(t, x->older)->newer = x->newer;
    else
        t->oldest = x->newer;
}

static void link_newest(struct last_times *t, u32 i)
{
    struct last_time *x = at(t, i);
    x->newer = 0;
    x->older = t->newest;
    if (t->newest)
        at(t, t->newest)->newer = i;
    else
        t->oldest = i;
    t->newest = i;
}

/* --- the table --- */

static void link_slot(struct last_times *t, u32 i)
{
    u32 *s = slot(t, at(t, i)->labels);
    at(t, i)->chain = *s;
    *s = i;
}

static void unlink_slot(struct last_times *t, u32 i)
{
    u32 *s = slot(t, at(t, i)->labels);
    while (*s != i)
        s = &at(t, *s)->chain;
    *s = at(t, i)->chain;
}

static void grow(struct last_times *t)
{
    if (t->n < t->cap) return;
    t->cap = MIN(t->cap ? 2 * t->cap : 16u, (u32)LAST_TIMES_MAX);
    t->v = xrealloc(t->v, t->cap * sizeof(*t->v));
    if (t->n_slots >= t->cap) return;
    t->n_slots = t->n_slots ? 2 * t->n_slots : 32;
    free(t->slots);
    t->slots = xcalloc(t->n_slots, sizeof(*t->slots));
    for (u32 i = 1; i <= t->n; i++)
        link_slot(t, i);
}

struct last_time *last_times_find(struct last_times *t, struct labels *l)
{
    if (t->n == 0) return NULL;
    for (u32 i = *slot(t, l); i; i = at(t, i)->chain) {
        if (at(t, i)->labels != l) continue;
        unlink_use(t, i);
        link_newest(t, i);
        return at(t, i);
    }
    return NULL;
}

/* A free place, or that of the oldest. */
static u32 place(struct last_times *t)
{
    if (t->n < LAST_TIMES_MAX) {
        grow(t);
        return ++t->n;
    }
    u32 i = t->oldest;
    unlink_use(t, i);
    unlink_slot(t, i);
    labels_unref(at(t, i)->labels);
    return i;
}

void last_times_add(struct last_times *t, struct labels *l, i64 parsed, i64 given)
{
    u32 i = place(t);
    *at(t, i) = (struct last_time){.labels = labels_ref(l), .parsed = parsed, .given = given};
    link_slot(t, i);
    link_newest(t, i);
}

void last_times_done(struct last_times *t)
{
    for (u32 i = 1; i <= t->n; i++)
        labels_unref(at(t, i)->labels);
    free(t->v);
    free(t->slots);
    *t = (struct last_times){0};
}
