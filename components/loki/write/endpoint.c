/* An endpoint: what it sends next, and what becomes of it.
 *
 * Items are in order. Two of one tenant may be under way together only when they were cut into the
 * same number of lanes and are of different ones: then they have no stream in common. An item that
 * failed is sent again before others that depend on it; others go on. */
#include "components/loki/write/write.h"

#include <errno.h>
#include "base/num.h"
#include "base/xalloc.h"

#define STALLED_AFTER (2 * NS_PER_SEC) /* of failures: then the log takes what waits */
#define SILENT_AFTER  (5 * NS_PER_SEC) /* of a request without an answer */
#define HURRIED_AFTER (1 * NS_PER_SEC) /* the same when the agent is about to stop */
#define RETRY_LOG     NS_PER_SEC

static void tick(void *arg);

/* --- items --- */

struct item *item_new(struct endpoint *e, struct parcel *p)
{
    struct item *it = xnew(struct item);

    *it = (struct item){.endpoint = e, .parcel = p};
    list_init(&it->link);
    return it;
}

static void set_limited(struct item *it, bool limited)
{
    struct endpoint *e = it->endpoint;
    u32 tenant = it->parcel->tenant->index;

    if (it->limited == limited) return;
    while (e->limited.n <= tenant)
        vec_push(&e->limited, 0);
    if (limited)
        e->limited.v[tenant]++;
    else
        e->limited.v[tenant]--;
    it->limited = limited;
}

bool item_is_held_up(const struct item *it)
{
    const struct endpoint *e = it->endpoint;
    u32 tenant = it->parcel->tenant->index;

    return tenant < e->limited.n && e->limited.v[tenant] > 0;
}

void item_free(struct item *it)
{
    set_limited(it, false);
    request_cancel(it);
    list_del(&it->link);
    pieces_done(it->endpoint, it);
    vec_done(&it->pieces);
    parcel_unref(it->parcel);
    free(it);
}

/* --- life --- */

static void set_auth(struct endpoint *e)
{
    http_target_unref(e->auth.target);
    http_token_unref(e->auth.token);
    e->auth = e->conf->auth;
    e->auth.target = NULL;
    e->auth.token = e->auth.kind == HTTP_AUTH_OAUTH2 ? http_token_new() : NULL;
}

struct endpoint *endpoint_new(struct write *w, const struct endpoint_conf *conf)
{
    struct endpoint *e = xnew(struct endpoint);

    *e = (struct endpoint){.write = w, .conf = conf};
    memcpy(e->id, conf->id, sizeof(e->id));
    memcpy(e->mark, conf->id, sizeof(e->mark));
    list_init(&e->items);
    list_init(&e->behind);
    list_init(&e->pieces);
    list_init(&e->gathers);
    e->timer = timer_new(w->shard->worker->loop, tick, e);
    set_auth(e);
    list_add_tail(&w->endpoints, &e->link);
    (void)meters_of(e, write_tenant(w, conf->args->tenant_id)); /* series at zero */
    return e;
}

void endpoint_apply(struct endpoint *e, const struct endpoint_conf *conf)
{
    e->conf = conf;
    e->warned_tenant_header = false;
    set_auth(e);
}

static void drop_list(struct list *l, enum ack_outcome outcome, const char *why)
{
    list_each (l, at) {
        struct item *it = list_item(at, struct item, link);
        it->endpoint->lost_lines += it->pieces.n ? 0 : it->parcel->entries;
        parcel_fail(it->parcel, outcome, why);
        item_free(it);
    }
}

void endpoint_free(struct endpoint *e, enum ack_outcome outcome, const char *why)
{
    struct disk_reader *r = e->reader;

    e->reader = NULL; /* what is dropped is not done: the mark stays where it is */
    wal_forget(e);
    drop_list(&e->items, outcome, why);
    drop_list(&e->behind, outcome, why);
    list_each (&e->pieces, at)
        free(list_item(at, struct piece, link));
    disk_reader_close(r);
    list_del(&e->link);
    meters_free(e);
    if (e->last_read) shard_metric_free(e->write->shard, e->last_read);
    http_target_unref(e->target);
    http_target_unref(e->auth.target);
    http_token_unref(e->auth.token);
    timer_free(e->timer);
    free(e->failure);
    vec_done(&e->meters);
    vec_done(&e->limited);
    free(e);
}

u32 endpoint_capacity(const struct endpoint *e)
{
    const struct endpoint_args *a = e->conf->args;

    return (u32)MIN(MAX(a->queue_config.capacity.n / MAX(a->batch_size.n, 1), 1), 100000);
}

bool endpoint_blocked(const struct endpoint *e)
{
    return e->n_behind > 0 || (!e->reading && e->n_items > endpoint_capacity(e));
}

/* Nothing of this endpoint is worth waiting for: what the log has, a restart sends. */
bool endpoint_idle(const struct endpoint *e)
{
    bool wal = e->write->plan->args->wal.enabled && !e->failing;

    if (e->n_behind || (wal && (e->n_items || !list_empty(&e->gathers)))) return false;
    if (wal && e->reader && disk_reader_unread(e->reader) > 0) return false;
    list_each (&e->items, at) {
        const struct item *it = list_item(at, struct item, link);
        if (it->asked || !it->pieces.n) return false;
    }
    return true;
}

/* --- taking --- */

void lines_dropped(struct endpoint *e, u64 lines)
{
    struct write *w = e->write;
    i64 now = write_now(w);

    w->drop_unsaid += lines;
    if (w->drop_said && now - w->drop_said < 10 * NS_PER_SEC) return;
    log_warn(write_log(w), "lines are dropped: the queue of an endpoint and the log are full",
             F_CSTR("endpoint", e->conf->shown), F_UINT("lines", w->drop_unsaid),
             F_CSTR("reason", "queue_is_full"));
    w->drop_said = now;
    w->drop_unsaid = 0;
}

/* Nobody waits for these lines, and the settings say that nobody is to wait. */
static bool drop_on_overflow(struct endpoint *e, struct parcel *p)
{
    if (e->conf->args->queue_config.block_on_overflow || p->acks.n) return false;
    meters_dropped(e, p->tenant, REASON_FULL, p->entries, p->bytes);
    lines_dropped(e, p->entries);
    return true;
}

static void add_behind(struct endpoint *e, struct parcel *p)
{
    if (e->n_behind && drop_on_overflow(e, p)) return;
    list_add_tail(&e->behind, &item_new(e, parcel_ref(p))->link);
    e->n_behind++;
    (void)endpoint_spill(e);
}

/* When the agent is about to stop, sources wait for what fails to be on disk. */
static i64 stalled_after(const struct endpoint *e)
{
    return e->write->hurrying ? 0 : STALLED_AFTER;
}

static i64 silent_after(const struct endpoint *e)
{
    return e->write->hurrying ? HURRIED_AFTER : SILENT_AFTER;
}

static bool is_stalled(const struct endpoint *e)
{
    i64 now = write_now(e->write);

    if (e->failing && now - e->failing_since >= stalled_after(e)) return true;
    list_each (&e->items, at) {
        const struct item *it = list_item(at, struct item, link);
        if (it->asked && now - it->asked >= silent_after(e)) return true;
    }
    return false;
}

/* Others would have to wait as well: another endpoint, or the tenants that are not limited. */
static bool holds_others_up(const struct endpoint *e)
{
    const struct list *all = &e->write->endpoints;
    bool limits = false;

    for (size_t i = 0; i < e->limited.n; i++)
        limits |= e->limited.v[i] > 0;
    return limits || all->next != all->prev;
}

/* A queue is full where an endpoint is slower than what comes. Sources that can read again wait for
 * it, which costs nothing; else the log has what there is no room for. */
static bool overflows(const struct endpoint *e, const struct parcel *p)
{
    return e->n_items > endpoint_capacity(e) && (p->sole || holds_others_up(e));
}

void endpoint_take(struct endpoint *e, struct parcel *p)
{
    if (e->reading) {
        add_behind(e, p);
        return;
    }
    if (endpoint_blocked(e) && drop_on_overflow(e, p)) return;
    list_add_tail(&e->items, &item_new(e, parcel_ref(p))->link);
    e->n_items++;
    if (overflows(e, p) || is_stalled(e)) (void)endpoint_spill(e);
}

/* --- outcomes --- */

/* Off the list: the next ones may go. */
static void finish(struct item *it)
{
    struct endpoint *e = it->endpoint;

    e->n_items--;
    e->in_flight--;
    item_free(it);
    endpoint_pump(e);
    write_progress(e->write);
}

static void delivered(struct item *it)
{
    meters_sent(it->endpoint, it->parcel);
    endpoint_well(it->endpoint);
    finish(it);
}

static void dropped(struct item *it, enum reason why, int status, const char *text)
{
    struct endpoint *e = it->endpoint;
    const struct parcel *p = it->parcel;
    bool rate = why == REASON_RATE;

    log_emit(write_log(e->write), rate ? LOG_WARN : LOG_ERROR,
             rate ? "dropping batch due to rate limiting applied at ingester"
                  : "final error sending batch, no retries left, dropping data",
             (const struct log_field[]){F_INT("status", status), F_STR("tenant", p->tenant->name),
                                        F_CSTR("error", text), F_CSTR("endpoint", e->conf->shown),
                                        F_UINT("entries", p->entries), F_CSTR("labels", p->named)},
             6);
    meters_dropped(e, p->tenant, why, p->entries, p->bytes);
    parcel_fail(it->parcel, ACK_FAILED, text);
    endpoint_failing(e, text, true);
    finish(it);
}

/* Random in [min * 2^(k-1), min * 2^k), at most max. */
static i64 wait_before_retry(const struct endpoint_args *a, u32 failures)
{
    i64 least = a->min_backoff_period.ns, most = a->max_backoff_period.ns;
    u32 doublings = MIN(failures - 1, 40u);

    if (least <= 0) return 0;
    if (least >= most >> doublings) return most;
    least <<= doublings;
    return MIN(least + (i64)(random_unit() * (f64)least), most);
}

/* The attempts are used up. True: it is held by a source or the log, so there is no end to it. */
static bool held_elsewhere(struct item *it, const char *text)
{
    struct endpoint *e = it->endpoint;

    if (!it->pieces.n && it->parcel->sole && !e->reading) (void)endpoint_spill(e);
    if (!it->pieces.n && it->parcel->sole) return false;
    log_error(write_log(e->write),
              "an endpoint did not take a batch in all attempts; it is kept and tried again",
              F_CSTR("endpoint", e->conf->shown), F_STR("tenant", it->parcel->tenant->name),
              F_UINT("entries", it->parcel->entries), F_UINT("attempts", it->failures),
              F_CSTR("error", text));
    return true;
}

static void failed(struct item *it, int status, const char *text)
{
    struct endpoint *e = it->endpoint;
    const struct endpoint_args *a = e->conf->args;

    endpoint_failing(e, text, false);
    set_limited(it, status == 429);
    it->failures++;
    if (a->max_backoff_retries > 0 && it->failures % a->max_backoff_retries == 0 &&
        !held_elsewhere(it, text)) {
        dropped(it, REASON_INGESTER, status, text);
        return;
    }
    i64 wait = wait_before_retry(a, it->failures);
    log_debug(write_log(e->write), "error sending batch, will retry", F_INT("status", status),
              F_STR("tenant", it->parcel->tenant->name), F_CSTR("error", text),
              F_DUR("wait", wait));
    it->retry_at = write_now(e->write) + wait;
    if (e->write->stopping || is_stalled(e)) (void)endpoint_spill(e);
    endpoint_pump(e);
    write_progress(e->write);
}

void item_answered(struct item *it, int status, const char *text)
{
    struct endpoint *e = it->endpoint;

    meters_answered(e, it, status, write_now(e->write) - it->asked);
    it->asked = 0;
    if (status >= 200 && status < 300)
        delivered(it);
    else if (status == 429 && !e->conf->args->retry_on_http_429)
        dropped(it, REASON_RATE, status, text);
    else if (status == -1 || status == 429 || status / 100 == 5)
        failed(it, status, text);
    else
        dropped(it, REASON_INGESTER, status, text);
}

/* --- starting --- */

static bool depends(const struct item *later, const struct item *earlier)
{
    const struct parcel *a = later->parcel, *b = earlier->parcel;

    return a->tenant == b->tenant && (a->lanes != b->lanes || a->lane == b->lane);
}

/* Without those that wait because their tenant is limited. */
static bool has_lane(const struct endpoint *e, const struct item *it)
{
    u32 n = e->in_flight;

    list_each (&e->items, at) {
        const struct item *other = list_item(at, struct item, link);
        n -= other->limited && !other->asked;
    }
    return n < MAX((u32)LANES_MAX, it->parcel->lanes);
}

static bool may_start(const struct endpoint *e, const struct item *it)
{
    bool kept = it->pieces.n && e->write->stopping && !e->write->plan->args->wal.enabled;

    if (kept || !has_lane(e, it)) return false;
    for (const struct list *at = e->items.next; at != &it->link; at = at->next)
        if (depends(it, list_item(at, struct item, link))) return false;
    return true;
}

static void start(struct item *it)
{
    struct endpoint *e = it->endpoint;

    if (!it->active) {
        it->active = true;
        e->in_flight++;
    } else {
        metric_inc(meters_of(e, it->parcel->tenant)->retries);
    }
    it->retry_at = 0;
    request_start(it);
}

/* One that may start now, or NULL; *at: when the next one is due. */
static struct item *next_to_start(struct endpoint *e, i64 now, i64 *at)
{
    list_each (&e->items, link) {
        struct item *it = list_item(link, struct item, link);
        if (it->active) {
            if (it->asked || !it->retry_at || (e->write->stopping && it->pieces.n)) continue;
            if (it->limited && !has_lane(e, it)) continue; /* an answer looks again */
            if (it->retry_at <= now) return it;
            *at = MIN(*at, it->retry_at);
        } else if (may_start(e, it)) {
            return it;
        }
    }
    return NULL;
}

/* When to look again for a stall. */
static i64 stall_at(const struct endpoint *e)
{
    i64 at = INT64_MAX;

    if (e->reading && !e->n_behind) return at;
    if (e->failing && e->n_items) at = e->failing_since + stalled_after(e);
    list_each (&e->items, link) {
        const struct item *it = list_item(link, struct item, link);
        if (it->asked && !it->pieces.n) at = MIN(at, it->asked + silent_after(e));
    }
    return at;
}

/* What is in memory only, although the endpoint stalls. */
static void spill_when_stalled(struct endpoint *e, i64 now)
{
    bool due = e->n_behind || (!endpoint_idle(e) && !e->reading && is_stalled(e));

    if (due && now >= e->write->log_retry) {
        if (!endpoint_spill(e)) e->write->log_retry = now + RETRY_LOG;
    }
}

void endpoint_pump(struct endpoint *e)
{
    i64 now = write_now(e->write), at = INT64_MAX;
    struct item *it;

    spill_when_stalled(e, now);
    if (e->reading) endpoint_read(e);
    i64 gather = wal_close_due(e, e->write->stopping);
    while ((it = next_to_start(e, now, &at)))
        start(it);
    at = MIN(at, MAX(stall_at(e), now + RETRY_LOG / 4));
    if (e->n_behind) at = MIN(at, now + RETRY_LOG);
    if (e->read_at) at = MIN(at, e->read_at);
    if (gather) at = MIN(at, gather);
    if (at == INT64_MAX)
        timer_stop(e->timer);
    else
        timer_start(e->timer, MAX(at - now, 0));
}

static void tick(void *arg)
{
    struct endpoint *e = arg;

    endpoint_pump(e);
    write_progress(e->write);
}
