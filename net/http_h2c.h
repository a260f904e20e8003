/* Cleartext HTTP/2 by prior knowledge around a fault of curl 7.88: a connection opened so cannot be reused by a transfer that asks for the
 * same, it would greet twice. So one transfer opens a connection of its own, and the others ask for HTTP/2 in general, share what is there,
 * and must never open one (they would speak HTTP/1): when curl tries, it is refused, and the transfer is started again as an opener. */
#ifndef NET_HTTP_H2C_H
#define NET_HTTP_H2C_H

#include "base/common.h"
#include "net/curl_lib.h"

struct h2c_pool {
    u32 generation; /* counts openers: who was refused in an older one need not open yet another */
    bool opened;
};

struct h2c_call {
    u32 generation;
    bool opener, refused;
};

/* Sets the version and connection options of a transfer that is about to start. call must outlive the transfer. */
void h2c_prepare(struct h2c_pool *pool, struct h2c_call *call, CURL *easy);
/* A transfer failed: true when it has to be prepared and started again. */
bool h2c_again(struct h2c_pool *pool, struct h2c_call *call);

#endif
