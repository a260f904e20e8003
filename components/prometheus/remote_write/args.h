/* The settings of prometheus.remote_write, and what prepare makes of them. */
#ifndef COMPONENTS_PROMETHEUS_REMOTE_WRITE_ARGS_H
#define COMPONENTS_PROMETHEUS_REMOTE_WRITE_ARGS_H

#include "components/common/relabel.h"
#include "runtime/component.h"
#include "telemetry/remote_write.h"
#include "value/http_client_args.h"

struct queue_args {
    struct dur batch_send_deadline, max_backoff, min_backoff, sample_age_limit;
    i64 capacity, max_samples_per_send, max_shards, min_shards;
    bool retry_on_http_429;
};
struct metadata_args {
    i64 max_samples_per_send;
    struct dur send_interval;
    bool send;
};
struct sigv4_args {
    struct str access_key, external_id, profile, region, role_arn, service_name;
    struct secret secret_key;
    bool use_fips_sts_endpoint;
};
struct azuread_identity {
    struct str client_id, tenant_id, token_file_path;
    struct secret client_secret;
};
struct azuread_args {
    struct str cloud, scope;
    struct azuread_identity *managed_identity, *workload_identity, *oauth, *sdk;
};
struct google_iam_args {
    struct str credentials_file;
};
struct endpoint_args {
    struct http_client_args client;
    struct str url, name, protobuf_message;
    struct str_map headers;
    struct dur remote_timeout;
    bool round_robin_dns, send_exemplars, send_native_histograms;
    struct queue_args queue_config;
    struct metadata_args metadata_config;
    struct relabel_rules write_relabel_config;
    struct sigv4_args *sigv4;
    struct azuread_args *azuread;
    struct google_iam_args *google_iam;
    struct span span;
};
struct wal_args {
    struct dur truncate_frequency, min_keepalive_time, max_keepalive_time;
};
struct write_args {
    struct str_map external_labels;
    struct {
        struct endpoint_args *v;
        size_t n;
    } endpoint;
    struct wal_args wal;
};
extern const struct schema remote_write_args_schema;

#define ENDPOINT_ID 40
struct endpoint_conf {
    const struct endpoint_args *args;
    char id[ENDPOINT_ID];     /* names its mark on disk; stable over restarts */
    bool named;               /* by its name: the id stays when the URL changes */
    u64 hash;                 /* of everything that is set */
    const char *remote, *url; /* labels of its metrics, and what messages call it */
    enum rw_version version;
    struct relabel *relabel; /* of the plan's arena */
    struct http_target_conf target;
    struct http_auth_conf auth;
    struct http_target_conf token_target;
    u64 print; /* of what a target is made of; 0: files are read, it is made anew */
    u32 index; /* in the plan */
    const struct http_header *headers; /* custom ones */
    size_t n_headers;
};
struct write_plan {
    const struct write_args *args;
    struct endpoint_conf *endpoints;
    u32 n;
    const struct label *external;
    u32 n_external;
};
int remote_write_prepare(struct prepare *p, const void *args, void *plan);

#endif
