/* One batch in, one out, on the worker it came in on. */
#include "components/common/otel_stage.h"

#define RETRY_AFTER (100 * NS_PER_MS)

static void finish(struct otel_stage *st)
{
    if (!st->stopping || st->stopped || !otel_outputs_idle(&st->out)) return;
    st->stopped = true;
    shard_stopped(st->shard);
}

static void on_ready(void *arg)
{
    struct otel_stage *st = arg;

    shard_ready(st->shard);
    finish(st);
}

void otel_stage_init(struct otel_stage *st, struct shard *s, const struct otel_output *output)
{
    *st = (struct otel_stage){.shard = s};
    st->retry = timer_new(s->worker->loop, on_ready, st);
    otel_outputs_init(&st->out, s, on_ready, st);
    otel_outputs_set(&st->out, output);
}

void otel_stage_apply(struct otel_stage *st, const struct otel_output *output)
{
    otel_outputs_set(&st->out, output);
    shard_ready(st->shard);
}

void otel_stage_stop(struct otel_stage *st)
{
    st->stopping = true;
    finish(st);
}

void otel_stage_done(struct otel_stage *st)
{
    timer_free(st->retry);
    otel_outputs_free(&st->out);
}

enum push otel_stage_wait(struct otel_stage *st)
{
    timer_start(st->retry, RETRY_AFTER);
    return PUSH_FULL;
}

enum push otel_stage_push(struct otel_stage *st, struct batch *from, struct batch *made)
{
    if (otel_outputs_push(&st->out, made) == PUSH_FULL) { /* from now on known to be full */
        batch_unref(made);
        return PUSH_FULL;
    }
    batch_unref(from);
    return PUSH_TAKEN;
}

enum push otel_stage_refuse(struct otel_stage *st, struct batch *b, const char *sentence,
                            const char *why)
{
    log_error(st->shard->comp->log, sentence, F_CSTR("err", why),
              F_UINT("dropped_items", b->items));
    batch_fail(b, ACK_FAILED, &(struct ack_failure){.text = why});
    batch_unref(b);
    return PUSH_TAKEN;
}
