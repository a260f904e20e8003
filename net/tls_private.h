/* Inside of TLS, for net/: sessions of the server, and what curl has to be told. */
#ifndef NET_TLS_PRIVATE_H
#define NET_TLS_PRIVATE_H

#include <openssl/ssl.h>
#include "base/buf.h"
#include "base/refcount.h"
#include "net/tls.h"

/* A new server session on fd; reads certificate files again when they changed (looked at once a
 * second). Thread safe. */
SSL *tls_server_session(struct tls_server *t, int fd, i64 now);

/* Applies versions, cipher suites and curves. NULL, or an owned text. */
char *tls_apply_common(SSL_CTX *ctx, const struct tls_conf *conf);
/* OpenSSL's list of the conf's cipher suites below TLS 1.3, and of those of 1.3; empty when none
 * was named. NULL, or an owned text. */
char *tls_cipher_lists(const struct tls_conf *conf, struct buf *below_13, struct buf *of_13);
/* "X25519:P-256"; NULL, or an owned text. */
char *tls_curve_list(const struct tls_conf *conf, struct buf *out);
/* All of a client's settings but whom it trusts beside its own CAs. NULL, or an owned text. */
char *tls_client_apply(SSL_CTX *ctx, const struct tls_conf *conf);
/* A context with everything set; NULL and an owned text when the settings cannot work. Reads files:
 * they may be gone by now. */
SSL_CTX *tls_client_context(const struct tls_conf *conf, char **ret_err);
/* A session on fd that verifies the server's name (the conf's, or else host), and offers HTTP/2
 * with h2; NULL: see OpenSSL's error queue. */
SSL *tls_client_session(SSL_CTX *ctx, const struct tls_conf *conf, int fd, struct str host,
                        bool h2);
struct tls_client {
    struct refs refs;
    SSL_CTX *ctx;
    struct tls_conf conf; /* texts owned */
};
/* Loads a certificate chain and its key. NULL, or an owned text. */
char *tls_load_cert(SSL_CTX *ctx, const struct tls_conf *conf);
/* Adds the CA certificates of a text, or else of a file. NULL, or an owned text. */
char *tls_add_cas(X509_STORE *store, struct str pem, struct str file);
/* Replaces all texts of *c by owned copies; and frees them. */
void tls_conf_own(struct tls_conf *c);
void tls_conf_drop(struct tls_conf *c);
/* The text of a file, at most 1 MiB, appended. NULL, or an owned text. */
char *tls_read_file(struct str path, struct buf *out);
/* The oldest entry of OpenSSL's error queue as text; empties the queue. */
char *tls_error(const char *what);

#endif
