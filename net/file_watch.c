/* Watching a path for changes of what it finally names. Kubernetes swaps a whole folder through a
 * symlink (..data), editors rename over the file: so every folder in which a component of the path
 * is looked up through a symlink is watched for that name, and the file itself.
 *
 * An event only says "look": the file's stamp (identity, size, times; for folders those of its
 * entries) is taken, and once it has stayed the same for the debounce time and differs from the one
 * last told, fn is called. A file rewritten in place is half a file until its writer closes it, and
 * an empty one is most often about to be filled: both are waited for, longer, but not for ever. One
 * inotify descriptor per loop serves all watches. Where inotify cannot be had (limits), the watch
 * polls. Runs on the loop. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/assert.h"
#include "base/hash.h"
#include "base/list.h"
#include "net/loop_private.h"

#define MAX_LINKS     40 /* as the kernel's own limit for a path */
#define POLL_FALLBACK (5 * NS_PER_SEC)
#define WRITING_MAX   64 /* files of a folder that are seen being written at once */
/* In debounce periods, after which it is told anyway: */
#define MAX_UNSTABLE 20  /* what never rests, though nobody is in the midst of writing it */
#define MAX_REST     20  /* what rests, but is not closed or is empty */
#define MAX_WRITING  240 /* what is written all the time, and never closed */
#define NAME_EVENTS                                                                                \
    (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF |         \
     IN_ONLYDIR)
#define FILE_EVENTS (IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF)
#define DIR_EVENTS  (NAME_EVENTS | FILE_EVENTS)

struct inotify_hub {
    struct loop *loop;
    int fd;
    struct io *io;
    struct list watches;
};

/* What is compared: 0 is a path that names nothing. */
struct stamp {
    u64 hash;
    bool empty; /* a file without a byte, or a folder with one */
};

/* A folder in which one name is looked up, or (name NULL) the file or folder that the path ends in.
 */
struct place {
    int wd;
    char *name;
};
typedef VEC(struct place) place_list;

struct file_watch {
    struct list node; /* of the hub */
    struct loop *loop;
    char *path;
    i64 debounce, poll;
    void (*fn)(void *arg);
    void *arg;
    bool (*counts)(const char *name); /* which entries of a folder are looked at; NULL: all */
    bool links; /* some of them are symlinks: what those name is polled, not watched */
    struct timer *quiet, *poller;
    struct stamp told, seen;
    int waited, rested; /* debounce periods: since the change, and since it last changed */
    place_list places;
    VEC(u64) writing;                          /* names, hashed: written since they were closed */
    int blind;                                 /* -errno: inotify refused a folder */
    enum { QUIET, CHANGED, STRUCTURAL } event; /* the gravest of those just read */
};

/* --- the stamp --- */

static u64 stamp_stat(const struct stat *st, u64 seed)
{
    const i64 parts[] = {(i64)st->st_dev,         (i64)st->st_ino,          (i64)st->st_size,
                         (i64)st->st_mtim.tv_sec, (i64)st->st_mtim.tv_nsec, (i64)st->st_mode};
    return hash_bytes(parts, sizeof(parts), seed);
}

static bool is_empty_file(const struct stat *st)
{
    return S_ISREG(st->st_mode) && st->st_size == 0;
}

static bool is_counted(const struct file_watch *w, const char *name)
{
    return !w->counts || w->counts(name);
}

/* Order of entries does not matter: their hashes are added up. */
static struct stamp stamp_dir(const struct file_watch *w, u64 ino)
{
    DIR *d = opendir(w->path);
    struct stamp sum = {0};
    struct stat st;

    for (struct dirent *e; d && (e = readdir(d));) {
        if (!is_counted(w, e->d_name) || fstatat(dirfd(d), e->d_name, &st, 0) != 0) continue;
        sum.hash += stamp_stat(&st, hash_str(str_of(e->d_name)));
        sum.empty |= is_empty_file(&st);
    }
    if (d) closedir(d);
    sum.hash = hash_mix(ino, d ? sum.hash : 1);
    return sum;
}

static struct stamp stamp_of(const struct file_watch *w)
{
    struct stat st;

    if (stat(w->path, &st) != 0) return (struct stamp){0};
    if (S_ISDIR(st.st_mode)) return stamp_dir(w, (u64)st.st_ino);
    return (struct stamp){.hash = stamp_stat(&st, 0), .empty = is_empty_file(&st)};
}

/* --- who is writing --- */

static size_t writing_index(const struct file_watch *w, u64 name)
{
    size_t i = 0;
    while (i < w->writing.n && w->writing.v[i] != name)
        i++;
    return i;
}

static void begin_writing(struct file_watch *w, const char *name)
{
    u64 hash = hash_str(str_of(name));

    if (*name && !is_counted(w, name)) return;
    if (w->writing.n < WRITING_MAX && writing_index(w, hash) == w->writing.n)
        vec_push(&w->writing, hash);
}

static void end_writing(struct file_watch *w, const char *name)
{
    size_t i = writing_index(w, hash_str(str_of(name)));

    if (i < w->writing.n) w->writing.v[i] = w->writing.v[--w->writing.n];
}

/* Half of something, until it is closed or the name is another file's. Of a file that is watched
 * itself the name is empty. */
static void note_writer(struct file_watch *w, const struct inotify_event *e)
{
    const char *name = e->len ? e->name : "";

    if (e->mask & IN_MODIFY) begin_writing(w, name);
    if (e->mask & (IN_CLOSE_WRITE | NAME_EVENTS)) end_writing(w, name);
    if (e->mask & NAME_EVENTS) end_writing(w, "");
}

/* --- the hub --- */

static void look(struct file_watch *w, bool structural);

static bool has_wd(const struct file_watch *w, int wd)
{
    for (size_t i = 0; i < w->places.n; i++)
        if (w->places.v[i].wd == wd) return true;
    return false;
}

/* Other names in a folder are of no interest, however busy it is. */
static bool concerns(const struct file_watch *w, const struct inotify_event *e)
{
    for (size_t i = 0; i < w->places.n; i++) {
        const struct place *p = &w->places.v[i];
        if (p->wd == e->wd && (!p->name || e->len == 0 || strcmp(p->name, e->name) == 0))
            return true;
    }
    return false;
}

static void on_event(struct inotify_hub *h, const struct inotify_event *e)
{
    list_each (&h->watches, node) {
        struct file_watch *w = list_item(node, struct file_watch, node);
        if (e->mask & IN_Q_OVERFLOW)
            vec_clear(&w->writing); /* a close may be among what was lost */
        else if (concerns(w, e))
            note_writer(w, e);
        else
            continue;
        w->event = MAX(w->event, e->mask & ~IN_MODIFY ? STRUCTURAL : CHANGED);
    }
}

/* One read, and one look for each watch: a busy folder must not hold the loop. */
static void on_inotify(void *arg, int events)
{
    struct inotify_hub *h = arg;
    _Alignas(struct inotify_event) char buf[16 * 1024];
    ssize_t n = read(h->fd, buf, sizeof(buf));

    for (const char *p = buf; n > 0 && p < buf + n;) {
        const struct inotify_event *e = (const void *)p;
        on_event(h, e);
        p += sizeof(*e) + e->len;
    }
    list_each (&h->watches, node) {
        struct file_watch *w = list_item(node, struct file_watch, node);
        if (w->event != QUIET) look(w, w->event == STRUCTURAL);
        w->event = QUIET;
    }
}

static struct inotify_hub *hub_of(struct loop *l)
{
    if (l->inotify) return l->inotify;
    struct inotify_hub *h = xnew(struct inotify_hub);
    h->loop = l;
    h->fd = -1;
    list_init(&h->watches);
    l->inotify = h;
    return h;
}

/* Tried again with every walk while it is refused: instances are limited for the user as a whole.
 */
static int hub_open(struct inotify_hub *h)
{
    if (h->fd >= 0) return 0;
    h->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (h->fd < 0) return -errno;
    h->io = io_new(h->loop, h->fd, IO_READ, on_inotify, h);
    return 0;
}

void inotify_hub_free(struct inotify_hub *h)
{
    if (!h) return;
    ASSERT(list_empty(&h->watches));
    io_free(h->io);
    if (h->fd >= 0) close(h->fd);
    free(h);
}

/* A folder watched by several watches has one descriptor number; it goes when the last of them lets
 * go. */
static bool used_by_others(const struct inotify_hub *h, const struct file_watch *me, int wd)
{
    list_each (&h->watches, node) {
        const struct file_watch *w = list_item(node, struct file_watch, node);
        if (w != me && has_wd(w, wd)) return true;
    }
    return false;
}

/* Those that the new walk did not come by again. A number that stays loses no event. */
static void let_go(struct file_watch *w, place_list *old)
{
    struct inotify_hub *h = w->loop->inotify;

    vec_each (old, p) {
        if (!has_wd(w, p->wd) && !used_by_others(h, w, p->wd))
            inotify_rm_watch(h->fd, p->wd); /* the second of one wd fails, rightly */
        free(p->name);
    }
    vec_done(old);
}

static void watch_place(struct file_watch *w, const char *path, const char *name, u32 events)
{
    struct inotify_hub *h = hub_of(w->loop);
    int err = hub_open(h);
    int wd = err ? -1 : inotify_add_watch(h->fd, *path ? path : "/", events | IN_MASK_ADD);

    if (wd < 0)
        w->blind = err ? err : -errno;
    else
        vec_push(&w->places, ((struct place){wd, name ? xstrdup(name) : NULL}));
}

/* --- the chain --- */

/* A walk along the path: `at` is resolved, without a slash at its end; `rest` still has to be
 * walked. */
struct walk {
    char at[PATH_MAX], rest[PATH_MAX];
    int links;
};

/* rest = target + "/" + what was left. False when that does not fit. */
static bool follow(struct walk *k, const char *target, const char *left)
{
    char joined[PATH_MAX];
    int n = snprintf(joined, sizeof(joined), "%s%s%s", target, *left ? "/" : "", left);

    if (n < 0 || (size_t)n >= sizeof(joined) || ++k->links > MAX_LINKS) return false;
    if (*target == '/') k->at[0] = '\0';
    memcpy(k->rest, joined, (size_t)n + 1);
    return true;
}

static bool enter(struct walk *k, const char *name, size_t n)
{
    size_t have = strlen(k->at);

    if (have + n + 2 > sizeof(k->at)) return false;
    k->at[have] = '/';
    memcpy(k->at + have + 1, name, n);
    k->at[have + 1 + n] = '\0';
    return true;
}

static void leave(struct walk *k)
{
    char *slash = strrchr(k->at, '/');

    if (slash) *slash = '\0';
}

/* The last name of `at` is looked up in its folder: what happens to that name there may change the
 * answer. A link is left behind. */
static void look_up_here(struct file_watch *w, struct walk *k, bool keep)
{
    char *slash = strrchr(k->at, '/');

    *slash = '\0';
    watch_place(w, k->at, slash + 1, NAME_EVENTS);
    if (keep) *slash = '/';
}

/* One component. True while there is more to walk. */
static bool step(struct file_watch *w, struct walk *k)
{
    const char *name = k->rest + strspn(k->rest, "/");
    size_t n = strcspn(name, "/");
    const char *left = name + n + strspn(name + n, "/");
    char target[PATH_MAX];
    struct stat st;

    if (n == 0) return false;
    if (n == 2 && memcmp(name, "..", 2) == 0) leave(k);
    if ((n == 1 && *name == '.') || (n == 2 && memcmp(name, "..", 2) == 0)) {
        memmove(k->rest, left, strlen(left) + 1);
        return *k->rest != '\0';
    }
    if (!enter(k, name, n)) return false;
    bool there = lstat(k->at, &st) == 0;
    ssize_t len = there && S_ISLNK(st.st_mode) ? readlink(k->at, target, sizeof(target) - 1) : -1;
    if (len >= 0 || !there || !*left) look_up_here(w, k, len < 0);
    if (len >= 0) {
        target[len] = '\0';
        return follow(k, target, left);
    }
    if (there && !*left)
        watch_place(w, k->at, NULL, S_ISDIR(st.st_mode) ? DIR_EVENTS : FILE_EVENTS);
    memmove(k->rest, left, strlen(left) + 1);
    return there && *k->rest;
}

static bool start_walk(struct walk *k, const char *path)
{
    k->links = 0;
    k->at[0] = '\0';
    if (*path != '/' && !getcwd(k->at, sizeof(k->at))) return false;
    int n = snprintf(k->rest, sizeof(k->rest), "%s", path);
    return n >= 0 && (size_t)n < sizeof(k->rest);
}

static bool holds_links(const struct file_watch *w)
{
    DIR *d = opendir(w->path);
    bool found = false;

    for (struct dirent *e; !found && d && (e = readdir(d));)
        found = (e->d_type == DT_LNK || e->d_type == DT_UNKNOWN) && is_counted(w, e->d_name);
    if (d) closedir(d);
    return found;
}

static void watch_chain(struct file_watch *w)
{
    struct walk k;
    place_list old = w->places;

    w->places = (place_list){0};
    bool walks = start_walk(&k, w->path);
    w->blind = walks ? 0 : -ENAMETOOLONG;
    while (walks && step(w, &k)) {
    }
    let_go(w, &old);
    w->links = holds_links(w);
}

static void set_poller(struct file_watch *w)
{
    i64 every = w->poll ? w->poll : w->blind || w->links ? POLL_FALLBACK : 0;

    if (every && !timer_active(w->poller)) timer_every(w->poller, every);
    if (!every) timer_stop(w->poller);
}

/* --- debounce --- */

static bool same_stamp(struct stamp a, struct stamp b)
{
    return a.hash == b.hash;
}

/* A structural change may have changed the chain without changing what the path names now (a
 * missing folder was made); a new file is watched at once, to see who writes it. */
static void look(struct file_watch *w, bool structural)
{
    if (structural) watch_chain(w);
    if (timer_active(w->quiet)) return; /* on_quiet will see it */
    struct stamp now = stamp_of(w);
    if (same_stamp(now, w->told) && !structural) return;
    w->seen = now;
    w->waited = w->rested = 0;
    timer_start(w->quiet, w->debounce);
}

/* One more period was waited. */
static bool has_settled(struct file_watch *w, struct stamp now)
{
    bool rests = same_stamp(now, w->seen);

    w->waited++;
    w->rested = rests ? w->rested + 1 : 0;
    if (rests && (w->writing.n == 0 && !now.empty)) return true;
    return w->rested >= MAX_REST || w->waited >= (w->writing.n > 0 ? MAX_WRITING : MAX_UNSTABLE);
}

static void on_quiet(void *arg)
{
    struct file_watch *w = arg;

    watch_chain(w);
    set_poller(w);
    struct stamp now = stamp_of(w); /* after the watches are set: no change in between is missed */
    if (!same_stamp(now, w->told) && !has_settled(w, now)) {
        w->seen = now;
        timer_start(w->quiet, w->debounce);
        return;
    }
    if (same_stamp(now, w->told)) return;
    w->told = now;
    w->fn(w->arg); /* may free w */
}

static void on_poll(void *arg)
{
    struct file_watch *w = arg;

    look(w, false);
}

struct file_watch *file_watch_new(struct loop *l, const char *path, i64 debounce_ns, i64 poll_ns,
                                  void (*fn)(void *arg), void *arg)
{
    struct file_watch *w = xnew(struct file_watch);

    w->loop = l;
    w->path = xstrdup(path);
    w->debounce = debounce_ns;
    w->poll = poll_ns;
    w->fn = fn;
    w->arg = arg;
    w->quiet = timer_new(l, on_quiet, w);
    w->poller = timer_new(l, on_poll, w);
    list_add_tail(&hub_of(l)->watches, &w->node);
    watch_chain(w);
    set_poller(w);
    w->told = stamp_of(w);
    return w;
}

void file_watch_entries(struct file_watch *w, bool (*counts)(const char *name))
{
    w->counts = counts;
    w->links = holds_links(w);
    set_poller(w);
    w->told = stamp_of(w);
}

void file_watch_suspect(struct file_watch *w)
{
    w->told = (struct stamp){.hash = ~stamp_of(w).hash};
    look(w, true);
}

bool file_watch_holds(struct file_watch *w)
{
    look(w, false);
    return same_stamp(stamp_of(w), w->told);
}

/* A folder that went during the walk is no refusal; it is polled all the same, until the next. */
int file_watch_blind(const struct file_watch *w)
{
    return w->blind == -ENOENT || w->blind == -ENOTDIR ? 0 : w->blind;
}

void file_watch_free(struct file_watch *w)
{
    if (!w) return;
    place_list old = w->places;
    w->places = (place_list){0};
    let_go(w, &old);
    list_del(&w->node);
    timer_free(w->quiet);
    timer_free(w->poller);
    vec_done(&w->writing);
    free(w->path);
    free(w);
}
