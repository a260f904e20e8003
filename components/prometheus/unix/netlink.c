/* Netlink: questions, answers, attributes. */
#include "components/prometheus/unix/netlink.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE (2 * NS_PER_SEC)
#define PIECE    ((size_t)64 << 10) /* the kernel writes at most 32 KiB at once */
#define TRIES    4

/* --- messages --- */

/* NLMSG_ERROR carries the error as a number; 0: done. */
static int error_of(struct str body)
{
    return body.n < sizeof(int) ? -EBADMSG : (int)netlink_u32(body);
}

int netlink_messages(struct str bytes, netlink_each *each, void *arg, bool *ret_end)
{
    struct nlmsghdr h;
    int r = 0;

    for (*ret_end = false; !r && !*ret_end && bytes.n >= sizeof(h);) {
        memcpy(&h, bytes.p, sizeof(h));
        if (h.nlmsg_len < sizeof(h) || h.nlmsg_len > bytes.n) return -EBADMSG;
        struct str body = str_sub(bytes, sizeof(h), h.nlmsg_len);
        if (h.nlmsg_type == NLMSG_DONE || h.nlmsg_type == NLMSG_ERROR) {
            *ret_end = true;
            r = h.nlmsg_type == NLMSG_ERROR || body.n >= sizeof(int) ? error_of(body) : 0;
        } else if (h.nlmsg_type >= NLMSG_MIN_TYPE && each) {
            r = each(arg, h.nlmsg_type, body);
        }
        bytes = str_sub(bytes, MIN((size_t)NLMSG_ALIGN(h.nlmsg_len), bytes.n), bytes.n);
    }
    return r;
}

/* Whether the kernel said that the list changed under its hands. */
static bool interrupted(struct str bytes)
{
    struct nlmsghdr h;

    for (; bytes.n >= sizeof(h); bytes = str_sub(bytes, NLMSG_ALIGN(h.nlmsg_len), bytes.n)) {
        memcpy(&h, bytes.p, sizeof(h));
        if (h.nlmsg_flags & NLM_F_DUMP_INTR) return true;
        if (h.nlmsg_len < sizeof(h) || NLMSG_ALIGN(h.nlmsg_len) > bytes.n) return false;
    }
    return false;
}

/* --- the socket --- */

static int send_ask(int fd, const struct netlink_ask *ask)
{
    struct buf b = BUF_INIT(4096);
    struct nlmsghdr h = {
        .nlmsg_len = (u32)(sizeof(h) + ask->body.n),
        .nlmsg_type = ask->type,
        .nlmsg_flags = (u16)(NLM_F_REQUEST | (ask->dump ? NLM_F_DUMP : NLM_F_ACK)),
        .nlmsg_seq = 1,
    };
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};

    buf_add(&b, &h, sizeof(h));
    buf_str(&b, ask->body);
    int r = buf_err(&b);
    if (!r && sendto(fd, b.p, b.n, 0, (struct sockaddr *)&kernel, sizeof(kernel)) < 0) r = -errno;
    buf_done(&b);
    return r;
}

static int await(int fd, const struct clock *clock, i64 end)
{
    for (;;) {
        i64 left = end - clock_mono(clock);
        struct pollfd p = {.fd = fd, .events = POLLIN};

        if (left <= 0) return -ETIMEDOUT;
        int n = poll(&p, 1, (int)((left + NS_PER_MS - 1) / NS_PER_MS));
        if (n > 0) return 0;
        if (n < 0 && errno != EINTR) return -errno;
    }
}

/* One datagram, of the kernel and nobody else. */
static int receive(int fd, struct buf *to)
{
    struct sockaddr_nl from = {0};
    char *at = buf_reserve(to, PIECE);
    struct iovec piece = {.iov_base = at, .iov_len = PIECE};
    struct msghdr m = {
        .msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &piece, .msg_iovlen = 1};

    if (!at) return -E2BIG;
    ssize_t n = recvmsg(fd, &m, MSG_DONTWAIT);
    if (n < 0) return errno == EINTR || errno == EAGAIN ? 0 : -errno;
    if (m.msg_flags & MSG_TRUNC) return -EMSGSIZE;
    if (from.nl_pid == 0) buf_commit(to, (size_t)n);
    return 0;
}

static int gather(int fd, const struct clock *clock, struct buf *to)
{
    i64 deadline = clock_mono(clock) + PATIENCE;
    bool end = false;
    int r = 0;

    while (!r && !end) {
        size_t before = to->n;

        r = await(fd, clock, deadline);
        if (!r) r = receive(fd, to);
        if (!r) r = netlink_messages(str_sub(buf_view(to), before, to->n), NULL, NULL, &end);
    }
    return r;
}

static int ask_once(const struct clock *clock, const struct netlink_ask *ask, struct buf *to)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, ask->protocol);

    if (fd < 0) return -errno;
    buf_reset(to);
    int r = send_ask(fd, ask);
    if (!r) r = gather(fd, clock, to);
    close(fd);
    return r;
}

static int ask_kernel(struct collect *c, const struct netlink_ask *ask, struct buf *to)
{
    int r = 0;

    /* The last list is taken as it is: some of it may be missing. */
    for (int i = 0; i < TRIES; i++) {
        r = ask_once(c->clock, ask, to);
        if (r || !interrupted(buf_view(to))) break;
    }
    return r;
}

static int failed(struct collect *c, const struct netlink_ask *ask, int r)
{
    if (r == -ENOENT || r == -EOPNOTSUPP) return r;
    return collect_fail(c, r, "asking the kernel by netlink (protocol %d, question %u): %s",
                        ask->protocol, ask->type, strerror(-r));
}

int netlink_ask(struct collect *c, const struct netlink_ask *ask, netlink_each *each, void *arg)
{
    struct buf b = BUF_INIT(NETLINK_ANSWERS_MAX);
    bool end;
    int r = c->netlink ? c->netlink(c, ask, &b) : ask_kernel(c, ask, &b);

    if (r)
        r = failed(c, ask, r);
    else
        r = netlink_messages(buf_view(&b), each, arg, &end);
    buf_done(&b);
    return r;
}

/* --- attributes --- */

bool netlink_attr(struct str *rest, struct netlink_attr *ret)
{
    struct nlattr a;

    if (rest->n < sizeof(a)) return false;
    memcpy(&a, rest->p, sizeof(a));
    if (a.nla_len < sizeof(a) || a.nla_len > rest->n) return false;
    ret->type = a.nla_type & NLA_TYPE_MASK;
    ret->value = str_sub(*rest, sizeof(a), a.nla_len);
    *rest = str_sub(*rest, MIN((size_t)NLA_ALIGN(a.nla_len), rest->n), rest->n);
    return true;
}

struct str netlink_attrs(struct str body, size_t n)
{
    n = NLMSG_ALIGN(n);
    return body.n > n ? str_sub(body, n, body.n) : STR("");
}

#define NUMBER(T)                                                                                  \
    T netlink_##T(struct str value)                                                                \
    {                                                                                              \
        T v = 0;                                                                                   \
        if (value.n >= sizeof(v)) memcpy(&v, value.p, sizeof(v));                                  \
        return v;                                                                                  \
    }
NUMBER(u8)
NUMBER(u16)
NUMBER(u32)
NUMBER(u64)

struct str netlink_text(struct str value)
{
    return str_cut(&value, '\0');
}

void netlink_put(struct buf *to, u16 type, struct str value)
{
    static const char zeros[NLA_ALIGNTO];
    struct nlattr a = {.nla_len = (u16)(sizeof(a) + value.n), .nla_type = type};

    buf_add(to, &a, sizeof(a));
    buf_str(to, value);
    buf_add(to, zeros, NLA_ALIGN(a.nla_len) - a.nla_len);
}
