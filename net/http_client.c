/* Calls: name looked up, curl handle configured, answer collected or handed on, done() called once.
 * Every end of a call passes through http_call_finish() or http_client_cancel(); a client freed
 * inside a callback only goes when the last of its frames has returned. */
#include "net/http_client_int.h"

#include "base/xalloc.h"
#include "net/grpc_channel.h"

/* --- process-wide --- */

struct net *net_new(struct offload *pool)
{
    struct net *n = xnew(struct net);

    n->resolver = resolver_new(pool);
    return n;
}

void net_free(struct net *n)
{
    if (!n) return;
    resolver_free(n->resolver);
    free(n);
}

struct resolver *net_resolver(struct net *n)
{
    return n->resolver;
}

/* --- from the loop --- */

static void destroy(struct http_client *c)
{
    list_each (&c->pools, node)
        curl_pool_free(list_item(node, struct curl_pool, node));
    if (c->curl_ready) curl_global_cleanup();
    free(c);
}

void http_client_enter(struct http_client *c)
{
    c->depth++;
}

void http_client_leave(struct http_client *c)
{
    if (--c->depth == 0 && c->dead) destroy(c);
}

static void on_active(struct curl_pool *p)
{
    struct http_client *c = p->arg;
    struct http_call_handle *h = NULL;
    CURLcode code;
    CURL *easy;

    http_client_enter(c);
    http_pieces_tell_all(c);
    while (!c->dead && curl_pool_next(p, &easy, &code)) {
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, &h);
        http_pieces_ended(h, code);
    }
    http_client_leave(c);
}

static void on_timeout(void *arg)
{
    http_call_finish(arg, HTTP_TIMEOUT, "context deadline exceeded");
}

/* --- starting --- */

static void on_failed(struct msg *m)
{
    struct http_call_handle *h = container_of(m, struct http_call_handle, failed);

    if (h->state == FINISHED)
        http_call_free(h); /* cancelled in between */
    else
        http_call_finish(h, HTTP_BROKEN, h->start_error);
}

static void fail_later(struct http_call_handle *h, const char *error)
{
    h->state = FAILING;
    h->start_error = error;
    h->failed.fn = on_failed;
    loop_defer(h->c->loop, &h->failed);
}

static void run(struct http_call_handle *h)
{
    if (h->trace) h->trace->resolve = clock_mono(loop_clock(h->c->loop)) - h->began;
    CURLMcode r = curl_multi_add_handle(h->pool->multi, h->easy);

    if (r == CURLM_OK)
        h->state = RUNNING;
    else
        fail_later(h, curl_multi_strerror(r));
}

static void set_addresses(struct http_call_handle *h, const char *addrs)
{
    h->resolve = curl_slist_append(NULL, arena_printf(&h->arena, STR_FMT ":%d:%s",
                                                      STR_ARG(h->dial_host), h->dial_port, addrs));
    curl_easy_setopt(h->easy, CURLOPT_RESOLVE, h->resolve);
}

static void on_resolved(void *arg, const char *addrs, const char *err)
{
    struct http_call_handle *h = arg;

    h->query = NULL;
    if (addrs) {
        set_addresses(h, addrs);
        run(h);
    } else {
        http_call_finish(h, HTTP_RESOLVE,
                         arena_printf(&h->arena, "dial tcp: lookup " STR_FMT ": %s",
                                      STR_ARG(h->dial_host), err));
    }
}

static void go(struct http_call_handle *h)
{
    if (resolver_is_literal(h->dial_host) || h->pool->target->conf.unix_socket.n) {
        run(h);
        return;
    }
    if (h->address) {
        set_addresses(h, h->address);
        run(h);
        return;
    }
    h->state = RESOLVING;
    char *addrs =
        resolver_start(h->c->net->resolver, h->c->loop, h->dial_host, on_resolved, h, &h->query);
    if (!addrs) return;
    set_addresses(h, addrs);
    free(addrs);
    run(h);
}

/* --- pools --- */

static void drop_pool(struct curl_pool *p)
{
    list_del(&p->node);
    curl_pool_free(p);
}

/* After a reload the connections to targets of the past are closed, rather than when they have been
 * idle long enough. */
static void sweep(struct http_client *c)
{
    list_each (&c->pools, node) {
        struct curl_pool *p = list_item(node, struct curl_pool, node);
        if (p->n_calls == 0 && http_target_is_past(p->target)) drop_pool(p);
    }
}

/* curl and OpenSSL cost memory and start-up time: the first call brings them in. curl_global_init
 * counts, and is thread safe. NULL, or why there is no curl. */
static const char *bring_curl_in(struct http_client *c)
{
    if (c->curl_ready) return NULL;
    const char *error = curl_lib_load();
    if (error) return error;
    CURLcode r = curl_global_init(CURL_GLOBAL_ALL);
    ASSERT(r == CURLE_OK);
    c->curl_ready = true;
    return NULL;
}

static struct curl_pool *pool_of(struct http_client *c, struct http_target *t)
{
    list_each (&c->pools, node) {
        struct curl_pool *p = list_item(node, struct curl_pool, node);
        if (p->target == t) return p;
    }
    sweep(c);
    struct curl_pool *p = curl_pool_new(c->loop, t, on_active, drop_pool, c);
    list_add_head(&c->pools, &p->node);
    return p;
}

/* --- the face --- */

struct http_client *http_client_new(struct net *n, struct loop *l)
{
    struct http_client *c = xnew(struct http_client);

    c->net = n;
    c->loop = l;
    list_init(&c->calls);
    list_init(&c->pools);
    list_init(&c->news);
    c->tell.fn = http_pieces_on_tell;
    return c;
}

void http_client_free(struct http_client *c)
{
    if (!c) return;
    ASSERT(!c->dead);
    list_each (&c->calls, node)
        http_client_cancel(list_item(node, struct http_call_handle, node));
    grpc_channels_free(c->channels);
    c->dead = true;
    http_client_enter(c);
    http_client_leave(c);
}

size_t http_client_in_flight(const struct http_client *c)
{
    return c->n_calls + grpc_channels_in_flight(c->channels);
}

struct grpc_channels *http_client_channels(struct http_client *c)
{
    ASSERT(!c->dead && loop_is_mine(c->loop));
    if (!c->channels) c->channels = grpc_channels_new(c->loop, c->net->resolver);
    return c->channels;
}

static struct http_call_handle *call_new(struct http_client *c, const struct http_call *call)
{
    struct http_call_handle *h = xnew(struct http_call_handle);

    h->c = c;
    h->body = call->body;
    h->n_body = call->n_body;
    h->body_len = call->body_len;
    h->started = loop_now(c->loop);
    h->began = clock_mono(loop_clock(c->loop));
    h->trace = call->trace;
    if (h->trace) *h->trace = (struct http_trace){0};
    h->done = call->done;
    h->arg = call->arg;
    arena_init(&h->arena, 0);
    h->timer = timer_new(c->loop, on_timeout, h);
    if (call->timeout > 0) timer_start(h->timer, call->timeout);
    list_init(&h->news);
    if (call->data) http_pieces_expect(h, call);
    list_add_tail(&c->calls, &h->node);
    c->n_calls++;
    return h;
}

/* NULL, or why the call cannot be made. */
static const char *equip(struct http_call_handle *h, const struct http_call *call)
{
    const char *error = bring_curl_in(h->c);

    if (error) return error;
    struct curl_pool *p = pool_of(h->c, call->target);
    h->easy = curl_pool_take(p);
    if (!h->easy) return "out of memory";
    h->pool = p;
    return http_call_configure(h, call);
}

struct http_call_handle *http_client_start(struct http_client *c, const struct http_call *call)
{
    ASSERT(!c->dead && loop_is_mine(c->loop));
    struct http_call_handle *h = call_new(c, call);
    const char *error = equip(h, call);

    if (error)
        fail_later(h, error);
    else
        go(h);
    return h;
}

void http_client_cancel(struct http_call_handle *h)
{
    bool queued = h->state == FAILING;

    if (h->state == FINISHED) return; /* inside its own done() */
    http_call_unlink(h);
    http_call_detach(h);
    h->state = FINISHED;
    if (!queued) http_call_free(h); /* otherwise on_failed does */
}
