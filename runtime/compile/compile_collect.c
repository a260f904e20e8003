/* Which blocks of a body are nodes: their kinds and ids, and what does not belong there. Spec:
 * runtime.md 1, 2, 8 and 20 (where the checker words it otherwise). */
#include "runtime/compile/compile.h"

typedef VEC(struct node) node_list;

struct collect {
    struct compiler *c;
    node_list nodes;
    u32 order;     /* of the next block */
    bool *written; /* by row of the config blocks */
};

/* Groups of diagnostics, in the checker's order. */
enum group { GROUP_DECLARES, GROUP_CONFIG, GROUP_COMPONENTS, GROUP_SERVICES };
static const u8 group_of[] = {
    [NODE_DECLARE] = GROUP_DECLARES,     [NODE_CONFIG] = GROUP_CONFIG,
    [NODE_ARGUMENT] = GROUP_CONFIG,      [NODE_EXPORT] = GROUP_CONFIG,
    [NODE_IMPORT] = GROUP_CONFIG,        [NODE_FOREACH] = GROUP_CONFIG,
    [NODE_COMPONENT] = GROUP_COMPONENTS, [NODE_CUSTOM] = GROUP_COMPONENTS,
    [NODE_SERVICE] = GROUP_SERVICES,
};

/* ---- what a block is ---- */

const struct block_kind *language_block(struct str name)
{
    for (size_t i = 0; i < language_blocks_count; i++)
        if (str_is(name, language_blocks[i].def->name)) return &language_blocks[i];
    return NULL;
}

const struct block *foreach_template(const struct block *b)
{
    for (size_t i = 0; i < b->body.n; i++)
        if (b->body.stmts[i].kind == STMT_BLOCK && str_is(b->body.stmts[i].block->name, "template"))
            return b->body.stmts[i].block;
    return NULL;
}

/* A service block with a label has another id, so it is none. */
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

enum place {
    PLACE_EVERYWHERE,
    PLACE_MODULES, /* argument, export */
    PLACE_IMPORTS, /* declare, import.*: also in imported content */
    PLACE_ROOT,    /* logging, tracing */
    PLACE_SERVICE,
};

struct subject { /* a block, and what it was found to be */
    const struct block *b;
    const struct block_kind *language;
    const struct config_use *config;
    enum place place;
    u32 order;
};

static enum place place_of_language(enum node_kind kind)
{
    if (kind == NODE_DECLARE || kind == NODE_IMPORT) return PLACE_IMPORTS;
    return kind == NODE_ARGUMENT || kind == NODE_EXPORT ? PLACE_MODULES : PLACE_EVERYWHERE;
}

static struct subject subject_of(const struct compiler *c, const struct block *b)
{
    struct subject s = {.b = b, .language = language_block(b->name)};
    if (s.language)
        s.place = place_of_language((enum node_kind)s.language->kind);
    else if ((s.config = find_config(c, b)))
        s.place = s.config->def->service ? PLACE_SERVICE : PLACE_ROOT;
    return s;
}

/* ---- what is out of place ---- */

static bool misplaced(struct compiler *c, const struct subject *s, const char *fmt, ...)
    PRINTF(3, 4);
static bool misplaced(struct compiler *c, const struct subject *s, const char *fmt, ...)
{
    struct misplaced m = {.group = GROUP_CONFIG, .order = s->order, .at = s->b->name_span};
    struct buf text = BUF_INIT(64 * 1024);
    va_list ap;
    if (s->place == PLACE_EVERYWHERE) m.group = GROUP_COMPONENTS;
    if (s->place == PLACE_SERVICE) m.group = GROUP_SERVICES;
    va_start(ap, fmt);
    buf_vprintf(&text, fmt, ap);
    va_end(ap);
    m.text = arena_strdup(&c->u->arena, buf_view(&text));
    buf_done(&text);
    vec_push(&c->misplaced, m);
    return true;
}

static int by_place(const void *a, const void *b)
{
    const struct misplaced *x = a, *y = b;
    if (x->group != y->group) return x->group < y->group ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
}

void report_misplaced(struct compiler *c, const struct node *n)
{
    for (; c->reported < c->misplaced.n; c->reported++) {
        const struct misplaced *m = &c->misplaced.v[c->reported];
        if (n && (m->group > group_of[n->kind] ||
                  (m->group == group_of[n->kind] && m->order > n->order)))
            return;
        diag_error(c->diags, DIAG_NODE_PLACE, m->at, "%s", m->text);
    }
}

/* The templates of foreach blocks, up to a body of another kind. */
static enum template_kind body_around_templates(const struct compiler *c)
{
    while (c->t->kind == TEMPLATE_FOREACH)
        c = c->outer;
    return c->t->kind;
}

static bool misplaced_in_module(struct compiler *c, const struct subject *s)
{
    bool in_root = body_around_templates(c) == TEMPLATE_ROOT;
    if (s->place == PLACE_SERVICE)
        return misplaced(c, s, "service blocks not allowed inside a module: \"" STR_FMT "\"",
                         STR_ARG(s->b->name));
    if (c->o->check && in_root && (s->place == PLACE_ROOT || s->place == PLACE_MODULES))
        return misplaced(c, s, STR_FMT " not allowed in foreach", STR_ARG(s->b->name));
    if (s->place != PLACE_ROOT) return false;
    return misplaced(c, s, STR_FMT " %s", STR_ARG(s->b->name),
                     c->o->check ? "not allowed in module" : "block not allowed inside a module");
}

static bool misplaced_in_import(struct compiler *c, const struct subject *s)
{
    if (s->place != PLACE_IMPORTS)
        return misplaced(c, s,
                         "only declare and import blocks are allowed in a module, got " STR_FMT,
                         STR_ARG(s->b->name));
    if (c->may_import_files || !str_is(s->b->name, "import.file")) return false;
    return misplaced(c, s,
                     "importing a module via import.http (nodeID: %s) that contains an import.file "
                     "block is not supported",
                     c->import_id);
}

static bool is_misplaced(struct compiler *c, const struct subject *s)
{
    switch (c->t->kind) {
    case TEMPLATE_ROOT:
        return s->place == PLACE_MODULES &&
               misplaced(c, s, STR_FMT " blocks only allowed inside a module", STR_ARG(s->b->name));
    case TEMPLATE_DECLARE:
    case TEMPLATE_FOREACH: return misplaced_in_module(c, s);
    case TEMPLATE_IMPORT: return misplaced_in_import(c, s);
    }
    UNREACHABLE();
}

/* Imported content is one namespace: what stands there twice is judged by the label alone. */
static bool is_redefined(struct compiler *c, const struct subject *s)
{
    if (c->t->kind != TEMPLATE_IMPORT || !s->b->has_label) return false;
    bool declare = s->language->kind == NODE_DECLARE;
    struct map *seen = declare ? &c->labels : &c->imports;
    if (!map_put(seen, s->b->label, c)) return false;
    if (declare)
        diag_add(c->diags, SEV_WARNING, DIAG_NODE_DUPLICATE, s->b->header_span,
                 "declare block redefined");
    else
        diag_error(c->diags, DIAG_NODE_DUPLICATE, s->b->header_span,
                   "import block redefined " STR_FMT, STR_ARG(s->b->label));
    return true;
}

/* ---- nodes ---- */

static const char *id_of(struct arena *a, struct str name, const struct block *b)
{
    return b && b->has_label
               ? arena_printf(a, STR_FMT "." STR_FMT, STR_ARG(name), STR_ARG(b->label))
               : arena_strdup(a, name);
}

static void set_definition(struct compiler *c, struct node *n, const struct subject *s)
{
    if (s->language) {
        n->kind = (enum node_kind)s->language->kind;
        n->def = s->language->def;
    } else if (s->config) {
        n->kind = s->config->def->service ? NODE_SERVICE : NODE_CONFIG;
        n->config = s->config;
        n->def = &s->config->def->def;
    } else {
        n->kind = NODE_COMPONENT;
        n->def = registry_get(&c->o->registry, s->b->name);
    }
}

static void add_node(struct collect *k, const struct subject *s)
{
    struct arena *a = &k->c->u->arena;
    struct node n = {.order = s->order, .block = s->b};
    set_definition(k->c, &n, s);
    struct str name = s->b ? s->b->name : str_of(n.def->name);
    n.name = n.def ? n.def->name : arena_strdup(a, name);
    n.id = (char *)id_of(a, name, s->b);
    if (n.kind == NODE_DECLARE) n.declare = declare_new(k->c, s->b);
    if (s->config) k->written[s->config - k->c->o->configs] = true;
    vec_push(&k->nodes, n);
}

static void collect_block(struct collect *k, const struct block *b)
{
    struct subject s = subject_of(k->c, b);
    s.order = k->order++;
    if (is_misplaced(k->c, &s) || is_redefined(k->c, &s)) return;
    add_node(k, &s);
}

static void collect_attr(struct compiler *c, const struct attr *a)
{
    if (c->t->kind == TEMPLATE_IMPORT)
        diag_error(c->diags, DIAG_NODE_PLACE, a->name_span,
                   "only declare and import blocks are allowed in a module");
    else
        diag_error(c->diags, DIAG_NODE_PLACE, a->name_span, "unrecognized attribute " STR_FMT,
                   STR_ARG(a->name));
}

static void collect_body(struct collect *k, const struct body *body)
{
    for (size_t i = 0; i < body->n; i++)
        if (body->stmts[i].kind == STMT_BLOCK)
            collect_block(k, body->stmts[i].block);
        else
            collect_attr(k->c, body->stmts[i].attr);
}

/* A block that was removed falls back to its defaults: in the root it is always a node. */
static void collect_defaults(struct collect *k)
{
    const struct compile_opts *o = k->c->o;
    if (k->c->t->kind != TEMPLATE_ROOT) return;
    for (size_t i = 0; i < o->n_configs; i++)
        if (!k->written[i])
            add_node(k, &(struct subject){.config = &o->configs[i], .order = k->order++});
}

/* ---- order and tables ---- */

static int by_group(const void *a, const void *b)
{
    const struct node *x = a, *y = b;
    if (group_of[x->kind] != group_of[y->kind])
        return group_of[x->kind] < group_of[y->kind] ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
}

static void enter_label(struct map *labels, const struct node *n, u32 number)
{
    if (n->block->has_label && !map_has(labels, n->block->label))
        map_put(labels, n->block->label, (void *)(uintptr_t)(number + 1));
}

static void clear(struct map *m)
{
    map_done(m, NULL);
    *m = (struct map){0};
}

/* A block of the language without its label has no id of its own. */
static bool has_id(const struct node *n)
{
    bool labelled = n->kind == NODE_DECLARE || n->kind == NODE_ARGUMENT || n->kind == NODE_EXPORT ||
                    n->kind == NODE_IMPORT || n->kind == NODE_FOREACH;
    return !labelled || n->block->has_label;
}

static void fill_tables(struct compiler *c)
{
    clear(&c->labels);
    clear(&c->imports);
    for (u32 i = 0; i < c->n; i++) {
        struct node *n = &c->nodes[i];
        if (has_id(n) && !map_has(&c->t->by_id, str_of(n->id)))
            map_put(&c->t->by_id, str_of(n->id), n);
        if (n->kind == NODE_DECLARE) enter_label(&c->labels, n, i);
        if (n->kind == NODE_IMPORT) enter_label(&c->imports, n, i);
    }
}

void collect_nodes(struct compiler *c, const struct body *const *bodies, size_t n)
{
    struct arena *a = &c->u->arena;
    struct collect k = {.c = c, .written = xcalloc(c->o->n_configs + 1, sizeof(bool))};
    for (size_t i = 0; i < n; i++)
        collect_body(&k, bodies[i]);
    collect_defaults(&k);
    if (k.nodes.n > 0) qsort(k.nodes.v, k.nodes.n, sizeof(*k.nodes.v), by_group);
    c->n = (u32)k.nodes.n;
    c->nodes = arena_array(a, struct node, c->n + 1);
    if (c->n > 0) memcpy(c->nodes, k.nodes.v, c->n * sizeof(*c->nodes));
    c->notes = arena_array(a, struct note, c->n + 1);
    vec_done(&k.nodes);
    free(k.written);
    if (c->misplaced.n > 0)
        qsort(c->misplaced.v, c->misplaced.n, sizeof(*c->misplaced.v), by_place);
    fill_tables(c);
}
