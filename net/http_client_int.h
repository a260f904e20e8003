/* What the parts of the HTTP client share. A call goes through http_client.c (start, name, pools),
 * http_call_setup.c (what curl is told), http_pieces.c (answers in pieces) and http_call_end.c. */
#ifndef NET_HTTP_CLIENT_INT_H
#define NET_HTTP_CLIENT_INT_H

#include "base/arena.h"
#include "base/list.h"
#include "net/curl_pool.h"
#include "net/http_client.h"
#include "net/http_response.h"
#include "net/resolver.h"

struct net {
    struct resolver *resolver;
};

struct http_client {
    struct net *net;
    struct loop *loop;
    struct list calls, pools;
    struct grpc_channels *channels; /* NULL until the first gRPC call */
    size_t n_calls;
    int depth; /* callbacks on the stack, and the message under way */
    bool dead, curl_ready;
    struct list news;                 /* calls whose caller has to be told something */
    struct msg tell;                  /* tells them later in this turn */
    bool telling;                     /* it is under way */
    struct http_call_handle *current; /* who is being told; NULL: it went meanwhile */
};

enum http_call_state { STARTING, RESOLVING, RUNNING, FAILING, FINISHED };

struct http_call_handle {
    struct list node;
    struct http_client *c;
    struct curl_pool *pool;
    enum http_call_state state;
    CURL *easy;
    struct arena arena;
    struct url url;     /* of the server; what curl is given may differ (server_name) */
    const char *target; /* host:port that is dialled, for messages */
    struct str dial_host;
    int dial_port;
    struct curl_slist *headers, *resolve, *connect_to, *proxy_headers;
    struct resolver_query *query;
    struct timer *timer;
    struct msg failed; /* a call that could not start says so later */
    const char *start_error;
    const struct iovec *body;
    size_t n_body, body_len, body_iov, body_at;
    struct http_response response;
    struct http_trace *trace;
    const char *address; /* NULL: the name is looked up */
    char error[CURL_ERROR_SIZE];
    i64 started;
    i64 began; /* the same by the clock itself, for the trace */
    void (*done)(void *arg, const struct http_result *r);
    void *arg;
    /* an answer in pieces */
    struct http_flow flow;
    struct list news;
    bool over; /* curl has ended, with `code`; the caller has not taken everything yet */
    CURLcode code;
    i64 heard, idle_timeout;
    struct timer *idle;
    size_t (*data)(void *arg, const char *p, size_t n);
    void (*head)(void *arg, const struct http_result *r);
};

/* Around callbacks: a client freed inside of one only goes when the last frame has returned. */
void http_client_enter(struct http_client *c);
void http_client_leave(struct http_client *c);

/* --- setup --- */

/* Tells curl of the call. NULL, or why it cannot be made. */
const char *http_call_configure(struct http_call_handle *h, const struct http_call *call);

/* --- the trace --- */

void http_trace_prepare(struct http_call_handle *h);
void http_trace_fill(struct http_call_handle *h);

/* --- answers in pieces --- */

/* For a call with `data`. */
void http_pieces_expect(struct http_call_handle *h, const struct http_call *call);
/* Curl has ended: everything that came is handed over before the end is told. */
void http_pieces_ended(struct http_call_handle *h, CURLcode code);
/* Hands over what came. Within enter and leave: callers may free the client from within. */
void http_pieces_tell_all(struct http_client *c);
void http_pieces_on_tell(struct msg *m);

/* --- the end --- */

/* Calls done() and frees the call. */
void http_call_finish(struct http_call_handle *h, enum http_fail fail, const char *error);
/* The same with what curl said. */
void http_call_over(struct http_call_handle *h, CURLcode code);
/* Without done(): from the client's lists; from curl, the resolver and the pool; the rest. */
void http_call_unlink(struct http_call_handle *h);
void http_call_detach(struct http_call_handle *h);
void http_call_free(struct http_call_handle *h);

#endif
