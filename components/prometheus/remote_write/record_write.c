/* Records of the log, written. */
#include "components/prometheus/remote_write/record.h"

#include <byteswap.h>
#include "base/codec.h"
#include "telemetry/pb.h"

#define KEEP ((size_t)1 << 20) /* memory that is kept from record to record */

void record_init(struct record *r)
{
    struct buf empty = BUF_INIT(SIZE_MAX / 2);

    *r = (struct record){
        .names = empty, .samples = empty, .histograms = empty, .exemplars = empty, .out = empty};
}

static void each_buf(struct record *r, void (*fn)(struct buf *b))
{
    fn(&r->names);
    fn(&r->samples);
    fn(&r->histograms);
    fn(&r->exemplars);
    fn(&r->out);
}

void record_done(struct record *r)
{
    each_buf(r, buf_done);
}

static void clear(struct buf *b)
{
    if (b->cap > KEEP) buf_done(b);
    buf_reset(b);
}

void record_begin(struct record *r, u32 first)
{
    each_buf(r, clear);
    r->first = first;
    r->n_names = r->n_samples = r->n_histograms = r->n_exemplars = r->number = 0;
    r->time = 0;
}

static u64 zigzag(i64 v)
{
    return (u64)v << 1 ^ (u64)(v >> 63);
}

static void add_text(struct buf *b, struct str s)
{
    pb_add_varint(b, s.n);
    buf_str(b, s);
}

void record_declare(struct record *r, const struct series *s)
{
    u32 n = series_n(s);

    r->n_names++;
    pb_add_varint(&r->names, n);
    for (u32 i = 0; i < n; i++) {
        struct label l = series_label(s, i);
        add_text(&r->names, l.name);
        add_text(&r->names, l.value);
    }
}

/* The bytes of a value up to its last one that is not zero. */
static unsigned significant(u64 bits)
{
    return bits ? 8 - (unsigned)__builtin_ctzll(bits) / 8 : 0;
}

void record_sample(struct record *r, u32 number, i64 time, u64 bits)
{
    char *start = buf_reserve(&r->samples, 10 + 10 + 8), *p = start;
    unsigned n = significant(bits);
    u64 high = bswap_64(bits);

    if (!p) return;
    r->n_samples++;
    p = pb_put_varint(p, zigzag((i64)number - r->number) << 5 | n << 1 | (time != r->time));
    if (time != r->time) p = pb_put_varint(p, zigzag((i64)((u64)time - (u64)r->time)));
    memcpy(p, &high, 8);
    buf_commit(&r->samples, (size_t)(p - start) + n);
    r->number = number;
    r->time = time;
}

/* --- histograms --- */

static void add_bits(struct buf *b, f64 v)
{
    u64 bits = sample_bits(v);

    buf_add(b, &bits, 8);
}

static void add_spans(struct buf *b, const struct histogram_span *v, u32 n)
{
    for (u32 i = 0; i < n; i++) {
        pb_add_varint(b, zigzag(v[i].offset));
        pb_add_varint(b, v[i].length);
    }
}

static void add_buckets(struct buf *b, const struct histogram *h, const i64 *deltas,
                        const f64 *counts, u32 n)
{
    for (u32 i = 0; i < n; i++)
        if (h->is_float)
            add_bits(b, counts[i]);
        else
            pb_add_varint(b, zigzag(deltas[i]));
}

void record_histogram(struct record *r, u32 number, const struct histogram_sample *s)
{
    const struct histogram *h = s->h;
    struct buf *b = &r->histograms;
    const u32 counts[] = {h->n_pos_spans, h->n_neg_spans, h->n_pos, h->n_neg, h->n_custom};

    r->n_histograms++;
    pb_add_varint(b, number);
    pb_add_varint(b, zigzag(s->time));
    pb_add_varint(b, zigzag(s->start));
    buf_ch(b, (char)(h->is_float | h->stale << 1 | (h->reset_hint & 3) << 2));
    pb_add_varint(b, zigzag(h->schema));
    add_bits(b, h->sum);
    add_bits(b, h->zero_threshold);
    buf_add(b, &h->count, 8);
    buf_add(b, &h->zero_count, 8);
    for (size_t i = 0; i < ARRAY_LEN(counts); i++)
        pb_add_varint(b, counts[i]);
    add_spans(b, h->pos_spans, h->n_pos_spans);
    add_spans(b, h->neg_spans, h->n_neg_spans);
    add_buckets(b, h, h->pos_deltas, h->pos_counts, h->n_pos);
    add_buckets(b, h, h->neg_deltas, h->neg_counts, h->n_neg);
    for (u32 i = 0; i < h->n_custom; i++)
        add_bits(b, h->custom[i]);
}

void record_exemplar(struct record *r, u32 number, const struct exemplar_sample *e)
{
    struct buf *b = &r->exemplars;

    r->n_exemplars++;
    pb_add_varint(b, number);
    buf_ch(b, (char)e->has_time);
    pb_add_varint(b, zigzag(e->time));
    add_bits(b, e->value);
    pb_add_varint(b, e->n_labels);
    for (u32 i = 0; i < e->n_labels; i++) {
        add_text(b, e->labels[i].name);
        add_text(b, e->labels[i].value);
    }
}

/* --- the whole --- */

static void add_part(struct record *r, u32 n, const struct buf *part)
{
    pb_add_varint(&r->out, n);
    add_text(&r->out, buf_view(part));
}

static int add_names(struct record *r)
{
    struct buf packed = BUF_INIT(SIZE_MAX / 2);
    int err = 0;

    if (r->names.n)
        err = codec_compress(CODEC_SNAPPY, CODEC_LEVEL_DEFAULT, buf_view(&r->names), &packed);
    pb_add_varint(&r->out, r->first);
    pb_add_varint(&r->out, r->n_names);
    pb_add_varint(&r->out, r->names.n);
    add_text(&r->out, buf_view(&packed));
    buf_done(&packed);
    return err;
}

struct str record_end(struct record *r)
{
    const struct buf *parts[] = {&r->names, &r->samples, &r->histograms, &r->exemplars};

    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        if (buf_err(parts[i])) return (struct str){0};
    if (add_names(r)) return (struct str){0};
    add_part(r, r->n_samples, &r->samples);
    add_part(r, r->n_histograms, &r->histograms);
    add_part(r, r->n_exemplars, &r->exemplars);
    return buf_err(&r->out) ? (struct str){0} : buf_view(&r->out);
}
