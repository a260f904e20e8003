/* The controller's own state, shared by the files that make it up: controller.c, generation*.c,
 * commit.c, commit_tell.c, removal.c, dirty.c, teardown.c, imports.c, controller_metrics.c. Nobody
 * else includes this. */
#ifndef RUNTIME_CONTROLLER_IMPL_H
#define RUNTIME_CONTROLLER_IMPL_H

#include "net/loop.h"
#include "runtime/controller.h"
#include "runtime/imports.h"

#define NESTING_MAX      64     /* modules inside modules */
#define MODULE_NODES_MAX 100000 /* nodes of all modules of a process: some 600 MiB */

/* A load that is under way: its attempts wait for what they must fetch. */
struct pending_load {
    struct template *tmpl; /* NULL: none */
    char *module_path;
    bool rebuild; /* of the configuration that runs: other content or items */
    bool wanted;  /* it takes the place of a rebuild that was wanted */
    struct fetches *fetches;
};

typedef VEC(struct node_state *) state_list;

struct controller {
    const struct host *host;
    struct workers *workers;
    struct loop *loop;
    struct compile_opts compile;
    i64 removal_deadline;
    struct logger *log; /* controller_path, controller_id */
    struct home *root;
    bool evaluating;
    bool stopping;

    struct pending_load load;
    void (*on_loaded)(void *arg, int err, struct diags *diags);
    void *on_loaded_arg;
    struct load_counts counts; /* of the last commit */

    struct msg turn; /* re-evaluation of what is dirty */
    bool turn_posted;
    i64 dirty_since; /* when the turn was posted */
    struct msg rebuild, resume;
    bool rebuild_posted, rebuild_wanted;

    /* the commit in flight */
    u32 awaited; /* starts and applies not yet answered */
    bool committing;
    struct timer *commit_timer;
    state_list removed; /* stopped once the new ones run */
    void (*on_settled)(void *arg);
    void *on_settled_arg;
    u32 teardowns; /* running */
    void (*on_stopped)(void *arg);
    void *on_stopped_arg;
};

/* --- generation.c: modules beside the running ones --- */

struct generation;
struct change { /* what the commit will make of one node */
    bool fresh; /* created for this generation */
    bool evaluated;
    struct imported *imported;
    struct generation *inner; /* modules below it */
    size_t n_inner;
};
struct generation {
    struct home *home; /* a reference */
    struct module *module;
    struct change *changes; /* by rank */
    struct plan **plans;    /* by rank: new arguments of a node that stays; NULL: unchanged */
};

/* An import around what is being built, innermost first. On the stack of who builds it. */
struct importing {
    const struct importing *above;
    const struct component_def *def;
    const struct plan *plan;
};

/* One attempt of a load, shared by the modules it builds. */
struct build {
    struct controller *c;
    struct diags *diags;
    bool rebuild;
    bool waits; /* something must be fetched first */
    u32 depth;
    size_t nodes;
    const struct importing *importing; /* whose content is being built; NULL: no import's */
    char trace_id[33];
};

/* Takes a reference on the template. 0; -EINPROGRESS: fetches are under way; or -EINVAL with diags.
 * Unless 0, everything made is gone again. */
int generation_build(struct controller *c, const struct pending_load *load, struct generation *ret,
                     struct diags *diags);
/* Evaluates all nodes of g, whose home and module are set. Faults go to b->diags. */
void generation_fill(struct build *b, struct generation *g);
void generation_discard(struct generation *g); /* as if it had never been built */
void generation_done(struct generation *g);    /* after the commit: the arrays only */
/* The newest arguments of a node: of the change, else of the state. */
const struct plan *generation_plan(const struct generation *g, u32 rank);
/* A module below a node: where, of what, with what. All borrowed. */
struct below {
    const char *id; /* of its home, which is kept by id */
    bool private_metrics;
    struct template *tmpl;
    const struct module *lexical;
    const char *module_path;
    struct value args, item;
};
/* Adds it, not filled yet; NULL with a fault when there are too many of them. */
struct generation *generation_below(struct build *b, struct generation *g, u32 rank,
                                    const struct below *what);
void generation_touch(struct generation *g, u32 rank, struct value exports); /* takes exports */

/* --- generation_inner.c: nodes with modules below them --- */
void generation_custom(struct build *b, struct generation *g, u32 rank);
void generation_foreach(struct build *b, struct generation *g, u32 rank);
void generation_import(struct build *b, struct generation *g, u32 rank);

/* --- evaluate.c: a node's arguments and its plan --- */
/* 0 and an owned plan, or -EINVAL with diags. */
int node_evaluate(const struct module *m, const struct node *n, struct logger *log,
                  struct plan **ret, struct diags *diags);
/* Whether p differs from what the state has. */
bool node_changed(const struct node_state *s, const struct plan *p);
void node_evaluated(struct node_state *s, const struct diags *faults); /* health; NULL: fine */
void node_log_fault(struct node_state *s, const struct diags *faults);
/* An argument block's value: what the caller gave, or its default. 0 and an owned exports object;
 * or -EINVAL. */
int node_argument(const struct module *m, const struct node *n, const struct plan *p,
                  struct value *ret, struct diags *diags);
/* The fault of a node that is not the fault of an expression. */
void node_fault(struct diags *diags, const struct node *n, const char *fmt, ...) PRINTF(3, 4);

/* --- commit.c --- */
void commit(struct controller *c, struct generation *g);
void commit_waited_enough(void *controller); /* the timer: settles whatever has answered */
void commit_nothing(struct controller *c, i64 deadline); /* to the empty graph */
void node_apply_take(struct node_state *s, struct plan *p,
                     bool awaited); /* makes p the state's arguments */

/* --- commit_tell.c --- */
/* Counts and logs what the commit is about to do; c->removed is collected. */
void commit_tell(struct controller *c, const struct generation *g);

/* --- removal.c --- */
/* Before a swap: what no new module has taken over (`kept`), in an order where users follow what
 * they use, with links between them for the stop. */
void removal_collect(struct controller *c);
/* After it: they belong to no module any more, and give up their addresses. */
void removal_detach(struct controller *c);

/* --- teardown.c: stops removed nodes in order, then frees them. The list is taken and emptied. ---
 */
void teardown_start(struct controller *c, state_list *states, i64 deadline);
void teardown_drained(struct node_state *s); /* every shard of it has stopped */

/* --- controller.c --- */
/* Builds the configuration that runs once more, because a module or the items of a foreach changed;
 * soon, or once the load under way is done. */
void controller_rebuild(struct controller *c);

/* --- events of instances (dirty.c) --- */
extern const struct instance_events controller_instance_events;

/* --- controller_metrics.c --- */
struct controller_metrics *controller_metrics_new(struct home *h);
void controller_metrics_free(struct controller_metrics *m);
void controller_metrics_reevaluated(struct controller_metrics *m, i64 waited, i64 took);
void controller_metrics_committed(struct home *h); /* the series of the graph's edges */

#endif
