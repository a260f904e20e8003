/* Stability levels by name. */
#ifndef RUNTIME_GATES_H
#define RUNTIME_GATES_H

#include "value/schema.h"

const char *stability_name(enum stability s); /* "generally-available", ... */
bool stability_parse(struct str s, enum stability *ret);

#endif
