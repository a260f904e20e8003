/* What every otelcol component shares: the `output` and `debug_metrics` blocks, the `input` export,
 * and the three fan-outs behind `output`.
 *
 * struct otel_outputs is embedded in a component's self: one fan-out per signal, made in run, freed
 * in shard_done. Worker of the shard. */
#ifndef COMPONENTS_COMMON_OTEL_OUTPUT_H
#define COMPONENTS_COMMON_OTEL_OUTPUT_H

#include "runtime/component.h"

/* --- arguments --- */
struct otel_output {
    struct capsule_list traces, metrics, logs;
};
extern const struct schema otel_output_schema;
/* SIGNALS_* of the lists that name a consumer. */
u32 otel_output_signals(const struct otel_output *out);

/* Settings of the component's own metrics. Weir exports one series per instance, so there is
 * nothing of high cardinality to leave out. */
struct otel_debug_metrics {
    bool disable_high_cardinality_metrics;
    struct str level; /* without effect in Alloy too */
};
extern const struct schema otel_debug_metrics_schema;

/* --- exports: `input` --- */
struct otel_input {
    struct capsule_ref input;
};
extern const struct schema otel_input_schema;
/* Publishes a sink for all signals that leads to def->push with port 0. Call in create. */
void otel_input_export(struct comp *c);

/* --- the way out --- */
struct otel_outputs {
    struct fanout *by_signal[SIGNAL_COUNT];
};
/* ready(arg): a fan-out that answered FULL takes again. */
void otel_outputs_init(struct otel_outputs *o, struct shard *s, void (*ready)(void *arg),
                       void *arg);
/* Leads to these consumers from now on. */
void otel_outputs_set(struct otel_outputs *o, const struct otel_output *to);
/* As fanout_push; a signal without consumers fails its acks: permanent, "telemetry type is not
 * supported". */
enum push otel_outputs_push(struct otel_outputs *o, struct batch *b);
bool otel_outputs_full(const struct otel_outputs *o, enum signal s);
/* True when no fan-out holds a batch any more. */
bool otel_outputs_idle(const struct otel_outputs *o);
void otel_outputs_free(struct otel_outputs *o);

#endif
