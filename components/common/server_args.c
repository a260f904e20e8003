/* Server settings of Loki's kind. */
#include "components/common/server_args.h"

#include <errno.h>

#include "components/common/settings.h"

#define FOREVER    "\"2562047h47m16.854775807s\"" /* Go's longest */
#define MAX_SUITES 32

#define T struct server_tls_args
static const struct row tls_rows[] = {
    ATTR(T, cert_file, .doc = "File with the certificate (PEM) to show to clients.", .def = "\"\""),
    ATTR(T, cert_pem, .doc = "Certificate (PEM) to show to clients.", .def = "\"\""),
    ATTR(T, cipher_suites, .def = "\"\"",
         .doc = "Cipher suites to allow, by their IANA names, with commas between them."),
    ATTR(T, client_auth_type, .def = "\"\"",
         .doc = "What is asked of clients' certificates: NoClientCert, RequestClientCert, "
                "RequireAnyClientCert, VerifyClientCertIfGiven, RequireAndVerifyClientCert."),
    ATTR(T, client_ca, .doc = "CA certificates (PEM) that clients' certificates must come from.",
         .def = "\"\""),
    ATTR(T, client_ca_file, .def = "\"\"",
         .doc = "File with the CA certificates that clients' certificates must come from."),
    ATTR(T, key_file, .doc = "File with the private key (PEM) of the certificate.", .def = "\"\""),
    ATTR(T, key_pem, .doc = "Private key (PEM) of the certificate.", .def = "\"\""),
    ATTR(T, min_version, .doc = "Oldest TLS version to speak: VersionTLS10 to VersionTLS13.",
         .def = "\"\""),
};
static const struct schema tls_schema = SCHEMA(T, tls_rows);
#undef T

#define H2 struct server_http2_args
static const struct row http2_rows[] = {
    ATTR(H2, enabled, .doc = "Speak HTTP/2 too.", .def = "false"),
    ATTR(H2, idle_timeout, .doc = "Time without requests after which a connection is closed.",
         .def = "\"0s\""),
    ATTR(H2, max_concurrent_streams, .doc = "Most requests at a time on one connection.",
         .def = "100"),
    ATTR(H2, max_decoder_header_table_size, .doc = "Table of received headers.", .def = "4096"),
    ATTR(H2, max_encoder_header_table_size, .doc = "Table of sent headers.", .def = "4096"),
    ATTR(H2, max_handlers, .doc = "Most requests handled at a time.", .def = "0"),
    ATTR(H2, max_read_frame_size, .doc = "Largest frame read.", .def = "0"),
    ATTR(H2, max_upload_buffer_per_connection, .doc = "Window of a connection.", .def = "0"),
    ATTR(H2, max_upload_buffer_per_stream, .doc = "Window of a request.", .def = "0"),
    ATTR(H2, permit_prohibited_ciphers, .doc = "Allow ciphers that HTTP/2 forbids.",
         .def = "false"),
    ATTR(H2, ping_timeout, .doc = "Time that a ping may stay unanswered.", .def = "\"15s\""),
    ATTR(H2, read_idle_timeout, .doc = "Silence of a client after which it is pinged; 0s: never.",
         .def = "\"0s\""),
    ATTR(H2, write_byte_timeout, .doc = "Time for some byte of an answer to be written.",
         .def = "\"0s\""),
};
static const struct schema http2_schema = SCHEMA(H2, http2_rows);
#undef H2

#define H struct server_http_args
static const struct row http_rows[] = {
    ATTR(H, conn_limit, .doc = "Most connections at a time; 0: 4096.", .def = "0"),
    ATTR(H, listen_address, .doc = "Address to listen on; empty: every one.", .def = "\"\""),
    ATTR(H, listen_port, .doc = "Port to listen on; 0: one is chosen.", .def = "8080"),
    ATTR(H, server_idle_timeout, .doc = "Time that a connection may wait for its next request.",
         .def = "\"2m\""),
    ATTR(H, server_read_timeout, .doc = "Time for a whole request.", .def = "\"30s\""),
    ATTR(H, server_write_timeout, .doc = "Time for an answer.", .def = "\"30s\""),
    BLOCK(H, http2, &http2_schema, .doc = "HTTP/2."),
    BLOCK_PTR(H, tls, &tls_schema, .doc = "TLS; without it connections are in clear text."),
};
const struct schema server_http_schema = SCHEMA(H, http_rows);
#undef H

#define G struct server_grpc_args
static const struct row grpc_rows[] = {
    ATTR(G, conn_limit, .doc = "Most connections at a time; 0: no limit.", .def = "0"),
    ATTR(G, listen_address, .doc = "Address to listen on; empty: every one.", .def = "\"\""),
    ATTR(G, listen_port, .doc = "Port to listen on; 0: one is chosen.", .def = "0"),
    ATTR(G, max_connection_age, .doc = "Age at which a connection is asked to close.",
         .def = FOREVER),
    ATTR(G, max_connection_age_grace, .doc = "Time that calls of an aged connection get.",
         .def = FOREVER),
    ATTR(G, max_connection_idle, .doc = "Time without calls after which a connection is closed.",
         .def = FOREVER),
    ATTR(G, server_max_concurrent_streams, .doc = "Most calls at a time on one connection.",
         .def = "100"),
    ATTR(G, server_max_recv_msg_size, .doc = "Largest message received.", .def = "4194304"),
    ATTR(G, server_max_send_msg_size, .doc = "Largest message sent.", .def = "4194304"),
    BLOCK_PTR(G, tls, &tls_schema, .doc = "TLS; without it connections are in clear text."),
};
const struct schema server_grpc_schema = SCHEMA(G, grpc_rows);
#undef G

/* --- TLS --- */

static bool auth_type(struct str name, enum tls_client_auth *ret)
{
    static const char *const names[] = {
        [TLS_CLIENT_NONE] = "NoClientCert",
        [TLS_CLIENT_REQUEST] = "RequestClientCert",
        [TLS_CLIENT_REQUIRE_ANY] = "RequireAnyClientCert",
        [TLS_CLIENT_VERIFY_GIVEN] = "VerifyClientCertIfGiven",
        [TLS_CLIENT_REQUIRE_VERIFIED] = "RequireAndVerifyClientCert",
    };

    *ret = TLS_CLIENT_NONE;
    if (name.n == 0) return true;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (names[i] && str_is(name, names[i])) {
            *ret = (enum tls_client_auth)i;
            return true;
        }
    return false;
}

static bool min_version(struct str name, enum tls_version *ret)
{
    static const char *const names[] = {"", "VersionTLS10", "VersionTLS11", "VersionTLS12",
                                        "VersionTLS13"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_is(name, names[i])) {
            *ret = (enum tls_version)i;
            return true;
        }
    return false;
}

static size_t suites(struct str list, struct str *v)
{
    size_t n = 0;

    while (list.n && n < MAX_SUITES) {
        struct str one = str_trim(str_cut(&list, ','));
        if (one.n) v[n++] = one;
    }
    return n;
}

static int check_suites(struct prepare *p, const struct server_tls_args *t)
{
    struct str v[MAX_SUITES];
    size_t n = suites(t->cipher_suites, v);
    int r = 0;

    for (size_t i = 0; i < n; i++)
        if (!tls_cipher_known(v[i]))
            r = setting_fault(p, "http/tls/cipher_suites",
                              "cipher suite \"" STR_FMT "\" not recognized", STR_ARG(v[i]));
    return r;
}

static int check_tls(struct prepare *p, const struct server_tls_args *t)
{
    enum tls_client_auth auth;
    enum tls_version version;
    bool cert = t->cert_file.n || t->cert_pem.n, key = t->key_file.n || t->key_pem.s.n;
    int r = check_suites(p, t);

    if (!auth_type(t->client_auth_type, &auth))
        r = setting_fault(p, "http/tls/client_auth_type",
                          "invalid client_auth_type \"" STR_FMT "\"", STR_ARG(t->client_auth_type));
    if (!min_version(t->min_version, &version))
        r = setting_fault(p, "http/tls/min_version", "unknown TLS version \"" STR_FMT "\"",
                          STR_ARG(t->min_version));
    if (!cert || !key) r = setting_fault(p, "http/tls", "TLS needs a certificate and its key");
    if ((t->cert_file.n && t->cert_pem.n) || (t->key_file.n && t->key_pem.s.n) ||
        (t->client_ca_file.n && t->client_ca.n))
        r = setting_fault(p, "http/tls",
                          "give each of certificate, key and client CA either as a "
                          "file or as a text, not as both");
    return r;
}

static struct tls_server *tls_of(const struct server_tls_args *t, bool h2, char **ret_err)
{
    struct str v[MAX_SUITES];
    struct tls_conf c = {.cert_pem = t->cert_pem,
                         .cert_file = t->cert_file,
                         .key_pem = t->key_pem.s,
                         .key_file = t->key_file,
                         .client_ca_pem = t->client_ca,
                         .client_ca_file = t->client_ca_file,
                         .cipher_suites = v,
                         .n_cipher_suites = suites(t->cipher_suites, v)};

    ASSERT(auth_type(t->client_auth_type, &c.client_auth) && min_version(t->min_version, &c.min));
    return tls_server_new(&c, h2, ret_err);
}

/* --- HTTP --- */

/* Numbers of an own life in Go's HTTP/2; here windows and tables are fixed (docs/design/net.md). */
static void http2_effects(struct prepare *p)
{
    static const char *const without[] = {"max_handlers",
                                          "max_decoder_header_table_size",
                                          "max_encoder_header_table_size",
                                          "max_read_frame_size",
                                          "max_upload_buffer_per_connection",
                                          "max_upload_buffer_per_stream",
                                          "permit_prohibited_ciphers",
                                          "write_byte_timeout"};
    char path[64];

    for (size_t i = 0; i < ARRAY_LEN(without); i++) {
        (void)snprintf(path, sizeof(path), "http/http2/%s", without[i]);
        if (span_written(p->block, path))
            setting_no_effect(p, path, "this server's HTTP/2 has its own fixed limits");
    }
}

int server_http_prepare(struct prepare *p, const struct server_http_args *a)
{
    int r = 0;

    if (a->listen_port < 0 || a->listen_port > 65535)
        r = setting_fault(p, "http/listen_port", "must be between 0 and 65535");
    if (a->conn_limit < 0 || a->conn_limit > UINT32_MAX)
        r = setting_fault(p, "http/conn_limit", "must be between 0 and %u", UINT32_MAX);
    if (a->http2.max_concurrent_streams < 0 || a->http2.max_concurrent_streams > UINT32_MAX)
        r = setting_fault(p, "http/http2/max_concurrent_streams", "must be between 0 and %u",
                          UINT32_MAX);
    http2_effects(p);
    if (a->tls && check_tls(p, a->tls) < 0) r = -EINVAL;
    return r;
}

void server_grpc_unused(struct prepare *p)
{
    if (span_written(p->block, "grpc"))
        setting_no_effect(p, "grpc", "nothing is served over gRPC here, so no port is opened");
}

static i64 or_never(struct dur d)
{
    return d.ns > 0 ? d.ns : -1;
}

int server_http_conf(const struct server_http_args *a, const struct host *host, struct arena *arena,
                     struct listening_conf *ret, char **ret_err)
{
    bool v6 = str_chr(a->listen_address, ':') >= 0 && a->listen_address.p[0] != '[';

    *ret = (struct listening_conf){
        .network = "tcp",
        .addr = arena_printf(arena, v6 ? "[" STR_FMT "]:%lld" : STR_FMT ":%lld",
                             STR_ARG(a->listen_address), (long long)a->listen_port),
        .http = {.read_header_timeout = or_never(a->server_read_timeout),
                 .read_timeout = MAX(a->server_read_timeout.ns, (i64)0),
                 .write_timeout = or_never(a->server_write_timeout),
                 .idle_timeout = or_never(a->server_idle_timeout),
                 .max_conns = (u32)a->conn_limit,
                 .no_h2 = !a->http2.enabled,
                 .max_streams = (u32)a->http2.max_concurrent_streams,
                 .max_conn_idle = a->http2.idle_timeout.ns,
                 .ping_every = a->http2.read_idle_timeout.ns,
                 .ping_timeout = a->http2.ping_timeout.ns,
                 .budget = host->data_budget}};
    if (!a->tls) return 0;
    ret->http.tls = tls_of(a->tls, a->http2.enabled, ret_err);
    return ret->http.tls ? 0 : -EINVAL;
}
