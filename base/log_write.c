/* Whole lines to a descriptor from any thread, without ever waiting for its reader.
 * Lines go into a bounded queue of bytes; whoever finds the queue unattended writes it out, for the
 * others as well. So no thread spins while another is in write(2), lines never interleave, and a
 * line is lost (and counted) only when the reader has stalled for a whole queue. The descriptor is
 * shared with other processes, so its flags are left alone: poll(2) asks first, and pieces of
 * PIPE_BUF fit wherever poll says there is room. */
#include "base/log_impl.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/xalloc.h"

#define LOG_QUEUE_MAX (256 * 1024)

struct log_writer {
    int fd;
    bool is_socket; /* can be told not to wait */
    _Atomic u64 dropped;
    atomic_bool busy; /* someone is writing the queue out */
    struct spin lock; /* of the queue */
    struct buf queue;
};

struct log_writer *log_writer_new(int fd)
{
    struct log_writer *w = xnew(struct log_writer);
    struct stat st;

    w->fd = fd;
    w->is_socket = fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);
    buf_init(&w->queue, LOG_QUEUE_MAX);
    return w;
}

static ssize_t write_now(struct log_writer *w, const char *p, size_t n)
{
    struct pollfd ready = {.fd = w->fd, .events = POLLOUT};

    if (w->is_socket) return send(w->fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (poll(&ready, 1, 0) == 1 && (ready.revents & POLLOUT)) return write(w->fd, p, n);
    errno = ready.revents ? EPIPE : EAGAIN;
    return -1;
}

static size_t copy_front(struct log_writer *w, char *piece, size_t cap)
{
    spin_lock(&w->lock);
    size_t n = MIN(w->queue.n, cap);
    if (n) memcpy(piece, w->queue.p, n);
    spin_unlock(&w->lock);
    return n;
}

static void drop_front(struct log_writer *w, size_t n)
{
    spin_lock(&w->lock);
    buf_consume(&w->queue, n);
    spin_unlock(&w->lock);
}

/* A reader that is gone will not come back: what waits for it is lost. */
static void drop_all(struct log_writer *w)
{
    u64 lines = 0;

    spin_lock(&w->lock);
    for (size_t i = 0; i < w->queue.n; i++)
        lines += w->queue.p[i] == '\n';
    buf_truncate(&w->queue, 0);
    spin_unlock(&w->lock);
    atomic_fetch_add(&w->dropped, lines);
}

/* Writes until the queue is empty (true) or the descriptor takes no more (false). */
static bool write_out(struct log_writer *w)
{
    char piece[PIPE_BUF];
    size_t n;

    while ((n = copy_front(w, piece, sizeof(piece)))) {
        ssize_t done = write_now(w, piece, n);

        if (done > 0)
            drop_front(w, (size_t)done);
        else if (errno == EAGAIN || errno == EWOULDBLOCK)
            return false;
        else if (errno != EINTR)
            drop_all(w);
    }
    return true;
}

/* A line added after the writer's last look is seen by the second look: its adder found the writer
 * busy and left. */
static void attend(struct log_writer *w)
{
    bool more = true;

    while (more && !atomic_exchange(&w->busy, true)) {
        more = write_out(w);
        atomic_store(&w->busy, false);
        if (!more) return;
        spin_lock(&w->lock);
        more = w->queue.n > 0;
        spin_unlock(&w->lock);
    }
}

void log_writer_add(struct log_writer *w, struct str line)
{
    spin_lock(&w->lock);
    buf_str(&w->queue, line);
    bool lost = buf_err(&w->queue) != 0;
    w->queue.err = 0; /* there may be room for a shorter or a later line */
    spin_unlock(&w->lock);
    if (lost) log_writer_drop(w);
    attend(w);
}

void log_writer_drop(struct log_writer *w)
{
    atomic_fetch_add_explicit(&w->dropped, 1, memory_order_relaxed);
}

u64 log_writer_dropped(const struct log_writer *w)
{
    return atomic_load_explicit(&w->dropped, memory_order_relaxed);
}

void log_writer_free(struct log_writer *w)
{
    attend(w);
    buf_done(&w->queue);
    free(w);
}
