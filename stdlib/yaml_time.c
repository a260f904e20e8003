/* YAML's dates and times, which come out as RFC 3339 texts: 2001-12-14, 2001-12-14 21:59:43.10,
 * 2001-12-14t21:59:43.10-05:00. */
#include "stdlib/yaml_scalar.h"

struct scan {
    struct str s;
    size_t at;
};

static bool accept(struct scan *c, const char *set)
{
    if (c->at >= c->s.n || c->s.p[c->at] == '\0' || !strchr(set, c->s.p[c->at])) return false;
    c->at++;
    return true;
}

/* From min to max digits; -1 when there are fewer. */
static int digits(struct scan *c, int min, int max)
{
    int v = 0, n = 0;
    for (; n < max && c->at < c->s.n && c->s.p[c->at] >= '0' && c->s.p[c->at] <= '9'; n++)
        v = v * 10 + (c->s.p[c->at++] - '0');
    return n < min ? -1 : v;
}

static int days_in(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

static bool date(struct scan *c, struct buf *out)
{
    int year = digits(c, 4, 4);
    if (year < 0 || !accept(c, "-")) return false;
    int month = digits(c, 1, 2);
    if (month < 1 || month > 12 || !accept(c, "-")) return false;
    int day = digits(c, 1, 2);
    if (day < 1 || day > days_in(year, month)) return false;
    buf_printf(out, "%04d-%02d-%02d", year, month, day);
    return true;
}

/* Up to nine digits of a fraction count; trailing zeros are dropped. */
static bool fraction(struct scan *c, struct buf *out)
{
    if (!accept(c, ".")) return true;
    size_t from = c->at, end;
    while (c->at < c->s.n && c->s.p[c->at] >= '0' && c->s.p[c->at] <= '9')
        c->at++;
    if (c->at == from) return false;
    for (end = MIN(c->at, from + 9); end > from && c->s.p[end - 1] == '0';)
        end--;
    if (end > from) buf_printf(out, "." STR_FMT, STR_ARG(str_sub(c->s, from, end)));
    return true;
}

static bool clock_time(struct scan *c, struct buf *out)
{
    int hour = digits(c, 1, 2);
    if (hour < 0 || hour > 23 || !accept(c, ":")) return false;
    int minute = digits(c, 1, 2);
    if (minute < 0 || minute > 59 || !accept(c, ":")) return false;
    int second = digits(c, 1, 2);
    if (second < 0 || second > 59) return false;
    buf_printf(out, "T%02d:%02d:%02d", hour, minute, second);
    return fraction(c, out);
}

static bool zone(struct scan *c, struct buf *out)
{
    if (accept(c, "Z")) {
        buf_ch(out, 'Z');
        return true;
    }
    bool west = c->at < c->s.n && c->s.p[c->at] == '-';
    if (!accept(c, "+-")) return false;
    int hours = digits(c, 2, 2);
    if (hours < 0 || hours > 24 || !accept(c, ":")) return false;
    int minutes = digits(c, 2, 2);
    if (minutes < 0 || minutes > 59) return false;
    if (hours == 0 && minutes == 0)
        buf_ch(out, 'Z');
    else
        buf_printf(out, "%c%02d:%02d", west ? '-' : '+', hours, minutes);
    return true;
}

static bool timestamp(struct scan *c, struct buf *out)
{
    if (!date(c, out)) return false;
    if (c->at == c->s.n) {
        buf_cstr(out, "T00:00:00Z");
        return true;
    }
    bool space = c->s.p[c->at] == ' ';
    if (!accept(c, "Tt ") || !clock_time(c, out)) return false;
    if (!space) return zone(c, out);
    buf_ch(out, 'Z');
    return true;
}

bool yaml_timestamp(struct str s, struct buf *out)
{
    struct scan c = {.s = s};
    return timestamp(&c, out) && c.at == s.n;
}
