/* Deep equality of two decoded structs of one schema: what decides whether a component is touched.
 * Pure. */
#ifndef VALUE_ARGS_EQUAL_H
#define VALUE_ARGS_EQUAL_H

#include "value/schema.h"

/* Capsules are equal by their type's own rule, else by identity. Spans do not count. */
bool args_equal(const struct schema *s, const void *a, const void *b);

#endif
