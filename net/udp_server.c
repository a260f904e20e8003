/* Datagrams: received many at a time, given one by one. A listener has a descriptor of its own for
 * the registry's socket, so that after a take-over two owners may read for a moment: each datagram
 * comes to one of them. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/xalloc.h"
#include "net/address.h"
#include "net/listen_socket.h"
#include "net/stream_server.h"

#define SLOTS       32
#define SLOTS_BYTES ((size_t)1 << 20)
#define TURN_BURSTS 8   /* received at once before others get their turn */
#define LAST_BURSTS 256 /* at the end: what the kernel has */

/* What recvmmsg fills. */
struct slot {
    struct sockaddr_storage from;
    struct iovec iov;
    union {
        char room[CMSG_SPACE(sizeof(u32))];
        struct cmsghdr align;
    } control; /* the last one: its header has no size of its own */
};

struct udp_listener {
    struct listeners *ls;
    struct socket_owner at;
    int fd;
    char *addr;
    size_t max;
    struct msg close;

    /* Of the loop that serves. */
    struct loop *loop;
    struct udp_handler handler;
    void *arg;
    struct io *io;
    struct timer *again;
    bool paused;
    unsigned n_slots, n, next; /* slots there are, filled, given */
    struct slot *slots;
    struct mmsghdr *msgs;
    char *bytes;
    u32 lost, lost_told; /* as the kernel counts, modulo 2^32 */
    struct address last; /* whose text is in `ip` */
    char ip[48];
};

/* --- receiving --- */

static void note_lost(struct udp_listener *l, struct msghdr *m)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL)
            memcpy(&l->lost, CMSG_DATA(c), sizeof(l->lost));
}

static struct str ip_of(struct udp_listener *l, const struct msghdr *m)
{
    char text[64];

    if (m->msg_namelen != l->last.len || memcmp(m->msg_name, &l->last.sa, m->msg_namelen) != 0) {
        memcpy(&l->last.sa, m->msg_name, m->msg_namelen);
        l->last.len = m->msg_namelen;
        address_format(m->msg_name, m->msg_namelen, text, sizeof(text), l->ip, sizeof(l->ip));
    }
    return str_of(l->ip);
}

static bool give(struct udp_listener *l, unsigned i)
{
    struct mmsghdr *m = &l->msgs[i];
    struct str bytes = str_n(l->slots[i].iov.iov_base, m->msg_len);

    return l->handler.datagram(l->arg, bytes, m->msg_hdr.msg_flags & MSG_TRUNC,
                               ip_of(l, &m->msg_hdr));
}

/* False: paused, with some left. */
static bool give_all(struct udp_listener *l)
{
    for (; l->next < l->n && !l->paused; l->next++)
        if (!give(l, l->next)) break;
    return l->next == l->n;
}

static void prepare_slot(struct udp_listener *l, unsigned i)
{
    struct slot *s = &l->slots[i];

    s->iov = (struct iovec){l->bytes + i * l->max, l->max};
    l->msgs[i].msg_hdr = (struct msghdr){.msg_name = &s->from,
                                         .msg_namelen = sizeof(s->from),
                                         .msg_iov = &s->iov,
                                         .msg_iovlen = 1,
                                         .msg_control = s->control.room,
                                         .msg_controllen = sizeof(s->control.room)};
}

/* False: nothing there. */
static bool receive(struct udp_listener *l)
{
    for (unsigned i = 0; i < l->n_slots; i++)
        prepare_slot(l, i);
    int n = recvmmsg(l->fd, l->msgs, l->n_slots, MSG_DONTWAIT, NULL);
    l->n = n > 0 ? (unsigned)n : 0;
    l->next = 0;
    if (l->n) note_lost(l, &l->msgs[l->n - 1].msg_hdr);
    return l->n > 0;
}

static void update_io(struct udp_listener *l)
{
    io_set(l->io, l->paused ? 0 : IO_READ);
}

static void read_some(struct udp_listener *l, unsigned bursts)
{
    while (give_all(l) && !l->paused && bursts-- > 0)
        if (!receive(l)) break;
    u32 lost = l->lost - l->lost_told;
    l->lost_told = l->lost;
    if (l->handler.rest) l->handler.rest(l->arg, lost);
}

static void on_readable(void *arg, int events)
{
    struct udp_listener *l = arg;

    (void)events;
    read_some(l, TURN_BURSTS);
    if (l->io) update_io(l);
}

static void on_again(void *arg)
{
    on_readable(arg, IO_READ);
}

/* --- life --- */

static int own_descriptor(struct udp_listener *l, const char *network, char **ret_err)
{
    l->fd = fcntl(listen_socket_fd(&l->at), F_DUPFD_CLOEXEC, 0);
    if (l->fd >= 0) return 0;
    int err = errno;
    char why[128];
    *ret_err = xprintf("listen %s: dup: %s", network, strerror_r(err, why, sizeof(why)));
    return -err;
}

int udp_listener_open(struct listeners *ls, const char *network, const char *addr,
                      size_t max_datagram, struct udp_listener **ret, char **ret_err)
{
    struct udp_listener *l = xnew(struct udp_listener);
    int r = listen_socket_claim(ls, network, addr, &l->at, ret_err);

    if (r == 0) r = own_descriptor(l, network, ret_err);
    if (r != 0) {
        listen_socket_release(&l->at);
        free(l);
        return r;
    }
    l->ls = ls;
    l->max = max_datagram;
    l->addr = listen_socket_addr(&l->at);
    *ret = l;
    return 0;
}

struct str udp_listener_addr(const struct udp_listener *l)
{
    return str_of(l->addr);
}

int udp_listener_room(struct udp_listener *l, int bytes)
{
    int got = 0;
    socklen_t n = sizeof(got);

    if (setsockopt(l->fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) != 0 &&
        setsockopt(l->fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)) != 0)
        return -errno;
    if (getsockopt(l->fd, SOL_SOCKET, SO_RCVBUF, &got, &n) != 0) return -errno;
    return got / 2; /* the kernel counts its own overhead as much again */
}

void udp_listener_leave(struct udp_listener *l)
{
    l->at.leaving = true;
}

void udp_listener_serve(struct udp_listener *l, struct loop *loop, const struct udp_handler *h,
                        void *arg)
{
    ASSERT(loop_is_mine(loop) && !l->loop);
    l->loop = loop;
    l->handler = *h;
    l->arg = arg;
    l->paused = false;
    l->n_slots = (unsigned)MIN(MAX(SLOTS_BYTES / l->max, (size_t)1), (size_t)SLOTS);
    l->slots = xcalloc(l->n_slots, sizeof(*l->slots));
    l->msgs = xcalloc(l->n_slots, sizeof(*l->msgs));
    l->bytes = xmalloc(l->n_slots * l->max);
    l->again = timer_new(loop, on_again, l);
    l->io = io_new(loop, l->fd, IO_READ, on_readable, l);
}

void udp_listener_unserve(struct udp_listener *l)
{
    ASSERT(loop_is_mine(l->loop));
    if (!l->paused) read_some(l, LAST_BURSTS);
    io_free(l->io);
    l->io = NULL;
    timer_free(l->again);
    free(l->slots);
    free(l->msgs);
    free(l->bytes);
    l->loop = NULL;
}

static void close_now(struct udp_listener *l)
{
    close(l->fd);
    listen_socket_release(&l->at);
    free(l->addr);
    free(l);
}

static void on_close(struct msg *m)
{
    close_now(container_of(m, struct udp_listener, close));
}

void udp_listener_close(struct udp_listener *l)
{
    if (!l) return;
    ASSERT(!l->loop);
    if (loop_is_mine(l->ls->control)) {
        close_now(l);
        return;
    }
    l->close.fn = on_close;
    loop_post(l->ls->control, &l->close);
}

void udp_listener_pause(struct udp_listener *l)
{
    l->paused = true;
    if (l->io) update_io(l);
}

void udp_listener_resume(struct udp_listener *l)
{
    if (!l->paused) return;
    l->paused = false;
    timer_start(l->again, 0);
}
