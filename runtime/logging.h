/* The logging block: level, format and destination of the agent's own log. Control loop. */
#ifndef RUNTIME_LOGGING_H
#define RUNTIME_LOGGING_H

#include "runtime/template.h"

/* self: the root logger. */
extern const struct config_def logging_def;

#endif
