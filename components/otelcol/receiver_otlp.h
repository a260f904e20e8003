/* Between the files of otelcol.receiver.otlp: receiver_otlp.c (arguments, life),
 * receiver_otlp_call.c (a request's way through the pipeline), receiver_otlp_http.c and
 * receiver_otlp_grpc.c (the two transports). */
#ifndef COMPONENTS_OTELCOL_RECEIVER_OTLP_H
#define COMPONENTS_OTELCOL_RECEIVER_OTLP_H

#include "base/codec.h"
#include "base/list.h"
#include "components/common/auth.h"
#include "components/common/cors.h"
#include "components/common/listening.h"
#include "components/common/otel_output.h"
#include "components/common/otel_tls.h"
#include "components/common/rpc_metrics.h"
#include "net/grpc.h"

/* --- arguments --- */
struct receiver_otlp_server_parameters {
    struct dur max_connection_age_grace, max_connection_age, max_connection_idle, time, timeout;
};
struct receiver_otlp_enforcement {
    struct dur min_time;
    bool permit_without_stream;
};
struct receiver_otlp_keepalive {
    struct receiver_otlp_server_parameters server_parameters;
    struct receiver_otlp_enforcement enforcement_policy;
};
struct receiver_otlp_grpc_args {
    struct capsule_ref auth;
    struct str endpoint, transport;
    bool include_metadata;
    i64 max_concurrent_streams;
    struct bytesize max_recv_msg_size, read_buffer_size, write_buffer_size;
    struct receiver_otlp_keepalive keepalive;
    struct otel_tls_args *tls;
};
struct receiver_otlp_http_args {
    struct capsule_ref auth;
    struct str_list compression_algorithms;
    struct str endpoint, logs_url_path, metrics_url_path, traces_url_path;
    bool include_metadata, keep_alives_enabled;
    struct bytesize max_request_body_size;
    struct dur idle_timeout, read_header_timeout, read_timeout, write_timeout;
    struct cors_args cors;
    struct otel_tls_args *tls;
};
struct receiver_otlp_args {
    struct receiver_otlp_grpc_args *grpc;
    struct receiver_otlp_http_args *http;
    struct otel_debug_metrics debug_metrics;
    struct otel_output output;
};

struct receiver_otlp_plan {
    const struct receiver_otlp_args *args;
    u32 signals; /* those that lead somewhere */
    struct str path[SIGNAL_COUNT];
    size_t http_limit, grpc_limit; /* bytes of a body, of a message */
};

/* --- instance and shard --- */
enum otlp_transport { OTLP_HTTP, OTLP_GRPC, OTLP_TRANSPORTS };

struct receiver_otlp_shared {
    struct listening *listening[OTLP_TRANSPORTS]; /* of the current plan */
    struct metric *accepted[OTLP_TRANSPORTS][SIGNAL_COUNT], *refused[OTLP_TRANSPORTS][SIGNAL_COUNT];
    struct rpc_metrics rpc[SIGNAL_COUNT];
};

struct receiver_otlp {
    struct shard *shard;
    const struct receiver_otlp_plan *plan;
    struct receiver_otlp_shared *shared;
    struct otel_outputs outputs;
    struct serving serving[OTLP_TRANSPORTS];
    struct list calls;            /* those whose pipeline has not answered */
    i64 full_since[SIGNAL_COUNT]; /* monotonic; 0: it has room */
    bool stopping;
};

/* --- one request; lives in its arena, r->user points to it --- */
struct otlp_call;
struct otlp_request {
    enum signal signal;
    bool json;
    enum codec codec;
    i64 started;
    struct client_info
        *client; /* attributes of the authenticated client; the arena holds the reference */
    struct http_header cors[CORS_HEADERS_MAX];
    size_t n_cors;
    struct otlp_call *call; /* once the pipeline has it */
};
struct otlp_request *receiver_request_of(struct receiver_otlp *self, struct http_req *r);
/* NULL: it may pass. */
const char *otlp_authenticate(struct http_req *r, struct capsule_ref auth);

/* The status to refuse a request with while it could not be taken anyway; GRPC_OK: it can. */
struct grpc_status otlp_overload(struct receiver_otlp *self, enum signal s);

/* Gives a validated payload (root moves) to the pipeline and answers when it has: through
 * http_answer or grpc_answer. Zero items answer at once. */
void otlp_submit(struct receiver_otlp *self, struct http_req *r, enum otlp_transport t,
                 struct blob *root, u32 items);
void otlp_gone(void *arg, struct http_req *r);
/* The shard is over: calls that are still out answer nobody. */
void otlp_calls_forget(struct receiver_otlp *self);

void otlp_http_answer(struct http_req *r, const struct grpc_status *s);
void otlp_grpc_answer(struct http_req *r, const struct grpc_status *s);
extern const struct http_handler otlp_http_handler, otlp_grpc_handler;

#endif
