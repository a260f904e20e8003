/* From a body to entries: push requests (protobuf, JSON) and raw lines. */
#include <errno.h>

#include "components/loki/api/api.h"
#include "telemetry/loki_push.h"

#define TENANT "__tenant_id__"

struct reading {
    struct api *self;
    const struct api_body *body;
    struct log_builder *b;
    VEC(struct labels *) labels; /* of streams, held until the end */
    i64 now;
    bool no_memory;
};

/* What stands for a stream that the rules dropped. */
static struct labels dropped;

/* --- labels --- */

/* The set in self->labels with all that is added to it. */
static struct labels *finish_labels(struct reading *rd)
{
    struct api *self = rd->self;
    const struct api_args *a = self->plan->args;
    struct label_set *s = &self->labels;
    bool limited = false;

    for (size_t i = 0; i < a->labels.n; i++)
        label_set_put_view(s, a->labels.v[i].key, a->labels.v[i].value);
    bool kept = relabel_apply(relabel_of(a->relabel_rules.c), s, &limited) && s->n > 0;
    relabel_tell_limited(self->shard->comp->log, limited, &self->limit_told);
    if (!kept) return &dropped;
    label_set_strip(s, false);
    if (rd->body->tenant.n) label_set_put_view(s, STR(TENANT), rd->body->tenant);
    struct labels *l = label_set_intern(s, self->shard->comp->host->labels);
    if (l)
        vec_push(&rd->labels, l);
    else
        rd->no_memory = true;
    return l;
}

static void *stream_of(void *arg, const struct label *v, size_t n, char **ret_err)
{
    struct reading *rd = arg;

    label_set_reset(&rd->self->labels);
    for (size_t i = 0; i < n; i++)
        label_set_put_view(&rd->self->labels, v[i].name, v[i].value);
    void *l = finish_labels(rd);
    if (!l) *ret_err = xstrdup("no memory");
    return l;
}

static void *stream(void *arg, struct str labels_text, char **ret_err)
{
    struct reading *rd = arg;
    struct label *v;
    size_t n;

    if (loki_labels_parse(labels_text, rd->body->arena, &v, &n, ret_err) < 0) return NULL;
    return stream_of(rd, v, n, ret_err);
}

/* --- entries --- */

static int entry(void *arg, void *labels, const struct log_entry *e)
{
    struct reading *rd = arg;
    struct log_entry own = *e;
    bool lasts = !rd->body->json && e->n_meta == 0; /* it lies in the body, and stays there */

    if (labels == &dropped) return 0;
    if (!rd->self->plan->args->use_incoming_timestamp) own.time = rd->now;
    return lasts ? log_builder_add_slice(rd->b, labels, &own)
                 : log_builder_add(rd->b, labels, &own);
}

static int read_push(struct reading *rd, char **ret_err)
{
    const struct loki_push_reader reader = {
        .stream = stream, .stream_of = stream_of, .entry = entry, .arg = rd};
    struct str body = blob_view(rd->body->bytes);

    return rd->body->json ? loki_push_read_json(body, rd->body->arena, &reader, ret_err)
                          : loki_push_read(body, &reader, ret_err);
}

/* Lines as they are, with the component's labels alone. */
static int read_raw(struct reading *rd)
{
    const struct str_map *m = &rd->self->plan->args->labels;
    struct str rest = blob_view(rd->body->bytes);
    int r = 0;

    label_set_reset(&rd->self->labels);
    for (size_t i = 0; i < m->n; i++)
        label_set_put_view(&rd->self->labels, m->v[i].key, m->v[i].value);
    struct labels *l = label_set_intern(&rd->self->labels, rd->self->shard->comp->host->labels);
    if (!l) return -ENOMEM;
    vec_push(&rd->labels, l);
    while (rest.n && r == 0) {
        struct log_entry e = {.time = rd->now, .line = str_cut(&rest, '\n')};
        while (e.line.n && e.line.p[e.line.n - 1] == '\r')
            e.line.n--;
        if (e.line.n) r = log_builder_add_slice(rd->b, l, &e);
    }
    return r;
}

int api_read_body(struct api *self, const struct api_body *body, struct log_builder *b,
                  char **ret_err)
{
    struct reading rd = {
        .self = self, .body = body, .b = b, .now = clock_real(self->shard->comp->host->clock)};

    log_builder_keep(b, body->bytes);
    int r = body->kind == API_RAW ? read_raw(&rd) : read_push(&rd, ret_err);
    vec_each (&rd.labels, l)
        labels_unref(*l);
    vec_done(&rd.labels);
    if (rd.no_memory) {
        free(*ret_err);
        *ret_err = NULL;
        r = -ENOMEM;
    }
    return r;
}
