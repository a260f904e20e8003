/* The threads of a process, from look to look. */
#ifndef COMPONENTS_PROMETHEUS_PROCESS_THREADS_H
#define COMPONENTS_PROMETHEUS_PROCESS_THREADS_H

#include "components/prometheus/process/proc_task.h"

#define THREADS_MAX 65536 /* of one process */

struct proc_thread {
    struct proc_task task;
    struct proc_counts more; /* since the look before; nothing when it is new */
};
/* By id. One owner. */
struct thread_list {
    struct proc_thread *v;
    size_t n;
};
void thread_list_done(struct thread_list *l);
/* The threads there are now, in place of those in l. 0; -errno: the list is then empty; -E2BIG: it
 * has the first THREADS_MAX. */
int threads_read(struct proc_reader *r, int process, struct thread_list *l);

#endif
