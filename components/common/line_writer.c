/* Text to standard output, standard error or files, without blocking the loop. */
#include "components/common/line_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "base/xalloc.h"

#define FULL        ((size_t)1 << 20)
#define PENDING_MAX ((size_t)256 << 20) /* one batch on top of a full buffer */
#define CHUNK       4096                /* what a pipe that polls writable takes without blocking */
#define TRY_EVERY   (20 * NS_PER_MS)

struct line_writer {
    int fd;
    bool owned, was_full;
    struct buf pending;
    struct timer *again;
    void (*room)(void *arg);
    void *arg;
};

static bool writable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    return poll(&p, 1, 0) == 1;
}

/* Bytes written; 0 when it would block. A reader that is gone takes everything: there is nobody to
 * wait for. */
static size_t write_some(int fd, struct str text)
{
    if (!writable(fd)) return 0;
    ssize_t n = write(fd, text.p, MIN(text.n, CHUNK));
    if (n >= 0) return (size_t)n;
    return errno == EAGAIN || errno == EINTR ? 0 : text.n;
}

static void drain(void *arg)
{
    struct line_writer *w = arg;
    size_t done = 0, n;
    while (done < w->pending.n &&
           (n = write_some(w->fd, str_sub(buf_view(&w->pending), done, w->pending.n))) > 0)
        done += n;
    buf_consume(&w->pending, done);
    if (w->pending.n > 0) timer_start(w->again, TRY_EVERY);
    if (w->was_full && !line_writer_full(w)) {
        w->was_full = false;
        w->room(w->arg);
    }
}

int line_writer_open(struct loop *loop, struct str path, void (*room)(void *arg), void *arg,
                     struct line_writer **ret, char **ret_err)
{
    bool out = str_is(path, "stdout"), err = str_is(path, "stderr");
    char *name = str_dup(path);
    int fd = out   ? STDOUT_FILENO
             : err ? STDERR_FILENO
                   : open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    int r = fd < 0 ? -errno : 0;
    if (r < 0) *ret_err = xprintf("open %s: %s", name, strerror(-r));
    free(name);
    if (r < 0) return r;
    struct line_writer *w = xnew(struct line_writer);
    *w = (struct line_writer){.fd = fd,
                              .owned = !out && !err,
                              .pending = BUF_INIT(PENDING_MAX),
                              .room = room,
                              .arg = arg};
    w->again = timer_new(loop, drain, w);
    *ret = w;
    return 0;
}

bool line_writer_full(const struct line_writer *w)
{
    return w->pending.n >= FULL;
}

void line_writer_add(struct line_writer *w, struct str text)
{
    buf_str(&w->pending, text);
    if (!timer_active(w->again)) drain(w);
    w->was_full = line_writer_full(w);
}

void line_writer_free(struct line_writer *w)
{
    if (!w) return;
    w->was_full = false; /* nobody is waiting any more */
    drain(w);
    timer_free(w->again);
    buf_done(&w->pending);
    if (w->owned) close(w->fd);
    free(w);
}
