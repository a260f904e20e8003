/* The life of a target: a tick, a request, an answer, samples and report, the next tick. */
#include <errno.h>

#include "base/codec.h"
#include "base/hash.h"
#include "base/num.h"
#include "components/prometheus/scrape/scrape.h"
#include "components/prometheus/scrape/ticks.h"

#define BODY_MAX       ((size_t)256 << 20) /* without body_size_limit */
#define GONE_INTERVALS 2
#define KEEP_FAILING   (300 * NS_PER_SEC) /* as long as queries look back for a sample */

static void on_tick(void *arg);

static struct logger *log_of(const struct target *t)
{
    return t->owner->shard->comp->log;
}

static i64 real_now(const struct target *t)
{
    return clock_real(t->owner->shard->comp->host->clock);
}

/* --- ticks --- */

/* Where in the interval its ticks lie: by what it is, and by the host, so that agents that scrape
 * the same target do so at different times. */
static u64 place_of(const struct target *t)
{
    const struct host *host = t->owner->shard->comp->host;
    return t->spec.hash ^ hash_str(str_of(host->hostname ? host->hostname : ""));
}

/* A timer counts from the start of the loop's turn, which may be a while ago. */
static void wait(struct target *t, i64 ns)
{
    struct scraper *s = t->owner;
    i64 behind = clock_mono(s->shard->comp->host->clock) - loop_now(s->shard->worker->loop);

    timer_start(t->timer, ns + MAX(behind, INT64_C(0)));
}

static void arm(struct target *t)
{
    i64 now = real_now(t);

    t->due = t->due ? tick_after(t->due, place_of(t), t->spec.interval, now)
                    : tick_first(place_of(t), t->spec.interval, now);
    wait(t, t->due - now);
}

static void set_error(struct target *t, const char *error)
{
    free(t->error);
    t->error = error ? xstrdup(error) : NULL;
}

/* --- an answer --- */

static void say(struct target *t, const char *error)
{
    if (error && !t->said_failed)
        log_warn(log_of(t), "scrape failed", F_STR("target", t->spec.url), F_CSTR("err", error));
    else if (error)
        log_debug(log_of(t), "scrape failed", F_STR("target", t->spec.url), F_CSTR("err", error));
    else if (t->said_failed)
        log_info(log_of(t), "scrape succeeds again", F_STR("target", t->spec.url));
    t->said_failed = error != NULL;
    if (error) scraper_log_failure(t->owner, t, error);
}

static i64 sample_time(const struct target *t)
{
    return t->tick / NS_PER_MS;
}

static i64 body_limit(const struct target *t)
{
    return t->owner->plan->args->body_size_limit.n;
}

static void over_body(struct target *t, struct scrape_result *r)
{
    metric_inc(t->owner->meters[METER_EXCEEDED_BODY]);
    r->body = -1;
    (void)snprintf(r->error, sizeof(r->error), "body size limit exceeded");
    if (body_limit(t) <= 0)
        (void)snprintf(r->error, sizeof(r->error),
                       "the answer has more than %zu MiB, which is the most without "
                       "body_size_limit",
                       BODY_MAX >> 20);
}

static size_t most(const struct target *t)
{
    return body_limit(t) > 0 ? (size_t)body_limit(t) : BODY_MAX;
}

/* What the process may still hold, which bodies are part of. */
static size_t room(const struct target *t)
{
    const struct budget *b = t->owner->shard->comp->host->data_budget;
    i64 limit = atomic_load_explicit(&b->limit, memory_order_relaxed);

    return limit > 0 ? (size_t)MAX(limit - budget_used(b), INT64_C(0)) : SIZE_MAX;
}

static void no_room(struct scrape_result *r)
{
    (void)snprintf(r->error, sizeof(r->error),
                   "no memory for the answer: what the process may hold at a time is used up");
}

static bool unpack_gzip(struct target *t, struct str packed, struct scrape_result *r)
{
    struct scraper *s = t->owner;
    size_t free = room(t);
    const char *why = NULL;
    int rc = codec_decompress(CODEC_GZIP, packed, MIN(most(t), free), &s->unpacked, &why);

    if (rc == -E2BIG && free >= most(t))
        over_body(t, r);
    else if (rc == -E2BIG || rc == -ENOMEM)
        no_room(r);
    else if (rc != 0)
        (void)snprintf(r->error, sizeof(r->error), "the gzip body is broken: %s", why);
    s->unpacked_n = (i64)s->unpacked.n;
    budget_force(s->shard->comp->host->data_budget, s->unpacked_n);
    return rc == 0;
}

static void drop_unpacked(struct scraper *s)
{
    budget_give(s->shard->comp->host->data_budget, s->unpacked_n);
    s->unpacked_n = 0;
    buf_done(&s->unpacked);
}

/* The plain body. */
static bool unpack(struct target *t, const struct http_result *res, struct scrape_result *r,
                   struct str *ret)
{
    struct str coding = http_header_get(res->headers, res->n_headers, STR("Content-Encoding"));

    *ret = res->body;
    if (str_is(coding, "gzip")) {
        if (!unpack_gzip(t, res->body, r)) return false;
        *ret = buf_view(&t->owner->unpacked);
    }
    r->body = (i64)ret->n;
    if (body_limit(t) <= 0 || r->body < body_limit(t)) return true;
    over_body(t, r);
    return false;
}

static bool find_format(struct target *t, const struct http_result *res, struct scrape_result *r,
                        enum exposition_format *ret)
{
    struct buf err = BUF_INIT(1000);
    bool ok = scrape_format(t->owner->plan->args,
                            http_header_get(res->headers, res->n_headers, STR("Content-Type")), ret,
                            &err);

    if (!ok) (void)snprintf(r->error, sizeof(r->error), "%s", err.p);
    buf_done(&err);
    return ok;
}

/* The URL is part of the sentence, as it is in Prometheus' list of targets. */
static void not_answered(const struct target *t, const struct http_result *res,
                         struct scrape_result *r)
{
    struct str url = t->spec.url;
    bool late = res->fail == HTTP_TIMEOUT;

    (void)snprintf(r->error, sizeof(r->error), "Get \"" STR_FMT "\": %s%s",
                   (int)MIN(url.n, (size_t)150), url.p,
                   late ? "context deadline exceeded: the answer took longer than scrape_timeout"
                        : res->error,
                   "");
}

static int take_answer(struct target *t, const struct http_result *res, struct scrape_result *r)
{
    enum exposition_format format = EXPOSITION_TEXT;
    struct str body;

    if (res->fail == HTTP_TOO_LARGE) {
        over_body(t, r);
    } else if (res->fail != HTTP_OK) {
        not_answered(t, res, r);
    } else if (res->status != 200) {
        (void)snprintf(r->error, sizeof(r->error), "server returned HTTP status %d %s", res->status,
                       http_status_text(res->status));
    } else if (unpack(t, res, r, &body)) {
        if (body.n == 0) return scrape_ingest(t, body, EXPOSITION_TEXT, sample_time(t), r);
        if (find_format(t, res, r, &format))
            return scrape_ingest(t, body, format, sample_time(t), r);
    }
    return -1;
}

static void forget_series(struct target *t)
{
    metric_inc(t->owner->meters[METER_FLUSHES]);
    scrape_forget(t);
}

/* Its series are kept for a while, so that a target that comes back costs nothing extra; one that
 * stays away should not hold memory. */
static void note_failure(struct target *t, bool ok)
{
    i64 now = loop_now(t->owner->shard->worker->loop);

    if (ok)
        t->failing_since = 0;
    else if (t->failing_since == 0)
        t->failing_since = MAX(now, INT64_C(1));
    else if (now - t->failing_since > KEEP_FAILING && t->cache.last.n > 0)
        forget_series(t);
}

/* Samples before those of the last scrape are sent, but most receivers refuse them. */
static void note_clock(struct target *t, const struct scrape_result *r)
{
    if (t->last == 0 || t->tick > t->last) return;
    metric_add(t->owner->meters[METER_OUT_OF_ORDER], r->kept);
    log_warn(log_of(t),
             "the clock was set back: samples are older than those of the last scrape, receivers "
             "may refuse them until it is past that time again",
             F_STR("target", t->spec.url), F_DUR("back", t->last - t->tick));
}

static void finish(struct target *t, const struct http_result *res, struct scrape_result *r)
{
    struct scraper *s = t->owner;

    scraper_begin(s);
    bool ok = res && take_answer(t, res, r) == 0;
    if (!ok) {
        sample_builder_reset(s->builder);
        scraper_begin(s);
        scrape_all_stale(t, sample_time(t));
    }
    note_failure(t, ok);
    t->took = loop_now(s->shard->worker->loop) - t->began;
    t->up = ok;
    t->ever = true;
    set_error(t, ok ? NULL : r->error);
    say(t, ok ? NULL : r->error);
    metric_observe(s->meters[METER_DURATION], (f64)t->took / (f64)NS_PER_SEC);
    note_clock(t, r);
    scrape_report(t, sample_time(t), r, t->took);
    scraper_send(s, t);
    drop_unpacked(s);
    t->last = t->tick;
    scraper_changed(s);
}

static void on_answer(void *arg, const struct http_result *res)
{
    struct target *t = arg;
    struct scrape_result r = {0};

    t->request = NULL;
    finish(t, res, &r);
    if (!t->leaving) return;
    t->leaving = false;
    target_leave(t);
}

/* --- a request --- */

static void seconds_text(i64 ns, struct buf *b)
{
    num_f64_plain(b, (f64)ns / (f64)NS_PER_SEC);
}

static bool in_memory(const struct target *t)
{
    const char *own = t->owner->shard->comp->host->memory_addr;
    return own && str_is(t->spec.address, own);
}

static void begin(struct target *t)
{
    struct scraper *s = t->owner;
    i64 now = loop_now(s->shard->worker->loop);

    if (t->began) {
        metric_observe(s->meters[METER_INTERVAL], (f64)(now - t->began) / (f64)NS_PER_SEC);
        metric_observe(s->meters[METER_INTERVAL_H], (f64)(now - t->began) / (f64)NS_PER_SEC);
    }
    t->began = now;
}

static void ask(struct target *t)
{
    struct scraper *s = t->owner;
    struct buf timeout = BUF_INIT(100);

    seconds_text(t->spec.timeout, &timeout);
    const struct http_header headers[] = {
        {STR("Accept"), s->plan->accept},
        {STR("Accept-Encoding"), s->plan->args->enable_compression ? STR("gzip") : STR("identity")},
        {STR("X-Prometheus-Scrape-Timeout-Seconds"), buf_view(&timeout)},
    };
    struct http_call call = {.method = STR("GET"),
                             .url = t->spec.url,
                             .headers = headers,
                             .n_headers = ARRAY_LEN(headers),
                             .timeout = t->spec.timeout,
                             .max_response = most(t),
                             .budget = s->shard->comp->host->data_budget,
                             .done = on_answer,
                             .arg = t};
    begin(t);
    t->request = http_request_start(in_memory(t) ? s->memory : s->endpoint, s->shard->worker,
                                    s->shard->comp->host->offload, &call);
    buf_done(&timeout);
}

static void skip(struct target *t)
{
    struct scraper *s = t->owner;
    i64 now = loop_now(s->shard->worker->loop);

    metric_inc(s->meters[METER_SKIPPED]);
    if (s->skipped_said && now - s->skipped_said < 60 * NS_PER_SEC) return;
    s->skipped_said = now;
    log_warn(log_of(t),
             "scrapes are left out: the samples of the last ones are not yet taken by "
             "forward_to, which cannot keep up",
             F_STR("target", t->spec.url), F_UINT("waiting", s->waiting.n));
}

static void stale_report(struct target *t)
{
    i64 time = (t->last + t->spec.interval) / NS_PER_MS; /* of the first tick that was missed */

    scraper_begin(t->owner);
    scrape_all_stale(t, time);
    scrape_report_stale(t, time);
    scraper_send(t->owner, t);
}

/* It is gone for good. */
static void gone(struct target *t)
{
    if (t->held) { /* its last samples still wait: look again later */
        timer_start(t->timer, t->spec.interval);
        return;
    }
    if (t->ever) stale_report(t);
    t->ever = false;
    if (t->held)
        timer_start(t->timer, t->spec.interval);
    else
        scraper_remove(t->owner, t);
}

static void on_tick(void *arg)
{
    struct target *t = arg;
    i64 now = real_now(t), early = tick_early(t->due, t->spec.interval, now);
    struct scrape_result r = {0};

    if (t->leaving) {
        gone(t);
        return;
    }
    if (early > 0) {
        wait(t, early);
        return;
    }
    t->tick = tick_time(t->due, t->spec.interval, now);
    arm(t);
    if (t->held || t->request) {
        skip(t);
    } else if (t->owner->target_limit_hit) {
        begin(t);
        (void)snprintf(r.error, sizeof(r.error),
                       "target_limit exceeded (number of targets: %u, limit: %lld)",
                       t->owner->n_all, (long long)t->owner->plan->args->target_limit);
        finish(t, NULL, &r);
    } else {
        ask(t);
    }
}

/* --- life --- */

static void take_spec(struct target *t, const struct target_spec *spec)
{
    struct label *v = arena_array(&t->arena, struct label, spec->n_labels + 1);

    t->spec = *spec;
    for (u32 i = 0; i < spec->n_labels; i++)
        v[i] = (struct label){arena_str(&t->arena, spec->labels[i].name),
                              arena_str(&t->arena, spec->labels[i].value)};
    t->spec.labels = v;
    t->spec.url = arena_str(&t->arena, spec->url);
    t->spec.address = arena_str(&t->arena, spec->address);
}

struct target *target_start(struct scraper *s, const struct target_spec *spec)
{
    struct target *t = xnew(struct target);

    t->owner = s;
    arena_init(&t->arena, 0);
    arena_init(&t->texts, 0);
    take_spec(t, spec);
    t->timer = timer_new(s->shard->worker->loop, on_tick, t);
    arm(t);
    return t;
}

void target_update(struct target *t, const struct target_spec *spec)
{
    bool again = t->leaving || t->spec.interval != spec->interval;

    t->leaving = false;
    t->spec.interval = spec->interval;
    t->spec.timeout = spec->timeout;
    t->spec.native = spec->native;
    t->spec.classic_too = spec->classic_too;
    t->spec.nhcb = spec->nhcb;
    if (!again) return;
    t->due = 0;
    arm(t);
}

void target_leave(struct target *t)
{
    i64 wait = t->spec.interval * GONE_INTERVALS + t->spec.interval / 10;

    if (t->leaving) return;
    t->leaving = true;
    if (t->request) return; /* what is under way counts */
    i64 since = MAX(real_now(t) - t->last, INT64_C(0));
    timer_start(t->timer, t->ever ? MAX(wait - since, INT64_C(0)) : 0);
}

void target_halt(struct target *t)
{
    timer_stop(t->timer);
    if (t->request) http_request_cancel(t->request);
    t->request = NULL;
}

void target_free(struct target *t)
{
    struct scraper *s = t->owner;

    if (t->request) http_request_cancel(t->request);
    timer_free(t->timer);
    for (size_t i = 0; i < t->cache.last.n; i++)
        series_retire(&s->keeper, line_series(&t->cache.last.v[i]));
    cache_free(&t->cache);
    exemplar_memory_done(&t->exemplars);
    map_done(&t->started, NULL);
    for (int i = 0; i < REPORTS; i++)
        if (t->report[i]) series_retire(&s->keeper, t->report[i]);
    if (t->held) batch_unref(t->held);
    map_done(&t->families, NULL);
    arena_done(&t->arena);
    arena_done(&t->texts);
    free(t->error);
    free(t);
}

bool target_deliver(struct target *t)
{
    struct scraper *s = t->owner;

    if (sample_output_push(&s->shared->output, s->shard, s->out, t->held) == PUSH_FULL)
        return false;
    t->held = NULL;
    return true;
}
