/* Making a remote write request: one TimeSeries per sample, as Prometheus sends them. The way of
 * 1.0 floats is the hot one: sizes are known beforehand, all is written in one go. */
#include <errno.h>
#include <stdlib.h>
#include "base/codec.h"
#include "base/xalloc.h"
#include "telemetry/rw_impl.h"

struct rw_request {
    enum rw_version version;
    size_t max;
    struct buf out;    /* TimeSeries; with 1.0 metadata too */
    struct buf inner;  /* a histogram or exemplar */
    struct buf series; /* 2.0: a TimeSeries */
    struct rw_symbols symbols;
    struct rw_pack *pack; /* 1.0: has the series in place of `out`; NULL: it does not */
    struct rw_counts counts;
    bool whole; /* 2.0: the symbols have `out` behind them */
};

const char *rw_content_type(enum rw_version v)
{
    return v == RW_V1 ? "application/x-protobuf"
                      : "application/x-protobuf;proto=io.prometheus.write.v2.Request";
}

const char *rw_version_header(enum rw_version v)
{
    return v == RW_V1 ? "0.1.0" : "2.0.0";
}

struct rw_request *rw_request_new(enum rw_version v, size_t max)
{
    struct rw_request *r = xcalloc(1, sizeof(*r));

    r->version = v;
    r->max = max;
    buf_init(&r->out, SIZE_MAX / 2);
    buf_init(&r->inner, SIZE_MAX / 2);
    buf_init(&r->series, SIZE_MAX / 2);
    if (v == RW_V2) rw_symbols_init(&r->symbols);
    return r;
}

struct rw_request *rw_request_new_packed(enum rw_version v, size_t max)
{
    struct rw_request *r = rw_request_new(v, max);

    ASSERT(max <= UINT32_MAX);
    if (v == RW_V1) r->pack = rw_pack_new();
    return r;
}

void rw_request_free(struct rw_request *r)
{
    if (!r) return;
    if (r->version == RW_V2) rw_symbols_done(&r->symbols);
    buf_done(&r->out);
    buf_done(&r->inner);
    buf_done(&r->series);
    rw_pack_free(r->pack);
    free(r);
}

void rw_request_reset(struct rw_request *r)
{
    buf_reset(&r->out);
    if (r->version == RW_V2) rw_symbols_reset(&r->symbols);
    if (r->pack) rw_pack_reset(r->pack);
    r->counts = (struct rw_counts){0};
    r->whole = false;
}

const struct rw_counts *rw_request_counts(const struct rw_request *r)
{
    return &r->counts;
}

size_t rw_request_size(const struct rw_request *r)
{
    return r->out.n + (r->pack ? rw_pack_size(r->pack) : 0);
}

struct str rw_request_bytes(struct rw_request *r)
{
    ASSERT(!r->pack);
    if (r->version == RW_V1) return r->out.p ? buf_view(&r->out) : STR("");
    if (!r->whole) buf_str(&r->symbols.wire, buf_view(&r->out));
    if (buf_err(&r->symbols.wire)) return (struct str){NULL, 0};
    r->whole = true;
    return buf_view(&r->symbols.wire);
}

/* Compressed bytes without the length that stands in front. */
static struct str without_length(struct str packed)
{
    u64 plain;
    const char *p = pb_varint(packed.p, packed.p + packed.n, &plain);

    return str_n(p, (size_t)(packed.p + packed.n - p));
}

/* A block may be put together from blocks: copies look back within their own. */
static int add_blocks(struct rw_request *r, struct buf *out)
{
    struct buf rest = BUF_INIT(SIZE_MAX / 2);
    int err =
        r->out.n ? codec_compress(CODEC_SNAPPY, CODEC_LEVEL_DEFAULT, buf_view(&r->out), &rest) : 0;

    pb_add_varint(out, rw_request_size(r));
    buf_str(out, rw_pack_bytes(r->pack));
    if (!err && rest.n) buf_str(out, without_length(buf_view(&rest)));
    buf_done(&rest);
    return err ? err : buf_err(out);
}

int rw_request_packed(struct rw_request *r, struct buf *out)
{
    if (r->pack) return add_blocks(r, out);
    struct str plain = rw_request_bytes(r);
    return plain.p ? codec_compress(CODEC_SNAPPY, CODEC_LEVEL_DEFAULT, plain, out) : -ENOMEM;
}

/* Room for n bytes; NULL with *ret_err. */
static char *room(struct rw_request *r, size_t n, int *ret_err)
{
    *ret_err = rw_request_size(r) + r->symbols.wire.n + n > r->max ? -E2BIG : 0;
    if (*ret_err) return NULL;
    char *p = buf_reserve(&r->out, n);
    if (!p) *ret_err = -ENOMEM;
    r->out.err = 0; /* nothing was added: the next one may fit */
    return p;
}

/* --- 1.0 --- */

static char *put_bytes(char *p, struct str s)
{
    if (s.n) memcpy(p, s.p, s.n);
    return p + s.n;
}

static char *put_own(char *p, const struct series *s, u32 from, u32 to)
{
    for (u32 i = from; i < to; i++)
        p = rw_put_label(p, s->shape->names[i], symbol_str(s->values[i]));
    return p;
}

static char *put_labels(char *p, const struct series *s, const struct rw_external *e,
                        const struct rw_plan *plan)
{
    u32 at = 0;

    for (u32 i = 0; i < plan->n; i++) {
        p = put_own(p, s, at, plan->v[i].before);
        p = put_bytes(p, e->wire[plan->v[i].ext]);
        at = plan->v[i].before;
    }
    return put_own(p, s, at, s->shape->n);
}

/* Appends a TimeSeries up to the contents, n bytes, of its one member `num`. These are written at
 * *ret and committed by the caller; r->out is as it was. */
static int open_series(struct rw_request *r, const struct series *s, struct rw_external *ext,
                       u32 num, size_t n, char **ret)
{
    const struct rw_plan *plan = rw_plan_of(ext, s->shape);
    size_t body = s->wire + plan->wire + rw_text_size(n);
    int err;
    char *p = room(r, rw_text_size(body), &err);

    if (!p) return err;
    *p++ = (char)PB_TAG(V1_SERIES, PB_BYTES);
    p = put_labels(pb_put_varint(p, body), s, ext, plan);
    *p++ = (char)PB_TAG(num, PB_BYTES);
    *ret = pb_put_varint(p, n);
    return 0;
}

static void close_series(struct rw_request *r, const char *end)
{
    buf_commit(&r->out, (size_t)(end - (r->out.p + r->out.n)));
}

static int sample_v1(struct rw_request *r, const struct series *s, struct rw_external *ext,
                     i64 time, u64 bits)
{
    char *p;

    if (r->pack) return rw_pack_sample(r->pack, s, ext, time, bits, r->max - r->out.n);
    int err = open_series(r, s, ext, V1_SAMPLE, rw_sample_size(time, bits), &p);

    if (!err) close_series(r, rw_put_sample(p, time, bits));
    return err;
}

/* A member whose contents stand in r->inner. */
static int inner_v1(struct rw_request *r, const struct series *s, struct rw_external *ext, u32 num)
{
    char *p;
    int err = buf_err(&r->inner);

    if (!err && r->pack)
        return rw_pack_member(r->pack, s, ext, num, buf_view(&r->inner), r->max - r->out.n);
    if (!err) err = open_series(r, s, ext, num, r->inner.n, &p);
    if (!err) close_series(r, put_bytes(p, buf_view(&r->inner)));
    return err;
}

/* --- 2.0 --- */

static void add_ref(struct rw_request *r, struct buf *b, struct str text)
{
    pb_add_varint(b, rw_symbols_ref(&r->symbols, text));
}

static void add_refs(struct rw_request *r, struct buf *b, struct str name, struct str value)
{
    add_ref(r, b, name);
    add_ref(r, b, value);
}

static void add_own_refs(struct rw_request *r, const struct series *s, u32 from, u32 to)
{
    for (u32 i = from; i < to; i++)
        add_refs(r, &r->series, s->shape->names[i], symbol_str(s->values[i]));
}

static void add_label_refs(struct rw_request *r, const struct series *s, struct rw_external *ext)
{
    const struct rw_plan *plan = rw_plan_of(ext, s->shape);
    size_t start = pb_open(&r->series, V2_REFS, 1);
    u32 at = 0;

    for (u32 i = 0; i < plan->n; i++) {
        const struct label *l = &ext->v[plan->v[i].ext];
        add_own_refs(r, s, at, plan->v[i].before);
        add_refs(r, &r->series, l->name, l->value);
        at = plan->v[i].before;
    }
    add_own_refs(r, s, at, s->shape->n);
    pb_close(&r->series, start, 1);
}

static void add_symbol(struct rw_request *r, u32 num, struct str text)
{
    if (text.n) pb_add_u64(&r->series, num, rw_symbols_ref(&r->symbols, text));
}

/* There even when nothing is known. */
static void add_meta(struct rw_request *r, const struct metric_meta *m)
{
    size_t start = pb_open(&r->series, V2_METADATA, 1);

    if (m) {
        if (m->type) pb_add_u64(&r->series, META2_TYPE, m->type);
        add_symbol(r, META2_HELP, m->help);
        add_symbol(r, META2_UNIT, m->unit);
    }
    pb_close(&r->series, start, 1);
}

static int first_error(const struct rw_request *r)
{
    if (buf_err(&r->inner)) return buf_err(&r->inner);
    return buf_err(&r->series) ? buf_err(&r->series) : buf_err(&r->symbols.wire);
}

static int add_series(struct rw_request *r)
{
    int err = first_error(r);
    char *p = err ? NULL : room(r, rw_text_size(r->series.n), &err);

    if (!p) return err;
    *p++ = (char)PB_TAG(V2_SERIES, PB_BYTES);
    close_series(r, put_bytes(pb_put_varint(p, r->series.n), buf_view(&r->series)));
    return 0;
}

/* One TimeSeries around the member in r->inner; symbols entered for one that does not fit are
 * taken back. Those of an exemplar are in by now: `symbols` is how many there were before. */
static int inner_v2(struct rw_request *r, const struct series *s, struct rw_external *ext, u32 num,
                    const struct metric_meta *meta, u32 symbols)
{
    buf_reset(&r->series);
    add_label_refs(r, s, ext);
    pb_add_bytes(&r->series, num, buf_view(&r->inner));
    add_meta(r, meta);
    int err = add_series(r);
    if (err) rw_symbols_cut(&r->symbols, symbols);
    return err;
}

/* --- both --- */

int rw_request_sample(struct rw_request *r, const struct series *s, struct rw_external *ext,
                      const struct metric_meta *meta, i64 time, u64 bits)
{
    char sample[RW_SAMPLE_MAX];
    int err;

    if (r->version == RW_V1) {
        err = sample_v1(r, s, ext, time, bits);
    } else {
        buf_reset(&r->inner);
        buf_add(&r->inner, sample, (size_t)(rw_put_sample(sample, time, bits) - sample));
        err = inner_v2(r, s, ext, V2_SAMPLE, meta, r->symbols.n);
    }
    if (!err) r->counts.samples++;
    return err;
}

int rw_request_histogram(struct rw_request *r, struct rw_external *ext,
                         const struct metric_meta *meta, const struct histogram_sample *h)
{
    if (r->version == RW_V1 && h->h->schema == SCHEMA_CUSTOM) return -ENOTSUP;
    buf_reset(&r->inner);
    rw_add_histogram(&r->inner, h, r->version);
    int err = r->version == RW_V1 ? inner_v1(r, h->series, ext, V1_HISTOGRAM)
                                  : inner_v2(r, h->series, ext, V2_HISTOGRAM, meta, r->symbols.n);
    if (!err) r->counts.histograms++;
    return err;
}

static void add_exemplar_labels(struct rw_request *r, const struct exemplar_sample *e)
{
    size_t start = r->version == RW_V2 ? pb_open(&r->inner, EXEMPLAR_LABELS, 1) : 0;

    for (u32 i = 0; i < e->n_labels; i++) {
        if (r->version == RW_V1)
            rw_add_label(&r->inner, e->labels[i].name, e->labels[i].value);
        else
            add_refs(r, &r->inner, e->labels[i].name, e->labels[i].value);
    }
    if (r->version == RW_V2) pb_close(&r->inner, start, 1);
}

int rw_request_exemplar(struct rw_request *r, struct rw_external *ext,
                        const struct metric_meta *meta, const struct exemplar_sample *e)
{
    u32 symbols = r->symbols.n;

    buf_reset(&r->inner);
    add_exemplar_labels(r, e);
    if (sample_bits(e->value)) pb_add_double(&r->inner, EXEMPLAR_VALUE, e->value);
    if (e->time) pb_add_u64(&r->inner, EXEMPLAR_TIME, (u64)e->time);
    int err = r->version == RW_V1 ? inner_v1(r, e->series, ext, V1_EXEMPLAR)
                                  : inner_v2(r, e->series, ext, V2_EXEMPLAR, meta, symbols);
    if (!err) r->counts.exemplars++;
    return err;
}

static void add_text(struct buf *b, u32 num, struct str s)
{
    if (s.n) pb_add_bytes(b, num, s);
}

int rw_request_meta(struct rw_request *r, const struct metric_meta *m)
{
    if (r->version == RW_V2) return -ENOTSUP;
    buf_reset(&r->inner);
    if (m->type) pb_add_u64(&r->inner, META1_TYPE, m->type);
    add_text(&r->inner, META1_FAMILY, m->family);
    add_text(&r->inner, META1_HELP, m->help);
    add_text(&r->inner, META1_UNIT, m->unit);
    int err = buf_err(&r->inner);
    char *p = err ? NULL : room(r, rw_text_size(r->inner.n), &err);
    if (!p) return err;
    *p++ = (char)PB_TAG(V1_METADATA, PB_BYTES);
    close_series(r, put_bytes(pb_put_varint(p, r->inner.n), buf_view(&r->inner)));
    r->counts.metadata++;
    return 0;
}
