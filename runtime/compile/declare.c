/* Bodies of declare blocks. Each compiles once, when an instance asks for it (the checker asks for
 * all), and what it found is kept. A body whose instances stand in other declares needs those
 * first: they are walked without recursion, as chains of declares may be long. */
#include "runtime/compile/compile.h"

#include <errno.h>

static void faults_done(void *arg)
{
    diags_done(arg);
}

struct diags *unit_diags(struct unit *u)
{
    struct diags *d = arena_new(&u->arena, struct diags);
    diags_init(d);
    arena_cleanup(&u->arena, faults_done, d);
    return d;
}

struct declare *declare_new(struct compiler *around, const struct block *b)
{
    struct declare *d = arena_new(&around->u->arena, struct declare);
    d->block = b;
    d->around = around;
    d->faults = unit_diags(around->u);
    return d;
}

static void compile_declare(struct declare *d)
{
    const struct body *body = &d->block->body;
    if (d->state != DECLARE_NEW) return;
    d->state = DECLARE_FAILED; /* should it be asked for meanwhile: it is made of itself */
    struct template *t = body_compile(d->around->u, d->around, TEMPLATE_DECLARE, &body, 1,
                                      (struct str){0}, d->faults, &d->body);
    if (t) d->state = DECLARE_DONE;
}

void declare_report(const struct declare *d, struct diags *diags)
{
    diags_move(diags, d->faults);
}

/* ---- along uses, what is needed first ---- */

typedef void (*visit_fn)(struct compiler *c, u32 node, void *arg);

struct step {
    u32 node;
    size_t next; /* edge */
};

struct walk {
    struct compiler *c;
    bool *seen;
    VEC(struct step) path;
};

static void walk_init(struct walk *w, struct compiler *c)
{
    *w = (struct walk){.c = c, .seen = xcalloc(c->n + 1, sizeof(bool))};
}

static void walk_done(struct walk *w)
{
    free(w->seen);
    vec_done(&w->path);
}

static void walk_push(struct walk *w, u32 node)
{
    if (w->seen[node]) return;
    w->seen[node] = true;
    vec_push(&w->path, ((struct step){.node = node}));
}

/* The next edge of the node that leads to a node of the same body by use. */
static const struct edge *next_use(const struct node *n, size_t *next)
{
    while (*next < n->n_edges) {
        const struct edge *e = &n->edges[(*next)++];
        if (e->uses && e->up == 0) return e;
    }
    return NULL;
}

/* Every node that from is made of, itself last; those seen before are left out. */
static void walk_uses(struct walk *w, u32 from, visit_fn visit, void *arg)
{
    walk_push(w, from);
    while (w->path.n > 0) {
        struct step *s = &vec_last(&w->path);
        const struct edge *e = next_use(&w->c->nodes[s->node], &s->next);
        if (e)
            walk_push(w, e->to);
        else
            visit(w->c, vec_pop(&w->path).node, arg);
    }
}

/* ---- compiling ---- */

static void visit_declare(struct compiler *c, u32 node, void *arg)
{
    if (c->nodes[node].kind == NODE_DECLARE) compile_declare(c->nodes[node].declare);
}

static void visit_needed(struct compiler *c, u32 node, void *arg)
{
    visit_declare(c, node, arg);
    if (c->nodes[node].kind == NODE_DECLARE) c->nodes[node].declare->needed = true;
}

static void walk_kind(struct compiler *c, enum node_kind kind, visit_fn visit)
{
    struct walk w;
    walk_init(&w, c);
    for (u32 i = 0; i < c->n; i++)
        if (c->nodes[i].kind == kind) walk_uses(&w, i, visit, NULL);
    walk_done(&w);
}

void declares_compile(struct compiler *c, bool all)
{
    walk_kind(c, NODE_CUSTOM, visit_needed);
    walk_kind(c, NODE_FOREACH, visit_declare);
    if (all) walk_kind(c, NODE_DECLARE, visit_declare);
}

static void visit_report(struct compiler *c, u32 node, void *diags)
{
    if (c->nodes[node].kind == NODE_DECLARE) declare_report(c->nodes[node].declare, diags);
}

void declares_report(struct compiler *c, const struct node *n, struct diags *diags)
{
    struct walk w;
    walk_init(&w, c);
    walk_uses(&w, node_number(c, n), visit_report, diags);
    walk_done(&w);
}

struct template *template_declared(const struct node *n, struct diags *diags)
{
    struct declare *d = n->declare;
    struct walk w;
    ASSERT(d);
    if (d->state == DECLARE_NEW) {
        walk_init(&w, d->around);
        walk_uses(&w, node_number(d->around, n), visit_declare, NULL);
        walk_done(&w);
    }
    declare_report(d, diags);
    return d->state == DECLARE_DONE ? d->body->t : NULL;
}

/* ---- imports behind a declare ---- */

struct imports {
    VEC(u32) found;
};

static void visit_import(struct compiler *c, u32 node, void *arg)
{
    struct imports *list = arg;
    if (c->nodes[node].kind == NODE_IMPORT) vec_push(&list->found, node);
}

void declare_imports(struct declare *d)
{
    struct compiler *c = d->around;
    struct imports list = {0};
    struct walk w;
    if (d->has_imports) return;
    d->has_imports = true;
    if (c->imports.live == 0) return;
    const char *id = arena_printf(&c->u->arena, "declare." STR_FMT, STR_ARG(d->block->label));
    const struct node *n = map_get(&c->t->by_id, str_of(id));
    walk_init(&w, c);
    walk_uses(&w, node_number(c, n), visit_import, &list);
    walk_done(&w);
    d->n_imports = list.found.n;
    d->imports = arena_array(&c->u->arena, u32, list.found.n + 1);
    if (list.found.n > 0) memcpy(d->imports, list.found.v, list.found.n * sizeof(u32));
    vec_done(&list.found);
}

/* ---- asking for one ---- */

const struct node *template_find_declare(const struct template *t, struct str label)
{
    struct buf id = BUF_INIT(SIZE_MAX / 2);
    buf_printf(&id, "declare." STR_FMT, STR_ARG(label));
    const struct node *n = template_node(t, buf_view(&id));
    buf_done(&id);
    return n;
}

const struct row *template_export_row(const struct node *declare, struct str name)
{
    const struct compiler *body = declare->declare->body;
    const struct export_face *f = body ? map_get(&body->exports, name) : NULL;
    return f ? f->row : NULL;
}
