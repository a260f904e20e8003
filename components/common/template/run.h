/* One execution of a template, as functions see it: where memory comes of, what the limits are, how
 * to fail. */
#ifndef COMPONENTS_COMMON_TEMPLATE_RUN_H
#define COMPONENTS_COMMON_TEMPLATE_RUN_H

#include "components/common/template/template.h"
#include "components/common/template/value.h"

#define OUTPUT_LIMIT ((size_t)16 << 20)
#define MEMORY_LIMIT ((size_t)64 << 20)
#define STEP_LIMIT   4000000
#define DEPTH_LIMIT  200

struct variable {
    struct str name;
    struct tval value;
};
struct run {
    const struct template *t;
    const struct template_data *data;
    struct arena *arena;
    struct buf *out;
    i64 now;
    size_t arena_start;
    size_t steps;
    int depth;
    struct variable *vars; /* in the arena */
    size_t n_vars, cap_vars;
    struct str last_pattern; /* of last_regex: the one compiled last in this run */
    const struct regex *last_regex;
    int code;        /* 0; -EINVAL, -E2BIG: execution ends */
    const char *err; /* in the arena */
};

/* The first failure stays. Each returns what a function may return at once. */
struct tval run_fail(struct run *r, const char *fmt, ...) PRINTF(2, 3);
struct tval run_too_big(struct run *r);
static inline bool run_failed(const struct run *r)
{
    return r->code != 0;
}
/* Room for n more bytes; false (and the run has failed) when there is none. */
bool run_room(struct run *r, size_t n);
/* A buffer for a result, and the text that was put into it (in the arena), which empties it. */
struct buf run_buf(void);
struct str run_text(struct run *r, struct buf *b);
static inline struct tval run_value(struct run *r, struct buf *b)
{
    return tv_str(run_text(r, b));
}

/* --- functions --- */

/* Parameters as Go would declare them, one letter each; `.` behind the last: any number of those.
 *   s string  i int  l int64  f float64  b bool  a interface{}  m map[string]interface{}
 *   t time.Time  d time.Duration  v []interface{}  w []string  n *semver.Version */
struct tfunc {
    const char *name;
    const char *params;
    struct tval (*fn)(struct run *r, struct tval *args, size_t n);
};
struct tfunc_table {
    const struct tfunc *v;
    size_t n;
};
#define FN(name)                static struct tval name(struct run *r, struct tval *a, size_t n)
#define FUNC_TABLE(name, array) const struct tfunc_table name = {array, ARRAY_LEN(array)}

/* Every theme's functions; where a name stands in several, the first table wins. */
extern const struct tfunc_table fn_own, fn_strings, fn_words, fn_numbers, fn_lists, fn_dicts,
    fn_dates, fn_encoding, fn_crypto, fn_certs, fn_regex, fn_paths, fn_semver, fn_url, fn_json,
    fn_types, fn_random, fn_system, fn_logic, fn_builtin, fn_compare;
const struct tfunc *func_find(struct str name);
/* Methods of times, durations and versions; NULL when the type has none such. */
const struct tfunc *method_find(struct tval receiver, struct str name);
extern const struct tfunc_table methods_time, methods_duration, methods_version;

/* --- conversions that functions share --- */

/* Sprig's strval: texts as they are, the rest as %v. */
struct str to_text(struct run *r, struct tval v);
/* spf13/cast, without errors: what is no number is 0. */
i64 to_int64(struct run *r, struct tval v);
f64 to_float(struct run *r, struct tval v);
/* Sprig's empty(): zero values, also false. */
bool is_empty(const struct run *r, struct tval v);
/* Go's printf over values. */
void tpl_format(struct run *r, struct buf *out, struct str format, const struct tval *args,
                size_t n);

#endif
