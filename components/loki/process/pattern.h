/* Patterns of LogQL: literals and captures, <name> or <_>. A capture takes the text up to the first
 * place where the literal behind it begins; the last takes the rest. */
#ifndef COMPONENTS_LOKI_PROCESS_PATTERN_H
#define COMPONENTS_LOKI_PROCESS_PATTERN_H

#include "base/arena.h"

struct pattern_part {
    struct str literal; /* of literals */
    struct str name;    /* of captures; .n == 0: it is skipped */
    bool capture;
};
struct pattern {
    struct pattern_part *parts;
    u32 n, named;
};
/* 0, or -EINVAL with *ret_err in the arena. Names and literals are views of the text. */
int pattern_compile(struct str text, struct arena *a, struct pattern *ret, const char **ret_err);
/* What the named captures took goes to values[0 .. the number returned), in their order; later ones
 * are unset. 0: no match. values has room for p->named. */
u32 pattern_match(const struct pattern *p, struct str text, struct str *values);

#endif
