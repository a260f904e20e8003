/* weir graph PATH|-: the components of a configuration and what flows between them, as a picture
 * (cmd/drawing.h) in one of three forms. Edges point the way data goes. */
#include <stdio.h>

#include "cmd/command.h"
#include "cmd/drawing.h"
#include "cmd/language.h"
#include "cmd/report.h"
#include "runtime/extract.h"

struct graph {
    bool dot, json, mermaid, yaml, community;
    const char *focus; /* "": all of it */
    enum stability stability;
};

static const struct flag graph_flags[] = {
    FLAG(struct graph, dot, "dot", FLAG_BOOL, "false",
         "Graphviz text (the default): weir graph --dot c.alloy | dot -Tsvg."),
    FLAG(struct graph, json, "json", FLAG_BOOL, "false", "Nodes and edges as JSON."),
    FLAG(struct graph, mermaid, "mermaid", FLAG_BOOL, "false",
         "A Mermaid flowchart, for Markdown pages."),
    FLAG(struct graph, focus, "focus", FLAG_TEXT, "",
         "Only this component (or module), what feeds it and what it feeds."),
    FLAG(struct graph, yaml, "yaml", FLAG_BOOL, "false",
         "The file or standard input is YAML, whatever it is called."),
    FLAG(struct graph, stability, "stability.level", FLAG_STABILITY, "experimental",
         "Least stable features allowed."),
    FLAG(struct graph, community, "feature.community-components.enabled", FLAG_BOOL, "true",
         "Allow community components."),
};

static void print_drawing(const struct graph *g, const struct drawing *d)
{
    struct buf out = BUF_INIT(SIZE_MAX / 2);
    (g->json ? draw_json : g->mermaid ? draw_mermaid : draw_dot)(d, &out);
    fwrite(out.p, 1, out.n, stdout);
    buf_done(&out);
}

static int fail_focus(const char *focus, const char *near)
{
    if (!near)
        fail("there is no component \"%s\" in the configuration", focus);
    else
        fail("there is no component \"%s\" in the configuration; did you mean \"%s\"?", focus,
             near);
    return 1;
}

static int draw(const struct graph *g, const struct template *t)
{
    struct drawing d;
    const char *near = NULL;
    int code = 0;
    drawing_init(&d, t);
    if (*g->focus && drawing_focus(&d, g->focus, &near) < 0)
        code = fail_focus(g->focus, near);
    else
        print_drawing(g, &d);
    drawing_done(&d);
    return code;
}

static int fail_diags(const struct diags *diags)
{
    report_diags(diags);
    return fail("the configuration has errors");
}

static int graph_trees(const struct graph *g, struct tree_set *trees, struct diags *diags)
{
    struct language lang;
    struct template *t = NULL;
    language_init(&lang, NULL, NULL, NULL);
    struct compile_opts o = language_opts(&lang, g->stability, g->community, false);
    o.allow_foreign = true;
    int code = template_compile(&o, trees, diags, &t) < 0 ? fail_diags(diags) : draw(g, t);
    template_unref(t);
    language_done(&lang);
    return code;
}

static int graph_files(const struct graph *g, const struct source_set *files, struct diags *diags)
{
    struct tree_set trees;
    if (source_set_parse(files, &trees, diags) < 0) return fail_diags(diags);
    return graph_trees(g, &trees, diags);
}

static int graph_yaml(const struct graph *g, const struct source_set *file, struct diags *diags)
{
    source_sets inside = {0};
    int code = 1;
    if (extract_yaml(file, &inside, diags) < 0)
        fail_diags(diags);
    else if (inside.n > 1)
        fail("%s holds %zu configurations, and a graph is of one", file->files.v[0]->name,
             inside.n);
    else
        code = graph_files(g, &inside.v[0], diags);
    extract_done(&inside);
    return code;
}

static int graph_path(const struct graph *g, const char *path)
{
    struct source_set files;
    struct diags diags;
    char *err = NULL;
    if (source_set_read(path, &files, &err) < 0) {
        int code = fail("%s", err);
        free(err);
        return code;
    }
    diags_init(&diags);
    bool yaml = files.files.n == 1 && (g->yaml || extract_by_name(files.files.v[0]->name));
    int code = (yaml ? graph_yaml : graph_files)(g, &files, &diags);
    diags_done(&diags);
    source_set_done(&files);
    return code;
}

static int cmd_graph(int argc, char **argv)
{
    struct graph g = {0};
    arg_list paths = {0};
    int rc = command_parse(&graph_command, argc, argv, &g, &paths);
    int code = rc < 0;
    if (rc == 0 && g.dot + g.json + g.mermaid > 1)
        code = fail("--dot, --json and --mermaid exclude each other");
    else if (rc == 0)
        code = graph_path(&g, paths.v[0]);
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
