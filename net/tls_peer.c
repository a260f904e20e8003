/* Certificates of a session as texts and times. */
#include "net/tls_peer.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <time.h>
#include "base/buf.h"
#include "base/xalloc.h"

#define NAMES_MAX ((size_t)256 << 10)

void tls_peer_done(struct tls_peer *p)
{
    free(p->fingerprint);
    free(p->subject);
    free(p->issuer);
    free(p->names);
    free(p->serial);
    *p = (struct tls_peer){0};
}

static i64 expiry(const X509 *x)
{
    struct tm tm;

    return ASN1_TIME_to_tm(X509_get0_notAfter(x), &tm) ? (i64)timegm(&tm) : INT64_MAX;
}

static i64 earliest(const STACK_OF(X509) * chain)
{
    i64 at = INT64_MAX;

    for (int i = 0; i < sk_X509_num(chain); i++)
        at = MIN(at, expiry(sk_X509_value(chain, i)));
    return at;
}

static char *hex(const unsigned char *p, size_t n)
{
    char *text = xmalloc(2 * n + 1);

    text[0] = 0;
    for (size_t i = 0; i < n; i++)
        snprintf(text + 2 * i, 3, "%02x", p[i]);
    return text;
}

static char *fingerprint(const X509 *x)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    if (!X509_digest(x, EVP_sha256(), digest, &n)) n = 0;
    return hex(digest, n);
}

/* The most specific part first, as Go prints names. */
static char *name_text(const X509_NAME *name)
{
    BIO *b = BIO_new(BIO_s_mem());
    char *p = NULL;

    if (!b || X509_NAME_print_ex(b, name, 0, XN_FLAG_RFC2253 & ~(u64)ASN1_STRFLGS_ESC_MSB) < 0) {
        BIO_free(b);
        return xstrdup("");
    }
    long n = BIO_get_mem_data(b, &p);
    char *text = str_dup(str_n(p, (size_t)MAX(n, 0L)));
    BIO_free(b);
    return text;
}

static char *dns_names(X509 *x)
{
    GENERAL_NAMES *list = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
    struct buf out = BUF_INIT(NAMES_MAX);

    for (int i = 0; list && i < sk_GENERAL_NAME_num(list); i++) {
        const GENERAL_NAME *g = sk_GENERAL_NAME_value(list, i);
        if (g->type != GEN_DNS) continue;
        if (out.n > 0) buf_ch(&out, ',');
        buf_add(&out, ASN1_STRING_get0_data(g->d.dNSName),
                (size_t)ASN1_STRING_length(g->d.dNSName));
    }
    GENERAL_NAMES_free(list);
    return buf_take(&out, NULL);
}

static char *serial(const X509 *x)
{
    const ASN1_INTEGER *n = X509_get0_serialNumber(x);

    return hex(ASN1_STRING_get0_data(n), (size_t)ASN1_STRING_length(n));
}

static const char *version_name(const SSL *ssl)
{
    static const struct {
        int version;
        const char *name;
    } names[] = {{TLS1_VERSION, "TLS 1.0"},
                 {TLS1_1_VERSION, "TLS 1.1"},
                 {TLS1_2_VERSION, "TLS 1.2"},
                 {TLS1_3_VERSION, "TLS 1.3"}};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (SSL_version(ssl) == names[i].version) return names[i].name;
    return "unknown";
}

void tls_peer_take(struct tls_peer *p, struct ssl_st *ssl)
{
    X509 *x = SSL_get1_peer_certificate(ssl);
    STACK_OF(X509) *sent = SSL_get_peer_cert_chain(ssl), *chain = SSL_get0_verified_chain(ssl);
    const char *cipher = SSL_CIPHER_standard_name(SSL_get_current_cipher(ssl));

    tls_peer_done(p);
    ERR_clear_error();
    if (!x) return;
    p->known = true;
    p->version = version_name(ssl);
    p->cipher = cipher ? cipher : "unknown";
    p->verified = SSL_get_verify_mode(ssl) != SSL_VERIFY_NONE &&
                  SSL_get_verify_result(ssl) == X509_V_OK && chain && sk_X509_num(chain) > 0;
    p->earliest_expiry = sent ? earliest(sent) : expiry(x);
    p->chain_expiry = p->verified ? earliest(chain) : 0;
    p->fingerprint = fingerprint(x);
    p->subject = name_text(X509_get_subject_name(x));
    p->issuer = name_text(X509_get_issuer_name(x));
    p->names = dns_names(x);
    p->serial = serial(x);
    X509_free(x);
    ERR_clear_error();
}
