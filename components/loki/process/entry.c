/* Metadata and sources of an entry on its way. */
#include "components/loki/process/stage.h"

/* The array as one of the entry's own, with room for one more. */
static struct label *own_meta(struct entry *e)
{
    e->meta_changed = true;
    if (e->n_meta < e->cap_meta) return (struct label *)e->meta;
    u32 cap = 2 * e->n_meta + 4;
    struct label *v = arena_array(e->scratch, struct label, cap);
    if (e->n_meta) memcpy(v, e->meta, e->n_meta * sizeof(*v));
    e->meta = v;
    e->cap_meta = cap;
    return v;
}

void entry_meta_put(struct entry *e, struct str name, struct str value)
{
    struct label *v = own_meta(e);
    u32 i = 0;

    while (i < e->n_meta && !str_eq(v[i].name, name))
        i++;
    v[i] = (struct label){name, value};
    if (i == e->n_meta) e->n_meta++;
}

void entry_meta_del(struct entry *e, struct str name)
{
    u32 kept = 0, n = 0;

    while (n < e->n_meta && !str_eq(e->meta[n].name, name))
        n++;
    if (n == e->n_meta) return;
    struct label *v = own_meta(e);
    for (u32 i = 0; i < e->n_meta; i++)
        if (!str_eq(v[i].name, name)) v[kept++] = v[i];
    e->n_meta = kept;
}

bool entry_source(struct entry *e, const struct opt_str *source, struct str *ret)
{
    if (!source->set) {
        *ret = e->line;
        return true;
    }
    const struct ex_value *v = ex_get(e->extracted, source->s);
    return v && ex_string(v, e->scratch, ret);
}
