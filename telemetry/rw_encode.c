/* Pieces of remote write that both versions have: labels, samples, histograms. */
#include "telemetry/rw_impl.h"

/* Names and values are mostly shorter than 16 bytes: two moves that overlap, without a call. */
static inline char *put_short(char *p, const char *s, size_t n)
{
    u64 a, b;

    if (n < 8 || n > 16) {
        memcpy(p, s, n);
        return p + n;
    }
    memcpy(&a, s, 8);
    memcpy(&b, s + n - 8, 8);
    memcpy(p, &a, 8);
    memcpy(p + n - 8, &b, 8);
    return p + n;
}

static inline char *put_text(char *p, u32 num, struct str s)
{
    *p++ = (char)PB_TAG(num, PB_BYTES);
    return put_short(pb_put_varint(p, s.n), s.p, s.n);
}

char *rw_put_label(char *p, struct str name, struct str value)
{
    *p++ = (char)PB_TAG(V1_LABEL, PB_BYTES);
    p = pb_put_varint(p, rw_label_body(name.n, value.n));
    return put_text(put_text(p, LABEL_NAME, name), LABEL_VALUE, value);
}

void rw_add_label(struct buf *b, struct str name, struct str value)
{
    size_t n = rw_text_size(rw_label_body(name.n, value.n));
    char *p = buf_reserve(b, n);

    if (!p) return;
    rw_put_label(p, name, value);
    buf_commit(b, n);
}

/* Zeros are not written; minus zero is none. */
size_t rw_sample_size(i64 time, u64 bits)
{
    return (bits ? 9 : 0) + (time ? 1 + pb_varint_size((u64)time) : 0);
}

char *rw_put_sample(char *p, i64 time, u64 bits)
{
    if (bits) {
        *p++ = (char)PB_TAG(SAMPLE_VALUE, PB_FIXED64);
        memcpy(p, &bits, sizeof(bits));
        p += sizeof(bits);
    }
    if (!time) return p;
    *p++ = (char)PB_TAG(SAMPLE_TIME, PB_VARINT);
    return pb_put_varint(p, (u64)time);
}

/* --- histograms --- */

static u64 zigzag(i64 v)
{
    return ((u64)v << 1) ^ (u64)(v >> 63);
}

static void add_number(struct buf *b, u32 num, u64 v)
{
    if (v) pb_add_u64(b, num, v);
}

static void add_double(struct buf *b, u32 num, u64 bits)
{
    if (bits) pb_add_fixed64(b, num, bits);
}

static void add_spans(struct buf *b, u32 num, const struct histogram_span *v, u32 n)
{
    for (u32 i = 0; i < n; i++) {
        size_t at = pb_open(b, num, 1);
        add_number(b, SPAN_OFFSET, zigzag(v[i].offset));
        add_number(b, SPAN_LENGTH, v[i].length);
        pb_close(b, at, 1);
    }
}

static void add_deltas(struct buf *b, u32 num, const i64 *v, u32 n)
{
    if (!n) return;
    size_t at = pb_open(b, num, 2);
    for (u32 i = 0; i < n; i++)
        pb_add_varint(b, zigzag(v[i]));
    pb_close(b, at, 2);
}

static void add_doubles(struct buf *b, u32 num, const f64 *v, u32 n)
{
    if (n) pb_add_bytes(b, num, str_n((const char *)v, n * sizeof(*v)));
}

/* Members of a oneof are written even when they are zero. */
static void add_counts(struct buf *b, const struct histogram *h)
{
    if (h->is_float) {
        pb_add_double(b, HIST_COUNT_FLOAT, h->count.f);
    } else {
        pb_add_u64(b, HIST_COUNT_INT, h->count.i);
    }
}

static void add_zero(struct buf *b, const struct histogram *h)
{
    if (h->is_float) {
        pb_add_double(b, HIST_ZERO_FLOAT, h->zero_count.f);
    } else {
        pb_add_u64(b, HIST_ZERO_INT, h->zero_count.i);
    }
}

static void add_buckets(struct buf *b, const struct histogram *h)
{
    add_spans(b, HIST_NEG_SPANS, h->neg_spans, h->n_neg_spans);
    if (h->is_float)
        add_doubles(b, HIST_NEG_COUNTS, h->neg_counts, h->n_neg);
    else
        add_deltas(b, HIST_NEG_DELTAS, h->neg_deltas, h->n_neg);
    add_spans(b, HIST_POS_SPANS, h->pos_spans, h->n_pos_spans);
    if (h->is_float)
        add_doubles(b, HIST_POS_COUNTS, h->pos_counts, h->n_pos);
    else
        add_deltas(b, HIST_POS_DELTAS, h->pos_deltas, h->n_pos);
}

void rw_add_histogram(struct buf *b, const struct histogram_sample *s, enum rw_version v)
{
    const struct histogram *h = s->h;

    add_counts(b, h);
    add_double(b, HIST_SUM, h->stale ? SAMPLE_STALE_BITS : sample_bits(h->sum));
    add_number(b, HIST_SCHEMA, zigzag(h->schema));
    add_double(b, HIST_ZERO_THRESHOLD, sample_bits(h->zero_threshold));
    add_zero(b, h);
    add_buckets(b, h);
    add_number(b, HIST_RESET_HINT, h->reset_hint);
    add_number(b, HIST_TIME, (u64)s->time);
    if (v == RW_V1) return;
    add_doubles(b, HIST_CUSTOM, h->custom, h->n_custom);
    add_number(b, HIST_START, (u64)s->start);
}
