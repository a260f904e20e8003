/* Keys and certificates, by OpenSSL. */
#include "net/certs.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <openssl/dsa.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <time.h>
#include "base/clock.h"
#include "base/xalloc.h"

#define RSA_BITS  4096
#define CERT_BITS 2048

/* --- keys --- */

static EVP_PKEY *dsa_key(void)
{
    EVP_PKEY *params = NULL, *key = NULL;
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_id(EVP_PKEY_DSA, NULL);
    bool ok =
        c && EVP_PKEY_paramgen_init(c) == 1 && EVP_PKEY_CTX_set_dsa_paramgen_bits(c, 2048) == 1 &&
        EVP_PKEY_CTX_set_dsa_paramgen_q_bits(c, 256) == 1 && EVP_PKEY_paramgen(c, &params) == 1;
    EVP_PKEY_CTX_free(c);
    c = ok ? EVP_PKEY_CTX_new(params, NULL) : NULL;
    if (c && EVP_PKEY_keygen_init(c) == 1) EVP_PKEY_keygen(c, &key);
    EVP_PKEY_CTX_free(c);
    EVP_PKEY_free(params);
    return key;
}

static EVP_PKEY *new_key(struct str type)
{
    if (type.n == 0 || str_is(type, "rsa")) return EVP_RSA_gen(RSA_BITS);
    if (str_is(type, "ecdsa")) return EVP_EC_gen("P-256");
    if (str_is(type, "dsa")) return dsa_key();
    return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
}

static bool known_type(struct str type)
{
    return type.n == 0 || str_is(type, "rsa") || str_is(type, "dsa") || str_is(type, "ecdsa") ||
           str_is(type, "ed25519");
}

/* The forms with a type of their own for all but Ed25519. */
static bool key_pem(EVP_PKEY *key, struct buf *out)
{
    char *p;
    BIO *b = BIO_new(BIO_s_mem());
    bool plain = EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519;
    bool ok =
        b && (plain ? PEM_write_bio_PKCS8PrivateKey(b, key, NULL, NULL, 0, NULL, NULL)
                    : PEM_write_bio_PrivateKey_traditional(b, key, NULL, NULL, 0, NULL, NULL));
    if (ok) buf_add(out, p, (size_t)BIO_get_mem_data(b, &p));
    BIO_free(b);
    return ok;
}

int certs_private_key(struct str type, struct buf *pem)
{
    if (!known_type(type)) return -EINVAL;
    EVP_PKEY *key = new_key(type);
    bool ok = key && key_pem(key, pem);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return ok ? 0 : -EIO;
}

static EVP_PKEY *read_key(struct str pem)
{
    BIO *b = pem.n <= INT_MAX ? BIO_new_mem_buf(pem.n ? pem.p : "", (int)pem.n) : NULL;
    EVP_PKEY *key = b ? PEM_read_bio_PrivateKey(b, NULL, NULL, (void *)"") : NULL;
    BIO_free(b);
    ERR_clear_error();
    return key;
}

static X509 *read_cert(struct str pem)
{
    BIO *b = pem.n <= INT_MAX ? BIO_new_mem_buf(pem.n ? pem.p : "", (int)pem.n) : NULL;
    X509 *cert = b ? PEM_read_bio_X509(b, NULL, NULL, (void *)"") : NULL;
    BIO_free(b);
    ERR_clear_error();
    return cert;
}

/* --- what stands in a certificate --- */

static bool extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX c;
    X509V3_set_ctx(&c, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &c, nid, value);
    bool ok = e && X509_add_ext(cert, e, -1) == 1;
    X509_EXTENSION_free(e);
    return ok;
}

static GENERAL_NAME *general_name(int type, const void *p, size_t n)
{
    ASN1_STRING *s =
        ASN1_STRING_type_new(type == GEN_IPADD ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING);
    GENERAL_NAME *g = GENERAL_NAME_new();
    if (!s || !g || ASN1_STRING_set(s, p, (int)n) != 1) {
        ASN1_STRING_free(s);
        GENERAL_NAME_free(g);
        return NULL;
    }
    GENERAL_NAME_set0_value(g, type, s);
    return g;
}

static GENERAL_NAME *ip_name(struct str text)
{
    char copy[64];
    u8 addr[16];
    if (text.n >= sizeof(copy)) return NULL;
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    if (inet_pton(AF_INET, copy, addr) == 1) return general_name(GEN_IPADD, addr, 4);
    return inet_pton(AF_INET6, copy, addr) == 1 ? general_name(GEN_IPADD, addr, 16) : NULL;
}

static bool push_name(GENERAL_NAMES *all, GENERAL_NAME *g)
{
    if (g && sk_GENERAL_NAME_push(all, g) > 0) return true;
    GENERAL_NAME_free(g);
    return false;
}

/* NULL and *ret_bad: an address that is none. */
static GENERAL_NAMES *all_names(const struct cert_request *q, struct str *ret_bad)
{
    GENERAL_NAMES *all = GENERAL_NAMES_new();
    bool ok = all != NULL;
    for (size_t i = 0; ok && i < q->n_names; i++)
        ok = q->names[i].n <= 1000 &&
             push_name(all, general_name(GEN_DNS, q->names[i].p, q->names[i].n));
    for (size_t i = 0; ok && i < q->n_ips; i++) {
        ok = push_name(all, ip_name(q->ips[i]));
        if (!ok) *ret_bad = q->ips[i];
    }
    if (ok) return all;
    GENERAL_NAMES_free(all);
    return NULL;
}

static bool add_names(X509 *cert, const struct cert_request *q, struct str *ret_bad)
{
    if (q->n_ips + q->n_names == 0) return true;
    GENERAL_NAMES *all = all_names(q, ret_bad);
    bool ok = all && X509_add1_ext_i2d(cert, NID_subject_alt_name, all, 0, 0) == 1;
    GENERAL_NAMES_free(all);
    return ok;
}

static bool set_serial(X509 *cert)
{
    u8 bytes[16];
    random_bytes(bytes, sizeof(bytes));
    BIGNUM *n = BN_bin2bn(bytes, sizeof(bytes), NULL);
    bool ok = n && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(cert));
    BN_free(n);
    return ok;
}

static bool set_subject(X509 *cert, const struct cert_request *q, X509 *issuer)
{
    X509_NAME *name = X509_get_subject_name(cert);
    return q->cn.n <= 1000 &&
           X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                      (const u8 *)(q->cn.n ? q->cn.p : ""), (int)q->cn.n, -1,
                                      0) == 1 &&
           X509_set_issuer_name(cert, issuer ? X509_get_subject_name(issuer) : name) == 1;
}

static bool set_times(X509 *cert, i64 days)
{
    if (days < -36500 || days > 365000) return false;
    return X509_gmtime_adj(X509_getm_notBefore(cert), 0) &&
           X509_time_adj_ex(X509_getm_notAfter(cert), (int)days, 0, NULL);
}

static bool fill(X509 *cert, const struct cert_request *q, X509 *issuer, EVP_PKEY *key,
                 struct str *ret_bad)
{
    X509 *by = issuer ? issuer : cert;
    return X509_set_version(cert, 2) == 1 && set_serial(cert) && set_subject(cert, q, issuer) &&
           set_times(cert, q->days) && X509_set_pubkey(cert, key) == 1 &&
           extension(cert, by, NID_key_usage,
                     q->ca ? "critical,digitalSignature,keyEncipherment,keyCertSign"
                           : "critical,digitalSignature,keyEncipherment") &&
           extension(cert, by, NID_ext_key_usage, "serverAuth,clientAuth") &&
           extension(cert, by, NID_basic_constraints,
                     q->ca ? "critical,CA:TRUE" : "critical,CA:FALSE") &&
           (!q->ca || extension(cert, by, NID_subject_key_identifier, "hash")) &&
           add_names(cert, q, ret_bad);
}

/* --- the whole --- */

struct signer {
    X509 *cert;
    EVP_PKEY *key;
};

static bool read_signer(const struct cert_request *q, struct signer *s, char **ret_err)
{
    if (q->ca_cert.n + q->ca_key.n == 0) return true;
    s->cert = read_cert(q->ca_cert);
    s->key = s->cert ? read_key(q->ca_key) : NULL;
    if (!s->cert)
        *ret_err = xstrdup("unable to decode certificate");
    else if (!s->key)
        *ret_err = xstrdup("error parsing private key: no private key in PEM");
    return s->key != NULL;
}

/* Ed25519 has its own digest inside. */
static const EVP_MD *digest_of(EVP_PKEY *key)
{
    return EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519 ? NULL : EVP_sha256();
}

static bool write_cert(X509 *cert, struct buf *out)
{
    char *p;
    BIO *b = BIO_new(BIO_s_mem());
    bool ok = b && PEM_write_bio_X509(b, cert) == 1;
    if (ok) buf_add(out, p, (size_t)BIO_get_mem_data(b, &p));
    BIO_free(b);
    return ok;
}

static bool make(const struct cert_request *q, const struct signer *s, EVP_PKEY *key,
                 struct buf *out, char **ret_err)
{
    struct str bad = {0};
    X509 *cert = X509_new();
    EVP_PKEY *by = s->key ? s->key : key;
    bool ok = cert && fill(cert, q, s->cert, key, &bad) && X509_sign(cert, by, digest_of(by)) > 0 &&
              write_cert(cert, out);
    if (!ok && bad.p)
        *ret_err = xprintf("error parsing ip: " STR_FMT, STR_ARG(bad));
    else if (!ok)
        *ret_err = xstrdup("error creating certificate");
    X509_free(cert);
    ERR_clear_error();
    return ok;
}

int certs_make(const struct cert_request *q, struct buf *cert, struct buf *key, char **ret_err)
{
    struct signer s = {0};
    EVP_PKEY *own = q->key.n ? read_key(q->key) : EVP_RSA_gen(CERT_BITS);
    bool ok = own != NULL;
    if (!ok) *ret_err = xstrdup("parsing private key: no private key in PEM");
    ok = ok && read_signer(q, &s, ret_err) && make(q, &s, own, cert, ret_err);
    if (ok && !key_pem(own, key)) {
        *ret_err = xstrdup("error pem-encoding key");
        ok = false;
    }
    EVP_PKEY_free(own);
    EVP_PKEY_free(s.key);
    X509_free(s.cert);
    return ok ? 0 : -EINVAL;
}

int certs_check(struct str cert, struct str key, char **ret_err)
{
    X509 *c = read_cert(cert);
    EVP_PKEY *k = c ? read_key(key) : NULL;
    int err = k ? 0 : -EINVAL;
    if (!c)
        *ret_err = xstrdup("unable to decode certificate");
    else if (!k)
        *ret_err = xstrdup("error parsing private key: no private key in PEM");
    X509_free(c);
    EVP_PKEY_free(k);
    return err;
}
