/* Samples as lines of the exposition formats, for people. Pure. */
#ifndef COMPONENTS_COMMON_SAMPLE_TEXT_H
#define COMPONENTS_COMMON_SAMPLE_TEXT_H

#include "base/buf.h"
#include "telemetry/sample_batch.h"

enum sample_text { SAMPLE_TEXT, SAMPLE_OPENMETRICS };
/* Appends what is known of families, then every sample in its order with its time; OpenMetrics with
 * exemplars, and "# EOF" at the end. Native histograms, which the formats do not have, are shown by
 * their count and sum. Errors stay in out. */
void sample_text(const struct samples *s, enum sample_text format, struct buf *out);

#endif
