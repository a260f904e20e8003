/* Mappings of names that were seen. An entry owns its texts in one block. */
#include "components/prometheus/statsd/cache.h"

#include <stdlib.h>
#include "base/clock.h"
#include "base/list.h"
#include "base/map.h"
#include "base/xalloc.h"

struct entry {
    struct list used; /* most recently: first */
    size_t index;     /* among all, for a choice by chance */
    struct str key;
    struct statsd_mapped is;
    struct str values[];
};
struct statsd_cache {
    size_t size;
    bool random;
    struct map by_key;
    struct list used;
    struct entry **all; /* by_key.live */
    u64 seed;
};

struct statsd_cache *statsd_cache_new(size_t size, bool random)
{
    struct statsd_cache *c = xnew(struct statsd_cache);

    c->size = size;
    c->random = random;
    c->seed = random_u64() | 1;
    list_init(&c->used);
    return c;
}

void statsd_cache_free(struct statsd_cache *c)
{
    if (!c) return;
    map_done(&c->by_key, free);
    free(c->all);
    free(c);
}

size_t statsd_cache_length(const struct statsd_cache *c)
{
    return c->by_key.live;
}

static void drop(struct statsd_cache *c, struct entry *e)
{
    size_t last = c->by_key.live - 1;

    c->all[e->index] = c->all[last];
    c->all[e->index]->index = e->index;
    list_del(&e->used);
    map_del(&c->by_key, e->key);
    free(e);
}

static u64 chance(struct statsd_cache *c)
{
    c->seed ^= c->seed << 13;
    c->seed ^= c->seed >> 7;
    return c->seed ^= c->seed << 17;
}

static void make_room(struct statsd_cache *c)
{
    if (c->by_key.live < c->size) return;
    drop(c, c->random ? c->all[chance(c) % c->by_key.live]
                      : list_item(c->used.prev, struct entry, used));
}

static struct str copy(char **to, struct str s)
{
    struct str r = str_n(*to, s.n);

    if (s.n) memcpy(*to, s.p, s.n);
    *to += s.n;
    return r;
}

static void add(struct statsd_cache *c, struct str key, const struct statsd_mapped *is)
{
    size_t n_labels = is->mapping ? is->mapping->n_labels : 0, bytes = key.n + is->name.n;

    for (size_t i = 0; i < n_labels; i++)
        bytes += is->values[i].n;
    make_room(c);
    struct entry *e = xcalloc(1, sizeof(*e) + n_labels * sizeof(e->values[0]) + bytes);
    char *at = (char *)&e->values[n_labels];
    e->key = copy(&at, key);
    e->is = (struct statsd_mapped){is->mapping, copy(&at, is->name), e->values};
    for (size_t i = 0; i < n_labels; i++)
        e->values[i] = copy(&at, is->values[i]);
    e->index = c->by_key.live;
    if ((e->index & (e->index - 1)) == 0) /* full: 0, 1, 2, 4, ... */
        c->all = xrealloc(c->all, (e->index ? 2 * e->index : 1) * sizeof(struct entry *));
    c->all[e->index] = e;
    list_add_head(&c->used, &e->used);
    map_put(&c->by_key, key, e);
}

static void match(const struct statsd_mapper *m, struct str name, enum statsd_type type,
                  struct arena *a, struct statsd_mapped *ret, struct statsd_stats *stats)
{
    statsd_mapper_match(m, name, type, a, ret, &stats->regex_limit);
    struct str raw = ret->mapping ? ret->name : name;
    char *to = arena_alloc(a, raw.n + 1);
    ret->name = str_n(to, statsd_escape(raw, to));
}

void statsd_cache_match(struct statsd_cache *c, const struct statsd_mapper *m, struct str name,
                        enum statsd_type type, struct arena *scratch, struct statsd_mapped *ret,
                        struct statsd_stats *stats)
{
    char bytes[STATSD_CACHE_NAME_MAX + 1];
    struct str key = str_n(bytes, name.n + 1);

    if (!c || name.n > STATSD_CACHE_NAME_MAX) {
        match(m, name, type, scratch, ret, stats);
        return;
    }
    bytes[0] = (char)('0' + type);
    memcpy(bytes + 1, name.p, name.n);
    struct entry *e = map_get(&c->by_key, key);
    stats->cache_gets++;
    if (e) {
        stats->cache_hits++;
        list_del(&e->used);
        list_add_head(&c->used, &e->used);
        *ret = e->is;
        return;
    }
    match(m, name, type, scratch, ret, stats);
    add(c, key, ret);
}
