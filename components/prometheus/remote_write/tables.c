/* prometheus.remote_write: the tables of its settings, and what their values must fulfil. */
#include "components/prometheus/remote_write/args.h"

#define Q struct queue_args
static const struct row queue_rows[] = {
    ATTR(Q, batch_send_deadline, .def = "\"5s\"", .doc = "Longest wait before a request is sent."),
    ATTR(Q, capacity, .def = "10000", .has_min = true, .min = 1,
         .doc = "Samples of a shard that may wait in memory; the others wait in the log."),
    ATTR(Q, max_backoff, .def = "\"5s\"", .doc = "Longest wait between attempts."),
    ATTR(Q, max_samples_per_send, .def = "2000", .has_min = true, .min = 1,
         .doc = "Most samples in one request."),
    ATTR(Q, max_shards, .def = "50", .has_min = true, .min = 1,
         .doc = "Most requests in flight at a time."),
    ATTR(Q, min_backoff, .def = "\"30ms\"", .doc = "Wait before the second attempt."),
    ATTR(Q, min_shards, .def = "1", .has_min = true, .min = 1,
         .doc = "Least number of shards, and that of the start."),
    ATTR(Q, retry_on_http_429, .def = "true", .doc = "Try again after an answer 429."),
    ATTR(Q, sample_age_limit, .def = "\"0s\"",
         .doc = "Samples older than this are not sent; 0s: whatever their age."),
};
static const struct schema queue_schema = SCHEMA(Q, queue_rows);
#undef Q

#define M struct metadata_args
static const struct row metadata_rows[] = {
    ATTR(M, max_samples_per_send, .def = "2000", .has_min = true, .min = 1,
         .doc = "Most families in one request."),
    ATTR(M, send, .def = "true", .doc = "Send type, help and unit of metrics."),
    ATTR(M, send_interval, .def = "\"1m\"", .doc = "Time between sending all of them."),
};
static const struct schema metadata_schema = SCHEMA(M, metadata_rows);
#undef M

#define S struct sigv4_args
static const struct row sigv4_rows[] = {
    ATTR(S, access_key, .def = "\"\"", .doc = "Key id; empty: as the AWS tools find it."),
    ATTR(S, external_id, .def = "\"\"", .doc = "External id for the role."),
    ATTR(S, profile, .def = "\"\"", .doc = "Profile in the shared credentials file."),
    ATTR(S, region, .def = "\"\"", .doc = "Region; empty: as the AWS tools find it."),
    ATTR(S, role_arn, .def = "\"\"", .doc = "Role to assume."),
    ATTR(S, secret_key, .def = "\"\"", .doc = "The key."),
    ATTR(S, service_name, .def = "\"aps\"", .doc = "Service that requests are signed for."),
    ATTR(S, use_fips_sts_endpoint, .def = "false", .doc = "Ask the FIPS endpoint for the role."),
};
static const struct rule sigv4_rules[] = {
    {.kind = RULE_REQUIRES,
     .names = {"access_key", "secret_key"},
     .message = "must provide a AWS SigV4 access key and secret key, if one is specified"},
    {.kind = RULE_REQUIRES,
     .names = {"secret_key", "access_key"},
     .message = "must provide a AWS SigV4 access key and secret key, if one is specified"},
    {.kind = RULE_REQUIRES,
     .names = {"external_id", "role_arn"},
     .message = "external_id can only be used with role_arn"},
};
static const struct schema sigv4_schema =
    SCHEMA(S, sigv4_rows, .rules = sigv4_rules, .n_rules = ARRAY_LEN(sigv4_rules));
#undef S

#define I struct azuread_identity
static const struct row managed_rows[] = {
    ATTR(I, client_id, .required = true, .doc = "Client id of the identity."),
};
static const struct row workload_rows[] = {
    ATTR(I, client_id, .required = true, .doc = "Client id."),
    ATTR(I, tenant_id, .required = true, .doc = "Tenant id."),
    ATTR(I, token_file_path, .def = "\"/var/run/secrets/azure/tokens/azure-identity-token\"",
         .doc = "File with the token."),
};
static const struct row oauth_rows[] = {
    ATTR(I, client_id, .required = true, .doc = "Client id."),
    ATTR(I, client_secret, .required = true, .doc = "Client secret."),
    ATTR(I, tenant_id, .required = true, .doc = "Tenant id."),
};
static const struct row sdk_rows[] = {
    ATTR(I, tenant_id, .required = true, .doc = "Tenant id."),
};
static const struct schema managed_schema = SCHEMA(I, managed_rows);
static const struct schema workload_schema = SCHEMA(I, workload_rows);
static const struct schema oauth_schema = SCHEMA(I, oauth_rows);
static const struct schema sdk_schema = SCHEMA(I, sdk_rows);
#undef I

#define A struct azuread_args
static const struct row azuread_rows[] = {
    ATTR(A, cloud, .def = "\"AzurePublic\"",
         .one_of = ONE_OF_TEXT("AzurePublic", "AzureChina", "AzureGovernment"), .doc = "Cloud."),
    BLOCK_PTR(A, managed_identity, &managed_schema, .doc = "A managed identity."),
    BLOCK_PTR(A, oauth, &oauth_schema, .doc = "OAuth 2."),
    ATTR(A, scope, .def = "\"\"", .doc = "Scope of the token."),
    BLOCK_PTR(A, sdk, &sdk_schema, .doc = "What the environment of the Azure SDK says."),
    BLOCK_PTR(A, workload_identity, &workload_schema, .doc = "A workload identity."),
};
static const struct schema azuread_schema = SCHEMA(A, azuread_rows);
#undef A

static const struct row google_rows[] = {
    ATTR(struct google_iam_args, credentials_file, .def = "\"\"",
         .doc = "File of the credentials."),
};
static const struct schema google_schema = SCHEMA(struct google_iam_args, google_rows);

#define E struct endpoint_args
static const struct row endpoint_rows[] = {
    ATTR(E, url, .required = true, .doc = "URL that samples are sent to."),
    BLOCK_PTR_AS(E, client.authorization, "authorization", &http_authorization_schema,
                 .doc = "Credentials for the Authorization header."),
    BLOCK_PTR(E, azuread, &azuread_schema, .doc = "Azure AD; not in this build."),
    BLOCK_PTR_AS(E, client.basic_auth, "basic_auth", &http_basic_auth_schema,
                 .doc = "User name and password."),
    ATTR_AS(E, client.bearer_token, "bearer_token", .def = "\"\"", .doc = "Bearer token."),
    ATTR_AS(E, client.bearer_token_file, "bearer_token_file", .def = "\"\"",
            .doc = "File with the bearer token, read for each request."),
    ATTR_AS(E, client.enable_http2, "enable_http2", .def = "false",
            .doc = "Speak HTTP/2 where the server does."),
    ATTR_AS(E, client.follow_redirects, "follow_redirects", .def = "true",
            .doc = "Follow redirects."),
    BLOCK_PTR(E, google_iam, &google_schema, .doc = "Google Cloud; not in this build."),
    ATTR(E, headers, .doc = "Further headers of each request; they win over any other."),
    ATTR_AS(E, client.http_headers, "http_headers", .shape = &http_header_lists_shape,
            .doc = "Headers of each request, each with a list of values."),
    BLOCK(E, metadata_config, &metadata_schema, .doc = "Type, help and unit of metrics."),
    ATTR(E, name, .def = "\"\"", .doc = "Name of the endpoint, for the log on disk and metrics."),
    HTTP_PROXY_ROWS_TO_NO_PROXY(E, client.),
    BLOCK_PTR_AS(E, client.oauth2, "oauth2", &http_oauth2_schema, .doc = "Tokens by OAuth 2."),
    ATTR(E, protobuf_message, .def = "\"prometheus.WriteRequest\"",
         .one_of = ONE_OF_TEXT("prometheus.WriteRequest", "io.prometheus.write.v2.Request"),
         .doc = "Message of requests: remote write 1.0 or 2.0."),
    HTTP_PROXY_ROWS_FROM_NO_PROXY(E, client.),
    BLOCK(E, queue_config, &queue_schema, .doc = "What waits to be sent, and how it is sent."),
    ATTR(E, remote_timeout, .def = "\"30s\"", .doc = "Time for one attempt."),
    ATTR(E, round_robin_dns, .def = "false", .doc = "Take the host's addresses in turn."),
    ATTR(E, send_exemplars, .def = "true", .doc = "Send exemplars."),
    ATTR(E, send_native_histograms, .def = "false", .doc = "Send native histograms."),
    BLOCK_PTR(E, sigv4, &sigv4_schema, .doc = "Sign requests for AWS."),
    BLOCK_AS(E, client.tls_config, "tls_config", &http_tls_schema, .doc = "TLS settings."),
    BLOCKS_AS(E, write_relabel_config, "write_relabel_config", &relabel_rule_schema,
              .doc = "Relabelling of series before they are sent, after external labels."),
};
#define ONE_AUTH                                                                                   \
    "at most one of sigv4, azuread, google_iam, basic_auth, oauth2, bearer_token & "               \
    "bearer_token_file must be configured"
static const struct rule endpoint_rules[] = {
    {.kind = RULE_AT_MOST_ONE,
     .names = {"sigv4", "azuread", "google_iam", "basic_auth", "authorization", "oauth2",
               "bearer_token", "bearer_token_file"},
     .message = ONE_AUTH},
};
static void check_endpoint(const void *args, const struct span *at, struct diags *diags);
static const struct schema endpoint_schema =
    SCHEMA(E, endpoint_rows, .rules = endpoint_rules, .n_rules = ARRAY_LEN(endpoint_rules),
           .validate = check_endpoint, .span_off = offsetof(E, span));
#undef E

#define W struct wal_args
static const struct row wal_rows[] = {
    ATTR(W, max_keepalive_time, .def = "\"8h\"",
         .doc = "Files of the log written last so long ago go, delivered or not."),
    ATTR(W, min_keepalive_time, .def = "\"5m\"",
         .doc = "Kept for compatibility: what every endpoint has is not needed any longer."),
    ATTR(W, truncate_frequency, .def = "\"2h\"",
         .doc = "Age at which a file of the log is closed, so that it can go."),
};
static const struct schema wal_schema = SCHEMA(W, wal_rows);
#undef W

#define A struct write_args
static const struct row args_rows[] = {
    BLOCKS(A, endpoint, &endpoint_schema, .doc = "Where to send samples."),
    ATTR(A, external_labels, .doc = "Labels added to series that lack them."),
    BLOCK(A, wal, &wal_schema, .doc = "The log on disk."),
};
static void check_args(const void *args, const struct span *at, struct diags *diags);
const struct schema remote_write_args_schema = SCHEMA(A, args_rows, .validate = check_args);
#undef A

static void check_times(const struct endpoint_args *a, const struct span *at, struct diags *diags)
{
    static const char *const names[] = {"remote_timeout", "queue_config", "metadata_config"};
    const struct queue_args *q = &a->queue_config;
    const bool bad[] = {a->remote_timeout.ns < 0,
                        q->batch_send_deadline.ns < 0 || q->min_backoff.ns < 0 ||
                            q->max_backoff.ns < 0 || q->sample_age_limit.ns < 0,
                        a->metadata_config.send_interval.ns < 0};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (bad[i])
            diag_error(diags, DIAG_VALUE_INVALID, schema_span(&endpoint_schema, at, names[i]),
                       "a time in %s must not be negative", names[i]);
}

static void check_endpoint(const void *args, const struct span *at, struct diags *diags)
{
    const struct endpoint_args *a = args;
    struct url url;
    char *why = NULL;

    if (url_parse(a->url, &url, &why) != 0)
        diag_error(diags, DIAG_VALUE_INVALID, schema_span(&endpoint_schema, at, "url"), "%s", why);
    free(why);
    check_times(a, at, diags);
    if (a->queue_config.max_shards < a->queue_config.min_shards)
        diag_error(diags, DIAG_VALUE_INVALID, schema_span(&endpoint_schema, at, "queue_config"),
                   "max_shards must not be less than min_shards");
    http_client_args_check(&a->client, &endpoint_schema, at, diags);
}

static void check_args(const void *args, const struct span *at, struct diags *diags)
{
    const struct wal_args *w = &((const struct write_args *)args)->wal;
    struct span span = schema_span(&remote_write_args_schema, at, "wal");

    if (w->truncate_frequency.ns == 0)
        diag_error(diags, DIAG_BODY_RULE, span, "truncate_frequency must not be 0");
    if (w->max_keepalive_time.ns <= w->min_keepalive_time.ns)
        diag_error(diags, DIAG_BODY_RULE, span,
                   "min_keepalive_time must be smaller than max_keepalive_time");
}
