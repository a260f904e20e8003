/* What a handshake told of the server: for probes, which report it. Owned texts; zero it, then
 * tls_peer_take, tls_peer_done. */
#ifndef NET_TLS_PEER_H
#define NET_TLS_PEER_H

#include "base/str.h"

struct tls_peer {
    bool known;          /* a certificate was seen: the rest is set */
    const char *version; /* "TLS 1.3" */
    const char *cipher;  /* "TLS_AES_128_GCM_SHA256" */
    bool verified;
    i64 earliest_expiry; /* seconds since 1970: of all certificates that were sent */
    i64 chain_expiry;    /* of the chain that was verified; verified only */
    char *fingerprint;   /* of the server's own certificate: SHA-256, hexadecimal */
    char *subject, *issuer, *names, *serial;
};

struct ssl_st;
/* In place of what was there. */
void tls_peer_take(struct tls_peer *p, struct ssl_st *ssl);
void tls_peer_done(struct tls_peer *p);

#endif
