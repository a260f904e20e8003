/* The life of a component that hands on what it makes of a batch at once: outputs, one timer for
 * when there is no memory, and a stop that waits for what a branch still holds.
 *
 * struct otel_stage is embedded in the shard's self and used on its worker. Not for components that
 * gather (processor.batch): they have more to wait for than their outputs. */
#ifndef COMPONENTS_COMMON_OTEL_STAGE_H
#define COMPONENTS_COMMON_OTEL_STAGE_H

#include "components/common/otel_output.h"

struct otel_stage {
    struct shard *shard;
    struct otel_outputs out;
    struct timer *retry;
    bool stopping, stopped;
};

/* In run. `output` is the plan's. */
void otel_stage_init(struct otel_stage *st, struct shard *s, const struct otel_output *output);
/* In apply: leads to other consumers, and says that batches may come again. */
void otel_stage_apply(struct otel_stage *st, const struct otel_output *output);
/* In stop: answers at once, or when the outputs hold nothing any more. */
void otel_stage_stop(struct otel_stage *st);
/* In shard_done. */
void otel_stage_done(struct otel_stage *st);

/* For push when there was no memory: FULL, and ready again in a moment. */
enum push otel_stage_wait(struct otel_stage *st);
/* For push when `from` became `made` (owned): sends it on and lets go of `from`; FULL leaves `from`
 * to its sender, who brings it again. */
enum push otel_stage_push(struct otel_stage *st, struct batch *from, struct batch *made);
/* For push when `b` can be used neither now nor later: logs the sentence, fails its acks with `why`
 * and takes it. */
enum push otel_stage_refuse(struct otel_stage *st, struct batch *b, const char *sentence,
                            const char *why);

#endif
