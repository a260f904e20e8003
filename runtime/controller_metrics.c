/* Metrics of one module's home: evaluation times, queue, edges of the graph, components by health.
 */
#include "runtime/controller_impl.h"
#include "runtime/self_metrics.h"

static const f64 buckets[] = {.005, .025, .1, .5, 1, 5, 10, 30, 60, 120, 300, 600};

static const struct metric_desc evaluating_desc = {.name = "alloy_component_controller_evaluating",
                                                   .help = "1 while the graph is being evaluated.",
                                                   .kind = METRIC_GAUGE};
static const struct metric_desc seconds_desc = {
    .name = "alloy_component_evaluation_seconds",
    .help = "How long evaluating a component again after a change took.",
    .kind = METRIC_HISTOGRAM,
    .bounds = buckets,
    .n_bounds = ARRAY_LEN(buckets)};
static const struct metric_desc wait_desc = {
    .name = "alloy_component_dependencies_wait_seconds",
    .help = "How long a component waited to be evaluated again after what it refers to changed.",
    .kind = METRIC_HISTOGRAM,
    .bounds = buckets,
    .n_bounds = ARRAY_LEN(buckets)};
static const struct metric_desc queue_desc = {.name = "alloy_component_evaluation_queue_size",
                                              .help = "Components that wait to be evaluated again.",
                                              .kind = METRIC_GAUGE};
static const struct metric_desc running_desc = {.name =
                                                    "alloy_component_controller_running_components",
                                                .help = "Components by the state of their health.",
                                                .kind = METRIC_GAUGE};
static const struct metric_desc edge_desc = {
    .name = "alloy_component_graph_connection",
    .help = "A constant 1 for each pair of components that data flows between.",
    .kind = METRIC_GAUGE};

#define HEALTH_TYPES 4

struct controller_metrics {
    struct metrics *registry;
    char *path, *id; /* the labels all series have */
    struct metric *evaluating, *seconds, *wait, *queue;
    struct metric *running[HEALTH_TYPES];
    VEC(struct metric *) edges;
    struct buf pairs; /* what they say: "from\0to\0" of each, sorted */
};

static struct metric *labelled(const struct controller_metrics *m, const struct metric_desc *d,
                               const struct metric_label *more, size_t n)
{
    struct metric_label labels[4] = {{"controller_path", m->path}, {"controller_id", m->id}};
    ASSERT(n <= 2);
    for (size_t i = 0; i < n; i++)
        labels[2 + i] = more[i];
    return metric_new(m->registry, d, labels, 2 + n);
}

static f64 is_evaluating(void *arg)
{
    return ((struct home *)arg)->ctl->evaluating;
}

static f64 queue_size(void *arg)
{
    const struct home *h = arg;
    return h->module ? (f64)module_count_dirty(h->module) : 0;
}

struct controller_metrics *controller_metrics_new(struct home *h)
{
    if (!h->host->metrics) return NULL;
    struct controller_metrics *m = xnew(struct controller_metrics);
    m->pairs = (struct buf)BUF_INIT(SIZE_MAX / 2);
    m->registry = h->host->metrics;
    home_split(h->id, &m->path, &m->id);
    m->evaluating = labelled(m, &evaluating_desc, NULL, 0);
    metric_fn(m->evaluating, is_evaluating, h);
    m->seconds = labelled(m, &seconds_desc, NULL, 0);
    m->wait = labelled(m, &wait_desc, NULL, 0);
    m->queue = labelled(m, &queue_desc, NULL, 0);
    metric_fn(m->queue, queue_size, h);
    return m;
}

static void drop_edges(struct controller_metrics *m)
{
    for (size_t i = 0; i < m->edges.n; i++)
        metric_free(m->registry, m->edges.v[i]);
    vec_clear(&m->edges);
}

void controller_metrics_free(struct controller_metrics *m)
{
    if (!m) return;
    drop_edges(m);
    vec_done(&m->edges);
    buf_done(&m->pairs);
    for (int h = 0; h < HEALTH_TYPES; h++)
        metric_free(m->registry, m->running[h]);
    metric_free(m->registry, m->evaluating);
    metric_free(m->registry, m->seconds);
    metric_free(m->registry, m->wait);
    metric_free(m->registry, m->queue);
    free(m->path);
    free(m->id);
    free(m);
}

void controller_metrics_reevaluated(struct controller_metrics *m, i64 waited, i64 took)
{
    if (!m) return;
    metric_observe(m->wait, (f64)waited / NS_PER_SEC);
    metric_observe(m->seconds, (f64)took / NS_PER_SEC);
}

/* ---- edges: rebuilt on every load ---- */

struct pair {
    const char *from, *to;
};

static int by_pair(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    int order = strcmp(x->from, y->from);
    return order ? order : strcmp(x->to, y->to);
}

typedef VEC(struct pair) pair_list;

static void collect_pairs(const struct module *m, pair_list *pairs)
{
    const struct template *t = m->tmpl;
    for (size_t i = 0; i < t->n; i++) {
        const struct node *n = &t->nodes[i];
        for (size_t e = 0; node_is_component(n) && e < n->n_edges; e++) {
            if (n->edges[e].up > 0 || n->edges[e].uses) continue;
            const struct node *to = &t->nodes[n->edges[e].to];
            struct edge edge = module_edge(m, &n->edges[e]);
            bool forward = edge_is_flow(&edge);
            if (node_is_component(to))
                vec_push(pairs,
                         ((struct pair){forward ? n->id : to->id, forward ? to->id : n->id}));
        }
    }
    if (pairs->n > 0) qsort(pairs->v, pairs->n, sizeof(*pairs->v), by_pair);
}

/* Without doubles. */
static void write_pairs(const pair_list *pairs, struct buf *out)
{
    for (size_t i = 0; i < pairs->n; i++) {
        if (i > 0 && by_pair(&pairs->v[i - 1], &pairs->v[i]) == 0) continue;
        buf_add(out, pairs->v[i].from, strlen(pairs->v[i].from) + 1);
        buf_add(out, pairs->v[i].to, strlen(pairs->v[i].to) + 1);
    }
}

static void make_edges(struct controller_metrics *m)
{
    for (const char *from = m->pairs.p, *end = from + m->pairs.n; from < end;) {
        const char *to = from + strlen(from) + 1;
        const struct metric_label labels[] = {{"from", from}, {"to", to}};
        struct metric *s = labelled(m, &edge_desc, labels, 2);
        metric_set(s, 1);
        vec_push(&m->edges, s);
        from = to + strlen(to) + 1;
    }
}

/* Most loads leave the edges as they are, and a large graph has many. */
void controller_metrics_committed(struct home *h)
{
    struct controller_metrics *m = h->series;
    pair_list pairs = {0};
    struct buf now = BUF_INIT(SIZE_MAX / 2);
    if (!m || h->own_host) return;
    collect_pairs(h->module, &pairs);
    write_pairs(&pairs, &now);
    vec_done(&pairs);
    if (str_eq(buf_view(&now), buf_view(&m->pairs))) {
        buf_done(&now);
        return;
    }
    drop_edges(m);
    buf_done(&m->pairs);
    m->pairs = now;
    make_edges(m);
}

/* ---- components by health: only the types present have a series ---- */

static bool is_counted(enum node_kind kind)
{
    return kind == NODE_COMPONENT || kind == NODE_CUSTOM || kind == NODE_FOREACH ||
           kind == NODE_IMPORT;
}

static void count_health(const struct module *m, u32 counts[HEALTH_TYPES])
{
    for (size_t r = 0; m && r < m->tmpl->n; r++)
        if (is_counted(m->tmpl->nodes[r].kind))
            counts[node_health_worst(&m->states[r]->health)->state]++;
}

static void refresh(struct home *h)
{
    u32 counts[HEALTH_TYPES] = {0};
    if (!h->series) return;
    count_health(h->module, counts);
    for (int t = 0; t < HEALTH_TYPES; t++) {
        struct metric **s = &h->series->running[t];
        const struct metric_label type = {"health_type", health_name((enum health)t)};
        if (counts[t] > 0 && !*s) *s = labelled(h->series, &running_desc, &type, 1);
        if (counts[t] == 0 && *s) {
            metric_free(h->series->registry, *s);
            *s = NULL;
        }
        if (*s) metric_set(*s, counts[t]);
    }
}

static void refresh_below(struct node_state *s, void *arg)
{
    for (size_t i = 0; i < s->n_inner; i++)
        if (!s->inner[i]->own_host) refresh(s->inner[i]);
}

void controller_metrics_refresh(struct controller *c)
{
    refresh(c->root);
    module_each(c->root->module, refresh_below, NULL);
}
