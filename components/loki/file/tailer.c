/* Reading on, going over to the next file, and what acknowledgements change. */
#include "components/loki/file/tailer.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/num.h"
#include "base/xalloc.h"
#include "components/loki/file/late.h"
#include "components/loki/file/lines.h"
#include "components/loki/file/rotated.h"

#define BACKOFF_MIN   NS_PER_SEC
#define BACKOFF_MAX   (10 * NS_PER_SEC)
#define REREAD_MAX    (30 * NS_PER_SEC)
#define OLD_POLL_MIN  (250 * NS_PER_MS) /* a file that was renamed may still be written to */
#define OLD_POLL_MAX  (10 * NS_PER_SEC)
#define DELETED_QUIET (5 * NS_PER_SEC) /* a deleted file without news is let go of */
#define HEAD_SURE     64               /* heads this long tell files apart */

static struct logger *log_of(const struct tailer *t)
{
    return t->source->shard->comp->log;
}

static i64 now_of(const struct tailer *t)
{
    return loop_now(t->source->shard->worker->loop);
}

/* --- when it is stepped --- */

void tailer_wake(struct tailer *t, bool structural)
{
    t->look |= structural;
    if (t->finished && !structural) return;
    if (t->rewind && !list_empty(&t->waiting)) return; /* not before its time */
    if (!list_empty(&t->ready)) return;
    list_add_tail(&t->source->ready, &t->ready);
    source_pump(t->source);
}

static void wait_for(struct tailer *t, i64 ns)
{
    t->again = now_of(t) + ns;
    if (list_empty(&t->waiting)) list_add_tail(&t->source->waiting, &t->waiting);
    source_tick(t->source);
}

/* Twice as long as the last time. */
static void back_off(struct tailer *t, i64 min, i64 max)
{
    t->backoff = MIN(MAX(t->backoff * 2, min), max);
    wait_for(t, t->backoff);
}

void tailer_delay(struct tailer *t, i64 ns)
{
    wait_for(t, ns);
}

void tailer_wake_waiting(struct tailer *t)
{
    list_del(&t->waiting);
    tailer_wake(t, !t->reading);
}

/* --- marks: one growing number over all files of the queue --- */

static u64 begins(const struct handle *h)
{
    return h->base + h->start;
}

/* By its head a file is known again when it was truncated or replaced before its turn came. */
static void know(struct handle *h)
{
    struct stat st;

    if (h->head.n == 0 && handle_stat(h, &st) == 0) handle_update_head(h, (u64)st.st_size);
}

static void know_next(const struct tailer *t)
{
    for (struct handle *h = t->reading ? t->reading->next : NULL; h; h = h->next)
        know(h);
}

static struct handle *handle_at(const struct tailer *t, u64 mark)
{
    struct handle *h = t->first;

    while (h && h != t->reading && begins(h->next) <= mark)
        h = h->next;
    return h;
}

static void set_in_flight(struct tailer *t, u64 sent, u64 done)
{
    t->source->in_flight += (sent - done) - (t->sent - t->done);
    t->sent = sent;
    t->done = done;
}

/* When an empty file was last changed: what is rotated away later was not read. */
static u64 empty_since(const struct handle *h)
{
    struct stat st;

    if (h->head.n > 0 || handle_stat(h, &st) < 0) return 0;
    return (u64)st.st_mtim.tv_sec * NS_PER_SEC + (u64)st.st_mtim.tv_nsec;
}

/* Late lines have no position: that of the path is where the file after them begins. false: there
 * is none, the path is named by nothing any more, so it stays what it was. */
static bool own_place(struct tailer *t, struct handle *at, u64 *ret_offset, struct file_note *ret)
{
    struct handle *h = at;

    while (h && h->late)
        h = h->next;
    if (h) {
        know(h);
        *ret_offset = h == at ? t->done - h->base : h->start;
        *ret = (struct file_note){h->ino, h->head, .since = empty_since(h)};
        return true;
    }
    struct positions *p = t->source->positions;
    struct str path = str_of(t->path), labels = str_of(t->key_labels);
    if (num_parse_u64(positions_get(p, path, labels), ret_offset) != 0 ||
        !file_note_parse(positions_note(p, path, labels), ret))
        return false;
    ret->n_late = 0;
    return true;
}

static void save_position(struct tailer *t)
{
    struct handle *h = handle_at(t, t->done);
    struct str path = str_of(t->path), labels = str_of(t->key_labels);
    struct file_note note;
    char text[NOTE_TEXT_MAX];
    u64 offset;

    if (!h || !own_place(t, h, &offset, &note)) return;
    target_status_at(t->status, (i64)offset);
    if (t->source->conf->unpack) {
        positions_put_number(t->source->positions, path, labels, offset);
        return;
    }
    late_note(t, h, t->done, &note);
    file_note_write(&note, text);
    positions_put_noted(t->source->positions, path, labels, offset, str_of(text));
}

/* Files that were delivered to their ends. */
static void release(struct tailer *t)
{
    while (t->first && t->first != t->reading && t->done >= begins(t->first->next)) {
        struct handle *h = t->first;
        t->first = h->next;
        handle_close(h);
    }
}

/* The last file of the queue is gone, read to its end, and delivered. */
static void finish_last(struct tailer *t)
{
    struct handle *h = t->reading;

    if (!h || !h->ended || h->next || t->sent != t->done) return;
    release(t);
    if (t->source->conf->unpack) return; /* it is still there */
    handle_close(h);
    t->first = t->reading = NULL;
}

void tailer_show(struct tailer *t)
{
    target_status_runs(t->status, t->first && !t->finished);
}

static void on_advanced(void *arg)
{
    struct tailer *t = arg;

    set_in_flight(t, t->sent, ack_window_done(t->window));
    if (!t->rewind) t->backoff = 0;
    save_position(t);
    release(t);
    finish_last(t);
    tailer_show(t);
    source_pump(t->source);
}

static void on_broken(void *arg, enum ack_outcome outcome, const struct ack_failure *f)
{
    struct tailer *t = arg;

    t->rewind = true;
    list_del(&t->ready);
    log_warn(log_of(t), "lines were not delivered and are read again", F_CSTR("path", t->path),
             F_CSTR("err", f ? f->text : "the receiver was stopped"));
    back_off(t, MAX(BACKOFF_MIN, f ? f->retry_delay : 0), REREAD_MAX);
}

static void rewind_now(struct tailer *t)
{
    struct handle *h = handle_at(t, t->done);

    t->rewind = t->finished = false;
    ack_window_restart(t->window, t->done);
    set_in_flight(t, t->done, t->done);
    if (!h) return;
    t->reading = h;
    handle_seek(h, t->done - h->base);
    if (h->dead)
        log_error(log_of(t), "lines were lost: they were not delivered, and their file is gone",
                  F_CSTR("path", t->path));
    while ((h = h->next))
        handle_seek(h, h->start);
}

/* --- the queue --- */

static struct handle *last_of(const struct tailer *t)
{
    struct handle *h = t->first;

    while (h && h->next)
        h = h->next;
    return h;
}

static void begin_reading(struct tailer *t, struct handle *h)
{
    h->base = t->sent - h->start;
    t->reading = h;
}

static void start_window(struct tailer *t, u64 start)
{
    t->window = ack_window_new(&(struct ack_window_conf){.loop = t->source->shard->worker->loop,
                                                         .start = start,
                                                         .advanced = on_advanced,
                                                         .broken = on_broken,
                                                         .arg = t});
    t->sent = t->done = start;
}

void tailer_append(struct tailer *t, struct handle *h)
{
    struct handle *last = last_of(t);

    know(h);
    if (!t->window) start_window(t, h->start);
    if (last)
        last->next = h;
    else
        t->first = h;
    if (!t->reading) begin_reading(t, h);
}

void tailer_append_all(struct tailer *t, const handle_list *list, size_t from)
{
    for (size_t i = from; i < list->n; i++)
        if (late_has(t, list->v[i]->ino))
            handle_close(list->v[i]);
        else
            tailer_append(t, list->v[i]);
}

static void go_on_to_next(struct tailer *t)
{
    late_keep(t, t->reading);
    begin_reading(t, t->reading->next);
    t->quiet_since = 0;
    release(t);
}

/* --- opening --- */

static void tell_error(struct tailer *t, const char *why)
{
    if (t->failing) return;
    t->failing = true;
    t->source->failing++;
    log_error(log_of(t), "failed to tail file", F_CSTR("path", t->path), F_CSTR("err", why));
    comp_health(t->source->shard->comp, HEALTH_UNHEALTHY, "%s: %s", t->path, why);
}

static void tell_open_error(struct tailer *t, int err)
{
    tell_error(t, err == -EISDIR   ? "failed to tail file, is directory"
                  : err == -EINVAL ? "it is not a regular file"
                  : err == -EMFILE ? "too many open files (raise the limit, e.g. LimitNOFILE= of "
                                     "the service)"
                                   : strerror(-err));
}

static void tell_no_error(struct tailer *t)
{
    if (!t->failing) return;
    t->failing = false;
    if (--t->source->failing == 0)
        comp_health(t->source->shard->comp, HEALTH_HEALTHY, "every file can be read");
}

static enum step wait_to_open(struct tailer *t, int err)
{
    if (err == -ENOENT || err == -ENOTDIR) { /* its folder tells when it comes */
        tell_no_error(t);
        return STEP_IDLE;
    }
    tell_open_error(t, err);
    back_off(t, BACKOFF_MIN, BACKOFF_MAX);
    return STEP_IDLE;
}

/* --- what happened to the path --- */

static bool is_known(const struct tailer *t, u64 ino)
{
    for (const struct handle *h = t->first; h; h = h->next)
        if (h->ino == ino) return true;
    return false;
}

/* Files that had the path and lost it again before anybody looked. */
static void append_between(struct tailer *t, const struct handle *last, u64 ino_now)
{
    handle_list list = {0};
    struct stat st;

    if (handle_stat(last, &st) < 0) return;
    rotated_since(t->path, (i64)st.st_mtim.tv_sec * NS_PER_SEC + st.st_mtim.tv_nsec, t->first,
                  ino_now, &t->source->reading, &list);
    tailer_append_all(t, &list, 0);
    vec_done(&list);
}

/* An editor, or a program that writes a whole new file and renames it over the old one: what was
 * read already is not read again. */
static bool is_rewritten(struct tailer *t, const struct handle *old, struct handle *h)
{
    struct stat was, is;

    return old == t->reading && !old->packed && handle_stat(old, &was) == 0 && was.st_nlink == 0 &&
           handle_stat(h, &is) == 0 && old->head.n >= HEAD_SURE && (u64)is.st_size >= old->head.n &&
           handle_has_head(h, &t->source->reading, &old->head);
}

static void take_over(struct handle *old, struct handle *h)
{
    struct stat st;
    u64 size = handle_stat(h, &st) == 0 ? (u64)st.st_size : 0;

    h->start = MIN(old->offset, size);
    handle_seek(h, h->start);
    old->ended = old->bounded = true;
    old->end = old->offset;
}

static void arrived(struct tailer *t, struct handle *h)
{
    struct handle *last = last_of(t);

    if (is_known(t, h->ino)) {
        handle_close(h);
        return;
    }
    if (t->source->conf->unpack) handle_unpack(h, t->source->conf->format);
    if (last && is_rewritten(t, last, h))
        take_over(last, h);
    else if (last && (t->watched.arrivals > 1 || watch_is_polled(&t->watched)))
        append_between(t, last, h->ino);
    tailer_append(t, h);
    t->finished = false;
    t->backoff = 0;
}

static bool is_link(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
}

static bool is_at_path(const struct tailer *t, u64 dev, u64 ino)
{
    struct stat st;

    return stat(t->path, &st) == 0 && (u64)st.st_dev == dev && (u64)st.st_ino == ino;
}

#define TURNS 8 /* of a path that names another file each time */

/* The file that the path names. Between the event that a file came and this look others may have
 * come and gone: only when the path still names what was opened, and all that happened until then
 * was heard of, it is known how many (arrivals). */
static int open_current(struct tailer *t, struct handle **ret)
{
    for (int i = 0;; i++) {
        int err = handle_open(t->path, ret);
        if (err) return err;
        watch_read(t->source->watch);
        bool gone = access(t->path, F_OK) != 0;
        if (gone || i == TURNS || is_at_path(t, (*ret)->dev, (*ret)->ino)) return 0;
        handle_close(*ret);
    }
}

/* Which file the path names now. 0, or -errno of opening it. */
static int look_at_path(struct tailer *t)
{
    struct handle *h, *last = last_of(t);
    struct stat st;
    bool moved = false;
    int err = 0;

    if (is_link(t->path) || watch_is_link(&t->watched)) watch_again(&t->watched);
    bool there = stat(t->path, &st) == 0;
    bool same = there && last && last->dev == (u64)st.st_dev && last->ino == (u64)st.st_ino;
    if (there && !same) err = open_current(t, &h);
    if (there && !same && !err) {
        moved = !is_at_path(t, h->dev, h->ino);
        arrived(t, h);
    }
    t->watched.arrivals = 0;
    t->gone = !there;
    t->look = moved || (err && err != -ENOENT); /* again, then */
    return t->look ? err : 0;
}

/* --- truncation --- */

static bool was_truncated(struct tailer *t, struct handle *h)
{
    struct stat st;

    if (h->packed || h->resting || h->dead || handle_stat(h, &st) < 0) return false;
    u64 size = (u64)st.st_size;
    if (size < h->offset || (h->head.n > 0 && size < h->head.n)) return true;
    if (h->scanned > size) h->scanned = h->offset;
    if (h->head.n > 0 && !handle_has_head(h, &t->source->reading, &h->head)) return true;
    handle_update_head(h, size);
    return false;
}

/* A file that only became shorter goes on at its end. */
static u64 start_after_truncation(struct tailer *t, struct handle *h)
{
    struct stat st;
    bool shortened = h->head.n >= HEAD_SURE && handle_stat(h, &st) == 0 &&
                     (u64)st.st_size >= h->head.n &&
                     handle_has_head(h, &t->source->reading, &h->head);

    return shortened ? (u64)st.st_size : 0;
}

/* The copy that was made before the truncation has what was not read yet: it takes h's place. */
static void replace(struct tailer *t, struct handle *h, struct handle *copy)
{
    struct handle **at = &t->first;

    while (*at != h)
        at = &(*at)->next;
    *at = copy;
    copy->next = h->next;
    copy->base = h->base;
    copy->start = h->start;
    copy->resting = true;
    copy->bom_known = h->bom_known;
    copy->charset = h->charset;
    copy->bounded = h->bounded;
    copy->late = h->late;
    copy->end = h->end;
    if (t->reading == h) t->reading = copy;
    handle_close(h);
}

/* The files that came between a copy and what is there now. */
static void insert_between(struct tailer *t, struct handle *copy, const handle_list *list)
{
    for (size_t i = 1; i < list->n; i++) {
        struct handle *h = list->v[i];
        if (is_known(t, h->ino) || late_has(t, h->ino)) {
            handle_close(h);
            continue;
        }
        h->next = copy->next;
        copy->next = h;
        copy = h;
    }
}

/* Nobody can tell whether something was written between the last look and the truncation. */
static void tell_gap(struct tailer *t, const struct handle *h)
{
    metric_inc(t->source->gaps);
    log_warn(log_of(t),
             "there is no copy of what the truncated file had: what was written to it since it was "
             "last read is lost (logrotate with copytruncate leaves a copy that is found)",
             F_CSTR("path", t->path), F_UINT("read_up_to", h->offset));
}

static void find_copy(struct tailer *t, struct handle *h)
{
    const struct lost lost = {.head = h->head, .offset = h->offset, .now = h->ino};
    handle_list list = {0};

    if (rotated_rest(t->path, &lost, &t->source->reading, &list)) {
        replace(t, h, list.v[0]);
        insert_between(t, list.v[0], &list);
    } else {
        h->dead = h->ended = true;
        tell_gap(t, h);
    }
    vec_done(&list);
}

static void truncated(struct tailer *t, struct handle *h)
{
    u64 start = start_after_truncation(t, h);
    struct handle *fresh = handle_again(h);

    if (!fresh) {
        tell_open_error(t, -EMFILE);
        back_off(t, BACKOFF_MIN, BACKOFF_MAX);
        return;
    }
    handle_seek(fresh, start);
    fresh->start = start;
    know(fresh);
    fresh->next = h->next;
    h->next = fresh;
    log_info(log_of(t), "file was truncated", F_CSTR("path", t->path),
             F_UINT("position", h->offset), F_UINT("reading_from", start));
    if (start > 0)
        h->dead = h->ended = true;
    else
        find_copy(t, h);
}

/* --- the end of a file --- */

static bool has_bytes(const struct handle *h)
{
    struct stat st;

    return h->next || h->packed || (handle_stat(h, &st) == 0 && (u64)st.st_size > h->start);
}

/* Nobody can find the file by a name any more, and nothing came for a while. */
static bool is_given_up(struct tailer *t, const struct handle *h)
{
    struct stat st;

    if (h->resting || h->dead) return true;
    if (handle_stat(h, &st) < 0) return false;
    if (h->packed) return !handle_is_cut_short(h) && st.st_size > 0;
    if (st.st_nlink > 0) return false;
    if (t->quiet_since == 0) t->quiet_since = now_of(t);
    return now_of(t) - t->quiet_since >= DELETED_QUIET;
}

/* What was renamed or deleted is not seen by its name any more. */
static enum step idle_at(struct tailer *t, const struct handle *h)
{
    if (h->next || t->gone) back_off(t, OLD_POLL_MIN, t->quiet_since ? OLD_POLL_MIN : OLD_POLL_MAX);
    return STEP_IDLE;
}

static enum step after_end(struct tailer *t, struct handle *h)
{
    if (h->next) {
        go_on_to_next(t);
        return STEP_MORE;
    }
    if (h->packed && t->source->conf->unpack && !t->finished) {
        t->finished = true;
        log_info(log_of(t), "stopped tailing file", F_CSTR("component", "tailer"),
                 F_CSTR("path", t->path), F_CSTR("reason", "it was read to its end"));
    }
    finish_last(t);
    return STEP_IDLE;
}

/* --- one piece --- */

static void count(struct tailer *t, const struct handle *h, u32 lines)
{
    struct stat st;

    if (!t->metrics) t->metrics = source_metrics_get(t->source, t->path);
    metric_add(t->metrics->of[FILE_READ_LINES], lines);
    metric_set(t->metrics->of[FILE_READ_BYTES], (f64)h->offset);
    if (handle_stat(h, &st) == 0) metric_set(t->metrics->of[FILE_BYTES], (f64)st.st_size);
}

static enum step send(struct tailer *t, struct handle *h, const struct piece *p, u64 before)
{
    struct file_source *s = t->source;
    struct log_builder *b = log_source_builder(&s->out);
    i64 time = MAX(clock_real(s->shard->comp->host->clock), t->last_time);
    int err = lines_add(b, t->labels, h->charset, p, &time);

    blob_unref(p->blob);
    if (err) {
        log_source_discard(&s->out);
        handle_seek(h, before);
        return STEP_WAIT;
    }
    if (p->cut)
        log_warn(log_of(t), "a line that is too long was cut", F_CSTR("path", t->path),
                 F_UINT("max_bytes", HANDLE_LINE_MAX));
    t->last_time = time;
    t->quiet_since = 0;
    count(t, h, log_builder_items(b));
    u64 mark = h->base + h->offset;
    struct ack *ack = ack_window_open(t->window, mark);
    set_in_flight(t, mark, t->done);
    (void)log_source_send(&s->out, ack);
    return STEP_MORE;
}

static enum step read_error(struct tailer *t, int err, const char *why)
{
    if (err == -ENOMEM) return STEP_WAIT;
    tell_error(t, why);
    back_off(t, BACKOFF_MIN, BACKOFF_MAX);
    return STEP_IDLE;
}

/* Nothing whole to read. */
static enum step at_end(struct tailer *t, struct handle *h)
{
    if (h->ended) return after_end(t, h);
    if (!h->closing) {
        h->closing = h->bounded || h->late || (h->next && has_bytes(h->next)) || is_given_up(t, h);
        return h->closing ? STEP_MORE : idle_at(t, h);
    }
    h->ended = true; /* what was left of it has been given */
    return STEP_MORE;
}

static enum step read_on(struct tailer *t)
{
    struct handle *h = t->reading;
    const char *why = "";
    struct piece p;
    u64 before = h->offset;
    int rc = h->ended ? 0 : handle_read(h, &t->source->reading, false, &p, &why);

    if ((rc == 0 || rc == -EAGAIN) && h->closing && !h->ended)
        rc = handle_read(h, &t->source->reading, true, &p, &why);
    if (rc == -EAGAIN) rc = 0; /* too little to tell what encoding it is */
    if (rc < 0) return read_error(t, rc, why);
    if (rc == 0) return at_end(t, h);
    tell_no_error(t);
    return send(t, h, &p, before);
}

static void tell_started(const struct tailer *t)
{
    log_info(log_of(t), "start tailing file", F_CSTR("component", "tailer"),
             F_CSTR("path", t->path));
}

static enum step start(struct tailer *t)
{
    t->look = false;
    t->watched.arrivals = 0;
    int err = tailer_start(t);

    if (err) return wait_to_open(t, err);
    tell_no_error(t);
    t->backoff = 0;
    if (t->finished) return STEP_IDLE;
    tell_started(t);
    return STEP_MORE;
}

/* A position without bytes behind it is saved as well: what is written from now on is not the past
 * that was to be left out, and what is rotated away before it was delivered can be found. */
static void save_first(struct tailer *t)
{
    struct stat st;

    if (!t->first || t->source->conf->unpack) return;
    if (handle_stat(t->first, &st) == 0) handle_update_head(t->first, (u64)st.st_size);
    save_position(t);
}

bool tailer_is_done(const struct tailer *t)
{
    return !t->first && !t->late && !t->rewind;
}

enum step tailer_step(struct tailer *t)
{
    if (t->rewind) rewind_now(t);
    if (t->finished && !t->window) return STEP_IDLE;
    if (!t->window) {
        enum step step = start(t);
        if (step == STEP_MORE) save_first(t);
        return step;
    }
    int err = t->look ? look_at_path(t) : 0;
    if (err) (void)wait_to_open(t, err); /* the file before goes on meanwhile */
    late_look(t);
    know_next(t);
    if (!t->reading || (t->finished && !t->reading->next)) return STEP_IDLE;
    if (!was_truncated(t, t->reading)) return read_on(t);
    truncated(t, t->reading);
    return t->failing ? STEP_IDLE : STEP_MORE;
}

/* Once a minute or so: events are only as good as what sends them. */
void tailer_check(struct tailer *t)
{
    const struct handle *last = last_of(t);
    struct stat st;

    if (t->rewind || !list_empty(&t->waiting) || t->finished) return;
    bool there = stat(t->path, &st) == 0;
    if (there == (last != NULL) && there && last->ino == (u64)st.st_ino &&
        last->dev == (u64)st.st_dev && last->offset == (u64)st.st_size)
        return;
    if (there || last) tailer_wake(t, true);
}

/* --- life --- */

struct tailer *tailer_new(struct file_source *s, const char *path, struct labels *labels,
                          struct str key_labels)
{
    struct tailer *t = xnew(struct tailer);

    t->source = s;
    t->status = target_status_new(str_of(path), key_labels, STR(""));
    t->path = t->status->name;
    t->key_labels = t->status->labels;
    t->labels = labels_ref(labels);
    list_init(&t->ready);
    list_init(&t->waiting);
    list_add_tail(&s->all, &t->all);
    watch_add(s->watch, &t->watched, t->path);
    return t;
}

void tailer_forget_position(struct tailer *t)
{
    positions_del(t->source->positions, str_of(t->path), str_of(t->key_labels));
}

void tailer_free(struct tailer *t)
{
    if (t->window && !t->finished)
        log_info(log_of(t), "stopped tailing file", F_CSTR("component", "tailer"),
                 F_CSTR("path", t->path));
    set_in_flight(t, t->done, t->done);
    tell_no_error(t);
    ack_window_free(t->window);
    while (t->first) {
        struct handle *h = t->first;
        t->first = h->next;
        handle_close(h);
    }
    late_close(t);
    if (t->metrics) source_metrics_put(t->source, t->path);
    watch_remove(&t->watched);
    list_del(&t->ready);
    list_del(&t->waiting);
    list_del(&t->all);
    labels_unref(t->labels);
    target_status_runs(t->status, false);
    target_status_unref(t->status);
    free(t);
}
