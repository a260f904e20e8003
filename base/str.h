/* A borrowed run of bytes: pointer and length, not terminated, never owned by this type. Empty has
 * n == 0; p may then be NULL. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <string.h>
#include "base/common.h"

struct str {
    const char *p;
    size_t n;
};

#define STR(lit)   ((struct str){("" lit), sizeof(lit) - 1})
#define STR_FMT    "%.*s"
#define STR_ARG(s) (int)(s).n, ((s).p ? (s).p : "")

static inline struct str str_of(const char *s)
{
    return (struct str){s, s ? strlen(s) : 0};
}
static inline struct str str_n(const char *p, size_t n)
{
    return (struct str){p, n};
}
static inline struct str str_sub(struct str s, size_t from, size_t to)
{
    return (struct str){s.p + from, to - from};
}
static inline bool str_eq(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}
static inline bool str_is(struct str a, const char *b)
{
    return str_eq(a, str_of(b));
}

/* Bytewise order: <0, 0, >0. */
int str_cmp(struct str a, struct str b);
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
/* ASCII case-insensitive equality (header names and the like). */
bool str_ieq(struct str a, struct str b);
/* Offset of the first needle, or -1. An empty needle is found at 0. */
ssize_t str_find(struct str s, struct str needle);
ssize_t str_chr(struct str s, char c);
ssize_t str_rchr(struct str s, char c);
/* Without leading and trailing ASCII white space. */
struct str str_trim(struct str s);
/* Cuts s at the first sep: returns what stands before it, leaves the rest in *s. Without a sep
 * returns all, *s becomes empty with p == NULL. */
struct str str_cut(struct str *s, char sep);
/* Edit distance, for "did you mean"; two letters that changed places are one edit. Capped: returns
 * max+1 once it is larger than max. */
int str_distance(struct str a, struct str b, int max);
/* Owned, terminated copy; free() it. */
char *str_dup(struct str s);

#endif
