/* Layers by Kahn's walk; an edge that passes a layer gets a place of its own there (a bend), as if
 * it were a node; then sweeps pull each to the mean of its neighbours. */
#include "ui/graph_layout.h"

#include <stdlib.h>
#include "base/xalloc.h"

#define SWEEPS    12
#define BENDS_MAX 20000 /* beyond, long edges are drawn straight */

struct graph {
    u32 n;
    const struct layout_edge *edges;
    size_t n_edges;
    struct layout_place *places;
    u32 *heads[2]; /* by node: where its neighbours begin in `links`; [0] before, [1] after */
    u32 *links[2];
    u32 *sorted;       /* nodes by layer, then by y */
    u32 *layer_starts; /* in sorted; one more than there are layers */
    u32 n_layers;
};

/* ---- neighbours ---- */

static u32 end_of(const struct layout_edge *e, int which)
{
    return which ? e->from : e->to;
}

/* side 1: who comes after a node; side 0: who before. */
static void index_side(struct graph *g, int side)
{
    u32 *heads = xcalloc((size_t)g->n + 2, sizeof(u32));
    u32 *links = xcalloc(g->n_edges + 1, sizeof(u32));
    for (size_t i = 0; i < g->n_edges; i++)
        heads[end_of(&g->edges[i], side) + 2]++;
    for (u32 i = 0; i < g->n; i++)
        heads[i + 2] += heads[i + 1];
    for (size_t i = 0; i < g->n_edges; i++)
        links[heads[end_of(&g->edges[i], side) + 1]++] = end_of(&g->edges[i], !side);
    g->heads[side] = heads;
    g->links[side] = links;
}

/* ---- layers ---- */

struct kahn {
    u32 *waits; /* by node: edges into it not yet walked; 0 and not done: ready */
    u32 *queue;
    u32 n_queue;
    bool *queued;
};

static void enqueue(struct kahn *k, u32 node)
{
    if (k->queued[node]) return;
    k->queued[node] = true;
    k->queue[k->n_queue++] = node;
}

static void walk_from(struct graph *g, struct kahn *k, u32 node)
{
    for (u32 i = g->heads[1][node]; i < g->heads[1][node + 1]; i++) {
        u32 to = g->links[1][i];
        if (k->queued[to]) continue; /* closes a cycle */
        g->places[to].layer = MAX(g->places[to].layer, g->places[node].layer + 1);
        if (--k->waits[to] == 0) enqueue(k, to);
    }
}

static void assign_layers(struct graph *g)
{
    struct kahn k = {.waits = xcalloc((size_t)g->n + 1, sizeof(u32)),
                     .queue = xcalloc((size_t)g->n + 1, sizeof(u32)),
                     .queued = xcalloc((size_t)g->n + 1, sizeof(bool))};
    for (u32 i = 0; i < g->n; i++) {
        g->places[i] = (struct layout_place){0};
        k.waits[i] = g->heads[0][i + 1] - g->heads[0][i];
        if (k.waits[i] == 0) enqueue(&k, i);
    }
    u32 next = 0;
    for (u32 at = 0; at < g->n; at++) {
        while (at == k.n_queue) /* only cycles are left: break one where it comes first */
            enqueue(&k, next++);
        walk_from(g, &k, k.queue[at]);
    }
    free(k.waits);
    free(k.queue);
    free(k.queued);
}

/* A source stands next to the first it feeds, not far left of it. */
static void pull_sources(struct graph *g)
{
    for (u32 i = 0; i < g->n; i++) {
        u32 nearest = UINT32_MAX;
        if (g->heads[0][i] != g->heads[0][i + 1]) continue;
        for (u32 e = g->heads[1][i]; e < g->heads[1][i + 1]; e++)
            nearest = MIN(nearest, g->places[g->links[1][e]].layer);
        if (nearest != UINT32_MAX && nearest > 0) g->places[i].layer = nearest - 1;
    }
}

/* ---- order ---- */

static int by_place(const void *a, const void *b, void *arg)
{
    const struct layout_place *places = arg;
    u32 i = *(const u32 *)a, j = *(const u32 *)b;
    const struct layout_place *p = &places[i], *q = &places[j];
    if (p->layer != q->layer) return p->layer < q->layer ? -1 : 1;
    if (p->y != q->y) return p->y < q->y ? -1 : 1;
    return (i > j) - (i < j);
}

static void index_layers(struct graph *g)
{
    for (u32 i = 0; i < g->n; i++) {
        g->sorted[i] = i;
        g->n_layers = MAX(g->n_layers, g->places[i].layer + 1);
    }
    g->layer_starts = xcalloc((size_t)g->n_layers + 2, sizeof(u32));
    for (u32 i = 0; i < g->n; i++)
        g->layer_starts[g->places[i].layer + 1]++;
    for (u32 l = 0; l < g->n_layers; l++)
        g->layer_starts[l + 1] += g->layer_starts[l];
    if (g->n > 0) qsort_r(g->sorted, g->n, sizeof(u32), by_place, g->places);
    for (u32 l = 0; l < g->n_layers; l++)
        for (u32 i = g->layer_starts[l]; i < g->layer_starts[l + 1]; i++)
            g->places[g->sorted[i]].y = i - g->layer_starts[l];
}

static f64 mean_of(const struct graph *g, u32 node, bool before, bool after)
{
    f64 sum = 0;
    u32 n = 0;
    for (int side = before ? 0 : 1; side <= (after ? 1 : 0); side++)
        for (u32 e = g->heads[side][node]; e < g->heads[side][node + 1]; e++, n++)
            sum += g->places[g->links[side][e]].y;
    return n ? sum / n : g->places[node].y;
}

/* Order is kept, distances are made good; then the layer moves as a whole to where it wanted to be.
 */
static void spread(struct graph *g, u32 *nodes, u32 n)
{
    f64 wanted = 0, got = 0;
    for (u32 i = 0; i < n; i++) {
        wanted += g->places[nodes[i]].y;
        if (i > 0) {
            f64 least = g->places[nodes[i - 1]].y + 1;
            g->places[nodes[i]].y = MAX(g->places[nodes[i]].y, least);
        }
        got += g->places[nodes[i]].y;
    }
    for (u32 i = 0; i < n; i++)
        g->places[nodes[i]].y -= (got - wanted) / n;
}

static void place_layer(struct graph *g, u32 layer, bool before, bool after)
{
    u32 *nodes = g->sorted + g->layer_starts[layer];
    u32 n = g->layer_starts[layer + 1] - g->layer_starts[layer];
    for (u32 i = 0; i < n; i++)
        g->places[nodes[i]].y = mean_of(g, nodes[i], before, after);
    qsort_r(nodes, n, sizeof(u32), by_place, g->places);
    spread(g, nodes, n);
}

static void sweep(struct graph *g)
{
    for (int s = 0; s < SWEEPS; s++) {
        bool last = s >= SWEEPS - 2;
        for (u32 l = 0; l < g->n_layers; l++)
            place_layer(g, s % 2 ? g->n_layers - 1 - l : l, last || s % 2 == 0, last || s % 2 == 1);
    }
}

static int by_y(const void *a, const void *b, void *arg)
{
    const struct layout_place *places = arg;
    f64 y = places[*(const u32 *)a].y, z = places[*(const u32 *)b].y;
    return (y > z) - (y < z);
}

/* The smallest y becomes 0. Parts that have nothing to do with one another drift apart in the
 * sweeps: a band that is empty in all layers is closed to one row. Returns the rows needed. */
static f64 normalise(struct graph *g)
{
    f64 before = 0, y = 0;
    for (u32 i = 0; i < g->n; i++)
        g->sorted[i] = i;
    if (g->n > 0) qsort_r(g->sorted, g->n, sizeof(u32), by_y, g->places);
    for (u32 i = 0; i < g->n; i++) {
        struct layout_place *p = &g->places[g->sorted[i]];
        y = i ? y + MIN(p->y - before, 1.0) : 0;
        before = p->y;
        p->y = y;
    }
    return g->n ? y + 1 : 0;
}

static void graph_done(struct graph *g)
{
    for (int side = 0; side < 2; side++) {
        free(g->heads[side]);
        free(g->links[side]);
    }
    free(g->sorted);
    free(g->layer_starts);
}

/* ---- bends ---- */

static u32 passed(const struct layout_place *places, const struct layout_edge *e)
{
    u32 from = places[e->from].layer, to = places[e->to].layer;
    return to > from + 1 ? to - from - 1 : 0;
}

static void count_bends(const struct graph *g, u32 *starts)
{
    u64 all = 0;
    for (size_t e = 0; e < g->n_edges; e++)
        all += passed(g->places, &g->edges[e]);
    for (size_t e = 0; e < g->n_edges; e++)
        starts[e + 1] = starts[e] + (all <= BENDS_MAX ? passed(g->places, &g->edges[e]) : 0);
}

/* The edge as a chain over its bends, which are nodes from g->n on. Returns the chain's end. */
static struct layout_edge *add_chain(const struct graph *g, size_t e, const u32 *starts,
                                     struct layout_place *places, struct layout_edge *out)
{
    u32 at = g->edges[e].from;
    for (u32 b = starts[e]; b < starts[e + 1]; b++) {
        u32 bend = g->n + b;
        places[bend] = (struct layout_place){.layer = places[at].layer + 1};
        *out++ = (struct layout_edge){at, bend};
        at = bend;
    }
    *out++ = (struct layout_edge){at, g->edges[e].to};
    return out;
}

/* Orders nodes and bends alike. */
static void order(const struct graph *plain, struct layout *l)
{
    u32 n_bends = l->bend_starts[plain->n_edges];
    struct graph g = {.n = plain->n + n_bends, .n_edges = plain->n_edges + n_bends};
    struct layout_edge *edges = xcalloc(g.n_edges + 1, sizeof(*edges)), *end = edges;
    l->places = xrealloc(l->places, ((size_t)g.n + 1) * sizeof(*l->places));
    for (size_t e = 0; e < plain->n_edges; e++)
        end = add_chain(plain, e, l->bend_starts, l->places, end);
    g.edges = edges;
    g.places = l->places;
    g.sorted = xcalloc((size_t)g.n + 1, sizeof(u32));
    index_side(&g, 0);
    index_side(&g, 1);
    index_layers(&g);
    sweep(&g);
    l->rows = normalise(&g);
    l->layers = g.n_layers;
    for (u32 b = 0; b < n_bends; b++)
        l->bends[b] = l->places[plain->n + b].y;
    graph_done(&g);
    free(edges);
}

void layout_graph(u32 n, const struct layout_edge *edges, size_t n_edges, struct layout *ret)
{
    struct layout l = {.places = xcalloc((size_t)n + 1, sizeof(*l.places)),
                       .bend_starts = xcalloc(n_edges + 2, sizeof(u32))};
    struct graph g = {.n = n, .edges = edges, .n_edges = n_edges, .places = l.places};
    index_side(&g, 0);
    index_side(&g, 1);
    assign_layers(&g);
    pull_sources(&g);
    count_bends(&g, l.bend_starts);
    l.bends = xcalloc((size_t)l.bend_starts[n_edges] + 1, sizeof(f64));
    order(&g, &l);
    graph_done(&g);
    *ret = l;
}

void layout_free(struct layout *l)
{
    free(l->places);
    free(l->bend_starts);
    free(l->bends);
    *l = (struct layout){0};
}
