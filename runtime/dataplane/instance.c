/* Instances: making them, and the rollout of plans to their shards. Control loop.
 *
 * A rollout: take the newest plan asked for, configure (again with a growing delay while it fails),
 * send it to every shard, wait for all answers, let the old plan go. One at a time; what is asked
 * for meanwhile waits in `next`, where only the newest stays. */
#include <errno.h>
#include <string.h>
#include "base/xalloc.h"
#include "runtime/dataplane/dataplane.h"
#include "runtime/tap/tap_impl.h"

#define BACKOFF_MIN   (1 * NS_PER_SEC)
#define BACKOFF_MAX   (30 * NS_PER_SEC)
#define PENDING_AFTER (2 * NS_PER_SEC)

/* --- making --- */

static void on_turn(struct msg *m);

static void comp_init(struct comp *c, const struct host *host, const struct component_def *def,
                      struct logger *log)
{
    c->def = def;
    c->host = host;
    c->log = log ? log_ref(log) : NULL;
    c->shared = xcalloc(1, MAX(def->shared_size, 1));
}

struct instance *instance_new(struct workers *w, const struct host *host,
                              const struct component_def *def, const char *id, const char *local_id,
                              struct logger *log, const struct instance_events *ev, void *arg)
{
    struct instance *i = xnew(struct instance);

    comp_init(&i->pub, host, def, log);
    i->pub.id = xstrdup(id);
    i->pub.local_id = xstrdup(local_id);
    i->workers = w;
    i->ev = *ev;
    i->arg = arg;
    i->turn.fn = on_turn;
    list_init(&i->series);
    outbox_init(&i->out);
    taps_attach(host->taps, i);
    w->instances++;
    return i;
}

struct comp *instance_comp(struct instance *i)
{
    return &i->pub;
}

int instance_create(struct instance *i, struct plan *p, char **ret_err)
{
    const struct component_def *def = i->pub.def;

    ASSERT(i->life == LIFE_NEW && !i->shards);
    place_instance(i, p->args);
    i->next = plan_ref(p);
    i->pub.plan = p->data;
    int rc = def->create ? def->create(&i->pub, ret_err) : 0;
    if (rc == 0) i->life = LIFE_CREATED;
    return rc;
}

bool instance_running(const struct instance *i)
{
    return i->life == LIFE_STARTED && i->current;
}

/* --- callbacks and timers --- */

/* Empties the list first: a callback may ask for the next plan. */
void callbacks_run(callbacks *list)
{
    callbacks todo = *list;

    *list = (callbacks){0};
    vec_each (&todo, c) {
        if (c->fn) c->fn(c->arg);
    }
    vec_done(&todo);
}

static void callbacks_move(callbacks *to, callbacks *from)
{
    vec_each (from, c) {
        vec_push(to, *c);
    }
    vec_clear(from);
}

static void arm(struct instance *i, struct timer **t, void (*fn)(void *arg), i64 after)
{
    if (!*t) *t = timer_new(i->workers->control, fn, i);
    timer_start(*t, after);
}

static void disarm(struct timer *t)
{
    if (t) timer_stop(t);
}

/* --- rollout --- */

static void attempt(struct instance *i);

/* In a turn of its own: no event comes from within a call of the controller. */
static void kick(struct instance *i)
{
    if (i->turn_queued || i->life != LIFE_STARTED || i->step == STEP_SHARDS || !i->next) return;
    i->turn_queued = true;
    loop_defer(i->workers->control, &i->turn);
}

static void take_next(struct instance *i)
{
    plan_unref(i->target); /* one that never got past configure */
    i->target = i->next;
    i->next = NULL;
    i->backoff = BACKOFF_MIN;
    disarm(i->retry);
    callbacks_move(&i->now, &i->later);
    attempt(i);
}

static void on_turn(struct msg *m)
{
    struct instance *i = container_of(m, struct instance, turn);

    i->turn_queued = false;
    if (i->life == LIFE_STOPPING)
        instance_settle(i);
    else if (i->step != STEP_SHARDS && i->next)
        take_next(i);
}

static void on_retry(void *arg)
{
    attempt(arg);
}

static void on_pending(void *arg)
{
    struct instance *i = arg;
    char *text = xprintf("pending: %u of %u workers have not taken the new settings yet",
                         i->waiting, i->n_shards);

    i->ev.run_health(i->arg, HEALTH_UNKNOWN, text);
    free(text);
}

/* The load that asked for it goes on; the rest is health. Takes err. */
static void configure_failed(struct instance *i, int rc, char *err)
{
    const char *why = err ? err : strerror(-rc);

    i->step = STEP_RETRY;
    if (!atomic_exchange(&i->failing, true)) {
        log_error(i->pub.log, "component cannot start yet; it is tried again", F_CSTR("err", why));
        comp_ready(&i->pub); /* who was held back learns why */
    }
    arm(i, &i->retry, on_retry, i->backoff);
    i->backoff = MIN(i->backoff * 2, BACKOFF_MAX);
    i->ev.run_health(i->arg, HEALTH_UNHEALTHY, why);
    free(err);
    callbacks_run(&i->now);
}

static void send_to_shards(struct instance *i)
{
    if (atomic_exchange(&i->failing, false))
        log_info(i->pub.log, "what kept the component from starting is gone");
    i->step = STEP_SHARDS;
    i->waiting = i->n_shards;
    i->failed = NULL;
    arm(i, &i->pending, on_pending, PENDING_AFTER);
    for (u32 n = 0; n < i->n_shards; n++)
        shard_post_plan(&i->shards[n], i->target);
}

static void attempt(struct instance *i)
{
    const struct component_def *def = i->pub.def;
    char *err = NULL;

    i->pub.plan = i->target->data;
    int rc =
        def->configure ? def->configure(&i->pub, i->current ? i->current->data : NULL, &err) : 0;
    if (rc < 0)
        configure_failed(i, rc, err);
    else
        send_to_shards(i);
}

static void tell_outcome(struct instance *i)
{
    const struct shard_rt *s = i->failed;

    if (!s) {
        i->ev.run_health(i->arg, HEALTH_HEALTHY, "started component");
        return;
    }
    char *text =
        xprintf("%s failed on worker %d: %s", s->tried, s->pub.worker->index, strerror(-s->rc));
    i->ev.run_health(i->arg, HEALTH_UNHEALTHY, text);
    free(text);
}

static void rollout_done(struct instance *i)
{
    disarm(i->pending);
    plan_unref(i->current);
    i->current = i->target;
    i->target = NULL;
    i->step = STEP_IDLE;
    if (i->life == LIFE_STARTED) tell_outcome(i);
    callbacks_run(&i->now);
    if (i->life == LIFE_STARTED) kick(i);
}

void instance_shard_ran(struct instance *i, struct shard_rt *s)
{
    if (s->rc < 0 && !i->failed) i->failed = s;
    if (--i->waiting == 0) rollout_done(i);
}

void instance_start(struct instance *i, void (*started)(void *arg), void *arg)
{
    ASSERT(i->life == LIFE_CREATED);
    for (u32 n = 0; n < i->n_shards; n++)
        worker_start(container_of(i->shards[n].pub.worker, struct worker_rt, pub));
    atomic_store(&i->started, true);
    i->life = LIFE_STARTED;
    vec_push(&i->later, ((struct callback){started, arg}));
    kick(i);
}

void instance_apply(struct instance *i, struct plan *p, void (*done)(void *arg), void *arg)
{
    ASSERT(i->life == LIFE_CREATED || i->life == LIFE_STARTED);
    plan_ref(p);
    plan_unref(i->next);
    i->next = p;
    if (i->life == LIFE_CREATED) i->pub.plan = p->data; /* the one of create is gone */
    vec_push(&i->later, ((struct callback){done, arg}));
    kick(i);
}

/* What shards already have is answered by them. A failed target stays: comp->plan names it. */
void instance_abort_rollout(struct instance *i)
{
    disarm(i->retry);
    disarm(i->pending);
    if (i->step == STEP_RETRY) i->step = STEP_IDLE;
    if (i->step == STEP_IDLE) callbacks_run(&i->now);
    callbacks_run(&i->later);
}
