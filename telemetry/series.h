/* Series of metrics: label sets, one copy of each in the process, made to be small. A million of
 * them is what this agent is asked to hold, so a series is not a list of texts:
 *
 *   shape   the sorted label names (hidden class); few exist, all work that depends on names alone
 *           (merging external labels, which rule can match) is done once per shape;
 *   symbol  a label value, one copy in the process, stored as it stands on the wire
 *           (length-prefixed), so that writing it is one memcpy;
 *   series  a shape and one symbol per name, a dense id, the encoded length, the hash.
 *
 * Empty values are no labels: they are left out when a series is made. Identity is by pointer.
 *
 * Ownership: counted. Batches of samples do not count each series they name: a producer keeps its
 * series alive by an epoch (below), and a batch holds one reference on that. The table must outlive
 * all. Any thread; the parts are locked for a few pointers' time. */
#ifndef TELEMETRY_SERIES_H
#define TELEMETRY_SERIES_H

#include "base/refcount.h"
#include "base/str.h"
#include "telemetry/labels.h"

struct series_table;

/* A value: `len` bytes of text. */
struct symbol {
    struct refs refs;
    u32 hash, len;
    struct symbol *next;
    char text[]; /* terminated */
};
static inline struct str symbol_str(const struct symbol *s)
{
    return str_n(s->text, s->len);
}

/* Sorted names. Shapes live as long as the table (they are few: bounded by SERIES_SHAPES_MAX, beyond
 * which making a series fails with NULL, told by series_table_stats). */
struct series_shape {
    u32 id; /* dense, from 0: index of what others compute per shape */
    u32 n;
    int name_at; /* place of __name__; -1 */
    u64 hash;
    struct series_shape *next;
    struct str names[]; /* bytewise order, unique, terminated */
};
#define SERIES_SHAPES_MAX 1000000

struct series {
    struct refs refs;
    u32 id; /* dense, from 1, reused after the series is gone: index of what others keep per series
               (who keeps something must hold a reference) */
    u64 hash; /* of names and values; stable in the process */
    struct series_shape *shape;
    struct series *next;
    u32 wire; /* bytes of its labels as remote write 1.0 fields (tag, length, Label), all of them */
    struct symbol *values[];
};

struct series_table *series_table_new(void);
/* A table of which series are left is left behind. Takes NULL. */
void series_table_free(struct series_table *t);
struct series_stats {
    size_t series, symbols, shapes, bytes; /* bytes: of all of them, without malloc's own */
    u32 top_id;                            /* ids are at most this */
};
void series_table_stats(const struct series_table *t, struct series_stats *ret);

/* The one series with these labels, sorted bytewise by name without doubles (a label_set is). A new
 * reference; NULL when memory (or shapes) is out. n may be 0. */
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
