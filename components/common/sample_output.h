/* What components that send samples on have in common: the metrics of a fan-out, and the receiver
 * that those export which take samples. */
#ifndef COMPONENTS_COMMON_SAMPLE_OUTPUT_H
#define COMPONENTS_COMMON_SAMPLE_OUTPUT_H

#include "runtime/component.h"
#include "telemetry/sample_batch.h"

/* prometheus_forwarded_samples_total, prometheus_fanout_latency. */
struct sample_output {
    struct metric *forwarded, *latency;
};
/* In create. */
void sample_output_init(struct sample_output *o, struct comp *c);
/* fanout_push, counted and timed when it was taken. */
enum push sample_output_push(const struct sample_output *o, struct shard *s, struct fanout *f,
                             struct batch *b);

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
