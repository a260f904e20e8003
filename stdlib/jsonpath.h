/* JSONPath: $ and @, .name, ['a', 'b'], [n], [from:to:step], [*], .., and filters [?(...)] with
 * comparisons, logic, arithmetic, regular expressions and functions. A parsed path is immutable. */
#ifndef STDLIB_JSONPATH_H
#define STDLIB_JSONPATH_H

#include "value/value.h"

struct jsonpath;
/* NULL on failure, *err is then an owned text with the place. */
struct jsonpath *jsonpath_parse(struct str text, char **err);
void jsonpath_free(struct jsonpath *p); /* takes NULL */
/* All matches in an owned array; -E2BIG when they are too many or take too long to find. */
int jsonpath_get(const struct jsonpath *p, struct value doc, struct value *ret);

#endif
