/* The logging block: level, format and destination of the agent's own log, and who else gets it.
 * Control loop. */
#ifndef RUNTIME_LOGGING_H
#define RUNTIME_LOGGING_H

#include "runtime/own_log.h"
#include "runtime/compile/template.h"

struct logging { /* what the block configures */
    struct logger *root;
    struct own_log *own;
};
extern const struct config_def logging_def; /* self: struct logging */

#endif
