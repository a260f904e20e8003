/* What the otelcol components' own metrics have in common: the labels of the scope that the
 * Collector's SDK adds, and the bounds of its histograms of batch sizes. */
#ifndef COMPONENTS_COMMON_OTEL_METRICS_H
#define COMPONENTS_COMMON_OTEL_METRICS_H

#include "base/metric.h"

/* Elements of an array of struct metric_label. */
#define OTEL_SCOPE_LABELS(scope)                                                                   \
    {"otel_scope_name", (scope)}, {"otel_scope_version", ""},                                      \
    {                                                                                              \
        "otel_scope_schema_url", ""                                                                \
    }

extern const f64 otel_item_bounds[22], otel_byte_bounds[39];

#endif
