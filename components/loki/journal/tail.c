/* One journal, one worker. The journal is opened on a pool thread. Entries are read in bursts, so
 * that a long backlog leaves the loop to others in between; each burst is one batch and one range
 * of the window. The saved cursor is that of the last range before which everything was delivered.
 */
#include "components/loki/journal/tail.h"

#include <errno.h>

#include "base/clock.h"
#include "base/xalloc.h"

#define BURST_ENTRIES 500
#define BURST_BYTES   ((size_t)1 << 20)
#define RANGES_MAX    32 /* batches on their way */
#define FIELDS_MAX    ((size_t)32 << 20)
#define BACKOFF_MIN   (500 * NS_PER_MS)
#define BACKOFF_MAX   (30 * NS_PER_SEC)
#define STOP_WAIT     (5 * NS_PER_SEC)
#define NO_ROOM_WAIT  (100 * NS_PER_MS)

static void read_on(struct journal_tail *t);

/* --- opening, on the pool --- */

struct opening {
    struct job job;
    struct journal_tail *owner; /* NULL: nobody waits any more. Worker. */
    struct journal_place place;
    char *path, *matches, *cursor;
    struct journal *journal;
    char *err;
};

static void open_work(struct job *j)
{
    struct opening *o = container_of(j, struct opening, job);

    journal_open(&o->place, &o->journal, &o->err);
}

static void opening_free(struct opening *o)
{
    journal_close(o->journal);
    free(o->path);
    free(o->matches);
    free(o->cursor);
    free(o->err);
    free(o);
}

static void close_journal(struct journal_tail *t)
{
    io_free(t->io);
    t->io = NULL;
    journal_close(t->journal);
    t->journal = NULL;
}

static void later(struct journal_tail *t)
{
    t->backoff = t->backoff ? MIN(t->backoff * 2, BACKOFF_MAX) : BACKOFF_MIN;
    timer_start(t->timer, t->backoff);
}

static void on_readable(void *arg, int events)
{
    struct journal_tail *t = arg;

    journal_process(t->journal);
    read_on(t);
}

static void not_opened(struct journal_tail *t, const char *why)
{
    log_error(t->shard->comp->log, "cannot read the journal; trying again", F_CSTR("err", why));
    comp_health(t->shard->comp, HEALTH_UNHEALTHY, "error creating journal tailer: %s", why);
    t->failed = true;
    later(t);
}

static void opened(struct journal_tail *t, struct journal *j)
{
    t->journal = j;
    t->io = io_new(t->shard->worker->loop, journal_fd(j), IO_READ, on_readable, t);
    t->failed = false;
    comp_health(t->shard->comp, HEALTH_HEALTHY, "journal tailer is running");
    read_on(t);
}

static void open_again(struct journal_tail *t);

static void open_done(struct job *job)
{
    struct opening *o = container_of(job, struct opening, job);
    struct journal_tail *t = o->owner;
    struct journal *j = o->journal;

    if (t) t->opening = NULL;
    if (t && t->reread) {
        open_again(t);
    } else if (t && j) {
        o->journal = NULL;
        opened(t, j);
    } else if (t) {
        not_opened(t, o->err);
    }
    opening_free(o);
}

/* Before what is too old, unless this process has read it already: then nothing is too old. */
static u64 since_of(const struct journal_tail *t)
{
    return t->cursor && t->read > 0 ? 0 : t->since;
}

static void open_again(struct journal_tail *t)
{
    struct opening *o;

    close_journal(t);
    timer_stop(t->timer);
    t->reread = t->opening != NULL; /* once that has ended */
    if (t->reread) return;
    o = xnew(struct opening);
    o->job = (struct job){.reply_to = t->shard->worker->loop, .work = open_work, .done = open_done};
    o->owner = t;
    o->path = str_dup(t->conf->path);
    o->matches = str_dup(t->conf->matches);
    o->cursor = xstrdup(t->cursor ? t->cursor : "");
    o->place =
        (struct journal_place){str_of(o->path), str_of(o->matches), str_of(o->cursor), since_of(t)};
    t->opening = o;
    offload_run(t->shard->comp->host->offload, &o->job);
}

static void on_timer(void *arg)
{
    struct journal_tail *t = arg;

    if (t->stopping) {
        t->stopped = true;
        shard_stopped(t->shard);
    } else if (t->journal) {
        journal_process(t->journal);
        read_on(t);
    } else if (!t->opening) {
        open_again(t);
    }
}

/* --- delivered --- */

static void set_text(char **to, const char *text)
{
    free(*to);
    *to = text ? xstrdup(text) : NULL;
}

static void forget_marks(struct journal_tail *t, size_t n)
{
    if (n == 0) return;
    for (size_t i = 0; i < n; i++)
        free(t->marks.v[i].cursor);
    memmove(t->marks.v, t->marks.v + n, (t->marks.n - n) * sizeof(*t->marks.v));
    t->marks.n -= n;
}

static void end_stop(struct journal_tail *t)
{
    if (!t->stopping || t->stopped || t->marks.n > 0 || !log_source_idle(&t->source)) return;
    timer_stop(t->timer);
    t->stopped = true;
    shard_stopped(t->shard);
}

static void on_advanced(void *arg)
{
    struct journal_tail *t = arg;
    u64 done = ack_window_done(t->window);
    size_t n = 0;

    while (n < t->marks.n && t->marks.v[n].end <= done)
        n++;
    if (n > 0) {
        set_text(&t->done, t->marks.v[n - 1].cursor);
        positions_put(t->positions, str_of(t->key), STR(""), str_of(t->done));
        forget_marks(t, n);
    }
    end_stop(t);
    if (!t->stopping) read_on(t);
}

/* Reads again from what was delivered. */
static void on_broken(void *arg, enum ack_outcome outcome, const struct ack_failure *f)
{
    struct journal_tail *t = arg;

    if (t->stopping) { /* they are read again by the next process */
        forget_marks(t, t->marks.n);
        end_stop(t);
        return;
    }
    log_warn(t->shard->comp->log, "entries were not delivered; reading them again",
             F_CSTR("err", f && f->text ? f->text : "the receiver is gone"));
    close_journal(t);
    log_source_discard(&t->source);
    forget_marks(t, t->marks.n);
    set_text(&t->cursor, t->done);
    t->read = t->sent = ack_window_done(t->window);
    ack_window_restart(t->window, t->read);
    if (t->opening)
        open_again(t);
    else
        later(t);
}

/* --- reading --- */

static bool may_read(const struct journal_tail *t)
{
    return t->journal && !t->stopping && !log_source_blocked(&t->source) &&
           ack_window_open_ranges(t->window) < RANGES_MAX;
}

/* What was read since the last time goes out as one batch. */
static void hand_over(struct journal_tail *t)
{
    if (t->read == t->sent) return;
    t->sent = t->read;
    vec_push(&t->marks, ((struct journal_mark){t->read, xstrdup(t->cursor)}));
    if (log_builder_items(log_source_builder(&t->source)))
        log_source_send(&t->source, ack_window_open(t->window, t->read));
    else
        ack_window_skip(t->window, t->read);
}

static int add_entry(struct journal_tail *t, struct str line, u64 time)
{
    struct labels *labels = label_set_intern(&t->set, t->shard->comp->host->labels);
    struct log_entry e = {.time = (i64)time * 1000, .line = line};

    if (!labels) return -ENOMEM;
    int err = log_builder_add(log_source_builder(&t->source), labels, &e);
    labels_unref(labels);
    if (!err) metric_inc(t->lines);
    return err;
}

static int make_entry(struct journal_tail *t, u64 time)
{
    bool limited = false;
    struct str line;
    struct journal_format format = t->conf->format;
    format.job = str_of(t->shard->comp->id);
    enum journal_outcome outcome =
        journal_entry(&format, &t->fields, &t->set, &t->scratch, &line, &limited);

    relabel_tell_limited(t->shard->comp->log, limited, &t->limit_told);
    switch (outcome) {
    case JOURNAL_ENTRY: return add_entry(t, line, time);
    case JOURNAL_NO_MESSAGE: metric_inc(t->no_message); return 0;
    case JOURNAL_NO_LABELS: metric_inc(t->no_labels); return 0;
    case JOURNAL_NO_MEMORY: break;
    }
    return -ENOMEM;
}

static int use_fields(struct journal_tail *t, u64 time)
{
    int err = journal_fields_settle(&t->fields);

    if (err != -E2BIG) return err ? err : make_entry(t, time);
    metric_inc(t->too_large);
    log_warn(t->shard->comp->log, "skipped a journal entry: its fields are too large",
             F_UINT("limit_bytes", FIELDS_MAX));
    return 0;
}

/* -ENOMEM: the entry was not used, and comes again. */
static int take_entry(struct journal_tail *t)
{
    u64 time;
    char *cursor;

    journal_fields_reset(&t->fields);
    int err = journal_read(t->journal, &t->fields, &time, &cursor);
    if (err) return err;
    err = use_fields(t, time);
    if (err) {
        free(cursor);
        return err;
    }
    free(t->cursor);
    t->cursor = cursor;
    t->read++;
    t->backoff = 0;
    return 0;
}

static bool burst_is_full(const struct journal_tail *t, u32 n)
{
    return n >= BURST_ENTRIES || log_builder_bytes(t->source.builder) >= BURST_BYTES;
}

/* 1: there is more; 0: the end of the journal; -errno. */
static int read_burst(struct journal_tail *t)
{
    for (u32 n = 0; !burst_is_full(t, n); n++) {
        int rc = journal_next(t->journal);
        if (rc <= 0) return rc;
        rc = take_entry(t);
        if (rc) return rc;
    }
    return 1;
}

static void read_failed(struct journal_tail *t, int err)
{
    log_error(t->shard->comp->log, "failed to read journal entry; opening the journal again",
              F_CSTR("err", strerror(-err)));
    close_journal(t);
    later(t);
}

static void wait_for_more(struct journal_tail *t)
{
    i64 due = journal_due(t->journal);

    io_set(t->io, IO_READ);
    if (due >= 0) timer_start(t->timer, MAX(due, NS_PER_MS));
}

/* Handing over may call back at once: this burst goes on then, no other one begins within it. */
static int read_and_hand_over(struct journal_tail *t)
{
    t->reading = true;
    int rc = read_burst(t);
    if (rc == -ENOMEM) journal_stay(t->journal);
    hand_over(t);
    t->reading = false;
    return rc;
}

static void read_on(struct journal_tail *t)
{
    if (t->reading) return;
    if (t->journal && !may_read(t)) io_set(t->io, 0); /* room() or the window wakes */
    if (!may_read(t)) return;
    int rc = read_and_hand_over(t);
    if (rc == -ENOMEM)
        timer_start(t->timer, NO_ROOM_WAIT);
    else if (rc < 0)
        read_failed(t, rc);
    else if (rc == 0)
        wait_for_more(t);
    else
        timer_start(t->timer, 0);
}

static void on_room(void *arg)
{
    struct journal_tail *t = arg;

    end_stop(t);
    read_on(t);
}

/* --- life --- */

static u64 now_us(const struct journal_tail *t)
{
    return (u64)(clock_real(t->shard->comp->host->clock) / 1000);
}

static u64 since_now(const struct journal_tail *t)
{
    u64 age = (u64)t->conf->max_age / 1000;

    return age == 0 || age >= now_us(t) ? 0 : now_us(t) - age;
}

void journal_tail_start(struct journal_tail *t, struct shard *s, const struct journal_conf *conf,
                        struct positions *positions)
{
    t->shard = s;
    t->conf = conf;
    t->positions = positions;
    t->key = xprintf("cursor-%s", s->comp->id);
    t->since = since_now(t);
    t->timer = timer_new(s->worker->loop, on_timer, t);
    log_source_init(&t->source, s, conf->forward_to, on_room, t);
    t->window = ack_window_new(&(struct ack_window_conf){
        .loop = s->worker->loop, .advanced = on_advanced, .broken = on_broken, .arg = t});
    journal_fields_init(&t->fields, FIELDS_MAX);
    label_set_init(&t->set);
    buf_init(&t->scratch, 2 * FIELDS_MAX);
    positions_start(positions, s);
    struct str saved = positions_get(positions, str_of(t->key), STR(""));
    if (saved.n > 0) {
        t->done = str_dup(saved);
        t->cursor = str_dup(saved);
    }
    open_again(t);
}

void journal_tail_apply(struct journal_tail *t, const struct journal_conf *conf)
{
    bool same = str_eq(t->conf->path, conf->path) && str_eq(t->conf->matches, conf->matches);

    t->conf = conf;
    t->limit_told = false;
    log_source_apply(&t->source, conf->forward_to);
    if (!same || t->failed) {
        t->backoff = 0;
        open_again(t);
    }
}

void journal_tail_stop(struct journal_tail *t)
{
    t->stopping = true;
    close_journal(t);
    timer_start(t->timer, STOP_WAIT);
    end_stop(t);
}

void journal_tail_done(struct journal_tail *t)
{
    if (t->opening) t->opening->owner = NULL;
    close_journal(t);
    positions_save(t->positions);
    positions_stop(t->positions);
    ack_window_free(t->window);
    log_source_done(&t->source);
    forget_marks(t, t->marks.n);
    vec_done(&t->marks);
    timer_free(t->timer);
    journal_fields_done(&t->fields);
    label_set_done(&t->set);
    buf_done(&t->scratch);
    free(t->key);
    free(t->cursor);
    free(t->done);
}
