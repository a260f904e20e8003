/* A module is an instance of a template: one state per node, and what each of them exports. It runs
 * in a home, which stays when a load puts another module there: the root's, that of each custom
 * component, of each child of a foreach, and of what an import brought.
 *
 * A load builds new modules beside the running ones and either commits them all or throws them
 * away. Node states outlive modules: those of unchanged ids move over. Control loop. */
#ifndef RUNTIME_MODULE_H
#define RUNTIME_MODULE_H

#include "runtime/health.h"
#include "runtime/dataplane/instance.h"
#include "runtime/scope.h"
#include "runtime/compile/template.h"

struct controller;
struct controller_metrics;
struct module;
struct node_state;

struct home {
    struct controller *ctl;
    struct node_state *owner; /* the node it stands below; NULL: the root, or the owner is gone */
    struct home *above;       /* where that stands; a reference */
    char *id;                 /* global: "", "mods.agent.default", "foreach.f/foreach_1_1" */
    struct logger *log;       /* controller_path, controller_id */
    const struct host *host;  /* the process's, or with a metrics registry nobody exposes */
    struct host *own_host;    /* ... that one; NULL */
    struct controller_metrics *series;
    struct module *module; /* that runs here; NULL before its first commit */
    u32 refs;              /* node states and owners that name it */
};

struct node_state {
    struct controller *ctl;
    struct home *home;
    struct module *module; /* it stands in; NULL once removed */
    u32 rank;              /* there */
    char *id;              /* global id */
    char *name;            /* of the block: "loki.write", "ns.agent" */
    enum node_kind kind;
    const struct component_def *def;
    const struct config_use *config;
    struct instance *instance; /* built-in components, once built */
    struct plan *plan;         /* the arguments accepted last; NULL: none yet */
    struct node_health health;
    struct logger *log;
    struct home **inner; /* homes below it; owned references */
    size_t n_inner;
    struct import_node *import; /* NODE_IMPORT (imports.h) */
    bool kept;                  /* while a load builds: taken over by the new module */
    bool failed;                /* its last evaluation */
    bool behind;                /* it has newer arguments, which only a load can follow */
    bool awaited;               /* a start or an apply of the commit in flight */
    bool late;                  /* ... that took longer than the commit waits */
    /* while it is being removed (teardown.c) */
    struct teardown *teardown;
    struct node_state **unblocks; /* removed nodes it refers to: they stop after it */
    size_t n_unblocks;
    u32 blocked_by;
    bool stopping;
};

struct module {
    struct template *tmpl;
    struct home *home;
    struct node_state **states;    /* by rank */
    struct value *exports;         /* by rank: an object, or null; what the others see */
    const struct module **imports; /* by rank: what an import brought; NULL: nothing did */
    const struct module *lexical;  /* of the body around this one; NULL: root, imported content */
    const struct scope *stdlib;
    char *module_path;
    struct value args;  /* what the caller gave, an object; null: nobody may give any */
    struct value item;  /* of a foreach's child: the variable's value */
    u64 *dirty;         /* bit set over ranks: to be evaluated again */
    u64 *touched;       /* bit set over ranks, while a load builds: exports not those of before */
    bool all_touched;   /* ... and neither are its variables */
    bool exports_dirty; /* an export block has another value than was handed on */
};

/* Takes the template. States are all NULL. */
struct module *module_new(struct template *t, struct home *home, const struct module *lexical,
                          const char *module_path);
void module_free(struct module *m); /* not its states; takes NULL */
/* The state of a local id; NULL. */
struct node_state *module_find(const struct module *m, struct str id);
/* The module of a body `up` levels around. */
const struct module *module_around(const struct module *m, u32 up);
/* What the import node of this rank brought; NULL. */
const struct module *module_imported(const struct module *m, u32 rank);
void module_set_imported(struct module *m, u32 rank, const struct module *content);
/* What the node's expressions see now; export_scope_done it. */
void module_scope(const struct module *m, const struct node *n, struct export_scope *ret);
/* The edge with what is known of it now that imports are there. */
struct edge module_edge(const struct module *m, const struct edge *e);
/* What its export blocks say, as an object in the order written; owned. plans: by rank, newer
 * arguments than the states'; may be NULL. */
struct value module_exports(const struct module *m, struct plan *const *plans);

/* --- sets of ranks --- */
static inline void rank_add(u64 *set, u32 rank)
{
    set[rank / 64] |= UINT64_C(1) << rank % 64;
}
static inline bool rank_has(const u64 *set, u32 rank)
{
    return set[rank / 64] >> rank % 64 & 1;
}
/* Everything that refers to this node is dirty. */
void module_mark_users(struct module *m, u32 rank);
/* All nodes of a kind, or all that read values of around, are dirty. */
void module_mark_kind(struct module *m, enum node_kind kind);
void module_mark_outer(struct module *m);
/* Takes the lowest dirty rank off the set; false when none is left. */
bool module_next_dirty(struct module *m, u32 *ret_rank);
size_t module_count_dirty(const struct module *m);

/* --- homes --- */
struct home *home_new(struct controller *ctl, struct node_state *owner, const char *id,
                      bool private_metrics);
struct home *home_ref(struct home *h);
void home_unref(struct home *h); /* takes NULL */
/* An id cut at its last slash, as logs and metrics show it: "/" and "" for the root. Owned. */
void home_split(const char *id, char **ret_path, char **ret_id);

/* --- states --- */
struct node_state *node_state_new(struct home *home, const struct node *n);
/* Not running: built at most. Takes NULL. */
void node_state_free(struct node_state *s);
/* Borrowed; null when it exports nothing or was removed. */
struct value node_state_exports(const struct node_state *s);
const struct node *node_state_node(const struct node_state *s); /* of its module */
/* Its id without that of its home: what logs of the home call it. */
const char *node_state_local_id(const struct node_state *s);
static inline bool node_state_is_component(const struct node_state *s)
{
    return s->kind == NODE_COMPONENT || s->kind == NODE_CUSTOM || s->kind == NODE_FOREACH;
}
/* Every state of a module and of the modules below it, rank order, an owner before what is below.
 */
void module_each(const struct module *m, void (*fn)(struct node_state *s, void *arg), void *arg);

#endif
