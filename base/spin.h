/* A lock for a handful of instructions: no allocation of outside size, no system call, no callback
 * while it is held. This floor may not use pthread_mutex; what it guards here (a list head, a small
 * ring of bytes) needs no sleeping. */
#ifndef BASE_SPIN_H
#define BASE_SPIN_H

#include <sched.h>
#include <stdatomic.h>
#include "base/common.h"

struct spin {
    atomic_bool held; /* zero: free */
};

static inline void spin_lock(struct spin *s)
{
    for (int tries = 0; atomic_exchange_explicit(&s->held, true, memory_order_acquire); tries++) {
        if (tries > 100) sched_yield(); /* the holder may have lost its CPU */
    }
}
static inline void spin_unlock(struct spin *s)
{
    atomic_store_explicit(&s->held, false, memory_order_release);
}

#endif
