/* The lanes of an exporter: taking requests, keeping them within the limits, batching, and handing
 * them to the transport. */
#include "components/common/sending_int.h"
#include "telemetry/otlp.h"

/* How soon a worker that holds nothing looks again for permits and room given back by others. */
#define POLL_EVERY (5 * NS_PER_MS)
/* Requests that may wait for room at a time, on one worker and lane. */
#define WAITING_MAX 1000

i64 send_size(enum sizer sizer, const struct batch *b)
{
    switch (sizer) {
    case SIZER_REQUESTS: return 1;
    case SIZER_ITEMS: return b->items;
    case SIZER_BYTES: return (i64)b->bytes;
    }
    UNREACHABLE();
}

/* Bytes of roots that no budget knows of yet. Pure. */
static i64 send_uncharged(const struct batch *b)
{
    i64 n = 0;
    const struct blob *last = NULL;
    for (u32 i = 0; i < b->n_slices; i++) {
        const struct blob *root = b->slices[i].root;
        if (root != last && root && !root->budget) n += (i64)root->cap;
        last = root;
    }
    return n;
}

static i64 now_of(const struct sending *s)
{
    return loop_now(s->shard->worker->loop);
}

/* --- requests --- */

static struct send_req *req_new(struct sending_lane *l, struct batch *b)
{
    struct send_req *r = xnew(struct send_req);
    list_init(&r->link);
    r->lane = l;
    r->batch = b;
    return r;
}

static void wake_producers(struct sending_shared *sh)
{
    if (atomic_exchange(&sh->refused, false)) comp_ready(sh->comp);
}

static void req_free(struct send_req *r)
{
    struct sending *s = r->lane->sending;
    list_del(&r->link);
    if (r->lane->gathered == r) r->lane->gathered = NULL;
    budget_give(&r->lane->shared->units, r->units);
    budget_give(s->shared->comp->host->data_budget, r->charged);
    batch_unref(r->batch);
    timer_free(r->retry);
    free(r);
    wake_producers(s->shared);
}

void req_finish(struct send_req *r)
{
    struct sending_lane *l = r->lane;
    if (r->start != 0) {
        permits_give(&l->shared->permits, &l->share);
        metric_add(l->shared->in_flight, -1);
    }
    req_free(r);
}

/* Into the queue: its room is taken, and who only waits for this is told. */
static void req_enter(struct send_req *r)
{
    struct sending_lane *l = r->lane;
    struct sending *s = l->sending;
    r->batch = batch_own(r->batch);
    if (!s->conf->answer_late) batch_accept(r->batch);
    batch_compact(r->batch,
                  s->shared->comp->host->data_budget); /* -ENOMEM leaves it as large as it was */
    r->charged = send_uncharged(r->batch);
    budget_force(s->shared->comp->host->data_budget, r->charged);
    list_del(&r->link);
    list_add_tail(&l->queue, &r->link);
}

/* --- taking --- */

static enum push refuse_oversize(struct sending_lane *l, struct batch *b)
{
    struct sending *s = l->sending;
    log_error(s->shared->comp->log, "Exporting failed. Rejecting data.",
              F_CSTR("error", "element size too large"), F_UINT("rejected_items", b->items));
    metric_add(l->shared->enqueue_failed, b->items);
    batch_fail(b, ACK_FAILED, &(struct ack_failure){.text = "element size too large"});
    batch_unref(b);
    return PUSH_TAKEN;
}

static size_t count(const struct list *l)
{
    size_t n = 0;
    for (const struct list *at = l->next; at != l; at = at->next)
        n++;
    return n;
}

static enum push push_full(struct sending_lane *l, struct batch *b)
{
    struct sending *s = l->sending;
    if (s->conf->block && count(&l->waiting) < WAITING_MAX) {
        list_add_tail(&l->waiting, &req_new(l, b)->link);
        lanes_pump(s);
        return PUSH_TAKEN;
    }
    atomic_store(&s->shared->refused, true);
    /* Room given back between the failed attempt and the flag would wake nobody. */
    if (budget_has(&l->shared->units, send_size(s->conf->sizer, b))) wake_producers(s->shared);
    return PUSH_FULL;
}

enum push sending_push(struct sending *s, struct batch *b)
{
    struct sending_lane *l = &s->lanes[b->signal];
    i64 units = send_size(s->conf->sizer, b);
    if (units > s->conf->limit) return refuse_oversize(l, b);
    if (!list_empty(&l->waiting) || !budget_take(&l->shared->units, units)) return push_full(l, b);
    struct send_req *r = req_new(l, b);
    r->units = units;
    req_enter(r);
    lanes_pump(s);
    return PUSH_TAKEN;
}

static void admit_waiting(struct sending_lane *l)
{
    struct sending *s = l->sending;
    while (!list_empty(&l->waiting)) {
        struct send_req *r = list_item(l->waiting.next, struct send_req, link);
        i64 units = send_size(s->conf->sizer, r->batch);
        if (s->stopping)
            budget_force(&l->shared->units, units);
        else if (!budget_take(&l->shared->units, units))
            return;
        r->units = units;
        req_enter(r);
    }
}

/* --- batching --- */

static struct send_req *queue_head(struct sending_lane *l)
{
    return list_empty(&l->queue) ? NULL : list_item(l->queue.next, struct send_req, link);
}

/* src's data, room and acks become part of dst. */
static void req_merge(struct send_req *dst, struct send_req *src)
{
    struct batch *b = batch_new(dst->batch->signal);
    batch_append(b, dst->batch);
    batch_append(b, src->batch);
    batch_seal(b);
    batch_unref(dst->batch);
    dst->batch = b;
    dst->units += src->units;
    dst->charged += src->charged;
    src->units = src->charged = 0;
    req_free(src);
}

static void gather(struct sending_lane *l)
{
    const struct sending_conf *c = l->sending->conf;
    struct send_req *next;
    while ((next = queue_head(l)) &&
           (!l->gathered || send_size(c->batch_sizer, l->gathered->batch) < c->batch_min)) {
        if (l->gathered) {
            req_merge(l->gathered, next);
            continue;
        }
        list_del(&next->link);
        l->gathered = next;
        l->gathered_since = now_of(l->sending);
    }
}

/* Items of b that stay within `max`; by bytes this is an estimate from the mean. */
static u32 items_within(const struct sending_conf *c, const struct batch *b)
{
    i64 size = send_size(c->batch_sizer, b);
    if (c->batch_max == 0 || size <= c->batch_max || b->items < 2) return b->items;
    i64 items = c->batch_sizer == SIZER_ITEMS
                    ? c->batch_max
                    : (i64)((f64)b->items * (f64)c->batch_max / (f64)size);
    return (u32)MIN(MAX(items, 1), (i64)b->items - 1);
}

/* Cuts off what fits into one batch; the rest stays gathered and keeps the room until it is sent
 * too. */
static struct send_req *take_gathered(struct sending_lane *l)
{
    struct send_req *r = l->gathered;
    struct batch *head, *tail;
    u32 items = items_within(l->sending->conf, r->batch);
    l->gathered = NULL;
    if (items == r->batch->items || otlp_split(r->batch, items, &head, &tail) < 0) return r;
    struct send_req *rest = req_new(l, tail);
    batch_unref(r->batch);
    r->batch = head;
    rest->units = r->units;
    rest->charged = r->charged;
    r->units = r->charged = 0;
    l->gathered = rest;
    return r;
}

static bool gathered_ready(const struct sending_lane *l)
{
    const struct sending *s = l->sending;
    return l->gathered &&
           (s->stopping ||
            send_size(s->conf->batch_sizer, l->gathered->batch) >= s->conf->batch_min ||
            now_of(s) - l->gathered_since >= s->conf->flush_timeout);
}

static void observe_batch(struct sending_lane *l, const struct batch *b)
{
    if (!l->sending->conf->batching) return;
    metric_observe(l->shared->batch_items, b->items);
    metric_observe(l->shared->batch_bytes, (f64)b->bytes);
}

/* --- sending --- */

static bool lane_ready(struct sending_lane *l)
{
    admit_waiting(l);
    if (!l->sending->conf->batching && !l->gathered) return !list_empty(&l->queue);
    gather(l);
    return gathered_ready(l) || (l->gathered && !l->sending->conf->batching);
}

static struct send_req *lane_take(struct sending_lane *l)
{
    if (l->gathered) return take_gathered(l);
    struct send_req *r = queue_head(l);
    list_del(&r->link);
    return r;
}

void req_start(struct send_req *r)
{
    struct sending *s = r->lane->sending;
    r->sending = true;
    s->ops->start(s->arg, r);
}

static void lane_send(struct sending_lane *l)
{
    struct send_req *r = lane_take(l);
    list_add_tail(&l->flight, &r->link);
    r->start = MAX(now_of(l->sending), 1);
    metric_add(l->shared->in_flight, 1);
    observe_batch(l, r->batch);
    req_start(r);
}

/* True when this lane waits for something that another worker may give back. */
static bool lane_pump(struct sending_lane *l)
{
    bool ready;
    while ((ready = lane_ready(l)) && permits_take(&l->shared->permits, &l->share))
        lane_send(l);
    if (!ready) permits_sated(&l->shared->permits, &l->share);
    if (l->gathered && !ready)
        timer_start(
            l->flush,
            MAX(l->gathered_since + l->sending->conf->flush_timeout - now_of(l->sending), 0));
    return !list_empty(&l->waiting) || (ready && list_empty(&l->flight));
}

void lanes_pump(struct sending *s)
{
    if (s->pumping) return; /* the loop below goes on */
    s->pumping = true;
    bool poll = false;
    for (enum signal i = 0; i < SIGNAL_COUNT; i++)
        poll |= lane_pump(&s->lanes[i]);
    s->pumping = false;
    if (poll) timer_start(s->poll, POLL_EVERY);
}

/* --- all of them --- */

static bool lane_empty(const struct sending_lane *l)
{
    return list_empty(&l->waiting) && list_empty(&l->queue) && list_empty(&l->flight) &&
           !l->gathered;
}

bool lanes_empty(const struct sending *s)
{
    for (enum signal i = 0; i < SIGNAL_COUNT; i++)
        if (!lane_empty(&s->lanes[i])) return false;
    return true;
}

void lane_each(struct sending_lane *l, void (*fn)(struct send_req *r))
{
    struct list *const lists[] = {&l->flight, &l->queue, &l->waiting};
    if (l->gathered) fn(l->gathered);
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        list_each (lists[i], at)
            fn(list_item(at, struct send_req, link));
}
