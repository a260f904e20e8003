/* Nodes with modules below them, while a load builds: instances of declared components, the
 * children of a foreach, and what an import brings. */
#include <errno.h>
#include "runtime/compile/blocks.h"
#include "runtime/controller_impl.h"
#include "runtime/foreach_id.h"
#include "value/args_equal.h"

/* ---- custom components ---- */

/* A module of the generation that is being built: the newest of a node below which one stands. */
static const struct module *inner_module(const struct generation *g, u32 rank)
{
    return g->changes[rank].n_inner > 0 ? g->changes[rank].inner[0].module : NULL;
}

/* why: what the import could not make of its content; NULL. */
static void not_in_registry(struct build *b, const struct node *n, struct str ns, const char *why)
{
    node_fault(b->diags, n,
               "loading custom component controller: custom component config not found in the "
               "registry, namespace: \"" STR_FMT "\", componentName: \"" STR_FMT "\"",
               STR_ARG(ns), STR_ARG(n->custom.member));
    if (why) diag_hint(b->diags, &b->diags->list.v[b->diags->list.n - 1], "%s", why);
}

static const char *import_fault(const struct generation *g, const struct node *n)
{
    const struct imported *i = n->custom.up == 0 ? g->changes[n->custom.rank].imported : NULL;
    return i ? i->fault : NULL;
}

/* The declare a custom component is an instance of, and the module it stands in. NULL: reported, or
 * what holds it has not been fetched. */
static const struct node *find_declare(struct build *b, const struct generation *g,
                                       const struct node *n, const struct module **ret_home)
{
    const struct module *around = module_around(g->module, n->custom.up);
    const struct node *named = &around->tmpl->nodes[n->custom.rank];
    *ret_home = around;
    if (named->kind == NODE_DECLARE) return named;
    *ret_home = module_imported(around, n->custom.rank);
    const struct node *found =
        *ret_home ? template_find_declare((*ret_home)->tmpl, n->custom.member) : NULL;
    if (!found && !b->waits) not_in_registry(b, n, named->block->label, import_fault(g, n));
    return found;
}

static bool knows_arguments(struct build *b, const struct node *n, const struct template *t,
                            struct value args)
{
    bool known = true;
    for (size_t i = 0; i < args.object->n; i++) {
        struct str name = str_n(args.object->m[i].key->p, args.object->m[i].key->n);
        char *id = xprintf("argument." STR_FMT, STR_ARG(name));
        if (!template_node(t, str_of(id))) {
            node_fault(b->diags, n,
                       "Provided argument \"" STR_FMT "\" is not defined in the module",
                       STR_ARG(name));
            known = false;
        }
        free(id);
    }
    return known;
}

void generation_custom(struct build *b, struct generation *g, u32 rank)
{
    const struct node *n = &g->module->tmpl->nodes[rank];
    const struct custom_args *a = generation_plan(g, rank)->args;
    const struct module *home;
    const struct node *declare = find_declare(b, g, n, &home);
    struct template *t = declare ? template_declared(declare, b->diags) : NULL;
    if (!t || !knows_arguments(b, n, t, a->args)) return;
    struct generation *in = generation_below(b, g, rank,
                                             &(struct below){.id = g->module->states[rank]->id,
                                                             .tmpl = t,
                                                             .lexical = home,
                                                             .module_path = home->module_path,
                                                             .args = a->args});
    if (!in) return;
    generation_fill(b, in);
    generation_touch(g, rank, module_exports(in->module, in->plans));
}

/* ---- foreach ---- */

static bool has_template(struct build *b, const struct node *n)
{
    if (n->faults) diags_move(b->diags, n->faults);
    return n->inner;
}

static bool add_child(struct build *b, struct generation *g, u32 rank, const char *child_id,
                      struct value item)
{
    const struct node *n = &g->module->tmpl->nodes[rank];
    const struct foreach_args *a = generation_plan(g, rank)->args;
    size_t errors = b->diags->n_errors;
    char *id = xprintf("%s/%s", g->module->states[rank]->id, child_id);
    struct generation *in = generation_below(b, g, rank,
                                             &(struct below){.id = id,
                                                             .private_metrics = !a->enable_metrics,
                                                             .tmpl = n->inner,
                                                             .lexical = g->module,
                                                             .module_path = g->module->module_path,
                                                             .item = item});
    free(id);
    if (in) generation_fill(b, in);
    return b->diags->n_errors == errors;
}

/* The first child that fails ends it: the others would most often say the same. */
void generation_foreach(struct build *b, struct generation *g, u32 rank)
{
    const struct node *n = &g->module->tmpl->nodes[rank];
    const struct foreach_args *a = generation_plan(g, rank)->args;
    struct foreach_ids ids;
    foreach_ids_init(&ids, a, g->module->states[rank]->log);
    for (size_t i = 0; a->collection.type == V_ARRAY && i < a->collection.array->n; i++) {
        struct value item = a->collection.array->v[i];
        char *id = foreach_id(&ids, item);
        bool valid = foreach_id_is_valid(id);
        if (!valid)
            node_fault(b->diags, n,
                       "creating custom component: customComponent ID \"%s\" is not a valid "
                       "identifier",
                       id);
        bool ok = valid && has_template(b, n) && add_child(b, g, rank, id, item);
        free(id);
        if (!ok) break;
    }
    foreach_ids_done(&ids);
}

/* ---- imports ---- */

static struct imported *content_for(struct build *b, struct generation *g, u32 rank)
{
    struct node_state *s = g->module->states[rank];
    struct plan *p = (struct plan *)generation_plan(g, rank);
    struct imported *now = g->plans[rank] ? NULL : import_node_current(s->import), *ret = NULL;
    const char *err = NULL;
    if (now) return imported_ref(now);
    switch (fetches_ask(b->c->load.fetches, s, p, &ret, &err)) {
    case FETCH_READY: return ret;
    case FETCH_WAIT: b->waits = true; return NULL;
    case FETCH_FAILED: node_fault(b->diags, &g->module->tmpl->nodes[rank], "%s", err); return NULL;
    }
    return NULL;
}

/* The same source again, inside what it brings: there would be no end to it. */
static bool imports_itself(const struct build *b, const struct node_state *s, const struct plan *p)
{
    for (const struct importing *i = b->importing; i; i = i->above)
        if (i->def == s->def && args_equal(s->def->args, i->plan->args, p->args)) return true;
    return false;
}

static struct generation *bring_in(struct build *b, struct generation *g, u32 rank,
                                   struct imported *i)
{
    const char *path = i->content->module_path;
    struct importing here = {b->importing, g->module->states[rank]->def, generation_plan(g, rank)};
    struct generation *in =
        generation_below(b, g, rank,
                         &(struct below){.id = g->module->states[rank]->id,
                                         .tmpl = i->tmpl,
                                         .module_path = path ? path : g->module->module_path});
    g->changes[rank].imported = i;
    b->importing = &here;
    if (in) generation_fill(b, in);
    b->importing = here.above;
    return in;
}

static void take_out(struct generation *g, u32 rank)
{
    struct change *ch = &g->changes[rank];
    for (size_t i = 0; i < ch->n_inner; i++)
        generation_discard(&ch->inner[i]);
    free(ch->inner);
    ch->inner = NULL;
    ch->n_inner = 0;
    imported_unref(ch->imported);
    ch->imported = NULL;
}

/* An import inside that fails is told by the health of this one, and leaves it empty: as long as
 * nobody makes an instance of what is missing, nothing is wrong with the configuration. */
void generation_import(struct build *b, struct generation *g, u32 rank)
{
    struct diags own, *all = b->diags;
    if (imports_itself(b, g->module->states[rank], generation_plan(g, rank))) {
        node_fault(b->diags, &g->module->tmpl->nodes[rank], "the imported module imports itself");
        return;
    }
    struct imported *i = content_for(b, g, rank);
    if (!i) return;
    diags_init(&own);
    b->diags = &own;
    (void)bring_in(b, g, rank, i);
    b->diags = all;
    if (own.n_errors > 0 && !b->waits) {
        struct buf why = BUF_INIT(64 * 1024);
        buf_cstr(&why, "nested import block failed to evaluate: ");
        diags_line(&own, &why);
        struct imported *empty = imported_empty(b->c, i, buf_take(&why, NULL));
        log_error(g->module->states[rank]->log, "failed to process imported content",
                  F_STR("file", g->module->tmpl->nodes[rank].block->label),
                  F_CSTR("err", empty->fault));
        take_out(g, rank);
        (void)bring_in(b, g, rank, empty);
    }
    diags_done(&own);
    module_set_imported(g->module, rank, inner_module(g, rank));
}
