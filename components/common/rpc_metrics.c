/* The rpc_server_* and rpc_client_* histograms. Source: spec D.2, reference's debug_metrics. */
#include "components/common/rpc_metrics.h"

#include "components/common/otel_metrics.h"

static const f64 bounds[] = {0,   5,   10,   25,   50,   75,   100,  250,
                             500, 750, 1000, 2500, 5000, 7500, 10000};

#define HISTOGRAM(name_, help_)                                                                    \
    {                                                                                              \
        .name = name_, .help = help_, .kind = METRIC_HISTOGRAM, .bounds = bounds,                  \
        .n_bounds = ARRAY_LEN(bounds)                                                              \
    }
#define FAMILY(side)                                                                               \
    {                                                                                              \
        HISTOGRAM("rpc_" side "_duration_milliseconds", "Time that calls took."),                  \
            HISTOGRAM("rpc_" side "_request_size_bytes",                                           \
                      "Size of request messages, uncompressed."),                                  \
            HISTOGRAM("rpc_" side "_response_size_bytes",                                          \
                      "Size of response messages, uncompressed."),                                 \
            HISTOGRAM("rpc_" side "_requests_per_rpc", "Request messages in one call."),           \
            HISTOGRAM("rpc_" side "_responses_per_rpc", "Response messages in one call."),         \
    }
static const struct metric_desc server_family[] = FAMILY("server");
static const struct metric_desc client_family[] = FAMILY("client");

const char *otlp_service_name(enum signal s)
{
    static const char *const names[SIGNAL_COUNT] = {
        "opentelemetry.proto.collector.trace.v1.TraceService",
        "opentelemetry.proto.collector.metrics.v1.MetricsService",
        "opentelemetry.proto.collector.logs.v1.LogsService",
    };
    return names[s];
}

static void create(struct comp *c, const struct metric_desc *family, const char *scope,
                   struct rpc_metrics *m, enum signal s)
{
    struct metric **const series[] = {&m->duration, &m->request_size, &m->response_size,
                                      &m->requests, &m->responses};
    const struct metric_label labels[] = {
        {"rpc_system", "grpc"},
        {"rpc_service", otlp_service_name(s)},
        {"rpc_method", "Export"},
        OTEL_SCOPE_LABELS(scope),
    };
    for (size_t i = 0; i < ARRAY_LEN(series); i++)
        *series[i] = comp_metric(c, &family[i], labels, ARRAY_LEN(labels));
}

#define SCOPE "go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"

void rpc_metrics_server(struct comp *c, struct rpc_metrics by_signal[SIGNAL_COUNT])
{
    for (enum signal s = 0; s < SIGNAL_COUNT; s++)
        create(c, server_family, SCOPE, &by_signal[s], s);
}

void rpc_metrics_client(struct comp *c, struct rpc_metrics by_signal[SIGNAL_COUNT])
{
    for (enum signal s = 0; s < SIGNAL_COUNT; s++)
        create(c, client_family, SCOPE, &by_signal[s], s);
}

void rpc_metrics_observe(const struct rpc_metrics *m, i64 elapsed, size_t request, size_t response)
{
    metric_observe(m->duration, (f64)elapsed / (f64)NS_PER_MS);
    metric_observe(m->request_size, (f64)request);
    metric_observe(m->response_size, (f64)response);
    metric_observe(m->requests, 1);
    metric_observe(m->responses, 1);
}
