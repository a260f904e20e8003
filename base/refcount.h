/* Atomic reference count: one for the maker; the one that brings it to zero destroys. */
#ifndef BASE_REFCOUNT_H
#define BASE_REFCOUNT_H

#include <stdatomic.h>
#include "base/assert.h"

struct refs {
    _Atomic u32 n;
};

static inline void refs_init(struct refs *r)
{
    atomic_init(&r->n, 1);
}
static inline void refs_get(struct refs *r)
{
    u32 was = atomic_fetch_add_explicit(&r->n, 1, memory_order_relaxed);
    ASSERT(was > 0);
}
/* True when this was the last one: all that others did to the object is visible then. */
static inline bool refs_put(struct refs *r)
{
    u32 was = atomic_fetch_sub_explicit(&r->n, 1, memory_order_acq_rel);
    ASSERT(was > 0);
    return was == 1;
}
/* How many there are; of use only to who knows which of them can still change. */
static inline u32 refs_count(struct refs *r)
{
    return atomic_load_explicit(&r->n, memory_order_acquire);
}
static inline bool refs_sole(struct refs *r)
{
    return refs_count(r) == 1;
}

#endif
