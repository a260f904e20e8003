/* Small services of the runtime to a component: its folder, waking its producers. */
#include "runtime/data_dir.h"
#include "runtime/dataplane/dataplane.h"

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
