/* Metrics in a batch: what prometheus.MetricsReceiver takes. Samples name their series by pointer;
 * the batch holds the epochs that keep those alive (telemetry/series.h), never one count per
 * sample. OTLP metrics stay wire bytes (telemetry/batch.h).
 *
 * A struct samples is immutable and counted. Order: samples of one producer keep theirs (exposition
 * order, then report series); floats, histograms and exemplars are lists of their own.
 * Threads: a builder belongs to one; what it made may be shared. */
#ifndef TELEMETRY_SAMPLE_BATCH_H
#define TELEMETRY_SAMPLE_BATCH_H

#include "telemetry/batch.h"
#include "telemetry/series.h"

/* Bits of the values that mean something; compared as integers, never as doubles (spec W.5). */
#define SAMPLE_STALE_BITS 0x7ff0000000000002ull
#define SAMPLE_NAN_BITS   0x7ff8000000000001ull

struct sample {
    struct series *series;
    i64 time; /* ms since 1970 */
    u64 bits; /* of the double */
};
static inline f64 sample_value(u64 bits)
{
    f64 v;
    memcpy(&v, &bits, sizeof(v));
    return v;
}
static inline u64 sample_bits(f64 v)
{
    u64 bits;
    memcpy(&bits, &v, sizeof(bits));
    return bits;
}

struct histogram_span {
    i32 offset;
    u32 length;
};
/* A native histogram, counts as integers (deltas between buckets) or as floats. */
struct histogram {
    bool is_float, stale; /* stale: sum is the stale marker */
    u8 reset_hint;        /* 0 unknown 1 yes 2 no 3 gauge */
    i32 schema;           /* -53: custom buckets */
    f64 sum, zero_threshold;
    union {
        u64 i;
        f64 f;
    } count, zero_count;
    u32 n_pos_spans, n_neg_spans, n_pos, n_neg, n_custom;
    const struct histogram_span *pos_spans, *neg_spans;
    const i64 *pos_deltas, *neg_deltas; /* !is_float */
    const f64 *pos_counts, *neg_counts; /* is_float: absolute */
    const f64 *custom;                  /* upper bounds without +Inf */
};
struct histogram_sample {
    struct series *series;
    i64 time;
    i64 start; /* ms; 0 unknown */
    const struct histogram *h;
};
struct exemplar_sample {
    struct series *series; /* that it belongs to */
    i64 time;              /* ms */
    bool has_time;
    f64 value;
    const struct label *labels; /* by name */
    u32 n_labels;
};
enum metric_type { /* numbers of remote write */
                   TYPE_UNKNOWN,
                   TYPE_COUNTER,
                   TYPE_GAUGE,
                   TYPE_HISTOGRAM,
                   TYPE_GAUGEHISTOGRAM,
                   TYPE_SUMMARY,
                   TYPE_INFO,
                   TYPE_STATESET
};
struct metric_meta {
    struct str family, help, unit;
    enum metric_type type;
};

struct samples {
    struct refs refs;
    struct budget *budget;
    size_t charged;
    u32 items; /* floats and histograms */
    size_t bytes, pinned;
    struct sample *v;
    u32 n;
    struct histogram_sample *histograms;
    u32 n_histograms;
    struct exemplar_sample *exemplars;
    u32 n_exemplars;
    struct metric_meta *meta; /* told when new or changed, and again now and then by the producer */
    u32 n_meta;
    struct series_epoch **epochs;
    u32 n_epochs;
    struct arena *arena; /* what histograms, exemplars and metadata point into; NULL: none */
};
struct samples *samples_ref(struct samples *s);
void samples_unref(struct samples *s); /* takes NULL */

struct sample_builder;
/* budget may be NULL. */
struct sample_builder *sample_builder_new(struct budget *budget);
void sample_builder_free(struct sample_builder *b); /* takes NULL */
/* Everything added so far is forgotten (a scrape that failed). */
void sample_builder_reset(struct sample_builder *b);
/* Series added may belong to this epoch (a reference is taken), or to those of these samples. */
void sample_builder_keep(struct sample_builder *b, struct series_epoch *e);
void sample_builder_keep_samples(struct sample_builder *b, const struct samples *s);
/* -ENOMEM when memory or the budget is out: not added. What is pointed to is copied. */
int sample_builder_add(struct sample_builder *b, struct series *s, i64 time, u64 bits) WARN_UNUSED;
int sample_builder_histogram(struct sample_builder *b,
                             const struct histogram_sample *h) WARN_UNUSED;
int sample_builder_exemplar(struct sample_builder *b, const struct exemplar_sample *e) WARN_UNUSED;
int sample_builder_meta(struct sample_builder *b, const struct metric_meta *m) WARN_UNUSED;
u32 sample_builder_items(const struct sample_builder *b);
/* Moves everything into `into`, a fresh batch of SIGNAL_METRICS, and seals it; the builder is empty
 * then. -ENOMEM leaves both. */
int sample_builder_seal(struct sample_builder *b, struct batch *into) WARN_UNUSED;

#endif
