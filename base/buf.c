/* Growable bytes with a maximum; errors stick, so that writers of many pieces test once. */
#include "base/buf.h"

#include <errno.h>
#include <stdlib.h>
#include "base/assert.h"
#include "base/budget.h"
#include "base/xalloc.h"

#define BUF_FIRST 64

void buf_init(struct buf *b, size_t max)
{
    *b = BUF_INIT(max);
}

void buf_done(struct buf *b)
{
    free(b->p);
    *b = BUF_INIT(b->max);
}

void buf_reset(struct buf *b)
{
    b->n = 0;
    b->err = 0;
    if (b->p) b->p[0] = '\0';
}

int buf_err(const struct buf *b)
{
    return b->err;
}

#define HOSTILE_EXACT 16384

/* HOSTILE builds move the contents on every growth, so that a pointer kept across an addition is
 * found out. */
static char *resize(struct buf *b, size_t cap)
{
#ifdef HOSTILE
    char *p = budget_alloc(cap);

    if (!p) return NULL;
    if (b->n) memcpy(p, b->p, b->n);
    free(b->p);
    return p;
#else
    return budget_realloc(b->p, cap);
#endif
}

/* The capacity for `need` bytes and the NUL: doubled, but no further than the maximum. Hostile:
 * just that much, with some room once it is long, as moving megabytes for each byte takes hours. */
static size_t next_cap(const struct buf *b, size_t need)
{
#ifdef HOSTILE
    size_t cap = need + 1 + (need > HOSTILE_EXACT ? need / 16 : 0);

    return b->max < cap - 1 ? b->max + 1 : cap;
#else
    size_t cap = MAX(b->cap > SIZE_MAX / 2 ? need + 1 : b->cap * 2, BUF_FIRST);

    cap = MAX(cap, need + 1);
    return b->max < cap - 1 ? b->max + 1 : cap;
#endif
}

static bool grow(struct buf *b, size_t n)
{
    if (b->err) return false;
    if (n > b->max - b->n || b->n + n == SIZE_MAX) {
        b->err = -E2BIG;
        return false;
    }
    size_t cap = next_cap(b, b->n + n);
    char *p = resize(b, cap);
    if (!p) {
        b->err = -ENOMEM;
        return false;
    }
    b->p = p;
    b->cap = cap;
    p[b->n] = '\0'; /* also when nothing is committed after all */
    return true;
}

static inline bool room(struct buf *b, size_t n)
{
    return LIKELY(!b->err && n < b->cap - b->n) || grow(b, n);
}

char *buf_reserve(struct buf *b, size_t n)
{
    return room(b, n) ? b->p + b->n : NULL;
}

void buf_commit(struct buf *b, size_t n)
{
    ASSERT(!b->err && n < b->cap - b->n);
    b->n += n;
    b->p[b->n] = '\0';
}

void buf_add(struct buf *b, const void *p, size_t n)
{
    if (n == 0 || !room(b, n)) return;
    memcpy(b->p + b->n, p, n);
    buf_commit(b, n);
}

void buf_str(struct buf *b, struct str s)
{
    buf_add(b, s.p, s.n);
}

void buf_cstr(struct buf *b, const char *s)
{
    buf_add(b, s, strlen(s));
}

void buf_ch(struct buf *b, char c)
{
    if (!room(b, 1)) return;
    b->p[b->n++] = c;
    b->p[b->n] = '\0';
}

void buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
    va_list again;

    if (b->err) return;
    va_copy(again, ap);
    size_t left = b->cap - b->n;
    int n = vsnprintf(left ? b->p + b->n : NULL, left, fmt, ap);
    ASSERT(n >= 0);
    if ((size_t)n < left) {
        b->n += (size_t)n;
    } else if (room(b, (size_t)n)) {
        vsnprintf(b->p + b->n, (size_t)n + 1, fmt, again);
        b->n += (size_t)n;
    } else if (left) {
        b->p[b->n] = '\0'; /* what the first try cut off */
    }
    va_end(again);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    buf_vprintf(b, fmt, ap);
    va_end(ap);
}

void buf_consume(struct buf *b, size_t n)
{
    ASSERT(n <= b->n);
    if (n == 0) return;
    b->n -= n;
    memmove(b->p, b->p + n, b->n);
    b->p[b->n] = '\0';
}

void buf_truncate(struct buf *b, size_t n)
{
    ASSERT(n <= b->n);
    b->n = n;
    if (b->p) b->p[n] = '\0';
}

char *buf_take(struct buf *b, size_t *ret_n)
{
    char *p = b->p ? b->p : xcalloc(1, 1);

    if (ret_n) *ret_n = b->n;
    *b = BUF_INIT(b->max);
    return p;
}
