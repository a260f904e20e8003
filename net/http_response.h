/* Collects an answer from curl's callbacks: final headers, trailers, body within its limit.
 * Embedded in a call. */
#ifndef NET_HTTP_RESPONSE_H
#define NET_HTTP_RESPONSE_H

#include "base/vec.h"
#include "net/curl_lib.h"
#include "net/http_client.h"
#include "net/http_flow.h"

struct response_mark {
    size_t name, n_name, value, n_value; /* places in text */
};

struct http_response {
    CURL *easy;
    struct buf text; /* of headers and trailers */
    VEC(struct response_mark) marks;
    VEC(struct http_header) headers;
    size_t n_trailers; /* the last of marks */
    bool head_done;
    struct buf body;
    size_t max, passed; /* limit of the body; bytes dropped after it */
    bool truncate;
    bool cut; /* ended by us, having all that we want: a success */
    bool too_large, bad_head, no_room;
    struct budget *budget; /* NULL: none */
    i64 charged;
    struct http_flow *flow; /* NULL: the answer is gathered whole */
    struct tls_peer *peer;  /* filled with the first line of the answer; NULL: not asked for */
    bool follow;            /* redirects are followed: they are not the answer */
};

/* Sets the callbacks of `easy`; truncate is set afterwards. */
void http_response_init(struct http_response *r, CURL *easy, size_t max);
void http_response_done(struct http_response *r);
/* Views into r. */
void http_response_fill(struct http_response *r, struct http_result *out);

#endif
