/* Groups, and their families. Names, types and help are those of process-exporter, so that its
 * dashboards work. */
#include "components/prometheus/process/groups.h"

#include <math.h>
#include <stdlib.h>
#include "base/map.h"
#include "base/xalloc.h"

/* The time of a group without processes: Go's zero time, as process-exporter has it. */
#define NO_TIME (-62135596800.0)

struct thread_sum {
    struct proc_counts total;
    u64 n, round;
};
struct group {
    struct proc_counts total;
    struct map threads; /* struct thread_sum, by name */
    /* of this round */
    struct map waits; /* numbers by wchan */
    struct group_process now;
    u64 n, round;
    f64 worst_fd_ratio;
};
struct groups {
    struct map by_name;
    u64 round;
};

static void group_free(void *p)
{
    struct group *g = p;

    map_done(&g->threads, free);
    map_done(&g->waits, NULL);
    free(g);
}

struct groups *groups_new(void)
{
    return xnew(struct groups);
}

void groups_free(struct groups *g)
{
    if (!g) return;
    map_done(&g->by_name, group_free);
    free(g);
}

/* --- a round --- */

void groups_begin(struct groups *g)
{
    g->round++;
}

static void start_round(struct group *g, u64 round)
{
    map_done(&g->waits, NULL);
    g->waits = (struct map){0};
    g->now = (struct group_process){.start_time = NO_TIME};
    g->n = 0;
    g->worst_fd_ratio = 0;
    g->round = round;
}

struct group *groups_get(struct groups *all, struct str name)
{
    struct group *g = map_get(&all->by_name, name);

    if (!g) {
        g = xnew(struct group);
        map_put(&all->by_name, name, g);
    }
    if (g->round != all->round) start_round(g, all->round);
    return g;
}

static void add_fds(struct group *g, const struct group_process *p)
{
    if (p->fd_limit == 0) return;
    g->now.fds += p->fds;
    g->worst_fd_ratio = fmax(g->worst_fd_ratio, (f64)p->fds / (f64)p->fd_limit);
}

void group_add_process(struct group *g, const struct group_process *p)
{
    if (g->n == 0 || p->start_time < g->now.start_time) g->now.start_time = p->start_time;
    g->n++;
    proc_counts_add(&g->total, &p->more);
    g->now.resident_bytes += p->resident_bytes;
    g->now.virtual_bytes += p->virtual_bytes;
    g->now.swapped_bytes += p->swapped_bytes;
    g->now.shares.resident_bytes += p->shares.resident_bytes;
    g->now.shares.swapped_bytes += p->shares.swapped_bytes;
    g->now.n_threads += p->n_threads;
    for (size_t i = 0; i < PROC_STATES; i++)
        g->now.states[i] += p->states[i];
    add_fds(g, p);
}

void group_add_thread(struct group *g, const char *name, const struct proc_counts *more)
{
    struct thread_sum *t = map_get(&g->threads, str_of(name));

    if (!t) {
        t = xnew(struct thread_sum);
        map_put(&g->threads, str_of(name), t);
    }
    if (t->round != g->round) t->n = 0;
    t->round = g->round;
    t->n++;
    proc_counts_add(&t->total, more);
}

void group_add_wait(struct group *g, const char *wchan)
{
    uintptr_t n = (uintptr_t)map_get(&g->waits, str_of(wchan));

    map_put(&g->waits, str_of(wchan), (void *)(n + 1));
}

/* Counters of names that no thread has any more are not kept: there may be one for each request. */
static void forget_threads(struct group *g)
{
    map_each (&g->threads, e) {
        struct thread_sum *t = e->value;
        if (t->round != g->round) free(map_del(&g->threads, e->key));
    }
}

static size_t forget_empty(struct groups *all)
{
    size_t n = 0;

    map_each (&all->by_name, e) {
        struct group *g = e->value;
        if (g->n > 0) continue;
        group_free(map_del(&all->by_name, e->key));
        n++;
    }
    return n;
}

size_t groups_end(struct groups *all, bool drop)
{
    map_each (&all->by_name, e) {
        struct group *g = e->value;
        if (g->round != all->round) start_round(g, all->round);
        forget_threads(g);
    }
    if (drop) (void)forget_empty(all);
    return all->by_name.live > GROUPS_MAX ? forget_empty(all) : 0;
}

/* --- families --- */

#define PREFIX "namedprocess_namegroup_"

enum family {
    F_PROCS,
    F_CPU,
    F_READ,
    F_WRITE,
    F_MAJOR,
    F_MINOR,
    F_SWITCHES,
    F_MEMORY,
    F_FDS,
    F_FD_RATIO,
    F_START,
    F_THREADS,
    F_STATES,
    F_WCHAN,
    F_THREAD_COUNT,
    F_THREAD_CPU,
    F_THREAD_IO,
    F_THREAD_MAJOR,
    F_THREAD_MINOR,
    F_THREAD_SWITCHES,
    FAMILIES
};
static const struct {
    enum expo_type type;
    const char *name, *help;
} families[FAMILIES] = {
    [F_PROCS] = {EXPO_GAUGE, PREFIX "num_procs", "number of processes in this group"},
    [F_CPU] = {EXPO_COUNTER, PREFIX "cpu_seconds_total", "Cpu user usage in seconds"},
    [F_READ] = {EXPO_COUNTER, PREFIX "read_bytes_total", "number of bytes read by this group"},
    [F_WRITE] = {EXPO_COUNTER, PREFIX "write_bytes_total", "number of bytes written by this group"},
    [F_MAJOR] = {EXPO_COUNTER, PREFIX "major_page_faults_total", "Major page faults"},
    [F_MINOR] = {EXPO_COUNTER, PREFIX "minor_page_faults_total", "Minor page faults"},
    [F_SWITCHES] = {EXPO_COUNTER, PREFIX "context_switches_total", "Context switches"},
    [F_MEMORY] = {EXPO_GAUGE, PREFIX "memory_bytes", "number of bytes of memory in use"},
    [F_FDS] = {EXPO_GAUGE, PREFIX "open_filedesc",
               "number of open file descriptors for this group"},
    [F_FD_RATIO] = {EXPO_GAUGE, PREFIX "worst_fd_ratio",
                    "the worst (closest to 1) ratio between open fds and max fds among all procs "
                    "in this group"},
    [F_START] = {EXPO_GAUGE, PREFIX "oldest_start_time_seconds",
                 "start time in seconds since 1970/01/01 of oldest process in group"},
    [F_THREADS] = {EXPO_GAUGE, PREFIX "num_threads", "Number of threads"},
    [F_STATES] = {EXPO_GAUGE, PREFIX "states",
                  "Number of processes in states Running, Sleeping, Waiting, Zombie, or Other"},
    [F_WCHAN] = {EXPO_GAUGE, PREFIX "threads_wchan",
                 "Number of threads in this group waiting on each wchan"},
    [F_THREAD_COUNT] = {EXPO_GAUGE, PREFIX "thread_count",
                        "Number of threads in this group with same threadname"},
    [F_THREAD_CPU] = {EXPO_COUNTER, PREFIX "thread_cpu_seconds_total",
                      "Cpu user/system usage in seconds"},
    [F_THREAD_IO] = {EXPO_COUNTER, PREFIX "thread_io_bytes_total",
                     "number of bytes read/written by these threads"},
    [F_THREAD_MAJOR] = {EXPO_COUNTER, PREFIX "thread_major_page_faults_total",
                        "Major page faults for these threads"},
    [F_THREAD_MINOR] = {EXPO_COUNTER, PREFIX "thread_minor_page_faults_total",
                        "Minor page faults for these threads"},
    [F_THREAD_SWITCHES] = {EXPO_COUNTER, PREFIX "thread_context_switches_total",
                           "Context switches for these threads"},
};

/* What of proc_counts is shown where, in both kinds of families. */
static const struct {
    enum family group, thread;
    const char *label, *group_value, *thread_value; /* NULL: the family has no such label */
} counts_shown[PROC_COUNTS] = {
    [COUNT_USER] = {F_CPU, F_THREAD_CPU, "mode", "user", "user"},
    [COUNT_SYSTEM] = {F_CPU, F_THREAD_CPU, "mode", "system", "system"},
    [COUNT_READ] = {F_READ, F_THREAD_IO, "iomode", NULL, "read"},
    [COUNT_WRITE] = {F_WRITE, F_THREAD_IO, "iomode", NULL, "write"},
    [COUNT_MAJOR_FAULTS] = {F_MAJOR, F_THREAD_MAJOR, NULL, NULL, NULL},
    [COUNT_MINOR_FAULTS] = {F_MINOR, F_THREAD_MINOR, NULL, NULL, NULL},
    [COUNT_VOLUNTARY] = {F_SWITCHES, F_THREAD_SWITCHES, "ctxswitchtype", "voluntary", "voluntary"},
    [COUNT_NONVOLUNTARY] = {F_SWITCHES, F_THREAD_SWITCHES, "ctxswitchtype", "nonvoluntary",
                            "nonvoluntary"},
};
static const char *const state_names[PROC_STATES] = {"Running", "Sleeping", "Waiting", "Zombie",
                                                     "Other"};

struct shown {
    const struct groups_shown *what;
    struct expo_family *f[FAMILIES];
    struct str name; /* of the group */
};

static void add(const struct shown *s, enum family f, f64 v, const char *label, struct str value)
{
    const struct expo_label labels[] = {EXPO_LS("groupname", s->name), EXPO_LS(label, value)};

    expo_sample(s->f[f], NULL, v, labels, label ? 2 : 1);
}

static f64 unit(const struct shown *s, size_t count, u64 v)
{
    return count == COUNT_USER || count == COUNT_SYSTEM ? (f64)v / s->what->ticks_per_second
                                                        : (f64)v;
}

static void add_counts(const struct shown *s, const struct proc_counts *c)
{
    for (size_t i = 0; i < PROC_COUNTS; i++) {
        const char *value = counts_shown[i].group_value;
        add(s, counts_shown[i].group, unit(s, i, c->v[i]), value ? counts_shown[i].label : NULL,
            str_of(value));
    }
}

static void add_thread_counts(const struct shown *s, struct str thread, const struct proc_counts *c)
{
    for (size_t i = 0; i < PROC_COUNTS; i++) {
        const char *value = counts_shown[i].thread_value;
        const struct expo_label labels[] = {EXPO_LS("groupname", s->name),
                                            EXPO_LS("threadname", thread),
                                            EXPO_L(counts_shown[i].label, value)};
        expo_sample(s->f[counts_shown[i].thread], NULL, unit(s, i, c->v[i]), labels, value ? 3 : 2);
    }
}

static void add_threads(const struct shown *s, const struct group *g)
{
    map_each (&g->threads, e) {
        const struct thread_sum *t = e->value;
        add(s, F_THREAD_COUNT, (f64)t->n, "threadname", e->key);
        add_thread_counts(s, e->key, &t->total);
    }
}

static void add_memory(const struct shown *s, const struct group_process *p)
{
    add(s, F_MEMORY, (f64)p->resident_bytes, "memtype", STR("resident"));
    add(s, F_MEMORY, (f64)p->virtual_bytes, "memtype", STR("virtual"));
    add(s, F_MEMORY, (f64)p->swapped_bytes, "memtype", STR("swapped"));
    if (!s->what->shares) return;
    add(s, F_MEMORY, (f64)p->shares.resident_bytes, "memtype", STR("proportionalResident"));
    add(s, F_MEMORY, (f64)p->shares.swapped_bytes, "memtype", STR("proportionalSwapped"));
}

static void add_group(const struct shown *s, const struct group *g)
{
    const struct group_process *p = &g->now;

    add(s, F_PROCS, (f64)g->n, NULL, STR(""));
    add(s, F_START, floor(p->start_time), NULL, STR(""));
    add(s, F_FDS, (f64)p->fds, NULL, STR(""));
    add(s, F_FD_RATIO, g->worst_fd_ratio, NULL, STR(""));
    add(s, F_THREADS, (f64)p->n_threads, NULL, STR(""));
    add_memory(s, p);
    add_counts(s, &g->total);
    for (size_t i = 0; i < PROC_STATES; i++)
        add(s, F_STATES, (f64)p->states[i], "state", str_of(state_names[i]));
    map_each (&g->waits, e)
        add(s, F_WCHAN, (f64)(uintptr_t)e->value, "wchan", e->key);
    if (s->what->threads) add_threads(s, g);
}

void groups_expose(const struct groups *all, const struct groups_shown *what, struct expo *out)
{
    struct shown s = {.what = what};

    for (size_t i = 0; i < FAMILIES; i++)
        s.f[i] = expo_family(out, families[i].type, families[i].name, families[i].help);
    map_each (&all->by_name, e) {
        s.name = e->key;
        add_group(&s, e->value);
    }
}
