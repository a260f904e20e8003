/* Formatted text with the verbs, flags and error marks of Go's fmt package, over arguments of any
 * type: whoever has values says how one of them is shown. Nothing fails: a wrong verb leaves its
 * mark in the text (%!d(string=a)), as users of string.format and of printf in templates know it.
 * Output is bounded by the buffer. Pure. */
#ifndef BASE_GOFMT_H
#define BASE_GOFMT_H

#include "base/buf.h"
#include "base/str.h"

/* One directive, its verb left out: what is written goes to out. */
struct gofmt_directive {
    struct buf *out;
    bool minus, plus, sharp, space, zero;
    bool plus_v, sharp_v; /* %+v, %#v */
    bool has_width, has_prec;
    int width, prec;
};

/* The arguments of a format. The functions are given `arg` and an index below n. */
struct gofmt_args {
    size_t n;
    void *arg;
    /* Shows one under a verb; one that its type does not know leaves a mark (gofmt_bad_verb). */
    void (*show)(void *arg, struct gofmt_directive *d, size_t i, u32 verb);
    /* The value of a whole number, for '*'; false for all else. */
    bool (*whole)(void *arg, size_t i, i64 *ret);
    const char *(*type)(void *arg, size_t i); /* Go's name of its type; "" for nil */
};
void gofmt(struct buf *out, struct str format, const struct gofmt_args *args);

/* --- for `show` --- */

/* The verbs of Go's basic types. False, with nothing written, for a verb that the type does not
 * know. */
void gofmt_show_nil(struct gofmt_directive *d, u32 verb);
bool gofmt_show_bool(struct gofmt_directive *d, bool b, u32 verb);
bool gofmt_show_float(struct gofmt_directive *d, f64 f, u32 verb);
bool gofmt_show_whole(struct gofmt_directive *d, u64 u, bool is_signed, u32 verb);
bool gofmt_show_text(struct gofmt_directive *d, struct str s, u32 verb);

/* Text padded to the width, which counts characters. */
void gofmt_pad(struct gofmt_directive *d, struct str text);
void gofmt_string(struct gofmt_directive *d, struct str s);
/* The mark of a wrong verb up to the value, which the caller shows with %v: "%!d(string=". */
void gofmt_bad_verb(struct gofmt_directive *d, u32 verb, const char *type);

#endif
