/* An answer that goes on: what has come of its body and was not yet handed to the caller. Curl's
 * callbacks only put bytes here; the caller is told after curl has returned, so that it may do with
 * its call what it likes. When much waits, curl is told to wait, and with it the server. Embedded
 * in a call, whose loop's thread it runs on. */
#ifndef NET_HTTP_FLOW_H
#define NET_HTTP_FLOW_H

#include "base/buf.h"
#include "net/curl_lib.h"

struct http_flow {
    struct buf waiting;
    bool asked;                        /* the caller wants the answer in pieces */
    bool streams;                      /* it gets it so: the answer is a success */
    bool head;                         /* the final answer's headers are complete */
    bool told;                         /* and the caller has seen them */
    bool choked;                       /* curl was told to wait for room */
    bool paused;                       /* the caller wants nothing for now */
    void (*news)(struct http_flow *f); /* something came */
};

void http_flow_init(struct http_flow *f, void (*news)(struct http_flow *f));
void http_flow_done(struct http_flow *f);
/* The headers of an answer with this status are complete; redirected: it is not the final one. */
void http_flow_head(struct http_flow *f, long status, bool redirected);
/* Takes a piece of the body. As curl's write callback answers. */
size_t http_flow_put(struct http_flow *f, const char *p, size_t n);
/* The caller took n bytes of what waits. */
void http_flow_take(struct http_flow *f, size_t n);

#endif
