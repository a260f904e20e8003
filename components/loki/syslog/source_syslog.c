/* loki.source.syslog: takes syslog messages over TCP, TLS and UDP. One worker; its sockets are
 * opened by the instance and survive a reload. Entries of all senders are gathered in a turn of the
 * loop and sent as one batch; while the outputs are full connections are not read (their senders
 * wait), and datagrams are left to the kernel. Source: spec A.8. */
#include "components/loki/syslog/serving.h"

#define STOP_GRACE  (5 * NS_PER_SEC)
#define BATCH_BYTES ((size_t)256 << 10) /* sent before the turn is over */
#define TICK        (250 * NS_PER_MS)
#define RETRY_PORT  (10 * NS_PER_SEC)
#define RETRY_ROOM  (100 * NS_PER_MS)
#define KEY_MAX     ((size_t)16 << 20)

/* --- the outputs --- */

bool syslog_blocked(const struct syslog_source *self)
{
    return self->starved || log_source_blocked(&self->out);
}

static void resume_all(struct syslog_source *self)
{
    list_each (&self->serving, at)
        syslog_serving_resume(list_item(at, struct syslog_serving, node));
    list_each (&self->leaving, at)
        syslog_serving_resume(list_item(at, struct syslog_serving, node));
}

static void stopped_when_idle(struct syslog_source *self)
{
    if (!self->stopping || self->done || self->flushing || self->question ||
        !list_empty(&self->serving) || !list_empty(&self->leaving) || !log_source_idle(&self->out))
        return;
    self->done = true;
    shard_stopped(self->shard);
}

static void flush(struct syslog_source *self)
{
    if (!log_source_blocked(&self->out)) (void)log_source_send(&self->out, NULL);
}

static void on_room(void *arg)
{
    struct syslog_source *self = arg;

    flush(self); /* what was gathered when it became full */
    if (!syslog_blocked(self)) resume_all(self);
    stopped_when_idle(self);
}

static void on_flush(struct msg *m)
{
    struct syslog_source *self = container_of(m, struct syslog_source, flush);

    self->flushing = false;
    if (!self->shard) return; /* over */
    flush(self);
    stopped_when_idle(self);
}

void syslog_flush_soon(struct syslog_source *self)
{
    if (log_builder_bytes(log_source_builder(&self->out)) >= BATCH_BYTES) {
        flush(self);
        return;
    }
    if (self->flushing) return;
    self->flushing = true;
    self->flush.fn = on_flush;
    loop_defer(self->shard->worker->loop, &self->flush);
}

static void on_retry(void *arg)
{
    struct syslog_source *self = arg;

    self->starved = false;
    on_room(self);
}

void syslog_starve(struct syslog_source *self)
{
    flush(self); /* what others then give back may be enough */
    self->starved = true;
    timer_start(self->retry, RETRY_ROOM);
}

void syslog_left(struct syslog_source *self)
{
    stopped_when_idle(self);
}

/* --- ports that could not be opened --- */

static void on_answer(void *arg, struct syslog_conf *conf, struct syslog_port *port)
{
    struct syslog_source *self = arg;

    self->question = NULL;
    self->asked_at = loop_now(self->shard->worker->loop);
    list_each (&self->serving, at) {
        struct syslog_serving *sv = list_item(at, struct syslog_serving, node);
        if (sv->conf != conf || sv->port || !port) continue;
        syslog_serving_set(sv, conf, port);
        port = NULL;
    }
    syslog_port_unref(port);
    stopped_when_idle(self);
}

static void ask_again(struct syslog_source *self)
{
    struct loop *loop = self->shard->worker->loop;

    if (self->question || self->stopping || loop_now(loop) - self->asked_at < RETRY_PORT) return;
    list_each (&self->serving, at) {
        struct syslog_serving *sv = list_item(at, struct syslog_serving, node);
        if (sv->port) continue;
        self->question = syslog_table_ask(self->shared->table, sv->conf, loop, on_answer, self);
        list_del(&sv->node); /* the next time another's turn */
        list_add_tail(&self->serving, &sv->node);
        return;
    }
}

void syslog_tick_soon(struct syslog_source *self)
{
    if (!timer_active(self->tick)) timer_start(self->tick, TICK);
}

static void on_tick(void *arg)
{
    struct syslog_source *self = arg;
    bool waits = false;

    list_each (&self->serving, at)
        waits |= syslog_serving_tick(list_item(at, struct syslog_serving, node));
    list_each (&self->leaving, at)
        waits |= syslog_serving_tick(list_item(at, struct syslog_serving, node));
    ask_again(self);
    if (waits) syslog_tick_soon(self);
}

/* --- life --- */

static struct syslog_serving *serving_of(struct syslog_source *self, const struct syslog_port *port)
{
    list_each (&self->serving, at) {
        struct syslog_serving *sv = list_item(at, struct syslog_serving, node);
        if (port && sv->port == port) return sv;
    }
    return NULL;
}

/* Listeners whose port stays go on with their connections. */
static void serve(struct syslog_source *self, const struct syslog_plan *plan)
{
    struct syslog_ports *ports = syslog_table_ports(self->shared->table);
    struct list before = {0};

    list_init(&before);
    list_each (&self->serving, at) {
        list_del(at);
        list_add_tail(&before, at);
    }
    for (size_t i = 0; i < ports->n; i++) {
        struct syslog_port *port = ports->v[i];
        struct syslog_serving *sv = NULL;
        list_each (&before, at)
            if (port && list_item(at, struct syslog_serving, node)->port == port)
                sv = list_item(at, struct syslog_serving, node);
        if (sv) {
            list_del(&sv->node);
            list_add_tail(&self->serving, &sv->node);
            syslog_serving_set(sv, plan->conf[i], NULL);
        } else if (!serving_of(self, port)) {
            syslog_serving_new(self, plan->conf[i], port ? syslog_port_ref(port) : NULL);
        }
    }
    list_each (&before, at)
        syslog_serving_leave(list_item(at, struct syslog_serving, node), STOP_GRACE);
    syslog_ports_unref(ports);
    syslog_tick_soon(self);
}

static int run(struct shard *s)
{
    struct syslog_source *self = s->self;
    const struct syslog_plan *plan = s->plan;

    *self = (struct syslog_source){.shard = s, .shared = s->comp->shared};
    list_init(&self->serving);
    list_init(&self->leaving);
    label_set_init(&self->labels);
    buf_init(&self->key, KEY_MAX);
    log_source_init(&self->out, s, &plan->args->forward_to, on_room, self);
    self->retry = timer_new(s->worker->loop, on_retry, self);
    self->tick = timer_new(s->worker->loop, on_tick, self);
    serve(self, plan);
    return 0;
}

static int apply(struct shard *s, const void *plan_)
{
    struct syslog_source *self = s->self;
    const struct syslog_plan *plan = plan_;

    flush(self);
    log_source_apply(&self->out, &plan->args->forward_to);
    serve(self, plan);
    return 0;
}

static void stop(struct shard *s)
{
    struct syslog_source *self = s->self;

    self->stopping = true;
    list_each (&self->serving, at)
        syslog_serving_leave(list_item(at, struct syslog_serving, node),
                             MIN(STOP_GRACE, s->comp->host->stop_deadline / 4));
    flush(self);
    stopped_when_idle(self);
}

static void shard_done(struct shard *s)
{
    struct syslog_source *self = s->self;

    syslog_question_forget(self->question);
    list_each (&self->leaving, at)
        syslog_serving_forget(list_item(at, struct syslog_serving, node));
    timer_free(self->retry);
    timer_free(self->tick);
    log_source_done(&self->out);
    label_set_done(&self->labels);
    buf_done(&self->key);
    self->shard = NULL;
}

/* --- the instance --- */

static struct metric *counter(struct comp *c, const struct metric_desc *d)
{
    return comp_metric(c, d, NULL, 0);
}

static int create(struct comp *c, char **ret_err)
{
    static const struct metric_desc entries = {
        .name = "loki_source_syslog_entries_total",
        .help = "Total number of successful entries sent to the syslog target",
        .kind = METRIC_COUNTER};
    static const struct metric_desc errors = {
        .name = "loki_source_syslog_parsing_errors_total",
        .help = "Total number of parsing errors while receiving syslog messages",
        .kind = METRIC_COUNTER};
    static const struct metric_desc empty = {
        .name = "loki_source_syslog_empty_messages_total",
        .help = "Total number of empty messages received from syslog",
        .kind = METRIC_COUNTER};
    static const struct metric_desc lost = {
        .name = "weir_loki_source_syslog_lost_messages_total",
        .help = "Datagrams that the kernel had no room for, and messages without memory",
        .kind = METRIC_COUNTER};
    struct syslog_shared *sh = c->shared;

    (void)ret_err;
    sh->table = syslog_table_new(c);
    sh->entries = counter(c, &entries);
    sh->errors = counter(c, &errors);
    sh->empty = counter(c, &empty);
    sh->lost = counter(c, &lost);
    return 0;
}

static int configure(struct comp *c, const void *old_plan, char **ret_err)
{
    struct syslog_shared *sh = c->shared;

    (void)old_plan;
    return syslog_table_set(sh->table, c->plan, ret_err);
}

static void leave(struct comp *c)
{
    struct syslog_shared *sh = c->shared;

    syslog_table_leave(sh->table);
}

static void destroy(struct comp *c)
{
    struct syslog_shared *sh = c->shared;

    syslog_table_close(sh->table);
}

/* --- what it shows --- */

struct infos {
    struct value listeners_info;
};
static const struct row infos_rows[] = {
    ATTR(struct infos, listeners_info, .required = true,
         .doc = "Its listeners: type, ready, listen_address and labels of each."),
};
static const struct schema infos_schema = SCHEMA(struct infos, infos_rows);

static void release(void *value)
{
    value_unref(*(struct value *)value);
}

static void debug_info(struct comp *c, struct arena *a, void *out)
{
    struct infos *infos = out;

    infos->listeners_info = syslog_table_info(((struct syslog_shared *)c->shared)->table);
    arena_cleanup(a, release, &infos->listeners_info);
}

static const char example[] = "loki.source.syslog \"default\" {\n"
                              "  listener {\n"
                              "    address = \"127.0.0.1:51893\"\n"
                              "    labels  = {component = \"loki.source.syslog\"}\n"
                              "  }\n"
                              "\n"
                              "  listener {\n"
                              "    address       = \"127.0.0.1:51898\"\n"
                              "    protocol      = \"udp\"\n"
                              "    syslog_format = \"rfc3164\"\n"
                              "  }\n"
                              "  forward_to = [loki.echo.default.receiver]\n"
                              "}\n"
                              "\n"
                              "loki.echo \"default\" { }\n";

DEFINE_COMPONENT(loki_source_syslog) = {
    .name = "loki.source.syslog",
    .summary = "Receives syslog messages (RFC 5424, RFC 3164, raw) over TCP, TLS and UDP.",
    .example = example,
    .stability = STABILITY_GA,
    .args = &syslog_args_schema,
    .debug = &infos_schema,
    .placement = PLACE_ONE,
    .plan_size = sizeof(struct syslog_plan),
    .shared_size = sizeof(struct syslog_shared),
    .self_size = sizeof(struct syslog_source),
    .prepare = syslog_prepare,
    .create = create,
    .configure = configure,
    .leave = leave,
    .run = run,
    .apply = apply,
    .stop = stop,
    .shard_done = shard_done,
    .destroy = destroy,
    .debug_info = debug_info,
    .taps_itself = true,
};
