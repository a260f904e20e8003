/* Requests to an engine. Those that come before its version is known wait for it. */
#include "components/common/docker.h"

#include <errno.h>
#include "base/json.h"
#include "base/list.h"
#include "base/num.h"
#include "base/xalloc.h"

#define TIMEOUT     (30 * NS_PER_SEC)
#define ERROR_MAX   ((size_t)16 * 1024) /* of the body of an answer that refuses */
#define OUR_VERSION 51                  /* 1.51: what these requests were written for */
#define MIN_VERSION 40                  /* 1.40, of 2019 */

struct docker {
    struct shard *shard;
    struct str base, shown; /* owned */
    struct http_endpoint *endpoint;
    i64 timeout;
    char version[8]; /* empty: not known */
    struct list calls;
    struct http_request *ping;
    bool get; /* the ping under way is the second try */
};

struct docker_call {
    struct list node;
    struct docker *d;
    struct docker_request conf;
    char *path;
    struct http_request *request; /* NULL: waits for the version */
    struct timer *patience;       /* until an answer that goes on has begun; NULL: a call of one
                                     whole answer, which has its own timeout */
};

void docker_version(struct str engines, char ret[8])
{
    struct str minor = engines, major = str_cut(&minor, '.');
    i64 n;

    if (!str_is(major, "1") || num_parse_i64(minor, &n) != 0) n = MIN_VERSION;
    (void)snprintf(ret, 8, "1.%d", (int)MAX(MIN(n, (i64)OUR_VERSION), (i64)MIN_VERSION));
}

void docker_escape(struct buf *b, struct str text)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";

    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] && strchr(plain, text.p[i]))
            buf_ch(b, text.p[i]);
        else
            buf_printf(b, "%%%02X", (u8)text.p[i]);
}

/* --- ends --- */

static void call_free(struct docker_call *c)
{
    list_del(&c->node);
    timer_free(c->patience);
    free(c->path);
    free(c);
}

static void finish(struct docker_call *c, const struct docker_result *r)
{
    void (*done)(void *arg, const struct docker_result *r) = c->conf.done;
    void *arg = c->conf.arg;

    call_free(c);
    done(arg, r);
}

/* The "message" of an answer's body, in the arena; empty when there is none. */
static struct str message_of(struct str body, struct arena *a)
{
    struct json_in j;
    struct str key;
    bool first = true;

    json_in_init(&j, body, a);
    if (json_value(&j) != JSON_OBJ) return (struct str){0};
    while (json_next_key(&j, &key, &first)) {
        if (str_is(key, "message")) return json_value(&j) == JSON_STRING ? j.raw : (struct str){0};
        if (json_skip(&j) != 0) break;
    }
    return (struct str){0};
}

static const char *refusal(const struct http_result *r, struct arena *a)
{
    struct str message = message_of(r->body, a);

    if (message.n)
        return arena_printf(a, "the Docker engine answered %d: " STR_FMT, r->status,
                            STR_ARG(message));
    return arena_printf(a, "the Docker engine answered %d %s", r->status,
                        http_status_text(r->status));
}

/* What a request came to; texts in the arena. */
static struct docker_result result_of(struct docker *d, const struct http_result *r,
                                      struct arena *a)
{
    struct docker_result out = {.status = r->status, .body = r->body};

    if (r->fail != HTTP_OK) {
        d->version[0] = '\0';
        out.error = arena_printf(a, "cannot reach the Docker engine at " STR_FMT ": %s",
                                 STR_ARG(d->shown), r->error);
        if (r->fail == HTTP_TOO_LARGE)
            out.error = arena_printf(a, "the Docker engine's answer is too large");
    } else if (r->status / 100 != 2) {
        out.error = refusal(r, a);
    }
    return out;
}

static void on_done(void *arg, const struct http_result *r)
{
    struct docker_call *c = arg;
    struct arena a;

    arena_init(&a, 0);
    struct docker_result result = result_of(c->d, r, &a);
    finish(c, &result);
    arena_done(&a);
}

static size_t on_data(void *arg, const char *p, size_t n)
{
    const struct docker_call *c = arg;

    return c->conf.data(c->conf.arg, p, n);
}

static void on_head(void *arg, const struct http_result *r)
{
    const struct docker_call *c = arg;

    timer_stop(c->patience);
    if (r->status / 100 == 2 && c->conf.opened) c->conf.opened(c->conf.arg);
}

/* An answer that goes on may take any time, but not to begin: an engine that hangs would hold the
 * call for ever, and nobody would learn of it. */
static void on_mute(void *arg)
{
    struct docker_call *c = arg;
    char *error = xprintf("the Docker engine at " STR_FMT " did not begin to answer in time",
                          STR_ARG(c->d->shown));

    http_request_cancel(c->request);
    finish(c, &(struct docker_result){.error = error, .mute = true});
    free(error);
}

/* --- requests --- */

static struct http_request *request(struct docker *d, const struct http_call *call)
{
    return http_request_start(d->endpoint, d->shard->worker, d->shard->comp->host->offload, call);
}

static void go(struct docker_call *c)
{
    struct docker *d = c->d;
    char *url = xprintf(STR_FMT "/v%s%s", STR_ARG(d->base), d->version, c->path);

    c->request = request(
        d, &(struct http_call){.url = str_of(url),
                               .timeout = c->conf.data ? 0 : d->timeout,
                               .max_response = c->conf.data ? ERROR_MAX : c->conf.max_response,
                               .truncate = c->conf.data,
                               .data = c->conf.data ? on_data : NULL,
                               .head = c->conf.data ? on_head : NULL,
                               .done = on_done,
                               .arg = c});
    free(url);
    if (!c->conf.data) return;
    c->patience = timer_new(d->shard->worker->loop, on_mute, c);
    timer_start(c->patience, d->timeout);
}

/* --- the version --- */

static void start_ping(struct docker *d, bool get);

/* Callbacks may start and cancel calls, or free the client: one at a time, from the front. */
static void fail_waiting(struct docker *d, const struct docker_result *r)
{
    struct list waiting;

    list_init(&waiting);
    list_each (&d->calls, node) {
        if (list_item(node, struct docker_call, node)->request) continue;
        list_del(node);
        list_add_tail(&waiting, node);
    }
    while (!list_empty(&waiting))
        finish(list_item(waiting.next, struct docker_call, node), r);
}

static void start_waiting(struct docker *d)
{
    list_each (&d->calls, node) {
        struct docker_call *c = list_item(node, struct docker_call, node);
        if (!c->request) go(c);
    }
}

static void on_ping(void *arg, const struct http_result *r)
{
    struct docker *d = arg;
    struct arena a;

    d->ping = NULL;
    if (r->fail == HTTP_OK && r->status / 100 != 2 && !d->get) {
        start_ping(d, true);
        return;
    }
    arena_init(&a, 0);
    struct docker_result result = result_of(d, r, &a);
    if (result.error) {
        fail_waiting(d, &result);
    } else {
        docker_version(http_header_get(r->headers, r->n_headers, STR("Api-Version")), d->version);
        start_waiting(d);
    }
    arena_done(&a);
}

static void start_ping(struct docker *d, bool get)
{
    char *url = xprintf(STR_FMT "/_ping", STR_ARG(d->base));

    d->get = get;
    d->ping = request(d, &(struct http_call){.method = get ? STR("GET") : STR("HEAD"),
                                             .url = str_of(url),
                                             .timeout = d->timeout,
                                             .max_response = ERROR_MAX,
                                             .truncate = true,
                                             .done = on_ping,
                                             .arg = d});
    free(url);
}

/* --- the face --- */

struct docker *docker_new(struct shard *s, const struct docker_host *host,
                          struct http_endpoint *endpoint, i64 timeout)
{
    struct docker *d = xnew(struct docker);

    d->shard = s;
    d->base = str_n(str_dup(host->base), host->base.n);
    d->shown = str_n(str_dup(host->shown), host->shown.n);
    d->endpoint = http_endpoint_ref(endpoint);
    d->timeout = timeout > 0 ? timeout : TIMEOUT;
    list_init(&d->calls);
    return d;
}

void docker_free(struct docker *d)
{
    if (!d) return;
    while (!list_empty(&d->calls))
        docker_cancel(list_item(d->calls.next, struct docker_call, node));
    if (d->ping) http_request_cancel(d->ping);
    http_endpoint_unref(d->endpoint);
    free((char *)(uintptr_t)d->base.p);
    free((char *)(uintptr_t)d->shown.p);
    free(d);
}

struct docker_call *docker_start(struct docker *d, const struct docker_request *r)
{
    struct docker_call *c = xnew(struct docker_call);

    c->d = d;
    c->conf = *r;
    c->path = xstrdup(r->path);
    list_add_tail(&d->calls, &c->node);
    if (d->version[0])
        go(c);
    else if (!d->ping)
        start_ping(d, false);
    return c;
}

void docker_cancel(struct docker_call *c)
{
    if (c->request) http_request_cancel(c->request);
    call_free(c);
}

void docker_resume(struct docker_call *c)
{
    if (c->request) http_request_resume(c->request);
}
