/* Allocation that cannot fail: out of memory for a few bytes of our own ends the process. */
#include "base/xalloc.h"

#include <stdarg.h>
#include "base/assert.h"

static void *must(void *p)
{
    if (UNLIKELY(!p)) {
        fputs("weir: out of memory\n", stderr);
        abort();
    }
    return p;
}

void *xmalloc(size_t n)
{
    return must(malloc(n ? n : 1));
}

void *xcalloc(size_t n, size_t size)
{
    return must(calloc(n ? n : 1, size ? size : 1));
}

void *xrealloc(void *p, size_t n)
{
    return must(realloc(p, n ? n : 1));
}

char *xstrdup(const char *s)
{
    return must(strdup(s));
}

void *xmemdup(const void *p, size_t n)
{
    void *copy = xmalloc(n);

    if (n) memcpy(copy, p, n);
    return copy;
}

char *xvprintf(const char *fmt, va_list ap)
{
    char *text = NULL;
    int n = vasprintf(&text, fmt, ap);
    return must(n < 0 ? NULL : text);
}

char *xprintf(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *text = xvprintf(fmt, ap);
    va_end(ap);
    return text;
}
