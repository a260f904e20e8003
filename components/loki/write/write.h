/* Inside of loki.write. A batch that is pushed is taken apart by streams into open batches of a
 * batcher; a closed one is encoded and compressed once, a parcel, and every endpoint of the batcher
 * gets a reference. Endpoints are independent: each has its queue in memory, and when it stalls,
 * the parcels go to the log on disk, from which it reads until it has caught up. With `wal`
 * everything goes to the log first.
 *
 *   args.c      settings                     batcher.c   open batches
 *   write.c     the component's life         parcel.c    closed batches, their acks
 *   streams.c   label sets to streams        endpoint.c  order, lanes, retries, outcomes
 *   meters.c    metrics                      request.c   one attempt
 *   trouble.c   what is said of failures
 *   spill.c     the log: bodies              wal.c       the log: everything, merged when read
 *
 * One shard; everything here belongs to its worker. */
#ifndef COMPONENTS_LOKI_WRITE_WRITE_H
#define COMPONENTS_LOKI_WRITE_WRITE_H

#include "base/list.h"
#include "base/map.h"
#include "base/vec.h"
#include "components/common/disk_log.h"
#include "components/loki/write/args.h"
#include "telemetry/log_batch.h"

#define LANES_MAX 8
#define REASONS   5

struct write;
struct endpoint;

/* --- tenants: one struct for each name, as long as the shard lives --- */
struct tenant {
    u32 index;
    struct str name; /* owned by the map's key */
};

/* --- a closed batch: counted, one thread --- */
struct age {
    i64 received; /* monotonic ns */
    u32 n;        /* entries */
};
struct parcel {
    u32 refs;
    struct tenant *tenant;
    struct blob *body;
    u32 entries;
    u64 bytes;       /* of lines and metadata */
    u32 lane, lanes; /* streams of one lane are in order; see endpoint.c */
    VEC(struct ack *) acks;
    bool sole; /* holds lines that no source can read again */
    VEC(struct age) ages;
    char *named; /* the first stream's labels */
};
struct parcel *parcel_new(struct tenant *t, struct blob *body);
struct parcel *parcel_ref(struct parcel *p);
/* The last one lets the acks go. Takes NULL. */
void parcel_unref(struct parcel *p);
void parcel_fail(struct parcel *p, enum ack_outcome outcome, const char *text);

/* --- streams and open batches --- */
struct stream {
    u32 refs; /* places in the cache */
    struct batcher *batcher;
    struct tenant *tenant;
    struct str text; /* labels as they are sent */
    u64 hash;
    struct open *in;  /* the open batch it has entries in */
    struct list link; /* there */
    struct buf body;  /* room for the stream's head, then entries */
    size_t head_room;
};
struct cached {
    struct labels *labels;
    struct stream *stream;
};
struct open {
    struct list link; /* of the batcher, by age */
    struct batcher *batcher;
    struct tenant *tenant;
    u32 lane;
    struct list streams;
    u32 n_streams, entries;
    u64 size, charged; /* what batch_size limits; of it, what the data budget knows */
    i64 since;         /* monotonic */
    u64 push;          /* the last push that added to it */
    VEC(struct ack *) acks;
    VEC(struct age) ages;
    bool sole;
};
struct batcher {
    struct write *write;
    const struct endpoint_conf *conf; /* of one of its endpoints: the batching settings */
    u32 lanes;
    struct list opens;
    u32 n_opens;
    u64 size;    /* of all of them */
    i64 pressed; /* monotonic: when one was last closed because it was full */
    struct cached *cache;
    struct map streams; /* tenant, zero byte, text */
    struct timer *timer;
    i64 due; /* monotonic: when the timer fires, while it runs for a batch */
    VEC(struct endpoint *) endpoints;
};
struct batcher *batcher_new(struct write *w, const struct endpoint_conf *conf);
void batcher_free(struct batcher *b); /* what is open must be closed */
/* Adds the entries of a batch: 0, or -ENOMEM when some could not be added. */
int batcher_add(struct batcher *b, const struct batch *batch);
void batcher_close_all(struct batcher *b);
/* The stream of a label set; NULL when memory is out. */
struct stream *batcher_stream(struct batcher *b, struct labels *l);
void streams_clear(struct batcher *b);
void stream_left(struct stream *s); /* its batch is closed */
u64 stream_hash(struct str text);
struct str tenant_of(const struct labels *l, const struct endpoint_conf *conf);
/* The labels as sent: with external ones, without "__" ones. */
void labels_sent(struct buf *out, const struct labels *l, const struct str_map *external);

/* --- endpoints --- */
/* A record of the log that was read for an endpoint and is not done with. */
struct piece {
    struct list link; /* of the endpoint, in the log's order */
    struct disk_place after;
    u32 open; /* items that hold a part of it */
};
struct item {
    struct list link;
    struct endpoint *endpoint;
    struct parcel *parcel;
    VEC(struct piece *) pieces; /* none: it is in memory only */
    bool active;                /* a request runs, or is to be repeated */
    bool old_token;             /* it was sent with a token that others were sent with before */
    bool limited;               /* the last answer was 429: its tenant is to wait, others are not */
    u32 failures;
    i64 retry_at, started, asked; /* asked: when the running request began; 0: none runs */
    struct http_auth *auth;
    struct http_call_handle *call;
    struct iovec body;
};
/* With wal: fragments of one tenant and lane that were read and wait to be a batch. */
struct gather {
    struct list link;
    struct endpoint *endpoint;
    struct tenant *tenant;
    u32 lane, lanes, entries;
    u64 bytes;
    i64 since;
    struct buf plain;
    struct map streams; /* with max_streams: label texts */
    VEC(struct piece *) pieces;
};
struct tenant_meters;
struct endpoint {
    struct list link;
    struct write *write;
    const struct endpoint_conf *conf;
    char id[ENDPOINT_ID];
    char mark[ENDPOINT_ID]; /* its name in the log: an older id while what that one lacked is there
                             */
    struct http_target *target;
    struct http_auth_conf auth;
    struct batcher *batcher;
    struct list items;  /* what may be sent, in order */
    struct list behind; /* what comes after that which the log holds and is not in it: no room */
    u32 n_items, n_behind, in_flight;
    bool reading; /* the log holds more for it than `items` */
    struct disk_reader *reader;
    struct list pieces, gathers;
    u64 gathered; /* bytes */
    i64 read_at;  /* wal: when to read, 0: when there is something */
    bool failing;
    i64 failing_since, failing_real; /* monotonic, wall clock */
    char *failure;
    bool said;   /* this trouble was told in the log */
    i64 said_at; /* when one was, monotonic; 0: never */
    bool warned_tenant_header;
    struct timer *timer;
    VEC(struct tenant_meters *) meters;
    VEC(u32) limited; /* by tenant: how many items are */
    struct metric *last_read;
    u64 lost_lines; /* at the end: what it did not get */
};
struct endpoint *endpoint_new(struct write *w, const struct endpoint_conf *conf);
/* What it holds is dropped, `outcome` for the acks. */
void endpoint_free(struct endpoint *e, enum ack_outcome outcome, const char *why);
/* New settings, the same endpoint. */
void endpoint_apply(struct endpoint *e, const struct endpoint_conf *conf);
/* Another parcel for it, in memory; it is spilled where that is due. */
void endpoint_take(struct endpoint *e, struct parcel *p);
/* Starts what may be started, reads on, looks at times. */
void endpoint_pump(struct endpoint *e);
/* Its tenant's turn is not now: it is limited, or behind one that is. */
bool item_is_held_up(const struct item *it);
/* It can take no further parcel. */
bool endpoint_blocked(const struct endpoint *e);
u32 endpoint_capacity(const struct endpoint *e);
/* Nothing is left that only memory holds, and nothing is on its way. */
bool endpoint_idle(const struct endpoint *e);
struct item *item_new(struct endpoint *e, struct parcel *p); /* p's reference moves */
void item_free(struct item *it);
/* The attempt's end: see request.c. status -1: no answer came. */
void item_answered(struct item *it, int status, const char *text);
void request_start(struct item *it);
void request_cancel(struct item *it);
/* It did not take a batch, for this reason. said: the log has been told of that. */
void endpoint_failing(struct endpoint *e, const char *text, bool said);
void endpoint_well(struct endpoint *e);
void endpoint_health(struct write *w);
/* Says, once in a while, that lines are dropped because everything is full. */
void lines_dropped(struct endpoint *e, u64 lines);

/* --- the log --- */
enum { RECORD_BODY = 1, RECORD_FRAGMENTS = 2 };
/* Opens the log when it is not open: false, with the reason in w->log_failure. */
bool log_ready(struct write *w);
void log_failed(struct write *w, const char *why);
/* At the start: endpoints with marks go on reading; those of endpoints that are gone are removed.
 */
void log_resume(struct write *w);
/* Writes a parcel for these endpoints. */
int log_parcel(struct write *w, const struct parcel *p, struct endpoint *const *to, u32 n,
               struct disk_place *ret_after);
/* Moves what the endpoint holds in memory to the log, as far as it takes it; true: all of it. */
bool endpoint_spill(struct endpoint *e);
/* At the end, when nothing is read any more: also what was under way when the endpoint began to
 * read from the log, behind what is there. */
void endpoint_spill_last(struct endpoint *e);
void endpoint_read(struct endpoint *e);
/* Lets go of the pieces and moves the mark. */
void pieces_done(struct endpoint *e, struct item *it);
void pop_pieces(struct endpoint *e);
void broken_record(struct endpoint *e);
void log_works(struct write *w);
struct piece *piece_new(struct endpoint *e, struct disk_place after);

/* --- wal --- */
enum push wal_push(struct write *w, struct batch *b);
bool wal_on(const struct write *w);
/* A record of fragments that was read: 0, or -ENOMEM: it has to be read again. */
int wal_take(struct endpoint *e, struct str rec, struct disk_place after);
/* Closes gathers that are due (all: whatever their age); the time of the next one, 0: none. */
i64 wal_close_due(struct endpoint *e, bool all);
void wal_forget(struct endpoint *e);

/* --- metrics --- */
enum reason { REASON_INGESTER, REASON_RATE, REASON_STREAMS, REASON_LONG, REASON_FULL };
struct tenant_meters {
    struct metric *sent_bytes, *sent_entries, *retries, *size, *latency;
    struct metric *dropped_bytes[REASONS], *dropped_entries[REASONS];
    struct status_meter {
        int status;
        struct metric *seconds;
        struct status_meter *next;
    } * seconds;
};
struct tenant_meters *meters_of(struct endpoint *e, struct tenant *t);
void meters_free(struct endpoint *e);
void meters_answered(struct endpoint *e, const struct item *it, int status, i64 elapsed);
void meters_sent(struct endpoint *e, const struct parcel *p);
void meters_dropped(struct endpoint *e, struct tenant *t, enum reason why, u64 entries, u64 bytes);

/* --- the instance and its shard --- */
struct write_shared {
    char *dir, *seed; /* set before the shard runs; dir: NULL when there can be none */
    char *no_dir;     /* why */
    struct shared_target {
        char id[ENDPOINT_ID];
        u64 print;
        struct http_target *target, *token;
    } * targets; /* of the newest plan, by index */
    u32 n_targets;
};
struct write {
    struct shard *shard;
    const struct write_plan *plan;
    struct list endpoints;
    VEC(struct batcher *) batchers;
    struct map tenants;
    struct disk_log *log;
    char *log_failure; /* why it cannot be used; NULL: it can */
    i64 log_retry;     /* monotonic: when it may be tried again */
    struct timer *marks, *deadline, *again;
    u64 push;    /* number of the push being handled */
    i64 charged; /* to the data budget for open batches */
    u32 wal_lanes;
    struct endpoint_args wal_args; /* of the batcher that has the streams of the write-ahead log */
    struct endpoint_conf wal_conf;
    struct buf plain, packed, record; /* used again and again */
    bool refused;                     /* somebody was told FULL */
    bool starved;                     /* memory was out: closing is tried again */
    bool hurrying; /* sources wait for what they sent to be delivered, or on disk */
    bool stopping, stopped;
    i64 drop_said;
    u64 drop_unsaid;
    const char *seed;
};
struct tenant *write_tenant(struct write *w, struct str name);
i64 write_now(const struct write *w);
struct logger *write_log(const struct write *w);
/* There may be room again: who was refused is woken; a stop may be over. */
void write_progress(struct write *w);
/* Compresses plain into a blob of its own; NULL when memory is out. */
struct blob *write_pack(struct write *w, struct str plain);
void write_charge(struct write *w, i64 change);
/* NULL: a batch that waits whatever is set. */
bool write_full(struct write *w, const struct batch *b);
/* All of its lines can be read again by their sources. */
bool batch_is_held(const struct batch *b);

#endif
