/* The controller's own state, shared by the files that make it up: controller.c, generation.c,
 * commit.c, dirty.c, teardown.c, self_metrics.c. Nobody else includes this. */
#ifndef RUNTIME_CONTROLLER_IMPL_H
#define RUNTIME_CONTROLLER_IMPL_H

#include "net/loop.h"
#include "runtime/controller.h"

struct controller {
    const struct host *host;
    struct workers *workers;
    struct loop *loop;
    struct compile_opts compile;
    i64 removal_deadline;
    struct logger *log; /* controller_path, controller_id */
    struct module *module;
    struct load_counts counts; /* of the last commit */
    bool evaluating;
    bool stopping;

    struct msg turn; /* re-evaluation of what is dirty */
    bool turn_posted;
    i64 dirty_since; /* when the turn was posted */

    /* the commit in flight */
    u32 awaited; /* starts and applies not yet answered */
    bool committing;
    struct timer *commit_timer;
    struct node_state **removed; /* stopped once the new ones run */
    size_t n_removed;
    void (*on_settled)(void *arg);
    void *on_settled_arg;
    u32 teardowns; /* running */
    void (*on_stopped)(void *arg);
    void *on_stopped_arg;

    struct controller_metrics *metrics;
};

/* --- generation.c: a module beside the running one --- */
struct generation {
    struct module *module;
    struct plan **plans; /* by rank: new arguments of a node that stays; NULL: unchanged */
    bool *fresh;         /* by rank: created for this generation */
};
/* Takes the template. 0, or -EINVAL with diags; everything made is gone again then. */
int generation_build(struct controller *c, struct template *t, const char *module_path,
                     struct generation *ret, struct diags *diags);
void generation_done(struct generation *g); /* the arrays only */

/* --- evaluate.c: a node's arguments and its plan --- */
/* 0 and an owned plan, or -EINVAL with diags. */
int node_evaluate(struct controller *c, const struct module *m, const struct node *n,
                  struct logger *log, struct plan **ret, struct diags *diags);
/* Whether p differs from what the state has. */
bool node_changed(const struct node_state *s, const struct plan *p);
void node_evaluated(struct node_state *s,
                    const struct diags *faults); /* health; faults NULL: fine */

/* --- commit.c --- */
void commit(struct controller *c, struct generation *g);
void commit_waited_enough(void *controller); /* the timer: settles whatever has answered */
void commit_nothing(struct controller *c, i64 deadline); /* to the empty graph */
void node_apply_take(struct node_state *s, struct plan *p,
                     bool awaited); /* makes p the state's arguments */

/* --- teardown.c: stops removed nodes in order, then frees them. states (taken) were in module m,
 * ascending ranks. --- */
void teardown_start(struct controller *c, struct node_state **states, size_t n, i64 deadline);
void teardown_drained(struct node_state *s); /* every shard of it has stopped */

/* --- events of instances (dirty.c) --- */
extern const struct instance_events controller_instance_events;

/* --- self_metrics.c --- */
struct controller_metrics *controller_metrics_new(struct controller *c);
void controller_metrics_free(struct controller_metrics *m);
void controller_metrics_reevaluated(struct controller_metrics *m, i64 waited, i64 took);
void controller_metrics_committed(struct controller *c); /* the series of the graph's edges */

#endif
