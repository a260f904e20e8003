/* Inside of the data plane, for the files of runtime/ that make it up (docs/design/dataplane.md):
 * worker.c, instance.c, instance_stop.c, outbox.c, place.c, comp.c (control loop), shard.c,
 * waitq.c, sink.c, outlet.c, proxy.c, fanout.c (workers).
 *
 * Memory: instances, their shards and sinks are freed on the control loop only. A sink's capsule is
 * the counted thing that everybody else holds; its last reference travels to the control loop as a
 * message. So no other count is atomic. */
#ifndef RUNTIME_DATAPLANE_H
#define RUNTIME_DATAPLANE_H

#include <pthread.h>
#include <stdatomic.h>
#include "base/list.h"
#include "base/vec.h"
#include "runtime/dataplane/instance.h"

#define CACHE_LINE 64

/* --- workers --- */

struct worker_rt {
    struct worker pub;
    struct workers *set;
    pthread_t thread;
    bool started; /* control loop */
    u32 load;     /* ONE instances that live here; control loop */
};

struct workers {
    const struct host *host;
    struct loop *control;
    int n;
    struct worker_rt *all; /* [0]: the control loop; 1..n: the threads */
    u32 instances;         /* alive, zombies too; control loop */

    struct metric *refused, *dropped, *abandoned; /* batches */
};

/* Starts the thread unless it runs. Control loop. */
void worker_start(struct worker_rt *w);
/* What a shard may use: makes the HTTP client on first call. The worker's own thread. */
void worker_equip(struct worker_rt *w);

/* --- waiting for room --- */

struct waiter {
    struct list node; /* in one queue at most; initialised */
    /* Tries again. True when it met FULL and waits again; the waiter may be gone otherwise. */
    bool (*retry)(struct waiter *w);
};

/* Who was told FULL, in order. One loop. */
struct waitq {
    struct list waiting;
    struct msg msg;
    bool queued;
    struct loop *loop;
};
/* fn runs on the loop after waitq_kick; it calls waitq_run. */
void waitq_init(struct waitq *q, struct loop *loop, void (*fn)(struct msg *m));
void waitq_add(struct waitq *q, struct waiter *w);
void waiter_cancel(struct waiter *w);
/* There is room: lets waiters retry later in this turn. */
void waitq_kick(struct waitq *q);
/* Waiters retry in order until one meets FULL again; those behind it keep their places, it goes to
 * the end. */
void waitq_run(struct waitq *q);

/* --- shards --- */

enum shard_state {
    SHARD_NEW,    /* not run yet: pushes meet FULL */
    SHARD_FAILED, /* run failed: pushes fail, retryable */
    SHARD_RUNNING,
    SHARD_CLOSING,  /* told to stop; still takes what came before that through proxies */
    SHARD_STOPPING, /* def->stop was called */
    SHARD_STOPPED,  /* it said so; shard_done follows */
    SHARD_DONE,
};

struct instance;
struct shard_rt {
    struct shard pub;
    struct instance *inst;
    enum shard_state state;
    u32 held;          /* batches that proxies hold for this shard on its own worker */
    struct waitq room; /* who was told FULL by it */
    struct msg ready;  /* comp_ready from elsewhere */
    atomic_bool ready_posted;
    struct timer *closing; /* ends SHARD_CLOSING */
    bool ran;              /* self is the component's */
    /* Commands of the control loop, and their answers. */
    struct msg cmd, hurry, stop, expire, done, bye;
    struct plan *plan_next; /* of cmd */
    int rc;                 /* answer of cmd, and what was tried */
    const char *tried;
    i64 close_by; /* of stop: until when held batches are waited for */
    bool is_done; /* control loop: answered */
} __attribute__((aligned(CACHE_LINE)));

/* def->push, or the answer of a shard that does not take batches now. Worker of the shard. */
enum push shard_push(struct shard_rt *s, u32 port, struct batch *b);
/* A proxied batch was delivered or came to wait. Worker of the shard. */
void shard_hold(struct shard_rt *s);
void shard_unhold(struct shard_rt *s);
void shard_init(struct shard_rt *s, struct instance *i, struct worker_rt *w);
void shard_free(struct shard_rt *s);
/* Control loop: messages to the shard; answers are instance_shard_ran, _done and _bye. */
void shard_post_plan(struct shard_rt *s, struct plan *p);
void shard_post_hurry(struct shard_rt *s); /* once, before stop */
void shard_post_stop(struct shard_rt *s, i64 close_by);
void shard_post_expire(struct shard_rt *s);
/* Comes back when nothing that was posted to or deferred by the shard is on its way any more. */
void shard_post_bye(struct shard_rt *s);
void shard_post_ready(struct shard_rt *s); /* thread safe */

/* --- instances --- */

enum life { LIFE_NEW, LIFE_CREATED, LIFE_STARTED, LIFE_STOPPING };
enum step {
    STEP_IDLE,
    STEP_RETRY,  /* configure failed; the timer tries again */
    STEP_SHARDS, /* the target plan is with the shards */
};

/* News for the controller: written by any worker, read on the control loop; only the newest of each
 * kind counts. */
struct outbox {
    pthread_mutex_t lock;
    struct msg msg;
    bool posted;
    struct value exports; /* last published */
    u64 seq, told_seq;
    enum health health; /* last said */
    char *text;
    bool health_new;
    bool telling; /* control loop: an event is being delivered */
    bool closed;
};
void outbox_init(struct outbox *o);
void outbox_done(struct outbox *o);
/* True while its message is on the way. */
bool outbox_busy(struct outbox *o);
/* Releases the exports (they hold the instance's own sinks); later ones are not told. */
void outbox_close(struct outbox *o);

struct callback {
    void (*fn)(void *arg);
    void *arg;
};
typedef VEC(struct callback) callbacks;

struct instance {
    struct comp pub; /* first: instance_comp */
    struct workers *workers;
    struct instance_events ev;
    void *arg;
    struct shard_rt *shards;
    u32 n_shards;
    struct worker_rt *prefer; /* where its data goes: worker of its first ONE downstream, or NULL */
    VEC(struct capsule *) sinks; /* one reference each until it stops */
    u32 sinks_alive;             /* sinks whose capsule somebody holds */
    struct tap *tap;             /* of its id, once it was watched (tap.c); NULL */
    struct list tap_node;
    VEC(struct metric *) metrics;
    struct list series; /* of shards: series.c */
    struct outbox out;
    /* rollout of plans */
    enum life life;
    enum step step;
    struct plan *current, *target, *next; /* run by all shards; on its way; newest asked for */
    callbacks now, later;                 /* to be called for target; for next */
    struct timer *retry, *pending;
    i64 backoff;
    u32 waiting;                   /* shards that have not answered */
    const struct shard_rt *failed; /* the first that failed, or NULL */
    struct msg turn; /* what is to be done in a turn of its own: the next plan, or leaving */
    bool turn_queued;
    atomic_bool failing; /* configure fails: shards that never ran refuse instead of holding back */
    atomic_bool started; /* its workers' threads run */
    /* stop */
    struct callback gone;
    struct timer *deadline;
    u32 leaving; /* shards that have not answered stop, then bye */
    bool quiet;  /* every shard is done and no message is on the way */
    bool expired, gave_up, destroyed, gone_told;
};

static inline struct instance *instance_of(const struct comp *c)
{
    return container_of(c, struct instance, pub);
}

void instance_shard_ran(struct instance *i, struct shard_rt *s);
void instance_shard_done(struct instance *i, struct shard_rt *s);
void instance_shard_bye(struct instance *i);
/* Goes on with leaving when what it waited for has happened. May free the instance. */
void instance_settle(struct instance *i);
/* The timers and callbacks of a rollout, ended early. */
void instance_abort_rollout(struct instance *i);
void callbacks_run(callbacks *list);

/* Frees the series that shards have made. */
void instance_free_series(struct instance *i);

/* Decides the shards' workers from the definition and the sinks its arguments lead to. */
void place_instance(struct instance *i, const void *args);
void unplace_instance(struct instance *i);

/* --- sinks --- */

struct proxy;
struct sink {
    struct instance *inst;
    u32 port, signals;
    struct msg gone;
    /* [worker.index][shard]; each slot is touched by its sending worker only. */
    struct proxy **proxies;
};
/* The sink behind a capsule; NULL for other capsules and placeholders. */
struct sink *sink_of(const struct capsule *c);
/* Which shard takes this batch when it is on worker w. */
struct shard_rt *sink_route(const struct sink *k, const struct worker *w, const struct batch *b);

/* --- proxies: the way to a shard of another worker. Sending worker --- */

struct proxy *proxy_get(struct capsule *sink, struct worker *from, struct shard_rt *to);
void proxy_put(struct proxy *p);
enum push proxy_push(struct proxy *p, struct batch *b);
struct waitq *proxy_room(struct proxy *p);

/* --- outlets: one producer's binding to a sink, on one worker --- */

struct outlet {
    struct waiter waiter; /* retry is the holder's */
    struct capsule *sink; /* counted */
    struct worker *worker;
    struct logger *log;
    struct proxy **proxies; /* [shard], made on first use */
    bool warned;
};
void outlet_init(struct outlet *o, struct capsule *sink, struct worker *from, struct logger *log,
                 bool (*retry)(struct waiter *w));
void outlet_done(struct outlet *o);
/* As push; after FULL the waiter's retry is called when there is room. */
enum push outlet_push(struct outlet *o, struct batch *b);

#endif
