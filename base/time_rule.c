/* Rules of POSIX's TZ, and the calendar. */
#include "base/time_rule.h"

#define DAY 86400

/* --- the calendar --- */

static i64 floor_div(i64 a, i64 b)
{
    return a / b - (a % b < 0);
}

bool civil_leap(i64 year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int civil_month_days(i64 year, int month)
{
    static const u8 days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && civil_leap(year));
}

/* Years that begin in March put the leap day last, which makes the months' lengths a formula. */
i64 civil_days(i64 year, i64 month, i64 day)
{
    i64 m = floor_div(month - 1, 12);
    i64 y = year + m, in_year = month - 12 * m;
    if (in_year <= 2) y--;
    i64 era = floor_div(y, 400), of_era = y - era * 400;
    i64 of_year = (153 * (in_year + (in_year > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

struct civil civil_of_days(i64 days)
{
    i64 z = days + 719468, era = floor_div(z, 146097), doe = z - era * 146097;
    i64 yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    i64 doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    struct civil c = {.day = (int)(doy - (153 * mp + 2) / 5 + 1),
                      .month = (int)(mp < 10 ? mp + 3 : mp - 9)};
    c.year = yoe + era * 400 + (c.month <= 2);
    c.yday = (int)(days - civil_days(c.year, 1, 1));
    return c;
}

/* --- parsing --- */

static bool digits(struct str *s, int max, int *ret)
{
    size_t n = 0;
    int v = 0;
    for (; n < s->n && s->p[n] >= '0' && s->p[n] <= '9' && v <= max; n++)
        v = v * 10 + (s->p[n] - '0');
    *s = str_sub(*s, n, s->n);
    *ret = v;
    return n > 0 && v <= max;
}

static bool take(struct str *s, char c)
{
    if (s->n == 0 || s->p[0] != c) return false;
    *s = str_sub(*s, 1, s->n);
    return true;
}

static bool letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Letters, or anything between < and >. */
static bool abbreviation(struct str *s, char out[ABBR_MAX])
{
    bool quoted = take(s, '<');
    size_t n = 0;
    while (n < s->n && (quoted ? s->p[n] != '>' : letter(s->p[n])))
        n++;
    if (n < 3 || n >= ABBR_MAX || (quoted && n == s->n)) return false;
    memcpy(out, s->p, n);
    out[n] = '\0';
    *s = str_sub(*s, n + quoted, s->n);
    return true;
}

/* [+-]hh[:mm[:ss]] */
static bool clock_time(struct str *s, i32 *ret)
{
    int h, m = 0, sec = 0;
    bool minus = take(s, '-');
    if (!minus) take(s, '+');
    if (!digits(s, 167, &h)) return false;
    if (take(s, ':') && !digits(s, 59, &m)) return false;
    if (m >= 0 && take(s, ':') && !digits(s, 59, &sec)) return false;
    *ret = (h * 60 + m) * 60 + sec;
    if (minus) *ret = -*ret;
    return true;
}

/* Mmonth.week.day */
static bool week_change(struct str *s, struct rule_change *ret)
{
    return digits(s, 12, &ret->month) && ret->month > 0 && take(s, '.') &&
           digits(s, 5, &ret->week) && ret->week > 0 && take(s, '.') && digits(s, 6, &ret->day);
}

static bool change(struct str *s, struct rule_change *ret)
{
    bool ok;
    ret->time = 2 * 3600;
    if (take(s, 'J'))
        ret->kind = RULE_JULIAN, ok = digits(s, 365, &ret->day) && ret->day > 0;
    else if (take(s, 'M'))
        ret->kind = RULE_WEEK, ok = week_change(s, ret);
    else
        ret->kind = RULE_DAY, ok = digits(s, 365, &ret->day);
    return ok && (!take(s, '/') || clock_time(s, &ret->time));
}

static bool summer(struct str *s, struct time_rule *r)
{
    if (!abbreviation(s, r->dst)) return false;
    r->dst_offset = r->std_offset + 3600;
    if (s->n > 0 && s->p[0] != ',') {
        if (!clock_time(s, &r->dst_offset)) return false;
        r->dst_offset = -r->dst_offset;
    }
    struct str rules = s->n > 0 ? *s : STR(",M3.2.0,M11.1.0");
    return take(&rules, ',') && change(&rules, &r->start) && take(&rules, ',') &&
           change(&rules, &r->end) && rules.n == 0;
}

bool time_rule_parse(struct str text, struct time_rule *ret)
{
    struct time_rule r = {0};
    if (!abbreviation(&text, r.std) || !clock_time(&text, &r.std_offset)) return false;
    r.std_offset = -r.std_offset;
    if (text.n > 0 && !summer(&text, &r)) return false;
    *ret = r;
    return true;
}

/* --- asking --- */

/* Day of the year, from 0, of the change. */
static i64 week_day(const struct rule_change *c, i64 year)
{
    i64 first = civil_days(year, c->month, 1);
    i64 weekday = (first % 7 + 11) % 7; /* 1970-01-01 was a Thursday */
    i64 day = 1 + (c->day - weekday + 7) % 7 + (c->week - 1) * 7;
    while (day > civil_month_days(year, c->month))
        day -= 7;
    return first + day - 1 - civil_days(year, 1, 1);
}

/* Seconds of the year, local, at which the change is made. */
static i64 change_time(const struct rule_change *c, i64 year)
{
    i64 day = c->day;
    if (c->kind == RULE_JULIAN) day = c->day - 1 + (civil_leap(year) && c->day >= 60);
    if (c->kind == RULE_WEEK) day = week_day(c, year);
    return day * DAY + c->time;
}

i32 time_rule_offset(const struct time_rule *r, i64 unix_s, const char **ret_abbr)
{
    bool dst = false;
    if (r->dst[0]) {
        struct civil c = civil_of_days(floor_div(unix_s, DAY));
        i64 at = unix_s - civil_days(c.year, 1, 1) * DAY;
        i64 start = change_time(&r->start, c.year) - r->std_offset;
        i64 end = change_time(&r->end, c.year) - r->dst_offset;
        dst = start < end ? at >= start && at < end : at >= start || at < end;
    }
    if (ret_abbr) *ret_abbr = dst ? r->dst : r->std;
    return dst ? r->dst_offset : r->std_offset;
}
