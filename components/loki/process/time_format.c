/* Texts to times by one of the formats of stage.timestamp. */
#include "components/loki/process/time_format.h"

#include <errno.h>
#include "base/num.h"
#include "base/time_rule.h"

struct time_format time_format_new(struct str format)
{
    static const struct {
        const char *name;
        enum time_format_kind kind;
    } numeric[] = {{"Unix", TIME_UNIX},
                   {"UnixMs", TIME_UNIX_MS},
                   {"UnixUs", TIME_UNIX_US},
                   {"UnixNs", TIME_UNIX_NS}};
    for (size_t i = 0; i < ARRAY_LEN(numeric); i++)
        if (str_is(format, numeric[i].name)) return (struct time_format){.kind = numeric[i].kind};
    const char *named = time_layout_named(format);
    return (struct time_format){.layout = time_layout_new(named ? str_of(named) : format),
                                .named = named != NULL,
                                .without_year = !named && str_find(format, STR("06")) < 0};
}

void time_format_done(struct time_format *f)
{
    time_layout_free(f->layout);
    f->layout = NULL;
}

/* --- numbers --- */

static int scaled(struct str text, i64 unit, i64 *ret_ns)
{
    i64 v;
    int err = num_parse_i64(text, &v);
    if (err) return err;
    return __builtin_mul_overflow(v, unit, ret_ns) ? -ERANGE : 0;
}

/* The fraction is an integer that counts parts of a second, as many as its digits say; it is added
 * whatever the sign of the seconds. */
static int fraction(struct str digits, i64 *ret_ns)
{
    i64 v, unit = NS_PER_SEC;
    digits.n = MIN(digits.n, 9u);
    int err = num_parse_i64(digits, &v);
    if (err) return err;
    for (size_t i = 0; i < digits.n; i++)
        unit /= 10;
    *ret_ns = v * unit;
    return 0;
}

static int seconds(struct str text, i64 *ret_ns)
{
    struct str behind = text, whole = str_cut(&behind, '.');
    i64 s, part = 0;
    int err = scaled(whole, NS_PER_SEC, &s);
    if (!err && behind.p) err = fraction(behind, &part);
    if (err) return err;
    return __builtin_add_overflow(s, part, ret_ns) ? -ERANGE : 0;
}

/* --- layouts --- */

static struct civil local_date(i64 now, const struct time_zone *local)
{
    i64 s = now / NS_PER_SEC + time_zone_offset(local, now / NS_PER_SEC, NULL);
    return civil_of_days(s / 86400 - (s % 86400 < 0));
}

/* A December read in January is the last one, a January read in December the next one. */
static int year_for(const struct time_parsed *t, struct civil now)
{
    i64 days = t->local_s / 86400 - (t->local_s % 86400 < 0);
    int month = civil_of_days(days).month;
    if (month == 12 && now.month == 1) return (int)now.year - 1;
    if (month == 1 && now.month == 12) return (int)now.year + 1;
    return (int)now.year;
}

static int by_layout(const struct time_format *f, struct str text, const struct time_zone *location,
                     const struct time_zone *local, i64 now, i64 *ret_ns)
{
    struct time_parsed t;
    const struct time_zone *zone = f->named ? NULL : location;
    int err = time_layout_parse_in(f->layout, text, zone, zone ? zone : local, &t, NULL);
    if (f->without_year && err != -EINVAL) {
        if (t.year != 0) return -EINVAL;
        err = time_parsed_add_years(&t, year_for(&t, local_date(now, local)), zone);
    }
    if (!err) *ret_ns = t.ns;
    return err;
}

int time_format_parse(const struct time_format *f, struct str text,
                      const struct time_zone *location, const struct time_zone *local, i64 now,
                      i64 *ret_ns)
{
    switch (f->kind) {
    case TIME_LAYOUT: return by_layout(f, text, location, local, now, ret_ns);
    case TIME_UNIX: return seconds(text, ret_ns);
    case TIME_UNIX_MS: return scaled(text, NS_PER_MS, ret_ns);
    case TIME_UNIX_US: return scaled(text, 1000, ret_ns);
    case TIME_UNIX_NS: return scaled(text, 1, ret_ns);
    }
    return -EINVAL;
}
