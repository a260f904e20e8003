/* How an instance leaves: shards stop and are done, messages still on the way come to rest, then it
 * is destroyed once nobody holds a sink of it any more, or at its deadline. Memory goes last, when
 * every reference has: an instance that was given up stays behind as a zombie until then. Control
 * loop. */
#include "base/xalloc.h"
#include "runtime/dataplane/dataplane.h"
#include "runtime/tap/tap_impl.h"

/* After the deadline shards are told to give up; one that does not even answer this is left behind.
 */
#define GIVE_UP_AFTER (1 * NS_PER_SEC)

static void drop_sinks(struct instance *i)
{
    vec_each (&i->sinks, c) {
        capsule_unref(*c);
    }
    vec_done(&i->sinks);
}

static void leave(struct instance *i)
{
    i->life = LIFE_STOPPING;
    drop_sinks(i);
    outbox_close(&i->out);
}

static void destroy(struct instance *i, bool created)
{
    i->destroyed = true;
    if (i->sinks_alive > 0 && i->expired)
        log_warn(i->pub.log, "component was destroyed while others still send to it",
                 F_UINT("receivers", i->sinks_alive));
    if (created && i->pub.def->destroy) i->pub.def->destroy(&i->pub);
    vec_each (&i->metrics, m) {
        metric_free(i->pub.host->metrics, *m);
    }
    vec_done(&i->metrics);
    if (i->quiet) instance_free_series(i);
}

static void tell_gone(struct instance *i)
{
    i->gone_told = true;
    timer_free(i->deadline);
    i->deadline = NULL;
    callbacks_run(&i->now);
    callbacks_run(&i->later);
    if (i->gone.fn) i->gone.fn(i->gone.arg);
}

static void instance_free(struct instance *i)
{
    taps_detach(i);
    instance_free_series(i);
    unplace_instance(i);
    timer_free(i->retry);
    timer_free(i->pending);
    timer_free(i->deadline);
    plan_unref(i->current);
    plan_unref(i->target);
    plan_unref(i->next);
    vec_done(&i->now);
    vec_done(&i->later);
    outbox_done(&i->out);
    i->workers->instances--;
    log_unref(i->pub.log);
    free(i->pub.shared);
    free((char *)i->pub.id);
    free((char *)i->pub.local_id);
    free(i);
}

void instance_settle(struct instance *i)
{
    if (i->life != LIFE_STOPPING) return;
    if (!i->destroyed && i->quiet && (i->sinks_alive == 0 || i->expired)) destroy(i, true);
    if (!i->gone_told && (i->destroyed || i->gave_up)) tell_gone(i);
    if (i->destroyed && i->gone_told && i->sinks_alive == 0 && !i->turn_queued &&
        !outbox_busy(&i->out))
        instance_free(i);
}

static void give_up_shards(struct instance *i)
{
    for (u32 n = 0; n < i->n_shards; n++) {
        if (!i->shards[n].is_done) shard_post_expire(&i->shards[n]);
    }
}

static void on_deadline(void *arg)
{
    struct instance *i = arg;

    if (!i->expired) {
        i->expired = true;
        give_up_shards(i);
        timer_start(i->deadline, GIVE_UP_AFTER);
    } else {
        i->gave_up = true;
        log_error(i->pub.log, "component does not answer and is left behind");
    }
    instance_settle(i);
}

void instance_shard_done(struct instance *i, struct shard_rt *s)
{
    s->is_done = true;
    if (--i->leaving > 0) return;
    atomic_store(&i->started, false); /* comp_ready posts nothing any more */
    i->leaving = i->n_shards;
    for (u32 n = 0; n < i->n_shards; n++)
        shard_post_bye(&i->shards[n]);
    if (i->ev.stopped && !i->gone_told) i->ev.stopped(i->arg);
}

void instance_shard_bye(struct instance *i)
{
    if (--i->leaving > 0) return;
    i->quiet = true;
    instance_settle(i);
}

/* Half of the time is for what waits in front of a shard, the other half for what it holds itself.
 */
static void stop_shards(struct instance *i, i64 deadline)
{
    i64 now = loop_now(i->workers->control);

    i->leaving = i->n_shards;
    for (u32 n = 0; n < i->n_shards; n++)
        shard_post_stop(&i->shards[n], now + (deadline - now) / 2);
}

static void settle_later(struct instance *i)
{
    i->quiet = true;
    if (i->turn_queued) return;
    i->turn_queued = true;
    loop_defer(i->workers->control, &i->turn);
}

void instance_hurry(struct instance *i)
{
    if (!i->pub.def->hurry || i->life != LIFE_STARTED) return;
    for (u32 n = 0; n < i->n_shards; n++)
        shard_post_hurry(&i->shards[n]);
}

void instance_stop(struct instance *i, i64 deadline, void (*gone)(void *arg), void *arg)
{
    bool started = i->life == LIFE_STARTED;

    ASSERT(started || i->life == LIFE_CREATED);
    leave(i);
    i->gone = (struct callback){gone, arg};
    i->deadline = timer_new(i->workers->control, on_deadline, i);
    timer_start(i->deadline, deadline - loop_now(i->workers->control));
    if (started)
        stop_shards(i, deadline);
    else
        settle_later(i);
    instance_abort_rollout(i);
}

void instance_discard(struct instance *i)
{
    bool created = i->life == LIFE_CREATED;

    ASSERT(created || i->life == LIFE_NEW);
    leave(i);
    i->quiet = i->gone_told = true;
    destroy(i, created);
    instance_settle(i);
}
