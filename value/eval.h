/* Expression evaluation: AST and a scope in, a value or one diagnostic out. Pure; control loop or
 * tool. Spec: language.md 6-9. */
#ifndef VALUE_EVAL_H
#define VALUE_EVAL_H

#include "parser/ast.h"
#include "value/func.h"

/* Identifier lookup; chain by parent. lookup returns an owned value in *ret. */
struct scope {
    bool (*lookup)(const struct scope *s, struct str name, struct value *ret);
    const struct scope *parent;
    const struct func_env *env; /* taken from the innermost scope that has one */
    void *data;
};

/* 0 and an owned *ret, or -EINVAL with exactly one error in diags. Depth is bounded by the parser's
 * limit. */
int eval_expr(const struct expr *e, const struct scope *scope, struct value *ret,
              struct diags *diags);

#endif
