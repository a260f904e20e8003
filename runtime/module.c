/* Modules, homes and node states: memory, scopes, and sets of ranks. */
#include "runtime/module.h"

#include "runtime/compile/blocks.h"
#include "runtime/controller_impl.h"
#include "runtime/imports.h"

#define WORDS(n) ((n) / 64 + 1)

struct module *module_new(struct template *t, struct home *home, const struct module *lexical,
                          const char *module_path)
{
    struct module *m = xnew(struct module);
    m->tmpl = t;
    m->home = home;
    m->lexical = lexical;
    m->stdlib = home->ctl->compile.stdlib;
    m->states = xcalloc(t->n + 1, sizeof(*m->states));
    m->exports = xcalloc(t->n + 1, sizeof(*m->exports));
    m->dirty = xcalloc(WORDS(t->n), sizeof(*m->dirty));
    m->touched = xcalloc(WORDS(t->n), sizeof(*m->touched));
    m->module_path = xstrdup(module_path);
    return m;
}

void module_free(struct module *m)
{
    if (!m) return;
    for (size_t r = 0; r < m->tmpl->n; r++)
        value_unref(m->exports[r]);
    value_unref(m->args);
    value_unref(m->item);
    template_unref(m->tmpl);
    free(m->module_path);
    free(m->states);
    free(m->exports);
    free(m->imports);
    free(m->dirty);
    free(m->touched);
    free(m);
}

struct node_state *module_find(const struct module *m, struct str id)
{
    const struct node *n = m ? template_node(m->tmpl, id) : NULL;
    return n ? m->states[n - m->tmpl->nodes] : NULL;
}

const struct module *module_around(const struct module *m, u32 up)
{
    for (; up > 0; up--)
        m = m->lexical;
    return m;
}

const struct module *module_imported(const struct module *m, u32 rank)
{
    return m->imports ? m->imports[rank] : NULL;
}

void module_set_imported(struct module *m, u32 rank, const struct module *content)
{
    if (!m->imports) m->imports = xcalloc(m->tmpl->n, sizeof(*m->imports));
    m->imports[rank] = content;
}

void module_each(const struct module *m, void (*fn)(struct node_state *s, void *arg), void *arg)
{
    for (size_t r = 0; m && r < m->tmpl->n; r++) {
        struct node_state *s = m->states[r];
        fn(s, arg);
        for (size_t i = 0; i < s->n_inner; i++)
            module_each(s->inner[i]->module, fn, arg);
    }
}

/* ---- what expressions see ---- */

/* A reference resolves to the shortest id, so no id among them stands inside another; what a
 * variable shadows is not referred to. */
static void see(struct export_scope *scope, const struct module *m, u32 rank)
{
    struct value v = m->exports[rank];
    if (v.type == V_NULL) return;
    int err = export_scope_set_take(scope, str_of(m->tmpl->nodes[rank].id), value_ref(v));
    ASSERT(err == 0);
}

/* Variables of the foreach blocks around; an inner one shadows an outer one of its name. */
static void see_items(struct export_scope *scope, const struct module *m)
{
    for (; m; m = m->lexical)
        if (m->tmpl->kind == TEMPLATE_FOREACH)
            (void)export_scope_set_take(scope, m->tmpl->var, value_ref(m->item));
        else
            return;
}

void module_scope(const struct module *m, const struct node *n, struct export_scope *ret)
{
    export_scope_init(ret, m->stdlib, m->module_path);
    see_items(ret, m);
    for (size_t i = 0; i < n->n_deps; i++)
        see(ret, m, n->deps[i]);
    for (size_t i = 0; i < n->n_outer; i++)
        see(ret, module_around(m, n->outer[i].up), n->outer[i].rank);
}

/* The declare that an instance of an imported component was made of. */
static const struct node *imported_declare(const struct module *m, const struct node *n)
{
    const struct module *around = module_around(m, n->custom.up);
    const struct module *content = module_imported(around, n->custom.rank);
    return content ? template_find_declare(content->tmpl, n->custom.member) : NULL;
}

struct edge module_edge(const struct module *m, const struct edge *e)
{
    struct edge known = *e;
    const struct module *there = module_around(m, e->up);
    const struct node *to = &there->tmpl->nodes[e->to];
    if (known.to_row || to->kind != NODE_CUSTOM || e->field.n == 0) return known;
    const struct node *declare = imported_declare(there, to);
    if (declare) known.to_row = template_export_row(declare, e->field);
    return known;
}

static const struct export_args *export_of(const struct module *m, struct plan *const *plans,
                                           u32 rank)
{
    struct plan *p = plans && plans[rank] ? plans[rank] : m->states[rank]->plan;
    return p ? p->args : NULL;
}

struct value module_exports(const struct module *m, struct plan *const *plans)
{
    struct object_builder b = {.ordered = true};
    for (u32 r = 0; r < m->tmpl->n; r++) {
        const struct node *n = &m->tmpl->nodes[r];
        const struct export_args *e = n->kind == NODE_EXPORT ? export_of(m, plans, r) : NULL;
        if (e) object_set_take(&b, n->block->label, value_ref(e->value));
    }
    return object_done(&b);
}

/* ---- sets of ranks ---- */

void module_mark_users(struct module *m, u32 rank)
{
    const struct node *n = &m->tmpl->nodes[rank];
    for (size_t i = 0; i < n->n_users; i++)
        rank_add(m->dirty, n->users[i]);
}

void module_mark_kind(struct module *m, enum node_kind kind)
{
    for (u32 r = 0; r < m->tmpl->n; r++)
        if (m->tmpl->nodes[r].kind == kind) rank_add(m->dirty, r);
}

void module_mark_outer(struct module *m)
{
    for (u32 r = 0; r < m->tmpl->n; r++)
        if (m->tmpl->nodes[r].n_outer > 0) rank_add(m->dirty, r);
}

bool module_next_dirty(struct module *m, u32 *ret_rank)
{
    for (u32 w = 0; w < WORDS(m->tmpl->n); w++)
        if (m->dirty[w]) {
            u32 bit = (u32)__builtin_ctzll(m->dirty[w]);
            m->dirty[w] &= m->dirty[w] - 1;
            *ret_rank = w * 64 + bit;
            return true;
        }
    return false;
}

size_t module_count_dirty(const struct module *m)
{
    size_t n = 0;
    for (u32 w = 0; w < WORDS(m->tmpl->n); w++)
        n += (size_t)__builtin_popcountll(m->dirty[w]);
    return n;
}

/* ---- homes ---- */

void home_split(const char *id, char **ret_path, char **ret_id)
{
    const char *slash = strrchr(id, '/');
    *ret_path = slash ? xprintf("/%.*s", (int)(slash - id), id) : xstrdup("/");
    *ret_id = xstrdup(slash ? slash + 1 : id);
}

static struct logger *home_logger(const struct host *host, const char *id)
{
    char *path, *last;
    home_split(id, &path, &last);
    const struct log_field fields[] = {F_CSTR("controller_path", path),
                                       F_CSTR("controller_id", last)};
    struct logger *log = host->log ? log_child(host->log, fields, ARRAY_LEN(fields)) : NULL;
    free(last);
    free(path);
    return log;
}

/* A registry of its own hides the series of a foreach's children: there may be thousands. */
static void hide_metrics(struct home *h, const struct host *from)
{
    h->own_host = xnew(struct host);
    *h->own_host = *from;
    h->own_host->metrics = metrics_new();
    h->host = h->own_host;
}

struct home *home_new(struct controller *ctl, struct node_state *owner, const char *id,
                      bool private_metrics)
{
    struct home *h = xnew(struct home);
    *h = (struct home){.ctl = ctl, .owner = owner, .id = xstrdup(id), .refs = 1};
    h->above = owner ? home_ref(owner->home) : NULL;
    h->host = owner ? owner->home->host : ctl->host;
    if (private_metrics && h->host->metrics) hide_metrics(h, h->host);
    h->log = home_logger(ctl->host, id);
    bool evaluates = !owner || owner->kind != NODE_IMPORT; /* content only declares */
    h->series = evaluates ? controller_metrics_new(h) : NULL;
    return h;
}

struct home *home_ref(struct home *h)
{
    h->refs++;
    return h;
}

void home_unref(struct home *h)
{
    if (!h || --h->refs > 0) return;
    ASSERT(!h->module);
    controller_metrics_free(h->series);
    log_unref(h->log);
    if (h->own_host) metrics_free(h->own_host->metrics);
    free(h->own_host);
    free(h->id);
    home_unref(h->above);
    free(h);
}

/* ---- states ---- */

/* Names of the log fields, by what the node is. */
static struct logger *node_logger(const struct home *h, const struct node *n)
{
    struct logger *root = h->ctl->host->log;
    char *path = xprintf("/%s", h->id);
    const struct log_field component[] = {F_CSTR("component_path", path),
                                          F_CSTR("component_id", n->id)};
    const struct log_field config[] = {F_CSTR("config_path", *h->id ? path : "."),
                                       F_CSTR("config_id", n->id)};
    const struct log_field service[] = {F_CSTR("service", n->id)};
    struct logger *log;
    if (node_is_component(n))
        log = log_child(root, component, ARRAY_LEN(component));
    else if (n->kind == NODE_IMPORT)
        log = log_child(root, config, ARRAY_LEN(config));
    else
        log = log_child(root, service, n->kind == NODE_SERVICE ? 1 : 0);
    free(path);
    return log;
}

struct node_state *node_state_new(struct home *home, const struct node *n)
{
    struct node_state *s = xnew(struct node_state);
    s->ctl = home->ctl;
    s->home = home_ref(home);
    s->id = *home->id ? xprintf("%s/%s", home->id, n->id) : xstrdup(n->id);
    s->name = xstrdup(n->name);
    s->kind = n->kind;
    s->def = n->def;
    s->config = n->config;
    s->log = home->ctl->host->log ? node_logger(home, n) : NULL;
    node_health_init(&s->health, n->kind, clock_real(home->ctl->host->clock));
    return s;
}

void node_state_free(struct node_state *s)
{
    if (!s) return;
    ASSERT(!s->instance);
    for (size_t i = 0; i < s->n_inner; i++) {
        s->inner[i]->owner = NULL;
        home_unref(s->inner[i]);
    }
    free(s->inner);
    import_node_free(s->import);
    plan_unref(s->plan);
    node_health_done(&s->health);
    log_unref(s->log);
    free(s->unblocks);
    free(s->name);
    free(s->id);
    home_unref(s->home);
    free(s);
}

struct value node_state_exports(const struct node_state *s)
{
    return s->module ? s->module->exports[s->rank] : value_null();
}

const struct node *node_state_node(const struct node_state *s)
{
    return &s->module->tmpl->nodes[s->rank];
}

const char *node_state_local_id(const struct node_state *s)
{
    return *s->home->id ? s->id + strlen(s->home->id) + 1 : s->id;
}
