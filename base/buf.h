/* A growable run of bytes with a maximum given when it is made. Embedded: buf_init / buf_done.
 * An addition that would pass the maximum, or fails to allocate, sets `err` (-E2BIG, -ENOMEM), adds
 * nothing, and makes every later addition a no-op: write many, test once with buf_err(). Contents
 * are always followed by a NUL that is not counted. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include "base/str.h"

struct buf {
    char *p; /* NULL while nothing was added */
    size_t n, cap, max;
    int err;
};

#define BUF_INIT(max_) ((struct buf){.max = (max_)})
void buf_init(struct buf *b, size_t max);
void buf_done(struct buf *b);
/* Empties it and clears err; keeps the memory. */
void buf_reset(struct buf *b);
int buf_err(const struct buf *b);
void buf_add(struct buf *b, const void *p, size_t n);
void buf_str(struct buf *b, struct str s);
void buf_cstr(struct buf *b, const char *s);
void buf_ch(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF(2, 3);
void buf_vprintf(struct buf *b, const char *fmt, va_list ap) PRINTF(2, 0);
/* Room for n more bytes at the returned place, NULL on error; then buf_commit what was written. */
char *buf_reserve(struct buf *b, size_t n);
void buf_commit(struct buf *b, size_t n);
/* Drops n bytes at the front. */
void buf_consume(struct buf *b, size_t n);
void buf_truncate(struct buf *b, size_t n);
static inline struct str buf_view(const struct buf *b)
{
    return (struct str){b->p, b->n};
}
/* Moves the terminated contents out (free() it; never NULL); the buf is empty again. */
char *buf_take(struct buf *b, size_t *ret_n);

#endif
