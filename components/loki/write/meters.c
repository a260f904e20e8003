/* Metrics of an endpoint: one set of series for each tenant, made when it is first met. */
#include "components/loki/write/write.h"

#include "base/xalloc.h"

#define COUNTER(name_, help_)                                                                      \
    {                                                                                              \
        .name = (name_), .help = (help_), .kind = METRIC_COUNTER                                   \
    }
static const f64 seconds_bounds[] = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};
static const f64 size_bounds[] = {1024, 4096, 16384, 65536, 262144, 1048576, 4194304};
static const f64 latency_bounds[] = {0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200};
static const struct metric_desc sent_bytes =
    COUNTER("loki_write_sent_bytes_total", "Compressed bytes sent.");
static const struct metric_desc sent_entries =
    COUNTER("loki_write_sent_entries_total", "Log entries sent.");
static const struct metric_desc dropped_bytes =
    COUNTER("loki_write_dropped_bytes_total", "Bytes of entries that were given up.");
static const struct metric_desc dropped_entries =
    COUNTER("loki_write_dropped_entries_total", "Log entries that were given up.");
static const struct metric_desc retries =
    COUNTER("loki_write_batch_retries_total", "Requests that were sent again.");
static const struct metric_desc seconds = {.name = "loki_write_request_duration_seconds",
                                           .help = "Duration of requests.",
                                           .kind = METRIC_HISTOGRAM,
                                           .bounds = seconds_bounds,
                                           .n_bounds = ARRAY_LEN(seconds_bounds)};
static const struct metric_desc request_size = {.name = "loki_write_request_size_bytes",
                                                .help = "Compressed size of requests.",
                                                .kind = METRIC_HISTOGRAM,
                                                .bounds = size_bounds,
                                                .n_bounds = ARRAY_LEN(size_bounds)};
static const struct metric_desc latency = {.name = "loki_write_entry_propagation_latency_seconds",
                                           .help =
                                               "Time from an entry's coming in to its delivery.",
                                           .kind = METRIC_HISTOGRAM,
                                           .bounds = latency_bounds,
                                           .n_bounds = ARRAY_LEN(latency_bounds)};

static const char *const reasons[REASONS] = {
    [REASON_INGESTER] = "ingester_error", [REASON_RATE] = "rate_limited",
    [REASON_STREAMS] = "stream_limited",  [REASON_LONG] = "line_too_long",
    [REASON_FULL] = "queue_is_full",
};

static struct metric *series(struct endpoint *e, const struct tenant *t,
                             const struct metric_desc *d, const char *name, const char *value)
{
    const struct metric_label labels[] = {
        {"host", e->conf->host}, {"tenant", t->name.p}, {name, value}};

    return shard_metric(e->write->shard, d, labels, name ? 3 : 2);
}

static struct tenant_meters *meters_new(struct endpoint *e, const struct tenant *t)
{
    struct tenant_meters *m = xnew(struct tenant_meters);

    m->sent_bytes = series(e, t, &sent_bytes, NULL, NULL);
    m->sent_entries = series(e, t, &sent_entries, NULL, NULL);
    m->retries = series(e, t, &retries, NULL, NULL);
    m->size = series(e, t, &request_size, NULL, NULL);
    m->latency = series(e, t, &latency, NULL, NULL);
    for (int i = 0; i < REASONS; i++) {
        m->dropped_bytes[i] = series(e, t, &dropped_bytes, "reason", reasons[i]);
        m->dropped_entries[i] = series(e, t, &dropped_entries, "reason", reasons[i]);
    }
    return m;
}

struct tenant_meters *meters_of(struct endpoint *e, struct tenant *t)
{
    while (e->meters.n <= t->index)
        vec_push(&e->meters, NULL);
    if (!e->meters.v[t->index]) e->meters.v[t->index] = meters_new(e, t);
    return e->meters.v[t->index];
}

static void tenant_meters_free(struct shard *s, struct tenant_meters *m)
{
    struct metric *const all[] = {m->sent_bytes, m->sent_entries, m->retries, m->size, m->latency};

    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        shard_metric_free(s, all[i]);
    for (int i = 0; i < REASONS; i++) {
        shard_metric_free(s, m->dropped_bytes[i]);
        shard_metric_free(s, m->dropped_entries[i]);
    }
    for (struct status_meter *at = m->seconds, *next; at; at = next) {
        next = at->next;
        shard_metric_free(s, at->seconds);
        free(at);
    }
    free(m);
}

void meters_free(struct endpoint *e)
{
    vec_each (&e->meters, at)
        if (*at) tenant_meters_free(e->write->shard, *at);
    vec_done(&e->meters);
}

static struct status_meter *status_meter(struct endpoint *e, struct tenant *t, int status)
{
    struct tenant_meters *m = meters_of(e, t);
    struct status_meter *at = m->seconds;
    char text[16];

    while (at && at->status != status)
        at = at->next;
    if (at) return at;
    at = xnew(struct status_meter);
    (void)snprintf(text, sizeof(text), "%d", status);
    *at = (struct status_meter){.status = status, .next = m->seconds};
    at->seconds = series(e, t, &seconds, "status_code", text);
    m->seconds = at;
    return at;
}

void meters_answered(struct endpoint *e, const struct item *it, int status, i64 elapsed)
{
    struct tenant *t = it->parcel->tenant;

    metric_observe(status_meter(e, t, status)->seconds, (f64)elapsed / (f64)NS_PER_SEC);
}

void meters_sent(struct endpoint *e, const struct parcel *p)
{
    struct tenant_meters *m = meters_of(e, p->tenant);
    i64 now = write_now(e->write);

    metric_add(m->sent_bytes, (f64)p->body->n);
    metric_add(m->sent_entries, p->entries);
    metric_observe(m->size, (f64)p->body->n);
    for (size_t i = 0; i < p->ages.n; i++)
        metric_observe_n(m->latency, (f64)(now - p->ages.v[i].received) / (f64)NS_PER_SEC,
                         p->ages.v[i].n);
}

void meters_dropped(struct endpoint *e, struct tenant *t, enum reason why, u64 entries, u64 bytes)
{
    struct tenant_meters *m = meters_of(e, t);

    metric_add(m->dropped_entries[why], (f64)entries);
    metric_add(m->dropped_bytes[why], (f64)bytes);
}
