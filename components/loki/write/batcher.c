/* Open batches: one for each tenant and lane. Entries of a stream are encoded behind each other as
 * they come; closing puts the streams together and compresses them once for all endpoints. */
#include "components/loki/write/write.h"

#include <errno.h>
#include "base/xalloc.h"
#include "telemetry/loki_push.h"

#define HEAD_MAX     32          /* of a stream's head beyond its text */
#define KEEP         (16u << 10) /* capacity a stream keeps when many were in the batch */
#define AGES_MAX     64
#define OPEN_BATCHES 4 /* batch sizes that all tenants together may fill */
#define RETRY_AFTER  (100 * NS_PER_MS)
#define SHORTER      20               /* times, a wait under load */
#define HURRIED_WAIT (50 * NS_PER_MS) /* of a batch, when the agent is about to stop */

static void due(void *arg);

struct batcher *batcher_new(struct write *w, const struct endpoint_conf *conf)
{
    struct batcher *b = xnew(struct batcher);

    *b = (struct batcher){.write = w, .conf = conf};
    b->lanes = (u32)MIN(conf->args->queue_config.min_shards, 64);
    list_init(&b->opens);
    b->timer = timer_new(w->shard->worker->loop, due, b);
    return b;
}

static void open_free(struct open *o)
{
    list_del(&o->link);
    o->batcher->n_opens--;
    list_each (&o->streams, at) {
        struct stream *s = list_item(at, struct stream, link);
        list_del(&s->link);
        if (s->body.cap > KEEP && o->n_streams > 8)
            buf_done(&s->body);
        else
            buf_reset(&s->body);
        stream_left(s);
    }
    vec_each (&o->acks, a)
        ack_unref(*a);
    vec_done(&o->acks);
    vec_done(&o->ages);
    free(o);
}

void batcher_free(struct batcher *b)
{
    list_each (&b->opens, at) {
        struct open *o = list_item(at, struct open, link);
        write_charge(b->write, -(i64)o->charged);
        vec_each (&o->acks, a)
            ack_fail(*a, ACK_ABANDONED, NULL); /* no memory was left to close it */
        open_free(o);
    }
    streams_clear(b);
    map_done(&b->streams, NULL);
    vec_done(&b->endpoints);
    timer_free(b->timer);
    free(b->cache);
    free(b);
}

/* --- closing --- */

/* A stream's bytes with its head: the head goes right before the entries, into the room kept. */
static struct str whole_stream(struct write *w, struct stream *s)
{
    size_t entries = s->body.n - s->head_room;

    buf_reset(&w->record);
    loki_push_stream_head(&w->record, s->text, entries);
    if (buf_err(&w->record)) return (struct str){0};
    size_t from = s->head_room - w->record.n;
    memcpy(s->body.p + from, w->record.p, w->record.n);
    return str_n(s->body.p + from, s->body.n - from);
}

/* The push request of all streams: a view of one of them, or put together. */
static struct str whole_batch(struct write *w, struct open *o)
{
    if (o->n_streams == 1) return whole_stream(w, list_item(o->streams.next, struct stream, link));
    buf_reset(&w->plain);
    list_each (&o->streams, at) {
        struct str s = whole_stream(w, list_item(at, struct stream, link));
        if (!s.p) return s;
        buf_str(&w->plain, s);
    }
    return buf_err(&w->plain) ? (struct str){0} : buf_view(&w->plain);
}

static struct parcel *parcel_of(struct batcher *b, struct open *o, struct blob *body)
{
    struct parcel *p = parcel_new(o->tenant, body);
    const struct stream *first = list_item(o->streams.next, struct stream, link);

    p->entries = o->entries;
    p->bytes = o->size;
    p->lane = o->lane;
    p->lanes = b->lanes;
    p->sole = o->sole;
    p->named = str_dup(first->text);
    vec_each (&o->acks, a)
        vec_push(&p->acks, *a);
    vec_clear(&o->acks);
    vec_each (&o->ages, age)
        vec_push(&p->ages, *age);
    return p;
}

/* To every endpoint; those that read from the log share one record. */
static void deliver(struct batcher *b, struct parcel *p)
{
    VEC(struct endpoint *) logged = {0};

    vec_each (&b->endpoints, e)
        if ((*e)->reading && list_empty(&(*e)->behind)) vec_push(&logged, *e);
    bool written = logged.n && log_ready(b->write) &&
                   log_parcel(b->write, p, logged.v, (u32)logged.n, NULL) == 0;
    vec_each (&b->endpoints, e) {
        bool done = false;
        for (size_t i = 0; written && i < logged.n; i++)
            done |= logged.v[i] == *e;
        if (!done) endpoint_take(*e, p);
        endpoint_pump(*e);
    }
    vec_done(&logged);
}

/* More lanes help when requests wait although the batches are full, and there are streams to share
 * out. */
static void grow_lanes(struct batcher *b, u32 streams)
{
    u32 waiting = 0;

    if (b->lanes >= LANES_MAX || streams < 2) return;
    vec_each (&b->endpoints, e)
        if (!(*e)->failing && !(*e)->reading) waiting = MAX(waiting, (*e)->n_items);
    if (waiting > b->lanes * 2) {
        batcher_close_all(b);
        b->lanes = MIN(b->lanes * 2, LANES_MAX);
    }
}

static void shrink_lanes(struct batcher *b, u64 size)
{
    u32 least = (u32)MIN(b->conf->args->queue_config.min_shards, 64);

    if (b->lanes > least && b->size + size < (u64)b->conf->args->batch_size.n / 2) {
        batcher_close_all(b);
        b->lanes = least;
    }
}

/* False: memory is out, it stays open. */
static bool close_one(struct batcher *b, struct open *o)
{
    struct write *w = b->write;
    struct str plain = whole_batch(w, o);
    struct blob *body = plain.p ? write_pack(w, plain) : NULL;

    if (w->plain.cap > (4u << 20)) buf_done(&w->plain);
    if (!body) {
        w->starved = true;
        timer_start(b->timer, RETRY_AFTER);
        return false;
    }
    w->starved = false;
    struct parcel *p = parcel_of(b, o, body);
    b->size -= o->size;
    write_charge(w, -(i64)o->charged);
    open_free(o);
    deliver(b, p);
    parcel_unref(p);
    return true;
}

void batcher_close_all(struct batcher *b)
{
    bool ok = true;

    while (ok && !list_empty(&b->opens))
        ok = close_one(b, list_item(b->opens.next, struct open, link));
}

/* Under load the batch of a rare stream or tenant fills slowly, while it holds acks of nearly all
 * that is read: sources, which have 8 MiB under way at most, would wait for its time, not for the
 * server. So where lanes were added, or another batch was full lately, it waits less; with many
 * tenants not so much less, because each of them would have requests of its own. */
static i64 wait_of(const struct batcher *b)
{
    const struct endpoint_args *a = b->conf->args;
    i64 wait = a->batch_wait.ns;

    if (b->write->hurrying) return MIN(wait, HURRIED_WAIT);
    if (b->lanes > MIN(a->queue_config.min_shards, 64)) return wait / SHORTER;
    if (b->n_opens > 1 && b->pressed && write_now(b->write) - b->pressed < wait)
        return MIN(wait, wait / (4 * SHORTER) * MAX(b->n_opens, 4));
    return wait;
}

/* The timer may run for a batch that was closed, later than this one must be when waits became
 * shorter. */
static void arm(struct batcher *b)
{
    if (list_empty(&b->opens) || b->write->starved) return;
    const struct open *o = list_item(b->opens.next, struct open, link);
    i64 at = o->since + wait_of(b);
    if (timer_active(b->timer) && b->due <= at) return;
    b->due = at;
    timer_start(b->timer, MAX(at - write_now(b->write), 0));
}

static void due(void *arg)
{
    struct batcher *b = arg;
    i64 now = write_now(b->write);
    u64 size = 0;

    while (!list_empty(&b->opens)) {
        struct open *o = list_item(b->opens.next, struct open, link);
        if (!b->write->starved && !b->write->stopping && now - o->since < wait_of(b)) break;
        size += o->size;
        if (!close_one(b, o)) return;
    }
    shrink_lanes(b, size);
    arm(b);
    write_progress(b->write);
}

/* --- adding --- */

static struct open *open_new(struct batcher *b, struct tenant *t, u32 lane)
{
    struct open *o = xnew(struct open);

    *o = (struct open){.batcher = b, .tenant = t, .lane = lane, .since = write_now(b->write)};
    list_init(&o->streams);
    list_add_tail(&b->opens, &o->link);
    b->n_opens++;
    return o;
}

static struct open *open_of(struct batcher *b, const struct stream *s)
{
    u32 lane = (u32)(s->hash % b->lanes);

    if (s->in) return s->in;
    list_each (&b->opens, at) {
        struct open *o = list_item(at, struct open, link);
        if (o->tenant == s->tenant && o->lane == lane) return o;
    }
    return open_new(b, s->tenant, lane);
}

/* The first entry of a stream in this batch: room for its head is kept in front. */
static bool enter(struct open *o, struct stream *s)
{
    s->head_room = s->text.n + HEAD_MAX;
    if (!buf_reserve(&s->body, s->head_room)) {
        buf_reset(&s->body);
        return false;
    }
    buf_commit(&s->body, s->head_room);
    s->in = o;
    list_add_tail(&o->streams, &s->link);
    o->n_streams++;
    return true;
}

/* The push that is being handled has entries in this batch: its acks belong to it. */
static void mark_push(struct open *o, const struct batch *from)
{
    bool held = false;

    o->push = o->batcher->write->push;
    for (u32 i = 0; i < from->n_acks; i++)
        if (ack_stage(from->acks[i]) == ACK_DELIVERED) {
            vec_push(&o->acks, ack_ref(from->acks[i]));
            held = true;
        }
    o->sole |= !held;
    if (o->ages.n < AGES_MAX)
        vec_push(&o->ages, ((struct age){from->received ? from->received : o->since, 0}));
}

static void leave_out(struct batcher *b, struct stream *s, u64 size)
{
    vec_each (&b->endpoints, e)
        meters_dropped(*e, s->tenant, REASON_STREAMS, 1, size);
}

static int add_entry(struct batcher *b, struct stream *s, const struct log_entry *entry,
                     const struct batch *from)
{
    u64 size = loki_push_entry_size(entry);
    i64 max_streams = b->conf->all->max_streams;
    struct open *o = open_of(b, s);

    if (o->entries > 0 && o->size + size > (u64)b->conf->args->batch_size.n) {
        u32 streams = o->n_streams;
        if (!close_one(b, o)) return -ENOMEM;
        b->pressed = write_now(b->write);
        grow_lanes(b, streams);
        o = open_of(b, s);
    }
    if (!s->in && max_streams > 0 && o->n_streams >= max_streams) {
        leave_out(b, s, size);
        return 0;
    }
    if (!s->in && !enter(o, s)) return -ENOMEM;
    size_t before = s->body.n;
    loki_push_entry(&s->body, entry);
    if (buf_err(&s->body)) {
        s->body.err = 0;
        buf_truncate(&s->body, before);
        return -ENOMEM;
    }
    if (o->push != b->write->push) mark_push(o, from);
    vec_last(&o->ages).n++;
    o->entries++;
    o->size += size;
    b->size += size;
    return 0;
}

/* Many tenants with little each: the oldest batches are closed early. */
static void bound(struct batcher *b)
{
    u64 most = OPEN_BATCHES * (u64)b->lanes * (u64)b->conf->args->batch_size.n;

    while (b->size > most && !list_empty(&b->opens))
        if (!close_one(b, list_item(b->opens.next, struct open, link))) return;
}

/* What this push added is charged at once, not by the entry. */
static void charge(struct batcher *b)
{
    list_each (&b->opens, at) {
        struct open *o = list_item(at, struct open, link);
        if (o->push != b->write->push) continue;
        write_charge(b->write, (i64)(o->size - o->charged));
        o->charged = o->size;
    }
}

int batcher_add(struct batcher *b, const struct batch *batch)
{
    const struct logs *l = batch->logs;
    int err = 0;

    for (u32 i = 0; i < l->n_streams && !err; i++) {
        struct stream *s = batcher_stream(b, l->streams[i].labels);
        if (!s) return -ENOMEM;
        for (u32 k = 0; k < l->streams[i].n && !err; k++)
            err = add_entry(b, s, &l->streams[i].v[k], batch);
    }
    charge(b);
    bound(b);
    arm(b);
    return err;
}
