/* The kinds of points have different numbers for the same fields: a table per kind leads from
 * number to field, one reader serves all. */
#include "components/otelcol/otlp_point.h"

#include "telemetry/otlp_value.h"

enum what {
    NOTHING,
    ATTRIBUTE,
    START,
    TIME,
    FLAGS,
    AS_DOUBLE,
    AS_INT,
    COUNT,
    SUM,
    COUNTS,
    BOUNDS,
    SCALE,
    ZERO_COUNT,
    ZERO_THRESHOLD,
    POSITIVE,
    NEGATIVE,
    QUANTILE,
    EXEMPLAR
};
#define NUMS 16
static const u8 fields[][NUMS] = {
    [POINT_NUMBER] = {[OTLP_number_point_attributes] = ATTRIBUTE,
                      [OTLP_number_point_start_time_unix_nano] = START,
                      [OTLP_number_point_time_unix_nano] = TIME,
                      [OTLP_number_point_as_double] = AS_DOUBLE,
                      [OTLP_number_point_as_int] = AS_INT,
                      [OTLP_number_point_exemplars] = EXEMPLAR,
                      [OTLP_number_point_flags] = FLAGS},
    [POINT_HISTOGRAM] = {[OTLP_histogram_point_attributes] = ATTRIBUTE,
                         [OTLP_histogram_point_start_time_unix_nano] = START,
                         [OTLP_histogram_point_time_unix_nano] = TIME,
                         [OTLP_histogram_point_count] = COUNT,
                         [OTLP_histogram_point_sum] = SUM,
                         [OTLP_histogram_point_bucket_counts] = COUNTS,
                         [OTLP_histogram_point_explicit_bounds] = BOUNDS,
                         [OTLP_histogram_point_exemplars] = EXEMPLAR,
                         [OTLP_histogram_point_flags] = FLAGS},
    [POINT_EXPONENTIAL] = {[OTLP_exponential_point_attributes] = ATTRIBUTE,
                           [OTLP_exponential_point_start_time_unix_nano] = START,
                           [OTLP_exponential_point_time_unix_nano] = TIME,
                           [OTLP_exponential_point_count] = COUNT,
                           [OTLP_exponential_point_sum] = SUM,
                           [OTLP_exponential_point_scale] = SCALE,
                           [OTLP_exponential_point_zero_count] = ZERO_COUNT,
                           [OTLP_exponential_point_zero_threshold] = ZERO_THRESHOLD,
                           [OTLP_exponential_point_positive] = POSITIVE,
                           [OTLP_exponential_point_negative] = NEGATIVE,
                           [OTLP_exponential_point_exemplars] = EXEMPLAR,
                           [OTLP_exponential_point_flags] = FLAGS},
    [POINT_SUMMARY] = {[OTLP_summary_point_attributes] = ATTRIBUTE,
                       [OTLP_summary_point_start_time_unix_nano] = START,
                       [OTLP_summary_point_time_unix_nano] = TIME,
                       [OTLP_summary_point_count] = COUNT,
                       [OTLP_summary_point_sum] = SUM,
                       [OTLP_summary_point_quantile_values] = QUANTILE,
                       [OTLP_summary_point_flags] = FLAGS},
};

static enum what what_of(enum point_kind kind, u32 num)
{
    return num < NUMS ? fields[kind][num] : NOTHING;
}

/* --- lists of numbers: packed, or one by one --- */

static void add_fixed(point_counts *list, const struct pb_field *f)
{
    if (f->wire == PB_FIXED64) vec_push(list, f->v);
    if (f->wire != PB_BYTES) return;
    for (size_t i = 0; i + 8 <= f->b.n; i += 8)
        vec_push(list, pb_load64(f->b.p + i));
}

static void add_varints(point_counts *list, const struct pb_field *f)
{
    u64 v;

    if (f->wire == PB_VARINT) vec_push(list, f->v);
    if (f->wire != PB_BYTES) return;
    for (const char *p = f->b.p, *end = p + f->b.n; p && p < end;)
        if ((p = pb_varint(p, end, &v))) vec_push(list, v);
}

static void add_bounds(struct otlp_point *p, const struct pb_field *f)
{
    if (f->wire == PB_FIXED64) vec_push(&p->bounds, pb_f64(f->v));
    if (f->wire != PB_BYTES) return;
    for (size_t i = 0; i + 8 <= f->b.n; i += 8)
        vec_push(&p->bounds, pb_f64(pb_load64(f->b.p + i)));
}

static void read_buckets(struct point_buckets *b, struct str msg)
{
    struct pb_field f;

    for (struct pb_in in = pb_in(msg); pb_next(&in, &f);) {
        if (f.num == OTLP_buckets_offset && f.wire == PB_VARINT) b->offset = (i32)pb_zigzag(f.v);
        if (f.num == OTLP_buckets_bucket_counts) add_varints(&b->counts, &f);
    }
}

static void add_quantile(struct otlp_point *p, struct str msg)
{
    struct point_quantile q = {0};
    struct pb_field f;

    for (struct pb_in in = pb_in(msg); pb_next(&in, &f);) {
        if (f.wire != PB_FIXED64) continue;
        if (f.num == OTLP_quantile_quantile) q.quantile = pb_f64(f.v);
        if (f.num == OTLP_quantile_value) q.value = pb_f64(f.v);
    }
    vec_push(&p->quantiles, q);
}

/* --- points --- */

static void read_bytes(struct otlp_point *p, enum what what, struct str b)
{
    switch (what) {
    case ATTRIBUTE: vec_push(&p->attributes, b); break;
    case EXEMPLAR: vec_push(&p->exemplars, b); break;
    case QUANTILE: add_quantile(p, b); break;
    case POSITIVE: read_buckets(&p->positive, b); break;
    case NEGATIVE: read_buckets(&p->negative, b); break;
    default: break;
    }
}

static void read_fixed(struct otlp_point *p, enum what what, u64 v)
{
    switch (what) {
    case START: p->start = v; break;
    case TIME: p->time = v; break;
    case AS_DOUBLE: p->value = pb_f64(v); break;
    case AS_INT: p->value = (f64)(i64)v; break;
    case COUNT: p->count = v; break;
    case ZERO_COUNT: p->zero_count = v; break;
    case ZERO_THRESHOLD: p->zero_threshold = pb_f64(v); break;
    case SUM:
        p->sum = pb_f64(v);
        p->has_sum = true;
        break;
    default: break;
    }
}

static void read_varint(struct otlp_point *p, enum what what, u64 v)
{
    if (what == FLAGS) p->flags = (u32)v;
    if (what == SCALE) p->scale = (i32)pb_zigzag(v);
}

static void read_field(struct otlp_point *p, enum what what, const struct pb_field *f)
{
    if (what == COUNTS)
        add_fixed(&p->counts, f);
    else if (what == BOUNDS)
        add_bounds(p, f);
    else if (f->wire == PB_BYTES)
        read_bytes(p, what, f->b);
    else if (f->wire == PB_FIXED64)
        read_fixed(p, what, f->v);
    else if (f->wire == PB_VARINT)
        read_varint(p, what, f->v);
}

static void clear(struct otlp_point *p)
{
    struct otlp_point next = {.counts = p->counts,
                              .bounds.v = p->bounds.v,
                              .bounds.cap = p->bounds.cap,
                              .positive.counts = p->positive.counts,
                              .negative.counts = p->negative.counts,
                              .quantiles.v = p->quantiles.v,
                              .quantiles.cap = p->quantiles.cap,
                              .attributes.v = p->attributes.v,
                              .attributes.cap = p->attributes.cap,
                              .exemplars.v = p->exemplars.v,
                              .exemplars.cap = p->exemplars.cap};

    next.counts.n = next.positive.counts.n = next.negative.counts.n = 0;
    *p = next;
}

void otlp_point_read(struct otlp_point *p, enum point_kind kind, struct str msg)
{
    struct pb_field f;

    clear(p);
    for (struct pb_in in = pb_in(msg); pb_next(&in, &f);)
        read_field(p, what_of(kind, f.num), &f);
}

void otlp_point_done(struct otlp_point *p)
{
    vec_done(&p->counts);
    vec_done(&p->bounds);
    vec_done(&p->positive.counts);
    vec_done(&p->negative.counts);
    vec_done(&p->quantiles);
    vec_done(&p->attributes);
    vec_done(&p->exemplars);
}

void otlp_exemplar_read(struct otlp_exemplar *e, struct str msg)
{
    struct pb_field f;

    *e = (struct otlp_exemplar){0};
    for (struct pb_in in = pb_in(msg); pb_next(&in, &f);) {
        if (f.num == OTLP_exemplar_time_unix_nano && f.wire == PB_FIXED64) e->time = f.v;
        if (f.num == OTLP_exemplar_as_double && f.wire == PB_FIXED64) e->value = pb_f64(f.v);
        if (f.num == OTLP_exemplar_as_int && f.wire == PB_FIXED64) {
            e->value = (f64)(i64)f.v;
            e->is_int = true;
        }
        if (f.num == OTLP_exemplar_trace_id && f.wire == PB_BYTES) e->trace_id = f.b;
        if (f.num == OTLP_exemplar_span_id && f.wire == PB_BYTES) e->span_id = f.b;
    }
}
