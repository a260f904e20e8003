/* Families and samples of an exporter, and their text. A sample keeps its labels as they will be
 * written: sorted and escaped once, they serve to order, to compare, and to print. */
#include "components/common/expo.h"

#include <errno.h>
#include <stdlib.h>
#include "base/map.h"
#include "base/num.h"
#include "base/utf8.h"
#include "base/vec.h"

#define MAX_LABELS 64
#define MAX_FAULTS 32
#define FAULT_TEXT ((size_t)32 << 10)
#define LABEL_TEXT ((size_t)1 << 20) /* of one sample */

struct sample {
    struct sample *next;
    struct str labels; /* a="b",c="d" */
    const char *suffix;
    f64 v;
    i64 ms;
    bool timed;
};

struct expo_family {
    struct expo *expo;
    const char *name, *help;
    enum expo_type type;
    bool refused; /* asked for with another type: a family of its own that is not shown */
    struct sample *first, **last;
    size_t n;
};

struct expo {
    struct arena arena;
    struct map families;
    struct expo_family nowhere; /* takes what is refused */
    struct buf text, faults;
    size_t max, count, n_faults;
    int err;
};

struct expo *expo_new(size_t max)
{
    struct expo *e = xnew(struct expo);

    arena_init(&e->arena, 16384);
    e->max = max;
    buf_init(&e->text, LABEL_TEXT);
    buf_init(&e->faults, FAULT_TEXT);
    e->nowhere = (struct expo_family){.expo = e, .refused = true};
    return e;
}

void expo_reset(struct expo *e)
{
    map_done(&e->families, NULL);
    e->families = (struct map){0};
    arena_reset(&e->arena);
    buf_reset(&e->faults);
    e->count = e->n_faults = 0;
    e->err = 0;
}

void expo_free(struct expo *e)
{
    if (!e) return;
    map_done(&e->families, NULL);
    arena_done(&e->arena);
    buf_done(&e->text);
    buf_done(&e->faults);
    free(e);
}

const char *expo_keep(struct expo *e, struct str s)
{
    return arena_strdup(&e->arena, s);
}

static void fault(struct expo *e, const char *fmt, ...) PRINTF(2, 3);
static void fault(struct expo *e, const char *fmt, ...)
{
    va_list ap;
    size_t at = e->faults.n;

    if (e->n_faults >= MAX_FAULTS) return;
    va_start(ap, fmt);
    buf_vprintf(&e->faults, fmt, ap);
    va_end(ap);
    buf_ch(&e->faults, '\n');
    if (buf_err(&e->faults)) return;

    struct str line = str_n(e->faults.p + at, e->faults.n - at);
    struct str before = str_n(e->faults.p, at);
    if (str_find(before, line) >= 0)
        buf_truncate(&e->faults, at);
    else
        e->n_faults++;
}

static const char *const type_names[][2] = {
    [EXPO_UNTYPED] = {"untyped", "unknown"}, [EXPO_COUNTER] = {"counter", "counter"},
    [EXPO_GAUGE] = {"gauge", "gauge"},       [EXPO_HISTOGRAM] = {"histogram", "histogram"},
    [EXPO_SUMMARY] = {"summary", "summary"},
};

/* --- families --- */

static struct expo_family *add_family(struct expo *e, enum expo_type type, const char *name,
                                      const char *help)
{
    struct expo_family *f = arena_new(&e->arena, struct expo_family);

    *f = (struct expo_family){.expo = e, .name = name, .help = help, .type = type};
    f->last = &f->first;
    map_put(&e->families, str_of(name), f);
    return f;
}

/* Names come from outside too (textfile, names of statistics): whoever makes them cleans them. */
static bool valid_name(const char *name)
{
    for (const char *p = name; *p; p++) {
        bool letter =
            (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || *p == '_' || *p == ':';
        if (!letter && !(p > name && *p >= '0' && *p <= '9')) return false;
    }
    return *name;
}

struct expo_family *expo_family(struct expo *e, enum expo_type type, const char *name,
                                const char *help)
{
    struct expo_family *f = map_get(&e->families, str_of(name));

    if (!help) help = "";
    if (!f && valid_name(name)) return add_family(e, type, name, help);
    if (!f) {
        fault(e, "\"%s\" is no name of a metric: its samples are left out", name);
        return &e->nowhere;
    }
    if (f->type != type) {
        fault(e, "%s is a %s, and a %s too: samples of the second type are left out", name,
              type_names[f->type][0], type_names[type][0]);
        return &e->nowhere;
    }
    if (!*f->help)
        f->help = help;
    else if (*help && strcmp(f->help, help) != 0)
        fault(e, "%s has two help texts: the first is kept", name);
    return f;
}

bool expo_has(const struct expo *e, const char *name)
{
    return map_has(&e->families, str_of(name));
}

/* --- samples --- */

/* Escapes that both formats have in label values. Text that is no UTF-8 is mended. */
static void add_value(struct buf *b, struct str s)
{
    while (s.n > 0) {
        u32 c;
        bool bad;
        size_t n = utf8_decode(s, &c, &bad);

        if (bad)
            utf8_encode(b, UTF8_INVALID);
        else if (c == '\n')
            buf_cstr(b, "\\n");
        else if (c == '"' || c == '\\')
            buf_ch(b, '\\'), buf_ch(b, (char)c);
        else
            buf_add(b, s.p, n);
        s = str_sub(s, n, s.n);
    }
}

/* Few labels, mostly in order already. */
static size_t sort_labels(const struct expo_label **to, const struct expo_label *from, size_t n)
{
    size_t used = 0;

    for (size_t i = 0; i < n; i++) {
        size_t at = used;

        for (; at > 0 && strcmp(to[at - 1]->name, from[i].name) > 0; at--)
            to[at] = to[at - 1];
        to[at] = &from[i];
        used++;
    }
    return used;
}

static struct str labels_text(struct expo_family *f, const struct expo_label *labels, size_t n)
{
    const struct expo_label *sorted[MAX_LABELS];
    struct buf *b = &f->expo->text;

    buf_reset(b);
    n = sort_labels(sorted, labels, n);
    for (size_t i = 0; i < n; i++) {
        if (i > 0) buf_ch(b, ',');
        buf_cstr(b, sorted[i]->name);
        buf_cstr(b, "=\"");
        add_value(b, sorted[i]->value);
        buf_ch(b, '"');
    }
    return buf_view(b);
}

static bool room(struct expo_family *f, size_t n)
{
    struct expo *e = f->expo;

    if (!e->err && arena_size(&e->arena) + n + sizeof(struct sample) <= e->max) return true;
    if (!e->err)
        fault(e, "the samples take more than %zu bytes: from %s on they are left out", e->max,
              f->name);
    e->err = -E2BIG;
    return false;
}

static void add(struct expo_family *f, const struct sample *sample, const struct expo_label *labels,
                size_t n)
{
    if (f->refused) return;
    if (n > MAX_LABELS) {
        fault(f->expo, "%s has a sample of more than %d labels: it is left out", f->name,
              MAX_LABELS);
        return;
    }
    struct str text = labels_text(f, labels, n);
    if (buf_err(&f->expo->text)) {
        fault(f->expo, "%s has a sample whose labels take more than %zu bytes: it is left out",
              f->name, LABEL_TEXT);
        return;
    }
    if (!room(f, text.n)) return;

    struct sample *s = arena_memdup(&f->expo->arena, sample, sizeof(*sample));
    s->labels = arena_str(&f->expo->arena, text);
    *f->last = s;
    f->last = &s->next;
    f->n++;
    f->expo->count++;
}

void expo_sample(struct expo_family *f, const char *suffix, f64 v, const struct expo_label *labels,
                 size_t n)
{
    add(f, &(struct sample){.suffix = suffix ? suffix : "", .v = v}, labels, n);
}

void expo_sample_at(struct expo_family *f, const char *suffix, f64 v, i64 ms,
                    const struct expo_label *labels, size_t n)
{
    add(f, &(struct sample){.suffix = suffix ? suffix : "", .v = v, .ms = ms, .timed = true},
        labels, n);
}

/* --- text --- */

static void add_help(struct buf *out, const char *help, enum expo_format format)
{
    for (const char *p = help; *p; p++) {
        if (*p == '\n')
            buf_cstr(out, "\\n");
        else if (*p == '\\' || (*p == '"' && format == EXPO_OPENMETRICS))
            buf_ch(out, '\\'), buf_ch(out, *p);
        else
            buf_ch(out, *p);
    }
}

/* OpenMetrics wants to see that a number is a float. */
static void add_number(struct buf *out, f64 v, enum expo_format format)
{
    size_t at = out->n;

    num_f64_g(out, v);
    if (format == EXPO_TEXT || buf_err(out)) return;
    for (size_t i = at; i < out->n; i++)
        if (strchr(".eNI", out->p[i])) return;
    buf_cstr(out, ".0");
}

static void add_time(struct buf *out, i64 ms, enum expo_format format)
{
    if (format == EXPO_TEXT)
        buf_printf(out, " %lld", (long long)ms);
    else
        buf_printf(out, " %.3f", (f64)ms / 1e3);
}

/* The family's name without the `_total` that OpenMetrics gives to a counter's samples. */
static struct str stem(const struct expo_family *f, enum expo_format format)
{
    struct str name = str_of(f->name);

    if (format == EXPO_OPENMETRICS && f->type == EXPO_COUNTER && str_ends(name, STR("_total")))
        name.n -= STR("_total").n;
    return name;
}

static void write_sample(const struct expo_family *f, const struct sample *s,
                         enum expo_format format, struct buf *out)
{
    buf_str(out, stem(f, format));
    if (format == EXPO_OPENMETRICS && f->type == EXPO_COUNTER) buf_cstr(out, "_total");
    buf_cstr(out, s->suffix);
    if (s->labels.n > 0) {
        buf_ch(out, '{');
        buf_str(out, s->labels);
        buf_ch(out, '}');
    }
    buf_ch(out, ' ');
    add_number(out, s->v, format);
    if (s->timed) add_time(out, s->ms, format);
    buf_ch(out, '\n');
}

static int by_labels(const void *a, const void *b)
{
    const struct sample *x = *(const struct sample *const *)a;
    const struct sample *y = *(const struct sample *const *)b;
    int order = str_cmp(x->labels, y->labels);

    return order ? order : strcmp(x->suffix, y->suffix);
}

/* Marks the second of a pair by taking it out of the list. With a time a series may be there more
 * than once. */
static size_t drop_twins(struct expo_family *f, struct sample **list, size_t n)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++) {
        struct sample *s = list[i];

        if (kept > 0 && !s->timed && by_labels(&list[kept - 1], &s) == 0)
            fault(f->expo, "%s%s{" STR_FMT "} is there twice: one of them is left out", f->name,
                  s->suffix, STR_ARG(s->labels));
        else
            list[kept++] = s;
    }
    return kept;
}

static void write_samples(struct expo_family *f, enum expo_format format, struct buf *out)
{
    struct sample **list = arena_array(&f->expo->arena, struct sample *, f->n);
    bool simple = f->type != EXPO_HISTOGRAM && f->type != EXPO_SUMMARY;
    size_t n = 0;

    for (struct sample *s = f->first; s; s = s->next)
        list[n++] = s;
    if (simple) {
        qsort(list, n, sizeof(*list), by_labels);
        n = drop_twins(f, list, n);
    }
    for (size_t i = 0; i < n; i++)
        write_sample(f, list[i], format, out);
}

static void write_head(const struct expo_family *f, enum expo_format format, struct buf *out)
{
    buf_cstr(out, "# HELP ");
    buf_str(out, stem(f, format));
    buf_ch(out, ' ');
    add_help(out, f->help, format);
    buf_cstr(out, "\n# TYPE ");
    buf_str(out, stem(f, format));
    buf_printf(out, " %s\n", type_names[f->type][format == EXPO_OPENMETRICS]);
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(const struct expo_family *const *)a)->name,
                  (*(const struct expo_family *const *)b)->name);
}

const char *expo_content_type(enum expo_format format)
{
    return format == EXPO_TEXT ? "text/plain; version=0.0.4; charset=utf-8"
                               : "application/openmetrics-text; version=1.0.0; charset=utf-8";
}

void expo_write(struct expo *e, enum expo_format format, struct buf *out)
{
    struct expo_family **list = arena_array(&e->arena, struct expo_family *, e->families.live + 1);
    size_t n = 0;

    map_each (&e->families, at)
        if (((struct expo_family *)at->value)->n > 0) list[n++] = at->value;
    if (n > 0) qsort(list, n, sizeof(*list), by_name);
    for (size_t i = 0; i < n; i++) {
        write_head(list[i], format, out);
        write_samples(list[i], format, out);
    }
    if (format == EXPO_OPENMETRICS) buf_cstr(out, "# EOF\n");
}

int expo_err(const struct expo *e)
{
    return e->err;
}

struct str expo_faults(const struct expo *e)
{
    return buf_view(&e->faults);
}

size_t expo_count(const struct expo *e)
{
    return e->count;
}
