/* From templates to nodes and links (cmd/drawing.h). A frame is one body in the picture: the root,
 * or the inside of one module instance. */
#include "cmd/drawing.h"

#include <errno.h>

#include "parser/source.h"

#define DEPTH_MAX 64 /* of modules inside modules, and of references through them */

struct frame {
    const struct frame *caller; /* where the instance stands; NULL at the root */
    const struct frame *around; /* of the body in which the template is written; NULL at the root */
    const struct template *t;
    const struct node *instance; /* in the caller's template; NULL at the root */
    u32 *drawn;                  /* by rank: its node, or NO_GROUP */
    struct frame **inside;       /* by rank: the frame of an instance, or NULL */
    int depth;
};

/* ---- nodes ---- */

/* Nodes as written, not as ranked: pictures are read by people. */
static int by_order(const void *a, const void *b)
{
    const struct node *x = *(const struct node *const *)a, *y = *(const struct node *const *)b;
    return (x->order > y->order) - (x->order < y->order);
}

static const struct frame *frame_around(const struct frame *f, u32 up)
{
    for (; up > 0; up--)
        f = f->around;
    return f;
}

/* What an instance is made of; NULL for what cannot be known without fetching it. A declare whose
 * body has faults was refused before. */
static const struct template *inner_template(const struct frame *f, const struct node *n)
{
    if (n->kind == NODE_FOREACH) return n->inner;
    if (n->kind != NODE_CUSTOM) return NULL;
    const struct node *of = &frame_around(f, n->custom.up)->t->nodes[n->custom.rank];
    struct diags diags;
    diags_init(&diags);
    const struct template *t = of->kind == NODE_DECLARE ? template_declared(of, &diags) : NULL;
    diags_done(&diags);
    return t;
}

/* The frame of the body that holds the declare; a foreach's template stands where it is used. */
static const struct frame *frame_of_body(const struct frame *f, const struct node *n)
{
    return n->kind == NODE_CUSTOM ? frame_around(f, n->custom.up) : f;
}

static bool has_components(const struct template *t)
{
    for (size_t i = 0; i < t->n; i++)
        if (node_is_component(&t->nodes[i])) return true;
    return false;
}

static void add_frame(struct drawing *d, struct frame *f, const char *prefix, u32 group);

static void add_node(struct drawing *d, struct frame *f, const struct node *n, const char *prefix,
                     u32 group)
{
    const struct template *inner = f->depth < DEPTH_MAX ? inner_template(f, n) : NULL;
    size_t rank = (size_t)(n - f->t->nodes);
    u32 self = (u32)d->nodes.n;
    struct drawn node = {.id = arena_printf(&d->arena, "%s%s", prefix, n->id),
                         .name = n->block->name,
                         .label = n->block->label,
                         .group = group,
                         .is_group = inner && has_components(inner)};
    vec_push(&d->nodes, node);
    f->drawn[rank] = self;
    if (!node.is_group) return;
    struct frame *child = arena_new(&d->arena, struct frame);
    *child = (struct frame){.caller = f,
                            .around = frame_of_body(f, n),
                            .t = inner,
                            .instance = n,
                            .depth = f->depth + 1};
    f->inside[rank] = child;
    add_frame(d, child, arena_printf(&d->arena, "%s/", node.id), self);
}

static void add_frame(struct drawing *d, struct frame *f, const char *prefix, u32 group)
{
    VEC(const struct node *) list = {0};
    f->drawn = arena_array(&d->arena, u32, f->t->n);
    f->inside = arena_array(&d->arena, struct frame *, f->t->n);
    for (size_t i = 0; i < f->t->n; i++) {
        f->drawn[i] = NO_GROUP;
        f->inside[i] = NULL;
        if (node_is_component(&f->t->nodes[i])) vec_push(&list, &f->t->nodes[i]);
    }
    if (list.n > 0) qsort(list.v, list.n, sizeof(*list.v), by_order);
    for (size_t i = 0; i < list.n; i++)
        add_node(d, f, list.v[i], prefix, group);
    vec_done(&list);
}

/* ---- links ---- */

/* Who refers: a node, and the attribute in which it does. */
struct reader {
    u32 node;
    const struct row *row; /* NULL: not known */
};

static void add_link(struct drawing *d, u32 from, u32 to, const struct flow *flow)
{
    if (from != to) vec_push(&d->links, ((struct link){from, to, flow}));
}

static bool takes_receivers(const struct row *row)
{
    return row && (row->kind == K_CAPSULE || row->kind == K_CAPSULE_LIST) &&
           (row->signals & SIGNALS_ANY);
}

/* read: the export; NULL when only the reader's attribute tells what it is. */
static void link_to(struct drawing *d, const struct reader *r, u32 other, const struct row *read)
{
    struct edge e = {.from_row = r->row, .to_row = read};
    bool forward = edge_is_flow(&e);
    u32 signals = edge_signals(&e);
    if (!read && takes_receivers(r->row)) forward = true, signals = r->row->signals & SIGNALS_ANY;
    if (!read && r->row && (r->row->signals & SIGNALS_TARGETS)) signals = SIGNALS_TARGETS;
    for (size_t i = 0; i < FLOWS; i++)
        if (flow_in(&flows[i], signals))
            add_link(d, forward ? r->node : other, forward ? other : r->node, &flows[i]);
}

static int pos_cmp(struct pos a, struct pos b)
{
    return a.line != b.line ? (a.line > b.line) - (a.line < b.line)
                            : (a.col > b.col) - (a.col < b.col);
}

static bool inside(struct span part, struct span whole)
{
    return part.file == whole.file && pos_cmp(part.start, whole.start) >= 0 &&
           pos_cmp(part.start, whole.end) <= 0;
}

/* Where an instance sets an argument; NULL when it does not. */
static const struct stmt *find_argument(const struct node *instance, struct str name)
{
    for (size_t i = 0; i < instance->block->body.n; i++) {
        const struct stmt *s = &instance->block->body.stmts[i];
        if (s->kind == STMT_ATTR && str_eq(s->attr->name, name)) return s;
    }
    return NULL;
}

static bool is_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           (unsigned char)c >= 0x80;
}

/* The export that a reference to an instance reads: the word behind the instance's id. */
static struct str export_name(const struct edge *e, const struct node *instance)
{
    size_t skip = strlen(instance->id);
    if (!e->span.file) return (struct str){0};
    struct str line = source_line(e->span.file, e->span.start.line);
    struct str text = str_sub(line, e->span.start.col - 1, line.n);
    if (!str_starts(text, str_of(instance->id)) || text.n <= skip || text.p[skip] != '.')
        return (struct str){0};
    text = str_sub(text, skip + 1, text.n);
    size_t n = 0;
    while (n < text.n && is_word(text.p[n]))
        n++;
    return str_sub(text, 0, n);
}

static const struct node *find_export(const struct frame *f, struct str name)
{
    for (size_t i = 0; i < f->t->n; i++)
        if (f->t->nodes[i].kind == NODE_EXPORT && str_eq(f->t->nodes[i].block->label, name))
            return &f->t->nodes[i];
    return NULL;
}

static void follow(struct drawing *d, const struct reader *r, const struct frame *f,
                   const struct edge *e, int depth);

/* A reference to an instance goes on to what its export is made of. */
static void follow_export(struct drawing *d, const struct reader *r, const struct frame *f,
                          const struct edge *e, int depth)
{
    const struct frame *child = f->inside[e->to];
    const struct node *out = child ? find_export(child, export_name(e, &f->t->nodes[e->to])) : NULL;
    if (!out) link_to(d, r, f->drawn[e->to], e->to_row);
    for (size_t i = 0; out && i < out->n_edges; i++)
        follow(d, r, child, &out->edges[i], depth + 1);
}

/* A reference to an argument goes on to what the instance was given. */
static void follow_argument(struct drawing *d, const struct reader *r, const struct frame *f,
                            const struct node *argument, int depth)
{
    const struct stmt *s = f->instance ? find_argument(f->instance, argument->block->label) : NULL;
    for (size_t i = 0; s && i < f->instance->n_edges; i++)
        if (inside(f->instance->edges[i].span, s->span))
            follow(d, r, f->caller, &f->instance->edges[i], depth + 1);
}

static void follow(struct drawing *d, const struct reader *r, const struct frame *f,
                   const struct edge *e, int depth)
{
    f = frame_around(f, e->up);
    const struct node *to = &f->t->nodes[e->to];
    if (e->uses || depth > DEPTH_MAX) return;
    if (to->kind == NODE_ARGUMENT)
        follow_argument(d, r, f, to, depth);
    else if (to->kind == NODE_CUSTOM)
        follow_export(d, r, f, e, depth);
    else if (f->drawn[e->to] != NO_GROUP)
        link_to(d, r, f->drawn[e->to], e->to_row);
}

/* The references of a group's members are theirs; a foreach itself takes its collection. */
static bool is_own(const struct drawn *self, const struct node *n, const struct edge *e)
{
    const struct stmt *collection = find_argument(n, STR("collection"));
    return !self->is_group || (n->kind == NODE_FOREACH && inside(e->span, collection->span));
}

static void link_node(struct drawing *d, const struct frame *f, const struct node *n, u32 self)
{
    for (size_t i = 0; i < n->n_edges; i++) {
        struct reader r = {.node = self, .row = n->edges[i].from_row};
        if (is_own(&d->nodes.v[self], n, &n->edges[i])) follow(d, &r, f, &n->edges[i], 0);
    }
}

static void link_frame(struct drawing *d, const struct frame *f)
{
    for (size_t i = 0; i < f->t->n; i++) {
        if (f->drawn[i] != NO_GROUP) link_node(d, f, &f->t->nodes[i], f->drawn[i]);
        if (f->inside[i]) link_frame(d, f->inside[i]);
    }
}

static int by_ends(const void *a, const void *b)
{
    const struct link *x = a, *y = b;
    if (x->from != y->from) return x->from < y->from ? -1 : 1;
    if (x->to != y->to) return x->to < y->to ? -1 : 1;
    return (x->flow > y->flow) - (x->flow < y->flow);
}

/* One per pair and signal, in the order of the nodes. */
static void sort_links(struct drawing *d)
{
    size_t kept = 0;
    if (d->links.n > 0) qsort(d->links.v, d->links.n, sizeof(*d->links.v), by_ends);
    for (size_t i = 0; i < d->links.n; i++)
        if (kept == 0 || by_ends(&d->links.v[kept - 1], &d->links.v[i]) != 0)
            d->links.v[kept++] = d->links.v[i];
    d->links.n = kept;
}

void drawing_init(struct drawing *d, const struct template *root)
{
    *d = (struct drawing){0};
    arena_init(&d->arena, 0);
    struct frame f = {.t = root};
    add_frame(d, &f, "", NO_GROUP);
    link_frame(d, &f);
    sort_links(d);
}

void drawing_done(struct drawing *d)
{
    vec_done(&d->nodes);
    vec_done(&d->links);
    arena_done(&d->arena);
}

/* ---- focus ---- */

static bool is_within(const struct drawing *d, u32 node, u32 group)
{
    for (; node != NO_GROUP; node = d->nodes.v[node].group)
        if (node == group) return true;
    return false;
}

/* Marks a node, and the members of a group. Returns whether anything was new. */
static bool mark(const struct drawing *d, bool *marks, u32 node)
{
    bool fresh = false;
    for (u32 i = node; i < d->nodes.n && is_within(d, i, node); i++)
        if (!marks[i]) marks[i] = fresh = true;
    return fresh;
}

/* A link of a group is one of each of its members. */
static bool meets(const struct drawing *d, const bool *marks, u32 end)
{
    for (u32 i = end; i < d->nodes.n && is_within(d, i, end); i++)
        if (marks[i]) return true;
    return false;
}

/* Marks all that is reached from start along the links, or against them: there and back over them
 * until nothing is new, for chains stand in either order. */
static void reach(const struct drawing *d, u32 start, bool along, bool *marks)
{
    bool fresh = mark(d, marks, start);
    while (fresh) {
        fresh = false;
        for (size_t i = 0; i < 2 * d->links.n; i++) {
            const struct link *l = &d->links.v[i < d->links.n ? i : 2 * d->links.n - 1 - i];
            if (meets(d, marks, along ? l->from : l->to))
                fresh |= mark(d, marks, along ? l->to : l->from);
        }
    }
}

/* Frames around what is shown are shown. */
static void show(struct drawing *d, u32 node)
{
    for (; node != NO_GROUP; node = d->nodes.v[node].group)
        d->nodes.v[node].hidden = false;
}

static void keep_reached(struct drawing *d, u32 start)
{
    bool *up = arena_array(&d->arena, bool, d->nodes.n);
    bool *down = arena_array(&d->arena, bool, d->nodes.n);
    memset(up, 0, d->nodes.n);
    memset(down, 0, d->nodes.n);
    reach(d, start, false, up);
    reach(d, start, true, down);
    vec_each (&d->nodes, n)
        n->hidden = true;
    for (u32 i = 0; i < d->nodes.n; i++)
        if (up[i] || down[i]) show(d, i);
}

int drawing_focus(struct drawing *d, const char *id, const char **ret_near)
{
    const char *near = NULL;
    int best = MAX(4, (int)strlen(id) / 3);
    for (u32 i = 0; i < d->nodes.n; i++) {
        int far = str_distance(str_of(id), str_of(d->nodes.v[i].id), best);
        if (far == 0) return keep_reached(d, i), 0;
        if (far < best) best = far, near = d->nodes.v[i].id;
    }
    *ret_near = near;
    return -ENOENT;
}

bool drawing_shows(const struct drawing *d, const struct link *l)
{
    return !d->nodes.v[l->from].hidden && !d->nodes.v[l->to].hidden;
}
