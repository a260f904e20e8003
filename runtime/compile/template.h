/* A body compiled once: sorted nodes with their references. An instance of it (runtime/module.h) is
 * an array of node states plus a scope. Bodies are the root's, a declare's, a foreach's template,
 * and imported content; all are compiled by the same passes.
 *
 * A body sees the declares and imports of the bodies around it (lexically), up to imported content,
 * which sees only its own. Values of around it are seen by the template of a foreach alone; such
 * references say how many bodies they lead out (`up`).
 *
 * Nodes are sorted so that what a node refers to stands before it: the index is its rank. Immutable
 * once compiled but for declares, which compile when they are first asked for. A template and all
 * those inside it are one unit with one lifetime: a reference to any of them keeps all of them, the
 * syntax trees too. Control loop or tool. */
#ifndef RUNTIME_TEMPLATE_H
#define RUNTIME_TEMPLATE_H

#include "base/map.h"
#include "runtime/component.h"
#include "runtime/import/import.h"
#include "runtime/load.h"
#include "value/eval.h"

struct registry { /* what this build has; sorted by name */
    const struct component_def *const *all;
    size_t n;
    /* Components that are known and that this build cannot run: a definition with `foreign` set,
     * which lives as long as foreign_arg; NULL for other names. The function may be NULL. */
    const struct component_def *(*foreign)(void *foreign_arg, struct str name);
    void *foreign_arg;
    /* Their names, for suggestions: NULL behind the last one. May be NULL. */
    const char *(*foreign_name)(size_t i);
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

enum node_kind {
    NODE_CONFIG, /* logging, tracing */
    NODE_COMPONENT,
    NODE_SERVICE,
    NODE_DECLARE,
    NODE_ARGUMENT,
    NODE_EXPORT,
    NODE_IMPORT,
    NODE_FOREACH,
    NODE_CUSTOM, /* an instance of a declared or imported component */
};

enum template_kind { TEMPLATE_ROOT, TEMPLATE_DECLARE, TEMPLATE_FOREACH, TEMPLATE_IMPORT };

struct edge { /* one reference, as written */
    u32 to;
    u32 up;    /* bodies out: 0 is this one; more only inside the template of a foreach */
    bool uses; /* no value is read: from a custom component to its declare or import and to what
                * that declare is made of; from a declare or foreach to what its body is made of */
    struct span span;
    const struct row *from_row; /* the attribute it stands in; NULL: unknown */
    const struct row *to_row;   /* the export it reads; NULL: the whole node, or not known */
    struct str field;           /* its name; empty: the whole node */
};

/* What a custom component is an instance of: a declare or import node of this body or one around
 * it. What an import holds is known when it has been fetched. */
struct custom_use {
    u32 up, rank;
    struct str member; /* the name inside the import's namespace; empty for a declare */
};

struct declare; /* compile's own: the block, and its template once it was asked for */
struct unit;    /* compile's own: trees, memory, and all templates of one text */

struct outer { /* a value of a body around this one that a node reads */
    u32 up, rank;
};

struct node {
    enum node_kind kind;
    u32 order;                       /* among nodes as written, for diagnostics */
    char *id;                        /* local id */
    const char *name;                /* the block's name: "loki.write", "foreach", "ns.agent" */
    const struct component_def *def; /* NULL only while compiling: unknown name */
    const struct config_use *config; /* NULL for components */
    const struct block *block;       /* NULL: a config block that was not written */
    struct edge *edges;              /* source order; several to one node are kept */
    size_t n_edges;
    u32 *deps, *users; /* without doubles: nodes of this body it refers to, that refer to it */
    size_t n_deps, n_users;
    struct outer
        *outer; /* without doubles; in a foreach's node: what its template reads of around */
    size_t n_outer;
    struct declare *declare;  /* NODE_DECLARE */
    struct template *inner;   /* NODE_FOREACH: the template of a child; owned by this template */
    struct diags *faults;     /* why inner is NULL, for who needs it; NULL: reported, or none */
    struct custom_use custom; /* NODE_CUSTOM */
    bool has_errors;
};

/* Components as users count them: built-in, custom, foreach. They are what the API lists. */
static inline bool node_is_component(const struct node *n)
{
    return n->kind == NODE_COMPONENT || n->kind == NODE_CUSTOM || n->kind == NODE_FOREACH;
}

struct template
{
    struct unit *unit;
    struct node *nodes;
    size_t n;
    struct map by_id; /* id -> struct node *, owned by the unit */
    enum template_kind kind;
    struct str var; /* TEMPLATE_FOREACH: the variable's name */
};

struct compile_opts {
    struct registry registry;
    const struct config_use *configs;
    size_t n_configs;
    const struct scope *stdlib;
    enum stability min_stability;
    bool community;
    bool check; /* `weir check`: wording of the checker, and prepare is tried with placeholders */
    bool allow_foreign; /* components that this build cannot run are a warning, else an error */
};

/* Takes the trees in every case. 0, or -EINVAL: every fault found is in diags (warnings also come
 * with 0). *ret is counted. Covers names, labels, duplicates, gates, bodies against their schema,
 * references, signals, cycles, and on faults prepare. */
int template_compile(const struct compile_opts *o, struct tree_set *trees, struct diags *diags,
                     struct template **ret);
/* Imported content: only declares and imports may stand in it. label: of the import block, the name
 * in diagnostics. may_import_files: false refuses import.file inside (nodeID in the message: id).
 * Bodies of its declares are compiled when they are used. A warning says which declares were
 * defined twice (the first one counts). What opts point to must outlive the template. 0, -EBADMSG
 * when it cannot be parsed, -EINVAL for other faults. */
int template_compile_import(const struct compile_opts *o, const struct import_content *content,
                            const char *label, const char *id, bool may_import_files,
                            struct diags *diags, struct template **ret);
/* The template of a NODE_DECLARE, compiled on the first call; borrowed, lives as long as the
 * template of the node. NULL with its faults in diags (at each call). */
struct template *template_declared(const struct node *declare, struct diags *diags);
/* What an export of it passes on, once it was compiled; NULL: nothing that a row describes. */
const struct row *template_export_row(const struct node *declare, struct str name);
/* The declare node with this label; NULL. */
const struct node *template_find_declare(const struct template *t, struct str label);
/* What compiles later in it does so with these options (of the thread that goes on with it). */
void template_adopt(struct template *t, const struct compile_opts *o);
struct template *template_ref(struct template *t);
void template_unref(struct template *t); /* takes NULL */
const struct node *template_node(const struct template *t, struct str id);

/* True when data flows from the one who refers to the one referred to (forward_to =
 * [sink.receiver]); signals say which. */
bool edge_is_flow(const struct edge *e);
u32 edge_signals(const struct edge *e);

#endif
