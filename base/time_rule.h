/* The rule at the end of a zone file, in the form of POSIX's TZ ("CET-1CEST,M3.5.0,M10.5.0/3"):
 * what holds after the last change that the file lists. And the calendar that times are reckoned
 * in. */
#ifndef BASE_TIME_RULE_H
#define BASE_TIME_RULE_H

#include "base/str.h"

#define ABBR_MAX 16

/* Days since 1970-01-01 of a date of the proleptic Gregorian calendar; month and day may be out of
 * their range. */
i64 civil_days(i64 year, i64 month, i64 day);
struct civil {
    i64 year;
    int month, day, yday; /* 1.., yday 0.. */
};
struct civil civil_of_days(i64 days);
bool civil_leap(i64 year);
int civil_month_days(i64 year, int month);

enum rule_kind { RULE_JULIAN, RULE_DAY, RULE_WEEK };
struct rule_change {
    enum rule_kind kind;
    int day, week, month;
    i32 time; /* seconds after midnight, local; may be negative or above a day */
};
struct time_rule {
    char std[ABBR_MAX], dst[ABBR_MAX]; /* dst empty: no summer time */
    i32 std_offset, dst_offset;        /* east of UTC */
    struct rule_change start, end;
};
bool time_rule_parse(struct str text, struct time_rule *ret);
/* The offset at a moment, and its abbreviation. */
i32 time_rule_offset(const struct time_rule *r, i64 unix_s, const char **ret_abbr);

#endif
