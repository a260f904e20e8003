/* The `tls_config` block of Prometheus' style (value/http_client_args.h) at a listener. */
#ifndef COMPONENTS_COMMON_TLS_CONFIG_H
#define COMPONENTS_COMMON_TLS_CONFIG_H

#include "net/tls.h"
#include "value/http_client_args.h"

/* A certificate, a key or a CA is given: what switches TLS on. */
bool tls_config_given(const struct http_tls_args *a);
/* The CA is the one that certificates of clients are asked from. Views into a. */
struct tls_conf tls_config_server_conf(const struct http_tls_args *a);

#endif
