/* What the parts of the evaluator share. */
#ifndef VALUE_EVAL_INT_H
#define VALUE_EVAL_INT_H

#include "base/vec.h"
#include "value/eval.h"

/* Which literal made a list or object: an error inside it is shown there, also after a function
 * handed it through. */
struct origin {
    struct value v; /* a reference: addresses are not reused while they are compared */
    const struct expr *e;
};

struct eval {
    const struct scope *scope;
    struct diags *diags;
    int depth;
    VEC(struct origin) origins;
};

/* Every part: 0 and an owned *ret, or -EINVAL with one error added. */
int eval_node(struct eval *ev, const struct expr *e, struct value *ret);
int eval_access(struct eval *ev, const struct expr *e, struct value *ret);
int eval_index(struct eval *ev, const struct expr *e, struct value *ret);
int eval_call(struct eval *ev, const struct expr *e, struct value *ret);
/* The literal that made v, else e. */
const struct expr *eval_origin(const struct eval *ev, struct value v, const struct expr *e);
/* Reports a fault of e's value; -EINVAL. */
int eval_fault(struct eval *ev, enum diag_code code, const struct expr *e, const char *fmt, ...)
    PRINTF(4, 5);

#endif
