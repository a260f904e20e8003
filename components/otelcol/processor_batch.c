/* otelcol.processor.batch: gathers telemetry into batches of a wished size, sent when there is
 * enough or when it has waited long enough.
 *
 * A queue boundary: what it takes is accepted. One batcher per signal (and per combination of the
 * metadata keys' values) and worker. What a batcher holds is bounded: while downstream is full it
 * takes no more than a batch beyond the largest size, then answers FULL. Source: spec D.3. */
#include <errno.h>
#include "base/list.h"
#include "base/map.h"
#include "components/common/otel_metrics.h"
#include "components/common/otel_output.h"
#include "components/common/otlp_tap.h"
#include "components/common/spans.h"
#include "components/otelcol/batch_pending.h"

#define IDLE_GROUPS                                                                                \
    1000 /* groups kept without a limit of their own before idle ones are forgotten */

struct args {
    struct dur timeout;
    i64 send_batch_size, send_batch_max_size, metadata_cardinality_limit;
    struct str_list metadata_keys;
    struct otel_output output;
    struct otel_debug_metrics debug_metrics;
};

struct shared {
    struct metric *send_size, *send_bytes, *size_trigger, *timeout_trigger, *cardinality;
};

struct self {
    struct shard *shard;
    const struct args *plan;
    struct otel_outputs out;
    struct list batchers;
    struct map groups[SIGNAL_COUNT]; /* values of the metadata keys -> struct batcher */
    bool stopping, stopped;
};

struct batcher {
    struct list link; /* self->batchers */
    struct self *self;
    enum signal signal;
    struct pending pending;
    struct batch *next;         /* cut from it; waits for the outputs */
    struct client_info *client; /* the group's metadata; NULL without keys */
    struct timer *timer;
    bool due;     /* the time is up: send one batch */
    bool retired; /* keys have changed: send all, then go */
};

/* --- arguments --- */

static const struct row arg_rows[] = {
    ATTR(struct args, metadata_cardinality_limit, .def = "1000", .unsigned_bits = 32,
         .doc = "Most combinations of metadata values that are batched apart, on each worker; 0 "
                "for no limit."),
    ATTR(struct args, metadata_keys, .def = "[]",
         .doc = "Client metadata whose values are never mixed in one batch."),
    ATTR(struct args, send_batch_max_size, .def = "3000", .unsigned_bits = 32,
         .doc = "Most spans, log records or data points in a batch; 0 for no limit."),
    ATTR(struct args, send_batch_size, .def = "2000", .unsigned_bits = 32,
         .doc = "Number of spans, log records or data points at which a batch is sent at once."),
    ATTR(struct args, timeout, .def = "\"200ms\"",
         .doc = "Time after which a batch is sent whatever its size."),
    BLOCK(struct args, debug_metrics, &otel_debug_metrics_schema,
          .doc = "The component's own metrics."),
    BLOCK(struct args, output, &otel_output_schema, .doc = "Where batches go.", .required = true),
};
static const struct schema args_schema = SCHEMA(struct args, arg_rows);

static bool same_key(struct str a, struct str b)
{
    return str_ieq(a, b);
}

static void check_keys(struct prepare *p, const struct str_list *keys)
{
    for (size_t i = 0; i < keys->n; i++)
        for (size_t k = 0; k < i; k++)
            if (same_key(keys->v[i], keys->v[k]))
                diag_error(p->diags, DIAG_VALUE_INVALID, span_at(p->block, "metadata_keys"),
                           "duplicate entry in metadata_keys: \"" STR_FMT "\" (case-insensitive)",
                           STR_ARG(keys->v[i]));
}

static int prepare(struct prepare *p, const void *args, void *plan)
{
    const struct args *a = args;
    if (a->send_batch_max_size > 0 && a->send_batch_max_size < a->send_batch_size)
        diag_error(p->diags, DIAG_BODY_RULE, span_at(p->block, "send_batch_max_size"),
                   "send_batch_max_size must be greater or equal to send_batch_size when not 0");
    if (a->timeout.ns < 0)
        diag_error(p->diags, DIAG_VALUE_RANGE, span_at(p->block, "timeout"),
                   "timeout must be greater or equal to 0");
    check_keys(p, &a->metadata_keys);
    *(struct args *)plan = *a;
    return diags_failed(p->diags) ? -EINVAL : 0;
}

/* --- instance --- */

#define SCOPE "go.opentelemetry.io/collector/processor/batchprocessor"

#define NAME "otelcol_processor_batch_"
static const struct metric_desc metrics[] = {
    {.name = NAME "batch_send_size",
     .help = "Items of the batches sent.",
     .kind = METRIC_HISTOGRAM,
     .bounds = otel_item_bounds,
     .n_bounds = ARRAY_LEN(otel_item_bounds)},
    {.name = NAME "batch_send_size_bytes",
     .help = "Bytes of the batches sent.",
     .kind = METRIC_HISTOGRAM,
     .bounds = otel_byte_bounds,
     .n_bounds = ARRAY_LEN(otel_byte_bounds)},
    {.name = NAME "batch_size_trigger_send_total",
     .help = "Batches sent because they were large enough.",
     .kind = METRIC_COUNTER},
    {.name = NAME "timeout_trigger_send_total",
     .help = "Batches sent because their time was up.",
     .kind = METRIC_COUNTER},
    {.name = NAME "metadata_cardinality",
     .help = "Combinations of metadata values being batched.",
     .kind = METRIC_GAUGE},
};

static int create(struct comp *c, char **ret_err)
{
    struct shared *sh = c->shared;
    struct metric **const series[] = {&sh->send_size, &sh->send_bytes, &sh->size_trigger,
                                      &sh->timeout_trigger, &sh->cardinality};
    char *processor = xprintf("batch/%s", c->id);
    const struct metric_label labels[] = {{"processor", processor}, OTEL_SCOPE_LABELS(SCOPE)};
    for (size_t i = 0; i < ARRAY_LEN(series); i++)
        *series[i] = comp_metric(c, &metrics[i], labels, ARRAY_LEN(labels));
    free(processor);
    otel_input_export(c);
    return 0;
}

/* --- sending --- */

/* What becomes of a batch that was sent; on this worker, after the batcher may be gone. */
static void sent(void *arg, enum ack_outcome outcome, const struct ack_failure *f)
{
    struct logger *log = arg;
    if (outcome == ACK_FAILED) log_warn(log, "Sender failed", F_CSTR("error", f->text));
    log_unref(log);
}

static void watch(struct self *self, struct batch *b)
{
    struct ack *a =
        ack_new(ACK_ACCEPTED, self->shard->worker->loop, sent, log_ref(self->shard->comp->log));
    batch_add_ack(b, a);
    ack_unref(a);
}

static const struct shared *shared_of(const struct self *self)
{
    return self->shard->comp->shared;
}

/* Makes the next batch, which leaves from r->next. -ENOMEM: nothing was made. */
static int cut_one(struct batcher *r)
{
    struct self *self = r->self;
    const struct shared *sh = shared_of(self);
    struct batch *b;
    int err = pending_take(&r->pending, (u64)self->plan->send_batch_max_size, r->client,
                           self->shard->comp->host->data_budget, &b);
    if (err) return err;
    metric_observe(sh->send_size, b->items);
    metric_observe(sh->send_bytes, (f64)b->bytes);
    metric_inc(r->due ? sh->timeout_trigger : sh->size_trigger);
    watch(self, b);
    r->next = b;
    return 0;
}

/* False when it is still there: the outputs are full. */
static bool send_next(struct batcher *r)
{
    if (r->next && otel_outputs_push(&r->self->out, r->next) == PUSH_FULL) return false;
    r->next = NULL;
    return true;
}

static bool enough(const struct batcher *r)
{
    const struct args *a = r->self->plan;
    bool at_once = a->timeout.ns == 0 || a->send_batch_size == 0;
    return r->pending.items >= (at_once ? 1 : (u64)a->send_batch_size);
}

/* Sends as long as there is a reason and room. Short of memory it waits for the next tick. */
static void drain(struct batcher *r)
{
    struct self *self = r->self;
    bool sent_any = false;
    if (!send_next(r)) return;
    while (r->pending.items > 0 && (r->due || r->retired || self->stopping || enough(r))) {
        if (otel_outputs_full(&self->out, r->signal)) return;
        if (cut_one(r)) break;
        r->due = false;
        sent_any = true;
        if (!send_next(r)) return;
    }
    if (r->pending.items == 0) {
        r->due = false;
        timer_stop(r->timer);
    } else if (sent_any || !timer_active(r->timer)) {
        timer_start(r->timer, MAX(self->plan->timeout.ns, NS_PER_MS));
    }
}

/* The most that may wait; more is taken only as the rest of one batch. */
static u64 capacity(const struct args *a)
{
    i64 n = MAX(a->send_batch_max_size, a->send_batch_size);
    return n > 0 ? (u64)n : 1;
}

static bool is_empty(const struct batcher *r)
{
    return r->pending.items == 0 && !r->next;
}

static bool has_room(const struct batcher *r)
{
    return r->pending.items < capacity(r->self->plan);
}

/* --- batchers --- */

static void on_time(void *arg)
{
    struct batcher *r = arg;
    r->due = r->pending.items > 0;
    drain(r);
    shard_ready(r->self->shard);
}

static struct batcher *batcher_new(struct self *self, enum signal signal,
                                   struct client_info *client)
{
    struct batcher *r = xnew(struct batcher);
    r->self = self;
    r->signal = signal;
    r->client = client;
    r->timer = timer_new(self->shard->worker->loop, on_time, r);
    pending_init(&r->pending);
    list_add_tail(&self->batchers, &r->link);
    return r;
}

static void batcher_free(struct batcher *r)
{
    list_del(&r->link);
    timer_free(r->timer);
    if (r->next) batch_fail(r->next, ACK_ABANDONED, NULL);
    batch_unref(r->next);
    pending_done(&r->pending, ACK_ABANDONED);
    client_info_unref(r->client);
    free(r);
}

/* --- groups --- */

/* The values of the metadata keys as one text, and as the metadata that leaves with the batch.
 * Lengths keep values apart. */
static struct client_info *group_of(const struct args *a, const struct client_info *from,
                                    struct buf *ret_key)
{
    struct client_info *group = client_info_new((struct str){0});
    for (size_t k = 0; k < a->metadata_keys.n; k++) {
        for (size_t i = 0; from && i < from->n_metadata; i++) {
            struct str value = str_of(from->metadata[i].value);
            if (!same_key(str_of(from->metadata[i].key), a->metadata_keys.v[k])) continue;
            client_info_add(group, str_of(from->metadata[i].key), value);
            buf_printf(ret_key, "%zu:" STR_FMT, value.n, STR_ARG(value));
        }
        buf_ch(ret_key, '\n');
    }
    return group;
}

static void count_groups(const struct self *self)
{
    size_t n = 0;
    for (enum signal s = 0; s < SIGNAL_COUNT; s++)
        n += self->groups[s].live;
    metric_set(shared_of(self)->cardinality, (f64)n);
}

/* Without a limit, groups that hold nothing are forgotten from time to time. */
static void forget_idle(struct self *self, struct map *groups)
{
    struct map busy = {0};
    map_each (groups, e) {
        struct batcher *r = e->value;
        if (is_empty(r))
            batcher_free(r);
        else
            map_put(&busy, e->key, r);
    }
    map_done(groups, NULL);
    *groups = busy;
    count_groups(self);
}

/* Takes over client. NULL: too many. */
static struct batcher *group_new(struct self *self, enum signal signal, struct str key,
                                 struct client_info *client)
{
    struct map *groups = &self->groups[signal];
    size_t limit = (size_t)self->plan->metadata_cardinality_limit;
    if (limit == 0 && groups->live >= IDLE_GROUPS) forget_idle(self, groups);
    if (limit > 0 && groups->live >= limit && self->plan->metadata_keys.n > 0) {
        client_info_unref(client);
        return NULL;
    }
    struct batcher *r = batcher_new(self, signal, client);
    map_put(groups, key, r);
    count_groups(self);
    return r;
}

static struct batcher *batcher_of(struct self *self, const struct batch *b)
{
    struct buf key = BUF_INIT(SIZE_MAX);
    bool keyed = self->plan->metadata_keys.n > 0;
    struct client_info *client = keyed ? group_of(self->plan, b->client, &key) : NULL;
    struct batcher *r = map_get(&self->groups[b->signal], buf_view(&key));
    if (r)
        client_info_unref(client);
    else
        r = group_new(self, b->signal, buf_view(&key), client);
    buf_done(&key);
    return r;
}

/* --- shard --- */

/* All of it is out: nothing pending, nothing held. */
static void finish(struct self *self)
{
    bool empty = otel_outputs_idle(&self->out);
    list_each (&self->batchers, it)
        empty = empty && is_empty(list_item(it, struct batcher, link));
    if (!self->stopping || self->stopped || !empty) return;
    self->stopped = true;
    shard_stopped(self->shard);
}

static void drain_all(struct self *self)
{
    list_each (&self->batchers, it) {
        struct batcher *r = list_item(it, struct batcher, link);
        drain(r);
        if (r->retired && is_empty(r)) batcher_free(r);
    }
}

static void on_ready(void *arg)
{
    struct self *self = arg;
    drain_all(self);
    shard_ready(self->shard);
    finish(self);
}

static int run(struct shard *s)
{
    struct self *self = s->self;
    self->shard = s;
    self->plan = s->plan;
    list_init(&self->batchers);
    otel_outputs_init(&self->out, s, on_ready, self);
    otel_outputs_set(&self->out, &self->plan->output);
    return 0;
}

static bool same_keys(const struct str_list *a, const struct str_list *b)
{
    if (a->n != b->n) return false;
    for (size_t i = 0; i < a->n; i++)
        if (!same_key(a->v[i], b->v[i])) return false;
    return true;
}

/* Batchers of other keys send what they have and go. */
static void retire_all(struct self *self)
{
    list_each (&self->batchers, it)
        list_item(it, struct batcher, link)->retired = true;
    for (enum signal s = 0; s < SIGNAL_COUNT; s++)
        map_done(&self->groups[s], NULL);
    count_groups(self);
}

static int apply(struct shard *s, const void *plan)
{
    struct self *self = s->self;
    const struct args *next = plan;
    if (!same_keys(&self->plan->metadata_keys, &next->metadata_keys)) retire_all(self);
    self->plan = next;
    otel_outputs_set(&self->out, &next->output);
    drain_all(self);
    shard_ready(s);
    return 0;
}

static void stop(struct shard *s)
{
    struct self *self = s->self;
    self->stopping = true;
    drain_all(self);
    finish(self);
}

static void shard_done(struct shard *s)
{
    struct self *self = s->self;
    list_each (&self->batchers, it)
        batcher_free(list_item(it, struct batcher, link));
    for (enum signal i = 0; i < SIGNAL_COUNT; i++)
        map_done(&self->groups[i], NULL);
    otel_outputs_free(&self->out);
}

static enum push refuse(struct batch *b)
{
    batch_fail(b, ACK_FAILED,
               &(struct ack_failure){.text = "too many batcher metadata-value combinations"});
    batch_unref(b);
    return PUSH_TAKEN;
}

static enum push push(struct shard *s, u32 port, struct batch *b)
{
    struct self *self = s->self;
    struct batcher *r = batcher_of(self, b);
    if (!r) return refuse(b);
    if (!has_room(r)) return PUSH_FULL;
    b = batch_own(b);
    batch_accept(b);
    if (b->items == 0) { /* nothing in it to deliver */
        batch_unref(b);
        return PUSH_TAKEN;
    }
    pending_add(&r->pending, b);
    drain(r);
    return PUSH_TAKEN;
}

static const char example[] = "otelcol.processor.batch \"default\" {\n"
                              "  timeout         = \"1s\"\n"
                              "  send_batch_size = 1024\n"
                              "\n"
                              "  output { }\n"
                              "}\n";

DEFINE_COMPONENT(otelcol_processor_batch) = {
    .name = "otelcol.processor.batch",
    .summary = "Gathers traces, metrics and logs into batches before they are sent on.",
    .example = example,
    .stability = STABILITY_GA,
    .args = &args_schema,
    .exports = &otel_input_schema,
    .placement = PLACE_EACH,
    .plan_size = sizeof(struct args),
    .shared_size = sizeof(struct shared),
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
