/* One batch of entries in, one out, on the worker it came in on. */
#include "components/common/log_stage.h"

#define RETRY_AFTER (100 * NS_PER_MS)

static void finish(struct log_stage *st)
{
    if (!st->stopping || st->stopped || fanout_holds(st->out)) return;
    st->stopped = true;
    shard_stopped(st->shard);
}

static void on_ready(void *arg)
{
    struct log_stage *st = arg;

    if (st->ready) st->ready(st->arg);
    shard_ready(st->shard);
    finish(st);
}

void log_stage_init(struct log_stage *st, struct shard *s, const struct capsule_list *forward_to)
{
    *st = (struct log_stage){.shard = s};
    st->retry = timer_new(s->worker->loop, on_ready, st);
    st->out = fanout_new(s, on_ready, st);
    fanout_set(st->out, forward_to);
}

void log_stage_apply(struct log_stage *st, const struct capsule_list *forward_to)
{
    fanout_set(st->out, forward_to);
    on_ready(st);
}

void log_stage_stop(struct log_stage *st)
{
    st->stopping = true;
    finish(st);
}

void log_stage_done(struct log_stage *st)
{
    timer_free(st->retry);
    fanout_free(st->out);
}

bool log_stage_full(const struct log_stage *st)
{
    return fanout_full(st->out);
}

enum push log_stage_wait(struct log_stage *st)
{
    timer_start(st->retry, RETRY_AFTER);
    return PUSH_FULL;
}

enum push log_stage_push(struct log_stage *st, struct batch *from, struct batch *made)
{
    if (fanout_push(st->out, made) == PUSH_FULL) { /* from now on known to be full */
        batch_unref(made);
        return PUSH_FULL;
    }
    batch_unref(from);
    return PUSH_TAKEN;
}

enum push log_stage_push_built(struct log_stage *st, struct batch *from, struct log_builder *b)
{
    struct batch *made;

    if (!log_builder_items(b)) {
        batch_unref(from);
        return PUSH_TAKEN;
    }
    made = batch_derive(from);
    if (log_builder_seal(b, made) < 0) {
        batch_unref(made);
        return log_stage_wait(st);
    }
    return log_stage_push(st, from, made);
}
