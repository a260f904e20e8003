/* One attempt to deliver an item: authorization, headers, the call, and what the answer says. */
#include "components/loki/write/write.h"

#include "base/xalloc.h"

#define ANSWER_MAX 1024 /* of an error, for the log */

/* --- the answer --- */

/* "server returned HTTP status 400 Bad Request (400): <first line of the answer>" */
static char *status_text(const struct http_result *r)
{
    struct str rest = r->body, line = str_trim(str_cut(&rest, '\n'));

    return xprintf("server returned HTTP status %d %s (%d): " STR_FMT, r->status,
                   http_status_text(r->status), r->status, STR_ARG(line));
}

static void answered(void *arg, const struct http_result *r)
{
    struct item *it = arg;
    bool came = r->fail == HTTP_OK;
    char *text = NULL;

    it->call = NULL;
    bool refetch = came && r->status == 401 && it->old_token;
    if (refetch) http_token_forget(it->endpoint->auth.token);
    if (!came)
        text = xprintf("Post \"%s\": %s", it->endpoint->conf->shown,
                       r->error ? r->error : "the request failed");
    else if (r->status < 200 || r->status > 299)
        text = status_text(r);
    item_answered(it, came && !refetch ? r->status : -1, text);
    free(text);
}

/* --- headers --- */

struct headers {
    struct http_header *v;
    size_t n;
};

static void add(struct headers *h, const char *name, struct str value)
{
    h->v[h->n++] = (struct http_header){str_of(name), value};
}

static void add_tenant(struct headers *h, struct item *it)
{
    struct endpoint *e = it->endpoint;
    struct str tenant = it->parcel->tenant->name;

    if (tenant.n && e->conf->tenant_header.p && !e->warned_tenant_header) {
        e->warned_tenant_header = true;
        log_warn(write_log(e->write), "custom header key already exists, skipping",
                 F_CSTR("key", "X-Scope-OrgID"), F_STR("tenant", tenant));
    }
    if (!tenant.n) tenant = e->conf->tenant_header;
    if (tenant.n) add(h, "X-Scope-OrgID", tenant);
}

static void make_headers(struct headers *h, struct item *it, struct str authorization)
{
    const struct endpoint_conf *c = it->endpoint->conf;
    const struct write *w = it->endpoint->write;

    add(h, "Content-Type", STR("application/x-protobuf"));
    add(h, "Content-Encoding", STR("snappy"));
    add(h, "User-Agent", str_of(w->shard->comp->host->user_agent));
    add(h, "X-Agent-Id", str_of(w->seed));
    add(h, "X-Alloy-Id", str_of(w->seed));
    add_tenant(h, it);
    for (size_t i = 0; i < c->n_headers; i++)
        h->v[h->n++] = c->headers[i];
    if (authorization.n && !http_header_get(h->v, h->n, STR("Authorization")).p)
        add(h, "Authorization", authorization);
}

static void send_it(struct item *it, struct str authorization)
{
    const struct endpoint *e = it->endpoint;
    struct headers h = {.v = xcalloc(e->conf->n_headers + 8, sizeof(*h.v))};

    make_headers(&h, it, authorization);
    it->body = (struct iovec){it->parcel->body->p, it->parcel->body->n};
    it->call = http_client_start(e->write->shard->worker->http,
                                 &(struct http_call){.target = e->target,
                                                     .method = STR("POST"),
                                                     .url = e->conf->args->url,
                                                     .headers = h.v,
                                                     .n_headers = h.n,
                                                     .body = &it->body,
                                                     .n_body = 1,
                                                     .body_len = it->body.iov_len,
                                                     .timeout = e->conf->args->remote_timeout.ns,
                                                     .max_response = ANSWER_MAX,
                                                     .truncate = true,
                                                     .done = answered,
                                                     .arg = it});
    free(h.v);
}

/* --- authorization --- */

static void authorized(void *arg, struct str value, const char *err)
{
    struct item *it = arg;

    it->auth = NULL;
    if (err)
        item_answered(it, -1, err);
    else
        send_it(it, value);
}

void request_start(struct item *it)
{
    struct endpoint *e = it->endpoint;
    struct shard *s = e->write->shard;

    it->asked = MAX(write_now(e->write), 1);
    it->old_token = http_token_get(e->auth.token, loop_now(s->worker->loop)).n > 0;
    if (e->auth.kind == HTTP_AUTH_NONE) {
        send_it(it, STR(""));
        return;
    }
    struct http_auth *auth =
        http_auth_start(s->worker->http, s->worker->loop, s->comp->host->offload, &e->auth,
                        e->conf->args->remote_timeout.ns, authorized, it);
    if (auth) it->auth = auth; /* else `it` may be gone already */
}

void request_cancel(struct item *it)
{
    if (it->auth) http_auth_cancel(it->auth);
    if (it->call) http_client_cancel(it->call);
    it->auth = NULL;
    it->call = NULL;
    it->asked = 0;
}
