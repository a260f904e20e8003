/* The part of prometheus.scrape on one worker: which targets are its own, and what is sent. */
#include "base/clock.h"
#include "base/hash.h"
#include "base/num.h"
#include "components/prometheus/scrape/scrape.h"

#define SHOW_AFTER (NS_PER_SEC)     /* debug_info is made anew at most so often */
#define STOP_WAIT  (5 * NS_PER_SEC) /* for those that are sent to, after a stop */

/* --- sending --- */

void scraper_begin(struct scraper *s)
{
    struct series_epoch *e = series_epoch_now(&s->keeper);

    sample_builder_keep(s->builder, e);
    series_epoch_unref(e);
}

static struct batch *seal(struct scraper *s)
{
    struct batch *b = batch_new(SIGNAL_METRICS);

    b->received = loop_now(s->shard->worker->loop);
    if (sample_builder_seal(s->builder, b) == 0) return b;
    batch_unref(b);
    return NULL;
}

void scraper_send(struct scraper *s, struct target *t)
{
    if (sample_builder_items(s->builder) == 0) {
        sample_builder_reset(s->builder);
        return;
    }
    struct batch *b = seal(s);
    if (!b) {
        log_error(s->shard->comp->log, "no memory for the samples of a scrape, they are lost",
                  F_STR("target", t->spec.url));
        sample_builder_reset(s->builder);
        return;
    }
    t->held = b;
    if (s->waiting.n > 0 || !target_deliver(t)) vec_push(&s->waiting, t);
}

static void stopped(struct scraper *s)
{
    s->stopping = false;
    timer_stop(s->give_up);
    shard_stopped(s->shard);
}

/* In order; the first that is not taken ends it. */
static void on_room(void *arg)
{
    struct scraper *s = arg;
    size_t n = 0;

    while (n < s->waiting.n && target_deliver(s->waiting.v[n]))
        n++;
    s->waiting.n -= n;
    if (s->waiting.n > 0)
        memmove(s->waiting.v, s->waiting.v + n, s->waiting.n * sizeof(*s->waiting.v));
    if (s->stopping && s->waiting.n == 0 && !fanout_holds(s->out)) stopped(s);
}

/* What a stop waits for does not come: whoever is sent to has been full for all that time. */
static void give_up(void *arg)
{
    struct scraper *s = arg;
    u64 lost = 0;

    vec_each (&s->waiting, t) {
        lost += (*t)->held->items;
        batch_fail((*t)->held, ACK_ABANDONED, NULL);
        batch_unref((*t)->held);
        (*t)->held = NULL;
    }
    vec_clear(&s->waiting);
    log_warn(s->shard->comp->log,
             "the last samples are given up at the stop: forward_to has not taken them",
             F_UINT("samples", lost), F_DUR("waited", STOP_WAIT));
    stopped(s);
}

/* --- what is shown --- */

static void free_view(struct scrape_view *v)
{
    if (!v || !refs_put(&v->refs)) return;
    arena_done(&v->arena);
    free(v);
}

void scrape_view_unref(struct scrape_view *v)
{
    free_view(v);
}

static struct str_map labels_map(const struct target *t, struct arena *a)
{
    struct str_map m = {.v = arena_array(a, struct str_pair, t->spec.n_labels + 1)};

    for (; m.n < t->spec.n_labels; m.n++)
        m.v[m.n] = (struct str_pair){arena_str(a, t->spec.labels[m.n].name),
                                     arena_str(a, t->spec.labels[m.n].value)};
    return m;
}

static struct str time_text(struct arena *a, i64 at)
{
    struct buf b = BUF_INIT(100);

    if (at == 0) return STR("");
    time_rfc3339(&b, at, false);
    struct str s = arena_str(a, buf_view(&b));
    buf_done(&b);
    return s;
}

static struct str duration_text(struct arena *a, i64 ns)
{
    struct buf b = BUF_INIT(100);

    dur_format(&b, ns);
    struct str s = arena_str(a, buf_view(&b));
    buf_done(&b);
    return s;
}

static struct scrape_target_info info_of(const struct scraper *s, const struct target *t,
                                         struct arena *a)
{
    return (struct scrape_target_info){
        .job = arena_str(a, s->job),
        .url = arena_str(a, t->spec.url),
        .health = !t->ever ? STR("unknown")
                  : t->up  ? STR("up")
                           : STR("down"),
        .labels = labels_map(t, a),
        .last_error = arena_str(a, str_of(t->error ? t->error : "")),
        .last_scrape = time_text(a, t->last),
        .last_scrape_duration = t->ever ? duration_text(a, t->took) : STR(""),
    };
}

static void publish(struct scraper *s, struct scrape_view *v)
{
    struct scrape_view **slot = &s->shared->views[s->shard->worker->index];

    spin_lock(&s->shared->lock);
    struct scrape_view *old = *slot;
    *slot = v;
    spin_unlock(&s->shared->lock);
    free_view(old);
}

static void count_families(struct scraper *s)
{
    f64 n = 0, bytes = 0;

    for (size_t i = 0; i < s->targets.n; i++)
        map_each (&s->targets.v[i]->families, e) {
            n++;
            bytes += (f64)(e->key.n + sizeof(*e));
        }
    metric_set(s->meters[METER_META_ENTRIES], n);
    metric_set(s->meters[METER_META_BYTES], bytes);
}

static void count_symbols(struct scraper *s)
{
    struct series_stats st;

    if (s->shard->worker->index != 1) return;
    series_table_stats(s->shard->comp->host->series, &st);
    metric_set(s->meters[METER_SYMBOLS], (f64)st.symbols);
}

static void show(void *arg)
{
    struct scraper *s = arg;
    struct scrape_view *v = xnew(struct scrape_view);

    refs_init(&v->refs);
    arena_init(&v->arena, 0);
    v->v = arena_array(&v->arena, struct scrape_target_info, s->targets.n + 1);
    for (size_t i = 0; i < s->targets.n; i++)
        if (!s->targets.v[i]->leaving) v->v[v->n++] = info_of(s, s->targets.v[i], &v->arena);
    publish(s, v);
    count_families(s);
    count_symbols(s);
}

void scraper_changed(struct scraper *s)
{
    if (!timer_active(s->show)) timer_start(s->show, SHOW_AFTER);
}

/* --- targets --- */

void scraper_remove(struct scraper *s, struct target *t)
{
    size_t i = 0;

    while (s->targets.v[i] != t)
        i++;
    vec_remove(&s->targets, i);
    target_free(t);
    scraper_changed(s);
}

static struct target *find(const struct map *by_hash, u64 hash)
{
    return map_get(by_hash, str_n((const char *)&hash, sizeof(hash)));
}

struct sync {
    struct scraper *s;
    struct map known; /* targets there are, by hash */
    struct map seen;  /* hashes of the configuration, of all workers */
    u32 failed;
};

static bool is_mine(const struct scraper *s, const struct target_spec *spec)
{
    return (int)(spec->placed % comp_shards(s->shard->comp)) == s->shard->worker->index - 1;
}

static void take_target(struct sync *y, const struct target_spec *spec)
{
    struct scraper *s = y->s;
    struct str key = str_n((const char *)&spec->hash, sizeof(spec->hash));
    struct target *t = find(&y->known, spec->hash);

    if (map_has(&y->seen, key)) return;
    (void)map_put(&y->seen, key, y);
    s->n_all++;
    if (!is_mine(s, spec)) return;
    if (t) {
        target_update(t, spec);
    } else {
        t = target_start(s, spec);
        vec_push(&s->targets, t);
    }
    t->listed = true;
}

/* Said by one worker, which all of them look at. */
static void say_bad(struct sync *y, size_t i, const char *why)
{
    struct scraper *s = y->s;

    y->failed++;
    if (s->shard->worker->index != 1) return;
    metric_inc(s->meters[METER_SYNC_FAILED]);
    log_error(s->shard->comp->log, "a target is left out", F_UINT("place", i), F_CSTR("err", why));
}

static void read_targets(struct sync *y)
{
    struct scraper *s = y->s;
    struct arena arena;

    arena_init(&arena, 0);
    for (size_t i = 0; i < targets_count(s->plan->args->targets); i++) {
        struct target_spec spec = {0};
        const char *why =
            target_spec_build(s->plan, s->job, s->plan->args->targets, i, &s->set, &arena, &spec);
        if (why)
            say_bad(y, i, why);
        else
            take_target(y, &spec);
        arena_rewind(&arena);
    }
    arena_done(&arena);
}

static void count(struct scraper *s)
{
    const struct scrape_args *a = s->plan->args;
    bool first = s->shard->worker->index == 1;
    struct metric **m = s->meters;

    s->target_limit_hit = a->target_limit > 0 && s->n_all > a->target_limit;
    if (!first) return;
    metric_set(m[METER_TARGETS_GAUGE], (f64)targets_count(a->targets));
    metric_set(m[METER_POOL_TARGETS], s->n_all);
    metric_set(m[METER_POOL_TARGET_LIMIT], (f64)a->target_limit);
    metric_inc(m[METER_SYNCS]);
    if (s->target_limit_hit) metric_inc(m[METER_EXCEEDED_TARGETS]);
}

static void time_sync(struct scraper *s, i64 began)
{
    f64 took = (f64)(clock_mono(s->shard->comp->host->clock) - began) / (f64)NS_PER_SEC;

    metric_observe(s->meters[METER_SYNC_LENGTH], took);
    metric_observe(s->meters[METER_SYNC_LENGTH_H], took);
    if (s->reloaded) metric_observe(s->meters[METER_RELOAD_LENGTH], took);
}

static void scraper_sync(struct scraper *s)
{
    struct sync y = {.s = s};
    i64 began = clock_mono(s->shard->comp->host->clock);

    s->n_all = 0;
    vec_each (&s->targets, t) {
        (*t)->listed = false;
        (void)map_put(&y.known, str_n((const char *)&(*t)->spec.hash, 8), *t);
    }
    read_targets(&y);
    for (size_t i = 0; i < s->targets.n; i++)
        if (!s->targets.v[i]->listed) target_leave(s->targets.v[i]);
    map_done(&y.known, NULL);
    map_done(&y.seen, NULL);
    count(s);
    if (s->shard->worker->index == 1) time_sync(s, began);
    scraper_changed(s);
}

/* --- life --- */

void scraper_start(struct scraper *s, struct shard *shard)
{
    s->shard = shard;
    s->shared = shard->comp->shared;
    s->out = fanout_new(shard, on_room, s);
    s->builder = sample_builder_new(shard->comp->host->data_budget);
    series_keeper_init(&s->keeper, shard->comp->host->series);
    label_set_init(&s->set);
    label_set_init(&s->scratch);
    buf_init(&s->unpacked, SIZE_MAX);
    s->show = timer_new(shard->worker->loop, show, s);
    s->give_up = timer_new(shard->worker->loop, give_up, s);
    memcpy(s->meters, s->shared->meters, sizeof(s->meters));
}

void scraper_apply(struct scraper *s, const struct scrape_plan *plan)
{
    struct http_endpoint *old = s->endpoint, *old_memory = s->memory;

    s->plan = plan;
    s->job = plan->args->job_name.n ? plan->args->job_name : str_of(s->shard->comp->id);
    s->endpoint = http_endpoint_ref(s->shared->endpoint);
    s->memory = http_endpoint_ref(s->shared->memory);
    http_endpoint_unref(old);
    http_endpoint_unref(old_memory);
    fanout_set(s->out, &plan->args->forward_to);
    scrape_meters_label(s->shard, s->job, plan->args->scrape_interval.ns, &s->meter_labels,
                        s->meters);
    scraper_reopen_failures(s);
    scraper_sync(s);
    if (s->reloaded && s->shard->worker->index == 1) metric_inc(s->meters[METER_RELOADS]);
    s->reloaded = true;
}

/* No markers: another agent, or this one started anew, goes on with the same series. */
void scraper_stop(struct scraper *s)
{
    vec_each (&s->targets, t)
        target_halt(*t);
    s->stopping = true;
    timer_start(s->give_up, STOP_WAIT);
    on_room(s);
}

void scraper_done(struct scraper *s)
{
    if (!s->shard) return;
    publish(s, NULL);
    for (size_t i = 0; i < s->targets.n; i++)
        target_free(s->targets.v[i]);
    vec_done(&s->targets);
    vec_done(&s->waiting);
    timer_free(s->show);
    timer_free(s->give_up);
    line_writer_free(s->failures);
    free(s->meter_labels.job);
    free(s->meter_labels.interval);
    sample_builder_free(s->builder);
    fanout_free(s->out);
    series_keeper_done(&s->keeper);
    label_set_done(&s->set);
    label_set_done(&s->scratch);
    buf_done(&s->unpacked);
    http_endpoint_unref(s->endpoint);
    http_endpoint_unref(s->memory);
}
