/* From syntax trees to a graph: which blocks are nodes, their ids, what is refused, and how
 * references resolve. Spec: runtime.md 1 and 2. The checks of one node's body are in references.c,
 * sorting in order.c. */
#include "runtime/compile.h"

#include <errno.h>
#include "value/fault.h"

/* ---- what a top-level block is ---- */

/* Blocks of the language that this build refuses by name, never silently. */
static const struct {
    const char *name;
    bool opens_namespace; /* its label becomes a name of components */
} unsupported[] = {
    {"declare", true},        {"foreach", false},    {"import.file", true},
    {"import.git", true},     {"import.http", true}, {"import.string", true},
    {"livedebugging", false}, {"remotecfg", false},  {"tracing", false},
};

static bool refuse_unsupported(struct compiler *c, const struct block *b)
{
    for (size_t i = 0; i < ARRAY_LEN(unsupported); i++) {
        if (!str_is(b->name, unsupported[i].name)) continue;
        struct diag *d = diag_error(c->diags, DIAG_NODE_UNSUPPORTED, b->name_span,
                                    "\"%s\" blocks are not supported by this build of Weir yet",
                                    unsupported[i].name);
        diag_hint(c->diags, d, "remove the block, or run this configuration with a later version");
        if (unsupported[i].opens_namespace && b->has_label) map_put(&c->namespaces, b->label, c);
        return true;
    }
    return false;
}

static bool refuse_misplaced(struct compiler *c, const struct block *b)
{
    if (!str_is(b->name, "argument") && !str_is(b->name, "export")) return false;
    diag_error(c->diags, DIAG_NODE_PLACE, b->name_span,
               STR_FMT " blocks only allowed inside a module", STR_ARG(b->name));
    return true;
}

static const struct config_use *find_config(const struct compiler *c, const struct block *b)
{
    for (size_t i = 0; i < c->o->n_configs; i++) {
        const struct config_def *def = c->o->configs[i].def;
        if (str_is(b->name, def->def.name) && !(def->service && b->has_label))
            return &c->o->configs[i];
    }
    return NULL;
}

static const struct component_def *registry_get(const struct registry *r, struct str name)
{
    for (size_t lo = 0, hi = r->n; lo < hi;) {
        size_t mid = lo + (hi - lo) / 2;
        int order = str_cmp(name, str_of(r->all[mid]->name));
        if (order == 0) return r->all[mid];
        if (order < 0)
            hi = mid;
        else
            lo = mid + 1;
    }
    return r->foreign ? r->foreign(r->foreign_arg, name) : NULL;
}

/* ---- collecting ---- */

static void add_node(struct compiler *c, const struct block *b, const struct config_use *config)
{
    struct arena *a = &c->t->arena;
    struct node n = {
        .kind = NODE_COMPONENT, .order = (u32)c->nodes.n, .block = b, .config = config};
    if (config) {
        n.kind = config->def->service ? NODE_SERVICE : NODE_CONFIG;
        n.def = &config->def->def;
    } else {
        n.def = registry_get(&c->o->registry, b->name);
    }
    struct str name = b ? b->name : str_of(config->def->def.name);
    n.id = b && b->has_label
               ? arena_printf(a, STR_FMT "." STR_FMT, STR_ARG(name), STR_ARG(b->label))
               : arena_strdup(a, name);
    vec_push(&c->nodes, n);
}

static void collect_block(struct compiler *c, const struct block *b)
{
    if (refuse_unsupported(c, b) || refuse_misplaced(c, b)) return;
    add_node(c, b, find_config(c, b));
}

static void collect_tree(struct compiler *c, const struct tree *t)
{
    for (size_t i = 0; i < t->body.n; i++) {
        const struct stmt *s = &t->body.stmts[i];
        if (s->kind == STMT_BLOCK)
            collect_block(c, s->block);
        else
            diag_error(c->diags, DIAG_NODE_PLACE, s->attr->name_span,
                       "unrecognized attribute " STR_FMT, STR_ARG(s->attr->name));
    }
}

/* A block that was removed falls back to its defaults: it is always a node. */
static void collect_defaults(struct compiler *c)
{
    for (size_t i = 0; i < c->o->n_configs; i++) {
        bool written = false;
        for (size_t n = 0; n < c->nodes.n; n++)
            written |= c->nodes.v[n].config == &c->o->configs[i];
        if (!written) add_node(c, NULL, &c->o->configs[i]);
    }
}

static int by_kind(const void *a, const void *b)
{
    const struct node *x = a, *y = b;
    if (x->kind != y->kind) return x->kind < y->kind ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
}

static void collect(struct compiler *c)
{
    vec_each (&c->t->trees.trees, tree)
        collect_tree(c, *tree);
    collect_defaults(c);
    if (c->nodes.n > 0) qsort(c->nodes.v, c->nodes.n, sizeof(*c->nodes.v), by_kind);
    vec_each (&c->nodes, n)
        if (!map_has(&c->t->by_id, str_of(n->id))) map_put(&c->t->by_id, str_of(n->id), n);
}

struct node *graph_resolve(const struct compiler *c, const struct traversal *t, size_t *ret_used)
{
    struct buf id = BUF_INIT(SIZE_MAX / 2);
    struct node *found = NULL;
    for (size_t n = 1; n <= t->n && !found; n++) {
        buf_reset(&id);
        traversal_text(t, n, &id);
        found = map_get(&c->t->by_id, buf_view(&id));
        if (found) *ret_used = n;
    }
    buf_done(&id);
    return found;
}

/* ---- own findings of a node ---- */

static void check_duplicate(struct compiler *c, struct node *n)
{
    const struct node *first = map_get(&c->t->by_id, str_of(n->id));
    if (first == n) return;
    n->has_errors = true;
    struct span at = n->block->name_span;
    at.end = (struct pos){at.start.line, at.start.col + (u32)strlen(n->id) - 1};
    if (n->kind == NODE_SERVICE && !c->o->check) {
        diag_error(c->diags, DIAG_NODE_DUPLICATE, at, "duplicate definition of \"%s\"", n->id);
        return;
    }
    struct diag where = {.span = first->block->name_span, .message = ""};
    struct buf place = BUF_INIT(SIZE_MAX / 2);
    diag_line(&where, &place);
    buf_truncate(&place, place.n - 2); /* "FILE:LINE:COL: " without its message */
    diag_error(c->diags, DIAG_NODE_DUPLICATE, at, "block %s already declared at " STR_FMT, n->id,
               STR_ARG(buf_view(&place)));
    buf_done(&place);
}

static void hint_component(struct compiler *c, struct diag *d, struct str name)
{
    struct suggestion near = {0};
    for (size_t i = 0; i < c->o->registry.n; i++)
        suggestion_offer(&near, name, str_of(c->o->registry.all[i]->name));
    suggestion_hint(&near, c->diags, d);
}

static void check_unknown(struct compiler *c, struct node *n)
{
    if (n->def) return;
    n->has_errors = true;
    if (n->block->n_parts > 0 && map_has(&c->namespaces, n->block->parts[0])) return;
    struct diag *d = diag_error(c->diags, DIAG_COMPONENT_UNKNOWN, n->block->name_span,
                                "cannot find the definition of component name \"" STR_FMT "\"",
                                STR_ARG(n->block->name));
    hint_component(c, d, n->block->name);
}

static void check_label(struct compiler *c, struct node *n)
{
    if (n->kind != NODE_COMPONENT || !n->def || n->block->has_label) return;
    n->has_errors = true;
    struct diag *d =
        diag_error(c->diags, DIAG_COMPONENT_LABEL, n->block->name_span,
                   "component \"" STR_FMT "\" must have a label", STR_ARG(n->block->name));
    diag_hint(c->diags, d, STR_FMT " \"default\" { ... }", STR_ARG(n->block->name));
}

static void check_gates(struct compiler *c, struct node *n)
{
    if (n->kind != NODE_COMPONENT || !n->def) return;
    if (n->def->community && !c->o->community) {
        n->has_errors = true;
        diag_error(c->diags, DIAG_STABILITY, n->block->name_span,
                   "the component \"%s\" is a community component. Use the "
                   "--feature.community-components.enabled command-line "
                   "flag to enable community components",
                   n->def->name);
    } else if (!n->def->community && n->def->stability > c->o->min_stability) {
        n->has_errors = true;
        const char *level = stability_name(n->def->stability);
        diag_error(c->diags, DIAG_STABILITY, n->block->name_span,
                   "component \"%s\" is at stability level \"%s\", which is below the minimum "
                   "allowed stability level \"%s\". "
                   "Use --stability.level command-line flag to enable \"%s\" features",
                   n->def->name, level, stability_name(c->o->min_stability), level);
    }
}

static void check_foreign(struct compiler *c, struct node *n)
{
    if (n->kind != NODE_COMPONENT || !n->def || !n->def->foreign) return;
    if (c->o->allow_foreign) {
        diag_add(c->diags, SEV_WARNING, DIAG_COMPONENT_FOREIGN, n->block->name_span,
                 "component \"%s\" cannot run in this build of Weir (it is known, and its arguments "
                 "were checked)",
                 n->def->name);
        return;
    }
    n->has_errors = true;
    diag_error(c->diags, DIAG_COMPONENT_FOREIGN, n->block->name_span,
               "component \"%s\" is known, but this build of Weir cannot run it", n->def->name);
}

static void check_service(struct compiler *c, struct node *n)
{
    if (!n->config || n->def->args) return;
    n->has_errors = true;
    diag_error(c->diags, DIAG_NODE_PLACE, n->block->name_span,
               "service \"%s\" does not support being configured", n->id);
}

static void check_node(struct compiler *c, struct node *n)
{
    if (!n->block) return;
    check_unknown(c, n);
    check_label(c, n);
    check_duplicate(c, n);
    check_gates(c, n);
    check_foreign(c, n);
    check_service(c, n);
    size_t errors = c->diags->n_errors;
    references_check(c, n);
    n->has_errors |= c->diags->n_errors > errors;
}

/* ---- the finished template ---- */

static void add_once(struct arena *a, u32 **v, size_t *n, u32 x)
{
    for (size_t i = 0; i < *n; i++)
        if ((*v)[i] == x) return;
    if ((*n & (*n - 1)) == 0) { /* a power of two, or none: full */
        u32 *grown = arena_array(a, u32, *n ? *n * 2 : 1);
        if (*n) memcpy(grown, *v, *n * sizeof(u32));
        *v = grown;
    }
    (*v)[(*n)++] = x;
}

static void link_users(struct template *t)
{
    for (u32 i = 0; i < t->n; i++)
        for (size_t e = 0; e < t->nodes[i].n_edges; e++) {
            u32 to = t->nodes[i].edges[e].to;
            add_once(&t->arena, &t->nodes[i].deps, &t->nodes[i].n_deps, to);
            add_once(&t->arena, &t->nodes[to].users, &t->nodes[to].n_users, i);
        }
}

/* Moves the nodes into rank order; edges and the id table follow. */
static void settle(struct compiler *c, const u32 *order)
{
    struct template *t = c->t;
    u32 *rank = arena_array(&t->arena, u32, c->nodes.n + 1);
    t->n = c->nodes.n;
    t->nodes = arena_array(&t->arena, struct node, t->n + 1);
    for (u32 r = 0; r < t->n; r++) {
        rank[order[r]] = r;
        t->nodes[r] = c->nodes.v[order[r]];
    }
    map_done(&t->by_id, NULL);
    t->by_id = (struct map){0};
    for (u32 r = 0; r < t->n; r++) {
        map_put(&t->by_id, str_of(t->nodes[r].id), &t->nodes[r]);
        for (size_t e = 0; e < t->nodes[r].n_edges; e++)
            t->nodes[r].edges[e].to = rank[t->nodes[r].edges[e].to];
    }
    link_users(t);
}

static struct template *template_new(struct tree_set *trees)
{
    struct template *t = xnew(struct template);
    refs_init(&t->refs);
    arena_init(&t->arena, 4096);
    t->trees = *trees;
    *trees = (struct tree_set){0};
    return t;
}

int template_compile(const struct compile_opts *o, struct tree_set *trees, struct diags *diags,
                     struct template **ret)
{
    struct compiler c = {.o = o, .t = template_new(trees), .diags = diags};
    size_t errors = diags->n_errors;
    collect(&c);
    vec_each (&c.nodes, n)
        check_node(&c, n);
    u32 *order = xcalloc(c.nodes.n + 1, sizeof(u32));
    order_nodes(&c, order);
    if (o->check || diags->n_errors > errors) dry_run(&c);
    bool failed = diags->n_errors > errors;
    if (!failed) settle(&c, order);
    free(order);
    vec_done(&c.nodes);
    map_done(&c.namespaces, NULL);
    if (failed)
        template_unref(c.t);
    else
        *ret = c.t;
    return failed ? -EINVAL : 0;
}

struct template *template_ref(struct template *t)
{
    refs_get(&t->refs);
    return t;
}

void template_unref(struct template *t)
{
    if (!t || !refs_put(&t->refs)) return;
    map_done(&t->by_id, NULL);
    tree_set_done(&t->trees);
    arena_done(&t->arena);
    free(t);
}

const struct node *template_node(const struct template *t, struct str id)
{
    return map_get(&t->by_id, id);
}
