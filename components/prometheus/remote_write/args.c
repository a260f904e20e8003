/* prometheus.remote_write: what follows from the settings alone. */
#include "components/prometheus/remote_write/args.h"

#include <errno.h>
#include "base/hash.h"
#include "components/common/settings.h"

/* --- identity --- */

static u64 add_text(u64 h, struct str s)
{
    return hash_bytes(s.p, s.n, h + s.n + 1);
}

static u64 add_number(u64 h, i64 n)
{
    return hash_bytes(&n, sizeof(n), h);
}

static u64 add_map(u64 h, const struct str_map *m)
{
    for (size_t i = 0; i < m->n; i++)
        h = add_text(add_text(h, m->v[i].key), m->v[i].value);
    return h;
}

/* What the server is told of who writes: endpoints that agree in it are the same one for a restart.
 */
static u64 identity(const struct endpoint_args *a)
{
    u64 h = add_map(add_text(0, a->url), &a->headers);

    if (a->client.basic_auth) h = add_text(h, a->client.basic_auth->username);
    return h;
}

static u64 add_rules(u64 h, const struct relabel_rules *r)
{
    for (size_t i = 0; i < r->n; i++) {
        const struct relabel_rule *v = &r->v[i];
        const struct str texts[] = {v->separator, v->regex, v->target_label, v->replacement,
                                    v->action};
        for (size_t k = 0; k < ARRAY_LEN(texts); k++)
            h = add_text(h, texts[k]);
        for (size_t k = 0; k < v->source_labels.n; k++)
            h = add_text(h, v->source_labels.v[k]);
        h = add_number(h, v->modulus);
    }
    return h;
}

static u64 everything(const struct endpoint_args *a)
{
    const struct queue_args *q = &a->queue_config;
    const struct metadata_args *m = &a->metadata_config;
    const i64 numbers[] = {q->batch_send_deadline.ns,
                           q->max_backoff.ns,
                           q->min_backoff.ns,
                           q->sample_age_limit.ns,
                           q->capacity,
                           q->max_samples_per_send,
                           q->max_shards,
                           q->min_shards,
                           q->retry_on_http_429,
                           m->max_samples_per_send,
                           m->send_interval.ns,
                           m->send,
                           a->remote_timeout.ns,
                           a->send_exemplars,
                           a->send_native_histograms,
                           a->round_robin_dns,
                           a->client.enable_http2,
                           a->client.follow_redirects,
                           a->sigv4 != NULL};
    u64 h = add_text(add_text(identity(a), a->name), a->protobuf_message);

    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        h = add_number(h, numbers[i]);
    h = add_text(add_text(h, a->client.bearer_token.s), a->client.bearer_token_file);
    if (a->sigv4) h = add_text(add_text(h, a->sigv4->region), a->sigv4->access_key);
    return add_rules(h, &a->write_relabel_config);
}

/* The n-th of those that look alike. */
static void name_endpoint(struct prepare *p, struct write_plan *plan, struct endpoint_conf *c)
{
    u64 h = c->named ? hash_str(c->args->name) : identity(c->args);
    u32 nth = 0;

    for (struct endpoint_conf *other = plan->endpoints; other < c; other++)
        nth += !c->named && !other->named && identity(other->args) == h;
    (void)snprintf(c->id, sizeof(c->id), "%c%016llx-%u", c->named ? 'n' : 'u',
                   (unsigned long long)h, nth);
    c->hash = everything(c->args);
    c->remote = c->named ? arena_strdup(p->arena, c->args->name)
                         : arena_printf(p->arena, "%06llx", (unsigned long long)c->hash >> 40);
}

static int check_duplicates(struct prepare *p, const struct write_plan *plan,
                            const struct endpoint_conf *c)
{
    for (const struct endpoint_conf *other = plan->endpoints; other < c; other++) {
        if (c->named && other->named && str_eq(c->args->name, other->args->name)) {
            diag_error(p->diags, DIAG_BODY_RULE, c->args->span,
                       "duplicate remote write configs are not allowed, found duplicate for "
                       "name: " STR_FMT,
                       STR_ARG(c->args->name));
            return -EINVAL;
        }
        if (c->named || other->named || c->hash != other->hash) continue;
        diag_error(p->diags, DIAG_BODY_RULE, c->args->span,
                   "duplicate remote write configs are not allowed, found duplicate for URL: %s",
                   c->url);
        return -EINVAL;
    }
    return 0;
}

/* The URL without user name, password and query. */
static const char *shown_of(struct arena *arena, struct str text)
{
    struct url url = {0};
    char *why = NULL;

    if (url_parse(text, &url, &why) != 0) {
        free(why);
        return arena_strdup(arena, text);
    }
    const char *port = url.port ? arena_printf(arena, ":%d", url.port) : "";
    return arena_printf(arena, STR_FMT "://" STR_FMT "%s" STR_FMT, STR_ARG(url.scheme),
                        STR_ARG(url.host), port, STR_ARG(url.path));
}

/* --- what cannot work, or has no effect --- */

static int refuse(struct prepare *p, const struct endpoint_args *a, const char *what)
{
    diag_error(p->diags, DIAG_BODY_RULE, a->span, "%s", what);
    return -EINVAL;
}

static void warn(struct prepare *p, const struct endpoint_args *a, const char *what)
{
    diag_add(p->diags, SEV_WARNING, DIAG_VALUE_NO_EFFECT, a->span, "%s", what);
    if (p->log) log_warn(p->log, what, F_STR("url", a->url));
}

static int check_supported(struct prepare *p, const struct endpoint_args *a)
{
    int err = 0;

    if (a->azuread) err = refuse(p, a, "azuread is not part of this build: use oauth2 for Azure");
    if (a->google_iam) err = refuse(p, a, "google_iam is not part of this build");
    if (a->sigv4 && a->sigv4->role_arn.n)
        err = refuse(p, a,
                     "role_arn of sigv4 is not part of this build: give the credentials of "
                     "the role themselves");
    if (a->sigv4 && a->sigv4->use_fips_sts_endpoint)
        warn(p, a, "use_fips_sts_endpoint has no effect: no role is assumed");
    if (a->round_robin_dns)
        warn(p, a,
             "round_robin_dns has no effect: connections are kept, and a new one goes to "
             "the first address that answers");
    return err;
}

static int check_stability(struct prepare *p, const struct endpoint_conf *c)
{
    if (c->version == RW_V1 || prepare_stability(p) >= STABILITY_EXPERIMENTAL) return 0;
    diag_error(p->diags, DIAG_BODY_RULE, c->args->span,
               "using remote write v2 (protobuf_message=%s) with endpoint %s requires setting the "
               "stability.level flag to experimental",
               "io.prometheus.write.v2.Request", c->named ? c->remote : c->url);
    return -EINVAL;
}

/* --- headers --- */

/* Ours that a request is never without. */
static bool is_fixed(struct str name)
{
    return str_ieq(name, STR("X-Agent-Id")) || str_ieq(name, STR("X-Alloy-Id")) ||
           str_ieq(name, STR("Content-Length"));
}

static void add_header(struct prepare *p, struct endpoint_conf *c, struct http_header *v,
                       struct http_header h)
{
    if (is_fixed(h.name)) {
        diag_add(p->diags, SEV_WARNING, DIAG_VALUE_NO_EFFECT, c->args->span,
                 "the header " STR_FMT " is set by the agent itself", STR_ARG(h.name));
        return;
    }
    setting_header(p, c->args->span, h.name, h.value);
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

static int prepare_client(struct prepare *p, struct endpoint_conf *c)
{
    const struct http_client_args *a = &c->args->client;
    char *why;

    prepare_headers(p, c);
    http_client_args_target(a, p->arena, &c->target);
    http_client_args_auth(a, p->arena, &c->auth);
    if (c->auth.kind == HTTP_AUTH_OAUTH2)
        http_client_args_token_target(a, p->arena, &c->token_target);
    c->print = print_of(&c->target);
    if (!p->host || !(why = tls_client_check(&c->target.tls))) return 0;
    diag_error(p->diags, DIAG_VALUE_INVALID, c->args->span, "%s", why);
    free(why);
    return -EINVAL;
}

static int prepare_endpoint(struct prepare *p, struct write_plan *plan, u32 i)
{
    struct endpoint_conf *c = &plan->endpoints[i];
    const struct endpoint_args *a = &plan->args->endpoint.v[i];

    *c = (struct endpoint_conf){.args = a, .index = i, .named = a->name.n > 0};
    c->url = shown_of(p->arena, a->url);
    c->version = str_is(a->protobuf_message, "io.prometheus.write.v2.Request") ? RW_V2 : RW_V1;
    name_endpoint(p, plan, c);
    int err = check_duplicates(p, plan, c);
    if (check_supported(p, a) < 0) err = -EINVAL;
    if (check_stability(p, c) < 0) err = -EINVAL;
    if (relabel_prepare(p, &a->write_relabel_config, RELABEL_NAMES_CLASSIC, &c->relabel) < 0)
        err = -EINVAL;
    if (prepare_client(p, c) < 0) err = -EINVAL;
    return err;
}

static void prepare_external(struct prepare *p, struct write_plan *plan)
{
    const struct str_map *m = &plan->args->external_labels;
    struct label *v = arena_array(p->arena, struct label, m->n + 1);

    for (size_t i = 0; i < m->n; i++)
        v[i] = (struct label){m->v[i].key, m->v[i].value};
    plan->external = v;
    plan->n_external = (u32)m->n;
}

int remote_write_prepare(struct prepare *p, const void *args, void *plan_)
{
    struct write_plan *plan = plan_;
    int err = 0;

    plan->args = args;
    plan->n = (u32)plan->args->endpoint.n;
    plan->endpoints = arena_array(p->arena, struct endpoint_conf, plan->n + 1);
    prepare_external(p, plan);
    for (u32 i = 0; i < plan->n; i++)
        if (prepare_endpoint(p, plan, i) < 0) err = -EINVAL;
    return err;
}
