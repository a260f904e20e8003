/* Looks at /proc. Three kinds of processes are known: watched ones, ignored ones (nothing but their
 * stat is read again), and new ones, which are matched once the look is through, since a child may
 * be met before its parent. */
#include "components/prometheus/process/tracker.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/map.h"
#include "base/num.h"
#include "base/refcount.h"
#include "base/vec.h"
#include "components/prometheus/process/threads.h"

struct process {
    i32 pid;
    u64 start, look; /* ticks; the last look that found it */
    char *group;     /* NULL: ignored */
    struct proc_counts counts;
    struct thread_list threads;
};

/* A process that is not known yet. */
struct fresh {
    i32 pid, parent;
    u64 start;
    char *group; /* owned; NULL: none */
    bool decided;
};

struct tracker {
    struct refs refs;
    struct tracker_conf conf;
    char *procfs;
    struct matchers *matchers;
    struct groups *groups;
    struct map by_pid;    /* struct process */
    struct map users;     /* owned texts by uid */
    u64 look, first_look; /* number of looks; ticks since boot at the first */
    f64 ticks;            /* per second */
    u64 errors, read_errors, partial_errors;
};

/* One look. */
struct look {
    struct tracker *t;
    struct logger *log;
    struct proc_reader reader;
    struct arena arena;
    int proc;      /* the folder */
    i64 boot_time; /* seconds since 1970 */
    VEC(struct fresh) fresh;
    struct map fresh_by_pid; /* 1 + place in fresh */
};

static void process_free(void *p)
{
    struct process *pr = p;

    if (!pr) return;
    thread_list_done(&pr->threads);
    free(pr->group);
    free(pr);
}

static struct str pid_key(const i32 *pid)
{
    return str_n((const char *)pid, sizeof(*pid));
}

struct tracker *tracker_new(const struct tracker_conf *conf, struct matchers *m)
{
    struct tracker *t = xnew(struct tracker);

    refs_init(&t->refs);
    t->conf = *conf;
    t->procfs = xstrdup(conf->procfs);
    t->matchers = matchers_ref(m);
    t->groups = groups_new();
    t->ticks = (f64)sysconf(_SC_CLK_TCK);
    return t;
}

struct tracker *tracker_ref(struct tracker *t)
{
    refs_get(&t->refs);
    return t;
}

void tracker_unref(struct tracker *t)
{
    if (!t || !refs_put(&t->refs)) return;
    map_done(&t->by_pid, process_free);
    map_done(&t->users, free);
    groups_free(t->groups);
    matchers_unref(t->matchers);
    free(t->procfs);
    free(t);
}

/* --- figures of a watched process --- */

static bool is_gone(int err)
{
    return err == -ENOENT || err == -ESRCH;
}

static void read_extras(struct look *l, int dir, struct group_process *p, bool *partial)
{
    if (proc_count_fds(dir, &p->fds) != 0)
        *partial = true;
    else if (proc_read_fd_limit(&l->reader, dir, &p->fd_limit) != 0)
        *partial = true;
    if (l->t->conf.shares && proc_read_shares(&l->reader, dir, &p->shares) != 0) *partial = true;
}

/* The kernel keeps a thread's switches with the thread: those of a process are the sum. */
static void sum_threads(const struct thread_list *l, struct proc_task *task,
                        struct group_process *p)
{
    if (l->n < 2) return;
    task->counts.v[COUNT_VOLUNTARY] = task->counts.v[COUNT_NONVOLUNTARY] = 0;
    for (size_t i = 0; i < l->n; i++) {
        task->counts.v[COUNT_VOLUNTARY] += l->v[i].task.counts.v[COUNT_VOLUNTARY];
        task->counts.v[COUNT_NONVOLUNTARY] += l->v[i].task.counts.v[COUNT_NONVOLUNTARY];
        p->states[l->v[i].task.state]++;
    }
}

static void add_threads(struct group *g, const struct thread_list *l)
{
    if (l->n < 2) return;
    for (size_t i = 0; i < l->n; i++) {
        group_add_thread(g, l->v[i].task.name, &l->v[i].more);
        if (l->v[i].task.wchan[0]) group_add_wait(g, l->v[i].task.wchan);
    }
}

static f64 start_time(const struct look *l, u64 ticks)
{
    return (f64)l->boot_time + (f64)ticks / l->t->ticks;
}

/* What a process has used up by the first time it is seen counts if it began after the first look.
 */
static struct proc_counts more_of(const struct look *l, const struct process *pr,
                                  const struct proc_task *task, bool known)
{
    const struct proc_counts none = {0};

    if (known) return proc_counts_since(&task->counts, &pr->counts);
    return pr->start > l->t->first_look ? task->counts : none;
}

/* Reads all of it and adds it to its group. False: it is gone, or cannot be read. */
static bool measure(struct look *l, int dir, struct process *pr, struct proc_task *task, bool known)
{
    bool partial = false;
    struct group_process p = {0};
    int err = proc_read_rest(&l->reader, dir, task, &partial);

    if (err) {
        if (!is_gone(err)) l->t->read_errors++;
        return false;
    }
    read_extras(l, dir, &p, &partial);
    if (threads_read(&l->reader, dir, &pr->threads) != 0) partial = true;
    l->t->partial_errors += partial;
    p.states[task->state]++;
    sum_threads(&pr->threads, task, &p);
    p.more = more_of(l, pr, task, known);
    p.resident_bytes = task->resident_bytes;
    p.virtual_bytes = task->virtual_bytes;
    p.swapped_bytes = task->swapped_bytes;
    p.n_threads = task->n_threads;
    p.start_time = start_time(l, pr->start);
    pr->counts = task->counts;
    pr->look = l->t->look;
    struct group *g = groups_get(l->t->groups, str_of(pr->group));
    group_add_process(g, &p);
    if (task->wchan[0]) group_add_wait(g, task->wchan);
    add_threads(g, &pr->threads);
    return true;
}

/* --- the look over all --- */

static void forget(struct tracker *t, i32 pid)
{
    process_free(map_del(&t->by_pid, pid_key(&pid)));
}

static void meet(struct look *l, const struct proc_task *task)
{
    vec_push(&l->fresh,
             ((struct fresh){.pid = task->id, .parent = task->parent, .start = task->start}));
    map_put(&l->fresh_by_pid, pid_key(&task->id), (void *)(uintptr_t)l->fresh.n);
}

static void look_at(struct look *l, int dir)
{
    struct proc_task task;
    int err = proc_read_stat(&l->reader, dir, &task);

    if (err) {
        if (!is_gone(err)) l->t->read_errors++;
        return;
    }
    struct process *pr = map_get(&l->t->by_pid, pid_key(&task.id));
    if (pr && pr->start != task.start) { /* the number was given out again */
        forget(l->t, task.id);
        pr = NULL;
    }
    if (!pr)
        meet(l, &task);
    else if (pr->group)
        (void)measure(l, dir, pr, &task, true);
    else
        pr->look = l->t->look;
}

static bool look_into(void *arg, int proc, const char *pid)
{
    int dir = openat(proc, pid, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (dir < 0) return true;
    look_at(arg, dir);
    close(dir);
    return true;
}

/* --- new ones are matched --- */

struct facing {
    struct look *l;
    int dir;
};

static struct str user_of(void *arg, struct arena *a)
{
    struct facing *f = arg;
    struct map *users = &f->l->t->users;
    char room[16384];
    struct passwd entry, *found = NULL;
    u32 uid = 0;

    if (proc_read_uid(&f->l->reader, f->dir, &uid) != 0) return STR("");
    struct str key = str_n((const char *)&uid, sizeof(uid));
    if (!map_has(users, key)) {
        (void)getpwuid_r((uid_t)uid, &entry, room, sizeof(room), &found);
        map_put(users, key, found ? xstrdup(found->pw_name) : xprintf("%u", uid));
    }
    return str_of(map_get(users, key));
}

/* Paths: behind the second colon of each line. */
static size_t cgroups_of(void *arg, struct arena *a, struct str **ret)
{
    struct facing *f = arg;
    size_t n = 0, max = 1;

    if (proc_read(&f->l->reader, f->dir, "cgroup") != 0) return 0;
    struct str text = str_of(arena_strdup(a, buf_view(&f->l->reader.text)));
    for (size_t i = 0; i < text.n; i++)
        max += text.p[i] == '\n';
    *ret = arena_array(a, struct str, max);
    while (text.n > 0) {
        struct str line = str_cut(&text, '\n');
        (void)str_cut(&line, ':');
        (void)str_cut(&line, ':');
        if (line.p) (*ret)[n++] = line;
    }
    return n;
}

static void watch(struct look *l, int dir, struct fresh *f, struct proc_task *task)
{
    struct process *pr = xnew(struct process);

    *pr = (struct process){.pid = f->pid, .start = f->start, .group = xstrdup(f->group)};
    if (measure(l, dir, pr, task, false))
        process_free(map_put(&l->t->by_pid, pid_key(&f->pid), pr));
    else
        process_free(pr);
}

static void ignore(struct look *l, const struct fresh *f)
{
    struct process *pr = xnew(struct process);

    *pr = (struct process){.pid = f->pid, .start = f->start, .look = l->t->look};
    process_free(map_put(&l->t->by_pid, pid_key(&f->pid), pr));
}

/* The folder of a new process, if it is still the same one. -1: it is gone. */
static int open_again(struct look *l, const struct fresh *f, struct proc_task *ret)
{
    char name[16];

    snprintf(name, sizeof(name), "%d", f->pid);
    int dir = openat(l->proc, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0) return -1;
    if (proc_read_stat(&l->reader, dir, ret) == 0 && ret->start == f->start) return dir;
    close(dir);
    return -1;
}

static void match(struct look *l, struct fresh *f)
{
    struct proc_task task;
    const char *err = NULL;
    int dir = open_again(l, f, &task);

    f->decided = dir < 0;
    if (dir < 0) return;
    struct facing facing = {l, dir};
    struct proc_face face = {.comm = task.name,
                             .pid = task.id,
                             .start_time = (i64)(start_time(l, f->start) * 1e9),
                             .user = user_of,
                             .cgroups = cgroups_of,
                             .arg = &facing};
    if (proc_read(&l->reader, dir, "cmdline") == 0)
        face.cmdline = str_n(
            arena_memdup(&l->arena, l->reader.text.p ? l->reader.text.p : "", l->reader.text.n + 1),
            l->reader.text.n);
    struct str name = matchers_name(l->t->matchers, &face, &l->arena, &err);
    if (err)
        log_warn(l->log, "a group is named after its program, the template of its name failed",
                 F_INT("pid", task.id), F_STR("name", name), F_CSTR("err", err));
    if (name.p) {
        f->group = str_dup(name);
        f->decided = true;
        watch(l, dir, f, &task);
    }
    close(dir);
    arena_rewind(&l->arena);
}

/* --- children --- */

/* The group of a parent, if that is known by now. */
static bool parent_group(struct look *l, i32 parent, const char **ret, struct fresh **ret_next)
{
    const struct process *pr = map_get(&l->t->by_pid, pid_key(&parent));
    uintptr_t at = (uintptr_t)map_get(&l->fresh_by_pid, pid_key(&parent));

    *ret_next = NULL;
    *ret = pr ? pr->group : NULL;
    if (pr || at == 0) return true;
    *ret_next = &l->fresh.v[at - 1];
    *ret = (*ret_next)->group;
    return (*ret_next)->decided;
}

static void take_child(struct look *l, struct fresh *f, const char *group)
{
    struct proc_task task;

    if (!group) {
        if (!l->t->conf.recheck) ignore(l, f);
        return;
    }
    f->group = xstrdup(group);
    int dir = open_again(l, f, &task);
    if (dir < 0) return;
    watch(l, dir, f, &task);
    close(dir);
}

/* Up to the first ancestor that is decided; all on the way go with it. A list that were a ring ends
 * too: whatever was passed is decided at the end. */
static void follow(struct look *l, size_t i)
{
    VEC(size_t) way = {0};
    const char *group = NULL;
    struct fresh *next = &l->fresh.v[i];

    while (next && !next->decided) {
        next->decided = true;
        vec_push(&way, (size_t)(next - l->fresh.v));
        i32 parent = next->parent;
        if (parent_group(l, parent, &group, &next)) break;
    }
    while (way.n > 0) {
        size_t at = vec_pop(&way);
        take_child(l, &l->fresh.v[at], group);
    }
    vec_done(&way);
}

/* --- a whole look --- */

static void drop_gone(struct tracker *t)
{
    map_each (&t->by_pid, e) {
        struct process *pr = e->value;
        if (pr->look != t->look) process_free(map_del(&t->by_pid, e->key));
    }
}

static int read_clock(struct look *l)
{
    f64 up = 0;
    i64 boot;
    int err = proc_read(&l->reader, l->proc, "stat");
    struct str text = buf_view(&l->reader.text);
    ssize_t at = err ? -1 : str_find(text, STR("\nbtime "));

    if (err) return err;
    if (at < 0) return -EBADMSG;
    struct str rest = str_sub(text, (size_t)at + 7, text.n);
    if (num_parse_i64(str_trim(str_cut(&rest, '\n')), &boot) != 0) return -EBADMSG;
    l->boot_time = boot;
    if (l->t->look > 1) return 0;
    err = proc_read(&l->reader, l->proc, "uptime");
    rest = buf_view(&l->reader.text);
    if (!err) err = num_parse_f64(str_cut(&rest, ' '), &up);
    l->t->first_look = (u64)(up * l->t->ticks);
    return err;
}

static int look_around(struct look *l)
{
    struct tracker *t = l->t;
    int err = read_clock(l);

    if (!err) err = proc_each_id(l->proc, ".", look_into, l);
    if (err) return err;
    for (size_t i = 0; i < l->fresh.n; i++)
        match(l, &l->fresh.v[i]);
    for (size_t i = 0; t->conf.children && i < l->fresh.n; i++)
        if (!l->fresh.v[i].decided) follow(l, i);
    drop_gone(t);
    return 0;
}

static int look(struct tracker *t, struct logger *log)
{
    struct look l = {.t = t, .log = log};
    int err = 0;

    l.proc = open(t->procfs, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (l.proc < 0) return -errno;
    proc_reader_init(&l.reader);
    arena_init(&l.arena, 4096);
    t->look++;
    groups_begin(t->groups);
    err = look_around(&l);
    size_t forgotten = err ? 0 : groups_end(t->groups, t->conf.drop_empty);
    if (forgotten > 0)
        log_warn(log, "groups without processes are forgotten, there are too many of them",
                 F_UINT("forgotten", forgotten), F_UINT("limit", GROUPS_MAX));
    if (t->look == 1 && err) t->look = 0;
    proc_reader_done(&l.reader);
    arena_done(&l.arena);
    vec_each (&l.fresh, f)
        free(f->group);
    vec_done(&l.fresh);
    map_done(&l.fresh_by_pid, NULL);
    close(l.proc);
    return err;
}

static void add_errors(const struct tracker *t, struct expo *out)
{
    expo_counter1(out, "namedprocess_scrape_errors",
                  "general scrape errors: no proc metrics collected during a cycle", t->errors);
    expo_counter1(out, "namedprocess_scrape_procread_errors",
                  "incremented each time a proc's metrics collection fails", t->read_errors);
    expo_counter1(out, "namedprocess_scrape_partial_errors",
                  "incremented each time a tracked proc's metrics collection fails partially, e.g. "
                  "unreadable I/O stats",
                  t->partial_errors);
}

int tracker_collect(struct tracker *t, struct logger *log, struct expo *out)
{
    const struct groups_shown what = {
        .threads = t->conf.threads, .shares = t->conf.shares, .ticks_per_second = t->ticks};
    int err = look(t, log);

    t->errors += err != 0;
    if (!err) groups_expose(t->groups, &what, out);
    add_errors(t, out);
    return err;
}
