/* Reading threads, and finding each among those of the last look. */
#include "components/prometheus/process/threads.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/vec.h"

struct reading {
    struct proc_reader *r;
    VEC(struct proc_thread) found;
    bool too_many;
};

void thread_list_done(struct thread_list *l)
{
    free(l->v);
    *l = (struct thread_list){0};
}

static bool read_thread(void *arg, int dir, const char *id)
{
    struct reading *r = arg;
    struct proc_thread t = {0};
    bool partial = false;
    int fd = openat(dir, id, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0) return true;
    bool good =
        proc_read_stat(r->r, fd, &t.task) == 0 && proc_read_rest(r->r, fd, &t.task, &partial) == 0;
    close(fd);
    r->too_many = r->found.n >= THREADS_MAX;
    if (good && !r->too_many) vec_push(&r->found, t);
    return !r->too_many;
}

static int by_id(const void *a, const void *b)
{
    i32 x = ((const struct proc_thread *)a)->task.id, y = ((const struct proc_thread *)b)->task.id;

    return (x > y) - (x < y);
}

static void compare(struct proc_thread *t, const struct thread_list *before)
{
    const struct proc_thread *old =
        before->n ? bsearch(t, before->v, before->n, sizeof(*t), by_id) : NULL;

    if (old && old->task.start == t->task.start)
        t->more = proc_counts_since(&t->task.counts, &old->task.counts);
}

int threads_read(struct proc_reader *reader, int process, struct thread_list *l)
{
    struct reading r = {.r = reader};
    int err = proc_each_id(process, "task", read_thread, &r);

    if (err) vec_clear(&r.found);
    if (r.found.n > 0) qsort(r.found.v, r.found.n, sizeof(*r.found.v), by_id);
    for (size_t i = 0; i < r.found.n; i++)
        compare(&r.found.v[i], l);
    thread_list_done(l);
    *l = (struct thread_list){r.found.v, r.found.n};
    return err ? err : r.too_many ? -E2BIG : 0;
}
