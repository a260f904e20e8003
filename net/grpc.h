/* gRPC over HTTP/2: message framing, status and trailers, for unary calls on both sides. Source:
 * spec W.3b. */
#ifndef NET_GRPC_H
#define NET_GRPC_H

#include "base/codec.h"
#include "net/http_client.h"
#include "net/http_server.h"

enum grpc_code {
    GRPC_OK,
    GRPC_CANCELED,
    GRPC_UNKNOWN,
    GRPC_INVALID_ARGUMENT,
    GRPC_DEADLINE_EXCEEDED,
    GRPC_NOT_FOUND,
    GRPC_ALREADY_EXISTS,
    GRPC_PERMISSION_DENIED,
    GRPC_RESOURCE_EXHAUSTED,
    GRPC_FAILED_PRECONDITION,
    GRPC_ABORTED,
    GRPC_OUT_OF_RANGE,
    GRPC_UNIMPLEMENTED,
    GRPC_INTERNAL,
    GRPC_UNAVAILABLE,
    GRPC_DATA_LOSS,
    GRPC_UNAUTHENTICATED,
};
const char *grpc_code_name(enum grpc_code c); /* "Unavailable" */

/* A status to send or received. message and details are borrowed. */
struct grpc_status {
    enum grpc_code code;
    struct str message;
    i64 retry_delay;    /* RetryInfo, ns; 0: none */
    struct str details; /* whole google.rpc.Status bytes as received, may be empty */
};
/* Encodes google.rpc.Status with RetryInfo when retry_delay is set. */
void grpc_status_encode(const struct grpc_status *s, struct buf *out);
/* 0 or -EBADMSG; message is a view into bytes. */
int grpc_status_decode(struct str bytes, struct grpc_status *ret);

/* --- server --- */
bool grpc_is(const struct http_req *r); /* content-type application/grpc[+proto|;...] */
/* Checks method, path, content type, timeout and message framing of a whole request; decompresses.
 * GRPC_OK and an owned *ret (blob, charged to budget), or the status to answer with (text in
 * r->arena). `limit` is max_recv_msg_size. */
struct grpc_status grpc_read_message(struct http_req *r, size_t limit, struct budget *budget,
                                     struct blob **ret);
/* For http_handler.too_large: the status of a message over its limit. */
struct grpc_status grpc_too_large(struct http_req *r, size_t limit);
/* Splits "/pkg.Service/Method"; false when there is no second slash. */
bool grpc_split_path(struct str path, struct str *ret_service, struct str *ret_method);
/* Answers: message when the code is OK, trailers-only otherwise. Compressed with the request's
 * encoding as grpc does. */
void grpc_respond(struct http_req *r, const struct grpc_status *s, struct str message);

/* --- client --- */
struct grpc_call {
    struct http_target *target;
    struct str url; /* http(s)://host:port/pkg.Service/Method */
    const struct http_header *metadata;
    size_t n_metadata;
    const struct iovec
        *message; /* already compressed when codec is not CODEC_NONE; borrowed until done */
    size_t n_message, message_len;
    enum codec codec; /* gRPC's "snappy" is CODEC_SNAPPY_FRAMED */
    i64 timeout;
    size_t max_response;
    void (*done)(void *arg, const struct grpc_status *s, struct str message, i64 elapsed);
    void *arg;
};
struct grpc_call_handle;
struct grpc_call_handle *grpc_start(struct http_client *c, const struct grpc_call *call);
void grpc_cancel(struct grpc_call_handle *h);

#endif
