/* weir graph [--dot|--json] PATH|-: the components of a configuration and what flows between them.
 * Edges point the way data goes; each signal has its colour, values that are only read (a file's
 * content, an authentication handler) are dashed. */
#include <stdio.h>
#include "base/json.h"
#include "cmd/command.h"
#include "cmd/language.h"
#include "cmd/report.h"
#include "runtime/load.h"

struct graph {
    bool dot, json, community;
    enum stability stability;
};

static const struct flag graph_flags[] = {
    FLAG(struct graph, dot, "dot", FLAG_BOOL, "false",
         "Graphviz text (the default): weir graph --dot c.alloy | dot -Tsvg."),
    FLAG(struct graph, json, "json", FLAG_BOOL, "false", "Nodes and edges as JSON."),
    FLAG(struct graph, stability, "stability.level", FLAG_STABILITY, "experimental",
         "Least stable features allowed."),
    FLAG(struct graph, community, "feature.community-components.enabled", FLAG_BOOL, "true",
         "Allow community components."),
};

/* ---- edges: one per pair and kind ---- */

static const struct flow {
    u32 signal; /* one bit; 0: a value that is read */
    const char *label, *color;
} flows[] = {
    {SIGNALS_TRACES, "traces", "#7b1fa2"},
    {SIGNALS_METRICS, "metrics", "#c2410c"},
    {SIGNALS_LOGS, "logs", "#15803d"},
    {SIGNALS_TARGETS, "targets", "#0369a1"},
    {0, "value", "#6b7280"},
};

struct link {
    const char *from, *to;
    const struct flow *flow;
};
typedef VEC(struct link) link_list;

static void add_link(link_list *links, const char *from, const char *to, const struct flow *flow)
{
    vec_each (links, l)
        if (l->from == from && l->to == to && l->flow == flow) return;
    vec_push(links, ((struct link){from, to, flow}));
}

static void add_links(const struct template *t, const struct node *n, const struct edge *e,
                      link_list *links)
{
    const struct node *other = &t->nodes[e->to];
    bool forward = edge_is_flow(e);
    u32 signals = edge_signals(e);
    for (size_t i = 0; i < ARRAY_LEN(flows); i++)
        if (flows[i].signal ? signals & flows[i].signal : signals == 0)
            add_link(links, forward ? n->id : other->id, forward ? other->id : n->id, &flows[i]);
}

/* Nodes as written, not as ranked: the text is read by people. */
static int by_order(const void *a, const void *b)
{
    const struct node *x = *(const struct node *const *)a, *y = *(const struct node *const *)b;
    return (x->order > y->order) - (x->order < y->order);
}

typedef VEC(const struct node *) node_list;

static void collect(const struct template *t, node_list *nodes, link_list *links)
{
    for (size_t i = 0; i < t->n; i++)
        if (t->nodes[i].kind == NODE_COMPONENT) vec_push(nodes, &t->nodes[i]);
    if (nodes->n > 0) qsort(nodes->v, nodes->n, sizeof(*nodes->v), by_order);
    for (size_t i = 0; i < nodes->n; i++)
        for (size_t e = 0; e < nodes->v[i]->n_edges; e++)
            if (t->nodes[nodes->v[i]->edges[e].to].kind == NODE_COMPONENT)
                add_links(t, nodes->v[i], &nodes->v[i]->edges[e], links);
}

/* ---- output ---- */

static void print_dot(const node_list *nodes, const link_list *links, struct buf *out)
{
    buf_cstr(out, "digraph weir {\n  rankdir=LR;\n  node [shape=box, style=rounded, "
                  "fontname=\"sans-serif\"];\n"
                  "  edge [fontname=\"sans-serif\", fontsize=10];\n");
    for (size_t i = 0; i < nodes->n; i++)
        buf_printf(out, "  \"%s\" [label=\"" STR_FMT "\\n" STR_FMT "\"];\n", nodes->v[i]->id,
                   STR_ARG(nodes->v[i]->block->name), STR_ARG(nodes->v[i]->block->label));
    for (size_t i = 0; i < links->n; i++) {
        const struct link *l = &links->v[i];
        buf_printf(out, "  \"%s\" -> \"%s\" [label=\"%s\", color=\"%s\", fontcolor=\"%s\"%s];\n",
                   l->from, l->to, l->flow->label, l->flow->color, l->flow->color,
                   l->flow->signal ? "" : ", style=dashed");
    }
    buf_cstr(out, "}\n");
}

static void member(struct json_out *j, const char *key, struct str value)
{
    json_key(j, str_of(key));
    json_str(j, value);
}

static void print_json(const node_list *nodes, const link_list *links, struct buf *out)
{
    struct json_out j = {.b = out};
    json_obj(&j);
    json_key(&j, STR("nodes"));
    json_arr(&j);
    for (size_t i = 0; i < nodes->n; i++) {
        json_obj(&j);
        member(&j, "id", str_of(nodes->v[i]->id));
        member(&j, "name", nodes->v[i]->block->name);
        member(&j, "label", nodes->v[i]->block->label);
        json_obj_end(&j);
    }
    json_arr_end(&j);
    json_key(&j, STR("edges"));
    json_arr(&j);
    for (size_t i = 0; i < links->n; i++) {
        json_obj(&j);
        member(&j, "from", str_of(links->v[i].from));
        member(&j, "to", str_of(links->v[i].to));
        member(&j, "signal", str_of(links->v[i].flow->label));
        json_obj_end(&j);
    }
    json_arr_end(&j);
    json_obj_end(&j);
    buf_ch(out, '\n');
}

static void print_graph(const struct graph *g, const struct template *t)
{
    node_list nodes = {0};
    link_list links = {0};
    struct buf out = BUF_INIT(SIZE_MAX / 2);
    collect(t, &nodes, &links);
    (g->json ? print_json : print_dot)(&nodes, &links, &out);
    fwrite(out.p, 1, out.n, stdout);
    buf_done(&out);
    vec_done(&nodes);
    vec_done(&links);
}

/* ---- the command ---- */

static int graph_trees(const struct graph *g, struct tree_set *trees, struct diags *diags)
{
    struct language lang;
    struct template *t;
    language_init(&lang, NULL, NULL, NULL);
    struct compile_opts o = language_opts(&lang, g->stability, g->community, false);
    int err = template_compile(&o, trees, diags, &t);
    if (!err) {
        print_graph(g, t);
        template_unref(t);
    }
    language_done(&lang);
    return err;
}

static int graph_path(const struct graph *g, const char *path)
{
    struct source_set files;
    struct tree_set trees;
    struct diags diags;
    char *err = NULL;
    if (source_set_read(path, &files, &err) < 0) {
        int code = fail("%s", err);
        free(err);
        return code;
    }
    diags_init(&diags);
    bool failed =
        source_set_parse(&files, &trees, &diags) < 0 || graph_trees(g, &trees, &diags) < 0;
    if (failed) {
        report_diags(&diags);
        fail("the configuration has errors");
    }
    diags_done(&diags);
    source_set_done(&files);
    return failed ? 1 : 0;
}

static int cmd_graph(int argc, char **argv)
{
    struct graph g = {0};
    arg_list paths = {0};
    int rc = command_parse(&graph_command, argc, argv, &g, &paths);
    int code = rc == 0 ? graph_path(&g, paths.v[0]) : rc < 0;
    vec_done(&paths);
    return code;
}

const struct command graph_command = {
    .name = "graph",
    .usage = "[flags] PATH|-",
    .summary = "Draw components and what flows between them",
    .flags = {graph_flags, ARRAY_LEN(graph_flags)},
    .min_args = 1,
    .max_args = 1,
    .files = true,
    .run = cmd_graph,
};
