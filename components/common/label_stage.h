/* Components that change the labels of log entries and nothing else: what became of a label set is
 * remembered, so that a stream costs one lookup a batch, and a batch of which no set changed is
 * handed on as it is.
 *
 * Embedded in the shard's self, used on its worker. */
#ifndef COMPONENTS_COMMON_LABEL_STAGE_H
#define COMPONENTS_COMMON_LABEL_STAGE_H

#include "base/lru.h"
#include "base/vec.h"
#include "components/common/log_stage.h"
#include "telemetry/label_set.h"

/* Of one batch that was taken. */
struct label_counts {
    u32 entries, written, hits, misses;
};
struct label_stage {
    struct log_stage log;
    struct log_builder *builder;
    struct lru *cache; /* from label sets to label sets, or NULL: dropped */
    struct label_set set;
    VEC(struct labels *) outs; /* of the batch at hand, one a stream; NULL: dropped */
    const struct label_stage_rules *rules;
    void *arg;
};
struct label_stage_rules {
    /* Changes s, loaded with a set. False: entries with it are dropped. */
    bool (*change)(void *arg, struct label_set *s);
    /* A batch was taken; may be NULL. */
    void (*taken)(void *arg, const struct label_counts *n);
    bool keeps_empty; /* entries without any label are handed on */
    bool shows;       /* each entry is an item of live debugging */
};
/* In run. cache_max: entries of all shards together. */
void label_stage_init(struct label_stage *st, struct shard *s,
                      const struct label_stage_rules *rules, void *arg, u32 cache_max,
                      const struct capsule_list *forward_to);
/* In apply: forgets what became of label sets. */
void label_stage_apply(struct label_stage *st, u32 cache_max,
                       const struct capsule_list *forward_to);
/* In stop: log_stage_stop(&st->log). In shard_done: */
void label_stage_done(struct label_stage *st);
/* In push. */
enum push label_stage_push(struct label_stage *st, struct batch *b);

#endif
