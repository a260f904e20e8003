/* loki.write: sends log entries to Loki. The life of the component, pushes, reloads and the end;
 * see write.h for the parts. One shard. Source: spec A.5. */
#include "components/loki/write/write.h"

#include "base/xalloc.h"
#include "base/codec.h"
#include "components/common/agent_seed.h"
#include "components/common/loki_receiver.h"

/* --- what the parts share --- */

struct tenant *write_tenant(struct write *w, struct str name)
{
    struct tenant *t = map_get(&w->tenants, name);

    if (t) return t;
    t = xnew(struct tenant);
    t->index = (u32)w->tenants.live;
    t->name = str_n(str_dup(name), name.n);
    (void)map_put(&w->tenants, name, t);
    return t;
}

static void tenant_free(void *value)
{
    struct tenant *t = value;

    free((char *)(uintptr_t)t->name.p);
    free(t);
}

i64 write_now(const struct write *w)
{
    return loop_now(w->shard->worker->loop);
}

struct logger *write_log(const struct write *w)
{
    return w->shard->comp->log;
}

void write_charge(struct write *w, i64 change)
{
    struct budget *b = w->shard->comp->host->data_budget;

    w->charged += change;
    if (change > 0)
        budget_force(b, change);
    else
        budget_give(b, -change);
}

struct blob *write_pack(struct write *w, struct str plain)
{
    struct buf *out = &w->packed;
    struct blob *b = NULL;

    buf_reset(out);
    out->max = SIZE_MAX / 2;
    if (codec_compress(CODEC_SNAPPY, CODEC_LEVEL_DEFAULT, plain, out) == 0)
        b = blob_new(out->n, NULL);
    if (b) {
        memcpy(b->p, out->p, out->n);
        b->n = out->n;
        /* Charged whatever the limit says: it takes the place of more, which goes away. */
        b->budget = w->shard->comp->host->data_budget;
        budget_force(b->budget, (i64)b->cap);
    }
    if (out->cap > ((size_t)4 << 20)) buf_done(out);
    return b;
}

/* --- pushes --- */

bool batch_is_held(const struct batch *b)
{
    for (u32 i = 0; i < b->n_acks; i++)
        if (ack_stage(b->acks[i]) != ACK_DELIVERED) return false;
    return b->n_acks > 0;
}

bool write_full(struct write *w, const struct batch *b)
{
    if (w->starved) return true;
    list_each (&w->endpoints, at) {
        const struct endpoint *e = list_item(at, struct endpoint, link);
        if (!endpoint_blocked(e)) continue;
        if (!b || batch_is_held(b) || e->conf->args->queue_config.block_on_overflow) return true;
    }
    return false;
}

/* Nobody can read these lines again: before they wait, the log takes what is in front of them. */
static void make_room(struct write *w)
{
    list_each (&w->endpoints, at) {
        struct endpoint *e = list_item(at, struct endpoint, link);
        if (endpoint_blocked(e)) (void)endpoint_spill(e);
    }
}

static int add(struct write *w, const struct batch *b)
{
    int err = 0;

    w->push++;
    vec_each (&w->batchers, at) {
        int r = batcher_add(*at, b);
        if (r) err = r;
    }
    return err;
}

static enum push push(struct shard *s, u32 port, struct batch *b)
{
    static const struct ack_failure no_memory = {.retryable = true, .text = "no memory is left"};
    struct write *w = s->self;

    if (!batch_is_held(b)) make_room(w);
    if (write_full(w, b)) {
        w->refused = true;
        return PUSH_FULL;
    }
    if (wal_on(w)) return wal_push(w, b);
    b = batch_own(b);
    if (add(w, b))
        batch_fail(b, ACK_FAILED, &no_memory);
    else
        batch_accept(b);
    batch_unref(b);
    return PUSH_TAKEN;
}

/* --- the end --- */

static u64 lines_in_memory(const struct endpoint *e)
{
    const struct list *const lists[] = {&e->items, &e->behind};
    u64 n = 0;

    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        for (const struct list *at = lists[i]->next; at != lists[i]; at = at->next) {
            const struct item *it = list_item(at, struct item, link);
            n += it->pieces.n ? 0 : it->parcel->entries;
        }
    return n;
}

static void say_left(const struct endpoint *e, u64 lost)
{
    u64 kept = e->reader ? disk_reader_backlog(e->reader) : 0;

    if (!lost && !kept) return;
    log_emit(write_log(e->write), lost ? LOG_WARN : LOG_INFO,
             lost ? "failed to flush all queues during shutdown"
                  : "the log on disk keeps what an endpoint has not got yet",
             (const struct log_field[]){
                 F_CSTR("endpoint", e->conf->shown), F_UINT("lines_not_delivered", lost),
                 F_UINT("bytes_kept_on_disk", kept), F_CSTR("error", e->failing ? e->failure : "")},
             4);
}

static void end_endpoint(struct endpoint *e)
{
    list_each (&e->items, at)
        request_cancel(list_item(at, struct item, link));
    if (lines_in_memory(e)) endpoint_spill_last(e);
    say_left(e, lines_in_memory(e));
    endpoint_free(e, ACK_ABANDONED, NULL);
}

static void free_batchers(struct write *w)
{
    vec_each (&w->batchers, at)
        batcher_free(*at);
    vec_done(&w->batchers);
}

static void end_all(struct write *w)
{
    if (w->stopped) return;
    w->stopped = true;
    list_each (&w->endpoints, at)
        end_endpoint(list_item(at, struct endpoint, link));
    free_batchers(w);
    disk_log_close(w->log);
    w->log = NULL;
}

static bool all_idle(const struct write *w)
{
    vec_each (&((struct write *)(uintptr_t)w)->batchers, b)
        if (!list_empty(&(*b)->opens)) return false;
    list_each (&w->endpoints, at)
        if (!endpoint_idle(list_item(at, struct endpoint, link))) return false;
    return true;
}

static void finish_stop(void *arg)
{
    struct write *w = arg;

    if (w->stopped) return;
    vec_each (&w->batchers, b)
        batcher_close_all(*b);
    end_all(w);
    shard_stopped(w->shard);
}

void write_progress(struct write *w)
{
    if (w->stopped) return;
    if (w->stopping) {
        /* Not from within a call of what would be freed. */
        if (all_idle(w)) timer_start(w->deadline, 0);
        return;
    }
    if (!w->refused || (!wal_on(w) && write_full(w, NULL))) return;
    w->refused = false;
    shard_ready(w->shard);
}

static i64 drain_time(const struct write *w)
{
    i64 ns = w->plan->args->wal.enabled ? w->plan->args->wal.drain_timeout.ns : 0;

    for (u32 i = 0; !ns && i < w->plan->n; i++)
        ns = MAX(ns, w->plan->endpoints[i].args->queue_config.drain_timeout.ns);
    return MIN(ns, w->shard->comp->host->stop_deadline / 4 * 3);
}

static void hurry(struct shard *s)
{
    struct write *w = s->self;

    w->hurrying = true;
    vec_each (&w->batchers, b)
        batcher_close_all(*b);
    list_each (&w->endpoints, at)
        endpoint_pump(list_item(at, struct endpoint, link));
}

static void stop(struct shard *s)
{
    struct write *w = s->self;

    w->stopping = true;
    timer_start(w->deadline, drain_time(w));
    vec_each (&w->batchers, b)
        batcher_close_all(*b);
    list_each (&w->endpoints, at) {
        struct endpoint *e = list_item(at, struct endpoint, link);
        if (e->failing) (void)endpoint_spill(e);
        e->read_at = 0;
        endpoint_pump(e);
    }
    write_progress(w);
}

static void shard_done(struct shard *s)
{
    struct write *w = s->self;

    end_all(w);
    map_done(&w->tenants, tenant_free);
    timer_free(w->marks);
    timer_free(w->deadline);
    timer_free(w->again);
    buf_done(&w->plain);
    buf_done(&w->packed);
    buf_done(&w->record);
    free(w->log_failure);
    if (w->charged) write_charge(w, -w->charged);
}

/* --- plans --- */

static void set_target(struct endpoint *e)
{
    const struct write_shared *sh = e->write->shard->comp->shared;
    const struct shared_target *t = &sh->targets[e->conf->index];

    http_target_unref(e->target);
    e->target = http_target_ref(t->target);
    if (t->token) e->auth.target = http_target_ref(t->token);
}

static void make_batchers(struct write *w)
{
    if (wal_on(w)) {
        /* For its table of streams. Entries without a tenant are given one when they are read. */
        w->wal_args = *w->plan->endpoints[0].args;
        w->wal_args.tenant_id = STR("");
        w->wal_conf = w->plan->endpoints[0];
        w->wal_conf.args = &w->wal_args;
        for (u32 i = 0; i < w->plan->n; i++)
            w->wal_args.queue_config.min_shards =
                MAX(w->wal_args.queue_config.min_shards,
                    w->plan->endpoints[i].args->queue_config.min_shards);
        vec_push(&w->batchers, batcher_new(w, &w->wal_conf));
        w->wal_lanes = w->batchers.v[0]->lanes;
        return;
    }
    list_each (&w->endpoints, at) {
        struct endpoint *e = list_item(at, struct endpoint, link);
        struct batcher *b = NULL;
        vec_each (&w->batchers, it)
            if (same_batching((*it)->conf, e->conf)) b = *it;
        if (!b) vec_push(&w->batchers, b = batcher_new(w, e->conf));
        vec_push(&b->endpoints, e);
    }
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
    u64 lines = lines_in_memory(e), bytes = e->reader ? disk_reader_unread(e->reader) : 0;
    struct disk_reader *r = e->reader;

    if (lines || bytes)
        log_warn(write_log(e->write), "an endpoint was removed: what it had not got is dropped",
                 F_CSTR("endpoint", e->conf->shown), F_UINT("lines", lines),
                 F_UINT("bytes_on_disk", bytes));
    char *mark = xstrdup(e->mark);
    struct disk_log *log = e->write->log;
    endpoint_free(e, ACK_DROPPED, NULL);
    if (r) disk_reader_remove(disk_reader_open(log, mark, false));
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
    w->plan = plan;
    for (u32 i = 0; i < plan->n; i++) {
        const struct endpoint_conf *c = &plan->endpoints[i];
        struct endpoint *e = endpoint_by_id(w, c->id);
        if (e)
            endpoint_apply(e, c);
        else
            e = endpoint_new(w, c);
        set_target(e);
    }
}

static void again(void *arg)
{
    write_progress(arg);
}

static void start(struct write *w)
{
    make_batchers(w);
    log_resume(w);
    endpoint_health(w);
    list_each (&w->endpoints, at)
        endpoint_pump(list_item(at, struct endpoint, link));
}

static int run(struct shard *s)
{
    struct write *w = s->self;
    const struct write_shared *sh = s->comp->shared;

    w->shard = s;
    w->seed = sh->seed;
    list_init(&w->endpoints);
    w->plain = w->packed = w->record = BUF_INIT(SIZE_MAX / 2);
    w->deadline = timer_new(s->worker->loop, finish_stop, w);
    w->again = timer_new(s->worker->loop, again, w);
    w->plan = s->plan;
    set_endpoints(w, s->plan);
    start(w);
    return 0;
}

/* What is open goes out with the old labels; queues, connections and waits stay. */
static int apply(struct shard *s, const void *plan)
{
    struct write *w = s->self;

    vec_each (&w->batchers, b)
        batcher_close_all(*b);
    free_batchers(w);
    set_endpoints(w, plan);
    start(w);
    write_progress(w);
    return 0;
}

/* --- control loop --- */

static void free_targets(struct shared_target *v, u32 n)
{
    for (u32 i = 0; i < n; i++) {
        http_target_unref(v[i].target);
        http_target_unref(v[i].token);
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
    memcpy(ret->id, c->id, sizeof(ret->id));
    ret->print = c->print;
    ret->target = kept_target(sh, c);
    if (!ret->target) ret->target = http_target_new(&c->target, ret_err);
    if (ret->target && c->auth.kind == HTTP_AUTH_OAUTH2)
        ret->token = http_target_new(&c->token_target, ret_err);
    return ret->target && (ret->token || c->auth.kind != HTTP_AUTH_OAUTH2) ? 0 : -1;
}

static int configure(struct comp *c, const void *old_plan, char **ret_err)
{
    struct write_shared *sh = c->shared;
    const struct write_plan *plan = c->plan;
    struct shared_target *v = xcalloc(plan->n + 1, sizeof(*v));

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

static int create(struct comp *c, char **ret_err)
{
    struct write_shared *sh = c->shared;
    char *dir = comp_data_dir(c, &sh->no_dir);

    (void)ret_err;
    if (dir) sh->dir = xprintf("%s/wal", dir);
    free(dir);
    sh->seed = agent_seed(c->host, c->log);
    loki_receiver_export(c);
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

DEFINE_COMPONENT(loki_write) = {
    .name = "loki.write",
    .summary = "Sends log entries to Loki.",
    .example = "loki.write \"default\" {\n"
               "  endpoint {\n"
               "    url = \"http://localhost:3100/loki/api/v1/push\"\n"
               "  }\n"
               "}\n",
    .stability = STABILITY_GA,
    .args = &write_args_schema,
    .exports = &loki_receiver_schema,
    .placement = PLACE_ONE,
    .plan_size = sizeof(struct write_plan),
    .shared_size = sizeof(struct write_shared),
    .self_size = sizeof(struct write),
    .prepare = write_prepare,
    .create = create,
    .configure = configure,
    .run = run,
    .apply = apply,
    .hurry = hurry,
    .stop = stop,
    .shard_done = shard_done,
    .destroy = destroy,
    .push = push,
};
