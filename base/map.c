/* Open addressing over an array of entries: slots hold entry numbers, entries keep the order of
 * insertion. A removed entry stays as a dead one until the next rebuild, so that probes pass over
 * it and iteration is undisturbed. */
#include "base/map.h"

#include "base/assert.h"
#include "base/hash.h"
#include "base/xalloc.h"

#define MAP_FIRST 8 /* entries; there are always at least twice as many slots, a power of two */

static u64 key_hash(struct str key)
{
    return hash_bytes(key.p, key.n, hash_process_seed());
}

static struct map_entry *find(const struct map *m, struct str key, u64 hash)
{
    if (!m->n_slots) return NULL;
    size_t mask = m->n_slots - 1;
    for (size_t i = hash & mask; m->slots[i]; i = (i + 1) & mask) {
        struct map_entry *e = &m->entries[m->slots[i] - 1];

        if (e->hash == hash && !map_entry_dead(e) && str_eq(e->key, key)) return e;
    }
    return NULL;
}

static void link_slot(struct map *m, size_t entry)
{
    size_t mask = m->n_slots - 1, i = m->entries[entry].hash & mask;

    while (m->slots[i])
        i = (i + 1) & mask;
    m->slots[i] = (u32)(entry + 1);
}

/* By half only: maps with thousands of entries are many, and what they have too much stays unused.
 */
static void grow(struct map *m)
{
    m->cap = MAX(m->cap + m->cap / 2, MAP_FIRST);
    ASSERT(m->cap < UINT32_MAX / 4);
    m->entries = xrealloc(m->entries, m->cap * sizeof(*m->entries));
    while (m->n_slots < m->cap * 2)
        m->n_slots = MAX(m->n_slots * 2, 2 * MAP_FIRST);
}

/* Squeezes out the dead, grows when that did not gain much, and links every entry anew. */
static void rebuild(struct map *m)
{
    size_t live = 0;

    for (size_t i = 0; i < m->n; i++) {
        if (!map_entry_dead(&m->entries[i])) m->entries[live++] = m->entries[i];
    }
    m->n = live;
    if (live >= m->cap / 2) grow(m);
    free(m->slots);
    m->slots = xcalloc(m->n_slots, sizeof(*m->slots));
    for (size_t i = 0; i < m->n; i++)
        link_slot(m, i);
}

void *map_get(const struct map *m, struct str key)
{
    struct map_entry *e = find(m, key, key_hash(key));

    return e ? e->value : NULL;
}

bool map_has(const struct map *m, struct str key)
{
    return find(m, key, key_hash(key)) != NULL;
}

void *map_put(struct map *m, struct str key, void *value)
{
    u64 hash = key_hash(key);
    struct map_entry *e = find(m, key, hash);

    if (e) {
        void *before = e->value;
        e->value = value;
        return before;
    }
    if (m->n == m->cap) rebuild(m);
    m->entries[m->n] =
        (struct map_entry){.key = {str_dup(key), key.n}, .value = value, .hash = hash};
    link_slot(m, m->n++);
    m->live++;
    return NULL;
}

void *map_del(struct map *m, struct str key)
{
    struct map_entry *e = find(m, key, key_hash(key));

    if (!e) return NULL;
    free((char *)e->key.p);
    e->key = (struct str){NULL, 0};
    m->live--;
    return e->value;
}

struct map_entry *map_next(const struct map *m, const struct map_entry *e)
{
    for (size_t i = e ? (size_t)(e - m->entries) + 1 : 0; i < m->n; i++) {
        if (!map_entry_dead(&m->entries[i])) return &m->entries[i];
    }
    return NULL;
}

void map_done(struct map *m, void (*fn)(void *value))
{
    map_each (m, e) {
        if (fn) fn(e->value);
        free((char *)e->key.p);
    }
    free(m->entries);
    free(m->slots);
    *m = (struct map){0};
}
