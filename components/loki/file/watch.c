/* Folders by inotify, names within them by a map each. */
#include "components/loki/file/watch.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/vfs.h>
#include <unistd.h>
#include "base/map.h"
#include "base/vec.h"
#include "base/xalloc.h"

#define MAX_LINKS 40
#define GATHER    (20 * NS_PER_MS) /* events are read at most this often */
#define POLL_MIN  (10 * NS_PER_MS)
#define STRUCTURAL                                                                                 \
    (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB | IN_DELETE_SELF |            \
     IN_MOVE_SELF)
#define EVENTS (STRUCTURAL | IN_MODIFY | IN_ONLYDIR)

struct folder {
    struct watch *watch;
    char *path;
    int wd;              /* -1: not watched */
    struct folder *twin; /* the same folder by another path: it has the same number */
    bool remote;         /* a file system on which others write unseen */
    struct map names;    /* name -> its first place */
    size_t n_places;
};
/* A name of a folder, looked up for one path. */
struct place {
    struct place *next; /* of the path */
    struct place *same; /* of the same name */
    struct folder *folder;
    struct watched *owner;
    char name[];
};
struct watch {
    struct watch_conf conf;
    int fd, refused;
    struct io *io;
    struct timer *gather, *poller;
    struct map folders; /* by path */
    struct map by_wd;
    struct list polled;
};

/* --- polling --- */

static void set_poller(struct watch *w)
{
    if (list_empty(&w->polled))
        timer_stop(w->poller);
    else if (!timer_active(w->poller))
        timer_every(w->poller, w->conf.min_poll);
}

static bool is_blind(const struct folder *f)
{
    return f->wd < 0 || f->remote;
}

static void poll_or_not(struct watched *p)
{
    bool blind = !p->places;

    for (const struct place *l = p->places; l; l = l->next)
        blind |= is_blind(l->folder);
    list_del(&p->polled);
    if (blind) list_add_tail(&p->watch->polled, &p->polled);
    set_poller(p->watch);
}

bool watch_is_polled(const struct watched *p)
{
    return !list_empty(&p->polled);
}

void watch_found(struct watched *p, bool something)
{
    struct watch *w = p->watch;

    p->interval = something ? w->conf.min_poll
                            : MIN(MAX(p->interval, w->conf.min_poll) * 2, w->conf.max_poll);
    p->due = loop_now(w->conf.loop) + p->interval;
}

/* --- folders --- */

static const long remote_types[] = {
    0x6969,     /* NFS */
    0xff534d42, /* CIFS */
    0xfe534d42, /* SMB2 */
    0x517b,     /* SMB */
    0x65735546, /* FUSE */
    0x01021997, /* 9p */
    0x00c36400, /* Ceph */
    0x7461636f, /* OCFS2 */
    0x01161970, /* GFS2 */
    0x0bd00bd0, /* Lustre */
    0x5346414f, /* AFS */
    0x786f4256, /* VirtualBox */
};

static bool is_remote(const char *path)
{
    struct statfs fs;

    if (statfs(path, &fs) != 0) return false;
    for (size_t i = 0; i < ARRAY_LEN(remote_types); i++)
        if ((unsigned)fs.f_type == (unsigned)remote_types[i]) return true;
    return false;
}

static struct str wd_key(const int *wd)
{
    return str_n((const char *)wd, sizeof(*wd));
}

static void number_folder(struct folder *f)
{
    f->twin = map_put(&f->watch->by_wd, wd_key(&f->wd), f);
}

static void unnumber_folder(struct folder *f)
{
    struct watch *w = f->watch;
    struct folder *first = map_get(&w->by_wd, wd_key(&f->wd));

    if (first == f && !f->twin) {
        (void)map_del(&w->by_wd, wd_key(&f->wd));
        inotify_rm_watch(w->fd, f->wd); /* it fails, rightly, when the folder itself is gone */
    } else if (first == f) {
        (void)map_put(&w->by_wd, wd_key(&f->wd), f->twin);
    } else {
        while (first->twin != f)
            first = first->twin;
        first->twin = f->twin;
    }
    f->twin = NULL;
    f->wd = -1;
}

static void open_folder(struct folder *f)
{
    struct watch *w = f->watch;

    f->remote = is_remote(f->path);
    f->wd = w->fd >= 0 ? inotify_add_watch(w->fd, f->path, EVENTS) : -1;
    if (f->wd >= 0)
        number_folder(f);
    else if (w->fd >= 0 && errno != ENOENT && errno != ENOTDIR)
        w->refused = errno;
}

static struct folder *folder_of(struct watch *w, struct str path)
{
    struct folder *f = map_get(&w->folders, path);

    if (f) return f;
    f = xnew(struct folder);
    f->watch = w;
    f->path = str_dup(path);
    open_folder(f);
    map_put(&w->folders, path, f);
    return f;
}

static void folder_unused(struct folder *f)
{
    if (f->wd >= 0) unnumber_folder(f);
    (void)map_del(&f->watch->folders, str_of(f->path));
    map_done(&f->names, NULL);
    free(f->path);
    free(f);
}

/* --- places --- */

static struct str folder_name(const char *path, const char *slash)
{
    if (!slash) return STR(".");
    return slash == path ? STR("/") : str_n(path, (size_t)(slash - path));
}

static void place_add(struct watched *p, const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    size_t n = strlen(name) + 1;
    struct place *l = xcalloc(1, sizeof(*l) + n);

    memcpy(l->name, name, n);
    l->folder = folder_of(p->watch, folder_name(path, slash));
    l->owner = p;
    l->next = p->places;
    p->places = l;
    l->same = map_put(&l->folder->names, str_of(name), l);
    l->folder->n_places++;
}

static void place_remove(struct place *l)
{
    struct folder *f = l->folder;
    struct str name = str_of(l->name);
    struct place *first = map_get(&f->names, name);

    if (first == l && !l->same) {
        (void)map_del(&f->names, name);
    } else if (first == l) {
        (void)map_put(&f->names, name, l->same);
    } else {
        while (first->same != l)
            first = first->same;
        first->same = l->same;
    }
    if (--f->n_places == 0) folder_unused(f);
    free(l);
}

static void drop_places(struct place *l)
{
    for (struct place *next; l; l = next) {
        next = l->next;
        place_remove(l);
    }
}

/* The path that a symlink at `path` leads to, in place of it. False: it is none. */
static bool follow_link(char *path, size_t size)
{
    char target[PATH_MAX], joined[2 * PATH_MAX + 2];
    ssize_t n = readlink(path, target, sizeof(target) - 1);
    const char *slash = strrchr(path, '/');

    if (n <= 0) return false;
    target[n] = '\0';
    int len = *target == '/' || !slash
                  ? snprintf(joined, sizeof(joined), "%s", target)
                  : snprintf(joined, sizeof(joined), "%.*s/%s", (int)(slash - path), path, target);
    if (len < 0 || (size_t)len >= size) return false;
    memcpy(path, joined, (size_t)len + 1);
    return true;
}

static void walk(struct watched *p)
{
    char at[PATH_MAX];
    int n = snprintf(at, sizeof(at), "%s", p->path);

    if (n < 0 || (size_t)n >= sizeof(at)) return;
    place_add(p, at);
    for (int links = 0; links < MAX_LINKS && follow_link(at, sizeof(at)); links++)
        place_add(p, at);
}

/* --- events --- */

static void tell(struct watch *w, struct place *first, u32 mask)
{
    for (struct place *l = first, *next; l; l = next) {
        next = l->same;
        if (mask & (IN_CREATE | IN_MOVED_TO)) l->owner->arrivals++;
        if (mask & IN_Q_OVERFLOW) l->owner->arrivals += 2; /* nobody knows how many */
        w->conf.look(w->conf.arg, l->owner, (mask & STRUCTURAL) != 0);
    }
}

static void tell_all(struct folder *f, u32 mask)
{
    map_each (&f->names, e)
        tell(f->watch, e->value, mask);
}

/* The folder itself went, or was replaced: its paths are polled until it is watched again. */
static void lost_folder(struct folder *f)
{
    if (f->wd >= 0) unnumber_folder(f);
    map_each (&f->names, e)
        for (struct place *l = e->value; l; l = l->same)
            poll_or_not(l->owner);
    tell_all(f, IN_DELETE_SELF);
}

static void on_folder_event(struct folder *f, const struct inotify_event *e)
{
    struct place *first = e->len ? map_get(&f->names, str_of(e->name)) : NULL;

    if (e->mask & (IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF))
        lost_folder(f);
    else if (first)
        tell(f->watch, first, e->mask);
}

static void on_overflow(struct watch *w)
{
    map_each (&w->folders, m)
        tell_all(m->value, IN_Q_OVERFLOW | IN_CREATE);
}

static void on_one_event(struct watch *w, const struct inotify_event *e)
{
    struct folder *f = map_get(&w->by_wd, wd_key(&e->wd));

    if (e->mask & IN_Q_OVERFLOW) on_overflow(w);
    for (struct folder *next; f; f = next) {
        next = f->twin;
        on_folder_event(f, e);
    }
}

static bool read_events(struct watch *w)
{
    _Alignas(struct inotify_event) char buf[64 * 1024];
    ssize_t n = read(w->fd, buf, sizeof(buf));

    for (const char *p = buf; n > 0 && p < buf + n;) {
        const struct inotify_event *e = (const void *)p;
        on_one_event(w, e);
        p += sizeof(*e) + e->len;
    }
    return n > (ssize_t)sizeof(buf) / 2;
}

void watch_read(struct watch *w)
{
    for (int rounds = 0; w->fd >= 0 && rounds < 16 && read_events(w); rounds++) {
    }
}

static void on_events(void *arg, int events)
{
    struct watch *w = arg;

    watch_read(w);
    io_set(w->io, 0);
    timer_start(w->gather, GATHER);
}

static void on_gathered(void *arg)
{
    io_set(((struct watch *)arg)->io, IO_READ);
}

/* --- polling, again --- */

/* A folder that was missing, or refused, may be watched now. */
static void try_again(struct watch *w)
{
    map_each (&w->folders, e) {
        struct folder *f = e->value;
        if (f->wd >= 0) continue;
        open_folder(f);
        if (is_blind(f)) continue;
        map_each (&f->names, m)
            for (struct place *l = m->value; l; l = l->same)
                poll_or_not(l->owner);
        tell_all(f, IN_CREATE);
    }
}

static void on_poll(void *arg)
{
    struct watch *w = arg;
    i64 now = loop_now(w->conf.loop);

    list_each (&w->polled, node) {
        struct watched *p = list_item(node, struct watched, polled);
        if (p->due <= now) w->conf.look(w->conf.arg, p, true);
    }
    try_again(w);
    set_poller(w);
}

void watch_set_poll(struct watch *w, i64 min_poll, i64 max_poll)
{
    w->conf.min_poll = MAX(min_poll, POLL_MIN);
    w->conf.max_poll = MAX(max_poll, w->conf.min_poll);
    if (timer_active(w->poller)) timer_every(w->poller, w->conf.min_poll);
}

/* --- life --- */

struct watch *watch_new(const struct watch_conf *conf)
{
    struct watch *w = xnew(struct watch);

    w->conf = *conf;
    list_init(&w->polled);
    w->poller = timer_new(conf->loop, on_poll, w);
    w->gather = timer_new(conf->loop, on_gathered, w);
    watch_set_poll(w, conf->min_poll, conf->max_poll);
    w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (w->fd < 0)
        w->refused = errno;
    else
        w->io = io_new(conf->loop, w->fd, IO_READ, on_events, w);
    return w;
}

void watch_free(struct watch *w)
{
    if (!w) return;
    timer_free(w->poller);
    timer_free(w->gather);
    io_free(w->io);
    if (w->fd >= 0) close(w->fd);
    map_done(&w->folders, NULL);
    map_done(&w->by_wd, NULL);
    free(w);
}

void watch_add(struct watch *w, struct watched *p, const char *path)
{
    *p = (struct watched){.watch = w, .path = path};
    list_init(&p->polled);
    walk(p);
    poll_or_not(p);
}

void watch_remove(struct watched *p)
{
    drop_places(p->places);
    p->places = NULL;
    list_del(&p->polled);
    set_poller(p->watch);
}

/* New places first: a folder that stays is not let go of in between. */
void watch_again(struct watched *p)
{
    struct place *old = p->places;

    p->places = NULL;
    walk(p);
    drop_places(old);
    poll_or_not(p);
}

bool watch_is_link(const struct watched *p)
{
    return p->places && p->places->next;
}

int watch_refused(const struct watch *w)
{
    return w->refused;
}
