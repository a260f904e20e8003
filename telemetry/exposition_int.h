/* Inside of the exposition parsers. */
#ifndef TELEMETRY_EXPOSITION_INT_H
#define TELEMETRY_EXPOSITION_INT_H

#include "telemetry/exposition.h"

/* --- characters --- */
enum { NAME_FIRST = 1, NAME_REST = 2, LABEL_FIRST = 4, LABEL_REST = 8 };
extern const u8 exposition_class[256];
static inline bool exposition_is(char c, int what)
{
    return (exposition_class[(u8)c] & what) != 0;
}

/* Ends the parser with a sentence; "line N: " comes first where there are lines. */
enum exposition_event exposition_fail(struct exposition *e, const char *fmt, ...) PRINTF(2, 3);

/* --- numbers (exposition_number.c) --- */
/* Go's float syntax without hexadecimal forms and underscores, from p to the first blank or LF: the
 * place behind it, NULL when it is none. NaN is SAMPLE_NAN_BITS. */
const char *exposition_number(const char *p, const char *end, u64 *ret_bits);

/* --- text of series (exposition_labels.c) --- */
/* The end of a quoted text that begins at p (which is a quote): behind the closing one; NULL when
 * it does not end. */
const char *exposition_quoted_end(const char *p, const char *end);
/* Behind the closing brace of the labels that begin at p (the opening one); NULL: none. */
const char *exposition_braces_end(const char *p, const char *end);

/* --- lines (exposition_text.c), families (exposition_pb.c) --- */
enum exposition_event exposition_text_next(struct exposition *e, u64 hash, u32 n);
enum exposition_event exposition_pb_next(struct exposition *e);
void exposition_pb_init(struct exposition *e, const struct exposition_conf *c);
void exposition_pb_done(struct exposition *e);

#endif
