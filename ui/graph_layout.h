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
    f64 y; /* in rows: nodes of a layer are at least one apart, the smallest of all is 0 */
};
/* Fills places[n]. Returns the number of layers; *ret_rows: of the highest. */
u32 layout_graph(u32 n, const struct layout_edge *edges, size_t n_edges,
                 struct layout_place *places, f64 *ret_rows);

#endif
