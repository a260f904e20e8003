/* UTF-8 and the few Unicode facts the language needs. Columns elsewhere count bytes, not
 * characters. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/buf.h"

#define UTF8_INVALID 0xFFFDu

/* Decodes one character at s (s.n > 0) into *ret; returns its width. A bad byte gives width 1 and
 * UTF8_INVALID; *ret_bad (may be NULL) tells it from a real U+FFFD. Surrogates and overlong forms
 * are bad, as in Go. */
size_t utf8_decode(struct str s, u32 *ret, bool *ret_bad);
/* Appends the encoding; U+FFFD for what is no scalar value. */
void utf8_encode(struct buf *b, u32 c);
bool utf8_valid(struct str s);
bool utf8_is_letter(u32 c); /* category L* */
bool utf8_is_digit(u32 c);  /* category Nd */
bool utf8_is_space(u32 c);  /* White_Space */
bool utf8_is_print(u32 c);  /* Go's unicode.IsPrint */
u32 utf8_lower(u32 c);      /* simple case mapping */
u32 utf8_upper(u32 c);
/* Appends s in double quotes with escapes, as Go's strconv.Quote: printable characters stay, bad
 * bytes become \xNN. */
void utf8_quote(struct buf *b, struct str s);

#endif
