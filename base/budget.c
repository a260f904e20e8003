/* Byte budgets as two atomics, and allocation of outside sizes with a fault injector for HOSTILE
 * builds. */
#include "base/budget.h"

#include <stdlib.h>
#include "base/assert.h"

void budget_init(struct budget *b, i64 limit)
{
    atomic_init(&b->used, 0);
    atomic_init(&b->limit, limit);
}

/* A compare-and-swap loop rather than add-and-undo: an undone addition would make other threads see
 * a full budget. */
bool budget_take(struct budget *b, i64 n)
{
    i64 limit = atomic_load_explicit(&b->limit, memory_order_relaxed);
    i64 used = atomic_load_explicit(&b->used, memory_order_relaxed);

    ASSERT(n >= 0);
    do {
        if (limit > 0 && n > limit - used) return false;
    } while (!atomic_compare_exchange_weak_explicit(&b->used, &used, used + n, memory_order_acq_rel,
                                                    memory_order_relaxed));
    return true;
}

void budget_force(struct budget *b, i64 n)
{
    ASSERT(n >= 0);
    atomic_fetch_add_explicit(&b->used, n, memory_order_acq_rel);
}

void budget_give(struct budget *b, i64 n)
{
    i64 was = atomic_fetch_sub_explicit(&b->used, n, memory_order_acq_rel);

    ASSERT(n >= 0 && was >= n);
}

i64 budget_used(const struct budget *b)
{
    return atomic_load_explicit(&b->used, memory_order_relaxed);
}

bool budget_has(const struct budget *b, i64 n)
{
    i64 limit = atomic_load_explicit(&b->limit, memory_order_relaxed);

    return limit <= 0 || n <= limit - budget_used(b);
}

#ifdef HOSTILE
/* Allocations until the one that fails. Process-wide because what it stands for, memory, is. */
static _Atomic long fail_in;

static bool must_fail(void)
{
    long n = atomic_load(&fail_in);

    while (n > 0 && !atomic_compare_exchange_weak(&fail_in, &n, n - 1)) {
    }
    return n == 1;
}

void budget_fail_nth(long n)
{
    atomic_store(&fail_in, n);
}
#else
static bool must_fail(void)
{
    return false;
}

void budget_fail_nth(long n)
{
    (void)n;
}
#endif

void *budget_alloc(size_t n)
{
    return must_fail() ? NULL : malloc(n ? n : 1);
}

void *budget_realloc(void *p, size_t n)
{
    return must_fail() ? NULL : realloc(p, n ? n : 1);
}
