/* JMESPath, Community edition (spec A.4, stage.json): expressions over JSON. An expression is
 * compiled once and immutable; any thread may search with it, each search works in an arena of its
 * own. Sources: the JMESPath specification and the edition's proposals (let, arithmetic, strings,
 * objects); where the two are silent, what users of Alloy see. */
#ifndef COMPONENTS_LOKI_JMESPATH_H
#define COMPONENTS_LOKI_JMESPATH_H

#include "components/loki/jmespath/jv.h"

/* Limits of one search, against expressions that multiply what they are given. */
#define JMESPATH_MAX_STEPS  2000000
#define JMESPATH_MAX_MEMORY ((size_t)32 << 20)
/* Nesting of an expression, and its length. */
#define JMESPATH_MAX_DEPTH 200
#define JMESPATH_MAX_TEXT  65536

struct jmespath;
/* NULL with *ret_err owned, free() it: what is wrong and where ("... at character 7"). */
struct jmespath *jmespath_new(struct str expr, char **ret_err);
void jmespath_free(struct jmespath *p); /* takes NULL */
/* The field names of an expression that is a path of nothing else (a, a.b, "x y".z): what
 * components/loki/jmespath/paths.h finds without a tree. 0: it is something else. */
size_t jmespath_path(const struct jmespath *p, const struct str **ret_names);
/* A function that it calls and nobody has; .p is NULL: none. Calls of it fail at run time. */
struct str jmespath_unknown(const struct jmespath *p);
/* 0 with *ret (JV_NULL: no match); -EINVAL with *ret_err, static or in the arena, when it fails at
 * run time. */
int jmespath_search(const struct jmespath *p, const struct jv *doc, struct arena *a, struct jv *ret,
                    const char **ret_err);

#endif
