/* Between the files of prometheus.receive_http: receive_http.c (arguments, life), requests.c
 * (headers, bodies, answers), meters.c (its metrics). */
#ifndef COMPONENTS_PROMETHEUS_RECEIVE_HTTP_RECEIVE_H
#define COMPONENTS_PROMETHEUS_RECEIVE_HTTP_RECEIVE_H

#include "components/common/http_calls.h"
#include "components/common/metrics_receiver.h"
#include "components/common/sample_output.h"
#include "components/common/server_args.h"
#include "telemetry/remote_write.h"

#define RECEIVE_PATH     "/api/v1/metrics/write"
#define RECEIVE_BODY_MAX ((size_t)100 << 20) /* bytes of a body, compressed or not */

struct receive_args {
    struct capsule_list forward_to;
    struct str_list accepted_remote_write_protobuf_messages;
    bool append_metadata, enable_type_and_unit_labels;
    struct dur graceful_shutdown_timeout;
    struct server_http_args http;
    struct server_grpc_args grpc;
};
struct receive_plan {
    const struct receive_args *args;
    bool accepts[2]; /* by enum rw_version */
};
#define RECEIVE_STATUSES 8
/* Series of one worker, made when they are first needed. */
struct receive_meters {
    struct metric *inflight, *in_bytes, *out_bytes;
    struct {
        int status;
        struct metric *seconds;
    } by_status[RECEIVE_STATUSES];
};
struct receive_shared {
    struct listening *listening;
    struct sample_output output;
    struct metric *connections;
};
struct receive {
    struct shard *shard;
    const struct receive_plan *plan;
    struct receive_shared *shared;
    struct fanout *out;
    struct http_calls calls;
    struct serving serving;
    struct series_keeper keeper;
    struct sample_builder *builder;
    struct receive_meters meters;
    bool stopping;
};
extern const struct http_handler receive_handler;
extern const struct http_calls_rules receive_calls;
void receive_stopped_when_idle(void *arg);

/* One request; in its arena, r->user. */
struct receive_request {
    enum rw_version version;
    i64 started;
    struct rw_counts counts; /* what was read from it */
    char *refused;           /* 2.0: why series were passed over; in the arena */
};

/* --- meters.c --- */
/* A request began; its body is there; it was answered; its client went away. */
void receive_meter_begin(struct receive *self);
void receive_meter_body(struct receive *self, size_t n);
void receive_meter_answer(struct receive *self, i64 took, int status, size_t n);
void receive_meter_gone(struct receive *self);

#endif
