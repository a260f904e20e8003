/* The `tls` blocks of otelcol components. Source: spec part D, reference of the collector's TLS
 * settings. */
#include "components/common/otel_tls.h"

#include "components/common/settings.h"

static const struct row tpm_rows[] = {
    ATTR(struct otel_tpm_args, auth, .doc = "Authorisation value of the key in the TPM.",
         .def = "\"\""),
    ATTR(struct otel_tpm_args, enabled,
         .doc = "Load the private key from a TPM; this build refuses it.", .def = "false"),
    ATTR(struct otel_tpm_args, owner_auth, .doc = "Authorisation value of the TPM's owner.",
         .def = "\"\""),
    ATTR(struct otel_tpm_args, path, .doc = "Device or socket of the TPM.", .def = "\"\""),
};
static const struct schema tpm_schema = SCHEMA(struct otel_tpm_args, tpm_rows);

#define CURVES ONE_OF_TEXT("X25519", "P256", "P384", "P521")
#define A      struct otel_tls_args
/* Rows that both sides have, in alphabetical runs around those of one side only. */
#define ROWS_TO_CERT                                                                               \
    ATTR(A, ca_file, .doc = "File with the CA certificates (PEM) to trust.", .def = "\"\""),       \
        ATTR(A, ca_pem, .doc = "CA certificates (PEM) to trust.", .def = "\"\""),                  \
        ATTR(A, cert_file, .doc = "File with the certificate (PEM) to show to the peer.",          \
             .def = "\"\""),                                                                       \
        ATTR(A, cert_pem, .doc = "Certificate (PEM) to show to the peer.", .def = "\"\""),         \
        ATTR(A, cipher_suites,                                                                     \
             .doc = "Cipher suites to allow, by their IANA names; empty: the safe ones.",          \
             .def = "[]")
#define ROWS_TO_POOL                                                                               \
    ATTR(A, curve_preferences,                                                                     \
         .doc = "Elliptic curves for the handshake, in order of preference.", .def = "[]",         \
         .one_of = CURVES),                                                                        \
        ATTR(A, include_insecure_cipher_suites, .def = "false",                                    \
             .doc = "Allow cipher_suites to name suites that are known to be weak."),              \
        ATTR(A, include_system_ca_certs_pool, .def = "false",                                      \
             .doc = "Trust the system's CA certificates besides the given ones.")
#define ROWS_KEY_TO_RELOAD                                                                         \
    ATTR(A, key_file, .doc = "File with the private key (PEM) of the certificate.",                \
         .def = "\"\""),                                                                           \
        ATTR(A, key_pem, .doc = "Private key (PEM) of the certificate.", .def = "\"\""),           \
        ATTR(A, max_version,                                                                       \
             .doc = "Newest TLS version to speak: 1.0 to 1.3; empty: the newest known.",           \
             .def = "\"\""),                                                                       \
        ATTR(A, min_version, .doc = "Oldest TLS version to speak: 1.0 to 1.3; empty: 1.2.",        \
             .def = "\"\""),                                                                       \
        ATTR(A, reload_interval,                                                                   \
             .doc = "How often certificate files are read again; 0s: when they are loaded.",       \
             .def = "\"0s\"")
#define ROW_TPM BLOCK_PTR(A, tpm, &tpm_schema, .doc = "Private key in a trusted platform module.")

static const struct row server_rows[] = {
    ROWS_TO_CERT,
    ATTR(A, client_ca_file,
         .doc = "File with the CA certificates that client certificates must come from.",
         .def = "\"\""),
    ROWS_TO_POOL,
    ROWS_KEY_TO_RELOAD,
    ROW_TPM,
};
const struct schema otel_tls_server_schema = SCHEMA(A, server_rows);

static const struct row client_rows[] = {
    ROWS_TO_CERT,
    ROWS_TO_POOL,
    ATTR(A, insecure, .doc = "Speak without TLS where the endpoint's scheme does not decide.",
         .def = "false"),
    ATTR(A, insecure_skip_verify, .doc = "Do not verify the server's certificate.", .def = "false"),
    ROWS_KEY_TO_RELOAD,
    ATTR(A, server_name,
         .doc = "Name to verify the server's certificate against and to ask it for.",
         .def = "\"\""),
    ROW_TPM,
};
const struct schema otel_tls_client_schema = SCHEMA(A, client_rows);
#undef A

/* Suites that need include_insecure_cipher_suites: no forward secrecy, RC4, 3DES, or CBC with
 * SHA-256. */
static const char *const weak_suites[] = {
    "TLS_RSA_WITH_RC4_128_SHA",
    "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA",
    "TLS_ECDHE_RSA_WITH_RC4_128_SHA",
    "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
};

static bool suite_is_weak(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(weak_suites); i++)
        if (str_is(name, weak_suites[i])) return true;
    return false;
}

struct tls_faults {
    struct prepare *p;
    const char *path;
    int r;
};

static PRINTF(3, 4) void fault(struct tls_faults *f, const char *attr, const char *fmt, ...)
{
    struct buf path = BUF_INIT(256), text = BUF_INIT(1024);
    buf_printf(&path, "%s/%s", f->path, attr);
    va_list ap;
    va_start(ap, fmt);
    buf_vprintf(&text, fmt, ap);
    va_end(ap);
    f->r = setting_fault(f->p, path.p, "%s", text.p ? text.p : "");
    buf_done(&path);
    buf_done(&text);
}

static void check_versions(struct tls_faults *f, const struct otel_tls_args *a)
{
    enum tls_version min = TLS_VERSION_UNSET, max = TLS_VERSION_UNSET;
    if (!tls_version_parse(a->min_version, &min))
        fault(f, "min_version", "invalid TLS min_version: unsupported TLS version: \"" STR_FMT "\"",
              STR_ARG(a->min_version));
    if (!tls_version_parse(a->max_version, &max))
        fault(f, "max_version", "invalid TLS max_version: unsupported TLS version: \"" STR_FMT "\"",
              STR_ARG(a->max_version));
    if (max != TLS_VERSION_UNSET && min > max)
        fault(f, "min_version",
              "invalid TLS configuration: min_version cannot be greater than max_version");
}

static void check_material(struct tls_faults *f, const struct otel_tls_args *a)
{
    bool cert = a->cert_file.n || a->cert_pem.n, key = a->key_file.n || a->key_pem.s.n;
    if (a->ca_file.n && a->ca_pem.n)
        fault(f, "ca_pem", "provide either a CA file or the PEM-encoded string, but not both");
    if (a->cert_file.n && a->cert_pem.n)
        fault(f, "cert_pem",
              "for auth via TLS, provide either a certificate or the PEM-encoded string, but not "
              "both");
    if (a->key_file.n && a->key_pem.s.n)
        fault(f, "key_pem",
              "for auth via TLS, provide either a key or the PEM-encoded string, but not both");
    if (cert != key)
        fault(f, cert ? "cert_file" : "key_file",
              "for auth via TLS, provide both certificate and key, or neither");
}

/* RC4 and 3DES: known, but no longer in the library. */
static void left_out(struct tls_faults *f, struct str suite)
{
    char *path = xprintf("%s/cipher_suites", f->path);
    char *why = xprintf(STR_FMT " is left out: the TLS library does not have it", STR_ARG(suite));
    setting_no_effect(f->p, path, why);
    free(path);
    free(why);
}

static void check_suites(struct tls_faults *f, const struct otel_tls_args *a)
{
    for (size_t i = 0; i < a->cipher_suites.n; i++) {
        struct str suite = a->cipher_suites.v[i];
        bool weak = suite_is_weak(suite);
        if (weak && !a->include_insecure_cipher_suites)
            fault(f, "cipher_suites",
                  "invalid TLS cipher suite: \"" STR_FMT
                  "\" needs include_insecure_cipher_suites = true",
                  STR_ARG(suite));
        else if (!tls_cipher_known(suite) && weak)
            left_out(f, suite);
        else if (!tls_cipher_known(suite))
            fault(f, "cipher_suites", "invalid TLS cipher suite: \"" STR_FMT "\"", STR_ARG(suite));
    }
}

int otel_tls_prepare(struct prepare *p, const char *path, const struct otel_tls_args *a)
{
    struct tls_faults f = {.p = p, .path = path};
    check_versions(&f, a);
    check_material(&f, a);
    check_suites(&f, a);
    if (a->tpm && a->tpm->enabled)
        fault(&f, "tpm/enabled",
              "tls.tpm: keys in a trusted platform module are not available in this build");
    return f.r;
}

void otel_tls_conf(const struct otel_tls_args *a, struct tls_conf *ret)
{
    *ret = (struct tls_conf){
        .ca_pem = a->ca_pem,
        .ca_file = a->ca_file,
        .cert_pem = a->cert_pem,
        .cert_file = a->cert_file,
        .key_pem = a->key_pem.s,
        .key_file = a->key_file,
        .client_ca_file = a->client_ca_file,
        .server_name = a->server_name,
        .skip_verify = a->insecure_skip_verify,
        .system_cas = a->include_system_ca_certs_pool,
        .cipher_suites = a->cipher_suites.v,
        .n_cipher_suites = a->cipher_suites.n,
        .curves = a->curve_preferences.v,
        .n_curves = a->curve_preferences.n,
        .reload_interval = a->reload_interval.ns,
    };
    ASSERT(tls_version_parse(a->min_version, &ret->min) &&
           tls_version_parse(a->max_version, &ret->max));
}
