/* Values of the configuration as AnyValue bytes. Pure. */
#ifndef COMPONENTS_OTELCOL_ATTRIBUTES_VALUE_H
#define COMPONENTS_OTELCOL_ATTRIBUTES_VALUE_H

#include "base/arena.h"
#include "telemetry/otlp_value.h"
#include "value/value.h"

/* Strings, numbers (integers become int, others double), booleans, lists, objects, and optional
 * secrets that are none. -EINVAL: holds something else (a function, a secret), its
 * type's name in *ret_type. *ret lives in the arena. */
int attributes_value(struct arena *a, struct value v, struct str *ret, const char **ret_type);

#endif
