/* Between the files of loki.source.api: source_api.c (arguments, life), routes.c (paths, checks,
 * bodies), entries.c (from a body to entries), call.c (a request's way through the pipeline). */
#ifndef COMPONENTS_LOKI_API_API_H
#define COMPONENTS_LOKI_API_API_H

#include "base/list.h"
#include "base/vec.h"
#include "components/common/listening.h"
#include "components/common/relabel.h"
#include "components/common/server_args.h"
#include "telemetry/log_batch.h"

struct api_args {
    struct capsule_list forward_to;
    struct capsule_ref relabel_rules;
    struct str_map labels;
    bool use_incoming_timestamp;
    struct bytesize max_send_message_size;
    struct dur graceful_shutdown_timeout;
    struct server_http_args http;
    struct server_grpc_args grpc;
};
struct api_plan {
    const struct api_args *args;
    size_t limit; /* bytes of a body, compressed or not */
};

/* --- routes --- */
enum api_kind { API_PUSH, API_RAW, API_READY };
#define API_ROUTES 5
struct api_route {
    const char *path, *method;
    const char *name; /* in metrics */
    enum api_kind kind;
};
extern const struct api_route api_routes[API_ROUTES];
#define API_STATUSES 8
/* Series of one route on one worker, made when they are first needed. */
struct api_meters {
    struct metric *inflight, *in_bytes, *out_bytes;
    struct {
        int status;
        struct metric *seconds;
    } by_status[API_STATUSES];
};

struct api_shared {
    struct listening *listening;
    struct metric *entries, *connections;
};
struct api {
    struct shard *shard;
    const struct api_plan *plan;
    struct api_shared *shared;
    struct fanout *out;
    struct serving serving;
    struct list calls;  /* with the pipeline */
    struct list parked; /* those that found no room yet, in order */
    u32 n_parked;
    struct timer *tick;
    struct label_set labels; /* scratch */
    struct api_meters meters[API_ROUTES];
    bool stopping, limit_told;
};
extern const struct http_handler api_handler;

/* One request; in its arena, r->user. */
struct api_call;
struct api_request {
    const struct api_route *route;
    struct api_meters *meters;
    i64 started;
    struct api_call *call;
};
/* Answers; text NULL: an empty body; wait: Retry-After, ns, 0: none. */
void api_answer(struct api *self, struct http_req *r, int status, const char *text, i64 wait);

/* --- entries.c --- */
struct api_body {
    enum api_kind kind;
    bool json;
    struct blob *bytes; /* decoded; borrowed */
    struct str tenant;
    struct arena *arena; /* the request's */
};
/* Adds the body's entries to b. 0; -EINVAL: some streams were refused, *ret_err (owned) says why,
 * the rest were added; -EBADMSG: broken, *ret_err; -ENOMEM. */
int api_read_body(struct api *self, const struct api_body *body, struct log_builder *b,
                  char **ret_err);

/* --- call.c --- */
/* Sends the entries of b (emptied) on and answers r when the next queue has them: with 204, or with
 * 400 and err (moves) when that is not NULL. */
void api_submit(struct api *self, struct http_req *r, struct log_builder *b, char *err);
void api_gone(void *arg, struct http_req *r);
/* The fan-out takes again. */
void api_ready(void *arg);
void api_tick(void *arg);
bool api_idle(const struct api *self);
/* The shard is over. */
void api_forget(struct api *self);
void api_stopped_when_idle(void *arg);

#endif
