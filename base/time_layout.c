/* Layouts to their elements, and times to text. */
#include "base/time_layout_int.h"

#include <stdlib.h>
#include "base/time_rule.h"
#include "base/vec.h"

#define DAY 86400

const char *const month_names[12] = {"January",   "February", "March",    "April",
                                     "May",       "June",     "July",     "August",
                                     "September", "October",  "November", "December"};
const char *const weekday_names[7] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                      "Thursday", "Friday", "Saturday"};

/* --- compiling --- */

struct spelling {
    struct str text;
    enum elem_kind kind;
    bool word; /* not before a lower-case letter */
};

/* The first that fits at a place of the layout. */
static const struct spelling spellings[] = {
    {STR("January"), EL_LONG_MONTH, false},
    {STR("Jan"), EL_MONTH, true},
    {STR("Monday"), EL_LONG_WEEKDAY, false},
    {STR("Mon"), EL_WEEKDAY, true},
    {STR("MST"), EL_ABBR, false},
    {STR("01"), EL_ZERO_MONTH, false},
    {STR("02"), EL_ZERO_DAY, false},
    {STR("03"), EL_ZERO_HOUR12, false},
    {STR("04"), EL_ZERO_MINUTE, false},
    {STR("05"), EL_ZERO_SECOND, false},
    {STR("06"), EL_YEAR, false},
    {STR("002"), EL_ZERO_YDAY, false},
    {STR("15"), EL_HOUR, false},
    {STR("1"), EL_NUM_MONTH, false},
    {STR("2006"), EL_LONG_YEAR, false},
    {STR("2"), EL_DAY, false},
    {STR("__2"), EL_UNDER_YDAY, false},
    {STR("_2"), EL_UNDER_DAY, false},
    {STR("3"), EL_HOUR12, false},
    {STR("4"), EL_MINUTE, false},
    {STR("5"), EL_SECOND, false},
    {STR("PM"), EL_UPPER_PM, false},
    {STR("pm"), EL_LOWER_PM, false},
    {STR("-070000"), EL_OFFSET, false},
    {STR("-07:00:00"), EL_OFFSET, false},
    {STR("-0700"), EL_OFFSET, false},
    {STR("-07:00"), EL_OFFSET, false},
    {STR("-07"), EL_OFFSET, false},
    {STR("Z070000"), EL_ISO_OFFSET, false},
    {STR("Z07:00:00"), EL_ISO_OFFSET, false},
    {STR("Z0700"), EL_ISO_OFFSET, false},
    {STR("Z07:00"), EL_ISO_OFFSET, false},
    {STR("Z07"), EL_ISO_OFFSET, false},
};

static bool is_digit(struct str s, size_t i)
{
    return i < s.n && s.p[i] >= '0' && s.p[i] <= '9';
}

static bool fits(const struct spelling *sp, struct str rest)
{
    if (!str_starts(rest, sp->text)) return false;
    return !sp->word || rest.n == sp->text.n || rest.p[sp->text.n] < 'a' ||
           rest.p[sp->text.n] > 'z';
}

/* .000 or ,999: not followed by another digit. */
static bool fraction(struct str rest, struct elem *ret)
{
    size_t n = 1;
    if (rest.n < 2 || (rest.p[0] != '.' && rest.p[0] != ',')) return false;
    char digit = rest.p[1];
    if (digit != '0' && digit != '9') return false;
    while (n < rest.n && rest.p[n] == digit)
        n++;
    if (is_digit(rest, n)) return false;
    *ret = (struct elem){digit == '0' ? EL_FRACTION : EL_OPT_FRACTION, str_sub(rest, 0, n), n - 1,
                         false};
    return true;
}

static bool element_at(struct str rest, struct elem *ret)
{
    for (size_t i = 0; i < ARRAY_LEN(spellings); i++) {
        if (!fits(&spellings[i], rest)) continue;
        *ret = (struct elem){spellings[i].kind, str_sub(rest, 0, spellings[i].text.n), 0, false};
        return true;
    }
    return fraction(rest, ret);
}

struct elems {
    VEC(struct elem) v;
};

static void add_text(struct elems *es, struct str text)
{
    if (text.n == 0) return;
    struct elem e = {EL_TEXT, text, 0, false};
    vec_push(&es->v, e);
}

static void split(struct elems *es, struct str text)
{
    size_t start = 0;
    for (size_t i = 0; i < text.n;) {
        struct elem e;
        struct str rest = str_sub(text, i, text.n);
        size_t skip = str_starts(rest, STR("_2006")); /* an underscore, then a year */
        if (!element_at(str_sub(rest, skip, rest.n), &e)) {
            i++;
            continue;
        }
        add_text(es, str_sub(text, start, i + skip));
        vec_push(&es->v, e);
        start = i += skip + e.text.n;
    }
    add_text(es, str_sub(text, start, text.n));
}

static bool is_fraction(const struct elem *e)
{
    return e->kind == EL_FRACTION || e->kind == EL_OPT_FRACTION;
}

static void mark_fractions(struct time_layout *l)
{
    for (size_t i = 0; i < l->n; i++) {
        size_t next = i + 1;
        while (next < l->n && l->elems[next].kind == EL_TEXT)
            next++;
        l->elems[i].own_fraction = next < l->n && is_fraction(&l->elems[next]);
    }
}

struct time_layout *time_layout_new(struct str layout)
{
    struct time_layout *l = xnew(struct time_layout);
    struct elems es = {0};
    l->text = str_dup(layout);
    split(&es, str_n(l->text, layout.n));
    l->elems = es.v.v;
    l->n = es.v.n;
    mark_fractions(l);
    return l;
}

void time_layout_free(struct time_layout *l)
{
    if (!l) return;
    free(l->text);
    free(l->elems);
    free(l);
}

const char *time_layout_named(struct str name)
{
    static const char *const named[][2] = {
        {"ANSIC", "Mon Jan _2 15:04:05 2006"},
        {"UnixDate", "Mon Jan _2 15:04:05 MST 2006"},
        {"RubyDate", "Mon Jan 02 15:04:05 -0700 2006"},
        {"RFC822", "02 Jan 06 15:04 MST"},
        {"RFC822Z", "02 Jan 06 15:04 -0700"},
        {"RFC850", "Monday, 02-Jan-06 15:04:05 MST"},
        {"RFC1123", "Mon, 02 Jan 2006 15:04:05 MST"},
        {"RFC1123Z", "Mon, 02 Jan 2006 15:04:05 -0700"},
        {"RFC3339", "2006-01-02T15:04:05Z07:00"},
        {"RFC3339Nano", "2006-01-02T15:04:05.999999999Z07:00"},
    };
    for (size_t i = 0; i < ARRAY_LEN(named); i++)
        if (str_is(name, named[i][0])) return named[i][1];
    return NULL;
}

/* --- formatting --- */

struct moment {
    struct civil date;
    int weekday, hour, minute, second;
    i32 nsec, offset;
    const char *abbr;
};

static struct moment moment_of(i64 unix_s, i32 nsec, const struct time_zone *zone)
{
    struct moment m = {.nsec = nsec};
    m.offset = time_zone_offset(zone, unix_s, &m.abbr);
    i64 local = unix_s + m.offset, days = local / DAY - (local % DAY < 0);
    int rest = (int)(local - days * DAY);
    m.date = civil_of_days(days);
    m.weekday = (int)((days % 7 + 11) % 7);
    m.hour = rest / 3600, m.minute = rest / 60 % 60, m.second = rest % 60;
    return m;
}

static void add_year(struct buf *out, i64 year)
{
    buf_printf(out, year < 0 ? "-%04lld" : "%04lld", (long long)(year < 0 ? -year : year));
}

/* The spelling tells the form: colons, and how many of hours, minutes and seconds. */
static void add_offset(struct buf *out, const struct elem *e, i32 offset)
{
    if (e->kind == EL_ISO_OFFSET && offset == 0) {
        buf_ch(out, 'Z');
        return;
    }
    u32 abs = (u32)(offset < 0 ? -offset : offset);
    bool colon = str_chr(e->text, ':') >= 0;
    size_t parts = (e->text.n - 1 + colon) / (2 + colon);
    buf_printf(out, "%c%02u", offset < 0 ? '-' : '+', abs / 3600);
    if (parts > 1) buf_printf(out, colon ? ":%02u" : "%02u", abs / 60 % 60);
    if (parts > 2) buf_printf(out, colon ? ":%02u" : "%02u", abs % 60);
}

static void add_fraction(struct buf *out, const struct elem *e, i32 nsec)
{
    char text[16];
    size_t n = MIN(e->digits, 9u);
    snprintf(text, sizeof(text), "%09d", nsec);
    if (e->kind == EL_OPT_FRACTION) {
        while (n > 0 && text[n - 1] == '0')
            n--;
        if (n == 0) return;
    }
    buf_ch(out, e->text.p[0]);
    buf_add(out, text, n);
}

static int hour12(int hour)
{
    return hour % 12 == 0 ? 12 : hour % 12;
}

static void format_date(struct buf *out, const struct elem *e, const struct moment *m)
{
    const struct civil *d = &m->date;
    switch (e->kind) {
    case EL_LONG_YEAR: add_year(out, d->year); return;
    case EL_YEAR: buf_printf(out, "%02d", (int)((d->year < 0 ? -d->year : d->year) % 100)); return;
    case EL_LONG_MONTH: buf_cstr(out, month_names[d->month - 1]); return;
    case EL_MONTH: buf_add(out, month_names[d->month - 1], 3); return;
    case EL_NUM_MONTH: buf_printf(out, "%d", d->month); return;
    case EL_ZERO_MONTH: buf_printf(out, "%02d", d->month); return;
    case EL_LONG_WEEKDAY: buf_cstr(out, weekday_names[m->weekday]); return;
    case EL_WEEKDAY: buf_add(out, weekday_names[m->weekday], 3); return;
    case EL_DAY: buf_printf(out, "%d", d->day); return;
    case EL_UNDER_DAY: buf_printf(out, "%2d", d->day); return;
    case EL_ZERO_DAY: buf_printf(out, "%02d", d->day); return;
    case EL_UNDER_YDAY: buf_printf(out, "%3d", d->yday + 1); return;
    case EL_ZERO_YDAY: buf_printf(out, "%03d", d->yday + 1); return;
    default: return;
    }
}

static void format_elem(struct buf *out, const struct elem *e, const struct moment *m)
{
    switch (e->kind) {
    case EL_TEXT: buf_str(out, e->text); return;
    case EL_HOUR: buf_printf(out, "%02d", m->hour); return;
    case EL_HOUR12: buf_printf(out, "%d", hour12(m->hour)); return;
    case EL_ZERO_HOUR12: buf_printf(out, "%02d", hour12(m->hour)); return;
    case EL_MINUTE: buf_printf(out, "%d", m->minute); return;
    case EL_ZERO_MINUTE: buf_printf(out, "%02d", m->minute); return;
    case EL_SECOND: buf_printf(out, "%d", m->second); return;
    case EL_ZERO_SECOND: buf_printf(out, "%02d", m->second); return;
    case EL_UPPER_PM: buf_cstr(out, m->hour >= 12 ? "PM" : "AM"); return;
    case EL_LOWER_PM: buf_cstr(out, m->hour >= 12 ? "pm" : "am"); return;
    case EL_ABBR: buf_cstr(out, m->abbr); return;
    case EL_OFFSET:
    case EL_ISO_OFFSET: add_offset(out, e, m->offset); return;
    case EL_FRACTION:
    case EL_OPT_FRACTION: add_fraction(out, e, m->nsec); return;
    default: format_date(out, e, m); return;
    }
}

void time_layout_format_s(const struct time_layout *l, i64 unix_s, i32 nsec,
                          const struct time_zone *zone, struct buf *out)
{
    struct moment m = moment_of(unix_s, nsec, zone);
    for (size_t i = 0; i < l->n; i++)
        format_elem(out, &l->elems[i], &m);
}

void time_layout_format(const struct time_layout *l, i64 ns, const struct time_zone *zone,
                        struct buf *out)
{
    i64 s = ns / NS_PER_SEC - (ns % NS_PER_SEC < 0);
    time_layout_format_s(l, s, (i32)(ns - s * NS_PER_SEC), zone, out);
}
