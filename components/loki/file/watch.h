/* What happens to paths, for thousands of them at the cost of one inotify descriptor: the folders
 * in which their names (and those of the symlinks that they are) stand are watched, not the files.
 * Where inotify cannot see (network file systems, its limits, a folder that is missing) the paths
 * are polled: at the shortest interval after a change, up to the longest while nothing happens.
 *
 * An event only says "look". Everything that happens within a few milliseconds is told as one, so
 * that a file written a thousand times a second is not looked at a thousand times. One worker. */
#ifndef COMPONENTS_LOKI_FILE_WATCH_H
#define COMPONENTS_LOKI_FILE_WATCH_H

#include "base/list.h"
#include "net/loop.h"

struct watch;
struct place;
/* One path; embedded in its owner. */
struct watched {
    struct watch *watch;
    const char *path; /* the owner's */
    struct place *places;
    struct list polled; /* in a list while a folder of it is not seen */
    i64 due, interval;  /* when polled */
    u32 arrivals;       /* how often a file came to one of its names since the owner reset it */
};
struct watch_conf {
    struct loop *loop;
    i64 min_poll, max_poll;
    /* Look at it. structural: the path may name another file now. From the loop, never from within
     * a call of this interface but watch_read. */
    void (*look)(void *arg, struct watched *w, bool structural);
    void *arg;
};
struct watch *watch_new(const struct watch_conf *conf);
void watch_free(struct watch *w); /* after every path was taken out; takes NULL */
/* Other intervals. */
void watch_set_poll(struct watch *w, i64 min_poll, i64 max_poll);

void watch_add(struct watch *w, struct watched *p, const char *path);
void watch_remove(struct watched *p);
/* The path is walked again: it is, or was, a symlink. */
void watch_again(struct watched *p);
/* It was one when it was walked. */
bool watch_is_link(const struct watched *p);
/* True while events cannot be relied on. */
bool watch_is_polled(const struct watched *p);
/* After a look: whether it found something new; what is polled is looked at sooner then. */
void watch_found(struct watched *p, bool something);
/* Reads what has happened up to now, not only what the loop has seen: whoever has opened a file
 * knows then how many came before it. look() is called from within. */
void watch_read(struct watch *w);
/* 0, or the errno with which inotify was refused. */
int watch_refused(const struct watch *w);

#endif
