/* Allocation of small things of our own choosing: never returns NULL, aborts when memory is out.
 * A size that comes from outside is allocated through base/budget.h instead. The caller owns the
 * result; free() it. */
#ifndef BASE_XALLOC_H
#define BASE_XALLOC_H

#include <stdarg.h>
#include <stdlib.h>
#include "base/common.h"

void *xmalloc(size_t n) __attribute__((malloc, returns_nonnull));
void *xcalloc(size_t n, size_t size) __attribute__((malloc, returns_nonnull));
void *xrealloc(void *p, size_t n) __attribute__((returns_nonnull));
char *xstrdup(const char *s) __attribute__((malloc, returns_nonnull));
void *xmemdup(const void *p, size_t n) __attribute__((malloc, returns_nonnull));
/* printf into a new string. */
char *xprintf(const char *fmt, ...) PRINTF(1, 2) __attribute__((malloc, returns_nonnull));
char *xvprintf(const char *fmt, va_list ap) __attribute__((malloc, returns_nonnull));

#define xnew(T) ((T *)xcalloc(1, sizeof(T)))

#endif
