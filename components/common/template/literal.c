/* Constants: texts with escapes, characters, numbers. */
#include "components/common/template/literal.h"

#include <errno.h>
#include "base/digest.h"
#include "base/num.h"
#include "base/utf8.h"
#include "base/xalloc.h"

/* --- texts --- */

/* Exactly n digits of the base. */
static bool digits(struct str *s, size_t n, int base, u32 *ret)
{
    u32 v = 0;
    if (s->n < n) return false;
    for (size_t i = 0; i < n; i++) {
        int d = hex_digit(s->p[i]);
        if (d < 0 || d >= base) return false;
        v = v * (u32)base + (u32)d;
    }
    *s = str_sub(*s, n, s->n);
    *ret = v;
    return true;
}

static bool is_scalar(u32 c)
{
    return c <= 0x10FFFF && (c < 0xD800 || c > 0xDFFF);
}

static bool short_escape(char c, char quote, u32 *ret)
{
    static const char from[] = "abfnrtv\\", to[] = "\a\b\f\n\r\t\v\\";
    const char *at = c ? strchr(from, c) : NULL;
    if (at) *ret = (u32)to[at - from];
    if (c == quote) *ret = (u32)c;
    return at || c == quote;
}

/* Behind a backslash. *ret_byte: a byte of its own, not a character. */
static bool escape(struct str *s, char quote, u32 *ret, bool *ret_byte)
{
    if (s->n == 0) return false;
    char c = s->p[0];
    *ret_byte = c == 'x' || (c >= '0' && c <= '7');
    if (c >= '0' && c <= '7') return digits(s, 3, 8, ret) && *ret <= 255;
    *s = str_sub(*s, 1, s->n);
    if (c == 'x') return digits(s, 2, 16, ret);
    if (c == 'u') return digits(s, 4, 16, ret) && is_scalar(*ret);
    if (c == 'U') return digits(s, 8, 16, ret) && is_scalar(*ret);
    return short_escape(c, quote, ret);
}

static bool unescape(struct str s, struct buf *out)
{
    while (s.n > 0) {
        ssize_t at = str_chr(s, '\\');
        size_t plain = at < 0 ? s.n : (size_t)at;
        u32 c;
        bool byte;
        buf_add(out, s.p, plain);
        s = str_sub(s, plain, s.n);
        if (s.n == 0) break;
        s = str_sub(s, 1, s.n);
        if (!escape(&s, '"', &c, &byte)) return false;
        if (byte)
            buf_ch(out, (char)c);
        else
            utf8_encode(out, c);
    }
    return true;
}

bool literal_string(struct str quoted, struct arena *a, struct str *ret)
{
    struct buf b = BUF_INIT(quoted.n + 1);
    bool ok = unescape(str_sub(quoted, 1, quoted.n - 1), &b);
    if (ok) *ret = arena_str(a, buf_view(&b));
    buf_done(&b);
    return ok;
}

struct str literal_raw(struct str quoted, struct arena *a)
{
    struct buf b = BUF_INIT(quoted.n + 1);
    for (size_t i = 1; i + 1 < quoted.n; i++)
        if (quoted.p[i] != '\r') buf_ch(&b, quoted.p[i]);
    struct str s = arena_str(a, buf_view(&b));
    buf_done(&b);
    return s;
}

/* --- numbers --- */

static int prefix_base(struct str *s)
{
    if (s->n < 2 || s->p[0] != '0') return 10;
    int base = 8;
    char c = s->p[1] | 0x20;
    if (c == 'x') base = 16;
    if (c == 'b') base = 2;
    *s = str_sub(*s, c == 'x' || c == 'b' || c == 'o' ? 2 : 1, s->n);
    return base;
}

/* An underscore stands between digits, or between prefix and digit. */
static bool underscores_ok(struct str s, int base)
{
    if (s.n == 0 || s.p[s.n - 1] == '_') return false;
    if (base == 10 && s.p[0] == '_') return false;
    return str_find(s, STR("__")) < 0;
}

static int magnitude(struct str s, int base, u64 *ret)
{
    u64 v = 0;
    bool over = false;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '_') continue;
        int d = hex_digit(s.p[i]);
        if (d < 0 || d >= base) return -EINVAL;
        over |= __builtin_mul_overflow(v, (u64)base, &v) || __builtin_add_overflow(v, (u64)d, &v);
    }
    *ret = v;
    return over ? -ERANGE : 0;
}

static int unsigned_int(struct str s, u64 *ret)
{
    int base = prefix_base(&s);
    if (!underscores_ok(s, base)) return -EINVAL;
    return magnitude(s, base, ret);
}

int literal_int(struct str s, i64 *ret)
{
    u64 v = 0;
    bool minus = s.n > 0 && s.p[0] == '-';
    if (minus || (s.n > 0 && s.p[0] == '+')) s = str_sub(s, 1, s.n);
    int err = unsigned_int(s, &v);
    if (err) return err;
    if (v > (u64)INT64_MAX + minus) return -ERANGE;
    *ret = minus ? (i64)(0 - v) : (i64)v;
    return 0;
}

static bool has_any(struct str s, const char *set)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] && strchr(set, s.p[i])) return true;
    return false;
}

static bool is_hex(struct str s)
{
    return s.n > 2 && s.p[0] == '0' && (s.p[1] == 'x' || s.p[1] == 'X');
}

static int float_of(struct str s, f64 *ret)
{
    if (str_find(s, STR("__")) >= 0 || str_ends(s, STR("_"))) return -EINVAL;
    struct buf b = BUF_INIT(s.n + 1);
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] != '_') buf_ch(&b, s.p[i]);
    int err = num_parse_f64(buf_view(&b), ret);
    buf_done(&b);
    return err;
}

static bool char_constant(struct str text, struct number *ret, char **ret_why)
{
    u32 c = 0;
    bool byte, ok;
    struct str s = str_sub(text, 1, text.n);
    if (s.n > 0 && s.p[0] == '\\') {
        s = str_sub(s, 1, s.n);
        ok = escape(&s, '\'', &c, &byte);
    } else {
        ok = s.n > 1 && s.p[0] != '\'';
        if (ok) s = str_sub(s, utf8_decode(s, &c, NULL), s.n);
    }
    if (!ok || !str_is(s, "'")) {
        *ret_why = ok ? xprintf("malformed character constant: " STR_FMT, STR_ARG(text))
                      : xstrdup("invalid syntax");
        return false;
    }
    *ret = (struct number){.is_int = true, .is_float = true, .i = c, .f = c};
    return true;
}

static bool quoted_why(char **ret_why, const char *what, struct str text)
{
    struct buf b = BUF_INIT(1 << 16);
    buf_cstr(&b, what);
    utf8_quote(&b, text);
    *ret_why = buf_take(&b, NULL);
    return false;
}

static bool float_number(struct str text, struct number *ret, char **ret_why)
{
    f64 f;
    if (float_of(text, &f)) return quoted_why(ret_why, "illegal number syntax: ", text);
    if (!has_any(text, ".eEpP")) return quoted_why(ret_why, "integer overflow: ", text);
    ret->is_float = true;
    ret->f = f;
    ret->is_int = f >= -9.2e18 && f <= 9.2e18 && (f64)(i64)f == f;
    if (ret->is_int) ret->i = (i64)f;
    ret->shows_float = !is_hex(text) || has_any(text, "pP");
    return true;
}

bool literal_number(struct str text, bool is_char, struct number *ret, char **ret_why)
{
    *ret = (struct number){0};
    if (is_char) return char_constant(text, ret, ret_why);
    if (literal_int(text, &ret->i) == 0) {
        ret->is_int = ret->is_float = true;
        ret->f = (f64)ret->i;
        return true;
    }
    return float_number(text, ret, ret_why);
}
