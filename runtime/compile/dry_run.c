/* `prepare` without a running graph, so that the checker finds what a component refuses: arguments
 * are decoded in a scope where exported receivers are placeholders (capsules without data). Nodes
 * that read any other export are left to `run`, as its value is not known.
 *
 * A node that the static check has faults of is prepared too, with defaults where a setting is at
 * fault, so that one fault does not hide the others. What is then found is kept only where nothing
 * was reported yet: it could be a consequence. */
#include "runtime/compile/compile.h"

#include "runtime/dataplane/instance.h"
#include "runtime/scope.h"
#include "value/decode.h"

/* Receivers of components are; arguments, values and what modules export are not. */
static bool is_known(struct compiler *c, const struct edge *e)
{
    if (e->uses) return true;
    const struct node *to = &compiler_out(c, e->up)->nodes[e->to];
    return to->kind == NODE_COMPONENT && e->to_row && e->to_row->kind == K_CAPSULE;
}

static bool exports_known(struct compiler *c, const struct node *n)
{
    if (c->notes[node_number(c, n)].unknown) return false;
    for (size_t i = 0; i < n->n_edges; i++)
        if (!is_known(c, &n->edges[i])) return false;
    return true;
}

static struct value placeholder_exports(const struct schema *exports)
{
    struct object_builder b = {.ordered = true};
    for (size_t i = 0; exports && i < exports->n_rows; i++) {
        const struct row *r = &exports->rows[i];
        struct value v =
            r->kind == K_CAPSULE && r->capsule ? value_capsule(r->capsule, NULL) : value_null();
        object_set_take(&b, str_of(r->name), v);
    }
    return object_done(&b);
}

static bool misses_something(const struct diags *d)
{
    for (size_t i = 0; i < d->list.n; i++)
        if (d->list.v[i].code == DIAG_ATTR_MISSING || d->list.v[i].code == DIAG_BLOCK_MISSING)
            return true;
    return false;
}

static bool before(struct pos a, struct pos b)
{
    return a.line != b.line ? a.line < b.line : a.col < b.col;
}

static bool overlap(struct span a, struct span b)
{
    struct pos a_end = a.end.line ? a.end : a.start, b_end = b.end.line ? b.end : b.start;
    return a.file == b.file && !before(a_end, b.start) && !before(b_end, a.start);
}

static bool is_news(const struct diags *known, const struct note *of, struct span at)
{
    for (size_t i = of->diags_from; i < of->diags_to; i++)
        if (known->list.v[i].severity == SEV_ERROR && overlap(known->list.v[i].span, at))
            return false;
    return true;
}

static void keep_news(struct diags *known, const struct note *of, const struct diags *found)
{
    for (size_t i = 0; i < found->list.n; i++) {
        const struct diag *x = &found->list.v[i];
        if (!is_news(known, of, x->span)) continue;
        struct diag *d = diag_add(known, x->severity, x->code, x->span, "%s", x->message);
        if (x->hint) diag_hint(known, d, "%s", x->hint);
    }
}

/* What prepare says of a place that did not decode is a consequence. */
static void prepare_node(const struct compiler *c, const struct node *n, const struct scope *scope,
                         struct diags *found)
{
    struct diags later;
    diags_init(&later);
    struct plan *p = plan_new(n->def);
    struct prepare prep = {
        .block = n->block, .arena = &p->arena, .diags = &later, .checked_for = c->o->min_stability};
    (void)decode_body(n->def->args, n->block, &n->block->body, scope, &p->arena, p->args, found);
    if (!misses_something(found) && n->def->prepare)
        (void)n->def->prepare(&prep, p->args, p->data); /* its faults are in `later` */
    keep_news(found, &(struct note){.diags_to = found->list.n}, &later);
    plan_unref(p);
    diags_done(&later);
}

static void examine(struct compiler *c, const struct node *n, const struct scope *scope)
{
    struct diags found;
    diags_init(&found);
    prepare_node(c, n, scope, &found);
    if (n->has_errors)
        keep_news(c->diags, &c->notes[node_number(c, n)], &found);
    else
        diags_move(c->diags, &found);
    diags_done(&found);
}

static void set_placeholders(struct export_scope *scope, const struct node *n)
{
    if (n->kind == NODE_COMPONENT && n->def)
        (void)export_scope_set_take(
            scope, str_of(n->id),
            placeholder_exports(n->def->exports)); /* a clash: duplicate, reported */
}

/* What a template reads of the bodies around it. */
static void set_outer_placeholders(struct compiler *c, struct export_scope *scope)
{
    for (u32 i = 0; i < c->n; i++)
        for (size_t e = 0; e < c->nodes[i].n_edges; e++) {
            const struct edge *edge = &c->nodes[i].edges[e];
            if (edge->up > 0) set_placeholders(scope, &compiler_out(c, edge->up)->nodes[edge->to]);
        }
}

static bool is_examined(struct compiler *c, const struct node *n)
{
    return n->block && n->def && n->def->args && !n->def->foreign && exports_known(c, n);
}

void dry_run(struct compiler *c)
{
    struct export_scope scope;
    export_scope_init(&scope, c->o->stdlib, "");
    for (u32 i = 0; i < c->n; i++)
        set_placeholders(&scope, &c->nodes[i]);
    set_outer_placeholders(c, &scope);
    for (u32 i = 0; i < c->n; i++)
        if (is_examined(c, &c->nodes[i])) examine(c, &c->nodes[i], &scope.scope);
    export_scope_done(&scope);
}
