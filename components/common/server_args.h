/* The `http` and `grpc` blocks of components with a server of Loki's kind (loki.source.api,
 * prometheus.receive_http ...), and their way into net/http_server.h. Arguments are borrowed from
 * the decoding arena. */
#ifndef COMPONENTS_COMMON_SERVER_ARGS_H
#define COMPONENTS_COMMON_SERVER_ARGS_H

#include "components/common/listening.h"

struct server_tls_args {
    struct str cert_pem, cert_file, client_auth_type, client_ca_file, client_ca, key_file,
        cipher_suites, min_version;
    struct secret key_pem;
};
struct server_http2_args {
    bool enabled, permit_prohibited_ciphers;
    i64 max_handlers, max_concurrent_streams, max_decoder_header_table_size,
        max_encoder_header_table_size, max_read_frame_size, max_upload_buffer_per_connection,
        max_upload_buffer_per_stream;
    struct dur idle_timeout, read_idle_timeout, ping_timeout, write_byte_timeout;
};
struct server_http_args {
    i64 conn_limit, listen_port;
    struct str listen_address;
    struct dur server_idle_timeout, server_read_timeout, server_write_timeout;
    struct server_tls_args *tls;
    struct server_http2_args http2;
};
struct server_grpc_args {
    i64 conn_limit, listen_port, server_max_concurrent_streams, server_max_recv_msg_size,
        server_max_send_msg_size;
    struct str listen_address;
    struct dur max_connection_age, max_connection_age_grace, max_connection_idle;
    struct server_tls_args *tls;
};
extern const struct schema server_http_schema, server_grpc_schema;

/* Faults and settings without effect go to p->diags; 0 or -EINVAL. A component whose server speaks
 * gRPC to nobody gives grpc to server_grpc_unused in place of opening a port. */
int server_http_prepare(struct prepare *p, const struct server_http_args *a);
void server_grpc_unused(struct prepare *p);
/* What to listen on; *ret's texts are in arena. 0; or -EINVAL with an owned *ret_err
 * (certificates). The caller lets go of ret->http.tls. */
int server_http_conf(const struct server_http_args *a, const struct host *host, struct arena *arena,
                     struct listening_conf *ret, char **ret_err);

#endif
