/* The signals. Colours of Okabe and Ito, darkened for text on white: people who see few colours
 * tell them apart, and the lines differ as well. */
#include "runtime/flow.h"

const struct flow flows[FLOWS] = {
    {SIGNALS_TRACES, "traces", "#aa3377", "bold"},
    {SIGNALS_METRICS, "metrics", "#c2410c", "solid"},
    {SIGNALS_LOGS, "logs", "#007a5a", "dashed"},
    {SIGNALS_TARGETS, "targets", "#0369a1", "dotted"},
    {.name = "value", .color = "#6b7280", .line = "thin"},
};

bool flow_in(const struct flow *f, u32 signals)
{
    return f->signal ? (signals & f->signal) != 0 : signals == 0;
}
