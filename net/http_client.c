/* Calls: name looked up, curl handle configured, answer collected or handed on, done() called once.
 * Every end of a call passes through finish() or http_client_cancel(); a client freed inside a
 * callback only goes when the last of its frames has returned. */
#include "net/http_client.h"

#include "base/arena.h"
#include "base/list.h"
#include "base/xalloc.h"
#include "net/curl_pool.h"
#include "net/grpc_channel.h"
#include "net/http_response.h"
#include "net/resolver.h"

struct net {
    struct resolver *resolver;
};

struct http_client {
    struct net *net;
    struct loop *loop;
    struct list calls, pools;
    struct grpc_channels *channels; /* NULL until the first gRPC call */
    size_t n_calls;
    int depth; /* callbacks on the stack, and the message under way */
    bool dead, curl_ready;
    struct list news;                 /* calls whose caller has to be told something */
    struct msg tell;                  /* tells them later in this turn */
    bool telling;                     /* it is under way */
    struct http_call_handle *current; /* who is being told; NULL: it went meanwhile */
};

enum state { STARTING, RESOLVING, RUNNING, FAILING, FINISHED };

struct http_call_handle {
    struct list node;
    struct http_client *c;
    struct curl_pool *pool;
    enum state state;
    CURL *easy;
    struct arena arena;
    struct url url;     /* of the server; what curl is given may differ (server_name) */
    const char *target; /* host:port that is dialled, for messages */
    struct str dial_host;
    int dial_port;
    struct curl_slist *headers, *resolve, *connect_to, *proxy_headers;
    struct resolver_query *query;
    struct timer *timer;
    struct msg failed; /* a call that could not start says so later */
    const char *start_error;
    const struct iovec *body;
    size_t n_body, body_len, body_iov, body_at;
    struct http_response response;
    char error[CURL_ERROR_SIZE];
    i64 started;
    void (*done)(void *arg, const struct http_result *r);
    void *arg;
    /* an answer in pieces */
    struct http_flow flow;
    struct list news;
    bool over; /* curl has ended, with `code`; the caller has not taken everything yet */
    CURLcode code;
    i64 heard, idle_timeout;
    struct timer *idle;
    size_t (*data)(void *arg, const char *p, size_t n);
    void (*head)(void *arg, const struct http_result *r);
};

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

/* --- the body --- */

static size_t read_body(char *to, size_t size, size_t n, void *arg)
{
    struct http_call_handle *h = arg;
    size_t room = size * n, put = 0;

    while (put < room && h->body_iov < h->n_body) {
        const struct iovec *v = &h->body[h->body_iov];
        size_t take = MIN(room - put, v->iov_len - h->body_at);
        if (take) memcpy(to + put, (const char *)v->iov_base + h->body_at, take);
        put += take;
        h->body_at += take;
        if (h->body_at < v->iov_len) break;
        h->body_iov++;
        h->body_at = 0;
    }
    return put;
}

/* curl starts over on a new connection when the old one turns out dead, or after a redirect. */
static int seek_body(void *arg, curl_off_t to, int origin)
{
    struct http_call_handle *h = arg;

    if (origin != SEEK_SET || to < 0 || (u64)to > h->body_len) return CURL_SEEKFUNC_CANTSEEK;
    size_t left = (size_t)to;
    for (h->body_iov = 0; h->body_iov < h->n_body && left >= h->body[h->body_iov].iov_len;
         h->body_iov++)
        left -= h->body[h->body_iov].iov_len;
    h->body_at = left;
    return CURL_SEEKFUNC_OK;
}

static void set_body(struct http_call_handle *h)
{
    curl_easy_setopt(h->easy, CURLOPT_POST, 1L);
    curl_easy_setopt(h->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)h->body_len);
    if (h->n_body == 1) {
        curl_easy_setopt(h->easy, CURLOPT_POSTFIELDS, h->body[0].iov_base);
        return;
    }
    curl_easy_setopt(h->easy, CURLOPT_READFUNCTION, read_body);
    curl_easy_setopt(h->easy, CURLOPT_READDATA, h);
    curl_easy_setopt(h->easy, CURLOPT_SEEKFUNCTION, seek_body);
    curl_easy_setopt(h->easy, CURLOPT_SEEKDATA, h);
}

static void set_method(struct http_call_handle *h, struct str method)
{
    bool post = str_is(method, "POST"), get = str_is(method, "GET") || method.n == 0;

    if (h->body_len || post)
        set_body(h);
    else if (str_is(method, "HEAD"))
        curl_easy_setopt(h->easy, CURLOPT_NOBODY, 1L);
    else
        curl_easy_setopt(h->easy, CURLOPT_HTTPGET, 1L);
    if (!(post || (get && !h->body_len) || str_is(method, "HEAD")))
        curl_easy_setopt(h->easy, CURLOPT_CUSTOMREQUEST,
                         get ? "GET" : arena_strdup(&h->arena, method));
}

/* --- headers --- */

static bool is_clean(struct str s)
{
    return !s.n || (!memchr(s.p, '\r', s.n) && !memchr(s.p, '\n', s.n) && !memchr(s.p, 0, s.n));
}

static void add_line(struct http_call_handle *h, const char *line)
{
    struct curl_slist *longer = curl_slist_append(h->headers, line);

    ASSERT(longer); /* small, ours */
    h->headers = longer;
}

/* curl wants "Name;" for a header without value, and "Name:" to leave one of its own out. */
static void add_header(struct http_call_handle *h, const struct http_header *x)
{
    const char *form = x->value.n ? STR_FMT ": " STR_FMT : STR_FMT ";" STR_FMT;

    add_line(h, arena_printf(&h->arena, form, STR_ARG(x->name), STR_ARG(x->value)));
}

static void suppress(struct http_call_handle *h, const struct http_call *call, const char *name)
{
    if (!http_header_get(call->headers, call->n_headers, str_of(name)).p)
        add_line(h, arena_printf(&h->arena, "%s:", name));
}

static bool set_headers(struct http_call_handle *h, const struct http_call *call)
{
    static const char *const curls[] = {"Expect", "Accept", "User-Agent", "Content-Type"};

    for (size_t i = 0; i < call->n_headers; i++) {
        const struct http_header *x = &call->headers[i];
        if (!x->name.n || !is_clean(x->name) || !is_clean(x->value) || str_chr(x->name, ':') >= 0)
            return false;
        add_header(h, x);
    }
    for (size_t i = 0; i < ARRAY_LEN(curls); i++)
        suppress(h, call, curls[i]);
    if (h->pool->target->conf.no_keepalive) add_line(h, "Connection: close");
    curl_easy_setopt(h->easy, CURLOPT_HTTPHEADER, h->headers);
    return true;
}

/* --- where to --- */

static int default_port(const struct url *u)
{
    return u->port ? u->port : str_ieq(u->scheme, STR("https")) ? 443 : 80;
}

/* The name that is verified and sent by SNI is the URL's for curl: so the URL gets it, and the
 * connection goes where the call said. */
static const char *with_server_name(struct http_call_handle *h, const struct http_call *call)
{
    struct str name = h->pool->target->conf.tls.server_name;
    const struct url *u = &h->url;
    int port = default_port(u);
    bool v6 = str_chr(u->host, ':') >= 0;

    if (!name.n || !str_ieq(u->scheme, STR("https")) || str_ieq(name, u->host))
        return arena_strdup(&h->arena, call->url);
    const char *host = arena_printf(&h->arena, v6 ? "[" STR_FMT "]" : STR_FMT, STR_ARG(u->host));
    h->connect_to = curl_slist_append(
        NULL, arena_printf(&h->arena, STR_FMT ":%d:%s:%d", STR_ARG(name), port, host, port));
    curl_easy_setopt(h->easy, CURLOPT_CONNECT_TO, h->connect_to);
    if (!http_header_get(call->headers, call->n_headers, STR("Host")).p)
        add_line(h, u->port ? arena_printf(&h->arena, "Host: %s:%d", host, port)
                            : arena_printf(&h->arena, "Host: %s", host));
    const char *auth =
        u->userinfo.n ? arena_printf(&h->arena, STR_FMT "@", STR_ARG(u->userinfo)) : "";
    return arena_printf(&h->arena, "https://%s" STR_FMT ":%d" STR_FMT "%s" STR_FMT, auth,
                        STR_ARG(name), port, STR_ARG(u->path), u->query.n ? "?" : "",
                        STR_ARG(u->query));
}

/* Checked where they are configured: curl refuses nothing here. */
static void set_proxy_headers(struct http_call_handle *h)
{
    const struct http_target_conf *c = &h->pool->target->conf;

    for (size_t i = 0; i < c->n_proxy_headers; i++) {
        const struct http_header *x = &c->proxy_headers[i];
        struct curl_slist *longer =
            curl_slist_append(h->proxy_headers, arena_printf(&h->arena, STR_FMT ": " STR_FMT,
                                                             STR_ARG(x->name), STR_ARG(x->value)));
        ASSERT(longer);
        h->proxy_headers = longer;
    }
    if (h->proxy_headers) curl_easy_setopt(h->easy, CURLOPT_PROXYHEADER, h->proxy_headers);
}

/* Through a proxy it is the proxy's name that has to be looked up. */
static void set_route(struct http_call_handle *h)
{
    struct str proxy = http_target_proxy(h->pool->target, &h->url), rest = proxy;
    struct url p;

    curl_easy_setopt(h->easy, CURLOPT_PROXY, proxy.n ? arena_strdup(&h->arena, proxy) : "");
    h->dial_host = h->url.host;
    h->dial_port = default_port(&h->url);
    if (proxy.n) {
        set_proxy_headers(h);
        ssize_t sep = str_find(proxy, STR("://"));
        if (sep >= 0) rest = str_sub(proxy, (size_t)sep + 3, proxy.n);
        struct str as_url = str_of(arena_printf(&h->arena, "http://" STR_FMT, STR_ARG(rest)));
        if (url_parse(as_url, &p, NULL) == 0) {
            h->dial_host = p.host;
            h->dial_port = p.port ? p.port : 1080; /* curl's own default for proxies */
        }
    }
    const char *form = str_chr(h->dial_host, ':') >= 0 ? "[" STR_FMT "]:%d" : STR_FMT ":%d";
    if (h->pool->target->conf.unix_socket.n)
        h->target = h->pool->target->conf.unix_socket.p;
    else
        h->target = arena_printf(&h->arena, form, STR_ARG(h->dial_host), h->dial_port);
}

/* --- the end of a call --- */

/* Takes a running transfer out. curl 7.88 does not reset the HTTP/2 stream of one that is not over,
 * so the server would work on for nobody: the connection is closed unless others use it, which also
 * gets rid of one that died without a word. */
static void stop_transfer(struct http_call_handle *h, bool over)
{
    if (h->state != RUNNING) return;
    if (!over) curl_easy_setopt(h->easy, CURLOPT_FORBID_REUSE, 1L);
    curl_multi_remove_handle(h->pool->multi, h->easy);
    h->state = FINISHED;
}

/* Everything that curl, the resolver and the pool hold of the call. */
static void detach(struct http_call_handle *h)
{
    if (h->query) resolver_cancel(h->query);
    stop_transfer(h, false);
    if (h->pool) curl_pool_give(h->pool, h->easy);
    timer_free(h->timer);
    timer_free(h->idle);
}

static void call_free(struct http_call_handle *h)
{
    if (h->headers) curl_slist_free_all(h->headers);
    if (h->resolve) curl_slist_free_all(h->resolve);
    if (h->connect_to) curl_slist_free_all(h->connect_to);
    if (h->proxy_headers) curl_slist_free_all(h->proxy_headers);
    http_response_done(&h->response);
    http_flow_done(&h->flow);
    arena_done(&h->arena);
    free(h);
}

static void unlink_call(struct http_call_handle *h)
{
    list_del(&h->node);
    list_del(&h->news);
    if (h->c->current == h) h->c->current = NULL;
    h->c->n_calls--;
}

static void client_destroy(struct http_client *c)
{
    list_each (&c->pools, node)
        curl_pool_free(list_item(node, struct curl_pool, node));
    if (c->curl_ready) curl_global_cleanup();
    free(c);
}

static void enter(struct http_client *c)
{
    c->depth++;
}

static void leave(struct http_client *c)
{
    if (--c->depth == 0 && c->dead) client_destroy(c);
}

static void finish(struct http_call_handle *h, enum http_fail fail, const char *error)
{
    struct http_client *c = h->c;
    struct http_result r = {
        .fail = fail, .error = error, .elapsed = loop_now(c->loop) - h->started};

    if (fail == HTTP_OK || fail == HTTP_TOO_LARGE) http_response_fill(&h->response, &r);
    stop_transfer(h, fail != HTTP_TIMEOUT);
    h->state = FINISHED;
    unlink_call(h);
    enter(c);
    h->done(h->arg, &r);
    detach(h);
    call_free(h);
    leave(c);
}

static const struct {
    CURLcode code;
    enum http_fail fail;
} codes[] = {
    {CURLE_COULDNT_RESOLVE_HOST, HTTP_RESOLVE}, {CURLE_COULDNT_RESOLVE_PROXY, HTTP_RESOLVE},
    {CURLE_COULDNT_CONNECT, HTTP_CONNECT},      {CURLE_OPERATION_TIMEDOUT, HTTP_TIMEOUT},
    {CURLE_SSL_CONNECT_ERROR, HTTP_TLS},        {CURLE_PEER_FAILED_VERIFICATION, HTTP_TLS},
    {CURLE_SSL_CERTPROBLEM, HTTP_TLS},          {CURLE_SSL_CIPHER, HTTP_TLS},
    {CURLE_SSL_CACERT_BADFILE, HTTP_TLS},       {CURLE_SSL_ISSUER_ERROR, HTTP_TLS},
    {CURLE_SSL_INVALIDCERTSTATUS, HTTP_TLS},
};

static enum http_fail fail_of(CURLcode code)
{
    for (size_t i = 0; i < ARRAY_LEN(codes); i++)
        if (codes[i].code == code) return codes[i].fail;
    return HTTP_BROKEN;
}

static const char *lower_first(struct arena *a, const char *text)
{
    char *copy = arena_strdup(a, str_of(text));

    if (*copy >= 'A' && *copy <= 'Z' && copy[1] >= 'a' && copy[1] <= 'z')
        *copy = (char)(*copy | 0x20);
    return copy;
}

static const char *connect_error(struct http_call_handle *h)
{
    long err = 0;
    char why[128];
    const char *network = h->pool->target->conf.unix_socket.n ? "unix" : "tcp";

    curl_easy_getinfo(h->easy, CURLINFO_OS_ERRNO, &err);
    const char *text = err           ? strerror_r((int)err, why, sizeof(why))
                       : h->error[0] ? h->error
                                     : "failed";
    return arena_printf(&h->arena, "dial %s %s: connect: %s", network, h->target,
                        lower_first(&h->arena, text));
}

static const char *error_text(struct http_call_handle *h, CURLcode code, enum http_fail fail)
{
    const char *text = h->error[0] ? h->error : curl_easy_strerror(code);

    switch (fail) {
    case HTTP_CONNECT: return connect_error(h);
    case HTTP_RESOLVE:
        return arena_printf(&h->arena, "dial tcp: lookup " STR_FMT ": no such host",
                            STR_ARG(h->dial_host));
    case HTTP_TIMEOUT: return arena_printf(&h->arena, "dial tcp %s: i/o timeout", h->target);
    case HTTP_TLS: return arena_printf(&h->arena, "tls: %s", lower_first(&h->arena, text));
    case HTTP_OK:
    case HTTP_BROKEN:
    case HTTP_TOO_LARGE:
    case HTTP_CANCELLED: break;
    }
    return lower_first(&h->arena, text);
}

static void transfer_over(struct http_call_handle *h, CURLcode code)
{
    struct http_response *r = &h->response;

    if (code == CURLE_OK || r->cut) {
        finish(h, HTTP_OK, NULL);
    } else if (r->too_large) {
        finish(h, HTTP_TOO_LARGE, "the response is larger than its limit");
    } else {
        enum http_fail fail = fail_of(code);
        if (fail == HTTP_CONNECT) resolver_forget(h->c->net->resolver, h->dial_host);
        finish(h, fail,
               r->bad_head ? "the response's headers are too large" : error_text(h, code, fail));
    }
}

/* --- answers in pieces --- */

static void on_news(struct http_flow *f)
{
    struct http_call_handle *h = container_of(f, struct http_call_handle, flow);

    h->heard = loop_now(h->c->loop);
    list_del(&h->news);
    list_add_tail(&h->c->news, &h->news);
}

static void tell_head(struct http_call_handle *h)
{
    struct http_result r = {.fail = HTTP_OK, .elapsed = loop_now(h->c->loop) - h->started};

    h->flow.told = true;
    if (!h->head) return;
    http_response_fill(&h->response, &r);
    h->head(h->arg, &r);
}

static void tell_data(struct http_call_handle *h)
{
    struct str s = buf_view(&h->flow.waiting);
    struct http_client *c = h->c;
    size_t took = h->data(h->arg, s.p, s.n);

    if (c->current != h) return;
    ASSERT(took <= s.n);
    http_flow_take(&h->flow, took);
    if (took < s.n) h->flow.paused = true;
}

/* Curl hands over what it kept at once: that makes news again. */
static void unchoke(struct http_call_handle *h)
{
    h->flow.choked = false;
    if (h->state != RUNNING || h->over) return;
    CURLcode r = curl_easy_pause(h->easy, CURLPAUSE_CONT);
    if (r != CURLE_OK) transfer_over(h, r);
}

static void tell(struct http_call_handle *h)
{
    struct http_client *c = h->c;
    struct http_flow *f = &h->flow;

    c->current = h;
    if (f->head && !f->told) tell_head(h);
    if (c->current == h && f->waiting.n && !f->paused) tell_data(h);
    if (c->current == h && f->choked && !f->paused) unchoke(h);
    if (c->current == h && h->over && !f->paused && !f->waiting.n) transfer_over(h, h->code);
    c->current = NULL;
}

static void tell_all(struct http_client *c)
{
    while (!c->dead && !list_empty(&c->news)) {
        struct http_call_handle *h = list_item(c->news.next, struct http_call_handle, news);
        list_del(&h->news);
        if (!h->flow.paused) tell(h);
    }
}

static void on_tell(struct msg *m)
{
    struct http_client *c = container_of(m, struct http_client, tell);

    c->telling = false;
    tell_all(c);
    leave(c);
}

static void tell_later(struct http_call_handle *h)
{
    struct http_client *c = h->c;

    on_news(&h->flow);
    if (c->telling) return;
    c->telling = true;
    enter(c);
    loop_defer(c->loop, &c->tell);
}

void http_call_pause(struct http_call_handle *h)
{
    ASSERT(h->data);
    h->flow.paused = true;
}

void http_call_resume(struct http_call_handle *h)
{
    if (!h->flow.paused || h->state == FINISHED) return;
    h->flow.paused = false;
    tell_later(h);
}

/* Bytes may come all the time: the timer is not moved by each, but looks when it comes. */
static void on_idle(void *arg)
{
    struct http_call_handle *h = arg;
    i64 left = h->heard + h->idle_timeout - loop_now(h->c->loop);

    if (h->flow.paused || h->over)
        timer_start(h->idle, h->idle_timeout);
    else if (left > 0)
        timer_start(h->idle, left);
    else
        finish(h, HTTP_TIMEOUT, "nothing came for too long");
}

/* Everything that came is handed over before the end is told. */
static void transfer_ended(struct http_call_handle *h, CURLcode code)
{
    h->over = true;
    h->code = code;
    if (!h->flow.paused && !h->flow.waiting.n) transfer_over(h, code);
}

static void on_active(struct curl_pool *p)
{
    struct http_client *c = p->arg;
    struct http_call_handle *h = NULL;
    CURLcode code;
    CURL *easy;

    enter(c);
    tell_all(c);
    while (!c->dead && curl_pool_next(p, &easy, &code)) {
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, &h);
        transfer_ended(h, code);
    }
    leave(c);
}

static void on_timeout(void *arg)
{
    finish(arg, HTTP_TIMEOUT, "context deadline exceeded");
}

/* --- starting --- */

static void on_failed(struct msg *m)
{
    struct http_call_handle *h = container_of(m, struct http_call_handle, failed);

    if (h->state == FINISHED)
        call_free(h); /* cancelled in between */
    else
        finish(h, HTTP_BROKEN, h->start_error);
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
        finish(h, HTTP_RESOLVE,
               arena_printf(&h->arena, "dial tcp: lookup " STR_FMT ": %s", STR_ARG(h->dial_host),
                            err));
    }
}

static void go(struct http_call_handle *h)
{
    if (resolver_is_literal(h->dial_host) || h->pool->target->conf.unix_socket.n) {
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

/* NULL, or why the call cannot be made. */
static const char *configure(struct http_call_handle *h, const struct http_call *call)
{
    char *why = NULL;
    const char *url = arena_strdup(&h->arena, call->url);

    curl_easy_setopt(h->easy, CURLOPT_PRIVATE, h);
    curl_easy_setopt(h->easy, CURLOPT_ERRORBUFFER, h->error);
    if (url_parse(str_n(url, call->url.n), &h->url, &why) != 0) {
        const char *text = arena_strdup(&h->arena, str_of(why));
        free(why);
        return text;
    }
    if (!is_clean(call->method)) return "invalid method";
    set_method(h, call->method);
    curl_easy_setopt(h->easy, CURLOPT_URL, with_server_name(h, call));
    if (!set_headers(h, call)) return "invalid header name or value";
    set_route(h);
    http_response_init(&h->response, h->easy, call->max_response);
    h->response.truncate = call->truncate;
    h->response.follow = h->pool->target->conf.follow_redirects;
    if (call->data) h->response.flow = &h->flow;
    return NULL;
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
    c->tell.fn = on_tell;
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
    enter(c);
    leave(c);
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

static void expect_pieces(struct http_call_handle *h, const struct http_call *call)
{
    h->data = call->data;
    h->head = call->head;
    h->heard = h->started;
    h->idle_timeout = call->idle_timeout;
    http_flow_init(&h->flow, on_news);
    if (call->idle_timeout <= 0) return;
    h->idle = timer_new(h->c->loop, on_idle, h);
    timer_start(h->idle, h->idle_timeout);
}

static struct http_call_handle *call_new(struct http_client *c, const struct http_call *call)
{
    struct http_call_handle *h = xnew(struct http_call_handle);

    h->c = c;
    h->body = call->body;
    h->n_body = call->n_body;
    h->body_len = call->body_len;
    h->started = loop_now(c->loop);
    h->done = call->done;
    h->arg = call->arg;
    arena_init(&h->arena, 0);
    h->timer = timer_new(c->loop, on_timeout, h);
    if (call->timeout > 0) timer_start(h->timer, call->timeout);
    list_init(&h->news);
    if (call->data) expect_pieces(h, call);
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
    return configure(h, call);
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
    unlink_call(h);
    detach(h);
    h->state = FINISHED;
    if (!queued) call_free(h); /* otherwise on_failed does */
}
