/* stage.limit: so many entries a second, for the instance as a whole or for each value of a label.
 *
 * A bucket is one number: the time at which it would be full again ("generic cell rate algorithm"),
 * so that all workers draw from it by compare-and-swap. What is over either waits, which reaches
 * back to the source, or is dropped and counted. */
#include <errno.h>
#include <stdatomic.h>
#include "base/map.h"
#include "base/spin.h"
#include "base/xalloc.h"
#include "components/loki/process/stage.h"

#define TICKS      64    /* of a nanosecond: intervals of high rates are exact enough */
#define VALUES_MIN 10000 /* distinct label values that are remembered at least */
#define WAIT_LEAST (20 * NS_PER_MS)
#define SERIES_MAX 10000

struct args {
    i64 burst;
    f64 rate;
    struct str by_label_name;
    bool drop;
    i64 max_distinct_labels;
};
struct plan {
    const struct args *args;
    i64 interval, depth; /* of one entry, of a full bucket; ticks */
};

static const struct row rows[] = {
    ATTR(struct args, burst, .doc = "How many entries may pass at once.", .required = true),
    ATTR(struct args, rate, .doc = "Entries a second.", .required = true),
    ATTR(struct args, by_label_name, .doc = "Limit each value of this label by itself."),
    ATTR(struct args, drop, .doc = "Drop what is over instead of holding back the source.",
         .def = "false"),
    ATTR(struct args, max_distinct_labels,
         .doc = "Label values that are remembered, 10000 at least.", .def = "10000"),
};
const struct schema limit_stage_schema = SCHEMA(struct args, rows);

/* Buckets by label value, in two generations: when the younger is full the older is forgotten. */
struct shared {
    _Atomic i64 bucket;
    struct spin lock;
    struct map young, old; /* value -> bucket, owned */
    _Atomic u64 generation;
};
/* Counters of what was dropped, by value; of one generation. */
struct state {
    struct shared *shared;
    struct map counters;
    u64 generation;
};

static const struct metric_desc by_label_desc = {
    .name = "loki_process_dropped_lines_by_label_total",
    .help = "Entries dropped by stage.limit, by the value of the label it goes by.",
    .kind = METRIC_COUNTER};

static int prepare(struct prepare *p, const void *args, const struct span *span, void *plan)
{
    const struct args *a = args;
    struct plan *out = plan;

    if (!(a->rate > 0) || a->burst <= 0)
        return stage_fault(p, span, "limit stage failed to parse rate or burst");
    if (a->by_label_name.n && !a->drop)
        return stage_fault(p, span, "when ratelimiting by label, drop must be true");
    f64 interval = MAX((f64)NS_PER_SEC * TICKS / a->rate, 1);
    f64 most = (f64)(INT64_MAX / 8);
    *out = (struct plan){a, (i64)MIN(interval, most), (i64)MIN(interval * (f64)a->burst, most)};
    return 0;
}

static void free_maps(void *memory)
{
    struct shared *s = memory;

    map_done(&s->young, free);
    map_done(&s->old, free);
}

static void open_stage(struct stage_run *r)
{
    struct state *s = r->state;

    s->shared = stage_shared(r, sizeof(struct shared), free_maps);
}

static void forget_counters(struct stage_run *r)
{
    struct state *s = r->state;

    map_each (&s->counters, e)
        shard_metric_free(r->shard, e->value);
    map_done(&s->counters, NULL);
}

/* --- buckets --- */

/* Takes one entry's worth; else how many ticks until there is one. */
static i64 take(const struct plan *plan, i64 *bucket, i64 now)
{
    i64 next = MAX(*bucket, now) + plan->interval;

    if (next - now > plan->depth) return next - now - plan->depth;
    *bucket = next;
    return 0;
}

static i64 take_shared(const struct plan *plan, _Atomic i64 *bucket, i64 now)
{
    i64 seen = atomic_load_explicit(bucket, memory_order_relaxed), mine, wait;

    do {
        mine = seen;
        wait = take(plan, &mine, now);
    } while (!wait && !atomic_compare_exchange_weak_explicit(
                          bucket, &seen, mine, memory_order_relaxed, memory_order_relaxed));
    return wait;
}

static i64 ticks(const struct stage_run *r)
{
    return clock_mono(r->clock) * TICKS;
}

/* --- one for each label value --- */

static void next_generation(struct shared *s)
{
    map_done(&s->old, free);
    s->old = s->young;
    s->young = (struct map){0};
    atomic_fetch_add(&s->generation, 1);
}

/* Lock held. */
static i64 *bucket_of(const struct plan *plan, struct shared *s, struct str value)
{
    i64 *b = map_get(&s->young, value);

    if (b) return b;
    b = map_del(&s->old, value);
    if (!b) b = xcalloc(1, sizeof(*b));
    if ((i64)s->young.live >= MAX(plan->args->max_distinct_labels, VALUES_MIN)) next_generation(s);
    map_put(&s->young, value, b);
    return b;
}

static struct metric *counter_of(struct stage_run *r, struct str value)
{
    const struct plan *plan = r->plan;
    struct state *s = r->state;
    u64 generation = atomic_load(&s->shared->generation);
    struct metric *m;

    if (s->generation != generation || s->counters.live >= SERIES_MAX) forget_counters(r);
    s->generation = generation;
    if ((m = map_get(&s->counters, value))) return m;
    char *name = str_dup(plan->args->by_label_name), *text = str_dup(value);
    struct metric_label labels[] = {{"label_name", name}, {"label_value", text}};
    m = shard_metric(r->shard, &by_label_desc, labels, 2);
    free(name);
    free(text);
    map_put(&s->counters, value, m);
    return m;
}

static enum stage_result run_by_label(struct stage_run *r, struct entry *e)
{
    const struct plan *plan = r->plan;
    struct shared *s = ((struct state *)r->state)->shared;
    struct str value = entry_label(e, plan->args->by_label_name);

    if (!value.p) return STAGE_PASS;
    spin_lock(&s->lock);
    i64 wait = take(plan, bucket_of(plan, s, value), ticks(r));
    spin_unlock(&s->lock);
    if (!wait) return STAGE_PASS;
    metric_inc(counter_of(r, value));
    stage_dropped(r, STR("ratelimit_drop_stage"));
    return STAGE_DROP;
}

/* --- one for all --- */

/* Waits so long that several entries can go on together, as far as the bucket holds them. */
static i64 worthwhile(const struct plan *plan, i64 wait)
{
    i64 fill = (plan->depth - plan->interval) / TICKS;

    return MAX(wait / TICKS + 1, MIN(WAIT_LEAST, fill));
}

static enum stage_result run(struct stage_run *r, struct entry *e)
{
    const struct plan *plan = r->plan;

    if (plan->args->by_label_name.n) return run_by_label(r, e);
    i64 wait = take_shared(plan, &((struct state *)r->state)->shared->bucket, ticks(r));
    if (!wait) return STAGE_PASS;
    if (plan->args->drop) {
        stage_dropped(r, STR("ratelimit_drop_stage"));
        return STAGE_DROP;
    }
    r->wait_ns = worthwhile(plan, wait);
    return STAGE_WAIT;
}

const struct stage_ops limit_stage = {
    .plan_size = sizeof(struct plan),
    .state_size = sizeof(struct state),
    .prepare = prepare,
    .open = open_stage,
    .run = run,
    .close = forget_counters,
};
