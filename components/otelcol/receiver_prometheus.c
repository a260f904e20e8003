/* otelcol.receiver.prometheus: samples of prometheus components as OTLP metrics. ONE: what is known
 * of families stays in one place. Spec: pipelines D.10. */
#include "components/otelcol/receiver_prometheus.h"

#include <errno.h>
#include "components/common/otel_stage.h"
#include "components/common/otlp_tap.h"
#include "components/common/metrics_receiver.h"

#define REQUEST_MAX ((size_t)256 << 20)

struct args {
    struct otel_output output;
    struct otel_debug_metrics debug_metrics;
};
struct plan {
    const struct otel_output *output;
};
struct self {
    struct otel_stage stage;
    struct otel_gather gather;
    bool too_many_told;
};

static const struct row arg_rows[] = {
    BLOCK(struct args, output, &otel_output_schema, .doc = "Where the metrics go.",
          .required = true),
    BLOCK(struct args, debug_metrics, &otel_debug_metrics_schema,
          .doc = "The component's own metrics."),
};
static const struct schema args_schema = SCHEMA(struct args, arg_rows);

static int prepare(struct prepare *p, const void *args, void *plan)
{
    ((struct plan *)plan)->output = &((const struct args *)args)->output;
    return 0;
}

static int create(struct comp *c, char **ret_err)
{
    metrics_receiver_export(c);
    return 0;
}

/* --- batches --- */

static void tell(struct self *self)
{
    struct logger *log = self->stage.shard->comp->log;

    if (self->gather.no_job)
        log_error(log, "job or instance cannot be found from labels",
                  F_UINT("dropped_samples", self->gather.no_job));
    if (self->gather.failed_scrapes)
        log_warn(log, "Failed to scrape Prometheus endpoint",
                 F_UINT("targets", self->gather.failed_scrapes));
    if (!self->gather.too_many || self->too_many_told) return;
    self->too_many_told = true;
    log_warn(log, "metadata of further metrics is not kept: they go on as gauges",
             F_UINT("families", OTEL_KNOWN_MAX));
}

static struct batch *otlp_of(struct self *self, const struct batch *b, struct buf *bytes)
{
    struct blob *root = blob_take_buf(bytes, self->stage.shard->comp->host->data_budget);
    struct batch *out = batch_derive(b);

    batch_add_slice(out, root, root->p, root->n, self->gather.n_points);
    blob_unref(root);
    batch_seal(out);
    return out;
}

static enum push send(struct self *self, struct batch *b, struct buf *bytes)
{
    struct batch *made = otlp_of(self, b, bytes);
    enum push answer = otel_stage_push(&self->stage, b, made);

    if (answer == PUSH_TAKEN) tell(self);
    return answer;
}

static enum push push(struct shard *s, u32 port, struct batch *b)
{
    struct self *self = s->self;
    struct buf bytes = BUF_INIT(REQUEST_MAX);
    struct otel_origin origin = {STR("otelcol.receiver.prometheus"), STR(WEIR_VERSION)};

    if (otel_outputs_full(&self->stage.out, SIGNAL_METRICS)) return PUSH_FULL;
    otel_gather_samples(&self->gather, b->samples);
    if (self->gather.n_points == 0) {
        tell(self);
        batch_unref(b);
        return PUSH_TAKEN;
    }
    int err = otel_gather_write(&self->gather, &origin, &bytes);
    if (!err) return send(self, b, &bytes);
    buf_done(&bytes);
    return err == -E2BIG ? otel_stage_refuse(&self->stage, b, "failed to consume samples",
                                             "the metrics would be too large")
                         : otel_stage_wait(&self->stage);
}

/* --- life --- */

static int run(struct shard *s)
{
    struct self *self = s->self;

    otel_gather_init(&self->gather);
    otel_stage_init(&self->stage, s, ((const struct plan *)s->plan)->output);
    return 0;
}

static int apply(struct shard *s, const void *plan)
{
    otel_stage_apply(&((struct self *)s->self)->stage, ((const struct plan *)plan)->output);
    return 0;
}

static void stop(struct shard *s)
{
    otel_stage_stop(&((struct self *)s->self)->stage);
}

static void shard_done(struct shard *s)
{
    struct self *self = s->self;

    otel_stage_done(&self->stage);
    otel_gather_done(&self->gather);
}

static const char example[] = "otelcol.receiver.prometheus \"default\" {\n"
                              "  output {\n"
                              "    metrics = [otelcol.exporter.otlphttp.default.input]\n"
                              "  }\n"
                              "}\n"
                              "\n"
                              "otelcol.exporter.otlphttp \"default\" {\n"
                              "  client {\n"
                              "    endpoint = \"http://localhost:4318\"\n"
                              "  }\n"
                              "}\n";

DEFINE_COMPONENT(otelcol_receiver_prometheus) = {
    .name = "otelcol.receiver.prometheus",
    .summary = "Turns samples of prometheus components into OTLP metrics.",
    .example = example,
    .stability = STABILITY_GA,
    .args = &args_schema,
    .exports = &metrics_receiver_schema,
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
    .tap = otlp_tap,
};
