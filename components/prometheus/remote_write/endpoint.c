/* An endpoint: its senders, how many there are, and its life. */
#include <math.h>
#include "base/xalloc.h"
#include "components/prometheus/remote_write/write.h"

#define REQUEST_MAX    ((size_t)32 << 20)
#define SUCCESS_WITHIN (2 * SCALING_STEP)

static void tick(void *arg)
{
    remote_pump(arg);
}

/* --- life --- */

static void set_auth(struct endpoint *e)
{
    http_target_unref(e->auth.target);
    http_token_unref(e->auth.token);
    e->auth = e->conf->auth;
    e->auth.target = NULL;
    e->auth.token = e->auth.kind == HTTP_AUTH_OAUTH2 ? http_token_new() : NULL;
}

static void set_senders(struct endpoint *e, u32 n)
{
    while (e->senders.n < n)
        vec_push(&e->senders, sender_new(e));
}

static u32 bounded(const struct endpoint *e, size_t n)
{
    const struct queue_args *q = &e->conf->args->queue_config;

    return (u32)MIN(MAX((i64)n, q->min_shards), MIN(q->max_shards, 1000));
}

static void take_conf(struct endpoint *e, const struct endpoint_conf *conf)
{
    e->conf = conf;
    relabel_unref(e->relabel);
    e->relabel = conf->relabel ? relabel_ref(conf->relabel) : NULL;
    rw_request_free(e->request);
    e->request = rw_request_new_packed(conf->version, REQUEST_MAX);
    set_auth(e);
}

struct endpoint *remote_new(struct write *w, const struct endpoint_conf *conf)
{
    struct endpoint *e = xnew(struct endpoint);

    *e = (struct endpoint){.write = w};
    memcpy(e->id, conf->id, sizeof(e->id));
    list_init(&e->pieces);
    e->timer = timer_new(w->shard->worker->loop, tick, e);
    take_conf(e, conf);
    metadata_init(e);
    e->meters = remote_meters_new(e);
    set_senders(e, bounded(e, 1));
    list_add_tail(&w->endpoints, &e->link);
    remote_meters_shards(e, (f64)e->senders.n);
    return e;
}

/* Requests that are repeated go on with the new settings; what waits stays where it is. */
void remote_apply(struct endpoint *e, const struct endpoint_conf *conf)
{
    bool named_anew =
        strcmp(e->conf->remote, conf->remote) != 0 || strcmp(e->conf->url, conf->url) != 0;
    bool other_format = e->conf->version != conf->version;

    if (e->conf->hash != conf->hash || other_format)
        vec_each (&e->senders, s) {
            attempt_clear(&(*s)->attempt);
            (*s)->sending = 0;
        }
    attempt_clear(&e->metadata);
    take_conf(e, conf);
    /* The labels that series get may be others now. */
    remote_view_anew(e);
    if (named_anew) {
        remote_meters_free(e);
        e->meters = remote_meters_new(e);
    }
    u32 n = bounded(e, e->senders.n);
    e->want = n == e->senders.n ? 0 : n;
    remote_meters_shards(e, (f64)n);
    remote_meters_pending(e);
    remote_soon(e);
}

static void free_pieces(struct endpoint *e)
{
    list_each (&e->pieces, at) {
        struct piece *p = list_item(at, struct piece, link);
        list_del(&p->link);
        view_unref(p->view);
        free(p);
    }
}

void remote_free(struct endpoint *e)
{
    struct disk_reader *r = e->reader;

    e->reader = NULL; /* what is dropped is not done: the mark stays where it is */
    attempt_clear(&e->metadata);
    vec_each (&e->senders, s)
        sender_free(*s);
    vec_done(&e->senders);
    free_pieces(e);
    view_unref(e->view);
    disk_reader_close(r);
    list_del(&e->link);
    remote_meters_free(e);
    rw_request_free(e->request);
    relabel_unref(e->relabel);
    http_target_unref(e->target);
    http_target_unref(e->auth.target);
    http_token_unref(e->auth.token);
    aws_keys_done(&e->keys);
    timer_free(e->timer);
    free(e->failure);
    free(e);
}

/* --- senders --- */

struct sender *remote_sender(struct endpoint *e, u32 series)
{
    return e->senders.v[series % e->senders.n];
}

bool remote_full(const struct endpoint *e)
{
    if (e->want) return true;
    for (size_t i = 0; i < e->senders.n; i++)
        if (e->senders.v[i]->n >= e->conf->args->queue_config.capacity) return true;
    return false;
}

static bool any_asked(const struct endpoint *e)
{
    for (size_t i = 0; i < e->senders.n; i++)
        if (e->senders.v[i]->attempt.asked) return true;
    return false;
}

/* Once no request is in flight: series keep their order, whoever sends them then. */
static void reshard(struct endpoint *e)
{
    if (!e->want || any_asked(e)) return;
    struct sender **old = e->senders.v;
    size_t n = e->senders.n;
    log_info(write_log(e->write), "Remote storage resharding",
             F_CSTR("remote_name", e->conf->remote), F_CSTR("url", e->conf->url), F_UINT("from", n),
             F_UINT("to", e->want));
    e->senders.v = NULL;
    e->senders.n = e->senders.cap = 0;
    set_senders(e, e->want);
    e->want = 0;
    for (size_t i = 0; i < n; i++) {
        sender_move(old[i], e);
        sender_free(old[i]);
    }
    free(old);
    pieces_pop(e);
    remote_meters_shards(e, (f64)e->senders.n);
}

static bool may_scale(const struct endpoint *e)
{
    i64 now = write_now(e->write);

    return e->last_success && now - e->last_success <= SUCCESS_WITHIN && !e->recoverable &&
           !e->want;
}

void remote_scale(struct endpoint *e)
{
    const struct queue_args *q = &e->conf->args->queue_config;
    i64 behind = e->newest_sent ? e->write->newest_in - e->newest_sent : 0;
    const struct scaling_now now = {.senders = (u32)e->senders.n,
                                    .min = bounded(e, 0),
                                    .max = bounded(e, (size_t)q->max_shards),
                                    .delay = (f64)behind / 1000};
    f64 wish = 0;

    scaling_step(&e->scaling);
    u32 want = scaling_wanted(&e->scaling, &now, &wish);
    remote_meters_shards(e, wish);
    if (may_scale(e) && want != e->senders.n) e->want = want;
    e->recoverable = false;
    remote_pump(e);
}

/* --- what is next --- */

void remote_pump(struct endpoint *e)
{
    i64 now = write_now(e->write), at = INT64_MAX;

    if (e->write->stopped) return;
    reshard(e);
    remote_read(e, now, &at);
    own_meters_log(e->write);
    for (size_t i = 0; i < e->senders.n; i++)
        sender_pump(e->senders.v[i], now, &at);
    metadata_pump(e, now, &at);
    remote_meters_pending(e);
    if (at == INT64_MAX)
        timer_stop(e->timer);
    else
        timer_start(e->timer, MAX(at - now, 0));
}

void remote_soon(struct endpoint *e)
{
    timer_start(e->timer, 0);
}

bool remote_idle(const struct endpoint *e)
{
    for (size_t i = 0; i < e->senders.n; i++) {
        const struct sender *s = e->senders.v[i];
        if (s->attempt.asked || (s->n && !e->failing)) return false;
    }
    return e->failing || !e->reader || !disk_reader_unread(e->reader);
}
