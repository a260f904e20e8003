/* Decoded documents: JSON and YAML text to values. */
#ifndef STDLIB_DOCUMENT_H
#define STDLIB_DOCUMENT_H

#include "value/func.h"

/* What JSON numbers become: from_json makes them all floats; json_path keeps integers, and gives
 * what no number holds as text. */
enum json_numbers { JSON_NUMBERS_FLOAT, JSON_NUMBERS_KEEP };

/* One JSON text. 0 and an owned *ret, or -EINVAL and *err (owned). empty_is_null: nothing but white
 * space is null, not an error. */
int json_document(struct str text, enum json_numbers numbers, bool empty_is_null, struct value *ret,
                  char **err);
/* An object as JSON text: members sorted, < > & escaped. Fails for functions, capsules, NaN and
 * infinities. */
int json_encode(struct value v, struct buf *out, char **err);
/* The first document of a YAML text. */
int yaml_document(struct str text, struct value *ret, char **err);

#endif
