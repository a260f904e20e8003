/* Small services of the runtime to a component: its metrics, its folder, waking its producers. */
#include <stdlib.h>
#include "base/xalloc.h"
#include "runtime/data_dir.h"
#include "runtime/dataplane/dataplane.h"

/* --- metrics --- */

/* "/" for the root, "/mods.a.b" for an instance inside a module. */
static char *component_path(const struct comp *c)
{
    size_t id = strlen(c->id), local = strlen(c->local_id);

    if (id <= local + 1) return xstrdup("/");
    return xprintf("/%.*s", (int)(id - local - 1), c->id);
}

struct metric *comp_metric(struct comp *c, const struct metric_desc *d,
                           const struct metric_label *labels, size_t n)
{
    struct instance *i = instance_of(c);
    char *path = component_path(c);
    struct metric_label *all = xcalloc(n + 2, sizeof(*all));

    for (size_t k = 0; k < n; k++)
        all[k] = labels[k];
    all[n] = (struct metric_label){"component_id", c->local_id};
    all[n + 1] = (struct metric_label){"component_path", path};
    struct metric *m = metric_new(c->host->metrics, d, all, n + 2);
    vec_push(&i->metrics, m);
    free(all);
    free(path);
    return m;
}

/* --- storage --- */

char *comp_data_dir(struct comp *c, char **ret_err)
{
    return data_dir_make(c->host->storage_path, c->id, ret_err);
}

u32 comp_shards(const struct comp *c)
{
    return instance_of(c)->n_shards;
}

/* --- waking --- */

void comp_ready(struct comp *c)
{
    struct instance *i = instance_of(c);

    if (!atomic_load(&i->started)) return; /* nobody can have been told FULL */
    for (u32 n = 0; n < i->n_shards; n++)
        shard_post_ready(&i->shards[n]);
}

void instance_leave(struct instance *i)
{
    if (i->pub.def->leave && i->life == LIFE_STARTED) i->pub.def->leave(&i->pub);
}
