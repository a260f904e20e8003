/* prometheus.exporter.statsd: takes StatsD lines over UDP, TCP and a Unix socket, maps their names
 * to metrics with labels, and shows those to who scrapes it. One worker, which owns all of it; a
 * page is asked for by a message. Source: Alloy's reference, statsd_exporter's README and tests. */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include "components/common/expo.h"
#include "components/common/exporter_target.h"
#include "components/common/read_file.h"
#include "components/common/settings.h"
#include "components/common/shard_page.h"
#include "components/prometheus/statsd/cache.h"
#include "components/prometheus/statsd/port.h"
#include "components/prometheus/statsd/registry.h"
#include "components/prometheus/statsd/relay.h"

#define PAGE_MAX     ((size_t)256 << 20)
#define OWN_PAGE_MAX ((size_t)8 << 20)
#define SERIES_MAX   ((i64)128 << 20) /* bytes; less where memory is scarce */
#define QUEUE_BYTES  ((size_t)1 << 20)
#define GRACE        (2 * NS_PER_SEC)
#define QUIET        (60 * NS_PER_SEC)

struct args {
    i64 cache_size, event_flush_threshold, event_queue_size, read_buffer, relay_packet_length;
    struct str cache_type, listen_tcp, listen_udp, listen_unixgram, mapping_config_path, relay_addr,
        unix_socket_mode;
    struct dur event_flush_interval;
    bool parse_dogstatsd_tags, parse_influxdb_tags, parse_librato_tags, parse_signalfx_tags;
};
#define A struct args
static const struct row arg_rows[] = {
    ATTR(A, cache_size, .doc = "Names whose mapping is remembered; 0: none.", .def = "1000"),
    ATTR(A, cache_type, .doc = "Which name makes room for another: lru or random.",
         .def = "\"lru\""),
    ATTR(A, event_flush_interval, .doc = "Longest time that an event waits.", .def = "\"200ms\""),
    ATTR(A, event_flush_threshold, .doc = "Events that are applied at once.", .def = "1000"),
    ATTR(A, event_queue_size, .doc = "Has no effect: no batch of events waits for another.",
         .def = "10000"),
    ATTR(A, listen_tcp, .doc = "TCP address to listen on; empty: none.", .def = "\":9125\""),
    ATTR(A, listen_udp, .doc = "UDP address to listen on; empty: none.", .def = "\":9125\""),
    ATTR(A, listen_unixgram, .doc = "Unix datagram socket to listen on; empty: none.",
         .def = "\"\""),
    ATTR(A, mapping_config_path, .doc = "YAML file of mappings, as of statsd_exporter.",
         .def = "\"\""),
    ATTR(A, parse_dogstatsd_tags, .doc = "Read tags in the manner of DogStatsD.", .def = "true"),
    ATTR(A, parse_influxdb_tags, .doc = "Read tags in the manner of InfluxDB.", .def = "true"),
    ATTR(A, parse_librato_tags, .doc = "Read tags in the manner of Librato.", .def = "true"),
    ATTR(A, parse_signalfx_tags, .doc = "Read tags in the manner of SignalFx.", .def = "true"),
    ATTR(A, read_buffer, .def = "0",
         .doc = "Bytes that the kernel keeps of datagrams not yet read; 0: its own choice."),
    ATTR(A, relay_addr, .doc = "UDP address that lines are sent on to; empty: none.",
         .def = "\"\""),
    ATTR(A, relay_packet_length, .doc = "Longest datagram to it.", .def = "1400"),
    ATTR(A, unix_socket_mode, .doc = "Permissions of the Unix socket.", .def = "\"755\""),
};
#undef A
static const struct schema args_schema = SCHEMA(struct args, arg_rows);

struct plan {
    const struct args *args;
    struct statsd_mapper *mapper; /* NULL in `check` when it has to be read from a file */
    size_t relay_packet;
    bool has_mode;
    mode_t mode;
};
struct shared {
    struct statsd_port *ports[STATSD_NETS];
    struct shard_page *page;
    struct statsd_relay_metrics relay_metrics;
    char *relay_addr; /* that the metrics are of */
    bool relays;
    struct address relay_to;
};
/* Events that wait to be applied. */
struct queue {
    struct arena arena;
    VEC(struct statsd_event) events;
};
struct self {
    struct shard *shard;
    const struct plan *plan;
    struct statsd_stats stats;
    struct statsd_parser parser;
    struct statsd_registry *registry;
    struct statsd_cache *cache;
    struct queue queue;
    struct arena scratch;
    struct statsd_labels labels; /* scratch */
    struct statsd_serving *serving[STATSD_NETS];
    struct list leaving;
    struct statsd_relay *relay;
    struct timer *flush, *expire, *relay_tick;
    bool stopping;
    u64 limit_told;
    i64 quiet_until;
};

/* --- settings --- */

static void unref_mapper(void *m)
{
    statsd_mapper_unref(m);
}

static void warn_mapping(void *arg, const char *what)
{
    setting_no_effect(arg, "mapping_config_path", what);
}

static int read_mapping(struct prepare *p, struct str path, struct buf *text)
{
    char *err = NULL;
    int r = 0;

    if (path.n > 0 && read_file(path.p, text, &err) < 0)
        r = setting_fault(p, "mapping_config_path", "failed to read mapping config file: %s", err);
    free(err);
    return r;
}

static int prepare_mapping(struct prepare *p, struct plan *plan)
{
    struct buf text = BUF_INIT(READ_FILE_MAX);
    char *err = NULL;

    if (plan->args->mapping_config_path.n > 0 && !p->host)
        return 0; /* it is where the agent runs */
    int r = read_mapping(p, plan->args->mapping_config_path, &text);
    if (r == 0) plan->mapper = statsd_mapper_read(buf_view(&text), warn_mapping, p, &err);
    if (r == 0 && !plan->mapper)
        r = setting_fault(p, "mapping_config_path", "failed to load mapping config: %s", err);
    if (plan->mapper) arena_cleanup(p->arena, unref_mapper, plan->mapper);
    free(err);
    buf_done(&text);
    return r;
}

static int check_cache(struct prepare *p, const struct args *a)
{
    if (a->cache_size < 0)
        return setting_fault(p, "cache_size", "the number of names must not be negative");
    if (a->cache_size > 0 && !str_is(a->cache_type, "lru") && !str_is(a->cache_type, "random"))
        return setting_fault(p, "cache_type", "unsupported cache type \"" STR_FMT "\"",
                             STR_ARG(a->cache_type));
    return 0;
}

static int check_events(struct prepare *p, const struct args *a)
{
    if (a->event_flush_threshold < 0)
        return setting_fault(p, "event_flush_threshold", "must not be negative");
    if (a->event_flush_interval.ns <= 0)
        return setting_fault(p, "event_flush_interval", "must be greater than 0");
    if (a->event_queue_size < 0)
        return setting_fault(p, "event_queue_size", "must not be negative");
    if (a->event_queue_size != 10000)
        setting_no_effect(p, "event_queue_size",
                          "events are applied by the worker that reads them: no batch waits");
    return 0;
}

static int check_relay(struct prepare *p, struct plan *plan)
{
    i64 n = plan->args->relay_packet_length;

    if (n < 1 && plan->args->relay_addr.n > 0)
        return setting_fault(p, "relay_packet_length", "must be at least 1");
    if (n > STATSD_RELAY_MAX)
        setting_no_effect(p, "relay_packet_length", "no datagram is longer than 65507 bytes");
    plan->relay_packet = (size_t)MAX(MIN(n, (i64)STATSD_RELAY_MAX), (i64)1);
    return 0;
}

static void read_mode(struct prepare *p, struct plan *plan)
{
    char *end;
    const char *text = plan->args->unix_socket_mode.p ? plan->args->unix_socket_mode.p : "";
    unsigned long mode = strtoul(text, &end, 8);

    plan->has_mode = *text >= '0' && *text <= '7' && !*end && mode <= 07777;
    plan->mode = (mode_t)mode;
    if (!plan->has_mode && plan->args->listen_unixgram.n > 0)
        setting_no_effect(
            p, "unix_socket_mode",
            "it is no octal number of permissions: the socket has those of the umask");
}

static int prepare(struct prepare *p, const void *args, void *plan_)
{
    struct plan *plan = plan_;
    const struct args *a = plan->args = args;

    if (!a->listen_udp.n && !a->listen_tcp.n && !a->listen_unixgram.n)
        return setting_fault(p, "listen_udp",
                             "at least one of UDP/TCP/Unixgram listeners must be used");
    if (check_cache(p, a) < 0 || check_events(p, a) < 0 || check_relay(p, plan) < 0) return -EINVAL;
    if (a->read_buffer < 0 || a->read_buffer > INT32_MAX)
        return setting_fault(p, "read_buffer", "must be between 0 and 2147483647");
    read_mode(p, plan);
    return prepare_mapping(p, plan);
}

/* --- ports --- */

static void set_mode(struct comp *c, const struct plan *plan)
{
    const char *path = plan->args->listen_unixgram.p;

    if (!plan->has_mode || path[0] == '@') return; /* a name that is no file */
    if (chmod(path, plan->mode) != 0)
        log_warn(c->log, "failed to change unixgram socket permission", F_CSTR("socket", path),
                 F_CSTR("err", strerror(errno)));
}

static void set_room(struct comp *c, struct statsd_port *p, i64 asked)
{
    if (asked == 0 || !p->datagrams) return;
    int got = udp_listener_room(p->datagrams, (int)asked);
    if (got < 0)
        log_warn(c->log, "the read buffer could not be set", F_STR("address", statsd_port_addr(p)),
                 F_CSTR("err", strerror(-got)));
    else if (got < asked)
        log_warn(c->log, "the read buffer is smaller than asked for: raise net.core.rmem_max",
                 F_STR("address", statsd_port_addr(p)), F_INT("asked", asked), F_INT("got", got));
}

static struct str address_of(const struct args *a, enum statsd_net net)
{
    return net == STATSD_UDP   ? a->listen_udp
           : net == STATSD_TCP ? a->listen_tcp
                               : a->listen_unixgram;
}

static int set_port(struct comp *c, enum statsd_net net, char **ret_err)
{
    const struct plan *plan = c->plan;
    struct shared *sh = c->shared;
    struct str addr = address_of(plan->args, net);
    struct statsd_port *new = NULL, *old = sh->ports[net];

    if (!old || !str_is(addr, old->asked)) {
        int r = addr.n ? statsd_port_open(c->host->listeners, net, addr.p, &new, ret_err) : 0;
        if (r < 0) return r;
        if (new)
            log_info(c->log, "listening for StatsD lines", F_STR("address", statsd_port_addr(new)));
        statsd_port_unref(old);
        sh->ports[net] = new;
    }
    if (sh->ports[net]) set_room(c, sh->ports[net], plan->args->read_buffer);
    if (net == STATSD_UNIXGRAM && sh->ports[net]) set_mode(c, plan);
    return 0;
}

static int set_relay(struct comp *c, char **ret_err)
{
    const struct plan *plan = c->plan;
    struct shared *sh = c->shared;
    struct str to = plan->args->relay_addr;

    sh->relays = false;
    if (to.n == 0) return 0;
    int r = address_parse("udp", to.p, &sh->relay_to, ret_err);
    if (r < 0) return r;
    sh->relays = true;
    if (sh->relay_addr && str_is(to, sh->relay_addr)) return 0;
    free(sh->relay_addr);
    sh->relay_addr = str_dup(to);
    statsd_relay_metrics_init(c, sh->relay_addr, &sh->relay_metrics);
    return 0;
}

static int configure(struct comp *c, const void *old_plan, char **ret_err)
{
    int r = 0;

    (void)old_plan;
    for (int net = 0; net < STATSD_NETS && r == 0; net++)
        r = set_port(c, net, ret_err);
    return r < 0 ? r : set_relay(c, ret_err);
}

static void leave(struct comp *c)
{
    struct shared *sh = c->shared;

    for (int net = 0; net < STATSD_NETS; net++)
        statsd_port_leave(sh->ports[net]);
}

/* --- events --- */

static void tell_limit(struct self *self)
{
    u64 n = self->stats.event_errors[STATSD_SERIES_LIMIT];
    i64 now = loop_now(self->shard->worker->loop);

    if (n == self->limit_told || now < self->quiet_until) return;
    log_warn(self->shard->comp->log,
             "new StatsD series are refused: those there are take all the memory for them; give "
             "mappings a ttl, or map names that carry ids to one metric",
             F_UINT("series", statsd_registry_series(self->registry)),
             F_UINT("refused", n - self->limit_told));
    self->limit_told = n;
    self->quiet_until = now + QUIET;
}

/* Labels that were sent, then those of the mapping, which win unless it honours the sender's. */
static bool merge_labels(struct self *self, const struct statsd_event *e,
                         const struct statsd_mapped *is)
{
    struct statsd_labels *l = &self->labels;
    size_t n = is->mapping ? is->mapping->n_labels : 0, k;

    l->n = e->labels->n;
    memcpy(l->v, e->labels->v, l->n * sizeof(l->v[0]));
    for (size_t i = 0; i < n; i++) {
        struct str name = is->mapping->labels[i].name;
        for (k = 0; k < l->n && !str_eq(l->v[k].name, name); k++) {
        }
        if (k == l->n && l->n == STATSD_TAGS_MAX) return false;
        if (k < l->n && is->mapping->honor_labels) continue;
        l->v[k] = (struct statsd_label){name, is->values[i]};
        l->n += k == l->n;
    }
    return true;
}

static void count_action(struct statsd_stats *st, const struct statsd_mapped *is, u64 times)
{
    if (!is->mapping)
        st->unmapped += times;
    else if (is->mapping->drop)
        st->dropped += times;
    else if (is->name.n > 0)
        st->mapped += times;
}

static void apply_event(struct self *self, const struct statsd_event *e, i64 now)
{
    const struct statsd_mapper *m = self->plan->mapper;
    struct statsd_mapped is;

    arena_rewind(&self->scratch);
    statsd_cache_match(self->cache, m, e->name, e->type, &self->scratch, &is, &self->stats);
    count_action(&self->stats, &is, e->times);
    if (is.mapping && is.mapping->drop) return;
    if (!merge_labels(self, e, &is)) {
        self->stats.sample_errors[STATSD_TOO_MANY_TAGS]++;
        return;
    }
    statsd_registry_apply(self->registry, e, is.name, &self->labels, is.mapping, &m->unmapped, now);
}

static void flush(struct self *self)
{
    i64 now = loop_now(self->shard->worker->loop);

    if (self->queue.events.n == 0) return;
    vec_each (&self->queue.events, e)
        apply_event(self, e, now);
    self->stats.flushed++;
    vec_clear(&self->queue.events);
    arena_rewind(&self->queue.arena);
    timer_stop(self->flush);
    tell_limit(self);
    if (statsd_registry_expires(self->registry) && !timer_active(self->expire))
        timer_start(self->expire, NS_PER_SEC);
}

static void on_flush(void *arg)
{
    flush(arg);
}

static const struct statsd_labels *keep_labels(struct arena *a, const struct statsd_labels *l)
{
    struct statsd_labels *to =
        arena_alloc(a, offsetof(struct statsd_labels, v) + l->n * sizeof(l->v[0]) + sizeof(*l));

    to->n = l->n;
    for (size_t i = 0; i < l->n; i++)
        to->v[i] = (struct statsd_label){arena_str(a, l->v[i].name), arena_str(a, l->v[i].value)};
    return to;
}

static void on_event(void *arg, const struct statsd_event *e)
{
    struct self *self = arg;
    struct queue *q = &self->queue;
    struct statsd_event copy = *e;

    copy.name = arena_str(&q->arena, e->name);
    copy.labels = keep_labels(&q->arena, e->labels);
    vec_push(&q->events, copy);
    if ((i64)q->events.n >= self->plan->args->event_flush_threshold ||
        arena_size(&q->arena) >= QUEUE_BYTES)
        flush(self);
    else if (!timer_active(self->flush))
        timer_start(self->flush, self->plan->args->event_flush_interval.ns);
}

static void on_expire(void *arg)
{
    struct self *self = arg;

    statsd_registry_expire(self->registry, loop_now(self->shard->worker->loop));
    if (statsd_registry_expires(self->registry)) timer_start(self->expire, NS_PER_SEC);
}

/* --- what comes in --- */

static void on_relay_tick(void *arg)
{
    statsd_relay_flush(((struct self *)arg)->relay);
}

static void on_line(void *arg, struct str line)
{
    struct self *self = arg;

    self->stats.lines++;
    if (self->relay) {
        statsd_relay_line(self->relay, line);
        if (!timer_active(self->relay_tick)) timer_start(self->relay_tick, NS_PER_SEC);
    }
    statsd_line(&self->parser, line, on_event, self);
}

static void on_packet(void *arg, enum statsd_net net, u32 lost)
{
    struct statsd_stats *st = &((struct self *)arg)->stats;

    if (lost)
        st->udp_drops += lost;
    else if (net == STATSD_UDP)
        st->udp_packets++;
    else
        st->unixgram_packets++;
}

static void on_opened(void *arg)
{
    ((struct self *)arg)->stats.tcp_connections++;
}

static void on_connection(void *arg, enum stream_end end)
{
    struct self *self = arg;

    self->stats.tcp_long_lines += end == STREAM_TOO_BIG;
    self->stats.tcp_errors += end == STREAM_ERROR;
}

/* --- the page --- */

static void on_question(void *arg, struct shard_question *q)
{
    struct self *self = arg;
    struct buf *out = shard_question_text(q);
    struct expo *own = expo_new(OWN_PAGE_MAX);
    const struct statsd_gauges g = {.mappings = self->plan->mapper->n,
                                    .cache = self->cache,
                                    .cached = self->cache ? statsd_cache_length(self->cache) : 0,
                                    .series = statsd_registry_series(self->registry),
                                    .bytes = statsd_registry_bytes(self->registry)};

    flush(self);
    statsd_registry_write(self->registry, loop_now(self->shard->worker->loop), out);
    statsd_stats_show(&self->stats, &g, own);
    expo_write(own, EXPO_TEXT, out);
    expo_free(own);
    shard_question_answer(q, true);
}

static void http(struct comp *c, struct http_req *r, struct str rest)
{
    struct shared *sh = c->shared;

    if (str_is(rest, "/metrics"))
        shard_page_ask(sh->page, r);
    else
        http_respond_text(r, 404, STR("the metrics are at /metrics\n"));
}

/* --- life --- */

static void stopped_when_idle(struct self *self)
{
    if (!self->stopping || !list_empty(&self->leaving)) return;
    self->stopping = false;
    shard_stopped(self->shard);
}

static void on_left(void *arg)
{
    stopped_when_idle(arg);
}

static void serve(struct self *self, enum statsd_net net, struct statsd_port *port)
{
    struct statsd_serving *before = self->serving[net];
    const struct statsd_intake to = {.line = on_line,
                                     .packet = on_packet,
                                     .opened = on_opened,
                                     .connection = on_connection,
                                     .arg = self};

    if (before && statsd_serving_port(before) == port) return;
    self->serving[net] =
        port ? statsd_serving_new(port, net, self->shard->worker->loop, &to) : NULL;
    if (before) statsd_serving_leave(before, &self->leaving, GRACE, on_left, self);
}

static void set_up(struct self *self)
{
    struct shared *sh = self->shard->comp->shared;
    const struct args *a = self->plan->args;
    int err = 0;

    self->parser.dogstatsd = a->parse_dogstatsd_tags;
    self->parser.influxdb = a->parse_influxdb_tags;
    self->parser.librato = a->parse_librato_tags;
    self->parser.signalfx = a->parse_signalfx_tags;
    statsd_cache_free(self->cache);
    self->cache = a->cache_size > 0
                      ? statsd_cache_new((size_t)a->cache_size, str_is(a->cache_type, "random"))
                      : NULL;
    statsd_relay_free(self->relay);
    self->relay = sh->relays ? statsd_relay_new(&sh->relay_to, self->plan->relay_packet,
                                                &sh->relay_metrics, self->shard->comp->log, &err)
                             : NULL;
    if (err < 0)
        log_error(self->shard->comp->log, "lines are not relayed: no socket",
                  F_CSTR("err", strerror(-err)));
    for (int net = 0; net < STATSD_NETS; net++)
        serve(self, net, sh->ports[net]);
    comp_health(self->shard->comp, HEALTH_HEALTHY, "StatsD lines are taken");
}

static size_t series_max(const struct host *h)
{
    i64 budget = h->data_budget ? atomic_load(&h->data_budget->limit) / 2 : 0;

    return (size_t)(budget > 0 ? MIN(budget, SERIES_MAX) : SERIES_MAX);
}

static int run(struct shard *s)
{
    struct self *self = s->self;
    struct loop *loop = s->worker->loop;

    self->shard = s;
    self->plan = s->plan;
    list_init(&self->leaving);
    statsd_parser_init(&self->parser, &self->stats);
    self->registry = statsd_registry_new(series_max(s->comp->host), &self->stats);
    arena_init(&self->queue.arena, 64 << 10);
    arena_init(&self->scratch, 4096);
    self->flush = timer_new(loop, on_flush, self);
    self->expire = timer_new(loop, on_expire, self);
    self->relay_tick = timer_new(loop, on_relay_tick, self);
    set_up(self);
    shard_page_serve(((struct shared *)s->comp->shared)->page, loop, on_question, self);
    return 0;
}

static int apply(struct shard *s, const void *plan)
{
    struct self *self = s->self;

    flush(self); /* with the mappings that it came under */
    timer_stop(self->relay_tick);
    self->plan = plan;
    set_up(self);
    return 0;
}

static void stop(struct shard *s)
{
    struct self *self = s->self;

    for (int net = 0; net < STATSD_NETS; net++)
        serve(self, net, NULL);
    self->stopping = true;
    stopped_when_idle(self);
}

static void shard_done(struct shard *s)
{
    struct self *self = s->self;

    shard_page_serve(((struct shared *)s->comp->shared)->page, NULL, NULL, NULL);
    for (int net = 0; net < STATSD_NETS; net++)
        serve(self, net, NULL);
    statsd_serving_forget(&self->leaving);
    timer_free(self->flush);
    timer_free(self->expire);
    timer_free(self->relay_tick);
    statsd_relay_free(self->relay);
    statsd_cache_free(self->cache);
    statsd_registry_free(self->registry);
    statsd_parser_done(&self->parser);
    vec_done(&self->queue.events);
    arena_done(&self->queue.arena);
    arena_done(&self->scratch);
}

static int create(struct comp *c, char **ret_err)
{
    struct shared *sh = c->shared;

    (void)ret_err;
    sh->page = shard_page_new(c, PAGE_MAX);
    exporter_target_export(c, "statsd", str_of(c->id));
    return 0;
}

static void destroy(struct comp *c)
{
    struct shared *sh = c->shared;

    for (int net = 0; net < STATSD_NETS; net++)
        statsd_port_unref(sh->ports[net]);
    shard_page_close(sh->page);
    free(sh->relay_addr);
}

DEFINE_COMPONENT(prometheus_exporter_statsd) = {
    .name = "prometheus.exporter.statsd",
    .summary = "Receives statsd metrics and exposes them.",
    .example = "prometheus.exporter.statsd \"app\" {\n"
               "  listen_udp = \"127.0.0.1:9125\"\n"
               "  listen_tcp = \"\"\n"
               "}\n",
    .stability = STABILITY_GA,
    .args = &args_schema,
    .exports = &target_exports_schema,
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
    .http = http,
};
