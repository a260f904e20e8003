/* Components that change the labels of samples and nothing else: what became of a series is
 * remembered, so that a sample costs one lookup, and a batch of which no series changed is handed
 * on as it is. (components/common/label_stage.h is the same for log entries.)
 *
 * Embedded in the shard's self, used on its worker. */
#ifndef COMPONENTS_COMMON_SAMPLE_STAGE_H
#define COMPONENTS_COMMON_SAMPLE_STAGE_H

#include "base/lru.h"
#include "base/vec.h"
#include "components/common/log_stage.h"
#include "components/common/sample_output.h"
#include "telemetry/label_set.h"

/* Of one batch that was taken. */
struct sample_counts {
    u32 samples, written, hits, misses, deletes;
};
struct sample_stage {
    struct log_stage flow; /* which looks at no contents */
    const struct sample_output *output;
    struct sample_builder *builder;
    struct series_keeper keeper;
    struct lru *cache; /* from series to series, or NULL: dropped */
    struct label_set set;
    VEC(struct series *)
    outs; /* of the batch at hand: floats, histograms, exemplars; NULL: dropped */
    struct sample_counts n;
    const struct sample_stage_rules *rules;
    void *arg;
};
struct sample_stage_rules {
    /* Changes s, loaded with the labels of a series. False: its samples are dropped. */
    bool (*change)(void *arg, struct label_set *s);
    /* A batch was taken; may be NULL. */
    void (*taken)(void *arg, const struct sample_counts *n);
    bool shows; /* each sample is an item of live debugging */
};
/* In run. cache_max: series of all shards together; 0: no limit. */
void sample_stage_init(struct sample_stage *st, struct shard *s,
                       const struct sample_stage_rules *rules, void *arg,
                       const struct sample_output *output, u32 cache_max,
                       const struct capsule_list *forward_to);
/* In apply: forgets what became of series. */
void sample_stage_apply(struct sample_stage *st, u32 cache_max,
                        const struct capsule_list *forward_to);
/* In stop: log_stage_stop(&st->flow). In shard_done: */
void sample_stage_done(struct sample_stage *st);
/* In push. */
enum push sample_stage_push(struct sample_stage *st, struct batch *b);

#endif
