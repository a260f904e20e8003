/* The registry of listening sockets. A socket outlives its owner when another takes the same
 * address over; an address is matched by network and text as asked for. */
#include "net/listen_socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/xalloc.h"
#include "net/address.h"

#define BACKLOG     1024
#define UDP_RECEIVE (1 << 20) /* asked of the kernel: what may wait while the reader is busy */

struct listen_socket {
    struct list node;
    char *key;  /* network and address as asked for: what a new owner is matched by */
    char *path; /* of a Unix socket, removed at the end */
    int fd;
    struct socket_owner *owner; /* never NULL; replaced on take-over */
};

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
static void remove_stale(const struct address *a, int type)
{
    const struct sockaddr_un *un = (const void *)&a->sa;
    struct stat st;

    if (a->sa.ss_family != AF_UNIX || stat(un->sun_path, &st) != 0 || !S_ISSOCK(st.st_mode)) return;
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return;
    if (connect(fd, (const struct sockaddr *)&a->sa, a->len) != 0 && errno == ECONNREFUSED)
        unlink(un->sun_path);
    close(fd);
}

static bool is_datagram(const char *network)
{
    return strncmp(network, "udp", 3) == 0 || strcmp(network, "unixgram") == 0;
}

/* Datagrams that find no room are lost. Beyond the system's limit only with a capability; less than
 * asked for is no error. The kernel tells how many it dropped. */
static void ask_for_room(int fd)
{
    const int size = UDP_RECEIVE, on = 1;

    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) != 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    (void)setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof(on));
}

static int open_socket(const char *network, const struct address *a, int *ret_fd, char **ret_err)
{
    const int on = 1, off = 0;
    bool udp = is_datagram(network);
    int type = udp ? SOCK_DGRAM : SOCK_STREAM;
    int fd = socket(a->sa.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0) return bind_error(network, a, "socket", errno, ret_err);
    if (udp)
        ask_for_room(fd);
    else if (a->sa.ss_family != AF_UNIX)
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (a->sa.ss_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, network[3] == '6' ? &on : &off, sizeof(on));
    remove_stale(a, type);
    const char *step = bind(fd, (const struct sockaddr *)&a->sa, a->len) != 0 ? "bind"
                       : !udp && listen(fd, BACKLOG) != 0                     ? "listen"
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
    s->fd = fd;
    s->key = port_is_chosen(addr) ? xprintf("%s#%d", key, fd) : xstrdup(key);
    if (a.sa.ss_family == AF_UNIX && *addr != '@')
        s->path = xstrdup(((const struct sockaddr_un *)(const void *)&a.sa)->sun_path);
    list_add_tail(&ls->all, &s->node);
    *ret = s;
    return 0;
}

/* The old owner keeps its connections, and loses the socket. */
static void take_over(struct listen_socket *s)
{
    struct socket_owner *old = s->owner;

    old->sock = NULL;
    if (old->taken) old->taken(old);
}

int listen_socket_claim(struct listeners *ls, const char *network, const char *addr,
                        struct socket_owner *o, char **ret_err)
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
    if (r != 0) return r;
    s->owner = o;
    o->sock = s;
    return 0;
}

void listen_socket_release(struct socket_owner *o)
{
    if (o->sock) socket_free(o->sock);
    o->sock = NULL;
}

int listen_socket_fd(const struct socket_owner *o)
{
    return o->sock->fd;
}

char *listen_socket_addr(const struct socket_owner *o)
{
    return bound_text(o->sock->fd);
}
