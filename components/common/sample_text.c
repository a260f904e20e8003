/* Samples as text. Families are told first, together: samples keep their order, in which those of
 * a family need not stand together. */
#include "components/common/sample_text.h"

#include "base/num.h"

/* --- texts --- */

/* Label values (with quotes) and help (without) know these escapes only. */
static void escaped(struct str s, bool quotes, struct buf *out)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '\n')
            buf_cstr(out, "\\n");
        else if (c == '\\' || (c == '"' && quotes))
            buf_printf(out, "\\%c", c);
        else
            buf_ch(out, c);
    }
}

static bool is_plain(struct str name, bool colon)
{
    bool ok = name.n > 0 && !(name.p[0] >= '0' && name.p[0] <= '9');

    for (size_t i = 0; ok && i < name.n; i++) {
        char c = name.p[i];
        ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             c == '_' || (c == ':' && colon);
    }
    return ok;
}

static void quoted(struct str s, struct buf *out)
{
    buf_ch(out, '"');
    escaped(s, true, out);
    buf_ch(out, '"');
}

static void name_text(struct str name, bool colon, struct buf *out)
{
    if (is_plain(name, colon))
        buf_str(out, name);
    else
        quoted(name, out);
}

static void label_text(const struct label *l, bool *first, struct buf *out)
{
    buf_ch(out, *first ? '{' : ',');
    *first = false;
    name_text(l->name, false, out);
    buf_ch(out, '=');
    quoted(l->value, out);
}

/* name{a="b"}; a name that needs quotes stands inside. */
static void series_line(const struct series *s, const char *suffix, struct buf *out)
{
    struct str name = series_name(s);
    bool inside = name.n && !is_plain(name, true), first = true;

    if (inside) {
        buf_cstr(out, "{\"");
        escaped(name, true, out);
        buf_printf(out, "%s\"", suffix);
        first = false;
    } else {
        buf_str(out, name);
        buf_cstr(out, suffix);
    }
    for (u32 i = 0; i < series_n(s); i++) {
        struct label l = series_label(s, i);
        if ((int)i != s->shape->name_at) label_text(&l, &first, out);
    }
    if (!first) buf_ch(out, '}');
}

/* --- samples --- */

static void time_text(i64 ms, enum sample_text format, struct buf *out)
{
    if (format == SAMPLE_TEXT)
        buf_printf(out, " %lld", (long long)ms);
    else
        buf_printf(out, " %s%lld.%03d", ms < 0 ? "-" : "",
                   (long long)(ms < 0 ? -(ms / 1000) : ms / 1000),
                   (int)(ms < 0 ? -(ms % 1000) : ms % 1000));
}

static void value_text(f64 v, i64 time, enum sample_text format, struct buf *out)
{
    buf_ch(out, ' ');
    num_f64_g(out, v);
    time_text(time, format, out);
}

static void exemplar_text(const struct exemplar_sample *e, struct buf *out)
{
    bool first = true;

    buf_cstr(out, " # ");
    for (u32 i = 0; i < e->n_labels; i++)
        label_text(&e->labels[i], &first, out);
    buf_cstr(out, first ? "{} " : "} ");
    num_f64_g(out, e->value);
    if (e->has_time) time_text(e->time, SAMPLE_OPENMETRICS, out);
}

/* Exemplars stand in the order of their samples: one pass over both. */
static void floats_text(const struct samples *s, enum sample_text format, struct buf *out)
{
    u32 at = 0;

    for (u32 i = 0; i < s->n; i++) {
        series_line(s->v[i].series, "", out);
        value_text(sample_value(s->v[i].bits), s->v[i].time, format, out);
        bool has = at < s->n_exemplars && s->exemplars[at].series == s->v[i].series;
        if (has && format == SAMPLE_OPENMETRICS) exemplar_text(&s->exemplars[at], out);
        at += has;
        buf_ch(out, '\n');
    }
}

static f64 count_of(const struct histogram *h)
{
    return h->is_float ? h->count.f : (f64)h->count.i;
}

static void histograms_text(const struct samples *s, enum sample_text format, struct buf *out)
{
    for (u32 i = 0; i < s->n_histograms; i++) {
        const struct histogram_sample *h = &s->histograms[i];
        series_line(h->series, "_count", out);
        value_text(count_of(h->h), h->time, format, out);
        buf_ch(out, '\n');
        series_line(h->series, "_sum", out);
        value_text(h->h->sum, h->time, format, out);
        buf_ch(out, '\n');
    }
}

/* --- families --- */

static const char *type_name(enum metric_type t, enum sample_text format)
{
    static const char *const names[] = {"unknown",        "counter", "gauge", "histogram",
                                        "gaugehistogram", "summary", "info",  "stateset"};
    bool only_open = t == TYPE_UNKNOWN || t == TYPE_GAUGEHISTOGRAM || t >= TYPE_INFO;

    return format == SAMPLE_TEXT && only_open ? "untyped" : names[t];
}

static void family_line(const char *what, struct str family, struct buf *out)
{
    buf_printf(out, "# %s ", what);
    name_text(family, true, out);
    buf_ch(out, ' ');
}

static void family_text(const struct metric_meta *m, enum sample_text format, struct buf *out)
{
    if (m->help.n) {
        family_line("HELP", m->family, out);
        escaped(m->help, format == SAMPLE_OPENMETRICS, out);
        buf_ch(out, '\n');
    }
    family_line("TYPE", m->family, out);
    buf_printf(out, "%s\n", type_name(m->type, format));
    if (!m->unit.n || format == SAMPLE_TEXT) return;
    family_line("UNIT", m->family, out);
    buf_str(out, m->unit);
    buf_ch(out, '\n');
}

void sample_text(const struct samples *s, enum sample_text format, struct buf *out)
{
    for (u32 i = 0; i < s->n_meta; i++)
        family_text(&s->meta[i], format, out);
    floats_text(s, format, out);
    histograms_text(s, format, out);
    if (format == SAMPLE_OPENMETRICS) buf_cstr(out, "# EOF\n");
}
