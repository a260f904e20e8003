/* A decoded struct back to values and to the API's JSON (language.md 15, runtime.md 13). */
#ifndef VALUE_ENCODE_H
#define VALUE_ENCODE_H

#include "value/schema.h"

struct json_out;
/* Array of statements, optional fields equal to their default left out. data NULL: []. */
void encode_json(const struct schema *s, const void *data, struct json_out *j);
/* An exports struct as an ordered object value (references taken). */
struct value encode_value(const struct schema *s, const void *data);

#endif
