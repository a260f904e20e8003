/* Groups of processes: sums over those that are there, counters that outlive them. One thread at a
 * time. */
#ifndef COMPONENTS_PROMETHEUS_PROCESS_GROUPS_H
#define COMPONENTS_PROMETHEUS_PROCESS_GROUPS_H

#include "components/common/expo.h"
#include "components/prometheus/process/proc_task.h"

/* More than these are not kept: groups without processes go first, whatever was asked for. */
#define GROUPS_MAX 100000

struct groups;
struct group;
struct groups *groups_new(void);
void groups_free(struct groups *g); /* takes NULL */

/* --- a round: the figures of all processes, from scratch --- */
void groups_begin(struct groups *g);
/* The group of this name; made when it is new. Valid until groups_end. */
struct group *groups_get(struct groups *g, struct str name);

struct group_process {
    struct proc_counts more; /* since the last round */
    u64 resident_bytes, virtual_bytes, swapped_bytes;
    struct proc_shares shares;
    u64 fds, fd_limit; /* fd_limit 0: neither is known */
    u64 n_threads;
    u64 states[PROC_STATES];
    f64 start_time; /* seconds since 1970 */
};
void group_add_process(struct group *g, const struct group_process *p);
/* A thread of a process that has several. */
void group_add_thread(struct group *g, const char *name, const struct proc_counts *more);
/* wchan: not empty. */
void group_add_wait(struct group *g, const char *wchan);
/* drop: groups without processes are forgotten, with their counters. Returns how many were
 * forgotten because there were too many. */
size_t groups_end(struct groups *g, bool drop);

struct groups_shown {
    bool threads, shares;
    f64 ticks_per_second;
};
void groups_expose(const struct groups *g, const struct groups_shown *what, struct expo *out);

#endif
