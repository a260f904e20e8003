/* Outcomes of OTLP requests on both transports: gRPC codes to HTTP statuses and back, and the
 * google.rpc.Status bodies of HTTP answers. Pure. */
#ifndef COMPONENTS_COMMON_OTLP_STATUS_H
#define COMPONENTS_COMMON_OTLP_STATUS_H

#include "base/buf.h"
#include "net/grpc.h"
#include "telemetry/ack.h"

int otlp_http_status(enum grpc_code code);
enum grpc_code otlp_code_of_http(int status);
/* Codes an exporter tries again; ResourceExhausted only when the peer named a delay. */
bool otlp_code_retryable(enum grpc_code code, bool has_retry_info);

/* What a receiver tells its client after the pipeline ended so; message is borrowed from f or
 * static. At least a second's delay with 429 and 503. */
struct grpc_status otlp_status_of_ack(enum ack_outcome outcome, const struct ack_failure *f);

/* Body of an HTTP error answer. Protobuf carries RetryInfo in the details; JSON is
 * {"code":14,"message":"..."}, details included when there are. */
void otlp_status_body(const struct grpc_status *s, bool json, struct buf *out);

#endif
