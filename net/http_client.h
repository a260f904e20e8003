/* HTTP client on libcurl's multi interface, one per loop: connection reuse, HTTP/2, TLS, proxies,
 * timeouts. Never blocks: names are resolved on the offload pool through a cache and handed to
 * curl. Everything on the owning loop. */
#ifndef NET_HTTP_CLIENT_H
#define NET_HTTP_CLIENT_H

#include <sys/uio.h>
#include "base/buf.h"
#include "base/budget.h"
#include "net/http.h"
#include "net/loop.h"
#include "net/tls.h"
#include "net/tls_peer.h"

/* Process-wide parts: curl's global state, resolver cache, offload pool. */
struct net;
struct net *net_new(struct offload *pool);
void net_free(struct net *n);
struct resolver *net_resolver(struct net *n);

struct http_client;
struct http_client *http_client_new(struct net *n, struct loop *l);
void http_client_free(struct http_client *c); /* cancels what is in flight without calling back */

/* Settings shared by the calls of one endpoint; counted, immutable, may be shared by loops. */
struct http_target_conf {
    struct tls_conf tls;
    struct str proxy_url; /* empty: none; proxy_from_env: HTTP(S)_PROXY, NO_PROXY */
    bool proxy_from_env;
    struct str no_proxy;                     /* hosts that proxy_url is not for, as in NO_PROXY */
    const struct http_header *proxy_headers; /* sent to the proxy only */
    size_t n_proxy_headers;
    bool http2; /* try it, by ALPN; gRPC always speaks it */
    bool no_keepalive;
    bool follow_redirects;
    size_t max_idle_conns, max_conns_per_host;        /* 0: default / unlimited */
    i64 idle_conn_timeout;                            /* ns; 0: never */
    i64 keepalive_ping_every, keepalive_ping_timeout; /* HTTP/2 pings of gRPC; TCP keepalive of
                                                         other calls (see docs/design/net.md) */
    bool keepalive_without_calls, round_robin, wait_for_ready; /* gRPC only */
    size_t read_buffer, write_buffer;
    bool cookies; /* keep cookies between calls */
    /* A path: calls go to this socket, whatever host their URL names (its text becomes the Host
     * header); proxies are not used. "@name": in the abstract namespace. Empty: TCP. */
    struct str unix_socket;
};
struct http_target;
/* Copies everything. NULL and owned *ret_err when the settings cannot work. */
struct http_target *http_target_new(const struct http_target_conf *conf, char **ret_err);
struct http_target *http_target_ref(struct http_target *t);
void http_target_unref(struct http_target *t);

enum http_fail {
    HTTP_OK /* an answer came, whatever its status */,
    HTTP_TIMEOUT,
    HTTP_RESOLVE,
    HTTP_CONNECT,
    HTTP_TLS,
    HTTP_BROKEN,
    HTTP_TOO_LARGE,
    HTTP_CANCELLED
};

struct http_result {
    enum http_fail fail;
    const char *error; /* text for people; valid during the callback */
    int status;
    const struct http_header *headers; /* of the final answer, then its trailers */
    size_t n_headers;
    const struct http_header *trailers;
    size_t n_trailers;
    struct str body;
    i64 elapsed;
};

/* How the time of a call was spent, and with whom; for probes. Durations in ns, 0: it did not come
 * to that. */
struct http_trace {
    i64 resolve, connect, tls, processing, transfer;
    int version; /* 10, 11, 20 */
    struct tls_peer peer;
};

struct http_call {
    struct http_target *target;        /* borrowed for the call: the client takes a reference */
    struct str method, url;            /* copied */
    const struct http_header *headers; /* copied */
    size_t n_headers;
    const struct iovec *body; /* borrowed until done is called: not copied */
    size_t n_body;
    size_t body_len;
    i64 timeout;           /* ns, whole call; 0: none */
    size_t max_response;   /* bytes of body kept; more fails with HTTP_TOO_LARGE, unless truncate */
    struct budget *budget; /* the kept body is charged to it until done returned; over it the call
                              fails with HTTP_BROKEN; NULL: to none */
    bool truncate;
    void (*done)(void *arg, const struct http_result *r);
    void *arg;
    /* An address ("10.0.0.1", "[fe80::1]") that is dialled in place of looking up the URL's host;
     * not through a proxy. Empty: none. */
    struct str address;
    /* A connection of its own, and this filled when done is called (tls_peer_done it); NULL: no. */
    struct http_trace *trace;

    /* With `data` an answer is handed over as it comes: that of a success (2xx) in pieces, of
     * which nothing is kept; any other is gathered within max_response and given to done, as are
     * the headers and trailers of both. data returns how many of the bytes it took: fewer than n
     * pauses the call, and the rest comes again after http_call_resume. While a call is paused the
     * server is made to wait, and at most some 150 KiB are held here. done is called when all was
     * taken, or at once when a time is over: what then still waited is lost. The call may be
     * cancelled, paused, resumed, and its client freed from within any of its callbacks. */
    size_t (*data)(void *arg, const char *p, size_t n);
    /* Optional, with data: the headers of the final answer, whatever its status, before its body.
     */
    void (*head)(void *arg, const struct http_result *r);
    i64 idle_timeout; /* ns, with data: no byte came for so long, pauses left out; 0: none */
};
struct http_call_handle;
/* With `data`: nothing is handed over until it is resumed. Harmless when it is so already. */
void http_call_pause(struct http_call_handle *h);
/* Goes on; never calls back from within. */
void http_call_resume(struct http_call_handle *h);
/* Starts it; done is called later on the loop, exactly once, unless cancelled. */
struct http_call_handle *http_client_start(struct http_client *c, const struct http_call *call);
/* No callback will come; the body may be released at once. */
void http_client_cancel(struct http_call_handle *h);
size_t http_client_in_flight(const struct http_client *c);

#endif
