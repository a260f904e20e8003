/* TLS of clients that speak for themselves (gRPC, probes): the context of an endpoint, and sessions
 * that verify its name. */
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include "net/tls_private.h"
#include "base/xalloc.h"

#define SYSTEM_CAS                                                                                 \
    "/etc/ssl/certs/ca-certificates.crt" /* where only this file is installed OpenSSL's own folder \
                                            is empty */

static void trust_system(SSL_CTX *ctx)
{
    SSL_CTX_set_default_verify_paths(ctx);
    if (!getenv(X509_get_default_cert_file_env())) SSL_CTX_load_verify_file(ctx, SYSTEM_CAS);
    ERR_clear_error(); /* a system without CAs shows when a server is verified */
}

SSL_CTX *tls_client_context(const struct tls_conf *conf, char **ret_err)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    char *err = ctx ? tls_client_apply(ctx, conf) : tls_error("TLS");

    if (!err) {
        bool own = conf->ca_pem.n || conf->ca_file.n;
        if (!conf->skip_verify && (!own || conf->system_cas)) trust_system(ctx);
        SSL_CTX_set_verify(ctx, conf->skip_verify ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
        SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
        return ctx;
    }
    SSL_CTX_free(ctx);
    *ret_err = err;
    return NULL;
}

/* An address is looked for among the certificate's addresses, and not sent as a name. */
static bool set_name(SSL *ssl, const char *name)
{
    if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name)) return true;
    ERR_clear_error();
    return SSL_set1_host(ssl, name) && SSL_set_tlsext_host_name(ssl, name);
}

SSL *tls_client_session(SSL_CTX *ctx, const struct tls_conf *conf, int fd, struct str host, bool h2)
{
    static const unsigned char alpn[] = "\x02h2";
    SSL *ssl = SSL_new(ctx);
    char *name = str_dup(conf->server_name.n ? conf->server_name : host);
    bool ok = ssl && SSL_set_fd(ssl, fd) && set_name(ssl, name) &&
              (!h2 || SSL_set_alpn_protos(ssl, alpn, sizeof(alpn) - 1) == 0);

    free(name);
    if (ok) {
        SSL_set_connect_state(ssl);
        return ssl;
    }
    SSL_free(ssl);
    return NULL;
}

/* --- for others than gRPC --- */

struct tls_client *tls_client_new(const struct tls_conf *conf, char **ret_err)
{
    SSL_CTX *ctx = tls_client_context(conf, ret_err);

    if (!ctx) return NULL;
    struct tls_client *t = xnew(struct tls_client);
    refs_init(&t->refs);
    t->ctx = ctx;
    t->conf = *conf;
    tls_conf_own(&t->conf);
    return t;
}

struct tls_client *tls_client_ref(struct tls_client *t)
{
    refs_get(&t->refs);
    return t;
}

void tls_client_unref(struct tls_client *t)
{
    if (!t || !refs_put(&t->refs)) return;
    SSL_CTX_free(t->ctx);
    tls_conf_drop(&t->conf);
    free(t);
}
