/* A request's way through the pipeline. While there is no room it waits for a moment; then, or when
 * too many wait, its client is told to come again. A batch that was taken is answered by its ack;
 * one whose ack does not come in time is answered for, and may come twice.
 *
 * The call outlives the request (the client may go away) and the shard: the ack only knows it. */
#include <errno.h>

#include "components/loki/api/api.h"

#define PARKED_MAX  128 /* of a worker */
#define PARKED_TIME (3 * NS_PER_SEC)
#define ANSWER_TIME (30 * NS_PER_SEC) /* unless the server's write timeout is shorter */
#define TICK        (250 * NS_PER_MS)
#define COME_AGAIN  (2 * NS_PER_SEC)

struct api_call {
    struct list link;   /* of self->calls */
    struct list parked; /* of self->parked */
    struct api *self;   /* NULL: the shard is over */
    struct http_req *r; /* NULL: answered, or the client went away */
    struct batch *b;    /* while parked */
    char *err;          /* of streams that were refused */
    u32 items;
    i64 started;
};

/* --- answers --- */

static void answer(struct api_call *c, int status, const char *text, i64 wait)
{
    struct http_req *r = c->r;

    if (!r) return;
    c->r = NULL;
    api_answer(c->self, r, status, text, wait);
}

static void call_ended(struct api_call *c, enum ack_outcome outcome, const struct ack_failure *f)
{
    if (outcome == ACK_OK || outcome == ACK_DROPPED) {
        metric_add(c->self->shared->entries, c->items);
        answer(c, c->err ? 400 : 204, c->err, 0);
    } else if (outcome == ACK_FAILED && !f->retryable) {
        answer(c, 500, f->text, 0);
    } else {
        answer(c, 503, f && f->text ? f->text : "shutting down",
               f && f->retry_delay > 0 ? f->retry_delay : COME_AGAIN);
    }
}

/* The pipeline's answer, on this loop. */
static void on_ack(void *arg, enum ack_outcome outcome, const struct ack_failure *f)
{
    struct api_call *c = arg;
    struct api *self = c->self;

    if (self) call_ended(c, outcome, f);
    list_del(&c->link);
    free(c->err);
    free(c);
    if (self) api_stopped_when_idle(self);
}

/* --- waiting --- */

static void unpark(struct api_call *c)
{
    list_del(&c->parked);
    c->self->n_parked--;
    c->b = NULL;
}

/* The batch goes; the ack ends the call. */
static void give_up(struct api_call *c, struct batch *b, const char *text)
{
    answer(c, 503, text, COME_AGAIN);
    batch_fail(b, ACK_FAILED, &(struct ack_failure){.retryable = true, .text = text});
    batch_unref(b);
}

static void give_up_parked(struct api_call *c, const char *text)
{
    struct batch *b = c->b;

    unpark(c);
    give_up(c, b, text);
}

void api_ready(void *arg)
{
    struct api *self = arg;

    list_each (&self->parked, at) {
        struct api_call *c = list_item(at, struct api_call, parked);
        if (fanout_push(self->out, c->b) == PUSH_FULL) return;
        unpark(c);
    }
    api_stopped_when_idle(self);
}

static i64 answer_time(const struct api *self)
{
    i64 limit = self->plan->args->http.server_write_timeout.ns;

    return limit > 0 ? MIN(limit * 4 / 5, ANSWER_TIME) : ANSWER_TIME;
}

void api_tick(void *arg)
{
    struct api *self = arg;
    i64 now = loop_now(self->shard->worker->loop);

    list_each (&self->calls, at) {
        struct api_call *c = list_item(at, struct api_call, link);
        if (c->b && now - c->started >= PARKED_TIME)
            give_up_parked(c, "the pipeline has no room");
        else if (now - c->started >= answer_time(self))
            answer(c, 503, "the pipeline has not taken the entries in time", COME_AGAIN);
    }
    if (list_empty(&self->calls)) timer_stop(self->tick);
}

static void push(struct api *self, struct api_call *c, struct batch *b)
{
    if (list_empty(&self->parked) && fanout_push(self->out, b) == PUSH_TAKEN) return;
    if (self->n_parked >= PARKED_MAX) {
        give_up(c, b, "the pipeline has no room");
        return;
    }
    c->b = b;
    list_add_tail(&self->parked, &c->parked);
    self->n_parked++;
}

/* --- requests --- */

static struct api_call *call_new(struct api *self, struct http_req *r, u32 items, char *err)
{
    struct api_call *c = xnew(struct api_call);

    *c = (struct api_call){.self = self,
                           .r = r,
                           .err = err,
                           .items = items,
                           .started = loop_now(self->shard->worker->loop)};
    list_init(&c->parked);
    list_add_tail(&self->calls, &c->link);
    ((struct api_request *)r->user)->call = c;
    if (!timer_active(self->tick)) timer_every(self->tick, TICK);
    return c;
}

void api_submit(struct api *self, struct http_req *r, struct log_builder *builder, char *err)
{
    struct loop *loop = self->shard->worker->loop;
    u32 items = log_builder_items(builder);
    struct batch *b = batch_new(SIGNAL_LOGS);

    b->received = loop_now(loop);
    if (items == 0 || log_builder_seal(builder, b) < 0) {
        batch_unref(b);
        if (items)
            api_answer(self, r, 503, "no memory for the entries", COME_AGAIN);
        else
            api_answer(self, r, err ? 400 : 204, err, 0);
        free(err);
        return;
    }
    struct api_call *c = call_new(self, r, items, err);
    struct ack *ack = ack_new(ACK_ACCEPTED, loop, on_ack, c);
    batch_add_ack(b, ack);
    ack_unref(ack);
    push(self, c, b);
}

/* Nobody would hear that it was taken: the client sends it again. */
void api_gone(void *arg, struct http_req *r)
{
    struct api_request *q = r->user;

    (void)arg;
    if (!q) return;
    metric_add(q->meters->inflight, -1);
    if (!q->call) return;
    q->call->r = NULL;
    if (q->call->b) give_up_parked(q->call, "the client went away");
}

bool api_idle(const struct api *self)
{
    return list_empty(&self->calls) && !fanout_holds(self->out);
}

void api_forget(struct api *self)
{
    list_each (&self->calls, at) {
        struct api_call *c = list_item(at, struct api_call, link);
        struct batch *b = c->b;
        c->r = NULL;
        if (b) {
            unpark(c);
            batch_fail(b, ACK_ABANDONED, NULL);
            batch_unref(b);
        }
        c->self = NULL;
        list_del(&c->link);
    }
}
