/* Reading remote write requests of both versions. A TimeSeries is walked twice, since its labels
 * may stand behind its samples. What a request may cost is bounded by what it says on the wire: 2.0
 * can name one long symbol very often, so the texts that are named are counted. */
#include <errno.h>
#include <stdlib.h>
#include "base/utf8.h"
#include "base/xalloc.h"
#include "telemetry/rw_read_impl.h"

int rw_broken(struct rw_in *d, const char *at, const char *what)
{
    if (d->err) return d->err;
    d->err = -EBADMSG;
    d->broken = xprintf("the remote write request is broken at byte %zu: %s",
                        (size_t)(at - d->start), what);
    return d->err;
}

int rw_wrong_type(struct rw_in *d, const struct pb_field *f)
{
    return rw_broken(d, f->at, "a field has the wrong wire type");
}

int rw_walked(struct rw_in *d, const struct pb_in *in)
{
    return in->bad ? rw_broken(d, in->p, "a field is cut off or no field at all") : d->err;
}

int rw_number(struct rw_in *d, const struct pb_field *f, u64 *ret)
{
    if (f->wire != PB_VARINT) return rw_wrong_type(d, f);
    *ret = f->v;
    return 0;
}

int rw_bits(struct rw_in *d, const struct pb_field *f, u64 *ret)
{
    if (f->wire != PB_FIXED64) return rw_wrong_type(d, f);
    *ret = f->v;
    return 0;
}

int rw_bytes(struct rw_in *d, const struct pb_field *f, struct str *ret)
{
    if (f->wire != PB_BYTES) return rw_wrong_type(d, f);
    *ret = f->b;
    return 0;
}

/* The first reason is told; all of them are counted. */
void rw_refuse(struct rw_in *d, u32 n, const char *what, struct str about)
{
    d->out->refused += n;
    if (d->out->why) return;
    struct buf text = BUF_INIT(4096);
    buf_cstr(&text, what);
    if (about.p) {
        buf_cstr(&text, ": ");
        utf8_quote(&text, str_n(about.p, MIN(about.n, (size_t)256)));
    }
    d->out->why = buf_take(&text, NULL);
}

/* --- a series --- */

struct parts {
    u32 samples, histograms, exemplars;
    bool meta;
    struct pb_field meta_field;
};

enum part { PART_NONE, PART_LABELS, PART_SAMPLE, PART_HISTOGRAM, PART_EXEMPLAR, PART_META };
/* clang-format off */
static const u8 parts_of[2][6] = {
    [RW_V1] = {[V1_LABEL] = PART_LABELS, [V1_SAMPLE] = PART_SAMPLE,
               [V1_EXEMPLAR] = PART_EXEMPLAR, [V1_HISTOGRAM] = PART_HISTOGRAM},
    [RW_V2] = {[V2_REFS] = PART_LABELS, [V2_SAMPLE] = PART_SAMPLE,
               [V2_HISTOGRAM] = PART_HISTOGRAM, [V2_EXEMPLAR] = PART_EXEMPLAR,
               [V2_METADATA] = PART_META},
};
/* clang-format on */

static enum part part_of(const struct rw_in *d, const struct pb_field *f)
{
    return f->num < ARRAY_LEN(parts_of[0]) ? parts_of[d->version][f->num] : PART_NONE;
}

static int count_part(struct rw_in *d, const struct pb_field *f, struct parts *n)
{
    enum part part = part_of(d, f);

    if (part == PART_NONE) return 0;
    if (part == PART_LABELS) return rw_label_field(d, f);
    if (f->wire != PB_BYTES) return rw_wrong_type(d, f);
    n->samples += part == PART_SAMPLE;
    n->histograms += part == PART_HISTOGRAM;
    n->exemplars += part == PART_EXEMPLAR;
    if (part == PART_META) {
        n->meta_field = *f;
        n->meta = true;
    }
    return 0;
}

static int survey(struct rw_in *d, struct str bytes, struct parts *n)
{
    struct pb_in in = pb_in(bytes);
    struct pb_field f;

    *n = (struct parts){0};
    rw_labels_begin(d);
    while (!d->err && pb_next(&in, &f))
        count_part(d, &f, n);
    return rw_walked(d, &in) ? d->err : rw_labels_end(d, bytes.p);
}

/* The series is there as long as the batch: it is retired to the epoch that the batch keeps. */
static struct series *series_here(struct rw_in *d)
{
    struct series *s = series_intern(d->out->table, d->labels, d->n_labels);

    if (!s)
        d->err = -ENOMEM;
    else
        series_retire(d->out->keeper, s);
    return s;
}

static int read_part(struct rw_in *d, const struct pb_field *f, struct series *s)
{
    switch (part_of(d, f)) {
    case PART_SAMPLE: return rw_read_sample(d, f->b, s);
    case PART_HISTOGRAM: return rw_read_histogram(d, f->b, s);
    case PART_EXEMPLAR: return rw_read_exemplar(d, f->b, s);
    default: return 0;
    }
}

static const char *judge_series(struct rw_in *d, const struct parts *n, struct str *ret_about)
{
    const char *why = rw_labels_judge(d, ret_about);

    if (why) return why;
    *ret_about = (struct str){NULL, 0};
    struct str name = rw_labels_get(d, STR("__name__"));
    if (!name.n) return "a series has no name";
    *ret_about = name;
    if (d->version == RW_V2 && !n->samples && !n->histograms)
        return "a series has neither samples nor histograms";
    return NULL;
}

static int read_series(struct rw_in *d, struct str bytes)
{
    struct parts n;
    struct str about;
    struct pb_in in = pb_in(bytes);
    struct pb_field f;

    if (survey(d, bytes, &n)) return d->err;
    if (n.meta && d->out->type_and_unit && rw_meta2_labels(d, n.meta_field.b)) return d->err;
    const char *why = judge_series(d, &n, &about);
    if (why) {
        rw_refuse(d, MAX(n.samples + n.histograms + n.exemplars, 1), why, about);
        return 0;
    }
    struct series *s = series_here(d);
    while (!d->err && pb_next(&in, &f))
        read_part(d, &f, s);
    return d->err || !n.meta ? d->err : rw_read_meta2(d, n.meta_field.b, series_name(s));
}

/* --- requests --- */

static int read_symbol(struct rw_in *d, const struct pb_field *f)
{
    if (f->wire != PB_BYTES) return rw_wrong_type(d, f);
    if (d->n_symbols == d->cap_symbols) {
        d->cap_symbols = d->cap_symbols ? d->cap_symbols * 2 : 256;
        d->symbols = xrealloc(d->symbols, d->cap_symbols * sizeof(*d->symbols));
    }
    d->symbols[d->n_symbols++] = f->b;
    return 0;
}

static int read_series_field(struct rw_in *d, const struct pb_field *f)
{
    return f->wire == PB_BYTES ? read_series(d, f->b) : rw_wrong_type(d, f);
}

static int read_meta_field(struct rw_in *d, const struct pb_field *f)
{
    return f->wire == PB_BYTES ? rw_read_meta1(d, f->b) : rw_wrong_type(d, f);
}

static int walk(struct rw_in *d, struct str body, u32 num,
                int (*read)(struct rw_in *d, const struct pb_field *f))
{
    struct pb_in in = pb_in(body);
    struct pb_field f;

    while (!d->err && pb_next(&in, &f))
        if (f.num == num) read(d, &f);
    return rw_walked(d, &in);
}

static void done(struct rw_in *d)
{
    free(d->symbols);
    free(d->labels);
    for (size_t i = 0; i < RW_N_LISTS; i++)
        buf_done(&d->lists[i]);
    map_done(&d->families, NULL);
}

int rw_read(struct rw_reading *out, enum rw_version v, struct str body, char **ret_err)
{
    struct rw_in d = {.out = out, .version = v, .start = body.p};

    out->counts = (struct rw_counts){0};
    out->refused = 0;
    out->why = NULL;
    if (v == RW_V2) walk(&d, body, V2_SYMBOL, read_symbol);
    if (!d.err) walk(&d, body, v == RW_V1 ? V1_SERIES : V2_SERIES, read_series_field);
    if (!d.err && v == RW_V1) walk(&d, body, V1_METADATA, read_meta_field);
    if (d.err == -EBADMSG) *ret_err = d.broken;
    done(&d);
    return d.err;
}
