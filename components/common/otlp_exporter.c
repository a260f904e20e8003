/* What otelcol.exporter.otlp and otelcol.exporter.otlphttp share around the sending machinery. */
#include "components/common/otlp_exporter.h"

#include <errno.h>

#define REQUEST_ARENA 2048

int otlp_exporter_configure(struct comp *c, const struct http_target_conf *target,
                            const struct sending_conf *sending, char **ret_err)
{
    struct otlp_exporter_shared *sh = c->shared;
    struct http_target *t = http_target_new(target, ret_err);
    if (!t) return -EINVAL;
    http_target_unref(sh->target);
    sh->target = t;
    sending_configure(&sh->sending, sending);
    return 0;
}

void otlp_exporter_destroy(struct comp *c)
{
    struct otlp_exporter_shared *sh = c->shared;
    http_target_unref(sh->target);
    sending_destroy(&sh->sending);
}

void otlp_exporter_run(struct shard *s, const struct sending_conf *conf, const struct send_ops *ops)
{
    struct otlp_exporter *e = s->self;
    struct otlp_exporter_shared *sh = s->comp->shared;
    e->shard = s;
    e->target = http_target_ref(sh->target);
    arena_init(&e->request, REQUEST_ARENA);
    sending_run(&e->sending, s, &sh->sending, conf, ops, e);
}

void otlp_exporter_apply(struct shard *s, const struct sending_conf *conf)
{
    struct otlp_exporter *e = s->self;
    struct otlp_exporter_shared *sh = s->comp->shared;
    http_target_unref(e->target);
    e->target = http_target_ref(sh->target);
    sending_apply(&e->sending, conf);
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

bool otlp_exporter_encode(struct otlp_exporter *e, const struct payload_format *f,
                          const struct batch *b, struct payload *ret, struct send_result *ret_why)
{
    int r = payload_make(ret, f, b, &e->scratch);
    payload_scratch_trim(&e->scratch);
    if (r == 0) return true;
    *ret_why = (struct send_result){.verdict = r == -ENOMEM ? SEND_RETRY : SEND_PERMANENT,
                                    .text = "the payload could not be encoded"};
    return false;
}

void otlp_exporter_partial(struct otlp_exporter *e, enum signal s, const struct otlp_partial *p)
{
    static const char *const rejected[SIGNAL_COUNT] = {"dropped_spans", "dropped_data_points",
                                                       "dropped_log_records"};
    if (p->rejected != 0 || p->message.n > 0)
        log_warn(e->shard->comp->log, "Partial success response", F_STR("message", p->message),
                 F_INT(rejected[s], p->rejected));
}
