/* RFC 3339: fixed places up to the seconds, then a fraction and a zone. */
#include "base/rfc3339.h"

#include <errno.h>
#include "base/clock.h"

#define FIXED (sizeof("2006-01-02T15:04:05") - 1)

/* n digits at p, or -1. */
static int digits(const char *p, int n)
{
    int v = 0;

    for (int i = 0; i < n; i++) {
        if (p[i] < '0' || p[i] > '9') return -1;
        v = v * 10 + (p[i] - '0');
    }
    return v;
}

static bool is_leap(int y)
{
    return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

static int days_of(int y, int m)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return m == 2 && is_leap(y) ? 29 : days[m - 1];
}

/* Days since 1970 of the proleptic Gregorian calendar; years are counted from March, so that the
 * leap day is the last. */
static i64 day_number(int y, int m, int d)
{
    i64 year = m <= 2 ? y - 1 : y, era = (year >= 0 ? year : year - 399) / 400;
    i64 of_era = year - era * 400, of_year = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static bool read_fixed(const char *p, i64 *ret_seconds)
{
    int y = digits(p, 4), mon = digits(p + 5, 2), d = digits(p + 8, 2), h = digits(p + 11, 2),
        min = digits(p + 14, 2), s = digits(p + 17, 2);

    if (p[4] != '-' || p[7] != '-' || p[10] != 'T' || p[13] != ':' || p[16] != ':') return false;
    if (y < 0 || mon < 1 || mon > 12 || d < 1 || d > days_of(y, mon)) return false;
    if (h < 0 || h > 23 || min < 0 || min > 59 || s < 0 || s > 59) return false;
    *ret_seconds = day_number(y, mon, d) * 86400 + h * 3600 + min * 60 + s;
    return true;
}

/* Takes it off the front of *s. */
static bool read_fraction(struct str *s, i64 *ret_ns)
{
    i64 ns = 0, unit = 100000000;
    size_t i = 1;

    *ret_ns = 0;
    if (!s->n || (s->p[0] != '.' && s->p[0] != ',')) return true;
    for (; i < s->n && s->p[i] >= '0' && s->p[i] <= '9'; i++, unit /= 10)
        ns += (s->p[i] - '0') * unit;
    *s = str_sub(*s, i, s->n);
    *ret_ns = ns;
    return i > 1;
}

static bool read_zone(struct str s, i64 *ret_seconds)
{
    *ret_seconds = 0;
    if (str_is(s, "Z")) return true;
    if (s.n != 6 || (s.p[0] != '+' && s.p[0] != '-') || s.p[3] != ':') return false;
    int h = digits(s.p + 1, 2), min = digits(s.p + 4, 2);
    if (h < 0 || h > 24 || min < 0 || min > 59) return false;
    *ret_seconds = (s.p[0] == '-' ? -1 : 1) * (h * 3600 + min * 60);
    return true;
}

int rfc3339_parse(struct str s, i64 *ret_ns)
{
    i64 seconds, ns, zone, total;

    if (s.n <= FIXED || !read_fixed(s.p, &seconds)) return -EINVAL;
    s = str_sub(s, FIXED, s.n);
    if (!read_fraction(&s, &ns) || !read_zone(s, &zone)) return -EINVAL;
    if (__builtin_mul_overflow(seconds - zone, NS_PER_SEC, &total) ||
        __builtin_add_overflow(total, ns, &total))
        return -ERANGE;
    *ret_ns = total;
    return 0;
}
