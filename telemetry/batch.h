/* A batch: what moves between components. Immutable once sealed, counted, passed by pointer; its
 * bytes are slices of counted root buffers.
 *
 * OTLP batches stay protobuf wire bytes: the slices, concatenated, are one Export*ServiceRequest. A
 * slice holds whole top-level fields, so that batches merge by concatenation. A transform makes a
 * new batch (batch_derive) that shares roots and acks; it may edit in place only when batch_sole().
 * Entries of the Loki family are a struct logs (telemetry/log_batch.h) in place of slices, samples of
 * the Prometheus family a struct samples (telemetry/sample_batch.h): which of them a receiver gets
 * follows from its capsule's type.
 * Ownership: one reference per holder. push() moves the caller's reference when it answers TAKEN.
 * Thread safe as far as counts go. */
#ifndef TELEMETRY_BATCH_H
#define TELEMETRY_BATCH_H

#include "base/blob.h"
#include "base/signal.h"
#include "telemetry/ack.h"

/* What a receiver knows of its client, for from_context, metadata_keys and include_metadata.
 * Counted, immutable. */
struct client_info {
    struct refs refs;
    char *peer_ip;
    struct {
        char *key, *value;
    } * metadata; /* keys lower case; several entries of one key allowed */
    size_t n_metadata;
    struct {
        char *key, *value;
    } * auth; /* attributes of the authenticated client */
    size_t n_auth;
};
struct client_info *client_info_new(struct str peer_ip);
void client_info_add(struct client_info *c, struct str key,
                     struct str value); /* before it is shared */
void client_info_add_auth(struct client_info *c, struct str key, struct str value);
struct client_info *client_info_ref(struct client_info *c);
void client_info_unref(struct client_info *c); /* takes NULL */

struct slice {
    const char *p;
    size_t n;
    u32 items;         /* spans, data points, log records */
    struct blob *root; /* what p points into; one reference per slice */
};

struct logs;
struct samples;
struct batch {
    struct refs refs;
    enum signal signal;
    bool sealed;
    bool own;  /* holds lines of this agent's own log: what is logged while it is handled is an echo
                */
    u32 items; /* sum over slices, or entries */
    size_t bytes;  /* payload length: sum over slices, or of the entries */
    size_t pinned; /* bytes of root buffers kept alive (each root once as far as known); what
                      budgets charge */
    struct slice *slices;
    u32 n_slices, cap_slices;
    struct logs *logs;       /* one reference, or NULL */
    struct samples *samples; /* one reference, or NULL; without both: slices */
    struct ack **acks;
    u32 n_acks, cap_acks;
    struct client_info *client; /* NULL: unknown or mixed */
    i64 received;               /* monotonic ns when the oldest part came in */
};

struct batch *batch_new(enum signal signal);
/* Empty batch of the same signal, client, age and origin that carries references on all acks of the
 * parent. */
struct batch *batch_derive(const struct batch *parent);
/* Adds a reference on root. Only before sealing. */
void batch_add_slice(struct batch *b, struct blob *root, const char *p, size_t n, u32 items);
void batch_add_ack(struct batch *b, struct ack *a); /* adds a reference */
/* Takes the reference; instead of slices, before sealing. */
void batch_set_logs(struct batch *b, struct logs *l);
void batch_set_samples(struct batch *b, struct samples *s);
/* Appends src's slices and acks to dst (merging): the data of both is one batch. client becomes
 * NULL when they differ. Slices only. */
void batch_append(struct batch *dst, const struct batch *src);
void batch_seal(struct batch *b);
struct batch *batch_ref(struct batch *b);
/* The last one drops the references on acks (completing them as recorded) and roots. Takes NULL. */
void batch_unref(struct batch *b);
bool batch_sole(struct batch *b);

/* A queue boundary took it: completes what waits for ACCEPTED, keeps what waits for DELIVERED. Only
 * for a batch the boundary solely holds; where it is shared (fan-out), use batch_accept on a
 * derived copy: see batch_own. */
void batch_accept(struct batch *b);
/* b itself when sole, else a derived batch with the same slices (b is unreferenced). The result may
 * be changed by its owner. */
struct batch *batch_own(struct batch *b);
/* Records an outcome on all its acks (not the references). */
void batch_fail(struct batch *b, enum ack_outcome outcome, const struct ack_failure *f);
/* Copies the payload into one new root when it uses less than a quarter of what it pins; -ENOMEM
 * leaves it. Owner only. */
int batch_compact(struct batch *b, struct budget *budget);

#endif
