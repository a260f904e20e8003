/* Decimals of up to 38 digits; what does not fit goes on in long double. */
#include "components/common/template/decimal.h"

#include <math.h>
#include <stdlib.h>
#include "base/num.h"

#define DIV_PLACES 16

static long double approx_of(struct decimal d)
{
    return d.inexact ? d.approx : (long double)d.digits * powl(10, d.exp);
}

static struct decimal inexact(long double v)
{
    return (struct decimal){.inexact = true, .approx = v};
}

/* The shortest digits that tell the number. */
struct decimal decimal_of(f64 f)
{
    char text[40];
    for (int prec = 0; prec < 18; prec++) {
        snprintf(text, sizeof(text), "%.*e", prec, f);
        if (strtod(text, NULL) == f) break;
    }
    struct decimal d = {0};
    int places = 0;
    bool behind = false;
    const char *p = text + (text[0] == '-');
    for (; *p && *p != 'e'; p++) {
        if (*p == '.')
            behind = true;
        else
            d.digits = d.digits * 10 + (*p - '0'), places += behind;
    }
    d.exp = (*p ? atoi(p + 1) : 0) - places;
    if (text[0] == '-') d.digits = -d.digits;
    return d;
}

static bool scale(struct decimal *d, int exp)
{
    for (; d->exp > exp; d->exp--)
        if (__builtin_mul_overflow(d->digits, (__int128)10, &d->digits)) return false;
    return true;
}

static size_t text_of(unsigned __int128 u, char out[48])
{
    size_t n = 0;
    do {
        out[47 - n++] = (char)('0' + (int)(u % 10));
        u /= 10;
    } while (u > 0);
    return n;
}

/* By text, so that the number read is the nearest one. */
f64 decimal_value(struct decimal d)
{
    char digits[48], text[80];
    if (d.inexact) return (f64)d.approx;
    bool minus = d.digits < 0;
    size_t n =
        text_of(minus ? 0 - (unsigned __int128)d.digits : (unsigned __int128)d.digits, digits);
    snprintf(text, sizeof(text), "%s%.*se%d", minus ? "-" : "", (int)n, digits + 48 - n, d.exp);
    return strtod(text, NULL);
}

bool decimal_is_zero(struct decimal d)
{
    return d.inexact ? d.approx == 0 : d.digits == 0;
}

struct decimal decimal_add(struct decimal a, struct decimal b)
{
    struct decimal x = a, y = b;
    int exp = MIN(a.exp, b.exp);
    if (a.inexact || b.inexact || !scale(&x, exp) || !scale(&y, exp) ||
        __builtin_add_overflow(x.digits, y.digits, &x.digits))
        return inexact(approx_of(a) + approx_of(b));
    return x;
}

struct decimal decimal_sub(struct decimal a, struct decimal b)
{
    b.digits = -b.digits;
    b.approx = -b.approx;
    return decimal_add(a, b);
}

struct decimal decimal_mul(struct decimal a, struct decimal b)
{
    struct decimal x = {.exp = a.exp + b.exp};
    if (a.inexact || b.inexact || __builtin_mul_overflow(a.digits, b.digits, &x.digits))
        return inexact(approx_of(a) * approx_of(b));
    return x;
}

struct decimal decimal_div(struct decimal a, struct decimal b)
{
    struct decimal x = a;
    if (a.inexact || b.inexact || a.exp - b.exp < -DIV_PLACES || !scale(&x, b.exp - DIV_PLACES))
        return inexact(approx_of(a) / approx_of(b));
    __int128 rest = x.digits % b.digits, half = b.digits / 2;
    __int128 abs_rest = rest < 0 ? -rest : rest, abs_half = half < 0 ? -half : half;
    struct decimal q = {.digits = x.digits / b.digits, .exp = -DIV_PLACES};
    if (abs_rest > abs_half || (abs_rest == abs_half && b.digits % 2 == 0))
        q.digits += (x.digits < 0) == (b.digits < 0) ? 1 : -1;
    return q;
}
