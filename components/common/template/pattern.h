/* Regular expressions of a run: constant ones are compiled with the template, others once in a row.
 */
#ifndef COMPONENTS_COMMON_TEMPLATE_PATTERN_H
#define COMPONENTS_COMMON_TEMPLATE_PATTERN_H

#include "base/regex.h"
#include "components/common/template/ast.h"

/* NULL and *ret_why (in the arena): not a regular expression; the run has not failed. */
const struct regex *pattern_get(struct run *r, struct str pattern, const char **ret_why);
/* The same, or the run fails. */
const struct regex *pattern_must(struct run *r, struct str pattern);
/* All matches replaced; `expand`: $1 and ${name} in the replacement. */
struct tval pattern_replace(struct run *r, struct str pattern, struct str text, struct str by,
                            bool expand);
/* Calls back for each match of Go's "all" loops, at most n (-1: all). */
struct matches {
    const struct regex *re;
    struct str text;
    size_t at;
    ssize_t last_end;
    ssize_t ov[2 * 64];
};
void matches_init(struct matches *m, const struct regex *re, struct str text);
/* False: no more (or the run has failed on the match limit). */
bool matches_next(struct run *r, struct matches *m);

/* At compile time: constant patterns of a command. Freed with the template. */
void patterns_of_command(struct template *t, const struct command *c);

#endif
