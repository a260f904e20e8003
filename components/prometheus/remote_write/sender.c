/* A sender: samples of its series, in order, one request at a time. What is in the request stays
 * in the ring until it is delivered, so that nothing is copied, and nothing lost when it fails. */
#include <errno.h>
#include "base/xalloc.h"
#include "components/prometheus/remote_write/write.h"

#define RING_FIRST 256u
#define NO_MEMORY  (100 * NS_PER_MS)

static void over(struct attempt *a, enum verdict verdict, const char *text);

struct sender *sender_new(struct endpoint *e)
{
    struct sender *s = xnew(struct sender);

    s->endpoint = e;
    s->attempt = (struct attempt){.endpoint = e, .over = over};
    return s;
}

static struct item *item_at(struct sender *s, u32 i)
{
    return &s->v[(s->head + i) & (s->cap - 1)];
}

static void charge(struct sender *s, i64 items)
{
    struct budget *b = s->endpoint->write->shard->comp->host->data_budget;
    i64 bytes = items * (i64)sizeof(struct item);

    if (bytes > 0)
        budget_force(b, bytes);
    else
        budget_give(b, -bytes);
}

static void ring_grow(struct sender *s)
{
    u32 cap = s->cap ? s->cap * 2 : RING_FIRST;
    struct item *v = xcalloc(cap, sizeof(*v));

    for (u32 i = 0; i < s->n; i++)
        v[i] = *item_at(s, i);
    charge(s, (i64)cap - s->cap);
    free(s->v);
    s->v = v;
    s->head = 0;
    s->cap = cap;
}

static void ring_free(struct sender *s)
{
    charge(s, -(i64)s->cap);
    free(s->v);
    s->v = NULL;
    s->cap = s->head = 0;
}

void sender_add(struct sender *s, struct item it, struct piece *p)
{
    if (s->n == s->cap) ring_grow(s);
    if (s->n == s->sending) s->since = write_now(s->endpoint->write);
    *item_at(s, s->n++) = it;
    s->endpoint->pending[item_kind(&it)]++;
    s->endpoint->scaling.in++;
    p->open++;
    if (s->runs.n > s->first_run && vec_last(&s->runs).piece == p)
        vec_last(&s->runs).n++;
    else
        vec_push(&s->runs, ((struct run){p, 1}));
}

/* What an item holds. */
static void item_end(struct sender *s, struct item *it)
{
    if (!it->series) return;
    enum item_kind k = item_kind(it);
    if (k != ITEM_SAMPLE) free((void *)(uintptr_t)it->bits);
    s->endpoint->pending[k]--;
    it->series = 0;
}

/* Runs that are passed are moved out of the way now and then. */
static void compact_runs(struct sender *s)
{
    if (s->first_run < 64 || s->first_run * 2 < s->runs.n) return;
    s->runs.n -= s->first_run;
    memmove(s->runs.v, s->runs.v + s->first_run, s->runs.n * sizeof(*s->runs.v));
    s->first_run = 0;
}

static struct piece *pop_one(struct sender *s)
{
    struct run *r = &s->runs.v[s->first_run];
    struct piece *p = r->piece;

    if (--r->n == 0) s->first_run++;
    s->head = (s->head + 1) & (s->cap - 1);
    s->n--;
    return p;
}

static void pop_runs(struct sender *s, u32 n)
{
    while (n) {
        struct run *r = &s->runs.v[s->first_run];
        u32 take = MIN(r->n, n);

        r->piece->open -= take;
        r->n -= take;
        n -= take;
        if (!r->n) s->first_run++;
    }
}

/* The first n are done with. */
static void pop(struct sender *s, u32 n)
{
    for (u32 i = 0; i < n; i++)
        item_end(s, item_at(s, i));
    if (n) s->head = (s->head + n) & (s->cap - 1); /* no ring may be there yet */
    s->n -= n;
    pop_runs(s, n);
    compact_runs(s);
    if (s->n == 0) {
        vec_clear(&s->runs);
        s->first_run = 0;
    }
    pieces_pop(s->endpoint);
}

void sender_free(struct sender *s)
{
    attempt_clear(&s->attempt);
    for (u32 i = 0; i < s->n; i++)
        item_end(s, item_at(s, i));
    ring_free(s);
    vec_done(&s->runs);
    free(s);
}

void sender_move(struct sender *s, struct endpoint *to)
{
    attempt_clear(&s->attempt);
    s->sending = 0;
    while (s->n) {
        struct item it = *item_at(s, 0);
        struct piece *p = pop_one(s);
        p->open--;
        if (!it.series) continue;
        to->pending[item_kind(&it)]--;
        to->scaling.in--;
        sender_add(remote_sender(to, item_series(it.series)->id), it, p);
    }
}

/* The run at the front is given up; how many items that were. */
static u32 expire_run(struct sender *s)
{
    u32 n = s->runs.v[s->first_run].n;

    for (u32 i = 0; i < n; i++)
        if (item_at(s, i)->series)
            remote_dropped(s->endpoint, item_kind(item_at(s, i)), DROP_OLD, 1);
    pop(s, n);
    return n;
}

u32 sender_expire(struct sender *s, u32 segment)
{
    u32 n = 0;

    while (s->n && s->runs.v[s->first_run].piece->after.segment <= segment) {
        attempt_clear(&s->attempt); /* it is made of what goes */
        s->sending = 0;
        n += expire_run(s);
    }
    return n;
}

/* --- a request --- */

static int add_item(struct endpoint *e, struct item *it)
{
    struct series *s = item_series(it->series);
    struct rw_external *ext = it->series & ITEM_FINAL ? NULL : e->write->external;
    const struct metric_meta *m = e->conf->version == RW_V2 ? family_of(e->write, s) : NULL;

    if (item_kind(it) == ITEM_SAMPLE)
        return rw_request_sample(e->request, s, ext, m, it->time, it->bits);
    if (item_kind(it) == ITEM_HISTOGRAM) {
        struct histogram_sample *h = (struct histogram_sample *)(uintptr_t)it->bits;
        h->series = s;
        return rw_request_histogram(e->request, ext, m, h);
    }
    struct exemplar_sample *x = (struct exemplar_sample *)(uintptr_t)it->bits;
    x->series = s;
    return rw_request_exemplar(e->request, ext, m, x);
}

static void give_up(struct sender *s, struct item *it, enum drop why)
{
    remote_dropped(s->endpoint, item_kind(it), why, 1);
    item_end(s, it);
}

/* 0: looked at; -errno: the request ends before it. */
static int build_one(struct sender *s, struct item *it, i64 oldest, u32 *ret_added)
{
    if (!it->series) return 0;
    if (it->time < oldest) {
        give_up(s, it, DROP_OLD);
        return 0;
    }
    int err = add_item(s->endpoint, it);
    if (err == -ENOTSUP || (err == -E2BIG && *ret_added == 0)) {
        give_up(s, it, err == -ENOTSUP ? DROP_NHCB : DROP_LOST);
        return 0;
    }
    if (err) return err;
    (*ret_added)++;
    if (item_kind(it) != ITEM_EXEMPLAR) s->newest = MAX(s->newest, it->time);
    return 0;
}

/* Fills the request from the front of the ring; how many items that were. *ret_added: in it. */
static u32 build(struct sender *s, u32 *ret_added, int *ret_err)
{
    struct endpoint *e = s->endpoint;
    u32 max = (u32)MIN(e->conf->args->queue_config.max_samples_per_send, 1000000), n = 0;
    i64 limit = e->conf->args->queue_config.sample_age_limit.ns;
    i64 oldest = limit > 0 ? remote_real(e->write) - limit / NS_PER_MS : INT64_MIN;

    rw_request_reset(e->request);
    *ret_added = 0;
    *ret_err = 0;
    s->newest = 0;
    for (; n < s->n && *ret_added < max; n++)
        if ((*ret_err = build_one(s, item_at(s, n), oldest, ret_added))) break;
    return n;
}

/* False: there is nothing to send, or no memory (*ret_at says when again). */
static bool load(struct sender *s, i64 now, i64 *ret_at)
{
    u32 added = 0, n;
    int err = 0;

    while ((n = build(s, &added, &err)) && !added)
        pop(s, n); /* all given up */
    if (!added && err != -ENOMEM) return false;
    if (!added || attempt_load(&s->attempt, s->endpoint->request)) {
        *ret_at = MIN(*ret_at, now + NO_MEMORY);
        return false;
    }
    s->sending = n;
    s->since = now;
    return true;
}

static bool is_due(const struct sender *s, i64 now, i64 *ret_at)
{
    const struct endpoint *e = s->endpoint;
    const struct queue_args *q = &e->conf->args->queue_config;
    i64 at = s->since + q->batch_send_deadline.ns;

    if (!s->n) return false;
    if (s->n >= q->max_samples_per_send || e->write->hurrying || now >= at) return true;
    *ret_at = MIN(*ret_at, at);
    return false;
}

void sender_pump(struct sender *s, i64 now, i64 *ret_at)
{
    struct attempt *a = &s->attempt;

    if (a->asked || s->endpoint->want) return;
    if (a->active && now < a->retry_at) {
        *ret_at = MIN(*ret_at, a->retry_at);
        return;
    }
    if (a->active && s->endpoint->conf->args->queue_config.sample_age_limit.ns > 0) {
        u32 failures = a->failures; /* what became too old meanwhile is left out */
        i64 began = a->began;
        attempt_clear(a);
        s->sending = 0;
        if (!load(s, now, ret_at)) return;
        a->failures = failures;
        a->began = began;
    }
    if (!a->active && (!is_due(s, now, ret_at) || !load(s, now, ret_at))) return;
    attempt_send(a);
}

static void over(struct attempt *a, enum verdict verdict, const char *text)
{
    struct sender *s = container_of(a, struct sender, attempt);
    struct endpoint *e = s->endpoint;
    u32 n = s->sending;

    e->scaling.busy += write_now(e->write) - a->began;
    e->scaling.out += a->counts.samples + a->counts.histograms;
    if (verdict == DELIVERED) {
        e->newest_sent = MAX(e->newest_sent, s->newest);
        e->last_success = MAX(write_now(e->write), 1);
        remote_meters_highest(e);
    } else {
        remote_meters_failed(e, &a->counts);
        log_error(write_log(e->write), "non-recoverable error",
                  F_CSTR("remote_name", e->conf->remote), F_CSTR("url", e->conf->url),
                  F_UINT("failedSampleCount", a->counts.samples),
                  F_UINT("failedHistogramCount", a->counts.histograms),
                  F_UINT("failedExemplarCount", a->counts.exemplars), F_CSTR("err", text));
    }
    attempt_clear(a);
    s->sending = 0;
    pop(s, n);
    s->since = write_now(e->write);
    if (!s->n && s->cap > RING_FIRST) ring_free(s);
    remote_meters_pending(e);
}
