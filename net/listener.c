/* The registry of listening sockets, accepting, and handing connections to loops.
 *
 * Accepting runs on the control loop, which alone touches the registry and each listener's list of
 * members. A member belongs to its own loop; it joins and leaves by messages, and only the number
 * of its connections is read across threads. After the control loop has let a member go
 * (`left`), no connection comes to it any more, so that it may be freed when its last one ends.
 * The descriptor belongs to a `socket`, which outlives its owner when another listener takes the
 * same address over. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/xalloc.h"
#include "net/address.h"
#include "net/conn.h"
#include "net/http1.h"
#include "net/loop_private.h"

#define BACKLOG      1024
#define ACCEPT_BURST 64
#define ACCEPT_PAUSE (100 * NS_PER_MS) /* after running out of descriptors */

struct listeners {
    struct loop *control;
    struct list all; /* of listener sockets */
};

struct listen_socket {
    struct list node;
    struct listeners *ls;
    char *key;  /* network and address as asked for: what a new owner is matched by */
    char *path; /* of a Unix socket, removed at the end */
    struct str addr;
    int fd;
    struct http_listener *owner; /* NULL never; replaced on take-over */
};

struct http_listener {
    struct listeners *ls;
    struct listen_socket *sock; /* NULL after it was taken over */
    struct server_conf *conf;
    struct list members;
    struct io *io;
    struct timer *pause;
    char *addr;
    bool leaving;
    _Atomic u32 n_conns;
    u32 max_conns;
    atomic_bool full; /* not accepting because of max_conns */
    struct msg room, close;
    _Atomic u32
        pending; /* messages of ours in the control loop's mailbox, see http_listener_close */
    bool closed;
};

struct listeners *listeners_new(struct loop *control)
{
    struct listeners *ls = xnew(struct listeners);

    ls->control = control;
    list_init(&ls->all);
    http1_global_init();
    signal(SIGPIPE, SIG_IGN); /* OpenSSL writes without MSG_NOSIGNAL */
    return ls;
}

void listeners_free(struct listeners *ls)
{
    if (!ls) return;
    ASSERT(list_empty(&ls->all));
    free(ls);
}

/* --- accepting --- */

/* A connection on its way from the control loop to a member's. */
struct handover {
    struct msg msg;
    struct member *member;
    struct server_conf *conf;
    int fd;
    char peer[64], ip[48];
};

static void on_handover(struct msg *m)
{
    struct handover *h = container_of(m, struct handover, msg);
    struct conn *c = conn_new(h->member, h->conf, h->fd, h->peer, h->ip);

    atomic_fetch_sub(&h->member->n_conns, 1); /* conn_new counts it again */
    if (h->member->leaving) conn_drain(c);
    server_conf_unref(h->conf);
    free(h);
}

static struct member *least_loaded(struct http_listener *l)
{
    struct member *best = NULL;
    u32 least = UINT32_MAX;

    list_each (&l->members, node) {
        struct member *m = list_item(node, struct member, node);
        u32 n = atomic_load(&m->n_conns);
        if (n < least) {
            best = m;
            least = n;
        }
    }
    return best;
}

#define KEEPALIVE_SECONDS                                                                          \
    15 /* of silence, then between probes: a client that vanished is noticed */

static void set_options(int fd, int family)
{
    const int on = 1, seconds = KEEPALIVE_SECONDS;

    if (family == AF_UNIX) return;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on,
                     sizeof(on)); /* all are wishes: the connection works without */
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &seconds, sizeof(seconds));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &seconds, sizeof(seconds));
}

static void hand_over(struct http_listener *l, int fd, const struct address *peer)
{
    struct handover *h = xnew(struct handover);

    set_options(fd, peer->sa.ss_family);
    h->msg.fn = on_handover;
    h->member = least_loaded(l);
    h->conf = server_conf_ref(l->conf);
    h->fd = fd;
    address_format((const struct sockaddr *)&peer->sa, peer->len, h->peer, sizeof(h->peer), h->ip,
                   sizeof(h->ip));
    atomic_fetch_add(&h->member->n_conns, 1); /* at once, so that a burst is spread */
    loop_post(h->member->loop, &h->msg);
}

static void update_accepting(struct http_listener *l)
{
    bool full = atomic_load(&l->n_conns) >= l->max_conns;

    atomic_store(&l->full, full);
    if (full && atomic_load(&l->n_conns) <
                    l->max_conns) { /* one ended in between and did not see that we wait */
        full = false;
        atomic_store(&l->full, false);
    }
    if (l->io)
        io_set(l->io, !full && !l->leaving && !list_empty(&l->members) && !timer_active(l->pause)
                          ? IO_READ
                          : 0);
}

static void on_pause_over(void *arg)
{
    update_accepting(arg);
}

static bool accept_one(struct http_listener *l)
{
    struct address peer = {.len = sizeof(peer.sa)};
    int fd =
        accept4(l->sock->fd, (struct sockaddr *)&peer.sa, &peer.len, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd >= 0) {
        atomic_fetch_add(&l->n_conns, 1);
        hand_over(l, fd, &peer);
        return true;
    }
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
        timer_start(l->pause, ACCEPT_PAUSE);
    return errno == ECONNABORTED || errno == EINTR;
}

static void on_acceptable(void *arg, int events)
{
    struct http_listener *l = arg;

    for (int i = 0; i < ACCEPT_BURST && atomic_load(&l->n_conns) < l->max_conns; i++)
        if (!accept_one(l)) break;
    update_accepting(l);
}

static void maybe_free(struct http_listener *l)
{
    if (!l->closed || atomic_load(&l->pending) > 0) return;
    server_conf_unref(l->conf);
    timer_free(l->pause);
    free(l->addr);
    free(l);
}

static void on_room(struct msg *m)
{
    struct http_listener *l = container_of(m, struct http_listener, room);

    atomic_fetch_sub(&l->pending, 1);
    if (!l->closed) update_accepting(l);
    maybe_free(l);
}

/* The one that clears `full` posts, so that the message is never posted twice. */
void listener_conn_closed(struct http_listener *l)
{
    atomic_fetch_sub(&l->n_conns, 1);
    if (!atomic_exchange(&l->full, false)) return;
    atomic_fetch_add(&l->pending, 1);
    l->room.fn = on_room;
    loop_post(l->ls->control, &l->room);
}

/* --- sockets --- */

static int bind_error(const char *network, const struct address *a, const char *step, int err,
                      char **ret_err)
{
    char text[128], why[128];

    address_format((const struct sockaddr *)&a->sa, a->len, text, sizeof(text), NULL, 0);
    const char *s = strerror_r(err, why, sizeof(why));
    char *lower = xprintf("listen %s %s: %s: %s", network, text, step, s);
    char *tail = lower + strlen(lower) - strlen(s);
    if (*tail >= 'A' && *tail <= 'Z')
        *tail = (char)(*tail | 0x20); /* as Go words it: "address already in use" */
    *ret_err = lower;
    return -err;
}

/* A socket file left by a process that is gone is in the way; one that answers is not ours to
 * remove. */
static void remove_stale(const struct address *a)
{
    const struct sockaddr_un *un = (const void *)&a->sa;
    struct stat st;

    if (a->sa.ss_family != AF_UNIX || stat(un->sun_path, &st) != 0 || !S_ISSOCK(st.st_mode)) return;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return;
    if (connect(fd, (const struct sockaddr *)&a->sa, a->len) != 0 && errno == ECONNREFUSED)
        unlink(un->sun_path);
    close(fd);
}

static int open_socket(const char *network, const struct address *a, int *ret_fd, char **ret_err)
{
    const int on = 1, off = 0;
    int fd = socket(a->sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0) return bind_error(network, a, "socket", errno, ret_err);
    if (a->sa.ss_family != AF_UNIX) (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (a->sa.ss_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, strcmp(network, "tcp6") == 0 ? &on : &off,
                         sizeof(on));
    remove_stale(a);
    const char *step = bind(fd, (const struct sockaddr *)&a->sa, a->len) != 0 ? "bind"
                       : listen(fd, BACKLOG) != 0                             ? "listen"
                                                                              : NULL;
    if (step) {
        int err = errno;
        close(fd);
        return bind_error(network, a, step, err, ret_err);
    }
    *ret_fd = fd;
    return 0;
}

static char *bound_text(int fd)
{
    struct address a = {.len = sizeof(a.sa)};
    char text[128] = "?";

    if (getsockname(fd, (struct sockaddr *)&a.sa, &a.len) == 0)
        address_format((const struct sockaddr *)&a.sa, a.len, text, sizeof(text), NULL, 0);
    return xstrdup(text);
}

static struct listen_socket *find_socket(struct listeners *ls, const char *key)
{
    list_each (&ls->all, node) {
        struct listen_socket *s = list_item(node, struct listen_socket, node);
        if (strcmp(s->key, key) == 0) return s;
    }
    return NULL;
}

static void socket_free(struct listen_socket *s)
{
    list_del(&s->node);
    close(s->fd);
    if (s->path) unlink(s->path);
    free(s->path);
    free(s->key);
    free(s);
}

/* A chosen port is nobody else's: such an address never matches. */
static bool port_is_chosen(const char *addr)
{
    size_t n = strlen(addr);

    return n >= 2 && strcmp(addr + n - 2, ":0") == 0;
}

static int socket_new(struct listeners *ls, const char *network, const char *addr, const char *key,
                      struct listen_socket **ret, char **ret_err)
{
    struct address a;
    int fd = -1, r = address_parse(network, addr, &a, ret_err);

    if (r == 0) r = open_socket(network, &a, &fd, ret_err);
    if (r != 0) return r;
    struct listen_socket *s = xnew(struct listen_socket);
    s->ls = ls;
    s->fd = fd;
    s->key = port_is_chosen(addr) ? xprintf("%s#%d", key, fd) : xstrdup(key);
    if (a.sa.ss_family == AF_UNIX)
        s->path = xstrdup(((const struct sockaddr_un *)(const void *)&a.sa)->sun_path);
    list_add_tail(&ls->all, &s->node);
    *ret = s;
    return 0;
}

/* The old owner keeps its connections, and loses the socket. */
static void take_over(struct listen_socket *s)
{
    struct http_listener *old = s->owner;

    io_free(old->io);
    old->io = NULL;
    old->sock = NULL;
}

/* --- listeners --- */

static struct http_listener *listener_new(struct listeners *ls, struct listen_socket *s,
                                          const struct http_conf *conf)
{
    struct http_listener *l = xnew(struct http_listener);

    l->ls = ls;
    l->sock = s;
    l->conf = server_conf_new(conf);
    l->max_conns = l->conf->h.max_conns;
    l->addr = bound_text(s->fd);
    list_init(&l->members);
    l->pause = timer_new(ls->control, on_pause_over, l);
    l->io = io_new(ls->control, s->fd, 0, on_acceptable, l);
    s->owner = l;
    return l;
}

int http_listener_open(struct listeners *ls, const char *network, const char *addr,
                       const struct http_conf *conf, struct http_listener **ret, char **ret_err)
{
    char *key = xprintf("%s %s", network, addr);
    struct listen_socket *s = find_socket(ls, key);
    int r = 0;

    if (!s) {
        r = socket_new(ls, network, addr, key, &s, ret_err);
    } else if (s->owner->leaving) {
        take_over(s);
    } else {
        *ret_err = xprintf("listen %s %s: bind: address already in use", network, addr);
        r = -EADDRINUSE;
    }
    free(key);
    if (r == 0) *ret = listener_new(ls, s, conf);
    return r;
}

void http_listener_update(struct http_listener *l, const struct http_conf *conf)
{
    struct server_conf *old = l->conf;

    l->conf = server_conf_new(conf);
    l->max_conns = l->conf->h.max_conns;
    server_conf_unref(old);
    update_accepting(l);
}

void http_listener_leave(struct http_listener *l)
{
    l->leaving = true;
    update_accepting(l);
}

struct str http_listener_addr(const struct http_listener *l)
{
    return str_of(l->addr);
}

static void close_now(struct http_listener *l)
{
    ASSERT(list_empty(&l->members));
    io_free(l->io);
    l->io = NULL;
    if (l->sock) socket_free(l->sock);
    l->closed = true;
    maybe_free(l);
}

static void on_close(struct msg *m)
{
    close_now(container_of(m, struct http_listener, close));
}

void http_listener_close(struct http_listener *l)
{
    if (!l) return;
    if (loop_is_mine(l->ls->control)) {
        close_now(l);
        return;
    }
    l->close.fn = on_close;
    loop_post(l->ls->control, &l->close);
}

/* --- members --- */

static void on_join(struct msg *msg)
{
    struct member *m = container_of(msg, struct member, join);

    list_add_tail(&m->listener->members, &m->node);
    update_accepting(m->listener);
}

void http_listener_serve(struct http_listener *l, struct loop *loop, const struct http_handler *h,
                         void *arg)
{
    struct member *m = xnew(struct member);

    ASSERT(loop_is_mine(loop) && h->request);
    m->listener = l;
    m->loop = loop;
    m->handler = *h;
    m->arg = arg;
    list_init(&m->conns);
    list_add_tail(loop_members(loop), &m->loop_node);
    m->join.fn = on_join;
    loop_post(l->ls->control, &m->join);
}

static void on_finish(struct msg *msg)
{
    struct member *m = container_of(msg, struct member, finish);

    timer_free(m->grace);
    list_del(&m->loop_node);
    if (m->done) m->done(m->done_arg);
    free(m);
}

void listener_member_check(struct member *m)
{
    if (!m->left || !list_empty(&m->conns) || m->finishing) return;
    m->finishing = true;
    m->finish.fn = on_finish;
    loop_defer(m->loop, &m->finish); /* the last connection may be in the middle of ending */
}

static void on_left(struct msg *msg)
{
    struct member *m = container_of(msg, struct member, leave);

    m->left = true;
    listener_member_check(m);
}

static void on_leave(struct msg *msg)
{
    struct member *m = container_of(msg, struct member, leave);

    list_del(&m->node);
    update_accepting(m->listener);
    m->leave.fn = on_left;
    loop_post(m->loop, &m->leave);
}

static void on_grace_over(void *arg)
{
    struct member *m = arg;

    list_each (&m->conns, node)
        conn_close(list_item(node, struct conn, node));
}

static struct member *find_member(const struct http_listener *l, struct loop *loop)
{
    list_each (loop_members(loop), node) {
        struct member *m = list_item(node, struct member, loop_node);
        if (m->listener == l && !m->leaving) return m;
    }
    return NULL;
}

void listener_adopt(struct http_listener *l, struct loop *loop, int fd)
{
    atomic_fetch_add(&l->n_conns, 1);
    conn_new(find_member(l, loop), l->conf, fd, "@", "");
}

void http_listener_unserve(struct http_listener *l, struct loop *loop, i64 grace_ns,
                           void (*done)(void *arg), void *arg)
{
    ASSERT(loop_is_mine(loop));
    struct member *m = find_member(l, loop);

    ASSERT(m);
    m->leaving = true;
    m->done = done;
    m->done_arg = arg;
    m->grace = timer_new(loop, on_grace_over, m);
    timer_start(m->grace, grace_ns);
    m->leave.fn = on_leave;
    loop_post(l->ls->control, &m->leave);
    list_each (&m->conns, node)
        conn_drain(list_item(node, struct conn, node));
}
