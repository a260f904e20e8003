/* Small services of the runtime to a component: its metrics, its folder, waking its producers. */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include "base/xalloc.h"
#include "runtime/dataplane.h"

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

static int make_dir(const char *path)
{
    return mkdir(path, 0750) == 0 || errno == EEXIST ? 0 : -errno;
}

/* Makes every folder on the way; path is changed and restored. */
static int make_dirs(char *path)
{
    for (char *at = strchr(path + 1, '/'); at; at = strchr(at + 1, '/')) {
        *at = '\0';
        int rc = make_dir(path);
        *at = '/';
        if (rc < 0) return rc;
    }
    return make_dir(path);
}

char *comp_data_dir(struct comp *c, char **ret_err)
{
    char *path = xprintf("%s/%s", c->host->storage_path, c->id);
    int rc = make_dirs(path);

    if (rc == 0) return path;
    *ret_err = xprintf("mkdir %s: %s", path, strerror(-rc));
    free(path);
    return NULL;
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
