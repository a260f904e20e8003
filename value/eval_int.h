/* What the parts of the evaluator share. */
#ifndef VALUE_EVAL_INT_H
#define VALUE_EVAL_INT_H

#include "value/eval.h"

struct eval {
    const struct scope *scope;
    struct diags *diags;
    int depth;
};

/* Every part: 0 and an owned *ret, or -EINVAL with one error added. */
int eval_node(struct eval *ev, const struct expr *e, struct value *ret);
int eval_access(struct eval *ev, const struct expr *e, struct value *ret);
int eval_index(struct eval *ev, const struct expr *e, struct value *ret);
int eval_call(struct eval *ev, const struct expr *e, struct value *ret);
/* The value of a NUMBER or FLOAT literal. */
int eval_number(struct eval *ev, const struct expr *e, struct value *ret);
/* Reports a fault of e's value; -EINVAL. */
int eval_fault(struct eval *ev, enum diag_code code, const struct expr *e, const char *fmt, ...) PRINTF(4, 5);

#endif
