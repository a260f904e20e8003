/* What a commit does to the components, those in modules included: counted, and logged in one line
 * that names a few of them. Works on the generation before it is swapped in. Control loop. */
#include "runtime/controller_impl.h"

#define NAMES_MAX 5 /* of each sort; the counts tell the rest */

struct tally {
    struct load_counts n;
    bool names;        /* those of a first load are the configuration itself */
    struct buf listed; /* "+added ~changed -removed" */
};

/* nth: how many of its sort came before it. */
static void list(struct tally *t, char sign, u32 nth, const char *id)
{
    if (!t->names || nth > NAMES_MAX) return;
    const char *gap = t->listed.n > 0 ? " " : "";
    buf_printf(&t->listed, "%s%c%s", gap, sign, nth == NAMES_MAX ? "..." : id);
}

static void count_node(struct tally *t, const struct generation *g, u32 rank)
{
    const char *id = g->module->states[rank]->id;
    if (g->changes[rank].fresh)
        list(t, '+', t->n.added++, id);
    else if (g->plans[rank])
        list(t, '~', t->n.changed++, id);
    else
        t->n.left++;
}

static void count(struct tally *t, const struct generation *g)
{
    for (u32 r = 0; r < g->module->tmpl->n; r++) {
        const struct change *ch = &g->changes[r];
        for (size_t i = 0; i < ch->n_inner; i++)
            count(t, &ch->inner[i]);
        if (node_is_component(&g->module->tmpl->nodes[r])) count_node(t, g, r);
    }
}

static void count_removed(struct tally *t, const struct controller *c)
{
    for (size_t i = 0; i < c->removed.n; i++) {
        const struct node_state *s = c->removed.v[i];
        if (node_state_is_component(s)) list(t, '-', t->n.removed++, s->id);
    }
}

static void say(const struct controller *c, struct tally *t)
{
    const struct log_field added = F_INT("added", t->n.added),
                           changed = F_INT("changed", t->n.changed),
                           removed = F_INT("removed", t->n.removed),
                           left = F_INT("left", t->n.left);
    const char *msg = "scheduling loaded components and services";
    if (t->listed.n > 0)
        log_info(c->log, msg, added, changed, removed, left, F_STR("nodes", buf_view(&t->listed)));
    else
        log_info(c->log, msg, added, changed, removed, left);
}

void commit_tell(struct controller *c, const struct generation *g)
{
    struct tally t = {.names = c->root->module != NULL, .listed = BUF_INIT((size_t)1 << 20)};
    count(&t, g);
    count_removed(&t, c);
    say(c, &t);
    c->counts = t.n;
    buf_done(&t.listed);
}
