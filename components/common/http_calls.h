/* Requests on their way through the pipeline, for components that answer their clients when the
 * next queue has taken what they sent. While there is no room a request waits for a moment; then,
 * or when too many wait, its client is to come again. What was taken is answered by its ack; an ack
 * that does not come in time is answered for, and the data may come twice.
 *
 * Embedded in the shard's self, used on its worker. */
#ifndef COMPONENTS_COMMON_HTTP_CALLS_H
#define COMPONENTS_COMMON_HTTP_CALLS_H

#include "base/list.h"
#include "runtime/component.h"

enum http_call_end {
    CALL_TAKEN,
    CALL_REFUSED, /* for good: sending it again cannot help */
    CALL_AGAIN,   /* not now */
};
struct http_calls_rules {
    /* Sends a batch on. */
    enum push (*push)(void *arg, struct batch *b);
    /* Answers r. text: why, NULL when taken; wait: ns after which to come again. */
    void (*answer)(void *arg, struct http_req *r, enum http_call_end end, const char *text,
                   i64 wait);
    /* A call ended; whoever stops looks whether it may. */
    void (*ended)(void *arg);
};
struct http_calls {
    struct shard *shard;
    const struct http_calls_rules *rules;
    void *arg;
    struct list calls;  /* all of them */
    struct list parked; /* those that found no room yet, in order */
    u32 n_parked;
    i64 answer_time;
    struct timer *tick;
};
void http_calls_init(struct http_calls *c, struct shard *s, const struct http_calls_rules *rules,
                     void *arg);
/* From the server's write timeout; 0: none. */
void http_calls_timeout(struct http_calls *c, i64 write_timeout);
/* Sends b (moves; sealed here already) on, and answers r later. */
void http_calls_submit(struct http_calls *c, struct http_req *r, struct batch *b);
/* The client went away: it sends again what it was not answered for. */
void http_calls_gone(struct http_calls *c, struct http_req *r);
/* There is room again. */
void http_calls_ready(struct http_calls *c);
bool http_calls_idle(const struct http_calls *c);
/* The shard is over. */
void http_calls_done(struct http_calls *c);

#endif
