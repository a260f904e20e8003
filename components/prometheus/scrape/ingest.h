/* What the parts of ingesting share: ingest.c (lines to samples), histograms.c (native ones and
 * their exemplars), nhcb.c (classic ones that become native), starts.c (when counters began). */
#ifndef COMPONENTS_PROMETHEUS_SCRAPE_INGEST_H
#define COMPONENTS_PROMETHEUS_SCRAPE_INGEST_H

#include "components/prometheus/scrape/scrape.h"

/* A classic histogram that is gathered: its lines are expected to stand together. */
struct nhcb_bucket {
    f64 le, count; /* cumulative */
};
struct nhcb {
    bool open;
    u64 identity;          /* of its labels without le */
    u64 native;            /* of the last one that had native buckets: these are better */
    struct series *series; /* NULL: there already in this scrape */
    i64 time;
    VEC(struct nhcb_bucket) buckets;
    VEC(struct exposition_exemplar) exemplars; /* texts of the scrape */
    f64 sum, count;
    bool has_count;
};

struct ingest {
    struct target *t;
    struct scraper *s;
    const struct scrape_args *args;
    struct exposition e;
    i64 now_ms;
    struct scrape_result *r;
    bool failed, over_samples, over_buckets;
    bool is_new;             /* the series found last */
    struct metric_meta meta; /* of the family at hand */
    bool has_meta;
    struct nhcb nhcb;
    struct map starts; /* OpenMetrics: what _created lines say, by family and labels */
};

int ingest_fail(struct ingest *in, const char *fmt, ...) PRINTF(2, 3); /* -EINVAL */
int ingest_no_memory(struct ingest *in);
/* The series of the line whose cache key is hash: 1, 2 when it was there already, 0 with the scrape
 * failed. A new one gets the labels of `set`, which are made those of the target; NULL: those of
 * the line at hand. */
int ingest_series(struct ingest *in, u64 hash, bool expected, u32 flags, struct label_set *set,
                  struct series **ret);
/* Counts a sample that was found so, and judges its time: whether it is to be put. */
bool ingest_wanted(struct ingest *in, int found, bool timed, i64 time);
/* A family's labels as one number. */
u64 ingest_hash(const struct label_set *set);

/* --- histograms.c --- */
int put_exemplar(struct ingest *in, struct series *s, const struct exposition_exemplar *x,
                 i64 time);
/* With as many buckets as it may have. start: ms, 0 unknown. */
int put_histogram(struct ingest *in, struct series *s, i64 time, i64 start,
                  const struct histogram *h);
/* Of the native histogram at hand. */
int put_exemplars(struct ingest *in, struct series *s, i64 time);
/* These ones, each with a time; they are sorted. */
int put_exemplar_list(struct ingest *in, struct series *s, struct exposition_exemplar *v, size_t n,
                      i64 time);

/* --- nhcb.c --- */
/* A sample of a family of histograms: 1 when it is part of what is gathered (and of nothing else,
 * unless classic ones are wanted too), 0 when not, or -EINVAL with the scrape failed. */
int nhcb_take(struct ingest *in);
/* A native histogram comes. */
int nhcb_native(struct ingest *in);
/* What was gathered is sent: the family, or the body, ends. */
int nhcb_flush(struct ingest *in);
void nhcb_done(struct ingest *in);

/* --- starts.c --- */
/* Reads the body of an OpenMetrics answer for lines that say when counters began. */
void starts_read(struct ingest *in, const struct exposition_conf *conf);
/* Whether the line at hand is one of these, which are no series then. */
bool starts_is_line(const struct ingest *in);
/* When the counter at hand began, in ms; 0: unknown. */
i64 starts_find(struct ingest *in);
/* Puts a zero at the time a counter began, when that is news. */
int starts_put(struct ingest *in, struct series *s, i64 start, i64 time, bool histogram);
void starts_forget(struct target *t, const struct series *s);

#endif
