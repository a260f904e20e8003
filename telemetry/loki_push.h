/* Loki's push request: protobuf out and in, JSON in. Source of the format: logproto's PushRequest
 * (spec W.2), and Loki's documented JSON body. Pure. */
#ifndef TELEMETRY_LOKI_PUSH_H
#define TELEMETRY_LOKI_PUSH_H

#include "base/buf.h"
#include "telemetry/log_batch.h"

/* Appends one Stream {labels, entries} of the request; several make a PushRequest by concatenation.
 * Labels that begin with "__" are left out of the text. -E2BIG at the buffer's limit. */
int loki_push_stream(struct buf *out, struct str labels_text, const struct log_entry *v, u32 n);
/* Bytes the entry counts for in a batch: line, and per metadata pair its protobuf size. */
size_t loki_push_entry_size(const struct log_entry *e);

/* Reading: each entry is handed over with its stream's labels text, views into the body. */
struct loki_push_reader {
    /* A stream begins; what it returns goes to `entry` (NULL with *ret_err set, owned: refuse). */
    void *(*stream)(void *arg, struct str labels_text, char **ret_err);
    /* From JSON: labels as pairs. */
    void *(*stream_of)(void *arg, const struct label *v, size_t n, char **ret_err);
    int (*entry)(void *arg, void *stream, const struct log_entry *e);
    void *arg;
};
int loki_push_read(struct str body, const struct loki_push_reader *r, char **ret_err);
int loki_push_read_json(struct str body, struct arena *scratch, const struct loki_push_reader *r,
                        char **ret_err);
/* The labels of a text {a="b", c="d"}: -EINVAL with an owned *ret_err in Loki's words. */
int loki_labels_parse(struct str text, struct arena *scratch, struct label **ret, size_t *ret_n,
                      char **ret_err);

#endif
