/* Plans: arguments, their arena, and what prepare made of them, under one count. */
#include "base/xalloc.h"
#include "runtime/dataplane/instance.h"

struct plan *plan_new(const struct component_def *def)
{
    struct plan *p = xnew(struct plan);

    refs_init(&p->refs);
    arena_init(&p->arena, 0);
    p->args = arena_alloc(&p->arena, def->args ? MAX(def->args->size, 1) : 1);
    p->data = arena_alloc(&p->arena, MAX(def->plan_size, 1));
    return p;
}

struct plan *plan_ref(struct plan *p)
{
    refs_get(&p->refs);
    return p;
}

void plan_unref(struct plan *p)
{
    if (!p || !refs_put(&p->refs)) return;
    arena_done(&p->arena);
    free(p);
}
