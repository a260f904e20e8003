/* Descriptor and signal watchers: thin covers over libev's, so that nothing above sees it. */
#include "base/assert.h"
#include "net/loop_private.h"

struct io {
    ev_io ev;
    struct loop *loop;
    void (*fn)(void *arg, int events);
    void *arg;
    int events;
};

static int to_ev(int events)
{
    return (events & IO_READ ? EV_READ : 0) | (events & IO_WRITE ? EV_WRITE : 0);
}

/* libev reports a dead descriptor as both readable and writable: pass on only what was asked for,
 * the call will see the error. */
static void on_io(struct ev_loop *ev, ev_io *w, int revents)
{
    struct io *io = container_of(w, struct io, ev);
    int got = (revents & EV_READ ? IO_READ : 0) | (revents & EV_WRITE ? IO_WRITE : 0);

    (void)ev;
    if (revents & EV_ERROR) got = io->events;
    if (got & io->events) io->fn(io->arg, got & io->events);
}

struct io *io_new(struct loop *l, int fd, int events, void (*fn)(void *arg, int events), void *arg)
{
    struct io *io = xnew(struct io);

    io->loop = l;
    io->fn = fn;
    io->arg = arg;
    ev_io_init(&io->ev, on_io, fd, 0);
    io_set(io, events);
    return io;
}

void io_set(struct io *io, int events)
{
    if (events == io->events) return;
    io->events = events;
    if (ev_is_active(&io->ev)) ev_io_stop(io->loop->ev, &io->ev);
    ev_io_set(&io->ev, io->ev.fd, to_ev(events));
    if (events) ev_io_start(io->loop->ev, &io->ev);
}

void io_free(struct io *io)
{
    if (!io) return;
    ev_io_stop(io->loop->ev, &io->ev);
    free(io);
}

struct sigwatch {
    ev_signal ev;
    struct loop *loop;
    void (*fn)(void *arg);
    void *arg;
};

static void on_signal(struct ev_loop *ev, ev_signal *w, int revents)
{
    struct sigwatch *s = container_of(w, struct sigwatch, ev);

    (void)ev;
    (void)revents;
    s->fn(s->arg);
}

struct sigwatch *sigwatch_new(struct loop *l, int signum, void (*fn)(void *arg), void *arg)
{
    struct sigwatch *s = xnew(struct sigwatch);

    ASSERT(loop_index(l) == 0);
    s->loop = l;
    s->fn = fn;
    s->arg = arg;
    ev_signal_init(&s->ev, on_signal, signum);
    ev_signal_start(l->ev, &s->ev);
    return s;
}

void sigwatch_free(struct sigwatch *s)
{
    if (!s) return;
    ev_signal_stop(s->loop->ev, &s->ev);
    free(s);
}
