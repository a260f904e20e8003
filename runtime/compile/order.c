/* Topological order and cycles in one pass: Tarjan's strongly connected components, without
 * recursion (chains may be long). Components come out dependencies first, so their order is the
 * rank order. */
#include "runtime/compile/compile.h"

#define UNSEEN UINT32_MAX

struct frame {
    u32 node;
    u32 next_dep;
};

struct tarjan {
    struct compiler *c;
    u32 *number, *low;
    bool *on_stack;
    VEC(u32) stack;
    VEC(struct frame) calls;
    u32 counter;
    u32 *order;
    u32 n_order;
};

static int by_id(const void *a, const void *b)
{
    return strcmp((*(struct node *const *)a)->id, (*(struct node *const *)b)->id);
}

static void join_ids(struct node *const *members, size_t n, struct buf *out)
{
    for (size_t i = 0; i < n; i++)
        buf_printf(out, "%s%s", i ? ", " : "", members[i]->id);
}

static struct span node_span(const struct node *n)
{
    return n->block ? n->block->header_span : NO_SPAN;
}

/* `run` says it once, the checker at each block that takes part. */
static void report_cycle(struct compiler *c, const u32 *nodes, size_t n)
{
    struct node **members = arena_array(&c->u->arena, struct node *, n);
    for (size_t i = 0; i < n; i++)
        members[i] = &c->nodes[nodes[i]];
    qsort(members, n, sizeof(*members), by_id);
    struct buf ids = BUF_INIT(SIZE_MAX / 2);
    join_ids(members, n, &ids);
    for (size_t i = 0; i < (c->o->check ? n : 1); i++) {
        struct diag *d =
            diag_error(c->diags, DIAG_CYCLE, node_span(members[i]), "cycle%s: " STR_FMT,
                       c->o->check ? " detected" : "", STR_ARG(buf_view(&ids)));
        diag_hint(c->diags, d, "remove one of the references between these blocks");
        members[i]->has_errors = true;
    }
    buf_done(&ids);
}

static void report_self(struct compiler *c, struct node *n, struct span at)
{
    if (c->o->check)
        diag_error(c->diags, DIAG_CYCLE, at, "cannot reference self");
    else
        diag_error(c->diags, DIAG_CYCLE, at, "self reference: %s", n->id);
    n->has_errors = true;
}

static void enter(struct tarjan *t, u32 node)
{
    t->number[node] = t->low[node] = t->counter++;
    t->on_stack[node] = true;
    vec_push(&t->stack, node);
    vec_push(&t->calls, ((struct frame){.node = node}));
}

/* The component rooted at node is complete: it is the top of the stack. */
static void close_component(struct tarjan *t, u32 node)
{
    size_t from = t->stack.n;
    do
        from--;
    while (t->stack.v[from] != node);
    if (t->stack.n - from > 1) report_cycle(t->c, t->stack.v + from, t->stack.n - from);
    for (size_t i = from; i < t->stack.n; i++) {
        t->on_stack[t->stack.v[i]] = false;
        t->order[t->n_order++] = t->stack.v[i];
    }
    t->stack.n = from;
}

static void leave(struct tarjan *t)
{
    u32 node = vec_pop(&t->calls).node;
    if (t->calls.n > 0) {
        u32 parent = vec_last(&t->calls).node;
        t->low[parent] = MIN(t->low[parent], t->low[node]);
    }
    if (t->low[node] == t->number[node]) close_component(t, node);
}

static void step(struct tarjan *t)
{
    struct frame *f = &vec_last(&t->calls);
    const struct node *n = &t->c->nodes[f->node];
    if (f->next_dep == n->n_edges) {
        leave(t);
        return;
    }
    const struct edge *edge = &n->edges[f->next_dep++];
    if (edge->up > 0) return;
    u32 to = edge->to;
    if (t->number[to] == UNSEEN)
        enter(t, to);
    else if (t->on_stack[to])
        t->low[f->node] = MIN(t->low[f->node], t->number[to]);
}

static void report_selves(struct compiler *c)
{
    for (u32 i = 0; i < c->n; i++)
        for (size_t e = 0; e < c->nodes[i].n_edges; e++)
            if (c->nodes[i].edges[e].to == i && c->nodes[i].edges[e].up == 0) {
                report_self(c, &c->nodes[i], c->nodes[i].edges[e].span);
                break;
            }
}

void order_nodes(struct compiler *c, u32 *order)
{
    size_t n = c->n;
    struct tarjan t = {.c = c,
                       .number = xcalloc(n + 1, sizeof(u32)),
                       .low = xcalloc(n + 1, sizeof(u32)),
                       .on_stack = xcalloc(n + 1, sizeof(bool)),
                       .order = order};
    for (size_t i = 0; i < n; i++)
        t.number[i] = UNSEEN;
    for (u32 i = 0; i < n; i++) {
        if (t.number[i] == UNSEEN) enter(&t, i);
        while (t.calls.n > 0)
            step(&t);
    }
    report_selves(c);
    free(t.number);
    free(t.low);
    free(t.on_stack);
    vec_done(&t.stack);
    vec_done(&t.calls);
}
