/* The `receiver` export and the `forward_to` argument that components of the Prometheus family
 * share. */
#ifndef COMPONENTS_COMMON_METRICS_RECEIVER_H
#define COMPONENTS_COMMON_METRICS_RECEIVER_H

#include "runtime/component.h"

struct metrics_receiver {
    struct capsule_ref receiver;
};
extern const struct schema metrics_receiver_schema;
#define METRICS_RECEIVER_EXPORT(T, m)                                                              \
    ATTR(T, m, .doc = "Takes samples from other components.",                                      \
         .capsule = &capsule_metrics_receiver, .signals = SIGNALS_METRICS)
#define METRICS_FORWARD_TO(T, m)                                                                   \
    ATTR(T, m, .doc = "Receivers of the samples.", .required = true,                               \
         .capsule = &capsule_metrics_receiver, .signals = SIGNALS_METRICS)
/* Publishes a sink for samples that leads to def->push with port 0; batches carry a struct samples.
 * In create. */
void metrics_receiver_export(struct comp *c);

#endif
