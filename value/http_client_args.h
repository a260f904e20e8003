/* The settings of HTTP clients in Prometheus' manner (`client` blocks and their like): rows, rules,
 * and their way into net/. On this floor because imports need them as well as components. Views
 * made here point into the arguments and the arena. */
#ifndef VALUE_HTTP_CLIENT_ARGS_H
#define VALUE_HTTP_CLIENT_ARGS_H

#include "net/http_auth.h"
#include "value/schema.h"

struct http_tls_args {
    struct str ca_pem, ca_file, cert_pem, cert_file, key_file, server_name;
    struct secret key_pem;
    bool insecure_skip_verify;
    struct opt_str min_version;
};

struct http_proxy_args {
    struct str url, no_proxy;
    bool from_environment;
    struct value connect_header; /* map(list(secret)) */
};

struct http_basic_auth_args {
    struct secret password;
    struct str password_file, username;
};

struct http_authorization_args {
    struct secret credentials;
    struct str credentials_file, type;
};

struct http_oauth2_args {
    struct str client_id, client_secret_file, token_url;
    struct secret client_secret;
    struct str_map endpoint_params;
    struct str_list scopes;
    struct http_proxy_args proxy;
    struct http_tls_args *tls_config;
};

struct http_client_args {
    struct http_authorization_args *authorization;
    struct http_basic_auth_args *basic_auth;
    struct secret bearer_token;
    struct str bearer_token_file;
    bool enable_http2, follow_redirects;
    struct value http_headers; /* map(list(secret)) */
    struct http_oauth2_args *oauth2;
    struct http_proxy_args proxy;
    struct http_tls_args tls_config;
};
extern const struct shape http_header_lists_shape; /* map(list(secret)) */
extern const struct schema http_client_args_schema;
extern const struct schema http_tls_schema, http_authorization_schema, http_basic_auth_schema,
    http_oauth2_schema;

/* The same among the settings of another block: rows of T at the member prefix m (`client.`), the
 * rule, and what the rows' values must fulfil (call it in T's validate). */
#define HTTP_CLIENT_ROWS(T, m)                                                                     \
    BLOCK_PTR_AS(T, m authorization, "authorization", &http_authorization_schema,                  \
                 .doc = "Credentials for the Authorization header."),                              \
        BLOCK_PTR_AS(T, m basic_auth, "basic_auth", &http_basic_auth_schema,                       \
                     .doc = "User name and password."),                                            \
        ATTR_AS(T, m bearer_token, "bearer_token", .def = "\"\"", .doc = "Bearer token."),         \
        ATTR_AS(T, m bearer_token_file, "bearer_token_file", .def = "\"\"",                        \
                .doc = "File with the bearer token, read for each request."),                      \
        ATTR_AS(T, m enable_http2, "enable_http2", .def = "true",                                  \
                .doc = "Speak HTTP/2 where the server does."),                                     \
        ATTR_AS(T, m follow_redirects, "follow_redirects", .def = "true",                          \
                .doc = "Follow redirects."),                                                       \
        ATTR_AS(T, m http_headers, "http_headers", .shape = &http_header_lists_shape,              \
                .doc = "Headers of each request, each with a list of values."),                    \
        HTTP_PROXY_ROWS_TO_NO_PROXY(T, m),                                                         \
        BLOCK_PTR_AS(T, m oauth2, "oauth2", &http_oauth2_schema, .doc = "Tokens by OAuth 2."),     \
        HTTP_PROXY_ROWS_FROM_NO_PROXY(T, m),                                                       \
        BLOCK_AS(T, m tls_config, "tls_config", &http_tls_schema, .doc = "TLS settings.")
#define HTTP_PROXY_ROWS_TO_NO_PROXY(T, m)                                                          \
    ATTR_AS(T, m proxy.no_proxy, "no_proxy", .def = "\"\"",                                        \
            .doc = "Hosts that are reached without the proxy: names, .suffixes, addresses, "       \
                   "networks.")
#define HTTP_PROXY_ROWS_FROM_NO_PROXY(T, m)                                                        \
    ATTR_AS(T, m proxy.connect_header, "proxy_connect_header", .shape = &http_header_lists_shape,  \
            .doc = "Headers for the proxy, each with a list of values."),                          \
        ATTR_AS(T, m proxy.from_environment, "proxy_from_environment", .def = "false",             \
                .doc = "Use the proxy that HTTP_PROXY, HTTPS_PROXY and NO_PROXY name."),           \
        ATTR_AS(T, m proxy.url, "proxy_url", .doc = "Proxy to send requests through.")
#define HTTP_CLIENT_RULE                                                                           \
    {                                                                                              \
        .kind = RULE_AT_MOST_ONE,                                                                  \
        .names = {"basic_auth", "authorization", "oauth2", "bearer_token", "bearer_token_file"},   \
        .message = "at most one of basic_auth, authorization, oauth2, bearer_token & "             \
                   "bearer_token_file must be configured"                                          \
    }
void http_client_args_check(const struct http_client_args *a, const struct schema *s,
                            const struct span *at, struct diags *diags);

/* TLS towards a server. */
struct tls_conf http_tls_conf(const struct http_tls_args *a);
/* Of requests, and of those for OAuth 2 tokens (a->oauth2 is set). */
void http_client_args_target(const struct http_client_args *a, struct arena *arena,
                             struct http_target_conf *ret);
void http_client_args_token_target(const struct http_client_args *a, struct arena *arena,
                                   struct http_target_conf *ret);
/* Without the target. */
void http_client_args_auth(const struct http_client_args *a, struct arena *arena,
                           struct http_auth_conf *ret);
/* http_headers, in the arena. */
size_t http_client_args_headers(const struct http_client_args *a, struct arena *arena,
                                const struct http_header **ret);

#endif
