/* What becomes of an attempt: delivered, tried again, or given up. Source: spec D.6. */
#include "base/num.h"
#include "components/common/sending_int.h"

#define ERROR_MAX 8192 /* longest error text */

static void say_healthy(struct sending *s)
{
    if (atomic_load_explicit(&s->shared->failing, memory_order_relaxed) &&
        atomic_exchange(&s->shared->failing, false))
        comp_health(s->shared->comp, HEALTH_HEALTHY, "exporting again");
}

static void say_unhealthy(struct sending *s, const char *error)
{
    atomic_store(&s->shared->failing, true);
    comp_health(s->shared->comp, HEALTH_UNHEALTHY, "exporting failed: %s", error);
}

static void delivered(struct send_req *r)
{
    struct sending *s = r->lane->sending;
    metric_add(r->lane->shared->sent, r->batch->items);
    say_healthy(s);
    req_finish(r);
}

/* The text of the collector's error chain around the transport's. */
static char *error_text(const struct send_result *res, const char *prefix)
{
    struct buf text = BUF_INIT(ERROR_MAX), delay = BUF_INIT(64);
    buf_cstr(&text, prefix);
    if (res->verdict == SEND_PERMANENT) buf_cstr(&text, "not retryable error: Permanent error: ");
    if (res->verdict == SEND_RETRY && res->delay > 0) {
        dur_format(&delay, res->delay);
        buf_printf(&text, "Throttle (%s), error: ", delay.p);
    }
    struct str cause = str_of(res->text);
    cause.n = MIN(cause.n, ERROR_MAX / 2);
    buf_str(&text, cause);
    buf_done(&delay);
    return buf_take(&text, NULL);
}

static void give_up(struct send_req *r, const struct send_result *res, const char *prefix,
                    enum ack_outcome outcome)
{
    struct sending *s = r->lane->sending;
    char *error = error_text(res, prefix);
    log_error(s->shared->comp->log, "Exporting failed. Dropping data.", F_CSTR("error", error),
              F_UINT("dropped_items", r->batch->items));
    metric_add(r->lane->shared->failed, r->batch->items);
    say_unhealthy(s, error);
    batch_fail(r->batch, outcome,
               &(struct ack_failure){.retryable = res->verdict == SEND_RETRY,
                                     .grpc_code = res->grpc_code,
                                     .retry_delay = res->delay,
                                     .text = error});
    free(error);
    req_finish(r);
}

static void retry_now(void *arg)
{
    req_start(arg);
}

static void wait_and_retry(struct send_req *r, const struct send_result *res, i64 wait)
{
    struct sending *s = r->lane->sending;
    char *error = error_text(res, "");
    log_info(s->shared->comp->log, "Exporting failed. Will retry the request after interval.",
             F_CSTR("error", error), F_DUR("interval", wait));
    say_unhealthy(s, error);
    free(error);
    if (!r->retry) r->retry = timer_new(s->shard->worker->loop, retry_now, r);
    timer_start(r->retry, wait);
}

static void failed_for_now(struct send_req *r, const struct send_result *res)
{
    struct sending *s = r->lane->sending;
    if (s->stopping) {
        give_up(r, res, "interrupted due to shutdown: ", ACK_ABANDONED);
        return;
    }
    if (!s->conf->retry) {
        give_up(r, res, "", ACK_FAILED);
        return;
    }
    i64 wait = backoff_next(&r->backoff, &s->conf->backoff, random_unit(), res->delay);
    if (backoff_fits(&s->conf->backoff, r->start, loop_now(s->shard->worker->loop), wait))
        wait_and_retry(r, res, wait);
    else
        give_up(r, res, "no more retries left: ", ACK_FAILED);
}

static void stopped_when_empty(struct sending *s)
{
    if (!s->stopping || s->stopped || !lanes_empty(s)) return;
    s->stopped = true;
    timer_stop(s->deadline);
    timer_stop(s->poll);
    shard_stopped(s->shard);
}

void sending_done_one(struct send_req *r, const struct send_result *res)
{
    struct sending *s = r->lane->sending;
    r->sending = false;
    switch (res->verdict) {
    case SEND_OK: delivered(r); break;
    case SEND_RETRY: failed_for_now(r, res); break;
    case SEND_PERMANENT: give_up(r, res, "", ACK_FAILED); break;
    }
    lanes_pump(s);
    stopped_when_empty(s);
}

/* --- stop --- */

/* The last chance of a request that waits for its next try. */
static void try_at_once(struct send_req *r)
{
    if (r->start == 0 || r->sending) return;
    timer_stop(r->retry);
    req_start(r);
}

void req_abandon(struct send_req *r)
{
    struct sending *s = r->lane->sending;
    if (r->sending) s->ops->cancel(s->arg, r);
    metric_add(r->lane->shared->failed, r->batch->items);
    batch_fail(r->batch, ACK_ABANDONED, NULL);
    req_finish(r);
}

static u64 items_left(const struct list *l)
{
    u64 n = 0;
    for (const struct list *at = l->next; at != l; at = at->next)
        n += list_item(at, const struct send_req, link)->batch->items;
    return n;
}

static u64 lane_items(const struct sending_lane *l)
{
    return items_left(&l->flight) + items_left(&l->queue) + items_left(&l->waiting) +
           (l->gathered ? l->gathered->batch->items : 0);
}

static void abandon_all(void *arg)
{
    struct sending *s = arg;
    u64 items = 0;
    for (enum signal i = 0; i < SIGNAL_COUNT; i++)
        items += lane_items(&s->lanes[i]);
    log_error(s->shared->comp->log,
              "The shutdown's time is over. Abandoning what was not delivered.",
              F_UINT("dropped_items", items));
    s->pumping = true; /* nothing is started any more */
    for (enum signal i = 0; i < SIGNAL_COUNT; i++)
        lane_each(&s->lanes[i], req_abandon);
    stopped_when_empty(s);
}

void sending_stop(struct sending *s)
{
    s->stopping = true;
    s->deadline = timer_new(s->shard->worker->loop, abandon_all, s);
    timer_start(s->deadline, s->shared->comp->host->stop_deadline / 4 * 3);
    s->pumping = true; /* requests that end at once are looked at below */
    for (enum signal i = 0; i < SIGNAL_COUNT; i++)
        list_each (&s->lanes[i].flight, at)
            try_at_once(list_item(at, struct send_req, link));
    s->pumping = false;
    lanes_pump(s);
    stopped_when_empty(s);
}
