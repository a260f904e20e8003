/* Regular expressions with RE2 (Go) syntax and meaning, run by PCRE2's JIT under a match limit.
 * Source: spec W.7. A compiled regex is immutable and may be shared by threads; each thread matches
 * with its own scratch. Where it differs from Go: captures inside a repeated group that can match
 * nothing, as in (a*)+, may be empty; (?i) does not reach U+00B5 and U+0345 through \p{Greek};
 * scripts newer than Unicode 14 are unknown; patterns of more than some 60 KB once repetitions are
 * unrolled are refused as too large. */
#ifndef BASE_REGEX_H
#define BASE_REGEX_H

#include <errno.h>
#include "base/str.h"

struct regex;

/* NULL on failure, *ret_err is then the text Go would give ("error parsing regexp: ..."), owned,
 * free() it. */
struct regex *regex_compile(struct str pattern, char **ret_err);
/* The same, matching only whole texts (relabelling): ^(?s:pattern)$ */
struct regex *regex_compile_anchored(struct str pattern, char **ret_err);
void regex_free(struct regex *re);
int regex_groups(const struct regex *re); /* without group 0 */
/* Name of group i (1-based) or an empty str. Group by name: number or -1. */
struct str regex_group_name(const struct regex *re, int i);
int regex_group_index(const struct regex *re, struct str name);

#define REGEX_LIMIT                                                                                \
    (-E2BIG) /* the match limit was reached: treat as no match, count it, say it once */

/* 1 match, 0 none, REGEX_LIMIT. Offsets pairs [start, end) go to ov[0 .. 2*n_ov); -1 for unset
 * groups. n_ov may be 0. */
int regex_match(const struct regex *re, struct str text, size_t from, ssize_t *ov, size_t n_ov);
/* Go's Expand of a template with $1, ${name}, $$ over the last match. */
struct buf;
void regex_expand(const struct regex *re, struct str tmpl, struct str text, const ssize_t *ov,
                  struct buf *out);

#endif
