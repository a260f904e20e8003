/* string.*: Unicode aware, as Go's strings package; bytes that are no UTF-8 stay where a function
 * does not look at characters. */
#include <errno.h>

#include "base/utf8.h"
#include "base/vec.h"
#include "stdlib/format.h"
#include "stdlib/tables.h"

/* --- format, join, split --- */

static int format(CALL_ARGS)
{
    struct buf text = BUF_INIT(VALUE_TEXT_MAX);
    format_values(&text, value_text(args[0]), args + 1, n - 1);
    return result_text(&text, ret, err);
}

static int join(CALL_ARGS)
{
    struct buf text = BUF_INIT(VALUE_TEXT_MAX);
    const struct varray *list = args[0].array;
    for (size_t i = 0; i < list->n; i++) {
        if (i > 0) buf_str(&text, value_text(args[1]));
        buf_str(&text, value_text(list->v[i]));
    }
    return result_text(&text, ret, err);
}

/* The length of the next piece of s, and of the separator after it; at the end of the text the
 * separator has none. */
static size_t piece(struct str s, struct str sep, size_t *ret_sep)
{
    if (sep.n == 0) {
        *ret_sep = 0;
        return utf8_decode(s, &(u32){0}, NULL);
    }
    ssize_t at = str_find(s, sep);
    *ret_sep = at < 0 ? 0 : sep.n;
    return at < 0 ? s.n : (size_t)at;
}

static size_t count_pieces(struct str s, struct str sep)
{
    size_t n = sep.n > 0;
    for (size_t after; s.n > 0 && n <= VALUE_ARRAY_MAX;) {
        size_t len = piece(s, sep, &after);
        s = str_sub(s, len + after, s.n);
        n += sep.n == 0 || after > 0;
    }
    return n;
}

static int split(CALL_ARGS)
{
    struct str s = value_text(args[0]), sep = value_text(args[1]);
    size_t count = count_pieces(s, sep), after;
    if (count > VALUE_ARRAY_MAX) return result_too_long(err);
    *ret = value_array(count);
    for (size_t i = 0; i < count; i++) {
        size_t len = s.n > 0 ? piece(s, sep, &after) : (after = 0);
        ret->array->v[i] = value_str(str_sub(s, 0, len));
        s = str_sub(s, len + after, s.n);
    }
    return 0;
}

/* --- replace --- */

/* An empty text stands before every character and at the end. */
static void spread(struct buf *text, struct str s, struct str with)
{
    for (size_t i = 0, w; i < s.n && !buf_err(text); i += w) {
        w = utf8_decode(str_sub(s, i, s.n), &(u32){0}, NULL);
        buf_str(text, with);
        buf_str(text, str_sub(s, i, i + w));
    }
    buf_str(text, with);
}

static int replace(CALL_ARGS)
{
    struct buf text = BUF_INIT(VALUE_TEXT_MAX);
    struct str s = value_text(args[0]), old = value_text(args[1]), with = value_text(args[2]);
    if (old.n == 0) {
        spread(&text, s, with);
        return result_text(&text, ret, err);
    }
    for (ssize_t at; (at = str_find(s, old)) >= 0 && !buf_err(&text);) {
        buf_str(&text, str_sub(s, 0, (size_t)at));
        buf_str(&text, with);
        s = str_sub(s, (size_t)at + old.n, s.n);
    }
    buf_str(&text, s);
    return result_text(&text, ret, err);
}

/* --- case --- */

static int map_case(struct str s, u32 (*map)(u32), struct value *ret, struct func_error *err)
{
    struct buf text = BUF_INIT(VALUE_TEXT_MAX);
    for (size_t i = 0; i < s.n && !buf_err(&text);) {
        u32 c;
        i += utf8_decode(str_sub(s, i, s.n), &c, NULL);
        utf8_encode(&text, map(c));
    }
    return result_text(&text, ret, err);
}

static int to_lower(CALL_ARGS)
{
    return map_case(value_text(args[0]), utf8_lower, ret, err);
}

static int to_upper(CALL_ARGS)
{
    return map_case(value_text(args[0]), utf8_upper, ret, err);
}

/* --- trimming --- */

static bool in_set(struct str set, u32 c)
{
    for (size_t i = 0; i < set.n;) {
        u32 member;
        i += utf8_decode(str_sub(set, i, set.n), &member, NULL);
        if (member == c) return true;
    }
    return false;
}

static bool trimmed(struct str set, bool space, u32 c)
{
    return space ? utf8_is_space(c) : in_set(set, c);
}

/* The width of the last character: the longest of up to four bytes that decode as one. */
static size_t last_char(struct str s, u32 *ret)
{
    for (size_t w = MIN(s.n, 4u); w > 1; w--) {
        bool bad;
        if (utf8_decode(str_sub(s, s.n - w, s.n), ret, &bad) == w && !bad) return w;
    }
    return utf8_decode(str_sub(s, s.n - 1, s.n), ret, NULL);
}

static struct value trim_chars(struct str s, struct str set, bool space)
{
    u32 c;
    for (size_t w; s.n > 0 && (w = utf8_decode(s, &c, NULL), trimmed(set, space, c));)
        s = str_sub(s, w, s.n);
    for (size_t w; s.n > 0 && (w = last_char(s, &c), trimmed(set, space, c));)
        s.n -= w;
    return value_str(s);
}

static int trim(CALL_ARGS)
{
    *ret = trim_chars(value_text(args[0]), value_text(args[1]), false);
    return 0;
}

static int trim_space(CALL_ARGS)
{
    *ret = trim_chars(value_text(args[0]), STR(""), true);
    return 0;
}

static int trim_prefix(CALL_ARGS)
{
    struct str s = value_text(args[0]), prefix = value_text(args[1]);
    *ret = value_str(str_starts(s, prefix) ? str_sub(s, prefix.n, s.n) : s);
    return 0;
}

static int trim_suffix(CALL_ARGS)
{
    struct str s = value_text(args[0]), suffix = value_text(args[1]);
    *ret = value_str(str_ends(s, suffix) ? str_sub(s, 0, s.n - suffix.n) : s);
    return 0;
}

/* --- rows: each function, and its older flat name --- */

#define ROWS(fn, doc_, names, returns_, ...)                                                       \
    {.name = "string." #fn,                                                                        \
     .doc = doc_,                                                                                  \
     .call = fn,                                                                                   \
     .param_names = names,                                                                         \
     .returns = returns_,                                                                          \
     __VA_ARGS__},                                                                                 \
    {                                                                                              \
        .name = #fn, .doc = doc_, .call = fn, .param_names = names, .returns = returns_,           \
        .deprecated = true, __VA_ARGS__                                                            \
    }

static const struct func rows[] = {
    ROWS(format,
         "Formats values by a text with Go's verbs: %s, %d, %v, %q, %t, %f, %x and others, with "
         "width and precision.",
         "format, values...", "string", PARAMS(P_STRING, P_ANY), .variadic = true),
    ROWS(join, "Joins the elements of a list, a separator between them.", "list, separator",
         "string", PARAMS(P_ARRAY_STR, P_STRING)),
    ROWS(replace, "Replaces every occurrence of a text by another.", "string, old, new", "string",
         PARAMS(P_STRING, P_STRING, P_STRING)),
    ROWS(split, "Cuts a text at every separator; an empty separator cuts between characters.",
         "string, separator", "list(string)", PARAMS(P_STRING, P_STRING)),
    ROWS(to_lower, "The text in lower case.", "string", "string", PARAMS(P_STRING)),
    ROWS(to_upper, "The text in upper case.", "string", "string", PARAMS(P_STRING)),
    ROWS(trim, "Takes the given characters off both ends.", "string, characters", "string",
         PARAMS(P_STRING, P_STRING)),
    ROWS(trim_prefix, "Takes a text off the start, if it stands there.", "string, prefix", "string",
         PARAMS(P_STRING, P_STRING)),
    ROWS(trim_suffix, "Takes a text off the end, if it stands there.", "string, suffix", "string",
         PARAMS(P_STRING, P_STRING)),
    ROWS(trim_space, "Takes white space off both ends.", "string", "string", PARAMS(P_STRING)),
};
const struct func_table funcs_string = {rows, ARRAY_LEN(rows)};
