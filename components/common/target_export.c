/* Groups of targets, and when their list is published. */
#include "components/common/target_export.h"

#include "base/xalloc.h"

#define EVERY (5 * NS_PER_SEC)

struct target_group {
    struct value targets;
};

static const struct row export_rows[] = {
    TARGETS_EXPORT(struct target_exports, targets, "The targets that were discovered."),
};
const struct schema target_exports_schema = SCHEMA(struct target_exports, export_rows);

void target_export_none(struct comp *c)
{
    struct target_exports none = {.targets = value_array(0)};

    comp_export(c, &none);
    value_unref(none.targets);
}

static void group_free(void *g_)
{
    struct target_group *g = g_;

    if (!g) return;
    value_unref(g->targets);
    free(g);
}

static struct value all_targets(const struct target_export *e)
{
    size_t n = 0, at = 0;

    map_each (&e->groups, entry)
        n += ((const struct target_group *)entry->value)->targets.array->n;
    struct value all = value_array(n);
    map_each (&e->groups, entry) {
        const struct varray *group = ((const struct target_group *)entry->value)->targets.array;
        for (size_t i = 0; i < group->n; i++)
            all.array->v[at++] = value_ref(group->v[i]);
    }
    return all;
}

static void publish(struct target_export *e)
{
    struct target_exports x = {.targets = all_targets(e)};

    e->changed = false;
    e->published = true;
    e->last = loop_now(e->shard->worker->loop);
    timer_stop(e->tick);
    targets_tap(e->shard->comp, x.targets);
    shard_export(e->shard, &x);
    value_unref(x.targets);
}

static void on_tick(void *arg)
{
    publish(arg);
}

void target_export_init(struct target_export *e, struct shard *s)
{
    *e = (struct target_export){.shard = s};
    e->tick = timer_new(s->worker->loop, on_tick, e);
}

static void schedule(struct target_export *e)
{
    i64 wait = e->last + EVERY - loop_now(e->shard->worker->loop);

    e->changed = true;
    if (timer_active(e->tick)) return;
    timer_start(e->tick, e->published ? MAX(wait, INT64_C(0)) : 0);
}

void target_export_set(struct target_export *e, struct str source, struct value targets)
{
    struct target_group *g = map_get(&e->groups, source);

    if (e->published && (g ? value_same(g->targets, targets) : targets.array->n == 0)) {
        value_unref(targets);
        return;
    }
    group_free(map_del(&e->groups, source));
    if (targets.array->n > 0) {
        g = xnew(struct target_group);
        g->targets = targets;
        map_put(&e->groups, source, g);
    } else {
        value_unref(targets);
    }
    schedule(e);
}

void target_export_restart(struct target_export *e)
{
    map_done(&e->groups, group_free);
    e->groups = (struct map){0};
    e->changed = e->published = false;
    timer_stop(e->tick);
}

void target_export_flush(struct target_export *e)
{
    if (e->changed) publish(e);
}

void target_export_done(struct target_export *e)
{
    timer_free(e->tick);
    map_done(&e->groups, group_free);
    *e = (struct target_export){0};
}
