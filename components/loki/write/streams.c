/* From label sets to streams as they are sent. What a set becomes is remembered by its address in a
 * small table whose places are taken over by whoever comes next; sets that differ in labels that
 * are not sent share one stream. */
#include "components/loki/write/write.h"

#include "base/hash.h"
#include "base/xalloc.h"
#include "telemetry/loki_push.h"

#define CACHE     4096u /* places; a power of two */
#define TEXT_SIZE ((size_t)1 << 20)

u64 stream_hash(struct str text)
{
    return hash_str(text);
}

struct str tenant_of(const struct labels *l, const struct endpoint_conf *conf)
{
    struct str own = labels_get(l, STR("__tenant_id__"));

    return own.p ? own : conf->args->tenant_id;
}

/* Both lists are sorted: they are merged, the set's own label wins. */
void labels_sent(struct buf *out, const struct labels *l, const struct str_map *external)
{
    struct label *v = xmalloc((l->n + external->n + 1) * sizeof(*v));
    size_t n = 0, i = 0, k = 0;

    while (i < l->n || k < external->n) {
        int order = i == l->n          ? 1
                    : k == external->n ? -1
                                       : str_cmp(l->v[i].name, external->v[k].key);
        v[n++] = order <= 0 ? l->v[i] : (struct label){external->v[k].key, external->v[k].value};
        i += order <= 0;
        k += order >= 0;
    }
    loki_push_labels(out, v, n);
    free(v);
}

static void stream_free(struct stream *s)
{
    struct buf key = BUF_INIT(SIZE_MAX);

    buf_str(&key, s->tenant->name);
    buf_ch(&key, '\0');
    buf_str(&key, s->text);
    (void)map_del(&s->batcher->streams, buf_view(&key));
    buf_done(&key);
    buf_done(&s->body);
    free((char *)(uintptr_t)s->text.p);
    free(s);
}

static void stream_drop(struct stream *s)
{
    if (s->refs == 0 && !s->in) stream_free(s);
}

void stream_left(struct stream *s)
{
    s->in = NULL;
    stream_drop(s);
}

static void forget(struct cached *c)
{
    if (!c->labels) return;
    labels_unref(c->labels);
    c->stream->refs--;
    stream_drop(c->stream);
    *c = (struct cached){0};
}

void streams_clear(struct batcher *b)
{
    for (u32 i = 0; b->cache && i < CACHE; i++)
        forget(&b->cache[i]);
}

static struct stream *stream_new(struct batcher *b, struct tenant *t, struct str text)
{
    struct stream *s = xnew(struct stream);

    *s = (struct stream){.batcher = b,
                         .tenant = t,
                         .text = str_n(str_dup(text), text.n),
                         .hash = stream_hash(text),
                         .body = BUF_INIT(SIZE_MAX / 2)};
    list_init(&s->link);
    return s;
}

/* The stream of that text, made when it is new. */
static struct stream *by_text(struct batcher *b, struct tenant *t, struct str text)
{
    struct buf key = BUF_INIT(SIZE_MAX);

    buf_str(&key, t->name);
    buf_ch(&key, '\0');
    buf_str(&key, text);
    struct stream *s = buf_err(&key) ? NULL : map_get(&b->streams, buf_view(&key));
    if (!s && !buf_err(&key)) {
        s = stream_new(b, t, text);
        (void)map_put(&b->streams, buf_view(&key), s);
    }
    buf_done(&key);
    return s;
}

struct stream *batcher_stream(struct batcher *b, struct labels *l)
{
    if (!b->cache) b->cache = xcalloc(CACHE, sizeof(*b->cache));
    struct cached *c = &b->cache[l->hash & (CACHE - 1)];
    if (LIKELY(c->labels == l)) return c->stream;
    struct buf text = BUF_INIT(TEXT_SIZE);
    labels_sent(&text, l, &b->conf->all->external_labels);
    struct stream *s = NULL;
    if (!buf_err(&text))
        s = by_text(b, write_tenant(b->write, tenant_of(l, b->conf)), buf_view(&text));
    buf_done(&text);
    if (!s) return NULL;
    s->refs++; /* before the place is given up, which may have been its last */
    forget(c);
    *c = (struct cached){labels_ref(l), s};
    return s;
}
