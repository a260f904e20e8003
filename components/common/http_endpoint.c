/* A request is two steps, of which the first is nothing for most endpoints. */
#include "components/common/http_endpoint.h"

#include "base/xalloc.h"

struct http_endpoint {
    struct refs refs;
    struct arena arena; /* texts of what follows */
    struct http_target *target;
    struct http_auth_conf auth;
    struct http_token *tokens[METRIC_WRITERS]; /* by loop, whose own each is; NULL: none yet */
    struct http_header *headers;
    size_t n_headers;
};

/* --- the endpoint --- */

static struct str own(struct http_endpoint *e, struct str s)
{
    return s.n ? arena_str(&e->arena, s) : (struct str){0};
}

static struct http_header *own_headers(struct http_endpoint *e, const struct http_header *h,
                                       size_t n, size_t more)
{
    struct http_header *copy = arena_array(&e->arena, struct http_header, n + more);

    for (size_t i = 0; i < n; i++)
        copy[i] = (struct http_header){own(e, h[i].name), own(e, h[i].value)};
    return copy;
}

static char *take_auth(struct http_endpoint *e, const struct http_client_args *args)
{
    struct http_target_conf token;
    char *err = NULL;

    http_client_args_auth(args, &e->arena, &e->auth);
    e->auth.name = own(e, e->auth.name);
    e->auth.secret = own(e, e->auth.secret);
    e->auth.secret_file = own(e, e->auth.secret_file);
    e->auth.token_url = own(e, e->auth.token_url);
    e->auth.params = own_headers(e, e->auth.params, e->auth.n_params, 0);
    if (e->auth.kind != HTTP_AUTH_OAUTH2) return NULL;
    http_client_args_token_target(args, &e->arena, &token);
    e->auth.target = http_target_new(&token, &err);
    return err;
}

static void take_headers(struct http_endpoint *e, const struct http_endpoint_conf *conf)
{
    const struct http_header *configured = NULL;
    size_t n = conf->args ? http_client_args_headers(conf->args, &e->arena, &configured) : 0;

    e->headers = own_headers(e, configured, n, 1);
    e->n_headers = n;
    if (conf->user_agent && !http_header_get(e->headers, n, STR("User-Agent")).p)
        e->headers[e->n_headers++] =
            (struct http_header){STR("User-Agent"), str_of(conf->user_agent)};
}

struct http_endpoint *http_endpoint_new(const struct http_endpoint_conf *conf, char **ret_err)
{
    struct http_endpoint *e = xnew(struct http_endpoint);
    struct http_target_conf target = {0};
    char *err = NULL;

    refs_init(&e->refs);
    arena_init(&e->arena, 0);
    if (conf->args) http_client_args_target(conf->args, &e->arena, &target);
    target.unix_socket = conf->unix_socket;
    target.read_buffer = conf->read_buffer;
    target.max_idle_conns = conf->max_idle_conns;
    take_headers(e, conf);
    if (conf->args) err = take_auth(e, conf->args);
    if (!err) e->target = http_target_new(&target, &err);
    if (!err) return e;
    *ret_err = err;
    http_endpoint_unref(e);
    return NULL;
}

struct http_endpoint *http_endpoint_ref(struct http_endpoint *e)
{
    refs_get(&e->refs);
    return e;
}

void http_endpoint_unref(struct http_endpoint *e)
{
    if (!e || !refs_put(&e->refs)) return;
    http_target_unref(e->target);
    http_target_unref(e->auth.target);
    for (size_t i = 0; i < ARRAY_LEN(e->tokens); i++)
        http_token_unref(e->tokens[i]);
    arena_done(&e->arena);
    free(e);
}

/* Where the loop keeps its token; NULL: there is nothing to keep. */
static struct http_token *token_of(struct http_endpoint *e, const struct loop *l)
{
    struct http_token **t = &e->tokens[loop_index(l)];

    if (e->auth.kind != HTTP_AUTH_OAUTH2) return NULL;
    if (!*t) *t = http_token_new();
    return *t;
}

/* --- a request --- */

struct http_request {
    struct http_endpoint *endpoint;
    struct http_client *client;
    struct loop *loop;
    struct offload *pool;
    struct arena arena;
    struct http_call call; /* its texts in the arena */
    struct http_auth *auth;
    struct http_call_handle *handle;
    struct msg again; /* tells later what was known at once */
    bool queued, cancelled;
    bool old_token; /* it goes out with a token that was fetched before */
    struct str authorization;
    const char *error;
};

static void request_free(struct http_request *r)
{
    http_endpoint_unref(r->endpoint);
    arena_done(&r->arena);
    free(r);
}

static void authorize(struct http_request *r);

/* The answer says that a kept token holds no more, which a new one may mend. */
static bool token_refused(const struct http_request *r, const struct http_result *result)
{
    return r->old_token && result->fail == HTTP_OK && result->status == 401;
}

static void on_done(void *arg, const struct http_result *result)
{
    struct http_request *r = arg;

    r->handle = NULL;
    if (token_refused(r, result)) {
        http_token_forget(token_of(r->endpoint, r->loop));
        authorize(r);
        return;
    }
    r->call.done(r->call.arg, result);
    request_free(r);
}

static size_t on_data(void *arg, const char *p, size_t n)
{
    const struct http_request *r = arg;

    return r->call.data(r->call.arg, p, n);
}

static void on_head(void *arg, const struct http_result *result)
{
    const struct http_request *r = arg;

    if (!token_refused(r, result)) r->call.head(r->call.arg, result);
}

static void add(struct http_call *c, struct http_header *to, const struct http_header *h, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!http_header_get(c->headers, c->n_headers, h[i].name).p) *to++ = h[i];
}

static size_t missing(const struct http_call *c, const struct http_header *h, size_t n)
{
    size_t count = 0;

    for (size_t i = 0; i < n; i++)
        count += !http_header_get(c->headers, c->n_headers, h[i].name).p;
    return count;
}

/* The call's own headers first; of ours those whose names it does not have. */
static void add_headers(struct http_request *r, const struct http_header *h, size_t n)
{
    struct http_call *c = &r->call;
    size_t more = missing(c, h, n);
    struct http_header *all = arena_array(&r->arena, struct http_header, c->n_headers + more);

    if (c->n_headers) memcpy(all, c->headers, c->n_headers * sizeof(*all));
    add(c, all + c->n_headers, h, n);
    c->headers = all;
    c->n_headers += more;
}

static void go(struct http_request *r)
{
    const struct http_header authorization = {STR("Authorization"), r->authorization};
    const struct http_call asked = r->call;
    struct http_call call;

    add_headers(r, r->endpoint->headers, r->endpoint->n_headers);
    if (r->authorization.n) add_headers(r, &authorization, 1);
    call = r->call;
    r->call = asked; /* it may have to go out once more, with another value */
    call.arg = r;
    call.done = on_done;
    if (call.data) call.data = on_data;
    if (call.head) call.head = on_head;
    r->handle = http_client_start(r->client, &call);
}

static void on_again(struct msg *m)
{
    struct http_request *r = container_of(m, struct http_request, again);

    r->queued = false;
    if (r->cancelled) {
        request_free(r);
    } else if (r->error) {
        on_done(r, &(struct http_result){.fail = HTTP_BROKEN, .error = r->error});
    } else {
        go(r);
    }
}

/* May be called while http_auth_start runs. */
static void on_authorized(void *arg, struct str value, const char *err)
{
    struct http_request *r = arg;

    r->auth = NULL;
    r->authorization = arena_str(&r->arena, value);
    if (err) r->error = arena_strdup(&r->arena, str_of(err));
    r->again.fn = on_again;
    r->queued = true;
    loop_defer(r->loop, &r->again);
}

/* Of each try a token that was kept is an old one; one that was fetched for it is not. */
static void authorize(struct http_request *r)
{
    struct http_auth_conf conf = r->endpoint->auth;
    i64 timeout = r->call.timeout > 0 ? r->call.timeout : 30 * NS_PER_SEC;

    conf.token = token_of(r->endpoint, r->loop);
    r->old_token = http_token_get(conf.token, loop_now(r->loop)).n > 0;
    struct http_auth *auth =
        http_auth_start(r->client, r->loop, r->pool, &conf, timeout, on_authorized, r);
    if (!r->queued) r->auth = auth;
}

static void copy_call(struct http_request *r, const struct http_call *call)
{
    struct http_header *h = arena_array(&r->arena, struct http_header, call->n_headers);

    r->call = *call;
    r->call.target = r->endpoint->target;
    r->call.method = arena_str(&r->arena, call->method);
    r->call.url = arena_str(&r->arena, call->url);
    for (size_t i = 0; i < call->n_headers; i++)
        h[i] = (struct http_header){arena_str(&r->arena, call->headers[i].name),
                                    arena_str(&r->arena, call->headers[i].value)};
    r->call.headers = h;
}

struct http_request *http_request_start(struct http_endpoint *e, struct worker *w,
                                        struct offload *pool, const struct http_call *call)
{
    struct http_request *r = xnew(struct http_request);

    r->endpoint = http_endpoint_ref(e);
    r->client = w->http;
    r->loop = w->loop;
    r->pool = pool;
    arena_init(&r->arena, 0);
    copy_call(r, call);
    if (e->auth.kind == HTTP_AUTH_NONE)
        go(r);
    else
        authorize(r);
    return r;
}

void http_request_cancel(struct http_request *r)
{
    if (r->auth) http_auth_cancel(r->auth);
    if (r->handle) http_client_cancel(r->handle);
    if (r->queued)
        r->cancelled = true; /* on_again frees it */
    else
        request_free(r);
}

void http_request_resume(struct http_request *r)
{
    if (r->handle) http_call_resume(r->handle);
}
