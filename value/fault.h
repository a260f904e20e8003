/* A fault of a value as a diagnostic about the expression that made it: the position is the
 * innermost literal the path leads to, the message the reprinted source, the rest of the path, and
 * what is wrong. */
#ifndef VALUE_FAULT_H
#define VALUE_FAULT_H

#include "parser/ast.h"
#include "value/vpath.h"

/* path may be NULL. Returns the diagnostic, so that a hint can be added. */
struct diag *fault_report(struct diags *diags, enum diag_code code, const struct expr *e,
                          const struct vpath *path, const char *text);
/* Without an expression: the path is the whole name. */
struct diag *fault_report_at(struct diags *diags, enum diag_code code, struct span at,
                             const struct vpath *path, const char *text);

/* The nearest of several names, for "did you mean". Start with a zeroed suggestion and offer every
 * candidate. */
struct suggestion {
    struct str best;
    int distance;
};
void suggestion_offer(struct suggestion *s, struct str wanted, struct str candidate);
/* Adds the hint when anything was near enough. */
void suggestion_hint(const struct suggestion *s, struct diags *diags, struct diag *of);

#endif
