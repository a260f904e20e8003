/* Bump allocation in a chain of zeroed blocks, freed together.
 * Under ASan or HOSTILE every allocation gets a block of its own, so that an overrun meets the
 * allocator's guards. */
#include "base/arena.h"

#include <stdlib.h>
#include "base/assert.h"
#include "base/xalloc.h"

#if defined(HOSTILE) || defined(__SANITIZE_ADDRESS__)
#define BLOCK_EACH 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BLOCK_EACH 1
#endif
#endif
#ifndef BLOCK_EACH
#define BLOCK_EACH 0
#endif

#define BLOCK_FIRST   ((size_t)1024)
#define BLOCK_LARGEST ((size_t)64 * 1024)

struct arena_block {
    struct arena_block *next;
    size_t size;
    max_align_t data[];
};

struct arena_cleanup {
    struct arena_cleanup *next;
    void (*fn)(void *);
    void *arg;
};

void arena_init(struct arena *a, size_t first)
{
    *a = (struct arena){.first = first ? first : BLOCK_FIRST};
}

void arena_reset(struct arena *a)
{
    for (struct arena_cleanup *c = a->cleanups; c; c = c->next)
        c->fn(c->arg);
    for (struct arena_block *b = a->head, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    arena_init(a, a->first);
}

void arena_done(struct arena *a)
{
    arena_reset(a);
}

void arena_rewind(struct arena *a)
{
    struct arena_block *b = a->head;

    if (!b) return;
    if (b->next || a->cleanups || !a->at || b->size > BLOCK_LARGEST) {
        arena_reset(a);
        return;
    }
    memset(b->data, 0, (size_t)(a->at - (char *)b->data));
    a->at = (char *)b->data;
}

static struct arena_block *block_new(struct arena *a, size_t size)
{
    ASSERT(size <= PTRDIFF_MAX - sizeof(struct arena_block));
    struct arena_block *b = xcalloc(1, sizeof(*b) + size);

    b->size = size;
    a->total += size;
    return b;
}

/* A block of its own goes behind the head, so that the rest of the current block is not lost. */
static void *alloc_alone(struct arena *a, size_t n)
{
    struct arena_block *b = block_new(a, n);
    struct arena_block **at = a->head ? &a->head->next : &a->head;

    b->next = *at;
    *at = b;
    return b->data;
}

static size_t next_size(const struct arena *a)
{
    return a->at ? MIN(MAX(a->head->size * 2, a->first), MAX(BLOCK_LARGEST, a->first)) : a->first;
}

static void *alloc_slow(struct arena *a, size_t n)
{
    size_t size = next_size(a);

    if (BLOCK_EACH || n > size / 2) return alloc_alone(a, n);
    struct arena_block *b = block_new(a, size);
    b->next = a->head;
    a->head = b;
    a->at = (char *)b->data + n;
    a->end = (char *)b->data + size;
    return b->data;
}

void *arena_alloc(struct arena *a, size_t n)
{
    ASSERT(n <= PTRDIFF_MAX);
    if (BLOCK_EACH) return alloc_alone(a, n);
    n = (n + _Alignof(max_align_t) - 1) & ~(_Alignof(max_align_t) - 1);
    if (UNLIKELY(n > (size_t)(a->end - a->at))) return alloc_slow(a, n);
    void *p = a->at ? a->at : alloc_alone(a, n);
    if (a->at) a->at += n;
    return p;
}

void *arena_memdup(struct arena *a, const void *p, size_t n)
{
    void *copy = arena_alloc(a, n);

    if (n) memcpy(copy, p, n);
    return copy;
}

char *arena_strdup(struct arena *a, struct str s)
{
    char *copy = arena_alloc(a, s.n + 1);

    if (s.n) memcpy(copy, s.p, s.n);
    return copy;
}

struct str arena_str(struct arena *a, struct str s)
{
    return str_n(arena_strdup(a, s), s.n);
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap, again;

    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    ASSERT(n >= 0);
    char *text = arena_alloc(a, (size_t)n + 1);
    vsnprintf(text, (size_t)n + 1, fmt, again);
    va_end(again);
    va_end(ap);
    return text;
}

void arena_cleanup(struct arena *a, void (*fn)(void *), void *arg)
{
    struct arena_cleanup *c = arena_new(a, struct arena_cleanup);

    *c = (struct arena_cleanup){a->cleanups, fn, arg};
    a->cleanups = c;
}

size_t arena_size(const struct arena *a)
{
    return a->total;
}
