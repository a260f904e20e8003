/* A body compiled once: sorted nodes with their references. An instance of it (runtime/module.h) is
 * an array of node states plus a scope. Today the only body is the root; modules and foreach will
 * compile their bodies with the same call.
 *
 * Nodes are sorted so that what a node refers to stands before it: the index is its rank. Immutable
 * once compiled, counted; owns the syntax trees. Control loop or tool. */
#ifndef RUNTIME_TEMPLATE_H
#define RUNTIME_TEMPLATE_H

#include "base/map.h"
#include "runtime/component.h"
#include "runtime/load.h"
#include "value/eval.h"

struct registry { /* what this build has; sorted by name */
    const struct component_def *const *all;
    size_t n;
};

/* A block that is no component: it has a schema and an effect at commit, but no data plane. */
struct config_def {
    struct component_def def; /* name, args (NULL: takes no block), plan_size, prepare */
    bool service; /* else a config block: other wording, evaluated even when it is not written */
    /* Control loop, in the commit turn, when the plan is another one than before. -errno and an
     * owned *ret_err become a warning. */
    int (*apply)(void *self, const void *args, const void *plan, char **ret_err);
};
struct config_use { /* a definition and whom it configures */
    const struct config_def *def;
    void *self;
};

enum node_kind { NODE_CONFIG, NODE_COMPONENT, NODE_SERVICE }; /* in order of diagnostics */

struct edge { /* one reference, as written */
    u32 to;
    struct span span;
    const struct row *from_row; /* the attribute it stands in; NULL: unknown */
    const struct row *to_row;   /* the export it reads; NULL: the whole node */
};

struct node {
    enum node_kind kind;
    u32 order;                       /* among nodes as written, for diagnostics */
    char *id;                        /* local id */
    const struct component_def *def; /* NULL only while compiling: unknown name */
    const struct config_use *config; /* NULL for components */
    const struct block *block;       /* NULL: a config block that was not written */
    struct edge *edges;              /* source order; several to one node are kept */
    size_t n_edges;
    u32 *deps, *users; /* without doubles: nodes it refers to, nodes that refer to it */
    size_t n_deps, n_users;
    bool has_errors;
};

struct template
{
    struct refs refs;
    struct arena arena;
    struct tree_set trees;
    struct node *nodes;
    size_t n;
    struct map by_id; /* id -> struct node * */
};

struct compile_opts {
    struct registry registry;
    const struct config_use *configs;
    size_t n_configs;
    const struct scope *stdlib;
    enum stability min_stability;
    bool community;
    bool check; /* `weir check`: wording of the checker, and prepare is tried with placeholders */
};

/* Takes the trees in every case. 0, or -EINVAL: every fault found is in diags (warnings also come
 * with 0). *ret is counted. Covers names, labels, duplicates, gates, bodies against their schema,
 * references, signals, cycles, and on faults prepare. */
int template_compile(const struct compile_opts *o, struct tree_set *trees, struct diags *diags,
                     struct template **ret);
struct template *template_ref(struct template *t);
void template_unref(struct template *t); /* takes NULL */
const struct node *template_node(const struct template *t, struct str id);

/* True when data flows from the one who refers to the one referred to (forward_to =
 * [sink.receiver]); signals say which. */
bool edge_is_flow(const struct edge *e);
u32 edge_signals(const struct edge *e);

#endif
