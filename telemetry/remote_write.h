/* The wire formats of Prometheus remote write, both ways: 1.0 (prometheus.WriteRequest) and 2.0
 * (io.prometheus.write.v2.Request). Source: the two specifications of Prometheus (spec W.3). */
#ifndef TELEMETRY_REMOTE_WRITE_H
#define TELEMETRY_REMOTE_WRITE_H

#include "base/buf.h"
#include "telemetry/sample_batch.h"

enum rw_version { RW_V1, RW_V2 };
/* What stands in Content-Type, and in X-Prometheus-Remote-Write-Version. */
const char *rw_content_type(enum rw_version v);
const char *rw_version_header(enum rw_version v);

struct rw_counts {
    u32 samples, histograms, exemplars, metadata;
};

/* --- external labels: added where a series lacks the name. Where they go is worked out once per
 * shape and kept, so one of these belongs to one thread; its table must outlive it. --- */

struct rw_external;
/* In any order; of several with one name the last counts, empty values are no labels. Copied. */
struct rw_external *rw_external_new(const struct label *v, size_t n);
void rw_external_free(struct rw_external *e); /* takes NULL */
/* The labels the series has when it is sent, into a set of views: they live as long as both. */
void rw_external_load(const struct rw_external *e, const struct series *s, struct label_set *into);

/* --- a request being made. One owner, one thread. ---
 *
 * Each call appends one TimeSeries with one sample, histogram or exemplar. 0; -E2BIG: it would pass
 * the limit, -ENOMEM: in both cases nothing was added and the request is as it was. `ext` may be
 * NULL. `meta` is written by 2.0 only, may be NULL, its family is not looked at. A series need not
 * live longer than the call, unless the request is a packed one. */

struct rw_request;
/* max: bytes of an uncompressed request. */
struct rw_request *rw_request_new(enum rw_version v, size_t max);
/* One that is written in its compressed form at once, at a fraction of the cost, where the version
 * allows it: its series must live until the next reset, and it is to be had by rw_request_packed
 * only. max: at most UINT32_MAX. */
struct rw_request *rw_request_new_packed(enum rw_version v, size_t max);
void rw_request_free(struct rw_request *r); /* takes NULL */
/* An empty request; memory is kept. */
void rw_request_reset(struct rw_request *r);
int rw_request_sample(struct rw_request *r, const struct series *s, struct rw_external *ext,
                      const struct metric_meta *meta, i64 time, u64 bits) WARN_UNUSED;
/* 1.0 has no custom buckets (schema -53): -ENOTSUP, nothing added. */
int rw_request_histogram(struct rw_request *r, struct rw_external *ext,
                         const struct metric_meta *meta,
                         const struct histogram_sample *h) WARN_UNUSED;
int rw_request_exemplar(struct rw_request *r, struct rw_external *ext,
                        const struct metric_meta *meta,
                        const struct exemplar_sample *e) WARN_UNUSED;
/* 1.0: one MetricMetadata. 2.0 has none of its own: -ENOTSUP. */
int rw_request_meta(struct rw_request *r, const struct metric_meta *m) WARN_UNUSED;
const struct rw_counts *rw_request_counts(const struct rw_request *r);
/* Bytes so far, without what 2.0 puts in front. */
size_t rw_request_size(const struct rw_request *r);
/* The whole message, valid until the next call; nothing may be added behind it before a reset. .p
 * is NULL when memory is out. */
struct str rw_request_bytes(struct rw_request *r);
/* Appends the whole message in snappy's block format; any request, on the same terms. -ENOMEM. */
int rw_request_packed(struct rw_request *r, struct buf *out) WARN_UNUSED;

/* --- reading. Every byte is hostile. --- */

#define RW_MAX_LABELS 1024 /* of one series or exemplar; more is a broken request */
struct rw_reading {
    struct series_table *table;
    struct series_keeper *keeper; /* its current epoch must be kept by `out`: what is read is
                                     retired to it */
    struct sample_builder *out;
    bool no_metadata;   /* none is added to out */
    bool type_and_unit; /* 2.0: they become labels of the series, __type__ and __unit__ */
    /* Set by rw_read: */
    struct rw_counts counts; /* what was added to out */
    u32 refused;             /* samples, histograms and exemplars that were not */
    char *why;               /* owned; of the first series that was refused; NULL: none */
};
/* 0: everything well-formed was added. Series without a name, with labels that are not valid UTF-8,
 * without a name, or twice there, and what 2.0 forbids, are passed over, counted and told in `why`;
 * labels need not be sorted. -EBADMSG: the message is broken, *ret_err (owned) says where; -ENOMEM:
 * memory or the budget is out; in both cases `out` is to be reset. Metadata of 1.0 is added; that
 * of 2.0, which stands at each series, once per family of the request. */
int rw_read(struct rw_reading *d, enum rw_version v, struct str body, char **ret_err) WARN_UNUSED;

#endif
