/* `prepare` without a running graph, so that the checker finds what a component refuses: arguments
 * are decoded in a scope where exported receivers are placeholders (capsules without data). Nodes
 * that read any other export are left to `run`, as its value is not known. */
#include "runtime/compile.h"

#include "runtime/instance.h"
#include "runtime/scope.h"
#include "value/decode.h"

static bool exports_known(const struct node *n)
{
    for (size_t i = 0; i < n->n_edges; i++)
        if (!n->edges[i].to_row || n->edges[i].to_row->kind != K_CAPSULE) return false;
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

static void prepare_node(struct compiler *c, const struct node *n, const struct scope *scope)
{
    struct plan *p = plan_new(n->def);
    struct prepare prep = {.block = n->block, .arena = &p->arena, .diags = c->diags};
    int err =
        decode_body(n->def->args, n->block, &n->block->body, scope, &p->arena, p->args, c->diags);
    if (!err && n->def->prepare)
        (void)n->def->prepare(&prep, p->args, p->data); /* its faults are in diags */
    plan_unref(p);
}

void dry_run(struct compiler *c)
{
    struct export_scope scope;
    export_scope_init(&scope, c->o->stdlib, "");
    vec_each (&c->nodes, n)
        if (n->kind == NODE_COMPONENT && n->def)
            (void)export_scope_set_take(
                &scope, str_of(n->id),
                placeholder_exports(n->def->exports)); /* a clash: duplicate, reported */
    vec_each (&c->nodes, n)
        if (n->block && n->def && n->def->args && !n->has_errors && exports_known(n))
            prepare_node(c, n, &scope.scope);
    export_scope_done(&scope);
}
