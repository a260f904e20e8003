/* TOML 1.0 as trees, for configurations of gitleaks; there is no C library for it in the
 * distributions that this builds on. Strict: what is not TOML, is defined twice, or is a date
 * (which nothing here can use) is refused with its line. */
#ifndef COMPONENTS_LOKI_SECRETFILTER_TOML_H
#define COMPONENTS_LOKI_SECRETFILTER_TOML_H

#include "base/arena.h"

#define TOML_MAX_DEPTH 32

enum toml_type { TOML_TABLE, TOML_ARRAY, TOML_STRING, TOML_INT, TOML_FLOAT, TOML_BOOL };
struct toml {
    enum toml_type type;
    u32 line;       /* where it is defined, from 1 */
    struct str key; /* of members */
    struct str str;
    i64 i;
    f64 f; /* of integers as well */
    bool b;
    struct toml *first, *last, *next; /* members or elements, in order */
    bool closed;                      /* written with { } or as a whole: nothing may be added */
    bool defined;                     /* its [header] was seen */
    bool tables;                      /* of arrays: made by [[headers]] */
};
/* 0 and *ret the top table; -EBADMSG with *ret_err in the arena: "line N: what". Texts are views of
 * the input where they can be. */
int toml_parse(struct str text, struct arena *a, struct toml **ret, const char **ret_err);
struct toml *toml_get(const struct toml *table, struct str key); /* NULL when missing */

#endif
