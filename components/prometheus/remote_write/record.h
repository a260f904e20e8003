/* What prometheus.remote_write writes to its log: one record for a pushed batch, or a part of one.
 *
 *   varint first, varint n, varint plain, bytes packed   the series declared here: numbers first,
 *                                                        first + 1, ...; snappy, `plain` unpacked
 *   varint n, bytes samples                              floats
 *   varint n, bytes histograms
 *   varint n, bytes exemplars
 *
 * (bytes: a length and as many of them.) A series is named by the number it has in its segment.
 * A sample is one byte for the step of the number and the length of the value, a time where that
 * is not the last one's, and those bytes of the value that are not zero at its end: a counter costs
 * three to six bytes. Pure. Every byte read is hostile. */
#ifndef COMPONENTS_PROMETHEUS_REMOTE_WRITE_RECORD_H
#define COMPONENTS_PROMETHEUS_REMOTE_WRITE_RECORD_H

#include "base/buf.h"
#include "telemetry/sample_batch.h"

#define RECORD_PUSH        1 /* its kind in the log */
#define RECORD_NUMBERS_MAX ((u32)1 << 24)
#define RECORD_PLAIN_MAX   ((size_t)48 << 20)

/* --- writing; one is used again and again --- */
struct record {
    struct buf names, samples, histograms, exemplars, out;
    u32 first, n_names, n_samples, n_histograms, n_exemplars;
    u32 number; /* of the last sample */
    i64 time;
};
void record_init(struct record *r);
void record_done(struct record *r);
/* Declarations begin with this number. */
void record_begin(struct record *r, u32 first);
void record_declare(struct record *r, const struct series *s);
void record_sample(struct record *r, u32 number, i64 time, u64 bits);
void record_histogram(struct record *r, u32 number, const struct histogram_sample *h);
void record_exemplar(struct record *r, u32 number, const struct exemplar_sample *e);
/* The payload, valid until the next begin; .p NULL: memory is out. */
struct str record_end(struct record *r);

/* --- reading --- */
struct record_view {
    u32 first, n_names;
    size_t plain;
    struct str packed;
    u32 n_samples, n_histograms, n_exemplars;
    struct str samples, histograms, exemplars;
};
/* 0 or -EBADMSG. */
int record_open(struct str payload, struct record_view *ret) WARN_UNUSED;
/* Each declared series, its labels sorted as written; name answers 0 or what is returned then.
 * -EBADMSG, -ENOMEM. */
typedef int (*record_name_fn)(void *arg, u32 number, const struct label *v, size_t n);
int record_names(const struct record_view *r, record_name_fn name, void *arg) WARN_UNUSED;

struct sample_cursor {
    const char *p, *end;
    u32 left, number;
    i64 time;
    u64 bits;
};
struct sample_cursor record_samples(const struct record_view *r);
/* 1: the next one is in c; 0: none is left; -EBADMSG. */
int sample_next(struct sample_cursor *c);

/* The next histogram or exemplar, owned, in one piece: free() it. series is NULL, *ret_number says
 * which. As sample_next, -ENOMEM too. */
struct item_cursor {
    const char *p, *end;
    u32 left;
};
struct item_cursor record_histograms(const struct record_view *r);
struct item_cursor record_exemplars(const struct record_view *r);
int histogram_next(struct item_cursor *c, u32 *ret_number, struct histogram_sample **ret);
int exemplar_next(struct item_cursor *c, u32 *ret_number, struct exemplar_sample **ret);

#endif
