/* Inside the reading of remote write: its state, and what its files give each other. Functions
 * answer d->err, which ends the reading. */
#ifndef TELEMETRY_RW_READ_IMPL_H
#define TELEMETRY_RW_READ_IMPL_H

#include "base/map.h"
#include "telemetry/rw_impl.h"

#define RW_MAX_NAMED   ((u64)512 << 20) /* bytes of labels and metadata, each time they are named */
#define RW_MAX_BUCKETS 65536            /* of one list of a histogram */
#define RW_N_LISTS     7

struct rw_in {
    struct rw_reading *out;
    enum rw_version version;
    const char *start; /* of the body, for offsets in errors */
    int err;
    char *broken; /* with -EBADMSG */
    u64 named;
    struct str *symbols; /* 2.0 */
    u32 n_symbols, cap_symbols;
    struct label *labels; /* of the series or exemplar that is being read */
    u32 n_labels, cap_labels;
    struct str pending; /* a name whose value reference comes next */
    bool half;
    struct buf lists[RW_N_LISTS]; /* of a histogram */
    struct map families;          /* whose metadata was added */
};

/* --- errors and fields (rw_read.c) --- */
int rw_broken(struct rw_in *d, const char *at, const char *what);
int rw_wrong_type(struct rw_in *d, const struct pb_field *f);
/* After the last field of a message. */
int rw_walked(struct rw_in *d, const struct pb_in *in);
int rw_number(struct rw_in *d, const struct pb_field *f, u64 *ret);
int rw_bits(struct rw_in *d, const struct pb_field *f, u64 *ret);
int rw_bytes(struct rw_in *d, const struct pb_field *f, struct str *ret);
/* n samples are passed over; about.p may be NULL. */
void rw_refuse(struct rw_in *d, u32 n, const char *what, struct str about);

/* --- label lists (rw_read_labels.c) --- */
void rw_labels_begin(struct rw_in *d);
int rw_label_field(struct rw_in *d, const struct pb_field *f);
int rw_labels_end(struct rw_in *d, const char *at);
/* Sorts them; NULL, or why they are none. */
const char *rw_labels_judge(struct rw_in *d, struct str *ret_about);
int rw_labels_set(struct rw_in *d, const char *at, struct str name, struct str value);
struct str rw_labels_get(const struct rw_in *d, struct str name);
int rw_symbol(struct rw_in *d, const char *at, u64 ref, struct str *ret);
/* n bytes of text were named at this place. */
int rw_named(struct rw_in *d, const char *at, size_t n);

/* --- what stands in a series (rw_read_parts.c, rw_read_histogram.c) --- */
int rw_read_sample(struct rw_in *d, struct str bytes, struct series *s);
int rw_read_exemplar(struct rw_in *d, struct str bytes, struct series *s);
int rw_read_histogram(struct rw_in *d, struct str bytes, struct series *s);
int rw_read_meta1(struct rw_in *d, struct str bytes);
/* The labels __type__ and __unit__ of the series that is being read. */
int rw_meta2_labels(struct rw_in *d, struct str bytes);
int rw_read_meta2(struct rw_in *d, struct str bytes, struct str series);

#endif
