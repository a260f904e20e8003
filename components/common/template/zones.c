/* Zones: loaded with the template, or when a name is first met in a run. */
#include "components/common/template/zones.h"

#include <stdlib.h>

static void load(struct template *t, struct str name)
{
    char *err = NULL;
    if (map_has(&t->zones, name)) return;
    struct time_zone *z = time_zone_load(name, &err);
    if (z) map_put(&t->zones, name, z);
    free(err); /* an unknown name means UTC */
}

static bool is_date_function(const struct tfunc *f)
{
    for (size_t i = 0; i < fn_dates.n; i++)
        if (f == &fn_dates.v[i]) return true;
    return false;
}

void zones_of_command(struct template *t, const struct command *c)
{
    if (c->args[0]->kind != NODE_FUNCTION || !is_date_function(c->args[0]->func)) return;
    load(t, STR("Local"));
    if (!strstr(c->args[0]->func->name, "one")) return;
    for (size_t i = 1; i < c->n; i++)
        if (c->args[i]->kind == NODE_STRING) load(t, c->args[i]->text);
}

static void free_zone(void *z)
{
    time_zone_free(z);
}

const struct time_zone *zone_named(struct run *r, struct str name)
{
    char *err = NULL;
    const struct time_zone *known = map_get(&r->t->zones, name);
    if (known || name.n == 0 || str_is(name, "UTC")) return known;
    r->steps += STEP_LIMIT / 1000; /* a file is read */
    struct time_zone *z = time_zone_load(name, &err);
    free(err);
    if (z) arena_cleanup(r->arena, free_zone, z);
    return z;
}

const struct time_zone *zone_local(struct run *r)
{
    return zone_named(r, STR("Local"));
}
