/* Sending samples on: a fan-out with its metrics. */
#ifndef COMPONENTS_COMMON_SAMPLE_OUTPUT_H
#define COMPONENTS_COMMON_SAMPLE_OUTPUT_H

#include "components/common/metrics_receiver.h"
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

#endif
