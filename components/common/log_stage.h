/* The life of a component that takes log entries and hands on what it makes of them at once: a
 * fan-out, a timer for when there is no memory, and a stop that waits for what a branch still holds.
 * (components/common/otel_stage.h is the same for OTLP.)
 *
 * Embedded in the shard's self, used on its worker. */
#ifndef COMPONENTS_COMMON_LOG_STAGE_H
#define COMPONENTS_COMMON_LOG_STAGE_H

#include "runtime/component.h"
#include "telemetry/log_batch.h"

struct log_stage {
    struct shard *shard;
    struct fanout *out;
    struct timer *retry;
    bool stopping, stopped;
    /* Optional: called when the outputs take again, before the senders are woken. */
    void (*ready)(void *arg);
    void *arg;
};
/* In run. */
void log_stage_init(struct log_stage *st, struct shard *s, const struct capsule_list *forward_to);
/* In apply. */
void log_stage_apply(struct log_stage *st, const struct capsule_list *forward_to);
/* In stop: answers at once, or when the outputs hold nothing any more. */
void log_stage_stop(struct log_stage *st);
/* In shard_done. */
void log_stage_done(struct log_stage *st);

/* A shard's part of a limit that holds for all of them: at least 1; of 0 (no limit) 0. */
static inline u32 stage_share(const struct shard *s, u32 max)
{
    u32 shards = MAX(comp_shards(s->comp), 1u);

    return max / shards + (max % shards > 0);
}

bool log_stage_full(const struct log_stage *st);
/* For push when there was no memory: FULL, and ready again in a moment. */
enum push log_stage_wait(struct log_stage *st);
/* For push when `from` became `made` (owned): sends it on and lets go of `from`; FULL leaves `from`
 * to its sender, who brings it again. */
enum push log_stage_push(struct log_stage *st, struct batch *from, struct batch *made);
/* Seals b's entries into a batch derived from `from` and sends that as above; nothing in it: `from`
 * is done with (its acks complete as recorded). b is empty afterwards. */
enum push log_stage_push_built(struct log_stage *st, struct batch *from, struct log_builder *b);

#endif
