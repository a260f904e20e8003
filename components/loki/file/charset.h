/* How the bytes of a file are text: which bytes end a line, and how a line becomes UTF-8 (iconv).
 * A NULL charset is UTF-8 taken as it is. Spec: pipelines A.3. One thread. */
#ifndef COMPONENTS_LOKI_FILE_CHARSET_H
#define COMPONENTS_LOKI_FILE_CHARSET_H

#include "base/buf.h"

struct charset;
/* By IANA name; "" and UTF-8: *ret is NULL. -EINVAL: the name is unknown here. */
int charset_new(struct str name, struct charset **ret);
void charset_free(struct charset *c); /* takes NULL */

/* How many bytes one unit has: lines begin and end at multiples of it. */
size_t charset_width(const struct charset *c);
/* The end of the first, or last, line of s, behind its newline; 0: there is no newline in s. s
 * begins at a unit. */
size_t charset_line_end(const struct charset *c, struct str s);
size_t charset_last_end(const struct charset *c, struct str s);
/* A line without its newline. */
struct str charset_chomp(const struct charset *c, struct str line);
/* Appends the text of a line; what is no character becomes U+FFFD. */
void charset_decode(struct charset *c, struct str line, struct buf *out);

/* The mark at the start of a file. MAYBE: the bytes there are may be part of one. */
enum bom { BOM_NONE, BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, BOM_UNKNOWN, BOM_MAYBE };
/* head: the first 4 bytes, or all there are. *ret_n: its length. */
enum bom charset_bom(struct str head, size_t *ret_n);

#endif
