/* What one batcher of otelcol.processor.batch has taken and not sent: batches in order of arrival,
 * merged and cut to size when they leave. Embedded: pending_init / pending_done. Owner: the
 * batcher; one worker. */
#ifndef COMPONENTS_OTELCOL_BATCH_PENDING_H
#define COMPONENTS_OTELCOL_BATCH_PENDING_H

#include "base/vec.h"
#include "telemetry/batch.h"
#include "telemetry/otlp_cut.h"

struct pending {
    VEC(struct batch *) list;
    size_t head;          /* list[0 .. head) has left */
    struct otlp_cut *cut; /* rest of a batch that left in part; stands before list[head] */
    u64 items;
};

void pending_init(struct pending *p);
/* What is still there completes with the outcome. */
void pending_done(struct pending *p, enum ack_outcome outcome);
/* Moves the caller's reference; b is owned and sealed. */
void pending_add(struct pending *p, struct batch *b);
/* The first max items (0: all) as one sealed batch whose client is `client` (may be NULL). Copied
 * bytes are charged to budget. -ENOMEM: nothing left. Call only while items > 0. */
int pending_take(struct pending *p, u64 max, struct client_info *client, struct budget *budget,
                 struct batch **ret);

#endif
