/* Accepting connections, and handing them to loops.
 *
 * Accepting runs on the control loop, which alone touches each listener's list of members. A member
 * belongs to its own loop; it joins and leaves by messages, and only the number of its connections
 * is read across threads. After the control loop has let a member go
 * (`left`), no connection comes to it any more, so that it may be freed when its last one ends.
 * The descriptor belongs to the registry (listen_socket.h). */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <unistd.h>
#include "base/xalloc.h"
#include "net/address.h"
#include "net/conn.h"
#include "net/http1.h"
#include "net/listen_socket.h"
#include "net/loop_private.h"

#define ACCEPT_BURST 64
#define ACCEPT_PAUSE (100 * NS_PER_MS) /* after running out of descriptors */

struct http_listener {
    struct listeners *ls;
    struct socket_owner at;
    struct server_conf *conf;
    struct list members;
    struct io *io;
    struct timer *pause;
    char *addr;
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

struct loop *listeners_loop(const struct listeners *ls)
{
    return ls->control;
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
        io_set(l->io, !full && !l->at.leaving && !list_empty(&l->members) && !timer_active(l->pause)
                          ? IO_READ
                          : 0);
}

static void on_pause_over(void *arg)
{
    update_accepting(arg);
}

static bool is_welcome(const struct http_listener *l, int fd)
{
    struct ucred peer = {0};
    socklen_t n = sizeof(peer);

    if (!l->conf->h.own_process) return true;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) == 0 && peer.pid == getpid();
}

static bool accept_one(struct http_listener *l)
{
    struct address peer = {.len = sizeof(peer.sa)};
    int fd = accept4(listen_socket_fd(&l->at), (struct sockaddr *)&peer.sa, &peer.len,
                     SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd >= 0 && !is_welcome(l, fd)) {
        close(fd);
        return true;
    }
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

/* --- listeners --- */

static void on_taken(struct socket_owner *o)
{
    struct http_listener *l = container_of(o, struct http_listener, at);

    io_free(l->io);
    l->io = NULL;
}

int listener_open(struct listeners *ls, const char *network, const char *addr,
                  struct server_conf *conf, struct http_listener **ret, char **ret_err)
{
    struct http_listener *l = xnew(struct http_listener);
    int r = listen_socket_claim(ls, network, addr, &l->at, ret_err);

    if (r != 0) {
        server_conf_unref(conf);
        free(l);
        return r;
    }
    l->at.taken = on_taken;
    l->ls = ls;
    l->conf = conf;
    l->max_conns = conf->h.max_conns;
    l->addr = listen_socket_addr(&l->at);
    list_init(&l->members);
    l->pause = timer_new(ls->control, on_pause_over, l);
    l->io = io_new(ls->control, listen_socket_fd(&l->at), 0, on_acceptable, l);
    *ret = l;
    return 0;
}

int http_listener_open(struct listeners *ls, const char *network, const char *addr,
                       const struct http_conf *conf, struct http_listener **ret, char **ret_err)
{
    return listener_open(ls, network, addr, server_conf_new(conf), ret, ret_err);
}

void listener_update(struct http_listener *l, struct server_conf *conf)
{
    struct server_conf *old = l->conf;

    l->conf = conf;
    l->max_conns = conf->h.max_conns;
    server_conf_unref(old);
    update_accepting(l);
}

void http_listener_update(struct http_listener *l, const struct http_conf *conf)
{
    listener_update(l, server_conf_new(conf));
}

void http_listener_leave(struct http_listener *l)
{
    l->at.leaving = true;
    update_accepting(l);
}

struct str http_listener_addr(const struct http_listener *l)
{
    return str_of(l->addr);
}

u32 http_listener_conns(const struct http_listener *l)
{
    return atomic_load(&l->n_conns);
}

static void close_now(struct http_listener *l)
{
    ASSERT(list_empty(&l->members));
    io_free(l->io);
    l->io = NULL;
    listen_socket_release(&l->at);
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

struct member *listener_join(struct http_listener *l, struct loop *loop, void *arg)
{
    struct member *m = xnew(struct member);

    ASSERT(loop_is_mine(loop));
    m->listener = l;
    m->loop = loop;
    m->arg = arg;
    list_init(&m->conns);
    list_add_tail(loop_members(loop), &m->loop_node);
    m->join.fn = on_join;
    loop_post(l->ls->control, &m->join);
    return m;
}

void http_listener_serve(struct http_listener *l, struct loop *loop, const struct http_handler *h,
                         void *arg)
{
    ASSERT(h->request);
    listener_join(l, loop, arg)->handler = *h;
}

static void on_finish(struct msg *msg)
{
    struct member *m = container_of(msg, struct member, finish);

    timer_free(m->grace);
    list_del(&m->loop_node);
    if (m->done) m->done(m->done_arg);
    free(m->stream);
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
