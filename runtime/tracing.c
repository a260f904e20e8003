/* tracing { sampling_fraction, send_traceparent, write_to, sampler }: spans of the agent's own
 * work, which this build does not produce. The settings are read, checked, and said to be without
 * effect. Spec: runtime.md 18. */
#include "runtime/services.h"

struct jaeger_args {
    struct str url;
    f64 max_operations;
    struct dur refresh_interval;
};
struct sampler_args {
    struct jaeger_args *jaeger_remote;
};
struct tracing_args {
    f64 sampling_fraction;
    struct capsule_list write_to;
    bool send_traceparent;
    struct sampler_args sampler;
    struct span span;
};

static const struct row jaeger_rows[] = {
    ATTR(struct jaeger_args, max_operations, .def = "256",
         .doc = "Operations whose sampling is kept apart."),
    ATTR(struct jaeger_args, refresh_interval, .def = "\"1m\"",
         .doc = "How often the sampling is asked for."),
    ATTR(struct jaeger_args, url, .def = "\"http://127.0.0.1:5778/sampling\"",
         .doc = "Where the sampling is asked for."),
};
static const struct schema jaeger_schema = SCHEMA(struct jaeger_args, jaeger_rows);

static const struct row sampler_rows[] = {
    BLOCK_PTR(struct sampler_args, jaeger_remote, &jaeger_schema,
              .doc = "Sampling decided by a Jaeger service."),
};
static const struct schema sampler_schema = SCHEMA(struct sampler_args, sampler_rows);

static const struct row tracing_rows[] = {
    ATTR(struct tracing_args, sampling_fraction, .def = "0.1",
         .doc = "Part of the agent's traces that is kept."),
    ATTR(struct tracing_args, write_to, .def = "[]", .capsule = &capsule_otelcol_consumer,
         .signals = SIGNALS_TRACES, .doc = "Consumers of the agent's own spans."),
    ATTR(struct tracing_args, send_traceparent, .def = "false",
         .doc = "Send the trace context with requests."),
    BLOCK(struct tracing_args, sampler, &sampler_schema, .doc = "Another way to sample."),
};
static const struct schema tracing_schema =
    SCHEMA(struct tracing_args, tracing_rows, .span_off = offsetof(struct tracing_args, span));

/* The pipeline works without the agent's own spans: a warning, not a fault. */
static int tracing_prepare(struct prepare *p, const void *args, void *plan)
{
    static const char what[] = "tracing: this agent does not produce spans of its own work; "
                               "write_to gets none";
    const struct tracing_args *a = args;

    if (a->write_to.n == 0) return 0;
    diag_add(p->diags, SEV_WARNING, DIAG_VALUE_NO_EFFECT, a->span, "%s", what);
    log_warn(p->log, "a setting has no effect", F_CSTR("setting", "tracing.write_to"),
             F_CSTR("reason", "this agent does not produce spans of its own work"));
    return 0;
}

const struct config_def tracing_def = {
    .def = {.name = "tracing",
            .summary = "Settings for spans of the agent's own work, which this build does not "
                       "produce.",
            .example = "tracing {\n  sampling_fraction = 0.1\n}\n",
            .args = &tracing_schema,
            .prepare = tracing_prepare},
};
