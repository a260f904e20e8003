/* What `prepare` says about settings: faults at their place, and those that are accepted but have
 * no effect in this build (said by name at `check` and at `run`, never silently ignored). Paths are
 * as in span_at: "client/tls/min_version". */
#ifndef COMPONENTS_COMMON_SETTINGS_H
#define COMPONENTS_COMMON_SETTINGS_H

#include "components/common/spans.h"
#include "runtime/component.h"

/* Adds an error; returns -EINVAL for the caller to return. */
int setting_fault(struct prepare *p, const char *path, const char *fmt, ...) PRINTF(3, 4);
/* A warning at the setting's place, and a log line when the agent runs; why is a whole clause. */
void setting_no_effect(struct prepare *p, const char *path, const char *why);
/* Warns of a header that HTTP cannot carry (a name that is no token, a line break in the value):
 * requests with it would fail, one after another. The value is not shown. */
void setting_header(struct prepare *p, struct span at, struct str name, struct str value);

#endif
