/* Fan-out: one batch to several sinks. A batch that no branch takes stays the producer's, so that
 * refusal reaches the source. Once one branch took it, each other holds it until its sink has room:
 * a slow branch delays the others by one batch at most before its producer is held back.
 * One shard's worker. */
#include "base/xalloc.h"
#include "runtime/dataplane/dataplane.h"
#include "runtime/tap/tap_impl.h"

#define WARN_EVERY (10 * NS_PER_SEC)

struct branch {
    struct outlet outlet;
    struct fanout *fanout;
    struct batch *held; /* NULL while blocked: its producer kept the batch */
    bool blocked;       /* its sink said FULL; the outlet waits */
};
typedef VEC(struct branch *) branches;

struct fanout {
    struct shard *shard;
    void (*ready)(void *arg);
    void *arg;
    branches to;
    u32 blocked; /* branches whose sink has no room */
    struct msg msg;
    bool queued; /* msg is deferred */
    bool freed;  /* while queued: the message frees it */
    i64 warned;  /* when; 0: never */
};

static struct instance *inst(const struct fanout *f)
{
    return instance_of(f->shard->comp);
}

static void on_ready(struct msg *m)
{
    struct fanout *f = container_of(m, struct fanout, msg);

    f->queued = false;
    if (f->freed)
        free(f);
    else if (f->blocked == 0 && f->ready)
        f->ready(f->arg);
}

static void one_unblocked(struct fanout *f)
{
    if (--f->blocked > 0 || f->queued) return;
    f->queued = true;
    loop_defer(f->shard->worker->loop, &f->msg);
}

/* --- branches --- */

static bool retry_held(struct waiter *w)
{
    struct branch *b = container_of(w, struct branch, outlet.waiter);

    if (b->held && outlet_push(&b->outlet, b->held) == PUSH_FULL) return true;
    b->held = NULL;
    b->blocked = false;
    one_unblocked(b->fanout);
    return false;
}

static struct branch *branch_new(struct fanout *f, struct capsule *sink)
{
    struct branch *b = xnew(struct branch);

    b->fanout = f;
    outlet_init(&b->outlet, sink, f->shard->worker, f->shard->comp->log, retry_held);
    return b;
}

/* True when it held a batch, which ends with this outcome. */
static bool branch_free(struct branch *b, enum ack_outcome outcome)
{
    struct batch *held = b->held;

    if (held) {
        batch_fail(held, outcome, NULL);
        batch_unref(held);
    }
    if (b->blocked) one_unblocked(b->fanout);
    outlet_done(&b->outlet);
    free(b);
    return held;
}

/* True when its sink took it. */
static bool branch_offer(struct branch *b, struct batch *batch)
{
    if (outlet_push(&b->outlet, batch) == PUSH_TAKEN) return true;
    b->blocked = true;
    b->fanout->blocked++;
    return false;
}

static void warn_dropped(struct fanout *f)
{
    i64 now = loop_now(f->shard->worker->loop);

    metric_inc(inst(f)->workers->dropped);
    if (f->warned && now - f->warned < WARN_EVERY) return;
    f->warned = now;
    log_warn(f->shard->comp->log, "dropped a batch that waited for a component no longer sent to");
}

/* --- the fan-out --- */

struct fanout *fanout_new(struct shard *s, void (*ready)(void *arg), void *arg)
{
    struct fanout *f = xnew(struct fanout);

    *f = (struct fanout){.shard = s, .ready = ready, .arg = arg, .msg.fn = on_ready};
    return f;
}

static struct branch *take_branch(branches *from, const struct capsule *sink)
{
    for (size_t i = 0; i < from->n; i++) {
        struct branch *b = from->v[i];

        if (b->outlet.sink != sink) continue;
        vec_remove(from, i);
        return b;
    }
    return NULL;
}

static void drop_vanished(struct fanout *f, branches *old)
{
    vec_each (old, b) {
        if (branch_free(*b, ACK_DROPPED)) warn_dropped(f);
    }
    vec_done(old);
}

void fanout_set(struct fanout *f, const struct capsule_list *sinks)
{
    branches old = f->to;

    f->to = (branches){0};
    for (size_t i = 0; i < sinks->n; i++) {
        struct branch *stays = take_branch(&old, sinks->v[i]);
        vec_push(&f->to, stays ? stays : branch_new(f, sinks->v[i]));
    }
    drop_vanished(f, &old);
}

size_t fanout_branches(const struct fanout *f)
{
    return f->to.n;
}

bool fanout_full(const struct fanout *f)
{
    return f->blocked > 0;
}

bool fanout_holds(const struct fanout *f)
{
    for (size_t i = 0; i < f->to.n; i++)
        if (f->to.v[i]->held) return true;
    return false;
}

static enum push drop(struct fanout *f, struct batch *b)
{
    batch_fail(b, ACK_DROPPED, NULL);
    batch_unref(b);
    metric_inc(inst(f)->workers->dropped);
    return PUSH_TAKEN;
}

/* The branches without room hold it, each with a reference of its own. */
static void hold(struct fanout *f, struct batch *b)
{
    vec_each (&f->to, it)
        if ((*it)->blocked) (*it)->held = b;
}

/* --- live debugging --- */

/* The components behind the branches. */
static void show(struct fanout *f, struct tap *t, const struct batch *b)
{
    const char **ids = xcalloc(f->to.n, sizeof(*ids));
    struct tap_item item = {0};

    for (size_t i = 0; i < f->to.n; i++)
        ids[i] = sink_of(f->to.v[i]->outlet.sink)->inst->pub.id;
    f->shard->comp->def->tap(b, &item);
    tap_publish(t, &item, &(struct tap_targets){ids, f->to.n});
    free(ids);
}

static enum push push_all(struct fanout *f, struct batch *b);

/* Keeps the batch for as long as it is being shown. */
static enum push push_shown(struct fanout *f, struct tap *t, struct batch *b)
{
    batch_ref(b);
    enum push answer = push_all(f, b);
    if (answer == PUSH_TAKEN) show(f, t, b);
    batch_unref(b);
    return answer;
}

/* --- pushing --- */

/* All references are made before the first branch sees the batch: none may take itself for the sole
 * owner. */
static enum push push_all(struct fanout *f, struct batch *b)
{
    size_t n = f->to.n, taken = 0;

    if (n == 0) return drop(f, b);
    for (size_t i = 1; i < n; i++)
        batch_ref(b);
    for (size_t i = 0; i < n; i++)
        taken += branch_offer(f->to.v[i], b);
    if (taken > 0) {
        hold(f, b);
        return PUSH_TAKEN;
    }
    for (size_t i = 1; i < n; i++)
        batch_unref(b);
    return PUSH_FULL;
}

enum push fanout_push(struct fanout *f, struct batch *b)
{
    struct comp *c = f->shard->comp;

    if (f->blocked > 0) return PUSH_FULL;
    if (!comp_tapped(c) || !c->def->tap) return push_all(f, b);
    struct tap *t = atomic_load_explicit(&c->tap, memory_order_acquire);
    return t ? push_shown(f, t, b) : push_all(f, b);
}

void fanout_free(struct fanout *f)
{
    if (!f) return;
    vec_each (&f->to, b) {
        if (branch_free(*b, ACK_ABANDONED)) metric_inc(inst(f)->workers->abandoned);
    }
    vec_done(&f->to);
    f->freed = true;
    if (!f->queued) free(f); /* otherwise its message does */
}
