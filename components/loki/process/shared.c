/* Memory that a stage shares with itself on other workers: found by the configuration of the
 * pipeline and the stage's place in it. Counted by pipelines, under a lock that is held for a few
 * pointers. */
#include "base/hash.h"
#include "components/loki/process/engine_int.h"

struct shared_memory {
    struct list node;
    u64 key;
    u32 users;
    void (*done)(void *memory);
    max_align_t data[];
};

void process_shared_init(struct process_shared *s)
{
    list_init(&s->memories);
}

static struct shared_memory *find(struct process_shared *s, u64 key)
{
    list_each (&s->memories, node) {
        struct shared_memory *m = list_item(node, struct shared_memory, node);
        if (m->key == key) return m;
    }
    return NULL;
}

/* The one there is, or mine. */
static struct shared_memory *join(struct process_shared *s, struct shared_memory *mine)
{
    spin_lock(&s->lock);
    struct shared_memory *m = find(s, mine->key);
    if (!m) {
        m = mine;
        list_add_tail(&s->memories, &m->node);
    }
    m->users++;
    spin_unlock(&s->lock);
    return m;
}

void *stage_shared(struct stage_run *r, size_t size, void (*done)(void *memory))
{
    struct pipeline *p = r->pipeline;
    struct shared_memory *mine = xcalloc(1, sizeof(*mine) + size);

    mine->key = hash_mix(hash_str(p->plan->identity), r->at);
    mine->done = done;
    struct shared_memory *m = join(r->comp->shared, mine);
    if (m != mine) free(mine);
    vec_push(&p->shared, m);
    return m->data;
}

void shared_leave(struct comp *c, struct shared_memory *m)
{
    struct process_shared *s = c->shared;

    spin_lock(&s->lock);
    bool last = --m->users == 0;
    if (last) list_del(&m->node);
    spin_unlock(&s->lock);
    if (!last) return;
    if (m->done) m->done(m->data);
    free(m);
}
