/* perf: events that the CPUs and the kernel count, by CPU. Counters are opened at the first scrape,
 * from which they count, and stay open: one descriptor for each CPU and event. A value is shown as
 * it stands, as node_exporter does: where there are more events than the CPU has registers, the
 * kernel counts each for a part of the time. */
#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "base/num.h"
#include "components/common/settings.h"
#include "components/prometheus/unix/collector.h"
#include "components/prometheus/unix/cpu_list.h"
#include "components/prometheus/unix/perf_events.h"

#define TRACEPOINTS_MAX 1024

struct tracepoint {
    const char *subsystem, *event, *name, *help;
};
struct plan {
    u32 *cpus; /* of the settings; n_cpus 0: those that are there */
    size_t n_cpus;
    u32 wanted[PERF_KINDS]; /* a bit for each of perf_events */
    struct tracepoint *tracepoints;
    size_t n_tracepoints;
};
struct counter {
    int fd;
    u32 cpu;
    const char *name, *help; /* of the tables or the plan */
};
struct state {
    struct counter *v;
    size_t n, cap;
};

/* --- settings --- */

static bool cut_range(struct str text, u64 *from, u64 *to, u64 *step)
{
    struct str rest = text, range = str_cut(&rest, ':'), end = range, begin = str_cut(&end, '-');

    *step = 1;
    if (num_parse_u64(begin, from) < 0) return false;
    *to = *from;
    if (end.p && num_parse_u64(end, to) < 0) return false;
    if (rest.p && (!end.p || num_parse_u64(rest, step) < 0 || *step == 0)) return false;
    return *from <= *to && *to < CPU_MAX;
}

static int each_range(struct collector_prepare *pr, struct plan *plan, bool keep)
{
    struct str rest = pr->args->perf.cpus;
    u64 from, to, step;

    for (plan->n_cpus = 0; rest.p;) {
        struct str range = str_cut(&rest, ',');

        if (!cut_range(range, &from, &to, &step))
            return setting_fault(pr->p, "perf/cpus",
                                 "\"" STR_FMT "\" is no CPU (\"3\"), range (\"0-7\") or range with "
                                 "steps (\"0-7:2\")",
                                 STR_ARG(range));
        for (u64 i = from; i <= to && plan->n_cpus < CPU_MAX; i += step, plan->n_cpus++)
            if (keep) plan->cpus[plan->n_cpus] = (u32)i;
    }
    return 0;
}

/* Counted first, then kept. */
static int read_cpus(struct collector_prepare *pr, struct plan *plan)
{
    if (pr->args->perf.cpus.n == 0) return 0;
    int r = each_range(pr, plan, false);
    if (r) return r;
    plan->cpus = arena_array(pr->arena, u32, plan->n_cpus);
    return each_range(pr, plan, true);
}

static ssize_t find(const struct perf_event_list *list, struct str name)
{
    for (size_t i = 0; i < list->n; i++)
        if (str_is(name, list->v[i].profiler)) return (ssize_t)i;
    return -1;
}

static u32 choose(struct collector_prepare *pr, const char *path, const struct str_list *names,
                  const struct perf_event_list *list)
{
    u32 bits = 0;

    for (size_t i = 0; i < names->n; i++) {
        ssize_t at = find(list, names->v[i]);

        if (at >= 0) {
            bits |= 1u << at;
            continue;
        }
        char *why = xprintf("there is no profiler \"" STR_FMT "\"", STR_ARG(names->v[i]));
        setting_no_effect(pr->p, path, why);
        free(why);
    }
    return names->n > 0 ? bits : (1u << list->n) - 1;
}

static void choose_all(struct collector_prepare *pr, struct plan *plan)
{
    const __typeof__(pr->args->perf) *a = &pr->args->perf;
    const struct {
        bool off;
        const char *path;
        const struct str_list *names;
    } kinds[PERF_KINDS] = {
        [PERF_HARDWARE] = {a->disable_hardware_profilers, "perf/hardware_profilers",
                           &a->hardware_profilers},
        [PERF_SOFTWARE] = {a->disable_software_profilers, "perf/software_profilers",
                           &a->software_profilers},
        [PERF_CACHE] = {a->disable_cache_profilers, "perf/cache_profilers", &a->cache_profilers},
    };

    for (size_t i = 0; i < PERF_KINDS; i++)
        if (!kinds[i].off)
            plan->wanted[i] = choose(pr, kinds[i].path, kinds[i].names, &perf_events[i]);
}

static bool is_plain(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= 'A' && s.p[i] <= 'Z') ||
              (s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '_' || s.p[i] == '-'))
            return false;
    return s.n > 0;
}

static const char *tracepoint_name(struct arena *arena, struct str subsystem, struct str event)
{
    char *name =
        arena_printf(arena, "node_perf_" STR_FMT "_" STR_FMT, STR_ARG(subsystem), STR_ARG(event));

    for (char *p = name; *p; p++)
        if (*p == '-') *p = '_';
    return name;
}

static int read_tracepoints(struct collector_prepare *pr, struct plan *plan)
{
    const struct str_list *texts = &pr->args->perf.tracepoint;

    if (texts->n > TRACEPOINTS_MAX)
        return setting_fault(pr->p, "perf/tracepoint", "more than %d tracepoints", TRACEPOINTS_MAX);
    plan->tracepoints = arena_array(pr->arena, struct tracepoint, texts->n + 1);
    for (size_t i = 0; i < texts->n; i++) {
        struct str event = texts->v[i], subsystem = str_cut(&event, ':');

        if (!is_plain(subsystem) || !is_plain(event))
            return setting_fault(pr->p, "perf/tracepoint",
                                 "\"" STR_FMT "\" is no tracepoint: \"sched:sched_switch\" is one",
                                 STR_ARG(texts->v[i]));
        plan->tracepoints[plan->n_tracepoints++] = (struct tracepoint){
            .subsystem = arena_strdup(pr->arena, subsystem),
            .event = arena_strdup(pr->arena, event),
            .name = tracepoint_name(pr->arena, subsystem, event),
            .help = arena_printf(pr->arena, "Perf tracepoint " STR_FMT, STR_ARG(texts->v[i])),
        };
    }
    return 0;
}

static int prepare(struct collector_prepare *pr, void *to)
{
    struct plan *plan = to;
    int r = read_cpus(pr, plan);

    choose_all(pr, plan);
    return read_tracepoints(pr, plan) ? -EINVAL : r;
}

/* --- opening --- */

static void close_all(struct state *s)
{
    for (size_t i = 0; i < s->n; i++)
        close(s->v[i].fd);
    free(s->v);
    *s = (struct state){0};
}

static int open_event(struct collect *c, u32 type, u64 config, u32 cpu)
{
    struct perf_event_attr attr = {
        .type = type, .size = sizeof(attr), .config = config, .exclude_hv = true};

    if (c->perf) return c->perf(&attr, (int)cpu);
    long fd = syscall(SYS_perf_event_open, &attr, -1, (int)cpu, -1, PERF_FLAG_FD_CLOEXEC);
    return fd < 0 ? -errno : (int)fd;
}

/* A CPU, or a virtual machine, has not every event. */
static bool lacks_it(int r)
{
    return r == -ENOENT || r == -EOPNOTSUPP || r == -EINVAL || r == -ENODEV || r == -ENXIO;
}

static int refused(struct collect *c, int r)
{
    struct str level = unix_text(c, ROOT_PROC, "sys/kernel/perf_event_paranoid");

    if (r != -EACCES && r != -EPERM) return collect_fail(c, r, "perf_event_open: %s", strerror(-r));
    return collect_fail(c, r,
                        "perf_event_open: %s; counting whole CPUs needs "
                        "kernel.perf_event_paranoid to be 0 or less (it is " STR_FMT
                        "), or the capability CAP_PERFMON",
                        strerror(-r), STR_ARG(level));
}

static int add(struct collect *c, u32 type, u64 config, u32 cpu, const char *name, const char *help)
{
    struct state *s = c->state;
    int fd = open_event(c, type, config, cpu);

    if (fd < 0) return fd;
    if (s->n == s->cap) {
        s->cap = MAX(s->cap * 2, (size_t)64);
        s->v = xrealloc(s->v, s->cap * sizeof(*s->v));
    }
    s->v[s->n++] = (struct counter){fd, cpu, name, help};
    return 0;
}

static int open_kinds(struct collect *c, u32 cpu)
{
    const struct plan *plan = c->plan;

    for (size_t kind = 0; kind < PERF_KINDS; kind++)
        for (size_t i = 0; i < perf_events[kind].n; i++) {
            const struct perf_event *e = &perf_events[kind].v[i];

            if (!(plan->wanted[kind] >> i & 1)) continue;
            int r = add(c, perf_types[kind], e->config, cpu, e->name, e->help);
            if (r && !lacks_it(r)) return refused(c, r);
        }
    return 0;
}

static int tracepoint_id(struct collect *c, const struct tracepoint *t, u64 *ret)
{
    int r =
        unix_read_u64(c, ret, ROOT_SYS, "kernel/tracing/events/%s/%s/id", t->subsystem, t->event);

    if (r == -ENOENT)
        r = unix_read_u64(c, ret, ROOT_SYS, "kernel/debug/tracing/events/%s/%s/id", t->subsystem,
                          t->event);
    return r ? collect_fail(c, r,
                            "the tracepoint %s:%s: %s; it is looked for in "
                            "/sys/kernel/tracing/events, which root may read",
                            t->subsystem, t->event, strerror(-r))
             : 0;
}

static int open_tracepoints(struct collect *c, const u32 *cpus, size_t n)
{
    const struct plan *plan = c->plan;
    u64 id;

    for (size_t i = 0; i < plan->n_tracepoints; i++) {
        const struct tracepoint *t = &plan->tracepoints[i];
        int r = tracepoint_id(c, t, &id);

        if (r) return r;
        for (size_t k = 0; k < n; k++) {
            r = add(c, PERF_TYPE_TRACEPOINT, id, cpus[k], t->name, t->help);
            if (r) return refused(c, r);
        }
    }
    return 0;
}

/* The rest of the agent needs descriptors too. */
static int check_room(struct collect *c, size_t n_cpus)
{
    const struct plan *plan = c->plan;
    size_t each = plan->n_tracepoints;
    struct rlimit limit;

    for (size_t kind = 0; kind < PERF_KINDS; kind++)
        each += (size_t)__builtin_popcount(plan->wanted[kind]);
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || each * n_cpus <= limit.rlim_cur / 2) return 0;
    return collect_fail(c, -EMFILE,
                        "%zu events on %zu CPUs are more than half of the %llu files that may be "
                        "open: raise the limit, or name fewer profilers or CPUs",
                        each, n_cpus, (unsigned long long)limit.rlim_cur);
}

static size_t cpus_there(struct collect *c, u32 **ret)
{
    struct cpu_list *list = arena_new(c->arena, struct cpu_list);
    size_t n = 0;

    cpu_list_parse(list, unix_text(c, ROOT_SYS, "devices/system/cpu/online"));
    *ret = arena_array(c->arena, u32, CPU_MAX);
    for (size_t i = 0; i < list->n; i++)
        for (u64 cpu = list->range[i].from; cpu <= list->range[i].to && n < CPU_MAX; cpu++)
            (*ret)[n++] = (u32)cpu;
    return n;
}

static int open_all(struct collect *c)
{
    const struct plan *plan = c->plan;
    u32 *cpus = plan->cpus;
    size_t n = plan->n_cpus ? plan->n_cpus : cpus_there(c, &cpus);
    int r = check_room(c, n);

    for (size_t i = 0; !r && i < n; i++)
        r = open_kinds(c, cpus[i]);
    if (!r) r = open_tracepoints(c, cpus, n);
    if (r) close_all(c->state);
    return r;
}

/* --- a scrape --- */

static void show(struct collect *c, const struct counter *counter)
{
    char cpu[16];
    u64 v;

    snprintf(cpu, sizeof(cpu), "%u", counter->cpu);
    if (read(counter->fd, &v, sizeof(v)) != sizeof(v)) return; /* the CPU was switched off */
    expo_counter1(c->out, counter->name, counter->help, v, EXPO_L("cpu", cpu));
}

static int collect(struct collect *c)
{
    struct state *s = c->state;
    int r = s->n > 0 ? 0 : open_all(c);

    for (size_t i = 0; i < s->n; i++)
        show(c, &s->v[i]);
    return r;
}

static void done(void *state)
{
    close_all(state);
}

const struct collector_def collector_perf = {.name = "perf",
                                             .plan_size = sizeof(struct plan),
                                             .state_size = sizeof(struct state),
                                             .prepare = prepare,
                                             .collect = collect,
                                             .done = done};
