/* The labels of an entry on its way: the interned set it came with, and the changes that stages
 * noted. What they come to is remembered (struct label_memo): an entry whose stream had the same
 * changes before costs a comparison of these, not a set to build and to look up. One worker. */
#ifndef COMPONENTS_LOKI_PROCESS_ENTRY_LABELS_H
#define COMPONENTS_LOKI_PROCESS_ENTRY_LABELS_H

#include "base/vec.h"
#include "components/loki/process/stage.h"

enum change_kind { CHANGE_PUT, CHANGE_DEL, CHANGE_PUT_ALL, CHANGE_KEEP, CHANGE_DROP };
struct change {
    const void *at; /* PUT, DEL: text of the name; else a label_list */
    const char *value;
    size_t n_value;
    u32 n_name; /* 0 for lists */
    enum change_kind kind;
};

/* Results by what they were made of: direct-mapped, so it is bounded, and forgets. */
struct label_memo;
struct label_memo *label_memo_new(struct label_table *t);
void label_memo_free(struct label_memo *m); /* takes NULL */
/* Lists named by changes are about to go. */
void label_memo_clear(struct label_memo *m);

struct entry_labels {
    struct label_memo *memo;
    struct labels *base; /* borrowed */
    VEC(struct change) changes;
    u64 hash; /* of base and changes */
    struct label_set set;
    size_t applied; /* changes made in set; 0 when it is not loaded */
    bool loaded;
    struct labels *result; /* of all changes so far; NULL: not asked for */
    struct labels *own;    /* a reference on a result that the memo did not keep */
    u64 forgotten;         /* of the memo when result was found there */
};
void entry_labels_init(struct entry_labels *l, struct label_memo *m);
void entry_labels_done(struct entry_labels *l);
void entry_labels_begin(struct entry_labels *l, struct labels *base);
/* The set as a whole; see stage.h. */
struct labels *entry_labels_intern(struct entry_labels *l);
/* An array owned by l with the same changes as from, over the same base. */
void entry_labels_share(struct entry_labels *l, const struct entry_labels *from);

#endif
