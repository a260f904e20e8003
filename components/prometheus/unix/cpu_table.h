/* /proc/interrupts and /proc/softirqs: a head that names the CPUs, then lines of a name and a
 * counter for each of them. */
#ifndef COMPONENTS_PROMETHEUS_UNIX_CPU_TABLE_H
#define COMPONENTS_PROMETHEUS_UNIX_CPU_TABLE_H

#include "components/prometheus/unix/collector.h"

/* Calls fn for each line: name without its colon, counters (terminated by n), what stands behind.
 */
typedef void cpu_table_fn(struct collect *c, struct str name, const struct str *cpus,
                          const struct str *counters, size_t n, struct str rest);

static inline int cpu_table_read(struct collect *c, const char *file, cpu_table_fn *fn)
{
    struct str text, line, name;
    size_t n = 0, max = 1;
    int r = unix_read(c, &text, ROOT_PROC, "%s", file);

    if (r) return unix_read_failed(c, r, ROOT_PROC, "%s", file);
    if (!unix_line(&text, &line)) return collect_fail(c, -22, "%s is empty", file);
    max += line.n / 4;
    struct str *cpus = arena_array(c->arena, struct str, max);
    struct str *counters = arena_array(c->arena, struct str, max);
    for (n = unix_fields(line, cpus, max), r = 0; unix_line(&text, &line);) {
        size_t got = 0;
        u64 v;

        if (!unix_field(&line, &name)) continue;
        name.n -= str_ends(name, STR(":"));
        while (got < n) {
            struct str rest = line, field;
            if (!unix_field(&rest, &field) || unix_u64(field, &v)) break;
            counters[got++] = field;
            line = rest;
        }
        /* ERR and MIS count for the whole machine. */
        if (got == n) fn(c, name, cpus, counters, n, str_trim(line));
    }
    return 0;
}

/* The number of "CPU12". */
static inline struct str cpu_table_number(struct str cpu)
{
    return str_starts(cpu, STR("CPU")) ? str_sub(cpu, 3, cpu.n) : cpu;
}

#endif
