/* prometheus.echo: prints the samples it gets to standard output. Lives on one worker, so that
 * batches do not mix; a slow reader holds up the pipeline. */
#include <errno.h>
#include <stdlib.h>

#include "components/common/line_writer.h"
#include "components/common/metrics_receiver.h"
#include "components/common/sample_text.h"

#define TEXT_MAX ((size_t)32 << 20) /* longest text of one batch */

struct args {
    struct str format;
};
struct self {
    struct shard *shard;
    const struct args *args;
    struct line_writer *writer;
};
struct plan {
    const struct args *args;
};

static const struct row arg_rows[] = {
    ATTR(struct args, format, .doc = "How samples are written: text or openmetrics.",
         .def = "\"text\"", .one_of = ONE_OF_TEXT("text", "openmetrics")),
};
static const struct schema args_schema = SCHEMA(struct args, arg_rows);

static int prepare(struct prepare *p, const void *args, void *plan)
{
    (void)p;
    ((struct plan *)plan)->args = args;
    return 0;
}

static int create(struct comp *c, char **ret_err)
{
    metrics_receiver_export(c);
    return 0;
}

static void room(void *arg)
{
    shard_ready(((struct self *)arg)->shard);
}

static int run(struct shard *s)
{
    struct self *self = s->self;
    char *err = NULL;

    *self = (struct self){.shard = s, .args = ((const struct plan *)s->plan)->args};
    int r = line_writer_open(s->worker->loop, STR("stdout"), room, self, &self->writer, &err);
    if (r < 0) comp_health(s->comp, HEALTH_UNHEALTHY, "failed to open the output: %s", err);
    free(err);
    return r;
}

static int apply(struct shard *s, const void *plan)
{
    ((struct self *)s->self)->args = ((const struct plan *)plan)->args;
    return 0;
}

static void stop(struct shard *s)
{
    shard_stopped(s);
}

static void shard_done(struct shard *s)
{
    line_writer_free(((struct self *)s->self)->writer);
}

static enum push push(struct shard *s, u32 port, struct batch *b)
{
    struct self *self = s->self;
    bool open = str_is(self->args->format, "openmetrics");
    struct buf text = BUF_INIT(TEXT_MAX);

    if (line_writer_full(self->writer)) return PUSH_FULL;
    sample_text(b->samples, open ? SAMPLE_OPENMETRICS : SAMPLE_TEXT, &text);
    int err = buf_err(&text);
    if (err) {
        buf_reset(&text);
        buf_printf(&text, "# %u samples cannot be printed: %s\n", b->items,
                   err == -E2BIG ? "too much text" : strerror(-err));
    }
    line_writer_add(self->writer, buf_view(&text));
    buf_done(&text);
    batch_unref(b);
    return PUSH_TAKEN;
}

DEFINE_COMPONENT(prometheus_echo) = {
    .name = "prometheus.echo",
    .summary = "Prints samples to standard output.",
    .example = "prometheus.echo \"default\" { }\n",
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
};
