/* One event loop per thread: timers, descriptors, and a mailbox through which other threads hand
 * over work. libev stays behind this header. Everything but loop_post, loop_stop and the offload
 * pool belongs to the loop's own thread. */
#ifndef NET_LOOP_H
#define NET_LOOP_H

#include "base/clock.h"
#include "base/common.h"

struct loop;

/* index: 0 control loop, 1.. workers (also the metric writer number). */
struct loop *loop_new(const char *name, int index, const struct clock *clock);
void loop_free(struct loop *l);
void loop_run(
    struct loop *l); /* until loop_stop; sets the metric writer number and the thread's name */
void loop_stop(struct loop *l); /* thread safe */
/* One turn; wait: block for events up to wait_ns (tests, tools). */
void loop_turn(struct loop *l, i64 wait_ns);
int loop_index(const struct loop *l);
const struct clock *loop_clock(const struct loop *l);
i64 loop_now(const struct loop *l);      /* monotonic, cached at the start of the turn */
bool loop_is_mine(const struct loop *l); /* called on the loop's thread */

/* --- messages: embedded in what they concern, so that posting never allocates and is never refused
 * --- */
struct msg {
    struct msg *next;
    void (*fn)(struct msg *m);
};
/* Runs m->fn on l's thread; many posts are delivered as one list per wake-up, in order of posting
 * per sender. m must not be in a mailbox already. Thread safe. */
void loop_post(struct loop *l, struct msg *m);
/* Own thread only: runs m->fn later in this turn (after the current callback), without a wake-up.
 */
void loop_defer(struct loop *l, struct msg *m);

/* --- timers --- */
struct timer;
struct timer *timer_new(struct loop *l, void (*fn)(void *arg), void *arg);
void timer_start(struct timer *t, i64 after_ns); /* one shot; restarts when running */
void timer_every(struct timer *t, i64 every_ns);
void timer_stop(struct timer *t);
bool timer_active(const struct timer *t);
void timer_free(struct timer *t); /* takes NULL */

/* --- descriptors --- */
enum { IO_READ = 1, IO_WRITE = 2 };
struct io;
struct io *io_new(struct loop *l, int fd, int events, void (*fn)(void *arg, int events), void *arg);
void io_set(struct io *io, int events); /* 0 pauses it */
void io_free(struct io *io);            /* does not close fd; takes NULL */

/* --- signals: control loop only --- */
struct sigwatch;
struct sigwatch *sigwatch_new(struct loop *l, int signum, void (*fn)(void *arg), void *arg);
void sigwatch_free(struct sigwatch *s);

/* --- file changes: inotify on the directories of a path's symlink chain, with polling where
 * inotify cannot see --- */
struct file_watch;
/* fn is called on the loop after a change of the file (or directory contents) has been quiet for
 * debounce_ns; longer, within bounds, while it is open for writing or empty. poll_ns 0: inotify
 * only. */
struct file_watch *file_watch_new(struct loop *l, const char *path, i64 debounce_ns, i64 poll_ns,
                                  void (*fn)(void *arg), void *arg);
void file_watch_free(struct file_watch *w);
/* Of a folder only the entries for whose name counts() is true are looked at. Right after new. */
void file_watch_entries(struct file_watch *w, bool (*counts)(const char *name));
/* As if it had just changed: fn is called once it rests. */
void file_watch_suspect(struct file_watch *w);
/* After reading what fn told of: true: nothing changed since, so it was read whole. Otherwise fn is
 * called again, for what comes. */
bool file_watch_holds(struct file_watch *w);
/* 0, or the -errno with which inotify was refused (its limits are reached): it polls then. */
int file_watch_blind(const struct file_watch *w);

/* --- blocking work (fsync, name lookup, glob) on a small pool --- */
struct offload;
struct offload *offload_new(int threads);
/* Waits for running work; what it answers afterwards is not heard (offload_settle first). */
void offload_free(struct offload *o);
/* Turns l, the caller's, until every job has been answered, those that answers ask for included; at
 * most this long: false. Loops that jobs answered may be freed then. For the end of a process: a
 * file system that hangs must not keep it. */
bool offload_settle(struct offload *o, struct loop *l, i64 wait_ns);
struct job {
    struct msg msg; /* used by the pool, as is `pool` */
    struct offload *pool;
    struct loop *reply_to;       /* NULL: nobody is told; work() may then free the job */
    void (*work)(struct job *j); /* pool thread */
    void (*done)(struct job *j); /* reply_to's thread */
};
void offload_run(struct offload *o, struct job *j);

#endif
