/* Components by the ids of the API: MODULE/LOCAL, cut at the last slash. Valid during the turn. */
#ifndef UI_FIND_H
#define UI_FIND_H

#include "runtime/controller.h"

struct place {
    const struct module *module;
    u32 rank;
    const struct node *node;
    struct node_state *state;
};

/* False when there is no such component. */
bool find_component(const struct controller *c, struct str id, struct place *ret);
struct place place_at(const struct module *m, u32 rank);
/* "" for the root's. */
struct str module_id(const struct module *m);
/* Calls fn for every running module that the state owns, not for those inside them. */
void each_inner(const struct node_state *s, void (*fn)(void *arg, const struct module *m),
                void *arg);

#endif
