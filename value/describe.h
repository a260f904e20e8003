/* The schema visitor for readers: a table as JSON (names, types, defaults, allowed values, docs),
 * from which `weir explain --json`, the reference pages and the comparison with the reference facts
 * are made. Pure. */
#ifndef VALUE_DESCRIBE_H
#define VALUE_DESCRIBE_H

#include "value/schema.h"

struct json_out;

/* The type of a row's values as users read it: "duration", "list(string)",
 * "capsule(otelcol.Handler)", "block". In the arena or static. */
const char *describe_type(const struct row *r, struct arena *a);
/* {"arguments": [...], "blocks": [{"name": ..., "arguments": ..., "blocks": ...}]}; recursive
 * tables are cut where they repeat. */
void describe_schema(const struct schema *s, struct json_out *j);

/* One row, as it stands among "arguments" or "blocks" there. */
void describe_row(const struct row *r, struct json_out *j);

#endif
