/* The client's side of an HTTP/2 connection: requests with a body that is known, answers with
 * trailers. One session on one wire, single thread. Callbacks come from inside the session: they
 * may start and cancel calls, but must not free the connection. */
#ifndef NET_H2_CLIENT_H
#define NET_H2_CLIENT_H

#include <nghttp2/nghttp2.h>
#include "base/arena.h"
#include "base/list.h"
#include "base/vec.h"
#include "net/wire.h"

enum h2_end {
    H2_ENDED,   /* the server ended its answer */
    H2_REFUSED, /* the server has not processed it and says so: it may be sent again as it is */
    H2_RESET,   /* reset with error_code */
    H2_LOST,    /* the connection is gone; `why` says how */
    H2_HUGE,    /* the answer's headers are over their limit */
};

struct h2_conn;
struct h2_stream;

/* A request; owned by the caller, who fills the first part, until over() or h2_cancel. */
struct h2_call {
    const nghttp2_nv *head; /* borrowed like all else */
    size_t n_head;
    const struct iovec *body;
    size_t n_body, body_len, max_answer;
    struct arena *arena; /* the answer's headers are put there */
    void (*over)(struct h2_call *c);

    struct h2_stream *stream; /* NULL: not under way */
    size_t sent, iov, at;     /* of the body */
    int status;
    VEC(struct http_header) headers; /* and trailers */
    size_t header_bytes;
    struct buf answer; /* at most max_answer bytes of it */
    bool truncated;
    size_t dropped; /* bytes over it */
    enum h2_end end;
    u32 error_code;
    const char *why;
};
void h2_call_done(struct h2_call *c); /* frees what the answer took */

struct h2_events {
    void (*ready)(void *arg); /* the server's settings came: calls may start */
    void (*room)(void *arg);  /* a stream ended, or the connection leaves: look at h2_can_start */
    void (*failed)(void *arg, enum http_fail fail,
                   const char *text); /* not made, or lost; its calls are over. Free it */
};

/* conf: ops and arg are set here. ping_every 0: never. */
struct h2_conf {
    struct wire_conf wire;
    i64 ping_every, ping_timeout;
    bool ping_idle; /* also without a call */
    size_t write_buffer;
    const struct h2_events *events;
    void *arg;
};
struct h2_conn *h2_dial(struct loop *l, const struct h2_conf *conf);
/* Closes it; calls on it are over (H2_LOST). Takes NULL. */
void h2_free(struct h2_conn *c);
bool h2_can_start(
    const struct h2_conn *c); /* ready, not leaving, and the server allows one stream more */
bool h2_leaves(const struct h2_conn *c); /* the server said GOAWAY: no new calls */
size_t h2_in_flight(const struct h2_conn *c);
void h2_start(struct h2_conn *c, struct h2_call *call);
/* Resets its stream; over() does not come. The body is not read any more. */
void h2_cancel(struct h2_call *call);
/* A call under way had no answer in time: finds out by a ping whether the server is still there,
 * unless it was heard since. */
void h2_probe(struct h2_call *call, i64 since);

#endif
