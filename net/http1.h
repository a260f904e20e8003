/* Reading HTTP/1 heads and chunked bodies: http-parser behind a small face. Bodies with a length do
 * not pass through it. One struct per connection, used again for each request. No I/O, no limits on
 * bodies; single thread. */
#ifndef NET_HTTP1_H
#define NET_HTTP1_H

#include <http_parser.h>
#include "base/vec.h"
#include "net/http.h"

struct http1_span {
    size_t at, n; /* in text */
};
struct http1_mark {
    struct http1_span name, value;
};

struct http1_head {
    http_parser parser;
    struct buf text; /* target, names and values, one after the other */
    struct http1_span target;
    VEC(struct http1_mark) marks;
    VEC(struct http_header) headers; /* views into text, made when the head is complete */
    size_t bytes, max;               /* read so far; the limit of the head */
    bool started, complete, ended;   /* head complete; message complete */
    bool in_value, chunked, keep_alive;
    i64 content_length; /* -1: none told */
    /* Chunked bodies: called with decoded bytes. */
    void (*body)(void *arg, const char *p, size_t n);
    void *arg;
};

enum http1_result {
    HTTP1_MORE,    /* all bytes were taken, more are needed */
    HTTP1_HEAD,    /* the head is complete; the body begins after the bytes taken */
    HTTP1_END,     /* the chunked message is complete */
    HTTP1_BAD,     /* malformed */
    HTTP1_TOO_BIG, /* the head passed its limit */
};

void http1_head_init(struct http1_head *h, size_t max,
                     void (*body)(void *arg, const char *p, size_t n), void *arg);
void http1_head_done(struct http1_head *h);
/* Ready for the next message; keeps small buffers. */
void http1_head_reset(struct http1_head *h);
/* Reads the head, then (when chunked) the body. *ret_took: bytes used. */
enum http1_result http1_parse(struct http1_head *h, const char *p, size_t n, size_t *ret_took);
/* After HTTP1_HEAD. Views into the head: valid until the reset. */
struct str http1_method(const struct http1_head *h);
struct str http1_target(const struct http1_head *h);
int http1_version(const struct http1_head *h); /* 10, 11, or another major * 10 + minor */
/* Process-wide: takes http-parser's own limit out of the way of ours. Call once. */
void http1_global_init(void);

#endif
