/* Points as samples: what each kind of metric is made of. */
#include <errno.h>
#include "base/digest.h"
#include "base/num.h"
#include "components/otelcol/exporter_prometheus.h"

#define NS_PER_MILLI   1000000
#define SCALE_MIN      (-4)
#define SCALE_MAX      8
#define ZERO_THRESHOLD 1e-128
#define CUSTOM_BUCKETS (-53)
#define SPAN_GAP       2 /* empty buckets that are cheaper than another span */

static i64 point_ms(const struct prom_convert *c)
{
    return (i64)(c->point.time / NS_PER_MILLI);
}

static bool no_value(const struct prom_convert *c)
{
    return c->point.flags & POINT_NO_VALUE;
}

static u64 bits_of(const struct prom_convert *c, f64 v)
{
    return no_value(c) ? SAMPLE_STALE_BITS : v == v ? sample_bits(v) : SAMPLE_NAN_BITS;
}

/* A number in the shortest decimal form, as a label. */
static void put_number(struct prom_convert *c, struct str name, f64 v)
{
    buf_reset(&c->scratch);
    num_f64_plain(&c->scratch, v);
    label_set_put(&c->labels, name, buf_view(&c->scratch));
}

static int write_as(struct prom_convert *c, const char *suffix, f64 v, struct series **ret)
{
    prom_name(c, suffix);
    return prom_write(c, point_ms(c), bits_of(c, v), ret);
}

/* --- exemplars --- */

static size_t put_id(struct label *to, struct str name, struct str id, struct buf *room)
{
    size_t from = room->n;

    if (id.n == 0) return 0;
    hex_encode(room, id.p, id.n);
    *to = (struct label){name, str_sub(buf_view(room), from, room->n)};
    return 1;
}

static int add_exemplar(struct prom_convert *c, const struct otlp_exemplar *e, struct series *s)
{
    char bytes[256];
    struct buf room = BUF_INIT(sizeof(bytes));
    struct label labels[2];
    size_t n = 0;

    if (e->span_id.n > 32 || e->trace_id.n > 32) return 0;
    buf_reserve(&room, sizeof(bytes)); /* texts must not move */
    n += put_id(&labels[n], STR("span_id"), e->span_id, &room);
    n += put_id(&labels[n], STR("trace_id"), e->trace_id, &room);
    int err = sample_builder_exemplar(
        c->out, &(struct exemplar_sample){.series = s,
                                          .time = (i64)(e->time / NS_PER_MILLI),
                                          .has_time = e->time > 0,
                                          .value = e->value,
                                          .labels = labels,
                                          .n_labels = (u32)n});
    buf_done(&room);
    return err;
}

static int exemplars_to(struct prom_convert *c, struct series *s)
{
    struct otlp_exemplar e;
    int err = 0;

    for (size_t i = 0; !err && i < c->point.exemplars.n; i++) {
        otlp_exemplar_read(&e, c->point.exemplars.v[i]);
        err = add_exemplar(c, &e, s);
    }
    return err;
}

/* --- numbers --- */

int prom_gauge(struct prom_convert *c)
{
    return write_as(c, "", c->point.value, NULL);
}

/* With a start that is known the counter is 0 there, so that its first increase is seen. */
static int write_start(struct prom_convert *c)
{
    i64 start = (i64)(c->point.start / NS_PER_MILLI);
    int err = 0;
    struct prom_slot *slot = prom_slot_of(c, &err);

    if (!slot || start <= slot->last || start >= point_ms(c)) return err == -EINVAL ? 0 : err;
    return prom_write(c, start, sample_bits(0), NULL);
}

int prom_counter(struct prom_convert *c)
{
    struct series *s = NULL;
    int err = 0;

    prom_name(c, "");
    if (c->conf.start_timestamp_zero_ingestion && c->point.start > 0) err = write_start(c);
    if (!err) err = write_as(c, "", c->point.value, &s);
    return err || !s ? err : exemplars_to(c, s);
}

/* --- histograms --- */

static void put_bound(struct prom_convert *c, size_t i)
{
    if (i < c->point.bounds.n)
        put_number(c, STR("le"), c->point.bounds.v[i]);
    else
        label_set_put(&c->labels, STR("le"), STR("+Inf"));
}

/* The first bucket whose bound is greater. */
static size_t bucket_of(const struct prom_convert *c, f64 v)
{
    size_t lo = 0, hi = c->point.bounds.n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (c->point.bounds.v[mid] > v)
            hi = mid;
        else
            lo = mid + 1;
    }
    return lo;
}

static int exemplars_to_buckets(struct prom_convert *c)
{
    struct otlp_exemplar e;
    int err = 0;

    for (size_t i = 0; !err && i < c->point.exemplars.n; i++) {
        otlp_exemplar_read(&e, c->point.exemplars.v[i]);
        put_bound(c, bucket_of(c, e.is_int ? 0 : e.value));
        struct prom_slot *slot = prom_slot_of(c, &err);
        if (slot) err = add_exemplar(c, &e, slot->series);
    }
    return err == -EINVAL ? 0 : err;
}

static int write_buckets(struct prom_convert *c)
{
    u64 sum = 0;
    int err = 0;

    for (size_t i = 0; !err && i < c->point.bounds.n && i < c->point.counts.n; i++) {
        sum += c->point.counts.v[i];
        put_bound(c, i);
        err = prom_write(c, point_ms(c), bits_of(c, (f64)sum), NULL);
    }
    put_bound(c, c->point.bounds.n);
    if (!err) err = prom_write(c, point_ms(c), bits_of(c, (f64)c->point.count), NULL);
    return err ? err : exemplars_to_buckets(c);
}

static int classic(struct prom_convert *c)
{
    int err = c->point.has_sum ? write_as(c, "_sum", c->point.sum, NULL) : 0;

    if (!err) err = write_as(c, "_count", (f64)c->point.count, NULL);
    if (err) return err;
    prom_name(c, "_bucket");
    return write_buckets(c);
}

/* --- native histograms --- */

typedef VEC(struct histogram_span) spans;
typedef VEC(i64) deltas;
struct native {
    spans spans;
    deltas deltas;
    i64 last; /* count of the bucket before */
    i64 next; /* its index + 1 */
};

static void add_bucket(struct native *n, i64 index, u64 count)
{
    i64 gap = index - n->next;

    if (n->spans.n == 0 || gap > SPAN_GAP) {
        vec_push(&n->spans, ((struct histogram_span){(i32)gap, 0}));
        gap = 0;
    }
    for (; gap > 0; gap--) {
        vec_push(&n->deltas, -n->last);
        n->last = 0;
        vec_last(&n->spans).length++;
    }
    vec_push(&n->deltas, (i64)count - n->last);
    vec_last(&n->spans).length++;
    n->last = (i64)count;
    n->next = index + 1;
}

/* Buckets of `shift` finer scales are added up. Indexes of OTLP name the lower bound, those of
 * Prometheus the upper one. */
static void add_buckets(struct native *n, const struct point_buckets *b, int shift)
{
    u64 sum = 0;

    for (size_t i = 0; i < b->counts.n; i++) {
        i64 index = ((i64)b->offset + (i64)i) >> shift;
        sum += b->counts.v[i];
        bool more = i + 1 < b->counts.n && ((i64)b->offset + (i64)i + 1) >> shift == index;
        if (more) continue;
        if (sum > 0) add_bucket(n, index + 1, sum);
        sum = 0;
    }
}

static void native_done(struct native *n)
{
    vec_done(&n->spans);
    vec_done(&n->deltas);
}

static int write_native(struct prom_convert *c, struct histogram *h)
{
    int err = 0;

    prom_name(c, "");
    struct prom_slot *slot = prom_slot_of(c, &err);
    if (!slot) return err == -EINVAL ? 0 : err;
    if (point_ms(c) < slot->last) return 0;
    slot->last = point_ms(c);
    h->stale = no_value(c);
    h->count.i = c->point.count;
    h->sum = h->stale ? sample_value(SAMPLE_STALE_BITS) : c->point.sum;
    err = sample_builder_histogram(
        c->out, &(struct histogram_sample){.series = slot->series,
                                           .time = point_ms(c),
                                           .start = (i64)(c->point.start / NS_PER_MILLI),
                                           .h = h});
    return err ? err : exemplars_to(c, slot->series);
}

int prom_exponential(struct prom_convert *c)
{
    int shift = MAX(c->point.scale - SCALE_MAX, 0);
    struct native pos = {0}, neg = {0};

    if (c->point.scale < SCALE_MIN || shift > 62) {
        c->dropped.scales++;
        return 0;
    }
    add_buckets(&pos, &c->point.positive, shift);
    add_buckets(&neg, &c->point.negative, shift);
    struct histogram h = {.schema = c->point.scale - shift,
                          .zero_threshold = c->point.zero_threshold > 0 ? c->point.zero_threshold
                                                                        : ZERO_THRESHOLD,
                          .zero_count.i = c->point.zero_count,
                          .n_pos_spans = (u32)pos.spans.n,
                          .pos_spans = pos.spans.v,
                          .n_pos = (u32)pos.deltas.n,
                          .pos_deltas = pos.deltas.v,
                          .n_neg_spans = (u32)neg.spans.n,
                          .neg_spans = neg.spans.v,
                          .n_neg = (u32)neg.deltas.n,
                          .neg_deltas = neg.deltas.v};
    int err = write_native(c, &h);
    native_done(&pos);
    native_done(&neg);
    return err;
}

/* A classic histogram as a native one with its own bounds. */
static int custom(struct prom_convert *c)
{
    struct native n = {0};

    for (size_t i = 0; i < c->point.counts.n && i <= c->point.bounds.n; i++)
        if (c->point.counts.v[i] > 0) add_bucket(&n, (i64)i, c->point.counts.v[i]);
    struct histogram h = {.schema = CUSTOM_BUCKETS,
                          .n_pos_spans = (u32)n.spans.n,
                          .pos_spans = n.spans.v,
                          .n_pos = (u32)n.deltas.n,
                          .pos_deltas = n.deltas.v,
                          .n_custom = (u32)c->point.bounds.n,
                          .custom = c->point.bounds.v};
    int err = write_native(c, &h);
    native_done(&n);
    return err;
}

int prom_histogram(struct prom_convert *c)
{
    return c->conf.convert_classic_histograms_to_nhcb ? custom(c) : classic(c);
}

/* --- summaries --- */

int prom_summary(struct prom_convert *c)
{
    int err = write_as(c, "_sum", c->point.sum, NULL);

    if (!err) err = write_as(c, "_count", (f64)c->point.count, NULL);
    prom_name(c, "");
    for (size_t i = 0; !err && i < c->point.quantiles.n; i++) {
        put_number(c, STR("quantile"), c->point.quantiles.v[i].quantile);
        err = prom_write(c, point_ms(c), bits_of(c, c->point.quantiles.v[i].value), NULL);
    }
    return err;
}
