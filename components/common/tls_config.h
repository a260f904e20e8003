/* The `tls_config` block of Prometheus' style, for clients (http_client_config, oauth2 and their
 * kin) and for listeners. Arguments are borrowed from the decoding arena. */
#ifndef COMPONENTS_COMMON_TLS_CONFIG_H
#define COMPONENTS_COMMON_TLS_CONFIG_H

#include "net/tls.h"
#include "runtime/component.h"

struct tls_config_args {
    struct str ca_pem, ca_file, cert_pem, cert_file, key_file, min_version, server_name;
    struct secret key_pem;
    bool insecure_skip_verify;
};
extern const struct schema tls_config_schema;

/* A certificate, a key or a CA is given: what switches TLS on for a listener. */
bool tls_config_given(const struct tls_config_args *a);
/* Adds the faults of the block at `path` ("client/tls_config") to p->diags; 0 or -EINVAL. Reads no
 * file. */
int tls_config_prepare(struct prepare *p, const char *path, const struct tls_config_args *a);
/* Views into a, which must outlive *ret. A client trusts its CA; a listener, with
 * tls_config_server_conf, asks for client certificates from it. */
void tls_config_conf(const struct tls_config_args *a, struct tls_conf *ret);
void tls_config_server_conf(const struct tls_config_args *a, struct tls_conf *ret);

#endif
