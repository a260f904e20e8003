/* Inside of the HTTP client: a target's settings in the form curl takes them. */
#ifndef NET_HTTP_TARGET_H
#define NET_HTTP_TARGET_H

#include "base/refcount.h"
#include "net/curl_lib.h"
#include "net/http_client.h"

struct http_target {
    struct refs refs;
    _Atomic u32 n_pools; /* references that pools of connections hold: when they are all there is,
                            the target is of the past */
    struct http_target_conf conf; /* texts owned */
    char *ca;                     /* PEM texts put together; NULL: the file, or the system's */
    size_t ca_n;
    char *ciphers, *ciphers_13, *curves; /* NULL: curl's */
};

/* A reference for a pool, and back. */
struct http_target *http_target_pool_ref(struct http_target *t);
void http_target_pool_unref(struct http_target *t);
/* Nobody but pools, on whatever loop, holds the target: no call will come. A guess while another
 * loop's pool comes or goes: where it is wrong, connections are closed that might have served
 * again. */
bool http_target_is_past(struct http_target *t);
/* Sets what is the same for all calls. */
void http_target_apply(const struct http_target *t, CURL *easy);
/* The proxy for a URL, or an empty text. */
struct str http_target_proxy(const struct http_target *t, const struct url *url);

#endif
