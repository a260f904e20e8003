/* prometheus.remote_write: sends samples to endpoints that take remote write. The life of the
 * component, pushes, reloads and the end; see write.h for the parts. One shard. Source: spec C.4,
 * docs/design/metrics.md. */
#include "base/xalloc.h"
#include "components/common/sample_tap.h"
#include "components/common/agent_seed.h"
#include "components/prometheus/remote_write/write.h"

#define MARKS_EVERY NS_PER_SEC
#define FLUSH_MOST  (60 * NS_PER_SEC)
#define FLUSH_QUIET (5 * NS_PER_SEC) /* nothing was delivered for so long: the log keeps it */

i64 remote_real(const struct write *w)
{
    return clock_real(w->shard->comp->host->clock) / NS_PER_MS;
}

/* --- pushes --- */

static void count_in(struct write *w, const struct samples *s)
{
    for (u32 i = 0; i < s->n; i++)
        w->newest_in = MAX(w->newest_in, s->v[i].time);
    for (u32 i = 0; i < s->n_histograms; i++)
        w->newest_in = MAX(w->newest_in, s->histograms[i].time);
    metric_add(write_own(w, OWN_SAMPLES_IN), s->n);
    metric_add(write_own(w, OWN_HISTOGRAMS_IN), s->n_histograms);
    metric_add(write_own(w, OWN_EXEMPLARS_IN), s->n_exemplars);
    metric_set(write_own(w, OWN_HIGHEST_IN), (f64)w->newest_in / 1000);
    metric_add(write_own(w, OWN_SAMPLES), s->n + s->n_histograms);
    metric_add(write_own(w, OWN_EXEMPLARS), s->n_exemplars);
}

static void count_series(struct write *w, u32 segment, size_t before)
{
    const struct names *n = w->journal.now;
    size_t now = n ? n->v.n : 0;
    bool other = n && n->segment != segment;

    metric_set(write_own(w, OWN_ACTIVE), (f64)now);
    metric_add(write_own(w, OWN_CREATED), (f64)(other ? now : now - before));
    if (other) metric_add(write_own(w, OWN_REMOVED), (f64)before);
}

static enum written write_batch(struct write *w, const struct samples *s)
{
    const struct names *n = w->journal.now;
    u32 segment = n ? n->segment : 0;
    size_t before = n ? n->v.n : 0;
    enum written r = wal_write(w, s);

    count_series(w, segment, before);
    return r;
}

static enum push refuse(struct write *w)
{
    w->refused = true;
    return PUSH_FULL;
}

static void pump_all(struct write *w)
{
    list_each (&w->endpoints, at)
        remote_pump(list_item(at, struct endpoint, link));
}

static void show(struct comp *c, const struct batch *b)
{
    struct tap_item item;

    if (!comp_tapped(c)) return;
    sample_tap(b, &item);
    comp_tap(c, &item);
}

static enum push push(struct shard *s, u32 port, struct batch *b)
{
    static const struct ack_failure part = {
        .retryable = true, .text = "the log on disk took only a part of the samples"};
    struct write *w = s->self;

    (void)port;
    if (w->plan->n) {
        if (!wal_ready(w)) return refuse(w);
        enum written r = write_batch(w, b->samples);
        if (r == NOT_WRITTEN) return refuse(w);
        b = batch_own(b);
        if (r == PARTLY_WRITTEN) batch_fail(b, ACK_FAILED, &part);
        families_learn(w, b->samples);
        if (r == WRITTEN) count_in(w, b->samples);
        batch_accept(b);
    }
    show(s->comp, b);
    batch_unref(b);
    pump_all(w);
    return PUSH_TAKEN;
}

/* --- time --- */

static void again(void *arg)
{
    struct write *w = arg;

    if (w->stopping) return;
    if (!w->journal.log && w->plan->n && !wal_ready(w)) return;
    if (w->refused) {
        w->refused = false;
        shard_ready(w->shard);
    }
    pump_all(w);
}

static void save_marks(void *arg)
{
    struct write *w = arg;

    if (w->journal.log && disk_log_sync_marks(w->journal.log))
        wal_failed(w, disk_log_error(w->journal.log));
}

static void scale(void *arg)
{
    struct write *w = arg;

    if (w->stopping) return;
    list_each (&w->endpoints, at)
        remote_scale(list_item(at, struct endpoint, link));
    wal_expire(w);
}

/* --- the end --- */

static void end_endpoint(struct endpoint *e)
{
    u64 kept = e->reader ? disk_reader_backlog(e->reader) : 0;

    u64 unread = e->reader ? disk_reader_unread(e->reader) : 0;
    u32 waiting = e->pending[ITEM_SAMPLE] + e->pending[ITEM_HISTOGRAM] + e->pending[ITEM_EXEMPLAR];

    if (kept && (waiting || unread))
        log_warn(write_log(e->write),
                 "the log on disk keeps what an endpoint has not got: it is sent after the next "
                 "start",
                 F_CSTR("remote_name", e->conf->remote), F_CSTR("url", e->conf->url),
                 F_UINT("samples_waiting", waiting), F_UINT("bytes_unread", unread),
                 F_UINT("bytes", kept),
                 F_CSTR("err", e->failing ? e->failure : "no answer in time"));
    remote_free(e);
}

static void end_all(struct write *w)
{
    if (w->stopped) return;
    w->stopped = true;
    list_each (&w->endpoints, at)
        end_endpoint(list_item(at, struct endpoint, link));
    wal_close(w);
}

static bool all_idle(const struct write *w)
{
    list_each (&w->endpoints, at)
        if (!remote_idle(list_item(at, struct endpoint, link))) return false;
    return true;
}

/* Something was delivered since the last look, and there is time for more. */
static bool goes_on(const struct write *w)
{
    if (write_now(w) >= w->stop_end || all_idle(w)) return false;
    list_each (&w->endpoints, at)
        if (list_item(at, struct endpoint, link)->last_success >= w->stop_seen) return true;
    return false;
}

static void look_at_stop(struct write *w)
{
    w->stop_seen = write_now(w);
    timer_start(w->deadline, MIN(FLUSH_QUIET, MAX(w->stop_end - w->stop_seen, 0)));
}

static void finish_stop(void *arg)
{
    struct write *w = arg;

    if (w->stopped) return;
    if (goes_on(w)) {
        look_at_stop(w);
        return;
    }
    end_all(w);
    shard_stopped(w->shard);
}

void remote_progress(struct write *w)
{
    if (!w->stopping || w->stopped || !all_idle(w)) return;
    timer_start(w->deadline, 0); /* not from within a call of what would be freed */
}

/* The log has what came in, so that nobody waits for us: but what is gathered may go already. */
static void hurry(struct shard *s)
{
    struct write *w = s->self;

    w->hurrying = true;
    pump_all(w);
}

static void stop(struct shard *s)
{
    struct write *w = s->self;

    w->stopping = w->hurrying = true;
    w->stop_end = write_now(w) + MIN(FLUSH_MOST, s->comp->host->stop_deadline / 4 * 3);
    look_at_stop(w);
    pump_all(w);
    remote_progress(w);
}

static void shard_done(struct shard *s)
{
    struct write *w = s->self;

    if (!w->shard) return;
    end_all(w);
    families_free(w);
    rw_external_free(w->external);
    timer_free(w->marks);
    timer_free(w->scale);
    timer_free(w->again);
    timer_free(w->deadline);
    buf_done(&w->packed);
}

/* --- plans --- */

static void set_target(struct endpoint *e)
{
    const struct write_shared *sh = e->write->shard->comp->shared;
    const struct shared_target *t = &sh->targets[e->conf->index];

    http_target_unref(e->target);
    e->target = http_target_ref(t->target);
    if (t->token) e->auth.target = http_target_ref(t->token);
    aws_keys_copy(&e->keys, &t->keys);
}

static struct endpoint *endpoint_by_id(struct write *w, const char *id)
{
    list_each (&w->endpoints, at) {
        struct endpoint *e = list_item(at, struct endpoint, link);
        if (strcmp(e->id, id) == 0) return e;
    }
    return NULL;
}

static bool is_kept(const struct write_plan *plan, const struct endpoint *e)
{
    for (u32 i = 0; i < plan->n; i++)
        if (strcmp(plan->endpoints[i].id, e->id) == 0) return true;
    return false;
}

static void remove_endpoint(struct endpoint *e)
{
    struct disk_log *log = e->write->journal.log;
    u64 bytes = e->reader ? disk_reader_unread(e->reader) : 0;
    bool read = e->reader != NULL;
    u32 waiting = e->pending[ITEM_SAMPLE] + e->pending[ITEM_HISTOGRAM];
    char *mark = xstrdup(e->mark);

    if (bytes || waiting)
        log_warn(write_log(e->write), "an endpoint was removed: what it had not got is dropped",
                 F_CSTR("remote_name", e->conf->remote), F_CSTR("url", e->conf->url),
                 F_UINT("samples_waiting", waiting), F_UINT("bytes_on_disk", bytes));
    remote_free(e);
    if (read) disk_reader_remove(disk_reader_open(log, mark, false));
    free(mark);
}

/* The one that was removed and the one that is new, when there is one of each: its URL was changed,
 * and what waits goes to the new one. */
static void adopt_changed(struct write *w, const struct write_plan *plan)
{
    struct endpoint *old = NULL;
    const struct endpoint_conf *fresh = NULL;
    u32 n_old = 0, n_fresh = 0;

    list_each (&w->endpoints, at) {
        struct endpoint *e = list_item(at, struct endpoint, link);
        if (is_kept(plan, e)) continue;
        old = e;
        n_old++;
    }
    for (u32 i = 0; i < plan->n; i++)
        if (!endpoint_by_id(w, plan->endpoints[i].id)) {
            fresh = &plan->endpoints[i];
            n_fresh++;
        }
    if (n_old == 1 && n_fresh == 1) memcpy(old->id, fresh->id, sizeof(old->id));
}

static void set_endpoints(struct write *w, const struct write_plan *plan)
{
    adopt_changed(w, plan);
    list_each (&w->endpoints, at) {
        struct endpoint *e = list_item(at, struct endpoint, link);
        if (!is_kept(plan, e)) remove_endpoint(e);
    }
    rw_external_free(w->external);
    w->external = plan->n_external ? rw_external_new(plan->external, plan->n_external) : NULL;
    w->plan = plan;
    for (u32 i = 0; i < plan->n; i++) {
        const struct endpoint_conf *c = &plan->endpoints[i];
        struct endpoint *e = endpoint_by_id(w, c->id);
        if (e)
            remote_apply(e, c);
        else
            e = remote_new(w, c);
        set_target(e);
    }
}

static void start(struct write *w)
{
    bool was_open = w->journal.log != NULL;

    if (w->plan->n && wal_ready(w) && was_open) wal_resume(w);
    remote_health(w);
    pump_all(w);
}

static int run(struct shard *s)
{
    struct write *w = s->self;
    const struct write_shared *sh = s->comp->shared;

    w->shard = s;
    w->seed = sh->seed;
    w->packed = BUF_INIT(SIZE_MAX / 2);
    list_init(&w->endpoints);
    list_init(&w->names);
    record_init(&w->journal.record);
    w->marks = timer_new(s->worker->loop, save_marks, w);
    w->scale = timer_new(s->worker->loop, scale, w);
    w->again = timer_new(s->worker->loop, again, w);
    w->deadline = timer_new(s->worker->loop, finish_stop, w);
    timer_every(w->marks, MARKS_EVERY);
    timer_every(w->scale, SCALING_STEP);
    set_endpoints(w, s->plan);
    start(w);
    return 0;
}

static int apply(struct shard *s, const void *plan)
{
    struct write *w = s->self;

    set_endpoints(w, plan);
    start(w);
    return 0;
}

/* --- control loop --- */

static void free_targets(struct shared_target *v, u32 n)
{
    for (u32 i = 0; i < n; i++) {
        http_target_unref(v[i].target);
        http_target_unref(v[i].token);
        aws_keys_done(&v[i].keys);
    }
    free(v);
}

/* Connections live as long as the target: an endpoint whose settings did not change keeps it. */
static struct http_target *kept_target(const struct write_shared *sh, const struct endpoint_conf *c)
{
    for (u32 i = 0; i < sh->n_targets; i++)
        if (c->print && sh->targets[i].print == c->print && strcmp(sh->targets[i].id, c->id) == 0 &&
            sh->targets[i].target)
            return http_target_ref(sh->targets[i].target);
    return NULL;
}

static int make_target(const struct write_shared *sh, const struct endpoint_conf *c,
                       struct shared_target *ret, char **ret_err)
{
    bool oauth = c->auth.kind == HTTP_AUTH_OAUTH2;

    memcpy(ret->id, c->id, sizeof(ret->id));
    ret->print = c->print;
    if (c->args->sigv4 && aws_keys_find(c->args->sigv4, &ret->keys, ret_err)) return -1;
    ret->target = kept_target(sh, c);
    if (!ret->target) ret->target = http_target_new(&c->target, ret_err);
    if (ret->target && oauth) ret->token = http_target_new(&c->token_target, ret_err);
    return ret->target && (ret->token || !oauth) ? 0 : -1;
}

static int configure(struct comp *c, const void *old_plan, char **ret_err)
{
    struct write_shared *sh = c->shared;
    const struct write_plan *plan = c->plan;
    struct shared_target *v = xcalloc(plan->n + 1, sizeof(*v));

    (void)old_plan;
    for (u32 i = 0; i < plan->n; i++)
        if (make_target(sh, &plan->endpoints[i], &v[i], ret_err)) {
            free_targets(v, plan->n);
            return -1;
        }
    free_targets(sh->targets, sh->n_targets);
    sh->targets = v;
    sh->n_targets = plan->n;
    return 0;
}

struct receiver {
    struct capsule_ref receiver;
};
static const struct row receiver_rows[] = {
    ATTR(struct receiver, receiver, .doc = "Takes samples from other components.",
         .capsule = &capsule_metrics_receiver, .signals = SIGNALS_METRICS),
};
static const struct schema receiver_schema = SCHEMA(struct receiver, receiver_rows);

static int create(struct comp *c, char **ret_err)
{
    struct write_shared *sh = c->shared;
    char *dir = comp_data_dir(c, &sh->no_dir);
    struct receiver e = {.receiver.c = comp_sink(c, &capsule_metrics_receiver, 0, SIGNALS_METRICS)};

    (void)ret_err;
    /* Not "wal": Alloy's own log may lie there. */
    if (dir) sh->dir = xprintf("%s/log", dir);
    free(dir);
    sh->seed = agent_seed(c->host, c->log);
    own_meters_make(c, sh->own);
    comp_export(c, &e);
    capsule_unref(e.receiver.c);
    return 0;
}

static void destroy(struct comp *c)
{
    struct write_shared *sh = c->shared;

    free_targets(sh->targets, sh->n_targets);
    free(sh->dir);
    free(sh->no_dir);
    free(sh->seed);
}

DEFINE_COMPONENT(prometheus_remote_write) = {
    .name = "prometheus.remote_write",
    .summary = "Sends samples to endpoints that take Prometheus remote write.",
    .example = "prometheus.remote_write \"default\" {\n"
               "  external_labels = {\n"
               "    cluster = \"one\",\n"
               "  }\n"
               "\n"
               "  endpoint {\n"
               "    url = \"http://localhost:9090/api/v1/write\"\n"
               "  }\n"
               "}\n",
    .stability = STABILITY_GA,
    .args = &remote_write_args_schema,
    .exports = &receiver_schema,
    .placement = PLACE_ONE,
    .plan_size = sizeof(struct write_plan),
    .shared_size = sizeof(struct write_shared),
    .self_size = sizeof(struct write),
    .prepare = remote_write_prepare,
    .create = create,
    .configure = configure,
    .run = run,
    .apply = apply,
    .hurry = hurry,
    .stop = stop,
    .shard_done = shard_done,
    .destroy = destroy,
    .push = push,
    .taps_itself = true,
};
