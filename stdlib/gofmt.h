/* Formatted text with the verbs, flags and error marks of Go's fmt package, over values. Nothing
 * fails: a wrong verb leaves its mark in the text (%!d(string=a)), as users of string.format know
 * it. Output is bounded by the buffer. */
#ifndef STDLIB_GOFMT_H
#define STDLIB_GOFMT_H

#include "value/value.h"

void gofmt(struct buf *out, struct str format, const struct value *args, size_t n);

#endif
