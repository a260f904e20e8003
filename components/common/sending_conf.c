/* The sending_queue and retry_on_failure blocks: rows, rules, and the conf made of them. */
#include <errno.h>

#include "components/common/auth.h"
#include "components/common/sending.h"
#include "components/common/settings.h"

/* Without a queue each caller sends for itself; this many of them at a time keep memory bounded. */
#define DIRECT_MAX    1000
#define CONSUMERS_MAX 100000

#define B struct sending_batch_args
static const struct row batch_rows[] = {
    ATTR(B, flush_timeout, .doc = "Longest time that data waits for a batch to fill.",
         .def = "\"200ms\""),
    ATTR(B, max_size, .doc = "Largest batch; bigger ones are split; 0 for no limit.",
         .def = "3000"),
    ATTR(B, min_size, .doc = "Size at which a batch is sent at once.", .def = "2000"),
    ATTR(B, sizer, .doc = "What batch sizes count: items or bytes.", .def = "\"items\""),
};
static const struct schema batch_schema = SCHEMA(B, batch_rows);
#undef B

#define Q struct sending_queue_args
static const struct row queue_rows[] = {
    ATTR(Q, block_on_overflow,
         .doc = "Let callers wait for room in a full queue instead of refusing them.",
         .def = "false"),
    ATTR(Q, enabled,
         .doc = "Keep data in a queue before it is sent; without it callers wait for the endpoint.",
         .def = "true"),
    ATTR(Q, num_consumers, .doc = "Requests that are sent at the same time.", .def = "10"),
    ATTR(Q, queue_size, .doc = "Most data in the queue, counted as `sizer` says.", .def = "1000"),
    ATTR(Q, sizer, .doc = "What queue_size counts: requests, items or bytes.",
         .def = "\"requests\""),
    ATTR(Q, storage, .doc = "Handler of a storage extension to keep the queue on disk.",
         .capsule = &capsule_otelcol_handler),
    ATTR(Q, wait_for_result, .doc = "Answer callers only when the endpoint has answered.",
         .def = "false"),
    BLOCK_PTR(Q, batch, &batch_schema, .doc = "Merges and splits requests behind the queue."),
};
const struct schema sending_queue_schema = SCHEMA(Q, queue_rows);
#undef Q

#define R struct sending_retry_args
static const struct row retry_rows[] = {
    ATTR(R, enabled, .doc = "Try again what failed for a while.", .def = "true"),
    ATTR(R, initial_interval, .doc = "Wait before the first retry.", .def = "\"5s\""),
    ATTR(R, max_elapsed_time, .doc = "Time after which a request is given up; 0s for never.",
         .def = "\"5m\""),
    ATTR(R, max_interval, .doc = "Longest wait between two tries.", .def = "\"30s\""),
    ATTR(R, multiplier, .doc = "Factor by which the wait grows.", .def = "1.5"),
    ATTR(R, randomization_factor, .doc = "Part of the wait that is random, in both directions.",
         .def = "0.5"),
};
const struct schema sending_retry_schema = SCHEMA(R, retry_rows);
#undef R

static bool sizer_parse(struct str s, enum sizer *ret)
{
    static const char *const names[] = {"requests", "items", "bytes"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_is(s, names[i])) {
            *ret = (enum sizer)i;
            return true;
        }
    return false;
}

static int batch_prepare(struct prepare *p, const struct sending_queue_args *q,
                         struct sending_conf *ret)
{
    const struct sending_batch_args *b = q->batch;
    int r = 0;
    if (!sizer_parse(b->sizer, &ret->batch_sizer))
        r = setting_fault(p, "sending_queue/batch/sizer", "invalid sizer: " STR_FMT,
                          STR_ARG(b->sizer));
    else if (ret->batch_sizer == SIZER_REQUESTS)
        r = setting_fault(p, "sending_queue/batch/sizer",
                          "`batch` supports only `items` or `bytes` sizer");
    if (b->flush_timeout.ns <= 0)
        r = setting_fault(p, "sending_queue/batch/flush_timeout",
                          "`flush_timeout` must be positive");
    if (b->min_size < 0)
        r = setting_fault(p, "sending_queue/batch/min_size",
                          "`min_size` must be greater than or equal to zero");
    if (b->max_size < 0)
        r = setting_fault(p, "sending_queue/batch/max_size",
                          "`max_size` must be greater than or equal to zero");
    else if (b->max_size > 0 && b->max_size < b->min_size)
        r = setting_fault(p, "sending_queue/batch/max_size",
                          "`max_size` must be greater or equal to `min_size`");
    if (r == 0 && ret->batch_sizer == ret->sizer && b->min_size > q->queue_size)
        r = setting_fault(p, "sending_queue/batch/min_size",
                          "`min_size` must be less than or equal to `queue_size`");
    ret->batching = q->enabled;
    ret->flush_timeout = b->flush_timeout.ns;
    ret->batch_min = b->min_size;
    ret->batch_max = b->max_size;
    return r;
}

static int queue_prepare(struct prepare *p, const struct sending_queue_args *q,
                         struct sending_conf *ret)
{
    int r = 0;
    ret->queued = q->enabled;
    ret->answer_late = q->wait_for_result || !q->enabled;
    ret->block = q->block_on_overflow || !q->enabled;
    ret->limit = q->enabled ? q->queue_size : DIRECT_MAX;
    ret->consumers = q->enabled ? (i32)MIN(q->num_consumers, CONSUMERS_MAX) : DIRECT_MAX;
    if (!sizer_parse(q->sizer, &ret->sizer))
        r = setting_fault(p, "sending_queue/sizer", "invalid sizer: " STR_FMT, STR_ARG(q->sizer));
    if (q->enabled && q->queue_size <= 0)
        r = setting_fault(p, "sending_queue/queue_size", "queue_size must be greater than zero");
    if (q->enabled && q->num_consumers <= 0)
        r = setting_fault(p, "sending_queue/num_consumers",
                          "num_consumers must be greater than zero");
    if (q->storage.c)
        setting_no_effect(p, "sending_queue/storage",
                          "the queue is kept in memory and is not durable yet");
    if (q->batch && batch_prepare(p, q, ret) < 0) r = -EINVAL;
    if (!q->enabled) ret->sizer = SIZER_REQUESTS;
    return r;
}

static int retry_prepare(struct prepare *p, const struct sending_retry_args *a,
                         struct sending_conf *ret)
{
    int r = 0;
    if (a->enabled && !(a->multiplier > 1.0))
        r = setting_fault(p, "retry_on_failure/multiplier", "multiplier must be greater than 1.0");
    if (a->enabled && !(a->randomization_factor >= 0))
        r = setting_fault(p, "retry_on_failure/randomization_factor",
                          "randomization_factor must be greater or equal to 0");
    static const char *const names[] = {"initial_interval", "max_interval", "max_elapsed_time"};
    const i64 values[] = {a->initial_interval.ns, a->max_interval.ns, a->max_elapsed_time.ns};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (a->enabled && values[i] < 0) {
            struct buf path = BUF_INIT(64);
            buf_printf(&path, "retry_on_failure/%s", names[i]);
            r = setting_fault(p, path.p, "%s must not be negative", names[i]);
            buf_done(&path);
        }
    ret->retry = a->enabled;
    ret->backoff = (struct backoff_conf){.initial = a->initial_interval.ns,
                                         .max = a->max_interval.ns,
                                         .max_elapsed = a->max_elapsed_time.ns,
                                         .multiplier = a->multiplier,
                                         .randomization = a->randomization_factor};
    return r;
}

int sending_prepare(struct prepare *p, const struct sending_queue_args *q,
                    const struct sending_retry_args *r, struct sending_conf *ret)
{
    *ret = (struct sending_conf){0};
    int queue = queue_prepare(p, q, ret), retry = retry_prepare(p, r, ret);
    return queue < 0 ? queue : retry;
}
