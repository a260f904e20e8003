/* A client's connection as a byte transport: dialled without blocking, through a proxy's tunnel if
 * there is one, TLS on top, then bytes both ways. Single thread. None of its callbacks is called
 * inside a function of it. */
#ifndef NET_WIRE_H
#define NET_WIRE_H

#include <sys/socket.h>
#include "base/buf.h"
#include "net/http_client.h"
#include "net/tls_peer.h"

struct ssl_ctx_st;

struct wire_ops {
    void (*ready)(void *arg);
    void (*input)(void *arg, const char *p, size_t n);
    void (*drained)(void *arg); /* the socket took all output */
    void (*failed)(
        void *arg, enum http_fail fail,
        const char *text); /* could not be made, or was lost; said once, nothing follows */
};

/* All borrowed until ready or failed, but ops. */
struct wire_conf {
    struct sockaddr_storage addr;
    socklen_t addr_len;
    const char *name;  /* of the address, for messages */
    struct str tunnel; /* through a proxy: the request that opens the tunnel, whole; empty: none */
    struct ssl_ctx_st *tls; /* NULL: cleartext; HTTP/2 must then be agreed on */
    const struct tls_conf *tls_conf;
    struct tls_client *tls_client; /* in place of both: TLS for whatever protocol */
    const struct sockaddr *source; /* the local address; NULL: the kernel's choice */
    socklen_t source_len;
    struct str host;  /* verified when tls_conf names no server */
    size_t read_size; /* at most this much is read at once; 0: default */
    const struct wire_ops *ops;
    void *arg;
};

struct wire;
struct wire *wire_dial(struct loop *l, const struct wire_conf *conf);
/* Closes it at once; no callback comes after. Takes NULL. */
void wire_free(struct wire *w);
/* Output: append to the buffer, then flush. */
struct buf *wire_out(struct wire *w);
void wire_flush(struct wire *w);
/* TLS from here on, on a cleartext wire that is ready and whose output was taken: ready is called
 * once more. Not from within input. */
void wire_secure(struct wire *w, struct tls_client *tls, struct str host);
/* What the server's handshake told; false: there was none. */
bool wire_peer(const struct wire *w, struct tls_peer *ret);
size_t wire_waiting(const struct wire *w); /* bytes the socket has not taken */

#endif
