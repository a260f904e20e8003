/* otelcol.Handler capsules and the header list that they edit. */
#include "components/common/auth.h"

#include "components/common/settings.h"

static void destroy_handler(void *data)
{
    struct auth_handler *h = data; /* NULL: a placeholder of `check` */
    if (h) h->free(h);
}

const struct capsule_type capsule_otelcol_handler = {.name = "otelcol.Handler",
                                                     .destroy = destroy_handler};

static const struct row export_rows[] = {
    ATTR(struct auth_exports, handler, .doc = "Signs or checks requests.",
         .capsule = &capsule_otelcol_handler),
};
const struct schema auth_exports_schema = SCHEMA(struct auth_exports, export_rows);

void auth_export(struct comp *c, struct shard *s, struct auth_handler *h)
{
    struct auth_exports e = {.handler.c = value_capsule(&capsule_otelcol_handler, h).capsule};
    if (s)
        shard_export(s, &e);
    else
        comp_export(c, &e);
    capsule_unref(e.handler.c);
}

const struct auth_handler *auth_of(struct capsule_ref ref)
{
    return ref.c ? ref.c->data : NULL;
}

int auth_prepare_client(struct prepare *p, const char *path, struct capsule_ref ref)
{
    const struct auth_handler *h = auth_of(ref);
    return h && !h->sign
               ? setting_fault(p, path, "this handler does not support client authentication")
               : 0;
}

int auth_prepare_server(struct prepare *p, const char *path, struct capsule_ref ref)
{
    const struct auth_handler *h = auth_of(ref);
    return h && !h->check
               ? setting_fault(p, path, "this handler does not support server authentication")
               : 0;
}

void auth_headers_add(struct auth_headers *h, struct str name, struct str value)
{
    if (h->n == h->cap) {
        size_t cap = h->cap ? h->cap * 2 : 8;
        struct http_header *v = arena_array(h->arena, struct http_header, cap);
        if (h->n > 0) memcpy(v, h->v, h->n * sizeof(*v));
        h->v = v;
        h->cap = cap;
    }
    h->v[h->n++] = (struct http_header){name, value};
}

static size_t find(const struct auth_headers *h, struct str name)
{
    size_t i = 0;
    while (i < h->n && !str_ieq(h->v[i].name, name))
        i++;
    return i;
}

bool auth_headers_has(const struct auth_headers *h, struct str name)
{
    return find(h, name) < h->n;
}

void auth_headers_remove(struct auth_headers *h, struct str name)
{
    size_t kept = 0;
    for (size_t i = 0; i < h->n; i++)
        if (!str_ieq(h->v[i].name, name)) h->v[kept++] = h->v[i];
    h->n = kept;
}

void auth_headers_set(struct auth_headers *h, struct str name, struct str value)
{
    auth_headers_remove(h, name);
    auth_headers_add(h, name, value);
}
