/* The inside of the engine: frames that entries run in, entries that are held, the pipeline. */
#ifndef COMPONENTS_LOKI_PROCESS_ENGINE_INT_H
#define COMPONENTS_LOKI_PROCESS_ENGINE_INT_H

#include "base/list.h"
#include "base/vec.h"
#include "components/common/log_tap.h"
#include "components/loki/process/engine.h"
#include "components/loki/process/entry_labels.h"
#include "components/loki/process/extracted.h"

typedef VEC(struct batch *) origins; /* of an entry: batches that carry its acks; references */

/* Where an entry runs, with what belongs to it. */
struct frame {
    struct entry e;
    struct entry_labels labels;
    struct arena scratch;
    struct str root;         /* its line as the batch has it: what lies in there needs no copy */
    struct held_entry *held; /* whose copy it is; NULL: the batch's */
    origins merged;          /* of held entries whose lines went into it */
};

struct held_entry {
    struct list node; /* among p->waiting, or p->held */
    struct frame f;
    struct pipeline *p;
    u32 at; /* where it goes on, when it waits */
    struct buf text;
    struct labels *base, *first; /* references: the stream, and the labels it began with */
    i64 charged;
    origins from;
};

struct pipeline {
    const struct pipeline_plan *plan;
    struct stage_run *runs;
    struct shard *shard;
    struct stage_counters *counters;
    struct label_memo *memo;
    void (*kick)(void *arg);
    void *arg;

    VEC(struct frame *) frames; /* of nested entries, by depth */
    size_t depth;
    struct batch *from;   /* being fed; a reference */
    struct batch *origin; /* its acks without its bytes; made when something is held */
    bool kept_roots;      /* the builder has the roots of from */

    struct log_builder *out;
    origins out_from; /* whose entries are in out */

    VEC(struct shared_memory *) shared; /* of its stages */

    struct list held;    /* by stages */
    struct list waiting; /* for room or time, in order */
    i64 wait_ns;
    bool forced; /* nothing waits */
    bool inside; /* feed, resume or flush is on the stack: its caller looks at what came out */
};

void frame_init(struct frame *f, struct pipeline *p);
void frame_done(struct frame *f);
/* Runs it from stage `at` on. False: it waits, *ret_at is where. */
bool pipeline_run(struct pipeline *p, struct frame *f, u32 at, u32 *ret_at);
void origins_add(origins *o, struct batch *b); /* takes a reference, unless it is there */
void origins_add_all(origins *o, const origins *from);
void origins_done(origins *o);
/* Adds the origins of the entry in f. */
void frame_origins(struct pipeline *p, const struct frame *f, origins *into);

/* Memory that the shards of an instance share, in its comp->shared. */
struct shared_memory;
void shared_leave(struct comp *c, struct shared_memory *m);

/* forced: whatever the budget says; never NULL then. */
struct held_entry *held_new(struct pipeline *p, const struct entry *e, bool forced);
void held_free(struct held_entry *h);
/* A copy of e waits at `at`. */
void pipeline_wait(struct pipeline *p, const struct entry *e, u32 at);
/* Its copy goes on at `at`, and is freed or waits. */
void held_run(struct held_entry *h, u32 at);

#endif
