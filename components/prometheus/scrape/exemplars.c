/* Which exemplars were sent already. */
#include <stdlib.h>

#include "base/hash.h"
#include "base/xalloc.h"
#include "components/prometheus/scrape/scrape.h"

struct told {
    i64 time;
    u64 hash; /* of labels and value, and of a time of its own */
};

static struct str key_of(const struct series *const *s)
{
    return str_n((const char *)s, sizeof(*s));
}

static u64 hash_of(const struct exemplar_sample *e)
{
    u64 bits = sample_bits(e->value), h = hash_mix(bits, e->has_time ? (u64)e->time : 1);

    for (u32 i = 0; i < e->n_labels; i++) {
        h = hash_bytes(e->labels[i].name.p, e->labels[i].name.n, h);
        h = hash_bytes(e->labels[i].value.p, e->labels[i].value.n, h);
    }
    return h;
}

static struct told *told_of(struct exemplar_memory *m, const struct series *s)
{
    struct told *t = map_get(&m->told, key_of(&s));

    if (t) return t;
    t = xnew(struct told);
    t->time = INT64_MIN;
    (void)map_put(&m->told, key_of(&s), t);
    return t;
}

bool exemplar_is_new(struct exemplar_memory *m, const struct exemplar_sample *e, bool *ret_old)
{
    struct told *t = told_of(m, e->series);
    u64 hash = hash_of(e);

    *ret_old = t->hash != hash && e->time < t->time;
    if (t->hash == hash || *ret_old) return false;
    *t = (struct told){e->time, hash};
    return true;
}

i64 exemplar_newest(const struct exemplar_memory *m, const struct series *s)
{
    const struct told *t = map_get(&m->told, key_of(&s));

    return t ? t->time : INT64_MIN;
}

void exemplar_forget(struct exemplar_memory *m, const struct series *s)
{
    if (m->told.live > 0) free(map_del(&m->told, key_of(&s)));
}

void exemplar_memory_done(struct exemplar_memory *m)
{
    map_done(&m->told, free);
    m->told = (struct map){0};
}
