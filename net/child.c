/* Child processes: spawn, collect, end. */
#include "net/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/buf.h"
#include "net/loop_private.h"

#define LOOK_EVERY (20 * NS_PER_MS) /* without a pidfd */
#define DRAIN_MAX  64               /* reads of what is left in a pipe after the end */

struct stream {
    int fd; /* -1: closed */
    struct io *io;
    struct buf text;
    size_t keep;
    bool tail; /* keep the last bytes, not the first */
    bool cut;
};

struct child {
    struct list node; /* of the loop */
    struct loop *loop;
    pid_t pid; /* also the group's number */
    int pidfd; /* -1: none */
    struct io *ended;
    struct timer *look, *limit;
    struct stream out, err;
    bool timed_out;
    void (*done)(void *arg, const struct child_result *r); /* NULL: cancelled */
    void *arg;
};

/* --- output --- */

static void stream_close(struct stream *s)
{
    io_free(s->io);
    if (s->fd >= 0) close(s->fd);
    s->io = NULL;
    s->fd = -1;
}

static void keep(struct stream *s, struct str got)
{
    if (s->tail) {
        buf_str(&s->text, got);
        if (s->text.n > s->keep) buf_consume(&s->text, s->text.n - s->keep);
        return;
    }
    size_t room = s->keep - s->text.n;
    s->cut |= got.n > room;
    buf_str(&s->text, str_n(got.p, MIN(got.n, room)));
}

/* False when there is nothing more for now. */
static bool stream_read(struct stream *s)
{
    char bytes[4096];
    ssize_t n = read(s->fd, bytes, sizeof(bytes));

    if (n < 0 && errno == EINTR) return true;
    if (n > 0) keep(s, str_n(bytes, (size_t)n));
    if (n == 0 || (n < 0 && errno != EAGAIN)) stream_close(s);
    return n > 0;
}

static void on_output(void *arg, int events)
{
    (void)stream_read(arg);
}

/* Somebody who left the group may hold the pipe open: what is there counts, not its end. */
static void stream_drain(struct stream *s)
{
    for (int i = 0; i < DRAIN_MAX && s->fd >= 0 && stream_read(s); i++)
        ;
    stream_close(s);
}

static void stream_init(struct stream *s, struct loop *l, int fd, size_t max, bool tail)
{
    *s = (struct stream){.fd = fd, .keep = max, .tail = tail, .text = BUF_INIT(max + 4096)};
    s->io = io_new(l, fd, IO_READ, on_output, s);
}

/* --- the end --- */

static void child_free(struct child *c)
{
    list_del(&c->node);
    stream_close(&c->out);
    stream_close(&c->err);
    buf_done(&c->out.text);
    buf_done(&c->err.text);
    io_free(c->ended);
    if (c->pidfd >= 0) close(c->pidfd);
    timer_free(c->look);
    timer_free(c->limit);
    free(c);
}

static void finish(struct child *c, int status)
{
    struct child_result r = {
        .status = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
        .signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0,
        .timed_out = c->timed_out,
    };

    stream_drain(&c->out);
    stream_drain(&c->err);
    r.out = buf_view(&c->out.text);
    r.err = buf_view(&c->err.text);
    r.out_cut = c->out.cut;
    if (c->done) c->done(c->arg, &r);
    child_free(c);
}

/* What it left behind in its group is killed while its number cannot have been given away. */
static bool reap(struct child *c, int *ret_status)
{
    siginfo_t info = {0};

    if (waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || !info.si_pid)
        return false;
    kill(-c->pid, SIGKILL);
    return waitpid(c->pid, ret_status, 0) == c->pid;
}

static void look(void *arg)
{
    struct child *c = arg;
    int status;

    if (reap(c, &status)) finish(c, status);
}

static void on_ended(void *arg, int events)
{
    look(arg);
}

static void time_over(void *arg)
{
    struct child *c = arg;

    c->timed_out = true;
    kill(-c->pid, SIGKILL);
}

void child_cancel(struct child *c)
{
    c->done = NULL;
    timer_stop(c->limit);
    kill(-c->pid, SIGKILL);
}

void children_free(struct loop *l)
{
    list_each (&l->children, node) {
        struct child *c = list_item(node, struct child, node);
        int status;
        kill(-c->pid, SIGKILL);
        (void)reap(c, &status); /* what has not ended yet is left to init */
        child_free(c);
    }
}

/* --- the start --- */

static void describe(const struct child_conf *conf, int out, int err,
                     posix_spawn_file_actions_t *files, posix_spawnattr_t *attr)
{
    sigset_t all, none;

    posix_spawn_file_actions_init(files);
    posix_spawn_file_actions_addopen(files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(files, out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(files, err, STDERR_FILENO);
    posix_spawn_file_actions_addclosefrom_np(files, STDERR_FILENO + 1);
    if (conf->cwd) posix_spawn_file_actions_addchdir_np(files, conf->cwd);
    sigfillset(&all);
    sigemptyset(&none);
    posix_spawnattr_init(attr);
    posix_spawnattr_setflags(attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                       POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(attr, 0);
    posix_spawnattr_setsigmask(attr, &none);
    posix_spawnattr_setsigdefault(attr, &all);
}

static int spawn(const struct child_conf *conf, int out, int err, pid_t *ret_pid)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;

    describe(conf, out, err, &files, &attr);
    int rc =
        posix_spawnp(ret_pid, conf->argv[0], &files, &attr, (char *const *)(uintptr_t)conf->argv,
                     (char *const *)(uintptr_t)conf->env);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&files);
    return -rc;
}

static int open_pipes(int out[2], int err[2])
{
    if (pipe2(out, O_CLOEXEC) != 0) return -errno;
    if (pipe2(err, O_CLOEXEC) == 0) return 0;
    int rc = -errno;
    close(out[0]);
    close(out[1]);
    return rc;
}

/* Only our end: the child's shall block. */
static int spawn_with_pipes(const struct child_conf *conf, int out[2], int err[2], pid_t *ret_pid)
{
    int rc = open_pipes(out, err);

    if (rc < 0) return rc;
    fcntl(out[0], F_SETFL, O_NONBLOCK);
    fcntl(err[0], F_SETFL, O_NONBLOCK);
    rc = spawn(conf, out[1], err[1], ret_pid);
    close(out[1]);
    close(err[1]);
    if (rc == 0) return 0;
    close(out[0]);
    close(err[0]);
    return rc;
}

static void watch_end(struct child *c)
{
    c->pidfd = (int)syscall(SYS_pidfd_open, c->pid, 0); /* closed on exec by itself */
    if (c->pidfd >= 0) {
        c->ended = io_new(c->loop, c->pidfd, IO_READ, on_ended, c);
        return;
    }
    c->look = timer_new(c->loop, look, c);
    timer_every(c->look, LOOK_EVERY);
}

int child_start(struct loop *l, const struct child_conf *conf,
                void (*done)(void *arg, const struct child_result *r), void *arg,
                struct child **ret)
{
    int out[2], err[2];
    pid_t pid;
    int rc = spawn_with_pipes(conf, out, err, &pid);

    if (rc < 0) return rc;
    struct child *c = xnew(struct child);
    *c = (struct child){.loop = l, .pid = pid, .done = done, .arg = arg};
    stream_init(&c->out, l, out[0], conf->max_output, false);
    stream_init(&c->err, l, err[0], conf->max_output, true);
    list_add_tail(&l->children, &c->node);
    watch_end(c);
    c->limit = timer_new(l, time_over, c);
    timer_start(c->limit, conf->timeout);
    *ret = c;
    return 0;
}
