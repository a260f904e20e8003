/* The log on disk as the place of what stalled endpoints lack. A record is a parcel's body with its
 * counts, and the endpoints that it is for; every endpoint that has something in the log is a
 * reader with a mark of its own, and passes over what is meant for others. */
#include "components/loki/write/write.h"

#include <errno.h>
#include <unistd.h>
#include "base/hash.h"
#include "base/xalloc.h"
#include "telemetry/pb.h"

#define AHEAD_ITEMS  8
#define AHEAD_BYTES  ((u64)4 << 20)
#define HELD_ITEMS   256 /* read, of tenants that the server limits: past them others are read */
#define HELD_BYTES   ((u64)4 << 20)
#define MARKS_EVERY  (NS_PER_SEC / 2)
#define REOPEN_AFTER NS_PER_SEC

/* --- the log itself --- */

void log_failed(struct write *w, const char *why)
{
    if (w->log_failure && strcmp(w->log_failure, why) == 0) return;
    free(w->log_failure);
    w->log_failure = xstrdup(why);
    log_error(
        write_log(w),
        "the log on disk cannot be used: what endpoints lack stays in memory, and sources wait",
        F_CSTR("error", why));
    endpoint_health(w);
}

void log_works(struct write *w)
{
    if (!w->log_failure) return;
    free(w->log_failure);
    w->log_failure = NULL;
    log_info(write_log(w), "the log on disk can be used again");
    endpoint_health(w);
}

static struct disk_log_conf conf_of(const struct write *w, const char *dir)
{
    const struct wal_args *a = &w->plan->args->wal;

    return (struct disk_log_conf){.dir = dir,
                                  .max_bytes = (u64)a->max_size.n,
                                  .segment_bytes = (size_t)MIN(a->max_size.n / 8, 16 << 20),
                                  .max_segment_age = a->max_segment_age.ns,
                                  .log = write_log(w),
                                  .clock = w->shard->comp->host->clock,
                                  .pool = w->shard->comp->host->offload};
}

static const struct write_shared *shared_of(const struct write *w)
{
    return w->shard->comp->shared;
}

static void open_log(struct write *w)
{
    char *err = NULL;
    struct disk_log_conf conf = conf_of(w, shared_of(w)->dir);

    if (!conf.dir) {
        log_failed(w, shared_of(w)->no_dir);
        return;
    }
    if (disk_log_open(&conf, &w->log, &err) == 0) return;
    log_failed(w, err);
    free(err);
}

static bool start_reading(struct endpoint *e, bool resumed)
{
    struct write *w = e->write;

    if (!e->reader) e->reader = disk_reader_open(w->log, e->mark, false);
    if (!e->reader) {
        log_failed(w, disk_log_error(w->log));
        return false;
    }
    e->reading |= resumed;
    return true;
}

/* What waits comes after that which is in the log. */
static void rest_behind(struct endpoint *e)
{
    struct list *before = e->behind.next;

    list_each (&e->items, at) {
        struct item *it = list_item(at, struct item, link);
        if (it->active || it->pieces.n) continue;
        list_del(at);
        list_add_tail(before, at);
        e->n_items--;
        e->n_behind++;
    }
}

/* A single endpoint takes over the mark of the single one that was there before: its URL was
 * changed. */
static void adopt_mark(struct write *w)
{
    struct endpoint *e = list_item(w->endpoints.next, struct endpoint, link);
    const char *name = disk_log_sole_mark(w->log);

    if (w->plan->n == 1 && !e->reader && name && strlen(name) < sizeof(e->mark))
        memcpy(e->mark, name, strlen(name) + 1);
}

static int spill_items(struct endpoint *e);

/* A write-ahead log was switched on: what waits goes there first, so that it comes first and is not
 * in memory only. What the log does not take now stays in front, or is written when it can be. */
static void begin_wal(struct endpoint *e)
{
    if (!start_reading(e, false)) return;
    if (e->n_items && spill_items(e)) rest_behind(e);
    e->reading = true;
}

static void resume_readers(struct write *w)
{
    bool wal = w->plan->args->wal.enabled;

    adopt_mark(w);
    list_each (&w->endpoints, at) {
        struct endpoint *e = list_item(at, struct endpoint, link);
        bool marked = !e->reader && disk_log_has_mark(w->log, e->mark);
        if (marked && start_reading(e, true)) rest_behind(e);
        if (wal && !e->reading) begin_wal(e);
        if (e->reader && disk_reader_backlog(e->reader) > 0)
            log_info(write_log(w), "going on with what the log holds for an endpoint",
                     F_CSTR("endpoint", e->conf->shown),
                     F_UINT("bytes", disk_reader_backlog(e->reader)));
    }
    u32 gone = disk_log_keep_readers(w->log);
    if (gone)
        log_warn(write_log(w),
                 "what the log held for endpoints that are configured no more is dropped",
                 F_UINT("endpoints", gone));
}

bool log_ready(struct write *w)
{
    i64 now = write_now(w);

    if (w->log) return true;
    if (now < w->log_retry) return false;
    open_log(w);
    if (w->log)
        resume_readers(w);
    else
        w->log_retry = now + REOPEN_AFTER;
    return w->log != NULL;
}

/* Only what is there is opened: most instances never stall. */
void log_resume(struct write *w)
{
    const char *dir = shared_of(w)->dir;

    if (!w->log && (w->plan->args->wal.enabled || (dir && access(dir, F_OK) == 0))) open_log(w);
    if (!w->log) return;
    struct disk_log_conf conf = conf_of(w, dir);
    disk_log_limit(w->log, &conf);
    resume_readers(w);
}

static void marks_due(void *arg)
{
    struct write *w = arg;

    if (w->log && disk_log_sync_marks(w->log)) {
        log_failed(w, disk_log_error(w->log));
        timer_start(w->marks, MARKS_EVERY * 4);
    }
}

static void marks_moved(struct write *w)
{
    if (!w->marks) w->marks = timer_new(w->shard->worker->loop, marks_due, w);
    if (!timer_active(w->marks)) timer_start(w->marks, MARKS_EVERY);
}

/* --- pieces --- */

struct piece *piece_new(struct endpoint *e, struct disk_place after)
{
    struct piece *p = xnew(struct piece);

    p->after = after;
    list_add_tail(&e->pieces, &p->link);
    return p;
}

/* The mark moves over what is done with from the front. */
void pop_pieces(struct endpoint *e)
{
    bool moved = false;

    if (!e->reader) return;
    list_each (&e->pieces, at) {
        struct piece *p = list_item(at, struct piece, link);
        if (p->open > 0) break;
        disk_reader_done(e->reader, p->after);
        list_del(&p->link);
        free(p);
        moved = true;
    }
    if (moved) marks_moved(e->write);
    if (!e->reading && list_empty(&e->pieces)) {
        disk_reader_remove(e->reader);
        e->reader = NULL;
        memcpy(e->mark, e->id, sizeof(e->mark));
    }
}

void pieces_done(struct endpoint *e, struct item *it)
{
    vec_each (&it->pieces, p)
        (*p)->open--;
    if (it->pieces.n) pop_pieces(e);
}

/* --- records --- */

static u64 endpoint_number(const struct endpoint *e)
{
    return hash_str(str_of(e->mark));
}

int log_parcel(struct write *w, const struct parcel *p, struct endpoint *const *to, u32 n,
               struct disk_place *ret_after)
{
    struct buf *b = &w->record;

    buf_reset(b);
    pb_add_varint(b, n);
    for (u32 i = 0; i < n; i++)
        pb_add_varint(b, endpoint_number(to[i]));
    pb_add_varint(b, p->tenant->name.n);
    buf_str(b, p->tenant->name);
    const u64 numbers[] = {p->entries, p->bytes, p->lanes, p->lane};
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        pb_add_varint(b, numbers[i]);
    if (buf_err(b)) return buf_err(b);
    const struct iovec v[] = {{b->p, b->n}, {p->body->p, p->body->n}};
    int err = disk_log_append(w->log, RECORD_BODY, v, 2, ret_after);
    if (err)
        log_failed(w, disk_log_error(w->log));
    else
        log_works(w);
    return err;
}

/* NULL: broken. */
static const char *read_head(struct endpoint *e, struct str rec, bool *ret_mine,
                             struct str *ret_tenant, u64 numbers[4])
{
    const char *p = rec.p, *end = rec.p + rec.n;
    u64 n, id;
    size_t len;

    p = pb_varint(p, end, &n);
    *ret_mine = false;
    for (u64 i = 0; p && i < n; i++) {
        p = pb_varint(p, end, &id);
        *ret_mine |= p && id == endpoint_number(e);
    }
    if (!p || !(p = pb_len(p, end, &len))) return NULL;
    *ret_tenant = str_n(p, len);
    p += len;
    for (int i = 0; p && i < 4; i++)
        p = pb_varint(p, end, &numbers[i]);
    return p;
}

void broken_record(struct endpoint *e)
{
    log_error(write_log(e->write), "a record of the log on disk is not understood and is skipped",
              F_CSTR("endpoint", e->conf->shown));
}

static struct blob *blob_of(struct write *w, const char *p, size_t n)
{
    struct blob *b = blob_new(MAX(n, (size_t)1), NULL);

    if (!b) return NULL;
    memcpy(b->p, p, n);
    b->n = n;
    b->budget = w->shard->comp->host->data_budget;
    budget_force(b->budget, (i64)b->cap);
    return b;
}

/* -ENOMEM: it has to be read again. */
static int take_body(struct endpoint *e, struct str rec, struct disk_place after)
{
    struct str tenant;
    u64 numbers[4];
    bool mine;
    const char *body = read_head(e, rec, &mine, &tenant, numbers);

    if (!body) broken_record(e);
    struct blob *blob = NULL;
    if (body && mine && !(blob = blob_of(e->write, body, (size_t)(rec.p + rec.n - body))))
        return -ENOMEM;
    struct piece *piece = piece_new(e, after);
    if (!blob) {
        pop_pieces(e);
        return 0;
    }
    struct parcel *p = parcel_new(write_tenant(e->write, tenant), blob);
    p->entries = (u32)numbers[0];
    p->bytes = numbers[1];
    p->lanes = (u32)MAX(numbers[2], 1);
    p->lane = (u32)numbers[3];
    p->named = xstrdup("(from the log on disk)");
    struct item *it = item_new(e, p);
    piece->open = 1;
    vec_push(&it->pieces, piece);
    list_add_tail(&e->items, &it->link);
    e->n_items++;
    return 0;
}

/* --- reading --- */

static bool has_room(const struct endpoint *e)
{
    u64 bytes[2] = {0};
    u32 n[2] = {0};

    list_each (&e->items, at) {
        const struct item *it = list_item(at, struct item, link);
        bool held_up = item_is_held_up(it);
        bytes[held_up] += it->parcel->body->n;
        n[held_up]++;
    }
    return n[0] < AHEAD_ITEMS && bytes[0] < AHEAD_BYTES && n[1] < HELD_ITEMS &&
           bytes[1] < HELD_BYTES;
}

/* Everything in the log was read: what had no room there comes next. */
static void caught_up(struct endpoint *e)
{
    if (e->write->plan->args->wal.enabled) return;
    if (!e->n_behind && e->failing) return; /* more is written there until it works again */
    if (!list_empty(&e->gathers) || e->n_items > endpoint_capacity(e)) return;
    list_each (&e->behind, at) {
        list_del(at);
        list_add_tail(&e->items, at);
        e->n_items++;
    }
    e->n_behind = 0;
    e->reading = false;
    pop_pieces(e);
}

static int take_record(struct endpoint *e, u8 kind, struct str rec, struct disk_place after)
{
    if (kind == RECORD_BODY) return take_body(e, rec, after);
    if (kind == RECORD_FRAGMENTS) return wal_take(e, rec, after);
    broken_record(e);
    (void)piece_new(e, after);
    pop_pieces(e);
    return 0;
}

static void read_failed(struct endpoint *e, const char *why)
{
    log_failed(e->write, why);
    e->read_at = write_now(e->write) + e->write->plan->args->wal.max_read_frequency.ns;
}

void endpoint_read(struct endpoint *e)
{
    struct disk_place after;
    struct str rec;
    u8 kind;

    if (e->read_at > write_now(e->write) || (e->write->stopping && !wal_on(e->write))) return;
    e->read_at = 0;
    while (e->reading && has_room(e)) {
        struct disk_place before = disk_reader_at(e->reader);
        int got = disk_reader_next(e->reader, &kind, &rec, &after);
        if (got < 0) {
            read_failed(e, disk_log_error(e->write->log));
            return;
        }
        if (got == 0) {
            caught_up(e);
            return;
        }
        if (take_record(e, kind, rec, after)) {
            disk_reader_seek(e->reader, before);
            read_failed(e, "no memory is left");
            return;
        }
    }
}

/* --- spilling --- */

/* The same batch without its acks: the log has it. */
static void release_acks(struct item *it)
{
    struct parcel *old = it->parcel, *p = parcel_new(old->tenant, blob_ref(old->body));

    p->entries = old->entries;
    p->bytes = old->bytes;
    p->lane = old->lane;
    p->lanes = old->lanes;
    p->named = xstrdup(old->named);
    vec_each (&old->ages, age)
        vec_push(&p->ages, *age);
    it->parcel = p;
    parcel_unref(old);
}

/* Those under way stay in memory too; the reader goes on behind them. */
static int spill_active(struct endpoint *e)
{
    list_each (&e->items, at) {
        struct item *it = list_item(at, struct item, link);
        struct disk_place after;
        if (!it->active || it->pieces.n) continue;
        int err = log_parcel(e->write, it->parcel, &e, 1, &after);
        if (err) return err;
        struct piece *piece = piece_new(e, after);
        piece->open = 1;
        vec_push(&it->pieces, piece);
        disk_reader_seek(e->reader, after);
        release_acks(it);
    }
    return 0;
}

/* Writes those of a list that wait, and lets them go: they are read again later. */
static int spill_waiting(struct endpoint *e, struct list *l, u32 *count)
{
    list_each (l, at) {
        struct item *it = list_item(at, struct item, link);
        if (it->active || it->pieces.n) continue;
        int err = log_parcel(e->write, it->parcel, &e, 1, NULL);
        if (err) return err;
        e->reading = true;
        --*count;
        item_free(it);
    }
    return 0;
}

static int spill_items(struct endpoint *e)
{
    disk_reader_seek(e->reader, disk_log_end(e->write->log));
    int err = spill_active(e);
    if (!err) err = spill_waiting(e, &e->items, &e->n_items);
    if (err && e->reading) rest_behind(e);
    if (!err) e->reading = true;
    return err;
}

bool endpoint_spill(struct endpoint *e)
{
    if (!log_ready(e->write) || !start_reading(e, false)) return false;
    int err = e->reading ? 0 : spill_items(e);
    if (!err) err = spill_waiting(e, &e->behind, &e->n_behind);
    if (!e->reading) pop_pieces(e);
    return err == 0;
}

void endpoint_spill_last(struct endpoint *e)
{
    (void)endpoint_spill(e);
    list_each (&e->items, at) {
        struct item *it = list_item(at, struct item, link);
        if (!e->reader || it->pieces.n || log_parcel(e->write, it->parcel, &e, 1, NULL)) continue;
        e->n_items--;
        item_free(it);
    }
}
