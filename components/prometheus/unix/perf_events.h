/* What perf can count: by the names that configurations have. */
#ifndef COMPONENTS_PROMETHEUS_UNIX_PERF_EVENTS_H
#define COMPONENTS_PROMETHEUS_UNIX_PERF_EVENTS_H

#include "base/common.h"

enum perf_kind { PERF_HARDWARE, PERF_SOFTWARE, PERF_CACHE, PERF_KINDS };

struct perf_event {
    const char *profiler; /* of the settings */
    const char *name, *help;
    u64 config; /* as perf_event_open has it */
};
struct perf_event_list {
    const struct perf_event *v;
    size_t n;
};
extern const struct perf_event_list perf_events[PERF_KINDS];
/* The type of perf_event_open for each kind. */
extern const unsigned perf_types[PERF_KINDS];

#endif
