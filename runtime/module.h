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
struct controller_metrics;
struct module;
struct node_state;

/* Where a module runs: stays when a load puts a new module there. The root has one, each custom
 * component one, each child of a foreach one, and what an import brought one. */
struct home {
    struct controller *ctl;
    struct node_state *owner; /* the node it stands below; NULL: the root */
    char *id;           /* global: "" for the root, "mods.agent.default", "foreach.f/foreach_1_1" */
    struct logger *log; /* controller_path, controller_id */
    struct metrics *metrics; /* where its components' series go */
    bool private_metrics;    /* ... which nobody exposes (foreach without enable_metrics) */
    struct controller_metrics *series;
    struct module *module; /* that runs here; NULL before its first commit */
    u32 users;             /* node states that name it */
};

/* What an import node holds. */
struct import_state {
    struct import_content *content;
    struct template *tmpl; /* compiled of it; empty when it could not be used */
    struct import_watch *watch;
};

struct node_state {
    struct controller *ctl;
    struct home *home;
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
    struct home *
        *inner; /* modules below it: a custom component's, a foreach's children, an import's */
    size_t n_inner;
    struct import_state *import; /* NODE_IMPORT */
    bool awaited;                /* a start or an apply of the commit in flight */
    bool late;                   /* ... that took longer than the commit waits */
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
    struct home *home;
    const struct module *lexical; /* of the body around this one; NULL: root, imported content */
    struct value args;            /* what the caller gave; an object */
    struct value item;            /* TEMPLATE_FOREACH: the variable's value */
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
