/* cpufreq: frequencies of the CPUs, and their governors. */
#include "components/prometheus/unix/collector.h"

static const struct {
    const char *file, *name, *help;
} values[] = {
    {"cpuinfo_cur_freq", "node_cpu_frequency_hertz", "Current CPU thread frequency in hertz."},
    {"cpuinfo_min_freq", "node_cpu_frequency_min_hertz", "Minimum CPU thread frequency in hertz."},
    {"cpuinfo_max_freq", "node_cpu_frequency_max_hertz", "Maximum CPU thread frequency in hertz."},
    {"scaling_cur_freq", "node_cpu_scaling_frequency_hertz",
     "Current scaled CPU thread frequency in hertz."},
    {"scaling_min_freq", "node_cpu_scaling_frequency_min_hertz",
     "Minimum scaled CPU thread frequency in hertz."},
    {"scaling_max_freq", "node_cpu_scaling_frequency_max_hertz",
     "Maximum scaled CPU thread frequency in hertz."},
};

static void add_governors(struct collect *c, const char *dir, const char *number)
{
    struct str all = unix_text(c, ROOT_SYS, "%s/scaling_available_governors", dir);
    struct str on = unix_text(c, ROOT_SYS, "%s/scaling_governor", dir), name;
    struct expo_family *f =
        expo_gauge(c->out, "node_cpu_scaling_governor", "Current enabled CPU frequency governor.");

    if (on.n == 0) return;
    while (unix_field(&all, &name))
        expo_add(f, str_eq(name, on), EXPO_L("cpu", number), EXPO_LS("governor", name));
}

/* The kernel tells kHz. Some files only root may read. */
static void add_cpu(struct collect *c, const char *number)
{
    const char *dir = arena_printf(c->arena, "devices/system/cpu/cpu%s/cpufreq", number);
    u64 khz;

    if (!unix_exists(c, ROOT_SYS, "%s", dir)) return;
    for (size_t i = 0; i < ARRAY_LEN(values); i++)
        if (unix_read_u64(c, &khz, ROOT_SYS, "%s/%s", dir, values[i].file) == 0)
            expo_gauge1(c->out, values[i].name, values[i].help, (f64)khz * 1000,
                        EXPO_L("cpu", number));
    add_governors(c, dir, number);
}

static int collect(struct collect *c)
{
    struct unix_names names;
    u64 number;
    int r = unix_list(c, &names, ROOT_SYS, "devices/system/cpu");

    if (r) return unix_read_failed(c, r, ROOT_SYS, "devices/system/cpu");
    for (size_t i = 0; i < names.n; i++)
        if (str_starts(names.v[i], STR("cpu")) && unix_u64(str_of(names.v[i].p + 3), &number) == 0)
            add_cpu(c, names.v[i].p + 3);
    return COLLECT_OK;
}

const struct collector_def collector_cpufreq = {
    .name = "cpufreq", .default_on = true, .collect = collect};
