/* Positions in memory and their file. A save is a job with a copy of all that it needs: the worker
 * goes on changing entries meanwhile, and a save that hangs (a network file system) holds nobody
 * up. At most one is under way, so that files are renamed in the order they were written. */
#include "components/common/positions.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "base/fd.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/num.h"
#include "base/vec.h"
#include "base/xalloc.h"
#include "components/common/positions_text.h"
#include "components/common/read_file.h"

#define SAVE_AFTER  (700 * NS_PER_MS) /* of the first unsaved change: on disk within a second */
#define RETRY_AFTER (5 * NS_PER_SEC)
#define SWEEP_EVERY (10 * NS_PER_SEC) /* while positions change; else: */
#define SWEEP_IDLE  (60 * NS_PER_SEC)
#define WAIT_MAX    (5 * NS_PER_SEC) /* for a save under way, at a stop */

struct entry {
    char *value, *note; /* note: NULL when there is none */
};

/* What a path was when a save began: forgotten when it is gone and nothing changed since. */
struct suspect {
    char *key, *value;
    size_t key_n;
    bool gone;
};
typedef VEC(struct suspect) suspects;

struct save {
    struct job job;
    struct positions *owner; /* NULL: nobody waits for the outcome. Worker. */
    char *path, *temp, *notes_path;
    struct buf text, notes; /* notes: empty when there are none */
    suspects suspects;      /* empty: no sweep */
    int err;
    const char *what; /* static: what failed */
    int unclear;      /* errno of a path that could not be looked at; 0: none */
    char *unclear_path;
    atomic_bool written; /* nothing is done with files any more */
};

struct positions {
    struct comp *comp;
    struct shard *shard; /* NULL: not started, or stopped */
    char *path, *temp, *notes_path;
    struct map entries; /* path NUL labels */
    u64 on_disk;        /* hash of the file's text; 0: there is none, or an empty one */
    bool dirty, unhealthy;
    struct timer *timer;
    struct save *saving;
    i64 dirty_since; /* the first change that the last save does not have */
    i64 swept;
};

/* --- entries --- */

static char *key_of(struct str path, struct str labels, struct str *ret)
{
    char *key = xmalloc(path.n + 1 + labels.n + 1);

    if (path.n) memcpy(key, path.p, path.n);
    key[path.n] = '\0';
    if (labels.n) memcpy(key + path.n + 1, labels.p, labels.n);
    *ret = str_n(key, path.n + 1 + labels.n);
    return key;
}

static void entry_free(void *e_)
{
    struct entry *e = e_;

    if (!e) return;
    free(e->value);
    free(e->note);
    free(e);
}

static struct entry *find(const struct positions *p, struct str path, struct str labels)
{
    struct str key;
    char *text = key_of(path, labels, &key);
    struct entry *e = map_get(&p->entries, key);

    free(text);
    return e;
}

static struct entry *put(struct positions *p, struct str path, struct str labels, struct str value)
{
    struct entry *e = find(p, path, labels);
    struct str key;

    if (!e) {
        char *text = key_of(path, labels, &key);
        e = xnew(struct entry);
        map_put(&p->entries, key, e);
        free(text);
    }
    free(e->value);
    free(e->note);
    e->value = str_dup(value);
    e->note = NULL;
    return e;
}

/* What changed while a save was under way has waited for that long already. */
static i64 save_due(const struct positions *p)
{
    return MAX(p->dirty_since + SAVE_AFTER - loop_now(p->shard->worker->loop), 0);
}

static void schedule(struct positions *p)
{
    if (!p->shard || p->saving) return; /* the end of a save looks again */
    if (p->dirty)
        timer_start(p->timer, save_due(p));
    else if (!timer_active(p->timer))
        timer_start(p->timer, SWEEP_IDLE);
}

static void changed(struct positions *p)
{
    if (p->dirty) return;
    p->dirty = true;
    if (p->shard) p->dirty_since = loop_now(p->shard->worker->loop);
    schedule(p);
}

struct str positions_get(const struct positions *p, struct str path, struct str labels)
{
    const struct entry *e = find(p, path, labels);

    return e ? str_of(e->value) : (struct str){0};
}

void positions_put(struct positions *p, struct str path, struct str labels, struct str value)
{
    (void)put(p, path, labels, value);
    changed(p);
}

struct str positions_note(const struct positions *p, struct str path, struct str labels)
{
    const struct entry *e = find(p, path, labels);

    return e && e->note ? str_of(e->note) : (struct str){0};
}

void positions_put_number(struct positions *p, struct str path, struct str labels, u64 value)
{
    char text[24];
    int n = snprintf(text, sizeof(text), "%llu", (unsigned long long)value);

    positions_put(p, path, labels, str_n(text, (size_t)n));
}

void positions_put_noted(struct positions *p, struct str path, struct str labels, u64 value,
                         struct str note)
{
    positions_put_number(p, path, labels, value);
    find(p, path, labels)->note = str_dup(note);
}

static void del(struct positions *p, struct str key)
{
    struct entry *e = map_del(&p->entries, key);

    if (!e) return;
    entry_free(e);
    changed(p);
}

void positions_del(struct positions *p, struct str path, struct str labels)
{
    struct str key;
    char *text = key_of(path, labels, &key);

    del(p, key);
    free(text);
}

size_t positions_count(const struct positions *p)
{
    return p->entries.live;
}

void positions_each(const struct positions *p,
                    void (*fn)(void *arg, struct str path, struct str labels), void *arg)
{
    map_each (&p->entries, m) {
        size_t n = strlen(m->key.p); /* see key_of */
        fn(arg, str_n(m->key.p, n), str_n(m->key.p + n + 1, m->key.n - n - 1));
    }
}

/* --- loading --- */

static void take_entry(void *p, const struct position *e)
{
    (void)put(p, e->path, e->labels, e->value);
}

/* A note is written as "value|note". */
static void take_note(void *p, const struct position *n)
{
    struct entry *e = find(p, n->path, n->labels);
    struct str note = n->value, value = str_cut(&note, '|');

    if (!e || !note.p || !str_is(value, e->value)) return;
    free(e->note);
    e->note = str_dup(note);
}

/* --- killed between two files ---
 * The notes are renamed first. Beside them stands which positions they replace: where those are
 * still there, the process was killed before it came to them, and the values in the notes are the
 * newer ones. Otherwise the notes of everything that moved would be lost just then, and with them
 * the way back to a file that was rotated meanwhile. */
#define REPLACED "replaced"

struct half_saved {
    u64 on_disk;
    bool is;
};

static u64 hash_of(struct str text)
{
    return text.n ? hash_bytes(text.p, text.n, 0) : 0;
}

static void find_replaced(void *half_, const struct position *n)
{
    struct half_saved *half = half_;
    u64 hash;

    if (str_is(n->path, REPLACED) && num_parse_u64(n->value, &hash) == 0)
        half->is = hash != 0 && hash == half->on_disk;
}

static void take_newer(void *p, const struct position *n)
{
    struct str note = n->value, value = str_cut(&note, '|');

    if (note.p) put(p, n->path, n->labels, value)->note = str_dup(note);
}

static int read_notes(struct positions *p, struct str text, struct arena *a, const char **ret_why)
{
    struct half_saved half = {.on_disk = p->on_disk};

    if (positions_text_read(text, a, find_replaced, &half, ret_why) < 0) return -EBADMSG;
    return positions_text_read(text, a, half.is ? take_newer : take_note, p, ret_why);
}

/* -ENOENT: there is no file, or an empty one. Otherwise 0 or -errno with an owned *ret_err. */
static int read_positions(const char *path, struct buf *text, char **ret_err)
{
    struct stat st;

    if (stat(path, &st) < 0) {
        if (errno == ENOENT || errno == ENOTDIR) return -ENOENT;
        *ret_err = xprintf("stat %s: %s", path, strerror(errno));
        return -EIO;
    }
    if (st.st_size == 0) return -ENOENT;
    return read_file(path, text, ret_err);
}

static int load(struct positions *p, char **ret_err)
{
    struct buf text = BUF_INIT(POSITIONS_TEXT_MAX);
    struct arena arena;
    const char *why = NULL;
    int err = read_positions(p->path, &text, ret_err);

    if (err == -ENOENT) err = 0;
    p->on_disk = hash_of(buf_view(&text));
    arena_init(&arena, 0);
    if (!err && positions_text_read(buf_view(&text), &arena, take_entry, p, &why) < 0) {
        *ret_err = xprintf("invalid yaml positions file [%s]: %s", p->path, why);
        err = -EBADMSG;
    }
    arena_done(&arena);
    buf_done(&text);
    return err;
}

/* What is wrong with notes costs what they would have told, no more. */
static void load_notes(struct positions *p)
{
    struct buf text = BUF_INIT(POSITIONS_TEXT_MAX);
    struct arena arena;
    const char *why = NULL;
    char *err = NULL;
    int rc = read_positions(p->notes_path, &text, &err);

    arena_init(&arena, 0);
    if (!rc && read_notes(p, buf_view(&text), &arena, &why) < 0) err = xprintf("%s", why);
    if (err)
        log_warn(p->comp->log, "ignored notes on positions that cannot be read",
                 F_CSTR("file", p->notes_path), F_CSTR("err", err));
    arena_done(&arena);
    buf_done(&text);
    free(err);
}

int positions_load(struct comp *c, struct positions **ret, char **ret_err)
{
    char *dir = comp_data_dir(c, ret_err);
    if (!dir) return -EIO;
    struct positions *p = xnew(struct positions);

    p->comp = c;
    p->path = xprintf("%s/positions.yml", dir);
    p->temp = xprintf("%s-new", p->path);
    p->notes_path = xprintf("%s/positions-notes.yml", dir);
    free(dir);
    int err = load(p, ret_err);
    if (!err) load_notes(p);
    if (err)
        positions_free(p);
    else
        *ret = p;
    return err;
}

static void read_legacy(struct positions *p, const char *path, struct str text)
{
    struct arena arena;
    const char *why = NULL;

    arena_init(&arena, 0);
    if (positions_text_read_legacy(text, &arena, take_entry, p, &why) < 0)
        log_error(p->comp->log, "ignored a legacy positions file that is not valid",
                  F_CSTR("file", path), F_CSTR("err", why));
    else
        log_info(p->comp->log, "took over the positions of a legacy file", F_CSTR("file", path),
                 F_UINT("positions", p->entries.live));
    p->dirty = p->entries.live > 0;
    arena_done(&arena);
}

int positions_load_legacy(struct positions *p, const char *path, char **ret_err)
{
    struct buf text = BUF_INIT(POSITIONS_TEXT_MAX);
    char *why = NULL;

    if (p->on_disk) return 0;
    int err = read_positions(path, &text, &why);
    if (!err) read_legacy(p, path, buf_view(&text));
    if (err && err != -ENOENT)
        *ret_err = xprintf("legacy positions file \"%s\" exists but could not be read, refusing to "
                           "start to avoid re-ingesting logs: %s",
                           path, why);
    free(why);
    buf_done(&text);
    return err == -ENOENT ? 0 : err;
}

void positions_free(struct positions *p)
{
    if (!p) return;
    positions_stop(p);
    map_done(&p->entries, entry_free);
    free(p->path);
    free(p->temp);
    free(p->notes_path);
    free(p);
}

/* --- one save: on the pool, or in the midst of a stop --- */

static bool names_a_file(const char *path)
{
    return strncmp(path, "cursor-", 7) != 0 && strncmp(path, "journal-", 8) != 0;
}

static void sweep(struct save *s)
{
    struct stat st;

    vec_each (&s->suspects, v) {
        int err = stat(v->key, &st) == 0 ? 0 : errno;
        v->gone = err == ENOENT || err == ENOTDIR;
        if (!err || v->gone || s->unclear) continue;
        s->unclear = err;
        s->unclear_path = xstrdup(v->key);
    }
}

static int write_temp(struct save *s, struct str text)
{
    int fd = open(s->temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

    s->what = "open";
    if (fd < 0) return -errno;
    s->what = "write";
    int err = fd_write_all(fd, text);
    if (!err && fdatasync(fd) < 0 && errno != EINVAL && errno != EROFS) err = -errno;
    if (close(fd) < 0 && !err) err = -errno;
    return err;
}

static int replace(struct save *s, const char *path, struct str text)
{
    int err = write_temp(s, text);

    if (err) return err;
    s->what = "rename";
    return rename(s->temp, path) < 0 ? -errno : 0;
}

/* Notes first: those of a value that was not written then do not count. */
static void write_file(struct save *s)
{
    s->err = buf_err(&s->text);
    s->what = "format";
    if (!s->err && s->notes.n > 0) s->err = replace(s, s->notes_path, buf_view(&s->notes));
    if (!s->err) s->err = replace(s, s->path, buf_view(&s->text));
    sweep(s);
    atomic_store_explicit(&s->written, true, memory_order_release);
}

static void save_free(struct save *s)
{
    vec_each (&s->suspects, v) {
        free(v->key);
        free(v->value);
    }
    vec_done(&s->suspects);
    buf_done(&s->text);
    buf_done(&s->notes);
    free(s->unclear_path);
    free(s->path);
    free(s->temp);
    free(s->notes_path);
    free(s);
}

static void add_suspect(struct save *s, const struct map_entry *m)
{
    const struct entry *e = m->value;

    if (!names_a_file(m->key.p)) return;
    struct suspect v = {xmemdup(m->key.p, m->key.n + 1), xstrdup(e->value), m->key.n, false};
    vec_push(&s->suspects, v);
}

static void add_entry(struct save *s, const struct map_entry *m)
{
    const struct entry *e = m->value;
    struct str path = str_of(m->key.p);
    const struct position p = {path, str_sub(m->key, path.n + 1, m->key.n), str_of(e->value)};

    positions_text_entry(&s->text, &p);
    if (!e->note) return;
    char *note = xprintf("%s|%s", e->value, e->note);
    if (s->notes.n == 0) positions_text_head(&s->notes, false);
    positions_text_entry(&s->notes, &(struct position){p.path, p.labels, str_of(note)});
    free(note);
}

static void add_replaced(struct save *s, u64 on_disk)
{
    char hash[24];
    int n = snprintf(hash, sizeof(hash), "%llu", (unsigned long long)on_disk);

    if (s->notes.n == 0) return;
    positions_text_entry(&s->notes,
                         &(struct position){STR(REPLACED), STR(""), str_n(hash, (size_t)n)});
}

static bool sweep_is_due(const struct positions *p)
{
    return loop_now(p->shard->worker->loop) - p->swept >= SWEEP_EVERY;
}

/* A copy of all that is to be written. */
static struct save *save_new(struct positions *p, bool sweeps)
{
    struct save *s = xnew(struct save);

    s->owner = p;
    s->path = xstrdup(p->path);
    s->temp = xstrdup(p->temp);
    s->notes_path = xstrdup(p->notes_path);
    s->text = s->notes = (struct buf)BUF_INIT(POSITIONS_TEXT_MAX);
    positions_text_head(&s->text, p->entries.live == 0);
    map_each (&p->entries, m) {
        add_entry(s, m);
        if (sweeps) add_suspect(s, m);
    }
    add_replaced(s, p->on_disk);
    if (sweeps) p->swept = loop_now(p->shard->worker->loop);
    p->dirty = false;
    return s;
}

/* --- its outcome --- */

static void tell_failure(struct positions *p, const struct save *s)
{
    p->dirty = true;
    comp_health(p->comp, HEALTH_UNHEALTHY, "positions are not saved: %s %s: %s", s->what, p->temp,
                strerror(-s->err));
    if (!p->unhealthy)
        log_error(p->comp->log, "failed to save positions; lines may be read again after a restart",
                  F_CSTR("file", p->path), F_CSTR("step", s->what),
                  F_CSTR("err", strerror(-s->err)));
    p->unhealthy = true;
}

static void tell_success(struct positions *p, const struct save *s)
{
    p->on_disk = hash_of(buf_view(&s->text));
    if (!p->unhealthy) return;
    p->unhealthy = false;
    comp_health(p->comp, HEALTH_HEALTHY, "positions are saved again");
    log_info(p->comp->log, "positions are saved again", F_CSTR("file", p->path));
}

static void tell(struct positions *p, const struct save *s)
{
    if (s->err)
        tell_failure(p, s);
    else
        tell_success(p, s);
    if (s->unclear)
        log_warn(p->comp->log,
                 "could not determine if log file still exists while cleaning positions file",
                 F_CSTR("path", s->unclear_path), F_CSTR("err", strerror(s->unclear)));
}

static void forget_gone(struct positions *p, struct save *s)
{
    vec_each (&s->suspects, v) {
        struct str key = str_n(v->key, v->key_n);
        const struct entry *e = v->gone ? map_get(&p->entries, key) : NULL;
        if (e && strcmp(e->value, v->value) == 0) del(p, key);
    }
}

static void on_timer(void *arg);

static void on_saved(struct job *j)
{
    struct save *s = container_of(j, struct save, job);
    struct positions *p = s->owner;

    if (p) {
        p->saving = NULL;
        tell(p, s);
        forget_gone(p, s);
        schedule(p);
        if (s->err) timer_start(p->timer, RETRY_AFTER);
    }
    save_free(s);
}

static void work(struct job *j)
{
    write_file(container_of(j, struct save, job));
}

static void on_timer(void *arg)
{
    struct positions *p = arg;

    if (!p->dirty && p->entries.live == 0) {
        schedule(p);
        return;
    }
    struct save *s = p->saving = save_new(p, sweep_is_due(p));
    s->job = (struct job){.reply_to = p->shard->worker->loop, .work = work, .done = on_saved};
    offload_run(p->comp->host->offload, &s->job);
}

/* --- life --- */

void positions_start(struct positions *p, struct shard *s)
{
    p->shard = s;
    p->timer = timer_new(s->worker->loop, on_timer, p);
    p->swept = loop_now(s->worker->loop);
    schedule(p);
}

/* The save under way is let go of: what it still does, it does before this returns. False: it
 * hangs. */
static bool let_go(struct positions *p)
{
    static const struct timespec nap = {.tv_nsec = NS_PER_MS};
    struct save *s = p->saving;

    for (i64 waited = 0; s && !atomic_load_explicit(&s->written, memory_order_acquire);
         waited += nap.tv_nsec) {
        if (waited > WAIT_MAX) return false;
        (void)nanosleep(&nap, NULL);
    }
    if (!s) return true;
    tell(p, s);
    s->owner = NULL;
    p->saving = NULL;
    return true;
}

static void tell_hanging(struct positions *p)
{
    log_error(p->comp->log, "the disk did not take the positions in time; lines may be read again",
              F_CSTR("file", p->path));
    p->saving->owner = NULL;
    p->saving = NULL;
    p->dirty = false;
}

void positions_save(struct positions *p)
{
    if (!let_go(p)) {
        tell_hanging(p);
        return;
    }
    if (!p->dirty) return;
    struct save *s = save_new(p, false);
    write_file(s);
    tell(p, s);
    save_free(s);
}

void positions_stop(struct positions *p)
{
    if (!let_go(p)) tell_hanging(p);
    timer_free(p->timer);
    p->timer = NULL;
    p->shard = NULL;
}
