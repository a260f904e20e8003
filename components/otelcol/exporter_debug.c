/* otelcol.exporter.debug: prints what arrives, as log lines or as text to files. Lives on one
 * worker; a slow reader of its text holds up the pipeline. */
#include <errno.h>

#include "components/common/line_writer.h"
#include "components/common/otel_output.h"
#include "components/common/sending.h"
#include "components/common/settings.h"
#include "telemetry/otlp.h"

#define TEXT_MAX ((size_t)64 << 20) /* longest text of one batch */

struct args {
    struct str_list output_paths;
    i64 sampling_initial, sampling_thereafter;
    bool use_internal_logger;
    struct str verbosity;
    struct otel_debug_metrics debug_metrics;
};

struct plan {
    const struct args *args;
    enum otlp_verbosity verbosity;
};
struct shared {
    struct metric *sent[SIGNAL_COUNT];
};

/* Of one kind of message: how many there were in the current second. */
struct sampler {
    i64 second;
    i64 seen;
};
struct self {
    struct shard *shard;
    const struct plan *plan;
    struct line_writer **writers; /* without the internal logger */
    size_t n_writers;
    struct sampler samplers[SIGNAL_COUNT];
};

static const struct row arg_rows[] = {
    ATTR(struct args, output_paths,
         .doc = "Where text goes without the internal logger: stdout, stderr, or files.",
         .def = "[\"stdout\"]"),
    ATTR(struct args, sampling_initial, .doc = "Messages that are printed in each second.",
         .def = "2"),
    ATTR(struct args, sampling_thereafter,
         .doc = "Of further messages in that second, every so-many-th is printed; 0 for none.",
         .def = "1"),
    ATTR(struct args, use_internal_logger,
         .doc = "Print through this agent's log instead of to output_paths.", .def = "true"),
    ATTR(struct args, verbosity,
         .doc = "basic for counts, normal for a line per record, detailed for all.",
         .def = "\"basic\"", .one_of = ONE_OF_TEXT("basic", "normal", "detailed")),
    BLOCK(struct args, debug_metrics, &otel_debug_metrics_schema,
          .doc = "The component's own metrics."),
};
static const struct schema args_schema = SCHEMA(struct args, arg_rows);

static int prepare(struct prepare *p, const void *args, void *plan_)
{
    static const char *const names[] = {"basic", "normal", "detailed"};
    struct plan *plan = plan_;
    const struct args *a = plan->args = args;
    while (!str_is(a->verbosity, names[plan->verbosity]))
        plan->verbosity++;
    if (a->sampling_initial < 0)
        return setting_fault(p, "sampling_initial", "sampling_initial must not be negative");
    if (a->sampling_thereafter < 0)
        return setting_fault(p, "sampling_thereafter", "sampling_thereafter must not be negative");
    if (!a->use_internal_logger && a->output_paths.n == 0)
        return setting_fault(p, "output_paths", "output_paths must name at least one output");
    if (a->use_internal_logger && span_written(p->block, "output_paths"))
        setting_no_effect(p, "output_paths", "use_internal_logger is set");
    return 0;
}

/* --- printing --- */

static bool sampled(struct self *self, enum signal signal)
{
    const struct args *a = self->plan->args;
    struct sampler *s = &self->samplers[signal];
    i64 second = loop_now(self->shard->worker->loop) / NS_PER_SEC;
    if (s->second != second) *s = (struct sampler){.second = second};
    i64 further = ++s->seen - a->sampling_initial;
    return further <= 0 || (a->sampling_thereafter > 0 && further % a->sampling_thereafter == 0);
}

/* The line of counts: its message and its fields. */
struct headline {
    const char *message;
    struct log_field fields[3];
    size_t n;
};

static struct headline headline_of(const struct batch *b)
{
    struct otlp_counts n = {0};
    if (otlp_count(b, &n) < 0)
        n = (struct otlp_counts){
            .items = b->items}; /* only a batch of ours that is broken; its items are known */
    switch (b->signal) {
    case SIGNAL_TRACES:
        return (struct headline){
            "Traces", {F_UINT("resource spans", n.resources), F_UINT("spans", n.items)}, 2};
    case SIGNAL_METRICS:
        return (struct headline){"Metrics",
                                 {F_UINT("resource metrics", n.resources),
                                  F_UINT("metrics", n.metrics), F_UINT("data points", n.items)},
                                 3};
    case SIGNAL_LOGS:
        return (struct headline){
            "Logs", {F_UINT("resource logs", n.resources), F_UINT("log records", n.items)}, 2};
    case SIGNAL_COUNT: break;
    }
    UNREACHABLE();
}

static void headline_text(const struct headline *h, struct buf *out)
{
    buf_printf(out, "%s\t{", h->message);
    for (size_t i = 0; i < h->n; i++)
        buf_printf(out, "%s\"%s\": %llu", i > 0 ? ", " : "", h->fields[i].key,
                   (unsigned long long)h->fields[i].u);
    buf_cstr(out, "}\n");
}

/* The records themselves; what does not fit is said. */
static void details_text(const struct batch *b, enum otlp_verbosity v, struct buf *out)
{
    int r = otlp_dump(b, v, out);
    if (r == 0) return;
    buf_reset(out);
    buf_printf(out, "(%u records cannot be printed: %s)", b->items,
               r == -E2BIG ? "too much text" : strerror(-r));
}

static void print_to_log(struct self *self, const struct batch *b)
{
    struct logger *log = self->shard->comp->log;
    struct headline h = headline_of(b);
    log_emit(log, LOG_INFO, h.message, h.fields, h.n);
    if (self->plan->verbosity == OTLP_BASIC) return;
    struct buf text = BUF_INIT(TEXT_MAX);
    details_text(b, self->plan->verbosity, &text);
    log_emit(log, LOG_INFO, text.p ? text.p : "", NULL, 0);
    buf_done(&text);
}

static void print_to_writers(struct self *self, const struct batch *b)
{
    struct buf text = BUF_INIT(TEXT_MAX), head = BUF_INIT(4096);
    struct headline h = headline_of(b);
    headline_text(&h, &head);
    if (self->plan->verbosity != OTLP_BASIC) details_text(b, self->plan->verbosity, &text);
    if (text.n > 0 && text.p[text.n - 1] != '\n') buf_ch(&text, '\n');
    for (size_t i = 0; i < self->n_writers; i++) {
        line_writer_add(self->writers[i], buf_view(&head));
        line_writer_add(self->writers[i], buf_view(&text));
    }
    buf_done(&text);
    buf_done(&head);
}

static bool writers_full(const struct self *self)
{
    for (size_t i = 0; i < self->n_writers; i++)
        if (line_writer_full(self->writers[i])) return true;
    return false;
}

static enum push push(struct shard *s, u32 port, struct batch *b)
{
    (void)port;
    struct self *self = s->self;
    struct shared *sh = s->comp->shared;
    if (writers_full(self)) return PUSH_FULL;
    if (sampled(self, b->signal)) {
        if (self->plan->args->use_internal_logger)
            print_to_log(self, b);
        else
            print_to_writers(self, b);
    }
    metric_add(sh->sent[b->signal], b->items);
    batch_unref(b);
    return PUSH_TAKEN;
}

/* --- life --- */

static int create(struct comp *c, char **ret_err)
{
    (void)ret_err;
    struct shared *sh = c->shared;
    for (enum signal s = 0; s < SIGNAL_COUNT; s++)
        sh->sent[s] = exporter_sent_metric(c, "debug", s);
    otel_input_export(c);
    return 0;
}

static void room(void *arg)
{
    struct self *self = arg;
    if (!writers_full(self)) shard_ready(self->shard);
}

static void close_writers(struct self *self)
{
    for (size_t i = 0; i < self->n_writers; i++)
        line_writer_free(self->writers[i]);
    free(self->writers);
    self->writers = NULL;
    self->n_writers = 0;
}

static int open_writers(struct self *self)
{
    const struct args *a = self->plan->args;
    char *err;
    if (a->use_internal_logger) return 0;
    self->writers = xcalloc(a->output_paths.n, sizeof(struct line_writer *));
    for (size_t i = 0; i < a->output_paths.n; i++) {
        int r = line_writer_open(self->shard->worker->loop, a->output_paths.v[i], room, self,
                                 &self->writers[i], &err);
        if (r < 0) {
            comp_health(self->shard->comp, HEALTH_UNHEALTHY, "failed to open the output: %s", err);
            log_error(self->shard->comp->log, "failed to open the output", F_CSTR("error", err));
            free(err);
            return r;
        }
        self->n_writers++;
    }
    return 0;
}

static int run(struct shard *s)
{
    struct self *self = s->self;
    *self = (struct self){.shard = s, .plan = s->plan};
    return open_writers(self);
}

static int apply(struct shard *s, const void *plan)
{
    struct self *self = s->self;
    close_writers(self);
    self->plan = plan;
    int r = open_writers(self);
    shard_ready(s);
    return r;
}

static void stop(struct shard *s)
{
    shard_stopped(s);
}

static void shard_done(struct shard *s)
{
    close_writers(s->self);
}

DEFINE_COMPONENT(otelcol_exporter_debug) = {
    .name = "otelcol.exporter.debug",
    .summary = "Prints traces, metrics and logs to the log or to files.",
    .example = "otelcol.exporter.debug \"default\" {\n"
               "  verbosity = \"detailed\"\n"
               "}\n",
    .stability = STABILITY_EXPERIMENTAL,
    .args = &args_schema,
    .exports = &otel_input_schema,
    .placement = PLACE_ONE,
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
