/* The way to a shard on another worker. A batch travels in a carrier, of which each pair of sink
 * and sending worker has a fixed number: the credit window, bounded in bytes too. The receiving
 * side holds what its shard does not take yet, in order, and sends the carrier back when it is
 * taken: that is the credit.
 *
 * A proxy has two halves, each touched by one thread only. It lives as long as an outlet uses it or
 * a carrier is out, and keeps the sink, thereby the instance's memory, alive. */
#include "base/xalloc.h"
#include "runtime/dataplane/dataplane.h"

#define WINDOW_BATCHES 8
#define WINDOW_BYTES   ((size_t)4 * 1024 * 1024) /* a larger batch travels alone */

struct carrier {
    struct msg msg;
    struct list node; /* in idle or held */
    struct proxy *proxy;
    struct batch *batch;
    size_t bytes;
};

struct proxy {
    struct capsule *sink; /* counted */
    struct proxy **slot;  /* where the sink finds it */
    struct worker *from;
    struct shard_rt *to;
    u32 port;
    /* the sending worker's */
    u32 outlets;
    u32 out; /* carriers on the way */
    size_t bytes;
    struct list idle;
    struct waitq room;
    /* the receiving worker's */
    struct waiter inbox __attribute__((aligned(CACHE_LINE)));
    struct list held;
    struct carrier carriers[WINDOW_BATCHES];
};

/* --- receiving worker --- */

static void on_credit(struct msg *m);

/* After the last carrier went back the sender may free the proxy at once. */
static void send_back(struct carrier *c)
{
    c->batch = NULL;
    c->msg.fn = on_credit;
    loop_post(c->proxy->from->loop, &c->msg);
}

static bool retry_held(struct waiter *w)
{
    struct proxy *p = container_of(w, struct proxy, inbox);

    for (bool more = true; more;) {
        struct carrier *c = list_item(p->held.next, struct carrier, node);

        if (shard_push(p->to, p->port, c->batch) == PUSH_FULL) {
            waitq_add(&p->to->room, w);
            return true;
        }
        list_del(&c->node);
        shard_unhold(p->to);
        more = !list_empty(&p->held);
        send_back(c);
    }
    return false;
}

static void hold(struct proxy *p, struct carrier *c)
{
    if (list_empty(&p->held)) waitq_add(&p->to->room, &p->inbox);
    list_add_tail(&p->held, &c->node);
    shard_hold(p->to);
}

/* Behind a held batch the next ones wait too: the order of one sender is kept. */
static void on_arrival(struct msg *m)
{
    struct carrier *c = container_of(m, struct carrier, msg);
    struct proxy *p = c->proxy;

    if (!list_empty(&p->held) || shard_push(p->to, p->port, c->batch) == PUSH_FULL)
        hold(p, c);
    else
        send_back(c);
}

/* --- sending worker --- */

static void free_when_unused(struct proxy *p)
{
    if (p->outlets > 0 || p->out > 0 || p->room.queued) return;
    *p->slot = NULL;
    capsule_unref(p->sink);
    free(p);
}

static void on_room(struct msg *m)
{
    struct proxy *p = container_of(m, struct proxy, room.msg);

    waitq_run(&p->room);
    free_when_unused(p);
}

static void on_credit(struct msg *m)
{
    struct carrier *c = container_of(m, struct carrier, msg);
    struct proxy *p = c->proxy;

    p->out--;
    p->bytes -= c->bytes;
    list_add_tail(&p->idle, &c->node);
    waitq_kick(&p->room);
    free_when_unused(p);
}

enum push proxy_push(struct proxy *p, struct batch *b)
{
    bool fits = p->out == 0 || p->bytes + b->bytes <= WINDOW_BYTES;

    if (list_empty(&p->idle) || !fits) return PUSH_FULL;
    struct carrier *c = list_item(p->idle.next, struct carrier, node);
    list_del(&c->node);
    c->batch = b;
    c->bytes = b->bytes;
    c->msg.fn = on_arrival;
    p->out++;
    p->bytes += c->bytes;
    loop_post(p->to->pub.worker->loop, &c->msg);
    return PUSH_TAKEN;
}

struct waitq *proxy_room(struct proxy *p)
{
    return &p->room;
}

static struct proxy *proxy_new(struct capsule *sink, struct worker *from, struct shard_rt *to,
                               struct proxy **slot)
{
    struct proxy *p = aligned_alloc(CACHE_LINE, sizeof(*p));

    ASSERT(p); /* of our own size */
    *p = (struct proxy){
        .sink = value_of_capsule(sink).capsule, .slot = slot, .from = from, .to = to};
    p->port = sink_of(sink)->port;
    list_init(&p->idle);
    list_init(&p->held);
    list_init(&p->inbox.node);
    p->inbox.retry = retry_held;
    waitq_init(&p->room, from->loop, on_room);
    for (size_t i = 0; i < WINDOW_BATCHES; i++) {
        p->carriers[i].proxy = p;
        list_add_tail(&p->idle, &p->carriers[i].node);
    }
    return p;
}

struct proxy *proxy_get(struct capsule *sink, struct worker *from, struct shard_rt *to)
{
    struct sink *k = sink_of(sink);
    size_t index = (size_t)(to - k->inst->shards);
    struct proxy **slot = &k->proxies[(size_t)from->index * k->inst->n_shards + index];

    if (!*slot) *slot = proxy_new(sink, from, to, slot);
    (*slot)->outlets++;
    return *slot;
}

void proxy_put(struct proxy *p)
{
    if (!p) return;
    p->outlets--;
    free_when_unused(p);
}
