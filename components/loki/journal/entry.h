/* Fields of a journal entry as a log entry: labels for the relabel rules, and the line. Knows
 * nothing of the library that reads journals. Spec: pipelines A.7. */
#ifndef COMPONENTS_LOKI_JOURNAL_ENTRY_H
#define COMPONENTS_LOKI_JOURNAL_ENTRY_H

#include "base/buf.h"
#include "components/common/relabel.h"
#include "telemetry/label_set.h"

/* NAME=value, as journals keep them; of a name that occurs more than once the last counts. */
struct journal_fields {
    struct label *v;
    size_t n, cap;
    struct buf text; /* names and values lie here, at offsets until journal_fields_settle */
};
void journal_fields_init(struct journal_fields *f, size_t max_bytes);
void journal_fields_done(struct journal_fields *f);
void journal_fields_reset(struct journal_fields *f);
/* Copies one; what has no = or no name is no field. */
void journal_fields_add(struct journal_fields *f, struct str data);
/* After the last: sorted by name, without doubles. -E2BIG when they are more than max_bytes, or
 * -ENOMEM. */
int journal_fields_settle(struct journal_fields *f);
struct str journal_fields_get(const struct journal_fields *f, struct str name);

enum journal_outcome {
    JOURNAL_ENTRY,
    JOURNAL_NO_MESSAGE,
    JOURNAL_NO_LABELS,
    JOURNAL_NO_MEMORY,
};
struct journal_format {
    bool json;
    const struct str_map *labels; /* of the configuration */
    struct str job;
    const struct relabel *rules;
};
/* The labels of an entry into `set` (stripped), its line into *ret_line: a slice of f or of
 * `scratch`. */
enum journal_outcome journal_entry(const struct journal_format *fmt, const struct journal_fields *f,
                                   struct label_set *set, struct buf *scratch, struct str *ret_line,
                                   bool *ret_limited);

#endif
