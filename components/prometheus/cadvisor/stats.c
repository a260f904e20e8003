/* Figures of one control group, by the files of version 1 or 2. */
#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/num.h"
#include "components/prometheus/cadvisor/container.h"

#define PIDS_MAX 100000
#define NS       1e9
#define US       1e6

struct reading {
    const struct cad_hierarchies *h;
    const struct cad_roots *roots;
    const char *name; /* "" for the root */
    struct arena *a;
    struct cad_stats *s;
};

static struct str text(const struct reading *r, enum cad_controller c, const char *file)
{
    return r->h->at[c] ? cad_read(r->a, "%s%s/%s", r->h->at[c], r->name, file) : (struct str){0};
}

static f64 number(const struct reading *r, enum cad_controller c, const char *file)
{
    return r->h->at[c] ? cad_number(r->a, "%s%s/%s", r->h->at[c], r->name, file) : NAN;
}

static f64 or_zero(f64 v)
{
    return isnan(v) ? 0 : v;
}

/* --- CPU --- */

static void cpu_v1(const struct reading *r)
{
    struct str stat = text(r, CAD_C_CPUACCT, "cpuacct.stat"), cfs = text(r, CAD_C_CPU, "cpu.stat");
    struct str each = text(r, CAD_C_CPUACCT, "cpuacct.usage_percpu"), one;
    f64 ticks = (f64)sysconf(_SC_CLK_TCK);

    r->s->cpu_user = cad_key(stat, "user") / ticks;
    r->s->cpu_system = cad_key(stat, "system") / ticks;
    r->s->cpu_total = number(r, CAD_C_CPUACCT, "cpuacct.usage") / NS;
    r->s->periods = cad_key(cfs, "nr_periods");
    r->s->throttled = cad_key(cfs, "nr_throttled");
    r->s->throttled_time = cad_key(cfs, "throttled_time") / NS;
    r->s->bursts = cad_key(cfs, "nr_bursts");
    r->s->burst_time = cad_key(cfs, "burst_time") / NS;
    each = str_trim(each);
    while (cad_field(&each, &one))
        vec_push(&r->s->percpu, cad_f64(one) / NS);
}

static void cpu_v2(const struct reading *r)
{
    struct str stat = text(r, CAD_C_CPU, "cpu.stat");

    r->s->cpu_user = cad_key(stat, "user_usec") / US;
    r->s->cpu_system = cad_key(stat, "system_usec") / US;
    r->s->cpu_total = cad_key(stat, "usage_usec") / US;
    r->s->periods = cad_key(stat, "nr_periods");
    r->s->throttled = cad_key(stat, "nr_throttled");
    r->s->throttled_time = cad_key(stat, "throttled_usec") / US;
    r->s->bursts = cad_key(stat, "nr_bursts");
    r->s->burst_time = cad_key(stat, "burst_usec") / US;
}

static void cpu_spec_v1(const struct reading *r)
{
    f64 quota = number(r, CAD_C_CPU, "cpu.cfs_quota_us");

    r->s->shares = or_zero(number(r, CAD_C_CPU, "cpu.shares"));
    r->s->period = or_zero(number(r, CAD_C_CPU, "cpu.cfs_period_us"));
    r->s->quota = quota > 0 ? quota : NAN;
}

static void cpu_spec_v2(const struct reading *r)
{
    f64 weight = number(r, CAD_C_CPU, "cpu.weight");
    struct str max = str_trim(text(r, CAD_C_CPU, "cpu.max")), quota = {0}, period = {0};

    /* The weights of version 2 as the shares of version 1. */
    r->s->shares = weight >= 1 && weight <= 10000 ? 2 + floor((weight - 1) * 262142 / 9999) : 0;
    (void)cad_field(&max, &quota);
    (void)cad_field(&max, &period);
    r->s->period = or_zero(cad_f64(period));
    r->s->quota = isinf(cad_f64(quota)) ? NAN : cad_f64(quota);
}

/* --- memory --- */

static void working_set(struct cad_stats *s, const char *inactive, const char *active)
{
    s->inactive_file = or_zero(cad_key(s->memory_stat, inactive));
    s->active_file = or_zero(cad_key(s->memory_stat, active));
    s->working_set = MAX(s->usage - s->inactive_file, 0);
}

static void memory_v1(const struct reading *r)
{
    struct cad_stats *s = r->s;
    bool all = number(r, CAD_C_MEMORY, "memory.use_hierarchy") == 1;

    s->memory_stat = text(r, CAD_C_MEMORY, "memory.stat");
    s->usage = number(r, CAD_C_MEMORY, "memory.usage_in_bytes");
    s->max_usage = number(r, CAD_C_MEMORY, "memory.max_usage_in_bytes");
    s->failcnt = number(r, CAD_C_MEMORY, "memory.failcnt");
    s->kernel = or_zero(number(r, CAD_C_MEMORY, "memory.kmem.usage_in_bytes"));
    s->cache = cad_key(s->memory_stat, all ? "total_cache" : "cache");
    s->rss = cad_key(s->memory_stat, all ? "total_rss" : "rss");
    s->swap = or_zero(cad_key(s->memory_stat, all ? "total_swap" : "swap"));
    s->mapped = cad_key(s->memory_stat, all ? "total_mapped_file" : "mapped_file");
    s->oom = cad_key(text(r, CAD_C_MEMORY, "memory.oom_control"), "oom_kill");
    working_set(s, "total_inactive_file", "total_active_file");
}

static f64 meminfo(const struct reading *r, const char *key)
{
    return 1024 * cad_key(cad_read(r->a, "%s/meminfo", r->roots->proc), key);
}

/* The root of version 2 has no memory.current: what is used is told by the machine itself. */
static f64 usage_v2(const struct reading *r)
{
    f64 usage = number(r, CAD_C_MEMORY, "memory.current");

    if (!isnan(usage) || r->name[0]) return usage;
    return meminfo(r, "MemTotal:") - meminfo(r, "MemFree:");
}

static f64 swap_v2(const struct reading *r)
{
    f64 swap = number(r, CAD_C_MEMORY, "memory.swap.current");

    if (!isnan(swap) || r->name[0]) return or_zero(swap);
    return or_zero(meminfo(r, "SwapTotal:") - meminfo(r, "SwapFree:"));
}

static void memory_v2(const struct reading *r)
{
    struct cad_stats *s = r->s;
    struct str events = text(r, CAD_C_MEMORY, "memory.events");

    s->memory_stat = text(r, CAD_C_MEMORY, "memory.stat");
    s->usage = usage_v2(r);
    s->max_usage = or_zero(number(r, CAD_C_MEMORY, "memory.peak"));
    s->failcnt = or_zero(cad_key(events, "max"));
    s->kernel = or_zero(cad_key(s->memory_stat, "kernel"));
    s->cache = cad_key(s->memory_stat, "file");
    s->rss = cad_key(s->memory_stat, "anon");
    s->swap = swap_v2(r);
    s->mapped = cad_key(s->memory_stat, "file_mapped");
    s->oom = cad_key(events, "oom_kill");
    working_set(s, "inactive_file", "active_file");
}

static void memory_spec(const struct reading *r)
{
    struct cad_stats *s = r->s;
    bool v2 = r->h->unified;

    s->limit = number(r, CAD_C_MEMORY, v2 ? "memory.max" : "memory.limit_in_bytes");
    s->swap_limit =
        or_zero(number(r, CAD_C_MEMORY, v2 ? "memory.swap.max" : "memory.memsw.limit_in_bytes"));
    s->reservation =
        or_zero(number(r, CAD_C_MEMORY, v2 ? "memory.min" : "memory.soft_limit_in_bytes"));
    s->has_memory = !isnan(s->limit);
    if (r->name[0]) return;
    s->limit = meminfo(r, "MemTotal:");
    s->swap_limit = or_zero(meminfo(r, "SwapTotal:"));
    s->has_memory = !isnan(s->limit);
}

/* --- devices --- */

static struct cad_disk *disk_of(const struct reading *r, u64 major, u64 minor)
{
    vec_each (&r->s->disks, d)
        if (d->major == major && d->minor == minor) return d;
    const struct cad_disk new = {.major = major,
                                 .minor = minor,
                                 .device = cad_device(r->roots, r->a, major, minor),
                                 .read_bytes = NAN,
                                 .write_bytes = NAN,
                                 .reads = NAN,
                                 .writes = NAN};
    vec_push(&r->s->disks, new);
    return &vec_last(&r->s->disks);
}

/* "8:16" */
static struct cad_disk *disk_named(const struct reading *r, struct str numbers)
{
    u64 major, minor;
    struct str head = str_cut(&numbers, ':');

    if (num_parse_u64(head, &major) != 0 || num_parse_u64(numbers, &minor) != 0) return NULL;
    return disk_of(r, major, minor);
}

static void add_op(struct cad_disk *d, struct str name, struct str value)
{
    if (d->n_ops < ARRAY_LEN(d->ops)) d->ops[d->n_ops++] = (struct cad_label){name, value};
}

/* "8:0 Read 123" */
static void blkio(const struct reading *r, struct str lines, bool bytes)
{
    struct str line, numbers, op, value;

    while (cad_line(&lines, &line)) {
        if (!cad_field(&line, &numbers) || !cad_field(&line, &op) || !cad_field(&line, &value))
            continue;
        struct cad_disk *d = disk_named(r, numbers);
        if (!d) continue;
        if (bytes) add_op(d, op, value);
        if (str_is(op, "Read")) *(bytes ? &d->read_bytes : &d->reads) = cad_f64(value);
        if (str_is(op, "Write")) *(bytes ? &d->write_bytes : &d->writes) = cad_f64(value);
    }
}

static struct str first_of(const struct reading *r, const char *a, const char *b, const char *c)
{
    struct str t = text(r, CAD_C_BLKIO, a);

    if (t.n <= 10) t = text(r, CAD_C_BLKIO, b); /* "Total 0": nobody schedules with it */
    return t.n <= 10 ? text(r, CAD_C_BLKIO, c) : t;
}

static void io_v1(const struct reading *r)
{
    blkio(r,
          first_of(r, "blkio.bfq.io_service_bytes_recursive", "blkio.io_service_bytes_recursive",
                   "blkio.throttle.io_service_bytes"),
          true);
    blkio(r,
          first_of(r, "blkio.bfq.io_serviced_recursive", "blkio.io_serviced_recursive",
                   "blkio.throttle.io_serviced"),
          false);
}

static void io_pair(struct cad_disk *d, struct str pair)
{
    struct str value = pair, key = str_cut(&value, '=');

    if (str_is(key, "rbytes")) {
        d->read_bytes = cad_f64(value);
        add_op(d, STR("Read"), value);
    } else if (str_is(key, "wbytes")) {
        d->write_bytes = cad_f64(value);
        add_op(d, STR("Write"), value);
    } else if (str_is(key, "rios")) {
        d->reads = cad_f64(value);
    } else if (str_is(key, "wios")) {
        d->writes = cad_f64(value);
    }
}

/* "8:16 rbytes=1 wbytes=2 rios=3 wios=4 ..." */
static void io_v2(const struct reading *r)
{
    struct str lines = text(r, CAD_C_BLKIO, "io.stat"), line, field;

    while (cad_line(&lines, &line)) {
        struct cad_disk *d = cad_field(&line, &field) ? disk_named(r, field) : NULL;
        while (d && cad_field(&line, &field))
            io_pair(d, field);
    }
}

/* --- pressure: "some avg10=0.00 avg60=0.00 avg300=0.00 total=123" --- */

static f64 total_of(struct str line)
{
    struct str field;

    while (cad_field(&line, &field))
        if (str_starts(field, STR("total="))) return cad_f64(str_sub(field, 6, field.n)) / US;
    return NAN;
}

static void pressure(const struct reading *r, const char *what, struct cad_pressure *p)
{
    struct str lines, line;

    if (!r->h->unified) return;
    lines = text(r, CAD_C_CPU, arena_printf(r->a, "%s.pressure", what));
    if (lines.n == 0 && !r->name[0]) lines = cad_read(r->a, "%s/pressure/%s", r->roots->proc, what);
    while (cad_line(&lines, &line)) {
        if (str_starts(line, STR("some "))) p->some = total_of(line);
        if (str_starts(line, STR("full "))) p->full = total_of(line);
    }
}

/* --- processes --- */

static void count_files(const struct reading *r, struct str pid)
{
    const char *path = arena_printf(r->a, "%s/" STR_FMT "/fd", r->roots->proc, STR_ARG(pid));
    DIR *dir = opendir(path);
    char to[16];

    if (!dir) return; /* gone, or another's */
    for (const struct dirent *d; (d = readdir(dir));) {
        if (d->d_name[0] == '.') continue;
        r->s->fds++;
        ssize_t n = readlinkat(dirfd(dir), d->d_name, to, sizeof(to));
        r->s->sockets += n >= 6 && memcmp(to, "socket", 6) == 0;
    }
    closedir(dir);
}

static void schedule_of(const struct reading *r, struct str pid)
{
    struct str t =
        str_trim(cad_read(r->a, "%s/" STR_FMT "/schedstat", r->roots->proc, STR_ARG(pid)));
    struct str run, wait, n;

    if (!cad_field(&t, &run) || !cad_field(&t, &wait) || !cad_field(&t, &n)) return;
    r->s->sched_run += cad_f64(run) / NS;
    r->s->sched_wait += cad_f64(wait) / NS;
    r->s->sched_periods += cad_f64(n);
}

static f64 max_open_files(const struct reading *r, i64 pid)
{
    struct str lines = cad_read(r->a, "%s/%lld/limits", r->roots->proc, (long long)pid), line, f;

    while (cad_line(&lines, &line)) {
        if (!str_starts(line, STR("Max open files"))) continue;
        line = str_sub(line, 14, line.n);
        if (!cad_field(&line, &f)) return NAN;
        return str_ieq(f, STR("unlimited")) ? -1 : cad_f64(f);
    }
    return NAN;
}

static void processes(const struct reading *r, u32 sets, i64 root_pid)
{
    struct str pids = text(r, CAD_C_CPU, "cgroup.procs"), pid;
    struct cad_stats *s = r->s;
    bool files = cad_has(sets, CAD_PROCESS), sched = cad_has(sets, CAD_SCHED);
    size_t n = 0;

    if (files) s->processes = s->fds = s->sockets = 0;
    if (sched) s->sched_run = s->sched_wait = s->sched_periods = 0;
    while (n++ < PIDS_MAX && cad_line(&pids, &pid)) {
        if (files) count_files(r, pid);
        if (sched) schedule_of(r, pid);
        s->processes += files;
    }
    if (!files) return;
    s->threads = or_zero(number(r, CAD_C_PIDS, "pids.current"));
    f64 max = number(r, CAD_C_PIDS, "pids.max");
    s->threads_max = isinf(max) ? 0 : or_zero(max);
    if (root_pid > 0) s->max_open_files = max_open_files(r, root_pid);
}

/* --- all --- */

static i64 time_of(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 ? st.st_mtim.tv_sec * NS_PER_SEC + st.st_mtim.tv_nsec : INT64_MAX;
}

/* A folder changes when groups are made in it; these files hardly ever after their making. */
static i64 made_at(const struct reading *r)
{
    const char *file = r->h->unified ? "cgroup.events" : "cgroup.clone_children";
    i64 least = INT64_MAX;

    for (int i = 0; i < CAD_CONTROLLERS; i++) {
        if (!r->h->at[i]) continue;
        i64 folder = time_of(arena_printf(r->a, "%s%s", r->h->at[i], r->name));
        i64 inside = time_of(arena_printf(r->a, "%s%s/%s", r->h->at[i], r->name, file));
        least = MIN(least, MIN(folder, inside));
    }
    return least == INT64_MAX ? 0 : least;
}

static void clear(struct cad_stats *s)
{
    *s = (struct cad_stats){0};
    s->cpu_user = s->cpu_system = s->cpu_total = s->periods = s->throttled = NAN;
    s->throttled_time = s->bursts = s->burst_time = NAN;
    s->sched_run = s->sched_wait = s->sched_periods = NAN;
    s->cache = s->rss = s->kernel = s->mapped = s->swap = s->failcnt = s->usage = NAN;
    s->max_usage = s->working_set = s->active_file = s->inactive_file = NAN;
    s->pgfault = s->pgmajfault = s->oom = s->migrate = NAN;
    s->processes = s->threads = s->threads_max = s->fds = s->sockets = s->max_open_files = NAN;
    s->cpu_p = s->memory_p = s->io_p = (struct cad_pressure){NAN, NAN};
    s->quota = NAN;
}

void cad_stats_read(const struct cad_hierarchies *h, const struct cad_roots *roots, u32 sets,
                    const struct cad_container *c, struct arena *a, struct cad_stats *ret)
{
    const struct reading r = {h, roots, str_is(c->name, "/") ? "" : c->name.p, a, ret};
    bool there =
        h->at[CAD_C_CPU] && access(arena_printf(a, "%s%s", h->at[CAD_C_CPU], r.name), F_OK) == 0;

    clear(ret);
    (h->unified ? cpu_v2 : cpu_v1)(&r);
    (h->unified ? memory_v2 : memory_v1)(&r);
    if (cad_has(sets, CAD_DISK_IO)) (h->unified ? io_v2 : io_v1)(&r);
    ret->has_cpu = there;
    (h->unified ? cpu_spec_v2 : cpu_spec_v1)(&r);
    memory_spec(&r);
    ret->pgfault = cad_key(ret->memory_stat, "pgfault");
    ret->pgmajfault = cad_key(ret->memory_stat, "pgmajfault");
    pressure(&r, "cpu", &ret->cpu_p);
    pressure(&r, "memory", &ret->memory_p);
    pressure(&r, "io", &ret->io_p);
    if (cad_has(sets, CAD_PROCESS) || cad_has(sets, CAD_SCHED)) processes(&r, sets, c->pid);
    if (cad_has(sets, CAD_CPUSET)) ret->migrate = number(&r, CAD_C_CPUSET, "cpuset.memory_migrate");
    if (cad_has(sets, CAD_MEMORY_NUMA)) ret->numa_stat = text(&r, CAD_C_MEMORY, "memory.numa_stat");
    ret->changed = made_at(&r);
}

void cad_stats_done(struct cad_stats *s)
{
    vec_done(&s->percpu);
    vec_done(&s->disks);
}
