/* What sources of log entries share: entries are gathered into a batch, sent as one, and kept while
 * the outputs are full; the source pauses its input and is told when there is room.
 *
 * Embedded in the shard's self, used on its worker. */
#ifndef COMPONENTS_COMMON_LOG_SOURCE_H
#define COMPONENTS_COMMON_LOG_SOURCE_H

#include "runtime/component.h"
#include "telemetry/log_batch.h"

struct log_source {
    struct shard *shard;
    struct fanout *out;
    struct log_builder *builder;
    struct batch *held; /* sealed, waits for room */
    bool unsealed;      /* what the builder holds waits for memory, and its ack with it */
    struct ack *ack;
    struct timer *retry;
    void (*room)(void *arg); /* there is room again, and nothing is held */
    void *arg;
};
void log_source_init(struct log_source *ls, struct shard *s, const struct capsule_list *forward_to,
                     void (*room)(void *arg), void *arg);
void log_source_apply(struct log_source *ls, const struct capsule_list *forward_to);
void log_source_done(struct log_source *ls);

/* The builder to add entries to (log_builder_add and its kin). Do not add while blocked. */
static inline struct log_builder *log_source_builder(struct log_source *ls)
{
    return ls->builder;
}
/* Sends what was added, with this ack (the caller's reference moves; NULL: none), as one batch;
 * nothing added: nothing is sent and the ack is let go. True: taken. False: it is held, room()
 * comes; read on then. Not while blocked. */
bool log_source_send(struct log_source *ls, struct ack *ack);
/* Throws away what was added and not sent: it will be read again. */
void log_source_discard(struct log_source *ls);
/* Something is held, no memory was left, or a branch has no room: pause, room() comes. It may come
 * when nobody was blocked, too. */
bool log_source_blocked(const struct log_source *ls);
/* Nothing waits any more, in the branches either: a stop may end. Until then room() comes. */
bool log_source_idle(const struct log_source *ls);

#endif
