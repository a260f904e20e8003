/* Label sets of logs: sorted, one copy of each set in the process, counted. A set is built when its
 * first stream appears; later entries of the stream cost one lookup, comparing two sets is
 * comparing two pointers, and the text form is made once.
 *
 * Ownership: a set holds no reference on its table; the table must outlive it. Any thread. */
#ifndef TELEMETRY_LABELS_H
#define TELEMETRY_LABELS_H

#include "base/refcount.h"
#include "base/str.h"

struct label {
    struct str name, value;
};

struct label_table;
struct labels {
    struct refs refs;
    u32 n;
    const struct label *v; /* by name, bytewise; names are unique; texts are terminated */
    struct str text;       /* {a="b", c="d"}, values quoted as in Go: its identity in files */
    u64 hash;              /* stable across processes */
    struct label_table *table;
    struct labels *next; /* in the table's chain */
};

struct label_table *label_table_new(void);
/* A table of which sets are left (by a thread that never ended) is left behind. Takes NULL. */
void label_table_free(struct label_table *t);
/* How many sets there are. */
size_t label_table_count(const struct label_table *t);

/* The one set with these labels, in any order; of several with one name the last counts. A new
 * reference; NULL when memory is out. */
struct labels *labels_intern(struct label_table *t, const struct label *v, size_t n) WARN_UNUSED;
/* The same for labels that are sorted by name, bytewise, without doubles: a set that exists costs a
 * hash and a comparison. */
struct labels *labels_intern_sorted(struct label_table *t, const struct label *v,
                                    size_t n) WARN_UNUSED;
/* Appends the text form of sorted labels. */
struct buf;
void labels_write_text(const struct label *v, size_t n, struct buf *b);
struct labels *labels_ref(struct labels *l);
void labels_unref(struct labels *l); /* takes NULL */
/* The value; .p is NULL when there is no such label. */
struct str labels_get(const struct labels *l, struct str name);

#endif
