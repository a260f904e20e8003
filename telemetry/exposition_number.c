/* Values of samples: nearly all are integers or short decimals, which are exact by one
 * multiplication or division of doubles (a mantissa below 2^53 and a power of ten up to 10^22 are
 * exact themselves, so the result is rounded once). The rest goes the long way. */
#include <math.h>

#include "base/num.h"
#include "telemetry/exposition_int.h"

#define EXACT_MANTISSA (UINT64_C(1) << 53)
#define EXACT_POWER    22

static const f64 powers[EXACT_POWER + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                            1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                            1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

static bool ends_number(const char *p, const char *end)
{
    return p == end || *p == ' ' || *p == '\n' || *p == '\t';
}

/* The fields of a decimal: mantissa × 10^exp. */
struct decimal {
    u64 mantissa;
    int exp;
    bool neg;
};

static inline const char *read_digits(const char *p, const char *end, u64 *mantissa)
{
    u64 v = *mantissa;

    for (u8 digit; p < end && (digit = (u8)(*p - '0')) <= 9; p++)
        v = v * 10 + digit;
    *mantissa = v;
    return p;
}

/* *exp is changed by it. Four digits are more than a double needs. */
static const char *read_exponent(const char *p, const char *end, int *exp)
{
    bool neg = false;
    int v = 0;

    if (p < end && (*p == '-' || *p == '+')) neg = *p++ == '-';
    const char *from = p;
    for (; p < end && (u8)(*p - '0') <= 9 && p - from < 4; p++)
        v = v * 10 + (*p - '0');
    if (p == from) return NULL;
    *exp += neg ? -v : v;
    return p;
}

static inline const char *read_decimal(const char *p, const char *end, struct decimal *d)
{
    u64 mantissa = 0;
    int exp = 0;

    d->neg = p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+')) p++;
    const char *from = p;
    p = read_digits(p, end, &mantissa);
    ptrdiff_t digits = p - from;
    if (p < end && *p == '.') {
        const char *point = p;
        p = read_digits(p + 1, end, &mantissa);
        exp = (int)(point + 1 - p);
        digits = p - from - 1;
    }
    if (digits == 0 || digits > 18) return NULL;
    if (p < end && (*p | 0x20) == 'e') {
        int shifted = exp;
        p = read_exponent(p + 1, end, &shifted);
        exp = shifted;
    }
    d->mantissa = mantissa;
    d->exp = exp;
    return p;
}

static inline bool exact(const struct decimal *d, f64 *ret)
{
    if (d->mantissa > EXACT_MANTISSA || d->exp < -EXACT_POWER || d->exp > EXACT_POWER) return false;
    f64 v = (f64)d->mantissa;
    if (d->exp) v = d->exp < 0 ? v / powers[-d->exp] : v * powers[d->exp];
    *ret = d->neg ? -v : v;
    return true;
}

/* Hexadecimal forms and underscores are no values here, though Go has them elsewhere. */
static const char *long_way(const char *p, const char *end, u64 *ret_bits)
{
    const char *to = p;
    f64 v;

    for (; !ends_number(to, end); to++)
        if (*to == '_' || (*to | 0x20) == 'x' || (*to | 0x20) == 'p') return NULL;
    if (num_parse_f64(str_n(p, (size_t)(to - p)), &v) != 0) return NULL;
    *ret_bits = isnan(v) ? SAMPLE_NAN_BITS : sample_bits(v);
    return to;
}

const char *exposition_number(const char *p, const char *end, u64 *ret_bits)
{
    struct decimal d;
    f64 v;

    const char *to = read_decimal(p, end, &d);
    if (UNLIKELY(!to || !ends_number(to, end) || !exact(&d, &v))) return long_way(p, end, ret_bits);
    *ret_bits = sample_bits(v);
    return to;
}
