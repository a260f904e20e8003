/* Inside of a loop, for the files of net/ that make it up: loop.c, mailbox.c, timer.c, io.c,
 * file_watch.c, child.c. */
#ifndef NET_LOOP_PRIVATE_H
#define NET_LOOP_PRIVATE_H

#include <ev.h>
#include <pthread.h>
#include <stdatomic.h>
#include "base/list.h"
#include "base/vec.h"
#include "net/loop.h"

/* Many senders, one receiver: a stack that senders push on and the receiver takes whole and turns
 * around. */
struct mailbox {
    struct msg *_Atomic head; /* newest first */
};
/* True when the mailbox was empty: the receiver has to be woken. */
bool mailbox_push(struct mailbox *b, struct msg *m);
/* All that is there, oldest first. */
struct msg *mailbox_take(struct mailbox *b);

/* Binary heap of running timers, soonest first; each timer knows its place. */
struct timers {
    VEC(struct timer *) heap;
};
/* Runs what is due at `now`. */
void timers_run(struct timers *ts, i64 now);
/* Nanoseconds until the next one is due, at least 0; -1 when none runs. */
i64 timers_next(const struct timers *ts, i64 now);

struct inotify_hub;
void inotify_hub_free(struct inotify_hub *h); /* takes NULL */
void children_free(struct loop *l);           /* kills what still runs (child.c) */

struct loop {
    struct ev_loop *ev;
    ev_async wake;
    ev_prepare before_wait;
    ev_check after_wait;
    ev_timer alarm; /* wakes for the soonest of `timers` */
    i64 alarm_at;   /* when; 0: not set */
    struct mailbox mailbox;
    struct msg *deferred, **deferred_end;
    struct timers timers;
    const struct clock *clock;
    i64 now;
    int index;
    char name[16];
    _Atomic uintptr_t thread; /* who runs it; the maker until loop_run */
    atomic_bool stop;
    struct inotify_hub *inotify; /* made with the first file_watch */
    char *scratch;               /* made with the first read */
    struct list members;         /* of listeners that it serves (listener.c) */
    struct list children;        /* processes not yet waited for (child.c) */
};

static inline struct list *loop_members(struct loop *l)
{
    return &l->members;
}

#define LOOP_SCRATCH ((size_t)256 * 1024)
/* Room for one read, shared by all descriptors of the loop: its contents live until the callback
 * ends. */
char *loop_scratch(struct loop *l, size_t *ret_n);

#endif
