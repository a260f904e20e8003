/* Parts of template_compile that share their state; nobody else includes this. */
#ifndef RUNTIME_COMPILE_H
#define RUNTIME_COMPILE_H

#include "runtime/template.h"
#include "runtime/traversal.h"
#include "value/check.h"

struct compiler {
    const struct compile_opts *o;
    struct template *t;
    struct diags *diags;
    VEC(struct node) nodes;
    u32 suggestions; /* made so far: each looks at all nodes, so there are not endlessly many */
    struct map namespaces; /* labels of declare and import blocks, which this build refuses: no
                              further complaints about their use */
};

/* graph.c: which node a chain of names leads to: the shortest prefix that is an id. *ret_used:
 * names of the id. NULL: none. */
struct node *graph_resolve(const struct compiler *c, const struct traversal *t, size_t *ret_used);

/* references.c: the body of one node against its schema, then its references: edges, unknown names,
 * the standard library. */
void references_check(struct compiler *c, struct node *n);

/* order.c: dependencies before dependants. order[] gets node numbers in rank order; cycles are
 * reported. */
void order_nodes(struct compiler *c, u32 *order);

/* dry_run.c: prepare of nodes whose arguments can be known without running anything. */
void dry_run(struct compiler *c);

#endif
