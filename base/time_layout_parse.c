/* Texts to times, element by element. */
#include "base/time_layout_int.h"

#include <errno.h>
#include <stdlib.h>
#include "base/time_rule.h"
#include "base/xalloc.h"

#define DAY 86400

/* What is known of the time so far. */
struct clock_text {
    const struct time_layout *layout;
    struct str all, rest;
    const char *range; /* the part whose value is out of its range */
    int year, month, day, yday, hour, minute, second;
    bool pm, am, utc, has_offset;
    i32 nsec, offset;
    struct str abbr;
};

/* --- small readers: false leaves what is wrong to the caller --- */

static bool is_digit(struct str s, size_t i)
{
    return i < s.n && s.p[i] >= '0' && s.p[i] <= '9';
}

static void skip(struct clock_text *c, size_t n)
{
    c->rest = str_sub(c->rest, n, c->rest.n);
}

/* Exactly n digits. */
static bool exact(struct str s, size_t at, size_t n, int *ret)
{
    int v = 0;
    for (size_t i = at; i < at + n; i++) {
        if (!is_digit(s, i)) return false;
        v = v * 10 + (s.p[i] - '0');
    }
    *ret = v;
    return true;
}

/* Up to `most` digits, or exactly that many. */
static bool number(struct clock_text *c, size_t most, bool fixed, int *ret)
{
    size_t n = 0;
    while (n < most && is_digit(c->rest, n))
        n++;
    if (n == 0 || (fixed && n < most)) return false;
    exact(c->rest, 0, n, ret);
    skip(c, n);
    return true;
}

static bool bounded(struct clock_text *c, size_t most, bool fixed, int lo, int hi, const char *what,
                    int *ret)
{
    if (!number(c, most, fixed, ret)) return false;
    if (*ret < lo || *ret > hi) c->range = what;
    return !c->range;
}

static bool name(struct clock_text *c, const char *const *names, size_t n, size_t cut, int *ret)
{
    for (size_t i = 0; i < n; i++) {
        struct str want = str_of(names[i]);
        if (cut) want.n = cut;
        if (c->rest.n < want.n || !str_ieq(str_sub(c->rest, 0, want.n), want)) continue;
        skip(c, want.n);
        *ret = (int)i;
        return true;
    }
    return false;
}

static bool separator(struct str s)
{
    return s.n > 0 && (s.p[0] == '.' || s.p[0] == ',');
}

/* --- literals --- */

static struct str without_blanks(struct str s)
{
    while (s.n > 0 && s.p[0] == ' ')
        s = str_sub(s, 1, s.n);
    return s;
}

/* A run of blanks matches a run of any length, and none at the end. */
static bool literal(struct clock_text *c, struct str want)
{
    while (want.n > 0) {
        if (want.p[0] == ' ') {
            if (c->rest.n > 0 && c->rest.p[0] != ' ') return false;
            want = without_blanks(want);
            c->rest = without_blanks(c->rest);
            continue;
        }
        if (c->rest.n == 0 || c->rest.p[0] != want.p[0]) return false;
        want = str_sub(want, 1, want.n);
        skip(c, 1);
    }
    return true;
}

/* --- dates --- */

static bool short_year(struct clock_text *c)
{
    if (!number(c, 2, true, &c->year)) return false;
    c->year += c->year >= 69 ? 1900 : 2000;
    return true;
}

static bool month_name(struct clock_text *c, size_t cut)
{
    if (!name(c, month_names, 12, cut, &c->month)) return false;
    c->month++;
    return true;
}

static void skip_blanks(struct clock_text *c, size_t most)
{
    for (; most > 0 && c->rest.n > 0 && c->rest.p[0] == ' '; most--)
        skip(c, 1);
}

static bool date(struct clock_text *c, const struct elem *e)
{
    int ignored;
    switch (e->kind) {
    case EL_LONG_YEAR: return number(c, 4, true, &c->year);
    case EL_YEAR: return short_year(c);
    case EL_LONG_MONTH: return month_name(c, 0);
    case EL_MONTH: return month_name(c, 3);
    case EL_NUM_MONTH: return bounded(c, 2, false, 1, 12, "month", &c->month);
    case EL_ZERO_MONTH: return bounded(c, 2, true, 1, 12, "month", &c->month);
    case EL_LONG_WEEKDAY: return name(c, weekday_names, 7, 0, &ignored);
    case EL_WEEKDAY: return name(c, weekday_names, 7, 3, &ignored);
    case EL_UNDER_DAY: skip_blanks(c, 1); return number(c, 2, false, &c->day);
    case EL_DAY: return number(c, 2, false, &c->day);
    case EL_ZERO_DAY: return number(c, 2, true, &c->day);
    case EL_UNDER_YDAY: skip_blanks(c, 2); return number(c, 3, false, &c->yday);
    case EL_ZERO_YDAY: return number(c, 3, true, &c->yday);
    default: return false;
    }
}

/* --- clock --- */

/* n digits after a separator; those past the ninth are cut. */
static i32 nanoseconds(struct str s, size_t n)
{
    i32 v = 0;
    for (size_t i = 0; i < 9; i++)
        v = v * 10 + (i < n ? s.p[1 + i] - '0' : 0);
    return v;
}

static size_t fraction_digits(const struct clock_text *c)
{
    size_t n = 0;
    while (is_digit(c->rest, 1 + n))
        n++;
    return separator(c->rest) ? n : 0;
}

static void optional_fraction(struct clock_text *c)
{
    size_t n = fraction_digits(c);
    if (n == 0) return;
    c->nsec = nanoseconds(c->rest, n);
    skip(c, 1 + n);
}

static bool fraction(struct clock_text *c, size_t n)
{
    if (fraction_digits(c) < n) return false;
    c->nsec = nanoseconds(c->rest, n);
    skip(c, 1 + n);
    return true;
}

/* A fraction is taken although the layout does not tell of one. */
static bool seconds(struct clock_text *c, const struct elem *e)
{
    if (!bounded(c, 2, e->kind == EL_ZERO_SECOND, 0, 59, "second", &c->second)) return false;
    if (!e->own_fraction) optional_fraction(c);
    return true;
}

static bool half_day(struct clock_text *c, struct str am, struct str pm)
{
    if (str_starts(c->rest, pm))
        c->pm = true;
    else if (str_starts(c->rest, am))
        c->am = true;
    else
        return false;
    skip(c, 2);
    return true;
}

/* --- zones --- */

static bool offset_parts(struct clock_text *c, const struct elem *e, int part[3])
{
    bool colon = str_chr(e->text, ':') >= 0;
    size_t parts = (e->text.n - 1 + colon) / (2 + colon);
    for (size_t i = 0; i < parts; i++) {
        size_t at = 1 + i * (2 + colon);
        if (colon && i > 0 && (at > c->rest.n || c->rest.p[at - 1] != ':')) return false;
        if (!exact(c->rest, at, 2, &part[i])) return false;
    }
    return true;
}

static bool offset(struct clock_text *c, const struct elem *e)
{
    int part[3] = {0};
    if (e->kind == EL_ISO_OFFSET && c->rest.n > 0 && c->rest.p[0] == 'Z') {
        c->utc = true;
        skip(c, 1);
        return true;
    }
    if (c->rest.n < e->text.n || !offset_parts(c, e, part)) return false;
    if (part[0] > 24) c->range = "time zone offset hour";
    if (part[1] > 60) c->range = "time zone offset minute";
    if (part[2] > 60) c->range = "time zone offset second";
    c->offset = (part[0] * 60 + part[1]) * 60 + part[2];
    if (c->rest.p[0] == '-') c->offset = -c->offset;
    if (c->range || (c->rest.p[0] != '+' && c->rest.p[0] != '-')) return false;
    c->has_offset = true;
    skip(c, e->text.n);
    return true;
}

/* Length of a signed number of hours, 0 when there is none. */
static size_t signed_hours(struct str s)
{
    size_t n = 1;
    int v = 0;
    if (s.n == 0 || (s.p[0] != '+' && s.p[0] != '-')) return 0;
    for (; is_digit(s, n) && v <= 23; n++)
        v = v * 10 + (s.p[n] - '0');
    return n == 1 || v > 23 ? 0 : n;
}

static size_t upper_letters(struct str s)
{
    size_t n = 0;
    while (n < 6 && n < s.n && s.p[n] >= 'A' && s.p[n] <= 'Z')
        n++;
    return n;
}

static size_t abbr_length(struct str s)
{
    if (s.n < 3) return 0;
    if (str_starts(s, STR("ChST")) || str_starts(s, STR("MeST"))) return 4;
    if (str_starts(s, STR("GMT"))) return 3 + signed_hours(str_sub(s, 3, s.n));
    if (s.p[0] == '+' || s.p[0] == '-') return signed_hours(s);
    switch (upper_letters(s)) {
    case 3: return 3;
    case 4: return s.p[3] == 'T' || str_starts(s, STR("WITA")) ? 4 : 0;
    case 5: return s.p[4] == 'T' ? 5 : 0;
    default: return 0;
    }
}

static bool abbreviation(struct clock_text *c)
{
    if (str_starts(c->rest, STR("UTC"))) {
        c->utc = true;
        skip(c, 3);
        return true;
    }
    size_t n = abbr_length(c->rest);
    c->abbr = str_sub(c->rest, 0, n);
    skip(c, n);
    return n > 0;
}

static bool element(struct clock_text *c, const struct elem *e)
{
    switch (e->kind) {
    case EL_TEXT: return literal(c, e->text);
    case EL_HOUR: return bounded(c, 2, false, 0, 23, "hour", &c->hour);
    case EL_HOUR12: return bounded(c, 2, false, 0, 12, "hour", &c->hour);
    case EL_ZERO_HOUR12: return bounded(c, 2, true, 0, 12, "hour", &c->hour);
    case EL_MINUTE: return bounded(c, 2, false, 0, 59, "minute", &c->minute);
    case EL_ZERO_MINUTE: return bounded(c, 2, true, 0, 59, "minute", &c->minute);
    case EL_SECOND:
    case EL_ZERO_SECOND: return seconds(c, e);
    case EL_UPPER_PM: return half_day(c, STR("AM"), STR("PM"));
    case EL_LOWER_PM: return half_day(c, STR("am"), STR("pm"));
    case EL_ABBR: return abbreviation(c);
    case EL_OFFSET:
    case EL_ISO_OFFSET: return offset(c, e);
    case EL_FRACTION: return fraction(c, e->digits);
    case EL_OPT_FRACTION: optional_fraction(c); return true;
    default: return date(c, e);
    }
}

/* --- faults --- */

/* In quotes, with everything but printable ASCII as \xNN. */
static void quote(struct buf *b, struct str s)
{
    buf_ch(b, '"');
    for (size_t i = 0; i < s.n; i++) {
        u8 ch = (u8)s.p[i];
        if (ch < ' ' || ch >= 0x80)
            buf_printf(b, "\\x%02x", ch);
        else
            buf_printf(b, ch == '"' || ch == '\\' ? "\\%c" : "%c", ch);
    }
    buf_ch(b, '"');
}

static int fail(const struct clock_text *c, const char *what, char **ret_err)
{
    if (!ret_err) return -EINVAL;
    struct buf b = BUF_INIT(1 << 20);
    buf_cstr(&b, "parsing time ");
    quote(&b, c->all);
    buf_printf(&b, ": %s", what);
    *ret_err = buf_take(&b, NULL);
    return -EINVAL;
}

static int fail_element(const struct clock_text *c, struct str at, const struct elem *e,
                        char **ret_err)
{
    if (!ret_err) return -EINVAL;
    struct buf b = BUF_INIT(1 << 20);
    buf_cstr(&b, "parsing time ");
    quote(&b, c->all);
    if (c->range) {
        buf_printf(&b, ": %s out of range", c->range);
    } else {
        buf_cstr(&b, " as ");
        quote(&b, str_of(c->layout->text));
        buf_cstr(&b, ": cannot parse ");
        quote(&b, at);
        buf_cstr(&b, " as ");
        quote(&b, e->text);
    }
    *ret_err = buf_take(&b, NULL);
    return -EINVAL;
}

static int extra_text(const struct clock_text *c, char **ret_err)
{
    struct buf b = BUF_INIT(1 << 20);
    buf_cstr(&b, "extra text: ");
    quote(&b, c->rest);
    int err = fail(c, b.p ? b.p : "extra text", ret_err);
    buf_done(&b);
    return err;
}

static int read_all(struct clock_text *c, char **ret_err)
{
    for (size_t i = 0; i < c->layout->n; i++) {
        const struct elem *e = &c->layout->elems[i];
        struct str at = c->rest;
        if (element(c, e)) continue;
        return fail_element(c, e->kind == EL_TEXT ? c->rest : at, e, ret_err);
    }
    return c->rest.n > 0 ? extra_text(c, ret_err) : 0;
}

/* --- what was read, as a date --- */

static void twelve_hours(struct clock_text *c)
{
    if (c->pm && c->hour < 12)
        c->hour += 12;
    else if (c->am && c->hour == 12)
        c->hour = 0;
}

/* The day of the year tells month and day, and must agree with them. */
static const char *day_of_year(struct clock_text *c)
{
    if (c->yday < 1 || c->yday > 365 + civil_leap(c->year)) return "day-of-year out of range";
    struct civil d = civil_of_days(civil_days(c->year, 1, 1) + c->yday - 1);
    if (c->month > 0 && c->month != d.month) return "day-of-year does not match month";
    if (c->day >= 0 && c->day != d.day) return "day-of-year does not match day";
    c->month = d.month;
    c->day = d.day;
    return NULL;
}

static const char *complete_date(struct clock_text *c)
{
    const char *fault = c->yday >= 0 ? day_of_year(c) : NULL;
    if (fault) return fault;
    if (c->month < 0) c->month = 1;
    if (c->day < 0) c->day = 1;
    return c->day < 1 || c->day > civil_month_days(c->year, c->month) ? "day out of range" : NULL;
}

static int set_ns(struct time_parsed *t)
{
    i64 ns;
    if (__builtin_mul_overflow(t->local_s - t->offset, NS_PER_SEC, &ns) ||
        __builtin_add_overflow(ns, t->nsec, &ns))
        return -ERANGE;
    t->ns = ns;
    return 0;
}

/* What is not known in the zone counts as UTC, "GMT+3" too: Go keeps its 3 hours as the name of a
 * zone and does not move the time by them. */
static i32 abbr_offset(const struct clock_text *c, const struct time_zone *abbrs, i64 local_s)
{
    i32 found;
    return time_zone_abbr(abbrs, c->abbr, local_s, &found) ? found : 0;
}

static i32 offset_of(const struct clock_text *c, const struct time_zone *zone,
                     const struct time_zone *abbrs, i64 local_s)
{
    if (c->utc) return 0;
    if (c->has_offset) return c->offset;
    if (c->abbr.n > 0) return abbr_offset(c, abbrs, local_s);
    return (i32)(local_s - time_zone_to_unix(zone, local_s));
}

static int finish(const struct clock_text *c, const struct time_zone *zone,
                  const struct time_zone *abbrs, struct time_parsed *ret)
{
    struct time_parsed t = {.year = c->year, .nsec = c->nsec};
    t.local_s =
        civil_days(c->year, c->month, c->day) * DAY + (c->hour * 60 + c->minute) * 60 + c->second;
    t.zoned = c->utc || c->has_offset || c->abbr.n > 0;
    t.offset = offset_of(c, zone, abbrs, t.local_s);
    int err = set_ns(&t);
    *ret = t;
    return err;
}

int time_layout_parse_in(const struct time_layout *l, struct str text, const struct time_zone *zone,
                         const struct time_zone *abbrs, struct time_parsed *ret, char **ret_err)
{
    struct clock_text c = {.layout = l, .all = text, .rest = text};
    c.month = c.day = c.yday = -1;
    int err = read_all(&c, ret_err);
    if (err) return err;
    twelve_hours(&c);
    const char *fault = complete_date(&c);
    if (fault) return fail(&c, fault, ret_err);
    err = finish(&c, zone, abbrs, ret);
    if (err && ret_err)
        fail(&c, "year does not fit into 64 bits of nanoseconds (1678 to 2262)", ret_err);
    return err;
}

int time_layout_parse(const struct time_layout *l, struct str text, const struct time_zone *zone,
                      struct time_parsed *ret, char **ret_err)
{
    return time_layout_parse_in(l, text, zone, zone, ret, ret_err);
}

int time_parsed_add_years(struct time_parsed *t, int years, const struct time_zone *zone)
{
    i64 days = t->local_s / DAY - (t->local_s % DAY < 0);
    struct civil d = civil_of_days(days);
    t->local_s += (civil_days(d.year + years, d.month, d.day) - days) * DAY;
    t->year = (int)(d.year + years);
    if (!t->zoned) t->offset = (i32)(t->local_s - time_zone_to_unix(zone, t->local_s));
    return set_ns(t);
}
