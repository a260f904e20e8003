/* Words for things that are gated or not there: stability levels, and the nearest name. */
#ifndef RUNTIME_GATES_H
#define RUNTIME_GATES_H

#include "base/str.h"
#include "value/schema.h"

const char *stability_name(enum stability s); /* "generally-available", ... */
bool stability_parse(struct str s, enum stability *ret);

/* Remembers the nearest of the names it is shown, if any is near enough to be meant. Zero it, set want. */
struct nearest {
    struct str want;
    struct str best; /* p == NULL: none */
    int distance;
};
void nearest_see(struct nearest *n, struct str name);

#endif
