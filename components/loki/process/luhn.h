/* Runs of digits that pass Luhn's check (card numbers and the like), found and replaced. */
#ifndef COMPONENTS_LOKI_PROCESS_LUHN_H
#define COMPONENTS_LOKI_PROCESS_LUHN_H

#include "base/buf.h"

struct luhn {
    struct str replacement;
    struct str delimiters; /* characters that may stand between the digits of a number */
    i64 min_length;
    /* Optional: whether the number in text[from, to) is to be left alone. Asked in order. */
    bool (*skip)(void *arg, struct str text, size_t from, size_t to);
    void *arg;
};
/* Appends text with its numbers replaced; returns how many were. */
size_t luhn_replace(const struct luhn *l, struct str text, struct buf *out);

#endif
