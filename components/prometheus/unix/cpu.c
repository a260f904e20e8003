/* cpu: time of the CPUs by mode; with the settings facts of /proc/cpuinfo; how often they were
 * throttled, which are isolated, which are on line. */
#include "components/prometheus/unix/collector.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/map.h"
#include "components/prometheus/unix/cpu_list.h"

#define MODES 10 /* of a line of /proc/stat */
#define GUEST 8
#define CPUS  65536
#define IDLE  3
/* A CPU that comes back on line begins at nothing: its idle time is then far behind. */
#define IDLE_RESET 3.0

struct plan {
    bool info, guest;
    struct regex *flags, *bugs;
    bool frequency; /* cpufreq is off: the frequency is taken from cpuinfo */
};
struct state {
    f64 (*seconds)[MODES]; /* what was shown, by CPU */
    size_t n;
};

static bool listed(const struct str_list *list, const char *name)
{
    for (size_t i = 0; i < list->n; i++)
        if (str_is(list->v[i], name)) return true;
    return false;
}

static bool cpufreq_is_off(const struct unix_args *a)
{
    if (listed(&a->enable_collectors, "cpufreq")) return false;
    if (listed(&a->disable_collectors, "cpufreq")) return true;
    return a->set_collectors.n > 0 && !listed(&a->set_collectors, "cpufreq");
}

static int prepare(struct collector_prepare *pr, void *to)
{
    struct plan *plan = to;
    const struct unix_args *a = pr->args;
    int r = unix_regex(pr, "cpu/flags_include", a->cpu.flags_include, &plan->flags);

    if (!r) r = unix_regex(pr, "cpu/bugs_include", a->cpu.bugs_include, &plan->bugs);
    plan->guest = a->cpu.guest;
    plan->info = a->cpu.info || plan->flags || plan->bugs;
    plan->frequency = cpufreq_is_off(a);
    return r;
}

/* --- time --- */

static f64 *shown(struct state *s, size_t cpu)
{
    if (cpu >= s->n) {
        size_t n = cpu + 1;

        s->seconds = xrealloc(s->seconds, n * sizeof(*s->seconds));
        memset(s->seconds + s->n, 0, (n - s->n) * sizeof(*s->seconds));
        s->n = n;
    }
    return s->seconds[cpu];
}

/* The kernel's counters step back a little now and then (iowait above all); a counter must not. */
static void keep_rising(f64 *was, const f64 *now)
{
    if (was[IDLE] - now[IDLE] >= IDLE_RESET) memset(was, 0, MODES * sizeof(*was));
    for (size_t i = 0; i < MODES; i++)
        was[i] = MAX(was[i], now[i]);
}

static void add_times(struct collect *c, struct str cpu, const f64 *seconds)
{
    static const char *const modes[GUEST] = {"user",   "nice", "system",  "idle",
                                             "iowait", "irq",  "softirq", "steal"};
    const struct plan *plan = c->plan;
    struct expo_family *f =
        expo_counter(c->out, "node_cpu_seconds_total", "Seconds the CPUs spent in each mode.");

    for (size_t i = 0; i < GUEST; i++)
        expo_add(f, seconds[i], EXPO_LS("cpu", cpu), EXPO_L("mode", modes[i]));
    if (!plan->guest) return;
    f = expo_counter(c->out, "node_cpu_guest_seconds_total",
                     "Seconds the CPUs spent in guests (VMs) for each mode.");
    for (size_t i = 0; i < MODES - GUEST; i++)
        expo_add(f, seconds[GUEST + i], EXPO_LS("cpu", cpu), EXPO_L("mode", modes[i]));
}

static void add_time_line(struct collect *c, struct str line, f64 tick)
{
    struct str part[1 + MODES];
    size_t n = unix_fields(line, part, ARRAY_LEN(part));
    f64 now[MODES] = {0};
    u64 cpu;

    if (n < 5 || !str_starts(part[0], STR("cpu"))) return;
    struct str number = str_sub(part[0], 3, part[0].n);
    if (unix_u64(number, &cpu) || cpu >= CPUS) return; /* the sum of all has no number */
    for (size_t i = 1; i < n; i++)
        if (unix_f64(part[i], &now[i - 1]) == 0) now[i - 1] /= tick;
    f64 *was = shown(c->state, cpu);
    keep_rising(was, now);
    add_times(c, number, was);
}

static int times(struct collect *c)
{
    f64 tick = (f64)sysconf(_SC_CLK_TCK);
    struct str text, line;
    int r = unix_read(c, &text, ROOT_PROC, "stat");

    if (r) return unix_read_failed(c, r, ROOT_PROC, "stat");
    while (unix_line(&text, &line))
        add_time_line(c, line, tick);
    return 0;
}

/* --- /proc/cpuinfo --- */

struct info {
    struct str processor, vendor, family, model, model_name, microcode, stepping, cache, core,
        package, mhz, flags, bugs;
};
static const struct {
    const char *key;
    size_t off;
} keys[] = {
    {"processor", offsetof(struct info, processor)},
    {"vendor_id", offsetof(struct info, vendor)},
    {"cpu family", offsetof(struct info, family)},
    {"model", offsetof(struct info, model)},
    {"model name", offsetof(struct info, model_name)},
    {"microcode", offsetof(struct info, microcode)},
    {"stepping", offsetof(struct info, stepping)},
    {"cache size", offsetof(struct info, cache)},
    {"core id", offsetof(struct info, core)},
    {"physical id", offsetof(struct info, package)},
    {"cpu MHz", offsetof(struct info, mhz)},
    {"flags", offsetof(struct info, flags)},
    {"bugs", offsetof(struct info, bugs)},
};

static void set_info(struct info *to, struct str line)
{
    struct str value = line, key = str_trim(str_cut(&value, ':'));

    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        if (str_is(key, keys[i].key))
            *(struct str *)(void *)((char *)to + keys[i].off) = str_trim(value);
}

static void add_words(struct collect *c, const struct regex *re, struct str words, const char *name,
                      const char *help, const char *label)
{
    struct str word;

    while (re && unix_field(&words, &word))
        if (unix_matches(re, word)) expo_gauge1(c->out, name, help, 1, EXPO_LS(label, word));
}

static void add_info(struct collect *c, const struct info *i)
{
    const struct plan *plan = c->plan;
    f64 mhz;

    expo_gauge1(c->out, "node_cpu_info", "CPU information from /proc/cpuinfo.", 1,
                EXPO_LS("package", i->package), EXPO_LS("core", i->core),
                EXPO_LS("cpu", i->processor), EXPO_LS("vendor", i->vendor),
                EXPO_LS("family", i->family), EXPO_LS("model", i->model),
                EXPO_LS("model_name", i->model_name), EXPO_LS("microcode", i->microcode),
                EXPO_LS("stepping", i->stepping), EXPO_LS("cachesize", i->cache));
    if (plan->frequency && unix_f64(i->mhz, &mhz) == 0)
        expo_gauge1(c->out, "node_cpu_frequency_hertz",
                    "CPU frequency in hertz from /proc/cpuinfo.", mhz * 1e6,
                    EXPO_LS("package", i->package), EXPO_LS("core", i->core),
                    EXPO_LS("cpu", i->processor));
}

static void add_first(struct collect *c, const struct info *i)
{
    const struct plan *plan = c->plan;

    add_words(c, plan->flags, i->flags, "node_cpu_flag_info",
              "The `flags` field of CPU information from /proc/cpuinfo taken from the first core.",
              "flag");
    add_words(c, plan->bugs, i->bugs, "node_cpu_bug_info",
              "The `bugs` field of CPU information from /proc/cpuinfo taken from the first core.",
              "bug");
}

/* A paragraph for each CPU. */
static int infos(struct collect *c)
{
    struct str text, line;
    struct info i = {0};
    size_t n = 0;
    int r = unix_read(c, &text, ROOT_PROC, "cpuinfo");

    if (r) return unix_read_failed(c, r, ROOT_PROC, "cpuinfo");
    for (bool more = true; more;) {
        more = unix_line(&text, &line);
        if (more && str_trim(line).n > 0) {
            set_info(&i, line);
            continue;
        }
        if (i.processor.n == 0) continue;
        add_info(c, &i);
        if (n++ == 0) add_first(c, &i);
        i = (struct info){0};
    }
    return 0;
}

/* --- /sys --- */

static bool is_cpu(struct str name)
{
    u64 number;

    return str_starts(name, STR("cpu")) && unix_u64(str_sub(name, 3, name.n), &number) == 0;
}

static void add_throttles(struct collect *c, const char *cpu, struct map *packages)
{
    static const char dir[] = "devices/system/cpu";
    struct str package = unix_text(c, ROOT_SYS, "%s/%s/topology/physical_package_id", dir, cpu);
    struct str core = unix_text(c, ROOT_SYS, "%s/%s/topology/core_id", dir, cpu);
    u64 n;

    if (unix_read_u64(c, &n, ROOT_SYS, "%s/%s/thermal_throttle/core_throttle_count", dir, cpu) == 0)
        expo_counter1(c->out, "node_cpu_core_throttles_total",
                      "Number of times this CPU core has been throttled.", n, EXPO_LS("core", core),
                      EXPO_LS("package", package));
    if (map_has(packages, package)) return;
    if (unix_read_u64(c, &n, ROOT_SYS, "%s/%s/thermal_throttle/package_throttle_count", dir, cpu) ==
        0)
        expo_counter1(c->out, "node_cpu_package_throttles_total",
                      "Number of times this CPU package has been throttled.", n,
                      EXPO_LS("package", package));
    map_put(packages, package, c);
}

/* Threads of a core, and cores of a package, tell the same counter: the first one is shown. */
static bool first_of_core(struct collect *c, const char *cpu)
{
    struct cpu_list siblings;
    struct str list =
        unix_text(c, ROOT_SYS, "devices/system/cpu/%s/topology/thread_siblings_list", cpu);
    u64 number = 0;

    unix_u64(str_of(cpu + 3), &number);
    cpu_list_parse(&siblings, list);
    return siblings.n == 0 || siblings.range[0].from == number;
}

static void add_listed(struct collect *c, const char *file, const char *name, const char *help)
{
    struct cpu_list list;
    struct expo_family *f = expo_gauge(c->out, name, help);

    cpu_list_parse(&list, unix_text(c, ROOT_SYS, "devices/system/cpu/%s", file));
    for (size_t i = 0; i < list.n; i++)
        for (u64 cpu = list.range[i].from; cpu <= list.range[i].to; cpu++) {
            char number[24];

            snprintf(number, sizeof(number), "%llu", (unsigned long long)cpu);
            expo_add(f, 1, EXPO_L("cpu", number));
        }
}

/* Those that are off line are shown too, with nought. */
static void add_online(struct collect *c, const struct unix_names *cpus)
{
    struct expo_family *f =
        expo_gauge(c->out, "node_cpu_online", "CPUs that are online and being scheduled.");
    struct cpu_list online;

    cpu_list_parse(&online, unix_text(c, ROOT_SYS, "devices/system/cpu/online"));
    for (size_t i = 0; i < cpus->n && online.n > 0; i++) {
        u64 number;

        if (!is_cpu(cpus->v[i]) || unix_u64(str_of(cpus->v[i].p + 3), &number)) continue;
        expo_add(f, cpu_list_has(&online, number), EXPO_L("cpu", cpus->v[i].p + 3));
    }
}

static void add_sys(struct collect *c)
{
    struct unix_names cpus;
    struct map packages = {0};

    unix_list(c, &cpus, ROOT_SYS, "devices/system/cpu");
    for (size_t i = 0; i < cpus.n; i++)
        if (is_cpu(cpus.v[i]) &&
            unix_exists(c, ROOT_SYS, "devices/system/cpu/%s/thermal_throttle", cpus.v[i].p) &&
            first_of_core(c, cpus.v[i].p))
            add_throttles(c, cpus.v[i].p, &packages);
    map_done(&packages, NULL);
    add_listed(c, "isolated", "node_cpu_isolated",
               "Whether each core is isolated, information from /sys/devices/system/cpu/isolated.");
    add_online(c, &cpus);
}

static int collect(struct collect *c)
{
    const struct plan *plan = c->plan;
    int r = plan->info ? infos(c) : 0;

    if (r) return r;
    add_sys(c);
    return times(c);
}

static void done(void *state)
{
    free(((struct state *)state)->seconds);
}

const struct collector_def collector_cpu = {.name = "cpu",
                                            .default_on = true,
                                            .plan_size = sizeof(struct plan),
                                            .state_size = sizeof(struct state),
                                            .prepare = prepare,
                                            .collect = collect,
                                            .done = done};
