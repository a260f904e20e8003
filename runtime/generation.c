/* A complete set of modules beside the running ones: every node evaluated and prepared in rank
 * order, new ones created, modules below a node built when the walk comes to it. What runs sees
 * nothing of it until the commit.
 *
 * A node whose text is that of before and which refers to nothing that changed is not evaluated
 * again: its arguments would be the same. So a reload costs what was changed, and one comparison of
 * text for each node. */
#include "runtime/controller_impl.h"

#include <errno.h>
#include "runtime/compile/blocks.h"
#include "value/encode.h"

/* ---- states: kept by id, or new ---- */

/* What an unbuilt component shows: its exports' zero values. */
static struct value zero_exports(const struct node_state *s)
{
    if (s->kind == NODE_CUSTOM) return object_done(&(struct object_builder){.ordered = true});
    if (s->kind != NODE_COMPONENT) return value_null();
    if (!s->def->exports) return object_done(&(struct object_builder){.ordered = true});
    void *zeros = xcalloc(1, s->def->exports->size);
    struct value v = encode_value(s->def->exports, zeros);
    free(zeros);
    return v;
}

static struct node_state *find_kept(const struct home *h, const struct node *n)
{
    struct node_state *s = module_find(h->module, str_of(n->id));
    return s && s->def == n->def && strcmp(s->name, n->name) == 0 ? s : NULL;
}

static void add_state(struct generation *g, u32 r)
{
    struct module *m = g->module;
    struct node_state *s = find_kept(g->home, &m->tmpl->nodes[r]);
    g->changes[r].fresh = !s;
    if (s) {
        s->kept = true;
        m->exports[r] = value_ref(node_state_exports(s));
        m->states[r] = s;
        return;
    }
    s = m->states[r] = node_state_new(g->home, &m->tmpl->nodes[r]);
    s->module = m;
    s->rank = r;
    m->exports[r] = zero_exports(s);
    rank_add(m->touched, r);
}

/* ---- what need not be evaluated ---- */

static bool same_text(const struct block *a, const struct block *b)
{
    return a && b ? str_eq(a->text, b->text) : a == b;
}

static bool touches(const struct module *m, const struct node *n)
{
    for (size_t i = 0; i < n->n_deps; i++)
        if (rank_has(m->touched, n->deps[i])) return true;
    for (size_t i = 0; i < n->n_outer; i++)
        if (rank_has(module_around(m, n->outer[i].up)->touched, n->outer[i].rank)) return true;
    return false;
}

static bool as_before(const struct generation *g, u32 rank)
{
    const struct module *m = g->module;
    const struct node_state *s = m->states[rank];
    const struct node *n = &m->tmpl->nodes[rank];
    return !g->changes[rank].fresh && !s->failed && !s->behind && s->plan && !m->all_touched &&
           !rank_has(s->module->dirty, s->rank) && same_text(n->block, node_state_node(s)->block) &&
           !touches(m, n);
}

/* ---- one node ---- */

const struct plan *generation_plan(const struct generation *g, u32 rank)
{
    return g->plans[rank] ? g->plans[rank] : g->module->states[rank]->plan;
}

void generation_touch(struct generation *g, u32 rank, struct value exports)
{
    struct value *now = &g->module->exports[rank];
    if (!value_same(*now, exports)) rank_add(g->module->touched, rank);
    value_unref(*now);
    *now = exports;
}

static void create(struct build *b, struct generation *g, u32 rank, struct plan *p)
{
    const struct node *n = &g->module->tmpl->nodes[rank];
    struct node_state *s = g->module->states[rank];
    char *err = NULL;
    s->instance = instance_new(b->c->workers, s->home->host, n->def, s->id, n->id, s->log,
                               &controller_instance_events, s);
    if (instance_create(s->instance, p, &err) < 0) {
        node_fault(b->diags, n, "building component: %s", err ? err : "unknown reason");
        instance_discard(s->instance);
        s->instance = NULL;
    }
    free(err);
}

static void argument(struct build *b, struct generation *g, u32 rank)
{
    struct value exports;
    const struct node *n = &g->module->tmpl->nodes[rank];
    if (node_argument(g->module, n, generation_plan(g, rank), &exports, b->diags) == 0)
        generation_touch(g, rank, exports);
}

/* What each kind does once its arguments are known. */
static void proceed(struct build *b, struct generation *g, u32 rank)
{
    switch (g->module->tmpl->nodes[rank].kind) {
    case NODE_COMPONENT:
        if (g->changes[rank].fresh) create(b, g, rank, g->module->states[rank]->plan);
        return;
    case NODE_ARGUMENT: argument(b, g, rank); return;
    case NODE_CUSTOM: generation_custom(b, g, rank); return;
    case NODE_FOREACH: generation_foreach(b, g, rank); return;
    case NODE_IMPORT: generation_import(b, g, rank); return;
    case NODE_CONFIG:
    case NODE_SERVICE:
    case NODE_EXPORT:
    case NODE_DECLARE: return;
    }
}

static int arguments(struct build *b, struct generation *g, u32 rank)
{
    struct node_state *s = g->module->states[rank];
    struct plan *p;
    if (as_before(g, rank)) return 0;
    g->changes[rank].evaluated = true;
    if (node_evaluate(g->module, &g->module->tmpl->nodes[rank], s->log, &p, b->diags) < 0)
        return -EINVAL;
    if (g->changes[rank].fresh)
        s->plan = p;
    else if (node_changed(s, p))
        g->plans[rank] = p;
    else
        plan_unref(p);
    return 0;
}

/* Its own faults, apart from those of others, for the log and its health. A load that fails changes
 * nothing, but when it was to follow what runs, whoever failed says so. */
static void account(struct build *b, struct node_state *s, const struct diags *own, bool fresh)
{
    if (own->n_errors == 0) return;
    node_log_fault(s, own);
    if (b->rebuild && !fresh) node_evaluated(s, own);
}

static void evaluate(struct build *b, struct generation *g, u32 rank)
{
    struct diags own, *all = b->diags;
    diags_init(&own);
    b->diags = &own;
    if (arguments(b, g, rank) == 0) proceed(b, g, rank);
    b->diags = all;
    if (!b->waits) account(b, g->module->states[rank], &own, g->changes[rank].fresh);
    diags_move(all, &own);
    diags_done(&own);
}

static void evaluate_all(struct build *b, struct generation *g)
{
    const struct template *t = g->module->tmpl;
    i64 before = clock_mono(b->c->host->clock);
    if (b->depth == 1)
        log_info(b->c->log, "starting complete graph evaluation", F_CSTR("trace_id", b->trace_id));
    for (u32 r = 0; r < t->n; r++) {
        evaluate(b, g, r);
        if (!g->changes[r].evaluated) continue;
        i64 now = clock_mono(b->c->host->clock);
        log_info(g->home->log, "finished node evaluation", F_CSTR("trace_id", b->trace_id),
                 F_CSTR("node_id", t->nodes[r].id), F_DUR("duration", now - before));
        before = now;
    }
}

/* Imports that depend on nothing are asked for first: a load that has to wait for them has not
 * evaluated, logged or created anything yet. */
static void fetch_ahead(struct build *b, struct generation *g)
{
    const struct module *m = g->module;
    struct diags ignored; /* said when the walk comes to the node */
    diags_init(&ignored);
    for (u32 r = 0; r < m->tmpl->n; r++) {
        const struct node *n = &m->tmpl->nodes[r];
        struct plan *p;
        if (n->kind != NODE_IMPORT || n->n_deps > 0 || n->n_outer > 0 || as_before(g, r)) continue;
        if (node_evaluate(m, n, NULL, &p, &ignored) < 0) continue;
        b->waits |= fetches_wait(b->c->load.fetches, m->states[r], p);
        plan_unref(p);
    }
    diags_done(&ignored);
}

void generation_fill(struct build *b, struct generation *g)
{
    size_t n = g->module->tmpl->n;
    g->changes = xcalloc(n + 1, sizeof(*g->changes));
    g->plans = xcalloc(n + 1, sizeof(*g->plans));
    for (u32 r = 0; r < n; r++)
        add_state(g, r);
    fetch_ahead(b, g);
    b->depth++;
    if (!b->waits) evaluate_all(b, g);
    b->depth--;
}

/* ---- modules below a node ---- */

static bool has_room(struct build *b, const struct node *n, const struct template *t)
{
    b->nodes += t->n;
    if (b->depth >= NESTING_MAX)
        node_fault(b->diags, n, "modules are nested more than %d deep; does one contain itself?",
                   NESTING_MAX);
    else if (b->nodes > MODULE_NODES_MAX)
        node_fault(b->diags, n, "the modules of this configuration have more than %d blocks",
                   MODULE_NODES_MAX);
    else
        return true;
    return false;
}

/* Another home where the metrics go elsewhere: what is in it starts anew. */
static struct home *home_below(struct node_state *s, const char *id, bool private_metrics)
{
    bool hidden = private_metrics && s->home->host->metrics;
    for (size_t i = 0; i < s->n_inner; i++)
        if (strcmp(s->inner[i]->id, id) == 0 && (s->inner[i]->own_host != NULL) == hidden)
            return home_ref(s->inner[i]);
    return home_new(s->ctl, s, id, private_metrics);
}

struct generation *generation_below(struct build *b, struct generation *g, u32 rank,
                                    const struct below *what)
{
    struct change *ch = &g->changes[rank];
    if (!has_room(b, &g->module->tmpl->nodes[rank], what->tmpl)) return NULL;
    ch->inner = xrealloc(ch->inner, (ch->n_inner + 1) * sizeof(*ch->inner));
    struct generation *in = &ch->inner[ch->n_inner++];
    *in = (struct generation){
        .home = home_below(g->module->states[rank], what->id, what->private_metrics)};
    in->module = module_new(template_ref(what->tmpl), in->home, what->lexical, what->module_path);
    const struct module *old = in->home->module;
    in->module->args = value_ref(what->args);
    in->module->item = value_ref(what->item);
    in->module->all_touched = old && (!value_same(old->item, what->item) ||
                                      strcmp(old->module_path, what->module_path) != 0 ||
                                      (what->lexical && what->lexical->all_touched));
    return in;
}

/* ---- whole ---- */

void generation_done(struct generation *g)
{
    for (size_t r = 0; g->changes && r < g->module->tmpl->n; r++) {
        struct change *ch = &g->changes[r];
        for (size_t i = 0; i < ch->n_inner; i++)
            generation_done(&ch->inner[i]);
        free(ch->inner);
        imported_unref(ch->imported);
    }
    home_unref(g->home);
    free(g->plans);
    free(g->changes);
    *g = (struct generation){0};
}

static void drop_below(struct change *ch)
{
    for (size_t i = 0; i < ch->n_inner; i++)
        generation_discard(&ch->inner[i]);
    free(ch->inner);
    imported_unref(ch->imported);
}

/* Receivers are referred to by plans and exports: those go before the instances, and users stand
 * behind what they use. */
static void drop_node(struct generation *g, u32 r)
{
    struct node_state *s = g->module->states[r];
    value_unref(g->module->exports[r]);
    g->module->exports[r] = value_null();
    plan_unref(g->plans[r]);
    drop_below(&g->changes[r]);
    s->kept = false;
    if (!g->changes[r].fresh) return;
    s->module = NULL;
    plan_unref(s->plan);
    s->plan = NULL;
}

static void drop_instance(struct generation *g, u32 r)
{
    struct node_state *s = g->module->states[r];
    if (!g->changes[r].fresh) return;
    if (s->instance) instance_discard(s->instance);
    s->instance = NULL;
    node_state_free(s);
}

void generation_discard(struct generation *g)
{
    u32 n = g->changes ? (u32)g->module->tmpl->n : 0;
    value_unref(g->module->args);
    g->module->args = value_null();
    for (u32 r = 0; r < n; r++)
        drop_node(g, r);
    for (u32 r = n; r-- > 0;)
        drop_instance(g, r);
    module_free(g->module);
    home_unref(g->home);
    free(g->plans);
    free(g->changes);
    *g = (struct generation){0};
}

static void name_trace(struct build *b)
{
    u64 trace[2] = {random_u64(), random_u64()};
    snprintf(b->trace_id, sizeof(b->trace_id), "%016llx%016llx", (unsigned long long)trace[0],
             (unsigned long long)trace[1]);
}

int generation_build(struct controller *c, const struct pending_load *load, struct generation *ret,
                     struct diags *diags)
{
    struct build b = {.c = c, .diags = diags, .rebuild = load->rebuild};
    size_t errors = diags->n_errors;
    i64 start = clock_mono(c->host->clock);
    struct generation g = {.home = home_ref(c->root)};
    g.module = module_new(template_ref(load->tmpl), c->root, NULL, load->module_path);
    g.module->all_touched =
        c->root->module && strcmp(c->root->module->module_path, load->module_path) != 0;
    name_trace(&b);
    c->evaluating = true;
    generation_fill(&b, &g);
    c->evaluating = false;
    if (!b.waits)
        log_info(c->log, "finished complete graph evaluation", F_CSTR("trace_id", b.trace_id),
                 F_DUR("duration", clock_mono(c->host->clock) - start));
    if (!b.waits && diags->n_errors == errors) {
        *ret = g;
        return 0;
    }
    generation_discard(&g);
    return b.waits ? -EINPROGRESS : -EINVAL;
}
