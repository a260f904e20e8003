/* A token and when it ends. */
#include "net/http_token.h"

#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/refcount.h"
#include "base/xalloc.h"

#define MARGIN  10.0 /* seconds: it is not used while it may expire on its way */
#define LONGEST (365.0 * 86400)

struct http_token {
    struct refs refs;
    char *value;
    size_t n;
    i64 ends; /* 0: never */
};

struct http_token *http_token_new(void)
{
    struct http_token *t = xnew(struct http_token);

    refs_init(&t->refs);
    return t;
}

struct http_token *http_token_ref(struct http_token *t)
{
    if (t) refs_get(&t->refs);
    return t;
}

void http_token_unref(struct http_token *t)
{
    if (!t || !refs_put(&t->refs)) return;
    http_token_forget(t);
    free(t);
}

void http_token_forget(struct http_token *t)
{
    if (t->value) explicit_bzero(t->value, t->n);
    free(t->value);
    t->value = NULL;
    t->n = 0;
}

void http_token_keep(struct http_token *t, struct str value, f64 seconds, i64 now)
{
    http_token_forget(t);
    if (seconds > 0 && seconds <= MARGIN) return;
    t->value = str_dup(value);
    t->n = value.n;
    t->ends = seconds > 0 ? now + (i64)((MIN(seconds, LONGEST) - MARGIN) * (f64)NS_PER_SEC) : 0;
}

struct str http_token_get(const struct http_token *t, i64 now)
{
    if (!t || !t->value || (t->ends && now >= t->ends)) return (struct str){0};
    return str_n(t->value, t->n);
}
