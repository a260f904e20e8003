/* What running statements and calling functions share. */
#ifndef COMPONENTS_COMMON_TEMPLATE_EXEC_H
#define COMPONENTS_COMMON_TEMPLATE_EXEC_H

#include "components/common/template/ast.h"

/* c: the command that the operand begins, NULL when it is an argument; final: what was piped in. */
struct tval eval_operand(struct run *r, struct tval dot, const struct node *n,
                         const struct command *c, const struct tval *final);
struct tval eval_pipe(struct run *r, struct tval dot, const struct pipe *p);
struct tval call_function(struct run *r, struct tval dot, const struct node *n,
                          const struct command *c, const struct tval *final);
struct tval call_method(struct run *r, struct tval dot, const struct tfunc *f, struct tval receiver,
                        const struct command *c, const struct tval *final);
/* Work that grows with sizes counts as so many steps more. */
void run_steps(struct run *r, size_t n);

#endif
