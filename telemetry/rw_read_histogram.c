/* Native histograms of remote write requests. What does not hang together (spans and buckets that
 * do not agree, counts below zero) is refused here, so that everybody behind can rely on it. */
#include <errno.h>
#include <math.h>
#include "telemetry/rw_read_impl.h"

/* Lists of a histogram, as they are gathered. */
enum list { NEG_SPANS, NEG_DELTAS, NEG_COUNTS, POS_SPANS, POS_DELTAS, POS_COUNTS, CUSTOM };

struct reading {
    struct histogram_sample s;
    struct histogram h;
};

#define SCHEMA_MIN (-9)
#define SCHEMA_MAX 52

static int list_add(struct rw_in *d, const char *at, enum list list, const void *p, size_t n)
{
    struct buf *b = &d->lists[list];

    if (b->n / 8 + n / 8 > RW_MAX_BUCKETS)
        return rw_broken(d, at, "more than 65536 buckets of one histogram");
    buf_add(b, p, n);
    if (buf_err(b)) d->err = -ENOMEM;
    return d->err;
}

_Static_assert(sizeof(struct histogram_span) == 8 && sizeof(i64) == 8 && sizeof(f64) == 8,
               "members of all lists have one size");

static int read_span(struct rw_in *d, const struct pb_field *at, enum list list)
{
    struct histogram_span span = {0, 0};
    struct pb_field f;
    u64 v;

    if (at->wire != PB_BYTES) return rw_wrong_type(d, at);
    struct pb_in in = pb_in(at->b);
    while (!d->err && pb_next(&in, &f)) {
        if (f.num != SPAN_OFFSET && f.num != SPAN_LENGTH) continue;
        if (rw_number(d, &f, &v)) break;
        if (f.num == SPAN_OFFSET)
            span.offset = (i32)pb_zigzag((u32)v);
        else
            span.length = (u32)v;
    }
    return rw_walked(d, &in) ? d->err : list_add(d, at->at, list, &span, sizeof(span));
}

static int read_delta(struct rw_in *d, const char *at, enum list list, u64 v)
{
    i64 delta = pb_zigzag(v);

    return list_add(d, at, list, &delta, sizeof(delta));
}

static int read_deltas(struct rw_in *d, const struct pb_field *f, enum list list)
{
    if (f->wire == PB_VARINT) return read_delta(d, f->at, list, f->v);
    if (f->wire != PB_BYTES) return rw_wrong_type(d, f);
    const char *p = f->b.p, *end = p + f->b.n;
    while (!d->err && p < end) {
        u64 v;
        p = pb_varint(p, end, &v);
        if (!p) return rw_broken(d, f->at, "a bucket is cut off");
        read_delta(d, f->at, list, v);
    }
    return d->err;
}

static int read_doubles(struct rw_in *d, const struct pb_field *f, enum list list)
{
    if (f->wire == PB_FIXED64) return list_add(d, f->at, list, &f->v, sizeof(f->v));
    if (f->wire != PB_BYTES) return rw_wrong_type(d, f);
    if (f->b.n % 8) return rw_broken(d, f->at, "a bucket is cut off");
    return list_add(d, f->at, list, f->b.p, f->b.n);
}

static int read_list(struct rw_in *d, const struct pb_field *f)
{
    enum list list = f->num == HIST_CUSTOM ? CUSTOM : (enum list)(f->num - HIST_NEG_SPANS);

    if (list == NEG_SPANS || list == POS_SPANS) return read_span(d, f, list);
    return list == NEG_DELTAS || list == POS_DELTAS ? read_deltas(d, f, list)
                                                    : read_doubles(d, f, list);
}

/* Of a oneof given twice the last counts: it says whether the histogram is one of floats. */
static int read_count(struct rw_in *d, const struct pb_field *f, u64 *ret, struct histogram *h)
{
    h->is_float = f->num == HIST_COUNT_FLOAT || f->num == HIST_ZERO_FLOAT;
    return h->is_float ? rw_bits(d, f, ret) : rw_number(d, f, ret);
}

static int read_double(struct rw_in *d, const struct pb_field *f, f64 *ret)
{
    u64 bits = 0;

    if (rw_bits(d, f, &bits)) return d->err;
    *ret = sample_value(bits);
    return 0;
}

static int read_number(struct rw_in *d, const struct pb_field *f, struct reading *r)
{
    u64 v = 0;

    if (rw_number(d, f, &v)) return d->err;
    if (f->num == HIST_SCHEMA)
        r->h.schema = (i32)pb_zigzag((u32)v);
    else if (f->num == HIST_RESET_HINT)
        r->h.reset_hint = v <= 3 ? (u8)v : 0;
    else if (f->num == HIST_TIME)
        r->s.time = (i64)v;
    else
        r->s.start = (i64)v;
    return 0;
}

static int histogram_field(struct rw_in *d, const struct pb_field *f, struct reading *r,
                           bool *zero_float)
{
    bool is_float;

    switch (f->num) {
    case HIST_COUNT_INT:
    case HIST_COUNT_FLOAT: return read_count(d, f, &r->h.count.i, &r->h);
    case HIST_ZERO_INT:
    case HIST_ZERO_FLOAT:
        is_float = r->h.is_float;
        read_count(d, f, &r->h.zero_count.i, &r->h);
        *zero_float = r->h.is_float;
        r->h.is_float = is_float;
        return d->err;
    case HIST_SUM: return read_double(d, f, &r->h.sum);
    case HIST_ZERO_THRESHOLD: return read_double(d, f, &r->h.zero_threshold);
    case HIST_START:
    case HIST_SCHEMA:
    case HIST_RESET_HINT:
    case HIST_TIME: return read_number(d, f, r);
    default: return f->num >= HIST_NEG_SPANS && f->num <= HIST_CUSTOM ? read_list(d, f) : 0;
    }
}

/* --- judging --- */

static u32 n_of(const struct rw_in *d, enum list list)
{
    return (u32)(d->lists[list].n / 8);
}

static const void *at_of(const struct rw_in *d, enum list list)
{
    return d->lists[list].p;
}

static void set_lists(const struct rw_in *d, struct histogram *h)
{
    bool f = h->is_float;

    h->neg_spans = at_of(d, NEG_SPANS);
    h->pos_spans = at_of(d, POS_SPANS);
    h->n_neg_spans = n_of(d, NEG_SPANS);
    h->n_pos_spans = n_of(d, POS_SPANS);
    h->n_neg = n_of(d, f ? NEG_COUNTS : NEG_DELTAS);
    h->n_pos = n_of(d, f ? POS_COUNTS : POS_DELTAS);
    h->neg_deltas = f ? NULL : at_of(d, NEG_DELTAS);
    h->pos_deltas = f ? NULL : at_of(d, POS_DELTAS);
    h->neg_counts = f ? at_of(d, NEG_COUNTS) : NULL;
    h->pos_counts = f ? at_of(d, POS_COUNTS) : NULL;
    h->custom = at_of(d, CUSTOM);
    h->n_custom = n_of(d, CUSTOM);
}

static bool spans_fit(const struct histogram_span *v, u32 n, u32 n_buckets)
{
    u64 sum = 0;

    for (u32 i = 0; i < n; i++) {
        if (i && v[i].offset < 0) return false;
        sum += v[i].length;
    }
    return sum == n_buckets;
}

static bool deltas_fit(const i64 *v, u32 n)
{
    i64 count = 0;

    for (u32 i = 0; i < n; i++)
        if (__builtin_add_overflow(count, v[i], &count) || count < 0) return false;
    return true;
}

static bool counts_fit(const f64 *v, u32 n)
{
    for (u32 i = 0; i < n; i++)
        if (v[i] < 0) return false;
    return true;
}

static bool bounds_fit(const f64 *v, u32 n)
{
    for (u32 i = 0; i < n; i++)
        if (isnan(v[i]) || (i && !(v[i - 1] < v[i]))) return false;
    return !n || !isinf(v[n - 1]) || v[n - 1] < 0;
}

static const char *judge_schema(const struct histogram *h)
{
    if (h->schema == SCHEMA_CUSTOM) {
        if (h->n_neg || h->n_neg_spans) return "a histogram with custom buckets has negative ones";
        return bounds_fit(h->custom, h->n_custom) ? NULL
                                                  : "custom bounds of a histogram do not increase";
    }
    if (h->schema < SCHEMA_MIN || h->schema > SCHEMA_MAX) return "a histogram has no known schema";
    return h->n_custom ? "a histogram has custom bounds but not their schema" : NULL;
}

static const char *judge(const struct rw_in *d, const struct histogram *h, bool zero_float)
{
    if (h->stale) return NULL;
    bool other = h->is_float ? n_of(d, NEG_DELTAS) || n_of(d, POS_DELTAS)
                             : n_of(d, NEG_COUNTS) || n_of(d, POS_COUNTS);
    if (other || (h->zero_count.i && zero_float != h->is_float))
        return "a histogram mixes integer and float counts";
    if (!spans_fit(h->neg_spans, h->n_neg_spans, h->n_neg) ||
        !spans_fit(h->pos_spans, h->n_pos_spans, h->n_pos))
        return "spans and buckets of a histogram do not agree";
    bool fit = h->is_float
                   ? counts_fit(h->neg_counts, h->n_neg) && counts_fit(h->pos_counts, h->n_pos) &&
                         !(h->count.f < 0) && !(h->zero_count.f < 0)
                   : deltas_fit(h->neg_deltas, h->n_neg) && deltas_fit(h->pos_deltas, h->n_pos);
    return fit ? judge_schema(h) : "a histogram has a bucket below zero";
}

static int add(struct rw_in *d, struct reading *r, bool zero_float)
{
    set_lists(d, &r->h);
    r->h.stale = sample_bits(r->h.sum) == SAMPLE_STALE_BITS;
    const char *why = judge(d, &r->h, zero_float);
    if (why) {
        rw_refuse(d, 1, why, series_name(r->s.series));
        return 0;
    }
    r->s.h = &r->h;
    d->err = sample_builder_histogram(d->out->out, &r->s);
    if (!d->err) d->out->counts.histograms++;
    return d->err;
}

int rw_read_histogram(struct rw_in *d, struct str bytes, struct series *s)
{
    struct reading r = {.s = {.series = s}};
    struct pb_in in = pb_in(bytes);
    struct pb_field f;
    bool zero_float = false;

    for (size_t i = 0; i < RW_N_LISTS; i++) {
        if (!d->lists[i].max) buf_init(&d->lists[i], (RW_MAX_BUCKETS + 1) * 8);
        buf_reset(&d->lists[i]);
    }
    while (!d->err && pb_next(&in, &f))
        histogram_field(d, &f, &r, &zero_float);
    return rw_walked(d, &in) ? d->err : add(d, &r, zero_float);
}
