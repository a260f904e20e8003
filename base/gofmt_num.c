/* Numbers of a directive: integers in any base, floats in every notation, with signs, zeros and
 * alternate forms. */
#include "base/gofmt_int.h"

#include <ctype.h>
#include <math.h>
#include "base/num.h"

/* --- integers --- */

/* Least number of digits: the precision, or the width when it is to be filled with zeros. */
static int least_digits(const struct gofmt_directive *d, bool negative)
{
    if (d->has_prec) return d->prec;
    if (!d->zero || d->minus || !d->has_width) return 0;
    return d->width - (negative || d->plus || d->space);
}

static size_t digits_of(u64 u, unsigned base, bool upper, char out[64])
{
    const char *digit = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    size_t n = 0;
    do {
        out[63 - n++] = digit[u % base];
        u /= base;
    } while (u > 0);
    return n;
}

static const char *base_prefix(const struct gofmt_directive *d, unsigned base, u32 verb, bool upper,
                               bool leading_zero)
{
    if (verb == 'O') return d->sharp && !leading_zero ? "0o0" : "0o";
    if (!d->sharp) return "";
    if (base == 2) return "0b";
    if (base == 16) return upper ? "0X" : "0x";
    return base == 8 && !leading_zero ? "0" : "";
}

static const char *sign(const struct gofmt_directive *d, bool negative)
{
    return negative ? "-" : d->plus ? "+" : d->space ? " " : "";
}

static void pad_without_zeros(struct gofmt_directive *d, struct str text)
{
    bool zero = d->zero;
    d->zero = false;
    gofmt_pad(d, text);
    d->zero = zero;
}

void gofmt_integer(struct gofmt_directive *d, u64 u, bool is_signed, unsigned base, u32 verb,
                   bool upper)
{
    char digits[64];
    struct buf text = BUF_INIT((size_t)2 << 20);
    bool negative = is_signed && (i64)u < 0;
    bool nothing = d->has_prec && d->prec == 0 && u == 0;
    size_t n = digits_of(negative ? -u : u, base, upper, digits);
    int zeros = least_digits(d, negative) - (int)n;
    if (!nothing) {
        bool leading_zero = zeros > 0 || digits[64 - n] == '0';
        buf_printf(&text, "%s%s", sign(d, negative),
                   base_prefix(d, base, verb, upper, leading_zero));
        for (; zeros > 0; zeros--)
            buf_ch(&text, '0');
        buf_add(&text, digits + 64 - n, n);
    }
    pad_without_zeros(d, buf_view(&text));
    buf_done(&text);
}

/* --- floats --- */

/* 0x1.8p+01: the mantissa between 1 and 2, at least two digits of exponent. */
static void hex_float(struct buf *b, f64 f, int prec, bool upper)
{
    int exp = 0;
    char mantissa[64];
    f64 m = f == 0 ? 0 : 2 * frexp(f, &exp);
    exp -= f != 0;
    if (prec < 0)
        snprintf(mantissa, sizeof(mantissa), "%a", m);
    else
        snprintf(mantissa, sizeof(mantissa), "%.*a", MIN(prec, 40), m);
    char *p = strchr(mantissa, 'p');
    if (p) *p = '\0';
    if (mantissa[2] == '2') {
        mantissa[2] = '1';
        exp++;
    }
    buf_cstr(b, mantissa);
    for (int i = 40; i < prec; i++)
        buf_ch(b, '0');
    buf_printf(b, "p%c%02d", exp < 0 ? '-' : '+', exp < 0 ? -exp : exp);
    for (size_t i = 0; upper && i < b->n; i++)
        b->p[i] = (char)toupper((u8)b->p[i]);
}

/* The bits as they are: mantissa, p, exponent of two. */
static void binary_float(struct buf *b, f64 f)
{
    u64 bits;
    memcpy(&bits, &f, sizeof(bits));
    u64 mantissa = bits & ((UINT64_C(1) << 52) - 1);
    int exp = (int)(bits >> 52 & 0x7FF);
    if (exp == 0)
        exp = 1;
    else
        mantissa |= UINT64_C(1) << 52;
    buf_printf(b, "%llup%+d", (unsigned long long)mantissa, exp - 1075);
}

static void upper_case(struct buf *b)
{
    for (size_t i = 0; i < b->n; i++)
        b->p[i] = (char)toupper((u8)b->p[i]);
}

/* |f| in the notation of the verb; prec < 0: as many digits as are needed. */
static void magnitude(struct buf *b, f64 f, u32 verb, int prec)
{
    switch (verb) {
    case 'b': binary_float(b, f); return;
    case 'x':
    case 'X': hex_float(b, f, prec, verb == 'X'); return;
    case 'e':
    case 'E': buf_printf(b, verb == 'e' ? "%.*e" : "%.*E", prec, f); return;
    case 'f': buf_printf(b, "%.*f", prec, f); return;
    default: break;
    }
    if (prec < 0)
        num_f64_g(b, f);
    else
        buf_printf(b, "%.*g", prec, f);
    if (verb == 'G') upper_case(b);
}

static size_t significant(struct str digits, bool *ret_point)
{
    size_t n = 0;
    bool seen = false;
    for (size_t i = 0; i < digits.n; i++) {
        if (digits.p[i] == '.')
            *ret_point = true;
        else if (seen || digits.p[i] != '0') {
            seen = true;
            n++;
        }
    }
    return n;
}

/* The alternate form: always a point, and trailing zeros up to the number of digits asked for. */
static void keep_zeros(struct buf *b, u32 verb, int prec)
{
    bool hex = verb == 'x' || verb == 'X', point = false;
    bool counts = verb == 'g' || verb == 'G' || verb == 'x';
    size_t end = 0;
    while (end < b->n && b->p[end] != 'p' && b->p[end] != 'P' &&
           (hex || (b->p[end] != 'e' && b->p[end] != 'E')))
        end++;
    struct buf text = BUF_INIT(b->max);
    struct str digits = str_n(b->p, end);
    size_t have = significant(digits, &point), want = counts ? (size_t)(prec < 0 ? 6 : prec) : 0;
    if (!point && str_is(digits, "0")) have++;
    buf_str(&text, digits);
    if (!point) buf_ch(&text, '.');
    for (; have < want; have++)
        buf_ch(&text, '0');
    buf_add(&text, b->p + end, b->n - end);
    buf_reset(b);
    buf_str(b, buf_view(&text));
    buf_done(&text);
}

static void not_finite(struct gofmt_directive *d, f64 f)
{
    struct buf text = BUF_INIT(8);
    if (isnan(f))
        buf_printf(&text, "%sNaN", d->plus ? "+" : d->space ? " " : "");
    else
        buf_printf(&text, "%sInf", f < 0 ? "-" : d->space && !d->plus ? " " : "+");
    pad_without_zeros(d, buf_view(&text));
    buf_done(&text);
}

/* Zeros go between the sign and the digits. */
static void zero_padded(struct gofmt_directive *d, const char *sgn, struct str digits)
{
    size_t used = strlen(sgn) + digits.n;
    buf_cstr(d->out, sgn);
    if ((size_t)d->width > used) gofmt_padding(d, (size_t)d->width - used);
    buf_str(d->out, digits);
}

void gofmt_float(struct gofmt_directive *d, f64 f, u32 verb, int prec)
{
    if (!isfinite(f)) {
        not_finite(d, f);
        return;
    }
    struct buf digits = BUF_INIT((size_t)2 << 20), text = BUF_INIT((size_t)2 << 20);
    const char *sgn = sign(d, signbit(f));
    if (d->has_prec) prec = d->prec;
    magnitude(&digits, fabs(f), verb, prec);
    if (d->sharp && verb != 'b') keep_zeros(&digits, verb, prec);
    if (d->zero && !d->minus && d->has_width && *sgn) {
        zero_padded(d, sgn, buf_view(&digits));
    } else {
        buf_printf(&text, "%s" STR_FMT, sgn, STR_ARG(buf_view(&digits)));
        gofmt_pad(d, buf_view(&text));
    }
    buf_done(&digits);
    buf_done(&text);
}
