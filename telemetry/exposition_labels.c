/* The text of a series into labels: name{a="b",c="d"} or {"name","a"="b"}. Read once per series,
 * so this is where its syntax is judged. */
#include <errno.h>
#include <math.h>

#include "base/num.h"
#include "base/utf8.h"
#include "telemetry/exposition_int.h"

/* --- where texts end --- */

const char *exposition_quoted_end(const char *p, const char *end)
{
    for (p++; p < end; p++) {
        if (*p == '"') return p + 1;
        if (*p == '\\' && ++p == end) return NULL;
    }
    return NULL;
}

const char *exposition_braces_end(const char *p, const char *end)
{
    for (p++; p && p < end;) {
        if (*p == '}') return p + 1;
        if (*p == '\n') return NULL;
        p = *p == '"' ? exposition_quoted_end(p, end) : p + 1;
    }
    return NULL;
}

void exposition_float(struct buf *b, f64 v)
{
    size_t from = b->n;

    num_f64_g(b, v);
    if (buf_err(b) || isnan(v) || isinf(v)) return;
    if (!memchr(b->p + from, '.', b->n - from) && !memchr(b->p + from, 'e', b->n - from))
        buf_cstr(b, ".0");
}

/* --- reading --- */

struct reading {
    struct exposition *e;
    const char *p, *end;
    struct label_set *into;
    bool strict; /* OpenMetrics: no blanks, commas required */
    u32 n;
};

static int fault(struct reading *r, const char *what)
{
    size_t n = (size_t)(r->end - r->p);

    (void)exposition_fail(r->e, "%s, got \"" STR_FMT "\"", what, (int)MIN(n, (size_t)40), r->p);
    r->e->fault = r->p;
    return -EINVAL;
}

static void skip_blanks(struct reading *r)
{
    while (!r->strict && r->p < r->end && (*r->p == ' ' || *r->p == '\t'))
        r->p++;
}

static bool take(struct reading *r, char c)
{
    if (r->p == r->end || *r->p != c) return false;
    r->p++;
    skip_blanks(r);
    return true;
}

static struct str unescape(struct label_set *into, struct str s)
{
    char *room = label_set_room(into, s.n);
    size_t n = 0;

    if (!room) return STR("");
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i], next = i + 1 < s.n ? s.p[i + 1] : '\0';
        bool known = c == '\\' && (next == '\\' || next == '"' || next == 'n');
        room[n++] = !known ? c : next == 'n' ? '\n' : next;
        i += known;
    }
    return str_n(room, n);
}

/* A quoted text without its quotes and escapes; valid UTF-8. */
static int read_quoted(struct reading *r, const char *bad_utf8, struct str *ret)
{
    const char *to = exposition_quoted_end(r->p, r->end);

    if (!to) return fault(r, "the closing quote is missing");
    struct str s = str_n(r->p + 1, (size_t)(to - r->p) - 2);
    if (!utf8_valid(s)) return fault(r, bad_utf8);
    *ret = s.n && memchr(s.p, '\\', s.n) ? unescape(r->into, s) : s;
    r->p = to;
    skip_blanks(r);
    return 0;
}

static int read_name(struct reading *r, struct str *ret, bool *ret_quoted)
{
    const char *from = r->p;

    *ret_quoted = r->p < r->end && *r->p == '"';
    if (*ret_quoted) return read_quoted(r, "invalid UTF-8 label name", ret);
    if (r->p == r->end || !exposition_is(*r->p, LABEL_FIRST))
        return fault(r, "expected a label name");
    while (r->p < r->end && exposition_is(*r->p, LABEL_REST))
        r->p++;
    *ret = str_n(from, (size_t)(r->p - from));
    skip_blanks(r);
    return 0;
}

static int put(struct reading *r, struct str name, struct str value)
{
    if (label_set_has(r->into, name)) {
        (void)exposition_fail(r->e, "label name \"" STR_FMT "\" is not unique", STR_ARG(name));
        r->e->fault = r->e->series.p;
        return -EINVAL;
    }
    if (++r->n > EXPOSITION_LABELS_MAX) return fault(r, "a series has more than 4096 labels");
    label_set_put_view(r->into, name, value);
    return r->into->err;
}

/* --- le and quantile --- */

static bool has_float_value(const struct exposition *e, struct str name)
{
    return (e->type == TYPE_HISTOGRAM && str_eq(name, STR("le"))) ||
           (e->type == TYPE_SUMMARY && str_eq(name, STR("quantile")));
}

/* What is no number stays as it is. */
static struct str normal_float(struct reading *r, struct str value)
{
    u64 bits;
    const char *to = value.n ? exposition_number(value.p, value.p + value.n, &bits) : NULL;

    if (to != value.p + value.n || r->e->format == EXPOSITION_PROTOBUF) return value;
    struct buf b = BUF_INIT(64);
    exposition_float(&b, sample_value(bits));
    if (!str_eq(buf_view(&b), value)) value = label_set_keep(r->into, buf_view(&b));
    buf_done(&b);
    return value;
}

/* --- pairs --- */

static int read_pair(struct reading *r, struct str name)
{
    struct str value;

    if (!take(r, '=')) return fault(r, "expected = behind a label name");
    if (r->p == r->end || *r->p != '"') return fault(r, "expected a label value in quotes");
    int rc = read_quoted(r, "invalid UTF-8 label value", &value);
    if (rc != 0) return rc;
    if (has_float_value(r->e, name)) value = normal_float(r, value);
    return put(r, name, value);
}

/* A quoted text that no = follows is the name of the metric, if that was not given. */
static int read_item(struct reading *r, bool *may_name)
{
    struct str name;
    bool quoted;
    int rc = read_name(r, &name, &quoted);

    if (rc != 0) return rc;
    if (quoted && *may_name && (r->p == r->end || *r->p != '=')) {
        *may_name = false;
        return put(r, STR("__name__"), name);
    }
    *may_name = false;
    return read_pair(r, name);
}

static int read_braces(struct reading *r, bool may_name)
{
    bool comma = true;

    if (!take(r, '{')) return r->p == r->end ? 0 : fault(r, "expected { or the value");
    while (!take(r, '}')) {
        if (!comma && r->strict) return fault(r, "expected a comma or } behind a label");
        int rc = read_item(r, &may_name);
        if (rc != 0) return rc;
        comma = take(r, ',');
    }
    return r->p == r->end ? 0 : fault(r, "expected the value behind the labels");
}

static int read_series(struct reading *r)
{
    const char *from = r->p;

    if (r->p < r->end && *r->p == '{') return read_braces(r, true);
    while (r->p < r->end && exposition_is(*r->p, NAME_REST))
        r->p++;
    int rc = put(r, STR("__name__"), str_n(from, (size_t)(r->p - from)));
    skip_blanks(r);
    return rc != 0 ? rc : read_braces(r, false);
}

static struct reading begin(struct exposition *e, struct str text, struct label_set *into)
{
    label_set_reset(into);
    return (struct reading){.e = e,
                            .p = text.p,
                            .end = text.p + text.n,
                            .into = into,
                            .strict = e->format != EXPOSITION_TEXT};
}

int exposition_labels(struct exposition *e, struct label_set *into)
{
    struct reading r = begin(e, e->series, into);
    size_t line = e->line;

    e->line = e->sample_line; /* faults are of that one */
    int rc = read_series(&r);
    e->line = line;
    return rc;
}

int exposition_exemplar_labels(struct exposition *e, struct str text, struct label_set *into)
{
    struct reading r = begin(e, text, into);
    size_t line = e->line;

    e->line = e->sample_line;
    int rc = read_braces(&r, false);
    e->line = line;
    return rc;
}
