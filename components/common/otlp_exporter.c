/* What otelcol.exporter.otlp and otelcol.exporter.otlphttp share around a call. */
#include "components/common/otlp_exporter.h"

#include <errno.h>

#include "components/common/otel_output.h"

#define REQUEST_ARENA 2048

/* --- control loop --- */

enum codec otlp_exporter_codec(struct str compression)
{
    enum codec codec;
    ASSERT(codec_by_name(str_is(compression, "none") ? STR("") : compression, &codec));
    return codec;
}

void otlp_exporter_create(struct comp *c, const char *type)
{
    struct otlp_exporter_shared *sh = c->shared;
    sending_create(&sh->sending, c, type);
    otel_input_export(c);
}

int otlp_exporter_configure(struct comp *c, const struct http_target_conf *target, char **ret_err)
{
    struct otlp_exporter_shared *sh = c->shared;
    const struct otlp_exporter_plan *plan = c->plan;
    struct http_target *t = http_target_new(target, ret_err);
    if (!t) return -EINVAL;
    http_target_unref(sh->target);
    sh->target = t;
    sending_configure(&sh->sending, &plan->sending);
    return 0;
}

void otlp_exporter_destroy(struct comp *c)
{
    struct otlp_exporter_shared *sh = c->shared;
    http_target_unref(sh->target);
    sending_destroy(&sh->sending);
}

/* --- one attempt --- */

static void attempt_free(struct otlp_attempt *a)
{
    payload_done(&a->payload);
    free((char *)(uintptr_t)a->url.p);
    a->req->attempt = NULL;
    free(a);
}

void otlp_attempt_end(struct otlp_attempt *a, const struct send_result *res)
{
    struct send_req *r = a->req;
    attempt_free(a);
    sending_done_one(r, res);
}

/* Makes the body. True; or *ret_why tells how the attempt ends. */
static bool encode(struct otlp_attempt *a, struct send_result *ret_why)
{
    struct otlp_exporter *e = a->exporter;
    int r = payload_make(&a->payload, &e->plan->format, a->req->batch, &e->scratch);
    payload_scratch_trim(&e->scratch);
    if (r == 0) return true;
    *ret_why = (struct send_result){.verdict = r == -ENOMEM ? SEND_RETRY : SEND_PERMANENT,
                                    .text = "the payload could not be encoded"};
    return false;
}

static void attempt_start(void *arg, struct send_req *r)
{
    static const struct send_result no_endpoint = {
        .verdict = SEND_PERMANENT, .text = "no endpoint is configured for this signal"};
    struct otlp_exporter *e = arg;
    struct str url = e->plan->url[r->batch->signal];
    if (url.n == 0) {
        sending_done_one(r, &no_endpoint);
        return;
    }
    struct otlp_attempt *a = r->attempt = xnew(struct otlp_attempt);
    struct send_result why;
    *a = (struct otlp_attempt){.req = r, .exporter = e, .url = str_n(str_dup(url), url.n)};
    if (!encode(a, &why)) {
        otlp_attempt_end(a, &why);
        return;
    }
    a->call = e->transport->start(a);
    arena_reset(&e->request);
}

static void attempt_cancel(void *arg, struct send_req *r)
{
    struct otlp_exporter *e = arg;
    struct otlp_attempt *a = r->attempt;
    e->transport->cancel(a->call);
    attempt_free(a);
}

static const struct send_ops ops = {.start = attempt_start, .cancel = attempt_cancel};

/* --- worker --- */

int otlp_exporter_run(struct shard *s, const struct otlp_transport *transport)
{
    struct otlp_exporter *e = s->self;
    struct otlp_exporter_shared *sh = s->comp->shared;
    e->shard = s;
    e->plan = s->plan;
    e->transport = transport;
    e->target = http_target_ref(sh->target);
    arena_init(&e->request, REQUEST_ARENA);
    sending_run(&e->sending, s, &sh->sending, &e->plan->sending, &ops, e);
    return 0;
}

int otlp_exporter_apply(struct shard *s, const void *plan)
{
    struct otlp_exporter *e = s->self;
    struct otlp_exporter_shared *sh = s->comp->shared;
    e->plan = plan;
    http_target_unref(e->target);
    e->target = http_target_ref(sh->target);
    sending_apply(&e->sending, &e->plan->sending);
    return 0;
}

void otlp_exporter_stop(struct shard *s)
{
    struct otlp_exporter *e = s->self;
    sending_stop(&e->sending);
}

void otlp_exporter_shard_done(struct shard *s)
{
    struct otlp_exporter *e = s->self;
    sending_free(&e->sending);
    http_target_unref(e->target);
    buf_done(&e->scratch);
    arena_done(&e->request);
}

enum push otlp_exporter_push(struct shard *s, u32 port, struct batch *b)
{
    (void)port;
    struct otlp_exporter *e = s->self;
    return sending_push(&e->sending, b);
}

void otlp_exporter_headers(struct otlp_exporter *e, const struct str_map *configured,
                           const struct auth_handler *auth, const struct client_info *from,
                           struct auth_headers *h)
{
    auth_headers_add(h, STR("User-Agent"), str_of(e->shard->comp->host->user_agent));
    for (size_t i = 0; i < configured->n; i++)
        auth_headers_set(h, configured->v[i].key, configured->v[i].value);
    if (auth) auth->sign(auth, from, h);
}

void otlp_exporter_partial(struct otlp_exporter *e, enum signal s, const struct otlp_partial *p)
{
    static const char *const rejected[SIGNAL_COUNT] = {"dropped_spans", "dropped_data_points",
                                                       "dropped_log_records"};
    if (p->rejected != 0 || p->message.n > 0)
        log_warn(e->shard->comp->log, "Partial success response", F_STR("message", p->message),
                 F_INT(rejected[s], p->rejected));
}
