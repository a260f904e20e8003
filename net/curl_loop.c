/* curl's multi interface on the loop: it tells which sockets and which time to wait for, and is
 * told when they come. Callbacks of curl only set watchers; transfers are reaped after curl has
 * returned. */
#include "base/assert.h"
#include "base/xalloc.h"
#include "net/curl_pool.h"

#define SPARE_MAX 64

static void act(struct curl_pool *p, curl_socket_t fd, int mask)
{
    int running;

    curl_multi_socket_action(p->multi, fd, mask, &running);
    p->active(p);
}

struct watch {
    struct curl_pool *pool;
    curl_socket_t fd;
    struct io *io;
};

static void on_socket(void *arg, int events)
{
    const struct watch *w = arg;

    act(w->pool, w->fd,
        (events & IO_READ ? CURL_CSELECT_IN : 0) | (events & IO_WRITE ? CURL_CSELECT_OUT : 0));
}

static void unwatch(struct watch *w)
{
    if (!w) return;
    io_free(w->io);
    free(w);
}

static int want_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *at)
{
    struct curl_pool *p = arg;
    struct watch *w = at;
    int events = (what & CURL_POLL_IN ? IO_READ : 0) | (what & CURL_POLL_OUT ? IO_WRITE : 0);

    if (what == CURL_POLL_REMOVE) {
        unwatch(w);
        curl_multi_assign(p->multi, fd, NULL);
        return 0;
    }
    if (!w) {
        w = xnew(struct watch);
        w->pool = p;
        w->fd = fd;
        w->io = io_new(p->loop, fd, events, on_socket, w);
        curl_multi_assign(p->multi, fd, w);
    } else {
        io_set(w->io, events);
    }
    return 0;
}

static int want_timer(CURLM *multi, long ms, void *arg)
{
    struct curl_pool *p = arg;

    if (ms < 0)
        timer_stop(p->timer);
    else
        timer_start(p->timer, ms * NS_PER_MS);
    return 0;
}

static void on_timer(void *arg)
{
    act(arg, CURL_SOCKET_TIMEOUT, 0);
}

static void on_idle(void *arg)
{
    struct curl_pool *p = arg;

    p->idle_over(p);
}

bool curl_pool_next(struct curl_pool *p, CURL **ret_easy, CURLcode *ret_code)
{
    int left;

    for (CURLMsg *m; (m = curl_multi_info_read(p->multi, &left));) {
        if (m->msg != CURLMSG_DONE) continue;
        *ret_easy = m->easy_handle;
        *ret_code = m->data.result;
        return true;
    }
    return false;
}

static void set_limits(struct curl_pool *p)
{
    const struct http_target_conf *c = &p->target->conf;

    if (c->max_idle_conns)
        curl_multi_setopt(p->multi, CURLMOPT_MAXCONNECTS,
                          (long)MIN(c->max_idle_conns, (size_t)INT32_MAX));
    if (c->max_conns_per_host)
        curl_multi_setopt(p->multi, CURLMOPT_MAX_HOST_CONNECTIONS,
                          (long)MIN(c->max_conns_per_host, (size_t)INT32_MAX));
    curl_multi_setopt(p->multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
}

struct curl_pool *curl_pool_new(struct loop *l, struct http_target *t,
                                void (*active)(struct curl_pool *p),
                                void (*idle_over)(struct curl_pool *p), void *arg)
{
    struct curl_pool *p = xnew(struct curl_pool);

    p->loop = l;
    p->target = http_target_pool_ref(t);
    p->active = active;
    p->idle_over = idle_over;
    p->arg = arg;
    p->timer = timer_new(l, on_timer, p);
    p->idle = timer_new(l, on_idle, p);
    p->multi = curl_multi_init();
    p->share = curl_share_init();
    ASSERT(p->multi && p->share);
    curl_share_setopt(p->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    if (t->conf.cookies) curl_share_setopt(p->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_COOKIE);
    curl_multi_setopt(p->multi, CURLMOPT_SOCKETFUNCTION, want_socket);
    curl_multi_setopt(p->multi, CURLMOPT_SOCKETDATA, p);
    curl_multi_setopt(p->multi, CURLMOPT_TIMERFUNCTION, want_timer);
    curl_multi_setopt(p->multi, CURLMOPT_TIMERDATA, p);
    set_limits(p);
    return p;
}

void curl_pool_free(struct curl_pool *p)
{
    ASSERT(p->n_calls == 0);
    vec_each (&p->spare, e)
        curl_easy_cleanup(*e);
    vec_done(&p->spare);
    curl_multi_cleanup(p->multi); /* closes the connections, which removes their watchers */
    curl_share_cleanup(p->share);
    timer_free(p->timer);
    timer_free(p->idle);
    http_target_pool_unref(p->target);
    free(p);
}

CURL *curl_pool_take(struct curl_pool *p)
{
    CURL *e = p->spare.n ? vec_pop(&p->spare) : curl_easy_init();

    if (!e) return NULL;
    curl_easy_reset(e);
    curl_easy_setopt(e, CURLOPT_SHARE, p->share);
    http_target_apply(p->target, e);
    p->n_calls++;
    timer_stop(p->idle);
    return e;
}

void curl_pool_give(struct curl_pool *p, CURL *easy)
{
    i64 idle = p->target->conf.idle_conn_timeout;

    if (p->target->conf.cookies)
        curl_easy_setopt(easy, CURLOPT_COOKIEFILE, NULL); /* curl 7.88 forgets to free that list */
    if (p->spare.n < SPARE_MAX) {
        curl_easy_reset(easy); /* nothing of the call is pointed to any more */
        vec_push(&p->spare, easy);
    } else {
        curl_easy_cleanup(easy);
    }
    if (--p->n_calls == 0 && idle > 0) timer_start(p->idle, idle);
}
