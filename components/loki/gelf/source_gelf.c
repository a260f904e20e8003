/* loki.source.gelf: takes GELF messages by datagrams, whole or in chunks, compressed or not. One
 * worker. While the outputs are full datagrams are left to the kernel, which counts what it drops.
 * Source: Alloy's source facts, GELF's description. */
#include <errno.h>

#include "base/utf8.h"
#include "components/common/log_source.h"
#include "components/common/relabel.h"
#include "components/common/settings.h"
#include "components/loki/gelf/chunks.h"
#include "components/loki/gelf/message.h"
#include "net/stream_server.h"

#define DATAGRAM_MAX ((size_t)65535)
#define BATCH_BYTES  ((size_t)256 << 10)
#define MESSAGES_MAX 1024               /* incomplete at a time */
#define CHUNKS_BYTES ((size_t)16 << 20) /* of all of them */
#define TICK         NS_PER_SEC
#define RETRY_ROOM   (100 * NS_PER_MS)
#define QUIET        NS_PER_SEC
#define ADDR_DEFAULT "0.0.0.0:12201"

struct args {
    struct capsule_list forward_to;
    struct capsule_ref relabel_rules;
    struct str listen_address;
    bool use_incoming_timestamp;
};
static const struct row arg_rows[] = {
    ATTR(struct args, forward_to, .doc = "Where the entries go.", .required = true,
         .capsule = &capsule_logs_receiver, .signals = SIGNALS_LOGS),
    ATTR(struct args, listen_address, .doc = "UDP address to listen on.",
         .def = "\"" ADDR_DEFAULT "\""),
    RELABEL_RULES_ATTR(struct args, relabel_rules),
    ATTR(struct args, use_incoming_timestamp, .doc = "Keep the time that a message tells.",
         .def = "false"),
};
static const struct schema args_schema = SCHEMA(struct args, arg_rows);

struct plan {
    const struct args *args;
    struct str address;
};

/* The socket, closed by whoever lets go last. */
struct port {
    struct refs refs;
    char *asked;
    struct udp_listener *l;
};
struct shared {
    struct port *port;
    struct metric *entries, *errors, *lost;
};
struct self {
    struct shard *shard;
    const struct plan *plan;
    struct shared *shared;
    struct port *port; /* served */
    struct log_source out;
    struct gelf_chunks *chunks;
    struct timer *tick, *retry;
    struct label_set labels;
    struct buf whole, plain, line;
    struct arena scratch;
    bool starved, stopping, limit_told;
    i64 quiet_until;
    u64 not_logged;
};

static int prepare(struct prepare *p, const void *args, void *plan_)
{
    struct plan *plan = plan_;
    const struct args *a = plan->args = args;
    struct str host;
    int port;
    char *err;

    plan->address = a->listen_address.n ? a->listen_address : STR(":12201");
    if (hostport_parse(plan->address, -1, &host, &port, &err) == 0) return 0;
    int r = setting_fault(p, "listen_address", "invalid address \"" STR_FMT "\": %s",
                          STR_ARG(plan->address), err);
    free(err);
    return r;
}

/* --- the socket --- */

static void port_unref(struct port *p)
{
    if (!p || !refs_put(&p->refs)) return;
    udp_listener_close(p->l);
    free(p->asked);
    free(p);
}

static int configure(struct comp *c, const void *old_plan, char **ret_err)
{
    const struct plan *plan = c->plan;
    struct shared *sh = c->shared;
    struct udp_listener *l;

    (void)old_plan;
    if (sh->port && str_is(plan->address, sh->port->asked)) return 0;
    int r =
        udp_listener_open(c->host->listeners, "udp", plan->address.p, DATAGRAM_MAX, &l, ret_err);
    if (r < 0) return r;
    port_unref(sh->port);
    sh->port = xnew(struct port);
    refs_init(&sh->port->refs);
    sh->port->asked = str_dup(plan->address);
    sh->port->l = l;
    log_info(c->log, "listening for GELF UDP messages",
             F_STR("listen_address", udp_listener_addr(l)));
    return 0;
}

static void leave(struct comp *c)
{
    struct shared *sh = c->shared;

    if (sh->port) udp_listener_leave(sh->port->l);
}

static void destroy(struct comp *c)
{
    port_unref(((struct shared *)c->shared)->port);
}

/* --- the outputs --- */

static bool blocked(const struct self *self)
{
    return self->starved || log_source_blocked(&self->out);
}

static void stopped_when_idle(struct self *self)
{
    if (!self->stopping || !log_source_idle(&self->out) ||
        log_builder_items(log_source_builder(&self->out)) > 0)
        return;
    self->stopping = false; /* once */
    shard_stopped(self->shard);
}

static void flush(struct self *self)
{
    if (!log_source_blocked(&self->out)) (void)log_source_send(&self->out, NULL);
}

static void on_room(void *arg)
{
    struct self *self = arg;

    flush(self);
    if (self->port && !blocked(self)) udp_listener_resume(self->port->l);
    stopped_when_idle(self);
}

static void starve(struct self *self)
{
    flush(self);
    self->starved = true;
    timer_start(self->retry, RETRY_ROOM);
}

static void on_retry(void *arg)
{
    struct self *self = arg;

    self->starved = false;
    on_room(self);
}

/* --- messages --- */

static void complain(struct self *self, struct str peer, const char *why)
{
    i64 now = loop_now(self->shard->worker->loop);

    metric_inc(self->shared->errors);
    if (now < self->quiet_until) {
        self->not_logged++;
        return;
    }
    log_error(self->shard->comp->log, "error while reading gelf message",
              F_STR("listen_address", self->plan->address), F_STR("peer", peer),
              F_CSTR("err", why ? why : "the compressed data is broken"),
              F_UINT("not_logged", self->not_logged));
    self->quiet_until = now + QUIET;
    self->not_logged = 0;
}

static void put(struct label_set *s, const char *name, struct str value)
{
    label_set_put_view(s, str_of(name), value);
}

/* The entry is sent even when the rules drop the set: without labels then, as Alloy does. */
static struct labels *labels_of(struct self *self, const struct gelf_message *m)
{
    struct label_set *s = &self->labels;
    bool limited = false;

    label_set_reset(s);
    put(s, "__gelf_message_level", str_of(gelf_level_name(m->level)));
    put(s, "__gelf_message_host", m->host);
    put(s, "__gelf_message_version", m->version);
    put(s, "__gelf_message_facility", m->facility);
    if (!relabel_apply(relabel_of(self->plan->args->relabel_rules.c), s, &limited))
        label_set_reset(s);
    relabel_tell_limited(self->shard->comp->log, limited, &self->limit_told);
    label_set_strip(s, true);
    return label_set_intern(s, self->shard->comp->host->labels);
}

static void lost_one(struct self *self)
{
    metric_inc(self->shared->lost);
    log_error(self->shard->comp->log, "a GELF message was lost: no memory");
    starve(self);
}

static void add(struct self *self, const struct gelf_message *m)
{
    bool own_time = self->plan->args->use_incoming_timestamp && m->has_time;
    struct log_entry e = {.time = own_time ? m->time : clock_real(self->shard->comp->host->clock),
                          .line = buf_view(&self->line)};
    struct labels *l = labels_of(self, m);

    if (l && log_builder_add(log_source_builder(&self->out), l, &e) == 0)
        metric_inc(self->shared->entries);
    else
        lost_one(self);
    labels_unref(l);
    if (log_builder_bytes(log_source_builder(&self->out)) >= BATCH_BYTES) flush(self);
}

static void take(struct self *self, struct str payload, struct str peer)
{
    struct gelf_message m;
    struct str text;
    const char *why = NULL;

    buf_reset(&self->line);
    if (gelf_unpack(payload, &self->plain, &text, &why) < 0)
        complain(self, peer, why);
    else if (!utf8_valid(text))
        complain(self, peer, "the message is not UTF-8");
    else if (gelf_parse(text, &self->scratch, &m, &self->line, &why) < 0)
        complain(self, peer, why);
    else
        add(self, &m);
    arena_reset(&self->scratch);
}

static bool on_datagram(void *arg, struct str bytes, bool cut, struct str peer)
{
    struct self *self = arg;
    struct budget *budget = self->shard->comp->host->data_budget;
    i64 now = loop_now(self->shard->worker->loop);
    const char *why = NULL;

    (void)cut; /* no datagram is longer than there is room */
    if (!blocked(self) && !budget_has(budget, (i64)bytes.n + 4096)) starve(self);
    if (blocked(self)) {
        udp_listener_pause(self->port->l);
        return false;
    }
    if (!gelf_is_chunk(bytes)) {
        take(self, bytes, peer);
        return true;
    }
    if (!timer_active(self->tick)) timer_start(self->tick, TICK);
    switch (gelf_chunks_add(self->chunks, peer, bytes, now, &self->whole, &why)) {
    case GELF_WHOLE: take(self, buf_view(&self->whole), peer); break;
    case GELF_BAD: complain(self, peer, why); break;
    case GELF_WAITS: break;
    }
    return true;
}

static void on_rest(void *arg, u32 lost)
{
    struct self *self = arg;

    flush(self);
    if (lost == 0) return;
    metric_add(self->shared->lost, lost);
    log_warn(self->shard->comp->log,
             "datagrams were lost in the kernel: they came faster than they were taken",
             F_STR("listen_address", self->plan->address), F_UINT("lost", lost));
}

static const struct udp_handler handler = {.datagram = on_datagram, .rest = on_rest};

static void on_tick(void *arg)
{
    struct self *self = arg;
    u32 n = gelf_chunks_expire(self->chunks, loop_now(self->shard->worker->loop));

    while (n-- > 0)
        complain(self, STR(""), "a message was given up: chunks of it are missing");
    if (!gelf_chunks_empty(self->chunks)) timer_start(self->tick, TICK);
}

/* --- life --- */

static void serve(struct self *self, struct port *port)
{
    struct port *before = self->port;

    if (before == port) return;
    if (before) udp_listener_unserve(before->l);
    self->port = port;
    if (port) {
        refs_get(&port->refs);
        udp_listener_serve(port->l, self->shard->worker->loop, &handler, self);
    }
    port_unref(before);
}

static int run(struct shard *s)
{
    struct self *self = s->self;

    *self = (struct self){.shard = s, .plan = s->plan, .shared = s->comp->shared};
    label_set_init(&self->labels);
    buf_init(&self->whole, CHUNKS_BYTES);
    buf_init(&self->plain, GELF_PLAIN_MAX);
    buf_init(&self->line, CHUNKS_BYTES + DATAGRAM_MAX);
    arena_init(&self->scratch, 0);
    self->chunks = gelf_chunks_new(
        &(struct gelf_chunks_conf){.max_messages = MESSAGES_MAX, .max_bytes = CHUNKS_BYTES});
    log_source_init(&self->out, s, &self->plan->args->forward_to, on_room, self);
    self->retry = timer_new(s->worker->loop, on_retry, self);
    self->tick = timer_new(s->worker->loop, on_tick, self);
    serve(self, self->shared->port);
    return 0;
}

static int apply(struct shard *s, const void *plan)
{
    struct self *self = s->self;

    flush(self);
    self->plan = plan;
    log_source_apply(&self->out, &self->plan->args->forward_to);
    serve(self, self->shared->port);
    return 0;
}

static void stop(struct shard *s)
{
    struct self *self = s->self;

    serve(self, NULL);
    flush(self);
    self->stopping = true;
    stopped_when_idle(self);
}

static void shard_done(struct shard *s)
{
    struct self *self = s->self;

    serve(self, NULL);
    timer_free(self->retry);
    timer_free(self->tick);
    log_source_done(&self->out);
    gelf_chunks_free(self->chunks);
    label_set_done(&self->labels);
    buf_done(&self->whole);
    buf_done(&self->plain);
    buf_done(&self->line);
    arena_done(&self->scratch);
}

static int create(struct comp *c, char **ret_err)
{
    static const struct metric_desc entries = {
        .name = "loki_source_gelf_target_entries_total",
        .help = "Total number of successful entries sent to the gelf target",
        .kind = METRIC_COUNTER};
    static const struct metric_desc errors = {
        .name = "loki_source_gelf_target_parsing_errors_total",
        .help = "Total number of parsing errors while receiving gelf messages",
        .kind = METRIC_COUNTER};
    static const struct metric_desc lost = {
        .name = "weir_loki_source_gelf_lost_messages_total",
        .help = "Datagrams that the kernel had no room for, and messages without memory",
        .kind = METRIC_COUNTER};
    struct shared *sh = c->shared;

    (void)ret_err;
    sh->entries = comp_metric(c, &entries, NULL, 0);
    sh->errors = comp_metric(c, &errors, NULL, 0);
    sh->lost = comp_metric(c, &lost, NULL, 0);
    return 0;
}

DEFINE_COMPONENT(loki_source_gelf) = {
    .name = "loki.source.gelf",
    .summary = "Receives GELF messages over UDP.",
    .example = "loki.source.gelf \"default\" {\n"
               "  listen_address = \"127.0.0.1:12201\"\n"
               "  forward_to     = [loki.echo.default.receiver]\n"
               "}\n"
               "\n"
               "loki.echo \"default\" { }\n",
    .stability = STABILITY_GA,
    .args = &args_schema,
    .placement = PLACE_ONE,
    .plan_size = sizeof(struct plan),
    .shared_size = sizeof(struct shared),
    .self_size = sizeof(struct self),
    .prepare = prepare,
    .create = create,
    .configure = configure,
    .leave = leave,
    .run = run,
    .apply = apply,
    .stop = stop,
    .shard_done = shard_done,
    .destroy = destroy,
};
