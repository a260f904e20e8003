/* processes: how many there are, their threads, in which states; and the limits. */
#include "components/prometheus/unix/collector.h"

#include <ctype.h>
#include <errno.h>

struct counts {
    u64 pids, threads, states[256], thread_states[256];
};

/* "123 (a name) S ...": the name may have anything in it, so from its end. *ret_threads: field 20.
 */
static bool state_of(struct str text, u8 *ret, u64 *ret_threads)
{
    struct str part[18];
    ssize_t end = str_rchr(text, ')');

    if (end < 0) return false;
    size_t n = unix_fields(str_sub(text, (size_t)end + 1, text.n), part, ARRAY_LEN(part));
    if (n < ARRAY_LEN(part) || part[0].n != 1 || unix_u64(part[17], ret_threads)) return false;
    *ret = (u8)part[0].p[0];
    return true;
}

/* Processes end while they are read: those are not counted. */
static void count_threads(struct collect *c, const char *pid, struct counts *n)
{
    struct unix_names tasks;
    struct str text;
    u64 ignored;
    u8 state;

    unix_list(c, &tasks, ROOT_PROC, "%s/task", pid);
    for (size_t i = 0; i < tasks.n; i++)
        if (unix_read(c, &text, ROOT_PROC, "%s/task/%s/stat", pid, tasks.v[i].p) == 0 &&
            state_of(text, &state, &ignored))
            n->thread_states[state]++;
}

static void count(struct collect *c, const char *pid, struct counts *n)
{
    struct str text;
    u64 threads;
    u8 state;

    if (unix_read(c, &text, ROOT_PROC, "%s/stat", pid) || !state_of(text, &state, &threads)) return;
    n->pids++;
    n->threads += threads;
    n->states[state]++;
    if (threads == 1)
        n->thread_states[state]++;
    else
        count_threads(c, pid, n);
}

static void add_states(struct expo_family *f, const char *label, const u64 *states)
{
    for (int i = 0; i < 256; i++) {
        char name[2] = {(char)i, 0};

        if (states[i] > 0 && isalpha(i)) expo_add(f, states[i], EXPO_L(label, name));
    }
}

static int add_limit(struct collect *c, const char *file, const char *name, const char *help)
{
    u64 v;
    int r = unix_read_u64(c, &v, ROOT_PROC, "sys/kernel/%s", file);

    if (r) return unix_read_failed(c, r, ROOT_PROC, "sys/kernel/%s", file);
    expo_gauge1(c->out, name, help, v);
    return 0;
}

static int collect(struct collect *c)
{
    struct unix_names names;
    struct counts *n = arena_new(c->arena, struct counts);
    u64 pid;
    int r = unix_list(c, &names, ROOT_PROC, ".");

    if (r) return unix_read_failed(c, r, ROOT_PROC, ".");
    for (size_t i = 0; i < names.n; i++)
        if (unix_u64(names.v[i], &pid) == 0) count(c, names.v[i].p, n);
    expo_gauge1(c->out, "node_processes_threads", "Allocated threads in system", n->threads);
    expo_gauge1(c->out, "node_processes_pids", "Number of PIDs", n->pids);
    add_states(expo_gauge(c->out, "node_processes_state", "Number of processes in each state."),
               "state", n->states);
    add_states(
        expo_gauge(c->out, "node_processes_threads_state", "Number of threads in each state."),
        "thread_state", n->thread_states);
    r = add_limit(c, "threads-max", "node_processes_max_threads", "Limit of threads in the system");
    return r ? r
             : add_limit(c, "pid_max", "node_processes_max_processes", "Number of max PIDs limit");
}

const struct collector_def collector_processes = {.name = "processes", .collect = collect};
