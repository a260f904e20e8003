/* What live debugging shows of an OTLP batch: the tap of otelcol receivers, processors and
 * connectors. Pure; any thread. */
#ifndef COMPONENTS_COMMON_OTLP_TAP_H
#define COMPONENTS_COMMON_OTLP_TAP_H

#include "runtime/component.h"

/* For component_def.tap. Counts spans, log records, and metrics (not data points). */
void otlp_tap(const struct batch *b, struct tap_item *ret);

#endif
