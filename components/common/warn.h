/* Settings that are accepted and have no effect in this build: said by name at `check` and at `run`, never silently ignored. */
#ifndef COMPONENTS_COMMON_WARN_H
#define COMPONENTS_COMMON_WARN_H

#include "runtime/component.h"

/* A warning at the setting's place, and a log line when the agent runs. path as in span_at; why is a whole clause. */
void warn_no_effect(struct prepare *p, const char *path, const char *why);

#endif
