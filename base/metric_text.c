/* Text exposition 0.0.4 of the agent's own metrics. */
#include "base/metric_impl.h"

#include <stdlib.h>
#include "base/num.h"

static const char *const kind_name[] = {
    [METRIC_COUNTER] = "counter",
    [METRIC_GAUGE] = "gauge",
    [METRIC_HISTOGRAM] = "histogram",
};

static void add_help(struct buf *b, const struct metric_desc *d)
{
    if (!d->help || !*d->help) return;
    buf_printf(b, "# HELP %s ", d->name);
    for (const char *p = d->help; *p; p++) {
        if (*p == '\\')
            buf_cstr(b, "\\\\");
        else if (*p == '\n')
            buf_cstr(b, "\\n");
        else
            buf_ch(b, *p);
    }
    buf_ch(b, '\n');
}

/* name{labels,le="bound"} value; `le` is NULL where there is none. */
static void add_line(struct buf *b, const struct metric *s, const char *suffix, const char *le,
                     f64 v)
{
    buf_cstr(b, s->family->desc->name);
    buf_cstr(b, suffix);
    if (*s->labels->text || le) buf_ch(b, '{');
    buf_cstr(b, s->labels->text);
    if (le) buf_printf(b, "%sle=\"%s\"", *s->labels->text ? "," : "", le);
    if (*s->labels->text || le) buf_ch(b, '}');
    buf_ch(b, ' ');
    num_f64_g(b, v);
    buf_ch(b, '\n');
}

/* Equal series are neighbours: value i of n of them together. */
static f64 sum_of(struct metric *const *s, size_t n, size_t i)
{
    f64 sum = 0;

    for (size_t k = 0; k < n; k++)
        sum += metric_sum(s[k], i);
    return sum;
}

static void add_histogram(struct buf *b, struct metric *const *s, size_t n)
{
    const struct metric_desc *d = (*s)->family->desc;
    f64 count = 0;

    for (size_t i = 0; i < d->n_bounds; i++) {
        struct buf le = BUF_INIT(64);

        num_f64_g(&le, d->bounds[i]);
        count += sum_of(s, n, i);
        add_line(b, *s, "_bucket", le.p, count);
        buf_done(&le);
    }
    count += sum_of(s, n, d->n_bounds);
    if (!d->summary) add_line(b, *s, "_bucket", "+Inf", count);
    add_line(b, *s, "_sum", NULL, sum_of(s, n, d->n_bounds + 1));
    add_line(b, *s, "_count", NULL, count);
}

static void add_number(struct buf *b, struct metric *const *s, size_t n)
{
    f64 sum = 0;

    for (size_t k = 0; k < n; k++)
        sum += metric_value(s[k]);
    add_line(b, *s, "", NULL, sum);
}

static int by_labels(const void *a, const void *b)
{
    return strcmp((*(struct metric *const *)a)->labels->text,
                  (*(struct metric *const *)b)->labels->text);
}

static size_t equal_from(const struct metric_family *f, size_t i)
{
    size_t n = 1;

    while (i + n < f->series.n && by_labels(&f->series.v[i], &f->series.v[i + n]) == 0)
        n++;
    return n;
}

static void sort_series(struct metric_family *f)
{
    qsort(f->series.v, f->series.n, sizeof(*f->series.v), by_labels);
    for (size_t i = 0; i < f->series.n; i++)
        f->series.v[i]->at = (u32)i;
}

static void add_family(struct buf *b, struct metric_family *f)
{
    if (f->series.n == 0) return;
    add_help(b, f->desc);
    buf_printf(b, "# TYPE %s %s\n", f->desc->name,
               f->desc->summary ? "summary" : kind_name[f->desc->kind]);
    sort_series(f);
    for (size_t i = 0, n; i < f->series.n; i += n) {
        n = equal_from(f, i);
        (f->desc->kind == METRIC_HISTOGRAM ? add_histogram : add_number)(b, &f->series.v[i], n);
    }
}

static bool wanted(const struct metric_family *f, const struct str *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (str_is(names[i], f->desc->name)) return true;
    }
    return n == 0;
}

static int by_family(const void *a, const void *b)
{
    return strcmp((*(struct metric_family *const *)a)->desc->name,
                  (*(struct metric_family *const *)b)->desc->name);
}

void metrics_write(struct metrics *m, struct buf *out, const struct str *names, size_t n)
{
    VEC(struct metric_family *) order = {0};

    map_each (&m->families, e) {
        if (wanted(e->value, names, n)) vec_push(&order, e->value);
    }
    if (order.n) qsort(order.v, order.n, sizeof(*order.v), by_family);
    vec_each (&order, f)
        add_family(out, *f);
    vec_done(&order);
}
