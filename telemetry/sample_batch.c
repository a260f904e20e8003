/* Building and holding samples. Floats go into one array that is moved into the batch; histograms,
 * exemplars and metadata, which are few, into an arena together with what they point to. */
#include "telemetry/sample_batch.h"

#include <errno.h>
#include <stdlib.h>
#include "base/arena.h"
#include "base/budget.h"
#include "base/vec.h"
#include "base/xalloc.h"

#define SAMPLES_MIN 64u

struct sample_builder {
    struct budget *budget;
    size_t charged;
    struct sample *v;
    u32 n, cap;
    VEC(struct histogram_sample) histograms;
    VEC(struct exemplar_sample) exemplars;
    VEC(struct metric_meta) meta;
    VEC(struct series_epoch *) epochs;
    struct arena *arena; /* made when first needed */
};

/* --- finished --- */

struct samples *samples_ref(struct samples *s)
{
    refs_get(&s->refs);
    return s;
}

static void free_arena(struct arena *a)
{
    if (!a) return;
    arena_done(a);
    free(a);
}

void samples_unref(struct samples *s)
{
    if (!s || !refs_put(&s->refs)) return;
    for (u32 i = 0; i < s->n_epochs; i++)
        series_epoch_unref(s->epochs[i]);
    if (s->budget) budget_give(s->budget, (i64)s->charged);
    free_arena(s->arena);
    free(s->epochs);
    free(s->v);
    free(s->histograms);
    free(s->exemplars);
    free(s->meta);
    free(s);
}

/* --- life of a builder --- */

struct sample_builder *sample_builder_new(struct budget *budget)
{
    struct sample_builder *b = xnew(struct sample_builder);

    b->budget = budget;
    return b;
}

static void drop_epochs(struct sample_builder *b)
{
    vec_each (&b->epochs, e)
        series_epoch_unref(*e);
    vec_clear(&b->epochs);
}

void sample_builder_reset(struct sample_builder *b)
{
    size_t kept = b->cap * sizeof(*b->v);

    drop_epochs(b);
    vec_clear(&b->histograms);
    vec_clear(&b->exemplars);
    vec_clear(&b->meta);
    free_arena(b->arena);
    b->arena = NULL;
    b->n = 0;
    if (b->budget) budget_give(b->budget, (i64)(b->charged - kept));
    b->charged = kept;
}

/* Whose arrays were moved out, or are to be forgotten. */
static void forget(struct sample_builder *b)
{
    *b = (struct sample_builder){.budget = b->budget};
}

void sample_builder_free(struct sample_builder *b)
{
    if (!b) return;
    drop_epochs(b);
    if (b->budget) budget_give(b->budget, (i64)b->charged);
    free_arena(b->arena);
    vec_done(&b->epochs);
    vec_done(&b->histograms);
    vec_done(&b->exemplars);
    vec_done(&b->meta);
    free(b->v);
    free(b);
}

static bool charge(struct sample_builder *b, size_t n)
{
    if (b->budget && !budget_take(b->budget, (i64)n)) return false;
    b->charged += n;
    return true;
}

/* --- epochs --- */

/* The one added last is mostly the one asked for. */
void sample_builder_keep(struct sample_builder *b, struct series_epoch *e)
{
    for (size_t i = b->epochs.n; i-- > 0;)
        if (b->epochs.v[i] == e) return;
    vec_push(&b->epochs, series_epoch_ref(e));
}

void sample_builder_keep_samples(struct sample_builder *b, const struct samples *s)
{
    for (u32 i = 0; i < s->n_epochs; i++)
        sample_builder_keep(b, s->epochs[i]);
}

/* --- samples --- */

static int grow(struct sample_builder *b)
{
    u32 more = MAX(b->cap, SAMPLES_MIN);
    size_t size = more * sizeof(*b->v);
    struct sample *v;

    if (!charge(b, size)) return -ENOMEM;
    v = budget_realloc(b->v, (b->cap + more) * sizeof(*v));
    if (!v) {
        if (b->budget) budget_give(b->budget, (i64)size);
        b->charged -= size;
        return -ENOMEM;
    }
    b->v = v;
    b->cap += more;
    return 0;
}

int sample_builder_add(struct sample_builder *b, struct series *s, i64 time, u64 bits)
{
    int err = b->n < b->cap ? 0 : grow(b);

    if (!err) b->v[b->n++] = (struct sample){s, time, bits};
    return err;
}

/* --- what lies in the arena --- */

static void *copy(struct sample_builder *b, const void *p, size_t n)
{
    return n ? arena_memdup(b->arena, p, n) : NULL;
}

/* An arena with n bytes and the element they belong to charged. */
static int room(struct sample_builder *b, size_t n)
{
    if (!charge(b, n)) return -ENOMEM;
    if (!b->arena) {
        b->arena = xnew(struct arena);
        arena_init(b->arena, 4096);
    }
    return 0;
}

static size_t histogram_size(const struct histogram *h)
{
    return sizeof(*h) + (h->n_pos_spans + h->n_neg_spans) * sizeof(struct histogram_span) +
           ((size_t)h->n_pos + h->n_neg + h->n_custom) * sizeof(f64);
}

static struct histogram *copy_histogram(struct sample_builder *b, const struct histogram *from)
{
    struct histogram *h = copy(b, from, sizeof(*from));

    h->pos_spans = copy(b, h->pos_spans, h->n_pos_spans * sizeof(*h->pos_spans));
    h->neg_spans = copy(b, h->neg_spans, h->n_neg_spans * sizeof(*h->neg_spans));
    h->custom = copy(b, h->custom, h->n_custom * sizeof(*h->custom));
    if (h->is_float) {
        h->pos_counts = copy(b, h->pos_counts, h->n_pos * sizeof(*h->pos_counts));
        h->neg_counts = copy(b, h->neg_counts, h->n_neg * sizeof(*h->neg_counts));
    } else {
        h->pos_deltas = copy(b, h->pos_deltas, h->n_pos * sizeof(*h->pos_deltas));
        h->neg_deltas = copy(b, h->neg_deltas, h->n_neg * sizeof(*h->neg_deltas));
    }
    return h;
}

int sample_builder_histogram(struct sample_builder *b, const struct histogram_sample *h)
{
    int err = room(b, sizeof(*h) + histogram_size(h->h));
    struct histogram_sample mine = *h;

    if (err) return err;
    mine.h = copy_histogram(b, h->h);
    vec_push(&b->histograms, mine);
    return 0;
}

static size_t exemplar_size(const struct exemplar_sample *e)
{
    size_t n = sizeof(*e) + e->n_labels * sizeof(*e->labels);

    for (u32 i = 0; i < e->n_labels; i++)
        n += e->labels[i].name.n + e->labels[i].value.n + 2;
    return n;
}

int sample_builder_exemplar(struct sample_builder *b, const struct exemplar_sample *e)
{
    int err = room(b, exemplar_size(e));
    struct exemplar_sample mine = *e;

    if (err) return err;
    struct label *labels = arena_array(b->arena, struct label, e->n_labels);
    for (u32 i = 0; i < e->n_labels; i++)
        labels[i] = (struct label){arena_str(b->arena, e->labels[i].name),
                                   arena_str(b->arena, e->labels[i].value)};
    mine.labels = labels;
    vec_push(&b->exemplars, mine);
    return 0;
}

int sample_builder_meta(struct sample_builder *b, const struct metric_meta *m)
{
    int err = room(b, sizeof(*m) + m->family.n + m->help.n + m->unit.n + 3);

    if (err) return err;
    struct metric_meta mine = {.family = arena_str(b->arena, m->family),
                               .help = arena_str(b->arena, m->help),
                               .unit = arena_str(b->arena, m->unit),
                               .type = m->type};
    vec_push(&b->meta, mine);
    return 0;
}

u32 sample_builder_items(const struct sample_builder *b)
{
    return b->n + (u32)b->histograms.n;
}

/* --- sealing --- */

/* The float array without slack, unless that needs memory which is out. */
static void trim(struct sample_builder *b)
{
    size_t slack = (b->cap - b->n) * sizeof(*b->v);

    if (b->n == 0 || slack < b->cap * sizeof(*b->v) / 4) return;
    struct sample *v = budget_realloc(b->v, b->n * sizeof(*v));
    if (!v) return;
    b->v = v;
    b->cap = b->n;
    b->charged -= slack;
    if (b->budget) budget_give(b->budget, (i64)slack);
}

int sample_builder_seal(struct sample_builder *b, struct batch *into)
{
    ASSERT(into->signal == SIGNAL_METRICS && !into->sealed);
    struct samples *s = budget_alloc(sizeof(*s));

    if (!s) return -ENOMEM;
    trim(b);
    *s = (struct samples){.budget = b->budget,
                          .charged = b->charged,
                          .items = sample_builder_items(b),
                          .bytes = b->n * sizeof(*b->v) + (b->arena ? arena_size(b->arena) : 0),
                          .pinned = b->charged,
                          .v = b->v,
                          .n = b->n,
                          .histograms = b->histograms.v,
                          .n_histograms = (u32)b->histograms.n,
                          .exemplars = b->exemplars.v,
                          .n_exemplars = (u32)b->exemplars.n,
                          .meta = b->meta.v,
                          .n_meta = (u32)b->meta.n,
                          .epochs = b->epochs.v,
                          .n_epochs = (u32)b->epochs.n,
                          .arena = b->arena};
    refs_init(&s->refs);
    forget(b);
    batch_set_samples(into, s);
    batch_seal(into);
    return 0;
}
