/* JMESPath's functions of texts. Places and lengths count characters. */
#include <math.h>
#include "base/utf8.h"
#include "components/loki/jmespath/ast.h"

/* Room for a text of n bytes; NULL: failed. */
static char *room(struct search *s, size_t n)
{
    if (!jmespath_memory(s, n) || !jmespath_steps(s, n / 64)) return NULL;
    return arena_alloc(s->a, n + 1);
}

static size_t width_at(struct str s, size_t at)
{
    u32 c;

    return utf8_decode(str_sub(s, at, s.n), &c, NULL);
}

static size_t count_chars(struct str s)
{
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++)
        n += ((u8)s.p[i] & 0xC0) != 0x80;
    return n;
}

/* The byte offset of a character; the end when there are fewer. */
static size_t offset_of(struct str s, size_t chars)
{
    size_t at = 0;

    for (; at < s.n && chars; chars--)
        at += width_at(s, at);
    return at;
}

/* An optional argument that is a whole number. */
static bool whole(struct search *s, const struct arg *args, size_t n, size_t i, i64 *ret)
{
    if (i >= n) return true;
    f64 v = args[i].v.num;
    if (!(fabs(v) < 1e15) || floor(v) != v)
        return jmespath_fail(s, "argument %zu is not a whole number", i + 1);
    *ret = (i64)v;
    return true;
}

static bool natural(struct search *s, const struct arg *args, size_t n, size_t i, i64 *ret)
{
    if (!whole(s, args, n, i, ret)) return false;
    return i >= n || *ret >= 0 || jmespath_fail(s, "argument %zu is negative", i + 1);
}

/* --- looking --- */

static bool fn_starts_with(struct search *s, const struct arg *args, size_t n, struct jv *ret)
{
    *ret = jv_bool(str_starts(args[0].v.str, args[1].v.str));
    return true;
}

static bool fn_ends_with(struct search *s, const struct arg *args, size_t n, struct jv *ret)
{
    *ret = jv_bool(str_ends(args[0].v.str, args[1].v.str));
    return true;
}

static bool fn_contains(struct search *s, const struct arg *args, size_t n, struct jv *ret)
{
    const struct jv *in = &args[0].v, *what = &args[1].v;
    bool found = false;

    if (in->type == JV_STRING)
        found = what->type == JV_STRING && str_find(in->str, what->str) >= 0;
    else if (!jmespath_steps(s, (size_t)in->n * jv_weight(what, JMESPATH_MAX_STEPS)))
        return false;
    else
        for (u32 i = 0; i < in->n && !found; i++)
            found = jv_equal(&in->elems[i], what);
    *ret = jv_bool(found);
    return true;
}

static ssize_t find_last(struct str s, struct str what)
{
    for (size_t at = s.n - what.n + 1; s.n >= what.n && at-- > 0;)
        if (memcmp(s.p + at, what.p, what.n) == 0) return (ssize_t)at;
    return -1;
}

/* find_first and find_last: between the characters start and end, if given. */
static bool find(struct search *s, const struct arg *args, size_t n,
                 ssize_t (*look)(struct str, struct str), struct jv *ret)
{
    struct str in = args[0].v.str, what = args[1].v.str;
    i64 start = 0, end = (i64)in.n;

    *ret = jv_null();
    if (!whole(s, args, n, 2, &start) || !whole(s, args, n, 3, &end)) return false;
    if (in.n == 0 || what.n == 0 || end < 0 || start >= end) return true;
    if (!jmespath_steps(s, in.n / 16)) return false;
    if (start < 0) start = 0;
    size_t from = offset_of(in, (size_t)start), to = offset_of(in, (size_t)end);
    ssize_t at = look(str_sub(in, from, to), what);
    if (at >= 0) *ret = jv_num((f64)count_chars(str_sub(in, 0, from + (size_t)at)));
    return true;
}

static bool fn_find_first(struct search *s, const struct arg *args, size_t n, struct jv *ret)
{
    return find(s, args, n, str_find, ret);
}

static bool fn_find_last(struct search *s, const struct arg *args, size_t n, struct jv *ret)
{
    return find(s, args, n, find_last, ret);
}

/* --- changing --- */

/* Characters that change case may become one byte longer, at most. */
static bool change_case(struct search *s, struct str in, u32 (*change)(u32), struct jv *ret)
{
    struct buf b = BUF_INIT(4 * in.n + 8);
    u32 c;

    for (size_t at = 0; at < in.n;) {
        at += utf8_decode(str_sub(in, at, in.n), &c, NULL);
        utf8_encode(&b, change(c));
    }
    char *out = b.err ? NULL : room(s, b.n);
    if (out && b.n) memcpy(out, b.p, b.n);
    *ret = jv_str(str_n(out, b.n));
    buf_done(&b);
    return out || jmespath_fail(s, "no memory for a text");
}

static bool fn_lower(struct search *s, const struct arg *args, size_t n, struct jv *ret)
{
    return change_case(s, args[0].v.str, utf8_lower, ret);
}

static bool fn_upper(struct search *s, const struct arg *args, size_t n, struct jv *ret)
{
    return change_case(s, args[0].v.str, utf8_upper, ret);
}

static bool pad(struct search *s, const struct arg *args, size_t n, bool left, struct jv *ret)
{
    struct str in = args[0].v.str, with = n > 2 ? args[2].v.str : STR(" ");
    i64 width = 0;

    if (!natural(s, args, n, 1, &width)) return false;
    if (count_chars(with) > 1) return jmespath_fail(s, "padding is one character");
    size_t have = count_chars(in), missing = (size_t)width > have ? (size_t)width - have : 0;
    size_t fill = missing * with.n;
    char *out = room(s, in.n + fill), *at = out;
    if (!out) return false;
    if (!left && in.n) memcpy(out, in.p, in.n);
    if (!left) at += in.n;
    for (size_t i = 0; i < fill; i++)
        *at++ = with.p[i % with.n];
    if (left && in.n) memcpy(at, in.p, in.n);
    *ret = jv_str(str_n(out, in.n + fill));
    return true;
}

static bool fn_pad_left(struct search *s, const struct arg *args, size_t n, struct jv *ret)
{
    return pad(s, args, n, true, ret);
}

static bool fn_pad_right(struct search *s, const struct arg *args, size_t n, struct jv *ret)
{
    return pad(s, args, n, false, ret);
}

/* Where the next piece of `in` ends, from `at`: at the next sep; an empty sep cuts after each
 * character. */
static bool next_cut(struct str in, struct str sep, size_t at, size_t *ret)
{
    ssize_t found = str_find(str_sub(in, at, in.n), sep);

    if (found < 0 || (sep.n == 0 && at >= in.n)) return false;
    *ret = at + (sep.n ? (size_t)found : width_at(in, at));
    return true;
}

/* An empty `old` stands before each character and at the end. */
static bool replace_empty(struct search *s, struct str in, struct str by, size_t count,
                          struct jv *ret)
{
    size_t places = count_chars(in) + 1, n = places < count ? places : count, at = 0;
    char *out = room(s, by.n < JMESPATH_MAX_MEMORY ? in.n + n * by.n : JMESPATH_MAX_MEMORY),
         *p = out;

    if (!out) return false;
    for (size_t i = 0; i < n; i++) {
        size_t width = at < in.n ? width_at(in, at) : 0;

        if (by.n) memcpy(p, by.p, by.n);
        p += by.n;
        if (width) memcpy(p, in.p + at, width);
        p += width;
        at += width;
    }
    if (at < in.n) memcpy(p, in.p + at, in.n - at);
    *ret = jv_str(str_n(out, in.n + n * by.n));
    return true;
}

static size_t count_of(struct str in, struct str what, size_t max)
{
    size_t n = 0, at = 0, cut;

    while (n < max && next_cut(in, what, at, &cut)) {
        at = cut + what.n;
        n++;
    }
    return n;
}

static bool replace(struct search *s, struct str in, struct str old, struct str by, size_t count,
                    struct jv *ret)
{
    size_t n = count_of(in, old, count), size = in.n - n * old.n, at = 0, cut = 0;
    char *out = room(s, by.n < JMESPATH_MAX_MEMORY ? size + n * by.n : JMESPATH_MAX_MEMORY),
         *p = out;

    if (!out) return false;
    for (size_t i = 0; i < n && next_cut(in, old, at, &cut); i++) {
        memcpy(p, in.p + at, cut - at);
        p += cut - at;
        if (by.n) memcpy(p, by.p, by.n);
        p += by.n;
        at = cut + old.n;
    }
    if (at < in.n) memcpy(p, in.p + at, in.n - at);
    *ret = jv_str(str_n(out, size + n * by.n));
    return true;
}

static bool fn_replace(struct search *s, const struct arg *args, size_t n, struct jv *ret)
{
    struct str in = args[0].v.str, old = args[1].v.str, by = args[2].v.str;
    i64 count = INT64_MAX;

    if (!natural(s, args, n, 3, &count)) return false;
    if (old.n == 0) return replace_empty(s, in, by, (size_t)count, ret);
    return replace(s, in, old, by, (size_t)count, ret);
}

static bool in_set(struct str set, u32 c)
{
    u32 other;

    while (set.n) {
        size_t width = utf8_decode(set, &other, NULL);

        if (other == c) return true;
        set = str_sub(set, width, set.n);
    }
    return false;
}

static bool trimmed(struct str set, u32 c)
{
    return set.n ? in_set(set, c) : utf8_is_space(c);
}

/* The start of the last character. */
static size_t last_char(struct str s)
{
    size_t at = s.n - 1;

    while (at && ((u8)s.p[at] & 0xC0) == 0x80)
        at--;
    return at;
}

static bool trim(struct search *s, const struct arg *args, size_t n, bool left, bool right,
                 struct jv *ret)
{
    struct str in = args[0].v.str, set = n > 1 ? args[1].v.str : (struct str){0};
    u32 c;

    if (!jmespath_steps(s, (in.n * (set.n + 1)) / 16)) return false;
    while (left && in.n) {
        size_t width = utf8_decode(in, &c, NULL);

        if (!trimmed(set, c)) break;
        in = str_sub(in, width, in.n);
    }
    while (right && in.n) {
        size_t at = last_char(in);

        utf8_decode(str_sub(in, at, in.n), &c, NULL);
        if (!trimmed(set, c)) break;
        in = str_sub(in, 0, at);
    }
    *ret = jv_str(in);
    return true;
}

static bool fn_trim(struct search *s, const struct arg *args, size_t n, struct jv *ret)
{
    return trim(s, args, n, true, true, ret);
}

static bool fn_trim_left(struct search *s, const struct arg *args, size_t n, struct jv *ret)
{
    return trim(s, args, n, true, false, ret);
}

static bool fn_trim_right(struct search *s, const struct arg *args, size_t n, struct jv *ret)
{
    return trim(s, args, n, false, true, ret);
}

/* --- to and from lists --- */

static bool fn_join(struct search *s, const struct arg *args, size_t n, struct jv *ret)
{
    struct str sep = args[0].v.str;
    const struct jv *parts = &args[1].v;
    size_t size = 0;

    for (u32 i = 0; i < parts->n; i++)
        size += parts->elems[i].str.n + (i ? sep.n : 0);
    char *out = room(s, size), *p = out;
    if (!out) return false;
    for (u32 i = 0; i < parts->n; i++) {
        struct str part = parts->elems[i].str;

        if (i && sep.n) memcpy(p, sep.p, sep.n);
        if (i) p += sep.n;
        if (part.n) memcpy(p, part.p, part.n);
        p += part.n;
    }
    *ret = jv_str(str_n(out, size));
    return true;
}

static bool fn_split(struct search *s, const struct arg *args, size_t n, struct jv *ret)
{
    struct str in = args[0].v.str, sep = args[1].v.str;
    i64 count = INT64_MAX;
    size_t at = 0, cut;

    if (!natural(s, args, n, 2, &count)) return false;
    size_t cuts = count_of(in, sep, (size_t)count);
    struct jv *out = jmespath_array(s, cuts + 1);
    if (!out) return false;
    u32 parts = 0;
    for (size_t i = 0; i < cuts && next_cut(in, sep, at, &cut); i++) {
        out[parts++] = jv_str(str_sub(in, at, cut));
        at = cut + sep.n;
    }
    bool rest = sep.n ? in.n > 0 : at < in.n;
    if (rest) out[parts++] = jv_str(str_sub(in, at, in.n));
    *ret = jv_arr(out, parts);
    return true;
}

static bool fn_to_string(struct search *s, const struct arg *args, size_t n, struct jv *ret)
{
    struct buf b = BUF_INIT(JMESPATH_MAX_MEMORY);
    bool finite;

    *ret = args[0].v;
    if (ret->type == JV_STRING) return true;
    finite = jv_write(&args[0].v, true, &b);
    char *out = finite && !b.err ? room(s, b.n) : NULL;
    if (out) memcpy(out, b.p, b.n);
    *ret = jv_str(str_n(out, b.n));
    buf_done(&b);
    if (!finite)
        return jmespath_fail(s, "a number in it is infinite or none, which JSON cannot say");
    return out || jmespath_fail(s, "no memory for a text");
}

#define TEXTS A_STRING, A_STRING
const struct function jmespath_fn_text[] = {
    {"contains", fn_contains, 2, 2, {A_ARRAY | A_STRING, A_ANY}},
    {"ends_with", fn_ends_with, 2, 2, {TEXTS}},
    {"find_first", fn_find_first, 2, 4, {TEXTS, A_NUMBER, A_NUMBER}},
    {"find_last", fn_find_last, 2, 4, {TEXTS, A_NUMBER, A_NUMBER}},
    {"join", fn_join, 2, 2, {A_STRING, A_STRINGS}},
    {"lower", fn_lower, 1, 1, {A_STRING}},
    {"pad_left", fn_pad_left, 2, 3, {A_STRING, A_NUMBER, A_STRING}},
    {"pad_right", fn_pad_right, 2, 3, {A_STRING, A_NUMBER, A_STRING}},
    {"replace", fn_replace, 3, 4, {TEXTS, A_STRING, A_NUMBER}},
    {"split", fn_split, 2, 3, {TEXTS, A_NUMBER}},
    {"starts_with", fn_starts_with, 2, 2, {TEXTS}},
    {"to_string", fn_to_string, 1, 1, {A_ANY}},
    {"trim", fn_trim, 1, 2, {TEXTS}},
    {"trim_left", fn_trim_left, 1, 2, {TEXTS}},
    {"trim_right", fn_trim_right, 1, 2, {TEXTS}},
    {"upper", fn_upper, 1, 1, {A_STRING}},
    {0},
};
