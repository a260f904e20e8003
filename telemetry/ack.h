/* Acknowledgements: what became of a batch, told to its source on the source's own loop.
 *
 * An ack is counted: every batch that carries its data, in whole or part, holds a reference.
 * Dropping the last reference completes it with the worst outcome that anyone recorded (OK when
 * nobody did). Waiting for ACCEPTED ends where a queue boundary takes the batch (receivers);
 * waiting for DELIVERED ends at the endpoint or a durable log (positions). Thread safe. */
#ifndef TELEMETRY_ACK_H
#define TELEMETRY_ACK_H

#include "base/refcount.h"
#include "base/str.h"
#include "net/loop.h"

enum ack_outcome {
    ACK_OK,
    ACK_DROPPED,   /* by configuration or policy, counted; completes */
    ACK_FAILED,    /* see struct ack_failure */
    ACK_ABANDONED, /* shut down before it was known; no position may pass it */
};
enum ack_stage { ACK_ACCEPTED, ACK_DELIVERED };

struct ack_failure {
    bool retryable;   /* the same data may succeed later */
    int grpc_code;    /* enum grpc_code of net/grpc.h; 0: the error carries no status */
    i64 retry_delay;  /* ns the peer asked to wait; 0: none */
    const char *text; /* for people; copied by ack_fail */
};

struct ack;
typedef void (*ack_fn)(
    void *arg, enum ack_outcome outcome,
    const struct ack_failure *f); /* f: NULL unless ACK_FAILED; valid during the call */

/* fn(arg, ...) runs exactly once, on loop, never from within the call that completes it. */
struct ack *ack_new(enum ack_stage stage, struct loop *loop, ack_fn fn, void *arg);
struct ack *ack_ref(struct ack *a);
void ack_unref(struct ack *a); /* "my part is fine, or is recorded" */
enum ack_stage ack_stage(const struct ack *a);
/* Records an outcome; the worst wins. Does not drop the reference. */
void ack_fail(struct ack *a, enum ack_outcome outcome, const struct ack_failure *f);

#endif
