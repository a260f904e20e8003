/* Literals as written to what they mean. Callers pass text the lexer accepted without a fault. */
#ifndef PARSER_LITERALS_H
#define PARSER_LITERALS_H

#include "base/arena.h"

/* The bytes of a string literal, quotes included in raw. A view into raw where nothing had to
 * change, else in the arena. */
struct str literal_unquote(struct arena *a, struct str raw);
/* The key of an object field written as a string: what stands between the quotes, untouched; the
 * empty one keeps them. */
struct str literal_field_key(struct str raw);

#endif
