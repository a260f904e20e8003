/* One part of an instance on one worker: takes commands from the control loop, batches from outlets
 * and proxies, and answers both. Everything runs on the shard's worker, except the shard_post
 * functions (control loop) and shard_post_ready (any thread). */
#include <string.h>
#include "base/xalloc.h"
#include "runtime/dataplane/dataplane.h"

static struct shard_rt *rt(struct shard *s)
{
    return container_of(s, struct shard_rt, pub);
}

static struct worker_rt *worker_of(const struct shard_rt *s)
{
    return container_of(s->pub.worker, struct worker_rt, pub);
}

static void answer(struct shard_rt *s, struct msg *m, void (*fn)(struct msg *m))
{
    m->fn = fn;
    loop_post(s->inst->workers->control, m);
}

/* --- taking batches --- */

static enum push refuse(struct shard_rt *s, struct batch *b, const char *text)
{
    batch_fail(b, ACK_FAILED, &(struct ack_failure){.retryable = true, .text = text});
    batch_unref(b);
    metric_inc(s->inst->workers->refused);
    return PUSH_TAKEN;
}

/* What is logged about the agent's own lines is not sent after them. */
static enum push push_own(struct shard_rt *s, u32 port, struct batch *b)
{
    bool was = log_echo(true);
    enum push answer = s->inst->pub.def->push(&s->pub, port, b);

    log_echo(was);
    return answer;
}

static enum push push_running(struct shard_rt *s, u32 port, struct batch *b)
{
    if (UNLIKELY(b->own)) return push_own(s, port, b);
    return s->inst->pub.def->push(&s->pub, port, b);
}

enum push shard_push(struct shard_rt *s, u32 port, struct batch *b)
{
    switch (s->state) {
    case SHARD_RUNNING:
    case SHARD_CLOSING: return push_running(s, port, b);
    case SHARD_NEW:
        if (!atomic_load(&s->inst->failing)) return PUSH_FULL;
        return refuse(s, b, "the component could not be configured yet");
    case SHARD_FAILED: return refuse(s, b, "the component failed to start");
    case SHARD_STOPPING:
    case SHARD_STOPPED:
    case SHARD_DONE: return refuse(s, b, "the component is shutting down");
    }
    UNREACHABLE();
}

void shard_ready(struct shard *s)
{
    waitq_kick(&rt(s)->room);
}

static void on_ready(struct msg *m)
{
    struct shard_rt *s = container_of(m, struct shard_rt, ready);

    atomic_store(&s->ready_posted, false); /* before waking: a later comp_ready has to come again */
    waitq_kick(&s->room);
}

void shard_post_ready(struct shard_rt *s)
{
    if (atomic_exchange(&s->ready_posted, true)) return;
    loop_post(s->pub.worker->loop, &s->ready);
}

/* --- plans --- */

static int first_run(struct shard_rt *s, const void *plan)
{
    const struct component_def *def = s->inst->pub.def;

    s->tried = "run";
    s->pub.plan = plan;
    int rc = def->run ? def->run(&s->pub) : 0;
    s->ran = rc >= 0;
    s->state = s->ran ? SHARD_RUNNING : SHARD_FAILED;
    if (s->ran) return 0;
    if (def->shard_done) def->shard_done(&s->pub);
    memset(s->pub.self, 0, def->self_size);
    return rc;
}

static int next_plan(struct shard_rt *s, const void *plan)
{
    const struct component_def *def = s->inst->pub.def;

    s->tried = "apply";
    int rc = def->apply ? def->apply(&s->pub, plan) : 0;
    s->pub.plan = plan;
    return rc;
}

static void on_ran(struct msg *m)
{
    struct shard_rt *s = container_of(m, struct shard_rt, cmd);

    instance_shard_ran(s->inst, s);
}

static void on_plan(struct msg *m)
{
    struct shard_rt *s = container_of(m, struct shard_rt, cmd);
    const void *plan = s->plan_next->data;

    worker_equip(worker_of(s));
    s->rc = 0;
    if (s->state == SHARD_NEW || s->state == SHARD_FAILED)
        s->rc = first_run(s, plan);
    else if (s->state == SHARD_RUNNING)
        s->rc = next_plan(s, plan);
    waitq_kick(&s->room);
    answer(s, &s->cmd, on_ran);
}

void shard_post_plan(struct shard_rt *s, struct plan *p)
{
    s->plan_next = p; /* the instance holds it until every shard has answered */
    s->cmd.fn = on_plan;
    loop_post(s->pub.worker->loop, &s->cmd);
}

/* --- stop --- */

static void on_hurry(struct msg *m)
{
    struct shard_rt *s = container_of(m, struct shard_rt, hurry);

    if (s->state == SHARD_RUNNING) s->inst->pub.def->hurry(&s->pub);
}

void shard_post_hurry(struct shard_rt *s)
{
    s->hurry.fn = on_hurry;
    loop_post(s->pub.worker->loop, &s->hurry);
}

static void on_done(struct msg *m)
{
    struct shard_rt *s = container_of(m, struct shard_rt, done);

    instance_shard_done(s->inst, s);
}

/* The end of self. What still waits here is refused by the deferred wake-up. */
static void finish(struct shard_rt *s)
{
    if (s->ran && s->inst->pub.def->shard_done) s->inst->pub.def->shard_done(&s->pub);
    timer_free(s->closing);
    s->closing = NULL;
    s->state = SHARD_DONE;
    waitq_kick(&s->room);
    answer(s, &s->done, on_done);
}

static void finish_stopped(struct msg *m)
{
    finish(container_of(m, struct shard_rt, done));
}

void shard_stopped(struct shard *pub)
{
    struct shard_rt *s = rt(pub);

    if (s->state != SHARD_STOPPING) return; /* given up at the deadline, or said twice */
    s->state = SHARD_STOPPED;
    s->done.fn = finish_stopped; /* later: the caller's own frames still use self */
    loop_defer(pub->worker->loop, &s->done);
}

static void begin_stop(struct shard_rt *s)
{
    const struct component_def *def = s->inst->pub.def;
    bool ran = s->ran;

    s->state = SHARD_STOPPING;
    if (s->closing) timer_stop(s->closing);
    waitq_kick(&s->room);
    if (ran && def->stop)
        def->stop(&s->pub);
    else
        shard_stopped(&s->pub);
}

static void close_when_drained(struct shard_rt *s)
{
    if (s->state == SHARD_CLOSING && s->held == 0) begin_stop(s);
}

static void on_closing_over(void *arg)
{
    struct shard_rt *s = arg;

    if (s->state == SHARD_CLOSING) begin_stop(s);
}

/* What proxies hold was taken from components that are gone by now: it is delivered first, while
 * there is time. */
static void on_stop(struct msg *m)
{
    struct shard_rt *s = container_of(m, struct shard_rt, stop);
    struct loop *loop = s->pub.worker->loop;
    i64 left = s->close_by - loop_now(loop);

    if (s->state >= SHARD_CLOSING) return; /* its deadline came first */
    if (s->state != SHARD_RUNNING || s->held == 0 || left <= 0) {
        begin_stop(s);
        return;
    }
    s->state = SHARD_CLOSING;
    s->closing = timer_new(loop, on_closing_over, s);
    timer_start(s->closing, left);
}

void shard_post_stop(struct shard_rt *s, i64 close_by)
{
    s->close_by = close_by;
    s->stop.fn = on_stop;
    loop_post(s->pub.worker->loop, &s->stop);
}

static void on_expire(struct msg *m)
{
    struct shard_rt *s = container_of(m, struct shard_rt, expire);

    if (s->state >= SHARD_STOPPED) return;
    log_warn(s->inst->pub.log, "component did not stop in time; what it holds is abandoned",
             F_INT("worker", s->pub.worker->index));
    finish(s);
}

void shard_post_expire(struct shard_rt *s)
{
    s->expire.fn = on_expire;
    loop_post(s->pub.worker->loop, &s->expire);
}

static void on_bye_back(struct msg *m)
{
    instance_shard_bye(container_of(m, struct shard_rt, bye)->inst);
}

static void bye_after_deferred(struct msg *m)
{
    answer(container_of(m, struct shard_rt, bye), m, on_bye_back);
}

static void on_bye(struct msg *m)
{
    struct shard_rt *s = container_of(m, struct shard_rt, bye);

    m->fn = bye_after_deferred;
    loop_defer(s->pub.worker->loop, m);
}

void shard_post_bye(struct shard_rt *s)
{
    s->bye.fn = on_bye;
    loop_post(s->pub.worker->loop, &s->bye);
}

/* --- what proxies hold --- */

void shard_hold(struct shard_rt *s)
{
    s->held++;
}

void shard_unhold(struct shard_rt *s)
{
    ASSERT(s->held > 0);
    s->held--;
}

/* --- life --- */

static void on_room(struct msg *m)
{
    struct shard_rt *s = container_of(m, struct shard_rt, room.msg);

    waitq_run(&s->room);
    close_when_drained(s);
}

void shard_init(struct shard_rt *s, struct instance *i, struct worker_rt *w)
{
    s->pub = (struct shard){
        .comp = &i->pub, .worker = &w->pub, .self = xcalloc(1, MAX(i->pub.def->self_size, 1))};
    s->inst = i;
    s->state = SHARD_NEW;
    waitq_init(&s->room, w->pub.loop, on_room);
    s->ready.fn = on_ready;
    atomic_init(&s->ready_posted, false);
}

void shard_free(struct shard_rt *s)
{
    free(s->pub.self);
}
