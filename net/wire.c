/* Dialling, the proxy's tunnel, the TLS handshake, and the bytes after that. A failure closes the
 * socket where it is noticed and is told later in the turn; memory goes later too, so that
 * callbacks may free the wire. */
#include "net/wire.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <unistd.h>
#include "base/xalloc.h"
#include "net/loop_private.h"
#include "net/tls_private.h"

#define OUT_MAX ((size_t)64 << 20)
#define KEEP_MEMORY                                                                                \
    ((size_t)512 * 1024) /* a larger buffer is not kept while there is nothing to write */
#define READ_BURST ((size_t)1024 * 1024) /* bytes taken before other connections get their turn */
#define READ_LEAST ((size_t)1024)
#define REPLY_MAX  ((size_t)16 * 1024) /* of a proxy */

enum state { DIALLING, TUNNELLING, SHAKING, OPEN, DEAD };

struct wire {
    struct loop *loop;
    enum state state;
    int fd;
    SSL *ssl;
    struct io *io;
    struct buf out, reply;
    size_t out_at, read_size;
    bool tunnels, read_wants_write, h2;
    const struct wire_ops *ops;
    void *arg;
    char *name;
    struct msg over, resume;
    bool over_queued, resume_queued, gone;
    enum http_fail fail;
    char *text; /* why it failed */
};

/* --- the end --- */

static void close_socket(struct wire *w)
{
    io_free(w->io);
    w->io = NULL;
    if (w->ssl) {
        ERR_clear_error();
        if (w->state == OPEN) SSL_shutdown(w->ssl);
        SSL_free(w->ssl);
        w->ssl = NULL;
    }
    if (w->fd >= 0) close(w->fd);
    w->fd = -1;
    w->state = DEAD;
    buf_done(&w->out);
    buf_done(&w->reply);
}

static void on_over(struct msg *m)
{
    struct wire *w = container_of(m, struct wire, over);

    w->over_queued = false;
    if (!w->gone) {
        w->ops->failed(w->arg, w->fail, w->text);
        return;
    }
    free(w->name);
    free(w->text);
    free(w);
}

/* A queued resume is run (and does nothing) before this. */
static void queue_over(struct wire *w)
{
    if (w->over_queued) return;
    w->over_queued = true;
    loop_defer(w->loop, &w->over);
}

/* Takes text. */
static void fail(struct wire *w, enum http_fail why, char *text)
{
    if (w->state == DEAD) {
        free(text);
        return;
    }
    w->fail = why;
    w->text = text;
    close_socket(w);
    queue_over(w);
}

void wire_free(struct wire *w)
{
    if (!w) return;
    close_socket(w);
    w->gone = true;
    queue_over(w);
}

static char *errno_text(int err)
{
    char room[128];
    char *text = xstrdup(strerror_r(err, room, sizeof(room)));

    if (*text >= 'A' && *text <= 'Z') *text = (char)(*text | 0x20);
    return text;
}

static void fail_errno(struct wire *w, enum http_fail why, const char *what, int err)
{
    char *reason = errno_text(err);

    fail(w, why, xprintf("%s%s", what, reason));
    free(reason);
}

static void fail_connect(struct wire *w, int err)
{
    char *what = xprintf("dial tcp %s: connect: ", w->name);

    fail_errno(w, HTTP_CONNECT, what, err);
    free(what);
}

/* --- writing --- */

struct buf *wire_out(struct wire *w)
{
    return &w->out;
}

size_t wire_waiting(const struct wire *w)
{
    return w->out.n - w->out_at;
}

static void watch(struct wire *w)
{
    bool writes = w->state == DIALLING || w->read_wants_write ||
                  (w->state == SHAKING && SSL_want_write(w->ssl)) ||
                  (w->state != SHAKING && wire_waiting(w) > 0);

    if (w->state != DEAD)
        io_set(w->io, (w->state == DIALLING ? 0 : IO_READ) | (writes ? IO_WRITE : 0));
}

/* >0 bytes, -EAGAIN, or another error. */
static ssize_t put(struct wire *w, const char *p, size_t n)
{
    if (!w->ssl || w->state == TUNNELLING) {
        ssize_t r = send(w->fd, p, n, MSG_NOSIGNAL);
        return r >= 0 ? r : errno == EINTR ? -EAGAIN : -errno;
    }
    ERR_clear_error();
    int r = SSL_write(w->ssl, p, (int)MIN(n, (size_t)1 << 20));
    if (r > 0) return r;
    int e = SSL_get_error(w->ssl, r);
    return e == SSL_ERROR_WANT_WRITE || e == SSL_ERROR_WANT_READ ? -EAGAIN : -EPIPE;
}

static void written_all(struct wire *w)
{
    w->out_at = 0;
    if (w->out.cap > KEEP_MEMORY)
        buf_done(&w->out);
    else
        buf_reset(&w->out);
}

void wire_flush(struct wire *w)
{
    if (w->state != OPEN && w->state != TUNNELLING) return;
    while (wire_waiting(w) > 0) {
        ssize_t n = put(w, w->out.p + w->out_at, wire_waiting(w));
        if (n == -EAGAIN) break;
        if (n < 0) {
            fail_errno(w, HTTP_BROKEN, "error writing to server: ", (int)-n);
            return;
        }
        w->out_at += (size_t)n;
    }
    if (wire_waiting(w) == 0) written_all(w);
    watch(w);
}

/* --- becoming ready --- */

static void open_up(struct wire *w)
{
    w->state = OPEN;
    w->ops->ready(w->arg);
    if (w->state == DEAD) return;
    wire_flush(w);
    watch(w);
}

static void check_alpn(struct wire *w)
{
    const unsigned char *alpn;
    unsigned n;

    SSL_get0_alpn_selected(w->ssl, &alpn, &n);
    if (!w->h2)
        open_up(w);
    else if (n == 2 && memcmp(alpn, "h2", 2) == 0)
        open_up(w);
    else
        fail(w, HTTP_TLS,
             xstrdup("credentials: cannot check peer: missing selected ALPN property"));
}

static void shake(struct wire *w)
{
    ERR_clear_error();
    int r = SSL_do_handshake(w->ssl);
    int e = r == 1 ? SSL_ERROR_NONE : SSL_get_error(w->ssl, r);

    if (r == 1) {
        check_alpn(w);
    } else if (e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE) {
        watch(w);
    } else {
        long verdict = SSL_get_verify_result(w->ssl);
        fail(w, HTTP_TLS,
             verdict != X509_V_OK ? xprintf("tls: failed to verify certificate: %s",
                                            X509_verify_cert_error_string(verdict))
             : ERR_peek_error()   ? tls_error("tls")
                                  : xstrdup("EOF"));
    }
}

static void start_tls(struct wire *w)
{
    if (!w->ssl) {
        open_up(w);
        return;
    }
    w->state = SHAKING;
    shake(w);
}

/* "HTTP/1.1 200 ..." and an empty line; the server's bytes cannot have begun, it waits for ours. */
static void read_reply(struct wire *w)
{
    char *at = buf_reserve(&w->reply, 4096);
    ssize_t n = at ? recv(w->fd, at, 4096, 0) : -1;

    if (at && n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0) {
        fail(w, HTTP_CONNECT,
             xprintf("dial tcp %s: the proxy closed the connection or answered too much", w->name));
        return;
    }
    buf_commit(&w->reply, (size_t)n);
    struct str line = buf_view(&w->reply);
    if (str_find(line, STR("\r\n\r\n")) < 0) return;
    line = str_trim(str_cut(&line, '\n'));
    if (str_starts(line, STR("HTTP/1.")) && line.n >= 12 && memcmp(line.p + 8, " 200", 4) == 0)
        start_tls(w);
    else
        fail(w, HTTP_CONNECT,
             xprintf("failed to do connect handshake, response: \"" STR_FMT "\"", STR_ARG(line)));
}

static void connected(struct wire *w)
{
    int err = 0;
    socklen_t n = sizeof(err);

    getsockopt(w->fd, SOL_SOCKET, SO_ERROR, &err, &n);
    if (err) {
        fail_connect(w, err);
        return;
    }
    if (!w->tunnels) {
        start_tls(w);
        return;
    }
    w->state = TUNNELLING;
    wire_flush(w);
}

/* --- reading --- */

/* >0 bytes, 0 end, -EAGAIN, or another error. */
static ssize_t get(struct wire *w, char *p, size_t n)
{
    if (!w->ssl) {
        ssize_t r = recv(w->fd, p, n, 0);
        return r >= 0 ? r : errno == EINTR ? -EAGAIN : -errno;
    }
    ERR_clear_error();
    int r = SSL_read(w->ssl, p, (int)n);
    if (r > 0) return r;
    int e = SSL_get_error(w->ssl, r);
    w->read_wants_write = e == SSL_ERROR_WANT_WRITE;
    if (e == SSL_ERROR_ZERO_RETURN) return 0;
    return e == SSL_ERROR_WANT_WRITE || e == SSL_ERROR_WANT_READ ? -EAGAIN : -ECONNRESET;
}

/* Bytes that OpenSSL has taken from the socket do not make it readable again: the rest is read
 * later in the turn. */
static void resume_later(struct wire *w)
{
    if (w->resume_queued) return;
    w->resume_queued = true;
    loop_defer(w->loop, &w->resume);
}

static void read_burst(struct wire *w)
{
    size_t room;
    char *at = loop_scratch(w->loop, &room);
    size_t size = w->read_size ? MIN(MAX(w->read_size, READ_LEAST), room) : room;

    for (size_t left = READ_BURST; w->state == OPEN && left > 0;) {
        ssize_t n = get(w, at, size);
        if (n == -EAGAIN) return;
        if (n == 0) fail(w, HTTP_BROKEN, xstrdup("error reading from server: EOF"));
        if (n < 0) fail_errno(w, HTTP_BROKEN, "error reading from server: ", (int)-n);
        if (n <= 0) return;
        w->ops->input(w->arg, at, (size_t)n);
        if (!w->ssl && (size_t)n < size) return;
        left -= MIN(left, (size_t)n);
    }
    if (w->state == OPEN && w->ssl && SSL_has_pending(w->ssl)) resume_later(w);
}

static void on_resume(struct msg *m)
{
    struct wire *w = container_of(m, struct wire, resume);

    w->resume_queued = false;
    if (w->state == OPEN) read_burst(w);
    watch(w);
}

static void on_open_io(struct wire *w, int events)
{
    if (events & IO_WRITE) {
        bool had = wire_waiting(w) > 0;
        wire_flush(w);
        if (had && w->state == OPEN && wire_waiting(w) == 0) w->ops->drained(w->arg);
    }
    if (w->state == OPEN && (events & IO_READ || w->read_wants_write)) read_burst(w);
    watch(w);
}

static void on_io(void *arg, int events)
{
    struct wire *w = arg;

    switch (w->state) {
    case DIALLING: connected(w); break;
    case TUNNELLING:
        if (events & IO_WRITE) wire_flush(w);
        if (w->state == TUNNELLING && events & IO_READ) read_reply(w);
        break;
    case SHAKING: shake(w); break;
    case OPEN: on_open_io(w, events); break;
    case DEAD: break;
    }
    watch(w);
}

/* --- the beginning --- */

static void tune(int fd)
{
    static const int on = 1, idle = 30, every = 30;

    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)); /* all four are hints */
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &every, sizeof(every));
}

static void add_tls(struct wire *w, SSL_CTX *ctx, const struct tls_conf *conf, struct str host)
{
    w->ssl = tls_client_session(ctx, conf, w->fd, host, w->h2);
    if (!w->ssl) fail(w, HTTP_TLS, tls_error("tls"));
}

static void dial(struct wire *w, const struct wire_conf *conf)
{
    w->fd = socket(conf->addr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (w->fd < 0) {
        fail_connect(w, errno);
        return;
    }
    tune(w->fd);
    if (conf->source && bind(w->fd, conf->source, conf->source_len) < 0) {
        fail_connect(w, errno);
        return;
    }
    if (connect(w->fd, (const struct sockaddr *)&conf->addr, conf->addr_len) < 0 &&
        errno != EINPROGRESS) {
        fail_connect(w, errno);
        return;
    }
    w->io = io_new(w->loop, w->fd, IO_WRITE, on_io, w);
    w->h2 = conf->tls != NULL;
    if (conf->tls) add_tls(w, conf->tls, conf->tls_conf, conf->host);
    if (conf->tls_client) add_tls(w, conf->tls_client->ctx, &conf->tls_client->conf, conf->host);
}

void wire_secure(struct wire *w, struct tls_client *tls, struct str host)
{
    if (w->state != OPEN) return;
    add_tls(w, tls->ctx, &tls->conf, host);
    if (w->state == OPEN) start_tls(w);
}

bool wire_peer(const struct wire *w, struct tls_peer *ret)
{
    if (!w->ssl || w->state != OPEN) return false;
    tls_peer_take(ret, w->ssl);
    return ret->known;
}

struct wire *wire_dial(struct loop *l, const struct wire_conf *conf)
{
    struct wire *w = xnew(struct wire);

    w->loop = l;
    w->fd = -1;
    w->ops = conf->ops;
    w->arg = conf->arg;
    w->name = xstrdup(conf->name);
    w->read_size = conf->read_size;
    w->over.fn = on_over;
    w->resume.fn = on_resume;
    buf_init(&w->out, OUT_MAX);
    buf_init(&w->reply, REPLY_MAX);
    buf_str(&w->out, conf->tunnel);
    w->tunnels = conf->tunnel.n > 0;
    dial(w, conf);
    return w;
}
