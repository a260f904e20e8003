/* Services that have few settings in this build, or none. */
#ifndef RUNTIME_SERVICES_H
#define RUNTIME_SERVICES_H

#include "runtime/compile/template.h"

extern const struct config_def labelstore_def;                /* an empty block is accepted */
extern const struct config_def livedebugging_def;             /* self: struct taps * */
extern const struct config_def tracing_def;                   /* without effect, and says so */
extern const struct config_def remotecfg_def;                 /* refused when it has a url */
extern const struct config_def cluster_def, otel_def, ui_def; /* take no block */

#endif
