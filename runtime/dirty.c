/* Re-evaluation: an export that changed makes its users dirty; one deferred message evaluates all
 * dirty nodes in rank order, each once. What they export in turn makes higher ranks dirty, in the
 * same pass when it is at once, else in a later turn. A node that fails keeps its old arguments.
 *
 * A module below a node is visited when its owner is: values flow into it as arguments and out of
 * it as exports of the owner. What would need other nodes than there are (the items of a foreach,
 * the content of an import) is left to a load that builds them beside what runs. */
#include "runtime/compile/blocks.h"
#include "runtime/controller_impl.h"

/* Evaluates what is dirty. Faults are added to those given, besides being told. */
static void pass(struct module *m, struct diags *faults);

/* Replaces what the node shows, and tells its users. */
static void show(struct node_state *s, struct value exports)
{
    struct value *now = &s->module->exports[s->rank];
    bool news = !value_same(*now, exports);
    value_unref(*now);
    *now = exports;
    if (news) module_mark_users(s->module, s->rank);
}

/* ---- one node ---- */

/* 0 and its new arguments, NULL when they are those it has. */
static int arguments(struct node_state *s, struct plan **ret, struct diags *faults)
{
    struct plan *p;
    *ret = NULL;
    if (node_evaluate(s->module, node_state_node(s), NULL, &p, faults) < 0) return -1;
    if (node_changed(s, p))
        *ret = p;
    else
        plan_unref(p);
    return 0;
}

static void argument(struct node_state *s, struct diags *faults)
{
    struct value exports;
    if (node_argument(s->module, node_state_node(s), s->plan, &exports, faults) == 0)
        show(s, exports);
}

static void retry_failed(struct module *m)
{
    for (u32 r = 0; r < m->tmpl->n; r++)
        if (m->states[r]->failed) rank_add(m->dirty, r);
}

/* Who gives a body arguments that it cannot take, or has done so, has failed itself: in Alloy it
 * would load the body again. What fails inside for other reasons is not its fault. */
static void custom(struct node_state *s, bool changed, struct diags *faults)
{
    struct module *in = s->inner[0]->module;
    struct diags others, *own = changed || s->failed ? faults : &others;
    if (own == faults) retry_failed(in);
    if (changed) {
        const struct custom_args *a = s->plan->args;
        value_unref(in->args);
        in->args = value_ref(a->args);
        module_mark_kind(in, NODE_ARGUMENT);
    }
    diags_init(&others);
    pass(in, own);
    diags_done(&others);
    if (!in->exports_dirty) return;
    in->exports_dirty = false;
    show(s, module_exports(in, NULL));
}

static void children(struct node_state *s, struct diags *faults)
{
    for (size_t i = 0; i < s->n_inner; i++) {
        module_mark_outer(s->inner[i]->module);
        retry_failed(s->inner[i]->module);
        pass(s->inner[i]->module, faults);
    }
}

/* What follows from arguments that are accepted. p: new ones, NULL: as before. */
static void proceed(struct node_state *s, struct plan *p, struct diags *faults)
{
    if (p && (s->kind == NODE_FOREACH || s->kind == NODE_IMPORT)) {
        plan_unref(p);
        s->behind = true;
        controller_rebuild(s->ctl);
        return;
    }
    if (p) node_apply_take(s, p, false);
    switch (s->kind) {
    case NODE_ARGUMENT: argument(s, faults); return;
    case NODE_EXPORT: s->module->exports_dirty |= p != NULL; return;
    case NODE_CUSTOM: custom(s, p != NULL, faults); return;
    case NODE_FOREACH: children(s, faults); return;
    case NODE_CONFIG:
    case NODE_COMPONENT:
    case NODE_SERVICE:
    case NODE_DECLARE:
    case NODE_IMPORT: return;
    }
}

static void reevaluate(struct node_state *s, struct diags *all)
{
    struct diags faults;
    struct plan *p;
    diags_init(&faults);
    if (arguments(s, &p, &faults) == 0) proceed(s, p, &faults);
    if (faults.n_errors > 0) node_log_fault(s, &faults);
    node_evaluated(s, faults.n_errors > 0 ? &faults : NULL);
    diags_move(all, &faults);
    diags_done(&faults);
}

static void pass(struct module *m, struct diags *faults)
{
    const struct clock *clock = m->home->ctl->host->clock;
    u32 rank;
    while (module_next_dirty(m, &rank)) {
        struct node_state *s = m->states[rank];
        i64 start = clock_mono(clock);
        reevaluate(s, faults);
        i64 took = clock_mono(clock) - start;
        controller_metrics_reevaluated(m->home->series, start - m->home->ctl->dirty_since, took);
        log_debug(m->home->log, "finished node evaluation",
                  F_CSTR("node_id", m->tmpl->nodes[rank].id), F_DUR("duration", took));
    }
}

/* ---- the turn ---- */

static void turn(struct msg *m)
{
    struct controller *c = container_of(m, struct controller, turn);
    c->turn_posted = false;
    if (c->stopping || !c->root->module) return;
    struct diags told;
    diags_init(&told);
    c->evaluating = true;
    pass(c->root->module, &told);
    c->evaluating = false;
    diags_done(&told);
}

static void post_turn(struct controller *c)
{
    if (c->turn_posted) return;
    c->turn_posted = true;
    c->dirty_since = clock_mono(c->host->clock);
    c->turn.fn = turn;
    loop_defer(c->loop, &c->turn);
}

/* A module is visited by way of its owners. */
static void mark_owners(const struct home *h)
{
    for (; h->owner; h = h->owner->home)
        rank_add(h->owner->module->dirty, h->owner->rank);
}

/* Its users are to be evaluated. */
static void exported(struct node_state *s, struct value exports)
{
    struct module *m = s->module;
    if (!m) { /* removed */
        value_unref(exports);
        return;
    }
    value_unref(m->exports[s->rank]);
    m->exports[s->rank] = exports;
    if (m != s->home->module) return; /* still being built: its users come later in the same walk */
    module_mark_users(m, s->rank);
    if (module_count_dirty(m) == 0) return;
    mark_owners(s->home);
    post_turn(s->ctl);
}

/* ---- events of instances ---- */

static void on_exported(void *arg, struct value exports, u64 seq)
{
    exported(arg, exports);
}

static void on_health(void *arg, enum health h, const char *text)
{
    struct node_state *s = arg;
    node_health_set(&s->health, HEALTH_OWN, h, clock_real(s->ctl->host->clock), text);
}

/* Said once when it begins and once when it ends, however often it is tried in between. */
static void log_run_health(struct node_state *s, enum health h, const char *text)
{
    bool was_bad = s->health.part[HEALTH_RUN].state == HEALTH_UNHEALTHY;
    if (h == HEALTH_UNHEALTHY && !was_bad)
        log_error(s->log, "component does not run", F_CSTR("err", text));
    if (h == HEALTH_HEALTHY && was_bad) log_info(s->log, "component runs again");
}

static void on_run_health(void *arg, enum health h, const char *text)
{
    struct node_state *s = arg;
    log_run_health(s, h, text);
    node_health_set(&s->health, HEALTH_RUN, h, clock_real(s->ctl->host->clock), text);
}

static void on_stopped(void *arg)
{
    teardown_drained(arg);
}

const struct instance_events controller_instance_events = {
    .exported = on_exported,
    .health = on_health,
    .run_health = on_run_health,
    .stopped = on_stopped,
};
