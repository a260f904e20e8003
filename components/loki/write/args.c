/* loki.write: tables, faults, and what follows from the settings alone. Source: spec A.5. */
#include "components/loki/write/args.h"

#include <errno.h>
#include "base/hash.h"
#include "base/num.h"
#include "components/common/settings.h"

#define Q struct queue_args
static const struct row queue_rows[] = {
    ATTR(Q, block_on_overflow, .def = "true",
         .doc = "Wait when the queue is full; false: drop, counted."),
    ATTR(Q, capacity, .def = "\"10MiB\"", .doc = "Size of the batches that may wait in memory.",
         .has_min = true, .min = 0),
    ATTR(Q, drain_timeout, .def = "\"15s\"", .doc = "Time for sending what is left at the end."),
    ATTR(Q, min_shards, .def = "1", .has_min = true, .min = 1,
         .doc = "Least number of requests in flight at a time."),
};
static const struct schema queue_schema = SCHEMA(Q, queue_rows);
#undef Q

#define E struct endpoint_args
static const struct row endpoint_rows[] = {
    ATTR(E, url, .required = true, .doc = "URL that entries are sent to."),
    ATTR(E, batch_size, .def = "\"1MiB\"", .has_min = true, .min = 1,
         .doc = "Largest size of the lines and metadata in one request."),
    ATTR(E, batch_wait, .def = "\"1s\"", .doc = "Longest wait before a request is sent."),
    HTTP_CLIENT_ROWS(E, client.),
    ATTR(E, headers, .doc = "Further headers of each request."),
    ATTR(E, max_backoff_period, .def = "\"5m\"", .doc = "Longest wait between attempts."),
    ATTR(E, max_backoff_retries, .def = "10", .has_min = true, .min = 0,
         .doc = "Attempts after which a request counts as failed; 0: any number."),
    ATTR(E, min_backoff_period, .def = "\"500ms\"", .doc = "Wait before the second attempt."),
    ATTR(E, name, .def = "\"\"", .doc = "Name of the endpoint, for the log on disk and messages."),
    ATTR(E, remote_timeout, .def = "\"10s\"", .doc = "Time for one attempt."),
    ATTR(E, retry_on_http_429, .def = "true", .doc = "Try again after an answer 429."),
    ATTR(E, tenant_id, .def = "\"\"", .doc = "Tenant of entries without the label __tenant_id__."),
    BLOCK(E, queue_config, &queue_schema, .doc = "What waits to be sent."),
};
static const struct rule endpoint_rules[] = {HTTP_CLIENT_RULE};
static void check_endpoint(const void *args, const struct span *at, struct diags *diags);
static const struct schema endpoint_schema =
    SCHEMA(E, endpoint_rows, .rules = endpoint_rules, .n_rules = ARRAY_LEN(endpoint_rules),
           .validate = check_endpoint, .span_off = offsetof(E, span));
#undef E

#define W struct wal_args
static const struct row wal_rows[] = {
    ATTR(W, drain_timeout, .def = "\"15s\"", .doc = "Time for sending what is left at the end."),
    ATTR(W, enabled, .def = "false", .doc = "Write entries to disk before they are acknowledged."),
    ATTR(W, max_read_frequency, .def = "\"1s\"", .doc = "Wait after a failed read of the log."),
    ATTR(W, max_segment_age, .def = "\"1h\"", .doc = "Age at which a file of the log is closed."),
    ATTR(W, max_size, .own = true, .def = "\"1GiB\"", .has_min = true, .min = 1 << 20,
         .doc = "Largest size of the log on disk, with or without enabled: endpoints that stall "
                "have what they lack in it."),
    ATTR(W, min_read_frequency, .def = "\"250ms\"",
         .doc = "Wait between a write and reading it from the log."),
};
static const struct schema wal_schema = SCHEMA(W, wal_rows);
#undef W

#define A struct write_args
static const struct row args_rows[] = {
    ATTR(A, external_labels, .def = "{}", .doc = "Labels added to entries that lack them."),
    ATTR(A, max_streams, .def = "0", .has_min = true, .min = 0,
         .doc = "Most streams in one request; 0: any number."),
    BLOCKS(A, endpoint, &endpoint_schema, .doc = "Where to send entries."),
    BLOCK(A, wal, &wal_schema, .doc = "The log on disk."),
};
static void check_args(const void *args, const struct span *at, struct diags *diags);
const struct schema write_args_schema = SCHEMA(A, args_rows, .validate = check_args);
#undef A

static void check_endpoint(const void *args, const struct span *at, struct diags *diags)
{
    const struct endpoint_args *a = args;
    struct url url;
    char *why = NULL;

    if (url_parse(a->url, &url, &why) != 0)
        diag_error(diags, DIAG_VALUE_INVALID, schema_span(&endpoint_schema, at, "url"), "%s", why);
    free(why);
    static const char *const times[] = {"batch_wait", "min_backoff_period", "max_backoff_period",
                                        "remote_timeout"};
    const i64 ns[] = {a->batch_wait.ns, a->min_backoff_period.ns, a->max_backoff_period.ns,
                      a->remote_timeout.ns};
    for (size_t i = 0; i < ARRAY_LEN(times); i++)
        if (ns[i] < 0)
            diag_error(diags, DIAG_VALUE_INVALID, schema_span(&endpoint_schema, at, times[i]),
                       "%s must not be negative", times[i]);
    http_client_args_check(&a->client, &endpoint_schema, at, diags);
}

static void check_args(const void *args, const struct span *at, struct diags *diags)
{
    const struct write_args *a = args;

    if (a->wal.min_read_frequency.ns >= a->wal.max_read_frequency.ns)
        diag_error(diags, DIAG_BODY_RULE, schema_span(&write_args_schema, at, "wal"),
                   "WAL min read frequency should be lower than max read frequency");
}

/* --- prepare --- */

static bool queue_changed(const struct queue_args *q)
{
    return !q->block_on_overflow || q->capacity.n != 10 << 20 ||
           q->drain_timeout.ns != 15 * NS_PER_SEC || q->min_shards != 1;
}

static int check_stability(struct prepare *p, const struct endpoint_args *a)
{
    if (prepare_stability(p) >= STABILITY_EXPERIMENTAL || !queue_changed(&a->queue_config))
        return 0;
    diag_error(p->diags, DIAG_BODY_RULE, a->span,
               "changing queue_config requires stability.level flag to be experimental");
    return -EINVAL;
}

static u64 add_text(u64 h, struct str s)
{
    return hash_bytes(s.p, s.n, h + s.n + 1);
}

/* What the server is told of who writes: endpoints that agree in it are the same one for a restart.
 */
static u64 identity(const struct endpoint_args *a)
{
    u64 h = add_text(add_text(0, a->url), a->tenant_id);

    for (size_t i = 0; i < a->headers.n; i++)
        h = add_text(add_text(h, a->headers.v[i].key), a->headers.v[i].value);
    if (a->client.basic_auth) h = add_text(h, a->client.basic_auth->username);
    return h;
}

static u64 add_number(u64 h, i64 n)
{
    return hash_bytes(&n, sizeof(n), h);
}

static u64 everything(const struct endpoint_args *a)
{
    const i64 numbers[] = {a->batch_size.n,
                           a->batch_wait.ns,
                           a->min_backoff_period.ns,
                           a->max_backoff_period.ns,
                           a->remote_timeout.ns,
                           a->max_backoff_retries,
                           a->retry_on_http_429,
                           a->queue_config.capacity.n,
                           a->queue_config.drain_timeout.ns,
                           a->queue_config.min_shards,
                           a->queue_config.block_on_overflow};
    u64 h = identity(a);

    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        h = add_number(h, numbers[i]);
    return h;
}

/* The n-th of those that look alike. */
static void name_endpoint(struct write_plan *plan, struct endpoint_conf *c)
{
    u64 h = c->named ? hash_str(c->args->name) : identity(c->args);
    u32 nth = 0;

    for (struct endpoint_conf *other = plan->endpoints; other < c; other++)
        nth += !c->named && !other->named && identity(other->args) == h;
    (void)snprintf(c->id, sizeof(c->id), "%c%016llx-%u", c->named ? 'n' : 'u',
                   (unsigned long long)h, nth);
}

static int check_duplicates(struct prepare *p, const struct write_plan *plan,
                            const struct endpoint_conf *c)
{
    for (const struct endpoint_conf *other = plan->endpoints; other < c; other++) {
        bool same = c->named ? other->named && str_eq(c->args->name, other->args->name)
                             : !other->named && everything(c->args) == everything(other->args);
        if (!same) continue;
        diag_error(p->diags, DIAG_BODY_RULE, c->args->span,
                   "failed to create cliens: duplicate endpoint configs are not allowed, found "
                   "duplicate for name: " STR_FMT,
                   STR_ARG(c->args->name));
        return -EINVAL;
    }
    return 0;
}

static const char *host_of(struct arena *arena, struct str text)
{
    struct url url = {0};
    char *why = NULL;

    if (url_parse(text, &url, &why) != 0) free(why);
    return url.port ? arena_printf(arena, STR_FMT ":%d", STR_ARG(url.host), url.port)
                    : arena_strdup(arena, url.host);
}

/* The URL without user name, password and query. */
static const char *shown_of(struct arena *arena, const struct endpoint_args *a)
{
    struct url url = {0};
    char *why = NULL;

    if (a->name.n) return arena_strdup(arena, a->name);
    if (url_parse(a->url, &url, &why) != 0) free(why);
    return arena_printf(arena, STR_FMT "://%s" STR_FMT, STR_ARG(url.scheme), host_of(arena, a->url),
                        STR_ARG(url.path));
}

/* --- headers --- */

static bool is_set_already(struct str name)
{
    static const char *const ours[] = {"User-Agent",     "Content-Type", "Content-Encoding",
                                       "Content-Length", "X-Agent-Id",   "X-Alloy-Id"};

    for (size_t i = 0; i < ARRAY_LEN(ours); i++)
        if (str_ieq(name, str_of(ours[i]))) return true;
    return false;
}

static void warn_skipped(struct prepare *p, struct span at, struct str name)
{
    diag_add(p->diags, SEV_WARNING, DIAG_VALUE_NO_EFFECT, at,
             "custom header key already exists, skipping: " STR_FMT, STR_ARG(name));
    log_warn(p->log, "custom header key already exists, skipping", F_STR("key", name));
}

static void add_header(struct prepare *p, struct endpoint_conf *c, struct http_header *v,
                       struct http_header h)
{
    bool tenant = str_ieq(h.name, STR("X-Scope-OrgID"));

    if (is_set_already(h.name) || (tenant && c->args->tenant_id.n)) {
        warn_skipped(p, c->args->span, h.name);
        return;
    }
    setting_header(p, c->args->span, h.name, h.value);
    if (tenant)
        c->tenant_header = h.value; /* for entries without a tenant */
    else
        v[c->n_headers++] = h;
}

static void prepare_headers(struct prepare *p, struct endpoint_conf *c)
{
    const struct http_header *more = NULL;
    size_t n = http_client_args_headers(&c->args->client, p->arena, &more);
    const struct str_map *own = &c->args->headers;
    struct http_header *v = arena_array(p->arena, struct http_header, own->n + n + 1);

    for (size_t i = 0; i < own->n; i++)
        add_header(p, c, v, (struct http_header){own->v[i].key, own->v[i].value});
    for (size_t i = 0; i < n; i++)
        add_header(p, c, v, more[i]);
    c->headers = v;
}

/* --- targets --- */

static u64 print_of(const struct http_target_conf *t)
{
    const struct tls_conf *s = &t->tls;
    const struct str texts[] = {s->ca_pem,      s->cert_pem,  s->key_pem,
                                s->server_name, t->proxy_url, t->no_proxy};
    const i64 numbers[] = {s->skip_verify, s->min, t->proxy_from_env, t->http2,
                           t->follow_redirects};
    u64 h = 1;

    if (s->ca_file.n || s->cert_file.n || s->key_file.n) return 0;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        h = add_text(h, texts[i]);
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        h = add_number(h, numbers[i]);
    for (size_t i = 0; i < t->n_proxy_headers; i++)
        h = add_text(add_text(h, t->proxy_headers[i].name), t->proxy_headers[i].value);
    return h ? h : 1;
}

static int prepare_endpoint(struct prepare *p, struct write_plan *plan, u32 i)
{
    struct endpoint_conf *c = &plan->endpoints[i];
    const struct endpoint_args *a = &plan->args->endpoint.v[i];
    char *why;

    *c = (struct endpoint_conf){.args = a, .all = plan->args, .index = i, .named = a->name.n > 0};
    int err = check_duplicates(p, plan, c);
    if (check_stability(p, a) < 0) err = -EINVAL;
    name_endpoint(plan, c);
    c->host = host_of(p->arena, a->url);
    c->shown = shown_of(p->arena, a);
    prepare_headers(p, c);
    http_client_args_target(&a->client, p->arena, &c->target);
    http_client_args_auth(&a->client, p->arena, &c->auth);
    if (c->auth.kind == HTTP_AUTH_OAUTH2)
        http_client_args_token_target(&a->client, p->arena, &c->token_target);
    c->print = print_of(&c->target);
    if (!p->host || !(why = tls_client_check(&c->target.tls))) return err;
    diag_error(p->diags, DIAG_VALUE_INVALID, a->span, "%s", why);
    free(why);
    return -EINVAL;
}

int write_prepare(struct prepare *p, const void *args, void *plan_)
{
    struct write_plan *plan = plan_;
    int err = 0;

    plan->args = args;
    plan->n = (u32)plan->args->endpoint.n;
    plan->endpoints = arena_array(p->arena, struct endpoint_conf, plan->n + 1);
    if (plan->n == 0) {
        diag_error(p->diags, DIAG_BODY_RULE, span_at(p->block, ""),
                   "failed to create cliens: at least one endpoint config must be provided");
        err = -EINVAL;
    }
    for (u32 i = 0; i < plan->n; i++)
        if (prepare_endpoint(p, plan, i) < 0) err = -EINVAL;
    return err;
}

bool same_batching(const struct endpoint_conf *a, const struct endpoint_conf *b)
{
    const struct endpoint_args *x = a->args, *y = b->args;

    return x->batch_size.n == y->batch_size.n && x->batch_wait.ns == y->batch_wait.ns &&
           str_eq(x->tenant_id, y->tenant_id) &&
           x->queue_config.min_shards == y->queue_config.min_shards;
}
