/* loki.process: entries through a pipeline of stages.
 *
 * A stream stays on the worker where its source is, and so does what stages remember of it. A batch
 * that was begun is the component's: stages have seen its entries, so it cannot be given back when
 * the outputs have no room. It answers FULL while it holds one that is not through. What stages
 * hold is sent on when it is due, when sources stop (they wait for it to be delivered), and before
 * other stages take over. */
#include "base/vec.h"
#include "components/common/log_stage.h"
#include "components/common/loki_receiver.h"
#include "components/loki/process/engine.h"

#define RETRY_AFTER (100 * NS_PER_MS)
#define QUIET       (100 * NS_PER_MS) /* in a hurry: nothing came for so long */

struct args {
    struct capsule_list forward_to;
    struct one_of_list stages;
};
struct plan {
    const struct args *args;
    struct pipeline_plan pipeline;
};
struct self {
    struct shard *shard;
    struct log_stage stage;
    struct pipeline *pipeline;
    struct stage_counters *counters;
    VEC(struct batch *) ready; /* made, not yet taken by the outputs; in order */
    struct batch *current;     /* being fed */
    struct feed at;
    struct timer *again; /* a stage's time, or memory */
    struct timer *quiet; /* NULL: no hurry */
    struct msg kick;
    bool kicked, inside, stopping, ended;
};

static const struct row arg_rows[] = {
    ATTR(struct args, forward_to, .doc = "Where entries go that come out of the pipeline.",
         .required = true, .capsule = &capsule_logs_receiver, .signals = SIGNALS_LOGS),
    STAGE_ROW(struct args, stages),
};
static const struct schema args_schema = SCHEMA(struct args, arg_rows);

static int prepare(struct prepare *p, const void *args, void *plan)
{
    const struct args *a = args;
    struct plan *out = plan;

    out->args = a;
    return pipeline_prepare(p, &a->stages, &out->pipeline);
}

static int create(struct comp *c, char **ret_err)
{
    process_shared_init(c->shared);
    loki_receiver_export(c);
    return 0;
}

/* --- what came out --- */

/* False: the outputs have no room, log_stage's ready comes. */
static bool send_ready(struct self *self)
{
    while (self->ready.n > 0) {
        if (fanout_push(self->stage.out, self->ready.v[0]) == PUSH_FULL) return false;
        vec_remove(&self->ready, 0);
    }
    return true;
}

/* False: memory is out for now. */
static bool collect(struct self *self)
{
    struct batch *made;

    if (pipeline_take(self->pipeline, &made)) {
        timer_start(self->again, RETRY_AFTER);
        return false;
    }
    if (made) vec_push(&self->ready, made);
    return true;
}

/* --- going on --- */

static void end_current(struct self *self)
{
    batch_unref(self->current);
    self->current = NULL;
}

/* True: nothing waits any more. */
static bool resume(struct self *self)
{
    if (!pipeline_waits(self->pipeline) || pipeline_resume(self->pipeline)) return true;
    timer_start(self->again, pipeline_wait_ns(self->pipeline));
    return false;
}

static bool feed(struct self *self)
{
    if (!self->current) return true;
    if (!pipeline_feed(self->pipeline, self->current, &self->at)) {
        timer_start(self->again, pipeline_wait_ns(self->pipeline));
        return false;
    }
    return true;
}

/* As far as room, time and memory allow; true when nothing is left to do. */
static bool advance(struct self *self)
{
    if (!send_ready(self) || !collect(self) || !send_ready(self)) return false;
    bool through = resume(self) && feed(self);
    if (!collect(self)) return false;
    if (through) end_current(self);
    return send_ready(self) && through;
}

/* True when everything went out; of a stop also what stages hold, once no entry comes after it. */
static bool settle(struct self *self)
{
    if (!advance(self)) return false;
    if (!self->stopping) return true;
    pipeline_flush(self->pipeline, false);
    return advance(self);
}

static void go_on(struct self *self)
{
    if (self->inside || self->ended) return;
    self->inside = true;
    bool done = settle(self);
    self->inside = false;
    if (!done) return;
    shard_ready(self->shard);
    self->ended = self->stopping;
    if (self->ended) log_stage_stop(&self->stage);
}

static void on_ready(void *arg)
{
    go_on(arg);
}

static void on_again(void *arg)
{
    go_on(arg);
}

/* Something came out of a stage's timer; several of one turn make one batch. */
static void on_kick(struct msg *m)
{
    struct self *self = container_of(m, struct self, kick);

    self->kicked = false;
    if (self->pipeline) go_on(self);
}

static void kick(void *arg)
{
    struct self *self = arg;

    if (self->kicked) return;
    self->kicked = true;
    loop_defer(self->shard->worker->loop, &self->kick);
}

static bool busy(const struct self *self)
{
    return self->current || self->ready.n > 0 || pipeline_waits(self->pipeline) ||
           log_stage_full(&self->stage);
}

/* Sources have stopped, or are about to: what they sent last has come by now. */
static void on_quiet(void *arg)
{
    struct self *self = arg;

    if (self->ended) return;
    if (busy(self)) {
        timer_start(self->quiet, QUIET);
        return;
    }
    pipeline_flush(self->pipeline, false);
    go_on(self);
}

static void hurry(struct shard *s)
{
    struct self *self = s->self;

    self->quiet = timer_new(s->worker->loop, on_quiet, self);
    timer_start(self->quiet, QUIET);
}

static enum push push(struct shard *s, u32 port, struct batch *b)
{
    struct self *self = s->self;

    if (busy(self)) return PUSH_FULL;
    self->current = b;
    self->at = (struct feed){0};
    self->inside = true;
    advance(self);
    self->inside = false;
    if (self->quiet) timer_start(self->quiet, QUIET);
    return PUSH_TAKEN;
}

/* --- shard --- */

static int run(struct shard *s)
{
    struct self *self = s->self;
    const struct plan *plan = s->plan;

    self->shard = s;
    self->kick.fn = on_kick;
    self->again = timer_new(s->worker->loop, on_again, self);
    self->counters = stage_counters_new(s);
    log_stage_init(&self->stage, s, &plan->args->forward_to);
    self->stage.ready = on_ready;
    self->stage.arg = self;
    self->pipeline = pipeline_new(s, &plan->pipeline, self->counters, kick, self);
    return 0;
}

static bool same_stages(const struct plan *a, const struct plan *b)
{
    return a->pipeline.identity.p && b->pipeline.identity.p &&
           str_eq(a->pipeline.identity, b->pipeline.identity);
}

/* Everything that the old stages hold comes out of them first. */
static void replace(struct self *self, const struct pipeline_plan *plan)
{
    pipeline_flush(self->pipeline, true);
    if (!collect(self)) log_error(self->shard->comp->log, "entries were lost: memory is out");
    pipeline_free(self->pipeline);
    self->pipeline = pipeline_new(self->shard, plan, self->counters, kick, self);
}

static int apply(struct shard *s, const void *plan)
{
    struct self *self = s->self;
    const struct plan *next = plan;

    if (same_stages(s->plan, next))
        pipeline_rebase(self->pipeline, &next->pipeline);
    else
        replace(self, &next->pipeline);
    log_stage_apply(&self->stage, &next->args->forward_to);
    return 0;
}

static void stop(struct shard *s)
{
    struct self *self = s->self;

    self->stopping = true;
    go_on(self);
}

static void shard_done(struct shard *s)
{
    struct self *self = s->self;

    pipeline_free(self->pipeline);
    self->pipeline = NULL;
    if (self->current) batch_fail(self->current, ACK_ABANDONED, NULL);
    end_current(self);
    vec_each (&self->ready, b) {
        batch_fail(*b, ACK_ABANDONED, NULL);
        batch_unref(*b);
    }
    vec_done(&self->ready);
    timer_free(self->again);
    timer_free(self->quiet);
    log_stage_done(&self->stage);
    stage_counters_free(self->counters);
}

static const char example[] = "loki.process \"default\" {\n"
                              "  forward_to = []\n"
                              "\n"
                              "  stage.static_labels {\n"
                              "    values = {cluster = \"main\"}\n"
                              "  }\n"
                              "\n"
                              "  stage.regex {\n"
                              "    expression = `(?i)(?P<level>debug|info|warn|error|fatal)`\n"
                              "  }\n"
                              "\n"
                              "  stage.labels {\n"
                              "    values = {level = \"\"}\n"
                              "  }\n"
                              "}\n";

DEFINE_COMPONENT(loki_process) = {
    .name = "loki.process",
    .summary = "Parses, changes and filters log entries by a pipeline of stages.",
    .example = example,
    .stability = STABILITY_GA,
    .args = &args_schema,
    .exports = &loki_receiver_schema,
    .placement = PLACE_EACH,
    .plan_size = sizeof(struct plan),
    .shared_size = sizeof(struct process_shared),
    .self_size = sizeof(struct self),
    .prepare = prepare,
    .create = create,
    .run = run,
    .apply = apply,
    .hurry = hurry,
    .stop = stop,
    .shard_done = shard_done,
    .push = push,
    .taps_itself = true,
};
