/* Types of expressions that cannot be evaluated yet, as far as operators and the environment tell,
 * and whether a row takes them. */
#ifndef VALUE_STATIC_TYPE_H
#define VALUE_STATIC_TYPE_H

#include "value/check.h"

struct static_type static_type_of(const struct expr *e, const struct type_env *env);
/* Reports what the row can never take; elements of literal lists and objects are judged one by one.
 */
void static_check(const struct row *row, const struct expr *e, const struct type_env *env,
                  struct diags *diags);

#endif
