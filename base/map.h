/* Hash map from byte strings to pointers, keys copied. Insertion order is kept for iteration.
 * Embedded: zero it, map_done. Hashes are keyed by a random value per process, so that keys from
 * outside cannot be made to collide. */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/str.h"

struct map_entry {
    struct str key; /* owned by the map, terminated; without bytes when it was removed */
    void *value;
    u64 hash;
};
static inline bool map_entry_dead(const struct map_entry *e)
{
    return e->key.p == NULL;
}

struct map {
    struct map_entry *entries; /* in order of insertion, dead ones in between */
    size_t n, cap, live;
    u32 *slots; /* index + 1 into entries; 0 = free */
    size_t n_slots;
};

/* The value, or NULL. */
void *map_get(const struct map *m, struct str key);
bool map_has(const struct map *m, struct str key);
/* Sets key to value; returns the value it had before, or NULL. */
void *map_put(struct map *m, struct str key, void *value);
/* Removes it; returns the value it had, or NULL. */
void *map_del(struct map *m, struct str key);
/* Frees keys and table; values stay the caller's unless fn is given. */
void map_done(struct map *m, void (*fn)(void *value));
/* Next live entry after e (NULL: first), NULL at the end. */
struct map_entry *map_next(const struct map *m, const struct map_entry *e);
#define map_each(m, e) for (struct map_entry *e = map_next((m), NULL); e; e = map_next((m), e))

#endif
