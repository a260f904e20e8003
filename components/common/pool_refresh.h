/* The life of a discovery that asks the system every so often, on a thread of the offload pool: a
 * look holds all that it needs, so that its owner may go while a name server or a file system
 * hangs; one look at a time is under way.
 *
 * struct pool_refresh is the first member of the shard's self; run, apply, stop and shard_done
 * below are the component's own. One worker (PLACE_ONE). */
#ifndef COMPONENTS_COMMON_POOL_REFRESH_H
#define COMPONENTS_COMMON_POOL_REFRESH_H

#include <stdatomic.h>
#include "base/arena.h"
#include "components/common/target_export.h"

struct pool_refresh;
struct pool_look {
    struct job job;
    struct pool_refresh *owner; /* NULL: nobody waits any more. Worker. */
    atomic_bool given_up;       /* end early, please */
    const struct pool_refresh_rules *rules;
    struct arena arena; /* what it needs, and what it found */
    void *state;        /* rules->look_size zeroed bytes, in arena */
};

struct pool_refresh_rules { /* one constant per component */
    size_t look_size;
    i64 (*interval)(const void *plan);
    /* Worker: copies what the look needs of the plan (which may go before the look ends). */
    void (*prepare)(struct pool_refresh *r, struct pool_look *l);
    void (*work)(struct pool_look *l); /* pool thread */
    /* Worker: exports what was found by target_export_set(&r->out, ...), and tells of faults. */
    void (*done)(struct pool_refresh *r, struct pool_look *l);
    /* Frees what state holds beside the arena, on whichever thread; may be NULL. */
    void (*release)(struct pool_look *l);
};

struct pool_refresh {
    struct shard *shard;
    const void *plan;
    const struct pool_refresh_rules *rules;
    struct target_export out;
    struct timer *timer;
    struct pool_look *running;
    bool again; /* asked for during the look */
};

/* Both answer 0. */
int pool_refresh_run(struct shard *s, const struct pool_refresh_rules *rules);
/* The old targets stay until the new ones are there. What the look of the old plan finds is not
 * heard. */
int pool_refresh_apply(struct shard *s, const void *plan);
/* Looks now, or once more after the look that is under way. */
void pool_refresh_now(struct pool_refresh *r);
void pool_refresh_stop(struct shard *s);
void pool_refresh_shard_done(struct shard *s);

#endif
