/* Services that have nothing to configure in this build, or nothing at all. */
#ifndef RUNTIME_SERVICES_H
#define RUNTIME_SERVICES_H

#include "runtime/template.h"

extern const struct config_def labelstore_def;                /* an empty block is accepted */
extern const struct config_def cluster_def, otel_def, ui_def; /* take no block */

#endif
