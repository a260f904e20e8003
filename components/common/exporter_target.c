/* The labels of a built-in exporter's target. Source: spec pipelines C.3. */
#include "components/common/exporter_target.h"

#include <stdlib.h>
#include "base/xalloc.h"

static struct str host_name(const struct comp *c)
{
    const char *env = getenv("HOSTNAME");

    if (env && *env) return str_of(env);
    return c->host->hostname && *c->host->hostname ? str_of(c->host->hostname) : STR("unknown");
}

static void set(struct object_builder *b, const char *name, struct str value)
{
    object_set_take(b, str_of(name), value_str(value));
}

struct value exporter_target_value(const struct comp *c, const char *name, struct str instance)
{
    struct object_builder b = {0};
    char *path = xprintf("/api/v0/component/%s/metrics", c->id);
    char *job = xprintf("integrations/%s", name);

    set(&b, "__address__", str_of(c->host->memory_addr));
    set(&b, "__meta_component_id", str_of(c->id));
    set(&b, "__meta_component_name", str_of(c->def->name));
    set(&b, "__metrics_path__", str_of(path));
    set(&b, "__scheme__", STR("http"));
    set(&b, "instance", instance.n > 0 ? instance : host_name(c));
    set(&b, "job", str_of(job));
    free(path);
    free(job);
    return object_done(&b);
}

void exporter_target_export(struct comp *c, const char *name, struct str instance)
{
    struct target_exports e = {.targets = value_array(1)};

    e.targets.array->v[0] = exporter_target_value(c, name, instance);
    comp_export(c, &e);
    value_unref(e.targets);
}
