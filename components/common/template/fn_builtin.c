/* Go's built-in functions, but for comparisons. `slice` is Sprig's here, and `and`, `or` are known
 * to the executor: they stop at the argument that decides. */
#include "base/utf8.h"
#include "components/common/template/run.h"

/* fmt.Sprint: a blank between operands when neither is a text. */
static void sprint(struct run *r, struct buf *b, const struct tval *a, size_t n)
{
    for (size_t i = 0; i < n && !run_failed(r) && !buf_err(b); i++) {
        if (i > 0 && a[i].type != T_STRING && a[i - 1].type != T_STRING) buf_ch(b, ' ');
        tv_print(r, b, a[i]);
    }
}

FN(print)
{
    struct buf b = run_buf();
    sprint(r, &b, a, n);
    return run_value(r, &b);
}

FN(println)
{
    struct buf b = run_buf();
    for (size_t i = 0; i < n && !run_failed(r) && !buf_err(&b); i++) {
        if (i) buf_ch(&b, ' ');
        tv_print(r, &b, a[i]);
    }
    buf_ch(&b, '\n');
    return run_value(r, &b);
}

FN(printf_)
{
    struct buf b = run_buf();
    tpl_format(r, &b, a[0].s, a + 1, n - 1);
    return run_value(r, &b);
}

FN(not_)
{
    return tv_bool(!tv_truth(r, a[0]));
}

FN(len)
{
    switch (a[0].type) {
    case T_STRING: return tv_int((i64)a[0].s.n);
    case T_LIST: return tv_int((i64)a[0].list.n);
    case T_MAP: tmap_force(r, a[0].map); return tv_int((i64)a[0].map->n);
    case T_NIL: return run_fail(r, "len of nil pointer");
    default: return run_fail(r, "len of type %s", tv_go_type(a[0]));
    }
}

/* --- index --- */

static struct tval index_number(struct run *r, struct tval of, struct tval by)
{
    size_t len = of.type == T_LIST ? of.list.n : of.s.n;
    if (by.type == T_NIL) return run_fail(r, "cannot index slice/array with nil");
    if (by.type != T_INT)
        return run_fail(r, "cannot index slice/array with type %s", tv_go_type(by));
    if (by.i < 0 || (u64)by.i >= len)
        return run_fail(r, "index out of range: %lld", (long long)by.i);
    if (of.type == T_LIST) return of.list.v[by.i];
    return (struct tval){.type = T_INT, .sub = INT_UINT8, .i = (u8)of.s.p[by.i]};
}

static struct tval index_map(struct run *r, struct tval of, struct tval by)
{
    if (by.type == T_NIL) return run_fail(r, "value is nil; should be of type string");
    if (by.type != T_STRING)
        return run_fail(r, "value has type %s; should be string", tv_go_type(by));
    struct tval *v = tmap_get(r, of.map, by.s);
    if (v) return *v;
    return of.sub == ELEM_STRING ? tv_str((struct str){0}) : TV_NIL;
}

FN(index_)
{
    struct tval of = a[0];
    if (of.type == T_NIL) return run_fail(r, "index of untyped nil");
    for (size_t i = 1; i < n && !run_failed(r); i++) {
        if (of.type == T_LIST || of.type == T_STRING)
            of = index_number(r, of, a[i]);
        else if (of.type == T_MAP)
            of = index_map(r, of, a[i]);
        else if (of.type == T_NIL)
            return run_fail(r, "index of nil pointer");
        else
            return run_fail(r, "can't index item of type %s", tv_go_type(of));
    }
    return of;
}

/* No value here is a function. */
FN(call)
{
    if (a[0].type == T_NIL) return run_fail(r, "call of nil");
    return run_fail(r, "non-function of type %s", tv_go_type(a[0]));
}

/* --- escaping --- */

/* Nothing shows as it does in an action. */
static struct str all_text(struct run *r, struct tval *a, size_t n)
{
    struct buf b = run_buf();
    for (size_t i = 0; i < n; i++)
        if (a[i].type == T_NIL) a[i] = tv_str(STR("<no value>"));
    if (n == 1 && a[0].type == T_STRING) return a[0].s;
    sprint(r, &b, a, n);
    return run_text(r, &b);
}

FN(html)
{
    static const char *const escapes[] = {['&'] = "&amp;", ['<'] = "&lt;",   ['>'] = "&gt;",
                                          ['"'] = "&#34;", ['\''] = "&#39;", ['\0'] = "\uFFFD"};
    struct buf b = run_buf();
    struct str s = all_text(r, a, n);
    for (size_t i = 0; i < s.n; i++) {
        u8 c = (u8)s.p[i];
        if (c < ARRAY_LEN(escapes) && escapes[c])
            buf_cstr(&b, escapes[c]);
        else
            buf_ch(&b, (char)c);
    }
    return run_value(r, &b);
}

static void js_ascii(struct buf *b, char c)
{
    static const char quoted[] = "\\'\"", coded[] = "<>&=";
    if (c && strchr(quoted, c))
        buf_printf(b, "\\%c", c);
    else if (c && strchr(coded, c))
        buf_printf(b, "\\u%04X", c);
    else if ((u8)c < ' ' || c == 0x7f)
        buf_printf(b, "\\u%04X", (u8)c);
    else
        buf_ch(b, c);
}

FN(js)
{
    struct buf b = run_buf();
    struct str s = all_text(r, a, n);
    while (s.n > 0) {
        u32 c;
        size_t width = utf8_decode(s, &c, NULL);
        if (c < 0x80)
            js_ascii(&b, (char)c);
        else if (utf8_is_print(c))
            buf_add(&b, s.p, width);
        else
            buf_printf(&b, "\\u%04X", c);
        s = str_sub(s, width, s.n);
    }
    return run_value(r, &b);
}

static bool unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == '~';
}

FN(urlquery)
{
    struct buf b = run_buf();
    struct str s = all_text(r, a, n);
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == ' ')
            buf_ch(&b, '+');
        else if (unreserved(c))
            buf_ch(&b, c);
        else
            buf_printf(&b, "%%%02X", (u8)c);
    }
    return run_value(r, &b);
}

static const struct tfunc funcs[] = {
    {"and", "aa.", NULL},   {"or", "aa.", NULL},        {"not", "a", not_},
    {"print", "a.", print}, {"printf", "sa.", printf_}, {"println", "a.", println},
    {"len", "a", len},      {"index", "aa.", index_},   {"call", "aa.", call},
    {"html", "a.", html},   {"js", "a.", js},           {"urlquery", "a.", urlquery},
};
FUNC_TABLE(fn_builtin, funcs);
