/* Metrics of the server of prometheus.receive_http. */
#include "components/prometheus/receive_http/receive.h"

#define M "prometheus_receive_http_"

static const f64 second_bounds[] = {.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 25, 50, 100};
static const f64 byte_bounds[] = {1 << 20,  2.5 * (1 << 20), 5 << 20,   10 << 20,
                                  25 << 20, 50 << 20,        100 << 20, 250 << 20};
static const struct metric_desc seconds_desc = {
    .name = M "request_duration_seconds",
    .help = "Time (in seconds) spent serving HTTP requests.",
    .kind = METRIC_HISTOGRAM,
    .bounds = second_bounds,
    .n_bounds = ARRAY_LEN(second_bounds)};
static const struct metric_desc inflight_desc = {.name = M "inflight_requests",
                                                 .help = "Current number of inflight requests.",
                                                 .kind = METRIC_GAUGE};
static const struct metric_desc in_desc = {
    .name = M "request_message_bytes",
    .help = "Size (in bytes) of messages received in the request.",
    .kind = METRIC_HISTOGRAM,
    .bounds = byte_bounds,
    .n_bounds = ARRAY_LEN(byte_bounds)};
static const struct metric_desc out_desc = {.name = M "response_message_bytes",
                                            .help = "Size (in bytes) of messages sent in response.",
                                            .kind = METRIC_HISTOGRAM,
                                            .bounds = byte_bounds,
                                            .n_bounds = ARRAY_LEN(byte_bounds)};
static const struct metric_label route[] = {{"method", "POST"}, {"route", "api_v1_metrics_write"}};

void receive_meter_begin(struct receive *self)
{
    struct receive_meters *m = &self->meters;

    if (!m->inflight) {
        m->inflight = shard_metric(self->shard, &inflight_desc, route, ARRAY_LEN(route));
        m->in_bytes = shard_metric(self->shard, &in_desc, route, ARRAY_LEN(route));
        m->out_bytes = shard_metric(self->shard, &out_desc, route, ARRAY_LEN(route));
    }
    metric_add(m->inflight, 1);
}

void receive_meter_body(struct receive *self, size_t n)
{
    metric_observe(self->meters.in_bytes, (f64)n);
}

static struct metric *seconds_of(struct receive *self, int status)
{
    struct receive_meters *m = &self->meters;
    char code[16];
    const struct metric_label labels[] = {
        route[0], route[1], {"status_code", code}, {"ws", "false"}};

    for (size_t i = 0; i < RECEIVE_STATUSES; i++) {
        if (m->by_status[i].status == status) return m->by_status[i].seconds;
        if (m->by_status[i].status) continue;
        (void)snprintf(code, sizeof(code), "%d", status);
        m->by_status[i].status = status;
        return m->by_status[i].seconds =
                   shard_metric(self->shard, &seconds_desc, labels, ARRAY_LEN(labels));
    }
    return NULL;
}

void receive_meter_answer(struct receive *self, i64 took, int status, size_t n)
{
    metric_add(self->meters.inflight, -1);
    metric_observe(self->meters.out_bytes, (f64)n);
    metric_observe(seconds_of(self, status), (f64)took / NS_PER_SEC);
}

void receive_meter_gone(struct receive *self)
{
    metric_add(self->meters.inflight, -1);
}
