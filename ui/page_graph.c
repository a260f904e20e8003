/* The graph of one module as SVG: boxes are links to the components, arrows point the way data
 * goes, in the colours of runtime/flow.h. ?focus=ID keeps what feeds a component and what it feeds.
 */
#include "base/xalloc.h"
#include "runtime/flow.h"
#include "ui/graph_layout.h"
#include "ui/page.h"

#define NODES_MAX  1500 /* drawn; more help nobody, and the browser would stall */
#define BOX_H      44
#define ROW_H      60
#define GAP_X      90
#define MARGIN     12
#define CHAR_W     7.3 /* of the font the boxes are set in */
#define PAIR_REACH 64
#define TEXT_MAX   40 /* characters of a box's line */

struct line {     /* one per pair of nodes and kind of flow */
    u32 from, to; /* ranks; numbers of drawn nodes later */
    const struct flow *flow;
    u32 pair; /* lines between the same two go side by side: their edge in the layout */
};
struct drawing {
    struct page *p;
    const struct module *m;
    VEC(struct line) lines;
    VEC(u32) ranks; /* of the nodes drawn */
    bool *in;       /* by rank */
    u32 *number;    /* by rank: place in ranks */
    struct layout l;
    f64 box_w;
};

/* ---- what is drawn ---- */

static void add_line(struct drawing *d, u32 from, u32 to, const struct flow *flow, size_t since)
{
    for (size_t i = since; i < d->lines.n; i++)
        if (d->lines.v[i].from == from && d->lines.v[i].to == to && d->lines.v[i].flow == flow)
            return;
    vec_push(&d->lines, ((struct line){.from = from, .to = to, .flow = flow}));
}

static void add_edge(struct drawing *d, u32 rank, const struct edge *written, size_t since)
{
    struct edge known = module_edge(d->m, written), *e = &known;
    bool forward = edge_is_flow(e);
    u32 signals = edge_signals(e);
    for (size_t f = 0; f < FLOWS; f++)
        if (flow_in(&flows[f], signals))
            add_line(d, forward ? rank : e->to, forward ? e->to : rank, &flows[f], since);
}

static void collect_lines(struct drawing *d)
{
    const struct template *t = d->m->tmpl;
    for (u32 r = 0; r < t->n; r++) {
        size_t since = d->lines.n; /* lines of other nodes are other lines */
        if (!node_is_component(&t->nodes[r])) continue;
        for (size_t i = 0; i < t->nodes[r].n_edges; i++) {
            const struct edge *e = &t->nodes[r].edges[i];
            if (e->up == 0 && !e->uses && node_is_component(&t->nodes[e->to]))
                add_edge(d, r, e, since);
        }
    }
}

/* Follows lines one way until nothing new is met. */
static void reach(struct drawing *d, u32 from, bool forward, bool *seen)
{
    VEC(u32) todo = {0};
    vec_push(&todo, from);
    while (todo.n > 0) {
        u32 at = vec_pop(&todo);
        if (seen[at]) continue;
        seen[at] = true;
        d->in[at] = true;
        vec_each (&d->lines, l)
            if ((forward ? l->from : l->to) == at) vec_push(&todo, forward ? l->to : l->from);
    }
    vec_done(&todo);
}

static void choose_nodes(struct drawing *d, const struct place *focus)
{
    const struct template *t = d->m->tmpl;
    for (int forward = 0; focus && forward < 2; forward++) {
        bool *seen = xcalloc(t->n + 1, sizeof(bool));
        reach(d, focus->rank, forward, seen);
        free(seen);
    }
    for (u32 r = 0; r < t->n; r++) {
        if (focus ? !d->in[r] : !node_is_component(&t->nodes[r])) continue;
        d->in[r] = true;
        d->number[r] = (u32)d->ranks.n;
        vec_push(&d->ranks, r);
    }
}

static void drop_lines_outside(struct drawing *d)
{
    size_t kept = 0;
    vec_each (&d->lines, l)
        if (d->in[l->from] && d->in[l->to])
            d->lines.v[kept++] =
                (struct line){.from = d->number[l->from], .to = d->number[l->to], .flow = l->flow};
    d->lines.n = kept;
}

/* ---- places ---- */

static void measure(struct drawing *d)
{
    size_t widest = 10;
    vec_each (&d->ranks, r) {
        const struct node *n = &d->m->tmpl->nodes[*r];
        struct str label = n->block ? n->block->label : STR("");
        widest = MAX(widest, MIN(MAX(strlen(n->name), label.n), (size_t)TEXT_MAX));
    }
    d->box_w = (f64)widest * CHAR_W + 28;
}

/* Lines of one pair stand close together in the list. */
static bool find_pair(const struct drawing *d, size_t i, u32 *ret)
{
    for (size_t back = 1; back <= MIN(i, (size_t)PAIR_REACH); back++) {
        const struct line *l = &d->lines.v[i - back];
        if (l->from != d->lines.v[i].from || l->to != d->lines.v[i].to) continue;
        *ret = l->pair;
        return true;
    }
    return false;
}

static void lay_out(struct drawing *d)
{
    struct layout_edge *edges = xcalloc(d->lines.n + 1, sizeof(*edges));
    u32 n = 0;
    for (size_t i = 0; i < d->lines.n; i++) {
        struct line *l = &d->lines.v[i];
        if (find_pair(d, i, &l->pair)) continue;
        l->pair = n;
        edges[n++] = (struct layout_edge){l->from, l->to};
    }
    layout_graph((u32)d->ranks.n, edges, n, &d->l);
    free(edges);
    measure(d);
}

static f64 layer_x(const struct drawing *d, u32 layer)
{
    return MARGIN + layer * (d->box_w + GAP_X);
}

static f64 row_y(f64 row)
{
    return MARGIN + row * ROW_H;
}

static f64 box_x(const struct drawing *d, u32 node)
{
    return layer_x(d, d->l.places[node].layer);
}

static f64 box_y(const struct drawing *d, u32 node)
{
    return row_y(d->l.places[node].y);
}

/* ---- SVG ---- */

static void text_line(struct drawing *d, u32 node, f64 dy, const char *class, struct str text)
{
    buf_printf(d->p->b, "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\">", class, box_x(d, node) + 16,
               box_y(d, node) + dy);
    html_text(d->p->b, str_sub(text, 0, MIN(text.n, (size_t)TEXT_MAX)));
    buf_cstr(d->p->b, text.n > TEXT_MAX ? "…</text>" : "</text>");
}

static void box(struct drawing *d, u32 node)
{
    u32 rank = d->ranks.v[node];
    const struct node *n = &d->m->tmpl->nodes[rank];
    const struct node_state *s = d->m->states[rank];
    const char *health = health_name(node_health_worst(&s->health)->state);
    f64 x = box_x(d, node), y = box_y(d, node);
    buf_cstr(d->p->b, "<a ");
    page_href(d->p, "/component/", str_of(s->id));
    html(d->p->b, " data-id=\"%s\"><title>%s: %s</title>", s->id, s->id, health);
    buf_printf(d->p->b,
               "<rect class=\"box\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%d\" rx=\"6\"/>"
               "<rect class=\"stripe %s\" x=\"%.1f\" y=\"%.1f\" width=\"5\" height=\"%d\"/>",
               x, y, d->box_w, BOX_H, health, x, y + 6, BOX_H - 12);
    text_line(d, node, 18, "name", str_of(n->name));
    text_line(d, node, 35, "label", n->block ? n->block->label : STR(""));
    buf_cstr(d->p->b, "</a>\n");
}

static void curve(struct buf *b, f64 x1, f64 y1, f64 x2, f64 y2)
{
    f64 pull = MAX(GAP_X / 2.0, (x2 - x1) / 2);
    buf_printf(b, "C%.1f %.1f %.1f %.1f %.1f %.1f", x1 + pull, y1, x2 - pull, y2, x2, y2);
}

/* From the right side of one box, past the layers between, to the left side of the other. Lines of
 * other signals between the same two lie a little lower. */
static void arrow(struct drawing *d, const struct line *l)
{
    f64 middle = BOX_H / 2.0 + ((f64)(l->flow - flows) - (FLOWS - 1) / 2.0) * 6;
    f64 x = box_x(d, l->from) + d->box_w, y = box_y(d, l->from) + middle;
    u32 layer = d->l.places[l->from].layer;
    buf_printf(d->p->b, "<path class=\"flow %s\" marker-end=\"url(#head-%s)\" d=\"M%.1f %.1f",
               l->flow->name, l->flow->name, x, y);
    for (u32 b = d->l.bend_starts[l->pair]; b < d->l.bend_starts[l->pair + 1]; b++) {
        f64 bend_x = layer_x(d, ++layer), bend_y = row_y(d->l.bends[b]) + middle;
        curve(d->p->b, x, y, bend_x, bend_y);
        x = bend_x + d->box_w;
        y = bend_y;
        buf_printf(d->p->b, "H%.1f", x);
    }
    curve(d->p->b, x, y, box_x(d, l->to) - 2, box_y(d, l->to) + middle);
    buf_cstr(d->p->b, "\"/>\n");
}

static void arrow_heads(struct buf *b)
{
    buf_cstr(b, "<defs>");
    for (size_t f = 0; f < FLOWS; f++)
        buf_printf(b,
                   "<marker id=\"head-%s\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" "
                   "markerUnits=\"userSpaceOnUse\" markerWidth=\"10\" markerHeight=\"10\" "
                   "orient=\"auto\"><path class=\"head %s\" "
                   "d=\"M0 0L8 4L0 8z\"/></marker>",
                   flows[f].name, flows[f].name);
    buf_cstr(b, "</defs>\n");
}

static void svg(struct drawing *d)
{
    f64 w = d->l.layers * (d->box_w + GAP_X) - GAP_X + 2 * MARGIN;
    f64 h = (d->l.rows - 1) * ROW_H + BOX_H + 2 * MARGIN;
    buf_printf(d->p->b,
               "<div class=\"graph\" tabindex=\"0\" role=\"region\" aria-label=\"Graph\"><svg "
               "xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" viewBox=\"0 0 "
               "%.0f %.0f\">\n",
               w, h, w, h);
    arrow_heads(d->p->b);
    vec_each (&d->lines, l)
        arrow(d, l);
    for (u32 i = 0; i < d->ranks.n; i++)
        box(d, i);
    buf_cstr(d->p->b, "</svg></div>\n");
}

static void legend(struct buf *b)
{
    buf_cstr(b, "<p class=\"legend\">");
    for (size_t f = 0; f < FLOWS; f++)
        buf_printf(b,
                   "<span><svg width=\"34\" height=\"10\" aria-hidden=\"true\"><path class=\"flow "
                   "%s\" d=\"M1 5H32\"/></svg> %s</span> ",
                   flows[f].name, flows[f].name);
    buf_cstr(b, "</p>\n");
}

/* ---- the page ---- */

static void draw(struct drawing *d, const struct place *focus)
{
    u32 n = (u32)d->m->tmpl->n;
    d->in = xcalloc((size_t)n + 1, sizeof(bool));
    d->number = xcalloc((size_t)n + 1, sizeof(u32));
    collect_lines(d);
    choose_nodes(d, focus);
    drop_lines_outside(d);
    if (d->ranks.n > NODES_MAX) {
        buf_printf(d->p->b,
                   "<p>%zu components are too many for one drawing. Open a component and choose "
                   "<i>In the graph</i>: it shows what feeds it and what it feeds.</p>\n",
                   d->ranks.n);
    } else if (d->ranks.n == 0) {
        buf_cstr(d->p->b, "<p class=\"none\">No components are running.</p>\n");
    } else {
        lay_out(d);
        legend(d->p->b);
        svg(d);
    }
    free(d->in);
    free(d->number);
    layout_free(&d->l);
    vec_done(&d->lines);
    vec_done(&d->ranks);
}

static void heading(struct page *p, struct str module, const struct place *focus)
{
    if (module.n == 0 && !focus) return;
    buf_cstr(p->b, "<p class=\"trail\"><a ");
    page_href(p, "/graph", STR(""));
    buf_cstr(p->b, ">Whole graph</a>");
    if (module.n > 0) {
        buf_cstr(p->b, " / <a ");
        page_href(p, "/component/", module);
        buf_cstr(p->b, "><code>");
        html_text(p->b, module);
        buf_cstr(p->b, "</code></a>");
    }
    if (focus) html(p->b, " / what feeds <code>%s</code> and what it feeds", focus->node->id);
    buf_cstr(p->b, "</p>\n");
}

void page_graph(struct page *p, struct str id)
{
    struct str wanted;
    struct place focus;
    bool focused = query_values(p->r, "focus", &wanted, 1) == 1 &&
                   find_component(p->u->controller, wanted, &focus);
    const struct module *m = focused ? focus.module : controller_find_module(p->u->controller, id);
    struct drawing d = {.p = p, .m = m};
    page_open(p, "/graph", STR("Graph"));
    if (m) {
        heading(p, module_id(m), focused ? &focus : NULL);
        draw(&d, focused ? &focus : NULL);
    } else {
        buf_cstr(p->b, "<p>There is no such module in the running configuration.</p>\n");
    }
    page_close(p);
}
