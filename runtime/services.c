/* Rows of services without settings. Spec: runtime.md 12. */
#include "runtime/services.h"

static const struct schema empty = SCHEMA_EMPTY;

const struct config_def labelstore_def = {
    .def = {.name = "labelstore",
            .summary = "Accepted for compatibility; series are identified without a store.",
            .example = "labelstore { }\n",
            .args = &empty},
    .service = true,
};
const struct config_def cluster_def = {
    .def = {.name = "cluster", .summary = "Configured by flags."}, .service = true};
const struct config_def otel_def = {.def = {.name = "otel", .summary = "Not configurable."},
                                    .service = true};
const struct config_def ui_def = {.def = {.name = "ui", .summary = "Configured by flags."},
                                  .service = true};
