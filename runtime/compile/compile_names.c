/* Names of custom components: which declare or import a block's name leads to, in its own body and
 * those around it, and what declares and templates are made of. The latter is read off their texts,
 * without compiling them: so recursion shows also in declares that nobody instantiates. */
#include "runtime/compile/compile.h"

/* ---- one name ---- */

static struct node *entry(const struct compiler *c, const struct map *labels, struct str label)
{
    uintptr_t number = (uintptr_t)map_get(labels, label);
    return number ? &c->nodes[number - 1] : NULL;
}

bool names_fit(const struct node *target, const struct custom_use *use)
{
    return (target->kind == NODE_IMPORT) == (use->member.n > 0);
}

/* Declares take the whole name, imports the part before the first dot; the other kind is second
 * choice, so that a misused name is not taken for a component. */
static struct node *find_here(const struct compiler *c, struct str first, bool dotted)
{
    struct node *n = entry(c, dotted ? &c->imports : &c->labels, first);
    return n ? n : entry(c, dotted ? &c->labels : &c->imports, first);
}

const struct node *names_find(struct compiler *c, struct str name, struct custom_use *ret)
{
    struct str rest = name, first = str_cut(&rest, '.');
    const struct node *misused = NULL;
    struct custom_use use = {.member = rest};
    for (; c; c = c->outer, use.up++) {
        const struct node *n = find_here(c, first, rest.n > 0);
        if (!n) continue;
        use.rank = node_number(c, n);
        if (names_fit(n, &use)) {
            *ret = use;
            return n;
        }
        if (misused) continue;
        misused = n;
        *ret = use;
    }
    return misused;
}

/* ---- what a body is made of ---- */

struct layer { /* labels of a body inside the one that is read */
    const struct layer *outer;
    struct map labels;
};

struct scan {
    struct compiler *c;
    struct node *n; /* gets the edges */
};

static void open_layer(struct layer *l, const struct body *b, const struct layer *outer)
{
    *l = (struct layer){.outer = outer};
    for (size_t i = 0; i < b->n; i++) {
        const struct block *inner = b->stmts[i].block;
        if (b->stmts[i].kind != STMT_BLOCK || !inner->has_label) continue;
        if (str_is(inner->name, "declare") || str_is(inner->parts[0], "import"))
            map_put(&l->labels, inner->label, l);
    }
}

static bool is_inner(const struct layer *l, struct str first)
{
    for (; l; l = l->outer)
        if (map_has(&l->labels, first)) return true;
    return false;
}

static void add_use(struct compiler *c, struct node *n, u32 to, struct span at)
{
    u32 mark = node_number(c, n) + 1;
    if (c->notes[to].stamp == mark) return;
    c->notes[to].stamp = mark;
    node_add_edge(c, n, (struct edge){.to = to, .uses = true, .span = at});
}

static void scan_body(struct scan *s, const struct body *b, const struct layer *outer);

static void scan_block(struct scan *s, const struct block *b, const struct layer *l)
{
    struct custom_use use;
    if (str_is(b->name, "declare")) {
        scan_body(s, &b->body, l);
    } else if (str_is(b->name, "foreach")) {
        const struct block *inner = foreach_template(b);
        if (inner) scan_body(s, &inner->body, l);
    } else if (!is_inner(l, b->parts[0]) && names_find(s->c, b->name, &use) && use.up == 0) {
        add_use(s->c, s->n, use.rank, b->name_span);
    }
}

static void scan_body(struct scan *s, const struct body *b, const struct layer *outer)
{
    struct layer l;
    open_layer(&l, b, outer);
    for (size_t i = 0; i < b->n; i++)
        if (b->stmts[i].kind == STMT_BLOCK) scan_block(s, b->stmts[i].block, &l);
    map_done(&l.labels, NULL);
}

/* ---- nodes of a body ---- */

/* A component whose name begins with a declare or import is an instance. */
static void become_custom(struct compiler *c, struct node *n)
{
    if (!names_find(c, n->block->name, &n->custom)) return;
    n->kind = NODE_CUSTOM;
    n->def = &custom_def;
    n->name = arena_strdup(&c->u->arena, n->block->name);
}

static void custom_uses(struct compiler *c, struct node *n)
{
    if (n->custom.up > 0) return; /* the block around this body has the edge */
    const struct node *target = &c->nodes[n->custom.rank];
    add_use(c, n, n->custom.rank, n->block->name_span);
    if (target->kind != NODE_DECLARE) return;
    declare_imports(target->declare);
    for (size_t i = 0; i < target->declare->n_imports; i++)
        add_use(c, n, target->declare->imports[i], n->block->name_span);
}

static void body_uses(struct compiler *c, struct node *n)
{
    const struct block *b = n->kind == NODE_DECLARE ? n->block : foreach_template(n->block);
    struct scan s = {.c = c, .n = n};
    if (b) scan_body(&s, &b->body, NULL);
}

/* Imports that a foreach is made of through declares. */
static void imports_behind(struct compiler *c, struct node *n)
{
    for (size_t i = 0, direct = n->n_edges; i < direct; i++) {
        const struct node *target = &c->nodes[n->edges[i].to];
        if (target->kind != NODE_DECLARE) continue;
        declare_imports(target->declare);
        for (size_t k = 0; k < target->declare->n_imports; k++)
            add_use(c, n, target->declare->imports[k], n->edges[i].span);
    }
}

void names_resolve(struct compiler *c)
{
    for (u32 i = 0; i < c->n; i++)
        if (c->nodes[i].kind == NODE_COMPONENT) become_custom(c, &c->nodes[i]);
    for (u32 i = 0; i < c->n; i++)
        if (c->nodes[i].kind == NODE_DECLARE || c->nodes[i].kind == NODE_FOREACH)
            body_uses(c, &c->nodes[i]);
    for (u32 i = 0; i < c->n; i++) {
        if (c->nodes[i].kind == NODE_FOREACH) imports_behind(c, &c->nodes[i]);
        if (c->nodes[i].kind == NODE_CUSTOM) custom_uses(c, &c->nodes[i]);
    }
}
