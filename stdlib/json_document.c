/* JSON texts to values. Later members win, bytes that are no UTF-8 become U+FFFD, nesting and size
 * are bounded. */
#include "stdlib/document.h"

#include <errno.h>
#include <stdlib.h>
#include "base/json.h"
#include "base/num.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "value/limits.h"

struct reader {
    struct json_in in;
    enum json_numbers numbers;
    size_t nodes;
    bool has_more; /* text behind the value */
};

static int read_node(struct reader *r, enum json_type type, struct value *ret);

/* A static text in r->in.err makes every later step fail. */
static int fail(struct reader *r, const char *what)
{
    if (!r->in.err) r->in.err = what;
    return -EINVAL;
}

static struct value text_value(struct str s)
{
    if (utf8_valid(s)) return value_str(s);
    struct buf text = BUF_INIT(SIZE_MAX / 2);
    for (size_t i = 0; i < s.n;) {
        u32 c;
        i += utf8_decode(str_sub(s, i, s.n), &c, NULL);
        utf8_encode(&text, c);
    }
    struct value v = value_str(buf_view(&text));
    buf_done(&text);
    return v;
}

/* --- numbers --- */

#define PART_MAX INT64_C(922337203685477580) /* beyond it another digit may not fit */

static bool is_integer(struct str s)
{
    return str_chr(s, '.') < 0 && str_chr(s, 'e') < 0 && str_chr(s, 'E') < 0;
}

/* The digits of a part are too many for 63 bits. */
static bool too_precise(struct str digits)
{
    u64 u;
    return digits.n > 0 && (num_parse_u64(digits, &u) || u > PART_MAX);
}

static struct str digits_from(struct str s, size_t at)
{
    size_t end = at;
    while (end < s.n && s.p[end] >= '0' && s.p[end] <= '9')
        end++;
    return str_sub(s, at, end);
}

static bool float_loses(struct str s)
{
    struct str whole = digits_from(s, s.p[0] == '-');
    ssize_t point = str_chr(s, '.');
    return too_precise(whole) || (point >= 0 && too_precise(digits_from(s, (size_t)point + 1)));
}

static struct value kept_number(struct str s)
{
    i64 i;
    f64 f;
    if (is_integer(s)) {
        bool fits = num_parse_i64(s, &i) == 0 && i < PART_MAX * 10 && i > -PART_MAX * 10;
        return fits ? value_int(i) : value_str(s);
    }
    return float_loses(s) || num_parse_f64(s, &f) ? value_str(s) : value_float(f);
}

static int read_number(struct reader *r, struct value *ret)
{
    f64 f;
    if (r->numbers == JSON_NUMBERS_KEEP) {
        *ret = kept_number(r->in.raw);
        return 0;
    }
    if (num_parse_f64(r->in.raw, &f)) return fail(r, "number is out of range");
    *ret = value_float(f);
    return 0;
}

/* --- composites --- */

static int read_array(struct reader *r, struct value *ret)
{
    VEC(struct value) items = {0};
    bool first = true;
    while (json_next_elem(&r->in, &first)) {
        struct value v;
        if (read_node(r, json_value(&r->in), &v)) break;
        vec_push(&items, v);
    }
    *ret = value_array(items.n);
    vec_each (&items, v)
        ret->array->v[v - items.v] = *v;
    vec_done(&items);
    if (!r->in.err) return 0;
    value_unref(*ret);
    return -EINVAL;
}

/* The reader gives names with their escapes: between its quotes stands a string like any other. */
static struct value key_text(struct reader *r, struct str raw)
{
    struct json_in in;
    json_in_init(&in, str_n(raw.p - 1, raw.n + 2), r->in.scratch);
    json_value(&in);
    return text_value(in.raw);
}

static int read_object(struct reader *r, struct value *ret)
{
    struct object_builder b = {0};
    struct str raw;
    bool first = true;
    while (json_next_key(&r->in, &raw, &first)) {
        struct value v;
        if (read_node(r, json_value(&r->in), &v)) break;
        struct value key = key_text(r, raw);
        object_set_take(&b, value_text(key), v);
        value_unref(key);
    }
    *ret = object_done(&b);
    if (!r->in.err) return 0;
    value_unref(*ret);
    return -EINVAL;
}

static int read_node(struct reader *r, enum json_type type, struct value *ret)
{
    if (++r->nodes > VALUE_ARRAY_MAX) return fail(r, "document has too many values");
    switch (type) {
    case JSON_NULL: *ret = value_null(); return 0;
    case JSON_BOOL: *ret = value_bool(str_is(r->in.raw, "true")); return 0;
    case JSON_NUMBER: return read_number(r, ret);
    case JSON_STRING: *ret = text_value(r->in.raw); return 0;
    case JSON_OBJ: return read_object(r, ret);
    case JSON_ARR: return read_array(r, ret);
    case JSON_END: return fail(r, "unexpected end");
    case JSON_ERROR: return fail(r, "invalid character");
    }
    UNREACHABLE();
}

/* --- the whole --- */

static int read_document(struct reader *r, bool empty_is_null, struct value *ret)
{
    enum json_type type = json_value(&r->in);
    if (type == JSON_END && empty_is_null) {
        *ret = value_null();
        return 0;
    }
    if (read_node(r, type, ret)) return -EINVAL;
    if (json_value(&r->in) == JSON_END) return 0;
    value_unref(*ret);
    r->has_more = true;
    r->in.err = "text after the end of the value";
    return -EINVAL;
}

static char *fault_text(const struct reader *r, struct str text)
{
    size_t at = json_offset(&r->in);
    if (at >= text.n && !r->has_more) return xstrdup("unexpected end of JSON input");
    return xprintf("invalid JSON at byte %zu: %s", at + 1, r->in.err);
}

int json_document(struct str text, enum json_numbers numbers, bool empty_is_null, struct value *ret,
                  char **err)
{
    struct reader r = {.numbers = numbers};
    struct arena scratch;
    arena_init(&scratch, 0);
    json_in_init(&r.in, text, &scratch);
    r.in.max_depth = VALUE_DEPTH_MAX;
    int rc = read_document(&r, empty_is_null, ret);
    if (rc) *err = fault_text(&r, text);
    arena_done(&scratch);
    return rc;
}
