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
extern const struct schema http_client_args_schema;

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
