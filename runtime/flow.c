/* The colours of the signals. */
#include "runtime/flow.h"

const struct flow flows[FLOWS] = {
    {SIGNALS_TRACES, "traces", "#7b1fa2", false},
    {SIGNALS_METRICS, "metrics", "#c2410c", false},
    {SIGNALS_LOGS, "logs", "#15803d", false},
    {SIGNALS_TARGETS, "targets", "#0369a1", false},
    {.name = "value", .color = "#6b7280", .dashed = true},
};

bool flow_in(const struct flow *f, u32 signals)
{
    return f->signal ? (signals & f->signal) != 0 : signals == 0;
}
