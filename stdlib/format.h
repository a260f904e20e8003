/* string.format: Go's formatted text (base/gofmt.h) over values. */
#ifndef STDLIB_FORMAT_H
#define STDLIB_FORMAT_H

#include "value/value.h"

/* Nothing fails; what is wrong with the format is marked in the text. */
void format_values(struct buf *out, struct str format, const struct value *args, size_t n);

#endif
