/* How what flows between components is drawn: one table for `weir graph` and the page. */
#ifndef RUNTIME_FLOW_H
#define RUNTIME_FLOW_H

#include "runtime/compile/template.h"

struct flow {
    u32 signal; /* one bit; 0: a value that is read, such as the content of a file */
    const char *name;
    const char *color; /* on light ground */
    const char *line;  /* "bold", "solid", "dashed", "dotted", "thin" */
};
#define FLOWS 5
extern const struct flow flows[FLOWS];

/* Whether an edge with these signals carries this one. */
bool flow_in(const struct flow *f, u32 signals);

#endif
