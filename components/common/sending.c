/* The life of an exporter's sending machinery: instance-wide limits and metrics, and what each
 * shard has. */
#include "components/common/sending.h"

#include "components/common/otel_metrics.h"
#include "components/common/sending_int.h"

/* --- metrics --- */

#define SCOPE "go.opentelemetry.io/collector/exporter/exporterhelper"

#define PER_SIGNAL(verb, text)                                                                     \
    {                                                                                              \
        {.name = "otelcol_exporter_" verb "_spans_total",                                          \
         .help = "Number of spans " text,                                                          \
         .kind = METRIC_COUNTER},                                                                  \
            {.name = "otelcol_exporter_" verb "_metric_points_total",                              \
             .help = "Number of metric points " text,                                              \
             .kind = METRIC_COUNTER},                                                              \
            {.name = "otelcol_exporter_" verb "_log_records_total",                                \
             .help = "Number of log records " text,                                                \
             .kind = METRIC_COUNTER},                                                              \
    }
static const struct metric_desc sent_desc[SIGNAL_COUNT] =
    PER_SIGNAL("sent", "that the endpoint has taken.");
static const struct metric_desc failed_desc[SIGNAL_COUNT] =
    PER_SIGNAL("send_failed", "that were given up.");
static const struct metric_desc enqueue_desc[SIGNAL_COUNT] =
    PER_SIGNAL("enqueue_failed", "that the queue could not take.");
static const struct metric_desc size_desc = {
    .name = "otelcol_exporter_queue_size",
    .help = "Size of the sending queue, requests being sent included.",
    .kind = METRIC_GAUGE};
static const struct metric_desc capacity_desc = {.name = "otelcol_exporter_queue_capacity",
                                                 .help = "Largest size of the sending queue.",
                                                 .kind = METRIC_GAUGE};
static const struct metric_desc flight_desc = {
    .name = "otelcol_exporter_in_flight_requests",
    .help = "Requests being sent or waiting for their next try.",
    .kind = METRIC_GAUGE};
static const struct metric_desc batch_items_desc = {
    .name = "otelcol_exporter_queue_batch_send_size",
    .help = "Items in the batches that left the queue.",
    .kind = METRIC_HISTOGRAM,
    .bounds = otel_item_bounds,
    .n_bounds = ARRAY_LEN(otel_item_bounds)};
static const struct metric_desc batch_bytes_desc = {
    .name = "otelcol_exporter_queue_batch_send_size_bytes",
    .help = "Bytes in the batches that left the queue.",
    .kind = METRIC_HISTOGRAM,
    .bounds = otel_byte_bounds,
    .n_bounds = ARRAY_LEN(otel_byte_bounds)};

/* The queue's own series name the kind of data too. */
static struct metric *metric_of(struct sending_shared *sh, const struct metric_desc *d,
                                const char *data_type)
{
    struct metric_label labels[] = {
        {"exporter", sh->exporter_id},
        OTEL_SCOPE_LABELS(SCOPE),
        {"data_type", data_type},
    };
    return comp_metric(sh->comp, d, labels, ARRAY_LEN(labels) - (data_type ? 0 : 1));
}

struct metric *exporter_sent_metric(struct comp *c, const char *type, enum signal s)
{
    struct sending_shared sh = {.comp = c, .exporter_id = xprintf("%s/%s", type, c->id)};
    struct metric *m = metric_of(&sh, &sent_desc[s], NULL);
    sending_destroy(&sh);
    return m;
}

static f64 units_used(void *arg)
{
    return (f64)budget_used(arg);
}

static f64 units_limit(void *arg)
{
    struct budget *b = arg;
    return (f64)atomic_load_explicit(&b->limit, memory_order_relaxed);
}

static void lane_create(struct sending_shared *sh, enum signal s)
{
    struct sending_lane_shared *l = &sh->lanes[s];
    budget_init(&l->units, 0);
    l->sent = metric_of(sh, &sent_desc[s], NULL);
    l->failed = metric_of(sh, &failed_desc[s], NULL);
    l->enqueue_failed = metric_of(sh, &enqueue_desc[s], NULL);
    l->size = metric_of(sh, &size_desc, signal_name(s));
    l->capacity = metric_of(sh, &capacity_desc, signal_name(s));
    l->in_flight = metric_of(sh, &flight_desc, signal_name(s));
    metric_fn(l->size, units_used, &l->units);
    metric_fn(l->capacity, units_limit, &l->units);
}

void sending_create(struct sending_shared *sh, struct comp *c, const char *type)
{
    sh->comp = c;
    sh->exporter_id = xprintf("%s/%s", type, c->id);
    for (enum signal s = 0; s < SIGNAL_COUNT; s++)
        lane_create(sh, s);
}

/* Shards look at the batching series only under a plan with batching, which they get after this. */
void sending_configure(struct sending_shared *sh, const struct sending_conf *conf)
{
    for (enum signal s = 0; s < SIGNAL_COUNT; s++) {
        struct sending_lane_shared *l = &sh->lanes[s];
        atomic_store(&l->units.limit, conf->limit);
        atomic_store(&l->permits.limit, conf->consumers);
        if (!conf->batching || l->batch_items) continue;
        l->batch_items = metric_of(sh, &batch_items_desc, signal_name(s));
        l->batch_bytes = metric_of(sh, &batch_bytes_desc, signal_name(s));
    }
}

void sending_destroy(struct sending_shared *sh)
{
    free(sh->exporter_id);
}

/* --- shard --- */

static void look_again(void *arg)
{
    lanes_pump(arg);
}

static void lane_init(struct sending *s, enum signal signal)
{
    struct sending_lane *l = &s->lanes[signal];
    l->sending = s;
    l->shared = &s->shared->lanes[signal];
    l->signal = signal;
    list_init(&l->waiting);
    list_init(&l->queue);
    list_init(&l->flight);
    l->flush = timer_new(s->shard->worker->loop, look_again, s);
    atomic_fetch_add(&l->shared->permits.sharers, 1);
}

void sending_run(struct sending *s, struct shard *shard, struct sending_shared *sh,
                 const struct sending_conf *conf, const struct send_ops *ops, void *arg)
{
    *s = (struct sending){.shard = shard, .shared = sh, .conf = conf, .ops = ops, .arg = arg};
    s->poll = timer_new(shard->worker->loop, look_again, s);
    for (enum signal i = 0; i < SIGNAL_COUNT; i++)
        lane_init(s, i);
}

void sending_apply(struct sending *s, const struct sending_conf *conf)
{
    s->conf = conf;
    if (!conf->batching)
        for (enum signal i = 0; i < SIGNAL_COUNT; i++)
            timer_stop(s->lanes[i].flush);
    lanes_pump(s);
    comp_ready(s->shared->comp); /* limits may have grown */
}

void sending_free(struct sending *s)
{
    for (enum signal i = 0; i < SIGNAL_COUNT; i++) {
        struct sending_lane *l = &s->lanes[i];
        if (!l->sending) continue; /* it never ran */
        lane_each(l, req_abandon);
        permits_sated(&l->shared->permits, &l->share);
        atomic_fetch_sub(&l->shared->permits.sharers, 1);
        timer_free(l->flush);
    }
    timer_free(s->poll);
    timer_free(s->deadline);
}
