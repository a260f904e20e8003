/* A drawing as a Mermaid flowchart. Names that Mermaid cannot read as they are (its own words, and
 * letters beyond ASCII, of which it knows only some) become "node.N"; labels show what they are. */
#include "cmd/drawing.h"

/* What each kind of line is called here. */
static const struct line {
    const char *name, *style;
} lines[] = {
    {"bold", "stroke-width:3.5px"},
    {"solid", "stroke-width:2px"},
    {"dashed", "stroke-width:2px,stroke-dasharray:7 4"},
    {"dotted", "stroke-width:2.5px,stroke-dasharray:2 4"},
    {"thin", "stroke-width:1px"},
};

static const char *const reserved[] = {
    "end",       "default",   "graph",    "flowchart",   "subgraph",
    "style",     "linkStyle", "classDef", "class",       "click",
    "direction", "href",      "call",     "interpolate", "v",
};

static bool is_plain(const char *id)
{
    struct str rest = str_of(id), first = str_cut(&rest, '.');
    for (size_t i = 0; i < ARRAY_LEN(reserved); i++)
        if (str_is(first, reserved[i])) return false;
    for (; *id; id++)
        if (!(*id >= '0' && *id <= '9') && !(*id >= 'a' && *id <= 'z') &&
            !(*id >= 'A' && *id <= 'Z') && !strchr("_./", *id))
            return false;
    return true;
}

static void put_name(const struct drawing *d, u32 i, struct buf *out)
{
    if (is_plain(d->nodes.v[i].id))
        buf_cstr(out, d->nodes.v[i].id);
    else
        buf_printf(out, "node.%u", i);
}

/* Text in quotes: entities as Mermaid writes them. */
static void put_text(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.n; i++)
        if (strchr("\"<>&#;", text.p[i]))
            buf_printf(out, "#%d;", text.p[i]);
        else
            buf_ch(out, text.p[i]);
}

static void put_label(const struct drawn *n, struct buf *out)
{
    buf_ch(out, '"');
    put_text(out, n->name);
    if (n->label.n > 0) {
        buf_cstr(out, "<br/><b>");
        put_text(out, n->label);
        buf_cstr(out, "</b>");
    }
    buf_ch(out, '"');
}

/* The nodes of a group, those of groups inside it included; returns the next one behind it. */
static u32 put_nodes(const struct drawing *d, u32 i, u32 group, int indent, struct buf *out)
{
    while (i < d->nodes.n && d->nodes.v[i].group == group) {
        const struct drawn *n = &d->nodes.v[i];
        struct buf none = BUF_INIT(SIZE_MAX / 2), *to = n->hidden ? &none : out;
        buf_printf(to, "%*s%s", indent, "", n->is_group ? "subgraph " : "");
        put_name(d, i, to);
        buf_cstr(to, n->is_group ? " [" : "(");
        put_label(n, to);
        buf_cstr(to, n->is_group ? "]\n" : ")\n");
        i = n->is_group ? put_nodes(d, i + 1, i, indent + 2, to) : i + 1;
        if (n->is_group) buf_printf(to, "%*send\n", indent, "");
        buf_done(&none);
    }
    return i;
}

static void put_link(const struct drawing *d, const struct link *l, struct buf *out)
{
    buf_cstr(out, "  ");
    put_name(d, l->from, out);
    buf_printf(out, " -->|%s| ", l->flow->name);
    put_name(d, l->to, out);
    buf_ch(out, '\n');
}

/* "linkStyle 0,3 ...": which of the links written are of this kind. */
static void put_style(const struct drawing *d, const struct flow *flow, const char *style,
                      struct buf *out)
{
    size_t number = 0, found = 0;
    for (const struct link *l = d->links.v, *end = l + d->links.n; l < end; l++) {
        if (!drawing_shows(d, l)) continue;
        if (l->flow == flow) buf_printf(out, "%s%zu", found++ ? "," : "  linkStyle ", number);
        number++;
    }
    if (found) buf_printf(out, " stroke:%s,color:%s,%s\n", flow->color, flow->color, style);
}

static void put_styles(const struct drawing *d, struct buf *out)
{
    for (size_t f = 0; f < FLOWS; f++)
        for (size_t i = 0; i < ARRAY_LEN(lines); i++)
            if (strcmp(lines[i].name, flows[f].line) == 0)
                put_style(d, &flows[f], lines[i].style, out);
}

void draw_mermaid(const struct drawing *d, struct buf *out)
{
    buf_cstr(out, "flowchart LR\n");
    put_nodes(d, 0, NO_GROUP, 2, out);
    for (const struct link *l = d->links.v, *end = l + d->links.n; l < end; l++)
        if (drawing_shows(d, l)) put_link(d, l, out);
    put_styles(d, out);
}
