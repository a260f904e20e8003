/* The engine of loki.process: stages as one flat program (the inner stages of a match follow it,
 * and an entry that does not match skips them), and a shard's run of it.
 *
 * A pipeline takes a batch entry by entry and gathers what comes out until somebody takes it. Acks:
 * what it gathers from a batch is sent as a derived batch; entries that stages hold keep references
 * on the acks of all batches whose lines they have. One worker. */
#ifndef COMPONENTS_LOKI_PROCESS_ENGINE_H
#define COMPONENTS_LOKI_PROCESS_ENGINE_H

#include "base/list.h"
#include "base/spin.h"
#include "components/loki/process/stage.h"

/* --- plan --- */
struct step {
    const struct stage_ops *ops;
    const void *plan;
    u32 skip; /* where an entry goes on that skips the inner stages */
};
struct pipeline_plan {
    struct step *steps;
    u32 n;
    struct str identity; /* of the configuration of all stages: equal texts, equal stages */
};
/* Faults to p->diags. 0 or -EINVAL. The stages' args live as long as the plan. */
int pipeline_prepare(struct prepare *p, const struct one_of_list *stages,
                     struct pipeline_plan *ret);

/* --- what the shards of an instance share: comp->shared --- */
struct process_shared {
    struct spin lock;
    struct list memories;
};
/* Before the first shard runs. */
void process_shared_init(struct process_shared *s);

/* --- counters of a shard that outlive its pipeline --- */
struct stage_counters;
struct stage_counters *stage_counters_new(struct shard *s);
void stage_counters_free(struct stage_counters *c); /* takes NULL */

/* --- run --- */
/* kick(arg) is called when something came out, or went on, outside of pipeline_feed and
 * pipeline_resume. plan is borrowed. */
struct pipeline *pipeline_new(struct shard *s, const struct pipeline_plan *plan,
                              struct stage_counters *c, void (*kick)(void *arg), void *arg);
/* What is held or waits is ABANDONED. Takes NULL. */
void pipeline_free(struct pipeline *p);
/* From now on by an equal plan; the old one is about to go. */
void pipeline_rebase(struct pipeline *p, const struct pipeline_plan *plan);

struct feed { /* how far a batch got */
    u32 stream, entry;
};
/* Entries of b from *at on. True: all. False: an entry waits, *at stands behind it; after
 * pipeline_wait_ns resume, then feed again. */
bool pipeline_feed(struct pipeline *p, struct batch *b, struct feed *at);
/* Entries that wait go on. True: none waits any more. */
bool pipeline_resume(struct pipeline *p);
bool pipeline_waits(const struct pipeline *p);
i64 pipeline_wait_ns(const struct pipeline *p);
/* Everything that is held comes out; with `all`, what waits too, whatever its stage says. */
void pipeline_flush(struct pipeline *p, bool all);
/* What came out so far as a batch of its own, *ret NULL when nothing did. -ENOMEM: nothing taken.
 */
int pipeline_take(struct pipeline *p, struct batch **ret) WARN_UNUSED;

#endif
