/* TLS settings and contexts (OpenSSL). Contexts are counted and immutable; files are read again
 * when they change. */
#ifndef NET_TLS_H
#define NET_TLS_H

#include "base/str.h"

enum tls_version { TLS_VERSION_UNSET, TLS_1_0, TLS_1_1, TLS_1_2, TLS_1_3 };

/* What a server wants of its clients' certificates. */
enum tls_client_auth {
    TLS_CLIENT_BY_CA, /* required and verified when a client CA is given, else not asked for */
    TLS_CLIENT_NONE,
    TLS_CLIENT_REQUEST,
    TLS_CLIENT_REQUIRE_ANY, /* not verified */
    TLS_CLIENT_VERIFY_GIVEN,
    TLS_CLIENT_REQUIRE_VERIFIED,
};

/* Borrowed texts; empty: unset. *_pem is the material itself, *_file a path. */
struct tls_conf {
    struct str ca_pem, ca_file, cert_pem, cert_file, key_pem, key_file;
    struct str client_ca_file, client_ca_pem; /* server; without: the system's, where they verify */
    enum tls_client_auth client_auth;         /* server */
    struct str server_name;                   /* client: SNI and verification name */
    bool skip_verify;                         /* client */
    bool system_cas;                          /* add the system's CAs to ca_* */
    enum tls_version min, max;
    const struct str
        *cipher_suites; /* Go/IANA names; those that the library does not have are left out */
    size_t n_cipher_suites;
    const struct str *curves; /* X25519, P256, P384, P521 */
    size_t n_curves;
    i64 reload_interval; /* 0: files are read for each new context only */
};

/* Whether this library has the suite of that IANA name. */
bool tls_cipher_known(struct str name);
bool tls_version_parse(struct str s, enum tls_version *ret); /* "1.0" .. "1.3", "" */

struct tls_server; /* counted */
/* NULL on failure, *ret_err owned text. h2: offer HTTP/2 by ALPN. */
struct tls_server *tls_server_new(const struct tls_conf *conf, bool h2, char **ret_err);
struct tls_server *tls_server_ref(struct tls_server *t);
void tls_server_unref(struct tls_server *t);
/* A client's settings, ready for wire.h; counted, immutable. Reads files: NULL on failure, *ret_err
 * owned text. */
struct tls_client;
struct tls_client *tls_client_new(const struct tls_conf *conf, char **ret_err);
struct tls_client *tls_client_ref(struct tls_client *t);
void tls_client_unref(struct tls_client *t); /* takes NULL */
/* The same checks for a client configuration, without connecting (prepare). NULL when fine, else
 * owned text. */
char *tls_client_check(const struct tls_conf *conf);

#endif
