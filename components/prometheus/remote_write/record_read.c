/* Records of the log, read. A record has passed its checksum, but nothing is believed for that. */
#include "components/prometheus/remote_write/record.h"

#include <byteswap.h>
#include <errno.h>
#include "base/budget.h"
#include "base/codec.h"
#include "base/vec.h"
#include "telemetry/pb.h"

#define LABELS_MAX 4096 /* of a series or an exemplar */

struct in {
    const char *p, *end;
    bool bad;
};

static u64 get_varint(struct in *in)
{
    u64 v = 0;
    const char *p = in->bad ? NULL : pb_varint(in->p, in->end, &v);

    if (p)
        in->p = p;
    else
        in->bad = true;
    return p ? v : 0;
}

/* At most `max`. */
static u32 get_u32(struct in *in, u64 max)
{
    u64 v = get_varint(in);

    if (v > max) in->bad = true;
    return in->bad ? 0 : (u32)v;
}

static i64 get_signed(struct in *in)
{
    return pb_zigzag(get_varint(in));
}

static i32 get_i32(struct in *in)
{
    i64 v = get_signed(in);

    if (v < INT32_MIN || v > INT32_MAX) in->bad = true;
    return (i32)v;
}

static struct str get_bytes(struct in *in)
{
    size_t n = 0;
    const char *p = in->bad ? NULL : pb_len(in->p, in->end, &n);

    if (!p) {
        in->bad = true;
        return STR("");
    }
    in->p = p + n;
    return str_n(p, n);
}

static u8 get_byte(struct in *in)
{
    if (in->bad || in->p == in->end) {
        in->bad = true;
        return 0;
    }
    return (u8)*in->p++;
}

static u64 get_bits(struct in *in)
{
    if (in->bad || in->end - in->p < 8) {
        in->bad = true;
        return 0;
    }
    in->p += 8;
    return pb_load64(in->p - 8);
}

/* --- the whole --- */

static struct str get_part(struct in *in, u32 *ret_n)
{
    *ret_n = get_u32(in, UINT32_MAX);
    struct str s = get_bytes(in);
    if (*ret_n > s.n) in->bad = true; /* none of them takes no byte */
    return s;
}

int record_open(struct str payload, struct record_view *r)
{
    struct in in = {payload.p, payload.p + payload.n, false};

    *r = (struct record_view){0};
    r->first = get_u32(&in, RECORD_NUMBERS_MAX);
    r->n_names = get_u32(&in, RECORD_NUMBERS_MAX - r->first);
    r->plain = get_u32(&in, RECORD_PLAIN_MAX);
    r->packed = get_bytes(&in);
    if (r->n_names > r->plain) in.bad = true;
    r->samples = get_part(&in, &r->n_samples);
    r->histograms = get_part(&in, &r->n_histograms);
    r->exemplars = get_part(&in, &r->n_exemplars);
    return in.bad || in.p != in.end ? -EBADMSG : 0;
}

/* --- declarations --- */

typedef VEC(struct label) label_vec;

static void get_labels(struct in *in, label_vec *v)
{
    u32 n = get_u32(in, LABELS_MAX);

    vec_clear(v);
    for (u32 i = 0; i < n && !in->bad; i++) {
        struct label l;
        l.name = get_bytes(in);
        l.value = get_bytes(in);
        if (i && str_cmp(vec_last(v).name, l.name) >= 0) in->bad = true;
        if (!in->bad) vec_push(v, l);
    }
}

static int get_names(const struct record_view *r, struct str plain, record_name_fn name, void *arg)
{
    struct in in = {plain.p, plain.p + plain.n, false};
    label_vec v = {0};
    int err = 0;

    for (u32 i = 0; i < r->n_names && !err; i++) {
        get_labels(&in, &v);
        err = in.bad ? -EBADMSG : name(arg, r->first + i, v.v, v.n);
    }
    vec_done(&v);
    return err ? err : in.p != in.end ? -EBADMSG : 0;
}

int record_names(const struct record_view *r, record_name_fn name, void *arg)
{
    struct buf plain = BUF_INIT(RECORD_PLAIN_MAX);
    int err;

    if (!r->n_names) return 0;
    err = codec_decompress(CODEC_SNAPPY, r->packed, r->plain, &plain, NULL);
    if (err == -E2BIG || (!err && plain.n != r->plain)) err = -EBADMSG;
    if (!err) err = get_names(r, buf_view(&plain), name, arg);
    buf_done(&plain);
    return err;
}

/* --- floats --- */

struct sample_cursor record_samples(const struct record_view *r)
{
    return (struct sample_cursor){
        .p = r->samples.p, .end = r->samples.p + r->samples.n, .left = r->n_samples};
}

/* The first n bytes of a value, the others zero. */
static u64 get_value(const char *p, const char *end, unsigned n)
{
    u64 v = 0;

    if (LIKELY(end - p >= 8))
        v = n ? bswap_64(pb_load64(p)) & ~(u64)0 << (64 - 8 * n) : 0;
    else
        for (unsigned i = 0; i < n; i++)
            v |= (u64)(u8)p[i] << (56 - 8 * i);
    return v;
}

int sample_next(struct sample_cursor *c)
{
    u64 key, step = 0;

    if (!c->left) return c->p == c->end ? 0 : -EBADMSG;
    const char *p = pb_varint(c->p, c->end, &key);
    unsigned n = (unsigned)key >> 1 & 15;
    if (p && key & 1) p = pb_varint(p, c->end, &step);
    i64 number = p ? c->number + pb_zigzag(key >> 5) : -1;
    if (!p || n > 8 || n > (size_t)(c->end - p) || number < 0 || number >= RECORD_NUMBERS_MAX)
        return -EBADMSG;
    c->number = (u32)number;
    c->time = (i64)((u64)c->time + (u64)pb_zigzag(step));
    c->bits = get_value(p, c->end, n);
    c->p = p + n;
    c->left--;
    return 1;
}

/* --- histograms --- */

struct item_cursor record_histograms(const struct record_view *r)
{
    return (struct item_cursor){r->histograms.p, r->histograms.p + r->histograms.n,
                                r->n_histograms};
}

struct item_cursor record_exemplars(const struct record_view *r)
{
    return (struct item_cursor){r->exemplars.p, r->exemplars.p + r->exemplars.n, r->n_exemplars};
}

struct histogram_block {
    struct histogram_sample sample;
    struct histogram h;
    u64 room[];
};

/* How many of each there are, all within the bytes that are left. */
static size_t get_counts(struct in *in, struct histogram *h)
{
    u32 *const counts[] = {&h->n_pos_spans, &h->n_neg_spans, &h->n_pos, &h->n_neg, &h->n_custom};
    size_t sum = 0;

    for (size_t i = 0; i < ARRAY_LEN(counts); i++)
        sum += *counts[i] = get_u32(in, (u64)(in->end - in->p));
    if (sum > (size_t)(in->end - in->p)) in->bad = true;
    return sum;
}

static const struct histogram_span *get_spans(struct in *in, u64 **room, u32 n)
{
    struct histogram_span *v = (struct histogram_span *)*room;

    *room += n;
    for (u32 i = 0; i < n && !in->bad; i++) {
        v[i].offset = get_i32(in);
        v[i].length = get_u32(in, UINT32_MAX);
    }
    return v;
}

static const void *get_buckets(struct in *in, u64 **room, u32 n, bool floats)
{
    u64 *v = *room;

    *room += n;
    for (u32 i = 0; i < n && !in->bad; i++)
        v[i] = floats ? get_bits(in) : (u64)get_signed(in);
    return v;
}

static void get_fixed(struct in *in, struct histogram *h)
{
    u8 flags = get_byte(in);

    h->is_float = flags & 1;
    h->stale = flags >> 1 & 1;
    h->reset_hint = flags >> 2 & 3;
    h->schema = get_i32(in);
    h->sum = pb_f64(get_bits(in));
    h->zero_threshold = pb_f64(get_bits(in));
    h->count.i = get_bits(in);
    h->zero_count.i = get_bits(in);
}

static void get_lists(struct in *in, struct histogram *h, u64 *room)
{
    h->pos_spans = get_spans(in, &room, h->n_pos_spans);
    h->neg_spans = get_spans(in, &room, h->n_neg_spans);
    const void *pos = get_buckets(in, &room, h->n_pos, h->is_float);
    const void *neg = get_buckets(in, &room, h->n_neg, h->is_float);
    if (h->is_float) {
        h->pos_counts = pos;
        h->neg_counts = neg;
    } else {
        h->pos_deltas = pos;
        h->neg_deltas = neg;
    }
    h->custom = get_buckets(in, &room, h->n_custom, true);
}

int histogram_next(struct item_cursor *c, u32 *ret_number, struct histogram_sample **ret)
{
    struct in in = {c->p, c->end, false};
    struct histogram_sample s = {0};
    struct histogram h = {0};

    if (!c->left) return c->p == c->end ? 0 : -EBADMSG;
    *ret_number = get_u32(&in, RECORD_NUMBERS_MAX - 1);
    s.time = get_signed(&in);
    s.start = get_signed(&in);
    get_fixed(&in, &h);
    size_t n = get_counts(&in, &h);
    if (in.bad) return -EBADMSG;
    struct histogram_block *b = budget_alloc(sizeof(*b) + n * sizeof(u64));
    if (!b) return -ENOMEM;
    get_lists(&in, &h, b->room);
    b->h = h;
    b->sample = s;
    b->sample.h = &b->h;
    if (in.bad) {
        free(b);
        return -EBADMSG;
    }
    c->p = in.p;
    c->left--;
    *ret = &b->sample;
    return 1;
}

/* --- exemplars --- */

struct exemplar_block {
    struct exemplar_sample sample;
    struct label labels[];
};

static struct exemplar_block *exemplar_block(const label_vec *v)
{
    size_t bytes = 0;

    for (size_t i = 0; i < v->n; i++)
        bytes += v->v[i].name.n + v->v[i].value.n;
    struct exemplar_block *b = budget_alloc(sizeof(*b) + v->n * sizeof(*b->labels) + bytes + 1);
    return b;
}

static struct str keep(char **at, struct str s)
{
    struct str copy = {*at, s.n};

    if (s.n) memcpy(*at, s.p, s.n);
    *at += s.n;
    return copy;
}

static void keep_labels(struct exemplar_block *b, const label_vec *v)
{
    char *at = (char *)(b->labels + v->n);

    for (size_t i = 0; i < v->n; i++) {
        b->labels[i].name = keep(&at, v->v[i].name);
        b->labels[i].value = keep(&at, v->v[i].value);
    }
    b->sample.labels = b->labels;
    b->sample.n_labels = (u32)v->n;
}

static void get_pairs(struct in *in, label_vec *v)
{
    u32 n = get_u32(in, LABELS_MAX);

    for (u32 i = 0; i < n && !in->bad; i++) {
        struct label l;
        l.name = get_bytes(in);
        l.value = get_bytes(in);
        vec_push(v, l);
    }
}

int exemplar_next(struct item_cursor *c, u32 *ret_number, struct exemplar_sample **ret)
{
    struct in in = {c->p, c->end, false};
    struct exemplar_sample s = {0};
    label_vec v = {0};
    struct exemplar_block *b = NULL;

    if (!c->left) return c->p == c->end ? 0 : -EBADMSG;
    *ret_number = get_u32(&in, RECORD_NUMBERS_MAX - 1);
    s.has_time = get_byte(&in) != 0;
    s.time = get_signed(&in);
    s.value = pb_f64(get_bits(&in));
    get_pairs(&in, &v);
    if (!in.bad && (b = exemplar_block(&v))) {
        b->sample = s;
        keep_labels(b, &v);
        c->p = in.p;
        c->left--;
        *ret = &b->sample;
    }
    vec_done(&v);
    return b ? 1 : in.bad ? -EBADMSG : -ENOMEM;
}
