/* For the tests of the data plane: a small world with virtual time, and fake components that count
 * what happens to every batch.
 *
 * A batch is known by its source and number (kept in `received`). A consumer checks that each
 * source's numbers come without gap or repetition; the source counts the outcomes of its acks.
 * Waiting is done by turning the control loop, which every event nudges. */
#ifndef RUNTIME_DATAPLANE_KIT_H
#define RUNTIME_DATAPLANE_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <semaphore.h>
#include "base/xalloc.h"
#include "runtime/dataplane/dataplane.h"

#define SOURCES 32
#define SEC     NS_PER_SEC

/* --- the world --- */

struct kit {
    struct clock clock;
    _Atomic i64 now;
    struct host host;
    struct loop *control;
    struct workers *workers;
    struct msg nudge;
    atomic_bool nudged;
};

static inline i64 kit_mono(const struct clock *c)
{
    return atomic_load(&container_of(c, const struct kit, clock)->now);
}

static inline void kit_on_nudge(struct msg *m)
{
    atomic_store(&container_of(m, struct kit, nudge)->nudged, false);
}

/* Something happened: the test looks again. Any thread. */
static inline void kit_nudge(struct kit *k)
{
    if (!atomic_exchange(&k->nudged, true)) loop_post(k->control, &k->nudge);
}

static inline void kit_init(struct kit *k, int workers)
{
    *k = (struct kit){.clock = {kit_mono, kit_mono}, .nudge.fn = kit_on_nudge};
    atomic_init(&k->now, SEC);
    k->host.clock = &k->clock;
    k->host.metrics = metrics_new();
    k->control = loop_new("control", 0, &k->clock);
    k->workers = workers_new(&k->host, workers, k->control);
}

static inline void kit_turn(struct kit *k, i64 *patience)
{
    loop_turn(k->control, 50 * NS_PER_MS);
    if (--*patience == 0) fail_msg("waited in vain");
}

/* Turns the control loop until cond holds; fails when nothing helps. */
#define kit_until(k, cond)                                                                         \
    for (i64 patience_ = 200000; !(cond);)                                                         \
    kit_turn((k), &patience_)

/* Every instance has to go: one that others still referred to when it was gone is freed when the last
 * of them tells the control loop so. */
static inline void kit_done(struct kit *k)
{
    kit_until(k, !atomic_load(&k->nudged) && k->workers->instances == 0);
    workers_free(k->workers);
    loop_free(k->control);
    metrics_free(k->host.metrics);
}

struct kit_poke {
    struct msg msg;
    sem_t done;
};
static inline void kit_on_poke(struct msg *m)
{
    sem_post(&container_of(m, struct kit_poke, msg)->done);
}

/* Waits until a running worker has handled all that was posted to it before. */
static inline void kit_flush(struct kit *k, int worker)
{
    struct kit_poke p = {.msg.fn = kit_on_poke};

    if (!k->workers->all[worker].started) return;
    sem_init(&p.done, 0, 0);
    loop_post(k->workers->all[worker].pub.loop, &p.msg);
    while (sem_wait(&p.done) != 0) {
    }
    sem_destroy(&p.done);
}

/* Time passes, on all loops. */
static inline void kit_advance(struct kit *k, i64 ns)
{
    atomic_fetch_add(&k->now, ns);
    for (int i = 1; i <= k->workers->n; i++)
        kit_flush(k, i);
    loop_turn(k->control, 0);
}

/* --- what is counted --- */

struct tally {
    struct kit *kit;
    atomic_int pushed, full, acks[4], retryable; /* sources */
    atomic_int taken, refused, disorder, held;   /* consumers */
    atomic_int configured, ran, applied, hurried, stopped, done, destroyed, left, plans_freed;
    _Atomic i64 next[SOURCES];
    _Atomic i64 where[SOURCES]; /* worker that consumed the source last, or -1 */
    atomic_bool gate;           /* consumers with MODE_GATE take while it is open */
    sem_t block;                /* MODE_STUCK waits for it in stop */
};

static inline void tally_init(struct tally *t, struct kit *k)
{
    memset(t, 0, sizeof(*t));
    t->kit = k;
    sem_init(&t->block, 0, 0);
}

#define COUNT(t, what) (atomic_fetch_add(&(t)->what, 1), kit_nudge((t)->kit))

static inline int tally_acks(struct tally *t)
{
    return t->acks[0] + t->acks[1] + t->acks[2] + t->acks[3];
}

/* --- settings of all fakes --- */

enum mode {
    MODE_TAKE,  /* consumes at once */
    MODE_SLOW,  /* queue of `cap`, one a turn */
    MODE_GATE,  /* FULL while tally->gate is closed */
    MODE_KEEP,  /* takes into a queue that nothing empties; drops it ABANDONED when done */
    MODE_DEAF,  /* as KEEP; never says stopped */
    MODE_STUCK, /* blocks its worker in stop until tally->block is posted */
};
struct fake_args {
    struct capsule_list to;
    struct tally *tally;
    enum mode mode;
    i64 n; /* source: batches per shard */
    i64 cap;
    i64 source;   /* number of the first shard's source */
    size_t bytes; /* of each batch */
    enum signal signal;
    int run_rc, apply_rc, configure_rc, create_rc;
    bool block_apply; /* apply waits for tally->block */
    int version;
};
struct fake_exports {
    struct capsule_ref input;
};

static const struct row fake_arg_rows[] = {
    ATTR(struct fake_args, to, .doc = "Consumers.", .capsule = &capsule_otelcol_consumer,
         .signals = SIGNALS_ANY),
};
static const struct schema fake_args_schema = SCHEMA(struct fake_args, fake_arg_rows);
static const struct row fake_export_rows[] = {
    ATTR(struct fake_exports, input, .doc = "Input.", .capsule = &capsule_otelcol_consumer,
         .signals = SIGNALS_ANY),
};
static const struct schema fake_exports_schema = SCHEMA(struct fake_exports, fake_export_rows);

static inline const struct fake_args *fake_plan(const struct shard *s)
{
    return s->plan;
}

static inline int fake_create(struct comp *c, char **ret_err)
{
    const struct fake_args *a = c->plan;
    struct fake_exports e = {0};

    if (a->create_rc < 0) {
        *ret_err = xstrdup("create failed on purpose");
        return a->create_rc;
    }
    if (!c->def->push) return 0;
    e.input.c = comp_sink(c, &capsule_otelcol_consumer, 0, SIGNALS_TRACES | SIGNALS_LOGS);
    comp_export(c, &e);
    capsule_unref(e.input.c);
    return 0;
}

static inline int fake_configure(struct comp *c, const void *old, char **ret_err)
{
    const struct fake_args *a = c->plan;

    COUNT(a->tally, configured);
    if (a->configure_rc < 0) *ret_err = xstrdup("configure failed on purpose");
    return a->configure_rc;
}

static inline void fake_destroy(struct comp *c)
{
    const struct fake_args *a = c->plan;

    COUNT(a->tally, destroyed);
}

static inline void fake_leave(struct comp *c)
{
    const struct fake_args *a = c->plan;

    COUNT(a->tally, left);
}

/* --- a source: pushes its batches as fast as they are taken --- */

struct source {
    struct fanout *out;
    struct batch *kept; /* told FULL */
    i64 next;
    struct msg pump;
    bool pumping, stopping;
    struct shard *shard;
};

static inline void on_source_ack(void *arg, enum ack_outcome o, const struct ack_failure *f)
{
    struct tally *t = arg;

    if (f && f->retryable) atomic_fetch_add(&t->retryable, 1);
    COUNT(t, acks[o]);
}

static inline i64 source_number(const struct shard *s)
{
    return fake_plan(s)->source + MAX(s->worker->index - 1, 0);
}

static inline struct batch *source_batch(struct source *self)
{
    struct shard *s = self->shard;
    const struct fake_args *a = fake_plan(s);
    struct batch *b = batch_new(a->signal);
    struct ack *ack = ack_new(ACK_DELIVERED, s->worker->loop, on_source_ack, a->tally);

    b->received = source_number(s) << 32 | self->next;
    b->bytes = a->bytes;
    batch_add_ack(b, ack);
    ack_unref(ack);
    batch_seal(b);
    return b;
}

static inline void source_stop_when_clear(struct source *self)
{
    if (!self->stopping || self->pumping || fanout_full(self->out)) return;
    if (self->kept) {
        batch_fail(self->kept, ACK_ABANDONED, NULL);
        batch_unref(self->kept);
        self->kept = NULL;
    }
    COUNT(fake_plan(self->shard)->tally, stopped);
    shard_stopped(self->shard);
}

static inline bool source_push_one(struct source *self)
{
    struct tally *t = fake_plan(self->shard)->tally;
    struct batch *b = self->kept ? self->kept : source_batch(self);

    if (!self->kept) self->next++;
    self->kept = NULL;
    if (fanout_push(self->out, b) == PUSH_TAKEN) {
        COUNT(t, pushed);
        return true;
    }
    self->kept = b;
    COUNT(t, full);
    return false;
}

static inline void source_again(struct source *self)
{
    if (self->pumping) return;
    self->pumping = true;
    loop_post(self->shard->worker->loop, &self->pump);
}

static inline void source_on_pump(struct msg *m)
{
    struct source *self = container_of(m, struct source, pump);

    self->pumping = false;
    for (int i = 0; i < 32 && !self->stopping; i++) {
        if (!self->kept && self->next >= fake_plan(self->shard)->n) break;
        if (!source_push_one(self)) return;
    }
    if (self->stopping)
        source_stop_when_clear(self);
    else if (self->next < fake_plan(self->shard)->n)
        source_again(self);
}

static inline void source_ready(void *arg)
{
    struct source *self = arg;

    if (self->stopping)
        source_stop_when_clear(self);
    else
        source_again(self);
}

static inline int source_run(struct shard *s)
{
    struct source *self = s->self;

    self->shard = s;
    self->pump.fn = source_on_pump;
    self->out = fanout_new(s, source_ready, self);
    COUNT(fake_plan(s)->tally, ran);
    if (fake_plan(s)->run_rc < 0) return fake_plan(s)->run_rc;
    fanout_set(self->out, &fake_plan(s)->to);
    source_again(self);
    return 0;
}

static inline int source_apply(struct shard *s, const void *plan)
{
    struct source *self = s->self;
    const struct fake_args *a = plan;

    ASSERT(fake_plan(s)->version < a->version); /* the old plan is still there */
    fanout_set(self->out, &a->to);
    source_again(self);
    COUNT(a->tally, applied);
    return a->apply_rc;
}

static inline void source_stop(struct shard *s)
{
    struct source *self = s->self;

    self->stopping = true;
    source_stop_when_clear(self);
}

static inline void source_done(struct shard *s)
{
    struct source *self = s->self;

    if (self->kept) {
        batch_fail(self->kept, ACK_ABANDONED, NULL);
        batch_unref(self->kept);
    }
    fanout_free(self->out);
    COUNT(fake_plan(s)->tally, done);
}

/* --- a consumer --- */

struct consumer {
    VEC(struct batch *) queue;
    struct msg drain;
    bool draining, refused, stopping;
    struct shard *shard;
};

static inline void consume(struct shard *s, struct batch *b)
{
    struct tally *t = fake_plan(s)->tally;
    i64 source = b->received >> 32, number = b->received & 0xffffffff;

    if (atomic_exchange(&t->next[source], number + 1) != number) COUNT(t, disorder);
    atomic_store(&t->where[source], s->worker->index);
    COUNT(t, taken); /* before its ack can be seen */
    batch_unref(b);
}

static inline void consumer_on_drain(struct msg *m)
{
    struct consumer *self = container_of(m, struct consumer, drain);
    struct batch *b = self->queue.v[0];

    vec_remove(&self->queue, 0);
    self->draining = self->queue.n > 0;
    if (self->draining) loop_post(self->shard->worker->loop, &self->drain);
    consume(self->shard, b);
    if (self->refused) shard_ready(self->shard);
    self->refused = false;
    if (self->stopping && !self->draining) shard_stopped(self->shard);
}

static inline enum push consumer_refuse(struct consumer *self)
{
    self->refused = true;
    COUNT(fake_plan(self->shard)->tally, refused);
    return PUSH_FULL;
}

static inline enum push consumer_keep(struct consumer *self, struct batch *b)
{
    vec_push(&self->queue, b);
    COUNT(fake_plan(self->shard)->tally, held);
    return PUSH_TAKEN;
}

static inline enum push consumer_enqueue(struct consumer *self, struct batch *b)
{
    if ((i64)self->queue.n >= fake_plan(self->shard)->cap) return consumer_refuse(self);
    vec_push(&self->queue, b);
    if (!self->draining) loop_post(self->shard->worker->loop, &self->drain);
    self->draining = true;
    return PUSH_TAKEN;
}

static inline enum push consumer_push(struct shard *s, u32 port, struct batch *b)
{
    struct consumer *self = s->self;
    const struct fake_args *a = fake_plan(s);

    ASSERT(!self->stopping);
    switch (a->mode) {
    case MODE_TAKE: consume(s, b); return PUSH_TAKEN;
    case MODE_SLOW: return consumer_enqueue(self, b);
    case MODE_GATE:
        if (!atomic_load(&a->tally->gate)) return consumer_refuse(self);
        consume(s, b);
        return PUSH_TAKEN;
    case MODE_KEEP:
    case MODE_DEAF:
    case MODE_STUCK: return consumer_keep(self, b);
    }
    UNREACHABLE();
}

static inline int consumer_run(struct shard *s)
{
    struct consumer *self = s->self;

    self->shard = s;
    self->drain.fn = consumer_on_drain;
    COUNT(fake_plan(s)->tally, ran);
    return fake_plan(s)->run_rc;
}

static inline void block(struct tally *t)
{
    while (sem_wait(&t->block) != 0) {
    }
}

static inline int consumer_apply(struct shard *s, const void *plan)
{
    const struct fake_args *a = plan;

    if (a->block_apply) block(a->tally);
    ASSERT(fake_plan(s)->version < a->version);
    COUNT(a->tally, applied);
    return a->apply_rc;
}

static inline void consumer_hurry(struct shard *s)
{
    ASSERT(!((struct consumer *)s->self)->stopping);
    COUNT(fake_plan(s)->tally, hurried);
}

static inline void consumer_stop(struct shard *s)
{
    struct consumer *self = s->self;
    const struct fake_args *a = fake_plan(s);

    self->stopping = true;
    COUNT(a->tally, stopped);
    if (a->mode == MODE_STUCK) block(a->tally);
    if (a->mode != MODE_DEAF && !self->draining) shard_stopped(s);
}

static inline void consumer_done(struct shard *s)
{
    struct consumer *self = s->self;

    vec_each (&self->queue, b) {
        batch_fail(*b, ACK_ABANDONED, NULL);
        batch_unref(*b);
    }
    vec_done(&self->queue);
    COUNT(fake_plan(s)->tally, done);
}

/* --- a transform: derives a batch and hands it on --- */

struct transform {
    struct fanout *out;
    struct shard *shard;
    bool stopping;
};

static inline void transform_ready(void *arg)
{
    struct transform *self = arg;

    if (self->stopping)
        shard_stopped(self->shard);
    else
        shard_ready(self->shard);
}

static inline int transform_run(struct shard *s)
{
    struct transform *self = s->self;

    self->shard = s;
    self->out = fanout_new(s, transform_ready, self);
    fanout_set(self->out, &fake_plan(s)->to);
    COUNT(fake_plan(s)->tally, ran);
    return 0;
}

static inline enum push transform_push(struct shard *s, u32 port, struct batch *b)
{
    struct transform *self = s->self;

    if (fanout_full(self->out)) return PUSH_FULL;
    struct batch *next = batch_derive(b);
    batch_seal(next);
    enum push answer = fanout_push(self->out, next);
    batch_unref(answer == PUSH_FULL ? next : b);
    return answer;
}

static inline void transform_stop(struct shard *s)
{
    struct transform *self = s->self;

    self->stopping = true;
    if (!fanout_full(self->out)) shard_stopped(s);
}

static inline void transform_done(struct shard *s)
{
    struct transform *self = s->self;

    fanout_free(self->out);
    COUNT(fake_plan(s)->tally, done);
}

static inline u64 fake_key(u32 port, const struct batch *b)
{
    return (u64)(b->received >> 32);
}

/* clang-format off */
#define FAKE(kind, place)                                                                          \
    .name = "fake." #kind, .placement = (place), .args = &fake_args_schema,                        \
    .plan_size = sizeof(struct fake_args), .self_size = sizeof(struct kind),                       \
    .create = fake_create, .configure = fake_configure, .run = kind##_run, .stop = kind##_stop,    \
    .shard_done = kind##_done, .destroy = fake_destroy, .leave = fake_leave
#define FAKE_TAKER(kind, place)                                                                    \
    FAKE(kind, place), .push = kind##_push, .exports = &fake_exports_schema, .key = fake_key
#define FAKE_SOURCE(place)    {FAKE(source, place), .apply = source_apply}
#define FAKE_CONSUMER(place)  {FAKE_TAKER(consumer, place), .apply = consumer_apply, .hurry = consumer_hurry}
#define FAKE_TRANSFORM(place) {FAKE_TAKER(transform, place)}
/* clang-format on */

/* By placement. */
static const struct component_def fake_sources[] = {
    [PLACE_CONTROL] = FAKE_SOURCE(PLACE_CONTROL),
    [PLACE_ONE] = FAKE_SOURCE(PLACE_ONE),
    [PLACE_EACH] = FAKE_SOURCE(PLACE_EACH),
};
static const struct component_def fake_consumers[] = {
    [PLACE_CONTROL] = FAKE_CONSUMER(PLACE_CONTROL),
    [PLACE_ONE] = FAKE_CONSUMER(PLACE_ONE),
    [PLACE_EACH] = FAKE_CONSUMER(PLACE_EACH),
    [PLACE_KEYED] = FAKE_CONSUMER(PLACE_KEYED),
};
static const struct component_def fake_transforms[] = {
    [PLACE_ONE] = FAKE_TRANSFORM(PLACE_ONE),
    [PLACE_EACH] = FAKE_TRANSFORM(PLACE_EACH),
};

/* --- an instance as the controller keeps it --- */

struct node {
    struct kit *kit;
    struct instance *inst;
    const struct component_def *def;
    struct value exports;
    u64 seq;
    int started, applied, stopped, gone, health_events, version;
    enum health health, run_health;
    char *health_text, *run_text;
};

static inline void node_exported(void *arg, struct value exports, u64 seq)
{
    struct node *n = arg;

    value_unref(n->exports);
    n->exports = exports;
    assert_true(seq > n->seq);
    n->seq = seq;
}

static inline void node_keep_text(char **at, const char *text)
{
    free(*at);
    *at = xstrdup(text);
}

static inline void node_health(void *arg, enum health h, const char *text)
{
    struct node *n = arg;

    n->health = h;
    n->health_events++;
    node_keep_text(&n->health_text, text);
}

static inline void node_run_health(void *arg, enum health h, const char *text)
{
    struct node *n = arg;

    n->run_health = h;
    node_keep_text(&n->run_text, text);
}

static inline void node_on_stopped(void *arg)
{
    ((struct node *)arg)->stopped++;
}
static inline void node_on_started(void *arg)
{
    ((struct node *)arg)->started++;
}
static inline void node_on_applied(void *arg)
{
    ((struct node *)arg)->applied++;
}
static inline void node_on_gone(void *arg)
{
    struct node *n = arg;

    assert_int_equal(n->gone, 0);
    n->gone++;
}

static inline void unref_capsule(void *arg)
{
    capsule_unref(arg);
}
static inline void plan_freed(void *arg)
{
    COUNT((struct tally *)arg, plans_freed);
}

static inline struct capsule *node_input(struct node *n)
{
    return n->exports.object->m[0].value.capsule;
}

/* A plan with references on the inputs of `to` (NULL-terminated). */
static inline struct plan *node_plan(struct node *n, struct fake_args a, struct node **to)
{
    struct plan *p = plan_new(n->def);

    for (a.to.n = 0; to && to[a.to.n];)
        a.to.n++;
    a.to.v = arena_array(&p->arena, struct capsule *, a.to.n + 1);
    for (size_t i = 0; i < a.to.n; i++) {
        a.to.v[i] = value_of_capsule(node_input(to[i])).capsule;
        arena_cleanup(&p->arena, unref_capsule, a.to.v[i]);
    }
    arena_cleanup(&p->arena, plan_freed, a.tally);
    a.version = ++n->version;
    memcpy(p->args, &a, sizeof(a));
    memcpy(p->data, &a, sizeof(a));
    return p;
}

#define TO(...) ((struct node *[]){__VA_ARGS__, NULL})

static inline int node_create(struct node *n, struct kit *k, const struct component_def *def,
                              struct fake_args a, struct node **to, char **ret_err)
{
    static const struct instance_events events = {.exported = node_exported,
                                                  .health = node_health,
                                                  .run_health = node_run_health,
                                                  .stopped = node_on_stopped};

    *n = (struct node){.kit = k, .def = def, .health_text = xstrdup(""), .run_text = xstrdup("")};
    n->inst = instance_new(k->workers, &k->host, def, "mods.a/fake.x", "fake.x", NULL, &events, n);
    struct plan *p = node_plan(n, a, to);
    int rc = instance_create(n->inst, p, ret_err);
    plan_unref(p);
    return rc;
}

static inline void node_make(struct node *n, struct kit *k, const struct component_def *def,
                             struct fake_args a, struct node **to)
{
    char *err = NULL;

    assert_int_equal(node_create(n, k, def, a, to, &err), 0);
}

/* Makes, starts, and waits until it has started. */
static inline void node_up(struct node *n, struct kit *k, const struct component_def *def,
                           struct fake_args a, struct node **to)
{
    node_make(n, k, def, a, to);
    instance_start(n->inst, node_on_started, n);
    kit_until(k, n->started);
}

static inline void node_apply(struct node *n, struct fake_args a, struct node **to)
{
    struct plan *p = node_plan(n, a, to);

    instance_apply(n->inst, p, node_on_applied, n);
    plan_unref(p);
}

static inline void node_drop_exports(struct node *n)
{
    value_unref(n->exports);
    n->exports = value_null();
}

static inline void node_stop(struct node *n, i64 within)
{
    node_drop_exports(n);
    instance_stop(n->inst, atomic_load(&n->kit->now) + within, node_on_gone, n);
}

static inline void node_free(struct node *n)
{
    node_drop_exports(n);
    free(n->health_text);
    free(n->run_text);
}

/* Stops it and waits until it is gone. */
static inline void node_down(struct node *n)
{
    node_stop(n, 25 * SEC);
    kit_until(n->kit, n->gone);
    node_free(n);
}

#endif
