/* What live debugging shows of log entries, for components that change them. */
#ifndef COMPONENTS_COMMON_LOG_TAP_H
#define COMPONENTS_COMMON_LOG_TAP_H

#include "runtime/component.h"
#include "telemetry/log_batch.h"

/* Shows an entry as it came in ("[IN]", counted in no rate) or went out ("[OUT]"). Only when
 * comp_tapped(). */
void log_tap(struct comp *c, bool out, struct str labels, const struct log_entry *e);

#endif
