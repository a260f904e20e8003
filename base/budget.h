/* A byte budget shared by threads, and allocation against it for sizes that come from outside.
 * The process has one data budget (architecture: a quarter of the cgroup's memory, at most 256
 * MiB); every queue may have one of its own. Nothing here blocks: a refused unit turns into
 * back-pressure at the caller. Thread safe. */
#ifndef BASE_BUDGET_H
#define BASE_BUDGET_H

#include <stdatomic.h>
#include "base/common.h"

struct budget {
    _Atomic i64 used;
    _Atomic i64 limit; /* 0: without limit */
};

void budget_init(struct budget *b, i64 limit);
/* Takes n units; false (and nothing taken) when that would pass the limit. */
bool budget_take(struct budget *b, i64 n) WARN_UNUSED;
/* Takes n units whatever the limit says (for what is already in memory). */
void budget_force(struct budget *b, i64 n);
void budget_give(struct budget *b, i64 n);
i64 budget_used(const struct budget *b);
/* True while at least n units are free. */
bool budget_has(const struct budget *b, i64 n);

/* malloc for sizes from outside: NULL when memory is out (HOSTILE builds fail the N-th call).
 * free() it. */
void *budget_alloc(size_t n) WARN_UNUSED;
void *budget_realloc(void *p, size_t n) WARN_UNUSED;
/* HOSTILE builds: the N-th budget allocation from now fails (0: none). A no-op elsewhere. */
void budget_fail_nth(long n);

#endif
