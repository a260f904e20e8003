/* One side (positive, negative) at a time: its buckets are read by place in the old schema and
 * gathered by place in the new one. Counts of integer histograms are deltas, which are summed up on
 * the way in and taken apart again on the way out. */
#include "telemetry/histogram.h"

#include <errno.h>
#include <math.h>

union count {
    i64 i;
    f64 f;
};
struct side {
    const struct histogram_span *spans;
    u32 n_spans, n;
    const i64 *deltas;
    const f64 *counts; /* NULL: of integers */
};
struct lowered {
    struct histogram_span *spans;
    u32 n_spans, n;
    union count *v; /* as in the message: deltas, or counts */
    i64 at;         /* place of the last bucket */
    i64 behind;     /* place behind the last span */
    i64 last, sum;  /* integers: count of the bucket before, and of the one at hand */
};

/* Buckets (.., 2^k] of the finer schema fall to the coarser one whose bound is not below. */
static i64 place(i64 i, int by)
{
    return ((i - 1) >> by) + 1;
}

static bool open_bucket(struct lowered *to, i64 at)
{
    i64 gap = at - to->behind;

    if (gap > INT32_MAX || gap < INT32_MIN) return false;
    if (to->n_spans == 0 || gap != 0)
        to->spans[to->n_spans++] = (struct histogram_span){.offset = (i32)gap};
    to->spans[to->n_spans - 1].length++;
    to->n++;
    to->at = at;
    to->behind = at + 1;
    return true;
}

static void add_float(struct lowered *to, bool fresh, f64 v)
{
    if (fresh) to->v[to->n - 1].f = 0;
    to->v[to->n - 1].f += v;
}

/* Sums may be out of range when a target lies: they wrap, as its own deltas do. */
static void add_int(struct lowered *to, bool fresh, i64 v)
{
    if (fresh) {
        to->last = to->sum;
        to->sum = 0;
    }
    to->sum = (i64)((u64)to->sum + (u64)v);
    to->v[to->n - 1].i = (i64)((u64)to->sum - (u64)to->last);
}

static bool merge(const struct side *from, int by, struct lowered *to)
{
    i64 at = 0, count = 0;
    u32 k = 0;

    for (u32 s = 0; s < from->n_spans; s++) {
        at += from->spans[s].offset;
        for (u32 i = 0; i < from->spans[s].length; i++, at++, k++) {
            bool fresh = to->n == 0 || place(at, by) != to->at;
            if (fresh && !open_bucket(to, place(at, by))) return false;
            if (from->counts) {
                add_float(to, fresh, from->counts[k]);
            } else {
                count = (i64)((u64)count + (u64)from->deltas[k]);
                add_int(to, fresh, count);
            }
        }
    }
    return true;
}

static bool lower(const struct side *from, int by, struct arena *a, struct lowered *to)
{
    *to = (struct lowered){.spans = arena_array(a, struct histogram_span, from->n + 1),
                           .v = arena_array(a, union count, from->n + 1)};
    return merge(from, by, to);
}

int histogram_lower(struct histogram *h, i32 schema, struct arena *a)
{
    const struct side pos = {h->pos_spans, h->n_pos_spans, h->n_pos, h->pos_deltas,
                             h->is_float ? h->pos_counts : NULL},
                      neg = {h->neg_spans, h->n_neg_spans, h->n_neg, h->neg_deltas,
                             h->is_float ? h->neg_counts : NULL};
    struct lowered p, n;
    int by = h->schema - schema;

    if (!histogram_is_exponential(h) || schema < HISTOGRAM_SCHEMA_MIN || by < 0) return -EINVAL;
    if (by == 0) return 0;
    if (!lower(&pos, by, a, &p) || !lower(&neg, by, a, &n)) return -EINVAL;
    h->schema = schema;
    h->pos_spans = p.spans;
    h->neg_spans = n.spans;
    h->n_pos_spans = p.n_spans;
    h->n_neg_spans = n.n_spans;
    h->n_pos = p.n;
    h->n_neg = n.n;
    if (h->is_float) {
        h->pos_counts = &p.v->f;
        h->neg_counts = &n.v->f;
    } else {
        h->pos_deltas = &p.v->i;
        h->neg_deltas = &n.v->i;
    }
    return 0;
}

int histogram_limit(struct histogram *h, u32 limit, struct arena *a)
{
    while ((u64)h->n_pos + h->n_neg > limit) {
        if (!histogram_is_exponential(h)) return -EINVAL;
        if (h->schema == HISTOGRAM_SCHEMA_MIN) return -ERANGE;
        int rc = histogram_lower(h, h->schema - 1, a);
        if (rc != 0) return rc;
    }
    return 0;
}

i32 histogram_schema_of_factor(f64 factor)
{
    f64 schema = floor(-log2(log2(factor)));

    if (!(factor > 1) || schema >= HISTOGRAM_SCHEMA_MAX) return HISTOGRAM_SCHEMA_MAX;
    return schema <= HISTOGRAM_SCHEMA_MIN ? HISTOGRAM_SCHEMA_MIN : (i32)schema;
}
