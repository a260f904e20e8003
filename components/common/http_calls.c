/* A call outlives its request (the client may go away) and the shard: the ack only knows it. */
#include "components/common/http_calls.h"

#include <stdlib.h>
#include "base/xalloc.h"

#define PARKED_MAX  128 /* of a worker */
#define PARKED_TIME (3 * NS_PER_SEC)
#define ANSWER_TIME (30 * NS_PER_SEC) /* unless the server's write timeout is shorter */
#define TICK        (250 * NS_PER_MS)
#define COME_AGAIN  (2 * NS_PER_SEC)

struct call {
    struct list link;       /* of calls */
    struct list parked;     /* of parked */
    struct http_calls *all; /* NULL: the shard is over */
    struct http_req *r;     /* NULL: answered, or the client went away */
    struct batch *b;        /* while parked */
    i64 started;
};

/* --- answers --- */

static void answer(struct call *c, enum http_call_end end, const char *text, i64 wait)
{
    struct http_req *r = c->r;

    c->r = NULL;
    if (r) c->all->rules->answer(c->all->arg, r, end, text, wait);
}

static void answer_outcome(struct call *c, enum ack_outcome outcome, const struct ack_failure *f)
{
    if (outcome == ACK_OK || outcome == ACK_DROPPED)
        answer(c, CALL_TAKEN, NULL, 0);
    else if (outcome == ACK_FAILED && !f->retryable)
        answer(c, CALL_REFUSED, f->text, 0);
    else
        answer(c, CALL_AGAIN, f && f->text ? f->text : "shutting down",
               f && f->retry_delay > 0 ? f->retry_delay : COME_AGAIN);
}

/* The pipeline's answer, on this loop. */
static void on_ack(void *arg, enum ack_outcome outcome, const struct ack_failure *f)
{
    struct call *c = arg;
    struct http_calls *all = c->all;

    if (all) answer_outcome(c, outcome, f);
    list_del(&c->link);
    free(c);
    if (all) all->rules->ended(all->arg);
}

/* --- waiting --- */

static struct batch *unpark(struct call *c)
{
    struct batch *b = c->b;

    list_del(&c->parked);
    c->all->n_parked--;
    c->b = NULL;
    return b;
}

/* The batch goes; the ack ends the call. */
static void give_up(struct call *c, struct batch *b, const char *text)
{
    answer(c, CALL_AGAIN, text, COME_AGAIN);
    batch_fail(b, ACK_FAILED, &(struct ack_failure){.retryable = true, .text = text});
    batch_unref(b);
}

void http_calls_ready(struct http_calls *all)
{
    list_each (&all->parked, at) {
        struct call *c = list_item(at, struct call, parked);
        if (all->rules->push(all->arg, c->b) == PUSH_FULL) return;
        unpark(c);
    }
    all->rules->ended(all->arg);
}

static void on_tick(void *arg)
{
    struct http_calls *all = arg;
    i64 now = loop_now(all->shard->worker->loop);

    list_each (&all->calls, at) {
        struct call *c = list_item(at, struct call, link);
        if (c->b && now - c->started >= PARKED_TIME)
            give_up(c, unpark(c), "the pipeline has no room");
        else if (now - c->started >= all->answer_time)
            answer(c, CALL_AGAIN, "the pipeline has not answered in time", COME_AGAIN);
    }
    if (list_empty(&all->calls)) timer_stop(all->tick);
}

/* --- life --- */

void http_calls_init(struct http_calls *all, struct shard *s, const struct http_calls_rules *rules,
                     void *arg)
{
    *all = (struct http_calls){.shard = s, .rules = rules, .arg = arg, .answer_time = ANSWER_TIME};
    list_init(&all->calls);
    list_init(&all->parked);
    all->tick = timer_new(s->worker->loop, on_tick, all);
}

void http_calls_timeout(struct http_calls *all, i64 write_timeout)
{
    all->answer_time = write_timeout > 0 ? MIN(write_timeout * 4 / 5, ANSWER_TIME) : ANSWER_TIME;
}

static struct call *call_new(struct http_calls *all, struct http_req *r)
{
    struct call *c = xnew(struct call);

    *c = (struct call){.all = all, .r = r, .started = loop_now(all->shard->worker->loop)};
    list_init(&c->parked);
    list_add_tail(&all->calls, &c->link);
    if (!timer_active(all->tick)) timer_every(all->tick, TICK);
    return c;
}

void http_calls_submit(struct http_calls *all, struct http_req *r, struct batch *b)
{
    struct call *c = call_new(all, r);
    struct ack *ack = ack_new(ACK_ACCEPTED, all->shard->worker->loop, on_ack, c);

    batch_add_ack(b, ack);
    ack_unref(ack);
    if (list_empty(&all->parked) && all->rules->push(all->arg, b) == PUSH_TAKEN) return;
    if (all->n_parked >= PARKED_MAX) {
        give_up(c, b, "the pipeline has no room");
        return;
    }
    c->b = b;
    list_add_tail(&all->parked, &c->parked);
    all->n_parked++;
}

void http_calls_gone(struct http_calls *all, struct http_req *r)
{
    list_each (&all->calls, at) {
        struct call *c = list_item(at, struct call, link);
        if (c->r != r) continue;
        c->r = NULL;
        if (c->b) give_up(c, unpark(c), "the client went away");
        return;
    }
}

bool http_calls_idle(const struct http_calls *all)
{
    return list_empty(&all->calls);
}

void http_calls_done(struct http_calls *all)
{
    list_each (&all->calls, at) {
        struct call *c = list_item(at, struct call, link);
        struct batch *b = c->b ? unpark(c) : NULL;
        c->r = NULL;
        c->all = NULL;
        list_del(&c->link);
        if (!b) continue;
        batch_fail(b, ACK_ABANDONED, NULL);
        batch_unref(b);
    }
    timer_free(all->tick);
}
