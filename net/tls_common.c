/* What server and client share of TLS: versions, cipher suites and curves by their Go names,
 * certificates from texts and files. */
#include "net/tls_private.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <unistd.h>
#include "base/xalloc.h"

#define FILE_MAX ((size_t)1024 * 1024)

static const struct {
    const char *text;
    enum tls_version v;
    int openssl;
} versions[] = {
    {"", TLS_VERSION_UNSET, 0},       {"1.0", TLS_1_0, TLS1_VERSION},
    {"1.1", TLS_1_1, TLS1_1_VERSION}, {"1.2", TLS_1_2, TLS1_2_VERSION},
    {"1.3", TLS_1_3, TLS1_3_VERSION},
};

bool tls_version_parse(struct str s, enum tls_version *ret)
{
    for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
        if (!str_is(s, versions[i].text)) continue;
        *ret = versions[i].v;
        return true;
    }
    return false;
}

char *tls_error(const char *what)
{
    unsigned long e = ERR_peek_error();
    const char *why = e ? ERR_reason_error_string(e) : NULL;
    char *text = xprintf("%s: %s", what, why ? why : "unknown error");

    ERR_clear_error();
    return text;
}

char *tls_read_file(struct str path, struct buf *out)
{
    char *name = str_dup(path), *err = NULL;
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : 1;

    while (n > 0) {
        char *at = buf_reserve(out, 16 * 1024);
        if (!at) {
            err = xprintf("read %s: file is larger than %zu bytes", name, out->max);
            break;
        }
        n = read(fd, at, 16 * 1024);
        if (n > 0) buf_commit(out, (size_t)n);
    }
    if (n < 0) err = xprintf("%s %s: %s", fd < 0 ? "open" : "read", name, strerror(errno));
    if (fd >= 0) close(fd);
    free(name);
    return err;
}

/* --- names --- */

/* OpenSSL's name for a suite (its own constant), or NULL. */
static const char *cipher_name(struct str iana)
{
    char *name = str_dup(iana);
    const char *openssl = OPENSSL_cipher_name(name);

    free(name);
    return openssl && strcmp(openssl, "(NONE)") != 0 ? openssl : NULL;
}

bool tls_cipher_known(struct str name)
{
    return cipher_name(name);
}

char *tls_cipher_lists(const struct tls_conf *conf, struct buf *below_13, struct buf *of_13)
{
    for (size_t i = 0; i < conf->n_cipher_suites; i++) {
        const char *name = cipher_name(conf->cipher_suites[i]);
        if (!name) continue;
        struct buf *out = strncmp(name, "TLS_", 4) == 0 ? of_13 : below_13;
        buf_printf(out, "%s%s", out->n ? ":" : "", name);
    }
    bool none = conf->n_cipher_suites > 0 && !below_13->n && !of_13->n;
    return none ? xstrdup("none of the TLS cipher suites is known") : NULL;
}

static const struct {
    const char *go, *openssl;
} curves[] = {
    {"X25519", "X25519"},   {"P256", "P-256"},      {"P384", "P-384"},      {"P521", "P-521"},
    {"CurveP256", "P-256"}, {"CurveP384", "P-384"}, {"CurveP521", "P-521"},
};

static const char *find_curve(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(curves); i++)
        if (str_is(name, curves[i].go)) return curves[i].openssl;
    return NULL;
}

char *tls_curve_list(const struct tls_conf *conf, struct buf *out)
{
    for (size_t i = 0; i < conf->n_curves; i++) {
        const char *name = find_curve(conf->curves[i]);
        if (!name) return xprintf("unknown TLS curve \"" STR_FMT "\"", STR_ARG(conf->curves[i]));
        buf_printf(out, "%s%s", out->n ? ":" : "", name);
    }
    return NULL;
}

/* --- applying --- */

static int version_number(enum tls_version v, int dflt)
{
    return v == TLS_VERSION_UNSET ? dflt : versions[v].openssl;
}

static char *apply_versions(SSL_CTX *ctx, const struct tls_conf *conf)
{
    int min = version_number(conf->min, TLS1_2_VERSION), max = version_number(conf->max, 0);

    if (max && min > max) return xstrdup("the minimum TLS version is above the maximum");
    if (min < TLS1_2_VERSION)
        SSL_CTX_set_security_level(ctx, 0); /* Debian's level refuses what was asked for by name */
    if (!SSL_CTX_set_min_proto_version(ctx, min) || !SSL_CTX_set_max_proto_version(ctx, max))
        return tls_error("TLS version");
    return NULL;
}

static char *apply_ciphers(SSL_CTX *ctx, const struct tls_conf *conf)
{
    struct buf below = BUF_INIT(FILE_MAX), of_13 = BUF_INIT(FILE_MAX);
    char *err = tls_cipher_lists(conf, &below, &of_13);

    if (!err && below.n && !SSL_CTX_set_cipher_list(ctx, below.p))
        err = tls_error("TLS cipher suites");
    if (!err && of_13.n && !SSL_CTX_set_ciphersuites(ctx, of_13.p))
        err = tls_error("TLS cipher suites");
    buf_done(&below);
    buf_done(&of_13);
    return err;
}

static char *apply_curves(SSL_CTX *ctx, const struct tls_conf *conf)
{
    struct buf list = BUF_INIT(FILE_MAX);
    char *err = tls_curve_list(conf, &list);

    if (!err && list.n && !SSL_CTX_set1_groups_list(ctx, list.p)) err = tls_error("TLS curves");
    buf_done(&list);
    return err;
}

char *tls_apply_common(SSL_CTX *ctx, const struct tls_conf *conf)
{
    char *err = apply_versions(ctx, conf);

    if (!err) err = apply_ciphers(ctx, conf);
    return err ? err : apply_curves(ctx, conf);
}

/* --- certificates --- */

/* The material itself, or the file's. */
static char *material(struct str pem, struct str file, struct buf *out)
{
    if (!pem.n) return tls_read_file(file, out);
    buf_str(out, pem);
    return buf_err(out) ? xstrdup("PEM text is too large") : NULL;
}

static char *use_chain(SSL_CTX *ctx, struct str pem)
{
    BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
    X509 *cert = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    bool ok = cert && SSL_CTX_use_certificate(ctx, cert);

    X509_free(cert);
    while (ok && (cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)))
        if (!SSL_CTX_add0_chain_cert(ctx, cert)) { /* takes it on success */
            X509_free(cert);
            ok = false;
        }
    BIO_free(bio);
    if (!ok) return tls_error("failed to parse certificate PEM data");
    ERR_clear_error(); /* the end of the chain is an "error" */
    return NULL;
}

static char *use_key(SSL_CTX *ctx, struct str pem)
{
    BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *)"")
                        : NULL; /* never asks on a terminal */
    bool ok = key && SSL_CTX_use_PrivateKey(ctx, key) && SSL_CTX_check_private_key(ctx);

    EVP_PKEY_free(key);
    BIO_free(bio);
    return ok ? NULL : tls_error("failed to load private key");
}

char *tls_load_cert(SSL_CTX *ctx, const struct tls_conf *conf)
{
    struct buf cert = BUF_INIT(FILE_MAX), key = BUF_INIT(FILE_MAX);
    char *err = material(conf->cert_pem, conf->cert_file, &cert);

    if (!err) err = material(conf->key_pem, conf->key_file, &key);
    if (!err) err = use_chain(ctx, buf_view(&cert));
    if (!err) err = use_key(ctx, buf_view(&key));
    buf_done(&cert);
    if (key.p) OPENSSL_cleanse(key.p, key.cap);
    buf_done(&key);
    return err;
}

char *tls_add_cas(X509_STORE *store, struct str pem, struct str file)
{
    struct buf text = BUF_INIT(4 * FILE_MAX);
    char *err = material(pem, file, &text);
    size_t n = 0;

    if (!err) {
        BIO *bio = BIO_new_mem_buf(text.p, (int)text.n);
        for (X509 *x; bio && (x = PEM_read_bio_X509(bio, NULL, NULL, NULL)); n++) {
            X509_STORE_add_cert(store, x); /* one that is there already is fine */
            X509_free(x);
        }
        BIO_free(bio);
        ERR_clear_error();
        if (n == 0) err = xstrdup("failed to parse CA certificate: no PEM certificate found");
    }
    buf_done(&text);
    return err;
}

/* --- a client's settings --- */

char *tls_client_apply(SSL_CTX *ctx, const struct tls_conf *conf)
{
    char *err = tls_apply_common(ctx, conf);
    bool cert = conf->cert_pem.n || conf->cert_file.n, key = conf->key_pem.n || conf->key_file.n;

    if (!err && cert != key)
        err = xstrdup(cert ? "a client certificate needs its key"
                           : "a client key needs its certificate");
    if (!err && cert) err = tls_load_cert(ctx, conf);
    if (!err && conf->ca_pem.n)
        err = tls_add_cas(SSL_CTX_get_cert_store(ctx), conf->ca_pem, (struct str){0});
    if (!err && conf->ca_file.n)
        err = tls_add_cas(SSL_CTX_get_cert_store(ctx), (struct str){0}, conf->ca_file);
    return err;
}

static bool is_plain(const struct tls_conf *c)
{
    return !c->ca_pem.n && !c->ca_file.n && !c->cert_pem.n && !c->cert_file.n && !c->key_pem.n &&
           !c->key_file.n && !c->n_cipher_suites && !c->n_curves && !c->min && !c->max;
}

/* Settings without material need no OpenSSL: an idle process does not pay for it. */
char *tls_client_check(const struct tls_conf *conf)
{
    if (is_plain(conf)) return NULL;
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    if (!ctx) return tls_error("TLS");
    char *err = tls_client_apply(ctx, conf);
    SSL_CTX_free(ctx);
    return err;
}
