/* Expositions: what targets answer to a scrape. Text 0.0.4 (and 1.0.0), OpenMetrics and delimited
 * protobuf, read from a whole body by a pull parser. Source: spec W.3a, W.4, W.6.
 *
 * A sample is given with the text of its series as it stands in the body; its labels are read from
 * that only when asked for, because a scraper has seen nearly every line before. It says what it
 * expects by hash and length: a line that begins with that text is not looked at further.
 *
 * Nothing is allocated per line. All is borrowed from the body or the parser and lives until the
 * next call. One owner; any thread. */
#ifndef TELEMETRY_EXPOSITION_H
#define TELEMETRY_EXPOSITION_H

#include "telemetry/label_set.h"
#include "telemetry/pb.h"
#include "telemetry/sample_batch.h"

enum expo_format { EXPO_TEXT, EXPO_OPENMETRICS, EXPO_PROTOBUF };

enum expo_event {
    EXPO_END,
    EXPO_ERROR, /* error says what and where; the parser is at its end */
    EXPO_SAMPLE,
    EXPO_HISTOGRAM, /* a native one; series as of a sample */
    EXPO_TYPE,      /* family, type */
    EXPO_HELP,      /* family, text */
    EXPO_UNIT,      /* family, text */
};

#define EXPO_LABELS_MAX 4096 /* of one series */

/* What stands behind a sample. */
struct expo_exemplar {
    struct str labels; /* text, for expo_exemplar_labels; .p NULL: there is no exemplar */
    f64 value;
    bool has_time;
    i64 time; /* ms */
};

struct expo_protobuf; /* of exposition_pb.c */
struct expo {
    /* of the last event */
    struct str series; /* text, what a cache hashes */
    u64 hash;          /* of series, with `seed` */
    bool expected;     /* it is the one that was expected */
    u64 bits;          /* a NaN is SAMPLE_NAN_BITS */
    bool has_time;
    i64 time; /* ms */
    struct expo_exemplar exemplar;
    struct str family, text;
    enum metric_type type;             /* of the family that the samples stand below */
    const struct histogram *histogram; /* EXPO_HISTOGRAM */
    char error[256];

    /* Set by the caller, any time. */
    u64 seed;

    /* private */
    enum expo_format format;
    const char *at, *end;
    size_t line, sample_line;
    bool ended;
    struct expo_protobuf *pb;
    struct buf scratch; /* texts that are not in the body as they are */
};

struct expo_conf {
    enum expo_format format;
    struct str body;        /* lives as long as the parser */
    bool native_histograms; /* protobuf: give those that have buckets of a schema */
    bool classic_too;       /* and their classic buckets as well */
};
void expo_init(struct expo *e, const struct expo_conf *c);
void expo_done(struct expo *e);
/* The next event. A sample whose text begins with the `n` bytes that hash to `hash` counts as that
 * series, when a value follows (n 0: nothing is expected). */
enum expo_event expo_next(struct expo *e, u64 hash, u32 n);
/* Exemplars of a native histogram, one by one; false at the end. After EXPO_HISTOGRAM. */
bool expo_histogram_exemplar(struct expo *e, struct expo_exemplar *ret);

/* The labels of the last sample, __name__ among them, in place of what was in `into`; texts are
 * borrowed from the body. `le` of a histogram and `quantile` of a summary are in OpenMetrics' form.
 * -EINVAL with e->error; -ENOMEM. */
int expo_labels(struct expo *e, struct label_set *into) WARN_UNUSED;
int expo_exemplar_labels(struct expo *e, struct str text, struct label_set *into) WARN_UNUSED;

/* Appends the form that `le` and `quantile` have in OpenMetrics: 1.0, +Inf, 1e+06. */
void expo_float(struct buf *b, f64 v);

#endif
