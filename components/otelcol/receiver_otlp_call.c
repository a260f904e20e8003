/* A request's way through the pipeline: a batch is made of its payload, and whoever takes it over
 * answers through an ack.
 *
 * The call outlives both the request (the client may go away) and, when the pipeline is slow, the
 * shard: the ack only knows the call. */
#include <errno.h>

#include "components/common/otlp_status.h"
#include "components/otelcol/receiver_otlp.h"

/* Longest wait that is told to clients while the pipeline is full. */
#define LONGEST_WAIT (30 * NS_PER_SEC)

struct otlp_call {
    struct list link;
    struct receiver_otlp *self; /* NULL: the shard is over */
    struct http_req *r;         /* NULL: answered, or the client went away */
    enum otlp_transport transport;
    enum signal signal;
    u32 items;
    size_t bytes;
    i64 started;
};

/* --- requests --- */

struct otlp_request *receiver_request_of(struct receiver_otlp *self, struct http_req *r)
{
    if (!r->user) {
        struct otlp_request *q = arena_new(r->arena, struct otlp_request);
        q->started = loop_now(self->shard->worker->loop);
        r->user = q;
    }
    return r->user;
}

static void drop_client(void *client)
{
    client_info_unref(client);
}

static struct client_info *client_of(struct http_req *r)
{
    struct otlp_request *q = r->user;
    if (!q->client) {
        q->client = client_info_new(r->peer_ip);
        arena_cleanup(r->arena, drop_client, q->client);
    }
    return q->client;
}

static void add_metadata(struct client_info *c, const struct http_header *h, struct arena *a)
{
    char *key = arena_strdup(a, h->name);
    for (char *p = key; *p; p++)
        if (*p >= 'A' && *p <= 'Z') *p = (char)(*p - 'A' + 'a');
    client_info_add(c, str_of(key), h->value);
}

/* The request's client: address, headers when include_metadata, attributes of its authentication.
 * Owned by the request. */
static struct client_info *otlp_request_client(struct http_req *r, bool metadata)
{
    struct client_info *c = client_of(r);
    for (size_t i = 0; metadata && i < r->n_headers; i++)
        add_metadata(c, &r->headers[i], r->arena);
    return c;
}

const char *otlp_authenticate(struct http_req *r, struct capsule_ref auth)
{
    const struct auth_handler *h = auth_of(auth);
    if (!h) return NULL;
    return h->check(h, r->headers, r->n_headers, client_of(r));
}

/* --- overload --- */

/* The longer it has been full, the longer clients are told to stay away. */
static i64 wait_of(struct receiver_otlp *self, enum signal s)
{
    i64 now = loop_now(self->shard->worker->loop);
    if (self->full_since[s] == 0) self->full_since[s] = now;
    return MIN(MAX(now - self->full_since[s], NS_PER_SEC), LONGEST_WAIT);
}

static struct grpc_status full_status(struct receiver_otlp *self, enum signal s,
                                      const char *message)
{
    return (struct grpc_status){
        .code = GRPC_UNAVAILABLE, .message = str_of(message), .retry_delay = wait_of(self, s)};
}

struct grpc_status otlp_overload(struct receiver_otlp *self, enum signal s)
{
    if (otel_outputs_full(&self->outputs, s)) return full_status(self, s, "sending queue is full");
    if (!budget_has(self->shard->comp->host->data_budget, 1))
        return full_status(self, s, "data refused due to high memory usage");
    self->full_since[s] = 0;
    return (struct grpc_status){.code = GRPC_OK};
}

/* --- answers --- */

static void count(const struct otlp_call *call, bool ok)
{
    struct receiver_otlp_shared *sh = call->self->shared;
    metric_add((ok ? sh->accepted : sh->refused)[call->transport][call->signal], call->items);
    if (call->transport == OTLP_GRPC)
        rpc_metrics_observe(&sh->rpc[call->signal],
                            loop_now(call->self->shard->worker->loop) - call->started, call->bytes,
                            ok ? 2 : 0);
}

static void answer(struct http_req *r, enum otlp_transport t, const struct grpc_status *s)
{
    if (t == OTLP_GRPC)
        otlp_grpc_answer(r, s);
    else
        otlp_http_answer(r, s);
}

static void call_answer(struct otlp_call *call, const struct grpc_status *s)
{
    struct http_req *r = call->r;
    if (!r) return;
    call->r = NULL;
    answer(r, call->transport, s);
}

/* The pipeline's answer, on this loop. */
static void call_done(void *arg, enum ack_outcome outcome, const struct ack_failure *f)
{
    struct otlp_call *call = arg;
    if (call->self) {
        struct grpc_status s = otlp_status_of_ack(outcome, f);
        count(call, s.code == GRPC_OK);
        call_answer(call, &s);
    }
    list_del(&call->link);
    free(call);
}

void otlp_gone(void *arg, struct http_req *r)
{
    (void)arg;
    struct otlp_request *q = r->user;
    if (q && q->call) q->call->r = NULL;
}

void otlp_calls_forget(struct receiver_otlp *self)
{
    list_each (&self->calls, at) {
        struct otlp_call *call = list_item(at, struct otlp_call, link);
        call->self = NULL;
        call->r = NULL;
        list_del(at);
    }
}

/* --- into the pipeline --- */

static struct otlp_call *call_new(struct receiver_otlp *self, struct http_req *r,
                                  enum otlp_transport t, u32 items, size_t bytes)
{
    struct otlp_request *q = r->user;
    struct otlp_call *call = xnew(struct otlp_call);
    *call = (struct otlp_call){.self = self,
                               .r = r,
                               .transport = t,
                               .signal = q->signal,
                               .items = items,
                               .bytes = bytes,
                               .started = q->started};
    list_add_tail(&self->calls, &call->link);
    q->call = call;
    return call;
}

static struct batch *batch_of(struct receiver_otlp *self, struct http_req *r, enum otlp_transport t,
                              struct blob *root, u32 items)
{
    const struct receiver_otlp_args *args = self->plan->args;
    struct otlp_request *q = r->user;
    bool metadata = t == OTLP_GRPC ? args->grpc && args->grpc->include_metadata
                                   : args->http && args->http->include_metadata;
    struct batch *b = batch_new(q->signal);
    batch_add_slice(b, root, root->p, root->n, items);
    b->client = client_info_ref(otlp_request_client(r, metadata));
    b->received = loop_now(self->shard->worker->loop);
    return b;
}

void otlp_submit(struct receiver_otlp *self, struct http_req *r, enum otlp_transport t,
                 struct blob *root, u32 items)
{
    struct otlp_request *q = r->user;
    if (items == 0) {
        blob_unref(root);
        answer(r, t, &(struct grpc_status){.code = GRPC_OK});
        return;
    }
    struct batch *b = batch_of(self, r, t, root, items);
    struct otlp_call *call = call_new(self, r, t, items, root->n);
    struct ack *ack = ack_new(ACK_ACCEPTED, self->shard->worker->loop, call_done, call);
    blob_unref(root);
    batch_add_ack(b, ack);
    ack_unref(ack);
    batch_seal(b);
    if (otel_outputs_push(&self->outputs, b) == PUSH_TAKEN) return;
    struct grpc_status full = full_status(self, q->signal, "sending queue is full");
    batch_fail(b, ACK_FAILED,
               &(struct ack_failure){
                   .retryable = true, .grpc_code = full.code, .text = "sending queue is full"});
    batch_unref(b);
    call_answer(call, &full); /* at once, with the wait; the ack then only counts */
}
