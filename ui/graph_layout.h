/* Places for the nodes of a directed graph, left to right in layers: longest path decides the
 * layer, neighbours' places the order within, and how far down. Pure; works for cycles too (an edge
 * that closes one is drawn backwards). Time: nodes and edges times a constant number of sweeps. */
#ifndef UI_GRAPH_LAYOUT_H
#define UI_GRAPH_LAYOUT_H

#include "base/common.h"

struct layout_edge {
    u32 from, to; /* nodes */
};
struct layout_place {
    u32 layer;
    f64 y; /* in rows: what stands in a layer is at least one apart, the smallest of all is 0 */
};
struct layout {
    u32 layers;
    f64 rows;                    /* of the highest layer */
    struct layout_place *places; /* by node */
    /* Where an edge passes the layers between its ends: bends[bend_starts[e]] up to the next start,
     * in the order of layers. */
    u32 *bend_starts;
    f64 *bends;
};
void layout_graph(u32 n, const struct layout_edge *edges, size_t n_edges, struct layout *ret);
void layout_free(struct layout *l);

#endif
