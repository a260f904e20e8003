/* The compiler's passes over one body, and the units that bodies make up: collect nodes · find what
 * instances are made of · compile the bodies inside · judge each node · sort · settle. Spec:
 * runtime.md 2. */
#include "runtime/compile/compile.h"

#include <errno.h>
#include "parser/parser.h"

/* ---- edges ---- */

void node_add_edge(struct compiler *c, struct node *n, struct edge e)
{
    if ((n->n_edges & (n->n_edges - 1)) == 0) { /* a power of two, or none: full */
        struct edge *grown =
            arena_array(&c->u->arena, struct edge, n->n_edges ? n->n_edges * 2 : 1);
        if (n->n_edges) memcpy(grown, n->edges, n->n_edges * sizeof(*grown));
        n->edges = grown;
    }
    n->edges[n->n_edges++] = e;
}

/* ---- the template of a foreach ---- */

/* What the template reads of around, its foreach reads. */
static void lift_edges(struct compiler *c, struct node *n, const struct compiler *inner)
{
    for (u32 i = 0; i < inner->n; i++)
        for (size_t k = 0; k < inner->nodes[i].n_edges; k++) {
            struct edge e = inner->nodes[i].edges[k];
            if (e.up == 0) continue;
            e.up--;
            node_add_edge(c, n, e);
        }
    for (u32 i = 0; i < inner->n; i++)
        c->notes[node_number(c, n)].unknown |= inner->notes[i].unknown;
}

static struct str foreach_var(const struct block *b)
{
    for (size_t i = 0; i < b->body.n; i++) {
        const struct attr *a = b->body.stmts[i].attr;
        if (b->body.stmts[i].kind == STMT_ATTR && str_is(a->name, "var") &&
            a->value->kind == EXPR_STRING)
            return a->value->s;
    }
    return (struct str){0};
}

static void compile_template(struct compiler *c, struct node *n, const struct body *body,
                             struct diags *diags)
{
    struct compiler *scope;
    n->inner =
        body_compile(c->u, c, TEMPLATE_FOREACH, &body, 1, foreach_var(n->block), diags, &scope);
    lift_edges(c, n, scope);
}

/* As in Alloy, whoever runs it hears of faults in the template when an item needs it: of its own,
 * and of those in the declares that it is made of. */
static void compile_for_items(struct compiler *c, struct node *n, const struct body *body)
{
    struct diags *found = unit_diags(c->u);
    compile_template(c, n, body, found);
    declares_report(c, n, found);
    if (found->n_errors == 0) {
        diags_move(c->diags, found);
        return;
    }
    n->inner = NULL;
    n->faults = found;
}

static void compile_foreach(struct compiler *c, struct node *n)
{
    const struct block *inner = foreach_template(n->block);
    if (!inner) return;
    if (c->o->check)
        compile_template(c, n, &inner->body, c->diags);
    else
        compile_for_items(c, n, &inner->body);
}

/* ---- one node ---- */

static void check_inside(struct compiler *c, struct node *n)
{
    if (n->kind == NODE_FOREACH) compile_foreach(c, n);
    if (n->kind == NODE_DECLARE && c->o->check) declare_report(n->declare, c->diags);
}

static void check_node(struct compiler *c, struct node *n)
{
    if (!n->block) return;
    size_t errors = c->diags->n_errors;
    struct note *note = &c->notes[node_number(c, n)];
    note->diags_from = c->diags->list.n;
    findings_check(c, n);
    body_check(c, n);
    check_inside(c, n);
    references_check(c, n);
    n->has_errors |= c->diags->n_errors > errors;
    note->diags_to = c->diags->list.n;
}

static void check_nodes(struct compiler *c)
{
    for (u32 i = 0; i < c->n; i++) {
        report_misplaced(c, &c->nodes[i]);
        check_node(c, &c->nodes[i]);
    }
    report_misplaced(c, NULL);
    for (u32 i = 0; i < c->n && !c->o->check; i++) /* as Alloy: found when it is instantiated */
        if (c->nodes[i].kind == NODE_DECLARE && c->nodes[i].declare->needed)
            declare_report(c->nodes[i].declare, c->diags);
}

/* ---- the finished template ---- */

static void push_number(struct arena *a, u32 **v, size_t *n, u32 x)
{
    if ((*n & (*n - 1)) == 0) { /* a power of two, or none: full */
        u32 *grown = arena_array(a, u32, *n ? *n * 2 : 1);
        if (*n) memcpy(grown, *v, *n * sizeof(u32));
        *v = grown;
    }
    (*v)[(*n)++] = x;
}

static void add_outer(struct arena *a, struct node *n, const struct edge *e)
{
    for (size_t i = 0; i < n->n_outer; i++)
        if (n->outer[i].up == e->up && n->outer[i].rank == e->to) return;
    if ((n->n_outer & (n->n_outer - 1)) == 0) {
        struct outer *grown = arena_array(a, struct outer, n->n_outer ? n->n_outer * 2 : 1);
        if (n->n_outer) memcpy(grown, n->outer, n->n_outer * sizeof(*grown));
        n->outer = grown;
    }
    n->outer[n->n_outer++] = (struct outer){.up = e->up, .rank = e->to};
}

/* stamp[to] == i + 1: i refers to it already. */
static void link_node(struct compiler *c, u32 i)
{
    struct arena *a = &c->u->arena;
    struct node *n = &c->nodes[i];
    for (size_t e = 0; e < n->n_edges; e++) {
        const struct edge *edge = &n->edges[e];
        if (edge->up > 0)
            add_outer(a, n, edge);
        else if (c->notes[edge->to].stamp != i + 1) {
            c->notes[edge->to].stamp = i + 1;
            push_number(a, &n->deps, &n->n_deps, edge->to);
            push_number(a, &c->nodes[edge->to].users, &c->nodes[edge->to].n_users, i);
        }
    }
}

static void link_users(struct compiler *c)
{
    for (u32 i = 0; i < c->n; i++)
        c->notes[i].stamp = 0;
    for (u32 i = 0; i < c->n; i++)
        link_node(c, i);
}

/* An outer body that is still being compiled will number its nodes anew. */
static void await_rank(struct compiler *c, u32 up, u32 *number)
{
    struct compiler *there = compiler_out(c, up);
    if (up > 0 && !there->settled) vec_push(&there->pending, number);
}

static void await_ranks(struct compiler *c)
{
    for (u32 i = 0; i < c->n; i++) {
        struct node *n = &c->nodes[i];
        for (size_t e = 0; e < n->n_edges; e++)
            await_rank(c, n->edges[e].up, &n->edges[e].to);
        for (size_t o = 0; o < n->n_outer; o++)
            await_rank(c, n->outer[o].up, &n->outer[o].rank);
        if (n->kind == NODE_CUSTOM) await_rank(c, n->custom.up, &n->custom.rank);
    }
}

static void move_nodes(struct compiler *c, const u32 *order, u32 *rank)
{
    struct node *nodes = arena_array(&c->u->arena, struct node, c->n + 1);
    for (u32 r = 0; r < c->n; r++) {
        rank[order[r]] = r;
        nodes[r] = c->nodes[order[r]];
    }
    c->nodes = nodes;
    c->t->nodes = nodes;
    c->t->n = c->n;
}

static void renumber(struct compiler *c, const u32 *rank)
{
    for (u32 r = 0; r < c->n; r++) {
        struct node *n = &c->nodes[r];
        for (size_t e = 0; e < n->n_edges; e++)
            if (n->edges[e].up == 0) n->edges[e].to = rank[n->edges[e].to];
        if (n->kind == NODE_CUSTOM && n->custom.up == 0) n->custom.rank = rank[n->custom.rank];
    }
    vec_each (&c->pending, number)
        **number = rank[**number];
    vec_done(&c->pending);
}

static void renumber_labels(struct map *labels, const u32 *rank)
{
    map_each (labels, e)
        e->value = (void *)(uintptr_t)(rank[(uintptr_t)e->value - 1] + 1);
}

/* Moves the nodes into rank order; all that names them by number follows. */
static void settle(struct compiler *c, const u32 *order)
{
    u32 *rank = xcalloc(c->n + 1, sizeof(u32));
    move_nodes(c, order, rank);
    renumber(c, rank);
    renumber_labels(&c->labels, rank);
    renumber_labels(&c->imports, rank);
    for (u32 r = 0; r < c->n; r++)
        if (map_has(&c->t->by_id, str_of(c->nodes[r].id)))
            map_put(&c->t->by_id, str_of(c->nodes[r].id), &c->nodes[r]);
    free(rank);
    link_users(c);
    await_ranks(c);
    c->settled = true;
}

/* ---- one body ---- */

static struct compiler *compiler_new(struct unit *u, struct compiler *outer,
                                     enum template_kind kind, struct str var, struct diags *diags)
{
    struct compiler *c = arena_new(&u->arena, struct compiler);
    *c = (struct compiler){.u = u,
                           .o = &u->opts,
                           .t = arena_new(&u->arena, struct template),
                           .outer = outer,
                           .depth = outer ? outer->depth + 1 : 0,
                           .diags = diags};
    *c->t = (struct template){.unit = u, .kind = kind, .var = var};
    vec_push(&u->bodies, c);
    return c;
}

static bool too_deep(struct compiler *c, const struct body *b)
{
    if (c->depth <= MODULE_DEPTH_MAX) return false;
    struct span at = b->span;
    at.end = at.start;
    diag_error(c->diags, DIAG_MODULE_DEPTH, at, "modules nest more than %d levels deep",
               MODULE_DEPTH_MAX);
    return true;
}

static void run_passes(struct compiler *c, const struct body *const *bodies, size_t n)
{
    size_t errors = c->diags->n_errors;
    collect_nodes(c, bodies, n);
    names_resolve(c);
    faces_open(c);
    declares_compile(c, c->o->check);
    check_nodes(c);
    faces_close(c);
    u32 *order = xcalloc(c->n + 1, sizeof(u32));
    order_nodes(c, order);
    if (c->o->check || c->diags->n_errors > errors) dry_run(c);
    if (c->diags->n_errors == errors) settle(c, order);
    free(order);
}

struct template *body_compile(struct unit *u, struct compiler *outer, enum template_kind kind,
                              const struct body *const *bodies, size_t n, struct str var,
                              struct diags *diags, struct compiler **ret_scope)
{
    struct compiler *c = compiler_new(u, outer, kind, var, diags);
    if (!(n > 0 && too_deep(c, bodies[0]))) run_passes(c, bodies, n);
    c->diags = NULL;
    *ret_scope = c;
    return c->settled ? c->t : NULL;
}

/* ---- units ---- */

static struct unit *unit_new(const struct compile_opts *o, struct tree_set *trees)
{
    struct unit *u = xnew(struct unit);
    refs_init(&u->refs);
    arena_init(&u->arena, 4096);
    u->opts = *o;
    u->trees = *trees;
    *trees = (struct tree_set){0};
    return u;
}

static void unit_unref(struct unit *u)
{
    if (!refs_put(&u->refs)) return;
    vec_each (&u->bodies, c) {
        map_done(&(*c)->t->by_id, NULL);
        map_done(&(*c)->labels, NULL);
        map_done(&(*c)->imports, NULL);
        map_done(&(*c)->arguments, NULL);
        map_done(&(*c)->exports, NULL);
        vec_done(&(*c)->pending);
        vec_done(&(*c)->misplaced);
    }
    vec_done(&u->bodies);
    arena_done(&u->arena);
    tree_set_done(&u->trees);
    free(u);
}

static const struct body *const *bodies_of(struct unit *u)
{
    const struct body **bodies = arena_array(&u->arena, const struct body *, u->trees.trees.n + 1);
    for (size_t i = 0; i < u->trees.trees.n; i++)
        bodies[i] = &u->trees.trees.v[i]->body;
    return bodies;
}

static int finish(struct unit *u, struct template *t, struct template **ret)
{
    if (!t) {
        unit_unref(u);
        return -EINVAL;
    }
    *ret = t;
    return 0;
}

int template_compile(const struct compile_opts *o, struct tree_set *trees, struct diags *diags,
                     struct template **ret)
{
    struct unit *u = unit_new(o, trees);
    struct compiler *scope;
    struct template *t = body_compile(u, NULL, TEMPLATE_ROOT, bodies_of(u), u->trees.trees.n,
                                      (struct str){0}, diags, &scope);
    return finish(u, t, ret);
}

void template_adopt(struct template *t, const struct compile_opts *o)
{
    t->unit->opts = *o;
}

struct template *template_ref(struct template *t)
{
    refs_get(&t->unit->refs);
    return t;
}

void template_unref(struct template *t)
{
    if (t) unit_unref(t->unit);
}

const struct node *template_node(const struct template *t, struct str id)
{
    return map_get(&t->by_id, id);
}

/* ---- imported content ---- */

static int parse_text(const char *label, const struct import_file *f, struct tree_set *trees,
                      struct diags *diags)
{
    struct str text = str_n(f->text, f->n);
    char *why = source_check_encoding(text);
    if (why) {
        diag_error(diags, DIAG_LEX_ENCODING, NO_SPAN, "%s", why);
        free(why);
        return -EINVAL;
    }
    struct source *src = source_new(label, text);
    struct tree *tree = parse_file(src, diags);
    if (tree) vec_push(&trees->trees, tree);
    source_unref(src);
    return tree ? 0 : -EINVAL;
}

int template_compile_import(const struct compile_opts *o, const struct import_content *content,
                            const char *label, const char *id, bool may_import_files,
                            struct diags *diags, struct template **ret)
{
    struct tree_set trees = {0};
    bool failed = false;
    for (size_t i = 0; i < content->files.n; i++)
        failed |= parse_text(label, &content->files.v[i], &trees, diags) < 0;
    if (failed) {
        tree_set_done(&trees);
        return -EBADMSG;
    }
    struct unit *u = unit_new(o, &trees);
    struct compiler *c = compiler_new(u, NULL, TEMPLATE_IMPORT, (struct str){0}, diags);
    c->import_id = arena_strdup(&u->arena, str_of(id));
    c->may_import_files = may_import_files;
    run_passes(c, bodies_of(u), u->trees.trees.n);
    c->diags = NULL;
    return finish(u, c->settled ? c->t : NULL, ret);
}
