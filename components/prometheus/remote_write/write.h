/* Inside of prometheus.remote_write. A pushed batch is written to the log; each endpoint reads the
 * log at its own place, spreads what it reads over its senders by series, and moves its mark as
 * requests succeed.
 *
 *   tables.c, args.c   settings              record.h     what stands in the log
 *   remote_write.c     the component's life  journal.c    writing the log, what expires
 *   names.c            numbers to series     reader.c     reading it
 *   endpoint.c         an endpoint           sender.c     one shard of its queue
 *   attempt.c          a request, retries    scaling.c    how many senders
 *   sigv4.c            signing for AWS       families.c   metadata
 *   families_file.c    ... kept on disk      family_record.h  how it stands there
 *   meters.c           metrics               trouble.c    what is said of failures
 *
 * A *sender* is what Prometheus calls a shard of the queue. One shard of the runtime; everything
 * here belongs to its worker. */
#ifndef COMPONENTS_PROMETHEUS_REMOTE_WRITE_WRITE_H
#define COMPONENTS_PROMETHEUS_REMOTE_WRITE_WRITE_H

#include "base/list.h"
#include "base/map.h"
#include "base/vec.h"
#include "components/common/disk_log.h"
#include "components/prometheus/remote_write/args.h"
#include "components/prometheus/remote_write/record.h"
#include "components/prometheus/remote_write/scaling.h"
#include "components/prometheus/remote_write/sigv4.h"

struct write;
struct endpoint;

/* --- numbers to series: one table for each segment that somebody writes or reads --- */
struct names {
    struct list link; /* of the component */
    u32 refs;         /* one thread */
    u32 segment;
    bool whole; /* made by the writer: nothing is to be learnt from declarations */
    struct write *write;
    VEC(struct series *) v; /* a reference each; NULL: not (yet) declared */
};
struct names *names_of(struct write *w, u32 segment); /* a new reference */
struct names *names_ref(struct names *n);
void names_unref(struct names *n); /* takes NULL */
/* Takes the declarations of a record. 0, -EBADMSG, -ENOMEM. */
int names_learn(struct names *n, const struct record_view *r);
static inline struct series *names_get(const struct names *n, u32 number)
{
    return number < n->v.n ? n->v.v[number] : NULL;
}

/* --- writing --- */
struct place {
    u32 segment, number;
};
struct journal {
    struct disk_log *log;    /* NULL: it cannot be used */
    char *failure;           /* why, or why the last append failed; NULL: all is well */
    i64 retry_at;            /* monotonic */
    struct disk_place found; /* its end when it was opened */
    struct disk_log_stats seen;
    struct names *now;        /* of the segment that is written */
    VEC(struct place) places; /* by series id */
    u64 declared;             /* bytes of declarations in the segment */
    struct record record;
};
/* False: it cannot be opened now. */
bool wal_ready(struct write *w);
void wal_close(struct write *w);
enum written { WRITTEN, NOT_WRITTEN, PARTLY_WRITTEN };
enum written wal_write(struct write *w, const struct samples *s);
/* Segments that are older than max_keepalive_time go. */
void wal_expire(struct write *w);
void wal_failed(struct write *w, const char *why);
void wal_works(struct write *w);
/* Endpoints go on from their marks; those of endpoints that are gone are removed. */
void wal_resume(struct write *w);

/* --- what was read and waits --- */
/* What an endpoint makes of the series of a segment. */
struct view {
    u32 refs;
    struct names *names;
    struct relabel *relabel; /* NULL: nothing is changed */
    VEC(uintptr_t) made;     /* by number, with relabel: 0 not known, see reader.c */
    bool told;               /* of series without declaration */
};
void view_unref(struct view *v); /* takes NULL */
/* A record that was read and is not done with. */
struct piece {
    struct list link; /* of the endpoint, in the log's order */
    struct disk_place after;
    struct view *view; /* keeps the series */
    u32 open;          /* items that wait */
};
enum item_kind { ITEM_SAMPLE, ITEM_HISTOGRAM, ITEM_EXEMPLAR, ITEM_KINDS };
#define ITEM_FINAL 1u /* external labels and relabelling are in the series already */
struct item {
    uintptr_t series; /* struct series *, ITEM_FINAL, enum item_kind << 1; 0: given up */
    i64 time;
    u64 bits; /* or a pointer, owned: struct histogram_sample, struct exemplar_sample */
};
static inline enum item_kind item_kind(const struct item *it)
{
    return it->series >> 1 & 3;
}
static inline struct series *item_series(uintptr_t series)
{
    return (struct series *)(series & ~(uintptr_t)7);
}
struct run { /* so many items behind each other are of one piece */
    struct piece *piece;
    u32 n;
};

/* --- a request, until it is delivered or given up --- */
enum verdict { DELIVERED, REFUSED };
struct attempt {
    struct endpoint *endpoint;
    /* What is to be repeated is nobody's business. text: NULL, or why it was refused. */
    void (*over)(struct attempt *a, enum verdict verdict, const char *text);
    bool active; /* there is a request: it is in flight, or to be repeated at retry_at */
    bool asked;  /* it is in flight */
    bool old_token;
    bool metadata;
    u32 failures;
    i64 retry_at, began, asked_at; /* monotonic */
    struct rw_counts counts;
    char *body;
    struct iovec iov;
    struct http_auth *auth;
    struct http_call_handle *call;
};
/* Compresses the endpoint's request. -ENOMEM. */
int attempt_load(struct attempt *a, struct rw_request *r);
void attempt_send(struct attempt *a);
/* Stops it, keeping the body for another attempt. */
void attempt_cancel(struct attempt *a);
void attempt_clear(struct attempt *a);

/* --- senders --- */
struct sender {
    struct endpoint *endpoint;
    struct item *v; /* a ring */
    u32 head, n, cap;
    VEC(struct run) runs;
    size_t first_run;
    i64 since;   /* monotonic: what is not in a request waits since then */
    u32 sending; /* the first so many items are in the request */
    i64 newest;  /* ms, of the request */
    struct attempt attempt;
};
struct sender *sender_new(struct endpoint *e);
void sender_free(struct sender *s); /* its items are given up, their pieces stay open */
void sender_add(struct sender *s, struct item it, struct piece *p);
/* Sends what is due; *ret_at: when to look again, lowered. */
void sender_pump(struct sender *s, i64 now, i64 *ret_at);
/* Gives up what was read of segments up to this one; how many items that were. */
u32 sender_expire(struct sender *s, u32 segment);
/* Moves everything to senders of another set; none of its requests may be in flight. */
void sender_move(struct sender *s, struct endpoint *to);

/* --- endpoints --- */
enum drop { DROP_OLD, DROP_SERIES, DROP_LOST, DROP_NHCB, DROPS };
struct meters;
struct endpoint {
    struct list link;
    struct write *write;
    const struct endpoint_conf *conf;
    char id[ENDPOINT_ID], mark[ENDPOINT_ID];
    struct http_target *target;
    struct http_auth_conf auth;
    struct aws_keys keys; /* with sigv4 */
    struct relabel *relabel;
    struct rw_request *request;
    VEC(struct sender *) senders;
    u32 want; /* senders that there are to be once no request is in flight; 0: no change */
    struct disk_reader *reader;
    struct view *view;
    bool current;            /* it has read everything, and may take what is written next at once */
    struct disk_place known; /* what comes before was done with before the start: names only */
    bool unreadable;         /* that was told */
    u32 taken;               /* items of the record that is read next: memory ran out behind them */
    struct list pieces;
    struct timer *timer;
    u32 pending[ITEM_KINDS];
    struct scaling scaling;
    i64 newest_sent, last_success; /* ms since 1970; monotonic, 0: never */
    bool recoverable;              /* an attempt failed since the last look at scaling */
    struct attempt metadata;
    size_t next_family;
    i64 metadata_at; /* monotonic */
    bool failing, said;
    i64 failing_since, failing_real, said_at;
    char *failure;
    struct meters *meters;
};
struct endpoint *remote_new(struct write *w, const struct endpoint_conf *conf);
/* The mark stays. */
void remote_free(struct endpoint *e);
void remote_apply(struct endpoint *e, const struct endpoint_conf *conf);
void remote_pump(struct endpoint *e);
/* From within a callback of something of the endpoint: soon. */
void remote_soon(struct endpoint *e);
/* Nothing is left to be sent. */
bool remote_idle(const struct endpoint *e);
/* Every ten seconds. */
void remote_scale(struct endpoint *e);
void remote_failing(struct endpoint *e, const char *text);
void remote_well(struct endpoint *e);
void remote_health(struct write *w);
bool remote_full(const struct endpoint *e);
struct sender *remote_sender(struct endpoint *e, u32 series);
void remote_dropped(struct endpoint *e, enum item_kind k, enum drop why, u64 n);

/* --- reading --- */
/* Reads while there is room; *ret_at: when to read on, lowered. */
void remote_read(struct endpoint *e, i64 now, i64 *ret_at);
/* A record, read or just written, and the places around it. -ENOMEM: only a part of it was taken,
 * it is to be given again (e->taken says what not to take twice). */
int remote_take(struct endpoint *e, struct str payload, struct disk_place before,
                struct disk_place after);
/* What it makes of the series of a segment. */
struct view *remote_view(struct endpoint *e, u32 segment);
/* Forgets what was made of series: the settings are others. */
void remote_view_anew(struct endpoint *e);
/* Gives up what is not read of segments up to this one. */
void remote_skip(struct endpoint *e, u32 segment);
void pieces_pop(struct endpoint *e);

/* --- metadata: what is known of families, bounded --- */
struct family {
    struct metric_meta meta; /* texts owned */
};
void families_learn(struct write *w, const struct samples *s);
/* True: it is new, or another one than before. */
bool families_add(struct write *w, const struct metric_meta *m);
/* Appends to their file (family_record.h); reads it. */
void families_keep(struct write *w, struct str records);
void families_load(struct write *w);
const struct metric_meta *family_of(const struct write *w, const struct series *s);
void families_free(struct write *w);
/* 1.0: sends all of them every send_interval. */
void metadata_pump(struct endpoint *e, i64 now, i64 *ret_at);
void metadata_init(struct endpoint *e);

/* --- metrics --- */
struct meters *remote_meters_new(struct endpoint *e);
void remote_meters_free(struct endpoint *e);
void remote_meters_sent(struct endpoint *e, const struct attempt *a, i64 elapsed);
void remote_meters_failed(struct endpoint *e, const struct rw_counts *c);
void remote_meters_retried(struct endpoint *e, const struct rw_counts *c);
void remote_meters_pending(struct endpoint *e);
void remote_meters_shards(struct endpoint *e, f64 desired);
void remote_meters_highest(struct endpoint *e);
void remote_meters_read(struct endpoint *e, struct disk_place after);
void remote_meters_broken(struct endpoint *e);
enum own_meter {
    OWN_SAMPLES_IN,
    OWN_EXEMPLARS_IN,
    OWN_HISTOGRAMS_IN,
    OWN_HIGHEST_IN,
    OWN_ACTIVE,
    OWN_CREATED,
    OWN_REMOVED,
    OWN_DELETED,
    OWN_OUT_OF_ORDER,
    OWN_SAMPLES,
    OWN_EXEMPLARS,
    OWN_METADATA,
    OWN_CORRUPTIONS,
    OWN_REPLAY,
    OWN_TRUNCATE,
    OWN_CHECKPOINTS,
    OWN_CHECKPOINTS_FAILED,
    OWN_CHECKPOINTS_DELETED,
    OWN_CHECKPOINTS_KEPT,
    OWN_METERS
};
/* What the log tells of itself. */
void own_meters_log(struct write *w);
void own_meters_make(struct comp *c, struct metric *v[OWN_METERS]);

/* --- the instance --- */
struct write_shared {
    char *dir, *seed; /* set before the shard runs; dir: NULL when there can be none */
    char *no_dir;     /* why */
    struct shared_target {
        char id[ENDPOINT_ID];
        u64 print;
        struct http_target *target, *token;
        struct aws_keys keys;
    } * targets; /* of the newest plan, by index */
    u32 n_targets;
    struct metric *own[OWN_METERS];
};
struct write {
    struct shard *shard;
    const struct write_plan *plan;
    struct list endpoints, names;
    struct rw_external *external;
    struct journal journal;
    struct map families;               /* struct family */
    u64 families_bytes, families_file; /* bytes in memory, on disk */
    bool families_told;                /* that they cannot be written */
    struct timer *marks, *scale, *again, *deadline;
    i64 newest_in; /* ms */
    bool refused, hurrying, stopping, stopped, limited_told;
    i64 stop_end, stop_seen; /* monotonic: when a stop is over, when it was looked at last */
    struct buf packed;
    const char *seed;
};
static inline i64 write_now(const struct write *w)
{
    return loop_now(w->shard->worker->loop);
}
static inline struct logger *write_log(const struct write *w)
{
    return w->shard->comp->log;
}
static inline struct metric *write_own(const struct write *w, enum own_meter m)
{
    return ((const struct write_shared *)w->shard->comp->shared)->own[m];
}
static inline struct series_table *write_table(const struct write *w)
{
    return w->shard->comp->host->series;
}
i64 remote_real(const struct write *w); /* ms since 1970 */
/* A stop may be over. */
void remote_progress(struct write *w);

#endif
