/* A request on its way in, common to HTTP/1 and HTTP/2: target, limits, body, and the hooks of the
 * handler. Embedded in a session (HTTP/1) or a stream (HTTP/2); belongs to it. Runs on the
 * connection's loop. */
#ifndef NET_REQUEST_H
#define NET_REQUEST_H

#include "net/http_server.h"

struct conn;
struct request;

struct request_ops {
    void (*respond)(struct request *q, const struct http_answer *a);
    /* Of an answer that goes on: none of them closes the connection before the caller is back. */
    void (*stream_begin)(struct request *q, const struct http_answer *head);
    void (*stream_write)(struct request *q, struct str piece);
    void (*stream_end)(struct request *q);
    size_t (*stream_pending)(const struct request *q); /* bytes that the socket has not taken */
};

struct http_stream { /* http_stream.c */
    bool open;
    size_t max_pending;
    void (*gone)(void *arg);
    void *arg;
};

struct request {
    struct http_req pub;
    struct conn *c;
    const struct request_ops *ops;
    struct arena arena;
    i64 started;        /* headers complete */
    i64 content_length; /* -1: not told */
    bool framed;  /* gRPC: the five bytes before the message go to `frame`, the body is the message
                     alone */
    bool overrun; /* bytes came after it */
    u8 n_frame, frame[5];
    bool seen; /* the handler knows it: it must be answered or told `gone` */
    bool answered;
    struct http_stream stream; /* the answer goes on while it is open */
};

static inline struct request *request_of(struct http_req *r)
{
    return container_of(r, struct request, pub);
}

/* Ready for the first or the next use. */
void request_init(struct request *q, struct conn *c, const struct request_ops *ops);
void request_done(struct request *q);
/* Sets target, path and query; text must live as long as the request. False when it is malformed.
 */
bool request_set_target(struct request *q, struct str target);
/* The headers are in (pub.headers set): asks the handler, checks the announced length, makes the
 * body's blob. True when the body is wanted; otherwise the request was answered. */
bool request_begin(struct request *q, i64 content_length);
/* Bytes of the body. False when the request was answered (too large, no memory). */
bool request_add(struct request *q, const char *p, size_t n);
/* The body is complete: calls the handler. */
void request_complete(struct request *q);
/* The connection or stream died. */
void request_gone(struct request *q);
/* The answer that goes on lost its client. */
void http_stream_lost(struct http_stream *s);

#endif
