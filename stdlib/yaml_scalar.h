/* What a YAML scalar means, by the rules of go-yaml v3 when decoding into any. */
#ifndef STDLIB_YAML_SCALAR_H
#define STDLIB_YAML_SCALAR_H

#include "base/yaml.h"
#include "value/value.h"

/* 0 and an owned *ret; -EINVAL when an explicit tag does not fit the text (*err owned). */
int yaml_scalar(const struct yaml_node *n, struct value *ret, char **err);
/* Whether a plain scalar without tag is a string (a time is not). */
bool yaml_plain_is_string(struct str s);
/* A plain << that merges another map. */
bool yaml_is_merge(const struct yaml_node *n);
/* A date or time as RFC 3339 text; false when s is none. */
bool yaml_timestamp(struct str s, struct buf *out);

#endif
