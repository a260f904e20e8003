/* Sinks: what an instance exports so that others can push to it. One per type, port and signals;
 * the capsule is the counted thing. Made and freed on the control loop; routing is asked on any
 * worker and reads what never changes. */
#include "base/xalloc.h"
#include "runtime/dataplane/dataplane.h"

static void on_gone(struct msg *m)
{
    struct sink *k = container_of(m, struct sink, gone);
    struct instance *i = k->inst;

    free(k->proxies);
    free(k);
    i->sinks_alive--;
    instance_settle(i);
}

/* The last reference may fall on any thread; what it kept alive is freed on the control loop. */
static void sink_released(void *data)
{
    struct sink *k = data;

    if (!k) return; /* a placeholder of the static check */
    k->gone.fn = on_gone;
    loop_post(k->inst->workers->control, &k->gone);
}

const struct capsule_type capsule_otelcol_consumer = {.name = "otelcol.Consumer",
                                                      .destroy = sink_released};
const struct capsule_type capsule_logs_receiver = {.name = "loki.LogsReceiver",
                                                   .destroy = sink_released};
const struct capsule_type capsule_metrics_receiver = {.name = "prometheus.MetricsReceiver",
                                                      .destroy = sink_released};

struct sink *sink_of(const struct capsule *c)
{
    return c && c->type->destroy == sink_released ? c->data : NULL;
}

void capsule_unref(struct capsule *c)
{
    if (c) value_unref((struct value){.type = V_CAPSULE, .capsule = c});
}

static struct capsule *capsule_ref(struct capsule *c)
{
    return value_of_capsule(c).capsule;
}

static struct sink *sink_new(struct instance *i, u32 port, u32 signals)
{
    struct sink *k = xnew(struct sink);

    *k = (struct sink){.inst = i, .port = port, .signals = signals};
    k->proxies = xcalloc(((size_t)i->workers->n + 1) * i->n_shards, sizeof(struct proxy *));
    i->sinks_alive++;
    return k;
}

static struct capsule *find(struct instance *i, const struct capsule_type *type, u32 port,
                            u32 signals)
{
    vec_each (&i->sinks, c) {
        const struct sink *k = (*c)->data;
        if ((*c)->type == type && k->port == port && k->signals == signals) return *c;
    }
    return NULL;
}

struct capsule *comp_sink(struct comp *c, const struct capsule_type *type, u32 port, u32 signals)
{
    struct instance *i = instance_of(c);
    struct capsule *known = find(i, type, port, signals);

    ASSERT(c->def->push && type->destroy == sink_released && i->n_shards > 0);
    ASSERT(i->life != LIFE_STOPPING);
    if (known) return capsule_ref(known);
    known = value_capsule(type, sink_new(i, port, signals)).capsule;
    vec_push(&i->sinks, known);
    return capsule_ref(known);
}

/* Shards of EACH and KEYED are in the order of the workers, which count from 1. */
static struct shard_rt *local_shard(const struct instance *i, const struct worker *w)
{
    return &i->shards[w->index > 0 ? w->index - 1 : 0];
}

struct shard_rt *sink_route(const struct sink *k, const struct worker *w, const struct batch *b)
{
    const struct instance *i = k->inst;

    switch (i->pub.def->placement) {
    case PLACE_CONTROL:
    case PLACE_ONE: return &i->shards[0];
    case PLACE_EACH: return local_shard(i, w);
    case PLACE_KEYED: return &i->shards[i->pub.def->key(k->port, b) % i->n_shards];
    }
    UNREACHABLE();
}
