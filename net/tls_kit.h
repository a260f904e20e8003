/* For tests: a self-signed certificate for localhost and 127.0.0.1, made on the spot. */
#ifndef NET_TLS_KIT_H
#define NET_TLS_KIT_H

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include "base/xalloc.h"
#include "base/clock.h"
#include "net/tls.h"

struct tls_kit {
    char *cert, *key; /* PEM */
};

static char *tls_kit_text(BIO *b)
{
    char *p;
    long n = BIO_get_mem_data(b, &p);
    char *text = str_dup(str_n(p, (size_t)n));

    BIO_free(b);
    return text;
}

static void tls_kit_extend(X509 *x, int nid, const char *value)
{
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

    X509_add_ext(x, e, -1);
    X509_EXTENSION_free(e);
}

static struct tls_kit tls_kit_new(const char *names)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    BIO *c = BIO_new(BIO_s_mem()), *k = BIO_new(BIO_s_mem());
    struct tls_kit kit;

    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), (long)(random_u64() >> 34));
    X509_gmtime_adj(X509_getm_notBefore(x), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x), 24 * 3600);
    X509_set_pubkey(x, key);
    X509_NAME *name = X509_get_subject_name(x);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"weir test", -1, -1,
                               0);
    X509_set_issuer_name(x, name);
    tls_kit_extend(x, NID_subject_alt_name, names);
    tls_kit_extend(x, NID_basic_constraints, "CA:TRUE");
    X509_sign(x, key, EVP_sha256());
    PEM_write_bio_X509(c, x);
    PEM_write_bio_PrivateKey(k, key, NULL, NULL, 0, NULL, NULL);
    kit.cert = tls_kit_text(c);
    kit.key = tls_kit_text(k);
    X509_free(x);
    EVP_PKEY_free(key);
    return kit;
}

static void tls_kit_free(struct tls_kit *k)
{
    free(k->cert);
    free(k->key);
}

#endif
