/* Looks, one after the other. */
#include "components/common/pool_refresh.h"

#include "base/xalloc.h"

static void look_free(struct pool_look *l)
{
    if (l->rules->release) l->rules->release(l);
    arena_done(&l->arena);
    free(l);
}

static void look_work(struct job *j)
{
    struct pool_look *l = container_of(j, struct pool_look, job);

    if (!atomic_load_explicit(&l->given_up, memory_order_relaxed)) l->rules->work(l);
}

static void look_done(struct job *j)
{
    struct pool_look *l = container_of(j, struct pool_look, job);
    struct pool_refresh *r = l->owner;

    if (r) {
        r->running = NULL;
        l->rules->done(r, l);
        timer_start(r->timer, r->again ? 0 : l->rules->interval(r->plan));
    }
    look_free(l);
}

static void look(void *arg)
{
    struct pool_refresh *r = arg;
    struct pool_look *l = xnew(struct pool_look);

    l->job = (struct job){.reply_to = r->shard->worker->loop, .work = look_work, .done = look_done};
    l->owner = r;
    l->rules = r->rules;
    arena_init(&l->arena, 0);
    l->state = arena_alloc(&l->arena, r->rules->look_size);
    memset(l->state, 0, r->rules->look_size);
    r->running = l;
    r->again = false;
    r->rules->prepare(r, l);
    offload_run(r->shard->comp->host->offload, &l->job);
}

void pool_refresh_now(struct pool_refresh *r)
{
    if (r->running)
        r->again = true;
    else
        timer_start(r->timer, 0);
}

static void give_up(struct pool_refresh *r)
{
    if (r->timer) timer_stop(r->timer);
    if (!r->running) return;
    atomic_store_explicit(&r->running->given_up, true, memory_order_relaxed);
    r->running->owner = NULL;
    r->running = NULL;
}

int pool_refresh_run(struct shard *s, const struct pool_refresh_rules *rules)
{
    struct pool_refresh *r = s->self;

    r->shard = s;
    r->plan = s->plan;
    r->rules = rules;
    r->timer = timer_new(s->worker->loop, look, r);
    target_export_init(&r->out, s);
    pool_refresh_now(r);
    return 0;
}

int pool_refresh_apply(struct shard *s, const void *plan)
{
    struct pool_refresh *r = s->self;

    give_up(r);
    r->plan = plan;
    target_export_restart(&r->out);
    pool_refresh_now(r);
    return 0;
}

void pool_refresh_stop(struct shard *s)
{
    struct pool_refresh *r = s->self;

    give_up(r);
    target_export_flush(&r->out);
    shard_stopped(s);
}

void pool_refresh_shard_done(struct shard *s)
{
    struct pool_refresh *r = s->self;

    give_up(r);
    timer_free(r->timer);
    target_export_done(&r->out);
}
