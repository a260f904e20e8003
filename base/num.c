/* Numbers as text and back, in Go's forms. Shortest floats come from printf and strtod of the C
 * library: the first precision that reads back the same wins, and its digits are laid out anew. */
#include "base/num.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include "base/assert.h"
#include "base/xalloc.h"

/* --- integers --- */

int num_parse_u64(struct str s, u64 *ret)
{
    u64 v = 0;

    if (s.n == 0) return -EINVAL;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9') return -EINVAL;
    }
    for (size_t i = 0; i < s.n; i++) {
        if (__builtin_mul_overflow(v, 10u, &v) ||
            __builtin_add_overflow(v, (u64)(s.p[i] - '0'), &v))
            return -ERANGE;
    }
    *ret = v;
    return 0;
}

int num_parse_i64(struct str s, i64 *ret)
{
    bool neg = s.n && s.p[0] == '-';
    u64 v;

    if (neg || (s.n && s.p[0] == '+')) s = str_sub(s, 1, s.n);
    int rc = num_parse_u64(s, &v);
    if (rc) return rc;
    if (v > (u64)INT64_MAX + neg) return -ERANGE;
    *ret = (i64)(neg ? -v : v);
    return 0;
}

/* --- text to float --- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
    return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* The bits of Go's NaN, which time series databases tell from their markers. */
static f64 go_nan(void)
{
    const u64 bits = UINT64_C(0x7FF8000000000001);
    f64 v;

    memcpy(&v, &bits, sizeof(v));
    return v;
}

static int parse_special(struct str s, f64 *ret)
{
    bool sign = s.n && (s.p[0] == '+' || s.p[0] == '-');
    struct str word = str_sub(s, sign, s.n);

    if (str_ieq(word, STR("inf")) || str_ieq(word, STR("infinity")))
        *ret = sign && s.p[0] == '-' ? -INFINITY : INFINITY;
    else if (!sign && str_ieq(word, STR("nan")))
        *ret = go_nan();
    else
        return -EINVAL;
    return 0;
}

/* What a float looks like once read over: enough to check its syntax and to take the short way. */
struct float_scan {
    u64 mantissa; /* exact while digits <= 19 */
    int digits;   /* significant ones, hexadecimal ones too */
    int point;    /* digits after the point */
    int exp;
    bool neg, hex, underscores;
};

static size_t scan_mantissa(struct str s, size_t i, struct float_scan *f)
{
    bool point = false, any = false;

    for (; i < s.n; i++) {
        char c = s.p[i];

        if (c == '_') {
            f->underscores = true;
        } else if (c == '.' && !point) {
            point = true;
        } else if (f->hex ? is_hex(c) : is_digit(c)) {
            any = true;
            f->point += point;
            if (f->digits == 0 && c == '0') continue;
            if (f->digits++ < 19) f->mantissa = f->mantissa * 10 + (u64)(c & 15);
        } else {
            break;
        }
    }
    return any ? i : SIZE_MAX;
}

/* Exponents beyond any float are held at a bound: the value is then zero or infinite whatever the
 * rest. */
static size_t scan_exponent(struct str s, size_t i, struct float_scan *f)
{
    bool neg = false, any = false;

    i++;
    if (i < s.n && (s.p[i] == '+' || s.p[i] == '-')) neg = s.p[i++] == '-';
    for (; i < s.n && (is_digit(s.p[i]) || s.p[i] == '_'); i++) {
        if (s.p[i] == '_') {
            f->underscores = true;
            continue;
        }
        any = true;
        if (f->exp < 100000) f->exp = f->exp * 10 + (s.p[i] - '0');
    }
    if (neg) f->exp = -f->exp;
    return any ? i : SIZE_MAX;
}

/* Go lets an underscore stand between two digits, or between the hexadecimal prefix and a digit. */
static bool underscores_ok(struct str s, const struct float_scan *f)
{
    size_t i = s.p[0] == '+' || s.p[0] == '-';
    bool digit = f->hex, line = false;

    for (i += f->hex ? 2 : 0; i < s.n; i++) {
        if (s.p[i] == '_' ? !digit : line && !(f->hex ? is_hex(s.p[i]) : is_digit(s.p[i])))
            return false;
        line = s.p[i] == '_';
        digit = f->hex ? is_hex(s.p[i]) : is_digit(s.p[i]);
    }
    return !line;
}

static bool scan_float(struct str s, struct float_scan *f)
{
    size_t i = 0;

    if (i < s.n && (s.p[i] == '+' || s.p[i] == '-')) f->neg = s.p[i++] == '-';
    if (s.n - i > 2 && s.p[i] == '0' && (s.p[i + 1] | 0x20) == 'x') {
        f->hex = true;
        i += 2;
    }
    i = scan_mantissa(s, i, f);
    if (i == SIZE_MAX) return false;
    bool has_exp = i < s.n && (s.p[i] | 0x20) == (f->hex ? 'p' : 'e');
    if (has_exp) i = scan_exponent(s, i, f);
    if (f->hex && !has_exp) return false;
    return i == s.n && (!f->underscores || underscores_ok(s, f));
}

/* A mantissa and a power of ten that are both exact give the right value by one operation. */
static bool short_way(const struct float_scan *f, f64 *ret)
{
    static const f64 power[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    int exp = f->exp - f->point;

    if (f->hex || f->digits > 19 || f->mantissa >> 53) return false;
    if (exp < -22 || exp > 22) return false;
    f64 v = (f64)f->mantissa;
    v = exp < 0 ? v / power[-exp] : v * power[exp];
    *ret = f->neg ? -v : v;
    return true;
}

/* strtod needs a terminated text without underscores. The locale is always "C": nothing here calls
 * setlocale. */
static int long_way(struct str s, f64 *ret)
{
    char small[128], *text = s.n < sizeof(small) ? small : xmalloc(s.n + 1);
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] != '_') text[n++] = s.p[i];
    }
    text[n] = '\0';
    f64 v = strtod(text, NULL);
    if (text != small) free(text);
    if (isinf(v)) return -ERANGE;
    *ret = v;
    return 0;
}

int num_parse_f64(struct str s, f64 *ret)
{
    struct float_scan f = {0};

    if (s.n == 0) return -EINVAL;
    if (!scan_float(s, &f)) return parse_special(s, ret);
    return short_way(&f, ret) ? 0 : long_way(s, ret);
}

/* --- float to text --- */

/* |v| = 0.d1d2d3... * 10^point */
struct decimal {
    char digits[20];
    int n, point;
    bool neg;
};

static void read_digits(const char *text, struct decimal *d)
{
    const char *e = strchr(text, 'e');

    d->n = 0;
    for (const char *p = text; p < e; p++) {
        if (is_digit(*p)) d->digits[d->n++] = *p;
    }
    d->point = atoi(e + 1) + 1;
    while (d->n > 1 && d->digits[d->n - 1] == '0')
        d->n--;
}

/* Just above a power of two the gap is twice that below, so the nearest decimal of a length can
 * fall outside while the next one up still reads back as v. */
static bool next_up_fits(const char *text, f64 v, char *out, size_t cap)
{
    char digits[20];
    int n = 0, exp = atoi(strchr(text, 'e') + 1);

    for (const char *p = text; *p != 'e'; p++) {
        if (is_digit(*p)) digits[n++] = *p;
    }
    int i = n - 1;
    while (i >= 0 && digits[i] == '9')
        digits[i--] = '0';
    if (i < 0) return false;
    digits[i]++;
    snprintf(out, cap, "%c.%.*se%d", digits[0], n - 1, digits + 1, exp);
    return strtod(out, NULL) == v;
}

static bool reads_back(f64 v, int precision, char *text, size_t cap)
{
    char up[32];

    snprintf(text, cap, "%.*e", precision - 1, v);
    if (strtod(text, NULL) == v) return true;
    if (!next_up_fits(text, v, up, sizeof(up))) return false;
    memcpy(text, up, sizeof(up));
    return true;
}

/* Whole numbers below 2^53 need no search: most values are. Not for -0, whose sign would be lost.
 */
static bool is_small_whole(f64 v)
{
    return fabs(v) < 0x1p53 && v == (f64)(i64)v && !(v == 0 && signbit(v));
}

/* Their own digits without the zeros at the end: any shorter text is another whole number, which
 * has a value of its own. */
static void whole_digits(u64 v, struct decimal *d)
{
    char *at = d->digits + sizeof(d->digits);
    int end = 0;

    for (; v >= 10 && v % 10 == 0; v /= 10)
        end++;
    for (d->n = 0; v > 0 || d->n == 0; v /= 10, d->n++)
        *--at = (char)('0' + v % 10);
    memmove(d->digits, at, (size_t)d->n);
    d->point = d->n + end;
}

/* 15 digits always survive in normal numbers, so no shorter precision need be tried there: trailing
 * zeros go. */
static void shortest(f64 v, struct decimal *d)
{
    char text[32];
    int precision = fabs(v) < 0x1p-1022 ? 1 : 15;

    ASSERT(isfinite(v));
    d->neg = signbit(v);
    v = fabs(v);
    if (is_small_whole(v)) {
        whole_digits((u64)v, d);
        return;
    }
    while (precision < 17 && !reads_back(v, precision, text, sizeof(text)))
        precision++;
    if (precision == 17) snprintf(text, sizeof(text), "%.16e", v);
    read_digits(text, d);
}

static void add_zeros(struct buf *b, int n)
{
    for (int i = 0; i < n; i++)
        buf_ch(b, '0');
}

static void lay_plain(struct buf *b, const struct decimal *d)
{
    int whole = MIN(MAX(d->point, 0), d->n);

    if (d->neg) buf_ch(b, '-');
    if (d->point <= 0) buf_ch(b, '0');
    buf_add(b, d->digits, (size_t)whole);
    add_zeros(b, d->point - d->n);
    if (whole == d->n) return;
    buf_ch(b, '.');
    add_zeros(b, -d->point);
    buf_add(b, d->digits + whole, (size_t)(d->n - whole));
}

static void lay_exponent(struct buf *b, const struct decimal *d, int min_digits)
{
    int exp = d->point - 1;

    if (d->neg) buf_ch(b, '-');
    buf_ch(b, d->digits[0]);
    if (d->n > 1) buf_ch(b, '.');
    buf_add(b, d->digits + 1, (size_t)(d->n - 1));
    buf_ch(b, 'e');
    buf_ch(b, exp < 0 ? '-' : '+');
    exp = abs(exp);
    if (exp < 10 && min_digits > 1) buf_ch(b, '0');
    if (exp >= 100) buf_ch(b, (char)('0' + exp / 100));
    if (exp >= 10) buf_ch(b, (char)('0' + exp / 10 % 10));
    buf_ch(b, (char)('0' + exp % 10));
}

static bool add_special(struct buf *b, f64 v)
{
    if (isfinite(v)) return false;
    buf_cstr(b, isnan(v) ? "NaN" : v < 0 ? "-Inf" : "+Inf");
    return true;
}

void num_f64_plain(struct buf *b, f64 v)
{
    struct decimal d;

    if (add_special(b, v)) return;
    if (is_small_whole(v)) {
        buf_printf(b, "%lld", (long long)v);
        return;
    }
    shortest(v, &d);
    lay_plain(b, &d);
}

void num_f64_g(struct buf *b, f64 v)
{
    struct decimal d;

    if (add_special(b, v)) return;
    shortest(v, &d);
    if (v != 0 && (d.point - 1 < -4 || d.point - 1 >= 6))
        lay_exponent(b, &d, 2);
    else
        lay_plain(b, &d);
}

static void json_form(struct buf *b, f64 v, int exponent_digits)
{
    struct decimal d;
    f64 size = fabs(v);

    if (size == 0 || (size >= 1e-6 && size < 1e21)) {
        num_f64_plain(b, v);
        return;
    }
    shortest(v, &d);
    lay_exponent(b, &d, exponent_digits);
}

void num_f64_json(struct buf *b, f64 v)
{
    json_form(b, v, 1);
}

void num_f64_json_wide(struct buf *b, f64 v)
{
    json_form(b, v, 2);
}
