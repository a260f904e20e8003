/* One batch at a time: built, held while the outputs are full, gone. */
#include "components/common/log_source.h"

#define RETRY_AFTER (100 * NS_PER_MS)

/* Sends what is held. True: nothing is held any more. */
static bool push_held(struct log_source *ls)
{
    if (ls->held && fanout_push(ls->out, ls->held) == PUSH_TAKEN) ls->held = NULL;
    return !ls->held;
}

/* The builder's entries become the held batch; without memory they stay where they are, and it is
 * tried again in a moment. */
static bool seal(struct log_source *ls)
{
    struct batch *b = batch_new(SIGNAL_LOGS);

    if (log_builder_seal(ls->builder, b) < 0) {
        batch_unref(b);
        timer_start(ls->retry, RETRY_AFTER);
        return false;
    }
    b->received = loop_now(ls->shard->worker->loop);
    ls->held = b;
    return true;
}

static struct batch *with_ack(struct batch *b, struct ack *ack)
{
    if (!ack) return b;
    batch_add_ack(b, ack);
    ack_unref(ack);
    return b;
}

static bool seal_and_push(struct log_source *ls)
{
    if (!seal(ls)) return false;
    ls->held = with_ack(ls->held, ls->ack);
    ls->ack = NULL;
    ls->unsealed = false;
    return push_held(ls);
}

static void on_ready(void *arg)
{
    struct log_source *ls = arg;

    if (ls->unsealed ? seal_and_push(ls) : push_held(ls)) ls->room(ls->arg);
}

void log_source_init(struct log_source *ls, struct shard *s, const struct capsule_list *forward_to,
                     void (*room)(void *arg), void *arg)
{
    *ls = (struct log_source){.shard = s, .room = room, .arg = arg};
    ls->builder = log_builder_new(s->comp->host->data_budget);
    ls->retry = timer_new(s->worker->loop, on_ready, ls);
    ls->out = fanout_new(s, on_ready, ls);
    fanout_set(ls->out, forward_to);
}

void log_source_apply(struct log_source *ls, const struct capsule_list *forward_to)
{
    fanout_set(ls->out, forward_to);
    if (log_source_blocked(ls)) timer_start(ls->retry, 0);
}

void log_source_done(struct log_source *ls)
{
    if (ls->held) {
        batch_fail(ls->held, ACK_ABANDONED, NULL);
        batch_unref(ls->held);
    }
    if (ls->ack) {
        ack_fail(ls->ack, ACK_ABANDONED, NULL);
        ack_unref(ls->ack);
    }
    timer_free(ls->retry);
    fanout_free(ls->out);
    log_builder_free(ls->builder);
    *ls = (struct log_source){0};
}

bool log_source_send(struct log_source *ls, struct ack *ack)
{
    if (log_builder_items(ls->builder) == 0) {
        if (ack) ack_unref(ack);
        return true;
    }
    ls->ack = ack;
    ls->unsealed = true;
    return seal_and_push(ls);
}

void log_source_discard(struct log_source *ls)
{
    log_builder_free(ls->builder);
    ls->builder = log_builder_new(ls->shard->comp->host->data_budget);
}

bool log_source_blocked(const struct log_source *ls)
{
    return ls->held || ls->unsealed || fanout_full(ls->out);
}

bool log_source_idle(const struct log_source *ls)
{
    return !log_source_blocked(ls) && !fanout_holds(ls->out);
}
