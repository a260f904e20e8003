/* The Retry-After header. Source: spec D.8, RFC 9110 10.2.3. */
#include "components/common/retry_after.h"

#include <errno.h>
#include <time.h>

#include "base/num.h"

/* Longer waits than this are taken as this: the clock arithmetic of the callers must not overflow.
 */
#define LONGEST_WAIT (INT64_C(10) * 365 * 86400)

static bool digits(struct str s, size_t at, size_t n, int *ret)
{
    int v = 0;
    for (size_t i = at; i < at + n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9') return false;
        v = v * 10 + (s.p[i] - '0');
    }
    *ret = v;
    return true;
}

static int month_of(struct str name)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    for (int m = 0; m < 12; m++)
        if (str_eq(name, str_n(names + (size_t)m * 3, 3))) return m;
    return -1;
}

static bool punctuation_fits(struct str s)
{
    static const char pattern[] = "aaa, 00 aaa 0000 00:00:00 aaa";
    if (s.n != sizeof(pattern) - 1) return false;
    for (size_t i = 0; i < s.n; i++)
        if (pattern[i] != 'a' && pattern[i] != '0' && pattern[i] != s.p[i]) return false;
    return true;
}

int http_date_parse(struct str s, i64 *ret_real)
{
    struct tm tm = {0};
    int year;
    if (!punctuation_fits(s) || !digits(s, 5, 2, &tm.tm_mday) || !digits(s, 12, 4, &year) ||
        !digits(s, 17, 2, &tm.tm_hour) || !digits(s, 20, 2, &tm.tm_min) ||
        !digits(s, 23, 2, &tm.tm_sec))
        return -EINVAL;
    tm.tm_mon = month_of(str_sub(s, 8, 11));
    tm.tm_year = year - 1900;
    bool in_range = tm.tm_mon >= 0 && tm.tm_mday >= 1 && tm.tm_mday <= 31 && tm.tm_hour < 24 &&
                    tm.tm_min < 60 && tm.tm_sec < 60;
    if (!in_range || year < 1970 || year > 2200) return -EINVAL;
    *ret_real = (i64)timegm(&tm) * NS_PER_SEC;
    return 0;
}

i64 retry_after_parse(struct str value, i64 now_real)
{
    i64 seconds, when;
    if (num_parse_i64(value, &seconds) == 0) return MIN(MAX(seconds, 0), LONGEST_WAIT) * NS_PER_SEC;
    if (http_date_parse(value, &when) == 0) return MAX(when - now_real, 0);
    return 0;
}
