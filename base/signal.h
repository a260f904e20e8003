/* The kinds of data that flow. A schema row that holds a receiver says which it takes; the runtime
 * and the grapher read it there. */
#ifndef BASE_SIGNAL_H
#define BASE_SIGNAL_H

enum signal { SIGNAL_TRACES, SIGNAL_METRICS, SIGNAL_LOGS, SIGNAL_COUNT };

/* Sets of signals; SIGNALS_TARGETS marks rows of targets, SIGNALS_PROFILES receivers of profiles
 * (no data plane of ours, drawn as edges of their own). */
enum {
    SIGNALS_NONE = 0,
    SIGNALS_TRACES = 1 << SIGNAL_TRACES,
    SIGNALS_METRICS = 1 << SIGNAL_METRICS,
    SIGNALS_LOGS = 1 << SIGNAL_LOGS,
    SIGNALS_ANY = SIGNALS_TRACES | SIGNALS_METRICS | SIGNALS_LOGS,
    SIGNALS_PROFILES = 1 << 6,
    SIGNALS_TARGETS = 1 << 7,
};

static inline const char *signal_name(enum signal s)
{
    static const char *const names[] = {"traces", "metrics", "logs"};
    return names[s];
}

#endif
