/* Modules and node states: memory, scopes, and the dirty set. */
#include "runtime/module.h"

#include "runtime/controller_impl.h"

#define WORD 64

struct module *module_new(struct template *t, const struct scope *stdlib, const char *module_path)
{
    struct module *m = xnew(struct module);
    m->tmpl = t;
    m->states = xcalloc(t->n + 1, sizeof(*m->states));
    m->dirty = xcalloc(t->n / WORD + 1, sizeof(*m->dirty));
    m->stdlib = stdlib;
    m->module_path = xstrdup(module_path);
    return m;
}

void module_free(struct module *m)
{
    if (!m) return;
    free(m->module_path);
    template_unref(m->tmpl);
    free(m->states);
    free(m->dirty);
    free(m);
}

struct node_state *module_find(const struct module *m, struct str id)
{
    const struct node *n = m ? template_node(m->tmpl, id) : NULL;
    return n ? m->states[n - m->tmpl->nodes] : NULL;
}

void module_scope(const struct module *m, const struct node *n, struct export_scope *ret)
{
    export_scope_init(ret, m->stdlib, m->module_path);
    for (size_t i = 0; i < n->n_deps; i++) {
        const struct node *dep = &m->tmpl->nodes[n->deps[i]];
        if (dep->kind != NODE_COMPONENT) continue;
        /* A reference resolves to the shortest id, so no id among them stands inside another. */
        int err =
            export_scope_set_take(ret, str_of(dep->id), value_ref(m->states[n->deps[i]]->exports));
        ASSERT(err == 0);
    }
}

/* ---- the dirty set ---- */

void module_mark_users(struct module *m, u32 rank)
{
    const struct node *n = &m->tmpl->nodes[rank];
    for (size_t i = 0; i < n->n_users; i++)
        m->dirty[n->users[i] / WORD] |= UINT64_C(1) << n->users[i] % WORD;
}

bool module_next_dirty(struct module *m, u32 *ret_rank)
{
    for (u32 w = 0; w <= m->tmpl->n / WORD; w++)
        if (m->dirty[w]) {
            u32 bit = (u32)__builtin_ctzll(m->dirty[w]);
            m->dirty[w] &= m->dirty[w] - 1;
            *ret_rank = w * WORD + bit;
            return true;
        }
    return false;
}

size_t module_count_dirty(const struct module *m)
{
    size_t n = 0;
    for (u32 w = 0; w <= m->tmpl->n / WORD; w++)
        n += (size_t)__builtin_popcountll(m->dirty[w]);
    return n;
}

/* ---- states ---- */

static struct logger *node_logger(struct controller *c, const struct node *n)
{
    const struct log_field component[] = {F_CSTR("component_path", "/"),
                                          F_CSTR("component_id", n->id)};
    const struct log_field service[] = {F_CSTR("service", n->id)};
    if (n->kind == NODE_COMPONENT) return log_child(c->host->log, component, ARRAY_LEN(component));
    return log_child(c->host->log, service, n->kind == NODE_SERVICE ? 1 : 0);
}

struct node_state *node_state_new(struct controller *ctl, const struct node *n)
{
    struct node_state *s = xnew(struct node_state);
    s->ctl = ctl;
    s->id = xstrdup(n->id);
    s->def = n->def;
    s->config = n->config;
    s->log = ctl->host->log ? node_logger(ctl, n) : NULL;
    node_health_init(&s->health, clock_real(ctl->host->clock));
    return s;
}

void node_state_free(struct node_state *s)
{
    if (!s) return;
    ASSERT(!s->instance);
    plan_unref(s->plan);
    value_unref(s->exports);
    node_health_done(&s->health);
    log_unref(s->log);
    free(s->unblocks);
    free(s->id);
    free(s);
}
