/* Lines of the text formats. The two differ in what may stand between tokens, in their comments,
 * and in what follows a value; what is the same is read by the same functions. */
#include <ctype.h>
#include <math.h>

#include "base/hash.h"
#include "base/utf8.h"
#include "telemetry/exposition_int.h"

static bool is_om(const struct exposition *e)
{
    return e->format == EXPOSITION_OPENMETRICS;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static const char *skip_blanks(const char *p, const char *end)
{
    while (p < end && is_blank(*p))
        p++;
    return p;
}

static const char *line_end(const struct exposition *e, const char *p)
{
    const char *lf = memchr(p, '\n', (size_t)(e->end - p));
    return lf ? lf : e->end;
}

static enum exposition_event fail_at(struct exposition *e, const char *what, const char *p)
{
    size_t n = (size_t)(line_end(e, p) - p);

    (void)exposition_fail(e, "%s, got \"" STR_FMT "\"", what, (int)MIN(n, (size_t)60), p);
    e->fault = p;
    return EXPOSITION_ERROR;
}

static void next_line(struct exposition *e, const char *lf)
{
    e->at = lf < e->end ? lf + 1 : e->end;
    e->line++;
}

/* --- comments --- */

struct word {
    const char *text;
    enum exposition_event event;
    bool om_only;
};
static const struct word words[] = {{"HELP", EXPOSITION_HELP, false},
                                    {"TYPE", EXPOSITION_TYPE, false},
                                    {"UNIT", EXPOSITION_UNIT, true}};

struct type_name {
    const char *name;
    enum metric_type type;
    u8 formats; /* 1 text, 2 OpenMetrics */
};
static const struct type_name types[] = {
    {"counter", TYPE_COUNTER, 3},     {"gauge", TYPE_GAUGE, 3},
    {"histogram", TYPE_HISTOGRAM, 3}, {"summary", TYPE_SUMMARY, 3},
    {"untyped", TYPE_UNKNOWN, 1},     {"gaugehistogram", TYPE_GAUGEHISTOGRAM, 2},
    {"info", TYPE_INFO, 2},           {"stateset", TYPE_STATESET, 2},
    {"unknown", TYPE_UNKNOWN, 2},
};

static bool find_type(const struct exposition *e, struct str name, enum metric_type *ret)
{
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        if (!(types[i].formats & (is_om(e) ? 2 : 1)) || !str_is(name, types[i].name)) continue;
        *ret = types[i].type;
        return true;
    }
    return false;
}

/* Unescaped into the scratch when anything in it is escaped; `quotes`: \" is known as well. */
static struct str plain(struct exposition *e, struct str s, bool quotes)
{
    if (s.n == 0 || !memchr(s.p, '\\', s.n)) return s;
    size_t from = e->scratch.n;
    for (size_t i = 0; i < s.n; i++) {
        char next = i + 1 < s.n ? s.p[i + 1] : '\0';
        bool known = s.p[i] == '\\' && (next == '\\' || next == 'n' || (quotes && next == '"'));
        buf_ch(&e->scratch, !known ? s.p[i] : next == 'n' ? '\n' : next);
        i += known;
    }
    return buf_err(&e->scratch) ? s : str_n(e->scratch.p + from, e->scratch.n - from);
}

/* The family's name, in quotes or not: the place behind it, NULL when there is none. */
static const char *read_family(struct exposition *e, const char *p, const char *end)
{
    const char *from = p;

    if (p < end && *p == '"') {
        p = exposition_quoted_end(p, end);
        if (!p) return NULL;
        e->family = str_n(from + 1, (size_t)(p - from) - 2);
        return p;
    }
    if (p == end || !exposition_is(*p, NAME_FIRST)) return NULL;
    while (p < end && exposition_is(*p, NAME_REST))
        p++;
    e->family = str_n(from, (size_t)(p - from));
    return p;
}

static bool unit_fits(struct str family, struct str unit)
{
    return unit.n == 0 ||
           (family.n > unit.n && str_ends(family, unit) && family.p[family.n - unit.n - 1] == '_');
}

static enum exposition_event read_text(struct exposition *e, enum exposition_event event)
{
    if (!utf8_valid(e->text))
        return exposition_fail(e, "text of \"" STR_FMT "\" is not UTF-8", STR_ARG(e->family));
    if (event == EXPOSITION_TYPE && !find_type(e, e->text, &e->type))
        return exposition_fail(e, "invalid metric type \"" STR_FMT "\"", STR_ARG(e->text));
    if (event == EXPOSITION_UNIT && !unit_fits(e->family, e->text))
        return exposition_fail(e, "unit \"" STR_FMT "\" not a suffix of metric \"" STR_FMT "\"",
                               STR_ARG(e->text), STR_ARG(e->family));
    if (event == EXPOSITION_HELP) e->text = plain(e, e->text, is_om(e));
    return event;
}

/* HELP, TYPE, UNIT, from behind the word. */
static enum exposition_event read_about(struct exposition *e, enum exposition_event event,
                                        const char *p)
{
    const char *lf = line_end(e, p);
    struct str raw;

    buf_reset(&e->scratch);
    p = is_om(e) ? p + 1 : skip_blanks(p, lf);
    const char *name = p;
    p = read_family(e, p, lf);
    if (!p) return fail_at(e, "expected a metric name", name);
    if (p < lf && !is_blank(*p)) return fail_at(e, "invalid metric name", name);
    if (*name == '"') {
        raw = plain(e, e->family, true);
        e->family = raw;
        if (buf_err(&e->scratch)) return exposition_fail(e, "out of memory");
    }
    if (event == EXPOSITION_TYPE && !is_om(e)) {
        p = skip_blanks(p, lf);
        e->text = str_n(p, (size_t)(lf - p));
        while (e->text.n && is_blank(e->text.p[e->text.n - 1]))
            e->text.n--;
    } else {
        if (p < lf) p++;
        e->text = str_n(p, (size_t)(lf - p));
    }
    event = read_text(e, event);
    if (event != EXPOSITION_ERROR) next_line(e, lf);
    return event;
}

static enum exposition_event read_eof(struct exposition *e, const char *behind)
{
    if (behind < e->end && *behind == '\n') behind++;
    if (behind < e->end) return fail_at(e, "unexpected data after # EOF", behind);
    e->ended = true;
    e->at = e->end;
    return EXPOSITION_END;
}

/* The word behind "# " with the blank that follows it; NULL: another comment. */
static const struct word *find_word(const struct exposition *e, const char *p)
{
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (words[i].om_only && !is_om(e)) continue;
        if (e->end - p > 4 && memcmp(p, words[i].text, 4) == 0 &&
            (p[4] == ' ' || (p[4] == '\t' && !is_om(e))))
            return &words[i];
    }
    return NULL;
}

/* EXPOSITION_SAMPLE stands for a comment that says nothing: go on. */
static enum exposition_event read_comment(struct exposition *e)
{
    const char *p = e->at + 1;
    bool blank = p < e->end && (is_om(e) ? *p == ' ' : is_blank(*p));

    p = is_om(e) ? p + blank : skip_blanks(p, e->end);
    const struct word *w = blank ? find_word(e, p) : NULL;
    if (w) return read_about(e, w->event, p + 4);
    if (!is_om(e)) {
        next_line(e, line_end(e, e->at));
        return EXPOSITION_SAMPLE;
    }
    if (blank && e->end - p >= 3 && memcmp(p, "EOF", 3) == 0 && (p + 3 == e->end || p[3] == '\n'))
        return read_eof(e, p + 3);
    return fail_at(e, "expected # HELP, # TYPE, # UNIT or # EOF", e->at);
}

/* --- what follows a series --- */

static const char *blank_before_value(const struct exposition *e, const char *p)
{
    if (is_om(e)) return p < e->end && *p == ' ' ? p + 1 : NULL;
    return skip_blanks(p, e->end);
}

static const char *read_millis(const char *p, const char *end, i64 *ret)
{
    const char *from = p;
    i64 v = 0;

    for (; p < end && (u8)(*p - '0') <= 9; p++)
        if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, *p - '0', &v))
            return NULL;
    *ret = v;
    return p == from ? NULL : p;
}

static const char *read_seconds(const char *p, const char *end, i64 *ret)
{
    u64 bits;

    p = exposition_number(p, end, &bits);
    if (!p) return NULL;
    f64 ms = sample_value(bits) * 1000;
    if (isnan(ms) || fabs(ms) >= 9.2e18) return NULL;
    *ret = (i64)ms;
    return p;
}

static const char *read_time(const struct exposition *e, const char *p, i64 *ret)
{
    return is_om(e) ? read_seconds(p, e->end, ret) : read_millis(p, e->end, ret);
}

/* From the opening brace to the end of its line. */
static const char *read_exemplar(struct exposition *e, const char *p)
{
    const char *lf = line_end(e, p), *to = exposition_braces_end(p, lf);
    struct exposition_exemplar *x = &e->exemplar;
    u64 bits;

    if (!to) return NULL;
    struct str labels = str_n(p, (size_t)(to - p));
    if (to == lf || *to != ' ') return NULL;
    p = exposition_number(to + 1, lf, &bits);
    if (!p) return NULL;
    x->has_time = p < lf && *p == ' ';
    if (x->has_time) p = read_seconds(p + 1, lf, &x->time);
    if (!p || p != lf) return NULL;
    x->labels = labels;
    x->value = sample_value(bits);
    return p;
}

static const char *read_tail(struct exposition *e, const char *p)
{
    if (is_om(e)) {
        if (*p == ' ' && e->end - p > 1 && p[1] != '#') {
            p = read_time(e, p + 1, &e->time);
            if (!p) return NULL;
            e->has_time = true;
        }
        if (p < e->end && e->end - p > 3 && memcmp(p, " # {", 4) == 0)
            return read_exemplar(e, p + 3);
        return p;
    }
    p = skip_blanks(p, e->end);
    if (p == e->end || *p == '\n') return p;
    p = read_time(e, p, &e->time);
    if (!p) return NULL;
    e->has_time = true;
    return skip_blanks(p, e->end);
}

/* From behind the series to the end of the line: NULL, and *ret_what, when it is not as it must
 * be. *ret_at: where. */
static const char *read_value(struct exposition *e, const char *p, const char **ret_what,
                              const char **ret_at)
{
    const char *from = blank_before_value(e, p);

    *ret_what = "expected a value behind the series";
    *ret_at = p;
    p = from ? exposition_number(from, e->end, &e->bits) : NULL;
    if (UNLIKELY(!p)) {
        if (from) *ret_at = from;
        return NULL;
    }
    e->has_time = false;
    e->exemplar.labels.p = NULL;
    if (LIKELY(p < e->end && *p == '\n') || p == e->end) return p;
    *ret_what = is_om(e) ? "expected a timestamp, an exemplar or the end of the line"
                         : "expected a timestamp or the end of the line";
    *ret_at = p;
    p = read_tail(e, p);
    return p && (p == e->end || *p == '\n') ? p : NULL;
}

/* --- samples --- */

/* Where the text of the series ends; NULL: it is none. */
static const char *series_end(const struct exposition *e, const char *p)
{
    const char *end = e->end, *name_end;

    if (*p != '{') {
        if (!exposition_is(*p, NAME_FIRST)) return NULL;
        while (p < end && exposition_is(*p, NAME_REST))
            p++;
    }
    name_end = p;
    if (!is_om(e)) p = skip_blanks(p, end);
    if (p == end || *p != '{') return name_end;
    return exposition_braces_end(p, end);
}

static u32 count_lines(struct str s)
{
    u32 n = 0;

    for (const char *p = s.p; (p = memchr(p, '\n', (size_t)(s.p + s.n - p))); p++)
        n++;
    return n;
}

static enum exposition_event read_sample(struct exposition *e)
{
    const char *to = series_end(e, e->at), *what, *at;

    if (!to) return fail_at(e, "expected a series", e->at);
    e->series = str_n(e->at, (size_t)(to - e->at));
    e->hash = hash_quick(e->series.p, e->series.n, e->seed);
    e->expected = false;
    const char *lf = read_value(e, to, &what, &at);
    if (!lf) return fail_at(e, what, at);
    e->sample_line = e->line;
    e->line += count_lines(e->series);
    next_line(e, lf);
    return EXPOSITION_SAMPLE;
}

/* The line begins with the series that was expected: only its value is read. */
static bool read_expected(struct exposition *e, u64 hash, u32 n)
{
    const char *what, *at;

    if ((size_t)(e->end - e->at) <= n || !is_blank(e->at[n])) return false;
    if (hash_quick(e->at, n, e->seed) != hash) return false;
    const char *lf = read_value(e, e->at + n, &what, &at);
    if (!lf) return false;
    e->series = str_n(e->at, n);
    e->sample_line = e->line;
    e->hash = hash;
    e->expected = true;
    next_line(e, lf);
    return true;
}

static enum exposition_event at_end(struct exposition *e)
{
    if (is_om(e) && !e->ended) return exposition_fail(e, "data does not end with # EOF");
    e->ended = true;
    return EXPOSITION_END;
}

/* True at the start of something; blanks and empty lines of the text format are passed over. */
static bool find_start(struct exposition *e)
{
    while (!is_om(e) && e->at < e->end) {
        if (*e->at == '\0')
            e->at = e->end;
        else if (*e->at == '\n')
            next_line(e, e->at);
        else if (is_blank(*e->at))
            e->at++;
        else
            return true;
    }
    return e->at < e->end;
}

enum exposition_event exposition_text_next(struct exposition *e, u64 hash, u32 n)
{
    for (;;) {
        if (e->ended) return EXPOSITION_END;
        if (!find_start(e)) return at_end(e);
        if (*e->at == '#') {
            enum exposition_event event = read_comment(e);
            if (event != EXPOSITION_SAMPLE) return event;
        } else {
            return n && read_expected(e, hash, n) ? EXPOSITION_SAMPLE : read_sample(e);
        }
    }
}
