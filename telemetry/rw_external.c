/* External labels of remote write. Whether a series has a label of that name, and where one goes
 * that it has not, follows from its names alone: so from its shape. */
#include <stdlib.h>
#include "base/arena.h"
#include "base/xalloc.h"
#include "telemetry/label_set.h"
#include "telemetry/rw_impl.h"

/* Sorted, unique, without empty ones. */
static void take_labels(struct rw_external *e, const struct label *v, size_t n)
{
    struct label_set set;

    label_set_init(&set);
    for (size_t i = 0; i < n; i++)
        label_set_put_view(&set, v[i].name, v[i].value);
    e->v = arena_array(e->arena, struct label, set.n + 1);
    for (u32 i = 0; i < set.n; i++)
        if (set.v[i].value.n)
            e->v[e->n++] = (struct label){arena_str(e->arena, set.v[i].name),
                                          arena_str(e->arena, set.v[i].value)};
    label_set_done(&set);
}

static struct str wire_of(struct arena *a, const struct label *l)
{
    char *p = arena_alloc(a, rw_text_size(rw_label_body(l->name.n, l->value.n)));

    return str_n(p, (size_t)(rw_put_label(p, l->name, l->value) - p));
}

struct rw_external *rw_external_new(const struct label *v, size_t n)
{
    struct rw_external *e = xcalloc(1, sizeof(*e));

    e->arena = xcalloc(1, sizeof(*e->arena));
    arena_init(e->arena, 0);
    take_labels(e, v, n);
    e->wire = arena_array(e->arena, struct str, e->n + 1);
    for (u32 i = 0; i < e->n; i++)
        e->wire[i] = wire_of(e->arena, &e->v[i]);
    return e;
}

void rw_external_free(struct rw_external *e)
{
    if (!e) return;
    for (u32 i = 0; i < e->n_plans; i++)
        free(e->plans[i]);
    free(e->plans);
    arena_done(e->arena);
    free(e->arena);
    free(e);
}

void rw_external_load(const struct rw_external *e, const struct series *s, struct label_set *into)
{
    series_load(s, into);
    for (u32 i = 0; e && i < e->n; i++)
        if (!label_set_has(into, e->v[i].name))
            label_set_put_view(into, e->v[i].name, e->v[i].value);
}

/* Both lists are sorted: one merge. */
static struct rw_plan *plan_new(const struct rw_external *e, const struct series_shape *shape)
{
    struct rw_plan *plan = xcalloc(1, sizeof(*plan) + e->n * sizeof(plan->v[0]));
    u32 at = 0;

    plan->serial = shape->serial;
    for (u32 i = 0; i < e->n; i++) {
        while (at < shape->n && str_cmp(shape->names[at], e->v[i].name) < 0)
            at++;
        if (at < shape->n && str_eq(shape->names[at], e->v[i].name)) continue;
        plan->v[plan->n++] = (struct rw_add){at, i};
        plan->wire += e->wire[i].n;
    }
    return plan;
}

static void make_room(struct rw_external *e, u32 id)
{
    if (id < e->n_plans) return;
    u32 n = MAX(id + 1, e->n_plans * 2);

    e->plans = xrealloc(e->plans, n * sizeof(*e->plans));
    memset(e->plans + e->n_plans, 0, (n - e->n_plans) * sizeof(*e->plans));
    e->n_plans = n;
}

const struct rw_plan *rw_plan_of(struct rw_external *e, const struct series_shape *shape)
{
    static const struct rw_plan nothing;

    if (!e || !e->n) return &nothing;
    make_room(e, shape->id);
    struct rw_plan **plan = &e->plans[shape->id];
    if (UNLIKELY(!*plan || (*plan)->serial != shape->serial)) {
        free(*plan); /* of a shape that is gone */
        *plan = plan_new(e, shape);
    }
    return *plan;
}
