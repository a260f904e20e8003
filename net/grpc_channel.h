/* Channels: the connections of one loop to one gRPC endpoint, and the calls that wait for one.
 * Names are looked up, addresses tried in order (pick_first) or used in turns (round_robin), lost
 * connections made again by the next call. Single thread; a client's channels are its own. */
#ifndef NET_GRPC_CHANNEL_H
#define NET_GRPC_CHANNEL_H

#include "net/h2_client.h"

struct resolver;
struct grpc_channel;
struct grpc_channels;
struct grpc_channels *grpc_channels_new(struct loop *l, struct resolver *r);
/* Ends its calls without calling back. Takes NULL. */
void grpc_channels_free(struct grpc_channels *cs);
size_t grpc_channels_in_flight(const struct grpc_channels *cs);
/* The client's, made with the first use (http_client.c). */
struct grpc_channels *http_client_channels(struct http_client *c);

enum call_outcome {
    CALL_ANSWERED, /* see h2.end */
    CALL_DEADLINE,
    CALL_UNCONNECTED, /* never sent: fail and error say why */
    CALL_IMPOSSIBLE,  /* refused by channel_call_refuse */
};

/* Owned by the caller from channel_call_start to over(), or channel_call_cancel. Filled by the
 * caller: h2's first part without over, timeout, over, release. */
struct channel_call {
    struct h2_call h2;
    i64 timeout;
    void (*over)(struct channel_call *c);    /* once, later on the loop */
    void (*release)(struct channel_call *c); /* nothing refers to it any more */

    struct list node;
    struct grpc_channel *channel;
    enum { CALL_WAITING, CALL_RUNNING, CALL_OVER, CALL_CANCELLED } state;
    int refusals;
    struct timer *timer;
    i64 started, elapsed;
    struct msg msg;
    enum call_outcome outcome;
    enum http_fail fail;
    char *error; /* in h2.arena */
};

/* url: http(s)://host:port/...; only the place counts. */
void channel_call_start(struct grpc_channels *cs, struct http_target *t, const struct url *url,
                        struct channel_call *call);
/* over() does not come; release() comes later. The body is not read any more. */
void channel_call_cancel(struct channel_call *call);
/* As start, for a call that cannot be made. */
void channel_call_refuse(struct grpc_channels *cs, struct channel_call *call, const char *error);

#endif
