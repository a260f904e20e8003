/* Headers, bodies and answers of prometheus.receive_http: what the remote write specifications and
 * Prometheus' own receiver say. A client that is told 503 sends again, one that is told 4xx drops
 * what it sent. */
#include <errno.h>
#include <stdlib.h>

#include "base/codec.h"
#include "components/prometheus/receive_http/receive.h"

/* --- answers --- */

static struct http_header number_header(struct http_req *r, const char *name, i64 n)
{
    return (struct http_header){str_of(name), str_of(arena_printf(r->arena, "%lld", (long long)n))};
}

/* 2.0: how much was written, with every answer. */
static size_t written_headers(struct http_req *r, const struct rw_counts *n, struct http_header *v)
{
    v[0] = number_header(r, "X-Prometheus-Remote-Write-Samples-Written", n->samples);
    v[1] = number_header(r, "X-Prometheus-Remote-Write-Histograms-Written", n->histograms);
    v[2] = number_header(r, "X-Prometheus-Remote-Write-Exemplars-Written", n->exemplars);
    return 3;
}

static void respond(struct receive *self, struct http_req *r, int status, const char *text,
                    i64 wait)
{
    static const struct rw_counts nothing;
    const struct receive_request *q = r->user;
    struct str body = text ? str_of(arena_printf(r->arena, "%s\n", text)) : STR("");
    struct http_header headers[6] = {{STR("Content-Type"), STR("text/plain; charset=utf-8")}};
    size_t n = text ? 1 : 0;

    if (wait > 0)
        headers[n++] = number_header(r, "Retry-After", (wait + NS_PER_SEC - 1) / NS_PER_SEC);
    if (q && q->version == RW_V2)
        n += written_headers(r, status == 204 || q->refused ? &q->counts : &nothing, headers + n);
    if (status >= 500)
        log_debug(self->shard->comp->log, "request refused for now", F_INT("status", status),
                  F_STR("peer", r->peer), F_CSTR("err", text ? text : ""));
    if (q)
        receive_meter_answer(self, loop_now(self->shard->worker->loop) - q->started, status,
                             body.n);
    http_respond(r, &(struct http_answer){
                        .status = status, .headers = headers, .n_headers = n, .body = body});
}

/* A client at fault: its operator may have nothing but this log. */
static void bad_request(struct receive *self, struct http_req *r, int status, const char *text)
{
    log_warn(self->shard->comp->log, "remote write request refused", F_INT("status", status),
             F_CSTR("err", text), F_STR("peer", r->peer));
    respond(self, r, status, text, 0);
}

static void no_memory(struct receive *self, struct http_req *r)
{
    respond(self, r, 503, "data refused due to high memory usage", NS_PER_SEC);
}

static void end_call(void *arg, struct http_req *r, enum http_call_end end, const char *text,
                     i64 wait)
{
    struct receive *self = arg;
    struct receive_request *q = r->user;

    if (end == CALL_AGAIN || end == CALL_REFUSED) {
        q->counts = (struct rw_counts){0};
        respond(self, r, end == CALL_AGAIN ? 503 : 400, text, wait);
    } else {
        respond(self, r, q->refused ? 400 : 204, q->refused, 0);
    }
}

static enum push push_on(void *arg, struct batch *b)
{
    struct receive *self = arg;

    return sample_output_push(&self->shared->output, self->shard, self->out, b);
}

const struct http_calls_rules receive_calls = {
    .push = push_on, .answer = end_call, .ended = receive_stopped_when_idle};

/* --- headers --- */

static const struct {
    const char *name;
    enum rw_version version;
} messages[] = {{"prometheus.WriteRequest", RW_V1}, {"io.prometheus.write.v2.Request", RW_V2}};

/* The version that Content-Type asks for; false with the reason in r's arena. None: 1.0. */
static bool version_of(const struct receive *self, struct http_req *r, enum rw_version *ret,
                       const char **ret_why)
{
    struct str rest = http_req_header(r, STR("content-type")),
               message = STR("prometheus.WriteRequest");
    struct str type = str_trim(str_cut(&rest, ';'));

    *ret_why = arena_printf(r->arena, "content type \"" STR_FMT "\" is not application/x-protobuf",
                            STR_ARG(type));
    if (type.n && !str_ieq(type, STR("application/x-protobuf"))) return false;
    while (rest.n) {
        struct str value = str_trim(str_cut(&rest, ';')), key = str_trim(str_cut(&value, '='));
        if (str_ieq(key, STR("proto"))) message = str_trim(value);
    }
    *ret_why = arena_printf(r->arena, "protobuf message \"" STR_FMT "\" is not accepted here",
                            STR_ARG(message));
    for (size_t i = 0; i < ARRAY_LEN(messages); i++)
        if (str_is(message, messages[i].name)) {
            *ret = messages[i].version;
            return self->plan->accepts[*ret];
        }
    return false;
}

static const char *encoding_fault(struct http_req *r)
{
    struct str name = http_req_header(r, STR("content-encoding"));

    if (!name.n || str_ieq(name, STR("snappy"))) return NULL;
    return arena_printf(r->arena, "content encoding \"" STR_FMT "\" is not accepted; send snappy",
                        STR_ARG(name));
}

static void on_headers(void *arg, struct http_req *r)
{
    struct receive *self = arg;
    const char *why;

    if (!str_is(r->path, RECEIVE_PATH)) {
        respond(self, r, 404, "404 page not found", 0);
        return;
    }
    if (!str_is(r->method, "POST")) {
        respond(self, r, 405, NULL, 0);
        return;
    }
    struct receive_request *q = arena_new(r->arena, struct receive_request);
    q->started = loop_now(self->shard->worker->loop);
    r->user = q;
    r->body_limit = RECEIVE_BODY_MAX;
    receive_meter_begin(self);
    if (!version_of(self, r, &q->version, &why) || (why = encoding_fault(r)))
        bad_request(self, r, 415, why);
    else if (!budget_has(self->shard->comp->host->data_budget, 1))
        no_memory(self, r);
}

static void on_too_large(void *arg, struct http_req *r)
{
    bad_request(arg, r, 413, "the body is larger than 100 MiB");
}

/* --- bodies --- */

/* The whole message; NULL: it was answered. */
static struct blob *unpack(struct receive *self, struct http_req *r, struct str packed)
{
    struct buf plain = BUF_INIT(RECEIVE_BODY_MAX);
    const char *err = NULL;
    int res = codec_decompress(CODEC_SNAPPY, packed, RECEIVE_BODY_MAX, &plain, &err);
    struct blob *made =
        res == 0 ? blob_take_buf(&plain, self->shard->comp->host->data_budget) : NULL;

    buf_done(&plain);
    if (made) return made;
    if (res == 0 || res == -ENOMEM)
        no_memory(self, r);
    else if (res == -E2BIG)
        on_too_large(self, r);
    else
        bad_request(self, r, 400,
                    arena_printf(r->arena, "snappy: %s", err ? err : "the body is broken"));
    return NULL;
}

/* 1.0 passes over in silence towards the client, as Prometheus does; 2.0 says 400, with what was
 * written all the same. */
static void tell_refused(struct receive *self, struct http_req *r, const struct rw_reading *d)
{
    struct receive_request *q = r->user;

    if (!d->why) return;
    log_warn(self->shard->comp->log, "some samples of a remote write request are passed over",
             F_UINT("samples", d->refused), F_CSTR("err", d->why), F_STR("peer", r->peer));
    if (q->version == RW_V2 && d->refused) q->refused = arena_strdup(r->arena, str_of(d->why));
}

static int read_message(struct receive *self, struct http_req *r, struct str body, char **ret_err)
{
    struct receive_request *q = r->user;
    const struct receive_args *a = self->plan->args;
    struct series_epoch *e = series_epoch_now(&self->keeper);
    struct rw_reading d = {.table = self->shard->comp->host->series,
                           .keeper = &self->keeper,
                           .out = self->builder,
                           .no_metadata = !a->append_metadata,
                           .type_and_unit = a->enable_type_and_unit_labels};

    sample_builder_keep(self->builder, e);
    series_epoch_unref(e);
    int err = rw_read(&d, q->version, body, ret_err);
    if (!err) {
        q->counts = d.counts;
        tell_refused(self, r, &d);
    }
    free(d.why);
    return err;
}

static bool anything(const struct rw_counts *n)
{
    return n->samples || n->histograms || n->exemplars || n->metadata;
}

static void submit(struct receive *self, struct http_req *r)
{
    struct receive_request *q = r->user;
    struct batch *b;

    if (!anything(&q->counts)) {
        respond(self, r, q->refused ? 400 : 204, q->refused, 0);
        return;
    }
    b = batch_new(SIGNAL_METRICS);
    b->received = loop_now(self->shard->worker->loop);
    if (sample_builder_seal(self->builder, b) == 0) {
        http_calls_submit(&self->calls, r, b);
        return;
    }
    batch_unref(b);
    q->refused = NULL;
    no_memory(self, r);
}

static void take(struct receive *self, struct http_req *r, struct str body)
{
    char *err = NULL;
    int res = read_message(self, r, body, &err);

    if (res == 0)
        submit(self, r);
    else if (res == -EBADMSG)
        bad_request(self, r, 400, err);
    else
        no_memory(self, r);
    free(err);
    sample_builder_reset(self->builder);
}

static void on_request(void *arg, struct http_req *r)
{
    struct receive *self = arg;
    struct blob *packed = http_req_take_body(r);

    if (!packed) {
        bad_request(self, r, 400, "the body is empty");
        return;
    }
    receive_meter_body(self, packed->n);
    struct blob *body = unpack(self, r, blob_view(packed));
    blob_unref(packed);
    if (body) take(self, r, blob_view(body));
    blob_unref(body);
}

/* Nobody would hear that it was taken: the client sends it again. */
static void on_gone(void *arg, struct http_req *r)
{
    struct receive *self = arg;

    if (!r->user) return;
    receive_meter_gone(self);
    http_calls_gone(&self->calls, r);
}

const struct http_handler receive_handler = {
    .headers = on_headers, .request = on_request, .gone = on_gone, .too_large = on_too_large};
