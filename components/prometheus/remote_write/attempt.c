/* A request: authorization, headers, the call, what the answer says, and when it is repeated.
 * Errors of the network, 5xx and (as set) 429 are repeated for ever. */
#include <errno.h>
#include "base/xalloc.h"
#include "components/common/retry_after.h"
#include "components/prometheus/remote_write/write.h"

#define ANSWER_MAX 1024 /* of an error, for the log */

int attempt_load(struct attempt *a, struct rw_request *r)
{
    struct buf *out = &a->endpoint->write->packed;

    buf_reset(out);
    out->max = SIZE_MAX / 2;
    if (rw_request_packed(r, out)) return -ENOMEM;
    a->body = budget_alloc(out->n + 1);
    if (!a->body) return -ENOMEM;
    memcpy(a->body, out->p, out->n);
    a->iov = (struct iovec){a->body, out->n};
    a->counts = *rw_request_counts(r);
    a->active = true;
    a->failures = 0;
    a->retry_at = a->began = 0;
    if (out->cap > ((size_t)4 << 20)) buf_done(out);
    return 0;
}

void attempt_cancel(struct attempt *a)
{
    if (a->auth) http_auth_cancel(a->auth);
    if (a->call) http_client_cancel(a->call);
    a->auth = NULL;
    a->call = NULL;
    a->asked = false;
}

void attempt_clear(struct attempt *a)
{
    attempt_cancel(a);
    free(a->body);
    a->body = NULL;
    a->active = false;
}

/* --- the answer --- */

/* Endings are told from within a callback: what the endpoint does next, it does soon. */
static void finish(struct attempt *a, enum verdict verdict, const char *text)
{
    struct endpoint *e = a->endpoint;

    if (verdict == DELIVERED) {
        remote_meters_sent(e, a, write_now(e->write) - a->asked_at);
        remote_well(e);
    }
    a->over(a, verdict, text);
    remote_soon(e);
    remote_progress(e->write);
}

static i64 wait_of(const struct attempt *a, i64 asked)
{
    const struct queue_args *q = &a->endpoint->conf->args->queue_config;
    i64 wait = MAX(q->min_backoff.ns, NS_PER_MS);

    if (asked > 0) return asked;
    for (u32 i = 1; i < a->failures && wait < q->max_backoff.ns; i++)
        wait *= 2;
    return MIN(wait, MAX(q->max_backoff.ns, NS_PER_MS));
}

/* delay: what the server asks for; 0: nothing. */
static void again(struct attempt *a, i64 delay, const char *text)
{
    struct endpoint *e = a->endpoint;

    a->failures++;
    a->retry_at = write_now(e->write) + wait_of(a, delay);
    e->recoverable = true;
    remote_meters_retried(e, &a->counts);
    remote_failing(e, text);
    remote_soon(e);
    remote_progress(e->write);
}

static u64 header_number(const struct http_result *r, const char *name)
{
    struct str s = str_trim(http_header_get(r->headers, r->n_headers, str_of(name)));
    u64 n = 0;

    for (size_t i = 0; i < s.n && n < UINT32_MAX; i++) {
        if (s.p[i] < '0' || s.p[i] > '9') return 0;
        n = n * 10 + (u64)(s.p[i] - '0');
    }
    return n;
}

/* 2.0: a server that speaks 1.0 only may answer 2xx to what it did not understand. */
static bool says_nothing_written(const struct attempt *a, const struct http_result *r)
{
    static const char *const names[] = {"X-Prometheus-Remote-Write-Samples-Written",
                                        "X-Prometheus-Remote-Write-Histograms-Written",
                                        "X-Prometheus-Remote-Write-Exemplars-Written"};
    u64 n = 0;

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        n += header_number(r, names[i]);
    return a->endpoint->conf->version == RW_V2 && n == 0;
}

static void succeeded(struct attempt *a, const struct http_result *r)
{
    if (!says_nothing_written(a, r)) {
        finish(a, DELIVERED, NULL);
        return;
    }
    char *text = xprintf(
        "sent v2 request with %u samples, %u histograms and %u exemplars; got 2xx, but PRW 2.0 "
        "response header statistics indicate that nothing was written: the server may speak 1.0 "
        "only",
        a->counts.samples, a->counts.histograms, a->counts.exemplars);
    finish(a, REFUSED, text);
    free(text);
}

static bool is_repeated(const struct attempt *a, int status)
{
    return status / 100 == 5 ||
           (status == 429 && a->endpoint->conf->args->queue_config.retry_on_http_429);
}

static void refused(struct attempt *a, const struct http_result *r)
{
    char *text = xprintf("server returned HTTP status %d %s: " STR_FMT, r->status,
                         http_status_text(r->status), STR_ARG(str_trim(r->body)));
    struct str after = http_header_get(r->headers, r->n_headers, STR("Retry-After"));

    if (is_repeated(a, r->status))
        again(a, retry_after_parse(after, remote_real(a->endpoint->write) * NS_PER_MS), text);
    else
        finish(a, REFUSED, text);
    free(text);
}

static void answered(void *arg, const struct http_result *r)
{
    struct attempt *a = arg;
    struct endpoint *e = a->endpoint;

    a->call = NULL;
    a->asked = false;
    if (r->fail != HTTP_OK) {
        char *text =
            xprintf("Post \"%s\": %s", e->conf->url, r->error ? r->error : "the request failed");
        again(a, 0, text);
        free(text);
    } else if (r->status / 100 == 2) {
        succeeded(a, r);
    } else if (r->status == 401 && a->old_token) {
        http_token_forget(e->auth.token);
        again(a, 0, "the server refused the token: another one is fetched");
    } else {
        refused(a, r);
    }
}

/* --- headers --- */

struct headers {
    struct http_header *v;
    size_t n;
};

/* Custom ones win. */
static void add(struct headers *h, const char *name, struct str value)
{
    if (!http_header_get(h->v, h->n, str_of(name)).p)
        h->v[h->n++] = (struct http_header){str_of(name), value};
}

static void make_headers(struct headers *h, const struct attempt *a, char retry[16])
{
    const struct endpoint *e = a->endpoint;
    const struct endpoint_conf *c = e->conf;

    for (size_t i = 0; i < c->n_headers; i++)
        h->v[h->n++] = c->headers[i];
    add(h, "Content-Encoding", STR("snappy"));
    add(h, "Content-Type", str_of(rw_content_type(c->version)));
    add(h, "X-Prometheus-Remote-Write-Version", str_of(rw_version_header(c->version)));
    add(h, "User-Agent", str_of(e->write->shard->comp->host->user_agent));
    add(h, "X-Agent-Id", str_of(e->write->seed));
    add(h, "X-Alloy-Id", str_of(e->write->seed));
    if (!a->failures) return;
    (void)snprintf(retry, 16, "%u", a->failures);
    add(h, "Retry-Attempt", str_of(retry));
}

/* --- sending --- */

static void go(struct attempt *a, const struct headers *h)
{
    struct endpoint *e = a->endpoint;

    a->call = http_client_start(e->write->shard->worker->http,
                                &(struct http_call){.target = e->target,
                                                    .method = STR("POST"),
                                                    .url = e->conf->args->url,
                                                    .headers = h->v,
                                                    .n_headers = h->n,
                                                    .body = &a->iov,
                                                    .n_body = 1,
                                                    .body_len = a->iov.iov_len,
                                                    .timeout = e->conf->args->remote_timeout.ns,
                                                    .max_response = ANSWER_MAX,
                                                    .truncate = true,
                                                    .done = answered,
                                                    .arg = a});
}

/* What is signed besides the host. */
static size_t signed_headers(const struct aws_keys *k, const char *date, struct http_header v[2])
{
    size_t n = 0;

    v[n++] = (struct http_header){STR("X-Amz-Date"), str_of(date)};
    if (k->token) v[n++] = (struct http_header){STR("X-Amz-Security-Token"), str_of(k->token)};
    return n;
}

static void send_signed(struct attempt *a, struct headers *h)
{
    const struct endpoint_args *args = a->endpoint->conf->args;
    const struct aws_keys *keys = &a->endpoint->keys;
    struct http_header v[2];
    char date[SIGV4_DATE];
    i64 seconds = remote_real(a->endpoint->write) / 1000;

    sigv4_date(seconds, date);
    size_t n = signed_headers(keys, date, v);
    char *authorization = sigv4_sign(&(struct sigv4_request){.method = STR("POST"),
                                                             .url = args->url,
                                                             .service = args->sigv4->service_name,
                                                             .body = {a->body, a->iov.iov_len},
                                                             .time = seconds,
                                                             .headers = v,
                                                             .n_headers = n},
                                     keys);
    for (size_t i = 0; i < n; i++)
        add(h, v[i].name.p, v[i].value);
    add(h, "Authorization", str_of(authorization));
    go(a, h);
    free(authorization);
}

static void send_it(struct attempt *a, struct str authorization)
{
    struct headers h = {.v = xcalloc(a->endpoint->conf->n_headers + 12, sizeof(*h.v))};
    char retry[16];

    make_headers(&h, a, retry);
    if (authorization.n) add(&h, "Authorization", authorization);
    if (a->endpoint->conf->args->sigv4)
        send_signed(a, &h);
    else
        go(a, &h);
    free(h.v);
}

/* --- authorization --- */

static void authorized(void *arg, struct str value, const char *err)
{
    struct attempt *a = arg;

    a->auth = NULL;
    if (!err) {
        send_it(a, value);
        return;
    }
    a->asked = false;
    again(a, 0, err);
}

void attempt_send(struct attempt *a)
{
    struct endpoint *e = a->endpoint;
    struct shard *s = e->write->shard;

    a->asked = true;
    a->asked_at = write_now(e->write);
    if (!a->began) a->began = a->asked_at;
    a->old_token = http_token_get(e->auth.token, a->asked_at).n > 0;
    if (e->auth.kind == HTTP_AUTH_NONE) {
        send_it(a, STR(""));
        return;
    }
    struct http_auth *auth =
        http_auth_start(s->worker->http, s->worker->loop, s->comp->host->offload, &e->auth,
                        e->conf->args->remote_timeout.ns, authorized, a);
    if (auth) a->auth = auth; /* else it is over already */
}
