/* Lists of CPUs as the kernel writes them: "0-3,8,10-11". */
#ifndef COMPONENTS_PROMETHEUS_UNIX_CPU_LIST_H
#define COMPONENTS_PROMETHEUS_UNIX_CPU_LIST_H

#include "base/num.h"

#define CPU_RANGES 512
#define CPU_MAX    65536

struct cpu_list {
    struct {
        u64 from, to;
    } range[CPU_RANGES];
    size_t n;
};

/* Ranges that are none are left out. */
static inline void cpu_list_parse(struct cpu_list *list, struct str text)
{
    list->n = 0;
    while (text.n > 0 && list->n < CPU_RANGES) {
        struct str to = str_cut(&text, ','), from = str_cut(&to, '-');
        u64 first, last;

        if (num_parse_u64(from, &first)) continue;
        last = first;
        if (to.n > 0 && num_parse_u64(to, &last)) continue;
        if (last < first || last >= CPU_MAX) continue;
        list->range[list->n].from = first;
        list->range[list->n++].to = last;
    }
}

static inline bool cpu_list_has(const struct cpu_list *list, u64 cpu)
{
    for (size_t i = 0; i < list->n; i++)
        if (cpu >= list->range[i].from && cpu <= list->range[i].to) return true;
    return false;
}

#endif
