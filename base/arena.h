/* A region freed as a whole: generation, evaluation, batch, request. Embedded (arena_init /
 * arena_done) or as arena_new. Allocation never returns NULL (it is for sizes of our own choosing);
 * memory is aligned for any type and zeroed. Under ASan or HOSTILE each allocation is its own
 * malloc, so that overruns are seen. One thread at a time. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdarg.h>
#include "base/str.h"

struct arena_block;
struct arena {
    struct arena_block *head;
    char *at, *end;
    size_t first, total; /* size of the first block; bytes held */
    struct arena_cleanup *cleanups;
};

/* first: size of the first block (0: 1 KiB); nothing is allocated before the first use. */
void arena_init(struct arena *a, size_t first);
void arena_done(struct arena *a);
/* Frees all but keeps the struct usable. */
void arena_reset(struct arena *a);
/* The same, but its newest block, when it is not large, serves again: for what is reset all the
 * time. */
void arena_rewind(struct arena *a);
void *arena_alloc(struct arena *a, size_t n) __attribute__((returns_nonnull));
void *arena_memdup(struct arena *a, const void *p, size_t n) __attribute__((returns_nonnull));
/* Terminated copy. */
char *arena_strdup(struct arena *a, struct str s) __attribute__((returns_nonnull));
struct str arena_str(struct arena *a, struct str s);
char *arena_printf(struct arena *a, const char *fmt, ...) PRINTF(2, 3)
    __attribute__((returns_nonnull));
/* fn(arg) runs when the arena is reset or done, last registered first. */
void arena_cleanup(struct arena *a, void (*fn)(void *), void *arg);
size_t arena_size(const struct arena *a);

#define arena_new(a, T)      ((T *)arena_alloc((a), sizeof(T)))
#define arena_array(a, T, n) ((T *)arena_alloc((a), sizeof(T) * (n)))

#endif
