/* The `tls` blocks of otelcol components: rows, rules, and their way into net/tls.h. Arguments are
 * borrowed from the decoding arena. */
#ifndef COMPONENTS_COMMON_OTEL_TLS_H
#define COMPONENTS_COMMON_OTEL_TLS_H

#include "net/tls.h"
#include "runtime/component.h"

struct otel_tpm_args {
    bool enabled;
    struct str auth, owner_auth, path;
};

/* One struct for both sides; a schema binds what its side has. */
struct otel_tls_args {
    struct str ca_file, ca_pem, cert_file, cert_pem, key_file, client_ca_file, server_name,
        min_version, max_version;
    struct secret key_pem;
    struct str_list cipher_suites, curve_preferences;
    bool include_insecure_cipher_suites, include_system_ca_certs_pool, insecure,
        insecure_skip_verify;
    struct dur reload_interval;
    struct otel_tpm_args *tpm;
};

extern const struct schema otel_tls_server_schema, otel_tls_client_schema;

/* Adds every fault of the block at `path` ("http/tls") to p->diags; 0 or -EINVAL. Reads no file. */
int otel_tls_prepare(struct prepare *p, const char *path, const struct otel_tls_args *a);
/* Views into a, which must outlive *ret. */
void otel_tls_conf(const struct otel_tls_args *a, struct tls_conf *ret);

#endif
