/* Re-evaluation: an export that changed makes its users dirty; one deferred message evaluates all
 * dirty nodes in rank order, each once. What they export in turn makes higher ranks dirty, in the
 * same pass when it is at once, else in a later turn. A node that fails keeps its old arguments. */
#include "runtime/controller_impl.h"

static void log_failure(struct node_state *s, const struct diags *faults)
{
    struct buf text = BUF_INIT(64 * 1024);
    diags_line(faults, &text);
    log_error(s->ctl->log, "failed to evaluate config", F_CSTR("node", s->id),
              F_STR("err", buf_view(&text)));
    buf_done(&text);
}

static void reevaluate(struct node_state *s)
{
    struct module *m = s->module;
    struct diags faults;
    struct plan *p;
    diags_init(&faults);
    if (node_evaluate(s->ctl, m, &m->tmpl->nodes[s->rank], NULL, &p, &faults) < 0) {
        log_failure(s, &faults);
        node_evaluated(s, &faults);
    } else {
        node_evaluated(s, NULL);
        if (node_changed(s, p))
            node_apply_take(s, p, false);
        else
            plan_unref(p);
    }
    diags_done(&faults);
}

static void turn(struct msg *m)
{
    struct controller *c = container_of(m, struct controller, turn);
    u32 rank;
    c->turn_posted = false;
    if (c->stopping || !c->module) return;
    c->evaluating = true;
    while (module_next_dirty(c->module, &rank)) {
        struct node_state *s = c->module->states[rank];
        i64 start = clock_mono(c->host->clock);
        reevaluate(s);
        i64 took = clock_mono(c->host->clock) - start;
        controller_metrics_reevaluated(c->metrics, start - c->dirty_since, took);
        log_debug(c->log, "finished node evaluation", F_CSTR("node_id", s->id),
                  F_DUR("duration", took));
    }
    c->evaluating = false;
}

/* Its users are to be evaluated. */
static void controller_exported(struct node_state *s)
{
    struct controller *c = s->ctl;
    if (!s->module || s->module != c->module)
        return; /* removed, or of a generation that is still being built: its users come later in
                   the same walk */
    module_mark_users(s->module, s->rank);
    if (c->turn_posted || module_count_dirty(s->module) == 0) return;
    c->turn_posted = true;
    c->dirty_since = clock_mono(c->host->clock);
    c->turn.fn = turn;
    loop_defer(c->loop, &c->turn);
}

/* ---- events of instances ---- */

static void on_exported(void *arg, struct value exports, u64 seq)
{
    struct node_state *s = arg;
    value_unref(s->exports);
    s->exports = exports;
    controller_exported(s);
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
