/* otelcol.receiver.loki: log entries of the Loki family as OTLP log records. Labels become
 * attributes of each record, the line its body. Stateless; works where a batch is. Spec: pipelines
 * D.12 (which sends one request per entry: here a batch stays one request). */
#include <errno.h>

#include "components/common/loki_receiver.h"
#include "components/common/otel_stage.h"
#include "components/common/otlp_tap.h"
#include "telemetry/log_batch.h"
#include "telemetry/otlp_desc.h"
#include "telemetry/pb.h"

#define REQUEST_MAX ((size_t)256 << 20)

struct args {
    struct otel_output output;
};
struct self {
    struct otel_stage stage;
    struct buf attributes; /* of the stream being written */
};

static const struct row arg_rows[] = {
    BLOCK(struct args, output, &otel_output_schema, .doc = "Where the log records go.",
          .required = true),
};
static const struct schema args_schema = SCHEMA(struct args, arg_rows);

struct plan {
    const struct otel_output *output;
};

static int prepare(struct prepare *p, const void *args, void *plan)
{
    ((struct plan *)plan)->output = &((const struct args *)args)->output;
    return 0;
}

/* --- one record --- */

static unsigned width_of(size_t n)
{
    return (unsigned)pb_varint_size(n);
}

static void add_string(struct buf *b, u32 field, struct str value)
{
    size_t start = pb_open(b, field, width_of(value.n + 1 + pb_varint_size(value.n)));

    pb_add_bytes(b, OTLP_any_value_string_value, value);
    pb_close(b, start, width_of(value.n + 1 + pb_varint_size(value.n)));
}

static void add_attribute(struct buf *b, struct str key, struct str value)
{
    unsigned width = width_of(key.n + value.n + 8);
    size_t start = pb_open(b, OTLP_log_record_attributes, width);

    pb_add_bytes(b, OTLP_key_value_key, key);
    add_string(b, OTLP_key_value_value, value);
    pb_close(b, start, width);
}

static struct str base_name(struct str path)
{
    size_t at = path.n;

    while (at > 0 && path.p[at - 1] != '/')
        at--;
    return str_sub(path, at, path.n);
}

/* The names of the labels, for who turns records into entries again. */
static void add_hint(struct buf *b, const struct labels *l)
{
    struct buf names = BUF_INIT(REQUEST_MAX);

    for (u32 i = 0; i < l->n; i++) {
        if (i > 0) buf_ch(&names, ',');
        buf_str(&names, l->v[i].name);
    }
    add_attribute(b, STR("loki.attribute.labels"), buf_view(&names));
    buf_done(&names);
}

static void write_attributes(struct buf *b, const struct labels *l)
{
    struct str file = labels_get(l, STR("filename"));

    buf_reset(b);
    for (u32 i = 0; i < l->n; i++)
        add_attribute(b, l->v[i].name, l->v[i].value);
    if (l->n > 0) add_hint(b, l);
    if (!file.p) return;
    add_attribute(b, STR("log.file.path"), file);
    add_attribute(b, STR("log.file.name"), base_name(file));
}

static void write_record(struct buf *b, const struct log_entry *e, struct str attributes, i64 now)
{
    unsigned width = width_of(e->line.n + attributes.n + 32);
    size_t start = pb_open(b, OTLP_RECORDS, width);

    pb_add_fixed64(b, OTLP_log_record_time_unix_nano, (u64)(e->time ? e->time : now));
    add_string(b, OTLP_log_record_body, e->line);
    buf_str(b, attributes);
    pb_add_fixed64(b, OTLP_log_record_observed_time_unix_nano, (u64)now);
    pb_close(b, start, width);
}

/* --- one batch --- */

/* One ResourceLogs with one ScopeLogs, both without attributes. */
static int write_request(struct self *self, const struct logs *l, struct buf *out)
{
    i64 now = clock_real(self->stage.shard->comp->host->clock);
    unsigned width = width_of(l->bytes + l->items * (size_t)64 + 64);
    size_t resource = pb_open(out, OTLP_RESOURCES, width);

    pb_add_bytes(out, OTLP_RESOURCE, STR(""));
    size_t scope = pb_open(out, OTLP_SCOPES, width);
    pb_add_bytes(out, OTLP_SCOPE, STR(""));
    for (u32 i = 0; i < l->n_streams; i++) {
        write_attributes(&self->attributes, l->streams[i].labels);
        if (buf_err(&self->attributes)) return buf_err(&self->attributes);
        for (u32 k = 0; k < l->streams[i].n; k++)
            write_record(out, &l->streams[i].v[k], buf_view(&self->attributes), now);
    }
    if (buf_err(out)) return buf_err(out);
    pb_close(out, scope, width);
    pb_close(out, resource, width);
    return buf_err(out);
}

static struct batch *otlp_of(struct self *self, const struct batch *b, struct buf *bytes)
{
    struct blob *root = blob_take_buf(bytes, self->stage.shard->comp->host->data_budget);
    struct batch *out = batch_derive(b);

    batch_add_slice(out, root, root->p, root->n, b->items);
    blob_unref(root);
    batch_seal(out);
    return out;
}

static enum push push(struct shard *s, u32 port, struct batch *b)
{
    struct self *self = s->self;
    struct buf bytes = BUF_INIT(REQUEST_MAX);

    if (otel_outputs_full(&self->stage.out, SIGNAL_LOGS)) return PUSH_FULL;
    int err = write_request(self, b->logs, &bytes);
    if (!err) return otel_stage_push(&self->stage, b, otlp_of(self, b, &bytes));
    buf_done(&bytes);
    return err == -E2BIG ? otel_stage_refuse(&self->stage, b, "failed to consume log entries",
                                             "the records would be too large")
                         : otel_stage_wait(&self->stage);
}

/* --- life --- */

static int create(struct comp *c, char **ret_err)
{
    loki_receiver_export(c);
    return 0;
}

static int run(struct shard *s)
{
    struct self *self = s->self;

    self->attributes = (struct buf)BUF_INIT(REQUEST_MAX);
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
    buf_done(&self->attributes);
}

static const char example[] = "otelcol.receiver.loki \"default\" {\n"
                              "  output {\n"
                              "    logs = [otelcol.exporter.otlphttp.default.input]\n"
                              "  }\n"
                              "}\n"
                              "\n"
                              "otelcol.exporter.otlphttp \"default\" {\n"
                              "  client {\n"
                              "    endpoint = \"http://localhost:4318\"\n"
                              "  }\n"
                              "}\n";

DEFINE_COMPONENT(otelcol_receiver_loki) = {
    .name = "otelcol.receiver.loki",
    .summary = "Turns log entries of loki components into OTLP log records.",
    .example = example,
    .stability = STABILITY_GA,
    .args = &args_schema,
    .exports = &loki_receiver_schema,
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
