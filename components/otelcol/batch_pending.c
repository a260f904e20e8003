/* Pending batches of a batcher. */
#include "components/otelcol/batch_pending.h"

#include <errno.h>

void pending_init(struct pending *p)
{
    *p = (struct pending){0};
}

static void drop(struct batch *b, enum ack_outcome outcome)
{
    if (outcome != ACK_OK) batch_fail(b, outcome, NULL);
    batch_unref(b);
}

void pending_done(struct pending *p, enum ack_outcome outcome)
{
    for (size_t i = p->head; i < p->list.n; i++)
        drop(p->list.v[i], outcome);
    struct batch *rest;
    if (p->cut && otlp_cut_take(p->cut, UINT32_MAX, NULL, &rest) == 0) drop(rest, outcome);
    otlp_cut_free(p->cut);
    vec_done(&p->list);
    pending_init(p);
}

void pending_add(struct pending *p, struct batch *b)
{
    vec_push(&p->list, b);
    p->items += b->items;
}

/* Takes the oldest batch off the list. */
static struct batch *shift(struct pending *p)
{
    struct batch *b = p->list.v[p->head++];
    if (p->head == p->list.n) p->head = p->list.n = 0;
    return b;
}

/* Up to `want` items of the batch that is being cut. */
static int take_cut(struct pending *p, u32 want, struct budget *budget, struct batch **ret)
{
    int err = otlp_cut_take(p->cut, want, budget, ret);
    if (!err && otlp_cut_left(p->cut) == 0) {
        otlp_cut_free(p->cut);
        p->cut = NULL;
    }
    return err;
}

/* The next part that fits into `want`: a whole batch, or the beginning of one. */
static int take_part(struct pending *p, u32 want, struct budget *budget, struct batch **ret)
{
    if (!p->cut) {
        struct batch *b = shift(p);
        if (b->items <= want) {
            *ret = b;
            return 0;
        }
        p->cut = otlp_cut_new(b);
    }
    return take_cut(p, want, budget, ret);
}

/* One part leaves as it is; more are merged. */
static struct batch *join(struct batch *out, struct batch *part)
{
    if (!out) return part;
    if (out->sealed) {
        struct batch *all = batch_new(out->signal);
        batch_append(all, out);
        batch_unref(out);
        out = all;
    }
    batch_append(out, part);
    batch_unref(part);
    return out;
}

static void set_client(struct batch *b, struct client_info *client)
{
    client_info_unref(b->client);
    b->client = client ? client_info_ref(client) : NULL;
}

int pending_take(struct pending *p, u64 max, struct client_info *client, struct budget *budget,
                 struct batch **ret)
{
    ASSERT(p->items > 0);
    struct batch *out = NULL, *part;
    u64 want = max ? MIN(max, UINT32_MAX) : UINT32_MAX;
    while (want > 0 && (p->cut || p->head < p->list.n) &&
           take_part(p, (u32)want, budget, &part) == 0) {
        want -= part->items;
        p->items -= part->items;
        out = join(out, part);
    }
    if (!out) return -ENOMEM;
    out = batch_own(out);
    set_client(out, client);
    batch_seal(out);
    *ret = out;
    return 0;
}
