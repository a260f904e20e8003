/* The walk down the modules: each step takes the state whose module's id begins the one asked for.
 */
#include "ui/find.h"

struct str module_id(const struct module *m)
{
    return m->home ? str_of(m->home->id) : STR("");
}

void each_inner(const struct node_state *s, void (*fn)(void *arg, const struct module *m),
                void *arg)
{
    for (size_t i = 0; i < s->n_inner; i++)
        if (s->inner[i]->module) fn(arg, s->inner[i]->module);
}

struct step {
    struct str id;
    const struct module *next;
};

static bool leads_to(struct str id, struct str wanted)
{
    return str_starts(wanted, id) && (wanted.n == id.n || wanted.p[id.n] == '/');
}

static void consider(void *arg, const struct module *m)
{
    struct step *s = arg;
    if (!s->next && leads_to(module_id(m), s->id)) s->next = m;
}

/* Imports have modules too, which run nothing. */
static const struct module *step_down(const struct module *m, struct str id)
{
    struct step s = {.id = id};
    for (u32 r = 0; r < m->tmpl->n && !s.next; r++)
        if (node_is_component(&m->tmpl->nodes[r])) each_inner(m->states[r], consider, &s);
    return s.next;
}

const struct module *find_module(const struct module *root, struct str id)
{
    const struct module *m = root;
    while (m && !str_eq(module_id(m), id))
        m = step_down(m, id);
    return m;
}

struct place place_at(const struct module *m, u32 rank)
{
    return (struct place){m, rank, &m->tmpl->nodes[rank], m->states[rank]};
}

bool find_component(const struct module *root, struct str id, struct place *ret)
{
    ssize_t slash = str_rchr(id, '/');
    struct str module = slash < 0 ? STR("") : str_sub(id, 0, (size_t)slash);
    const struct module *m = find_module(root, module);
    const struct node *n =
        m ? template_node(m->tmpl, str_sub(id, (size_t)(slash + 1), id.n)) : NULL;
    if (!n || !node_is_component(n)) return false;
    *ret = place_at(m, (u32)(n - m->tmpl->nodes));
    return true;
}
