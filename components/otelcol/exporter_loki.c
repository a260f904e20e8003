/* otelcol.exporter.loki: OTLP log records as entries of the Loki family. One batch stays one batch.
 * Stateless; works where a batch is. Spec: pipelines D.11. */
#include "components/otelcol/exporter_loki.h"

#include <errno.h>

#include "components/common/log_stage.h"
#include "components/common/otel_output.h"
#include "telemetry/otlp_walk.h"

#define LINE_MAX_BYTES ((size_t)64 << 20)

struct args {
    struct capsule_list forward_to;
};
struct plan {
    const struct args *args;
};
struct shared {
    struct metric *total, *failed, *processed;
};
struct self {
    struct log_stage stage;
    struct log_builder *builder;
    struct loki_record record;
    struct buf line;
};

/* What became of the batch at hand. */
struct tally {
    u32 total, failed;
    char why[128]; /* of the first that failed */
};

static const struct row arg_rows[] = {
    ATTR(struct args, forward_to, .doc = "Receivers of the entries.", .required = true,
         .capsule = &capsule_logs_receiver, .signals = SIGNALS_LOGS),
};
static const struct schema args_schema = SCHEMA(struct args, arg_rows);

static const struct metric_desc total_desc = {.name = "otelcol_exporter_loki_entries_total",
                                              .help = "Log records received.",
                                              .kind = METRIC_COUNTER},
                                failed_desc = {.name = "otelcol_exporter_loki_entries_failed",
                                               .help = "Log records no entry could be made of.",
                                               .kind = METRIC_COUNTER},
                                processed_desc = {.name = "otelcol_exporter_loki_entries_processed",
                                                  .help = "Log records handed on as entries.",
                                                  .kind = METRIC_COUNTER};

static int prepare(struct prepare *p, const void *args, void *plan)
{
    ((struct plan *)plan)->args = args;
    return 0;
}

static int create(struct comp *c, char **ret_err)
{
    struct shared *sh = c->shared;

    sh->total = comp_metric(c, &total_desc, NULL, 0);
    sh->failed = comp_metric(c, &failed_desc, NULL, 0);
    sh->processed = comp_metric(c, &processed_desc, NULL, 0);
    otel_input_export(c);
    return 0;
}

/* --- records --- */

static int add_entry(struct self *self)
{
    const struct host *host = self->stage.shard->comp->host;
    struct labels *labels = label_set_intern(&self->record.labels, host->labels);
    struct log_entry e = {.time = loki_record_time(&self->record, clock_real(host->clock)),
                          .line = buf_view(&self->line)};

    if (!labels) return -ENOMEM;
    int err = log_builder_add(self->builder, labels, &e);
    labels_unref(labels);
    return err;
}

static int convert(struct self *self, struct str record, struct tally *t)
{
    char why[sizeof(t->why)] = "";

    loki_record_read(&self->record, record);
    loki_record_labels(&self->record);
    buf_reset(&self->line);
    int err = loki_record_line(&self->record, &self->line, why, sizeof(why));
    if (!err) err = add_entry(self);
    if (err && err != -EINVAL) return err;
    t->total++;
    if (!err) return 0;
    if (t->failed++ == 0) memcpy(t->why, why, sizeof(why));
    return 0;
}

static int convert_scope(struct self *self, struct str scope, struct tally *t)
{
    struct pb_field f;
    int err = 0;

    loki_record_scope(&self->record,
                      pb_find(scope, OTLP_SCOPE, &f) && f.wire == PB_BYTES ? f.b : STR(""));
    for (struct pb_in in = pb_in(scope); !err && pb_next(&in, &f);)
        if (f.num == OTLP_RECORDS && f.wire == PB_BYTES) err = convert(self, f.b, t);
    return err;
}

static int convert_resource(struct self *self, struct str resource, struct tally *t)
{
    struct pb_field f;
    u32 scopes = otlp_children(LEVEL_RESOURCE, resource);
    int err = 0;

    loki_record_resource(
        &self->record, pb_find(resource, OTLP_RESOURCE, &f) && f.wire == PB_BYTES ? f.b : STR(""));
    for (struct pb_in in = pb_in(resource); !err && pb_next(&in, &f);)
        if (otlp_is_child(scopes, &f)) err = convert_scope(self, f.b, t);
    return err;
}

static int convert_slice(struct self *self, struct str request, struct tally *t)
{
    struct pb_field f;
    int err = 0;

    for (struct pb_in in = pb_in(request); !err && pb_next(&in, &f);)
        if (f.num == OTLP_RESOURCES && f.wire == PB_BYTES) err = convert_resource(self, f.b, t);
    return err;
}

static int convert_batch(struct self *self, const struct batch *b, struct tally *t)
{
    int err = 0;

    for (u32 i = 0; !err && i < b->n_slices; i++)
        err = convert_slice(self, str_n(b->slices[i].p, b->slices[i].n), t);
    return err;
}

/* --- batches --- */

static void forget(struct self *self)
{
    log_builder_free(self->builder);
    self->builder = log_builder_new(self->stage.shard->comp->host->data_budget);
}

static void count(const struct self *self, const struct tally *t)
{
    const struct shared *sh = self->stage.shard->comp->shared;

    metric_add(sh->total, t->total);
    metric_add(sh->failed, t->failed);
    metric_add(sh->processed, t->total - t->failed);
    if (t->failed)
        log_error(self->stage.shard->comp->log, "failed to convert log to loki entry",
                  F_CSTR("err", t->why), F_UINT("dropped_records", t->failed));
}

static enum push push(struct shard *s, u32 port, struct batch *b)
{
    struct self *self = s->self;
    struct tally t = {0};

    if (b->signal != SIGNAL_LOGS) {
        batch_fail(b, ACK_FAILED, &(struct ack_failure){.text = "telemetry type is not supported"});
        batch_unref(b);
        return PUSH_TAKEN;
    }
    if (log_stage_full(&self->stage)) return PUSH_FULL;
    if (convert_batch(self, b, &t) < 0) {
        forget(self);
        return log_stage_wait(&self->stage);
    }
    enum push answer = log_stage_push_built(&self->stage, b, self->builder);
    if (answer == PUSH_TAKEN)
        count(self, &t);
    else
        forget(self); /* it comes again */
    return answer;
}

/* --- life --- */

static int run(struct shard *s)
{
    struct self *self = s->self;

    log_stage_init(&self->stage, s, &((const struct plan *)s->plan)->args->forward_to);
    self->builder = log_builder_new(s->comp->host->data_budget);
    loki_record_init(&self->record);
    buf_init(&self->line, LINE_MAX_BYTES);
    return 0;
}

static int apply(struct shard *s, const void *plan)
{
    log_stage_apply(&((struct self *)s->self)->stage,
                    &((const struct plan *)plan)->args->forward_to);
    return 0;
}

static void stop(struct shard *s)
{
    log_stage_stop(&((struct self *)s->self)->stage);
}

static void shard_done(struct shard *s)
{
    struct self *self = s->self;

    log_stage_done(&self->stage);
    log_builder_free(self->builder);
    loki_record_done(&self->record);
    buf_done(&self->line);
}

DEFINE_COMPONENT(otelcol_exporter_loki) = {
    .name = "otelcol.exporter.loki",
    .summary = "Turns OTLP log records into log entries for loki components.",
    .example = "otelcol.exporter.loki \"default\" {\n"
               "  forward_to = [loki.echo.default.receiver]\n"
               "}\n"
               "\n"
               "loki.echo \"default\" { }\n",
    .stability = STABILITY_GA,
    .args = &args_schema,
    .exports = &otel_input_schema,
    .placement = PLACE_EACH,
    .plan_size = sizeof(struct plan),
    .shared_size = sizeof(struct shared),
    .self_size = sizeof(struct self),
    .prepare = prepare,
    .create = create,
    .run = run,
    .apply = apply,
    .stop = stop,
    .shard_done = shard_done,
    .push = push,
};
