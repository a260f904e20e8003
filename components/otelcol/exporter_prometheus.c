/* otelcol.exporter.prometheus: OTLP metrics as samples for prometheus components. ONE: it knows the
 * series it made, and stands where the log of remote write is. Spec: pipelines D.9. */
#include "components/otelcol/exporter_prometheus.h"

#include "components/common/log_stage.h"
#include "components/common/otel_output.h"

#define NS_PER_MILLI 1000000

struct args {
    struct capsule_list forward_to;
    struct prom_conf conf;
    struct dur gc_frequency;
};
struct plan {
    const struct args *args;
};
struct self {
    struct log_stage stage;
    struct prom_convert convert;
    struct timer *sweep;
    const struct args *args;
};

#define SWITCH(name_, doc_, def_) ATTR_AS(struct args, conf.name_, #name_, .doc = doc_, .def = def_)
#define EXPERIMENT(name_, doc_)                                                                    \
    ATTR_AS(struct args, conf.name_, #name_, .doc = doc_, .def = "false",                          \
            .stability = STABILITY_EXPERIMENTAL)
static const struct row arg_rows[] = {
    ATTR(struct args, forward_to, .doc = "Receivers of the samples.", .required = true,
         .capsule = &capsule_metrics_receiver, .signals = SIGNALS_METRICS),
    SWITCH(add_metric_suffixes, "Whether names end in their unit, and those of counters in total.",
           "true"),
    EXPERIMENT(convert_classic_histograms_to_nhcb,
               "Whether classic histograms become native ones with their own bounds."),
    EXPERIMENT(start_timestamp_zero_ingestion,
               "Whether a counter gets a sample of 0 at the time it started."),
    ATTR(struct args, gc_frequency, .doc = "How often series that get no points are forgotten.",
         .def = "\"5m\"", .min = 1, .has_min = true),
    EXPERIMENT(honor_metadata, "Whether type, help and unit go along."),
    SWITCH(include_scope_info, "Whether otel_scope_info is made of each scope.", "false"),
    SWITCH(include_scope_labels, "Whether series carry name and version of their scope.", "true"),
    SWITCH(include_target_info, "Whether target_info is made of each resource.", "true"),
    SWITCH(keep_identifying_resource_attributes,
           "Whether target_info carries service name, namespace and instance as well.", "false"),
    SWITCH(resource_to_telemetry_conversion,
           "Whether series carry the attributes of their resource.", "false"),
};
static const struct schema args_schema = SCHEMA(struct args, arg_rows);

static int prepare(struct prepare *p, const void *args, void *plan)
{
    ((struct plan *)plan)->args = args;
    return 0;
}

static int create(struct comp *c, char **ret_err)
{
    otel_input_export(c);
    return 0;
}

/* --- life --- */

static void on_sweep(void *arg)
{
    struct self *self = arg;

    prom_convert_sweep(&self->convert);
    timer_start(self->sweep, self->args->gc_frequency.ns);
}

static void take(struct self *self, const void *plan)
{
    self->args = ((const struct plan *)plan)->args;
    self->convert.conf = self->args->conf;
    timer_start(self->sweep, self->args->gc_frequency.ns);
}

static int run(struct shard *s)
{
    struct self *self = s->self;
    const struct args *args = ((const struct plan *)s->plan)->args;
    const struct host *host = s->comp->host;

    log_stage_init(&self->stage, s, &args->forward_to);
    prom_convert_init(&self->convert, &args->conf, host->series, host->data_budget);
    self->sweep = timer_new(s->worker->loop, on_sweep, self);
    take(self, s->plan);
    return 0;
}

static int apply(struct shard *s, const void *plan)
{
    struct self *self = s->self;

    take(self, plan);
    log_stage_apply(&self->stage, &self->args->forward_to);
    return 0;
}

static void stop(struct shard *s)
{
    log_stage_stop(&((struct self *)s->self)->stage);
}

static void shard_done(struct shard *s)
{
    struct self *self = s->self;

    timer_free(self->sweep);
    log_stage_done(&self->stage);
    prom_convert_done(&self->convert);
}

/* --- batches --- */

static void tell_dropped(const struct shard *s, const struct prom_dropped *d)
{
    struct logger *log = s->comp->log;

    if (d->delta_sums)
        log_debug(log, "dropped unsupported delta sum", F_UINT("points", d->delta_sums));
    if (d->not_cumulative > d->delta_sums)
        log_warn(log, "points were dropped: only cumulative metrics can become series",
                 F_UINT("points", d->not_cumulative - d->delta_sums));
    if (d->scales)
        log_error(log, "exponential histograms were dropped: their scale is below -4",
                  F_UINT("points", d->scales));
    if (d->labels)
        log_error(log, "samples were dropped: there are too many different sets of label names",
                  F_UINT("samples", d->labels));
}

static int convert(struct self *self, const struct batch *b)
{
    int err = 0;

    prom_convert_begin(&self->convert,
                       clock_real(self->stage.shard->comp->host->clock) / NS_PER_MILLI);
    for (u32 i = 0; !err && i < b->n_slices; i++)
        err = prom_convert_request(&self->convert, str_n(b->slices[i].p, b->slices[i].n));
    return err;
}

static enum push send(struct self *self, struct batch *from)
{
    struct batch *made = batch_derive(from);

    if (sample_builder_seal(self->convert.out, made) < 0) {
        batch_unref(made);
        return log_stage_wait(&self->stage);
    }
    return log_stage_push(&self->stage, from, made);
}

static enum push push(struct shard *s, u32 port, struct batch *b)
{
    struct self *self = s->self;

    if (b->signal != SIGNAL_METRICS) {
        batch_fail(b, ACK_FAILED, &(struct ack_failure){.text = "telemetry type is not supported"});
        batch_unref(b);
        return PUSH_TAKEN;
    }
    if (log_stage_full(&self->stage)) return PUSH_FULL;
    if (convert(self, b) < 0) {
        prom_convert_begin(&self->convert, 0);
        return log_stage_wait(&self->stage);
    }
    struct prom_dropped dropped = self->convert.dropped;
    if (sample_builder_items(self->convert.out) == 0) {
        batch_unref(b);
        tell_dropped(s, &dropped);
        return PUSH_TAKEN;
    }
    enum push answer = send(self, b);
    if (answer == PUSH_TAKEN) tell_dropped(s, &dropped);
    return answer;
}

DEFINE_COMPONENT(otelcol_exporter_prometheus) = {
    .name = "otelcol.exporter.prometheus",
    .summary = "Turns OTLP metrics into samples for prometheus components.",
    .example = "otelcol.exporter.prometheus \"default\" {\n"
               "  forward_to = [prometheus.echo.default.receiver]\n"
               "}\n"
               "\n"
               "prometheus.echo \"default\" { }\n",
    .stability = STABILITY_GA,
    .args = &args_schema,
    .exports = &otel_input_schema,
    .placement = PLACE_ONE,
    .plan_size = sizeof(struct plan),
    .self_size = sizeof(struct self),
    .prepare = prepare,
    .create = create,
    .run = run,
    .apply = apply,
    .stop = stop,
    .shard_done = shard_done,
    .push = push,
};
