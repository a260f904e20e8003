/* Operators over values: one table row per operator says which types it takes. */
#ifndef VALUE_OPS_H
#define VALUE_OPS_H

#include "parser/ast.h"
#include "value/value.h"

struct op_fault {
    bool right; /* the operand at fault */
    enum diag_code code;
    char *text; /* owned */
};

/* 0 and an owned *ret, or -EINVAL and *f filled. */
int op_binary(enum op op, struct value l, struct value r, struct value *ret, struct op_fault *f);
int op_unary(enum op op, struct value v, struct value *ret, struct op_fault *f);

#endif
