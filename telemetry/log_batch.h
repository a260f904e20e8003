/* Logs in a batch: entries grouped by their stream, that is by interned label set. What
 * loki.LogsReceiver takes; OTLP logs stay wire bytes (telemetry/batch.h).
 *
 * A struct logs is immutable and counted; the batches that carry it hold one reference each, so
 * fan-outs and queue boundaries copy a pointer. Bytes of lines and metadata are slices of counted
 * root buffers: a transform builds new entries over the roots of the batch it was given.
 * Within a stream entries keep their order; between streams of a batch there is none.
 * Threads: a builder belongs to one; what it made may be shared. */
#ifndef TELEMETRY_LOG_BATCH_H
#define TELEMETRY_LOG_BATCH_H

#include "telemetry/batch.h"
#include "telemetry/labels.h"

struct log_entry {
    i64 time; /* ns since 1970 */
    struct str line;
    const struct label *meta; /* structured metadata, in order, names may repeat */
    u32 n_meta;
};
struct log_stream {
    struct labels *labels;
    const struct log_entry *v;
    u32 n;
};
struct logs {
    struct refs refs;
    struct budget *budget; /* charged with `charged` for the arrays; roots charge themselves */
    size_t charged;
    u32 items;    /* entries */
    size_t bytes; /* lines and metadata */
    size_t pinned;
    struct log_stream *streams;
    u32 n_streams;
    struct log_entry *entries; /* of all streams */
    struct blob **roots;
    u32 n_roots;
};
struct logs *logs_ref(struct logs *l);
void logs_unref(struct logs *l); /* takes NULL */
/* The same entries over roots of their own; for who keeps little of a lot. -ENOMEM. */
int logs_compact(const struct logs *l, struct budget *budget, struct logs **ret) WARN_UNUSED;
/* Bytes an entry counts for. */
size_t log_entry_bytes(const struct log_entry *e);

struct log_builder;
/* budget may be NULL. */
struct log_builder *log_builder_new(struct budget *budget);
void log_builder_free(struct log_builder *b); /* takes NULL */
/* Entries added later may point into this root, or into what this batch carries. */
void log_builder_keep(struct log_builder *b, struct blob *root);
void log_builder_keep_logs(struct log_builder *b, const struct logs *l);
/* Adds one entry; its line, metadata array and texts are copied, or, for _slice, lie in something
 * kept. A reference on labels is taken. -ENOMEM when memory or the budget is out: not added. */
int log_builder_add(struct log_builder *b, struct labels *labels,
                    const struct log_entry *e) WARN_UNUSED;
int log_builder_add_slice(struct log_builder *b, struct labels *labels,
                          const struct log_entry *e) WARN_UNUSED;
u32 log_builder_items(const struct log_builder *b);
size_t log_builder_bytes(const struct log_builder *b);
/* Moves everything into `into`, a fresh batch of SIGNAL_LOGS (batch_new, or batch_derive of the
 * batch it was made from), and seals it. The builder is empty then. -ENOMEM leaves both. */
int log_builder_seal(struct log_builder *b, struct batch *into) WARN_UNUSED;

#endif
