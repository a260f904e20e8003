/* The component contract: everything a component may know of the runtime.
 *
 * A component is one `const struct component_def` at the end of its file and one row in
 * components/registry.def. The runtime owns instances (struct comp, control loop) and their shards
 * (struct shard, one per worker it lives on). A component needs no mutex: what it owns per shard is
 * touched by that worker only; what it shares between shards (comp->shared) is immutable or atomic.
 *
 * Life: prepare (pure; all configuration errors) · create (once) · configure (each plan; opens what
 * is instance-wide, may fail into health) · run (each shard, on its worker) · apply (each shard,
 * for each later plan) · hurry · stop (each shard; drain, then shard_stopped) · shard_done ·
 * destroy. */
#ifndef RUNTIME_COMPONENT_H
#define RUNTIME_COMPONENT_H

#include <stdatomic.h>
#include "base/log.h"
#include "base/metric.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include "telemetry/sink.h"
#include "value/schema.h"

/* What the process gives to everybody. Built in cmd/, read-only afterwards. */
struct label_table;
struct series_table;
struct host {
    const struct clock *clock;
    struct logger *log;
    struct metrics *metrics;
    struct net *net;
    struct listeners *listeners;
    struct offload *offload;
    struct budget
        *data_budget; /* of the process: every byte that waits anywhere in the data plane */
    struct label_table *labels;  /* of logs: one copy of each label set */
    struct series_table *series; /* of metrics: one copy of each series */
    const char *storage_path;
    const char *hostname;
    const char *user_agent;    /* "Weir/0.1.0 (linux/amd64)" */
    const char *memory_addr;   /* "alloy.internal:12345" */
    const char *memory_socket; /* where requests for it go: a Unix socket that answers this process
                                  alone; NULL: nowhere */
    struct taps *taps;         /* live debugging; NULL: nobody can watch */
    enum stability min_stability;
    i64 stop_deadline; /* ns granted to a whole shutdown */
};

struct worker {
    int index; /* from 1; also the metric writer */
    struct loop *loop;
    struct http_client *http;
};

struct comp;
struct shard {
    struct comp *comp;
    struct worker *worker;
    void *self;       /* def->self_size zeroed bytes */
    const void *plan; /* current; replaced after apply returned */
};

/* Instance. Public part; the runtime's own follows behind it. */
struct comp {
    const struct component_def *def;
    const struct host *host;
    const char *id;          /* global id: mods.a.b/otelcol.receiver.otlp.default */
    const char *local_id;    /* otelcol.receiver.otlp.default */
    struct logger *log;      /* carries component_path and component_id */
    void *shared;            /* def->shared_size zeroed bytes */
    const void *plan;        /* control loop only */
    struct tap *_Atomic tap; /* NULL while nobody watches; see comp_tapped */
};

enum placement {
    PLACE_CONTROL, /* no data plane, no I/O of its own: lives on the control loop (shards: one, on
                      it) */
    PLACE_ONE,     /* one worker for good */
    PLACE_EACH,    /* one shard per worker; a batch is handled where it is */
    PLACE_KEYED,   /* one shard per worker; a batch goes to the shard of its def->key, so that one
                      stream stays on one worker */
};

struct prepare {
    const struct host *host;   /* NULL in `check` */
    const struct block *block; /* for spans; may be NULL */
    struct arena *arena;       /* lives as long as the plan; register cleanups there */
    struct diags *diags;
    struct logger *log;         /* NULL in `check` */
    enum stability checked_for; /* without a host: what `check` was told to allow */
};
/* The least stable features that are allowed: for settings that `stability.level` guards. */
static inline enum stability prepare_stability(const struct prepare *p)
{
    return p->host ? p->host->min_stability : p->checked_for;
}

/* What live debugging shows: an item of what flows. */
enum tap_type {
    TAP_TARGET,
    TAP_PROMETHEUS_METRIC,
    TAP_LOKI_LOG,
    TAP_OTEL_METRIC,
    TAP_OTEL_LOG,
    TAP_OTEL_TRACE,
    TAP_TYPES
};
struct tap_item {
    enum tap_type type;
    u64 count; /* what it adds to the rate of its type; 0: a text alone */
    /* Its text, appended to out: 0, or a negative code when it cannot be shown. Called before
     * comp_tap returns, only when somebody reads it. */
    int (*render)(const void *what, struct buf *out);
    const void *what;
};

struct component_def {
    const char *name;    /* "otelcol.processor.batch" */
    const char *summary; /* one sentence */
    const char *example; /* a small configuration that loads; docs and tests use it */
    enum stability stability;
    bool community;
    bool foreign; /* known by its tables (without binding) only: this build cannot run it */
    const struct schema *args, *exports, *debug;
    enum placement placement;
    size_t plan_size, shared_size, self_size;

    /* Pure: decoded arguments to plan (zeroed, in p->arena together with args, which it may point
     * into). Faults go to p->diags with spans; 0 or -EINVAL. At `check` a setting that is at fault
     * has its default here (required ones: zero). */
    int (*prepare)(struct prepare *p, const void *args, void *plan);
    /* Control loop, once; may export, never waits. -errno with an owned *ret_err: the node fails to
     * build. */
    int (*create)(struct comp *c, char **ret_err);
    /* Control loop, first before run and again before each apply; c->plan is the new plan, old is
     * NULL at first. Errors become health; the runtime retries configure with back-off (1 s .. 30
     * s) until it succeeds or the plan changes; shards run or apply only after success. */
    int (*configure)(struct comp *c, const void *old_plan, char **ret_err);
    /* Control loop, before the new instances of a commit start, when this one is about to be
     * stopped: give up what a successor may claim (listeners). */
    void (*leave)(struct comp *c);
    /* Worker: arm watchers, return. -errno: health; shard_done is called, self zeroed, and the next
     * apply tries run again. */
    int (*run)(struct shard *s);
    int (*apply)(struct shard *s,
                 const void *plan); /* worker, between batches; s->plan is still the old one */
    /* Optional. Worker, once: a stop of several instances with this one among them has begun. Those
     * that send to it stop first, and wait until what they sent has been delivered: what is still
     * gathered or held goes on soon from now on. It goes on taking input until stop. */
    void (*hurry)(struct shard *s);
    void (*stop)(struct shard *s); /* worker: stop taking input, drain; then shard_stopped(s) (may
                                      be called from within) */
    void (*shard_done)(struct shard *s); /* worker, after shard_stopped, a failed run, or a stop
                                            past its deadline: free what self owns */
    void (*destroy)(struct comp *c);     /* control loop, after every shard is done */

    /* Takes a batch on port (as given to comp_sink). Worker of the shard. Who answers FULL calls
     * shard_ready (or comp_ready) later, when there is room; not within the same push. Never called
     * after stop, nor before run. */
    enum push (*push)(struct shard *s, u32 port, struct batch *b);
    /* Fills `debug`'s struct for the API. Control loop; reads shared atomics only. */
    void (*debug_info)(struct comp *c, struct arena *a, void *out);
    /* Serves /api/v0/component/<id>/<rest>. Control loop, asynchronous. */
    void (*http)(struct comp *c, struct http_req *r, struct str rest);
    /* PLACE_KEYED: batches of one key go to one shard, in order. Any worker; pure. */
    u64 (*key)(u32 port, const struct batch *b);
    /* What live debugging shows of a batch that leaves through a fan-out; called only while
     * somebody watches. Any worker; pure. */
    void (*tap)(const struct batch *b, struct tap_item *ret);
    bool taps_itself; /* shows items by comp_tap instead */
};

/* --- exports (create, configure: control loop; later from a shard's worker) --- */
/* Publishes a whole exports struct (def->exports); values equal to the last ones change nothing. */
void comp_export(struct comp *c, const void *exports);
void shard_export(struct shard *s, const void *exports);

/* --- health --- */
enum health { HEALTH_UNKNOWN, HEALTH_HEALTHY, HEALTH_UNHEALTHY, HEALTH_EXITED };
/* What the component says of itself; kept with its time. Thread safe (a shard's worker or the
 * control loop). Equal repeats are cheap. */
void comp_health(struct comp *c, enum health h, const char *fmt, ...) PRINTF(3, 4);

/* --- metrics: series with component_id and component_path, freed with the instance. Control loop
 * (create, configure). --- */
struct metric *comp_metric(struct comp *c, const struct metric_desc *d,
                           const struct metric_label *labels, size_t n);

/* The same for series whose labels are found on a worker (per file, per tenant): counted in at
 * once, shown soon after. They end with the instance, or before it by shard_metric_free (NULL:
 * no-op). When the family has another kind already, this is logged and the series is not shown.
 * Worker of the shard. */
struct metric *shard_metric(struct shard *s, const struct metric_desc *d,
                            const struct metric_label *labels, size_t n);
/* Several with the same labels, which cost less than one by one; freeing any of them frees all. */
void shard_metrics(struct shard *s, const struct metric_desc *const *d, size_t n,
                   const struct metric_label *labels, size_t n_labels, struct metric **ret);
void shard_metric_free(struct shard *s, struct metric *m);

/* --- storage: <storage.path>/<global id>, made on first call; owned text --- */
char *comp_data_dir(struct comp *c, char **ret_err);

/* --- consuming: sinks exported as capsules --- */
extern const struct capsule_type capsule_otelcol_consumer; /* otelcol.Consumer */
extern const struct capsule_type capsule_logs_receiver;    /* loki.LogsReceiver */
extern const struct capsule_type capsule_metrics_receiver; /* prometheus.MetricsReceiver */
/* An instance-wide sink that leads to def->push with `port`. The capsule is owned by the caller
 * (put into an exports struct, then capsule_unref). The same type, port and signals give the same
 * capsule again. Control loop. */
struct capsule *comp_sink(struct comp *c, const struct capsule_type *type, u32 port, u32 signals);
void capsule_unref(struct capsule *c);

/* How many shards the instance has, from the start: limits that hold for all of it are divided. */
u32 comp_shards(const struct comp *c);
/* There is room again: whoever was told FULL on this worker is woken (later in this turn). */
void shard_ready(struct shard *s);
/* The same for all workers; thread safe (instance-wide budgets). */
void comp_ready(struct comp *c);
void shard_stopped(struct shard *s);

/* --- producing: fan-out to several sinks, at most one undelivered batch per branch --- */
struct fanout;
/* ready(arg) is called on the shard's worker when a fan-out that answered FULL takes again. */
struct fanout *fanout_new(struct shard *s, void (*ready)(void *arg), void *arg);
/* Leads to these sinks from now on (K_CAPSULE_LIST member; references are taken). A batch held for
 * a branch that stays is kept; for a vanished one its ack completes DROPPED. */
void fanout_set(struct fanout *f, const struct capsule_list *sinks);
size_t fanout_branches(const struct fanout *f);
/* TAKEN (the reference moves) when a branch took it; the others took or hold it. FULL when none has
 * room, or while any holds an earlier one: the caller keeps the batch, ready() comes. Without
 * branches: TAKEN, DROPPED. A branch that does not take the batch's signal fails its ack:
 * permanent, "telemetry type is not supported". */
enum push fanout_push(struct fanout *f, struct batch *b);
bool fanout_full(const struct fanout *f);
/* A branch holds a batch that others took already; ready() comes when none does any more. What was
 * answered FULL is not held. */
bool fanout_holds(const struct fanout *f);
/* Held batches complete ABANDONED: an orderly stop waits until none is held before shard_stopped().
 * Takes NULL. */
void fanout_free(struct fanout *f);

/* --- live debugging --- */
/* Whether somebody watches: one load. Ask before an item is made. */
static inline bool comp_tapped(const struct comp *c)
{
    return atomic_load_explicit(&c->tap, memory_order_relaxed) != NULL;
}
/* Shows an item to those who watch the component. A shard's worker, or the control loop. */
void comp_tap(struct comp *c, const struct tap_item *item);

/* --- the registry, filled by components/registry.def --- */
const struct component_def *registry_find(struct str name);
extern const struct component_def *const registry_all[]; /* sorted by name */
extern const size_t registry_count;

#define DEFINE_COMPONENT(sym)                                                                      \
    extern const struct component_def sym;                                                         \
    const struct component_def sym

#endif
