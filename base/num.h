/* Numbers, durations and byte sizes as text: the forms of Go, which users' configurations are
 * written in. Source: spec W.6. Parsers take the whole text; they return 0 or -EINVAL / -ERANGE and
 * leave *ret alone on failure. */
#ifndef BASE_NUM_H
#define BASE_NUM_H

#include "base/buf.h"

int num_parse_i64(struct str s, i64 *ret); /* base 10, optional sign */
int num_parse_u64(struct str s, u64 *ret); /* base 10, no sign */
/* Go float syntax: decimal or hex, inf and infinity with sign, nan without, in any case. -ERANGE
 * when too large. */
int num_parse_f64(struct str s, f64 *ret);
/* Shortest decimal that reads back the same, never an exponent (1e21 -> 1000000000000000000000);
 * NaN, +Inf, -Inf. */
void num_f64_plain(struct buf *b, f64 v);
/* Shortest `g` form as Go's strconv 'g' -1, which its %v is too (1e+06, 0.25, +Inf). */
void num_f64_g(struct buf *b, f64 v);
/* JSON number as Go's encoding/json prints it (plain for 1e-6 <= |x| < 1e21, else exponent). Not
 * for NaN/Inf. */
void num_f64_json(struct buf *b, f64 v);
/* The same with at least two digits of exponent (1e-07), as OTLP/JSON has it. */
void num_f64_json_wide(struct buf *b, f64 v);

/* Go durations. On failure *ret_err (if not NULL) is the text Go would give, owned, free() it. */
int dur_parse(struct str s, i64 *ret_ns, char **ret_err);
void dur_format(struct buf *b, i64 ns); /* 1h0m0s, 1.5s, 100ms, 0s */

int bytesize_parse(struct str s, i64 *ret_bytes, char **ret_err);
void bytesize_format(struct buf *b, i64 n); /* 1MiB512KiB, 0B */

#endif
