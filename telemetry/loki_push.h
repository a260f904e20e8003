/* Loki's push request: protobuf out and in, JSON in. Source of the format: logproto's PushRequest
 * (spec W.2), Loki's documented JSON body, and the label text of a Prometheus selector. Pure. */
#ifndef TELEMETRY_LOKI_PUSH_H
#define TELEMETRY_LOKI_PUSH_H

#include "base/arena.h"
#include "base/buf.h"
#include "telemetry/log_batch.h"

/* --- writing --- */

/* The text {a="b", c="d"} of labels in the order given; those that begin with "__" are left out. */
void loki_push_labels(struct buf *out, const struct label *v, size_t n);
/* Appends one entry as field 2 of a Stream. Errors stay in out (buf_err), nothing is added then. */
void loki_push_entry(struct buf *out, const struct log_entry *e);
/* Appends what stands before the entries of a Stream, the tag and length of the Stream itself in
 * front of it: `entries_bytes` of loki_push_entry must follow. */
void loki_push_stream_head(struct buf *out, struct str labels_text, size_t entries_bytes);
/* Appends one whole Stream {labels, entries}; several make a PushRequest by concatenation. 0,
 * -E2BIG at the buffer's limit, -ENOMEM: nothing was added. */
int loki_push_stream(struct buf *out, struct str labels_text, const struct log_entry *v, u32 n);
/* Bytes the entry counts for in a batch: line, and per metadata pair its protobuf size. */
size_t loki_push_entry_size(const struct log_entry *e);

/* --- reading: each entry is handed over with its stream; texts are views into the body (JSON: or
 * into scratch), valid until the reading call returns --- */

#define LOKI_PUSH_MAX_META 4096 /* pairs of one entry; more is refused */
struct loki_push_reader {
    /* A stream begins; what it returns goes to `entry`. NULL with *ret_err set (owned): its entries
     * are passed over, the other streams are read all the same. */
    void *(*stream)(void *arg, struct str labels_text, char **ret_err);
    /* From JSON: labels as pairs, in the order of the text, names may repeat. */
    void *(*stream_of)(void *arg, const struct label *v, size_t n, char **ret_err);
    /* 0, or a negative code that ends the reading and is returned as it is. */
    int (*entry)(void *arg, void *stream, const struct log_entry *e);
    void *arg;
};
/* 0; -EINVAL: all was read, but streams were refused, *ret_err (owned) is the last one's reason;
 * -EBADMSG: the body is broken (what was handed over before that is to be thrown away), *ret_err
 * says where; what `entry` answered (*ret_err untouched). */
int loki_push_read(struct str body, const struct loki_push_reader *r, char **ret_err);
int loki_push_read_json(struct str body, struct arena *scratch, const struct loki_push_reader *r,
                        char **ret_err);
/* The labels of a text {a="b", c="d"}, in its order: -EINVAL with an owned *ret_err in the words of
 * Loki's parser ("1:5: parse error: ..."). A name before the brace becomes __name__. Values are
 * views into text, or into scratch where they hold escapes. */
int loki_labels_parse(struct str text, struct arena *scratch, struct label **ret, size_t *ret_n,
                      char **ret_err);

#endif
