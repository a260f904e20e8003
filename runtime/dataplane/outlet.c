/* One producer's binding to a sink on its own worker: a direct call where the sink has a shard
 * there, otherwise a proxy. */
#include "base/xalloc.h"
#include "runtime/dataplane/dataplane.h"

void outlet_init(struct outlet *o, struct capsule *sink, struct worker *from, struct logger *log,
                 bool (*retry)(struct waiter *w))
{
    ASSERT(sink_of(sink));
    *o = (struct outlet){.waiter.retry = retry, .worker = from, .log = log};
    o->sink = value_of_capsule(sink).capsule;
    list_init(&o->waiter.node);
    o->proxies = xcalloc(sink_of(sink)->inst->n_shards, sizeof(struct proxy *));
}

void outlet_done(struct outlet *o)
{
    u32 n = sink_of(o->sink)->inst->n_shards;

    waiter_cancel(&o->waiter);
    for (u32 i = 0; i < n; i++)
        proxy_put(o->proxies[i]);
    free(o->proxies);
    capsule_unref(o->sink); /* last: it keeps the shards that were waited for */
}

static struct proxy *proxy_to(struct outlet *o, struct shard_rt *to)
{
    struct proxy **p = &o->proxies[to - to->inst->shards];

    if (!*p) *p = proxy_get(o->sink, o->worker, to);
    return *p;
}

static enum push unsupported(struct outlet *o, struct batch *b)
{
    const struct sink *k = sink_of(o->sink);

    if (!o->warned)
        log_error(o->log, "telemetry type is not supported by the receiving component",
                  F_CSTR("type", signal_name(b->signal)), F_CSTR("receiver", k->inst->pub.id));
    o->warned = true;
    batch_fail(b, ACK_FAILED, &(struct ack_failure){.text = "telemetry type is not supported"});
    batch_unref(b);
    return PUSH_TAKEN;
}

static enum push wait_when_full(struct outlet *o, struct waitq *q, enum push answer)
{
    if (answer == PUSH_FULL) waitq_add(q, &o->waiter);
    return answer;
}

enum push outlet_push(struct outlet *o, struct batch *b)
{
    const struct sink *k = sink_of(o->sink);

    if (!(k->signals & 1u << b->signal)) return unsupported(o, b);
    struct shard_rt *to = sink_route(k, o->worker, b);
    if (to->pub.worker == o->worker)
        return wait_when_full(o, &to->room, shard_push(to, k->port, b));
    struct proxy *p = proxy_to(o, to);
    return wait_when_full(o, proxy_room(p), proxy_push(p, b));
}
