/* One HTTP request that is answered before the call returns, on libcurl's easy interface: for
 * threads of the offload pool, never on a loop. A connection and a name lookup each time, so for
 * what is asked rarely. */
#ifndef NET_HTTP_ASK_H
#define NET_HTTP_ASK_H

#include "base/buf.h"

struct http_ask {
    struct str url; /* user and password in it are sent (Basic) */
    struct str
        unix_socket; /* a path: the socket that is asked, whatever the URL's host; or empty */
    struct str content_type, body; /* of a POST; without a body it is a GET */
    const char *user_agent;        /* or NULL */
    i64 timeout;                   /* ns, of all */
};
/* 0 with status and body of the answer, whatever it is; else a negative code with an owned
 * sentence. The body is bounded by ret_body's own maximum (-E2BIG). */
int http_ask(const struct http_ask *ask, int *ret_status, struct buf *ret_body, char **ret_err);

#endif
