/* Series of metrics: label sets, one copy of each in the process, made to be small. A million of
 * them is what this agent is asked to hold, so a series is not a list of texts:
 *
 *   shape   the sorted label names; few exist, and what depends on names alone (where external
 *           labels go, which rule can match) is worked out once per shape;
 *   symbol  a label value, one copy in the process;
 *   series  a shape and one symbol per name, a dense id, the length of its labels on the wire.
 *
 * Empty values are no labels: they are left out when a series is made. Identity is by pointer.
 *
 * Ownership: counted. Batches of samples do not count each series they name: a producer keeps its
 * series alive by an epoch (below), and a batch holds one reference on that. The table must outlive
 * all. Any thread. */
#ifndef TELEMETRY_SERIES_H
#define TELEMETRY_SERIES_H

#include "base/str.h"
#include "telemetry/intern.h"
#include "telemetry/labels.h"

struct series_table;

struct symbol {
    struct intern_node node;
    u32 len;
    char text[]; /* terminated */
};
static inline struct str symbol_str(const struct symbol *s)
{
    return str_n(s->text, s->len);
}

/* Sorted names. A shape lives as long as a series has it; there may be SERIES_SHAPES_MAX at a time,
 * beyond which series of new shapes cannot be made. */
#define SERIES_SHAPES_MAX 100000
struct series_shape {
    struct intern_node node;
    u64 serial; /* never used again: what others worked out is for this one */
    u32 id;     /* dense, from 1, used again: index of what others work out per shape */
    u32 n;
    int name_at;        /* place of __name__; -1 */
    struct str names[]; /* bytewise order, unique, terminated */
};

struct series {
    struct intern_node node;
    u32 id;   /* dense, from 1, used again after the series is gone: index of what others keep per
                 series (who keeps something must hold a reference) */
    u32 wire; /* bytes of its labels in a remote write 1.0 TimeSeries, tags and lengths included */
    struct series_shape *shape;
    struct symbol *values[];
};

struct series_table *series_table_new(void);
/* A table of which series are left is left behind. Takes NULL. */
void series_table_free(struct series_table *t);
struct series_stats {
    size_t series, symbols, shapes;
    u32 top_id; /* ids are at most this */
};
void series_table_stats(const struct series_table *t, struct series_stats *ret);

/* The one series with these labels, sorted bytewise by name without doubles (as a label_set is). A
 * new reference; NULL when memory or the number of shapes is out. n may be 0. */
struct series *series_intern(struct series_table *t, const struct label *v, size_t n) WARN_UNUSED;
struct series *series_ref(struct series *s);
void series_unref(struct series_table *t, struct series *s); /* takes NULL */

static inline u32 series_n(const struct series *s)
{
    return s->shape->n;
}
static inline struct label series_label(const struct series *s, u32 i)
{
    return (struct label){s->shape->names[i], symbol_str(s->values[i])};
}
/* The value; .p is NULL when there is no such label. */
struct str series_get(const struct series *s, struct str name);
static inline struct str series_name(const struct series *s)
{
    return s->shape->name_at < 0 ? STR("") : symbol_str(s->values[s->shape->name_at]);
}
/* The labels as views, for label_set (which must be done with them before the series goes). */
struct label_set;
void series_load(const struct series *s, struct label_set *into);
struct series *label_set_series(const struct label_set *s, struct series_table *t) WARN_UNUSED;
/* Appends {__name__="a", b="c"}: as the field prints series, name among the labels. */
struct buf;
void series_text(const struct series *s, struct buf *out);

/* --- epochs: how series outlive the batches that name them ---
 *
 * A producer (scrape, relabelling, receiver) holds references on the series of its cache, and has a
 * current epoch. Batches made now hold that epoch. A series that leaves the cache is not unref'ed
 * but retired: its reference goes to the current epoch, and is dropped once no batch of this or an
 * earlier epoch is left. One keeper per producer, one thread; epochs are counted by any thread. */
struct series_epoch;
struct series_keeper {
    struct series_table *table;
    struct series_epoch *now;
};
void series_keeper_init(struct series_keeper *k, struct series_table *t);
/* Everything retired goes when its batches are gone. */
void series_keeper_done(struct series_keeper *k);
/* Takes the caller's reference. */
void series_retire(struct series_keeper *k, struct series *s);
/* The epoch for a batch made now; a new reference. Begins a new one when anything was retired. */
struct series_epoch *series_epoch_now(struct series_keeper *k);
struct series_epoch *series_epoch_ref(struct series_epoch *e);
void series_epoch_unref(struct series_epoch *e); /* takes NULL */

#endif
