/* One curl multi handle for one target on one loop: its connections, its cookies and TLS sessions,
 * its configured easy handles. The socket and timer glue to the loop is in curl_loop.c. Single
 * thread. */
#ifndef NET_CURL_POOL_H
#define NET_CURL_POOL_H

#include "base/list.h"
#include "base/vec.h"
#include "net/curl_lib.h"
#include "net/http_target.h"

struct curl_pool {
    struct list node; /* of the client */
    struct loop *loop;
    struct http_target *target;
    CURLM *multi;
    CURLSH *share; /* cookies and TLS sessions of all its handles */
    struct timer *timer, *idle;
    VEC(CURL *) spare;
    size_t n_calls;
    void (*active)(
        struct curl_pool *p); /* curl has worked: transfers may have ended. May free the pool */
    void (*idle_over)(
        struct curl_pool *p); /* nothing was called for the target's idle time. May free the pool */
    void *arg;
};

struct curl_pool *curl_pool_new(struct loop *l, struct http_target *t,
                                void (*active)(struct curl_pool *p),
                                void (*idle_over)(struct curl_pool *p), void *arg);
/* Every handle was given back. Closes the connections. */
void curl_pool_free(struct curl_pool *p);
/* A configured handle; NULL when memory is out. */
CURL *curl_pool_take(struct curl_pool *p);
void curl_pool_give(struct curl_pool *p, CURL *easy);
/* The next transfer that ended, or false. */
bool curl_pool_next(struct curl_pool *p, CURL **ret_easy, CURLcode *ret_code);

#endif
