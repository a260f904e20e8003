/* import.http: what a URL answers with status 200. An attempt is authorization, then one request;
 * both end within poll_timeout. Each has its own client: a minute apart, a kept connection would
 * mostly be closed by the other side. Control loop. */
#include "base/xalloc.h"
#include "runtime/import/import_impl.h"
#include "value/http_client_args.h"

struct args {
    struct str body;
    struct http_client_args client;
    struct str_map headers;
    struct str method;
    struct dur poll_frequency, poll_timeout;
    struct str url;
};

static const struct row rows[] = {
    ATTR(struct args, body, .def = "\"\"", .doc = "Body to send."),
    BLOCK(struct args, client, &http_client_args_schema, .doc = "Settings of the HTTP client."),
    ATTR(struct args, headers, .def = "{}", .doc = "Headers to send."),
    ATTR(struct args, method, .def = "\"GET\"", .doc = "Method of the request."),
    ATTR(struct args, poll_frequency, .def = "\"1m\"",
         .doc = "How often the URL is asked again; 0s: never."),
    ATTR(struct args, poll_timeout, .def = "\"10s\"", .doc = "Longest wait for an answer."),
    ATTR(struct args, url, .required = true, .doc = "URL to import."),
};
static void validate(const void *args, const struct span *at, struct diags *diags);
static const struct schema schema = SCHEMA(struct args, rows, .validate = validate);

static void validate(const void *args, const struct span *at, struct diags *diags)
{
    const struct args *a = args;
    struct url url;
    char *why = NULL;

    if (url_parse(a->url, &url, &why) != 0)
        diag_error(diags, DIAG_VALUE_INVALID, schema_span(&schema, at, "url"), "%s", why);
    if (a->poll_timeout.ns <= 0)
        diag_error(diags, DIAG_VALUE_INVALID, schema_span(&schema, at, "poll_timeout"),
                   "poll_timeout must be greater than 0");
    free(why);
}

struct import_fetch {
    struct import_ctx ctx;
    struct plan *plan;
    const struct args *args; /* the plan's */
    import_fetched_fn fn;
    void *arg;
    struct arena arena;
    struct http_client *client;
    struct http_target *target;
    struct http_auth_conf auth_conf;
    struct http_auth *auth;
    struct http_call_handle *call;
    struct timer *limit;
    char *err;
    struct iovec body;
};

/* Whoever is called may make another attempt, not touch this one. */
static void fetch_free(struct import_fetch *f)
{
    if (f->auth) http_auth_cancel(f->auth);
    if (f->call) http_client_cancel(f->call);
    if (f->client) http_client_free(f->client);
    http_target_unref(f->target);
    http_target_unref(f->auth_conf.target);
    timer_free(f->limit);
    arena_done(&f->arena);
    plan_unref(f->plan);
    free(f->err);
    free(f);
}

static void finish(struct import_fetch *f, struct import_content *content, char *err)
{
    import_fetched_fn fn = f->fn;
    void *arg = f->arg;
    char *text = err ? xprintf("failed to poll endpoint: %s", err) : NULL;

    fetch_free(f);
    free(err);
    fn(arg, content, text);
    free(text);
}

/* --- the answer --- */

/* "https://host/a/b.alloy?x" gives "https://host/a/". */
static char *folder_of(struct str url)
{
    ssize_t slash = str_rchr(url, '/');

    return str_dup(slash < 0 ? url : str_sub(url, 0, (size_t)slash + 1));
}

static struct import_content *content_of(const struct import_fetch *f, struct str body)
{
    char *folder = folder_of(f->args->url);
    struct import_content *c = import_content_new(folder);

    free(folder);
    if (import_content_add(c, f->args->url.p, body) == 0) return c;
    import_content_unref(c);
    return NULL;
}

static void answered(void *arg, const struct http_result *r)
{
    struct import_fetch *f = arg;
    struct import_content *c = NULL;
    char *err = NULL;

    f->call = NULL;
    if (r->fail != HTTP_OK)
        err = xstrdup(r->error);
    else if (r->status != 200)
        err = xprintf("unexpected status code %d", r->status);
    else if (!(c = content_of(f, r->body)))
        err = xstrdup("the content is too large");
    finish(f, c, err);
}

/* --- the request --- */

struct headers {
    struct http_header *v;
    size_t n;
};

static void add(struct headers *h, struct str name, struct str value)
{
    h->v[h->n++] = (struct http_header){name, value};
}

/* The `headers` argument goes before what the client would send by itself. */
static struct headers make_headers(struct import_fetch *f, struct str authorization)
{
    const struct str_map *own = &f->args->headers;
    const struct http_header *more = NULL;
    size_t n = http_client_args_headers(&f->args->client, &f->arena, &more);
    struct headers h = {.v = arena_array(&f->arena, struct http_header, own->n + n + 2)};

    for (size_t i = 0; i < own->n; i++)
        add(&h, own->v[i].key, own->v[i].value);
    for (size_t i = 0; i < n; i++)
        add(&h, more[i].name, more[i].value);
    if (authorization.n && !http_header_get(h.v, h.n, STR("Authorization")).p)
        add(&h, STR("Authorization"), arena_str(&f->arena, authorization));
    if (!http_header_get(h.v, h.n, STR("User-Agent")).p)
        add(&h, STR("User-Agent"), str_of(f->ctx.host->user_agent));
    return h;
}

static void send_request(struct import_fetch *f, struct str authorization)
{
    const struct args *a = f->args;
    struct headers headers = make_headers(f, authorization);

    f->body = (struct iovec){(void *)(uintptr_t)a->body.p, a->body.n};
    struct http_call call = {.target = f->target,
                             .method = a->method,
                             .url = a->url,
                             .headers = headers.v,
                             .n_headers = headers.n,
                             .body = &f->body,
                             .n_body = a->body.n ? 1 : 0,
                             .body_len = a->body.n,
                             .timeout = a->poll_timeout.ns,
                             .max_response = IMPORT_CONTENT_MAX,
                             .done = answered,
                             .arg = f};
    f->call = http_client_start(f->client, &call);
}

static void authorized(void *arg, struct str value, const char *err)
{
    struct import_fetch *f = arg;

    f->auth = NULL;
    if (err)
        finish(f, NULL, xstrdup(err));
    else
        send_request(f, value);
}

static void timed_out(void *arg)
{
    struct import_fetch *f = arg;
    char why[64];

    (void)snprintf(why, sizeof(why), "no answer within %.3gs",
                   (f64)f->args->poll_timeout.ns / (f64)NS_PER_SEC);
    finish(f, NULL, xstrdup(why));
}

/* --- an attempt --- */

static struct http_target *make_target(struct import_fetch *f, bool of_token)
{
    struct http_target_conf conf;

    if (of_token)
        http_client_args_token_target(&f->args->client, &f->arena, &conf);
    else
        http_client_args_target(&f->args->client, &f->arena, &conf);
    return http_target_new(&conf, &f->err);
}

/* False: f->err says why. Certificate files are read here, anew for each attempt. */
static bool make_targets(struct import_fetch *f)
{
    http_client_args_auth(&f->args->client, &f->arena, &f->auth_conf);
    f->target = make_target(f, false);
    if (f->target && f->auth_conf.kind == HTTP_AUTH_OAUTH2)
        f->auth_conf.target = make_target(f, true);
    return !f->err;
}

static void say_failed(void *arg)
{
    struct import_fetch *f = arg;
    char *err = f->err;

    f->err = NULL;
    finish(f, NULL, err);
}

static void begin(struct import_fetch *f)
{
    i64 timeout = f->args->poll_timeout.ns;

    f->client = http_client_new(f->ctx.host->net, f->ctx.loop);
    timer_start(f->limit, timeout);
    f->auth = http_auth_start(f->client, f->ctx.loop, f->ctx.host->offload, &f->auth_conf, timeout,
                              authorized, f);
}

static struct import_fetch *fetch(const struct import_ctx *ctx, struct plan *plan,
                                  import_fetched_fn fn, void *arg)
{
    struct import_fetch *f = xnew(struct import_fetch);

    *f = (struct import_fetch){.ctx = *ctx, .plan = plan_ref(plan), .args = plan->args, .fn = fn};
    f->arg = arg;
    arena_init(&f->arena, 0);
    if (make_targets(f)) {
        f->limit = timer_new(ctx->loop, timed_out, f);
        begin(f);
    } else {
        f->limit = timer_new(ctx->loop, say_failed, f);
        timer_start(f->limit, 0);
    }
    return f;
}

static struct import_watch *watch(const struct import_ctx *ctx, struct plan *plan,
                                  struct import_content *current, const struct import_events *ev,
                                  void *arg)
{
    static const struct import_source source = {
        .fetch = fetch, .cancel = fetch_free, .well = "polled endpoint"};
    const struct args *a = plan->args;
    struct import_watch *w = import_watch_new(&source, ctx, plan, current, ev, arg);

    import_watch_every(w, a->poll_frequency.ns);
    return w;
}

const struct import_kind import_http_kind = {
    .def =
        {
            .name = "import.http",
            .summary = "Imports custom components from a URL, and polls it.",
            .example = "import.http \"lib\" {\n\turl = \"https://example.com/lib.alloy\"\n}\n",
            .args = &schema,
        },
    .may_import_files = false,
    .fetch = fetch,
    .cancel = fetch_free,
    .watch = watch,
    .unwatch = import_watch_free,
};
