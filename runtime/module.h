/* An instance of a template: one state per node. The running
 * module is the controller's; a load builds another one beside it and either commits it or throws
 * it away. Node states outlive modules: those of unchanged ids move over. Control loop. */
#ifndef RUNTIME_MODULE_H
#define RUNTIME_MODULE_H

#include "runtime/health.h"
#include "runtime/instance.h"
#include "runtime/scope.h"
#include "runtime/template.h"

struct controller;
struct module;

struct node_state {
    struct controller *ctl;
    struct module *module; /* whose scope its exports go to; NULL once removed */
    u32 rank;              /* there */
    char *id;              /* global id */
    const struct component_def *def;
    const struct config_use *config;
    struct instance *instance; /* components, once built */
    struct plan *plan;         /* the arguments accepted last; NULL: none yet */
    struct value exports;      /* an object, or null before the first export */
    struct node_health health;
    struct logger *log;
    bool awaited; /* a start or an apply of the commit in flight */
    bool late;    /* ... that took longer than the commit waits */
    /* while it is being removed (teardown.c) */
    struct teardown *teardown;
    struct node_state **unblocks; /* removed nodes it refers to: they stop after it */
    size_t n_unblocks;
    u32 blocked_by;
    bool stopping;
};

struct module {
    struct template *tmpl;
    struct node_state **states; /* by rank */
    const struct scope *stdlib;
    char *module_path;
    u64 *dirty; /* bit set over ranks: to be evaluated again */
};

/* Takes the template. States are all NULL. */
struct module *module_new(struct template *t, const struct scope *stdlib, const char *module_path);
void module_free(struct module *m); /* not its states; takes NULL */
/* The state of a local id; NULL. */
struct node_state *module_find(const struct module *m, struct str id);

void module_mark_users(struct module *m,
                       u32 rank); /* everything that refers to this node is dirty */
/* Takes the lowest dirty rank off the set; false when none is left. */
bool module_next_dirty(struct module *m, u32 *ret_rank);
size_t module_count_dirty(const struct module *m);

struct node_state *node_state_new(struct controller *ctl, const struct node *n);
/* Not running: built at most. Takes NULL. */
void node_state_free(struct node_state *s);
/* What the node's expressions see now; export_scope_done it. */
void module_scope(const struct module *m, const struct node *n, struct export_scope *ret);

#endif
