/* Schema visitors that need a scope: decoding a body into a struct, and its defaults. Control loop.
 */
#ifndef VALUE_DECODE_H
#define VALUE_DECODE_H

#include "value/eval.h"
#include "value/schema.h"

/* Decodes body into out (schema->size bytes, zeroed by the callee), memory in arena; capsule and
 * value references are released by the arena. block: the block whose body it is (label, spans),
 * NULL for none. All faults are added to diags (evaluation goes on to the next statement); 0, or
 * -EINVAL when any error was added. Sets defaults first, then statements, then rules and validate.
 */
int decode_body(const struct schema *s, const struct block *block, const struct body *body,
                const struct scope *scope, struct arena *arena, void *out, struct diags *diags);
/* Only defaults: as if an empty block were written. */
void decode_defaults(const struct schema *s, struct arena *arena, void *out);
/* An object value (module arguments, object-valued attributes) instead of a body. */
int decode_object(const struct schema *s, struct value v, struct span at, struct arena *arena,
                  void *out, struct diags *diags);
/* Conversion of one value to a row's kind (language.md 10). */
int decode_value(const struct row *row, struct value v, const struct expr *from,
                 struct arena *arena, void *member, struct diags *diags);

#endif
