/* Sprig's functions over texts; the text comes last. */
#include <stdlib.h>
#include "base/utf8.h"
#include "components/common/template/text.h"

FN(trim)
{
    return tv_str(text_trim_space(a[0].s));
}

FN(trim_all)
{
    return tv_str(text_trim(a[1].s, a[0].s, TRIM_LEFT | TRIM_RIGHT));
}

FN(trim_suffix)
{
    return tv_str(str_sub(a[1].s, 0, a[1].s.n - (str_ends(a[1].s, a[0].s) ? a[0].s.n : 0)));
}

FN(trim_prefix)
{
    return tv_str(str_sub(a[1].s, str_starts(a[1].s, a[0].s) ? a[0].s.n : 0, a[1].s.n));
}

static struct tval mapped(struct run *r, struct str s, u32 (*fn)(u32))
{
    struct buf b = run_buf();
    text_map(&b, s, fn);
    return run_value(r, &b);
}

FN(upper)
{
    return mapped(r, a[0].s, utf8_upper);
}

FN(lower)
{
    return mapped(r, a[0].s, utf8_lower);
}

FN(contains)
{
    return tv_bool(str_find(a[1].s, a[0].s) >= 0);
}

FN(has_prefix)
{
    return tv_bool(str_starts(a[1].s, a[0].s));
}

FN(has_suffix)
{
    return tv_bool(str_ends(a[1].s, a[0].s));
}

FN(replace)
{
    struct buf b = run_buf();
    text_replace(&b, a[2].s, a[0].s, a[1].s, -1);
    return run_value(r, &b);
}

FN(repeat)
{
    struct buf b = run_buf();
    if (a[0].i < 0) return run_fail(r, "strings: negative Repeat count");
    for (i64 i = 0; a[1].s.n > 0 && i < a[0].i && !buf_err(&b); i++)
        buf_str(&b, a[1].s);
    return run_value(r, &b);
}

/* --- cutting: by bytes, as Sprig does --- */

static struct tval out_of_range(struct run *r)
{
    return run_fail(r, "runtime error: slice bounds out of range");
}

FN(cut_to)
{
    struct str s = a[1].s;
    i64 c = a[0].i, len = (i64)s.n;
    if (c < 0 && len + c > 0) return tv_str(str_sub(s, (size_t)(len + c), s.n));
    if (c >= 0 && len > c) return tv_str(str_sub(s, 0, (size_t)c));
    return tv_str(s);
}

FN(substr)
{
    struct str s = a[2].s;
    i64 start = a[0].i, end = a[1].i, len = (i64)s.n;
    if (start < 0) {
        start = 0;
        if (end < 0 || end > len) return out_of_range(r);
    } else if (end < 0 || end > len) {
        end = len;
    }
    if (start > end) return out_of_range(r);
    return tv_str(str_sub(s, (size_t)start, (size_t)end));
}

/* --- quoting, joining --- */

FN(quote)
{
    struct buf b = run_buf();
    for (size_t i = 0; i < n && !buf_err(&b); i++) {
        if (a[i].type == T_NIL) continue;
        if (b.n) buf_ch(&b, ' ');
        utf8_quote(&b, to_text(r, a[i]));
    }
    return run_value(r, &b);
}

FN(squote)
{
    struct buf b = run_buf();
    for (size_t i = 0; i < n && !buf_err(&b); i++) {
        if (a[i].type == T_NIL) continue;
        buf_cstr(&b, b.n ? " '" : "'");
        tv_print(r, &b, a[i]);
        buf_ch(&b, '\'');
    }
    return run_value(r, &b);
}

FN(cat)
{
    struct buf b = run_buf();
    bool first = true;
    for (size_t i = 0; i < n && !buf_err(&b); i++) {
        if (a[i].type == T_NIL) continue;
        if (!first) buf_ch(&b, ' ');
        first = false;
        tv_print(r, &b, a[i]);
    }
    return run_value(r, &b);
}

static struct tval indented(struct run *r, const char *before, struct tval *a)
{
    struct buf b = run_buf(), pad = run_buf();
    if (a[0].i < 0) return run_fail(r, "strings: negative Repeat count");
    buf_ch(&pad, '\n');
    char *blanks = a[0].i < (i64)OUTPUT_LIMIT ? buf_reserve(&pad, (size_t)a[0].i) : NULL;
    if (!blanks) {
        buf_done(&pad);
        return run_too_big(r);
    }
    memset(blanks, ' ', (size_t)a[0].i);
    buf_commit(&pad, (size_t)a[0].i);
    buf_cstr(&b, before);
    buf_add(&b, pad.p + 1, pad.n - 1);
    text_replace(&b, a[1].s, STR("\n"), buf_view(&pad), -1);
    buf_done(&pad);
    return run_value(r, &b);
}

FN(indent)
{
    return indented(r, "", a);
}

FN(nindent)
{
    return indented(r, "\n", a);
}

FN(plural)
{
    return a[2].i == 1 ? a[0] : a[1];
}

/* --- texts and lists --- */

/* Sprig's strslice: a list without its nils; anything else is a list of one. */
static struct tval strings_of(struct run *r, struct tval v)
{
    struct tval one = v, l = v;
    if (v.type != T_LIST) l = (struct tval){.type = T_LIST, .list = {&one, v.type != T_NIL}};
    if (v.type == T_LIST && v.sub == ELEM_STRING) return v;
    struct tval out = tlist_new(r, ELEM_STRING, l.list.n);
    size_t k = 0;
    for (size_t i = 0; i < out.list.n && !run_failed(r); i++)
        if (l.list.v[i].type != T_NIL) out.list.v[k++] = tv_str(to_text(r, l.list.v[i]));
    out.list.n = k;
    return out;
}

FN(to_strings)
{
    return strings_of(r, a[0]);
}

FN(join)
{
    struct buf b = run_buf();
    struct tval l = strings_of(r, a[1]);
    for (size_t i = 0; i < l.list.n && !buf_err(&b); i++) {
        if (i) buf_str(&b, a[0].s);
        buf_str(&b, l.list.v[i].s);
    }
    return run_value(r, &b);
}

static int by_text(const void *x, const void *y)
{
    return str_cmp(((const struct tval *)x)->s, ((const struct tval *)y)->s);
}

FN(sort_alpha)
{
    struct tval l = strings_of(r, a[0]);
    if (l.list.v == a[0].list.v && l.list.n) {
        l = tlist_new(r, ELEM_STRING, a[0].list.n);
        if (l.list.n) memcpy(l.list.v, a[0].list.v, l.list.n * sizeof(*l.list.v));
    }
    if (l.list.n) qsort(l.list.v, l.list.n, sizeof(*l.list.v), by_text);
    return l;
}

FN(split_list)
{
    return text_split(r, a[1].s, a[0].s, -1);
}

/* {"_0": piece, "_1": piece, ...} */
static struct tval numbered(struct run *r, struct tval l)
{
    struct tval out = {.type = T_MAP, .sub = ELEM_STRING, .map = tmap_new(r)};
    for (size_t i = 0; i < l.list.n && !run_failed(r); i++)
        tmap_put(r, out.map, str_of(arena_printf(r->arena, "_%zu", i)), l.list.v[i]);
    return out;
}

FN(split)
{
    return numbered(r, text_split(r, a[1].s, a[0].s, -1));
}

FN(splitn)
{
    return numbered(r, text_split(r, a[2].s, a[0].s, a[1].i));
}

FN(to_string)
{
    return tv_str(to_text(r, a[0]));
}

FN(hello)
{
    return tv_str(STR("Hello!"));
}

static const struct tfunc funcs[] = {
    {"trim", "s", trim},
    {"trimAll", "ss", trim_all},
    {"trimall", "ss", trim_all},
    {"trimSuffix", "ss", trim_suffix},
    {"trimPrefix", "ss", trim_prefix},
    {"upper", "s", upper},
    {"lower", "s", lower},
    {"contains", "ss", contains},
    {"hasPrefix", "ss", has_prefix},
    {"hasSuffix", "ss", has_suffix},
    {"replace", "sss", replace},
    {"repeat", "is", repeat},
    {"trunc", "is", cut_to},
    {"substr", "iis", substr},
    {"quote", "a.", quote},
    {"squote", "a.", squote},
    {"cat", "a.", cat},
    {"indent", "is", indent},
    {"nindent", "is", nindent},
    {"plural", "ssi", plural},
    {"toStrings", "a", to_strings},
    {"join", "sa", join},
    {"sortAlpha", "a", sort_alpha},
    {"splitList", "ss", split_list},
    {"split", "ss", split},
    {"splitn", "sis", splitn},
    {"toString", "a", to_string},
    {"hello", "", hello},
};
FUNC_TABLE(fn_strings, funcs);
