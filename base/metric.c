/* The agent's own metrics: counting, and the registry of series.
 * A series holds the value of its first writer, and one cell for each other one, made by that
 * writer on first use, in a list: most series have a single writer, and cells made by different
 * threads do not share cache lines of one allocation. Only the owner writes a value, so an addition
 * is a load and a store; readers see each value whole, and see the cell after its publication. */
#include "base/metric_impl.h"

#include <stdlib.h>
#include "base/assert.h"
#include "base/num.h"
#include "base/refcount.h"
#include "base/xalloc.h"

/* A thread's number is a property of the thread: it cannot be passed down through every counting
 * call. */
static __thread int this_writer;

void metric_set_writer(int writer)
{
    ASSERT(writer >= 0 && writer < METRIC_WRITERS);
    this_writer = writer;
}

/* How many values a cell of this kind holds. */
static size_t metric_values(const struct metric_desc *d)
{
    return d->kind == METRIC_HISTOGRAM ? d->n_bounds + 2 : 1;
}

static _Atomic f64 *cell_new(struct metric *s)
{
    size_t values = metric_values(s->desc);
    struct metric_cell *cell = xcalloc(1, sizeof(*cell) + values * sizeof(*cell->v));

    cell->writer = this_writer;
    cell->next = atomic_load_explicit(&s->cells, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&s->cells, &cell->next, cell,
                                                  memory_order_release, memory_order_relaxed))
        ;
    return cell->v;
}

static bool is_asked(const struct metric *s)
{
    return atomic_load_explicit(&s->owner, memory_order_relaxed) == METRIC_ASKED;
}

static struct metric_cell *cells_of(const struct metric *s)
{
    return is_asked(s) ? NULL : atomic_load_explicit(&s->cells, memory_order_acquire);
}

static bool is_mine(const struct metric *s)
{
    return atomic_load_explicit(&s->owner, memory_order_relaxed) == this_writer + 1;
}

/* The value within the series is for who comes first. */
static bool take(struct metric *s)
{
    i32 nobody = METRIC_UNOWNED;

    return s->desc->kind != METRIC_HISTOGRAM &&
           atomic_compare_exchange_strong_explicit(&s->owner, &nobody, this_writer + 1,
                                                   memory_order_relaxed, memory_order_relaxed);
}

/* This thread's values. */
static _Atomic f64 *mine(struct metric *s)
{
    if (is_mine(s)) return &s->value;
    ASSERT(!is_asked(s));
    for (struct metric_cell *c = cells_of(s); c; c = c->next)
        if (c->writer == this_writer) return c->v;
    return take(s) ? &s->value : cell_new(s);
}

static void cell_add(_Atomic f64 *cell, f64 v)
{
    f64 was = atomic_load_explicit(cell, memory_order_relaxed);

    atomic_store_explicit(cell, was + v, memory_order_relaxed);
}

void metric_add(struct metric *s, f64 v)
{
    if (s) cell_add(mine(s), v);
}

void metric_inc(struct metric *s)
{
    metric_add(s, 1);
}

void metric_set(struct metric *s, f64 v)
{
    if (s) atomic_store_explicit(mine(s), v, memory_order_relaxed);
}

void metric_observe(struct metric *s, f64 v)
{
    metric_observe_n(s, v, 1);
}

void metric_observe_n(struct metric *s, f64 v, u64 n)
{
    if (!s) return;
    const struct metric_desc *d = s->desc;
    _Atomic f64 *cell = mine(s);
    size_t i = 0;

    ASSERT(d->kind == METRIC_HISTOGRAM);
    while (i < d->n_bounds && !(v <= d->bounds[i]))
        i++;
    cell_add(&cell[i], (f64)n);
    cell_add(&cell[d->n_bounds + 1], v * (f64)n);
}

void metric_set_user(struct metric *s, void *user)
{
    s->user = user;
}

void *metric_user(const struct metric *s)
{
    return s->user;
}

void metric_fn(struct metric *s, f64 (*fn)(void *arg), void *arg)
{
    ASSERT(!cells_of(s));
    atomic_store_explicit(&s->owner, METRIC_ASKED, memory_order_relaxed);
    s->fn = fn;
    s->fn_arg = arg;
}

f64 metric_sum(const struct metric *s, size_t i)
{
    f64 sum = i == 0 ? atomic_load_explicit(&s->value, memory_order_relaxed) : 0;

    for (struct metric_cell *c = cells_of(s); c; c = c->next)
        sum += atomic_load_explicit(&c->v[i], memory_order_relaxed);
    return sum;
}

f64 metric_value(const struct metric *s)
{
    return is_asked(s) ? s->fn(s->fn_arg) : metric_sum(s, 0);
}

/* --- descriptions --- */

struct counted_desc {
    struct refs refs;
    struct metric_desc desc;
};

const struct metric_desc *metric_desc_new(const struct metric_desc *d)
{
    struct counted_desc *c = xnew(struct counted_desc);

    refs_init(&c->refs);
    c->desc = *d;
    c->desc.counted = true;
    c->desc.name = xstrdup(d->name);
    c->desc.help = xstrdup(d->help ? d->help : "");
    if (d->n_bounds > 0) c->desc.bounds = xmemdup(d->bounds, d->n_bounds * sizeof(*d->bounds));
    return &c->desc;
}

const struct metric_desc *metric_desc_ref(const struct metric_desc *d)
{
    if (d->counted) refs_get(&container_of(d, struct counted_desc, desc)->refs);
    return d;
}

void metric_desc_unref(const struct metric_desc *d)
{
    if (!d || !d->counted) return;
    struct counted_desc *c = container_of(d, struct counted_desc, desc);
    if (!refs_put(&c->refs)) return;
    free((void *)d->name);
    free((void *)d->help);
    free((void *)d->bounds);
    free(c);
}

/* --- registry --- */

struct metrics *metrics_new(void)
{
    return xnew(struct metrics);
}

static void series_free(struct metric *s)
{
    for (struct metric_cell *c = cells_of(s), *next; c; c = next) {
        next = c->next;
        free(c);
    }
    metric_desc_unref(s->desc);
    if (refs_put(&s->labels->refs)) free(s->labels);
    free(s);
}

static void family_free(void *p)
{
    struct metric_family *f = p;

    vec_each (&f->series, s)
        series_free(*s);
    vec_done(&f->series);
    metric_desc_unref(f->desc);
    free(f);
}

void metrics_free(struct metrics *m)
{
    if (!m) return;
    map_done(&m->families, family_free);
    free(m);
}

static bool same_bounds(const struct metric_desc *a, const struct metric_desc *b)
{
    for (size_t i = 0; i < a->n_bounds; i++)
        if (a->bounds[i] != b->bounds[i]) return false;
    return true;
}

static bool same_shape(const struct metric_desc *a, const struct metric_desc *b)
{
    return a->kind == b->kind && a->n_bounds == b->n_bounds && same_bounds(a, b);
}

static void describe(struct metric_family *f, const struct metric_desc *desc)
{
    const struct metric_desc *was = f->desc;

    f->desc = metric_desc_ref(desc);
    metric_desc_unref(was);
}

/* NULL: series of another shape have this name. A family without series is what its next one says.
 */
static struct metric_family *family_of(struct metrics *m, const struct metric_desc *desc)
{
    struct metric_family *f = map_get(&m->families, str_of(desc->name));

    if (!f) {
        f = xnew(struct metric_family);
        map_put(&m->families, str_of(desc->name), f);
    }
    if (f->series.n == 0) describe(f, desc);
    return same_shape(f->desc, desc) ? f : NULL;
}

/* By name, into out. There are few: insertion sorts them. */
static void sort_labels(const struct metric_label *labels, size_t n, struct metric_label *out)
{
    for (size_t i = 0; i < n; i++) {
        size_t at = i;
        for (; at > 0 && strcmp(out[at - 1].name, labels[i].name) > 0; at--)
            out[at] = out[at - 1];
        out[at] = labels[i];
    }
}

/* Up to the first byte that must be escaped, as it is. */
static void add_label_value(struct buf *b, const char *value)
{
    for (;;) {
        size_t plain = strcspn(value, "\\\"\n");
        buf_add(b, value, plain);
        value += plain;
        if (!*value) return;
        buf_ch(b, '\\');
        buf_ch(b, *value == '\n' ? 'n' : *value);
        value++;
    }
}

/* a="x",b="y" in order of names. */
static void render_labels(struct buf *b, const struct metric_label *labels, size_t n)
{
    struct metric_label sorted[METRIC_LABELS];

    ASSERT(n <= METRIC_LABELS);
    sort_labels(labels, n, sorted);
    for (size_t i = 0; i < n; i++) {
        if (i) buf_ch(b, ',');
        buf_cstr(b, sorted[i].name);
        buf_cstr(b, "=\"");
        add_label_value(b, sorted[i].value);
        buf_ch(b, '"');
    }
    ASSERT(buf_err(b) == 0);
}

/* Rendered once, and kept without the room that the buffer has left. */
static struct metric_labels *labels_new(const struct metric_label *labels, size_t n)
{
    struct buf b = BUF_INIT(SIZE_MAX / 2);

    render_labels(&b, labels, n);
    struct metric_labels *l = xmalloc(sizeof(*l) + b.n + 1);
    refs_init(&l->refs);
    if (b.n) memcpy(l->text, b.p, b.n);
    l->text[b.n] = '\0';
    buf_done(&b);
    return l;
}

/* Takes the reference on the labels. */
static struct metric *series_new(const struct metric_desc *desc, struct metric_labels *labels)
{
    struct metric *s = xnew(struct metric);

    s->desc = metric_desc_ref(desc);
    s->labels = labels;
    return s;
}

struct metric *metric_make(const struct metric_desc *desc, const struct metric_label *labels,
                           size_t n)
{
    return series_new(desc, labels_new(labels, n));
}

struct metric *metric_make_like(const struct metric_desc *desc, const struct metric *other)
{
    refs_get(&other->labels->refs);
    return series_new(desc, other->labels);
}

const char *metric_name(const struct metric *s)
{
    return s->desc->name;
}

bool metric_register(struct metrics *m, struct metric *s)
{
    s->family = family_of(m, s->desc);
    if (!s->family) return false;
    ASSERT(s->family->series.n < UINT32_MAX);
    s->at = (u32)s->family->series.n;
    vec_push(&s->family->series, s);
    return true;
}

struct metric *metric_new(struct metrics *m, const struct metric_desc *desc,
                          const struct metric_label *labels, size_t n)
{
    struct metric *s = metric_make(desc, labels, n);

    ASSERT(metric_register(m, s));
    return s;
}

/* An empty family stays: its name will come again, and it is not written. */
static void unregister(struct metric *s)
{
    struct metric_family *f = s->family;
    struct metric *last = vec_pop(&f->series);

    f->series.v[s->at] = last; /* their order is made when they are written */
    last->at = s->at;
}

void metric_free(struct metrics *m, struct metric *s)
{
    if (!s) return;
    if (s->family) unregister(s);
    series_free(s);
    (void)m;
}
