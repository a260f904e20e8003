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

enum exposition_format { EXPOSITION_TEXT, EXPOSITION_OPENMETRICS, EXPOSITION_PROTOBUF };

enum exposition_event {
    EXPOSITION_END,
    EXPOSITION_ERROR, /* error says what and where; the parser is at its end */
    EXPOSITION_SAMPLE,
    EXPOSITION_HISTOGRAM, /* a native one; series as of a sample */
    EXPOSITION_TYPE,      /* family, type */
    EXPOSITION_HELP,      /* family, text */
    EXPOSITION_UNIT,      /* family, text */
};

#define EXPOSITION_LABELS_MAX 4096 /* of one series */

/* What stands behind a sample. */
struct exposition_exemplar {
    struct str labels; /* text, for exposition_exemplar_labels; .p NULL: there is no exemplar */
    f64 value;
    bool has_time;
    i64 time; /* ms */
};

struct exposition_protobuf; /* of exposition_pb.c */
struct exposition {
    /* of the last event */
    struct str series; /* text, what a cache hashes */
    u64 hash;          /* of series, with `seed` */
    bool expected;     /* it is the one that was expected */
    u64 bits;          /* a NaN is SAMPLE_NAN_BITS */
    bool has_time;
    i64 time; /* ms */
    struct exposition_exemplar exemplar;
    struct str family, text;
    enum metric_type type;             /* of the family that the samples stand below */
    const struct histogram *histogram; /* EXPOSITION_HISTOGRAM */
    char error[256];
    const char *fault; /* EXPOSITION_ERROR: where in the body; NULL: not known */

    /* Set by the caller, any time. */
    u64 seed;

    /* private */
    enum exposition_format format;
    const char *at, *end;
    size_t line, sample_line;
    bool ended;
    struct exposition_protobuf *pb;
    struct buf scratch; /* texts that are not in the body as they are */
};

struct exposition_conf {
    enum exposition_format format;
    struct str body;        /* lives as long as the parser */
    bool native_histograms; /* protobuf: give those that have buckets of a schema */
    bool classic_too;       /* and their classic buckets as well */
};
void exposition_init(struct exposition *e, const struct exposition_conf *c);
void exposition_done(struct exposition *e);
/* The next event. A sample whose text begins with the `n` bytes that hash to `hash` counts as that
 * series, when a value follows (n 0: nothing is expected). */
enum exposition_event exposition_next(struct exposition *e, u64 hash, u32 n);
/* Exemplars of a native histogram, one by one; false at the end. After EXPOSITION_HISTOGRAM. */
bool exposition_histogram_exemplar(struct exposition *e, struct exposition_exemplar *ret);

/* When the counter, histogram or summary of the last sample began, in ms; 0: unknown, as it is in
 * the text formats, where OpenMetrics has samples of their own for it. */
i64 exposition_start(const struct exposition *e);

/* The labels of the last sample, __name__ among them, in place of what was in `into`; texts are
 * borrowed from the body. `le` of a histogram and `quantile` of a summary are in OpenMetrics' form.
 * -EINVAL with e->error; -ENOMEM. */
int exposition_labels(struct exposition *e, struct label_set *into) WARN_UNUSED;
int exposition_exemplar_labels(struct exposition *e, struct str text,
                               struct label_set *into) WARN_UNUSED;

/* Appends the form that `le` and `quantile` have in OpenMetrics: 1.0, +Inf, 1e+06. */
void exposition_float(struct buf *b, f64 v);

#endif
