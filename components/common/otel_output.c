/* The `output` and `debug_metrics` blocks of otelcol components and the fan-outs they lead to. */
#include "components/common/otel_output.h"

#define CONSUMERS(member, signal_, what)                                                           \
    ATTR(struct otel_output, member, .doc = "Consumers to send " what " to.", .def = "[]",         \
         .capsule = &capsule_otelcol_consumer, .signals = (signal_))

static const struct row output_rows[] = {
    CONSUMERS(logs, SIGNALS_LOGS, "logs"),
    CONSUMERS(metrics, SIGNALS_METRICS, "metrics"),
    CONSUMERS(traces, SIGNALS_TRACES, "traces"),
};
const struct schema otel_output_schema = SCHEMA(struct otel_output, output_rows);

static const struct row debug_metrics_rows[] = {
    ATTR(struct otel_debug_metrics, disable_high_cardinality_metrics, .def = "true",
         .doc = "Leave out metric labels of high cardinality; this agent has none."),
    ATTR(struct otel_debug_metrics, level, .def = "\"detailed\"",
         .one_of = ONE_OF_TEXT("none", "basic", "normal", "detailed"),
         .doc = "Level of detail of the component's own metrics; kept for compatibility, without "
                "effect."),
};
const struct schema otel_debug_metrics_schema =
    SCHEMA(struct otel_debug_metrics, debug_metrics_rows);

static const struct row input_rows[] = {
    ATTR(struct otel_input, input, .doc = "Takes traces, metrics and logs from other components.",
         .capsule = &capsule_otelcol_consumer, .signals = SIGNALS_ANY),
};
const struct schema otel_input_schema = SCHEMA(struct otel_input, input_rows);

static const struct capsule_list *list_of(const struct otel_output *o, enum signal s)
{
    const struct capsule_list *const lists[SIGNAL_COUNT] = {
        [SIGNAL_TRACES] = &o->traces, [SIGNAL_METRICS] = &o->metrics, [SIGNAL_LOGS] = &o->logs};
    return lists[s];
}

u32 otel_output_signals(const struct otel_output *out)
{
    u32 set = SIGNALS_NONE;
    for (enum signal s = 0; s < SIGNAL_COUNT; s++)
        if (list_of(out, s)->n > 0) set |= 1u << s;
    return set;
}

void otel_input_export(struct comp *c)
{
    struct otel_input e = {.input.c = comp_sink(c, &capsule_otelcol_consumer, 0, SIGNALS_ANY)};
    comp_export(c, &e);
    capsule_unref(e.input.c);
}

void otel_outputs_init(struct otel_outputs *o, struct shard *s, void (*ready)(void *arg), void *arg)
{
    for (enum signal i = 0; i < SIGNAL_COUNT; i++)
        o->by_signal[i] = fanout_new(s, ready, arg);
}

void otel_outputs_set(struct otel_outputs *o, const struct otel_output *to)
{
    for (enum signal i = 0; i < SIGNAL_COUNT; i++)
        fanout_set(o->by_signal[i], list_of(to, i));
}

enum push otel_outputs_push(struct otel_outputs *o, struct batch *b)
{
    struct fanout *f = o->by_signal[b->signal];
    if (fanout_branches(f) > 0) return fanout_push(f, b);
    batch_fail(b, ACK_FAILED, &(struct ack_failure){.text = "telemetry type is not supported"});
    batch_unref(b);
    return PUSH_TAKEN;
}

bool otel_outputs_full(const struct otel_outputs *o, enum signal s)
{
    return fanout_full(o->by_signal[s]);
}

bool otel_outputs_idle(const struct otel_outputs *o)
{
    for (enum signal i = 0; i < SIGNAL_COUNT; i++)
        if (fanout_holds(o->by_signal[i])) return false;
    return true;
}

void otel_outputs_free(struct otel_outputs *o)
{
    for (enum signal i = 0; i < SIGNAL_COUNT; i++) {
        fanout_free(o->by_signal[i]);
        o->by_signal[i] = NULL;
    }
}
