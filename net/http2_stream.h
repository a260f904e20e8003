/* Inside of HTTP/2: the session, and what one stream (one request and its answer) does with its
 * events. */
#ifndef NET_HTTP2_STREAM_H
#define NET_HTTP2_STREAM_H

#include <errno.h>
#include <nghttp2/nghttp2.h>
#include "base/digest.h"
#include "base/list.h"
#include "base/vec.h"
#include "net/conn.h"
#include "net/request.h"

struct http2 {
    struct conn *c;
    nghttp2_session *ng;
    struct list streams;
    size_t n_streams;
    struct msg pump; /* produces output later in the turn */
    bool pumping;
    enum { SHUTDOWN_NONE, SHUTDOWN_ANNOUNCED, SHUTDOWN_FINAL } shutdown;
    bool aged;
    i64 shutdown_due, age_due, ping_due; /* 0: none */
    i64 idle_since;
    int tokens, early_pings;
    i64 tokens_at, last_ping;
};

/* Output may be waiting: produce it later in this turn. */
void http2_wake(struct http2 *s);
/* Sets the connection's timer to the soonest deadline. */
void http2_arm(struct http2 *s);

struct http2_stream {
    struct request q;
    struct http2 *s;
    struct list node;
    i32 id;
    VEC(struct http_header) headers;
    size_t header_bytes;
    bool too_big, malformed; /* headers */
    bool head_done, ended;   /* the client's side */
    struct str authority;
    i64 opened, window_ends, answer_due;
    size_t window_bytes, dropped;
    const char *p; /* rest of the answer's body */
    size_t n;
    struct blob *blob; /* it lives in */
    nghttp2_nv *trailers;
    size_t n_trailers;
    struct buf pending; /* of an answer that goes on: from pending_at on not yet in a frame */
    size_t pending_at;
};

struct http2_stream *http2_stream_new(struct http2 *s, i32 id);
void http2_stream_free(struct http2_stream *t);
void http2_stream_header(struct http2_stream *t, struct str name, struct str value);
void http2_stream_headers_end(struct http2_stream *t, bool ends);
void http2_stream_data(struct http2_stream *t, const char *p, size_t n);
void http2_stream_end(struct http2_stream *t);
/* Ends a stream that is too slow. */
void http2_stream_check(struct http2_stream *t, i64 now);
/* Takes over the head of a request that came by HTTP/1. */
void http2_stream_copy(struct http2_stream *t, const struct request *first);

#endif
