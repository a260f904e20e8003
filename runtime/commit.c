/* The commit: the new modules become the running ones in one turn; then, over the next turns, new
 * and changed components start and apply (sinks before those who feed them: rank order), and when
 * they have answered, or after two seconds, the removed ones stop. */
#include "runtime/compile/blocks.h"
#include "runtime/controller_impl.h"

#define SETTLE_NS (2 * NS_PER_SEC)

/* ---- answers of instances ---- */

static void settle(struct controller *c)
{
    c->committing = false;
    timer_stop(c->commit_timer);
    if (c->removed.n > 0)
        teardown_start(c, &c->removed, clock_mono(c->host->clock) + c->removal_deadline);
    if (c->on_settled) c->on_settled(c->on_settled_arg);
    if (c->rebuild_wanted) controller_rebuild(c);
}

static void answered(void *arg)
{
    struct node_state *s = arg;
    struct controller *c = s->ctl;
    if (s->late) node_health_started(&s->health, s->kind, clock_real(c->host->clock));
    s->late = false;
    if (!s->awaited) return;
    s->awaited = false;
    if (--c->awaited == 0 && c->committing) settle(c);
}

static void wait_no_longer(struct node_state *s, void *arg)
{
    struct controller *c = arg;
    if (!s->awaited) return;
    s->awaited = false;
    s->late = true;
    c->awaited--;
    node_health_set(&s->health, HEALTH_RUN, HEALTH_UNKNOWN, clock_real(c->host->clock),
                    "the new arguments are still being applied");
    log_warn(c->log, "a component takes long to apply its arguments", F_CSTR("node", s->id));
}

/* What has not answered by now is reported, and no longer waited for. */
void commit_waited_enough(void *arg)
{
    struct controller *c = arg;
    module_each(c->root->module, wait_no_longer, c);
    settle(c);
}

/* ---- one node ---- */

static void apply_config(struct node_state *s)
{
    const struct config_use *use = s->config;
    char *err = NULL;
    if (use->def->apply && use->def->apply(use->self, s->plan->args, s->plan->data, &err) < 0) {
        log_error(s->log, "failed to apply configuration", F_CSTR("node", s->id),
                  F_CSTR("err", err ? err : "unknown reason"));
        node_health_set(&s->health, HEALTH_OWN, HEALTH_UNHEALTHY, clock_real(s->ctl->host->clock),
                        err ? err : "not applied");
    } else {
        node_health_set(&s->health, HEALTH_OWN, HEALTH_HEALTHY, clock_real(s->ctl->host->clock),
                        "applied");
    }
    free(err);
}

static void await(struct node_state *s)
{
    if (!s->awaited) s->ctl->awaited++;
    s->awaited = true;
}

void node_apply_take(struct node_state *s, struct plan *p, bool awaited)
{
    plan_unref(s->plan);
    s->plan = p;
    if (s->config) apply_config(s);
    if (!s->instance) return;
    if (awaited) await(s);
    instance_apply(s->instance, p, answered, s);
}

static void start_node(struct node_state *s)
{
    if (s->config) {
        apply_config(s);
    } else if (s->instance) {
        await(s);
        instance_start(s->instance, answered, s);
    } else {
        node_health_started(&s->health, s->kind, clock_real(s->ctl->host->clock));
    }
}

/* ---- the swap ---- */

static void free_old_module(struct home *h)
{
    struct module *old = h->module;
    h->module = NULL;
    module_free(old);
}

static void move_state(struct node_state *s, struct module *m, u32 rank, bool evaluated)
{
    s->module = m;
    s->rank = rank;
    s->kept = s->behind = false;
    if (evaluated) node_evaluated(s, NULL);
}

static void give_up_home(struct home *h)
{
    h->owner = NULL;
    if (h->module) free_old_module(h);
    home_unref(h);
}

static bool stays(const struct change *ch, const struct home *h)
{
    for (size_t i = 0; i < ch->n_inner; i++)
        if (ch->inner[i].home == h) return true;
    return false;
}

/* The homes below a node are those of this generation. */
static void take_homes(struct node_state *s, struct change *ch)
{
    struct home **now = xcalloc(ch->n_inner + 1, sizeof(*now));
    for (size_t i = 0; i < ch->n_inner; i++)
        now[i] = home_ref(ch->inner[i].home);
    for (size_t i = 0; i < s->n_inner; i++)
        if (stays(ch, s->inner[i]))
            home_unref(s->inner[i]);
        else
            give_up_home(s->inner[i]);
    free(s->inner);
    s->inner = now;
    s->n_inner = ch->n_inner;
}

static void swap(struct generation *g)
{
    struct module *old = g->home->module;
    g->home->module = g->module;
    for (u32 r = 0; r < g->module->tmpl->n; r++) {
        struct change *ch = &g->changes[r];
        move_state(g->module->states[r], g->module, r, ch->evaluated || ch->n_inner > 0);
        for (size_t i = 0; i < ch->n_inner; i++)
            swap(&ch->inner[i]);
        take_homes(g->module->states[r], ch);
    }
    module_free(old);
}

/* ---- starting and applying ---- */

static void put_to_work(struct generation *g, bool config);

static void put_node_to_work(struct generation *g, u32 r, bool config)
{
    struct node_state *s = g->module->states[r];
    struct change *ch = &g->changes[r];
    bool new_arguments = ch->fresh || g->plans[r];
    if ((s->config != NULL) != config) return;
    if (ch->imported) import_node_commit(s, ch->imported, new_arguments);
    if (ch->fresh)
        start_node(s);
    else if (g->plans[r])
        node_apply_take(s, g->plans[r], true);
    for (size_t i = 0; i < ch->n_inner; i++)
        put_to_work(&ch->inner[i], config);
}

static void put_to_work(struct generation *g, bool config)
{
    for (u32 r = 0; r < g->module->tmpl->n; r++)
        put_node_to_work(g, r, config);
}

static void committed_metrics(struct generation *g)
{
    controller_metrics_committed(g->home);
    for (u32 r = 0; r < g->module->tmpl->n; r++)
        for (size_t i = 0; i < g->changes[r].n_inner; i++)
            committed_metrics(&g->changes[r].inner[i]);
}

void commit(struct controller *c, struct generation *g)
{
    ASSERT(!c->committing);
    removal_collect(c);
    commit_tell(c, g);
    swap(g);
    removal_detach(c);
    c->committing = true;
    timer_start(c->commit_timer, SETTLE_NS);
    c->awaited++;         /* of ours: answers may come at once */
    put_to_work(g, true); /* logging decides where the rest is said */
    put_to_work(g, false);
    committed_metrics(g);
    if (--c->awaited == 0) settle(c);
}

static void forget(struct node_state *s, void *arg)
{
    s->kept = false;
}

void commit_nothing(struct controller *c, i64 deadline)
{
    timer_stop(c->commit_timer);
    c->committing = false;
    c->teardowns++; /* of ours: nothing may be done before the last was begun */
    if (c->removed.n > 0) teardown_start(c, &c->removed, deadline);
    if (c->root->module) {
        module_each(c->root->module, forget, NULL);
        removal_collect(c);
        removal_detach(c);
        free_old_module(c->root);
        teardown_start(c, &c->removed, deadline);
    }
    c->teardowns--;
    if (c->teardowns == 0) c->on_stopped(c->on_stopped_arg);
}
