/* Placement: on which workers an instance lives. Control loop, once per instance, before anything
 * of it can be reached.
 *
 * CONTROL lives on the control loop, EACH and KEYED on every worker. ONE goes where its data goes:
 * to the worker of the first ONE instance found behind the sinks of its arguments (an EACH in
 * between passes the wish on), else to the worker with the fewest. */
#include <string.h>
#include "base/xalloc.h"
#include "runtime/dataplane/dataplane.h"

static struct worker_rt *seek(const struct schema *s, const void *args);

/* Where the sink's instance wants its data to be. */
static struct worker_rt *home_of(const struct capsule *c)
{
    const struct sink *k = sink_of(c);

    return k ? k->inst->prefer : NULL;
}

static struct worker_rt *seek_list(const struct capsule_list *l)
{
    struct worker_rt *w = NULL;

    for (size_t i = 0; i < l->n && !w; i++)
        w = home_of(l->v[i]);
    return w;
}

/* The shape that every repeatable block has. */
struct blocks {
    char *v;
    size_t n;
};

static struct worker_rt *seek_blocks(const struct row *r, const struct blocks *b)
{
    struct worker_rt *w = NULL;

    for (size_t i = 0; i < b->n && !w; i++)
        w = seek(r->sub, b->v + i * r->elem_size);
    return w;
}

static struct worker_rt *seek_variants(const struct one_of_list *l)
{
    struct worker_rt *w = NULL;

    for (size_t i = 0; i < l->n && !w; i++)
        w = seek(l->v[i].def->sub, l->v[i].args);
    return w;
}

static struct worker_rt *seek_row(const struct row *r, const void *member)
{
    switch (r->kind) {
    case K_CAPSULE: return home_of(((const struct capsule_ref *)member)->c);
    case K_CAPSULE_LIST: return seek_list(member);
    case K_BLOCK: return seek(r->sub, member);
    case K_BLOCK_PTR: return seek(r->sub, *(void *const *)member);
    case K_BLOCKS: return seek_blocks(r, member);
    case K_ONE_OF: return seek_variants(member);
    case DATA_KINDS:
    case K_LABEL:
    case K_MAP_BLOCK: return NULL;
    }
    UNREACHABLE();
}

static struct worker_rt *seek(const struct schema *s, const void *args)
{
    struct worker_rt *w = NULL;

    for (size_t i = 0; s && args && i < s->n_rows && !w; i++)
        w = seek_row(&s->rows[i], (const char *)args + s->rows[i].off);
    return w;
}

static struct worker_rt *least_loaded(struct workers *set)
{
    struct worker_rt *least = &set->all[1];

    for (int i = 2; i <= set->n; i++)
        if (set->all[i].load < least->load) least = &set->all[i];
    return least;
}

static struct worker_rt *first_worker(struct instance *i)
{
    switch (i->pub.def->placement) {
    case PLACE_CONTROL: return &i->workers->all[0];
    case PLACE_ONE: return i->prefer;
    case PLACE_EACH:
    case PLACE_KEYED: return &i->workers->all[1];
    }
    UNREACHABLE();
}

static struct shard_rt *shards_new(u32 n)
{
    struct shard_rt *s = aligned_alloc(CACHE_LINE, n * sizeof(*s));

    ASSERT(s); /* of our own size */
    return memset(s, 0, n * sizeof(*s));
}

void place_instance(struct instance *i, const void *args)
{
    const struct component_def *def = i->pub.def;
    bool one = def->placement == PLACE_ONE;
    bool all = def->placement == PLACE_EACH || def->placement == PLACE_KEYED;

    ASSERT(def->placement != PLACE_KEYED || def->key);
    i->prefer = seek(def->args, args);
    if (one && !i->prefer) i->prefer = least_loaded(i->workers);
    if (one) i->prefer->load++;
    i->n_shards = all ? (u32)i->workers->n : 1;
    i->shards = shards_new(i->n_shards);
    for (u32 n = 0; n < i->n_shards; n++)
        shard_init(&i->shards[n], i, first_worker(i) + n);
}

void unplace_instance(struct instance *i)
{
    if (i->pub.def->placement == PLACE_ONE && i->prefer) i->prefer->load--;
    for (u32 n = 0; n < i->n_shards; n++)
        shard_free(&i->shards[n]);
    free(i->shards);
}
