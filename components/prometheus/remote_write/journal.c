/* The log, written. A series is declared at its first sample in each segment, so that segments can
 * go one by one; a segment ends when it is old, or large in proportion to its declarations. */
#include <errno.h>
#include "base/xalloc.h"
#include "components/prometheus/remote_write/write.h"

#define SEGMENT_BYTES ((u64)16 << 20) /* a segment is at least so large, */
#define SEGMENT_NAMES 4               /* and so many times its declarations */
#define RECORD_ITEMS  8192
#define RECORD_NAMES  ((size_t)1 << 20)
#define FIRST_RETRY   NS_PER_SEC

/* --- life --- */

static bool open_log(struct write *w)
{
    const struct write_shared *s = w->shard->comp->shared;
    const struct disk_log_conf conf = {.dir = s->dir,
                                       .segment_bytes = SIZE_MAX / 2,
                                       .log = write_log(w),
                                       .clock = w->shard->comp->host->clock,
                                       .pool = w->shard->comp->host->offload};
    char *err = NULL;

    if (!s->dir) {
        wal_failed(w, s->no_dir);
        return false;
    }
    i64 began = clock_mono(conf.clock);
    if (disk_log_open(&conf, &w->journal.log, &err) == 0) {
        w->journal.found = disk_log_end(w->journal.log);
        families_load(w);
        metric_set(write_own(w, OWN_REPLAY), (f64)(clock_mono(conf.clock) - began) / NS_PER_SEC);
        return true;
    }
    wal_failed(w, err);
    free(err);
    return false;
}

bool wal_ready(struct write *w)
{
    struct journal *j = &w->journal;

    if (j->log) return true;
    if (j->retry_at && write_now(w) < j->retry_at) return false;
    if (!open_log(w)) return false;
    wal_works(w);
    wal_resume(w);
    return true;
}

void wal_close(struct write *w)
{
    struct journal *j = &w->journal;

    disk_log_close(j->log);
    j->log = NULL;
    names_unref(j->now);
    j->now = NULL;
    vec_done(&j->places);
    record_done(&j->record);
    free(j->failure);
    j->failure = NULL;
}

void wal_failed(struct write *w, const char *why)
{
    struct journal *j = &w->journal;
    bool news = !j->failure || strcmp(j->failure, why) != 0;

    j->retry_at = write_now(w) + FIRST_RETRY;
    timer_start(w->again, FIRST_RETRY);
    if (!news) return;
    free(j->failure);
    j->failure = xstrdup(why);
    remote_health(w);
    log_error(write_log(w),
              "the log on disk does not take samples: senders wait until it does, free some space "
              "or check the folder",
              F_CSTR("folder", ((const struct write_shared *)w->shard->comp->shared)->dir),
              F_CSTR("err", why));
}

void wal_works(struct write *w)
{
    struct journal *j = &w->journal;

    j->retry_at = 0;
    if (!j->failure) return;
    free(j->failure);
    j->failure = NULL;
    remote_health(w);
    log_info(write_log(w), "the log on disk takes samples again");
}

/* --- segments --- */

static bool is_over(const struct write *w, const struct disk_segment *s)
{
    i64 age = w->plan->args->wal.truncate_frequency.ns;

    if (age > 0 && s->age >= age) return true;
    return s->bytes >= SEGMENT_BYTES && s->bytes >= SEGMENT_NAMES * w->journal.declared;
}

/* The segment that the next record goes to has its table. */
static int turn(struct write *w)
{
    struct journal *j = &w->journal;
    struct disk_segment s = disk_log_newest(j->log);
    u32 number = 0;
    bool full = j->now && j->now->v.n >= RECORD_NUMBERS_MAX - RECORD_ITEMS;
    int err = disk_log_segment(j->log, full || (s.writing && is_over(w, &s)), &number);

    if (err || (j->now && j->now->segment == number)) return err;
    names_unref(j->now);
    j->now = names_of(w, number);
    j->now->whole = true;
    j->declared = 0;
    return 0;
}

/* --- a record --- */

static struct place *place_of(struct journal *j, u32 id)
{
    if (UNLIKELY(id >= j->places.n)) {
        vec_reserve(&j->places, id + 1 + id / 8);
        memset(j->places.v + j->places.n, 0, (id + 1 - j->places.n) * sizeof(*j->places.v));
        j->places.n = id + 1;
    }
    return &j->places.v[id];
}

static u32 number_of(struct write *w, struct series *s)
{
    struct journal *j = &w->journal;
    struct place *p = place_of(j, s->id);

    if (LIKELY(p->segment == j->now->segment)) return p->number;
    *p = (struct place){j->now->segment, (u32)j->now->v.n};
    vec_push(&j->now->v, series_ref(s));
    record_declare(&j->record, s);
    return p->number;
}

/* What was declared in a record that was not written. */
static void undo(struct write *w, size_t first)
{
    struct journal *j = &w->journal;

    while (j->now->v.n > first) {
        struct series *s = vec_pop(&j->now->v);
        place_of(j, s->id)->segment = 0;
        series_unref(write_table(w), s);
    }
}

struct progress {
    u32 samples, histograms, exemplars;
};

static bool record_full(const struct record *r)
{
    return r->n_samples + r->n_histograms + r->n_exemplars >= RECORD_ITEMS ||
           r->names.n + r->histograms.n + r->exemplars.n >= RECORD_NAMES;
}

static void fill(struct write *w, const struct samples *s, struct progress *at)
{
    struct record *r = &w->journal.record;

    for (; at->samples < s->n && !record_full(r); at->samples++) {
        const struct sample *v = &s->v[at->samples];
        record_sample(r, number_of(w, v->series), v->time, v->bits);
    }
    for (; at->histograms < s->n_histograms && !record_full(r); at->histograms++)
        record_histogram(r, number_of(w, s->histograms[at->histograms].series),
                         &s->histograms[at->histograms]);
    for (; at->exemplars < s->n_exemplars && !record_full(r); at->exemplars++)
        record_exemplar(r, number_of(w, s->exemplars[at->exemplars].series),
                        &s->exemplars[at->exemplars]);
}

/* Who has read everything need not read it from the disk. */
static void mark_current(struct write *w)
{
    list_each (&w->endpoints, at) {
        struct endpoint *e = list_item(at, struct endpoint, link);
        e->current = e->reader && disk_reader_at_end(e->reader) && !remote_full(e);
    }
}

static void hand_out(struct write *w, struct str payload, struct disk_place after)
{
    list_each (&w->endpoints, at) {
        struct endpoint *e = list_item(at, struct endpoint, link);
        if (!e->current) continue;
        struct disk_place before = disk_reader_at(e->reader);
        if (remote_take(e, payload, before, after) == 0) disk_reader_seek(e->reader, after);
    }
}

static int append(struct write *w)
{
    struct journal *j = &w->journal;
    struct str payload = record_end(&j->record);
    struct iovec v = {(void *)(uintptr_t)payload.p, payload.n};
    struct disk_place after;

    if (!payload.p) return -ENOMEM;
    mark_current(w);
    int err = disk_log_append(j->log, RECORD_PUSH, &v, 1, &after);
    if (err) return err;
    j->declared += j->record.names.n ? payload.n - j->record.samples.n : 0;
    hand_out(w, payload, after);
    return 0;
}

static int write_record(struct write *w, const struct samples *s, struct progress *at)
{
    struct progress from = *at;
    int err = turn(w);

    if (err) return err;
    size_t first = w->journal.now->v.n;
    record_begin(&w->journal.record, (u32)first);
    fill(w, s, at);
    err = append(w);
    if (!err) return 0;
    undo(w, first);
    *at = from;
    return err;
}

static bool is_done(const struct samples *s, const struct progress *at)
{
    return at->samples >= s->n && at->histograms >= s->n_histograms &&
           at->exemplars >= s->n_exemplars;
}

enum written wal_write(struct write *w, const struct samples *s)
{
    struct progress at = {0};
    bool some = false;

    while (!is_done(s, &at)) {
        int err = write_record(w, s, &at);
        if (err) {
            wal_failed(w, err == -ENOMEM ? "no memory is left" : disk_log_error(w->journal.log));
            return some ? PARTLY_WRITTEN : NOT_WRITTEN;
        }
        some = true;
    }
    wal_works(w);
    return WRITTEN;
}

/* --- what expires --- */

static void expire(struct write *w, u32 segment, i64 written)
{
    log_warn(write_log(w),
             "a file of the log is older than max_keepalive_time: what no endpoint has taken of it "
             "is given up",
             F_UINT("segment", segment), F_DUR("age", remote_real(w) * NS_PER_MS - written));
    list_each (&w->endpoints, at)
        remote_skip(list_item(at, struct endpoint, link), segment);
    (void)disk_log_sync_marks(w->journal.log);
}

void wal_expire(struct write *w)
{
    struct disk_log *l = w->journal.log;
    i64 most = w->plan->args->wal.max_keepalive_time.ns;
    u32 last = 0;

    while (l && most > 0) {
        struct disk_segment s = disk_log_oldest(l);
        i64 written = s.number ? disk_log_written(l, s.number) : 0;
        if (!s.number || s.writing || s.number == last || !written ||
            remote_real(w) * NS_PER_MS - written < most)
            return;
        last = s.number;
        expire(w, s.number, written);
    }
}

/* --- readers --- */

static void open_reader(struct endpoint *e, const char *mark)
{
    struct disk_log *l = e->write->journal.log;

    (void)snprintf(e->mark, sizeof(e->mark), "%s", mark);
    e->reader = disk_reader_open(l, e->mark, false);
    if (!e->reader) {
        wal_failed(e->write, disk_log_error(l));
        return;
    }
    e->known = disk_reader_at(e->reader);
    struct disk_segment s = disk_log_newest(l);
    bool written_here = s.writing && e->known.segment == s.number;
    /* Its table must not go before the endpoint has read the rest. */
    if (written_here) (void)remote_view(e, e->known.segment);
    /* What an earlier process wrote names its series from its beginning on. */
    if (disk_reader_unread(e->reader) && !written_here)
        disk_reader_seek(e->reader, (struct disk_place){e->known.segment, 0});
}

/* The one endpoint without a mark takes over the one mark without an endpoint: its URL was changed.
 */
static const char *mark_for(struct write *w, const struct endpoint *e)
{
    struct disk_log *l = w->journal.log;
    u32 without = 0;

    list_each (&w->endpoints, at) {
        const struct endpoint *other = list_item(at, struct endpoint, link);
        without += !other->reader && !disk_log_has_mark(l, other->id);
    }
    const char *sole = disk_log_sole_mark(l);
    return disk_log_has_mark(l, e->id) || without != 1 || !sole ? e->id : sole;
}

void wal_resume(struct write *w)
{
    list_each (&w->endpoints, at) { /* those with marks first: what is left may be one */
        struct endpoint *e = list_item(at, struct endpoint, link);
        if (!e->reader && disk_log_has_mark(w->journal.log, e->id)) open_reader(e, e->id);
    }
    list_each (&w->endpoints, at) {
        struct endpoint *e = list_item(at, struct endpoint, link);
        if (!e->reader) open_reader(e, mark_for(w, e));
    }
    u32 gone = disk_log_keep_readers(w->journal.log);
    if (gone)
        log_warn(write_log(w), "places in the log of endpoints that are gone are forgotten",
                 F_UINT("endpoints", gone));
}
