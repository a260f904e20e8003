/* A counted right to do something at the same time, drawn by all workers from one instance-wide
 * limit and shared fairly: a worker that gets none while others hold more than their part is served
 * before them. Lock-free; thread safe. */
#ifndef COMPONENTS_COMMON_PERMITS_H
#define COMPONENTS_COMMON_PERMITS_H

#include <stdatomic.h>

#include "base/common.h"

struct permits {
    _Atomic i32 limit, used;
    _Atomic i32 sharers; /* workers that take part */
    _Atomic i32 hungry;  /* of them, those that hold none and want one */
};

/* What one worker holds. Zeroed at first; its worker only. */
struct permits_share {
    i32 held;
    bool hungry;
};

/* False: none for this share now; a share that holds none is remembered as hungry until it got one
 * or gave up. */
bool permits_take(struct permits *p, struct permits_share *s);
void permits_give(struct permits *p, struct permits_share *s);
/* It wants nothing any more. */
void permits_sated(struct permits *p, struct permits_share *s);

#endif
