/* The controller: turns configuration text into running components and keeps them so. One per
 * process. Everything on the control loop.
 *
 * A load builds a complete module beside the running one: compile, evaluate and prepare every node,
 * create what is new. If anything fails, nothing was touched. Otherwise the commit, in the same
 * turn, swaps modules; starting, applying and stopping follow asynchronously, and until they have
 * settled no other load may begin. */
#ifndef RUNTIME_CONTROLLER_H
#define RUNTIME_CONTROLLER_H

#include "runtime/module.h"

struct controller_conf {
    const struct host *host;
    struct workers *workers;
    struct loop *loop;
    struct compile_opts compile;
    i64 removal_deadline; /* ns a component that a reload removes may take to stop */
};

struct controller *controller_new(const struct controller_conf *conf);
/* After controller_stop is done, or before any load. */
void controller_free(struct controller *c);

/* Takes the template, compiled with options like the controller's; warnings in diags are logged. 0;
 * -EINVAL and every fault found in diags (nothing changed); or -EINPROGRESS: modules must be
 * fetched first, and on_loaded tells how it went. Not while unsettled or stopping. */
int controller_load(struct controller *c, struct template *t, const char *module_path,
                    struct diags *diags);
/* fn tells the outcome of a load that answered -EINPROGRESS: 0 or -EINVAL; diags are borrowed. One
 * listener. */
void controller_on_loaded(struct controller *c, void (*fn)(void *arg, int err, struct diags *diags),
                          void *arg);
/* No load and no commit is under way. */
bool controller_settled(const struct controller *c);
/* What the last successful load did with the components, those in modules included. */
struct load_counts {
    u32 added, changed, removed, left; /* left: running on untouched */
};
struct load_counts controller_counts(const struct controller *c);
const struct compile_opts *controller_compile_opts(const struct controller *c);
/* fn runs whenever a commit has settled. One listener. */
void controller_on_settled(struct controller *c, void (*fn)(void *arg), void *arg);

/* Commit to the empty graph: everything stops, sources first, within an absolute monotonic
 * deadline. done(arg) at the end. */
void controller_stop(struct controller *c, i64 deadline, void (*done)(void *arg), void *arg);

bool controller_ready(const struct controller *c); /* a load has succeeded */
/* The running module; NULL before the first load. Valid during the turn. */
const struct module *controller_module(const struct controller *c);
/* A running module by its id ("" is the root, "mods.agent.default", "foreach.f/foreach_1_1"); what
 * an import holds is none. NULL. Valid during the turn. */
const struct module *controller_find_module(const struct controller *c, struct str id);
/* A node by its global id; NULL. Valid during the turn. */
struct node_state *controller_find(const struct controller *c, struct str global_id);

#endif
