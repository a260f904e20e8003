/* Modules and components for pages and API. */
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

bool find_component(const struct controller *c, struct str id, struct place *ret)
{
    const struct node_state *s = controller_find(c, id);
    if (!s || !s->module || !node_is_component(&s->module->tmpl->nodes[s->rank])) return false;
    *ret = place_at(s->module, s->rank);
    return true;
}

struct place place_at(const struct module *m, u32 rank)
{
    return (struct place){m, rank, &m->tmpl->nodes[rank], m->states[rank]};
}
