/* Which nodes a commit removes, and which of them waits for which: worked out on the old modules
 * while they are whole, since users and what they use may stand in different ones. */
#include "runtime/controller_impl.h"

/* ---- who is removed ---- */

/* Rank order, what is below a node behind it: users come after what they use. */
static void collect(struct node_state *s, void *arg)
{
    struct controller *c = arg;
    if (!s->kept) vec_push(&c->removed, s);
}

/* ---- who waits for whom ---- */

struct linking {
    struct node_state *user;
    size_t cap;
};

static void link_to(struct linking *l, struct node_state *used)
{
    struct node_state *s = l->user;
    if (used->kept || used == s) return;
    if (s->n_unblocks == l->cap) {
        l->cap = l->cap ? 2 * l->cap : 4;
        s->unblocks = xrealloc(s->unblocks, l->cap * sizeof(*s->unblocks));
    }
    s->unblocks[s->n_unblocks++] = used;
    used->blocked_by++;
}

static void link_node(struct linking *l, const struct module *m, u32 rank);

static void link_deps(struct linking *l, const struct module *m, u32 rank)
{
    const struct node *n = &m->tmpl->nodes[rank];
    for (size_t i = 0; i < n->n_deps; i++)
        link_node(l, m, n->deps[i]);
    for (size_t i = 0; i < n->n_outer; i++)
        link_node(l, module_around(m, n->outer[i].up), n->outer[i].rank);
}

/* What an argument holds was given by the node the module stands below. */
static void link_argument(struct linking *l, const struct module *m)
{
    const struct node_state *owner = m->home->owner;
    if (owner) link_deps(l, owner->module, owner->rank);
}

/* What a custom component exports is what its export blocks refer to. */
static void link_custom(struct linking *l, const struct node_state *s)
{
    const struct module *in = s->n_inner > 0 ? s->inner[0]->module : NULL;
    for (u32 r = 0; in && r < in->tmpl->n; r++)
        if (in->tmpl->nodes[r].kind == NODE_EXPORT) link_deps(l, in, r);
}

static void link_node(struct linking *l, const struct module *m, u32 rank)
{
    switch (m->tmpl->nodes[rank].kind) {
    case NODE_COMPONENT: link_to(l, m->states[rank]); return;
    case NODE_ARGUMENT: link_argument(l, m); return;
    case NODE_CUSTOM: link_custom(l, m->states[rank]); return;
    case NODE_CONFIG: /* logging may write to a component, and waits for none */
    case NODE_SERVICE:
    case NODE_DECLARE:
    case NODE_EXPORT:
    case NODE_IMPORT:
    case NODE_FOREACH: return;
    }
}

void removal_collect(struct controller *c)
{
    module_each(c->root->module, collect, c);
    for (size_t i = 0; i < c->removed.n; i++) {
        struct linking l = {.user = c->removed.v[i]};
        if (l.user->kind == NODE_COMPONENT || l.user->kind == NODE_CONFIG)
            link_deps(&l, l.user->module, l.user->rank);
    }
}

static void empty_homes(struct node_state *s)
{
    for (size_t i = 0; i < s->n_inner; i++) {
        module_free(s->inner[i]->module);
        s->inner[i]->module = NULL;
    }
}

void removal_detach(struct controller *c)
{
    for (size_t i = 0; i < c->removed.n; i++) {
        struct node_state *s = c->removed.v[i];
        empty_homes(s);
        s->module = NULL;
        if (s->awaited) c->awaited--;
        s->awaited = s->late = false;
        if (s->instance) instance_leave(s->instance);
    }
}
