/* TLS settings in Prometheus' style. */
#include "components/common/tls_config.h"

#include "components/common/settings.h"

#define A struct tls_config_args
static const struct row rows[] = {
    ATTR(A, ca_file, .doc = "File with the CA certificates (PEM) to trust.", .def = "\"\""),
    ATTR(A, ca_pem, .doc = "CA certificates (PEM) to trust.", .def = "\"\""),
    ATTR(A, cert_file, .doc = "File with the certificate (PEM) to show to the peer.",
         .def = "\"\""),
    ATTR(A, cert_pem, .doc = "Certificate (PEM) to show to the peer.", .def = "\"\""),
    ATTR(A, insecure_skip_verify, .doc = "Do not verify the server's certificate.", .def = "false"),
    ATTR(A, key_file, .doc = "File with the private key (PEM) of the certificate.", .def = "\"\""),
    ATTR(A, key_pem, .doc = "Private key (PEM) of the certificate.", .def = "\"\""),
    ATTR(A, min_version, .doc = "Oldest TLS version to speak; unset: 1.2.",
         .one_of = ONE_OF_TEXT("", "TLS10", "TLS11", "TLS12", "TLS13")),
    ATTR(A, server_name, .def = "\"\"",
         .doc = "Name to verify the server's certificate against and to ask it for."),
};
const struct schema tls_config_schema = SCHEMA(A, rows);
#undef A

bool tls_config_given(const struct tls_config_args *a)
{
    return a->ca_file.n || a->ca_pem.n || a->cert_file.n || a->cert_pem.n || a->key_file.n ||
           a->key_pem.s.n;
}

static int both(struct prepare *p, const char *path, const char *what, bool file, bool pem)
{
    if (!file || !pem) return 0;
    return setting_fault(p, path, "at most one of %s_pem and %s_file must be configured", what,
                         what);
}

int tls_config_prepare(struct prepare *p, const char *path, const struct tls_config_args *a)
{
    bool cert = a->cert_file.n || a->cert_pem.n, key = a->key_file.n || a->key_pem.s.n;
    const int results[] = {
        both(p, path, "ca", a->ca_file.n, a->ca_pem.n),
        both(p, path, "cert", a->cert_file.n, a->cert_pem.n),
        both(p, path, "key", a->key_file.n, a->key_pem.s.n),
        cert == key ? 0
                    : setting_fault(p, path,
                                    "exactly one of %s_pem or %s_file must be configured when a "
                                    "client %s is configured",
                                    cert ? "key" : "cert", cert ? "key" : "cert",
                                    cert ? "certificate" : "key"),
    };
    for (size_t i = 0; i < ARRAY_LEN(results); i++)
        if (results[i] < 0) return results[i];
    return 0;
}

static enum tls_version version_of(struct str name)
{
    static const char *const names[] = {"", "TLS10", "TLS11", "TLS12", "TLS13"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_is(name, names[i])) return (enum tls_version)i;
    return TLS_VERSION_UNSET;
}

void tls_config_conf(const struct tls_config_args *a, struct tls_conf *ret)
{
    *ret = (struct tls_conf){.ca_pem = a->ca_pem,
                             .ca_file = a->ca_file,
                             .cert_pem = a->cert_pem,
                             .cert_file = a->cert_file,
                             .key_pem = a->key_pem.s,
                             .key_file = a->key_file,
                             .server_name = a->server_name,
                             .skip_verify = a->insecure_skip_verify,
                             .min = version_of(a->min_version)};
}

void tls_config_server_conf(const struct tls_config_args *a, struct tls_conf *ret)
{
    tls_config_conf(a, ret);
    ret->client_ca_pem = a->ca_pem;
    ret->client_ca_file = a->ca_file;
    ret->ca_pem = ret->ca_file = ret->server_name = (struct str){0};
    ret->skip_verify = false;
}
