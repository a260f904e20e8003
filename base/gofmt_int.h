/* What the parts of the formatter share. */
#ifndef BASE_GOFMT_INT_H
#define BASE_GOFMT_INT_H

#include "base/gofmt.h"

void gofmt_padding(struct gofmt_directive *d, size_t n);
void gofmt_integer(struct gofmt_directive *d, u64 u, bool is_signed, unsigned base, u32 verb,
                   bool upper);
void gofmt_float(struct gofmt_directive *d, f64 f, u32 verb, int prec);
void gofmt_char(struct gofmt_directive *d, u64 c);
void gofmt_quoted_char(struct gofmt_directive *d, u64 c);
void gofmt_unicode(struct gofmt_directive *d, u64 c);
void gofmt_quoted(struct gofmt_directive *d, struct str s);
void gofmt_hex(struct gofmt_directive *d, struct str s, bool upper);

#endif
