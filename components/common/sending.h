/* What every OTLP exporter does besides speaking its protocol: sending queue, batching, retries,
 * back-pressure, counting. Source: spec D.6.
 *
 * Each signal has a lane with limits of its own: `queue_size` and `num_consumers` hold for the
 * whole instance and are drawn from atomically by the shards, which keep their own queues. Requests
 * count against the queue until they are delivered or given up. The queue is a boundary: acks that
 * wait for ACCEPTED complete when a request enters it, those that wait for DELIVERED when the
 * endpoint has it. A full queue answers PUSH_FULL; with block_on_overflow it takes requests
 * unanswered and lets their clients wait. Everything waiting is in the process's data budget.
 *
 * struct sending_shared lives in comp->shared, struct sending in a shard's self. Functions run on
 * the shard's worker unless they say otherwise. */
#ifndef COMPONENTS_COMMON_SENDING_H
#define COMPONENTS_COMMON_SENDING_H

#include "base/list.h"
#include "components/common/backoff.h"
#include "components/common/permits.h"
#include "runtime/component.h"

/* --- arguments --- */
struct sending_batch_args {
    struct dur flush_timeout;
    i64 min_size, max_size;
    struct str sizer;
};
struct sending_queue_args {
    bool block_on_overflow, enabled, wait_for_result;
    i64 num_consumers, queue_size;
    struct str sizer;
    struct capsule_ref storage;
    struct sending_batch_args *batch;
};
struct sending_retry_args {
    bool enabled;
    struct dur initial_interval, max_elapsed_time, max_interval;
    f64 multiplier, randomization_factor;
};
extern const struct schema sending_queue_schema, sending_retry_schema;

enum sizer { SIZER_REQUESTS, SIZER_ITEMS, SIZER_BYTES };

/* The plan's part. */
struct sending_conf {
    bool queued;      /* false: the caller waits through the retries */
    bool answer_late; /* wait_for_result, or no queue: acks complete at the endpoint only */
    bool block;       /* block_on_overflow */
    enum sizer sizer;
    i64 limit; /* in units of sizer */
    i32 consumers;
    bool batching;
    enum sizer batch_sizer;
    i64 flush_timeout;
    i64 batch_min, batch_max; /* max 0: none */
    bool retry;
    struct backoff_conf backoff;
};
/* Checks both blocks (faults at sending_queue/..., retry_on_failure/...); 0 or -EINVAL. Pure. */
int sending_prepare(struct prepare *p, const struct sending_queue_args *q,
                    const struct sending_retry_args *r, struct sending_conf *ret);

/* --- instance --- */
struct sending_lane_shared {
    struct budget units;
    struct permits permits;
    struct metric *sent, *failed, *enqueue_failed, *size, *capacity, *in_flight, *batch_items,
        *batch_bytes;
};
struct sending_shared {
    struct comp *comp;
    char *exporter_id; /* value of the label `exporter` */
    struct sending_lane_shared lanes[SIGNAL_COUNT];
    _Atomic bool refused; /* somebody was told FULL and waits for room */
    _Atomic bool failing; /* what health says now */
};
/* Control loop. type: "otlphttp". */
void sending_create(struct sending_shared *sh, struct comp *c, const char *type);
void sending_configure(struct sending_shared *sh, const struct sending_conf *conf);
void sending_destroy(struct sending_shared *sh);
/* otelcol_exporter_sent_*_total for an exporter without this machinery. Control loop. */
struct metric *exporter_sent_metric(struct comp *c, const char *type, enum signal s);

/* --- shard --- */
struct sending;
struct sending_lane;

/* One request on its way; the transport sees batch and attempt. */
struct send_req {
    struct list link;
    struct sending_lane *lane;
    struct batch *batch; /* sealed */
    void *attempt;       /* the transport's own, while it sends */
    i64 units, charged, start;
    struct backoff backoff;
    struct timer *retry; /* made with the first retry */
    bool sending;        /* an attempt is under way */
};

enum send_verdict { SEND_OK, SEND_RETRY, SEND_PERMANENT };
struct send_result {
    enum send_verdict verdict;
    int grpc_code;    /* for the acks; 0: none */
    i64 delay;        /* the server's wish, ns */
    const char *text; /* of the failure; borrowed */
};

/* The transport of one exporter. */
struct send_ops {
    /* Sends r->batch; sending_done_one(r, ...) follows exactly once, from within or later. */
    void (*start)(void *arg, struct send_req *r);
    /* No sending_done_one will come; releases r->attempt. */
    void (*cancel)(void *arg, struct send_req *r);
};

struct sending_lane {
    struct sending *sending;
    struct sending_lane_shared *shared;
    enum signal signal;
    struct list waiting;       /* no room yet (block_on_overflow) */
    struct list queue;         /* in the queue */
    struct list flight;        /* holds a permit: being sent, or waiting for its next try */
    struct send_req *gathered; /* batching: what is being put together */
    i64 gathered_since;
    struct permits_share share;
    struct timer *flush;
};

struct sending {
    struct shard *shard;
    struct sending_shared *shared;
    const struct sending_conf *conf; /* of the current plan */
    const struct send_ops *ops;
    void *arg;
    struct sending_lane lanes[SIGNAL_COUNT];
    struct timer *poll;     /* looks for permits and room that other workers gave back */
    struct timer *deadline; /* of the stop */
    bool stopping, pumping, stopped;
};

void sending_run(struct sending *s, struct shard *shard, struct sending_shared *sh,
                 const struct sending_conf *conf, const struct send_ops *ops, void *arg);
/* conf replaces the old one, which may vanish when this returns; queues and retries survive. */
void sending_apply(struct sending *s, const struct sending_conf *conf);
enum push sending_push(struct sending *s, struct batch *b);
/* What became of the attempt. r is invalid afterwards unless it is tried again. */
void sending_done_one(struct send_req *r, const struct send_result *res);
/* Cuts the waits short, gives each waiting request one more attempt, abandons what is left when
 * three quarters of the shutdown's time are over, then calls shard_stopped. */
void sending_stop(struct sending *s);
void sending_free(struct sending *s);

#endif
