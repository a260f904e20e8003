/* Sprig's dates, and the methods of times and durations. Without a zone the host's is meant. */
#include <errno.h>
#include <stdlib.h>
#include "base/num.h"
#include "base/time_layout.h"
#include "base/time_rule.h"
#include "components/common/template/ast.h"
#include "components/common/template/zones.h"

#define DAY       86400
#define ZERO_TIME INT64_C(-62135596800) /* year 1 */

static struct tval time_value(struct run *r, i64 unix_s, i32 nsec, const struct time_zone *z)
{
    struct tval v = {.type = T_TIME, .time = arena_new(r->arena, struct ttime)};
    *v.time = (struct ttime){unix_s, nsec, z};
    return v;
}

static struct tval time_of_ns(struct run *r, i64 ns, const struct time_zone *z)
{
    i64 s = ns / NS_PER_SEC - (ns % NS_PER_SEC < 0);
    return time_value(r, s, (i32)(ns - s * NS_PER_SEC), z);
}

/* A time, or seconds since 1970; anything else is now. */
static struct ttime moment(struct run *r, struct tval v)
{
    if (v.type == T_TIME) return *v.time;
    if (v.type == T_INT && (v.sub == INT_INT || v.sub == INT_INT64 || v.sub == INT_INT32))
        return (struct ttime){v.i, 0, zone_local(r)};
    return *time_of_ns(r, r->now, zone_local(r)).time;
}

static struct tval formatted(struct run *r, struct str layout, struct ttime t,
                             const struct time_zone *z)
{
    struct buf b = run_buf();
    struct time_layout *l = time_layout_new(layout);
    time_layout_format_s(l, t.unix_s, t.nsec, z, &b);
    time_layout_free(l);
    return run_value(r, &b);
}

/* --- functions --- */

FN(now)
{
    return time_of_ns(r, r->now, zone_local(r));
}

FN(date)
{
    return formatted(r, a[0].s, moment(r, a[1]), zone_local(r));
}

FN(date_in_zone)
{
    return formatted(r, a[0].s, moment(r, a[1]), zone_named(r, a[2].s));
}

FN(html_date)
{
    return formatted(r, STR("2006-01-02"), moment(r, a[0]), zone_local(r));
}

FN(html_date_in_zone)
{
    return formatted(r, STR("2006-01-02"), moment(r, a[0]), zone_named(r, a[1].s));
}

static struct tval add_ns(struct run *r, struct ttime t, i64 ns)
{
    i64 total = t.nsec + ns % NS_PER_SEC, s = t.unix_s + ns / NS_PER_SEC;
    if (total < 0) total += NS_PER_SEC, s--;
    if (total >= NS_PER_SEC) total -= NS_PER_SEC, s++;
    return time_value(r, s, (i32)total, t.zone);
}

FN(date_modify)
{
    i64 ns;
    if (dur_parse(a[0].s, &ns, NULL)) return a[1];
    return add_ns(r, *a[1].time, ns);
}

FN(must_date_modify)
{
    i64 ns;
    char *err = NULL;
    if (!dur_parse(a[0].s, &ns, &err)) return add_ns(r, *a[1].time, ns);
    run_fail(r, "%s", err);
    free(err);
    return TV_NIL;
}

/* a - b, as far as 64 bits of nanoseconds reach. */
static i64 between(struct ttime x, struct ttime y)
{
    i64 ns;
    if (__builtin_mul_overflow(x.unix_s - y.unix_s, NS_PER_SEC, &ns) ||
        __builtin_add_overflow(ns, x.nsec - y.nsec, &ns))
        return x.unix_s < y.unix_s ? INT64_MIN : INT64_MAX;
    return ns;
}

static i64 since(struct run *r, struct ttime t)
{
    return between(*time_of_ns(r, r->now, NULL).time, t);
}

static struct tval duration_text(struct run *r, i64 ns)
{
    struct buf b = run_buf();
    dur_format(&b, ns);
    return run_value(r, &b);
}

/* Half away from zero. */
static i64 rounded(i64 ns, i64 unit)
{
    if (unit <= 0) return ns;
    i64 rest = ns % unit, abs = rest < 0 ? -rest : rest;
    i64 down = ns - rest;
    if (abs < unit - abs) return down;
    i64 up;
    if (__builtin_add_overflow(down, ns < 0 ? -unit : unit, &up))
        return ns < 0 ? INT64_MIN : INT64_MAX;
    return up;
}

FN(ago)
{
    return duration_text(r, rounded(since(r, moment(r, a[0])), NS_PER_SEC));
}

FN(duration)
{
    i64 s = 0;
    if (a[0].type == T_STRING && num_parse_i64(a[0].s, &s)) s = 0;
    if (a[0].type == T_INT && a[0].sub == INT_INT64) s = a[0].i;
    return duration_text(r, (i64)((u64)s * (u64)NS_PER_SEC));
}

static i64 duration_of(struct run *r, struct tval v)
{
    i64 ns = 0;
    if (v.type == T_STRING && dur_parse(v.s, &ns, NULL)) ns = 0;
    if (v.type == T_INT && v.sub == INT_INT64) ns = v.i;
    if (v.type == T_TIME) ns = since(r, *v.time);
    return ns;
}

/* The largest unit that it has more than one of. */
FN(duration_round)
{
    static const struct {
        u64 s;
        const char *name;
    } units[] = {{365 * DAY, "y"}, {30 * DAY, "mo"}, {DAY, "d"}, {3600, "h"}, {60, "m"}, {1, "s"}};
    i64 ns = duration_of(r, a[0]);
    u64 u = ns < 0 ? 0 - (u64)ns : (u64)ns;
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        u64 unit = units[i].s * (u64)NS_PER_SEC;
        if (u > unit)
            return tv_str(str_of(
                arena_printf(r->arena, "%llu%s", (unsigned long long)(u / unit), units[i].name)));
    }
    return tv_str(STR("0s"));
}

static bool parse_date(struct run *r, struct tval *a, struct tval *ret, char **ret_err)
{
    struct time_parsed t;
    struct time_layout *l = time_layout_new(a[0].s);
    const struct time_zone *z = zone_local(r);
    int err = time_layout_parse(l, a[1].s, z, &t, ret_err);
    time_layout_free(l);
    if (err == -EINVAL) return false;
    if (ret_err) {
        free(*ret_err); /* years beyond 64 bits of nanoseconds are fine here */
        *ret_err = NULL;
    }
    *ret = time_value(r, t.local_s - t.offset, t.nsec, t.zoned && t.offset == 0 ? NULL : z);
    return true;
}

FN(to_date)
{
    struct tval v;
    return parse_date(r, a, &v, NULL) ? v : time_value(r, ZERO_TIME, 0, NULL);
}

FN(must_to_date)
{
    struct tval v;
    char *err = NULL;
    if (parse_date(r, a, &v, &err)) return v;
    run_fail(r, "%s", err);
    free(err);
    return TV_NIL;
}

FN(unix_epoch)
{
    return tv_str(str_of(arena_printf(r->arena, "%lld", (long long)a[0].time->unix_s)));
}

static const struct tfunc funcs[] = {
    {"now", "", now},
    {"date", "sa", date},
    {"date_in_zone", "sas", date_in_zone},
    {"dateInZone", "sas", date_in_zone},
    {"htmlDate", "a", html_date},
    {"htmlDateInZone", "as", html_date_in_zone},
    {"date_modify", "st", date_modify},
    {"dateModify", "st", date_modify},
    {"must_date_modify", "st", must_date_modify},
    {"mustDateModify", "st", must_date_modify},
    {"ago", "a", ago},
    {"duration", "a", duration},
    {"durationRound", "a", duration_round},
    {"toDate", "ss", to_date},
    {"mustToDate", "ss", must_to_date},
    {"unixEpoch", "t", unix_epoch},
};
FUNC_TABLE(fn_dates, funcs);

/* --- methods of times --- */

static i64 local_of(const struct ttime *t)
{
    return t->unix_s + time_zone_offset(t->zone, t->unix_s, NULL);
}

static i64 days_of(const struct ttime *t)
{
    i64 l = local_of(t);
    return l / DAY - (l % DAY < 0);
}

static int second_of_day(const struct ttime *t)
{
    return (int)(local_of(t) - days_of(t) * DAY);
}

static struct tval enumerated(enum int_type type, i64 i)
{
    return (struct tval){.type = T_INT, .sub = type, .i = i};
}

FN(m_format)
{
    return formatted(r, a[1].s, *a[0].time, a[0].time->zone);
}

FN(m_unix)
{
    return tv_int64(a[0].time->unix_s);
}

static struct tval scaled(const struct ttime *t, i64 per_s)
{
    return tv_int64((i64)((u64)t->unix_s * (u64)per_s) + t->nsec / (NS_PER_SEC / per_s));
}

FN(m_unix_milli)
{
    return scaled(a[0].time, 1000);
}

FN(m_unix_micro)
{
    return scaled(a[0].time, 1000000);
}

FN(m_unix_nano)
{
    return scaled(a[0].time, NS_PER_SEC);
}

FN(m_year)
{
    return tv_int(civil_of_days(days_of(a[0].time)).year);
}

FN(m_month)
{
    return enumerated(INT_MONTH, civil_of_days(days_of(a[0].time)).month);
}

FN(m_day)
{
    return tv_int(civil_of_days(days_of(a[0].time)).day);
}

FN(m_year_day)
{
    return tv_int(civil_of_days(days_of(a[0].time)).yday + 1);
}

FN(m_weekday)
{
    return enumerated(INT_WEEKDAY, (days_of(a[0].time) % 7 + 11) % 7);
}

FN(m_hour)
{
    return tv_int(second_of_day(a[0].time) / 3600);
}

FN(m_minute)
{
    return tv_int(second_of_day(a[0].time) / 60 % 60);
}

FN(m_second)
{
    return tv_int(second_of_day(a[0].time) % 60);
}

FN(m_nanosecond)
{
    return tv_int(a[0].time->nsec);
}

FN(m_utc)
{
    return time_value(r, a[0].time->unix_s, a[0].time->nsec, NULL);
}

FN(m_local)
{
    return time_value(r, a[0].time->unix_s, a[0].time->nsec, zone_local(r));
}

FN(m_add)
{
    return add_ns(r, *a[0].time, a[1].i);
}

FN(m_add_date)
{
    const struct ttime *t = a[0].time;
    struct civil d = civil_of_days(days_of(t));
    for (size_t i = 1; i < 4; i++)
        if (a[i].i > 1000000 || a[i].i < -1000000) return run_fail(r, "the date is out of range");
    i64 days = civil_days(d.year + a[1].i, d.month + a[2].i, d.day + a[3].i);
    return time_value(r, time_zone_to_unix(t->zone, days * DAY + second_of_day(t)), t->nsec,
                      t->zone);
}

FN(m_sub)
{
    return tv_duration(between(*a[0].time, *a[1].time));
}

static int order(struct tval *a)
{
    const struct ttime *x = a[0].time, *y = a[1].time;
    if (x->unix_s != y->unix_s) return x->unix_s < y->unix_s ? -1 : 1;
    return (x->nsec > y->nsec) - (x->nsec < y->nsec);
}

FN(m_before)
{
    return tv_bool(order(a) < 0);
}

FN(m_after)
{
    return tv_bool(order(a) > 0);
}

FN(m_equal)
{
    return tv_bool(order(a) == 0);
}

FN(m_compare)
{
    return tv_int(order(a));
}

FN(m_is_zero)
{
    return tv_bool(a[0].time->unix_s == ZERO_TIME && a[0].time->nsec == 0);
}

FN(m_string)
{
    return tv_str(to_text(r, a[0]));
}

static const struct tfunc of_times[] = {
    {"Format", "ts", m_format},
    {"Unix", "t", m_unix},
    {"UnixMilli", "t", m_unix_milli},
    {"UnixMicro", "t", m_unix_micro},
    {"UnixNano", "t", m_unix_nano},
    {"Year", "t", m_year},
    {"Month", "t", m_month},
    {"Day", "t", m_day},
    {"YearDay", "t", m_year_day},
    {"Weekday", "t", m_weekday},
    {"Hour", "t", m_hour},
    {"Minute", "t", m_minute},
    {"Second", "t", m_second},
    {"Nanosecond", "t", m_nanosecond},
    {"UTC", "t", m_utc},
    {"Local", "t", m_local},
    {"Add", "td", m_add},
    {"AddDate", "tiii", m_add_date},
    {"Sub", "tt", m_sub},
    {"Before", "tt", m_before},
    {"After", "tt", m_after},
    {"Equal", "tt", m_equal},
    {"Compare", "tt", m_compare},
    {"IsZero", "t", m_is_zero},
    {"String", "t", m_string},
};
FUNC_TABLE(methods_time, of_times);

/* --- methods of durations --- */

FN(d_hours)
{
    return tv_float((f64)a[0].i / 3.6e12);
}

FN(d_minutes)
{
    return tv_float((f64)a[0].i / 6e10);
}

FN(d_seconds)
{
    return tv_float((f64)(a[0].i / NS_PER_SEC) + (f64)(a[0].i % NS_PER_SEC) / 1e9);
}

FN(d_milliseconds)
{
    return tv_int64(a[0].i / NS_PER_MS);
}

FN(d_microseconds)
{
    return tv_int64(a[0].i / 1000);
}

FN(d_nanoseconds)
{
    return tv_int64(a[0].i);
}

FN(d_round)
{
    return tv_duration(rounded(a[0].i, a[1].i));
}

FN(d_truncate)
{
    return tv_duration(a[1].i <= 0 ? a[0].i : a[0].i - a[0].i % a[1].i);
}

FN(d_string)
{
    return duration_text(r, a[0].i);
}

static const struct tfunc of_durations[] = {
    {"Hours", "d", d_hours},
    {"Minutes", "d", d_minutes},
    {"Seconds", "d", d_seconds},
    {"Milliseconds", "d", d_milliseconds},
    {"Microseconds", "d", d_microseconds},
    {"Nanoseconds", "d", d_nanoseconds},
    {"Round", "dd", d_round},
    {"Truncate", "dd", d_truncate},
    {"String", "d", d_string},
};
FUNC_TABLE(methods_duration, of_durations);
