/* Between the controller (graph, evaluation, reload: control loop) and the data plane (workers,
 * shards, sinks): the life of one instance.
 *
 * All calls are made on the control loop; answers come back there through the events. Shard calls
 * travel as messages on the owners' loops: the control lane is intrusive and never refused. At most
 * one apply is in flight per instance; later ones coalesce to the newest plan. */
#ifndef RUNTIME_INSTANCE_H
#define RUNTIME_INSTANCE_H

#include "runtime/component.h"

/* Arguments with their arena, and what prepare made of them. Counted: shards hold the one they run.
 */
struct plan {
    struct refs refs;
    struct arena arena;
    void *args; /* def->args->size bytes */
    void *data; /* def->plan_size bytes */
};
struct plan *plan_new(const struct component_def *def);
struct plan *plan_ref(struct plan *p);
void plan_unref(struct plan *p); /* takes NULL */

/* Worker threads. Started lazily: workers_new makes none of the threads wait on another. */
struct workers;
struct workers *workers_new(const struct host *host, int n, struct loop *control);
/* After every instance is gone: stops the loops and joins. A thread that does not end within two
 * seconds is left behind, with a log line. */
void workers_free(struct workers *w);

struct instance_events {
    /* The exports value is owned by the callee. seq grows per instance. */
    void (*exported)(void *arg, struct value exports, u64 seq);
    void (*health)(void *arg, enum health h,
                   const char *text); /* what the component says of itself */
    void (*run_health)(void *arg, enum health h,
                       const char *text); /* started, pending, run or configure failed */
    /* Optional: every shard drained or was given up; what it feeds may be stopped now. Before gone,
     * which waits for sink references too. */
    void (*stopped)(void *arg);
};

struct instance; /* starts with struct comp */
struct instance *instance_new(struct workers *w, const struct host *host,
                              const struct component_def *def, const char *id, const char *local_id,
                              struct logger *log, const struct instance_events *ev, void *arg);
struct comp *instance_comp(struct instance *i);
/* def->create with this plan (a reference is taken). Exports made here arrive through `exported`
 * before it returns. When it fails, destroy is not called: instance_discard follows. Also decides
 * the worker of a ONE instance, from the sinks in the plan's arguments. */
int instance_create(struct instance *i, struct plan *p, char **ret_err);
/* configure, then run on every shard. Never fails: trouble is run_health. started(arg) when all
 * shards ran or failed to. */
void instance_start(struct instance *i, void (*started)(void *arg), void *arg);
/* Later plan: configure, then apply on every shard; done when all have. Before instance_start it
 * takes the place of create's plan. */
void instance_apply(struct instance *i, struct plan *p, void (*done)(void *arg), void *arg);
bool instance_running(const struct instance *i);
/* Marks its listeners as leaving, so that a new owner of the same address may take them over;
 * before new instances are started. */
void instance_leave(struct instance *i);
/* What feeds it is about to stop, and it after that: it gathers and holds nothing for long any
 * more. Once, before instance_stop. */
void instance_hurry(struct instance *i);
/* Stops all shards (drain until `deadline`, monotonic ns; then what remains is ABANDONED, counted,
 * logged), then destroys the instance once no sink reference or ack is left or the deadline has
 * passed; gone(arg) last. The instance is invalid then. The caller drops its references on the
 * exports (they hold sinks). Callbacks of starts and applies still open are made before this
 * returns or, for what shards already have, before gone. */
void instance_stop(struct instance *i, i64 deadline, void (*gone)(void *arg), void *arg);
/* A built but never started instance. */
void instance_discard(struct instance *i);

#endif
