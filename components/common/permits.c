/* A counted right to do something at the same time. */
#include "components/common/permits.h"

static bool others_first(struct permits *p, const struct permits_share *s)
{
    i32 fair = atomic_load_explicit(&p->limit, memory_order_relaxed) /
               MAX(atomic_load_explicit(&p->sharers, memory_order_relaxed), 1);
    return !s->hungry && s->held >= fair &&
           atomic_load_explicit(&p->hungry, memory_order_relaxed) > 0;
}

static bool take_one(struct permits *p)
{
    i32 limit = atomic_load_explicit(&p->limit, memory_order_relaxed);
    i32 used = atomic_load_explicit(&p->used, memory_order_relaxed);
    while (used < limit)
        if (atomic_compare_exchange_weak(&p->used, &used, used + 1)) return true;
    return false;
}

static void become_hungry(struct permits *p, struct permits_share *s)
{
    if (s->held > 0 || s->hungry) return;
    s->hungry = true;
    atomic_fetch_add(&p->hungry, 1);
}

void permits_sated(struct permits *p, struct permits_share *s)
{
    if (s->hungry) atomic_fetch_sub(&p->hungry, 1);
    s->hungry = false;
}

bool permits_take(struct permits *p, struct permits_share *s)
{
    if (others_first(p, s) || !take_one(p)) {
        become_hungry(p, s);
        return false;
    }
    permits_sated(p, s);
    s->held++;
    return true;
}

void permits_give(struct permits *p, struct permits_share *s)
{
    s->held--;
    atomic_fetch_sub(&p->used, 1);
}
