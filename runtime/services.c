/* Rows of the services that have few settings or none. Spec: runtime.md 12. */
#include "runtime/services.h"

#include "runtime/tap/tap.h"

static const struct schema empty = SCHEMA_EMPTY;

const struct config_def labelstore_def = {
    .def = {.name = "labelstore",
            .summary = "Accepted for compatibility; series are identified without a store.",
            .example = "labelstore { }\n",
            .args = &empty},
    .service = true,
};

/* --- livedebugging { enabled } --- */

struct livedebugging_args {
    bool enabled;
};
static const struct row livedebugging_rows[] = {
    ATTR(struct livedebugging_args, enabled, .def = "false",
         .doc = "Serve the live debugging streams of components. Turning it off ends those that "
                "are being read."),
};
static const struct schema livedebugging_schema =
    SCHEMA(struct livedebugging_args, livedebugging_rows);

static int livedebugging_apply(void *self, const void *args, const void *plan, char **ret_err)
{
    taps_enable(self, ((const struct livedebugging_args *)args)->enabled);
    return 0;
}

const struct config_def livedebugging_def = {
    .def = {.name = "livedebugging",
            .summary = "Lets what flows through components be watched.",
            .example = "livedebugging {\n  enabled = true\n}\n",
            .args = &livedebugging_schema},
    .service = true,
    .apply = livedebugging_apply,
};

/* --- without settings --- */

const struct config_def cluster_def = {
    .def = {.name = "cluster", .summary = "Configured by flags."}, .service = true};
const struct config_def otel_def = {.def = {.name = "otel", .summary = "Not configurable."},
                                    .service = true};
const struct config_def ui_def = {.def = {.name = "ui", .summary = "Configured by flags."},
                                  .service = true};
