/* TLS of a server: one SSL_CTX for its connections. Certificate, key and client CA files are looked
 * at, at most once a second, when a connection is made; when they changed a new SSL_CTX replaces
 * the old one, and one that cannot be made leaves the old one in use. */
#include <openssl/err.h>
#include <pthread.h>
#include <sys/stat.h>
#include "base/hash.h"
#include "base/refcount.h"
#include "base/vec.h"
#include "base/xalloc.h"
#include "net/tls_private.h"

#define LOOK_EVERY NS_PER_SEC

struct tls_server {
    struct refs refs;
    struct tls_conf conf; /* owned texts, see own_conf */
    bool h2;
    pthread_mutex_t lock; /* of what follows */
    SSL_CTX *ctx;
    u64 stamp;
    i64 looked;
};

/* --- the conf, owned --- */

static void own(struct str *s)
{
    *s = str_n(str_dup(*s), s->n);
}

static struct str *own_list(const struct str *list, size_t n)
{
    struct str *copy = xcalloc(n + 1, sizeof(*copy));

    for (size_t i = 0; i < n; i++) {
        copy[i] = list[i];
        own(&copy[i]);
    }
    return copy;
}

static void each_text(struct tls_conf *c, void (*fn)(struct str *s))
{
    struct str *const all[] = {&c->ca_pem,         &c->ca_file,       &c->cert_pem,
                               &c->cert_file,      &c->key_pem,       &c->key_file,
                               &c->client_ca_file, &c->client_ca_pem, &c->server_name};

    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        fn(all[i]);
}

void tls_conf_own(struct tls_conf *c)
{
    each_text(c, own);
    c->cipher_suites = own_list(c->cipher_suites, c->n_cipher_suites);
    c->curves = own_list(c->curves, c->n_curves);
}

static void drop(struct str *s)
{
    if (s->p) OPENSSL_cleanse((char *)(uintptr_t)s->p, s->n); /* keys are among them */
    free((char *)(uintptr_t)s->p);
}

static void drop_list(const struct str *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free((char *)(uintptr_t)list[i].p);
    free((struct str *)(uintptr_t)list);
}

void tls_conf_drop(struct tls_conf *c)
{
    each_text(c, drop);
    drop_list(c->cipher_suites, c->n_cipher_suites);
    drop_list(c->curves, c->n_curves);
}

/* --- the context --- */

/* The server's order of preference among what the client offers by ALPN. */
static int choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *n_out,
                       const unsigned char *in, unsigned n_in, void *arg)
{
    static const unsigned char with_h2[] = "\x02h2\x08http/1.1", without[] = "\x08http/1.1";
    const struct tls_server *t = arg;
    const unsigned char *ours = t->h2 ? with_h2 : without;
    unsigned n_ours = (unsigned)((t->h2 ? sizeof(with_h2) : sizeof(without)) - 1);
    unsigned char *chosen;

    if (SSL_select_next_proto(&chosen, n_out, ours, n_ours, in, n_in) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_NOACK;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

/* Whether clients are asked, must answer, and are believed. */
static const struct {
    int mode;
    bool unverified;
} client_auths[] = {
    [TLS_CLIENT_NONE] = {SSL_VERIFY_NONE, false},
    [TLS_CLIENT_REQUEST] = {SSL_VERIFY_PEER, true},
    [TLS_CLIENT_REQUIRE_ANY] = {SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, true},
    [TLS_CLIENT_VERIFY_GIVEN] = {SSL_VERIFY_PEER, false},
    [TLS_CLIENT_REQUIRE_VERIFIED] = {SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, false},
};

static int believe(X509_STORE_CTX *chain, void *arg)
{
    return 1;
}

static char *apply_client_auth(SSL_CTX *ctx, const struct tls_conf *conf)
{
    bool ca = conf->client_ca_pem.n || conf->client_ca_file.n;
    enum tls_client_auth auth = conf->client_auth;

    if (auth == TLS_CLIENT_BY_CA) auth = ca ? TLS_CLIENT_REQUIRE_VERIFIED : TLS_CLIENT_NONE;
    SSL_CTX_set_verify(ctx, client_auths[auth].mode, NULL);
    if (client_auths[auth].unverified) SSL_CTX_set_cert_verify_callback(ctx, believe, NULL);
    if (ca)
        return tls_add_cas(SSL_CTX_get_cert_store(ctx), conf->client_ca_pem, conf->client_ca_file);
    if (client_auths[auth].mode != SSL_VERIFY_NONE) SSL_CTX_set_default_verify_paths(ctx);
    return NULL;
}

static char *ctx_new(struct tls_server *t, SSL_CTX **ret)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

    if (!ctx) return tls_error("TLS");
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                 SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                              SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"weir", 4);
    SSL_CTX_set_alpn_select_cb(ctx, choose_alpn, t);
    char *err = tls_apply_common(ctx, &t->conf);
    if (!err) err = tls_load_cert(ctx, &t->conf);
    if (!err) err = apply_client_auth(ctx, &t->conf);
    if (err)
        SSL_CTX_free(ctx);
    else
        *ret = ctx;
    return err;
}

/* --- files that change --- */

static u64 stamp_file(struct str path, u64 seed)
{
    struct stat st;

    if (!path.n || stat(path.p, &st) != 0) return seed;
    const i64 parts[] = {(i64)st.st_ino, (i64)st.st_size, (i64)st.st_mtim.tv_sec,
                         (i64)st.st_mtim.tv_nsec};
    return hash_bytes(parts, sizeof(parts), seed);
}

static u64 stamp_of(const struct tls_conf *c)
{
    return stamp_file(c->client_ca_file, stamp_file(c->key_file, stamp_file(c->cert_file, 0)));
}

static void look(struct tls_server *t, i64 now)
{
    SSL_CTX *fresh;

    if (now < t->looked + LOOK_EVERY) return;
    t->looked = now;
    u64 stamp = stamp_of(&t->conf);
    if (stamp == t->stamp) return;
    char *err = ctx_new(t, &fresh);
    if (err) { /* half written: tried again with the next connection a second later */
        free(err);
        return;
    }
    t->stamp = stamp;
    SSL_CTX_free(t->ctx);
    t->ctx = fresh;
}

/* --- life --- */

struct tls_server *tls_server_new(const struct tls_conf *conf, bool h2, char **ret_err)
{
    struct tls_server *t = xnew(struct tls_server);

    refs_init(&t->refs);
    pthread_mutex_init(&t->lock, NULL);
    t->conf = *conf;
    tls_conf_own(&t->conf);
    t->h2 = h2;
    t->stamp = stamp_of(&t->conf);
    char *err = ctx_new(t, &t->ctx);
    if (!err) return t;
    *ret_err = err;
    tls_server_unref(t);
    return NULL;
}

struct tls_server *tls_server_ref(struct tls_server *t)
{
    refs_get(&t->refs);
    return t;
}

void tls_server_unref(struct tls_server *t)
{
    if (!t || !refs_put(&t->refs)) return;
    SSL_CTX_free(t->ctx);
    pthread_mutex_destroy(&t->lock);
    tls_conf_drop(&t->conf);
    free(t);
}

SSL *tls_server_session(struct tls_server *t, int fd, i64 now)
{
    pthread_mutex_lock(&t->lock);
    look(t, now);
    SSL *ssl = SSL_new(t->ctx);
    pthread_mutex_unlock(&t->lock);
    ASSERT(ssl && SSL_set_fd(ssl, fd));
    SSL_set_accept_state(ssl);
    return ssl;
}
