/* The byte side of a server connection. Reading goes into a scratch shared by the loop's
 * connections, or straight into a body; what the protocol does not take is held, and reading
 * pauses. One timer serves all deadlines: it is moved forward only when it fires. Invariant: after
 * conn_close nothing but the memory remains; every caller that calls out checks c->dead. */
#include "net/conn.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>
#include "base/xalloc.h"
#include "net/loop_private.h"
#include "net/tls_private.h"

#define READ_BURST                                                                                 \
    ((size_t)1024 * 1024) /* bytes a connection may take before the others get their turn */
#define OUT_MAX ((size_t)1 << 30)
#define KEEP_MEMORY                                                                                \
    ((size_t)16 * 1024)          /* buffers larger than this are not kept by an idle connection */
#define GATHER      (128 * 1024) /* in the middle of a large message the loop is woken for no less, */
#define GATHER_TIME (5 * NS_PER_MS) /* or after this time */
#define HELD_MAX                                                                                   \
    ((size_t)64 *                                                                                  \
     1024) /* bytes read ahead of the protocol, so that the end of the peer is noticed */
#define LINGER_TIME (2 * NS_PER_SEC)
#define UNSENT_LOW  (64 * 1024) /* what the kernel keeps unsent of an answer that goes on */

/* --- configuration --- */

static i64 or_default(i64 v, i64 dflt)
{
    return v == 0 ? dflt : v;
}

struct server_conf *server_conf_new(const struct http_conf *h)
{
    struct server_conf *c = xnew(struct server_conf);

    refs_init(&c->refs);
    c->h = *h;
    c->h.max_header_bytes = h->max_header_bytes ? h->max_header_bytes : 64 * 1024;
    c->h.max_body = h->max_body ? h->max_body : 1024 * 1024;
    c->h.read_header_timeout = or_default(h->read_header_timeout, 60 * NS_PER_SEC);
    c->h.min_body_rate = or_default(h->min_body_rate, 256);
    c->h.write_timeout = or_default(h->write_timeout, 30 * NS_PER_SEC);
    c->h.idle_timeout = or_default(h->idle_timeout, 60 * NS_PER_SEC);
    c->h.max_streams = h->max_streams ? h->max_streams : 250;
    c->h.max_conns = h->max_conns ? h->max_conns : 4096;
    if (c->h.tls) tls_server_ref(c->h.tls);
    return c;
}

struct server_conf *server_conf_ref(struct server_conf *c)
{
    refs_get(&c->refs);
    return c;
}

void server_conf_unref(struct server_conf *c)
{
    if (!c || !refs_put(&c->refs)) return;
    tls_server_unref(c->h.tls);
    free(c);
}

/* --- life --- */

static void on_release(struct msg *m)
{
    struct conn *c = container_of(m, struct conn, release);

    if (c->proto) c->proto->free(c);
    server_conf_unref(c->conf);
    free(c->handshake_err);
    free(c);
}

static void close_socket(struct conn *c)
{
    io_free(c->io);
    c->io = NULL;
    if (c->ssl) {
        ERR_clear_error();
        if (c->handshaken)
            SSL_shutdown(c->ssl); /* one close_notify, best effort: the socket goes anyway */
        SSL_free(c->ssl);
        c->ssl = NULL;
    }
    close(c->fd);
    c->fd = -1;
}

void conn_close(struct conn *c)
{
    struct member *m = c->member;

    if (c->dead) return;
    c->dead = true;
    if (c->proto && c->proto->closed) c->proto->closed(c);
    close_socket(c);
    timer_free(c->timer);
    c->timer = NULL;
    buf_done(&c->out);
    buf_done(&c->held);
    blob_unref(c->blob);
    c->blob = NULL;
    list_del(&c->node);
    atomic_fetch_sub(&m->n_conns, 1);
    listener_conn_closed(m->listener);
    listener_member_check(m);
    /* A resume may be queued: it is run (and does nothing) before the release, which is queued
     * after it. */
    loop_defer(c->loop, &c->release);
}

/* --- time --- */

static i64 sooner(i64 a, i64 b)
{
    return !a ? b : !b ? a : MIN(a, b);
}

static void set_alarm(struct conn *c)
{
    i64 at = sooner(c->gather_due, sooner(c->due, c->out_due));

    if (!at || (c->alarm_at && c->alarm_at <= at))
        return; /* when it fires too early, it is set again */
    c->alarm_at = at;
    timer_start(c->timer, at - loop_now(c->loop));
}

static size_t gather_size(const struct conn *c)
{
    size_t hint = c->conf->h.read_buffer;

    return hint ? MIN(hint, (size_t)GATHER) : GATHER;
}

/* Peers write large messages in small pieces (16 KiB frames of HTTP/2): being woken for each costs
 * more than the bytes. A hint to the kernel; where it does not help, reading works as ever. */
static void gather(struct conn *c, bool on)
{
    const int low = on ? (int)gather_size(c) : 1;

    c->gather_due = on ? loop_now(c->loop) + GATHER_TIME : 0;
    if (on != c->gathers && setsockopt(c->fd, SOL_SOCKET, SO_RCVLOWAT, &low, sizeof(low)) == 0)
        c->gathers = on;
    if (on) set_alarm(c);
}

static void on_timer(void *arg)
{
    struct conn *c = arg;
    i64 now = loop_now(c->loop);

    c->alarm_at = 0;
    if (c->out_due && c->out_due <= now) {
        conn_close(c); /* the peer does not read */
        return;
    }
    if (c->gather_due && c->gather_due <= now) gather(c, false);
    if (c->due && c->due <= now) {
        c->due = 0;
        if (c->close_after)
            conn_close(c);
        else
            c->proto->timeout(c);
    }
    if (!c->dead) set_alarm(c);
}

void conn_arm(struct conn *c, i64 at)
{
    c->due = at;
    set_alarm(c);
}

struct str conn_date(struct conn *c)
{
    struct member *m = c->member;
    i64 sec = clock_real(loop_clock(c->loop)) / NS_PER_SEC;
    struct tm tm;

    if (sec != m->date_at || !m->date[0]) {
        time_t t = (time_t)sec;
        gmtime_r(&t, &tm);
        strftime(m->date, sizeof(m->date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
        m->date_at = sec;
    }
    return str_of(m->date);
}

/* --- writing --- */

bool conn_has_output(const struct conn *c)
{
    return c->out.n > c->out_at || c->blob;
}

void conn_send_blob(struct conn *c, struct blob *b)
{
    ASSERT(!c->blob);
    if (b->n) c->blob = blob_ref(b);
    c->blob_at = 0;
}

static size_t fill_iov(const struct conn *c, struct iovec iov[2])
{
    size_t n = 0;

    if (c->out.n > c->out_at) iov[n++] = (struct iovec){c->out.p + c->out_at, c->out.n - c->out_at};
    if (c->blob) iov[n++] = (struct iovec){c->blob->p + c->blob_at, c->blob->n - c->blob_at};
    return n;
}

static void written(struct conn *c, size_t n)
{
    size_t head = MIN(n, c->out.n - c->out_at);

    c->out_at += head;
    c->blob_at += n - head;
    if (c->out_at == c->out.n) {
        c->out_at = 0;
        buf_truncate(&c->out, 0);
    } else if (c->out_at >= KEEP_MEMORY && c->out_at >= c->out.n / 2) {
        buf_consume(&c->out, c->out_at); /* an answer that goes on may never be drained */
        c->out_at = 0;
    }
    if (c->blob && c->blob_at == c->blob->n) {
        blob_unref(c->blob);
        c->blob = NULL;
    }
}

/* >0 bytes, -EAGAIN, or another error. */
static ssize_t tls_write(struct conn *c, const struct iovec *iov)
{
    ERR_clear_error();
    int n = SSL_write(c->ssl, iov->iov_base, (int)MIN(iov->iov_len, (size_t)1 << 20));

    if (n > 0) return n;
    int e = SSL_get_error(c->ssl, n);
    return e == SSL_ERROR_WANT_WRITE || e == SSL_ERROR_WANT_READ ? -EAGAIN : -EPIPE;
}

static ssize_t transport_write(struct conn *c)
{
    struct iovec iov[2];
    struct msghdr m = {.msg_iov = iov};

    m.msg_iovlen = fill_iov(c, iov);
    if (c->ssl) return tls_write(c, iov);
    ssize_t n = sendmsg(c->fd, &m, MSG_NOSIGNAL);
    return n >= 0 ? n : errno == EINTR ? -EAGAIN : -errno;
}

static void update_io(struct conn *c)
{
    bool reads = c->held.n < HELD_MAX && !c->resuming && !c->saw_eof;
    bool writes = conn_has_output(c) || c->ssl_read_wants_write ||
                  (c->ssl && !c->handshaken && SSL_want_write(c->ssl));

    io_set(c->io, (reads ? IO_READ : 0) | (writes ? IO_WRITE : 0));
}

static void output_done(struct conn *c)
{
    c->out_due = 0;
    if (c->out.cap > KEEP_MEMORY) buf_done(&c->out);
    if (c->close_after)
        conn_linger(c);
    else
        c->proto->drained(c);
}

/* The kernel tells of room only when a third of its buffer is free: with megabytes in there, a
 * client that reads slowly would look like one that does not read. */
void conn_stream_begins(struct conn *c)
{
    const int low = UNSENT_LOW;

    if (c->n_streaming++ == 0)
        (void)setsockopt(c->fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &low, sizeof(low)); /* a wish */
}

void conn_stream_ends(struct conn *c)
{
    ASSERT(c->n_streaming > 0);
    c->n_streaming--;
}

/* An answer has the write timeout as a whole; one that goes on has it anew whenever the client took
 * something. */
static void arm_output(struct conn *c, bool progress)
{
    if (c->conf->h.write_timeout <= 0 || (c->out_due && !(progress && c->n_streaming > 0))) return;
    c->out_due = loop_now(c->loop) + c->conf->h.write_timeout;
    set_alarm(c);
}

void conn_flush(struct conn *c)
{
    bool progress = false;

    if (c->dead || !conn_has_output(c) || (c->ssl && !c->handshaken)) return;
    if (buf_err(&c->out)) {
        conn_close(c);
        return;
    }
    while (conn_has_output(c)) {
        ssize_t n = transport_write(c);
        if (n == -EAGAIN) break;
        if (n < 0) {
            conn_close(c);
            return;
        }
        written(c, (size_t)n);
        progress = true;
    }
    if (conn_has_output(c))
        arm_output(c, progress);
    else
        output_done(c);
    if (!c->dead) update_io(c);
}

/* Closing with unread input makes the kernel send a reset, and the peer would lose the answer. */
void conn_linger(struct conn *c)
{
    c->close_after = true;
    if (c->dead || conn_has_output(c)) return; /* comes back when it is written */
    buf_done(&c->held);
    if (c->saw_eof) {
        conn_close(c);
        return;
    }
    if (c->ssl) SSL_shutdown(c->ssl);
    shutdown(c->fd, SHUT_WR);
    c->out_due = 0;
    conn_arm(c, loop_now(c->loop) + LINGER_TIME);
    update_io(c);
}

/* --- reading --- */

static bool lingering(const struct conn *c)
{
    return c->close_after && !conn_has_output(c);
}

/* Offers bytes to the protocol (which may change on the way) until it takes none; returns how many
 * were taken. */
static size_t offer(struct conn *c, const char *p, size_t n)
{
    size_t at = 0;

    if (c->close_after) return n; /* nothing that comes now is of interest */
    while (at < n && !c->dead) {
        size_t took = c->proto->input(c, p + at, n - at);
        if (took == 0) break;
        at += took;
        if (c->close_after) return n;
    }
    return at;
}

/* Bytes behind held ones have to wait with them. */
static void feed(struct conn *c, const char *p, size_t n)
{
    size_t took = c->held.n ? 0 : offer(c, p, n);

    if (c->dead || took == n) return;
    buf_add(&c->held, p + took, n - took);
    if (buf_err(&c->held)) conn_close(c);
}

/* >0 bytes, 0 end, -EAGAIN, or another error. */
static ssize_t tls_read(struct conn *c, char *p, size_t n)
{
    ERR_clear_error();
    int got = SSL_read(c->ssl, p, (int)MIN(n, (size_t)1 << 30));

    if (got > 0) return got;
    int e = SSL_get_error(c->ssl, got);
    c->ssl_read_wants_write = e == SSL_ERROR_WANT_WRITE;
    if (e == SSL_ERROR_ZERO_RETURN) return 0;
    return e == SSL_ERROR_WANT_WRITE || e == SSL_ERROR_WANT_READ ? -EAGAIN : -ECONNRESET;
}

static ssize_t transport_read(struct conn *c, char *p, size_t n)
{
    if (c->ssl) return tls_read(c, p, n);
    ssize_t got = recv(c->fd, p, n, 0);
    return got >= 0 ? got : errno == EINTR ? -EAGAIN : -errno;
}

static void on_eof(struct conn *c)
{
    c->saw_eof = true;
    if (lingering(c) || !c->proto->eof)
        conn_close(c);
    else if (c->close_after)
        return; /* what is left of the answer is still written */
    else
        c->proto->eof(c);
}

/* One read. Returns the bytes it brought; 0 when there is no more for now (or never). *ret_short:
 * the socket is empty. */
static size_t read_once(struct conn *c, bool *ret_short)
{
    size_t room = 0;
    char *at = c->proto->place && !c->close_after && !c->held.n ? c->proto->place(c, &room) : NULL;
    bool direct = at != NULL;

    if (!direct) at = loop_scratch(c->loop, &room);
    ssize_t n = transport_read(c, at, room);
    *ret_short = !c->ssl && n > 0 && (size_t)n < room;
    if (n == -EAGAIN) return 0;
    if (n < 0) {
        c->error = (int)n;
        conn_close(c);
        return 0;
    }
    c->last_read = loop_now(c->loop);
    if (n == 0)
        on_eof(c);
    else if (direct)
        c->proto->placed(c, (size_t)n);
    else
        feed(c, at, (size_t)n);
    return (size_t)n;
}

/* Bytes that OpenSSL has taken from the socket do not make it readable again: the rest of a burst
 * is resumed. */
static void read_burst(struct conn *c)
{
    size_t left = READ_BURST;
    bool empty = false;

    while (!c->dead && !c->saw_eof && c->held.n < HELD_MAX && left > 0 && !empty) {
        size_t n = read_once(c, &empty);
        if (n == 0) break;
        left -= MIN(n, left);
    }
    if (c->dead) return;
    if (c->ssl && left == 0 && SSL_has_pending(c->ssl)) conn_resume(c);
    size_t more = c->proto->expects && !c->held.n ? c->proto->expects(c) : 0;
    bool large = more >= gather_size(c);
    if (large || c->gathers) gather(c, large);
}

/* What has already arrived is still served. */
void conn_drain(struct conn *c)
{
    if (c->dead || c->draining) return;
    c->draining = true;
    if (!c->ssl || c->handshaken) read_burst(c);
    if (c->dead || c->close_after) return;
    c->proto->drain(c);
    conn_flush(c);
    if (!c->dead) update_io(c);
}

static void on_resume(struct msg *m)
{
    struct conn *c = container_of(m, struct conn, resume);
    struct buf held = c->held;

    c->resuming = false;
    if (c->dead) return;
    buf_init(&c->held, HELD_MAX + LOOP_SCRATCH);
    if (held.n) feed(c, held.p, held.n);
    buf_done(&held);
    if (!c->dead && c->ssl && c->handshaken) read_burst(c);
    if (!c->dead && c->proto->resumed) c->proto->resumed(c);
    if (!c->dead) {
        conn_flush(c);
        if (!c->dead) update_io(c);
    }
}

void conn_resume(struct conn *c)
{
    if (c->resuming || c->dead) return;
    c->resuming = true;
    loop_defer(c->loop, &c->resume);
}

/* --- TLS handshake --- */

static const char plain_text[] =
    "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";

static void refuse_plain(struct conn *c)
{
    ssize_t n = send(c->fd, plain_text, sizeof(plain_text) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);

    SSL_free(c->ssl);
    c->ssl = NULL;
    if (n < 0)
        conn_close(c);
    else
        conn_linger(c);
}

static void start_protocol(struct conn *c)
{
    const unsigned char *alpn;
    unsigned n;

    if (c->conf->proto) {
        stream_start(c);
        return;
    }
    SSL_get0_alpn_selected(c->ssl, &alpn, &n);
    if (n == 2 && memcmp(alpn, "h2", 2) == 0 && !c->conf->h.no_h2)
        http2_start(c);
    else
        http1_start(c);
}

static void handshake(struct conn *c)
{
    ERR_clear_error();
    int r = SSL_do_handshake(c->ssl);

    if (r == 1) {
        c->handshaken = true;
        start_protocol(c);
        return;
    }
    int e = SSL_get_error(c->ssl, r);
    if (e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE) {
        update_io(c);
    } else if (!c->conf->proto && ERR_GET_REASON(ERR_peek_error()) == SSL_R_HTTP_REQUEST) {
        refuse_plain(c);
    } else {
        if (c->conf->proto) c->handshake_err = tls_error("TLS handshake");
        conn_close(c);
    }
}

static void on_io(void *arg, int events)
{
    struct conn *c = arg;

    if (c->ssl && !c->handshaken) {
        handshake(c);
        if (c->dead || (c->ssl && !c->handshaken) || lingering(c)) return;
    }
    if (events & IO_WRITE) conn_flush(c);
    if (!c->dead && (events & IO_READ || c->ssl_read_wants_write)) read_burst(c);
    if (c->dead) return;
    conn_flush(c);
    if (!c->dead) update_io(c);
}

/* --- which protocol: the first three bytes of a cleartext connection tell "PRI" from any method
 * --- */

static size_t sniff_input(struct conn *c, const char *p, size_t n)
{
    static const char preface[] = "PRI";

    if (*p == preface[c->n_sniffed]) {
        if (++c->n_sniffed < 3) return 1;
        http2_start(c);
        if (!c->dead) c->proto->input(c, preface, 3);
        return 1;
    }
    u8 sniffed = c->n_sniffed;
    http1_start(c);
    if (sniffed) c->proto->input(c, preface, sniffed);
    return c->dead ? n : c->proto->input(c, p, n);
}

static void sniff_nothing(struct conn *c) {}

/* A connection that was just made gets a moment to say what it wants; its maker could not tell
 * refusal from loss. */
static void sniff_drain(struct conn *c)
{
    conn_arm(c, loop_now(c->loop) + FRESH_TIME);
}

/* Also stands in for the protocol while a TLS handshake runs. */
const struct conn_proto sniff_proto = {
    .input = sniff_input,
    .drained = sniff_nothing,
    .timeout = conn_close,
    .drain = sniff_drain,
    .free = sniff_nothing,
};

/* Room for the addresses was checked where they were made (listener.c). */
static void copy_text(char *to, size_t cap, const char *from)
{
    int n = snprintf(to, cap, "%s", from);

    ASSERT(n >= 0 && (size_t)n < cap);
}

struct conn *conn_new(struct member *m, struct server_conf *conf, int fd, const char *peer,
                      const char *peer_ip)
{
    struct conn *c = xnew(struct conn);

    c->member = m;
    c->conf = server_conf_ref(conf);
    c->loop = m->loop;
    c->fd = fd;
    c->proto = conf->proto ? conf->proto : &sniff_proto;
    c->resume.fn = on_resume;
    c->release.fn = on_release;
    c->opened = c->last_read = loop_now(c->loop);
    copy_text(c->peer, sizeof(c->peer), peer);
    copy_text(c->peer_ip, sizeof(c->peer_ip), peer_ip);
    buf_init(&c->out, OUT_MAX);
    buf_init(&c->held, HELD_MAX + LOOP_SCRATCH); /* the limit and one read more */
    list_add_tail(&m->conns, &c->node);
    atomic_fetch_add(&m->n_conns, 1);
    c->timer = timer_new(c->loop, on_timer, c);
    c->io = io_new(c->loop, fd, IO_READ, on_io, c);
    if (conf->h.tls) c->ssl = tls_server_session(conf->h.tls, fd, loop_now(c->loop));
    if (conf->h.read_header_timeout > 0) conn_arm(c, c->opened + conf->h.read_header_timeout);
    if (conf->h.tls) return c;
    if (conf->proto)
        stream_start(c);
    else if (conf->h.no_h2)
        http1_start(c);
    return c;
}
