/* The rpc_server_* and rpc_client_* histograms of OTLP over gRPC, one series per service. */
#ifndef COMPONENTS_COMMON_RPC_METRICS_H
#define COMPONENTS_COMMON_RPC_METRICS_H

#include "runtime/component.h"

struct rpc_metrics {
    struct metric *duration, *request_size, *response_size, *requests, *responses;
};

/* "opentelemetry.proto.collector.trace.v1.TraceService" */
const char *otlp_service_name(enum signal s);
/* Control loop. */
void rpc_metrics_server(struct comp *c, struct rpc_metrics by_signal[SIGNAL_COUNT]);
void rpc_metrics_client(struct comp *c, struct rpc_metrics by_signal[SIGNAL_COUNT]);
/* One unary call. Any worker. */
void rpc_metrics_observe(const struct rpc_metrics *m, i64 elapsed, size_t request, size_t response);

#endif
