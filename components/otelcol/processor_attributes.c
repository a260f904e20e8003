/* otelcol.processor.attributes: changes the attributes of spans, log records and data points, at
 * the wire.
 *
 * Stateless: a batch comes in, an edited one goes out, on the worker it came in on. FULL while the
 * fan-out of its signal is. Source: spec D.4. */
#include <errno.h>
#include "components/common/otel_stage.h"
#include "components/common/otlp_tap.h"
#include "components/otelcol/attributes_action.h"
#include "components/otelcol/attributes_filter.h"

struct args {
    struct action_args_list action;
    struct filter_args *include, *exclude;
    struct otel_output output;
    struct otel_debug_metrics debug_metrics;
};

struct plan {
    const struct otel_output *output;
    struct action_list actions;
    const struct filter *include, *exclude; /* NULL: not given */
};

struct self {
    struct otel_stage stage;
    struct otlp_edit *edit;

    /* the batch being edited */
    const struct plan *plan;
    struct action_run run;
    struct filter_run include, exclude;
};

static const struct row arg_rows[] = {
    BLOCKS_AS(struct args, action, "action", &attributes_action_schema,
              .doc = "A change of attributes; they are made in order."),
    BLOCK(struct args, debug_metrics, &otel_debug_metrics_schema,
          .doc = "The component's own metrics."),
    BLOCK_PTR(struct args, exclude, &attributes_filter_schema,
              .doc = "Records that are left as they are."),
    BLOCK_PTR(struct args, include, &attributes_filter_schema,
              .doc = "Records that are changed; all when left out."),
    BLOCK(struct args, output, &otel_output_schema, .doc = "Where the records go.",
          .required = true),
};
static const struct schema args_schema = SCHEMA(struct args, arg_rows);

static int prepare(struct prepare *p, const void *args, void *plan)
{
    const struct args *a = args;
    struct plan *out = plan;
    u32 signals = otel_output_signals(&a->output);
    out->output = &a->output;
    actions_prepare(p, &a->action, &out->actions);
    out->include = filter_prepare(p, a->include, "include", signals);
    out->exclude = filter_prepare(p, a->exclude, "exclude", signals);
    return diags_failed(p->diags) ? -EINVAL : 0;
}

static int create(struct comp *c, char **ret_err)
{
    otel_input_export(c);
    return 0;
}

/* --- one batch --- */

static void edit_record(void *arg, struct otlp_edit *e, const struct otlp_at *at)
{
    struct self *self = arg;
    const struct plan *plan = self->plan;
    if (plan->include && !filter_matches(plan->include, &self->include, e, at)) return;
    if (plan->exclude && filter_matches(plan->exclude, &self->exclude, e, at)) return;
    actions_apply(&self->run, e);
}

static int edit_batch(struct self *self, struct batch *b, struct batch **ret)
{
    self->plan = self->stage.shard->plan;
    self->include = self->exclude = (struct filter_run){0};
    int err = action_run_begin(&self->run, &self->plan->actions, b->client);
    if (err) return err;
    return otlp_edit_batch(self->edit, b, edit_record, self,
                           self->stage.shard->comp->host->data_budget, ret);
}

/* The batch cannot be edited, now or later. */
static enum push refuse(struct self *self, struct batch *b, int err)
{
    return otel_stage_refuse(&self->stage, b, "failed to process records",
                             err == -E2BIG ? "attributes: the edited records would be too large"
                                           : "attributes: the records are malformed");
}

static enum push push(struct shard *s, u32 port, struct batch *b)
{
    struct self *self = s->self;
    struct batch *edited;
    if (otel_outputs_full(&self->stage.out, b->signal)) return PUSH_FULL;
    int err = edit_batch(self, b, &edited);
    if (err == -ENOMEM) return otel_stage_wait(&self->stage);
    return err ? refuse(self, b, err) : otel_stage_push(&self->stage, b, edited);
}

/* --- shard --- */

static int run(struct shard *s)
{
    struct self *self = s->self;
    self->edit = otlp_edit_new();
    otel_stage_init(&self->stage, s, ((const struct plan *)s->plan)->output);
    return 0;
}

static int apply(struct shard *s, const void *plan)
{
    struct self *self = s->self;
    otel_stage_apply(&self->stage, ((const struct plan *)plan)->output);
    return 0;
}

static void stop(struct shard *s)
{
    struct self *self = s->self;
    otel_stage_stop(&self->stage);
}

static void shard_done(struct shard *s)
{
    struct self *self = s->self;
    otel_stage_done(&self->stage);
    action_run_done(&self->run);
    otlp_edit_free(self->edit);
}

static const char example[] = "otelcol.processor.attributes \"default\" {\n"
                              "  action {\n"
                              "    key    = \"cluster.name\"\n"
                              "    value  = \"main\"\n"
                              "    action = \"upsert\"\n"
                              "  }\n"
                              "\n"
                              "  output { }\n"
                              "}\n";

DEFINE_COMPONENT(otelcol_processor_attributes) = {
    .name = "otelcol.processor.attributes",
    .summary = "Changes the attributes of spans, log records and data points.",
    .example = example,
    .stability = STABILITY_GA,
    .args = &args_schema,
    .exports = &otel_input_schema,
    .placement = PLACE_EACH,
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
