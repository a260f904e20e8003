/* Keys and certificates made here: PEM texts, for the functions of templates that make them. Making
 * a key takes from milliseconds (elliptic curves) to seconds (RSA, DSA). */
#ifndef NET_CERTS_H
#define NET_CERTS_H

#include "base/buf.h"

/* "" and "rsa": RSA of 4096 bits; "dsa", "ecdsa" (P-256), "ed25519". Appends PEM; -EINVAL for
 * another type, -EIO when OpenSSL cannot. */
int certs_private_key(struct str type, struct buf *pem);

struct cert_request {
    struct str cn;
    const struct str *ips, *names; /* of the certificate; addresses and DNS names */
    size_t n_ips, n_names;
    i64 days;
    bool ca;
    struct str key;             /* PEM; empty: a new RSA key of 2048 bits */
    struct str ca_cert, ca_key; /* PEM of who signs; empty: by itself */
};
/* Appends PEM of the certificate and of its key. -EINVAL and an owned *ret_err. */
int certs_make(const struct cert_request *q, struct buf *cert, struct buf *key, char **ret_err);
/* Whether a certificate and a private key can be read. -EINVAL and an owned *ret_err. */
int certs_check(struct str cert, struct str key, char **ret_err);

#endif
