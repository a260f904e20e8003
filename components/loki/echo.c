/* loki.echo: writes each entry it gets as a line of this agent's log. Stateless; works where a
 * batch is. Entries of a stream come in their order. */
#include "base/json.h"
#include "components/common/loki_receiver.h"
#include "telemetry/log_batch.h"

#define METADATA_MAX ((size_t)1 << 20)

static const struct schema args_schema = SCHEMA_EMPTY;

static void metadata_json(struct buf *b, const struct log_entry *e)
{
    struct json_out j = {.b = b};

    json_obj(&j);
    for (u32 i = 0; i < e->n_meta; i++) {
        json_key(&j, e->meta[i].name);
        json_str(&j, e->meta[i].value);
    }
    json_obj_end(&j);
    if (!buf_err(b)) return;
    buf_reset(b);
    buf_cstr(b, "(too large to print)");
}

static void print_entry(struct logger *log, const struct labels *labels, const struct log_entry *e)
{
    struct buf time = BUF_INIT(64), metadata = BUF_INIT(METADATA_MAX);

    time_rfc3339(&time, e->time, false);
    metadata_json(&metadata, e);
    log_info(log, "received log entry", F_STR("entry", e->line),
             F_STR("entry_timestamp", buf_view(&time)), F_STR("labels", labels->text),
             F_STR("structured_metadata", buf_view(&metadata)));
    buf_done(&time);
    buf_done(&metadata);
}

static enum push push(struct shard *s, u32 port, struct batch *b)
{
    const struct logs *l = b->logs;

    for (u32 i = 0; i < l->n_streams; i++)
        for (u32 k = 0; k < l->streams[i].n; k++)
            print_entry(s->comp->log, l->streams[i].labels, &l->streams[i].v[k]);
    batch_unref(b);
    return PUSH_TAKEN;
}

static int create(struct comp *c, char **ret_err)
{
    loki_receiver_export(c);
    return 0;
}

DEFINE_COMPONENT(loki_echo) = {
    .name = "loki.echo",
    .summary = "Writes the log entries it receives to this agent's own log.",
    .example = "loki.echo \"default\" { }\n",
    .stability = STABILITY_GA,
    .args = &args_schema,
    .exports = &loki_receiver_schema,
    .placement = PLACE_EACH,
    .create = create,
    .push = push,
};
