/* Watching a path for changes of what it finally names. Kubernetes swaps a whole folder through a
 * symlink (..data), editors rename over the file: so every folder in which a component of the path
 * is looked up through a symlink is watched for that name, and the file itself.
 *
 * An event only says "look": the file's stamp (identity, size, times; for folders those of its
 * entries) is taken, and once it has stayed the same for the debounce time and differs from the one
 * last told, fn is called. One inotify descriptor per loop serves all watches. Where inotify cannot
 * be had (limits), the watch polls. Runs on the loop. */
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
#define MAX_UNSTABLE  20 /* debounce periods after which a file that never rests is told anyway */
#define POLL_FALLBACK (5 * NS_PER_SEC)
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

/* A folder in which one name is looked up, or (name NULL) the file or folder that the path ends in.
 */
struct place {
    int wd;
    char *name;
};

struct file_watch {
    struct list node; /* of the hub */
    struct loop *loop;
    char *path;
    i64 debounce, poll;
    void (*fn)(void *arg);
    void *arg;
    struct timer *quiet, *poller;
    u64 told, seen; /* stamps */
    int unstable;
    VEC(struct place) places;
    bool blind;                                /* inotify refused a folder */
    enum { QUIET, CHANGED, STRUCTURAL } event; /* the gravest of those just read */
};

/* --- the stamp --- */

static u64 stamp_stat(const struct stat *st, u64 seed)
{
    const i64 parts[] = {(i64)st->st_dev,         (i64)st->st_ino,          (i64)st->st_size,
                         (i64)st->st_mtim.tv_sec, (i64)st->st_mtim.tv_nsec, (i64)st->st_mode};
    return hash_bytes(parts, sizeof(parts), seed);
}

/* Order of entries does not matter: their hashes are added up. */
static u64 stamp_dir(const char *path)
{
    DIR *d = opendir(path);
    u64 sum = 0;
    struct stat st;

    if (!d) return 1;
    for (struct dirent *e; (e = readdir(d));)
        if (fstatat(dirfd(d), e->d_name, &st, 0) == 0)
            sum += stamp_stat(&st, hash_str(str_of(e->d_name)));
    closedir(d);
    return sum;
}

static u64 stamp_of(const char *path)
{
    struct stat st;

    if (stat(path, &st) != 0) return 0;
    if (S_ISDIR(st.st_mode)) return hash_mix((u64)st.st_ino, stamp_dir(path));
    return stamp_stat(&st, 0);
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
        if (!(e->mask & IN_Q_OVERFLOW) && !concerns(w, e)) continue;
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
    h->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (h->fd >= 0) h->io = io_new(l, h->fd, IO_READ, on_inotify, h);
    list_init(&h->watches);
    l->inotify = h;
    return h;
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

static void let_go(struct file_watch *w)
{
    struct inotify_hub *h = w->loop->inotify;

    vec_each (&w->places, p) {
        if (!used_by_others(h, w, p->wd))
            inotify_rm_watch(h->fd, p->wd); /* the second of one wd fails, rightly */
        free(p->name);
    }
    vec_clear(&w->places);
    w->blind = false;
}

static void watch_place(struct file_watch *w, const char *path, const char *name, u32 events)
{
    int wd = inotify_add_watch(hub_of(w->loop)->fd, *path ? path : "/", events | IN_MASK_ADD);

    if (wd < 0)
        w->blind = true;
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

static void watch_chain(struct file_watch *w)
{
    struct walk k;

    let_go(w);
    if (!start_walk(&k, w->path)) {
        w->blind = true;
        return;
    }
    while (step(w, &k)) {
    }
}

static void set_poller(struct file_watch *w)
{
    i64 every = w->poll ? w->poll : w->blind ? POLL_FALLBACK : 0;

    if (every && !timer_active(w->poller)) timer_every(w->poller, every);
    if (!every) timer_stop(w->poller);
}

/* --- debounce --- */

/* A structural change may have changed the chain without changing what the path names now (a
 * missing folder was made). */
static void look(struct file_watch *w, bool structural)
{
    if (timer_active(w->quiet)) return; /* on_quiet will see it */
    u64 now = stamp_of(w->path);
    if (now == w->told && !structural) return;
    w->seen = now;
    timer_start(w->quiet, w->debounce);
}

static void on_quiet(void *arg)
{
    struct file_watch *w = arg;

    watch_chain(w);
    set_poller(w);
    u64 now = stamp_of(w->path); /* after the watches are set: no change in between is missed */
    if (now != w->seen && ++w->unstable < MAX_UNSTABLE) {
        w->seen = now;
        timer_start(w->quiet, w->debounce);
        return;
    }
    w->unstable = 0;
    if (now == w->told) return;
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
    w->told = stamp_of(path);
    return w;
}

void file_watch_free(struct file_watch *w)
{
    if (!w) return;
    let_go(w);
    list_del(&w->node);
    timer_free(w->quiet);
    timer_free(w->poller);
    vec_done(&w->places);
    free(w->path);
    free(w);
}
