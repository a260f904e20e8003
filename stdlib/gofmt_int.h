/* What the parts of the formatter share: the state of one directive. */
#ifndef STDLIB_GOFMT_INT_H
#define STDLIB_GOFMT_INT_H

#include "stdlib/gofmt.h"

struct directive {
    struct buf *out;
    bool minus, plus, sharp, space, zero;
    bool plus_v, sharp_v; /* %+v, %#v */
    bool has_width, has_prec;
    int width, prec;
};

/* Text padded to the width, which counts characters. */
void gofmt_pad(struct directive *d, struct str text);
void gofmt_padding(struct directive *d, size_t n);
void gofmt_integer(struct directive *d, u64 u, bool is_signed, unsigned base, u32 verb, bool upper);
void gofmt_float(struct directive *d, f64 f, u32 verb, int prec);
void gofmt_char(struct directive *d, u64 c);
void gofmt_quoted_char(struct directive *d, u64 c);
void gofmt_unicode(struct directive *d, u64 c);
void gofmt_string(struct directive *d, struct str s);
void gofmt_quoted(struct directive *d, struct str s);
void gofmt_hex(struct directive *d, struct str s, bool upper);
/* A value under a verb, composites included. */
void gofmt_value(struct directive *d, struct value v, u32 verb);
/* The name of a value's type; "" for null. */
const char *gofmt_type(struct value v);

#endif
