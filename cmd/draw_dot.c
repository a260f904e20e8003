/* A drawing as Graphviz text. Groups are clusters; Graphviz draws no edge to a cluster, so such an
 * edge goes to the cluster's first node and is cut at its frame. */
#include "cmd/drawing.h"

static const char head[] =
    "digraph weir {\n"
    "  graph [rankdir=LR, compound=true, nodesep=0.3, ranksep=0.7, pad=0.2, "
    "fontname=\"Helvetica,Arial,sans-serif\", fontsize=11];\n"
    "  node [shape=box, style=\"rounded,filled\", fillcolor=\"#f8fafc\", color=\"#64748b\", "
    "fontname=\"Helvetica,Arial,sans-serif\", fontsize=11, margin=\"0.14,0.07\", height=0.5];\n"
    "  edge [fontname=\"Helvetica,Arial,sans-serif\", fontsize=9, arrowsize=0.7];\n";

/* What each kind of line is called here. */
static const struct line {
    const char *name, *attributes;
} lines[] = {
    {"bold", "style=bold, penwidth=2.2"},
    {"solid", "style=solid, penwidth=1.3"},
    {"dashed", "style=dashed, penwidth=1.3"},
    {"dotted", "style=dotted, penwidth=1.8"},
    {"thin", "style=solid, penwidth=0.6, arrowhead=vee"},
};

static const char *line_attributes(const struct flow *f)
{
    size_t i = 0;
    while (strcmp(lines[i].name, f->line) != 0)
        ASSERT(++i < ARRAY_LEN(lines));
    return lines[i].attributes;
}

/* "text": quotes are escaped; a backslash is one outside labels. */
static void put_quoted(struct buf *out, const char *text)
{
    buf_ch(out, '"');
    for (; *text; text++) {
        if (*text == '"') buf_ch(out, '\\');
        buf_ch(out, *text);
    }
    buf_ch(out, '"');
}

/* Inside an HTML-like label. */
static void put_html(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.n; i++)
        switch (text.p[i]) {
        case '<': buf_cstr(out, "&lt;"); break;
        case '>': buf_cstr(out, "&gt;"); break;
        case '&': buf_cstr(out, "&amp;"); break;
        case '"': buf_cstr(out, "&quot;"); break;
        default: buf_ch(out, text.p[i]);
        }
}

static void put_label(const struct drawn *n, struct buf *out)
{
    buf_cstr(out, "label=<<font point-size=\"10\" color=\"#475569\">");
    put_html(out, n->name);
    buf_cstr(out, "</font>");
    if (n->label.n > 0) {
        buf_cstr(out, "<br/><b>");
        put_html(out, n->label);
        buf_cstr(out, "</b>");
    }
    buf_ch(out, '>');
}

static void put_node(const struct drawn *n, int indent, struct buf *out)
{
    buf_printf(out, "%*s", indent, "");
    put_quoted(out, n->id);
    buf_cstr(out, " [");
    put_label(n, out);
    buf_cstr(out, "];\n");
}

static void put_cluster_name(const struct drawn *n, struct buf *out)
{
    char *name = xprintf("cluster_%s", n->id);
    put_quoted(out, name);
    free(name);
}

static void put_group_head(const struct drawn *n, int indent, struct buf *out)
{
    buf_printf(out, "%*ssubgraph ", indent, "");
    put_cluster_name(n, out);
    buf_printf(out, " {\n%*s", indent + 2, "");
    put_label(n, out);
    buf_printf(out, ";\n%*sstyle=\"rounded,filled\"; color=\"#94a3b8\"; fillcolor=\"%s\";\n",
               indent + 2, "", indent % 4 ? "#eef2f7" : "#e2e8f0");
}

/* The nodes of a group, those of groups inside it included; returns the next one behind it. */
static u32 put_nodes(const struct drawing *d, u32 i, u32 group, int indent, struct buf *out)
{
    while (i < d->nodes.n && d->nodes.v[i].group == group) {
        const struct drawn *n = &d->nodes.v[i];
        struct buf none = BUF_INIT(SIZE_MAX / 2), *to = n->hidden ? &none : out;
        if (n->is_group) {
            put_group_head(n, indent, to);
            i = put_nodes(d, i + 1, i, indent + 2, to);
            buf_printf(to, "%*s}\n", indent, "");
        } else {
            put_node(n, indent, to);
            i++;
        }
        buf_done(&none);
    }
    return i;
}

/* The node that stands for an end of a link. */
static const struct drawn *first_node(const struct drawing *d, u32 end)
{
    u32 i = end;
    while (i + 1 < d->nodes.n && (d->nodes.v[i].is_group || d->nodes.v[i].hidden))
        i++;
    return &d->nodes.v[i];
}

static void put_cut(const struct drawing *d, const char *attribute, u32 end, struct buf *out)
{
    if (!d->nodes.v[end].is_group) return;
    buf_printf(out, ", %s=", attribute);
    put_cluster_name(&d->nodes.v[end], out);
}

static void put_link(const struct drawing *d, const struct link *l, struct buf *out)
{
    buf_cstr(out, "  ");
    put_quoted(out, first_node(d, l->from)->id);
    buf_cstr(out, " -> ");
    put_quoted(out, first_node(d, l->to)->id);
    buf_printf(out, " [label=\"%s\", color=\"%s\", fontcolor=\"%s\", %s", l->flow->name,
               l->flow->color, l->flow->color, line_attributes(l->flow));
    put_cut(d, "ltail", l->from, out);
    put_cut(d, "lhead", l->to, out);
    buf_cstr(out, "];\n");
}

void draw_dot(const struct drawing *d, struct buf *out)
{
    buf_cstr(out, head);
    put_nodes(d, 0, NO_GROUP, 2, out);
    for (const struct link *l = d->links.v, *end = l + d->links.n; l < end; l++)
        if (drawing_shows(d, l)) put_link(d, l, out);
    buf_cstr(out, "}\n");
}
