/* The write-ahead log: what is pushed is on disk before it is acknowledged, and every endpoint
 * reads it from there. A record holds the streams of a push, each encoded as it is sent; reading
 * joins streams of one tenant and lane up to the size of a batch, which costs no decoding. */
#include "components/loki/write/write.h"

#include <errno.h>
#include "base/xalloc.h"
#include "telemetry/loki_push.h"
#include "telemetry/pb.h"

#define RECORD_SIZE ((size_t)8 << 20)  /* a larger push is cut into several records */
#define RECORD_MAX  ((size_t)48 << 20) /* with an entry as large as any */
#define GATHERED    4                  /* batch sizes that may wait for more */
#define READ_RETRY  (100 * NS_PER_MS)

/* A record is a list of sections; a section is one Stream of a push request. */
enum { SECTION = 1 };
enum { S_TENANT = 1, S_LANES, S_LANE, S_ENTRIES, S_BYTES, S_STREAM };

bool wal_on(const struct write *w)
{
    return w->plan->args->wal.enabled;
}

/* --- writing --- */

static u64 smallest_batch(const struct write *w)
{
    u64 n = UINT64_MAX;

    for (u32 i = 0; i < w->plan->n; i++)
        n = MIN(n, (u64)w->plan->endpoints[i].args->batch_size.n);
    return n;
}

/* How many of the entries make one section. */
static u32 section_entries(const struct log_entry *v, u32 n, u64 limit, u64 *ret_bytes)
{
    u32 i = 0;

    *ret_bytes = 0;
    for (; i < n; i++) {
        u64 size = loki_push_entry_size(&v[i]);
        if (i > 0 && *ret_bytes + size > limit) break;
        *ret_bytes += size;
    }
    return i;
}

static void add_section(struct write *w, const struct stream *s, const struct log_entry *v, u32 n,
                        u64 bytes)
{
    struct buf *b = &w->plain;
    unsigned width = (unsigned)pb_varint_size(bytes + n * 24 + s->text.n + s->tenant->name.n);
    size_t section = pb_open(b, SECTION, width);

    pb_add_bytes(b, S_TENANT, s->tenant->name);
    pb_add_u64(b, S_LANES, w->wal_lanes);
    pb_add_u64(b, S_LANE, s->hash % w->wal_lanes);
    pb_add_u64(b, S_ENTRIES, n);
    pb_add_u64(b, S_BYTES, bytes);
    size_t stream = pb_open(b, S_STREAM, width);
    (void)loki_push_stream(b, s->text, v, n); /* errors stay in b */
    pb_close(b, stream, width);
    pb_close(b, section, width);
}

static int write_record(struct write *w)
{
    struct iovec v = {w->plain.p, w->plain.n};

    if (buf_err(&w->plain)) return buf_err(&w->plain);
    if (!w->plain.n) return 0;
    int err = disk_log_append(w->log, RECORD_FRAGMENTS, &v, 1, NULL);
    if (err) log_failed(w, disk_log_error(w->log));
    if (!err) log_works(w);
    buf_reset(&w->plain);
    return err;
}

static int write_stream(struct write *w, const struct log_stream *in, u64 limit)
{
    const struct stream *s = batcher_stream(w->batchers.v[0], in->labels);
    u64 bytes;
    int err = s ? 0 : -ENOMEM;

    for (u32 i = 0, n; i < in->n && !err; i += n) {
        n = section_entries(in->v + i, in->n - i, limit, &bytes);
        add_section(w, s, in->v + i, n, bytes);
        if (w->plain.n >= RECORD_SIZE) err = write_record(w);
    }
    return err;
}

static int write_batch(struct write *w, const struct logs *l)
{
    u64 limit = smallest_batch(w);
    int err = 0;

    buf_reset(&w->plain);
    w->plain.max = RECORD_MAX;
    for (u32 i = 0; i < l->n_streams && !err; i++)
        err = write_stream(w, &l->streams[i], limit);
    if (!err) err = write_record(w);
    if (w->plain.cap > ((size_t)4 << 20)) buf_done(&w->plain);
    return err;
}

/* More lanes while some endpoint lags behind, the least of them when all keep pace. */
static void adapt_lanes(struct write *w)
{
    u64 most = 0;
    u32 least = (u32)MIN(w->batchers.v[0]->conf->args->queue_config.min_shards, 64);

    list_each (&w->endpoints, at) {
        const struct endpoint *e = list_item(at, struct endpoint, link);
        if (e->reader && !e->failing) most = MAX(most, disk_reader_unread(e->reader));
    }
    if (most > ((u64)8 << 20))
        w->wal_lanes = MAX(least, (u32)LANES_MAX);
    else if (most < ((u64)1 << 20))
        w->wal_lanes = least;
}

static void wake_readers(struct write *w)
{
    i64 at = write_now(w) + w->plan->args->wal.min_read_frequency.ns;

    list_each (&w->endpoints, link) {
        struct endpoint *e = list_item(link, struct endpoint, link);
        if (e->read_at || e->n_items) continue;
        e->read_at = MAX(at, 1);
        endpoint_pump(e);
    }
}

/* Nobody waits for it and nobody is to wait. */
static bool drop_unwritten(struct write *w, struct batch *b)
{
    list_each (&w->endpoints, at)
        if (list_item(at, struct endpoint, link)->conf->args->queue_config.block_on_overflow)
            return false;
    if (batch_is_held(b)) return false;
    list_each (&w->endpoints, at) {
        struct endpoint *e = list_item(at, struct endpoint, link);
        meters_dropped(e, write_tenant(w, e->conf->args->tenant_id), REASON_FULL, b->items,
                       b->bytes);
        lines_dropped(e, b->items);
    }
    batch_fail(b, ACK_DROPPED, NULL);
    batch_unref(b);
    return true;
}

enum push wal_push(struct write *w, struct batch *b)
{
    adapt_lanes(w);
    if (!log_ready(w) || write_batch(w, b->logs)) {
        if (drop_unwritten(w, b)) return PUSH_TAKEN;
        w->refused = true;
        timer_start(w->again, READ_RETRY);
        return PUSH_FULL;
    }
    batch_unref(b); /* it is on disk: its acks are complete */
    wake_readers(w);
    return PUSH_TAKEN;
}

/* --- reading: gathering sections to batches --- */

static void gather_free(struct gather *g)
{
    list_del(&g->link);
    g->endpoint->gathered -= g->bytes;
    vec_done(&g->pieces);
    map_done(&g->streams, NULL);
    buf_done(&g->plain);
    free(g);
}

/* Becomes an item; false: memory is out, it stays. */
static bool gather_close(struct gather *g)
{
    struct endpoint *e = g->endpoint;
    struct blob *body = write_pack(e->write, buf_view(&g->plain));

    if (!body) return false;
    struct parcel *p = parcel_new(g->tenant, body);
    p->entries = g->entries;
    p->bytes = g->bytes;
    p->lanes = g->lanes;
    p->lane = g->lane;
    p->named = xstrdup("(from the log on disk)");
    struct item *it = item_new(e, p);
    vec_each (&g->pieces, piece)
        vec_push(&it->pieces, *piece);
    list_add_tail(&e->items, &it->link);
    e->n_items++;
    gather_free(g);
    return true;
}

i64 wal_close_due(struct endpoint *e, bool all)
{
    i64 now = write_now(e->write), wait = e->conf->args->batch_wait.ns;

    list_each (&e->gathers, at) {
        struct gather *g = list_item(at, struct gather, link);
        if (!all && g->since + wait > now) return g->since + wait;
        if (!gather_close(g)) return now + READ_RETRY;
    }
    return 0;
}

void wal_forget(struct endpoint *e)
{
    list_each (&e->gathers, at)
        gather_free(list_item(at, struct gather, link));
}

struct section {
    struct str tenant, stream;
    u64 numbers[S_STREAM];
};

static bool parse_section(struct str bytes, struct section *ret)
{
    struct pb_in in = pb_in(bytes);
    struct pb_field f;

    *ret = (struct section){.numbers = {[S_LANES] = 1}};
    while (pb_next(&in, &f)) {
        if (f.num == S_TENANT && f.wire == PB_BYTES) ret->tenant = f.b;
        if (f.num == S_STREAM && f.wire == PB_BYTES) ret->stream = f.b;
        if (f.num < S_STREAM && f.wire == PB_VARINT) ret->numbers[f.num] = f.v;
    }
    return !in.bad && ret->stream.n > 0 && ret->numbers[S_LANES] > 0;
}

/* Batches cut into another number of lanes are closed first, so that they keep their order. */
static int close_other_lanes(struct endpoint *e, const struct tenant *t, u32 lanes)
{
    list_each (&e->gathers, at) {
        struct gather *g = list_item(at, struct gather, link);
        if (g->tenant == t && g->lanes != lanes && !gather_close(g)) return -ENOMEM;
    }
    return 0;
}

static struct gather *gather_of(struct endpoint *e, struct tenant *t, u32 lanes, u32 lane)
{
    list_each (&e->gathers, at) {
        struct gather *g = list_item(at, struct gather, link);
        if (g->tenant == t && g->lane == lane) return g;
    }
    struct gather *g = xnew(struct gather);
    *g = (struct gather){.endpoint = e, .tenant = t, .lanes = lanes, .lane = lane};
    g->since = write_now(e->write);
    g->plain = BUF_INIT(SIZE_MAX / 2);
    list_add_tail(&e->gathers, &g->link);
    return g;
}

/* The labels of the Stream that is the only field of a push request. */
static struct str labels_of(struct str push)
{
    struct pb_field stream, labels;

    return pb_find(push, 1, &stream) && stream.wire == PB_BYTES && pb_find(stream.b, 1, &labels) &&
                   labels.wire == PB_BYTES
               ? labels.b
               : STR("");
}

static bool too_many_streams(struct endpoint *e, struct gather *g, const struct section *s)
{
    i64 most = e->conf->all->max_streams;

    if (most <= 0) return false;
    struct str labels = labels_of(s->stream);
    if (map_has(&g->streams, labels)) return false;
    if ((i64)g->streams.live >= most) {
        meters_dropped(e, g->tenant, REASON_STREAMS, s->numbers[S_ENTRIES], s->numbers[S_BYTES]);
        return true;
    }
    (void)map_put(&g->streams, labels, g);
    return false;
}

static int take_section(struct endpoint *e, const struct section *s, struct piece *piece)
{
    struct str name = s->tenant.n ? s->tenant : e->conf->args->tenant_id;
    struct tenant *t = write_tenant(e->write, name);
    u64 limit = (u64)e->conf->args->batch_size.n, bytes = s->numbers[S_BYTES];

    if (close_other_lanes(e, t, (u32)s->numbers[S_LANES])) return -ENOMEM;
    struct gather *g = gather_of(e, t, (u32)s->numbers[S_LANES], (u32)s->numbers[S_LANE]);
    if (g->entries && g->bytes + bytes > limit) {
        if (!gather_close(g)) return -ENOMEM;
        g = gather_of(e, t, (u32)s->numbers[S_LANES], (u32)s->numbers[S_LANE]);
    }
    if (too_many_streams(e, g, s)) return 0;
    buf_str(&g->plain, s->stream);
    if (buf_err(&g->plain)) {
        g->plain.err = 0;
        if (!g->entries) gather_free(g);
        return -ENOMEM;
    }
    if (!g->pieces.n || vec_last(&g->pieces) != piece) {
        vec_push(&g->pieces, piece);
        piece->open++;
    }
    g->entries += (u32)s->numbers[S_ENTRIES];
    g->bytes += bytes;
    e->gathered += bytes;
    return 0;
}

static const struct metric_desc last_read = {
    .name = "loki_write_last_read_timestamp",
    .help = "When the log on disk was last read for an endpoint, in seconds since 1970.",
    .kind = METRIC_GAUGE};

static void count_read(struct endpoint *e)
{
    const struct metric_label id = {"id", e->conf->shown};

    if (!e->last_read) e->last_read = shard_metric(e->write->shard, &last_read, &id, 1);
    metric_set(e->last_read,
               (f64)(clock_real(e->write->shard->comp->host->clock) / NS_PER_MS) / 1000.0);
}

int wal_take(struct endpoint *e, struct str rec, struct disk_place after)
{
    struct piece *piece = piece_new(e, after);
    struct pb_in in = pb_in(rec);
    struct pb_field f;
    struct section s;
    int err = 0;

    piece->open = 1; /* while it is read */
    while (!err && pb_next(&in, &f))
        if (f.num == SECTION && f.wire == PB_BYTES && parse_section(f.b, &s))
            err = take_section(e, &s, piece);
        else
            broken_record(e);
    if (in.bad) broken_record(e);
    count_read(e);
    u64 most = GATHERED * (u64)e->conf->args->batch_size.n;
    while (e->gathered > most && !list_empty(&e->gathers))
        if (!gather_close(list_item(e->gathers.next, struct gather, link))) break;
    piece->open--;
    pop_pieces(e);
    return err;
}
