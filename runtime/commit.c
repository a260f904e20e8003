/* The commit: the new module becomes the running one in one turn; then, over the next turns, new
 * and changed components start and apply (sinks before those who feed them: rank order), and when
 * they have answered, or after two seconds, the removed ones stop. */
#include "runtime/controller_impl.h"

#define SETTLE_NS (2 * NS_PER_SEC)

/* ---- answers of instances ---- */

static void settle(struct controller *c)
{
    c->committing = false;
    timer_stop(c->commit_timer);
    struct node_state **removed = c->removed;
    size_t n = c->n_removed;
    c->removed = NULL;
    c->n_removed = 0;
    if (n > 0)
        teardown_start(c, removed, n, clock_mono(c->host->clock) + c->removal_deadline);
    else
        free(removed);
    if (c->on_settled) c->on_settled(c->on_settled_arg);
}

static void answered(void *arg)
{
    struct node_state *s = arg;
    struct controller *c = s->ctl;
    if (s->late)
        node_health_set(&s->health, HEALTH_RUN, HEALTH_HEALTHY, clock_real(c->host->clock),
                        "started component");
    s->late = false;
    if (!s->awaited) return;
    s->awaited = false;
    if (--c->awaited == 0 && c->committing) settle(c);
}

/* What has not answered by now is reported, and no longer waited for. */
void commit_waited_enough(void *arg)
{
    struct controller *c = arg;
    for (u32 r = 0; r < c->module->tmpl->n; r++) {
        struct node_state *s = c->module->states[r];
        if (!s->awaited) continue;
        s->awaited = false;
        s->late = true;
        c->awaited--;
        node_health_set(&s->health, HEALTH_RUN, HEALTH_UNKNOWN, clock_real(c->host->clock),
                        "the new arguments are still being applied");
        log_warn(c->log, "a component takes long to apply its arguments", F_CSTR("node", s->id));
    }
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
    if (s->config) {
        apply_config(s);
        return;
    }
    if (awaited) await(s);
    instance_apply(s->instance, p, answered, s);
}

static void start_node(struct node_state *s)
{
    if (s->config) {
        apply_config(s);
        return;
    }
    await(s);
    instance_start(s->instance, answered, s);
}

/* ---- the swap ---- */

/* States of the old module that the new one did not take over, ascending ranks. They keep pointing
 * to it until teardown has read its edges. */
static void collect_removed(struct controller *c, const struct module *old)
{
    c->removed = xcalloc(old->tmpl->n + 1, sizeof(*c->removed));
    for (u32 r = 0; r < old->tmpl->n; r++)
        if (old->states[r]->module == old) c->removed[c->n_removed++] = old->states[r];
}

/* Which removed node waits for which: read from the old template, which does not live on. */
static void link_removed(struct controller *c, const struct module *old)
{
    for (size_t i = 0; i < c->n_removed; i++) {
        struct node_state *s = c->removed[i];
        const struct node *n = &old->tmpl->nodes[s->rank];
        s->unblocks = xcalloc(n->n_deps + 1, sizeof(*s->unblocks));
        for (size_t d = 0; d < n->n_deps; d++) {
            struct node_state *dep = old->states[n->deps[d]];
            if (dep->module != old) continue;
            s->unblocks[s->n_unblocks++] = dep;
            dep->blocked_by++;
        }
    }
}

static void detach_removed(struct controller *c, const struct module *old)
{
    collect_removed(c, old);
    link_removed(c, old);
    for (size_t i = 0; i < c->n_removed; i++) {
        struct node_state *s = c->removed[i];
        s->module = NULL;
        if (s->awaited) c->awaited--;
        s->awaited = s->late = false;
        if (s->instance) instance_leave(s->instance);
    }
}

static void swap(struct controller *c, const struct generation *g)
{
    struct module *old = c->module;
    c->module = g->module;
    for (u32 r = 0; r < g->module->tmpl->n; r++) {
        g->module->states[r]->module = g->module;
        g->module->states[r]->rank = r;
        node_evaluated(g->module->states[r], NULL);
    }
    if (old) detach_removed(c, old);
    module_free(old);
}

/* Components only. */
static struct load_counts count(const struct controller *c, const struct generation *g)
{
    struct load_counts n = {0};
    for (u32 r = 0; r < g->module->tmpl->n; r++) {
        if (g->module->states[r]->config) continue;
        u32 *kind = g->fresh[r] ? &n.added : g->plans[r] ? &n.changed : &n.left;
        ++*kind;
    }
    for (size_t i = 0; i < c->n_removed; i++)
        n.removed += c->removed[i]->config == NULL;
    return n;
}

/* Configuration first (logging decides where the rest is said), then components in rank order. */
static void put_to_work(struct controller *c, const struct generation *g)
{
    for (int config = 1; config >= 0; config--)
        for (u32 r = 0; r < g->module->tmpl->n; r++) {
            struct node_state *s = g->module->states[r];
            if ((s->config != NULL) != config) continue;
            if (g->fresh[r])
                start_node(s);
            else if (g->plans[r])
                node_apply_take(s, g->plans[r], true);
        }
}

void commit(struct controller *c, struct generation *g)
{
    ASSERT(!c->committing);
    swap(c, g);
    c->counts = count(c, g);
    c->committing = true;
    timer_start(c->commit_timer, SETTLE_NS);
    log_info(c->log, "scheduling loaded components and services");
    c->awaited++; /* of ours: answers may come at once */
    put_to_work(c, g);
    controller_metrics_committed(c);
    if (--c->awaited == 0) settle(c);
}

void commit_nothing(struct controller *c, i64 deadline)
{
    struct module *old = c->module;
    timer_stop(c->commit_timer);
    c->committing = false;
    c->teardowns++; /* of ours: nothing may be done before the last was begun */
    if (c->n_removed > 0)
        teardown_start(c, c->removed, c->n_removed, deadline);
    else
        free(c->removed);
    c->removed = NULL;
    c->n_removed = 0;
    c->module = NULL;
    if (old) {
        detach_removed(c, old);
        module_free(old);
        teardown_start(c, c->removed, c->n_removed, deadline);
    }
    c->removed = NULL;
    c->n_removed = 0;
    c->teardowns--;
    if (c->teardowns == 0) c->on_stopped(c->on_stopped_arg);
}
