/* A complete new module beside the running one: every node evaluated and prepared in rank order,
 * new ones created. The running module sees nothing of it until the commit. */
#include "runtime/controller_impl.h"

#include <errno.h>
#include "value/encode.h"

struct build {
    struct controller *c;
    struct generation g;
    struct diags *diags;
};

/* ---- states: kept by id, or new ---- */

/* What an unbuilt component shows: its exports' zero values. */
static struct value zero_exports(const struct component_def *def)
{
    if (!def->exports) return object_done(&(struct object_builder){.ordered = true});
    void *zeros = xcalloc(1, def->exports->size);
    struct value v = encode_value(def->exports, zeros);
    free(zeros);
    return v;
}

static struct node_state *kept_state(const struct build *b, const struct node *n)
{
    struct node_state *s = module_find(b->c->module, str_of(n->id));
    return s && s->def == n->def ? s : NULL;
}

static void add_states(struct build *b)
{
    struct module *m = b->g.module;
    for (u32 r = 0; r < m->tmpl->n; r++) {
        const struct node *n = &m->tmpl->nodes[r];
        struct node_state *s = kept_state(b, n);
        b->g.fresh[r] = !s;
        m->states[r] = s ? s : node_state_new(b->c, n);
        if (s) continue;
        m->states[r]->exports = zero_exports(n->def);
        m->states[r]->module = m;
        m->states[r]->rank = r;
    }
}

/* ---- evaluation ---- */

static void build_failed(struct build *b, const struct node *n, const char *why)
{
    diag_error(b->diags, DIAG_COMPONENT_BUILD, n->block ? n->block->span : NO_SPAN,
               "Failed to build component: building component: %s", why ? why : "unknown reason");
}

/* Takes the plan in every case. */
static void create_fresh(struct build *b, const struct node *n, struct node_state *s,
                         struct plan *p)
{
    char *err = NULL;
    s->plan = p;
    if (n->kind != NODE_COMPONENT) return;
    s->instance = instance_new(b->c->workers, b->c->host, n->def, s->id, s->id, s->log,
                               &controller_instance_events, s);
    if (instance_create(s->instance, p, &err) < 0) {
        build_failed(b, n, err);
        instance_discard(s->instance);
        s->instance = NULL;
    }
    free(err);
}

static void log_fault(struct node_state *s, const struct diags *faults)
{
    struct buf text = BUF_INIT(64 * 1024);
    diags_line(faults, &text);
    log_error(s->ctl->log, "failed to evaluate config", F_CSTR("node", s->id),
              F_STR("err", buf_view(&text)));
    buf_done(&text);
}

static void evaluate(struct build *b, u32 rank)
{
    const struct node *n = &b->g.module->tmpl->nodes[rank];
    struct node_state *s = b->g.module->states[rank];
    struct diags own;
    struct plan *p;
    diags_init(&own);
    if (node_evaluate(b->c, b->g.module, n, s->log, &p, &own) < 0)
        log_fault(s, &own);
    else if (b->g.fresh[rank])
        create_fresh(b, n, s, p);
    else if (node_changed(s, p))
        b->g.plans[rank] = p;
    else
        plan_unref(p);
    diags_move(b->diags, &own);
    diags_done(&own);
}

static void evaluate_all(struct build *b)
{
    const struct template *t = b->g.module->tmpl;
    i64 start = clock_mono(b->c->host->clock), before = start;
    u64 trace[2] = {random_u64(), random_u64()};
    char trace_id[33];
    snprintf(trace_id, sizeof(trace_id), "%016llx%016llx", (unsigned long long)trace[0],
             (unsigned long long)trace[1]);
    log_info(b->c->log, "starting complete graph evaluation", F_CSTR("trace_id", trace_id));
    for (u32 r = 0; r < t->n; r++) {
        evaluate(b, r);
        i64 now = clock_mono(b->c->host->clock);
        log_info(b->c->log, "finished node evaluation", F_CSTR("trace_id", trace_id),
                 F_CSTR("node_id", t->nodes[r].id), F_DUR("duration", now - before));
        before = now;
    }
    log_info(b->c->log, "finished complete graph evaluation", F_CSTR("trace_id", trace_id),
             F_DUR("duration", before - start));
}

/* ---- whole ---- */

void generation_done(struct generation *g)
{
    free(g->plans);
    free(g->fresh);
    *g = (struct generation){0};
}

/* Receivers are referred to by plans and exports: those go before the instances. */
static void drop_references(struct generation *g)
{
    struct module *m = g->module;
    for (u32 r = 0; r < m->tmpl->n; r++) {
        plan_unref(g->plans[r]);
        if (!g->fresh[r]) continue;
        m->states[r]->module = NULL;
        value_unref(m->states[r]->exports);
        m->states[r]->exports = value_null();
    }
}

static void discard(struct generation *g)
{
    struct module *m = g->module;
    drop_references(g);
    for (u32 r = (u32)m->tmpl->n; r-- > 0;) {
        struct node_state *s = m->states[r];
        if (!g->fresh[r]) continue;
        if (s->instance) instance_discard(s->instance);
        s->instance = NULL;
        node_state_free(s);
    }
    module_free(m);
    generation_done(g);
}

int generation_build(struct controller *c, struct template *t, const char *module_path,
                     struct generation *ret, struct diags *diags)
{
    struct build b = {.c = c, .diags = diags};
    size_t errors = diags->n_errors;
    b.g = (struct generation){.module = module_new(t, c->compile.stdlib, module_path),
                              .plans = xcalloc(t->n + 1, sizeof(struct plan *)),
                              .fresh = xcalloc(t->n + 1, sizeof(bool))};
    c->evaluating = true;
    add_states(&b);
    evaluate_all(&b);
    c->evaluating = false;
    if (diags->n_errors > errors) {
        discard(&b.g);
        return -EINVAL;
    }
    *ret = b.g;
    return 0;
}
