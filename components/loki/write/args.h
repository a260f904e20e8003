/* The settings of loki.write, and what prepare makes of them. */
#ifndef COMPONENTS_LOKI_WRITE_ARGS_H
#define COMPONENTS_LOKI_WRITE_ARGS_H

#include "runtime/component.h"
#include "value/http_client_args.h"

struct queue_args {
    bool block_on_overflow;
    struct bytesize capacity;
    struct dur drain_timeout;
    i64 min_shards;
};
struct endpoint_args {
    struct http_client_args client;
    struct str url, name, tenant_id;
    struct bytesize batch_size;
    struct dur batch_wait, min_backoff_period, max_backoff_period, remote_timeout;
    i64 max_backoff_retries;
    struct str_map headers;
    bool retry_on_http_429;
    struct queue_args queue_config;
    struct span span;
};
struct wal_args {
    bool enabled;
    struct dur max_segment_age, min_read_frequency, max_read_frequency, drain_timeout;
    struct bytesize max_size;
};
struct write_args {
    struct str_map external_labels;
    i64 max_streams;
    struct {
        struct endpoint_args *v;
        size_t n;
    } endpoint;
    struct wal_args wal;
};
extern const struct schema write_args_schema;

#define ENDPOINT_ID 40
struct endpoint_conf {
    const struct endpoint_args *args;
    const struct write_args *all;
    char id[ENDPOINT_ID]; /* names its mark on disk; stable over restarts */
    bool named;           /* by its name: the id stays when the URL changes */
    const char *host;     /* label of metrics */
    const char *shown;    /* in messages */
    struct http_target_conf target;
    struct http_auth_conf auth;
    struct http_target_conf token_target;
    u64 print; /* of what a target is made of; 0: files are read, it is made anew */
    u32 index; /* in the plan */
    const struct http_header *headers; /* custom ones that may be sent */
    size_t n_headers;
    struct str tenant_header; /* X-Scope-OrgID among the custom ones; .p NULL: none */
};
struct write_plan {
    const struct write_args *args;
    struct endpoint_conf *endpoints;
    u32 n;
};
int write_prepare(struct prepare *p, const void *args, void *plan);
/* Whether both may share batches. */
bool same_batching(const struct endpoint_conf *a, const struct endpoint_conf *b);

#endif
